package yamlscan_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/internal/yamlscan"
)

// Every departure is said, and what stands beside it is given all the same.
var faulty = []struct {
	in       string
	nodes    []string
	problems []string // "LINE CODE"
}{
	// Keys that count twice.
	{"a: 1\na: 2\n", []string{"0 a=1", "0 a=2"}, []string{"2 repeated-key"}},
	{"a: 1\nb: 2\n'a': 3\n", []string{"0 a=1", "0 b=2", "0 a=3"}, []string{"3 repeated-key"}},
	{"a: 1\n\"\\x61\": 2\n", []string{"0 a=1", "0 a=2"}, []string{"2 repeated-key"}},
	{"x: {a: 1, a: 2}\n", []string{"0 x={}", "1 a=1", "1 a=2"}, []string{"1 repeated-key"}},
	{"<<: {a: 1}\n", []string{"0 <<={}", "1 a=1"}, []string{"1 reference"}},

	// Names for nodes, and nodes by name.
	{"a: &x 1\nb: *x\n", []string{"0 a=1", "0 b=*x"}, []string{"1 reference", "2 reference"}},
	{"a: &x\n  b: 1\n", []string{"0 a=.", "1 b=1"}, []string{"1 reference"}},
	{"&x a: 1\n", []string{"0 a=1"}, []string{"1 reference"}},
	{"*x : 1\n", []string{"0 *x=1"}, []string{"1 reference"}},
	{"a: !!str 1\nb: ! {c: 1}\n", []string{"0 a=1", "0 b={}", "1 c=1"}, []string{"1 reference", "2 reference"}},
	{"a: [*x, &y b]\n", []string{"0 a=[]", "1 - *x", "1 - b"}, []string{"1 reference", "1 reference"}},
	{"!!map\na: 1\n", []string{"0 a=1"}, []string{"1 syntax"}},

	// Documents and directives.
	{"%YAML 1.2\n---\na: 1\n", []string{"---", "0 a=1"}, []string{"1 syntax"}},
	{"a: 1\n...\nb: 2\n", []string{"0 a=1", "---", "0 b=2"}, []string{"2 syntax"}},
	{"--- # x\na: 1\n", []string{"---", "0 a=1"}, []string{"1 syntax"}},
	{"--- a: 1\n", []string{"---", "0 a=1"}, []string{"1 syntax"}},

	// Lines where nothing is open.
	{"a: 1\n  b: 2\nc: 3\n", []string{"0 a=1", "1 b=2", "0 c=3"}, []string{"2 syntax"}},
	{"a:\n    b: 1\n  c: 2\n", []string{"0 a=.", "1 b=1", "1 c=2"}, []string{"3 syntax"}},
	{"  a: 1\nb: 2\n", []string{"0 a=1", "0 b=2"}, []string{"2 syntax"}},
	{"a: 1\n- b\n", []string{"0 a=1", "0 - b"}, []string{"2 syntax"}},
	{"- a\nb: 1\n", []string{"0 - a", "0 b=1"}, []string{"2 syntax"}},
	{"{a: 1}\nb: 2\n", []string{"0 a=1", "0 b=2"}, []string{"2 syntax"}},
	{"a: 1\n{b: 2}\n", []string{"0 a=1", "0 b=2"}, []string{"2 syntax"}},
	{"a: {b: 1}\n  c: 2\n", []string{"0 a={}", "1 b=1", "1 c=2"}, []string{"2 syntax"}},
	{"a: 'b'\n  c: 2\n", []string{"0 a=b", "1 c=2"}, []string{"2 syntax"}},
	{"a:\n\tb: 1\n", []string{"0 a=.", "1 b=1"}, []string{"2 syntax"}},
	{"a:\tb\n-\tc\n", []string{"0 a=b", "0 - c"}, []string{"1 syntax", "2 syntax", "2 syntax"}},
	{"a\nb: 1\n", []string{"0 b=1"}, []string{"1 syntax"}},
	{"a:\n  b\n", []string{"0 a=."}, []string{"2 syntax"}},
	{"'a\nb: 1\n", []string{"0 b=1"}, []string{"1 syntax"}},
	{": 1\n", []string{"0 =1"}, []string{"1 syntax"}},

	// Text that hides lines.
	{"a: b\n  c\nd: 1\n", []string{"0 a=b c", "0 d=1"}, []string{"2 syntax"}},
	{"a: 'b\n  c: 2'\nd: 1\n", []string{"0 a=b c: 2", "0 d=1"}, []string{"1 syntax"}},
	{"a: \"b\nc: 2\"\nd: 1\n", []string{"0 a=b", `0 c=2"`, "0 d=1"}, []string{"1 syntax", "1 truncated"}},
	{"a: |\n  b: 1\n  c: 2\nd: 1\n", []string{"0 a=b: 1\nc: 2", "0 d=1"}, []string{"3 syntax"}},
	{"a: |\n    b\n  c: 2\nd: 1\n", []string{"0 a=b", "1 c=2", "0 d=1"}, []string{"3 syntax", "3 syntax"}},
	{"a: |x\n  b\n", []string{"0 a=b"}, []string{"1 syntax"}},
	{"a: | x\n  b\n", []string{"0 a=b"}, []string{"1 syntax"}},
	{"deprecated: b\n  c: 2\n", []string{"0 deprecated=b", "1 c=2"}, []string{"2 syntax"}},
	{"deprecated: b\n  # c\n  d: 2\n", []string{"0 deprecated=b", "1 d=2"}, []string{"3 syntax"}},
	{"# a\rb: 1\rc: 2\n", []string{"0 b=1", "0 c=2"}, []string{"1 syntax"}},
	{"a: 1\u2028b: 2\n", []string{"0 a=1\u2028b: 2"}, []string{"1 syntax", "1 syntax"}},
	{"# \u0085b: 2\n", nil, []string{"1 syntax"}},
	{"a: \"\xff\"\n", []string{"0 a=\xff"}, []string{"1 encoding"}},
	{"a: 1\nb: \x00\n", []string{"0 a=1", "0 b=\x00"}, []string{"2 encoding"}},

	// Scalars that are none.
	{"a: b: c\n", []string{"0 a=b: c"}, []string{"1 syntax"}},
	{"a: - b\n", []string{"0 a=- b"}, []string{"1 syntax"}},
	{"a: 'b' c\n", []string{"0 a=b"}, []string{"1 syntax"}},
	{"a: @b\nc: `d\n", []string{"0 a=@b", "0 c=`d"}, []string{"1 syntax", "2 syntax"}},
	{"@a: b\n", []string{"0 @a=b"}, []string{"1 syntax"}},
	{"a #b: c\n", []string{"0 a #b=c"}, []string{"1 syntax"}},
	{"'a':b\n", []string{"0 a=b"}, []string{"1 syntax"}},
	{`a: "\q\xzz\ud800"` + "\n", []string{"0 a=zz\ufffd"}, []string{"1 syntax", "1 syntax", "1 encoding"}},
	{"? [a]\n: b\n", []string{"0 [a]=b"}, []string{"1 syntax"}},
	{"? a\nb: 1\n", []string{"0 a=.", "0 b=1"}, []string{"1 syntax"}},

	// Flow collections.
	{"a: {b: 1\n", []string{"0 a={}", "1 b=1"}, []string{"2 truncated"}},
	{"a: {b: 1]\nc: 2\n", []string{"0 a={}", "1 b=1", "0 c=2"}, []string{"1 syntax"}},
	{"a: {b: 1,, c: 2}\n", []string{"0 a={}", "1 b=1", "1 c=2"}, []string{"1 syntax"}},
	{"a: {b: 1 c: 2}\n", []string{"0 a={}", "1 b=1 c", "1 =2"}, []string{"1 syntax", "1 syntax"}},
	{"a: {b: 1\nc: 2\n", []string{"0 a={}", "1 b=1", "0 c=2"}, []string{"2 truncated"}},
	{"a: {b: 'x}\nc: 2\n", []string{"0 a={}", "1 b=x}", "0 c=2"}, []string{"1 syntax", "2 truncated"}},
	{"a:\n  b: [{c: 1\n  d: 2\n", []string{"0 a=.", "1 b=[]", "2 - {}", "3 c=1", "1 d=2"}, []string{"3 truncated"}},
	{"{a: 1\nb: 2}\n", []string{"0 a=1", "0 b=2"}, []string{"2 syntax"}},
	{"a: {b: 'x\n  c: 2'}\nd: 1\n", []string{"0 a={}", "1 b=x", "1 c=2'", "0 d=1"}, []string{"1 syntax", "2 syntax"}},
	{"a: [b: 1]\n", []string{"0 a=[]", "1 - b", "1 - 1"}, []string{"1 syntax"}},
	{"a: {[b]: 1}\n", []string{"0 a={}", "1 =[]", "2 - b", "1 =1"}, []string{"1 syntax", "1 syntax", "1 syntax"}},
	{"a: {b: c} d\n", []string{"0 a={}", "1 b=c"}, []string{"1 syntax"}},
	{"a: {b: c}: d\n", []string{"0 a={}", "1 b=c"}, []string{"1 syntax"}},
	{"a: [b\x00, \x00]\n", []string{"0 a=[]", "1 - b\x00"}, []string{"1 encoding"}},
	{"a: {b\n: c}\n", []string{"0 a={}", "1 b=c"}, []string{"2 syntax"}},
	{"a: {?b}\n? -\n: c\n", []string{"0 a={}", "1 ?b=.", "0 -=c"}, []string{"1 syntax", "2 syntax"}},
	{"a: {b:,}\n", []string{"0 a={}", "1 b=."}, []string{"1 syntax"}},
	{"a: {b: 'c'#d\n}\n", []string{"0 a={}", "1 b=c"}, []string{"1 syntax"}},
}

func TestFaults(t *testing.T) {
	for _, tt := range faulty {
		nodes, problems := scan(tt.in)
		var got []string
		for _, p := range problems {
			got = append(got, fmt.Sprintf("%d %s", p.Line, p.Code))
		}
		if diff := cmp.Diff(tt.problems, got); diff != "" {
			t.Errorf("scan(%q): problems -want +got\n%s%v", tt.in, diff, problems)
		}
		if diff := cmp.Diff(tt.nodes, nodes); diff != "" {
			t.Errorf("scan(%q): nodes -want +got\n%s", tt.in, diff)
		}
	}
}

// A reader whose time is the square of its text's size would take hours for each of these.
func TestHostile(t *testing.T) {
	const size = 1 << 20
	for name, text := range map[string]string{
		"brackets":      "a: " + strings.Repeat("[", size),
		"braces":        strings.Repeat("{a: ", size/4),
		"dashes":        strings.Repeat("- ", size/2),
		"questions":     strings.Repeat("? ", size/2),
		"tags":          "a: " + strings.Repeat("!a ", size/3),
		"colons":        strings.Repeat(":", size),
		"quotes":        strings.Repeat("a: \"\n", size/5),
		"open quotes":   strings.Repeat("a: '\n  '' \n", size/11),
		"keys":          strings.Repeat("a: 1\nb: 2\n", size/10),
		"alternating":   strings.Repeat("a: 1\n- b\n", size/9),
		"blank lines":   "a: b" + strings.Repeat("\n", size) + " c",
		"blocks":        strings.Repeat("a: |\n\n\n", size/7),
		"long comments": strings.Repeat("#", size),
		"flow quotes":   "a: {" + strings.Repeat(`"b"`, size/3),
		"flow keys":     "{" + strings.Repeat(`"b":"c",`, size/8) + "}",
		"flow lines":    "a: {" + strings.Repeat("b: c\n", size/5),
		"steps":         steps(1000),
	} {
		start := time.Now()
		_, problems := scan(text)
		if sound := name == "colons" || name == "long comments" || name == "steps"; sound != (len(problems) == 0) {
			t.Errorf("%s: problems %v", name, problems)
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%s: %d bytes took %v", name, len(text), took)
		}
	}
}

// steps is a mapping in a mapping in a mapping, n deep.
func steps(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

func TestDepth(t *testing.T) {
	for _, tt := range []struct {
		depth int
		sound bool
	}{{lockfile.MaxDepth, true}, {lockfile.MaxDepth + 1, false}} {
		_, problems := scan(strings.Repeat("[", tt.depth) + strings.Repeat("]", tt.depth))
		if sound := len(problems) == 0; sound != tt.sound {
			t.Errorf("depth %d: problems %v", tt.depth, problems)
		}
	}
}

func TestLines(t *testing.T) {
	in := "a:\n\n  b: 1\n  c: {d: 1,\n    e: 2}\n  deprecated: >-\n    x\n    y\nf: 'x'\n"
	want := map[string]int{"a": 1, "b": 3, "c": 4, "d": 4, "e": 5, "deprecated": 6, "f": 9}
	var file lockfile.File
	s := yamlscan.New(yamlscan.Text([]byte(in), &file), "deprecated", &file)
	for s.Next() {
		if s.Line != want[s.Key] {
			t.Errorf("%q is on line %d, want %d", s.Key, s.Line, want[s.Key])
		}
		delete(want, s.Key)
	}
	if len(want) > 0 {
		t.Errorf("not given: %v", want)
	}
}

// A lone carriage return ends a line for the scanner, and for nobody who counts lines.
func TestRenumber(t *testing.T) {
	for _, tt := range []struct {
		in    string
		lines []int
	}{
		{"a: 1\nb: 2\nc: 3\n", []int{1, 2, 3}},
		{"a: 1\r\nb: 2\r\nc: 3\r\n", []int{1, 2, 3}},
		{"a: 1\rb: 2\nc: 3\r", []int{1, 1, 2}},
		{"a: 1\r\r\nb: 2\r\nc: 3", []int{1, 2, 3}},
	} {
		var file lockfile.File
		s := yamlscan.New(yamlscan.Text([]byte(tt.in), &file), "", &file)
		for s.Next() {
			file.Packages = append(file.Packages, lockfile.Package{Line: s.Line})
		}
		yamlscan.Renumber([]byte(tt.in), &file)
		var got []int
		for _, p := range file.Packages {
			got = append(got, p.Line)
		}
		if diff := cmp.Diff(tt.lines, got); diff != "" {
			t.Errorf("%q: -want +got\n%s", tt.in, diff)
		}
	}
}

// FuzzScanner holds the promise that everything rests on: what is read without a problem is
// what a general YAML library reads.
func FuzzScanner(f *testing.F) {
	for _, tt := range sound {
		f.Add(tt.in)
	}
	for _, tt := range faulty {
		f.Add(tt.in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		nodes, problems := scan(in)
		again, problemsAgain := scan(in)
		if diff := cmp.Diff(nodes, again) + cmp.Diff(problems, problemsAgain); diff != "" {
			t.Fatalf("scan(%q) twice:\n%s", in, diff)
		}
		if len(nodes) > len(in) {
			t.Fatalf("scan(%q): %d nodes of %d bytes", in, len(nodes), len(in))
		}
		if len(problems) > 0 {
			return
		}
		want, err := general(in)
		if err != nil {
			return
		}
		if diff := cmp.Diff(alike(want), alike(nodes)); diff != "" {
			t.Fatalf("scan(%q): -yaml/v3 +ours\n%s", in, diff)
		}
	})
}
