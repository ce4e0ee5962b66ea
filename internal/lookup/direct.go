package lookup

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/internal/sweep"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// Direct is a sweep's memory (sweep.Memory) in a store, for runs that look at a few trees: it
// loads nothing ahead, and asks the store for each tree and content that it is asked for. Several
// runs with one catalogue may share it, one after the other.
//
// What a run saw is taken as told (inventory.Sighting.Told): it says nothing about what else there
// is of the repository.
type Direct struct {
	store     *store.Store
	selection string

	mu       sync.Mutex
	trees    map[inventory.ID]*inventory.Tree
	contents map[inventory.Key]*inventory.Content
	batch    inventory.Batch
}

var _ sweep.Memory = (*Direct)(nil)

// NewDirect makes the memory of runs that look for set.
func NewDirect(st *store.Store, set *ioc.Set) *Direct {
	return &Direct{
		store: st, selection: inventory.Selection(set),
		trees: map[inventory.ID]*inventory.Tree{}, contents: map[inventory.Key]*inventory.Content{},
	}
}

// Tree is the tree of that root as it was listed for the catalogue, nil where it is not known.
func (d *Direct) Tree(ctx context.Context, root inventory.ID) (*inventory.Tree, error) {
	d.mu.Lock()
	t := d.trees[root]
	d.mu.Unlock()
	if t != nil {
		return t, nil
	}
	trees, err := d.store.Trees(ctx, []inventory.ID{root}, d.selection)
	return trees[root], err
}

// Content is what a content held, whole where it is known.
func (d *Direct) Content(ctx context.Context, key inventory.Key, _ bool) (*inventory.Content, inventory.Summary, bool, error) {
	d.mu.Lock()
	c := d.contents[key]
	d.mu.Unlock()
	if c == nil {
		var err error
		if c, err = d.store.Content(ctx, key); c == nil || err != nil {
			return nil, inventory.Summary{}, false, err
		}
		d.mu.Lock()
		d.contents[key] = c
		d.mu.Unlock()
	}
	return c, c.Summary(), true, nil
}

// Keep takes what was seen of a repository.
func (d *Direct) Keep(_ context.Context, kept sweep.Kept) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, t := range kept.Trees {
		t.Selection = d.selection
		d.trees[t.Root] = t
	}
	d.batch.Trees = append(append(d.batch.Trees, kept.Trees...), kept.Partial...)
	for _, c := range kept.Contents {
		d.contents[c.Key] = c
	}
	d.batch.Contents = append(d.batch.Contents, kept.Contents...)
	if s := kept.Sighting; s != nil {
		s.Told = true
		d.batch.Repositories = append(d.batch.Repositories, s)
	}
	return nil
}

// Write writes what was kept. Of what was seen of repositories it writes the refs for which keep
// says so, and nothing of a repository without any.
func (d *Direct) Write(ctx context.Context, keep func(ref string) bool) error {
	d.mu.Lock()
	batch := d.batch
	d.batch = inventory.Batch{}
	d.mu.Unlock()
	var told []*inventory.Sighting
	for _, s := range batch.Repositories {
		s.Refs = slices.DeleteFunc(s.Refs, func(r inventory.Ref) bool { return !keep(r.Name) })
		if len(s.Refs) > 0 {
			told = append(told, s)
		}
	}
	batch.Repositories = told
	batch.Trees = once(batch.Trees)
	if len(batch.Contents)+len(batch.Trees)+len(batch.Repositories) == 0 {
		return nil
	}
	return d.store.Write(ctx, 0, &batch)
}

// once are the trees, each root once, the last of each.
func once(trees []*inventory.Tree) []*inventory.Tree {
	byRoot := map[inventory.ID]*inventory.Tree{}
	for _, t := range trees {
		if old := byRoot[t.Root]; old == nil || t.Selection != "" {
			byRoot[t.Root] = t
		}
	}
	return slices.Collect(maps.Values(byRoot))
}
