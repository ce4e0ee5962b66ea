package lookup

import (
	"context"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/internal/sweep"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// RematchWhole is Rematch that judges every repository.
func RematchWhole(ctx context.Context, st *store.Store, opt sweep.Options, emit func(finding.Event) error) (*finding.Summary, error) {
	return rematch(ctx, st, opt, false, emit)
}

// InBrief counts the repositories, and those that Rematch tells in brief.
func InBrief(ctx context.Context, st *store.Store, set *ioc.Set) (all, brief int, err error) {
	s, err := newStored(ctx, st, set, true)
	if err != nil {
		return 0, 0, err
	}
	for repo, err := range s.repositories(ctx) {
		if err != nil {
			return 0, 0, err
		}
		all++
		if s.Brief(repo) != nil {
			brief++
		}
	}
	return all, brief, nil
}
