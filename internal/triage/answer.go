package triage

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
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

// UnmarshalText reads the words of String.
func (t *Truth) UnmarshalText(text []byte) error {
	for v := Unknown; v <= Yes; v++ {
		if v.String() == string(text) {
			*t = v
			return nil
		}
	}
	return fmt.Errorf("%.40q is not yes, no or unknown", text)
}

// Answer is what somebody, or some data, says to one question.
type Answer struct {
	Truth Truth `json:"answer"`
	// Source is what said it: "signal", or one of internal/exposure's, or SourcePerson.
	Source string `json:"source,omitempty"`
	// Detail is one line: what was seen, or why the answer is Unknown. Of a person, the reason.
	Detail string    `json:"detail,omitempty"`
	By     string    `json:"by,omitempty"` // login of a person; "" for the program
	At     time.Time `json:"at,omitzero"`
}

// The sources of answers that this package gives.
const (
	SourceSignal = "signal" // what the signal itself shows
	SourcePerson = "person"
)

// Said is the answer yes or no of a source, with what was seen.
func Said(source string, yes bool, format string, args ...any) Answer {
	a := Answer{Truth: No, Source: source, Detail: fmt.Sprintf(format, args...)}
	if yes {
		a.Truth = Yes
	}
	return a
}

// Unsaid is an answer that a source could not give, and why.
func Unsaid(source, format string, args ...any) Answer {
	return Answer{Source: source, Detail: fmt.Sprintf(format, args...)}
}

// Record is all that was answered to one question.
type Record struct {
	Data    Answer   `json:"data,omitzero"`     // what data says
	Persons []Answer `json:"persons,omitempty"` // what persons said, the oldest first; the last counts
}

// Facts are the answers so far, by the id of the question. Nil is none.
type Facts map[string]Record

// With gives the facts with what data says to a question. An answer that is known is not lost to
// an Unknown: a source that fails today does not take back what it said yesterday.
func (f Facts) With(id string, a Answer) Facts {
	out := f.clone()
	r := out[id]
	if a.Truth != Unknown || r.Data.Truth == Unknown {
		r.Data = a
	}
	out[id] = r
	return out
}

// ErrOverride is wrapped by the errors of Override.
var ErrOverride = errors.New("an answer of a person needs who, when and why")

// Override gives the facts with the answer of a person, beside what was said before. It counts,
// whatever data says; Unknown says that data is not to be believed. By, At and Detail, the reason, must
// be there.
func (f Facts) Override(id string, a Answer) (Facts, error) {
	if strings.TrimSpace(a.By) == "" || a.At.IsZero() || strings.TrimSpace(a.Detail) == "" || a.Truth > Yes {
		return nil, fmt.Errorf("%.100q: %w", id, ErrOverride)
	}
	a.Source = SourcePerson
	out := f.clone()
	r := out[id]
	r.Persons = append(slices.Clone(r.Persons), a)
	out[id] = r
	return out, nil
}

// Merge gives the facts with all of others: data as With takes it, persons after those that are
// here. Answers of persons that are here already are not repeated.
func (f Facts) Merge(others Facts) Facts {
	out := f.clone()
	for id, r := range others {
		out = out.With(id, r.Data)
		mine := out[id]
		for _, p := range r.Persons {
			if !slices.Contains(mine.Persons, p) {
				mine.Persons = append(slices.Clone(mine.Persons), p)
			}
		}
		out[id] = mine
	}
	return out
}

func (f Facts) clone() Facts {
	if f == nil {
		return Facts{}
	}
	return maps.Clone(f)
}
