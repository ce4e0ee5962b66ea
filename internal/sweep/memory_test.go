package sweep_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/sweep"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// remoteTree is a tree that lies elsewhere: it knows its root and no sizes, and counts what is
// asked of it. A content that begins with "!" does not come.
type remoteTree struct {
	memTree
	asked   []string // "list", "fetch a,b", "sizes a"
	fetched map[string]bool
	cut     bool // the fetch fails
}

func remote(ref string, files map[string]string) *remoteTree {
	return &remoteTree{memTree: memTree{ref: ref, files: files}, fetched: map[string]bool{}}
}

func (t *remoteTree) Root() string {
	var all strings.Builder
	for f := range t.memTree.Files(context.Background()) {
		fmt.Fprintf(&all, "%s %s\n", f.Path, source.BlobID([]byte(t.files[f.Path])))
	}
	return source.BlobID([]byte(all.String()))
}

func (t *remoteTree) Files(ctx context.Context) iter.Seq2[source.File, error] {
	t.asked = append(t.asked, "list")
	return func(yield func(source.File, error) bool) {
		for f, err := range t.memTree.Files(ctx) {
			f.Size, f.Blob = source.SizeUnfetched, source.BlobID([]byte(t.files[f.Path]))
			if !yield(f, err) {
				return
			}
		}
	}
}

func (t *remoteTree) names(files []source.File) string {
	var out []string
	for _, f := range files {
		out = append(out, f.Path)
	}
	return strings.Join(out, ",")
}

func (t *remoteTree) Fetch(_ context.Context, files []source.File) error {
	t.asked = append(t.asked, "fetch "+t.names(files))
	if t.cut {
		return &source.PathError{Code: source.CodeUnreadable, Err: errors.New("connection reset")}
	}
	for _, f := range files {
		t.fetched[f.Path] = true
	}
	return nil
}

func (t *remoteTree) Sizes(_ context.Context, files []source.File) (map[string]int64, error) {
	t.asked = append(t.asked, "sizes "+t.names(files))
	out := map[string]int64{}
	for _, f := range files {
		if content := t.files[f.Path]; !strings.HasPrefix(content, "!") {
			out[f.Blob] = int64(len(content))
		}
	}
	return out, nil
}

func (t *remoteTree) Read(ctx context.Context, f source.File, max int64, buf []byte) ([]byte, error) {
	if !t.fetched[f.Path] {
		return nil, fmt.Errorf("%q read before it was fetched", f.Path)
	}
	return t.memTree.Read(ctx, f, max, buf)
}

func (t *remoteTree) Open(ctx context.Context, f source.File) (source.ReadCloser, error) {
	if !t.fetched[f.Path] {
		return nil, fmt.Errorf("%q opened before it was fetched", f.Path)
	}
	return t.memTree.Open(ctx, f)
}

// memory keeps all that it is given. Contents go through their encoding, as in a store.
type memory struct {
	mu       sync.Mutex
	set      *ioc.Set
	trees    map[inventory.ID]*inventory.Tree
	contents map[inventory.Key][]byte
	met      map[inventory.Key]bool // contents that are not given in brief
	kept     []sweep.Kept
	fault    error
}

func newMemory(set *ioc.Set) *memory {
	return &memory{set: set, trees: map[inventory.ID]*inventory.Tree{}, contents: map[inventory.Key][]byte{}, met: map[inventory.Key]bool{}}
}

func (m *memory) Tree(_ context.Context, root inventory.ID) (*inventory.Tree, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.trees[root], m.fault
}

func (m *memory) Content(_ context.Context, key inventory.Key, whole bool) (*inventory.Content, inventory.Summary, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	text, ok := m.contents[key]
	if m.fault != nil || !ok {
		return nil, inventory.Summary{}, false, m.fault
	}
	c, err := inventory.DecodeContent(key, text)
	if err != nil {
		return nil, inventory.Summary{}, false, err
	}
	sum := c.Summary()
	if !whole && !m.met[key] && sum.Problems+sum.Includes == 0 {
		return nil, sum, true, nil
	}
	return c, sum, true, nil
}

func (m *memory) Keep(_ context.Context, kept sweep.Kept) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kept = append(m.kept, kept)
	for _, t := range kept.Trees {
		m.trees[t.Root] = t
	}
	for _, c := range kept.Contents {
		text, err := c.Encode()
		if err != nil {
			return err
		}
		m.contents[c.Key] = text
		file := c.File(m.set)
		for i := range file.Packages {
			if p := &file.Packages[i]; p.Name == "bad" && p.Version != "1.0.1" {
				m.met[c.Key] = true
			}
		}
	}
	return m.fault
}

const (
	lockGood = `{"lockfileVersion":3,"packages":{"":{},"node_modules/good":{"version":"1.0.0"},"node_modules/w":{"link":true,"resolved":"w"}}}`
	lockBad  = `{"lockfileVersion":3,"packages":{"":{"dependencies":{"bad":"1"}},"node_modules/bad":{"version":"1.0.0"}}}`
	asksBad  = `{"dependencies":{"bad":"^1.0.0"}}`
	lockSafe = `{"lockfileVersion":3,"packages":{"":{},"node_modules/bad":{"version":"1.0.1"}}}`
)

// remembered are the repositories of the tests, made anew for each run.
func remembered() (repos []*source.Repository, trees map[string]*remoteTree) {
	trees = map[string]*remoteTree{
		"hit":      remote("refs/heads/main", map[string]string{"package-lock.json": lockBad, "payload.js": "payload", "notes.txt": "n"}),
		"clean":    remote("refs/heads/main", map[string]string{"package-lock.json": lockGood, "README.md": "r"}),
		"asks":     remote("refs/heads/main", map[string]string{"package.json": asksBad}),
		"decided":  remote("refs/heads/main", map[string]string{"package.json": asksBad, "package-lock.json": lockSafe}),
		"damaged":  remote("refs/heads/main", map[string]string{"package-lock.json": `{"lockfileVersion":3,"packages":{`}),
		"includes": remote("refs/heads/main", map[string]string{"requirements.txt": "-r more.txt\n", "more.txt": "good==1.0\n"}),
		"sized":    remote("refs/heads/main", map[string]string{"a/sized.js": "12345", "b/sized.js": "123456"}),
	}
	for _, name := range []string{"asks", "clean", "damaged", "decided", "hit", "includes", "sized"} {
		r := &source.Repository{Name: name, Path: name, Number: int64(len(name)), Server: "example.com"}
		r.Trees = append(r.Trees, trees[name])
		r.Notes = []source.Note{{Code: source.CodeArchived}}
		repos = append(repos, r)
	}
	return repos, trees
}

func memorySet(t *testing.T) *ioc.Set {
	return set(t,
		ioc.Indicator{ID: "bad", Type: ioc.TypePackage, Ecosystem: ecosystem.NPM, Name: "bad", Versions: []string{"1.0.0"}},
		ioc.Indicator{ID: "payload", Type: ioc.TypeFile, Name: "payload.js", SHA256: "239f59ed55e737c77147cf55ad0c1b030b6d7ee748a7426952f9b852d5a935e5"},
		ioc.Indicator{ID: "sized", Type: ioc.TypeFile, Name: "sized.js", Size: 5},
	)
}

// What is remembered is answered without asking, and the answer is the same.
func TestMemory(t *testing.T) {
	catalogue := memorySet(t)
	m := newMemory(catalogue)
	opt := sweep.Options{Set: catalogue, Memory: m, Selection: "head"}

	repos, trees := remembered()
	first, sum := run(t, opt, repos...)
	want := []string{
		"finding asks package.json bad latent latent-range refs/heads/main",
		"problem damaged package-lock.json truncated",
		"finding hit package-lock.json bad active exact-version refs/heads/main",
		"finding hit payload.js payload active file-digest refs/heads/main",
		"finding sized a/sized.js sized active file-path refs/heads/main",
	}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Fatalf("first run (-want +got):\n%s", diff)
	}
	for name, want := range map[string][]string{
		"hit":      {"list", "fetch package-lock.json,payload.js"},
		"clean":    {"list", "fetch package-lock.json"},
		"includes": {"list", "fetch requirements.txt", "fetch more.txt"},
		"sized":    {"list", "sizes a/sized.js,b/sized.js"},
	} {
		if diff := cmp.Diff(want, trees[name].asked); diff != "" {
			t.Errorf("%s was asked (-want +got):\n%s", name, diff)
		}
	}

	repos, trees = remembered()
	again, sumAgain := run(t, opt, repos...)
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("second run (-first +second):\n%s", diff)
	}
	sum.Elapsed, sumAgain.Elapsed = 0, 0
	if diff := cmp.Diff(sum, sumAgain); diff != "" {
		t.Errorf("summary of the second run (-first +second):\n%s", diff)
	}
	for name, tree := range trees {
		if len(tree.asked) > 0 {
			t.Errorf("%s was asked %q by the second run, and is known", name, tree.asked)
		}
	}
}

// What was cut short is not remembered: the next run reads it.
func TestMemoryOfWhatFailed(t *testing.T) {
	catalogue := memorySet(t)
	m := newMemory(catalogue)
	opt := sweep.Options{Set: catalogue, Memory: m}

	repos, trees := remembered()
	trees["hit"].cut = true
	trees["clean"].files["package-lock.json"] = "!"
	lines, sum := run(t, opt, repos...)
	if sum.Repositories.Unknown != 3 { // and the damaged one
		t.Errorf("%+v of\n%s", sum.Repositories, strings.Join(lines, "\n"))
	}
	repos, trees = remembered()
	lines, sum = run(t, opt, repos...)
	if sum.Repositories.Unknown != 1 || sum.Repositories.Hit != 2 {
		t.Errorf("after the cure: %+v of\n%s", sum.Repositories, strings.Join(lines, "\n"))
	}
	for _, name := range []string{"hit", "clean"} {
		if len(trees[name].asked) != 2 {
			t.Errorf("%s was asked %q, want it listed and fetched", name, trees[name].asked)
		}
	}
}

// A memory that fails costs the run nothing but itself, and is told.
func TestMemoryFails(t *testing.T) {
	catalogue := memorySet(t)
	m := newMemory(catalogue)
	m.fault = errors.New("disk full")
	repos, _ := remembered()
	lines, sum := run(t, sweep.Options{Set: catalogue, Memory: m}, repos...)
	if last := lines[len(lines)-1]; last != "problem   inventory" {
		t.Errorf("the last event is %q, want the problem of the inventory", last)
	}
	if sum.Repositories.Clean != 0 || sum.Repositories.Hit != 2 || sum.Exit != 1 {
		t.Errorf("exit %d, %+v", sum.Exit, sum.Repositories)
	}
}

// What is kept of a repository says all that was seen of it, once.
func TestMemoryKeeps(t *testing.T) {
	catalogue := memorySet(t)
	m := newMemory(catalogue)
	repos, trees := remembered()
	run(t, sweep.Options{Set: catalogue, Memory: m, Selection: "head"}, repos...)
	var hit *inventory.Sighting
	for _, kept := range m.kept {
		if kept.Sighting.Repository.Name == "hit" {
			hit = kept.Sighting
		}
	}
	if hit == nil {
		t.Fatal("nothing was kept of a repository")
	}
	root, err := inventory.ParseID(trees["hit"].Root())
	if err != nil {
		t.Fatal(err)
	}
	events := 0
	for _, e := range hit.Events {
		if f, ok := e.(*finding.Finding); ok && f.Repository == "hit" {
			events++
		}
	}
	got := fmt.Sprint(hit.Repository, hit.Selection, hit.Refs, events)
	want := fmt.Sprint(inventory.Repository{Server: "example.com", Number: 3, Name: "hit"}, "head",
		[]inventory.Ref{{Name: "refs/heads/main", Commit: "refs/heads/main", Root: root}}, 2)
	if got != want {
		t.Errorf("kept %s\nwant %s", got, want)
	}
}

// Of a size that is not told nobody knows whether it is the listed one.
func TestSizeNotTold(t *testing.T) {
	catalogue := memorySet(t)
	tree := remote("refs/heads/main", map[string]string{"sized.js": "!"})
	r := &source.Repository{Name: "r", Trees: []source.Tree{tree}}
	lines, sum := run(t, sweep.Options{Set: catalogue}, r)
	if diff := cmp.Diff([]string{"problem r sized.js missing"}, lines); diff != "" || sum.Exit != 3 {
		t.Errorf("exit %d (-want +got):\n%s", sum.Exit, diff)
	}
}

// The ledger of a run that remembers is that of one that reads.
func TestMemoryLedger(t *testing.T) {
	catalogue := memorySet(t)
	m := newMemory(catalogue)
	ledger := func() (rows []*finding.Coverage) {
		repos, _ := remembered()
		_, err := sweep.Run(t.Context(), each(repos...), sweep.Options{Set: catalogue, Memory: m}, func(e finding.Event) error {
			if c, ok := e.(*finding.Coverage); ok {
				rows = append(rows, c)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	first := ledger()
	if len(first) == 0 || first[len(first)-1].OutOfScope["archived"] != 1 {
		t.Fatalf("the ledger lacks the note of a repository: %+v", first)
	}
	if diff := cmp.Diff(first, ledger()); diff != "" {
		t.Errorf("(-first +second):\n%s", diff)
	}
}
