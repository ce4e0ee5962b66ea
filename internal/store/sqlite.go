package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/wormsweep/wormsweep/internal/inventory"
)

var sqliteDialect = dialect{
	migrations: "migrations/sqlite",
	tables:     "SELECT count(*), coalesce(sum(name = 'inv_schema'), 0) FROM sqlite_schema WHERE type = 'table'",
	params:     60, // the driver looks each up among all
	explain:    explainSQLite,
}

// How a file is opened. A write-ahead log lets others read while one writes. With synchronous
// NORMAL a killed process loses nothing; a machine that loses power may lose the last batches,
// never the file: what they held is asked for again by the next sweep, as if this one had been
// stopped a little earlier. A writer takes the lock when it begins, so that two never wait for
// each other.
const (
	busyMillis   = 60_000
	readCacheKB  = 8 << 10
	writeCacheKB = 32 << 10
	readers      = 4 // questions at once, those that are asked while another is being answered included
)

func (s *Store) openSQLite(ctx context.Context, file string, readOnly bool) error {
	s.dialect, s.where = &sqliteDialect, strconv.Quote(file)
	query := url.Values{"_txlock": {"immediate"}, "mode": {"rwc"}}
	pragmas := []string{fmt.Sprintf("busy_timeout(%d)", busyMillis), "synchronous(NORMAL)", "temp_store(MEMORY)", "trusted_schema(OFF)", "cell_size_check(ON)"}
	if readOnly {
		if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
			return ErrNone
		}
		query.Set("mode", "ro")
		if still(file) {
			query.Set("immutable", "1")
		}
	} else {
		if err := newFile(file); err != nil {
			var at *fs.PathError
			if errors.As(err, &at) {
				err = at.Err // the file is named already
			}
			return err
		}
		pragmas = append(pragmas, "journal_mode(WAL)")
	}
	connect := func(cacheKB int) (*sql.DB, error) {
		query["_pragma"] = append(pragmas[:len(pragmas):len(pragmas)], fmt.Sprintf("cache_size(-%d)", cacheKB))
		path := filepath.ToSlash(file)
		return sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+query.Encode())
	}
	var err error
	if !readOnly {
		if s.write, err = connect(writeCacheKB); err != nil {
			return err
		}
		s.write.SetMaxOpenConns(1)
		if err := s.write.PingContext(ctx); err != nil {
			return err
		}
	}
	if s.read, err = connect(readCacheKB); err != nil {
		return err
	}
	s.read.SetMaxOpenConns(readers)
	return nil
}

// newFile makes the file where it is not there, for its owner alone: it tells of private
// repositories.
func newFile(file string) error {
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// still reports whether nobody can be writing to the file, because nobody may: it lies in a
// folder that cannot be written to, and has no log beside it. SQLite would want to make one.
func still(file string) bool {
	for _, beside := range []string{file + "-wal", file + "-shm"} {
		if _, err := os.Lstat(beside); err == nil {
			return false
		}
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".wormsweep-*")
	if err != nil {
		return true
	}
	f.Close()
	os.Remove(f.Name())
	return false
}

// explainSQLite says in one line what SQLite says with a number.
func explainSQLite(err error) error {
	var se *sqlite.Error
	if !errors.As(err, &se) {
		switch {
		case errors.Is(err, inventory.ErrDamaged):
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		case errors.Is(err, os.ErrPermission):
			return fmt.Errorf("%w: %w", ErrDenied, err)
		}
		return err
	}
	what := map[int]error{
		sqlite3.SQLITE_CORRUPT: ErrDamaged, sqlite3.SQLITE_NOTADB: ErrForeign,
		sqlite3.SQLITE_FULL: ErrFull, sqlite3.SQLITE_READONLY: ErrDenied, sqlite3.SQLITE_PERM: ErrDenied,
		sqlite3.SQLITE_AUTH: ErrDenied, sqlite3.SQLITE_BUSY: ErrBusy, sqlite3.SQLITE_LOCKED: ErrBusy,
	}[se.Code()&0xff]
	if what == nil {
		return err
	}
	return fmt.Errorf("%w (%w)", what, err)
}
