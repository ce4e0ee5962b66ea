package sweep_test

import (
	"context"
	"io"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/sweep"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// Ways to hide an indicator, none of which may end in an answer of clean.
func TestNothingHides(t *testing.T) {
	const sha = "239f59ed55e737c77147cf55ad0c1b030b6d7ee748a7426952f9b852d5a935e5"
	byDigest := ioc.Indicator{ID: "digest", Type: ioc.TypeFile, Path: "lib/x.txt", SHA256: sha}
	byBlob := ioc.Indicator{ID: "blob", Type: ioc.TypeFile, Name: "run.js", GitBlob: source.BlobID([]byte("hook"))}
	lockBlob := ioc.Indicator{ID: "lock", Type: ioc.TypeFile, GitBlob: source.BlobID([]byte("module example.com/m\n"))}
	npm := ioc.Indicator{ID: "npm", Type: ioc.TypePackage, Ecosystem: ecosystem.NPM, Name: "bad", Versions: []string{"1.0.0"}}
	catalogue := set(t, file("name", "name.js"), byDigest, byBlob, lockBlob, npm)
	const lock = `{"lockfileVersion":3,"packages":{"":{},"node_modules/bad":{"version":"1.0.0"}}}`
	for _, tt := range []struct {
		about string
		files map[string]string
		want  []string
		exit  int
	}{
		{
			"a file that is compared",
			map[string]string{"lib/x.txt": "payload"},
			[]string{"finding r lib/x.txt digest active file-digest worktree"},
			1,
		},
		{
			"a lockfile in another letter case",
			map[string]string{"Package-Lock.json": lock},
			[]string{"finding r Package-Lock.json npm active exact-version worktree"},
			1,
		},
		{
			"a link in the place of a listed name",
			map[string]string{"name.js": "->"},
			[]string{"finding r name.js name active file-path worktree"},
			1,
		},
		{
			"a link in the place of a file that is compared",
			map[string]string{"lib/x.txt": "->"},
			[]string{"problem r lib/x.txt link"},
			3,
		},
		{"a link", map[string]string{"other.js": "->"}, nil, 0},
		{
			"a listed blob in a checkout",
			map[string]string{"a/run.js": "hook"},
			[]string{"finding r a/run.js blob active git-blob worktree"},
			1,
		},
		{"another content there", map[string]string{"a/run.js": "hook!"}, nil, 0},
		{
			"a lockfile that is a listed blob",
			map[string]string{"go.mod": "module example.com/m\n"},
			[]string{"finding r go.mod lock active git-blob worktree"},
			1,
		},
	} {
		lines, summary := run(t, sweep.Options{Set: catalogue}, repo("r", worktree(tt.files)))
		if diff := cmp.Diff(tt.want, lines); diff != "" || summary.Exit != tt.exit {
			t.Errorf("%s: exit %d, want %d (-want +got):\n%s", tt.about, summary.Exit, tt.exit, diff)
		}
	}
}

// What is excluded by its content is not excluded in another content, and what one list
// withdrew stays withdrawn in that alone.
func TestStatesOfOnePlaceStayApart(t *testing.T) {
	lock := func(more string) string {
		return `{"lockfileVersion":3,"packages":{"":{},"node_modules/bad":{"version":"1.0.0"}` + more + `}}`
	}
	bad := ioc.Indicator{ID: "bad", Type: ioc.TypePackage, Ecosystem: ecosystem.NPM, Name: "bad", Versions: []string{"1.0.0"}}
	gone := bad
	gone.Status = ioc.Withdrawn
	upper := ioc.Indicator{ID: "go", Type: ioc.TypePackage, Ecosystem: ecosystem.Go, Name: "example.com/Upper/m", Versions: []string{"v1.0.0"}}
	gomod := func(name string) string { return "module example.com/m\n\nrequire " + name + " v1.0.0\n" }
	only := excluded{source.BlobID([]byte(lock("")))}
	for _, tt := range []struct {
		about          string
		set            *ioc.Set
		file           string
		worktree, head string
		exclusions     sweep.Exclusions
		want           []string
		exit           int
	}{
		{
			"excluded in both", set(t, bad), "package-lock.json", lock(""), lock(""), only,
			[]string{"finding r package-lock.json bad excluded exact-version worktree+HEAD"},
			0,
		},
		{
			"excluded in the checkout alone", set(t, bad), "package-lock.json", lock(""), lock(`,"node_modules/x":{"version":"1.0.0"}`), only,
			[]string{"finding r package-lock.json bad active exact-version worktree+HEAD"},
			1,
		},
		{
			"a problem excluded in the checkout alone", nil, "package-lock.json", lock("")[:60], lock("")[:61],
			excluded{source.BlobID([]byte(lock("")[:60]))},
			[]string{"problem r package-lock.json truncated", "problem r package-lock.json truncated"},
			3,
		},
		{
			"withdrawn in one list", set(t, gone).With(set(t, bad)), "package-lock.json", lock(""), lock(""), nil,
			[]string{"finding r package-lock.json bad withdrawn exact-version worktree+HEAD", "finding r package-lock.json bad active exact-version worktree+HEAD"},
			1,
		},
		{
			"a look-alike in the checkout", set(t, upper), "go.mod", gomod("example.com/upper/m"), gomod("example.com/Upper/m"), nil,
			[]string{"finding r go.mod go lookalike case-only worktree", "finding r go.mod go active exact-version HEAD"},
			1,
		},
	} {
		lines, summary := run(t, sweep.Options{Set: tt.set, Exclusions: tt.exclusions},
			repo("r", worktree(map[string]string{tt.file: tt.worktree}), &memTree{ref: "HEAD", files: map[string]string{tt.file: tt.head}}))
		if diff := cmp.Diff(tt.want, lines); diff != "" || summary.Exit != tt.exit {
			t.Errorf("%s: exit %d, want %d (-want +got):\n%s", tt.about, summary.Exit, tt.exit, diff)
		}
	}
}

// excluded excludes all that has a blob id.
type excluded struct{ blob string }

func (e excluded) Finding(f *finding.Finding) *finding.Exclusion { return e.of(f.Blob) }
func (e excluded) Problem(p *finding.Problem) *finding.Exclusion { return e.of(p.Blob) }
func (e excluded) Expired() []string                             { return nil }

func (e excluded) of(blob string) *finding.Exclusion {
	if blob != e.blob {
		return nil
	}
	return &finding.Exclusion{Owner: "o"}
}

// partial is a tree that names files and holds none.
type partial struct{ memTree }

func (t *partial) Files(ctx context.Context) iter.Seq2[source.File, error] {
	return func(yield func(source.File, error) bool) {
		for f, err := range t.memTree.Files(ctx) {
			f.Size = -1
			if !yield(f, err) {
				return
			}
		}
	}
}

func TestPartialCloneIsNotClean(t *testing.T) {
	tree := &partial{memTree{ref: "HEAD", files: map[string]string{"a.js": "", "b.js": ""}}}
	lines, summary := run(t, sweep.Options{Set: set(t, file("a", "a.js"))}, &source.Repository{Name: "r", Trees: []source.Tree{tree}})
	if want := []string{"finding r a.js a active file-path HEAD", "problem r  missing"}; !cmp.Equal(lines, want) || summary.Exit != 1 {
		t.Errorf("%q, exit %d; want %q, exit 1", lines, summary.Exit, want)
	}
}

func TestNothingLookedAt(t *testing.T) {
	lines, summary := run(t, sweep.Options{})
	if want := []string{"problem   nothing"}; !cmp.Equal(lines, want) || summary.Exit != 3 {
		t.Errorf("%q, exit %d; want %q, exit 3", lines, summary.Exit, want)
	}
}

// endless is a tree whose files have no end.
type endless struct {
	memTree
	stop func()
}

func (t *endless) Open(context.Context, source.File) (source.ReadCloser, error) {
	t.stop()
	return io.NopCloser(zeros{}), nil
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// A file of any size, as one with holes, ends with the sweep.
func TestInterruptedWhileHashing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	tree := &endless{memTree{ref: "worktree", files: map[string]string{"x.js": ""}}, cancel}
	indicator := ioc.Indicator{ID: "x", Type: ioc.TypeFile, Name: "x.js", SHA256: strings.Repeat("1a2b3c4d", 8)}
	started := time.Now()
	summary, err := sweep.Run(ctx, each(&source.Repository{Name: "r", Trees: []source.Tree{tree}}),
		sweep.Options{Set: set(t, indicator)}, func(finding.Event) error { return nil })
	if err != nil || summary.Exit != 3 || time.Since(started) > 2*time.Second {
		t.Errorf("after %v: exit %d, error %v", time.Since(started), summary.Exit, err)
	}
}
