package store

import (
	"cmp"
	"context"
	"database/sql"
	"iter"
	"slices"

	"github.com/wormsweep/wormsweep/internal/inventory"
)

// The terms of a content go into the index some thousand contents at a time and sorted: one by
// one, each would touch another page of it. A content that is not in the index yet is read by
// whoever asks the index, so that nothing is missed meanwhile.
const indexAtOnce = 1000

// Posting is a term and contents that have it.
type Posting struct {
	inventory.Term
	Contents []ContentID // ascending
}

// Index puts what was written into the index. Write does so now and then, and Finish at the end
// of a run.
func (s *Store) Index(ctx context.Context) error {
	s.unindexed.Store(0)
	for {
		more := false
		err := s.inTx(ctx, func(tx *sql.Tx) error {
			var terms []posted
			var ids []any
			err := s.contents(ctx, tx.QueryContext, "c.id IN (SELECT id FROM inv_content WHERE indexed = 0 ORDER BY id LIMIT $1)", []any{indexAtOnce},
				func(k Known, c *inventory.Content) bool {
					ids = append(ids, int64(k.ID))
					for _, t := range c.Terms() {
						terms = append(terms, posted{t, k.ID})
					}
					return true
				})
			if err != nil {
				return err
			}
			more = len(ids) == indexAtOnce
			return s.index(ctx, tx, terms, ids)
		})
		if err != nil || !more {
			return s.failed("index", err)
		}
	}
}

// posted is a row of the index.
type posted struct {
	inventory.Term
	content ContentID
}

func (s *Store) index(ctx context.Context, tx *sql.Tx, terms []posted, ids []any) error {
	slices.SortFunc(terms, func(a, b posted) int { // as the columns compare, which are signed
		return cmp.Or(cmp.Compare(int64(a.Key), int64(b.Key)), cmp.Compare(a.Spec, b.Spec), cmp.Compare(a.content, b.content))
	})
	in := inserter{tx: tx, params: s.dialect.params, begin: "INSERT INTO inv_posting (term, spec, first, rest) VALUES ", columns: 4}
	var contents []ContentID
	for i, t := range terms {
		contents = append(contents, t.content)
		if i+1 < len(terms) && terms[i+1].Term == t.Term {
			continue
		}
		if err := in.add(ctx, int64(t.Key), []byte(t.Spec), int64(contents[0]), encodeRest(contents)); err != nil {
			return err
		}
		contents = contents[:0]
	}
	if err := in.flush(ctx); err != nil {
		return err
	}
	return chunks(s.dialect, ids, func(id any) any { return id }, func(args []any) error {
		_, err := tx.ExecContext(ctx, "UPDATE inv_content SET indexed = 1 WHERE id IN "+list(args), args...)
		return err
	})
}

// Find yields what contents have under the keys. A content may come twice under one term, where
// another process puts it into the index meanwhile. An error is the last pair.
func (s *Store) Find(ctx context.Context, keys []uint64) iter.Seq2[Posting, error] {
	return func(yield func(Posting, error) bool) {
		keys := slices.Clone(keys)
		slices.SortFunc(keys, func(a, b uint64) int { return cmp.Compare(int64(a), int64(b)) })
		keys = slices.Compact(keys)
		stopped := false
		give := func(p Posting) bool {
			stopped = stopped || !yield(p, nil)
			return !stopped
		}
		err := s.findUnindexed(ctx, keys, give) // first: what is indexed meanwhile is then found twice
		if err == nil && !stopped {
			err = s.findIndexed(ctx, keys, give)
		}
		if err != nil && !stopped {
			yield(Posting{}, s.failed("search", err))
		}
	}
}

// Terms yields what terms there are under the keys, some more than once: Find without the contents,
// which are most of it. An error is the last pair.
func (s *Store) Terms(ctx context.Context, keys []uint64) iter.Seq2[inventory.Term, error] {
	return func(yield func(inventory.Term, error) bool) {
		stopped := false
		err := s.findUnindexed(ctx, keys, func(p Posting) bool { // first, as in Find
			stopped = stopped || !yield(p.Term, nil)
			return !stopped
		})
		if err == nil && !stopped {
			keys := slices.Clone(keys)
			slices.SortFunc(keys, func(a, b uint64) int { return cmp.Compare(int64(a), int64(b)) })
			err = s.termsIndexed(ctx, slices.Compact(keys), func(t inventory.Term) bool {
				stopped = stopped || !yield(t, nil)
				return !stopped
			})
		}
		if err != nil && !stopped {
			yield(inventory.Term{}, s.failed("search", err))
		}
	}
}

func (s *Store) termsIndexed(ctx context.Context, keys []uint64, yield func(inventory.Term) bool) error {
	return chunks(s.dialect, keys, func(key uint64) any { return int64(key) }, func(args []any) error {
		rows, err := s.query(ctx, "SELECT term, spec FROM inv_posting WHERE term IN "+list(args)+" ORDER BY term, spec", args...)
		var failed error
		var t inventory.Term
		each(rows, err, func() error {
			var key int64
			var spec sql.RawBytes
			if err := rows.Scan(&key, &spec); err != nil {
				return err
			}
			if uint64(key) == t.Key && string(spec) == string(t.Spec) {
				return nil
			}
			t = inventory.Term{Key: uint64(key), Spec: inventory.Spec(spec)}
			if !yield(t) {
				return errStop
			}
			return nil
		}, func(err error) { failed = err })
		return failed
	})
}

func (s *Store) findIndexed(ctx context.Context, keys []uint64, yield func(Posting) bool) error {
	return chunks(s.dialect, keys, func(key uint64) any { return int64(key) }, func(args []any) error {
		rows, err := s.query(ctx, "SELECT term, spec, first, rest FROM inv_posting WHERE term IN "+list(args)+" ORDER BY term, spec, first", args...)
		var failed error
		var p Posting // of the rows so far of its term
		each(rows, err, func() error {
			var key int64
			var first ContentID
			var spec, rest sql.RawBytes
			if err := rows.Scan(&key, &spec, &first, &rest); err != nil {
				return err
			}
			if uint64(key) != p.Key || string(spec) != string(p.Spec) {
				if len(p.Contents) > 0 && !yield(p) {
					p = Posting{}
					return errStop
				}
				p = Posting{Term: inventory.Term{Key: uint64(key), Spec: inventory.Spec(spec)}}
			}
			var err error
			p.Contents, err = appendIDs(p.Contents, first, rest)
			return err
		}, func(err error) { failed = err })
		if failed == nil && len(p.Contents) > 0 {
			yield(p)
		}
		return failed
	})
}

func (s *Store) findUnindexed(ctx context.Context, keys []uint64, yield func(Posting) bool) error {
	wanted := make(map[uint64]bool, len(keys))
	for _, key := range keys {
		wanted[key] = true
	}
	found := map[inventory.Term][]ContentID{}
	err := s.contents(ctx, s.query, "c.indexed = 0 ORDER BY c.id", nil, func(k Known, c *inventory.Content) bool {
		for _, t := range c.Terms() {
			if wanted[t.Key] {
				found[t] = append(found[t], k.ID)
			}
		}
		return true
	})
	if err != nil {
		return err
	}
	for term, ids := range found {
		if !yield(Posting{term, ids}) {
			return nil
		}
	}
	return nil
}
