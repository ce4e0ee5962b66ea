package store_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/internal/store/storetest"
	"github.com/wormsweep/wormsweep/internal/xtest/pgtest"
)

func TestSQLite(t *testing.T) {
	storetest.Run(t, "sqlite", func(t *testing.T) string { return filepath.Join(t.TempDir(), "inventory.db") })
}

func TestPostgres(t *testing.T) {
	server := pgtest.Start(t)
	storetest.Run(t, "pgx", func(t *testing.T) string { return server.Database(t) })
}

// TestPostgresAddress: an address that is none, or where nobody answers, is told in one line that
// does not hold its password.
func TestPostgresAddress(t *testing.T) {
	for _, address := range []string{
		"postgres://user:s3cret@127.0.0.1:1/inventory", "postgresql://user:s3cret@localhost:1/inventory?connect_timeout=5",
		"postgres://user:s3cret@[::1/inventory", "postgres://user:s3cret@h/inventory?sslmode=odd",
	} {
		_, err := store.Open(t.Context(), address, store.Options{})
		if err == nil || strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "\n") {
			t.Errorf("Open(%q): %v", address, err)
		}
	}
}
