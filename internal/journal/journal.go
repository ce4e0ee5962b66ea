// Package journal keeps what the App must not forget, in its database (package appdb): the
// deliveries that it answered with 202, the effects that it has on the outside, its switches, and
// the state of its installations.
package journal

import (
	"context"
	"embed"
	"io/fs"

	"github.com/wormsweep/wormsweep/internal/appdb"
)

// Journal is the tables of the App. It is safe for concurrent use, by several processes too.
type Journal struct {
	db *appdb.DB
}

//go:embed migrations
var migrations embed.FS

// Open brings the journal's tables up to date.
func Open(ctx context.Context, db *appdb.DB) (*Journal, error) {
	ours, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx, "journal", ours); err != nil {
		return nil, err
	}
	return &Journal{db: db}, nil
}
