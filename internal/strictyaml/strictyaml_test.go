package strictyaml_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/wormsweep/wormsweep/internal/strictyaml"
)

func TestOpen(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", `"f": is empty`},
		{"a: [\n", `"f": line 1: did not find expected node content`},
		{"a: 1\n---\nb: 1\n", `"f": line 2: a second document`},
		{"a: 1\n---\nb: [\n", `a second document`},
		{strings.Repeat("#", 101), `"f": 101 bytes: larger than 100`},
		{"\x00", "control characters"},
	} {
		f, n := strictyaml.Open("f", []byte(tt.in), 100)
		if err := f.Err(9); n != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %v, %v; want %q", tt.in, n, err, tt.want)
		}
	}
}

// TestErr: the faults stand in the order of lines, and the rest is counted.
func TestErr(t *testing.T) {
	f, n := strictyaml.Open("f", []byte("a: 1\nb: &x 2\nc: *x\nA: 1\n"), 100)
	keys := f.Mapping(n, "it", "a", "b", "c")
	f.Text(keys["c"], "c")
	f.Text(keys["b"], "b")
	want := `"f": line 2: b has an anchor, alias or tag: write it out` + "\n" +
		`"f": line 3: c has an anchor, alias or tag: write it out` + "\n" +
		`"f": line 4: "A" is no key of it, which has a, b, c`
	if got := f.Err(3).Error(); got != want || f.Faults() != 3 {
		t.Errorf("%d faults:\n%s\nwant\n%s", f.Faults(), got, want)
	}
	if got := f.Err(1).Error(); !strings.HasSuffix(got, "\n\"f\": 2 more faults") {
		t.Errorf("one of three: %s", got)
	}
}

// FuzzQuote: what is quoted is one line of ASCII, and YAML reads the same text from it.
func FuzzQuote(f *testing.F) {
	for _, seed := range []string{"", "a\nb", `"\`, "\u2028\u0085\x1b", "\U0001f41b", "é"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		quoted := strictyaml.Quote(s)
		var back string
		if err := yaml.Unmarshal([]byte(quoted), &back); err != nil || utf8.ValidString(s) && back != s {
			t.Errorf("%q is quoted as %s, which is read as %q, %v", s, quoted, back, err)
		}
		for _, line := range []string{quoted, strictyaml.OneLine(s)} {
			if i := strings.IndexFunc(line, func(r rune) bool { return r < ' ' || r > '~' }); i >= 0 {
				t.Errorf("%q of %q has %q in it", line, s, line[i])
			}
		}
	})
}
