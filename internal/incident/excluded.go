package incident

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/exclusion"
)

// Exclusions gives what people declared false by commands in an organisation, or in all for "". It is
// nil where there is nothing. What does not read back is an error: it may hold what ended.
func Exclusions(ctx context.Context, store Store, organisation string, now time.Time) (*exclusion.Set, error) {
	keys := []string{strings.ToLower(organisation)}
	if organisation == "" {
		var err error
		if keys, err = store.Keys(ctx, ""); err != nil {
			return nil, fmt.Errorf("exclusions by commands: %w", err)
		}
	}
	var sets []*exclusion.Set
	for _, key := range keys {
		data, version, err := store.Load(ctx, key)
		if err == nil && version > 0 {
			var set *exclusion.Set
			set, err = exclusion.Load("commands in the issues of "+key, data, now)
			sets = append(sets, set)
		}
		if err != nil {
			return nil, fmt.Errorf("exclusions by commands in %q: %w", key, err)
		}
	}
	if len(sets) == 0 {
		return nil, nil //nolint:nilnil // nothing is excluded
	}
	return exclusion.Join(sets...), nil
}
