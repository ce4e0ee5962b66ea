package sweep

import (
	"context"
	"iter"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/formats"
)

// breaking has the reader of a format break off at files that hold "boom", until the test ends.
func breaking(t *testing.T, id string) {
	t.Helper()
	f := formats.ByID(id)
	sound := f.Parse
	t.Cleanup(func() { f.Parse = sound })
	f.Parse = func(data []byte, opt lockfile.Options) lockfile.File {
		if strings.Contains(string(data), "boom") {
			var none []int
			_ = none[len(data)]
		}
		return sound(data, opt)
	}
}

// files is a tree in memory.
type files map[string]string

func (files) Ref() string    { return "worktree" }
func (files) Commit() string { return "" }

func (t files) Files(context.Context) iter.Seq2[source.File, error] {
	return func(yield func(source.File, error) bool) {
		for _, name := range []string{"a/package-lock.json", "b/package-lock.json", "c/package-lock.json"} {
			if text, there := t[name]; there && !yield(source.File{Path: name, Size: int64(len(text))}, nil) {
				return
			}
		}
	}
}

func (t files) Read(_ context.Context, f source.File, _ int64, _ []byte) ([]byte, error) {
	return []byte(t[f.Path]), nil
}

func (files) Open(context.Context, source.File) (source.ReadCloser, error) {
	panic("no file is hashed")
}

// TestReaderBreaksOff: a reader that panics costs the file that it panicked at, and no other.
func TestReaderBreaksOff(t *testing.T) {
	breaking(t, "package-lock")
	data, err := ioc.Compile([]ioc.Pack{{ID: "c", Title: "C", Severity: ioc.High, Indicators: []ioc.Indicator{
		{ID: "bad", Type: ioc.TypePackage, Confidence: ioc.Confirmed, Ecosystem: "npm", Name: "bad", Versions: []string{"1.0.0"}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	set, err := ioc.Open(string(data))
	if err != nil {
		t.Fatal(err)
	}
	lock := func(more string) string {
		return `{"lockfileVersion":3,"packages":{"":{},"node_modules/bad":{"version":"1.0.0"}` + more + `}}`
	}
	tree := files{"a/package-lock.json": lock(""), "b/package-lock.json": lock(`,"node_modules/boom":{"version":"1.0.0"}`), "c/package-lock.json": lock(`,"node_modules/x":{"version":"1.0.0"}`)}
	repos := func() iter.Seq2[*source.Repository, error] {
		return func(yield func(*source.Repository, error) bool) {
			yield(&source.Repository{Name: "r", Path: "r", Trees: []source.Tree{tree}}, nil)
		}
	}
	var got []string
	sum, err := Run(t.Context(), repos(), Options{Set: set, Jobs: 1}, func(e finding.Event) error {
		switch e := e.(type) {
		case *finding.Finding:
			got = append(got, "found "+e.File)
		case *finding.Problem:
			got = append(got, e.Code+" "+e.File+" "+e.Detail)
		}
		return nil
	})
	if err != nil || sum.Exit != 1 || sum.Files.Parsed != 2 || sum.Files.Unparsed != 1 {
		t.Errorf("%+v, %v", sum, err)
	}
	want := []string{"found a/package-lock.json", "found c/package-lock.json", "reader b/package-lock.json the reader of package-lock broke off: \"runtime error: index out of range"}
	if len(got) != 3 || got[0] != want[0] || got[1] != want[1] || !strings.HasPrefix(got[2], want[2]) {
		t.Errorf("%q; want %q", got, want)
	}
	for e, err := range Inventory(t.Context(), repos()) {
		if broke := e.Path == "b/package-lock.json"; err != nil || broke != (e.Err != nil) {
			t.Errorf("%s: %v, %v", e.Path, e.Err, err)
		}
	}
}
