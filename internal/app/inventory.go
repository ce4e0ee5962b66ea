package app

import (
	"context"
	"path/filepath"

	"github.com/wormsweep/wormsweep/internal/appdb"
	"github.com/wormsweep/wormsweep/internal/store"
)

// InventoryOf is where the inventory of a database setting lies: a file beside the App's own in its
// folder, or the same PostgreSQL database.
func InventoryOf(database string) string {
	if appdb.IsPostgres(database) {
		return database
	}
	return filepath.Join(database, "inventory.db")
}

func openInventory(ctx context.Context, database string) (*store.Store, error) {
	return store.Open(ctx, InventoryOf(database), store.Options{})
}
