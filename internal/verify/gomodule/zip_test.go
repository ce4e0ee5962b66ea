package gomodule

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"

	"github.com/wormsweep/wormsweep/internal/registrytest"
)

var zipModule = module.Version{Path: "example.org/m", Version: "v1.0.0"}

// What a zip is read as has the digest that golang.org/x/mod gives it; nothing else of it is
// believed.
func FuzzZip(f *testing.F) {
	sound, err := registrytest.MakeGoModule(zipModule.Path, zipModule.Version, time.Time{},
		"go.mod", "module example.org/m\n", "a.go", "package m\n", "sub/b.go", strings.Repeat("x", 5000))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sound.Zip)
	f.Add(sound.Zip[:len(sound.Zip)-8])
	f.Add(bytes.Replace(sound.Zip, []byte("a.go"), []byte("sub/"), 2))
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	f.Fuzz(func(t *testing.T, data []byte) {
		name := filepath.Join(t.TempDir(), "zip")
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		files, err := fromZip(t.Context(), file, zipModule)
		if err != nil {
			return
		}
		want, err := dirhash.HashZip(name, dirhash.Hash1)
		if err != nil {
			t.Fatalf("read as %d files, and x/mod says %v", len(files), err)
		}
		if got := h1Text(files.h1(zipModule.String() + "/")); got != want {
			t.Fatalf("digest %s; want %s", got, want)
		}
	})
}

func TestCompare(t *testing.T) {
	zip := sums{"a": {1}, "b": {2}, "evil": {9}, "folder/": {}, "": {}}
	tree := sums{"a": {1}, "b": {3}, "c": {4}, "d": {5}}
	list := compare(zip, tree)
	want := `"evil" is not in the commit, "b" has another content, "c" is in the commit alone, and 1 more`
	if got := describe(list); got != want || len(list) != 4 {
		t.Errorf("%s; want %s", got, want)
	}
	if list := compare(tree, tree); len(list) != 0 {
		t.Errorf("of the same: %v", list)
	}
}

func TestLayout(t *testing.T) {
	for _, tt := range []struct{ module, version, root, tag, wantDir, wantTag string }{
		{"github.com/o/r", "v1.0.0", "", "", "", "v1.0.0"},
		{"github.com/o/r/v2", "v2.0.0", "", "", "", "v2.0.0"},
		{"github.com/o/r/sub", "v1.0.0", "", "", "sub", "sub/v1.0.0"},
		{"github.com/o/r/sub/x/v3", "v3.0.0", "", "", "sub/x", "sub/x/v3.0.0"},
		{"github.com/o/r", "v4.0.0+incompatible", "", "", "", "v4.0.0"},
		{"gopkg.in/yaml.v3", "v3.0.1", "", "", "", "v3.0.1"},
		{"gopkg.in/yaml.v3", "v3.0.1", "gopkg.in/yaml.v3", "", "", "v3.0.1"},
		{"example.org", "v1.0.0", "", "", "", "v1.0.0"},
		{"example.org/m", "v1.0.0", "", "", "m ", "m/v1.0.0 v1.0.0"},
		{"example.org/m/a/v2", "v2.0.0", "", "", "m/a a ", "m/a/v2.0.0 a/v2.0.0 v2.0.0"},
		{"example.org/m", "v1.0.0", "", "r1", "m ", "r1 r1"},
		{"example.org/m/sub", "v1.0.0", "", "sub/v1.0.0", "sub", "sub/v1.0.0"},
		{"example.org/m/sub", "v1.0.0", "example.org/m", "", "sub", "sub/v1.0.0"},
		{"example.org/m/v2", "v2.0.0", "example.org/m/v2", "", "", "v2.0.0"},
		{"github.com/o/r", "v1.0.0", "", "release-1.0.0", "", "release-1.0.0"},
		{"github.com/o/r", "v0.0.0-20260901000000-0123456789ab", "", "", "", ""},
	} {
		layouts, err := newLayouts(tt.module, tt.version, tt.root, tt.tag)
		if err != nil {
			t.Errorf("newLayouts(%q, %q, %q, %q): %v", tt.module, tt.version, tt.root, tt.tag, err)
			continue
		}
		var dirs, tags []string
		for _, l := range layouts {
			dirs, tags = append(dirs, l.dir), append(tags, l.tag)
		}
		if got, is := strings.Join(dirs, " "), strings.Join(tags, " "); got != tt.wantDir || is != tt.wantTag {
			t.Errorf("newLayouts(%q, %q, %q, %q): folders %q, tags %q; want %q, %q", tt.module, tt.version, tt.root, tt.tag, got, is, tt.wantDir, tt.wantTag)
		}
	}
	layouts, err := newLayouts("github.com/o/r/v2", "v2.0.0", "", "")
	if err != nil {
		t.Fatal(err)
	}
	l := layouts[0]
	for _, tt := range []struct {
		first, second string // go.mod at the root and in v2, "" for none
		want          string
		ok            bool
	}{
		{"module github.com/o/r/v2\n", "", "", true},
		{"module github.com/o/r\n", "module github.com/o/r/v2\n", "v2", true},
		{"", "module github.com/o/r/v2\n", "v2", true},
		{"module github.com/o/r/v2\n", "module github.com/o/r/v2\n", "", false},
		{"module github.com/o/r/v2\n", "module github.com/o/r\n", "", false},
		{"module github.com/o/r\n", "", "", false},
		{"", "", "", false},
	} {
		folder, err := l.folder(func(name string) ([]byte, bool, error) {
			text := map[string]string{"go.mod": tt.first, "v2/go.mod": tt.second}[name]
			return []byte(text), text != "", nil
		})
		if folder != tt.want || (err == nil) != tt.ok {
			t.Errorf("go.mod %q, v2/go.mod %q: folder %q, %v; want %q, ok %v", tt.first, tt.second, folder, err, tt.want, tt.ok)
		}
	}
}
