package registry_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/pkg/registry"
)

func TestFactComesBack(t *testing.T) {
	for _, tt := range []struct {
		json string
		fact registry.Fact[[]string]
	}{
		{"null", registry.Fact[[]string]{}},
		{"{}", registry.None[[]string]()},
		{`{"value":["a"]}`, registry.Known([]string{"a"})},
		{`{"value":[]}`, registry.Known([]string{})}, // a list that is empty is no list that is absent
	} {
		written, err := json.Marshal(tt.fact)
		if err != nil || string(written) != tt.json {
			t.Errorf("%v is written as %s, %v; want %s", tt.fact, written, err, tt.json)
		}
		var read registry.Fact[[]string]
		if err := json.Unmarshal([]byte(tt.json), &read); err != nil || !cmp.Equal(read, tt.fact) {
			t.Errorf("%s is read as %v, %v; want %v", tt.json, read, err, tt.fact)
		}
	}
}

// What a mirror left out is unknown after it was kept and read again, and what the origin
// denied is absent.
func TestPublishedComesBack(t *testing.T) {
	in := registry.Published{
		Version:   "1.2.3",
		Time:      registry.Known(time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)),
		Publisher: registry.None[registry.Person](),
		Yanked:    registry.Known(""),
	}
	written, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var out registry.Published
	if err := json.Unmarshal(written, &out); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(in, out); diff != "" {
		t.Errorf("%s: (-in +out)\n%s", written, diff)
	}
}

func ExampleFact() {
	var head registry.Fact[string] // nobody asked
	_, present := head.Get()
	fmt.Println(present, head.Knowledge == registry.Absent)
	head = registry.Known("9f2c1d")
	commit, present := head.Get()
	fmt.Println(commit, present)
	// Output:
	// false false
	// 9f2c1d true
}
