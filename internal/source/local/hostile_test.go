package local_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/local"
)

// only gives the one repository of a path.
func only(t *testing.T, path string) *source.Repository {
	t.Helper()
	var only *source.Repository
	for repo, err := range local.Repositories(context.Background(), []string{path}, reads) {
		if err != nil || only != nil {
			t.Fatalf("%+v, %v: more than one repository", repo, err)
		}
		only = repo
	}
	if only == nil {
		t.Fatal("no repository")
	}
	t.Cleanup(func() { only.Close() })
	return only
}

// read gives the content and code of the file at path in a tree.
func read(t *testing.T, tree source.Tree, f source.File) (string, source.Code) {
	t.Helper()
	data, err := tree.Read(context.Background(), f, 1<<20, nil)
	var pe *source.PathError
	if err != nil && (!errors.As(err, &pe) || pe.Path != f.Path) {
		t.Errorf("Read(%q): %v is no *source.PathError for it", f.Path, err)
	}
	r, openErr := tree.Open(context.Background(), f)
	if openErr == nil {
		again, err := io.ReadAll(r)
		if err != nil || string(again) != string(data) {
			t.Errorf("Open(%q) read %q, %v; Read gave %q", f.Path, again, err, data)
		}
		r.Close()
	}
	if (err == nil) != (openErr == nil) {
		t.Errorf("%q: Read: %v, Open: %v", f.Path, err, openErr)
	}
	if pe == nil {
		return string(data), ""
	}
	return "", pe.Code
}

// What was put in the place of a file since it was listed leads nowhere and holds nobody up.
func TestSwappedFiles(t *testing.T) {
	top := layout(t, "secret/f", "in/package-lock.json", "in/inside", "in/a/b/f")
	repo := only(t, top+"/in")
	lock := source.File{Path: "package-lock.json"}
	deep := source.File{Path: "a/b/f"}
	for _, tt := range []struct {
		name string
		file source.File
		swap func() error
		text string
		code source.Code
	}{
		{"as it was", lock, func() error { return nil }, "in/package-lock.json", ""},
		{"a link out", lock, func() error { return os.Symlink(top+"/secret/f", top+"/in/package-lock.json") }, "", source.CodeOutside},
		{"a relative link out", lock, func() error { return os.Symlink("../secret/f", top+"/in/package-lock.json") }, "", source.CodeOutside},
		{"a link to a device", lock, func() error { return os.Symlink("/dev/zero", top+"/in/package-lock.json") }, "", source.CodeOutside},
		{"a folder", lock, func() error { return os.Mkdir(top+"/in/package-lock.json", 0o755) }, "", source.CodeSpecial},
		{"nothing", lock, func() error { return nil }, "", source.CodeUnreadable},
		{"a folder on the way as it was", deep, func() error { return nil }, "in/a/b/f", ""},
		{"a folder on the way that is a link out", deep, func() error {
			if err := os.RemoveAll(top + "/in/a/b"); err != nil {
				return err
			}
			return os.Symlink(top+"/secret", top+"/in/a/b")
		}, "", source.CodeOutside},
	} {
		if tt.name != "as it was" && tt.file == lock {
			if err := os.RemoveAll(top + "/in/package-lock.json"); err != nil {
				t.Fatal(err)
			}
		}
		if err := tt.swap(); err != nil {
			t.Fatal(err)
		}
		if text, code := read(t, repo.Trees[0], tt.file); text != tt.text || code != tt.code {
			t.Errorf("%s: %q, code %q; want %q, %q", tt.name, text, code, tt.text, tt.code)
		}
	}
	// The whole folder gives way to a link; the open folder is read and not the link.
	if err := os.Rename(top+"/in", top+"/away"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("secret", top+"/in"); err != nil {
		t.Fatal(err)
	}
	if text, code := read(t, repo.Trees[0], source.File{Path: "f"}); code == "" {
		t.Errorf("the secret was read: %q", text)
	}
	if text, _ := read(t, repo.Trees[0], source.File{Path: "inside"}); text != "in/inside" {
		t.Errorf("inside = %q; want in/inside", text)
	}
}

func TestReadIsBounded(t *testing.T) {
	top := layout(t, "in/package-lock.json")
	repo := only(t, top+"/in")
	f := source.File{Path: "package-lock.json"}
	buf := make([]byte, 0, 100)
	got, err := repo.Trees[0].Read(context.Background(), f, 100, buf)
	if err != nil || string(got) != "in/package-lock.json" || &got[0] != &buf[:1][0] {
		t.Errorf("Read = %q, %v; want the content in the buffer that has room", got, err)
	}
	if _, err := repo.Trees[0].Read(context.Background(), f, 19, buf); !errors.Is(err, source.ErrTooLarge) {
		t.Errorf("Read of a byte less: %v; want ErrTooLarge", err)
	}
	if err := os.Truncate(top+"/in/package-lock.json", 1<<40); err != nil { // takes no room on disk
		t.Skip(err)
	}
	if _, err := repo.Trees[0].Read(context.Background(), f, 1<<20, buf); !errors.Is(err, source.ErrTooLarge) {
		t.Errorf("Read of what has grown: %v; want ErrTooLarge", err)
	}
}

// A thousand folders in folders are listed, and one more is said to be left out.
func TestDepth(t *testing.T) {
	for _, tt := range []struct {
		depth int
		fault string
	}{
		{source.MaxTreeDepth, ""},
		{source.MaxTreeDepth + 1, strings.Repeat("d/", source.MaxTreeDepth) + "d:limit"},
	} {
		top := layout(t, "go.sum")
		deep(t, top, tt.depth)
		got := files(t, only(t, top).Trees[0])
		if len(got) != 2 || got[1] != "go.sum" || tt.fault != "" && got[0] != tt.fault || tt.fault == "" && !strings.HasSuffix(got[0], "/f") {
			t.Errorf("%d folders in folders: %d lines, the first ends in %q", tt.depth, len(got), got[0][max(0, len(got[0])-20):])
		}
	}
}

// deep makes folders in folders with a file in the last.
func deep(t *testing.T, top string, n int) {
	t.Helper()
	root, err := os.OpenRoot(top)
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		if err := root.Mkdir("d", 0o755); err != nil {
			t.Fatal(err)
		}
		next, err := root.OpenRoot("d")
		if err != nil {
			t.Fatal(err)
		}
		root.Close()
		root = next
	}
	defer root.Close()
	if err := root.WriteFile("f", nil, 0o644); err != nil {
		t.Fatal(err)
	}
}

// A huge folder costs memory for its names, and little more.
func TestWideFolder(t *testing.T) {
	top := layout(t, "in/go.sum")
	for i := range 5_000 {
		if err := os.WriteFile(filepath.Join(top, "in", fmt.Sprintf("%04d", i)), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got := files(t, only(t, top+"/in").Trees[0]); len(got) != 5_001 || got[0] != "0000" || got[5_000] != "go.sum" {
		t.Errorf("%d files, from %q to %q", len(got), got[0], got[len(got)-1])
	}
}
