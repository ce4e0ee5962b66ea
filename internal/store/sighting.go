package store

import (
	"bytes"
	"context"
	"database/sql"
	"slices"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/source"
)

// write keeps what a run saw of a repository.
func (r *encodedSighting) write(ctx context.Context, tx *sql.Tx, run inventory.RunID, now int64) error {
	if r.Told {
		return r.writeTold(ctx, tx, run, now)
	}
	id, known, err := r.repository(ctx, tx, run, now)
	if err != nil {
		return err
	}
	for i := range r.Refs {
		newer, err := r.outdated(ctx, tx, id, r.Refs[i].Name, now)
		if newer {
			err = r.listed(ctx, tx, id, i, run)
		} else if err == nil {
			err = r.ref(ctx, tx, id, i, run, now)
		}
		if err != nil {
			return err
		}
	}
	if !r.unsure() { // else some may be there that were not shown
		// What this run asked for and did not see is gone.
		_, err = tx.ExecContext(ctx, `UPDATE inv_ref SET current = 0
			WHERE repository = $1 AND current = 1 AND last_run <> $2 AND (selection = $3 OR $3 = 'all') AND told <= $4`, id, int64(run), r.Selection, r.asked(now))
		if err != nil {
			return err
		}
	}
	if r.brief != nil && !known {
		if err := r.writeBrief(ctx, tx, id, run); err != nil {
			return err
		}
	}
	return r.writeEvents(ctx, tx, id, run)
}

// unsure reports whether something kept the run from all refs that it asked for.
func (r *encodedSighting) unsure() bool {
	return len(r.Shown.Problems) > 0 ||
		slices.ContainsFunc(r.Notes, func(n source.Note) bool { return n.Code == source.CodePermission })
}

// asked is when the server was asked for the refs.
func (r *encodedSighting) asked(now int64) int64 {
	if r.Asked.IsZero() {
		return now
	}
	return millis(r.Asked)
}

// outdated reports whether somebody told something newer of a ref of the repository, of any where
// name is "".
func (r *encodedSighting) outdated(ctx context.Context, tx *sql.Tx, repository int64, name string, now int64) (bool, error) {
	var newer int
	_, err := one(ctx, tx, "SELECT count(*) FROM inv_ref WHERE repository = $1 AND told > $2 AND (name = $3 OR $4 = 0)",
		[]any{repository, r.asked(now), []byte(name), len(name)}, &newer)
	return newer > 0, err
}

// listed says of the i-th ref that the run listed it, and leaves what it names: that is newer. One
// that went since stays gone.
func (r *encodedSighting) listed(ctx context.Context, tx *sql.Tx, repository int64, i int, run inventory.RunID) error {
	_, err := tx.ExecContext(ctx, "UPDATE inv_ref SET last_run = $1, selection = $2, position = $3 WHERE repository = $4 AND current = 1 AND name = $5",
		int64(run), r.Selection, i, repository, []byte(r.Refs[i].Name))
	return err
}

// repository finds the row of the repository, by its number where it has one, or makes it. Known says
// that what the row says of it in brief is what this run says, and holds good on. Where somebody told
// of a ref since this run asked, what it says in brief is of yesterday, and is not kept; nor does the
// run say then that the repository was read, where it was not.
func (r *encodedSighting) repository(ctx context.Context, tx *sql.Tx, run inventory.RunID, now int64) (id int64, known bool, err error) {
	repo := &r.Repository
	const columns = "SELECT id, last_run, unread_run, brief_run, brief_basis, brief FROM inv_repository "
	where, args := rowOf(repo)
	query := columns + where
	unread := int64(0) // by no run
	if r.unread() {
		unread = int64(run)
	}
	var lastRun, unreadRun, briefRun, basis int64
	var brief []byte
	there, err := one(ctx, tx, query, args, &id, &lastRun, &unreadRun, &briefRun, &basis, &brief)
	if err != nil {
		return 0, false, err
	}
	if !there {
		err = tx.QueryRowContext(ctx, `INSERT INTO inv_repository (server, number, name, first_seen, last_seen, last_run, shown, told_run, unread_run)
			VALUES ($1, $2, $3, $4, $4, $5, $6, $5, $7) RETURNING id`,
			repo.Server, repo.Number, []byte(repo.Name), now, int64(run), r.shown, unread).Scan(&id)
		return id, false, err
	}
	newer, err := r.outdated(ctx, tx, id, "", now)
	if err != nil {
		return 0, false, err
	}
	if newer {
		r.brief = nil
		if unreadRun == lastRun {
			unread = int64(run)
		}
	}
	known = r.brief != nil && briefRun == lastRun && basis == r.Basis && bytes.Equal(brief, r.brief)
	good := int64(0) // no run
	if known {
		good = int64(run)
	}
	_, err = tx.ExecContext(ctx, `UPDATE inv_repository SET name = $1, last_seen = $2, last_run = $3, shown = $4, gone = 0,
		brief_run = $5, told_run = $3, unread_run = $6 WHERE id = $7`,
		[]byte(repo.Name), now, int64(run), r.shown, good, unread, id)
	return id, known, err
}

// rowOf says which row is that of a repository.
func rowOf(repo *inventory.Repository) (where string, args []any) {
	switch {
	case repo.Number == 0 && repo.Server == "":
		return "WHERE server = $1 AND name = $2 AND number = 0", []any{repo.Server, []byte(repo.Name)}
	case repo.Number == 0: // one that its server did not show: it is the last that had the name
		return "WHERE server = $1 AND name = $2 ORDER BY gone, last_seen DESC, id DESC LIMIT 1", []any{repo.Server, []byte(repo.Name)}
	}
	return "WHERE server = $1 AND number = $2 AND number <> 0", []any{repo.Server, repo.Number}
}

// unread reports whether the run had a problem in the repository. What is excluded does not count.
func (r *encodedSighting) unread() bool {
	return slices.ContainsFunc(r.Events, func(e finding.Event) bool {
		p, ok := e.(*finding.Problem)
		return ok && p.Exclusion == nil
	})
}

// ref marks the state of the i-th ref as seen, or begins a new one.
func (r *encodedSighting) ref(ctx context.Context, tx *sql.Tx, repository int64, i int, run inventory.RunID, now int64) error {
	ref := &r.Refs[i]
	var id int64
	var commit, root []byte
	there, err := one(ctx, tx, "SELECT id, commit_id, root FROM inv_ref WHERE repository = $1 AND current = 1 AND name = $2",
		[]any{repository, []byte(ref.Name)}, &id, &commit, &root)
	if err != nil {
		return err
	}
	same := there && string(commit) == ref.Commit
	switch {
	case ref.Root != inventory.ID{}:
		root = ref.Root[:]
	case !same || len(root) == 0: // which the driver gives as nil
		root = []byte{}
	}
	if same {
		_, err = tx.ExecContext(ctx, "UPDATE inv_ref SET last_seen = $1, last_run = $2, selection = $3, root = $4, position = $5 WHERE id = $6",
			now, int64(run), r.Selection, root, i, id)
		return err
	}
	if there {
		if _, err := tx.ExecContext(ctx, "UPDATE inv_ref SET current = 0 WHERE id = $1", id); err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO inv_ref (repository, name, commit_id, root, selection, first_seen, last_seen, first_run, last_run, current, position)
		VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $7, 1, $8)`,
		repository, []byte(ref.Name), []byte(ref.Commit), root, r.Selection, now, int64(run), i)
	return err
}

// writeEvents keeps what the run found in the repository, in the place of what it found there
// before, and marks it as done.
func (r *encodedSighting) writeEvents(ctx context.Context, tx *sql.Tx, repository int64, run inventory.RunID) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO inv_run_repository (run, repository, name) VALUES ($1, $2, $3)
		ON CONFLICT (run, repository) DO UPDATE SET name = excluded.name`, int64(run), repository, []byte(r.Repository.Name))
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM inv_run_event WHERE run = $1 AND repository = $2", int64(run), repository); err != nil {
		return err
	}
	for i, e := range r.events {
		var id int64
		there, err := one(ctx, tx, "SELECT id FROM inv_event WHERE digest = $1", []any{e.digest[:]}, &id)
		if err != nil {
			return err
		}
		if !there {
			err := tx.QueryRowContext(ctx, "INSERT INTO inv_event (digest, kind, body) VALUES ($1, $2, $3) RETURNING id", e.digest[:], e.kind, e.body).Scan(&id)
			if err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO inv_run_event (run, repository, position, event) VALUES ($1, $2, $3, $4)", int64(run), repository, i, id)
		if err != nil {
			return err
		}
	}
	return nil
}
