package cli

import (
	"context"
	"time"

	"github.com/wormsweep/wormsweep/internal/exclusion"
	"github.com/wormsweep/wormsweep/internal/incident"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/internal/sweep"
)

// withDeclared adds to the exclusions of a file, nil for none, those that people declared in comments
// on incidents, which lie in the inventory: of one organisation, or of all for "". It is nil where there
// are neither.
func withDeclared(ctx context.Context, st *store.Store, organisation string, file *exclusion.Set) (*exclusion.Set, error) {
	if st == nil {
		return file, nil
	}
	declared, err := incident.Exclusions(ctx, st.Records(exclusionRecords), organisation, time.Now())
	if err != nil || declared == nil {
		return file, err
	}
	return exclusion.Join(file, declared), nil
}

// exclude has a sweep live with what people declared in comments as well.
func exclude(ctx context.Context, st *store.Store, organisation string, opt *sweep.Options) error {
	file, _ := opt.Exclusions.(*exclusion.Set) // nil where there is no file
	set, err := withDeclared(ctx, st, organisation, file)
	if set != nil {
		opt.Exclusions = set
	}
	return err
}

// exclusionRecords is the kind of records in which exclusions by commands are kept.
const exclusionRecords = "exclusion"
