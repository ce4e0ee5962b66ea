package sumdb

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/wormsweep/wormsweep/pkg/registry"
)

// Head is the state of the log at one time, as it signed it.
type Head struct {
	Size int64  // records
	Hash string // of its tree, in base64
	Note string // the signed text
}

// tree is the head in tlog's form.
func (h Head) tree() (tlog.Tree, error) {
	if h.Size == 0 {
		empty, err := tlog.TreeHash(0, nil)
		return tlog.Tree{Hash: empty}, err
	}
	hash, err := tlog.ParseHash(h.Hash)
	return tlog.Tree{N: h.Size, Hash: hash}, err
}

func (h Head) String() string { return fmt.Sprintf("%d records, %s", h.Size, h.Hash) }

// HistoryError says that the log is not what it was: it shows another history than it signed
// before, to somebody else or at another time, or it no longer has what it signed. Both heads
// are signed by the log, and so are the evidence.
type HistoryError struct {
	Log        string
	RolledBack bool // it no longer has what it signed; else it forked
	Remembered Head // the head that was remembered
	Shown      Head // the one that was shown now
}

func (e *HistoryError) Error() string {
	if e.RolledBack {
		return fmt.Sprintf("the log %s was rolled back: it signed %v, no longer has that, and shows %v", e.Log, e.Remembered, e.Shown)
	}
	return fmt.Sprintf("the log %s forked: it signed %v and %v, which are of two histories", e.Log, e.Remembered, e.Shown)
}

// Latest asks for the latest head, compares it with the one that is remembered, and remembers
// the larger one, which it gives. A copy of the log may lag behind: a smaller head is believed
// where it is of the same history and the log still has all that is remembered. The error wraps
// registry.ErrNotFound where the server does not serve the latest head.
func (c *Client) Latest(ctx context.Context) (Head, error) {
	h, err := c.latest(ctx)
	if err != nil {
		return Head{}, fmt.Errorf("checksum database %s: %w", c.name, err)
	}
	return h, nil
}

func (c *Client) latest(ctx context.Context) (Head, error) {
	data, err := c.remote.Get(ctx, "/latest", maxHead)
	if err != nil {
		return Head{}, fmt.Errorf("the latest head: %w", err)
	}
	shown, err := c.open(data)
	if err != nil {
		return Head{}, err
	}
	if err := c.examine(ctx, shown); err != nil {
		return Head{}, err
	}
	return c.remembered(ctx)
}

// first asks for the latest head if nobody has.
func (c *Client) first(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asked {
		return nil
	}
	_, err := c.latest(ctx)
	if errors.Is(err, registry.ErrNotFound) || errors.Is(err, registry.ErrNotServed) {
		err = nil // then the heads of the records are what there is
	}
	c.asked = err == nil
	return err
}

// open reads a signed head.
func (c *Client) open(data []byte) (Head, error) {
	n, err := note.Open(data, c.log)
	var unsigned *note.UnverifiedNoteError
	var forged *note.InvalidSignatureError
	switch {
	case errors.As(err, &unsigned), errors.As(err, &forged):
		return Head{}, fmt.Errorf("the tree head: %w: %w", ErrNotProved, err)
	case err != nil:
		return Head{}, fmt.Errorf("%w: the tree head: %w", registry.ErrMalformed, err)
	}
	tree, err := tlog.ParseTree([]byte(n.Text))
	if err != nil {
		return Head{}, fmt.Errorf("%w: the tree head: %w", registry.ErrMalformed, err)
	}
	return Head{Size: tree.N, Hash: tree.Hash.String(), Note: string(data)}, nil
}

// remembered gives the head that is kept, the zero Head where there is none.
func (c *Client) remembered(ctx context.Context) (Head, error) {
	data, err := c.heads.Head(ctx, c.name)
	if err != nil {
		return Head{}, fmt.Errorf("the remembered tree head: %w", err)
	}
	if len(data) == 0 {
		return Head{}, nil
	}
	h, err := c.open(data)
	if err != nil {
		return Head{}, fmt.Errorf("the remembered tree head: %w", err)
	}
	return h, nil
}

// examine compares a head with the one that is remembered, and remembers it if it is larger.
func (c *Client) examine(ctx context.Context, shown Head) error {
	for {
		old, err := c.remembered(ctx)
		if err != nil {
			return err
		}
		if shown.Size < old.Size {
			return c.smaller(ctx, shown, old)
		}
		same, err := c.contains(ctx, shown, old)
		if err != nil {
			return err
		}
		if !same {
			return &HistoryError{Log: c.name, Remembered: old, Shown: shown}
		}
		if shown.Size == old.Size {
			return nil
		}
		err = c.heads.SetHead(ctx, c.name, []byte(old.Note), []byte(shown.Note))
		if !errors.Is(err, ErrConflict) {
			return err
		}
	}
}

// smaller judges a head that is smaller than the remembered one: of a copy that lags behind, or
// of a log that was rolled back, which can no longer show the end of what it signed.
func (c *Client) smaller(ctx context.Context, shown, old Head) error {
	same, err := c.contains(ctx, old, shown)
	var foreign *tilesError
	switch {
	case errors.As(err, &foreign):
		return &HistoryError{Log: c.name, RolledBack: true, Remembered: old, Shown: shown}
	case err != nil:
		return err
	case !same:
		return &HistoryError{Log: c.name, Remembered: old, Shown: shown}
	}
	tree, err := old.tree()
	if err != nil {
		return err
	}
	tiles := &tiles{Client: c, ctx: ctx, fresh: true}
	_, err = tlog.TileHashReader(tree, tiles).ReadHashes([]int64{tlog.StoredHashIndex(0, tree.N-1)})
	if err != nil && tiles.failed == nil {
		return &HistoryError{Log: c.name, RolledBack: true, Remembered: old, Shown: shown}
	}
	return tiles.failed
}

// contains reports whether the log at a head begins with what it was at an earlier one. The
// error is a *tilesError where the server's tiles are not those of the larger head.
func (c *Client) contains(ctx context.Context, newer, older Head) (bool, error) {
	large, err := newer.tree()
	if err != nil {
		return false, err
	}
	small, err := older.tree()
	if err != nil || small.N == 0 {
		return true, err
	}
	hash, err := c.treeHash(ctx, large, small.N, false)
	var foreign *tilesError
	if errors.As(err, &foreign) { // tiles that were kept are those of the other history
		hash, err = c.treeHash(ctx, large, small.N, true)
	}
	return hash == small.Hash, err
}

// treeHash gives the hash of the first n records of a tree.
func (c *Client) treeHash(ctx context.Context, tree tlog.Tree, n int64, fresh bool) (tlog.Hash, error) {
	tiles := &tiles{Client: c, ctx: ctx, fresh: fresh}
	hash, err := tlog.TreeHash(n, tlog.TileHashReader(tree, tiles))
	if err != nil && tiles.failed == nil {
		return hash, &tilesError{err}
	}
	if err != nil {
		return hash, tiles.failed
	}
	return hash, nil
}

// tilesError says that the tiles that a server has are not those of a tree.
type tilesError struct{ err error }

func (e *tilesError) Error() string {
	return "its tiles are not those of the head that it signed: " + strings.ReplaceAll(e.err.Error(), "\n", " ")
}

func (e *tilesError) Unwrap() error { return ErrNotProved }
