// Package xtest finds what tests need and the repository does not hold: data that is too large,
// or not ours, to be committed (conformance suites, public indicator lists, a corpus of real
// lockfiles), and the programs of others that tests start. It is imported by tests alone.
//
// The data lies in the folder that the environment variable WORMSWEEP_TESTDATA names;
// make sets it. A test that asks for what is not there is skipped, with a reason that
// `make test` counts and prints at its end. Where CI is "true" such a test fails instead:
// a CI run that looked at nothing must not be green.
package xtest

import (
	"os"
	"os/exec"
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

// Program gives the path of a program that a test starts, by its name or its own path.
// .ci/needs installs those that `make check` needs.
func Program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		missing(t, "the test starts a program that is not here: %v", err)
	}
	return path
}

// missing ends the test: skipped on a developer's machine, failed in CI.
func missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}
