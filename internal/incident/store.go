package incident

import (
	"context"
	"strings"
)

// Store keeps the records of incidents between sweeps. It is safe for concurrent use, by
// several processes as well: Swap is what keeps two of them from making two issues.
//
// The types are plain, so that a database can implement it without importing this package.
type Store interface {
	// Load gives the record under a key and its version, which is at least 1. Where there is
	// none, the version is 0.
	Load(ctx context.Context, key string) (record []byte, version int64, err error)
	// Swap puts a record in the place of the one of that version (0: there is none yet), and
	// gives the version of the new one. Where another version is there, nothing is written and
	// swapped is false.
	Swap(ctx context.Context, key string, version int64, record []byte) (next int64, swapped bool, err error)
	// Keys gives the keys that begin with prefix, in order.
	Keys(ctx context.Context, prefix string) ([]string, error)
}

// storeKey is the key of an incident. The names of organisations are the same in any letter
// case, and have no slash.
func storeKey(organisation, campaign string) string {
	return storePrefix(organisation) + campaign
}

func storePrefix(organisation string) string { return strings.ToLower(organisation) + "/" }

// sameName reports whether two names of organisations are the same to GitHub.
func sameName(a, b string) bool { return strings.EqualFold(a, b) }
