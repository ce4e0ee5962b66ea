package registry

import (
	"bytes"
	"encoding/json"
)

// Knowledge is whether something is known.
type Knowledge uint8

// The zero value is Unknown, so that what nobody read is never taken for an answer.
const (
	Unknown Knowledge = iota
	Absent            // the registry says that there is none
	Present
)

// Fact is a value that a registry may have given, denied, or not spoken of. The zero value is
// unknown. Its JSON form is left out (omitzero) or null when unknown, {} when absent, and
// {"value": ...} when present.
type Fact[T any] struct {
	Knowledge Knowledge
	Value     T // of a Present fact
}

// Known is a fact that is present.
func Known[T any](v T) Fact[T] { return Fact[T]{Knowledge: Present, Value: v} }

// None is a fact that is absent.
func None[T any]() Fact[T] { return Fact[T]{Knowledge: Absent} }

// Get gives the value, and whether it is present.
func (f Fact[T]) Get() (v T, present bool) { return f.Value, f.Knowledge == Present }

// IsZero reports whether nothing is known.
func (f Fact[T]) IsZero() bool { return f.Knowledge == Unknown }

type factJSON[T any] struct {
	Value *T `json:"value,omitempty"`
}

// MarshalJSON is part of the form that Fact describes.
func (f Fact[T]) MarshalJSON() ([]byte, error) {
	switch f.Knowledge {
	case Present:
		return json.Marshal(factJSON[T]{&f.Value})
	case Absent:
		return []byte("{}"), nil
	}
	return []byte("null"), nil
}

// UnmarshalJSON is part of the form that Fact describes.
func (f *Fact[T]) UnmarshalJSON(b []byte) error {
	*f = Fact[T]{}
	if bytes.Equal(bytes.TrimSpace(b), []byte("null")) {
		return nil
	}
	var read factJSON[T]
	if err := json.Unmarshal(b, &read); err != nil {
		return err
	}
	f.Knowledge = Absent
	if read.Value != nil {
		*f = Known(*read.Value)
	}
	return nil
}
