package formats_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/formats"
)

// answers is a digest of what the readers of this Revision make of the files that are committed
// for their tests.
const (
	answersOf = 1
	answers   = "7ab7c3cade70597a"
)

// TestRevision: when a reader shows something else than before, what inventories hold of it is out
// of date, and Revision says so.
func TestRevision(t *testing.T) {
	h := sha256.New()
	read := 0
	add := func(what string, f *formats.Format, data []byte) {
		text, err := json.Marshal(f.Parse(data, lockfile.Options{Edges: true}))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(h, "%s %s %s\n", what, f.ID, text)
		read++
	}
	for i := range formats.All {
		f := &formats.All[i]
		fmt.Fprintf(h, "%s %q %q %q %q\n", f.ID, f.Ecosystem, f.Names, f.Dirs, f.Outside)
		if f.Sample != nil {
			add("sample", f, []byte(f.Sample(planted(f))))
		}
	}
	for _, root := range []string{"../npm/testdata", "../pypi/testdata"} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			if f := formats.For(filepath.ToSlash(path)); f != nil && err == nil {
				add(filepath.ToSlash(path), f, data)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if read < 40 {
		t.Fatalf("%d files read: too few to tell anything", read)
	}
	if got := hex.EncodeToString(h.Sum(nil)[:8]); got != answers || formats.Revision != answersOf {
		t.Errorf("the readers give other answers than those of revision %d, or pick other files: raise formats.Revision where that was released, and write %q here", answersOf, got)
	}
}
