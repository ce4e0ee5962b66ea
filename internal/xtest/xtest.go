// Package xtest finds the data that tests share and that is too large, or not ours, to be
// committed: conformance suites, public indicator lists and a corpus of real lockfiles.
// It is imported by tests alone.
//
// The data lies in the folder that the environment variable WORMSWEEP_TESTDATA names;
// make sets it. Without it a test that asks for data is skipped, with a reason that
// `make test` counts and prints at its end. Where CI is "true" such a test fails instead:
// a CI run that looked at nothing must not be green.
package xtest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/wormsweep/wormsweep/internal/xtest/corpus"
)

// Data gives the path of one file or folder of the shared data. rel is relative to its
// root, with slashes: "conformance/purl".
func Data(t testing.TB, rel string) string {
	t.Helper()
	root := os.Getenv("WORMSWEEP_TESTDATA")
	if root == "" {
		missing(t, "WORMSWEEP_TESTDATA is not set, and the test needs %q of it", rel)
	}
	path := filepath.Join(root, filepath.FromSlash(rel))
	if _, err := os.Stat(path); err != nil {
		missing(t, "WORMSWEEP_TESTDATA has no %q: %v", rel, err)
	}
	return path
}

// Corpus gives the folder of real lockfiles that corpus.tar.xz holds, with their oracle
// in oracle.tsv. It is for reading only: all tests of the machine share it.
func Corpus(t testing.TB) string {
	t.Helper()
	dir, err := corpus.Unpack(Data(t, "corpus.tar.xz"), os.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// missing ends the test: skipped on a developer's machine, failed in CI.
func missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}
