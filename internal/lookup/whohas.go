package lookup

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// Holding is a place that holds, or held, what was looked for.
type Holding struct {
	Repository inventory.Repository
	Ref        string
	Commit     string // the last at which it was seen
	File       string
	Line       int // in that commit, as Blob, Package and Chain
	Format     string
	Blob       inventory.ID
	Package    lockfile.Package // without digests
	Chain      []string         // "name@version" from a direct dependency down to the package

	// FirstSeen and LastSeen are the first and last sweeps that saw the ref with it; Current says
	// that the ref has it as far as is known.
	FirstSeen, LastSeen time.Time
	Current             bool
}

// place is what makes two holdings one.
type place struct {
	repository   inventory.Repository
	ref, file    string
	name         string
	version      string
	rng, alias   string
	kind         lockfile.SourceKind
	url, commit  string
	addressNamed lockfile.Identity
}

// WhoHas answers who has what q looks for: by repository, ref, file and line. With history, refs
// that had it and no longer do are among them, as long as the store keeps that (store.Keep).
func WhoHas(ctx context.Context, st *store.Store, q Query, history bool) ([]Holding, error) {
	entries, blobs, err := entriesOf(ctx, st, &q)
	if err != nil || len(blobs) == 0 {
		return nil, err
	}
	states, err := st.States(ctx, blobs, true) // since when is history too
	if err != nil {
		return nil, err
	}
	at := map[place]*Holding{}
	for len(states) > 0 { // some at a time: a popular package is everywhere
		some := states[:min(len(states), 1000)]
		states = states[len(some):]
		roots := make([]inventory.ID, len(some))
		for i, s := range some {
			roots[i] = s.Root
		}
		trees, err := st.Trees(ctx, roots, "")
		if err != nil {
			return nil, err
		}
		for _, s := range some {
			if t := trees[s.Root]; t != nil {
				hold(at, &s, t, entries)
			}
		}
	}
	var out []Holding
	for _, h := range at {
		if history || h.Current {
			out = append(out, *h)
		}
	}
	slices.SortFunc(out, func(a, b Holding) int {
		return cmp.Or(strings.Compare(a.Repository.Name, b.Repository.Name), strings.Compare(a.Repository.Server, b.Repository.Server),
			cmp.Compare(a.Repository.Number, b.Repository.Number), strings.Compare(a.Ref, b.Ref), strings.Compare(a.File, b.File),
			cmp.Compare(a.Line, b.Line), strings.Compare(a.Package.Name, b.Package.Name), strings.Compare(a.Package.Version, b.Package.Version),
			strings.Compare(a.Package.Range, b.Package.Range), a.LastSeen.Compare(b.LastSeen))
	})
	return out, nil
}

// entry is an entry of a content that is what was looked for.
type entry struct {
	format string
	pkg    lockfile.Package
	chain  []string
}

// entriesOf finds the contents that hold what q looks for. Where several revisions of a reader say
// so of a content, the newest counts.
func entriesOf(ctx context.Context, st *store.Store, q *Query) (map[inventory.ID][]entry, []inventory.ID, error) {
	var ids []store.ContentID
	for p, err := range st.Find(ctx, []uint64{q.key()}) {
		if err != nil {
			return nil, nil, err
		}
		if q.mayMeet(p.Spec) {
			ids = append(ids, p.Contents...)
		}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	parts := make([][]read, readsAtOnce)
	failed := make([]error, readsAtOnce)
	size := len(ids)/readsAtOnce + 1
	var wait sync.WaitGroup
	for i := range readsAtOnce {
		some := ids[min(i*size, len(ids)):min((i+1)*size, len(ids))]
		wait.Go(func() { parts[i], failed[i] = readFor(ctx, st, q, some) })
	}
	wait.Wait()
	if err := errors.Join(failed...); err != nil {
		return nil, nil, err
	}
	newest := map[reading]int{}
	found := map[reading][]entry{}
	for _, r := range slices.Concat(parts...) {
		if r.reader >= newest[r.reading] {
			newest[r.reading], found[r.reading] = r.reader, r.entries
		}
	}
	entries := map[inventory.ID][]entry{}
	var blobs []inventory.ID
	for r, all := range found {
		if len(all) > 0 {
			entries[r.blob] = append(entries[r.blob], all...)
			blobs = append(blobs, r.blob)
		}
	}
	return entries, blobs, nil
}

// readsAtOnce is how many contents are read at once.
const readsAtOnce = 2

// reading is a content as one format has it.
type reading struct {
	blob   inventory.ID
	format string
}

// read is what a revision of a reader found there.
type read struct {
	reading
	reader  int
	entries []entry
}

// readFor reads contents for what q looks for.
func readFor(ctx context.Context, st *store.Store, q *Query, ids []store.ContentID) ([]read, error) {
	var out []read
	for c, err := range st.Contents(ctx, ids) {
		if err != nil {
			return nil, err
		}
		r := read{reading{c.Blob, c.Format}, c.Reader, nil}
		for i := range c.Len() {
			if p := c.Package(i); q.meets(c, i, p) {
				r.entries = append(r.entries, entry{c.Format, *p, c.Chain(i)})
			}
		}
		out = append(out, r)
	}
	return out, nil
}

// hold adds what a state of a ref holds, the states of a ref in the order in which they were seen.
func hold(at map[place]*Holding, s *inventory.State, t *inventory.Tree, entries map[inventory.ID][]entry) {
	for i := range t.Files {
		f := &t.Files[i]
		blob, err := inventory.ParseID(f.Blob)
		if err != nil {
			continue // of a file whose id is not known
		}
		for _, e := range entries[blob] {
			if e.format != f.Format {
				continue
			}
			key := place{
				repository: s.Repository, ref: s.Name, file: f.Path, name: e.pkg.Name, version: e.pkg.Version, rng: e.pkg.Range,
				alias: e.pkg.Alias, kind: e.pkg.Source.Kind, url: e.pkg.Source.URL, commit: e.pkg.Source.Commit,
			}
			if e.pkg.Address != nil {
				key.addressNamed = *e.pkg.Address
			}
			h := at[key]
			if h == nil {
				h = &Holding{Repository: s.Repository, Ref: s.Name, File: f.Path, FirstSeen: s.FirstSeen}
				at[key] = h
			}
			h.Current = h.Current || s.Current
			if !s.LastSeen.Before(h.LastSeen) {
				h.LastSeen, h.Commit, h.Line, h.Format, h.Blob, h.Package, h.Chain = s.LastSeen, s.Commit, e.pkg.Line, f.Format, blob, e.pkg, e.chain
			}
		}
	}
}

// Blobs are the contents, by blob id, of which the inventory knows that they hold what q looks
// for.
func Blobs(ctx context.Context, st *store.Store, q Query) (map[inventory.ID]bool, error) {
	entries, _, err := entriesOf(ctx, st, &q)
	out := make(map[inventory.ID]bool, len(entries))
	for blob := range entries {
		out[blob] = true
	}
	return out, err
}
