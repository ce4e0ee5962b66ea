// Package appdb opens the database of the App: one SQLite file in a folder, or a PostgreSQL
// database that several processes share. What is kept in it is the business of the packages that
// bring their tables (Migrate); this one gives them transactions that both kinds understand.
//
// Statements are the same for both kinds: parameters are $1 and on, conflicts are ON CONFLICT's,
// and {now} stands for the time by the database's clock in milliseconds since 1970. Leases and
// whatever else several machines must agree on go by that clock, and by no other.
//
// What is committed is on the disk: SQLite runs with synchronous=FULL, and with one connection,
// since whoever writes takes the whole file.
package appdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// The errors that callers may branch on.
var (
	ErrDamaged = errors.New("damaged: restore a backup")               // what is there does not read back
	ErrForeign = errors.New("not a database of the App, or damaged")   // a file of another program
	ErrFull    = errors.New("the disk is full")                        // nothing of the transaction was kept
	ErrDenied  = errors.New("not allowed to write")                    // by the file system or the database
	ErrBusy    = errors.New("another process kept it for too long")    // nothing of the transaction was kept
	ErrInUse   = errors.New("another process serves from this folder") // Alone
)

// Options are the settings of Open. The zero value is ready for use.
type Options struct {
	// Alone makes this process the only one that opens a folder with Alone: ErrInUse says that
	// there is another, alive. It means nothing to PostgreSQL.
	Alone bool
	// Connections is the most connections to PostgreSQL; 0 is 8. SQLite has one.
	Connections int
}

// DB is an open database. It is safe for concurrent use.
type DB struct {
	conn
	where string // for messages; without a password
	alone *os.File

	sqlite   *sql.DB
	postgres *pgxpool.Pool
}

// IsPostgres reports whether a database setting is the address of a PostgreSQL database.
func IsPostgres(setting string) bool {
	return strings.HasPrefix(setting, "postgres://") || strings.HasPrefix(setting, "postgresql://")
}

// Open opens the database of a setting: a folder, which is made where it is not there, or an
// address that begins with "postgres://" or "postgresql://".
func Open(ctx context.Context, setting string, opt Options) (*DB, error) {
	db := &DB{}
	open := db.openSQLite
	if IsPostgres(setting) {
		open = db.openPostgres
	}
	if err := open(ctx, setting, opt); err != nil {
		db.Close()
		return nil, db.failed("open", err)
	}
	return db, nil
}

// Close lets go of the database. Nothing that was committed is lost without it.
func (db *DB) Close() error {
	var err error
	if db.sqlite != nil {
		err = db.sqlite.Close()
	}
	if db.postgres != nil {
		db.postgres.Close()
	}
	if db.alone != nil {
		err = errors.Join(err, db.alone.Close()) // the lock goes with the file
	}
	return err
}

// SQLite is the file's only connection, nil where the database is PostgreSQL's.
func (db *DB) SQLite() *sql.DB { return db.sqlite }

// Postgres is the pool of connections, nil where the database is a file.
func (db *DB) Postgres() *pgxpool.Pool { return db.postgres }

// Ping asks the database whether it answers.
func (db *DB) Ping(ctx context.Context) error {
	_, err := db.Now(ctx)
	return err
}

// Now is the time by the database's clock.
func (db *DB) Now(ctx context.Context) (time.Time, error) {
	var now int64
	if _, err := db.One(ctx, "SELECT {now}", nil, &now); err != nil {
		return time.Time{}, err
	}
	return Time(now), nil
}

// Time is a time that {now} wrote; 0 is the zero time.
func Time(millis int64) time.Time {
	if millis == 0 {
		return time.Time{}
	}
	return time.UnixMilli(millis).UTC()
}

// Millis is a time as {now} writes it; the zero time is 0.
func Millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// failed says in which database something failed, and in one line why.
func (db *DB) failed(doing string, err error) error {
	if err == nil {
		return nil
	}
	if db.explain != nil {
		err = db.explain(err)
	}
	return fmt.Errorf("database %s: %s: %w", db.where, doing, err)
}
