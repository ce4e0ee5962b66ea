package lookup

import (
	"context"
	"sync"

	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/internal/sweep"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/lockfile/formats"
)

// Memory is a sweep's memory (sweep.Memory) in a store. It is made for one run and one catalogue.
type Memory struct {
	store     *store.Store
	run       inventory.RunID
	selection string // of trees
	basis     int64  // of what is said in brief
	candidates

	mu      sync.Mutex
	known   map[inventory.Key]store.Known        // contents as they were when the run began
	batch   inventory.Batch                      // not written yet
	entries int                                  // of its contents
	pending map[inventory.ID]*inventory.Tree     // its trees, by root
	content map[inventory.Key]*inventory.Content // its contents
}

var (
	_ sweep.Memory = (*Memory)(nil)
	_ sweep.Locker = (*Memory)(nil)
)

// What is written together: so many repositories, or so many entries of contents, whichever is
// first. What is not written when a run is killed is read again by the next.
const (
	repositoriesAtOnce = 50
	entriesAtOnce      = 50_000
)

// NewMemory makes the memory of a run that looks for set.
func NewMemory(ctx context.Context, st *store.Store, run inventory.RunID, set *ioc.Set) (*Memory, error) {
	m := newMemory(st, run, set)
	// Summaries first: what is written meanwhile is not known, and so is read.
	if err := m.knowAll(ctx); err != nil {
		return nil, err
	}
	var err error
	m.candidates, err = search(ctx, st, set)
	return m, err
}

func newMemory(st *store.Store, run inventory.RunID, set *ioc.Set) *Memory {
	return &Memory{
		store: st, run: run, selection: inventory.Selection(set), basis: inventory.BriefBasis(set),
		known: map[inventory.Key]store.Known{}, pending: map[inventory.ID]*inventory.Tree{}, content: map[inventory.Key]*inventory.Content{},
	}
}

// knowAll takes the summaries of all contents.
func (m *Memory) knowAll(ctx context.Context) error {
	for k, err := range m.store.Summaries(ctx, formats.Revision) {
		if err != nil {
			return err
		}
		m.known[k.Key] = k
	}
	return nil
}

// Locked are the listed names that a content locks, to whatever version: see sweep.Locker.
func (m *Memory) Locked(key inventory.Key) []ioc.Name {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.locked[m.known[key].ID]
}

// Tree is the tree of that root as it was listed for the catalogue, nil where it is not known.
func (m *Memory) Tree(ctx context.Context, root inventory.ID) (*inventory.Tree, error) {
	m.mu.Lock()
	t := m.pending[root]
	m.mu.Unlock()
	if t != nil {
		return t, nil
	}
	trees, err := m.store.Trees(ctx, []inventory.ID{root}, m.selection)
	return trees[root], err
}

// Content is what a content held: see sweep.Memory.
func (m *Memory) Content(ctx context.Context, key inventory.Key, whole bool) (c *inventory.Content, sum inventory.Summary, known bool, err error) {
	m.mu.Lock()
	c = m.content[key]
	k, ok := m.known[key]
	m.mu.Unlock()
	if c != nil {
		return c, c.Summary(), true, nil
	}
	if ok && !whole && !m.whole(k) {
		return nil, k.Summary, true, nil
	}
	if !ok && !whole {
		return nil, inventory.Summary{}, false, nil
	}
	c, err = m.store.Content(ctx, key)
	if c == nil || err != nil {
		return nil, inventory.Summary{}, false, err
	}
	return c, c.Summary(), true, nil
}

// whole reports whether a content is told with all that it holds: it may be met, or has more to tell
// than its summary.
func (m *Memory) whole(k store.Known) bool { return m.met[k.ID] || k.Problems > 0 || k.Includes > 0 }

// Keep takes what was seen of a repository, and writes when there is enough of it.
func (m *Memory) Keep(ctx context.Context, kept sweep.Kept) error {
	m.mu.Lock()
	for _, t := range kept.Trees {
		t.Selection = m.selection
		m.pending[t.Root] = t
		m.batch.Trees = append(m.batch.Trees, t)
	}
	m.batch.Trees = append(m.batch.Trees, kept.Partial...) // without a selection, so that Tree does not give them
	for _, c := range kept.Contents {
		m.content[c.Key] = c
		m.batch.Contents = append(m.batch.Contents, c)
		m.entries += c.Len()
	}
	if kept.Sighting != nil {
		kept.Sighting.Basis = m.basis
		m.batch.Repositories = append(m.batch.Repositories, kept.Sighting)
	}
	enough := len(m.batch.Repositories) >= repositoriesAtOnce || m.entries >= entriesAtOnce
	m.mu.Unlock()
	if !enough {
		return nil
	}
	return m.Flush(ctx)
}

// Flush writes what was kept. It is to be called at the end of a run, before store.Store.Finish.
func (m *Memory) Flush(ctx context.Context) error {
	m.mu.Lock()
	batch := m.batch
	m.mu.Unlock()
	if len(batch.Contents)+len(batch.Trees)+len(batch.Repositories) == 0 {
		return nil
	}
	err := m.store.Write(ctx, m.run, &batch)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.batch, m.entries = inventory.Batch{}, 0
	clear(m.pending)
	clear(m.content)
	return err
}
