// Package store keeps an inventory: in one SQLite file, or in a PostgreSQL database that many
// machines share.
package store

import (
	"context"
	"iter"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/inventory"
)

// Inventory is what a store of either kind does.
type Inventory interface {
	// Begin begins a run, or goes on with the last of its scope where that was not finished:
	// then done are the repositories that it is done with.
	Begin(ctx context.Context, run inventory.Run) (id inventory.RunID, done []inventory.Repository, err error)
	// Write keeps a batch of a run: all of it, or nothing.
	Write(ctx context.Context, run inventory.RunID, b *inventory.Batch) error
	// Finish ends a run. With whole, it saw every repository of its scope: those that earlier runs
	// of the scope saw, and this one did not, are gone.
	Finish(ctx context.Context, run inventory.Run, whole bool) error
	// Runs are the runs, newest first, at most n.
	Runs(ctx context.Context, n int) ([]inventory.Run, error)
	// Events yields what a run found in the repositories that it is done with.
	Events(ctx context.Context, run inventory.RunID) iter.Seq2[finding.Event, error]

	// Trees are those of the roots that were listed under that selection.
	Trees(ctx context.Context, roots []inventory.ID, selection string) (map[inventory.ID]*inventory.Tree, error)
	// Summaries yields every content that was read by that revision of the readers.
	Summaries(ctx context.Context, reader int) iter.Seq2[Known, error]
	// Contents yields the contents, as far as they are there, in no order.
	Contents(ctx context.Context, ids []ContentID) iter.Seq2[*inventory.Content, error]
	// Find yields, for each key, what contents say under it.
	Find(ctx context.Context, keys []uint64) iter.Seq2[Posting, error]
}

// ContentID names a content in a store.
type ContentID int64

// Known is a content, without what it holds.
type Known struct {
	ID ContentID
	inventory.Key
	inventory.Summary
}

// Posting is a term and the contents that have it.
type Posting struct {
	inventory.Term
	Contents []ContentID // ascending
}
