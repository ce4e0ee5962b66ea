package ioc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// WritePack writes a pack in the one layout that packs are kept in: a line for each field
// of the pack, and a line for each element of its lists, so that a change of one indicator
// is a change of one line. Equal packs give equal bytes, and ReadPack reads them back.
func WritePack(w io.Writer, p Pack) error {
	var compact bytes.Buffer
	enc := json.NewEncoder(&compact)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(p); err != nil {
		return fmt.Errorf("pack %q: %w", p.ID, err)
	}
	out, err := layOut(compact.Bytes())
	if err != nil {
		return fmt.Errorf("pack %q: %w", p.ID, err)
	}
	_, err = w.Write(out)
	return err
}

// layOut breaks the lines of a compact object: one a member, and one an element where the
// member is a list of objects.
func layOut(compact []byte) ([]byte, error) {
	dec := jsontext.NewDecoder(bytes.NewReader(compact))
	if _, err := dec.ReadToken(); err != nil { // "{"
		return nil, err
	}
	out := []byte("{")
	for i := 0; dec.PeekKind() != '}'; i++ {
		name, err := dec.ReadValue()
		if err != nil {
			return nil, err
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, "\n  "...)
		out = append(out, name...)
		out = append(out, ": "...)
		value, err := dec.ReadValue()
		if err != nil {
			return nil, err
		}
		if !bytes.HasPrefix(value, []byte("[{")) {
			out = append(out, value...)
			continue
		}
		if out, err = layOutList(out, value); err != nil {
			return nil, err
		}
	}
	return append(out, "\n}\n"...), nil
}

func layOutList(out, list []byte) ([]byte, error) {
	dec := jsontext.NewDecoder(bytes.NewReader(list))
	if _, err := dec.ReadToken(); err != nil { // "["
		return nil, err
	}
	out = append(out, '[')
	for i := 0; dec.PeekKind() != ']'; i++ {
		value, err := dec.ReadValue()
		if err != nil {
			return nil, err
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, "\n    "...)
		out = append(out, value...)
	}
	return append(out, "\n  ]"...), nil
}
