package store

import (
	"context"
	"slices"

	"github.com/wormsweep/wormsweep/internal/finding"
)

// Unread are the repositories that are not gone and that the last run that saw them did not read
// whole, by name. What is excluded does not count.
func (s *Store) Unread(ctx context.Context) ([]string, error) {
	var out []string
	older := false // a run was of a version that did not say so
	rows, err := s.read.QueryContext(ctx, "SELECT name, told_run <> last_run FROM inv_repository WHERE gone = 0 AND (unread_run = last_run OR told_run <> last_run)")
	var failed error
	each(rows, err, func() error {
		var name []byte
		var untold bool
		err := rows.Scan(&name, &untold)
		if older = older || untold; !untold {
			out = append(out, string(name))
		}
		return err
	}, func(err error) { failed = err })
	if failed == nil && older {
		failed = s.unreadBefore(ctx, func(name string) { out = append(out, name) })
	}
	if failed != nil {
		return nil, s.failed("list what was not read", failed)
	}
	slices.Sort(out)
	return out, nil
}

// unreadBefore yields those of which the last run was one of a version that did not say so.
func (s *Store) unreadBefore(ctx context.Context, yield func(name string)) error {
	rows, err := s.read.QueryContext(ctx, `SELECT r.id, r.name, e.kind, e.body FROM inv_repository r
		JOIN inv_run_event l ON l.run = r.last_run AND l.repository = r.id
		JOIN inv_event e ON e.id = l.event AND e.kind = 'problem'
		WHERE r.gone = 0 AND r.told_run <> r.last_run ORDER BY r.id`)
	var failed error
	last := int64(0)
	each(rows, err, func() error {
		var id int64
		var name, body []byte
		var kind string
		if err := rows.Scan(&id, &name, &kind, &body); err != nil {
			return err
		}
		e, err := decodeEvent(kind, body)
		if p, ok := e.(*finding.Problem); err == nil && ok && p.Exclusion == nil && id != last {
			yield(string(name))
			last = id
		}
		return err
	}, func(err error) { failed = err })
	return failed
}
