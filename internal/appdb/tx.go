package appdb

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Tx is a transaction of either kind.
type Tx struct {
	conn
	sqlite   *sql.Tx
	postgres pgx.Tx
}

// SQLite is the transaction of a file, nil where the database is PostgreSQL's.
func (tx *Tx) SQLite() *sql.Tx { return tx.sqlite }

// Postgres is the transaction of PostgreSQL, nil where the database is a file.
func (tx *Tx) Postgres() pgx.Tx { return tx.postgres }

// Tx runs f in a transaction, which is kept where f returns nil and is no more otherwise. An
// error of the database says in one line what it is about; one that f makes itself is returned
// as it is.
func (db *DB) Tx(ctx context.Context, f func(*Tx) error) error {
	if db.postgres != nil {
		return db.explain(pgx.BeginFunc(ctx, db.postgres, func(inner pgx.Tx) error {
			return f(&Tx{conn: postgresConn(inner), postgres: inner})
		}))
	}
	inner, err := db.sqlite.BeginTx(ctx, nil)
	if err != nil {
		return db.explain(err)
	}
	defer inner.Rollback() // without effect once it is committed
	if err := f(&Tx{conn: sqliteConn(inner), sqlite: inner}); err != nil {
		return db.explain(err)
	}
	return db.explain(inner.Commit())
}

// Querier is a database or a transaction of it.
type Querier interface {
	// Exec runs a statement and counts the rows that it changed.
	Exec(ctx context.Context, statement string, args ...any) (int64, error)
	// Query calls row for each row of a query; scan reads it. It ends with row's first error.
	Query(ctx context.Context, query string, args []any, row func(scan func(into ...any) error) error) error
	// One reads the first row of a query; ok is false where there is none.
	One(ctx context.Context, query string, args []any, into ...any) (ok bool, err error)
}

// conn is what a database and a transaction have in common.
type conn struct {
	now     string // {now}
	explain func(error) error
	exec    func(ctx context.Context, statement string, args ...any) (int64, error)
	query   func(ctx context.Context, query string, args ...any) (rows, error)
}

type rows interface {
	Next() bool
	Scan(into ...any) error
	Err() error
}

func (c *conn) text(statement string) string { return strings.ReplaceAll(statement, "{now}", c.now) }

func (c *conn) Exec(ctx context.Context, statement string, args ...any) (int64, error) {
	n, err := c.exec(ctx, c.text(statement), args...)
	return n, c.explain(err)
}

func (c *conn) Query(ctx context.Context, query string, args []any, row func(scan func(into ...any) error) error) error {
	rows, err := c.query(ctx, c.text(query), args...)
	if err != nil {
		return c.explain(err)
	}
	defer closeRows(rows)
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return c.explain(rows.Err())
}

func (c *conn) One(ctx context.Context, query string, args []any, into ...any) (bool, error) {
	found := false
	stop := errors.New("stop")
	err := c.Query(ctx, query, args, func(scan func(...any) error) error {
		found = true
		if err := scan(into...); err != nil {
			return err
		}
		return stop
	})
	if errors.Is(err, stop) {
		err = nil
	}
	return found && err == nil, err
}

func closeRows(r rows) {
	switch r := r.(type) {
	case *sql.Rows:
		r.Close()
	case pgx.Rows:
		r.Close()
	}
}

// sqliteConn speaks through a *sql.DB or *sql.Tx.
func sqliteConn(to interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
},
) conn {
	return conn{
		now: sqliteNow, explain: explainSQLite,
		exec: func(ctx context.Context, statement string, args ...any) (int64, error) {
			result, err := to.ExecContext(ctx, statement, args...)
			if err != nil {
				return 0, err
			}
			return result.RowsAffected()
		},
		query: func(ctx context.Context, query string, args ...any) (rows, error) {
			rows, err := to.QueryContext(ctx, query, args...)
			if err != nil {
				return nil, err
			}
			return rows, nil
		},
	}
}

// postgresConn speaks through a pool or a pgx.Tx.
func postgresConn(to interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
},
) conn {
	return conn{
		now: postgresNow, explain: explainPostgres,
		exec: func(ctx context.Context, statement string, args ...any) (int64, error) {
			tag, err := to.Exec(ctx, statement, args...)
			return tag.RowsAffected(), err
		},
		query: func(ctx context.Context, query string, args ...any) (rows, error) {
			rows, err := to.Query(ctx, query, args...)
			if err != nil {
				return nil, err
			}
			return rows, nil
		},
	}
}

// Text is a text from outside as both databases take it, in a column or in JSON: without bytes
// that are no UTF-8 and without NUL, and of at most so many bytes.
func Text(s string, most int) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}
