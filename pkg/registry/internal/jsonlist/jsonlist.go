// Package jsonlist reads lists in JSON up to a number of items. A list of "{}" takes a hundred
// times more memory than its text, so that a bound on bytes alone is none on memory.
//
// Names are exact, and none stands twice in an object.
package jsonlist

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/wormsweep/wormsweep/pkg/registry"
)

// Parse reads a document that is a list of at most max items. Errors wrap ErrMalformed, or
// ErrTooLarge.
func Parse[T any](document []byte, max int) ([]T, error) {
	dec := jsontext.NewDecoder(bytes.NewReader(document))
	list, err := Read[T](dec, max)
	if err != nil {
		return nil, err
	}
	if _, err := dec.ReadToken(); err != io.EOF {
		return nil, fmt.Errorf("more than one document: %w", registry.ErrMalformed)
	}
	return list, nil
}

// Read reads the next value, which is a list of at most max items, or null. It is for
// UnmarshalJSONFrom.
func Read[T any](dec *jsontext.Decoder, max int) ([]T, error) {
	start, err := dec.ReadToken()
	switch {
	case err != nil:
		return nil, malformed(err)
	case start.Kind() == 'n':
		return nil, nil
	case start.Kind() != '[':
		return nil, fmt.Errorf("%s: not a list: %w", dec.StackPointer(), registry.ErrMalformed)
	}
	list := []T{}
	for dec.PeekKind() != ']' {
		if len(list) == max {
			return nil, fmt.Errorf("over %d in a list: %w", max, registry.ErrTooLarge)
		}
		var item T
		if err := json.UnmarshalDecode(dec, &item); err != nil {
			return nil, malformed(err)
		}
		list = append(list, item)
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, malformed(err)
	}
	return list, nil
}

// malformed is what err is, unless it is a list in the list that is too long.
func malformed(err error) error {
	if errors.Is(err, registry.ErrTooLarge) {
		return err
	}
	return fmt.Errorf("%w: %w", err, registry.ErrMalformed)
}
