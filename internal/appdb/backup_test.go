package appdb_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/wormsweep/wormsweep/internal/appdb"
)

// TestBackup: a copy is made while somebody writes, has what was committed when it began, and is
// opened as the database is.
func TestBackup(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "da[t]a*")
	db, err := appdb.Open(t.Context(), folder, appdb.Options{Alone: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, text := range []string{"CREATE TABLE app_schema (part TEXT, version INTEGER)", "CREATE TABLE kept (n INTEGER PRIMARY KEY)"} {
		if _, err := db.Exec(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	const before = 200
	stop, written := make(chan struct{}), make(chan struct{})
	var writing sync.WaitGroup
	writing.Go(func() {
		for n := 1; ; n++ {
			if _, err := db.Exec(t.Context(), "INSERT INTO kept (n) VALUES ($1)", n); err != nil {
				t.Error(err)
				return
			}
			if n == before {
				close(written)
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	<-written
	into := filepath.Join(t.TempDir(), "copy")
	names, err := appdb.Backup(t.Context(), folder, into)
	close(stop)
	writing.Wait()
	if err != nil || strings.Join(names, " ") != "app.db" {
		t.Fatalf("%q %v", names, err)
	}
	if left, err := filepath.Glob(filepath.Join(into, "*")); err != nil || len(left) != 1 {
		t.Errorf("%q %v", left, err)
	}
	copied, err := appdb.Open(t.Context(), into, appdb.Options{Alone: true})
	if err != nil {
		t.Fatal(err)
	}
	defer copied.Close()
	var count, last int
	if _, err := copied.One(t.Context(), "SELECT count(*), max(n) FROM kept", nil, &count, &last); err != nil || count < before || count != last {
		t.Errorf("%d rows up to %d, %v", count, last, err)
	}
	if _, err := appdb.Backup(t.Context(), folder, into); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("over a copy: %v", err)
	}
}

// TestBackupRefuses: a copy of what is damaged is none.
func TestBackupRefuses(t *testing.T) {
	if _, err := appdb.Backup(t.Context(), "postgres://127.0.0.1/x", t.TempDir()); !errors.Is(err, appdb.ErrNotAFolder) {
		t.Error(err)
	}
	if _, err := appdb.Backup(t.Context(), t.TempDir(), t.TempDir()); err == nil {
		t.Error("an empty folder")
	}
	folder, into := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, appdb.File), bytes.Repeat([]byte("no database "), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := appdb.Backup(t.Context(), folder, into); !errors.Is(err, appdb.ErrForeign) {
		t.Error(err)
	}
	if left, err := os.ReadDir(into); err != nil || len(left) > 0 {
		t.Errorf("%v %v", left, err)
	}
}
