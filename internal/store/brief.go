package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"

	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/pkg/lockfile/formats"
)

// RowID names a repository in a store.
type RowID int64

// Brief is a repository with what is said of it in brief.
type Brief struct {
	Row RowID
	inventory.Repository
	Body []byte // inventory.Brief, encoded; nil where none holds good
}

// Briefs are the repositories that are not gone, by name, with what is said of them for a catalogue of
// that basis by the last run that saw them. None holds good where a newer reader has been: it takes
// away what this one made of contents.
func (s *Store) Briefs(ctx context.Context, basis int64) ([]Brief, error) {
	newer, err := one(ctx, s.read, "SELECT 1 FROM inv_content WHERE reader > $1 LIMIT 1", []any{formats.Revision}, new(int))
	if err != nil {
		return nil, s.failed("look for newer readers", err)
	}
	var out []Brief
	rows, err := s.read.QueryContext(ctx, `SELECT id, server, number, name,
		CASE WHEN brief_run = last_run AND brief_basis = $1 THEN brief END FROM inv_repository WHERE gone = 0`, basis)
	var failed error
	each(rows, err, func() error {
		var b Brief
		var name []byte
		if err := rows.Scan(&b.Row, &b.Server, &b.Number, &name, &b.Body); err != nil {
			return err
		}
		if b.Name = string(name); newer {
			b.Body = nil
		}
		out = append(out, b)
		return nil
	}, func(err error) { failed = err })
	if failed != nil {
		return nil, s.failed("list the repositories in brief", failed)
	}
	slices.SortFunc(out, func(a, b Brief) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Row, b.Row)) })
	return out, nil
}

// writeBrief keeps what the run says in brief of a repository that it wrote, unless the store has
// more or less than what that rests on: refs of other selections, trees or contents that were not
// kept.
func (r *encodedSighting) writeBrief(ctx context.Context, tx *sql.Tx, repository int64, run inventory.RunID) error {
	whole, err := r.restsOnAll(ctx, tx, repository)
	if err != nil || !whole {
		return err
	}
	_, err = tx.ExecContext(ctx, "UPDATE inv_repository SET brief = $1, brief_basis = $2, brief_run = $3 WHERE id = $4", r.brief, r.Basis, int64(run), repository)
	return err
}

func (r *encodedSighting) restsOnAll(ctx context.Context, tx *sql.Tx, repository int64) (bool, error) {
	var refs int
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM inv_ref WHERE repository = $1 AND current = 1", repository).Scan(&refs); err != nil {
		return false, err
	}
	if refs != len(r.Refs) {
		return false, nil
	}
	roots := map[inventory.ID]bool{}
	for _, ref := range r.Refs {
		if roots[ref.Root] {
			continue
		}
		roots[ref.Root] = true
		there, err := one(ctx, tx, "SELECT 1 FROM inv_tree WHERE root = $1 AND selection <> ''", []any{ref.Root[:]}, new(int))
		if err != nil || !there {
			return false, err
		}
	}
	for i := range r.Brief.Trees {
		for j := range r.Brief.Trees[i].Files {
			f := &r.Brief.Trees[i].Files[j]
			there, err := one(ctx, tx, "SELECT 1 FROM inv_content WHERE blob = $1 AND format = $2 AND reader = $3",
				[]any{f.Blob[:], f.Format, formats.Revision}, new(int))
			if err != nil || !there {
				return false, err
			}
		}
	}
	return true, nil
}

// forgetBriefs is called where a tree takes the place of another with its root: it may have been
// listed for other indicators.
func forgetBriefs(ctx context.Context, tx *sql.Tx, root inventory.ID) error {
	_, err := tx.ExecContext(ctx, `UPDATE inv_repository SET brief = NULL
		WHERE brief IS NOT NULL AND id IN (SELECT repository FROM inv_ref WHERE root = $1 AND current = 1)`, root[:])
	return err
}
