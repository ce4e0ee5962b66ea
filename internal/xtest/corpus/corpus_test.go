package corpus_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/xtest/corpus"
)

func TestCopies(t *testing.T) {
	src, dir := t.TempDir(), t.TempDir()
	if err := os.Mkdir(filepath.Join(src, "a"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(src, "a", "go.mod"), []byte("module m\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := corpus.Copies(src, dir, 3); err != nil {
		t.Fatal(err)
	}
	for i, copied := range []string{"00", "01", "02"} {
		got, err := os.ReadFile(filepath.Join(dir, copied, "a", "go.mod"))
		if err != nil {
			t.Fatal(err)
		}
		if want := "module m\n" + strings.Repeat("\n", i); string(got) != want {
			t.Errorf("copy %s: %q, want %q", copied, got, want)
		}
	}
}

func TestUnpackRefuses(t *testing.T) {
	archive := filepath.Join(t.TempDir(), "corpus.tar.xz")
	if _, err := corpus.Unpack(archive, t.TempDir()); err == nil {
		t.Errorf("Unpack(%q) of no file gives no error", archive)
	}
	if err := os.WriteFile(archive, []byte("not an archive"), 0o644); err != nil {
		t.Fatal(err)
	}
	tmp := t.TempDir()
	if _, err := corpus.Unpack(archive, tmp); err == nil {
		t.Errorf("Unpack(%q) of no archive gives no error", archive)
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) != 0 {
		t.Errorf("Unpack left %v, %v behind", left, err)
	}
}
