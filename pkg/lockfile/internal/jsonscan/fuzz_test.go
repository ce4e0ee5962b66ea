package jsonscan_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/internal/jsonscan"
)

// FuzzScanner holds the scanner against jsontext in its strict mode: both accept the same
// texts, apart from a byte order mark, and read the same values in them.
func FuzzScanner(f *testing.F) {
	for _, seed := range seeds(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := transcript(text, jsonscan.Options{})
		if again := transcript(text, jsonscan.Options{}); got != again {
			t.Fatalf("%q: two answers\n%q\n%q", text, got, again)
		}
		want, err := reference(text)
		if accepted := !hasProblem(text, read); accepted != (err == nil) {
			t.Fatalf("%q: accepted %v; jsontext: %v\n%s", text, accepted, err, got)
		}
		if err == nil && got != want {
			t.Fatalf("%q\n got %q\nwant %q", text, got, want)
		}
		sound := jsontext.Value(withoutMark(text)).IsValid(jsontext.AllowDuplicateNames(true))
		if accepted := !hasProblem(text, (*jsonscan.Scanner).Skip); accepted != sound {
			t.Fatalf("%q: skipped without a problem %v; valid for jsontext %v", text, accepted, sound)
		}
		salvage(t, text)
	})
}

// seeds are texts of every construction, sound and not.
func seeds(f *testing.F) (texts []string) {
	f.Helper()
	texts = []string{
		``, `{}`, `[]`, `"x"`, `0`, `-1.5e+10`, `true`, `null`, "\ufeff{}", "\ufeff", "{}\n{}", `{"a":1,"a":2}`,
		`{"a":{"b":[1,2,{"c":null}]},"d":"é\n\ud83d\ude00"}`, `{"a":1,}`, `[1,2`, `{"a" "b"}`, `"\ud800"`, "\"\xff\"", "\x00", "/*x*/1",
		`{"node_modules/a":{"version":"1.0.0","dependencies":{"b":"^1"}},`, `{"a":[[[[]]]],"b":{"c":{}}} `, `01`, `1.`, `tru`, "{\r\n\"a\"\t:\r1}",
	}
	files, err := filepath.Glob("../../npm/testdata/made/*/*.json")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err) // an empty corpus would pass in silence
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		texts = append(texts, string(data))
	}
	return texts
}

func withoutMark(text string) string { return strings.TrimPrefix(text, "\ufeff") }

func hasProblem(text string, value func(*jsonscan.Scanner)) bool {
	var file lockfile.File
	for s := jsonscan.New(text, &file, jsonscan.Options{}); s.Document(); {
		value(s)
	}
	return len(file.Problems) > 0
}

func read(s *jsonscan.Scanner) { write(new(strings.Builder), s) }

// reference is transcript by jsontext.
func reference(text string) (string, error) {
	d := jsontext.NewDecoder(strings.NewReader(withoutMark(text)))
	var b strings.Builder
	if err := writeReference(&b, d); err != nil {
		return "", err
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("after the document: %v", err)
	}
	return b.String(), nil
}

func writeReference(b *strings.Builder, d *jsontext.Decoder) error {
	token, err := d.ReadToken()
	if err != nil {
		return err
	}
	switch token.Kind() {
	case '{':
		b.WriteByte('{')
		for d.PeekKind() != '}' {
			name, err := d.ReadToken()
			if err != nil {
				return err
			}
			fmt.Fprintf(b, "%s:", name.String())
			if err := writeReference(b, d); err != nil {
				return err
			}
			b.WriteByte(';')
		}
		b.WriteByte('}')
		_, err = d.ReadToken()
	case '[':
		b.WriteByte('[')
		for d.PeekKind() != ']' {
			if err := writeReference(b, d); err != nil {
				return err
			}
			b.WriteByte(';')
		}
		b.WriteByte(']')
		_, err = d.ReadToken()
	case '"':
		fmt.Fprintf(b, "<%s>", token.String())
	case 'n':
	default:
		b.WriteString(token.String())
	}
	return err
}

// salvage reads a text as a format reader does that goes on after faults: it ends, and the
// members it is given are no more than the text has colons.
func salvage(t *testing.T, text string) {
	t.Helper()
	var file lockfile.File
	s := jsonscan.New(text, &file, jsonscan.Options{TrailingCommas: true})
	next := func(text string, from int) int { return jsonscan.NextMember(text, from, '{') }
	members := 0
	for s.Document() {
		for range s.Salvage(next) {
			for range s.Salvage(next) {
				members++
			}
			members++
		}
	}
	if colons := strings.Count(text, ":"); members > colons {
		t.Fatalf("%q: %d members and %d colons", text, members, colons)
	}
	for _, p := range file.Problems {
		if p.Line < 0 || p.Line > strings.Count(text, "\n")+1 {
			t.Fatalf("%q: %v is on no line", text, p)
		}
	}
}
