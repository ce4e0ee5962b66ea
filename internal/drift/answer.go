package drift

import (
	"fmt"

	"github.com/wormsweep/wormsweep/internal/verify"
)

// Truth is the answer to a question of yes or no.
type Truth uint8

// The zero value is Unknown: a question that nobody asked never reads as No.
const (
	Unknown Truth = iota
	No
	Yes
)

// String gives "unknown", "no" or "yes".
func (t Truth) String() string { return [...]string{"unknown", "no", "yes"}[min(t, Yes)] }

// MarshalText gives the word of String.
func (t Truth) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads the word of String; any other is Unknown.
func (t *Truth) UnmarshalText(text []byte) error {
	*t = map[string]Truth{"no": No, "yes": Yes}[string(text)]
	return nil
}

// Answer is a Truth with its reason. The zero value is a question that nobody asked.
type Answer struct {
	Truth  Truth  `json:"truth,omitempty"`
	Detail string `json:"detail,omitempty"` // of No and Yes: one line, what was seen
	// Gap says why it is Unknown.
	Gap verify.Gap `json:"gap,omitzero"`
}

// Said is the answer yes or no, with what was seen.
func Said(yes bool, format string, args ...any) Answer {
	a := Answer{Truth: No, Detail: fmt.Sprintf(format, args...)}
	if yes {
		a.Truth = Yes
	}
	return a
}

// Unsaid is an answer that could not be had.
func Unsaid(gap verify.Gap) Answer { return Answer{Gap: gap} }

// Asked is a value that may not have been told. The zero value is one that nobody asked for.
type Asked[T any] struct {
	Value T          `json:"value,omitempty"` // where Known
	Known bool       `json:"known,omitempty"`
	Gap   verify.Gap `json:"gap,omitzero"` // why not
}

// Told is a value that was told.
func Told[T any](v T) Asked[T] { return Asked[T]{Value: v, Known: true} }

// Untold is one that could not be had.
func Untold[T any](gap verify.Gap) Asked[T] { return Asked[T]{Gap: gap} }

// reason fills in a gap that nobody filled in.
func reason(gap verify.Gap, what string) verify.Gap {
	if gap.Code == "" {
		gap.Code = verify.GapNoAnswer
	}
	if gap.Detail == "" {
		gap.Detail = what + ": not asked"
	}
	return gap
}
