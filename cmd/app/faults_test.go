//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/appdb"
	"github.com/wormsweep/wormsweep/internal/apptest"
	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/journal"
	"github.com/wormsweep/wormsweep/internal/xtest/pgtest"
)

// flood sends pushes until it is stopped, and gives how many were answered with 202, with
// another status, and not at all. last is the status of the last answer.
type flood struct {
	accepted, refused, broken, last atomic.Int64

	stop context.CancelFunc
	all  sync.WaitGroup
}

func newFlood(t *testing.T, github *githubtest.Server, url func() string, senders int) *flood {
	f := &flood{}
	ctx, stop := context.WithCancel(t.Context())
	f.stop = stop
	var next atomic.Int64
	for range senders {
		f.all.Go(func() {
			for ctx.Err() == nil {
				id := fmt.Sprintf("f-%d", next.Add(1))
				status, err := apptest.Send(url(), apptest.Delivery{ID: id, Event: "push", Body: apptest.Push(github, "web", fmt.Sprintf("%040s", id))})
				f.last.Store(int64(status))
				switch {
				case err != nil:
					f.broken.Add(1)
					time.Sleep(10 * time.Millisecond)
				case status == 202:
					f.accepted.Add(1)
				default:
					f.refused.Add(1)
					time.Sleep(10 * time.Millisecond)
				}
			}
		})
	}
	return f
}

func (f *flood) end() { f.stop(); f.all.Wait() }

// until waits for something that a flood shows.
func until(t *testing.T, what string, within time.Duration, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, within)
		}
	}
}

// check holds what is kept against what was answered: all that was accepted is done, and nothing
// is dead.
func (f *flood) check(t *testing.T, database string) {
	t.Helper()
	counts := settle(t, open(t, database), 90*time.Second)
	if done := counts[journal.Done]; done < f.accepted.Load() || counts[journal.Dead] > 0 {
		t.Errorf("%v of %d accepted, %d refused, %d broken", counts, f.accepted.Load(), f.refused.Load(), f.broken.Load())
	}
	t.Logf("%d accepted, %d refused, %d broken: %v", f.accepted.Load(), f.refused.Load(), f.broken.Load(), counts)
}

// TestTerm: SIGTERM under load takes no more, finishes or gives back what runs in 25 seconds, and
// the next process does the rest.
func TestTerm(t *testing.T) {
	for _, kind := range databases {
		t.Run(kind.name, func(t *testing.T) {
			github := githubtest.Start(t, githubtest.Options{})
			database := kind.fresh(t)
			config := apptest.Config(t, github, database)
			var url atomic.Value
			p := apptest.Serve(t, config)
			url.Store(p.URL)
			f := newFlood(t, github, func() string { return url.Load().(string) }, 8)
			for range 3 {
				time.Sleep(700 * time.Millisecond)
				if code, took := p.Stop(); code != 0 || took > 25*time.Second {
					t.Errorf("exit code %d after %v:\n%s", code, took, p.Stderr())
				}
				if line, bad := p.Logged("a job failed, and is tried again"); bad {
					t.Errorf("a stop counted as a failure: %v", line)
				}
				p = apptest.Serve(t, config)
				url.Store(p.URL)
			}
			time.Sleep(300 * time.Millisecond)
			f.end()
			f.check(t, database)
		})
	}
}

// TestLocked: while another process holds the file deliveries are answered with 503 in time, and
// afterwards with 202 again.
func TestLocked(t *testing.T) {
	github := githubtest.Start(t, githubtest.Options{})
	database := filepath.Join(t.TempDir(), "data")
	p := apptest.Serve(t, apptest.Config(t, github, database))
	holder, err := appdb.Open(t.Context(), database, appdb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close()
	f := newFlood(t, github, func() string { return p.URL }, 4)
	until(t, "deliveries are taken", 10*time.Second, func() bool { return f.accepted.Load() > 20 })
	err = holder.Tx(t.Context(), func(*appdb.Tx) error {
		until(t, "a delivery is refused", 10*time.Second, func() bool { return f.refused.Load() > 0 && f.last.Load() == 503 })
		before := f.accepted.Load()
		time.Sleep(6 * time.Second)
		if f.accepted.Load() != before || f.broken.Load() > 0 {
			t.Errorf("%d accepted and %d broken while the file was held", f.accepted.Load()-before, f.broken.Load())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	before := f.accepted.Load()
	until(t, "deliveries are taken again", 10*time.Second, func() bool { return f.accepted.Load() > before+20 })
	f.end()
	f.check(t, database)
}

// TestDiskFull: on a full disk deliveries are answered with 503, nothing is damaged, and with
// more room they are taken again.
func TestDiskFull(t *testing.T) {
	database := filepath.Join(t.TempDir(), "small")
	if err := os.Mkdir(database, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", database, "tmpfs", 0, "size=6m"); err != nil {
		t.Skipf("a small disk cannot be had, which takes the right to mount one: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(database, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	github := githubtest.Start(t, githubtest.Options{})
	p := apptest.Serve(t, apptest.Config(t, github, database))
	f := newFlood(t, github, func() string { return p.URL }, 8)
	until(t, "deliveries are taken", 10*time.Second, func() bool { return f.accepted.Load() > 20 })
	until(t, "the disk is full", 60*time.Second, func() bool { return f.refused.Load() > 50 && f.last.Load() == 503 })
	if err := syscall.Mount("tmpfs", database, "tmpfs", syscall.MS_REMOUNT, "size=128m"); err != nil {
		t.Fatal(err)
	}
	before := f.accepted.Load()
	until(t, "deliveries are taken again", 30*time.Second, func() bool { return f.accepted.Load() > before+50 })
	f.end()
	f.check(t, database)
	if code, _ := p.Stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	db, err := appdb.Open(t.Context(), database, appdb.Options{})
	if err = errors.Join(err, func() error { return db.Close() }()); err != nil {
		t.Errorf("what was full is damaged: %v", err)
	}
}

// TestPostgresCrash: the server of the database dies again and again under load. Meanwhile
// deliveries are answered with 503; all that was answered with 202 is done.
func TestPostgresCrash(t *testing.T) {
	server := pgtest.Start(t)
	database := server.Database(t)
	github := githubtest.Start(t, githubtest.Options{})
	config := apptest.Config(t, github, database)
	processes := []*apptest.Process{apptest.Serve(t, config), apptest.Serve(t, config)}
	var n atomic.Int64
	f := newFlood(t, github, func() string { return processes[n.Add(1)%2].URL }, 8)
	for range 3 {
		before := f.accepted.Load()
		until(t, "deliveries are taken", 30*time.Second, func() bool { return f.accepted.Load() > before+200 })
		server.Crash(t, time.Second)
	}
	before := f.accepted.Load()
	until(t, "deliveries are taken again", 30*time.Second, func() bool { return f.accepted.Load() > before+200 })
	f.end()
	if f.refused.Load() == 0 || f.broken.Load() > 0 {
		t.Errorf("%d refused and %d broken: a delivery that cannot be stored is refused", f.refused.Load(), f.broken.Load())
	}
	f.check(t, database)
	for _, p := range processes {
		if code, took := p.Stop(); code != 0 || took > 25*time.Second {
			t.Errorf("exit code %d after %v", code, took)
		}
	}
}
