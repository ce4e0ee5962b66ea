package appdb_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/wormsweep/wormsweep/internal/appdb"
	"github.com/wormsweep/wormsweep/internal/xtest/pgtest"
)

// both runs a test on both kinds of database.
func both(t *testing.T, test func(t *testing.T, setting string)) {
	t.Run("SQLite", func(t *testing.T) { test(t, filepath.Join(t.TempDir(), "data")) })
	t.Run("PostgreSQL", func(t *testing.T) { test(t, pgtest.Start(t).Database(t)) })
}

func open(t *testing.T, setting string) *appdb.DB {
	t.Helper()
	db, err := appdb.Open(t.Context(), setting, appdb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func files(texts ...string) fstest.MapFS {
	fs := fstest.MapFS{}
	for i, text := range texts {
		for _, dir := range []string{"sqlite", "postgres"} {
			fs[dir+"/000"+string(rune('1'+i))+"_x.sql"] = &fstest.MapFile{Data: []byte(text)}
		}
	}
	return fs
}

const (
	first  = "CREATE TABLE thing (name TEXT PRIMARY KEY, n BIGINT NOT NULL); CREATE TABLE other (n BIGINT);"
	second = "ALTER TABLE thing ADD COLUMN more BIGINT NOT NULL DEFAULT 7;"
)

func TestTx(t *testing.T) {
	both(t, func(t *testing.T, setting string) {
		ctx := t.Context()
		db := open(t, setting)
		if err := db.Migrate(ctx, "test", files(first)); err != nil {
			t.Fatal(err)
		}
		count := func() (n int64) {
			t.Helper()
			if ok, err := db.One(ctx, "SELECT count(*) FROM thing", nil, &n); err != nil || !ok {
				t.Fatal(ok, err)
			}
			return n
		}
		stop := errors.New("stop")
		for _, fails := range []bool{true, false} {
			err := db.Tx(ctx, func(tx *appdb.Tx) error {
				if n, err := tx.Exec(ctx, "INSERT INTO thing (name, n) VALUES ($1, {now})", "a"); n != 1 || err != nil {
					t.Errorf("%d, %v", n, err)
				}
				var at int64
				if ok, err := tx.One(ctx, "SELECT n FROM thing WHERE name = $1", []any{"a"}, &at); !ok || err != nil || time.Since(appdb.Time(at)).Abs() > time.Minute {
					t.Errorf("%v, %v, %v", ok, err, appdb.Time(at))
				}
				if fails {
					return stop
				}
				return nil
			})
			if errors.Is(err, stop) != fails || !fails && err != nil {
				t.Fatal(err)
			}
			if n := count(); fails && n != 0 {
				t.Errorf("%d rows after a transaction that failed", n)
			}
		}
		if n := count(); n != 1 {
			t.Errorf("%d rows after one that did not", n)
		}
		var name string
		if ok, err := db.One(ctx, "SELECT name FROM thing WHERE name = 'none'", nil, &name); ok || err != nil {
			t.Errorf("a row that is not there: %v, %v", ok, err)
		}
		if _, err := db.Exec(ctx, "INSERT INTO nothing VALUES (1)"); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("a table that is not there: %v", err)
		}
		if now, err := db.Now(ctx); err != nil || time.Since(now).Abs() > time.Minute {
			t.Errorf("%v, %v", now, err)
		}
	})
}

// TestMigrate: what is new is added, by several processes at once too, and a release does not
// mind what a newer one added.
func TestMigrate(t *testing.T) {
	both(t, func(t *testing.T, setting string) {
		ctx := t.Context()
		var all sync.WaitGroup
		for range 4 {
			db := open(t, setting)
			all.Go(func() {
				if err := db.Migrate(ctx, "test", files(first, second)); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		db := open(t, setting)
		for _, step := range [][]string{{first}, {first, second}} {
			if err := db.Migrate(ctx, "test", files(step...)); err != nil {
				t.Errorf("%d steps: %v", len(step), err)
			}
		}
		if _, err := db.Exec(ctx, "INSERT INTO thing (name, n) VALUES ('old', 1)"); err != nil {
			t.Errorf("an older release cannot write: %v", err)
		}
		if err := db.Migrate(ctx, "broken", files("CREATE TABLE half (n BIGINT); CREATE TABLE half (n BIGINT);")); err == nil {
			t.Error("a migration that fails is no error")
		}
		if _, err := db.Exec(ctx, "INSERT INTO half (n) VALUES (1)"); err == nil {
			t.Error("half a migration is there")
		}
	})
}

// TestRefused: each database that cannot be used is refused in one line without a password.
func TestRefused(t *testing.T) {
	dir := t.TempDir()
	put := func(name string, data []byte) string {
		folder := filepath.Join(dir, name)
		if err := os.MkdirAll(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, appdb.File), data, 0o600); err != nil {
			t.Fatal(err)
		}
		return folder
	}
	sound := filepath.Join(dir, "sound")
	db := open(t, sound)
	if err := db.Migrate(t.Context(), "test", files(first)); err != nil {
		t.Fatal(err)
	}
	for i := range 500 {
		if _, err := db.Exec(t.Context(), "INSERT INTO thing (name, n) VALUES ($1, 1)", strings.Repeat("x", 100)+time.Duration(i).String()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.Exec(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		t.Fatal(err)
	}
	db.Close()
	bytes, err := os.ReadFile(filepath.Join(sound, appdb.File))
	if err != nil {
		t.Fatal(err)
	}
	flipped := append([]byte(nil), bytes...)
	for i := 8192; i < len(flipped); i += 512 {
		flipped[i] ^= 0xff
	}
	foreign := put("foreign", nil)
	other, err := sql.Open("sqlite", filepath.Join(foreign, appdb.File))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Exec("CREATE TABLE somebody_elses (n)"); err != nil {
		t.Fatal(err)
	}
	other.Close()
	for _, tt := range []struct {
		about, setting string
		want           error
	}{
		{"no database", put("text", []byte(strings.Repeat("this is a letter\n", 1000))), appdb.ErrForeign},
		{"of another program", foreign, appdb.ErrForeign},
		{"damaged", put("flipped", flipped), appdb.ErrDamaged},
		{"cut", put("cut", bytes[:len(bytes)/2]), appdb.ErrDamaged},
		{"a file", filepath.Join(sound, appdb.File), nil},
		{"nobody answers", "postgres://user:s3cret@127.0.0.1:1/x", nil},
		{"no address", "postgres://user:s3cret@[::1/x", nil},
		{"an odd parameter", "postgresql://user:s3cret@h/x?sslmode=odd", nil},
	} {
		db, err := appdb.Open(t.Context(), tt.setting, appdb.Options{})
		if err == nil {
			db.Close()
		}
		if err == nil || tt.want != nil && !errors.Is(err, tt.want) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v, want %v", tt.about, err, tt.want)
		}
	}
}

// TestAlone: one process serves from a folder, and others may look meanwhile.
func TestAlone(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data")
	alone, err := appdb.Open(t.Context(), folder, appdb.Options{Alone: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := appdb.Open(t.Context(), folder, appdb.Options{Alone: true}); !errors.Is(err, appdb.ErrInUse) {
		t.Errorf("a second: %v", err)
	}
	open(t, folder)
	alone.Close()
	again, err := appdb.Open(t.Context(), folder, appdb.Options{Alone: true})
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
}

// TestBusy: where another process holds the file, a write waits for a while and says so.
func TestBusy(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data")
	db, holder := open(t, folder), open(t, folder)
	if err := db.Migrate(t.Context(), "test", files(first)); err != nil {
		t.Fatal(err)
	}
	write := func() error {
		_, err := db.Exec(t.Context(), "INSERT INTO other (n) VALUES (1)")
		return err
	}
	err := holder.Tx(t.Context(), func(*appdb.Tx) error {
		began := time.Now()
		if err := write(); !errors.Is(err, appdb.ErrBusy) || time.Since(began) > 8*time.Second {
			t.Errorf("%v after %v, want ErrBusy", err, time.Since(began))
		}
		return nil
	})
	if err := errors.Join(err, write()); err != nil {
		t.Error(err)
	}
}

var _ appdb.Querier = (*appdb.Tx)(nil)

// TestAddress: what is an address, and what a folder.
func TestAddress(t *testing.T) {
	for setting, want := range map[string]bool{"postgres://h/x": true, "postgresql://h/x": true, "data": false, "/postgres": false, "": false} {
		if got := appdb.IsPostgres(setting); got != want {
			t.Errorf("%q: %v", setting, got)
		}
	}
	if !appdb.Time(0).IsZero() || appdb.Millis(time.Time{}) != 0 {
		t.Error("no time is not kept as none")
	}
}
