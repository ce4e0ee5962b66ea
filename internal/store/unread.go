package store

import (
	"context"

	"github.com/wormsweep/wormsweep/internal/finding"
)

// Unread are the repositories that are not gone and that the last run that saw them did not read
// whole, by name. What is excluded does not count.
func (s *Store) Unread(ctx context.Context) ([]string, error) {
	var out []string
	rows, err := s.read.QueryContext(ctx, `SELECT r.id, r.name, e.kind, e.body FROM inv_repository r
		JOIN inv_run_event l ON l.run = r.last_run AND l.repository = r.id
		JOIN inv_event e ON e.id = l.event AND e.kind = 'problem'
		WHERE r.gone = 0 ORDER BY r.name, r.id`)
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
			out, last = append(out, string(name)), id
		}
		return err
	}, func(err error) { failed = err })
	if failed != nil {
		return nil, s.failed("list what was not read", failed)
	}
	return out, nil
}
