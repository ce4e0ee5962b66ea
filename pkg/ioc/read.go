package ioc

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// MaxPack is the size in bytes of the largest pack that is read.
const MaxPack = 64 << 20

// The errors of ReadPack, each wrapped in an InputError.
var (
	ErrSchema   = errors.New("schema is not " + Schema)
	ErrTooLarge = errors.New("too large")
)

// InputError is a fault of an input: a pack, or a file of a feed.
type InputError struct {
	File string
	Line int // 1-based, 0 when the whole file is meant
	Err  error
}

func (e *InputError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%q: %v", e.File, e.Err)
	}
	return fmt.Sprintf("%q:%d: %v", e.File, e.Line, e.Err)
}

func (e *InputError) Unwrap() error { return e.Err }

// ReadPack reads a pack from JSON. name is what errors call the input. An unknown key, a key
// in another letter case, a repeated key, a second document, invalid UTF-8 and another schema
// are errors, each an *InputError with the line.
//
// ReadPack reads; it does not judge: Lint says what is wrong with a pack that was read.
func ReadPack(name string, data []byte) (Pack, error) {
	if len(data) > MaxPack {
		return Pack{}, &InputError{name, 0, fmt.Errorf("%d bytes: %w", len(data), ErrTooLarge)}
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	var p Pack
	if err := json.Unmarshal(data, &p, json.RejectUnknownMembers(true)); err != nil {
		return Pack{}, &InputError{name, errorLine(data, err), reason(err)}
	}
	if p.Schema != Schema {
		return Pack{}, &InputError{name, 1, fmt.Errorf("%.100q: %w", p.Schema, ErrSchema)}
	}
	return p, nil
}

// errorLine is the line that an error of package json is about, 0 when it does not say.
func errorLine(data []byte, err error) int {
	var offset int64
	var syntactic *jsontext.SyntacticError
	var semantic *json.SemanticError
	switch {
	case errors.As(err, &syntactic):
		offset = syntactic.ByteOffset
	case errors.As(err, &semantic):
		offset = semantic.ByteOffset
	default:
		return 0
	}
	at := min(int(offset), len(data))
	for at < len(data) && bytes.IndexByte([]byte(" \t\r\n,:"), data[at]) >= 0 {
		at++ // the offset is that of the end of what came before
	}
	return 1 + bytes.Count(data[:at], []byte("\n"))
}

// reason is the error without the Go types and offsets that package json adds.
func reason(err error) error {
	var syntactic *jsontext.SyntacticError
	var semantic *json.SemanticError
	switch {
	case errors.As(err, &syntactic) && syntactic.Err != nil:
		return fmt.Errorf("%.200q: %w", string(syntactic.JSONPointer), syntactic.Err)
	case errors.As(err, &semantic) && semantic.Err != nil:
		return fmt.Errorf("%.200q: %w", string(semantic.JSONPointer), semantic.Err)
	case errors.As(err, &semantic):
		return fmt.Errorf("%.200q: not a value of this field", string(semantic.JSONPointer))
	}
	return err
}
