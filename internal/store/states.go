package store

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/inventory"
)

// RepositoryState is a repository as it was last seen.
type RepositoryState struct {
	inventory.Repository
	inventory.Shown
	Refs     []inventory.State // those that are current, in the order of the last sweep
	LastSeen time.Time
	LastRun  inventory.RunID
}

const stateColumns = `r.id, f.id, r.server, r.number, r.name, f.name, f.commit_id, f.root, f.first_seen, f.last_seen, f.first_run, f.last_run, f.current`

// scannedState is a state with the numbers of its rows.
type scannedState struct {
	repository, ref int64
	inventory.State
}

func scanState(rows *sql.Rows) (st scannedState, err error) {
	var repository, name, commit, root []byte
	var first, last int64
	var current int
	err = rows.Scan(&st.repository, &st.ref, &st.Repository.Server, &st.Repository.Number, &repository, &name, &commit, &root,
		&first, &last, &st.FirstRun, &st.LastRun, &current)
	if err != nil {
		return st, err
	}
	st.Repository.Name, st.Name, st.Commit = string(repository), string(name), string(commit)
	st.FirstSeen, st.LastSeen, st.Current = fromMillis(first), fromMillis(last), current != 0
	if len(root) > 0 {
		st.Root, err = toID(root)
	}
	return st, err
}

// States are the states of refs whose tree holds one of the blobs in scope: those that are current,
// or with history all that are kept. They come by repository and ref, and those of a ref in the order
// in which they were first seen.
func (s *Store) States(ctx context.Context, blobs []inventory.ID, history bool) ([]inventory.State, error) {
	found := map[int64]inventory.State{}
	blobs = slices.Clone(blobs)
	slices.SortFunc(blobs, func(a, b inventory.ID) int { return bytes.Compare(a[:], b[:]) })
	which := " AND f.current = 1"
	if history {
		which = ""
	}
	err := chunks(s.dialect, slices.Compact(blobs), func(id inventory.ID) any { return id[:] }, func(args []any) error {
		rows, err := s.query(ctx, "SELECT "+stateColumns+` FROM inv_ref f JOIN inv_repository r ON r.id = f.repository
			WHERE f.root IN (SELECT t.root FROM inv_held h JOIN inv_tree t ON t.id = h.tree WHERE h.blob IN `+list(args)+")"+which, args...)
		var failed error
		each(rows, err, func() error {
			st, err := scanState(rows)
			found[st.ref] = st.State
			return err
		}, func(err error) { failed = err })
		return failed
	})
	if err != nil {
		return nil, s.failed("look up who holds a content", err)
	}
	ids := make([]int64, 0, len(found))
	for id := range found {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b int64) int {
		x, y := found[a], found[b]
		return cmp.Or(strings.Compare(x.Repository.Name, y.Repository.Name), strings.Compare(x.Repository.Server, y.Repository.Server),
			cmp.Compare(x.Repository.Number, y.Repository.Number), strings.Compare(x.Name, y.Name), cmp.Compare(a, b))
	})
	out := make([]inventory.State, len(ids))
	for i, id := range ids {
		out[i] = found[id]
	}
	return out, nil
}

// RepositoriesOf are the repositories with those rows that are there, with their refs, by row.
func (s *Store) RepositoriesOf(ctx context.Context, rows []RowID) (map[RowID]*RepositoryState, error) {
	out := make(map[RowID]*RepositoryState, len(rows))
	err := chunks(s.dialect, rows, func(row RowID) any { return int64(row) }, func(args []any) error {
		byID, err := s.repositories(ctx, "id IN "+list(args), args...)
		if err == nil {
			err = s.currentRefs(ctx, byID, "r.id IN "+list(args), args...)
		}
		for id, r := range byID {
			out[RowID(id)] = r
		}
		return err
	})
	return out, s.failed("read repositories", err)
}

func (s *Store) repositories(ctx context.Context, which string, args ...any) (byID map[int64]*RepositoryState, err error) {
	byID = map[int64]*RepositoryState{}
	rows, err := s.query(ctx, "SELECT id, server, number, name, last_seen, last_run, shown FROM inv_repository WHERE "+which, args...)
	var failed error
	each(rows, err, func() error {
		r := &RepositoryState{}
		var id, last int64
		var name, shown []byte
		if err := rows.Scan(&id, &r.Server, &r.Number, &name, &last, &r.LastRun, &shown); err != nil {
			return err
		}
		decoded, err := inventory.DecodeShown(shown)
		if err != nil {
			return err
		}
		r.Name, r.LastSeen, r.Shown = string(name), fromMillis(last), *decoded
		byID[id] = r
		return nil
	}, func(err error) { failed = err })
	return byID, failed
}

func (s *Store) currentRefs(ctx context.Context, byID map[int64]*RepositoryState, which string, args ...any) error {
	rows, err := s.query(ctx, "SELECT "+stateColumns+` FROM inv_ref f JOIN inv_repository r ON r.id = f.repository
		WHERE f.current = 1 AND `+which+" ORDER BY f.repository, f.position, f.id", args...)
	var failed error
	each(rows, err, func() error {
		st, err := scanState(rows)
		if err != nil {
			return err
		}
		if r := byID[st.repository]; r != nil { // nil where it was first seen after they were listed
			r.Refs = append(r.Refs, st.State)
		}
		return nil
	}, func(err error) { failed = err })
	return failed
}
