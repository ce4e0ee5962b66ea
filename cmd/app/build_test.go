//go:build build

package main

import (
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestBuild: two builds of one commit, in two folders, are equal, static, and run.
func TestBuild(t *testing.T) {
	var sums []string
	for _, name := range []string{"one", filepath.Join("a longer path", "two")} {
		clone := filepath.Join(t.TempDir(), name)
		call(t, "git", "clone", "--quiet", "../..", clone)
		out := filepath.Join(t.TempDir(), "app")
		call(t, filepath.Join(clone, "scripts", "build-app.sh"), out)
		content, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(content)
		sums = append(sums, hex.EncodeToString(sum[:]))
		if bytes.Contains(content, []byte(clone)) {
			t.Errorf("the file names the folder %q", clone)
		}
		static(t, out)
		if help := call(t, out, "--help"); !strings.Contains(help, "serve") {
			t.Errorf("it does not run: %s", help)
		}
	}
	if sums[0] != sums[1] {
		t.Errorf("two builds differ: %s", sums)
	}
}

// static fails where a file needs a loader or a library.
func static(t *testing.T, file string) {
	t.Helper()
	f, err := elf.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			t.Error("it needs a loader")
		}
	}
	if libraries, err := f.ImportedLibraries(); err == nil && len(libraries) > 0 {
		t.Errorf("it needs %q", libraries)
	}
}

func call(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}
