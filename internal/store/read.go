package store

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"iter"
	"slices"

	"github.com/wormsweep/wormsweep/internal/inventory"
)

// ContentID names a content in a store.
type ContentID int64

// Known is a content, without what it holds.
type Known struct {
	ID ContentID
	inventory.Key
	inventory.Summary
}

const knownColumns = "id, blob, format, reader, packages, problems, includes, kinds"

func scanKnown(scan func(...any) error) (k Known, err error) {
	var blob, kinds []byte
	if err := scan(&k.ID, &blob, &k.Format, &k.Reader, &k.Packages, &k.Problems, &k.Includes, &kinds); err != nil {
		return k, err
	}
	if k.Blob, err = toID(blob); err == nil {
		err = decodeKinds(&k.Summary, kinds)
	}
	return k, err
}

func toID(b []byte) (inventory.ID, error) {
	if len(b) != len(inventory.ID{}) {
		return inventory.ID{}, fmt.Errorf("%w: an object id of %d bytes", inventory.ErrDamaged, len(b))
	}
	return inventory.ID(b), nil
}

// Summaries yields every content that was read by that revision of the readers, in no order. An
// error is the last pair.
func (s *Store) Summaries(ctx context.Context, reader int) iter.Seq2[Known, error] {
	return func(yield func(Known, error) bool) {
		rows, err := s.read.QueryContext(ctx, "SELECT "+knownColumns+" FROM inv_content WHERE reader = $1", reader)
		each(rows, err, func() error {
			k, err := scanKnown(rows.Scan)
			if err == nil && !yield(k, nil) {
				err = errStop
			}
			return err
		}, func(err error) { yield(Known{}, s.failed("list the contents", err)) })
	}
}

// SummariesOf yields what that revision of the readers made of the blobs, in no order. An error is the
// last pair.
func (s *Store) SummariesOf(ctx context.Context, blobs []inventory.ID, reader int) iter.Seq2[Known, error] {
	return func(yield func(Known, error) bool) {
		stopped := false
		err := chunks(s.dialect, blobs, func(id inventory.ID) any { return id[:] }, func(args []any) error {
			if stopped {
				return nil
			}
			rows, err := s.query(ctx, "SELECT "+knownColumns+" FROM inv_content WHERE blob IN "+list(args), args...)
			var failed error
			each(rows, err, func() error {
				k, err := scanKnown(rows.Scan)
				if err == nil && k.Reader == reader && !yield(k, nil) {
					stopped, err = true, errStop
				}
				return err
			}, func(err error) { failed = err })
			return failed
		})
		if err != nil && !stopped {
			yield(Known{}, s.failed("look up contents", err))
		}
	}
}

// Blobs are the blobs of contents, of those that are there.
func (s *Store) Blobs(ctx context.Context, contents []ContentID) (map[inventory.ID]bool, error) {
	out := make(map[inventory.ID]bool, len(contents))
	err := chunks(s.dialect, contents, func(id ContentID) any { return int64(id) }, func(args []any) error {
		rows, err := s.query(ctx, "SELECT blob FROM inv_content WHERE id IN "+list(args), args...)
		var failed error
		each(rows, err, func() error {
			var blob []byte
			if err := rows.Scan(&blob); err != nil {
				return err
			}
			id, err := toID(blob)
			out[id] = true
			return err
		}, func(err error) { failed = err })
		return failed
	})
	return out, s.failed("look up blobs", err)
}

// Contents yields the contents with those ids that are there, in no order. An error is the last
// pair.
func (s *Store) Contents(ctx context.Context, ids []ContentID) iter.Seq2[*inventory.Content, error] {
	return func(yield func(*inventory.Content, error) bool) {
		stopped := false
		err := chunks(s.dialect, ids, func(id ContentID) any { return int64(id) }, func(args []any) error {
			if stopped {
				return nil
			}
			return s.contents(ctx, s.query, "c.id IN "+list(args), args, func(_ Known, c *inventory.Content) bool {
				stopped = !yield(c, nil)
				return !stopped
			})
		})
		if err != nil && !stopped {
			yield(nil, s.failed("read contents", err))
		}
	}
}

// Content is the content with that key, nil where it is not there.
func (s *Store) Content(ctx context.Context, key inventory.Key) (out *inventory.Content, err error) {
	err = s.contents(ctx, s.query, "c.blob = $1 AND c.format = $2 AND c.reader = $3", []any{key.Blob[:], key.Format, key.Reader},
		func(_ Known, c *inventory.Content) bool {
			out = c
			return true
		})
	return out, s.failed("read a content", err)
}

// contents decodes contents and checks each against what its row says of it.
func (s *Store) contents(ctx context.Context, query func(context.Context, string, ...any) (*sql.Rows, error), which string, args []any, yield func(Known, *inventory.Content) bool) error {
	rows, err := query(ctx, `SELECT c.id, c.blob, c.format, c.reader, c.packages, c.problems, c.includes, c.kinds, b.body
		FROM inv_content c LEFT JOIN inv_body b ON b.content = c.id WHERE `+which, args...)
	var failed error
	each(rows, err, func() error {
		var body []byte
		k, err := scanKnown(func(into ...any) error { return rows.Scan(append(into, &body)...) })
		if err != nil {
			return err
		}
		c, err := inventory.DecodeContent(k.Key, body)
		if err != nil {
			return err
		}
		if c.Summary() != k.Summary {
			return fmt.Errorf("content %s as %q: %w: it holds other entries than its row says", k.Blob, k.Format, inventory.ErrDamaged)
		}
		if !yield(k, c) {
			return errStop
		}
		return nil
	}, func(err error) { failed = err })
	return failed
}

// Trees are the trees of those roots that are there. With a selection, only those that were listed
// under it.
func (s *Store) Trees(ctx context.Context, roots []inventory.ID, selection string) (map[inventory.ID]*inventory.Tree, error) {
	out := make(map[inventory.ID]*inventory.Tree, len(roots))
	roots = slices.Clone(roots)
	slices.SortFunc(roots, func(a, b inventory.ID) int { return bytes.Compare(a[:], b[:]) })
	err := chunks(s.dialect, slices.Compact(roots), func(id inventory.ID) any { return id[:] }, func(args []any) error {
		rows, err := s.query(ctx, "SELECT root, selection, body FROM inv_tree WHERE root IN "+list(args), args...)
		var failed error
		each(rows, err, func() error {
			var root, body []byte
			var by string
			if err := rows.Scan(&root, &by, &body); err != nil {
				return err
			}
			id, err := toID(root)
			if err != nil || selection != "" && by != selection {
				return err
			}
			out[id], err = inventory.DecodeTree(id, by, body)
			return err
		}, func(err error) { failed = err })
		return failed
	})
	if err != nil {
		return nil, s.failed("read trees", err)
	}
	return out, nil
}
