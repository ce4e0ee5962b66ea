package sweep_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/sweep"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// memTree is a tree in memory; a content that begins with "!" cannot be read.
type memTree struct {
	ref   string
	files map[string]string

	mu    sync.Mutex
	reads map[string]int // by path
}

func (t *memTree) Ref() string    { return t.ref }
func (t *memTree) Commit() string { return strings.TrimPrefix(t.ref, "worktree") }

func (t *memTree) Files(ctx context.Context) iter.Seq2[source.File, error] {
	return func(yield func(source.File, error) bool) {
		paths := []string{}
		for p := range t.files {
			paths = append(paths, p)
		}
		slices.Sort(paths)
		for _, p := range paths {
			f := source.File{Path: p, Size: int64(len(t.files[p])), Link: t.files[p] == "->"}
			if t.ref != "worktree" && !strings.HasPrefix(t.files[p], "!") {
				f.Blob = source.BlobID([]byte(t.files[p]))
			}
			if ctx.Err() != nil || !yield(f, nil) {
				return
			}
		}
	}
}

func (t *memTree) Read(_ context.Context, f source.File, max int64, buf []byte) ([]byte, error) {
	t.mu.Lock()
	if t.reads == nil {
		t.reads = map[string]int{}
	}
	t.reads[f.Path]++
	t.mu.Unlock()
	if content := t.files[f.Path]; !strings.HasPrefix(content, "!") {
		return append(buf[:0], content...), nil
	}
	return nil, &source.PathError{Path: f.Path, Code: source.CodeUnreadable, Err: errors.New("permission denied")}
}

func (t *memTree) Open(_ context.Context, f source.File) (source.ReadCloser, error) {
	return io.NopCloser(strings.NewReader(t.files[f.Path])), nil
}

func repo(name string, trees ...*memTree) *source.Repository {
	r := &source.Repository{Name: name, Path: name}
	for _, t := range trees {
		r.Trees = append(r.Trees, t)
	}
	return r
}

func worktree(files map[string]string) *memTree { return &memTree{ref: "worktree", files: files} }

func set(t *testing.T, indicators ...ioc.Indicator) *ioc.Set {
	t.Helper()
	for i := range indicators {
		if indicators[i].Confidence == "" {
			indicators[i].Confidence = ioc.Confirmed
		}
	}
	data, err := ioc.Compile([]ioc.Pack{{ID: "campaign", Title: "Campaign", Severity: ioc.High, Indicators: indicators}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := ioc.Open(string(data))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// run sweeps the repositories and returns the events as short lines, and the summary.
func run(t *testing.T, opt sweep.Options, repos ...*source.Repository) ([]string, *finding.Summary) {
	t.Helper()
	var lines []string
	summary, err := sweep.Run(t.Context(), each(repos...), opt, func(e finding.Event) error {
		switch e := e.(type) {
		case *finding.Finding:
			lines = append(lines, strings.Join([]string{"finding", e.Repository, e.File, e.Indicator, string(e.State), strings.Join(e.Reasons, "+"), strings.Join(e.Refs, "+")}, " "))
		case *finding.Problem:
			lines = append(lines, strings.Join([]string{"problem", e.Repository, e.File, e.Code}, " "))
		case *finding.NonMatch:
			lines = append(lines, strings.Join([]string{"explain", e.Repository, e.File, e.Reason}, " "))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines, summary
}

func each(repos ...*source.Repository) iter.Seq2[*source.Repository, error] {
	return func(yield func(*source.Repository, error) bool) {
		for _, r := range repos {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func file(id, name string) ioc.Indicator {
	return ioc.Indicator{ID: id, Type: ioc.TypeFile, Name: name}
}

func weak(ind ioc.Indicator, requires ...string) ioc.Indicator {
	ind.Confidence, ind.Requires = ioc.Weak, requires
	return ind
}

func TestStates(t *testing.T) {
	withdrawn := file("gone", "gone.js")
	withdrawn.Status = ioc.Withdrawn
	needs := file("needs", "needs.js")
	needs.Requires = []string{"strong"}
	needsType := ioc.Indicator{ID: "needs-type", Type: ioc.TypeFile, Name: "any.js", Requires: []string{"file"}}
	catalogue := set(t, file("strong", "strong.js"), weak(file("weak", "weak.json")), weak(file("pair", "pair.json"), "strong"),
		withdrawn, needs, needsType)
	for _, tt := range []struct {
		name  string
		files string
		want  []string // indicator and state
		exit  int
	}{
		{"strong alone", "strong.js", []string{"strong active"}, 1},
		{"weak alone", "weak.json", []string{"weak weak"}, 0},
		{"weak in company", "strong.js weak.json", []string{"strong active", "weak active"}, 1},
		{"weak that requires, alone", "pair.json", []string{"pair weak"}, 0},
		{"weak that requires, met", "pair.json strong.js", []string{"pair active", "strong active"}, 1},
		{"two weak ones are no company", "weak.json pair.json", []string{"pair weak", "weak weak"}, 0},
		{"requires unmet", "needs.js", []string{"needs weak"}, 0},
		{"requires met elsewhere in the repository", "a/needs.js b/strong.js", []string{"needs active", "strong active"}, 1},
		{"withdrawn", "gone.js", []string{"gone withdrawn"}, 0},
		{"withdrawn is no company", "gone.js weak.json", []string{"gone withdrawn", "weak weak"}, 0},
		{"a type is not met by the indicator itself", "any.js", []string{"needs-type weak"}, 0},
		{"a type is met by another", "any.js strong.js", []string{"needs-type active", "strong active"}, 1},
		{"nothing", "README.md", nil, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := map[string]string{}
			for _, f := range strings.Fields(tt.files) {
				files[f] = "content"
			}
			lines, summary := run(t, sweep.Options{Set: catalogue}, repo("r", worktree(files)))
			var got []string
			for _, l := range lines {
				f := strings.Fields(l)
				got = append(got, f[3]+" "+f[4])
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("states (-want +got):\n%s", diff)
			}
			if summary.Exit != tt.exit {
				t.Errorf("exit %d, want %d", summary.Exit, tt.exit)
			}
		})
	}
}

func TestRefsAreOneFinding(t *testing.T) {
	files := map[string]string{"strong.js": "x"}
	head := &memTree{ref: "HEAD", files: files}
	loose := repo(".", worktree(map[string]string{"README.md": ""}))
	loose.Loose = true // and so it is not counted
	lines, summary := run(t, sweep.Options{Set: set(t, file("strong", "strong.js"))},
		loose, repo("a", worktree(files), head), repo("b", worktree(map[string]string{"README.md": ""})))
	if want := []string{"finding a strong.js strong active file-path worktree+HEAD"}; !slices.Equal(lines, want) {
		t.Errorf("%q, want %q", lines, want)
	}
	if want := (finding.Repositories{Hit: 1, Clean: 1}); summary.Repositories != want {
		t.Errorf("repositories %+v, want %+v", summary.Repositories, want)
	}
}

func TestContentDecidesByDigest(t *testing.T) {
	payload := "payload"
	byPath := ioc.Indicator{ID: "by-path", Type: ioc.TypeFile, Path: "lib/x.js", SHA256: "239f59ed55e737c77147cf55ad0c1b030b6d7ee748a7426952f9b852d5a935e5"}
	catalogue := set(t, byPath)
	lines, summary := run(t, sweep.Options{Set: catalogue, Explain: true},
		repo("hit", worktree(map[string]string{"lib/x.js": payload})),
		repo("other", worktree(map[string]string{"lib/x.js": "harmless"})))
	want := []string{
		"finding hit lib/x.js by-path active file-digest worktree",
		"explain other lib/x.js other-content",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if summary.Exit != 1 || summary.Repositories.Clean != 1 {
		t.Errorf("summary %+v", summary)
	}
}

func TestUnknownIsNeverClean(t *testing.T) {
	catalogue := set(t, file("strong", "strong.js"))
	odd := repo("odd")
	odd.Problems = []source.Problem{{Code: source.CodeNotARepo, Detail: "no objects"}}
	lines, summary := run(t, sweep.Options{Set: catalogue},
		odd,
		repo("empty", worktree(nil)), // as a clone that failed leaves it
		repo("unreadable", worktree(map[string]string{"package-lock.json": "!"})),
		repo("linked", worktree(map[string]string{"go.sum": "->", "other": "->"})),
		repo("hit and unreadable", worktree(map[string]string{"package-lock.json": "!", "strong.js": ""})),
	)
	want := []string{
		"problem odd  not-a-repo",
		"problem empty  nothing",
		"problem unreadable package-lock.json unreadable",
		"problem linked go.sum link",
		"finding hit and unreadable strong.js strong active file-path worktree",
		"problem hit and unreadable package-lock.json unreadable",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if want := (finding.Repositories{Hit: 1, Unknown: 4}); summary.Repositories != want || summary.Exit != 1 {
		t.Errorf("repositories %+v exit %d, want %+v exit 1", summary.Repositories, summary.Exit, want)
	}
}

func TestEachContentIsReadOnce(t *testing.T) {
	const lock = `{"lockfileVersion":3,"packages":{"":{},"node_modules/bad":{"version":"1.0.0"}}}`
	catalogue := set(t, ioc.Indicator{ID: "bad", Type: ioc.TypePackage, Ecosystem: ecosystem.NPM, Name: "bad", Versions: []string{"1.0.0"}})
	a := &memTree{ref: "HEAD", files: map[string]string{"package-lock.json": lock, "sub/package-lock.json": lock}}
	b := &memTree{ref: "HEAD", files: map[string]string{"package-lock.json": lock}}
	lines, summary := run(t, sweep.Options{Set: catalogue, Jobs: 1}, repo("a", a), repo("b", b))
	if len(lines) != 3 || summary.Repositories.Hit != 2 {
		t.Errorf("findings: %q, summary %+v", lines, summary)
	}
	if n := a.reads["package-lock.json"] + a.reads["sub/package-lock.json"] + b.reads["package-lock.json"]; n != 1 {
		t.Errorf("the content was read %d times", n)
	}
	if summary.Files.Distinct != 1 || summary.Files.Parsed != 3 {
		t.Errorf("files %+v", summary.Files)
	}
}

func TestIncludes(t *testing.T) {
	catalogue := set(t, ioc.Indicator{ID: "bad", Type: ioc.TypePackage, Ecosystem: ecosystem.PyPI, Name: "bad", Versions: []string{"1.0"}})
	lines, _ := run(t, sweep.Options{Set: catalogue}, repo("r", worktree(map[string]string{
		"requirements.txt": "-r deps/base.txt\n-r ../outside.txt\n-r missing.txt\n",
		"deps/base.txt":    "-r more.txt\n",
		"deps/more.txt":    "bad==1.0\n-r base.txt\n", // a circle
	})))
	want := []string{
		"finding r deps/more.txt bad active exact-version worktree",
		"problem r requirements.txt include",
		"problem r requirements.txt include",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	seen := 0
	repos := []*source.Repository{repo("a", worktree(nil)), repo("b", worktree(nil)), repo("c", worktree(nil))}
	summary, err := sweep.Run(ctx, each(repos...), sweep.Options{}, func(e finding.Event) error {
		seen++
		cancel()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !summary.Interrupted || summary.Exit != 3 || seen == 0 {
		t.Errorf("interrupted %t, exit %d", summary.Interrupted, summary.Exit)
	}
}

func TestOutputFails(t *testing.T) {
	full := errors.New("no space left on device")
	_, err := sweep.Run(t.Context(), each(repo("a", worktree(map[string]string{"strong.js": ""}))),
		sweep.Options{Set: set(t, file("strong", "strong.js"))},
		func(e finding.Event) error {
			if _, ok := e.(*finding.Finding); ok {
				return full
			}
			return nil
		})
	if !errors.Is(err, sweep.ErrOutput) || !errors.Is(err, full) {
		t.Errorf("error %v, want ErrOutput and its cause", err)
	}
}

// A range is latent only where no lockfile of its folder, or of one above, decides it.
func TestLatentUnlessLocked(t *testing.T) {
	const manifest = `{"dependencies":{"bad":"^1.0.0"}}`
	lock := func(version string) string {
		return `{"lockfileVersion":3,"packages":{"":{},"node_modules/bad":{"version":"` + version + `"}}}`
	}
	catalogue := set(t, ioc.Indicator{ID: "bad", Type: ioc.TypePackage, Ecosystem: ecosystem.NPM, Name: "bad", Versions: []string{"1.0.1"}})
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"no lockfile", map[string]string{"package.json": manifest}, []string{"finding r package.json bad latent latent-range worktree"}},
		{"locked to another", map[string]string{"package.json": manifest, "package-lock.json": lock("1.0.2")}, []string{
			"explain r package-lock.json other-version", "explain r package.json locked-beside",
		}},
		{"locked above", map[string]string{"a/b/package.json": manifest, "a/package-lock.json": lock("1.0.2")}, []string{
			"explain r a/b/package.json locked-beside", "explain r a/package-lock.json other-version",
		}},
		{"locked elsewhere", map[string]string{"a/package.json": manifest, "b/package-lock.json": lock("1.0.2")}, []string{
			"finding r a/package.json bad latent latent-range worktree", "explain r b/package-lock.json other-version",
		}},
		{"locked to the listed version", map[string]string{"package.json": manifest, "package-lock.json": lock("1.0.1")}, []string{
			"finding r package-lock.json bad active exact-version worktree", "explain r package.json locked-beside",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			lines, _ := run(t, sweep.Options{Set: catalogue, Explain: true}, repo("r", worktree(tt.files)))
			if diff := cmp.Diff(tt.want, lines); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// What two indicators of a campaign say of one package is one finding; one that is withdrawn
// stays apart.
func TestIndicatorsOfOneFactAreMerged(t *testing.T) {
	inRange := ioc.Indicator{
		ID: "a-range", Type: ioc.TypePackage, Confidence: ioc.Probable, Ecosystem: ecosystem.NPM, Name: "bad", Sources: []string{"one"},
		Ranges: []ioc.Range{{Type: "SEMVER", Events: []ioc.RangeEvent{{Introduced: "1.0.0"}, {Fixed: "2.0.0"}}}},
	}
	exact := ioc.Indicator{ID: "exact", Type: ioc.TypePackage, Ecosystem: ecosystem.NPM, Name: "bad", Versions: []string{"1.0.0"}, Sources: []string{"two"}}
	gone := ioc.Indicator{ID: "gone", Type: ioc.TypePackage, Status: ioc.Withdrawn, Ecosystem: ecosystem.NPM, Name: "bad", Versions: []string{"1.0.0"}}
	var found []*finding.Finding
	_, err := sweep.Run(t.Context(), each(repo("r", worktree(map[string]string{
		"package-lock.json": `{"lockfileVersion":3,"packages":{"":{},"node_modules/bad":{"version":"1.0.0"}}}`,
	}))), sweep.Options{Set: set(t, inRange, exact, gone)}, func(e finding.Event) error {
		if f, ok := e.(*finding.Finding); ok {
			found = append(found, f)
		}
		return nil
	})
	if err != nil || len(found) != 2 {
		t.Fatalf("%d findings, error %v", len(found), err)
	}
	f := found[0]
	got := []any{f.Indicator, f.Also, f.Confidence, f.Sources, f.State, found[1].Indicator, found[1].State}
	want := []any{"exact", []string{"a-range"}, "confirmed", []string{"one", "two"}, finding.Active, "gone", finding.Withdrawn}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
