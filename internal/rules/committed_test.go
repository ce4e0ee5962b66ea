//go:build !race

package rules_test

import (
	"bufio"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/format/index"

	"github.com/wormsweep/wormsweep/pkg/registry/host"
)

// committed lists the regular files that git tracks, with slashes, relative to root.
func committed(t *testing.T) []string {
	t.Helper()
	file, err := os.Open(filepath.Join(root, ".git", "index"))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("not a git checkout, so nothing says what is committed")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var tracked index.Index
	if err := index.NewDecoder(bufio.NewReader(file)).Decode(&tracked); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range tracked.Entries {
		_, err := os.Lstat(filepath.Join(root, filepath.FromSlash(entry.Name)))
		deleted := errors.Is(err, fs.ErrNotExist) // and not yet committed as such
		if entry.Mode != filemode.Submodule && entry.Mode != filemode.Symlink && !deleted {
			names = append(names, entry.Name)
		}
	}
	if len(names) == 0 {
		t.Fatal("git tracks no file: a test of them would pass in silence")
	}
	return names
}

// maxCommitted is the size of the largest file that may be committed, but for those that
// largeFiles lists with sizes of their own.
const maxCommitted = 1 << 20

var largeFiles = []struct {
	path string // a path.Match pattern
	size int64
	why  string
}{
	{"iocs/*.json", 4 << 20, "a campaign pack holds every version of its campaign"},
	{"iocs/index.bin", 8 << 20, "the compiled catalogue is embedded"},
}

func TestCommittedFilesAreSmall(t *testing.T) {
	for _, name := range committed(t) {
		info, err := os.Stat(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			t.Error(err)
			continue
		}
		limit := int64(maxCommitted)
		for _, large := range largeFiles {
			if ok, _ := filepath.Match(large.path, name); ok {
				limit = large.size
			}
		}
		if info.Size() > limit {
			t.Errorf("%s has %d bytes, over the limit of %d: make it smaller, or list it in largeFiles", name, info.Size(), limit)
		}
	}
}

// homePaths are paths below somebody's home or workplace.
var homePaths = regexp.MustCompile("(^|[\\s\"'`=(:])/(home|Users|root|work)/[A-Za-z0-9_.-]")

// data files hold what others wrote, or what must look as if they had: lockfiles with
// paths and registry addresses in them, and indicators.
var data = regexp.MustCompile(`(^|/)(testdata|examples|iocs)/`)

func TestCommittedFilesNameNoMachine(t *testing.T) {
	checkout, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range committed(t) {
		for n, line := range lines(t, name) {
			if bytes.Contains(line, []byte(checkout)) {
				t.Errorf("%s:%d names this checkout, %q", name, n+1, checkout)
			}
			if !data.MatchString(name) && homePaths.Match(line) {
				t.Errorf("%s:%d names a path of somebody's machine: %q", name, n+1, line)
			}
			// make finds the shared test data, and everything else asks the environment.
			if name != "Makefile" && !data.MatchString(name) && bytes.Contains(line, []byte("../"+"shared")) {
				t.Errorf("%s:%d names a folder beside the checkout; use WORMSWEEP_TESTDATA", name, n+1)
			}
		}
	}
}

// fixtureScripts write what must look real.
const fixtureScripts = "scripts/make-"

// publicHosts are the registries' addresses. GitHub's is left out: it is in the path of
// every Go module that lives there.
var publicHosts = []string{host.NPM, host.NPMYarn, host.PyPI, host.PyPIFiles, host.GoProxy, host.GoSum}

func TestPublicHostsHaveOnePlace(t *testing.T) {
	for _, name := range committed(t) {
		if data.MatchString(name) || strings.HasPrefix(name, fixtureScripts) ||
			strings.HasPrefix(name, "pkg/registry/host/") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		for n, line := range lines(t, name) {
			for _, h := range publicHosts {
				if bytes.Contains(line, []byte(h)) {
					t.Errorf("%s:%d names %s: use the constant of pkg/registry/host", name, n+1, h)
				}
			}
		}
	}
}

// lines gives the lines of a committed text file, and none of a binary one.
func lines(t *testing.T, name string) [][]byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.IndexByte(content, 0) >= 0 {
		return nil
	}
	return bytes.Split(content, []byte("\n"))
}
