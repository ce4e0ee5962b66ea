package store

import (
	"context"
	"database/sql"

	"github.com/wormsweep/wormsweep/internal/inventory"
)

// writeTold keeps what somebody told of refs of a repository (inventory.Sighting.Told). What the
// last run said of it in brief holds good no more; a problem, or a state whose tree is not known,
// makes it one that was not read whole, and that it was, only the next run can say.
func (r *encodedSighting) writeTold(ctx context.Context, tx *sql.Tx, run inventory.RunID, now int64) error {
	repo := &r.Repository
	problem := 0
	if r.unread() || len(r.Shown.Problems) > 0 {
		problem = 1
	}
	var id int64
	where, args := rowOf(repo)
	there, err := one(ctx, tx, "SELECT id FROM inv_repository "+where, args, &id)
	if err != nil {
		return err
	}
	if there {
		_, err = tx.ExecContext(ctx, `UPDATE inv_repository SET name = $1, last_seen = $2, gone = 0, brief = NULL,
			unread_run = CASE WHEN $3 = 1 THEN last_run ELSE unread_run END WHERE id = $4`, []byte(repo.Name), now, problem, id)
	} else {
		var nothing []byte
		if nothing, err = (&inventory.Shown{}).Encode(); err != nil {
			return err
		}
		unread := int64(run) - 1 // of another run than the last
		if problem == 1 {
			unread = int64(run)
		}
		err = tx.QueryRowContext(ctx, `INSERT INTO inv_repository (server, number, name, first_seen, last_seen, last_run, shown, told_run, unread_run)
			VALUES ($1, $2, $3, $4, $4, $5, $6, $5, $7) RETURNING id`,
			repo.Server, repo.Number, []byte(repo.Name), now, int64(run), nothing, unread).Scan(&id)
	}
	if err != nil {
		return err
	}
	for i := range r.Refs {
		whole, err := r.toldRef(ctx, tx, id, &r.Refs[i], run, now)
		if err == nil && !whole {
			_, err = tx.ExecContext(ctx, "UPDATE inv_repository SET unread_run = last_run WHERE id = $1", id)
		}
		if err != nil {
			return err
		}
	}
	for _, name := range r.Gone {
		if _, err := tx.ExecContext(ctx, "UPDATE inv_ref SET current = 0, told = $1 WHERE repository = $2 AND current = 1 AND name = $3", r.asked(now), id, []byte(name)); err != nil {
			return err
		}
	}
	return nil
}

// toldRef marks the state of a ref as seen, or begins a new one in its place: what selects the ref,
// and where it stands among others, is for the runs that list them to say. whole says that its tree
// is known.
func (r *encodedSighting) toldRef(ctx context.Context, tx *sql.Tx, repository int64, ref *inventory.Ref, run inventory.RunID, now int64) (whole bool, err error) {
	var id, position int64
	var commit, root []byte
	selection := r.Selection
	there, err := one(ctx, tx, "SELECT id, commit_id, root, selection, position FROM inv_ref WHERE repository = $1 AND current = 1 AND name = $2",
		[]any{repository, []byte(ref.Name)}, &id, &commit, &root, &selection, &position)
	if err != nil {
		return false, err
	}
	known := ref.Root != inventory.ID{}
	if there && string(commit) == ref.Commit {
		if known {
			root = ref.Root[:]
		} else if root == nil { // as the driver gives one that is empty
			root = []byte{}
		}
		_, err = tx.ExecContext(ctx, "UPDATE inv_ref SET last_seen = $1, root = $2, told = $3 WHERE id = $4", now, root, r.asked(now), id)
		return len(root) > 0, err
	}
	if there {
		if _, err := tx.ExecContext(ctx, "UPDATE inv_ref SET current = 0 WHERE id = $1", id); err != nil {
			return false, err
		}
	} else {
		position = afterAll
	}
	if root = []byte{}; known {
		root = ref.Root[:]
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO inv_ref (repository, name, commit_id, root, selection, first_seen, last_seen, first_run, last_run, current, position, told)
		VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $7, 1, $8, $9)`,
		repository, []byte(ref.Name), []byte(ref.Commit), root, selection, now, int64(run), position, r.asked(now))
	return known, err
}

// afterAll is the position of a ref that no run has listed yet.
const afterAll = 1 << 30

// Ref is the state of a ref of a repository; ok is false where none is known that is current.
func (s *Store) Ref(ctx context.Context, repo inventory.Repository, name string) (st inventory.State, ok bool, err error) {
	where, args := rowOf(&repo)
	var id, first, last int64
	var commit, root []byte
	ok, err = one(ctx, s.read, "SELECT id FROM inv_repository "+where, args, &id)
	if err == nil && ok {
		ok, err = one(ctx, s.read, "SELECT commit_id, root, first_seen, last_seen FROM inv_ref WHERE repository = $1 AND current = 1 AND name = $2",
			[]any{id, []byte(name)}, &commit, &root, &first, &last)
	}
	if err == nil && ok && len(root) > 0 {
		st.Root, err = toID(root)
	}
	if err != nil || !ok {
		return inventory.State{}, false, s.failed("look up a ref", err)
	}
	st.Repository, st.Name, st.Commit, st.Current = repo, name, string(commit), true
	st.FirstSeen, st.LastSeen = fromMillis(first), fromMillis(last)
	return st, true, nil
}
