package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/wormsweep/wormsweep/internal/inventory"
)

// A row of the index has the contents of one term that were put into it together: the first as a
// column, the others as the distances between them (uvarints, none of them 0).

// encodeRest packs ascending ids, of which the first stands beside them.
func encodeRest(ids []ContentID) []byte {
	out := make([]byte, 0, len(ids)-1) // and not nil, which is NULL
	for i, id := range ids[1:] {
		out = binary.AppendUvarint(out, uint64(id-ids[i]))
	}
	return out
}

// appendIDs adds the ids of a row to ids.
func appendIDs(ids []ContentID, first ContentID, rest []byte) ([]ContentID, error) {
	if first < 1 || first > maxFirst {
		return nil, fmt.Errorf("%w: the index names content %d", inventory.ErrDamaged, first)
	}
	ids = append(slices.Grow(ids, 1+len(rest)), first) // a distance has a byte at least, and mostly no more
	for at := first; len(rest) > 0; {
		distance, n := binary.Uvarint(rest)
		if n <= 0 || distance == 0 || distance > maxDistance {
			return nil, fmt.Errorf("%w: the index breaks off after content %d", inventory.ErrDamaged, at)
		}
		at, rest = at+ContentID(distance), rest[n:]
		ids = append(ids, at)
	}
	return ids, nil
}

// Bounds that keep sums of distances, of which a row has no more than it has bytes, within an int64.
const (
	maxFirst    = 1 << 62
	maxDistance = 1 << 31
)

// postingRow is a row of the index.
type postingRow struct {
	term  int64
	spec  []byte
	first ContentID
	rest  []byte
}

// postingsAtOnce is how many rows of the index are looked at together.
const postingsAtOnce = 5000

// prunePostings takes the contents that are gone out of the index.
func (s *Store) prunePostings(ctx context.Context, tx *sql.Tx) error {
	there := map[ContentID]bool{}
	rows, err := tx.QueryContext(ctx, "SELECT id FROM inv_content")
	var failed error
	each(rows, err, func() error {
		var id ContentID
		err := rows.Scan(&id)
		there[id] = true
		return err
	}, func(err error) { failed = err })
	if failed != nil {
		return failed
	}
	for after := (&postingRow{term: -1 << 63, spec: []byte{}}); after != nil; {
		page, err := postings(ctx, tx, after)
		if err != nil {
			return err
		}
		after = nil
		if len(page) == postingsAtOnce {
			after = &page[len(page)-1]
		}
		for i := range page {
			if err := page[i].keep(ctx, tx, there); err != nil {
				return err
			}
		}
	}
	return nil
}

// postings are the rows of the index after one, in their order.
func postings(ctx context.Context, tx *sql.Tx, after *postingRow) (page []postingRow, failed error) {
	rows, err := tx.QueryContext(ctx, "SELECT term, spec, first, rest FROM inv_posting WHERE (term, spec, first) > ($1, $2, $3) ORDER BY term, spec, first LIMIT $4",
		after.term, after.spec, int64(after.first), postingsAtOnce)
	each(rows, err, func() error {
		var r postingRow
		err := rows.Scan(&r.term, &r.spec, &r.first, &r.rest)
		page = append(page, r)
		return err
	}, func(err error) { failed = err })
	return page, failed
}

// keep keeps of a row the contents that are there.
func (r *postingRow) keep(ctx context.Context, tx *sql.Tx, there map[ContentID]bool) error {
	ids, err := appendIDs(nil, r.first, r.rest)
	if err != nil {
		return err
	}
	left := slices.DeleteFunc(slices.Clone(ids), func(id ContentID) bool { return !there[id] })
	if len(left) == len(ids) {
		return nil
	}
	spec := append([]byte{}, r.spec...) // which the driver gives as nil where it is empty
	if _, err := tx.ExecContext(ctx, "DELETE FROM inv_posting WHERE term = $1 AND spec = $2 AND first = $3", r.term, spec, int64(r.first)); err != nil || len(left) == 0 {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO inv_posting (term, spec, first, rest) VALUES ($1, $2, $3, $4)", r.term, spec, int64(left[0]), encodeRest(left))
	return err
}
