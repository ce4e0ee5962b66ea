package appdb

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// The number is ours: one process at a time changes the schema.
const migrateLock = 8247610255961326

// Migrate brings the tables of a part of the program up to date. The files of its folders
// "sqlite" and "postgres" are NNNN_what.sql, from 0001 on. They only add, so that a release runs
// on the schema of the one before and of the one after: a schema that is newer than the files is
// left as it is.
func (db *DB) Migrate(ctx context.Context, part string, files fs.FS) error {
	dir := "sqlite"
	if db.postgres != nil {
		dir = "postgres"
	}
	names, err := fs.Glob(files, dir+"/*.sql")
	if err != nil {
		return err
	}
	slices.Sort(names)
	err = db.Alone(ctx, func(ctx context.Context) error {
		return db.Tx(ctx, func(tx *Tx) error { return migrate(ctx, tx, part, files, names) })
	})
	return db.failed("bring the tables of "+part+" up to date", err)
}

func migrate(ctx context.Context, tx *Tx, part string, files fs.FS, names []string) error {
	if _, err := tx.Exec(ctx, "CREATE TABLE IF NOT EXISTS app_schema (part TEXT NOT NULL, version INTEGER NOT NULL, applied BIGINT NOT NULL, PRIMARY KEY (part, version))"); err != nil {
		return err
	}
	var have int
	if _, err := tx.One(ctx, "SELECT coalesce(max(version), 0) FROM app_schema WHERE part = $1", []any{part}, &have); err != nil {
		return err
	}
	for i, name := range names {
		number, _, _ := strings.Cut(path.Base(name), "_")
		if version, err := strconv.Atoi(number); err != nil || version != i+1 {
			return fmt.Errorf("migration %q: not the one after %d", name, i)
		}
		if i < have {
			continue
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, string(text)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if _, err := tx.Exec(ctx, "INSERT INTO app_schema (part, version, applied) VALUES ($1, $2, {now})", part, i+1); err != nil {
			return err
		}
	}
	return nil
}

// Alone runs f while no other process of the same PostgreSQL database runs anything with Alone.
// A file is its process's own.
func (db *DB) Alone(ctx context.Context, f func(context.Context) error) error {
	if db.postgres == nil {
		return f(ctx)
	}
	conn, err := db.postgres.Acquire(ctx)
	if err != nil {
		return explainPostgres(err)
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", migrateLock); err != nil {
		return explainPostgres(err)
	}
	// A connection that is not unlocked goes back to the pool with the lock: it is closed instead.
	defer func() {
		if _, err := conn.Exec(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", migrateLock); err != nil {
			conn.Conn().Close(context.WithoutCancel(ctx))
		}
	}()
	return f(ctx)
}
