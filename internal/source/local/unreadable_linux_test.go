package local_test

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/source"
)

// asNobody runs f with the rights of a user who owns nothing: permissions do not bind root.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	if os.Getuid() != 0 {
		f()
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends with its rights
		if err := syscall.Setfsuid(65534); err != nil {
			t.Error(err)
			return
		}
		f()
	}()
	<-done
}

// What may not be read is a problem where it stands; all else is read.
func TestUnreadable(t *testing.T) {
	top := layout(t, "in/a/f", "git in/a", "in/b/closed/f", "in/b/open/f", "in/b/go.sum", "in/c/f", "in/d/listed/f", "in/e/f", "git in/e", "alone/go.sum")
	for path, mode := range map[string]os.FileMode{
		"in/b/closed": 0, "in/c": 0, "in/b/go.sum": 0, "in/d/listed": 0o444, "in/e/.git": 0, "alone": 0,
	} {
		path = filepath.Join(top, path)
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Chmod(path, 0o755) })
	}
	for dir := top; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	asNobody(t, func() {
		want := []string{
			"a", "  worktree: f", "  refs/heads/main: f",
			"b", "  worktree: closed:unreadable go.sum open/f",
			"c", `  problem unreadable ""`,
			"d", "  worktree: listed:unreadable",
			"e", "  worktree: f", `  problem unreadable ".git"`,
		}
		if diff := cmp.Diff(want, found(t, filepath.Join(top, "in"))); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"alone", `  problem unreadable ""`}, found(t, filepath.Join(top, "alone"))); diff != "" {
			t.Errorf("a named folder (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"go.sum", `  problem unreadable ""`}, found(t, filepath.Join(top, "alone/go.sum"))); diff != "" {
			t.Errorf("a file in it (-want +got):\n%s", diff)
		}
		if _, code := read(t, only(t, filepath.Join(top, "in/b")).Trees[0], source.File{Path: "go.sum"}); code != source.CodeUnreadable {
			t.Errorf("Read: code %q; want %q", code, source.CodeUnreadable)
		}
	})
}
