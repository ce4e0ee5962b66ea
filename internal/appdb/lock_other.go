//go:build !unix

package appdb

import (
	"errors"
	"os"
)

// lock has no lock here that ends with a process that is killed.
func lock(string) (*os.File, error) {
	return nil, errors.New("a folder is served from on Unix alone: name a PostgreSQL database")
}
