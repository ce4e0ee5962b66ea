// Package store keeps an inventory (package inventory): in one SQLite file, or in a PostgreSQL
// database that many machines share.
//
// A Store may be used by several goroutines, and one file or database by several processes at
// once: what is written at once is kept whole or not at all, whatever happens to the writer, and
// readers see only what is whole. What one run writes never makes what another reads wrong; two
// runs of one scope at once waste work and do no harm.
//
// What does not read back is an error, never an absence: a caller that is told that something is
// not there may go by it.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Options are the settings of a store. The zero value is ready for use.
type Options struct {
	// ReadOnly opens what is there and changes nothing. It works on a file in a folder that cannot
	// be written to.
	ReadOnly bool
	Now      func() time.Time // nil is time.Now
}

// The errors that callers may branch on.
var (
	ErrNone    = errors.New("there is no inventory")        // ReadOnly, and nothing was written yet
	ErrNewer   = errors.New("written by a newer version")   // its schema is newer than this program
	ErrOlder   = errors.New("written by an older version")  // ReadOnly, and the schema needs an update
	ErrDamaged = errors.New("damaged: restore a backup")    // what is there does not read back
	ErrForeign = errors.New("not an inventory, or damaged") // a file of another program, or without its beginning
	ErrFull    = errors.New("the disk is full")             // nothing of the batch was kept
	ErrDenied  = errors.New("not allowed to write")         // by the file system or the database
	ErrBusy    = errors.New("another process kept it for too long")
)

// Store is an open inventory. It is safe for concurrent use.
type Store struct {
	dialect *dialect
	where   string  // for messages; without a password
	read    *sql.DB // for questions
	write   *sql.DB // for batches; nil where the store is read only
	now     func() time.Time

	prepared struct { // of read, by their text
		sync.Mutex
		statements map[string]*sql.Stmt
	}
	unindexed atomic.Int64 // contents that this Store wrote since it called Index
}

// Open opens the inventory at a path, or at an address that begins with "postgres://" or
// "postgresql://", and makes it first where nothing is there.
func Open(ctx context.Context, url string, opt Options) (*Store, error) {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	s := &Store{now: opt.Now}
	open := s.openSQLite
	if strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://") {
		open = s.openPostgres
	}
	err := open(ctx, url, opt.ReadOnly)
	if err == nil {
		err = s.migrate(ctx)
	}
	if err != nil {
		_ = s.Close() // the first error is the one to tell
		return nil, s.failed("open", err)
	}
	return s, nil
}

// Close lets go of the store. Nothing that was written is lost without it.
func (s *Store) Close() error {
	var errs []error
	s.prepared.Lock()
	defer s.prepared.Unlock()
	for _, statement := range s.prepared.statements {
		errs = append(errs, statement.Close())
	}
	clear(s.prepared.statements)
	for _, db := range []*sql.DB{s.read, s.write} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// query asks read something that is asked often: it is prepared once.
func (s *Store) query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	statement, err := s.prepare(ctx, text)
	if err != nil {
		return nil, err
	}
	return statement.QueryContext(ctx, args...)
}

func (s *Store) prepare(ctx context.Context, text string) (*sql.Stmt, error) {
	s.prepared.Lock()
	defer s.prepared.Unlock()
	if statement := s.prepared.statements[text]; statement != nil {
		return statement, nil
	}
	statement, err := s.read.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	if s.prepared.statements == nil {
		s.prepared.statements = map[string]*sql.Stmt{}
	}
	s.prepared.statements[text] = statement
	return statement, nil
}

// failed says in which store something failed, and in one line why.
func (s *Store) failed(doing string, err error) error {
	if err == nil {
		return nil
	}
	if s.dialect != nil {
		err = s.dialect.explain(err)
	}
	return fmt.Errorf("inventory %s: %s: %w", s.where, doing, err)
}

// inTx runs f in a transaction that writes.
func (s *Store) inTx(ctx context.Context, f func(*sql.Tx) error) error {
	if s.write == nil {
		return fmt.Errorf("%w: it was opened for reading", ErrDenied)
	}
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // without effect once it is committed
	if s.dialect.lock != "" {
		if _, err := tx.ExecContext(ctx, s.dialect.lock); err != nil {
			return err
		}
	}
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// millis is a time as the tables have it.
func millis(t time.Time) int64 { return t.UnixMilli() }

func fromMillis(n int64) time.Time { return time.UnixMilli(n).UTC() }
