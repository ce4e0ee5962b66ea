package store_test

import (
	"path/filepath"
	"testing"

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
