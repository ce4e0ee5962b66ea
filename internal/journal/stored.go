package journal

import (
	"context"
	"fmt"
)

// maxHooks bounds the webhooks whose deliveries are told apart. An App has one; another number
// comes with another App on the same database.
const maxHooks = 64

// Stored reports of deliveries, by the id in X-GitHub-Delivery, whether they were stored, by
// whichever webhook they came and whatever became of them.
func (j *Journal) Stored(ctx context.Context, ids []string) (map[string]bool, error) {
	var hooks []int64
	for last := int64(-1); len(hooks) < maxHooks; { // one step in the index for each
		var hook *int64
		if _, err := j.db.One(ctx, "SELECT min(hook) FROM app_delivery WHERE hook > $1", []any{last}, &hook); err != nil {
			return nil, fmt.Errorf("look for deliveries: %w", err)
		}
		if hook == nil {
			break
		}
		hooks, last = append(hooks, *hook), *hook
	}
	stored := make(map[string]bool, len(ids))
	for _, id := range ids {
		for _, hook := range hooks {
			known, err := j.Known(ctx, hook, id)
			if err != nil {
				return nil, err
			}
			stored[id] = stored[id] || known
		}
	}
	return stored, nil
}
