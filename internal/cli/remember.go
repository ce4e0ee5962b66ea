package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/pflag"

	"github.com/wormsweep/wormsweep/internal/store"
)

// inventoryVariable names the inventory where no flag does; its URL may hold a password.
const inventoryVariable = "WORMSWEEP_INVENTORY"

// addInventory defines the flag that names an inventory.
func addInventory(flags *pflag.FlagSet, name *string) {
	flags.StringVar(name, "inventory", "", "`FILE` that remembers between runs, or postgres://...; "+inventoryVariable+" otherwise")
}

// openToRead opens the inventory that a command asks.
func openToRead(ctx context.Context, name string) (*store.Store, error) {
	name = cmp.Or(name, os.Getenv(inventoryVariable))
	if name == "" {
		return nil, usage(errors.New("no inventory is named: --inventory FILE"))
	}
	st, err := store.Open(ctx, name, store.Options{ReadOnly: true})
	switch {
	case errors.Is(err, store.ErrNone):
		return nil, usage(err)
	case err != nil:
		return nil, exitError{exitUnknown, err}
	}
	return st, nil
}

// openToWrite opens the inventory of a sweep, and makes it first where there is none. Where none
// is named it is nil.
func openToWrite(ctx context.Context, name string) (*store.Store, error) {
	if name = cmp.Or(name, os.Getenv(inventoryVariable)); name == "" {
		return nil, nil //nolint:nilnil // nothing is remembered
	}
	st, err := store.Open(ctx, name, store.Options{})
	if errors.Is(err, fs.ErrNotExist) { // its folder
		return nil, fmt.Errorf("--inventory: %w: %w", err, errWrongUse)
	}
	if err != nil {
		return nil, fmt.Errorf("--inventory: %w", err)
	}
	return st, nil
}
