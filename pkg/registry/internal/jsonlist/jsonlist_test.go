package jsonlist

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wormsweep/wormsweep/pkg/registry"
)

// inner is a list in an item.
type inner []string

func (l *inner) UnmarshalJSONFrom(dec *jsontext.Decoder) (err error) {
	*l, err = Read[string](dec, 2)
	return err
}

type item struct {
	Name string `json:"name"`
	List inner  `json:"list"`
}

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		in   string
		n    int
		want error
	}{
		{`[{"name":"a","list":["x","y"]},{"list":null},{}]`, 3, nil},
		{`[]`, 0, nil},
		{`null`, 0, nil},
		{`[{},{},{},{}]`, 0, registry.ErrTooLarge},
		{`[{"list":["x","y","z"]}]`, 0, registry.ErrTooLarge},
		{`[` + strings.Repeat(`{},`, 1<<20) + `{}]`, 0, registry.ErrTooLarge},
		{`{}`, 0, registry.ErrMalformed},
		{`"x"`, 0, registry.ErrMalformed},
		{`[{"list":{}}]`, 0, registry.ErrMalformed},
		{`[{"name":"a","name":"b"}]`, 0, registry.ErrMalformed},
		{`[{"name":1}]`, 0, registry.ErrMalformed},
		{`[{}`, 0, registry.ErrMalformed},
		{`[{}]]`, 0, registry.ErrMalformed},
		{`[{}][]`, 0, registry.ErrMalformed},
		{``, 0, registry.ErrMalformed},
	} {
		list, err := Parse[item]([]byte(tt.in), 3)
		if !errors.Is(err, tt.want) || len(list) != tt.n {
			t.Errorf("%.60s: %d items, %v; want %d, %v", tt.in, len(list), err, tt.n, tt.want)
		}
	}
}

// What is read is JSON, and has no more items than it may.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`[{"name":"a","list":["x"]}]`))
	f.Add([]byte(`[{},{},{},{}]`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, body []byte) {
		list, err := Parse[item](body, 3)
		if err != nil {
			if !errors.Is(err, registry.ErrMalformed) && !errors.Is(err, registry.ErrTooLarge) {
				t.Fatal(err)
			}
			return
		}
		if len(list) > 3 || !json.Valid(body) {
			t.Fatalf("%d items of %q", len(list), body)
		}
	})
}
