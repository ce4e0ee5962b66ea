package jobs

import (
	"fmt"
	"time"
)

// SnoozeError is an error that asks for another run at a time, and uses up no attempt.
type SnoozeError struct {
	Until time.Time // by the clock of this process; one that is past is now
	Err   error     // why; may be nil
}

// Snooze has a job run again at a time without using up an attempt: it waits for somebody else.
func Snooze(until time.Time) error { return &SnoozeError{Until: until} }

func (e *SnoozeError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("put off until %s: %v", e.Until.UTC().Format(time.RFC3339), e.Err)
	}
	return "put off until " + e.Until.UTC().Format(time.RFC3339)
}

func (e *SnoozeError) Unwrap() error { return e.Err }

// DeadError is an error that no further run can cure.
type DeadError struct {
	Reason string
}

// Dead ends a job for good: it is kept as a dead letter with its reason.
func Dead(reason string) error { return &DeadError{Reason: reason} }

func (e *DeadError) Error() string { return e.Reason }
