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
)

// ErrNotAFolder is of a database that has tools of its own to be backed up with.
var ErrNotAFolder = errors.New("PostgreSQL is backed up by pg_dump")

// Backup copies every SQLite file (*.db) of a folder into another one, each as it is at one moment,
// while others write to it. The copies are read back whole before they have their names, and
// nothing is written over. It gives the names of the files.
func Backup(ctx context.Context, setting, into string) ([]string, error) {
	if IsPostgres(setting) {
		return nil, ErrNotAFolder
	}
	files, err := filepath.Glob(filepath.Join(globless(setting), "*.db"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("folder %s: there is no database in it", strconv.Quote(setting))
	}
	if err := os.MkdirAll(into, 0o700); err != nil {
		return nil, fmt.Errorf("folder %s: %w", strconv.Quote(into), plain(err))
	}
	var done []string
	for _, file := range files {
		name := filepath.Base(file)
		if err := backup(ctx, file, filepath.Join(into, name)); err != nil {
			return done, fmt.Errorf("back up %s: %w", strconv.Quote(name), explainSQLite(err))
		}
		done = append(done, name)
	}
	return done, syncFolder(into)
}

// globless escapes what filepath.Glob would read as a pattern.
func globless(path string) string {
	var b []rune
	for _, r := range path {
		if r == '*' || r == '?' || r == '[' || r == '\\' {
			b = append(b, '[', r, ']')
			continue
		}
		b = append(b, r)
	}
	return string(b)
}

// backup copies one file.
func backup(ctx context.Context, from, to string) error {
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is there already", strconv.Quote(to))
	}
	partial := to + ".partial"
	if err := os.Remove(partial); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return plain(err)
	}
	if err := statement(ctx, from, "VACUUM INTO $1", partial); err != nil {
		return errors.Join(err, discard(partial))
	}
	if err := finish(ctx, partial, to); err != nil {
		return errors.Join(err, discard(partial))
	}
	return nil
}

// discard removes a copy that did not come about.
func discard(file string) error {
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// finish looks whether a copy reads back, brings it to the disk and gives it its name.
func finish(ctx context.Context, partial, to string) error {
	if err := os.Chmod(partial, 0o600); err != nil {
		return plain(err)
	}
	if err := statement(ctx, partial, "PRAGMA integrity_check(1)"); err != nil {
		return err
	}
	f, err := os.OpenFile(partial, os.O_RDWR, 0)
	if err != nil {
		return plain(err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(partial, to)
}

// statement runs one statement on a file. Where it answers, that has to be "ok".
func statement(ctx context.Context, file, text string, args ...any) error {
	query := url.Values{"mode": {"rw"}, "_pragma": {fmt.Sprintf("busy_timeout(%d)", busyMillis), "trusted_schema(OFF)"}}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: filepath.ToSlash(file)}).EscapedPath()+"?"+query.Encode())
	if err != nil {
		return err
	}
	defer db.Close()
	rows, err := db.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var said string
		if err := rows.Scan(&said); err != nil {
			return err
		}
		if said != "ok" {
			return fmt.Errorf("%w: %s", ErrDamaged, strconv.Quote(said))
		}
	}
	return rows.Err()
}

// syncFolder brings the names in a folder to the disk.
func syncFolder(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return plain(err)
	}
	if err := dir.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, fs.ErrInvalid) {
		dir.Close()
		return plain(err)
	}
	return dir.Close()
}
