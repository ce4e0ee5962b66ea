package store

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/source"
)

// Write keeps a batch of a run: all of it, or nothing. Contents that are there are left as they
// are; a tree takes the place of one with its root, but one of which something was not read never that
// of one that was read whole. What was encoded before, and is too large to
// keep (inventory.ErrTooLarge), is left out: the next sweep reads it again.
func (s *Store) Write(ctx context.Context, run inventory.RunID, b *inventory.Batch) error {
	enc, err := encode(b)
	if err != nil {
		return s.failed("write", err)
	}
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		now := millis(s.now())
		for _, write := range []func(context.Context, *sql.Tx, *encoded, int64) error{s.writeContents, s.writeTrees} {
			if err := write(ctx, tx, enc, now); err != nil {
				return err
			}
		}
		for _, r := range enc.repositories {
			if err := r.write(ctx, tx, run, now); err != nil {
				return fmt.Errorf("repository %q: %w", r.Repository.Name, err)
			}
		}
		_, err := tx.ExecContext(ctx, "UPDATE inv_run SET touched = $1 WHERE id = $2", now, int64(run))
		return err
	})
	if err != nil {
		return s.failed("write", err)
	}
	if s.unindexed.Add(int64(len(enc.contents))) >= indexAtOnce {
		return s.Index(ctx)
	}
	return nil
}

// encoded is a batch, ready to be written: the work is done before the lock is taken.
type encoded struct {
	contents     []encodedContent
	trees        []encodedTree
	repositories []encodedSighting
}

type encodedContent struct {
	inventory.Key
	inventory.Summary
	body []byte
}

type encodedTree struct {
	*inventory.Tree
	body  []byte
	blobs []inventory.ID
}

type encodedSighting struct {
	*inventory.Sighting
	shown  []byte
	events []encodedEvent
	brief  []byte // nil for none
}

type encodedEvent struct {
	kind   string
	digest [sha256.Size]byte
	body   []byte
}

func encode(b *inventory.Batch) (*encoded, error) {
	var out encoded
	for _, c := range b.Contents {
		body, err := c.Encode()
		if tooLarge(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out.contents = append(out.contents, encodedContent{c.Key, c.Summary(), body})
	}
	for _, t := range b.Trees {
		body, err := t.Encode()
		if tooLarge(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out.trees = append(out.trees, encodedTree{t, body, t.Blobs()})
	}
	for _, sighting := range b.Repositories {
		r := encodedSighting{Sighting: sighting}
		var err error
		if sighting.Brief != nil {
			if r.brief, err = sighting.Brief.Encode(); err != nil && !tooLarge(err) {
				return nil, fmt.Errorf("repository %q: %w", sighting.Repository.Name, err)
			}
		}
		if r.shown, err = sighting.Shown.Encode(); tooLarge(err) {
			less := inventory.Shown{Loose: sighting.Loose, Problems: []source.Problem{{
				Code:   source.CodeNotKept,
				Detail: fmt.Sprintf("what it shows is too large for an inventory: values: %d, problems: %d, notes: %d", len(sighting.Seen), len(sighting.Problems), len(sighting.Notes)),
			}}}
			r.brief = nil // which tells more
			r.shown, err = less.Encode()
		}
		if err != nil {
			return nil, fmt.Errorf("repository %q: %w", sighting.Repository.Name, err)
		}
		for _, e := range sighting.Events {
			kind := eventKind(e)
			if kind == "" {
				continue
			}
			body, err := json.Marshal(e)
			if err != nil {
				return nil, err
			}
			r.events = append(r.events, encodedEvent{kind, sha256.Sum256(append([]byte(kind), body...)), body})
		}
		out.repositories = append(out.repositories, r)
	}
	// Rows in one order go to neighbouring pages.
	slices.SortFunc(out.contents, func(a, b encodedContent) int {
		return cmp.Or(bytes.Compare(a.Blob[:], b.Blob[:]), cmp.Compare(a.Format, b.Format))
	})
	slices.SortFunc(out.trees, func(a, b encodedTree) int { return bytes.Compare(a.Root[:], b.Root[:]) })
	return &out, nil
}

// eventKind is the kind of an event that is kept, "" for one that is not.
func eventKind(e finding.Event) string {
	switch e.(type) {
	case *finding.Finding:
		return "finding"
	case *finding.Problem:
		return "problem"
	}
	return ""
}

func (*Store) writeContents(ctx context.Context, tx *sql.Tx, enc *encoded, now int64) error {
	for i := range enc.contents {
		c := &enc.contents[i]
		var id int64
		there, err := one(ctx, tx, "SELECT id FROM inv_content WHERE blob = $1 AND format = $2 AND reader = $3",
			[]any{c.Blob[:], c.Format, c.Reader}, &id)
		if err != nil {
			return err
		}
		if there {
			continue
		}
		err = tx.QueryRowContext(ctx, `INSERT INTO inv_content (blob, format, reader, packages, problems, includes, kinds, written)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id`,
			c.Blob[:], c.Format, c.Reader, c.Packages, c.Problems, c.Includes, encodeKinds(&c.Summary), now).Scan(&id)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO inv_body (content, body) VALUES ($1, $2)", id, c.body); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) writeTrees(ctx context.Context, tx *sql.Tx, enc *encoded, now int64) error {
	held := inserter{tx: tx, params: s.dialect.params, begin: "INSERT INTO inv_held (blob, tree) VALUES ", end: " ON CONFLICT DO NOTHING", columns: 2}
	for i := range enc.trees {
		t := &enc.trees[i]
		if t.Selection == "" {
			there, err := one(ctx, tx, "SELECT 1 FROM inv_tree WHERE root = $1 AND selection <> ''", []any{t.Root[:]}, new(int))
			if err != nil {
				return err
			}
			if there {
				continue
			}
		}
		replaced, err := forget(ctx, tx, forgetting{"DELETE FROM inv_tree WHERE root = $1", []any{t.Root[:]}})
		if err == nil && replaced > 0 {
			err = forgetBriefs(ctx, tx, t.Root)
		}
		if err != nil {
			return err
		}
		var id int64
		if err := tx.QueryRowContext(ctx, "INSERT INTO inv_tree (root, selection, body, written) VALUES ($1, $2, $3, $4) RETURNING id",
			t.Root[:], t.Selection, t.body, now).Scan(&id); err != nil {
			return err
		}
		for i := range t.blobs {
			if err := held.add(ctx, t.blobs[i][:], id); err != nil {
				return err
			}
		}
	}
	return held.flush(ctx)
}
