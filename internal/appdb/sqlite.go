package appdb

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
)

// File is the name of the SQLite file in the folder of a database setting.
const File = "app.db"

const (
	sqliteNow = "CAST(unixepoch('subsec') * 1000 AS INTEGER)"

	// How long a statement waits for another process that holds the file. A delivery that waits
	// longer is answered with 503, well before GitHub's ten seconds are over.
	busyMillis = 4000
	cacheKB    = 32 << 10
)

// openSQLite opens a folder's file with one connection. A write-ahead log lets another process
// read meanwhile. A transaction takes the lock when it begins, so that two never wait for each
// other.
func (db *DB) openSQLite(ctx context.Context, folder string, opt Options) error {
	file := filepath.Join(folder, File)
	db.where = strconv.Quote(file)
	db.explain = explainSQLite
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return plain(err)
	}
	if opt.Alone {
		var err error
		if db.alone, err = lock(filepath.Join(folder, "app.lock")); err != nil {
			return plain(err)
		}
	}
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600) // for its owner alone: it tells of private repositories
	if err != nil {
		return plain(err)
	}
	f.Close()
	query := url.Values{"_txlock": {"immediate"}, "mode": {"rwc"}, "_pragma": {
		fmt.Sprintf("busy_timeout(%d)", busyMillis), "journal_mode(WAL)", "synchronous(FULL)",
		"temp_store(MEMORY)", "trusted_schema(OFF)", "cell_size_check(ON)", fmt.Sprintf("cache_size(-%d)", cacheKB),
	}}
	db.sqlite, err = sql.Open("sqlite", "file:"+(&url.URL{Path: filepath.ToSlash(file)}).EscapedPath()+"?"+query.Encode())
	if err != nil {
		return err
	}
	db.sqlite.SetMaxOpenConns(1)
	db.conn = sqliteConn(db.sqlite)
	return db.whole(ctx)
}

// whole looks whether the file is one of ours, and reads back.
func (db *DB) whole(ctx context.Context) error {
	var tables, ours int
	if _, err := db.One(ctx, "SELECT count(*), coalesce(sum(name = 'app_schema'), 0) FROM sqlite_schema WHERE type = 'table'", nil, &tables, &ours); err != nil {
		return err
	}
	if tables > 0 && ours == 0 {
		return fmt.Errorf("%w: tables of another program: %d", ErrForeign, tables)
	}
	var fault string
	if _, err := db.One(ctx, "PRAGMA quick_check(1)", nil, &fault); err != nil {
		return err
	}
	if fault != "ok" {
		return fmt.Errorf("%w: %q", ErrDamaged, fault)
	}
	return nil
}

// plain is err without the path that it begins with, which stands in the message already.
func plain(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// explainSQLite says in one line what SQLite says with a number.
func explainSQLite(err error) error {
	var se *sqlite.Error
	if !errors.As(err, &se) {
		if errors.Is(err, os.ErrPermission) && !errors.Is(err, ErrDenied) {
			return fmt.Errorf("%w: %w", ErrDenied, err)
		}
		return err
	}
	what := map[int]error{
		sqlite3.SQLITE_CORRUPT: ErrDamaged, sqlite3.SQLITE_NOTADB: ErrForeign,
		sqlite3.SQLITE_FULL: ErrFull, sqlite3.SQLITE_READONLY: ErrDenied, sqlite3.SQLITE_PERM: ErrDenied,
		sqlite3.SQLITE_AUTH: ErrDenied, sqlite3.SQLITE_BUSY: ErrBusy, sqlite3.SQLITE_LOCKED: ErrBusy,
	}[se.Code()&0xff]
	if what == nil || errors.Is(err, what) {
		return err
	}
	return fmt.Errorf("%w (%w)", what, err)
}
