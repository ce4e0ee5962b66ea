package tomlscan_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/internal/tomlscan"
)

const (
	pkg tomlscan.Node = tomlscan.Root + 1 + iota
	name
	version
	files
	hash
)

// packages is the schema of [[package]] with a name, a version and files with hashes.
func packages(parent tomlscan.Node, key string) tomlscan.Node {
	switch {
	case parent == tomlscan.Root && key == "package":
		return pkg
	case parent == pkg && key == "name":
		return name
	case parent == pkg && key == "version":
		return version
	case parent == pkg && key == "files":
		return files
	case parent == files && key == "hash":
		return hash
	}
	return tomlscan.Ignored
}

// told gives the events of a text, one a line: "LINE KEY KIND TEXT".
func told(text string) (events string, problems []lockfile.Problem) {
	var b strings.Builder
	var file lockfile.File
	for r := tomlscan.New(text, &file, packages); r.Next(); {
		fmt.Fprintf(&b, "%d %s %v", r.Line, r.Key, r.Kind)
		if r.Text != "" {
			b.WriteString(" " + r.Text)
		}
		b.WriteByte('\n')
	}
	return b.String(), file.Problems
}

// TestSpellings has one document in many spellings, each of which tells the same.
func TestSpellings(t *testing.T) {
	const want = "package a table of an array\n" +
		"name a string evil\n" +
		"version a string 6.6.6\n" +
		"files an array\n" +
		"files a table of an array\n" +
		"hash a string ab\n"
	withoutLine := func(events string) string {
		lines := strings.SplitAfter(events, "\n")
		for i, line := range lines {
			if _, rest, ok := strings.Cut(line, " "); ok {
				lines[i] = rest
			}
		}
		return strings.Join(lines, "")
	}
	for _, text := range []string{
		"[[package]]\nname = \"evil\"\nversion = '6.6.6'\nfiles = [{hash = \"ab\"}]\n",
		"[[\"package\"]]\n\"name\" = '''evil'''\n'version' = \"\"\"\n6.6.6\"\"\"\nfiles = [\n {hash = \"ab\"},\n]\n",
		"[[\"pack\\u0061ge\"]]\n\"n\\U00000061me\" = \"\\u0065vil\"\nversion = \"6.\\x36.6\"\nfiles = [{\"hash\" = \"a\\u0062\"}]\n",
		"[[package]]\nname = \"evil\"\nversion = \"6.6.6\"\n\"files\" = [{hash = \"ab\", x.y = 1, x.z = 2}, ]\n[x]\n",
		"\ufeff[[ package ]] # c\r\n\tname\t=\t'evil'\r\n  version='6.6.6'\r\nfiles=[{hash='ab'}]",
		"[metadata]\nname = 'x'\n[[package]]\ndescription = '''\n[[package]]\nname = \"good\"\n'''\nname = 'evil'\nversion = '6.6.6'\nfiles = [{file = 'x', hash = 'ab', size = 12, at = 2020-01-01}]\n[package.x]\nname = 'y'\n",
	} {
		events, problems := told(text)
		if got := withoutLine(events); got != want || len(problems) > 0 {
			t.Errorf("%q: %v\n%s", text, problems, cmp.Diff(want, got))
		}
	}
}

func TestEvents(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", ""},
		{"name = 'x'\n", ""}, // in the document, not in a package
		{
			"\n[[package]]\nname = 'a'\n\n[[package]]\nname = 'b'\n",
			"2 package a table of an array\n3 name a string a\n5 package a table of an array\n6 name a string b\n",
		},
		// A key leads into a table, and values follow that are in it.
		{"package.name = 'a'\n", "1 package a table\n1 name a string a\n"},
		{"[package]\nname = 'a'\n", "1 package a table\n2 name a string a\n"},
		{"package = {name = 'a'}\n", "1 package a table\n1 name a string a\n"},
		{"[package.files]\nhash = 'a'\n", "1 package a table\n1 files a table\n2 hash a string a\n"},
		{
			"[[package]]\n[[package.files]]\nhash = 'a'\n[[package.files]]\nhash = 'b'\n",
			"1 package a table of an array\n2 files a table of an array\n3 hash a string a\n4 files a table of an array\n5 hash a string b\n",
		},
		{"[[package]]\nfiles.hash = 'a'\n", "1 package a table of an array\n2 files a table\n2 hash a string a\n"},
		{
			"\"package\" = [ # why\n {name = 'a'},\n { \"name\" = 'b',\n version = '1', } , ]\n",
			"1 package an array\n2 package a table of an array\n2 name a string a\n" +
				"3 package a table of an array\n3 name a string b\n4 version a string 1\n",
		},
		// Elements stand at the place of their array.
		{
			"[[package]]\nname = ['a',\n 'b']\nversion = [[1], true]\n",
			"1 package a table of an array\n2 name an array\n2 name a string a\n3 name a string b\n" +
				"4 version an array\n4 version an array\n4 version an integer 1\n4 version a boolean true\n",
		},
		{
			"[[package]]\nversion = 1.0\n[[package]]\nversion = 2020-01-01\n",
			"1 package a table of an array\n2 version a float 1.0\n3 package a table of an array\n4 version a date or time 2020-01-01\n",
		},
	} {
		if got, problems := told(tt.text); got != tt.want || len(problems) > 0 {
			t.Errorf("%q: %v\n%s", tt.text, problems, cmp.Diff(tt.want, got))
		}
	}
}

// TestRefused has what is outside of the grammar: each text is a problem of its kind.
func TestRefused(t *testing.T) {
	for _, tt := range refused {
		if _, problems := ours(tt.text); len(problems) == 0 || problems[0].Code != tt.code {
			t.Errorf("%q: problems %v; want one of code %q", tt.text, problems, tt.code)
		}
	}
}

// TestSalvage has faults, and what is told all the same.
func TestSalvage(t *testing.T) {
	for _, tt := range []struct{ text, want, problems string }{
		{ // a value that is none: the next line stands
			"[[package]]\nname = evil\nversion = '6'\n",
			"1 package a table of an array\n2 name a date or time evil\n3 version a string 6\n",
			`line 2: syntax: "evil" is no value`,
		},
		{ // an array that is not closed: up to the next line that looks like a statement
			"[[package]]\nname = 'a'\nx = [\n  'b'\n  'c',\n  ['d'],\nversion = '6'\n[[package]]\nname = 'e'\n",
			"1 package a table of an array\n2 name a string a\n7 version a string 6\n8 package a table of an array\n9 name a string e\n",
			`line 5: syntax: '\'' where a comma or ']' is due`,
		},
		{ // a string that is not closed
			"[[package]]\nname = 'a\nversion = '6'\n",
			"1 package a table of an array\n3 version a string 6\n",
			"line 2: syntax: a line break inside a string of one line",
		},
		{
			"[[package]]\nname = \"\"\"a\nversion = '6'\n[[package]]\nname = 'b'\n",
			"1 package a table of an array\n3 version a string 6\n4 package a table of an array\n5 name a string b\n",
			"line 2: truncated: the file ends inside a string",
		},
		{ // a header that does not end
			"[[package]\nname = 'a'\n",
			"1 package a table of an array\n2 name a string a\n",
			`line 1: syntax: ']' where "]]" should end a header`,
		},
		{
			"[[package]] name = 'x'\nname = 'a'\n",
			"1 package a table of an array\n2 name a string a\n",
			"line 1: syntax: 'n' after the end of a header",
		},
		{ // a merge that was committed
			"<<<<<<< HEAD\n[[package]]\nname = 'a'\n=======\n[[package]]\nname = 'b'\n>>>>>>> x\n",
			"2 package a table of an array\n3 name a string a\n5 package a table of an array\n6 name a string b\n",
			"line 1: syntax: '<' where a key is due; line 4: syntax: '=' where a key is due; line 7: syntax: '>' where a key is due",
		},
		{ // both values of a repeated key
			"[[package]]\nname = 'a'\nname = 'b'\n",
			"1 package a table of an array\n2 name a string a\n3 name a string b\n",
			`line 3: repeated-key: "name" stands twice in one table: it is a value already`,
		},
		{ // both tables
			"package = [{name = 'a'}]\n[[package]]\nname = 'b'\n",
			"1 package an array\n1 package a table of an array\n1 name a string a\n2 package a table of an array\n3 name a string b\n",
			`line 2: repeated-key: "package" stands twice in one table: it is a value already`,
		},
		{ // escapes and control characters stand for themselves
			"[[package]]\nname = \"\\quack\\u00\"\nversion = \"\x016\"\n",
			"1 package a table of an array\n2 name a string quacku00\n3 version a string \x016\n",
			"line 2: syntax: no such escape in a string; line 2: syntax: an escape that is no character in a string; " +
				"line 3: syntax: the control character 0x01 inside a string",
		},
		{
			"[[package]]\nname = 'a'\n\xff\nversion = '6\xfe'\n",
			"1 package a table of an array\n2 name a string a\n4 version a string 6\xfe\n",
			"line 3: encoding: bytes that are not UTF-8; line 3: syntax: the byte 0xff where a key is due",
		},
	} {
		got, problems := told(tt.text)
		var messages []string
		for _, p := range problems {
			messages = append(messages, p.String())
		}
		if got != tt.want {
			t.Errorf("%q: %s", tt.text, cmp.Diff(tt.want, got))
		}
		if m := strings.Join(messages, "; "); m != tt.problems {
			t.Errorf("%q: problems\n%s\nwant\n%s", tt.text, m, tt.problems)
		}
	}
}

// TestNesting has every way to nest, to a depth that is read and to one that is refused.
func TestNesting(t *testing.T) {
	for _, nest := range []func(depth int) string{ // each key, array and inline table is a level
		func(d int) string { return "a = " + strings.Repeat("[", d-1) + strings.Repeat("]", d-1) },
		func(d int) string { return "a = " + strings.Repeat("{a = ", d/2-1) + "{}" + strings.Repeat("}", d/2-1) },
		func(d int) string { return "a = " + strings.Repeat("[{a = ", d/3) + "1" + strings.Repeat("}]", d/3) },
		func(d int) string { return strings.Repeat("a.", d-1) + "a = 1" },
		func(d int) string { return "[" + strings.Repeat("a.", d-1) + "a]" },
		func(d int) string { return "[[" + strings.Repeat("a.", d-1) + "a]]" },
		func(d int) string { return "x = {" + strings.Repeat("a.", d-3) + "a = 1}" },
	} {
		for _, depth := range []int{4, 2_000, lockfile.MaxDepth} {
			if _, problems := told(nest(depth) + "\n"); len(problems) > 0 {
				t.Errorf("%.20q... of depth %d: %v", nest(depth), depth, problems)
			}
		}
		for _, depth := range []int{lockfile.MaxDepth + 4, 5 * lockfile.MaxDepth} {
			text := nest(depth) + "\n[[package]]\nname = 'a'\n"
			events, problems := told(text)
			if len(problems) == 0 || problems[0].Code != lockfile.CodeDepth {
				t.Errorf("%.20q... of depth %d: %v", text, depth, problems)
			}
			if !strings.Contains(events, "name a string a\n") {
				t.Errorf("%.20q... of depth %d: nothing told of what follows", text, depth)
			}
		}
	}
}

// TestLimitOfKeys has more keys than are remembered: that is said, and all are told.
func TestLimitOfKeys(t *testing.T) {
	if testing.Short() {
		t.Skip("a document of 10 MB")
	}
	var b strings.Builder
	for i := range 1<<20 + 10 {
		fmt.Fprintf(&b, "k%d=1\n", i)
	}
	b.WriteString("[[package]]\nname = 'a'\n")
	events, problems := told(b.String())
	if len(problems) != 1 || problems[0].Code != lockfile.CodeLimit {
		t.Errorf("problems %v", problems)
	}
	if !strings.HasSuffix(events, "name a string a\n") {
		t.Errorf("told %q", events)
	}
}

func TestAllocations(t *testing.T) {
	item := "[[package]]\nname = \"evil\"\nversion = \"6.6.6\"\nfiles = [\n{file = \"x\", hash = \"ab\"},\n{file = \"y\", hash = \"cd\"},\n]\n"
	text := strings.Repeat(item, 100)
	var file lockfile.File
	perText := testing.AllocsPerRun(10, func() {
		for r := tomlscan.New(text, &file, packages); r.Next(); {
		}
	})
	if perText > 40 { // the reader, and the growth of its memory of keys
		t.Errorf("%v allocations for 100 items without escapes", perText)
	}
}

func FuzzReader(f *testing.F) {
	for _, text := range accepted {
		f.Add(text)
	}
	for _, tt := range refused {
		f.Add(tt.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		events, problems := told(text)
		again, problemsAgain := told(text)
		if events != again || !cmp.Equal(problems, problemsAgain) {
			t.Errorf("%q: two readings differ", text)
		}
		lines := 1 + strings.Count(text, "\n")
		for _, p := range problems {
			if p.Line > lines {
				t.Errorf("%q: a problem of line %d of %d", text, p.Line, lines)
			}
		}
		// What stands in front hides nothing, unless it leaves a string open.
		if strings.Contains(text, `"""`) || strings.Contains(text, "'''") || strings.Contains(text, "package") {
			return
		}
		events, _ = told(text + "\n[[package]]\nname = \"after\"\n")
		if !strings.Contains(events, "name a string after\n") {
			t.Errorf("%q: nothing told of a package after it: %q", text, events)
		}
	})
}

func BenchmarkReader(b *testing.B) {
	const file = `    {file = "name-6.6.6-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", hash = "sha256:c343bd80a0bec947a9860adb4c432ffa7db769836c64238fc34bdc3fec84d590"},` + "\n"
	for _, bb := range []struct{ name, item string }{
		{"few-files", "[[package]]\nname = \"name\"\nversion = \"6.6.6\"\nfiles = [\n" + file + file + "]\n\n"},
		{"many-files", "[[package]]\nname = \"name\"\nversion = \"6.6.6\"\nfiles = [\n" + strings.Repeat(file, 40) + "]\n\n"},
		{"keys", "[[package]]\nname = \"n\"\nversion = \"1\"\n[package.dependencies]\na = \"*\"\nb = \"*\"\nc = \"*\"\n\n"},
	} {
		text := strings.Repeat(bb.item, 1+1<<20/len(bb.item))
		b.Run(bb.name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				var file lockfile.File
				for r := tomlscan.New(text, &file, packages); r.Next(); {
				}
				if len(file.Problems) > 0 {
					b.Fatal(file.Problems)
				}
			}
		})
	}
}
