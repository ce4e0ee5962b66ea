package sumdb_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/registrytest"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
	"github.com/wormsweep/wormsweep/pkg/registry/sumdb"
)

const (
	logName = "sum.example.org"
	path    = "example.org/Upper/m"
	version = "v1.2.3"
)

// world is a proxy with a log, on loopback.
type world struct {
	*registrytest.GoProxy
	address string
	client  *fetch.Client
}

func start(t *testing.T) *world {
	t.Helper()
	proxy, err := registrytest.NewGoProxy(logName)
	if err != nil {
		t.Fatal(err)
	}
	if err := proxy.Log.Fill(300); err != nil {
		t.Fatal(err)
	}
	m, err := registrytest.MakeGoModule(path, version, time.Unix(1_700_000_000, 0), "go.mod", "module "+path+"\n", "a.go", "package m\n")
	if err != nil {
		t.Fatal(err)
	}
	if err := proxy.Publish(m); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	client, err := fetch.New(fetch.Options{
		Hosts: []string{u.Host}, PrivateHosts: []string{u.Host}, Attempts: 1, Timeout: 2 * time.Second, Grace: time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	return &world{proxy, server.URL, client}
}

// log makes a client with what an earlier one kept.
func (w *world) log(t *testing.T, heads sumdb.Heads, cache sumdb.Cache) *sumdb.Client {
	t.Helper()
	remote, err := sumdb.Proxied(t.Context(), w.client, w.address, logName)
	if err != nil {
		t.Fatal(err)
	}
	c, err := sumdb.New(remote, sumdb.Options{Key: w.Log.Key(), Heads: heads, Cache: cache})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (w *world) sums(t *testing.T) (zip, mod string) {
	t.Helper()
	m, err := registrytest.MakeGoModule(path, version, time.Time{}, "go.mod", "module "+path+"\n", "a.go", "package m\n")
	if err != nil {
		t.Fatal(err)
	}
	lines, err := registrytest.GoSum(m)
	if err != nil {
		t.Fatal(err)
	}
	f := strings.Fields(lines)
	return strings.TrimPrefix(f[2], "h1:"), strings.TrimPrefix(f[5], "h1:")
}

func TestLookup(t *testing.T) {
	w := start(t)
	c := w.log(t, nil, nil)
	r, err := c.Lookup(t.Context(), path, version)
	if err != nil {
		t.Fatal(err)
	}
	zip, mod := w.sums(t)
	if r.Zip.Text != zip || r.Mod.Text != mod || r.ID != 300 || r.Log != logName || r.Tree.Size != 301 {
		t.Errorf("Lookup gives %+v; want the zip %s, the go.mod %s, the record 300 of 301", r, zip, mod)
	}
	w.Asked()
	if _, err := c.Lookup(t.Context(), path, version); err != nil {
		t.Fatal(err)
	}
	if asked := w.Asked(); len(asked) != 0 {
		t.Errorf("a second look-up asks for %q; want what was proved to be kept", asked)
	}
	if _, err := c.Lookup(t.Context(), path, "v9.9.9"); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("a version that the log does not have: %v; want %v", err, registry.ErrNotFound)
	}
	if _, err := c.Lookup(t.Context(), path, "v1.2"); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("no version: %v; want %v", err, registry.ErrNotFound)
	}
}

// What the log does is told apart, with what was kept of it by an earlier run.
func TestHistory(t *testing.T) {
	const other = path + " " + version + " h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n" +
		path + " " + version + "/go.mod h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
	for _, tt := range []struct {
		name       string
		change     func(w *world) error
		forked     bool
		rolledBack bool
	}{
		{"nothing happened", func(*world) error { return nil }, false, false},
		{"it grew", func(w *world) error { return w.Log.Fill(500) }, false, false},
		{"a copy lags behind", func(w *world) error { w.Log.Lag(40); return nil }, false, false},
		{"it grew, and a copy lags behind", func(w *world) error { w.Log.Lag(40); return w.Log.Fill(500) }, false, false},
		{"a record was rewritten", func(w *world) error { return w.Log.Rewrite(300, other) }, true, false},
		{"a record was rewritten, and it grew", func(w *world) error {
			return errors.Join(w.Log.Rewrite(3, other), w.Log.Fill(500))
		}, true, false},
		{"a record was rewritten, and the head is a smaller one", func(w *world) error {
			return errors.Join(w.Log.RollBack(290), w.Log.Rewrite(3, other))
		}, true, true}, // which of the two hangs on the tiles that are at hand
		{"it was rolled back", func(w *world) error { return w.Log.RollBack(290) }, false, true},
		{"it was rolled back, and has other records now", func(w *world) error {
			return errors.Join(w.Log.RollBack(290), w.Log.Fill(5))
		}, false, true},
		{"it was rolled back, and outgrew itself", func(w *world) error {
			return errors.Join(w.Log.RollBack(290), w.Log.Fill(50))
		}, true, false},
	} {
		for _, kept := range []string{"head and cache", "head alone"} {
			w := start(t)
			memory := sumdb.NewMemory()
			if _, err := w.log(t, memory, memory).Lookup(t.Context(), path, version); err != nil {
				t.Fatal(err)
			}
			if err := tt.change(w); err != nil {
				t.Fatal(err)
			}
			cache := memory
			if kept == "head alone" {
				cache = sumdb.NewMemory()
			}
			for call, ask := range map[string]func(c *sumdb.Client) error{
				"Latest": func(c *sumdb.Client) error { _, err := c.Latest(t.Context()); return err },
				"Lookup": func(c *sumdb.Client) error { _, err := c.Lookup(t.Context(), path, version); return err },
			} {
				err := ask(w.log(t, memory, cache))
				var history *sumdb.HistoryError
				switch {
				case !tt.forked && !tt.rolledBack:
					if err != nil {
						t.Errorf("%s, %s kept, %s: %v", tt.name, kept, call, err)
					}
				case !errors.As(err, &history), tt.forked != tt.rolledBack && history.RolledBack != tt.rolledBack:
					t.Errorf("%s, %s kept, %s: %v; want rolled back %v", tt.name, kept, call, err, tt.rolledBack)
				case history.Remembered.Size != 301 || history.Shown.Note == "" || history.Remembered.Note == "":
					t.Errorf("%s, %s kept, %s: heads %+v", tt.name, kept, call, history)
				}
			}
		}
	}
}

// Without the latest head, those of the records tell.
func TestHistoryByRecordsAlone(t *testing.T) {
	w := start(t)
	w.Break("/latest", http.NotFound)
	memory := sumdb.NewMemory()
	if _, err := w.log(t, memory, nil).Lookup(t.Context(), path, version); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Log.Rewrite(5, "x\n"), w.Log.Fill(30)); err != nil {
		t.Fatal(err)
	}
	var history *sumdb.HistoryError
	if _, err := w.log(t, memory, nil).Lookup(t.Context(), path, version); !errors.As(err, &history) || history.RolledBack {
		t.Errorf("a fork: %v", err)
	}
}

func TestFaults(t *testing.T) {
	later := func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(4 * time.Second):
		case <-r.Context().Done():
		}
	}
	cut := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte("go.sum"))
	}
	for _, tt := range []struct {
		name   string
		suffix string
		answer http.HandlerFunc
		want   error
	}{
		{"a look-up without answer", "@" + version, later, nil},
		{"a look-up that is cut", "@" + version, cut, nil},
		{"HTML", "@" + version, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }, registry.ErrMalformed},
		{"not let in", "@" + version, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, registry.ErrDenied},
		{"endless", "@" + version, func(w http.ResponseWriter, _ *http.Request) {
			for range 100_000 {
				if _, err := w.Write([]byte("example.org/m v1.0.0 h1:\n")); err != nil {
					return
				}
			}
		}, registry.ErrTooLarge},
		{"no latest head", "/latest", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, nil},
		{"tiles of nobody", "/001.p/45", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 45*32)) }, sumdb.ErrNotProved},
	} {
		w := start(t)
		w.Break(tt.suffix, tt.answer)
		_, err := w.log(t, nil, nil).Lookup(t.Context(), path, version)
		var history *sumdb.HistoryError
		if err == nil || tt.want != nil && !errors.Is(err, tt.want) || errors.As(err, &history) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v; want %v, on one line, and no word of another history", tt.name, err, tt.want)
		}
		w.Break(tt.suffix, nil)
		if _, err := w.log(t, nil, nil).Lookup(t.Context(), path, version); err != nil {
			t.Errorf("after %s: %v", tt.name, err)
		}
	}
}

func TestWhatIsNotProved(t *testing.T) {
	w := start(t)
	w.Log.Lie(path, version, path+" "+version+" h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")
	if _, err := w.log(t, nil, nil).Lookup(t.Context(), path, version); !errors.Is(err, sumdb.ErrNotProved) {
		t.Errorf("a record that the tree does not hold: %v; want %v", err, sumdb.ErrNotProved)
	}
	w, stranger := start(t), start(t)
	remote := sumdb.At(w.client, w.address+"/sumdb/"+logName)
	c, err := sumdb.New(remote, sumdb.Options{Key: stranger.Log.Key()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Lookup(t.Context(), path, version); !errors.Is(err, sumdb.ErrNotProved) {
		t.Errorf("another key: %v; want %v", err, sumdb.ErrNotProved)
	}
}

func TestProxied(t *testing.T) {
	w := start(t)
	w.KeepLogDirect()
	if _, err := sumdb.Proxied(t.Context(), w.client, w.address, logName); !errors.Is(err, registry.ErrNotServed) {
		t.Errorf("a proxy without the log: %v; want %v", err, registry.ErrNotServed)
	}
	if _, err := sumdb.Proxied(t.Context(), w.client, w.address, "../x"); err == nil {
		t.Error("a name that is a path: no error")
	}
}

func TestManyAtOnce(t *testing.T) {
	w := start(t)
	memory := sumdb.NewMemory()
	c := w.log(t, memory, nil)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := c.Lookup(t.Context(), path, version); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if head, err := memory.Head(context.Background(), logName); err != nil || len(head) == 0 {
		t.Errorf("the head is not kept: %q, %v", head, err)
	}
}
