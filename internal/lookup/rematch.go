package lookup

import (
	"context"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/internal/sweep"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// Rematch is a sweep with opt over what the inventory has, for a new catalogue: its events are
// those that a sweep of the same refs would emit, and nothing is asked of anybody. Memory and
// Selection of opt are not used. Nothing is written to the inventory.
func Rematch(ctx context.Context, st *store.Store, opt sweep.Options, emit func(finding.Event) error) (*finding.Summary, error) {
	if opt.Set == nil {
		opt.Set = &ioc.Set{}
	}
	memory, err := NewMemory(ctx, st, 0, opt.Set)
	if err != nil {
		return nil, err
	}
	all := &stored{Memory: memory, trees: map[inventory.ID]*counted{}}
	opt.Memory, opt.Selection = all, ""
	return sweep.Run(ctx, all.repositories(ctx), opt, emit)
}
