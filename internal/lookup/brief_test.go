package lookup_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/lookup"
	"github.com/wormsweep/wormsweep/internal/report"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/sweep"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// answer is what a rematch puts out, of which only its time may differ.
func (inv *inventoried) answer(opt sweep.Options, rematch rematcher) string {
	inv.t.Helper()
	var out bytes.Buffer
	opt.Now = func() time.Time { return inv.now }
	renderers := []report.Renderer{report.NewJSON(&out), report.NewText(&out, report.TextOptions{Explain: opt.Explain})}
	sum, err := rematch(inv.t.Context(), inv.store, opt, func(e finding.Event) error {
		if s, ok := e.(*finding.Summary); ok {
			s.Elapsed = 0
		}
		return renderers[0].Event(e)
	})
	if err != nil {
		inv.t.Fatal(err)
	}
	fmt.Fprintln(&out, "exit", sum.Exit)
	if _, err = rematch(inv.t.Context(), inv.store, opt, renderers[1].Event); err == nil {
		err = renderers[1].Close()
	}
	if err != nil {
		inv.t.Fatal(err)
	}
	return out.String()
}

// some excludes the problems and findings of a file.
type some string

func (s some) Finding(f *finding.Finding) *finding.Exclusion { return s.file(f.File) }
func (s some) Problem(p *finding.Problem) *finding.Exclusion { return s.file(p.File) }
func (some) Expired() []string                               { return []string{"an old one"} }

func (s some) file(name string) *finding.Exclusion {
	if strings.Contains(name, string(s)) {
		return &finding.Exclusion{Owner: "o", Reason: "r", Expires: "2027-01-01"}
	}
	return nil
}

// someInventory is what sweeps of several kinds left, of repositories with files that do not come
// or are damaged, folders that are not listed, refs that others asked for, forks, and renames.
func someInventory(t *testing.T, r *rand.Rand, sets []*ioc.Set) *inventoried {
	t.Helper()
	inv := newInventory(t)
	w := someWorld(r)
	for _, name := range []string{"acme/notes", "acme/empty"} {
		w[name] = []*tree{newTree(map[string]string{"README.md": name}, "refs/heads/main")}
	}
	w["acme/empty"] = nil
	if r.IntN(2) == 0 {
		w["acme/lost"] = []*tree{newTree(map[string]string{"web": "!folder", "package-lock.json": someLock(r)}, "refs/heads/main")}
	}
	numbers := map[string]int64{}
	for range 1 + r.IntN(4) {
		inv.selection = []string{"head", "head", "all", "branches"}[r.IntN(4)]
		inv.sweep(w, numbers, sweep.Options{Set: sets[r.IntN(len(sets))], Exclusions: []sweep.Exclusions{nil, some("sum")}[r.IntN(2)]})
		switch name := fmt.Sprintf("acme/r%d", r.IntN(6)); r.IntN(4) {
		case 0: // pushed to
			w[name] = []*tree{newTree(someFiles(r), "refs/heads/main")}
		case 1: // renamed
			if w[name] != nil {
				numbers["acme/moved"] = numberOf(name)
				w["acme/moved"] = w[name]
				delete(w, name)
			}
		case 2:
			delete(w, name)
		}
	}
	return inv
}

// TestBriefSaysTheSame: whatever the sweeps before were, a rematch that judges only the repositories
// in which something may be met puts out what one that judges all puts out, byte for byte.
func TestBriefSaysTheSame(t *testing.T) {
	rounds := 40
	if testing.Short() {
		rounds = 10
	}
	total, inBrief := 0, 0
	for seed := range rounds {
		r := rand.New(rand.NewPCG(uint64(seed), 11))
		sets := []*ioc.Set{someCatalogue(t, r), someCatalogue(t, r)}
		if r.IntN(3) == 0 { // indicators of other files, or of other names of branches
			sets[1] = sets[1].With(compile(t, []ioc.Indicator{
				{ID: "sum", Type: ioc.TypeFile, Path: "**/go.sum"},
				{ID: "main", Type: ioc.TypeGit, Kind: "branch_glob", Value: "mai*"},
				{ID: "x", Type: ioc.TypeGit, Kind: "branch_glob", Value: "als?"},
			}[r.IntN(3)]))
		}
		inv := someInventory(t, r, sets)
		listed := compile(t, ioc.Indicator{ID: "listed", Type: ioc.TypePackage, Ecosystem: ecosystem.NPM, Name: "nobody-has-it", Versions: []string{"1.0.0"}})
		sets = append(sets, someCatalogue(t, r), sets[0].With(listed), sets[0].With(someCatalogue(t, r)), fileIndicatorsAlone(t))
		if only, err := sets[3].Only("campaign"); err != nil {
			t.Fatal(err)
		} else {
			sets = append(sets, only)
		}
		for i, set := range sets {
			opt := sweep.Options{Set: set, Jobs: 1 + r.IntN(3), Explain: r.IntN(8) == 0, Shown: []ioc.Property{ioc.RefBranch}}
			if r.IntN(3) == 0 {
				opt.Exclusions = some([]string{"lock", "sum", "web"}[r.IntN(3)])
			}
			if r.IntN(4) == 0 {
				opt.Problems = []*finding.Problem{{Code: sweep.CodeCatalogue, Detail: "a row"}}
			}
			want, got := inv.answer(opt, lookup.RematchWhole), inv.answer(opt, lookup.Rematch)
			if want != got {
				t.Fatalf("seed %d, catalogue %d (explain %t):\n%s\nwant:\n%s", seed, i, opt.Explain, got, want)
			}
			all, brief, err := lookup.InBrief(t.Context(), inv.store, set)
			if err != nil {
				t.Fatal(err)
			}
			total, inBrief = total+all, inBrief+brief
		}
	}
	t.Logf("repositories: %d, in brief: %d", total, inBrief)
	if inBrief < total/10 || inBrief > total*9/10 {
		t.Errorf("of %d repositories, %d were told in brief: too few or too many to tell anything", total, inBrief)
	}
}

func fileIndicatorsAlone(t *testing.T) *ioc.Set {
	t.Helper()
	return compile(t, slices.Clone(fileIndicators)...)
}

// TestBriefOfNewerReaders: where another version has been, whose reading takes the place of ours, all
// is judged again.
func TestBriefOfNewerReaders(t *testing.T) {
	set := fileIndicatorsAlone(t)
	inv := newInventory(t)
	w := world{"acme/a": {newTree(map[string]string{"package-lock.json": lockWith(`"node_modules/p":{"version":"1.0.0"}`)}, "refs/heads/main")}}
	run, _ := inv.sweep(w, nil, sweep.Options{Set: set})
	counts := func() string {
		all, brief, err := lookup.InBrief(t.Context(), inv.store, set)
		return fmt.Sprint(all, brief, err)
	}
	if got := counts(); got != "1 1 <nil>" {
		t.Fatalf("after a sweep: %s", got)
	}
	id, err := inventory.ParseID(source.BlobID([]byte("x")))
	if err != nil {
		t.Fatal(err)
	}
	newer := &inventory.Content{Key: inventory.Key{Blob: id, Format: "package-lock", Reader: 1 << 20}}
	if err := inv.store.Write(t.Context(), run, &inventory.Batch{Contents: []*inventory.Content{newer}}); err != nil {
		t.Fatal(err)
	}
	if got := counts(); got != "1 0 <nil>" {
		t.Errorf("after a newer reader: %s", got)
	}
}

// TestBriefOfDigests: a lockfile that is known by its digest is judged again, whatever was listed
// when it was swept.
func TestBriefOfDigests(t *testing.T) {
	lock := lockWith(`"node_modules/p":{"version":"1.0.0"}`)
	listed := func(sum string) *ioc.Set {
		return compile(t, ioc.Indicator{ID: "lock", Type: ioc.TypeFile, Name: "package-lock.json", SHA256: sum})
	}
	inv := newInventory(t)
	w := world{"acme/a": {newTree(map[string]string{"package-lock.json": lock}, "refs/heads/main")}}
	inv.sweep(w, nil, sweep.Options{Set: listed(strings.Repeat("ab", 32))})
	opt := sweep.Options{Set: listed(fmt.Sprintf("%x", sha256.Sum256([]byte(lock))))}
	if got := inv.answer(opt, lookup.Rematch); !strings.Contains(got, `"indicator":"lock"`) {
		t.Errorf("its digest is not met:\n%s", got)
	}
}
