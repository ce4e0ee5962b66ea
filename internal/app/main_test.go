//go:build unix

package app

import (
	"os"
	"testing"
)

// TestMain keeps the tests from the public checksum database.
func TestMain(m *testing.M) {
	if err := os.Setenv("GOSUMDB", "off"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}
