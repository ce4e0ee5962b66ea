package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// dialect is what SQLite and PostgreSQL do not do alike. All other statements are the same for
// both: parameters are $1 and on, and conflicts are ON CONFLICT's.
type dialect struct {
	migrations string // folder of migrations
	lock       string // makes a transaction the only one that writes; "" where beginning it does
	tables     string // counts the tables that are there, and ours among them
	params     int    // how many parameters a statement for many rows has
	explain    func(error) error
}

//go:embed migrations
var migrations embed.FS

// migration is a step from one schema to the next.
type migration struct {
	version int
	text    string
}

// steps are the migrations of a dialect in order. Each file is NNNN_what.sql; they only add, so
// that a release runs on the schema of the one before and of the one after.
func (d *dialect) steps() ([]migration, error) {
	names, err := fs.Glob(migrations, d.migrations+"/*.sql")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var out []migration
	for _, name := range names {
		text, err := migrations.ReadFile(name)
		if err != nil {
			return nil, err
		}
		number, _, _ := strings.Cut(path.Base(name), "_")
		version, err := strconv.Atoi(number)
		if err != nil || version != len(out)+1 {
			return nil, fmt.Errorf("migration %q: not the one after %d", name, len(out))
		}
		out = append(out, migration{version, string(text)})
	}
	return out, nil
}

// migrate brings the schema up to date, or says why it cannot.
func (s *Store) migrate(ctx context.Context) error {
	steps, err := s.dialect.steps()
	if err != nil {
		return err
	}
	have, err := s.schema(ctx, s.read)
	newest := steps[len(steps)-1].version
	switch {
	case err != nil:
		return err
	case have > newest:
		return fmt.Errorf("%w: its schema is %d, and this program knows up to %d", ErrNewer, have, newest)
	case have == newest:
		return nil
	case s.write == nil && have == 0:
		return ErrNone
	case s.write == nil:
		return fmt.Errorf("%w: its schema is %d, and a sweep brings it to %d", ErrOlder, have, newest)
	}
	return s.inTx(ctx, func(tx *sql.Tx) error {
		have, err := s.schema(ctx, tx) // another process may have been first
		if err != nil {
			return err
		}
		if have == 0 {
			if _, err := tx.ExecContext(ctx, "CREATE TABLE inv_schema (version INTEGER PRIMARY KEY, applied BIGINT NOT NULL)"); err != nil {
				return err
			}
		}
		for _, step := range steps[min(have, len(steps)):] {
			if _, err := tx.ExecContext(ctx, step.text); err != nil {
				return fmt.Errorf("schema %d: %w", step.version, err)
			}
			if _, err := tx.ExecContext(ctx, "INSERT INTO inv_schema (version, applied) VALUES ($1, $2)", step.version, millis(s.now())); err != nil {
				return err
			}
		}
		return nil
	})
}

// querier is a database or a transaction of it.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// schema is the version of the schema, 0 where there is none yet.
func (s *Store) schema(ctx context.Context, q querier) (int, error) {
	var tables, ours int
	if err := q.QueryRowContext(ctx, s.dialect.tables).Scan(&tables, &ours); err != nil {
		return 0, err
	}
	if ours == 0 {
		if tables > 0 && s.dialect == &sqliteDialect { // a PostgreSQL database may hold other things
			return 0, fmt.Errorf("%w: tables of another program: %d", ErrForeign, tables)
		}
		return 0, nil
	}
	var version sql.NullInt64
	if err := q.QueryRowContext(ctx, "SELECT max(version) FROM inv_schema").Scan(&version); err != nil {
		return 0, err
	}
	if version.Int64 < 1 {
		return 0, fmt.Errorf("%w: its schema has no version", ErrDamaged)
	}
	return int(version.Int64), nil
}

// one scans the only row of a query; ok is false where there is none.
func one(ctx context.Context, q querier, query string, args []any, into ...any) (ok bool, err error) {
	err = q.QueryRowContext(ctx, query, args...).Scan(into...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}
