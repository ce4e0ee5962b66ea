// Package lookup asks an inventory: who has a package, what a catalogue meets, what changed
// between two sweeps. It asks nobody else.
//
// Every answer is confirmed on what the contents hold: the index of the store names candidates,
// and a content that it does not name provably has nothing of what was asked for.
package lookup

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/match"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// asked is what a catalogue asks for under one key.
type asked struct {
	names []ioc.Name // packages
	any   bool       // a scope, digest or commit: whoever has the key may have it
}

// candidates is what the index says of a catalogue.
type candidates struct {
	// met are the contents in which an entry may meet the catalogue. Of all others it is certain
	// that none does, a range that admits a listed version included.
	met map[store.ContentID]bool
	// locked are the listed names of which a range is somewhere that admits a listed version, and
	// the contents that lock them, to whatever version.
	locked map[store.ContentID][]ioc.Name
}

// searches is how many questions are asked of the index at once.
const searches = 2

func search(ctx context.Context, st *store.Store, set *ioc.Set) (candidates, error) {
	under := askedBy(set)
	keys := slices.Sorted(maps.Keys(under))
	size := len(keys)/searches + 1
	parts := make([]candidates, searches)
	failed := make([]error, searches)
	var wait sync.WaitGroup
	for i := range searches {
		some := keys[min(i*size, len(keys)):min((i+1)*size, len(keys))]
		wait.Go(func() { parts[i], failed[i] = searchUnder(ctx, st, set, under, some) })
	}
	wait.Wait()
	out := parts[0]
	for _, part := range parts[1:] {
		maps.Copy(out.met, part.met)
		for id, names := range part.locked {
			out.locked[id] = append(out.locked[id], names...)
		}
	}
	return out, errors.Join(failed...)
}

// searchUnder is search under some of the keys.
func searchUnder(ctx context.Context, st *store.Store, set *ioc.Set, under map[uint64]*asked, keys []uint64) (candidates, error) {
	out := candidates{map[store.ContentID]bool{}, map[store.ContentID][]ioc.Name{}}
	met := map[uint64]bool{} // keys under which anything is
	for term, err := range st.Terms(ctx, keys) {
		if err != nil {
			return out, err
		}
		if !met[term.Key] && under[term.Key].meets(set, term.Spec) {
			met[term.Key] = true
		}
	}
	keys = slices.Sorted(maps.Keys(met))
	lockedUnder := map[uint64][][]store.ContentID{}
	ranges := map[uint64]bool{} // keys of names of which a range is met
	for p, err := range st.Find(ctx, keys) {
		if err != nil {
			return out, err
		}
		a := under[p.Key]
		if p.Spec.Locks() && len(a.names) > 0 {
			lockedUnder[p.Key] = append(lockedUnder[p.Key], p.Contents)
		}
		if a.meets(set, p.Spec) {
			if !p.Spec.Locks() {
				ranges[p.Key] = true
			}
			for _, id := range p.Contents {
				out.met[id] = true
			}
		}
	}
	for key := range ranges {
		for _, ids := range lockedUnder[key] {
			for _, id := range ids {
				out.locked[id] = append(out.locked[id], under[key].names...)
			}
		}
	}
	return out, nil
}

func askedBy(set *ioc.Set) map[uint64]*asked {
	under := map[uint64]*asked{}
	at := func(key uint64) *asked {
		if under[key] == nil {
			under[key] = &asked{}
		}
		return under[key]
	}
	for name := range set.Names() {
		if name.Namespace {
			at(inventory.ScopeKey(name.Name)).any = true
			continue
		}
		a := at(inventory.NameKey(name.Ecosystem, name.Name))
		if !slices.Contains(a.names, name) { // another layer has it too
			a.names = append(a.names, name)
		}
	}
	for prefix := range set.DigestPrefixes() {
		at(inventory.DigestKey(prefix)).any = true
	}
	for begin := range set.CommitKeys() {
		at(inventory.CommitKey(begin)).any = true
	}
	return under
}

// meets reports whether an entry that the spec describes may meet the catalogue by its name. One
// of Go whose name differs by letter case meets no more than the listed name itself would.
func (a *asked) meets(set *ioc.Set, spec inventory.Spec) bool {
	if a.any {
		return true
	}
	for _, name := range a.names {
		p, whole, ok := spec.Entry(name.Ecosystem, name.Name)
		if !ok {
			continue
		}
		if !whole {
			return true
		}
		if match.MayMeet(set, &p) {
			return true
		}
	}
	return false
}
