package lookup_test

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/lookup"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/internal/sweep"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// tree is a tree in memory that knows its root, and counts how often it was asked.
type tree struct {
	refs  []source.Ref
	files map[string]string // by path; one that begins with "!" cannot be read, "!folder" listed
	asked *atomic.Int64
}

func newTree(files map[string]string, refs ...string) *tree {
	t := &tree{files: files, asked: new(atomic.Int64)}
	for _, r := range refs {
		t.refs = append(t.refs, source.Ref{Name: r, Commit: fmt.Sprintf("%x", sha1.Sum([]byte(r+t.Root())))})
	}
	return t
}

func (t *tree) Ref() string        { return t.refs[0].Name }
func (t *tree) Commit() string     { return t.refs[0].Commit }
func (t *tree) Refs() []source.Ref { return t.refs }

// unreadable reports whether a file cannot be read, so that each sweep tries again.
func (t *tree) unreadable() bool {
	for _, text := range t.files {
		if text == "!" {
			return true
		}
	}
	return false
}

func (t *tree) Root() string {
	h := sha1.New()
	for _, path := range slices.Sorted(maps.Keys(t.files)) {
		fmt.Fprintf(h, "%q %q\n", path, t.files[path])
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

func (t *tree) Files(context.Context) iter.Seq2[source.File, error] {
	t.asked.Add(1)
	return func(yield func(source.File, error) bool) {
		for _, path := range slices.Sorted(maps.Keys(t.files)) {
			text := t.files[path]
			if text == "!folder" {
				if !yield(source.File{}, &source.PathError{Path: path, Code: source.CodeMissing, Err: errors.New("its tree is not there")}) {
					return
				}
				continue
			}
			if !yield(source.File{Path: path, Size: int64(len(text)), Blob: source.BlobID([]byte(text))}, nil) {
				return
			}
		}
	}
}

func (t *tree) Read(_ context.Context, f source.File, _ int64, buf []byte) ([]byte, error) {
	t.asked.Add(1)
	text := t.files[f.Path]
	if text != "" && text[0] == '!' {
		return nil, &source.PathError{Path: f.Path, Code: source.CodeFetch, Err: errors.New("no answer")}
	}
	return append(buf[:0], text...), nil
}

func (t *tree) Open(ctx context.Context, f source.File) (source.ReadCloser, error) {
	data, err := t.Read(ctx, f, 0, nil)
	return io.NopCloser(bytes.NewReader(data)), err
}

// world is an organisation, by the names of its repositories.
type world map[string][]*tree

// repositories gives them as a source does; their numbers stay when their names change, since the
// number is that of the name in numbers, where it is there.
func (w world) repositories(numbers map[string]int64) iter.Seq2[*source.Repository, error] {
	return func(yield func(*source.Repository, error) bool) {
		for _, name := range slices.Sorted(maps.Keys(w)) {
			r := &source.Repository{Name: name, Path: name, Server: "github.example", Number: numbers[name]}
			if r.Number == 0 {
				r.Number = numberOf(name)
			}
			for _, t := range w[name] {
				r.Trees = append(r.Trees, t)
				for _, ref := range t.refs {
					r.Seen = append(r.Seen, source.Seen{Property: string(ioc.RefBranch), Value: filepath.Base(ref.Name), Ref: ref.Name, Commit: ref.Commit})
				}
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

// numberOf is the number that a repository of that name has at first.
func numberOf(name string) int64 {
	sum := sha1.Sum([]byte(name))
	return int64(binary.BigEndian.Uint32(sum[:])) + 1
}

// inventoried is a store and the clock of its sweeps.
type inventoried struct {
	t     *testing.T
	store *store.Store
	now   time.Time

	selection string // of refs, "head" where it is empty
}

type rematcher func(context.Context, *store.Store, sweep.Options, func(finding.Event) error) (*finding.Summary, error)

func newInventory(t *testing.T) *inventoried {
	t.Helper()
	inv := &inventoried{t: t, now: time.Date(2026, 11, 1, 6, 0, 0, 0, time.UTC)}
	st, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "inventory.db"), store.Options{Now: func() time.Time { return inv.now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	inv.store = st
	return inv
}

// sweep sweeps the world as the command does, and takes a day.
func (inv *inventoried) sweep(w world, numbers map[string]int64, opt sweep.Options) (inventory.RunID, []finding.Event) {
	inv.t.Helper()
	ctx := inv.t.Context()
	run, _, err := inv.store.Begin(ctx, inventory.Run{Scope: "acme", Catalogue: opt.Set.Revision(), Started: inv.now})
	if err != nil {
		inv.t.Fatal(err)
	}
	memory, err := lookup.NewMemory(ctx, inv.store, run, opt.Set)
	if err != nil {
		inv.t.Fatal(err)
	}
	opt.Memory, opt.Selection = memory, "head"
	if inv.selection != "" {
		opt.Selection = inv.selection
	}
	events := inv.events(func(emit func(finding.Event) error) error {
		_, err := sweep.Run(ctx, w.repositories(numbers), opt, emit)
		return err
	})
	if err := memory.Flush(ctx); err != nil {
		inv.t.Fatal(err)
	}
	if err := inv.store.Finish(ctx, inventory.Run{ID: run}, true); err != nil {
		inv.t.Fatal(err)
	}
	inv.now = inv.now.Add(24 * time.Hour)
	return run, events
}

func (inv *inventoried) rematch(opt sweep.Options) []finding.Event {
	inv.t.Helper()
	return inv.events(func(emit func(finding.Event) error) error {
		_, err := lookup.Rematch(inv.t.Context(), inv.store, opt, emit)
		return err
	})
}

// plain sweeps without an inventory.
func (inv *inventoried) plain(w world, opt sweep.Options) []finding.Event {
	inv.t.Helper()
	return inv.events(func(emit func(finding.Event) error) error {
		_, err := sweep.Run(inv.t.Context(), w.repositories(nil), opt, emit)
		return err
	})
}

// events collects the events of a run, without what tells one run from another.
func (inv *inventoried) events(run func(emit func(finding.Event) error) error) []finding.Event {
	inv.t.Helper()
	var out []finding.Event
	err := run(func(e finding.Event) error {
		switch e := e.(type) {
		case *finding.Run:
			return nil
		case *finding.Summary:
			e.Elapsed = 0
		}
		out = append(out, e)
		return nil
	})
	if err != nil {
		inv.t.Fatal(err)
	}
	return out
}

func sameEvents(t *testing.T, about string, want, got []finding.Event) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("%s (-want +got):\n%s", about, diff)
	}
}

func compile(t testing.TB, indicators ...ioc.Indicator) *ioc.Set {
	t.Helper()
	for i := range indicators {
		ind := &indicators[i]
		if ind.Confidence == "" {
			ind.Confidence = ioc.Confirmed
		}
		if ind.ID == "" {
			ind.ID = fmt.Sprintf("%s-%d", ind.Type, i)
		}
	}
	data, err := ioc.Compile([]ioc.Pack{{ID: "campaign", Title: "Campaign", Severity: ioc.High, Indicators: indicators}})
	if err != nil {
		t.Fatal(err)
	}
	set, err := ioc.Open(string(data))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func count[E finding.Event](events []finding.Event) (n int) {
	for _, e := range events {
		if _, ok := e.(E); ok {
			n++
		}
	}
	return n
}
