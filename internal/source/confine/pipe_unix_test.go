//go:build unix

package confine_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/source/confine"
)

// Nothing waits for the other end of a pipe, and nothing speaks to a socket or device.
func TestOpenWaitsForNobody(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	socket, err := net.Listen("unix", filepath.Join(dir, "socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	dev, err := os.OpenRoot("/dev")
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if _, _, err := confine.Open(root, "pipe"); !errors.Is(err, confine.ErrNotRegular) {
			t.Errorf("pipe: %v; want %v", err, confine.ErrNotRegular)
		}
		if _, _, err := confine.Open(root, "socket"); err == nil {
			t.Error("socket: opened")
		}
		if _, _, err := confine.NewFiles(root).Open("pipe"); !errors.Is(err, confine.ErrNotRegular) {
			t.Errorf("pipe: %v; want %v", err, confine.ErrNotRegular)
		}
		if _, _, err := confine.Open(dev, "zero"); !errors.Is(err, confine.ErrNotRegular) {
			t.Errorf("/dev/zero: %v; want %v", err, confine.ErrNotRegular)
		}
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("it waits")
	}
}
