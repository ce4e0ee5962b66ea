//go:build unix

package local_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/local"
)

// Pipes and sockets are listed, and never opened: nobody is at their other end.
func TestSpecialFiles(t *testing.T) {
	top := layout(t, "in/go.sum", "in/sub/x")
	for _, pipe := range []string{"in/package-lock.json", "in/sub/pipe", "in/HEAD"} {
		if err := syscall.Mkfifo(filepath.Join(top, pipe), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(top) // the name of a socket is short
	socket, err := net.Listen("unix", "in/socket")
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		tree := only(t, top+"/in").Trees[0]
		if diff := cmp.Diff([]string{"HEAD!", "go.sum", "package-lock.json!", "socket!", "sub/pipe!", "sub/x"}, files(t, tree)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		for f := range tree.Files(context.Background()) {
			want := source.Code("")
			if f.Special {
				want = source.CodeSpecial
			}
			if _, code := read(t, tree, f); code != want {
				t.Errorf("Read(%q): code %q; want %q", f.Path, code, want)
			}
		}
		if _, code := read(t, tree, source.File{Path: "package-lock.json"}); code != source.CodeSpecial { // put there since
			t.Errorf("Read of a pipe that was listed as a file: code %q", code)
		}
		for range local.Repositories(context.Background(), []string{top + "/in/package-lock.json", os.DevNull}, reads) {
			continue
		}
	}()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("it waits")
	}
}
