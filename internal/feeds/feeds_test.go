package feeds_test

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/feeds"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// source is a server on loopback whose answers a test changes from step to step. It counts
// requests, and answers 404 to what no answer is set for.
type source struct {
	*httptest.Server
	mu       sync.Mutex
	answers  map[string]http.HandlerFunc
	requests []string
}

func newSource(t *testing.T) *source {
	t.Helper()
	s := &source{answers: map[string]http.HandlerFunc{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		answer := s.answers[r.URL.Path]
		s.requests = append(s.requests, r.URL.RequestURI())
		s.mu.Unlock()
		if answer == nil {
			http.NotFound(w, r)
			return
		}
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// set makes the source answer a path so; nil is 404.
func (s *source) set(path string, answer http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[path] = answer
}

// serve makes the source answer a path with these bytes, and 304 to whom has them.
func (s *source) serve(path string, data []byte) {
	etag := fmt.Sprintf(`"%x"`, sha256.Sum256(data))
	s.set(path, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", etag)
		w.Header().Set("Content-Type", "text/plain")
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(data)))
	})
}

// clock is a time that a test moves on.
type clock struct{ now time.Time }

func newClock() *clock { return &clock{time.Date(2025, 11, 24, 12, 0, 0, 0, time.UTC)} }

func (c *clock) tick() time.Time {
	c.now = c.now.Add(15 * time.Minute)
	return c.now
}

// keeper is a copy under test.
type keeper struct {
	t     testing.TB
	dir   string
	clock *clock
}

func newKeeper(t testing.TB) *keeper { return &keeper{t, t.TempDir(), newClock()} }

func config(t testing.TB, text string) feeds.Config {
	t.Helper()
	c, err := feeds.ReadConfig("feeds.yaml", ".", []byte("schema: ioc-feeds/1\nfeeds:\n"+text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// update runs an update of a configuration with one feed.
func (k *keeper) update(c feeds.Config, accept ...string) feeds.Row {
	k.t.Helper()
	opt := feeds.Options{Dir: k.dir, Now: k.clock.tick, Accept: map[string]string{}}
	for _, digest := range accept {
		opt.Accept[c.Feeds[0].Name] = digest
	}
	report, err := feeds.Update(k.t.Context(), c, opt)
	if err != nil {
		k.t.Fatal(err)
	}
	if len(report.Rows) != 1 {
		k.t.Fatalf("%d rows, want 1", len(report.Rows))
	}
	if got, want := report.Current(), report.Rows[0].Outcome == feeds.Fetched || report.Rows[0].Outcome == feeds.Unchanged; got != want {
		k.t.Errorf("Current is %t with outcome %s", got, report.Rows[0].Outcome)
	}
	return report.Rows[0]
}

// want checks a row: outcome, rules, and what was added and withdrawn.
func want(t testing.TB, step string, row feeds.Row, outcome feeds.Outcome, added, withdrawn int, rules ...feeds.Rule) {
	t.Helper()
	var got []feeds.Rule
	for _, r := range row.Reasons {
		got = append(got, r.Rule)
	}
	if row.Outcome != outcome || row.Added != added || row.Withdrawn != withdrawn || !slices.Equal(got, rules) {
		t.Errorf("%s: %s, %d added, %d withdrawn, rules %v; want %s, %d, %d, %v\n%+v",
			step, row.Outcome, row.Added, row.Withdrawn, got, outcome, added, withdrawn, rules, row.Reasons)
	}
}

// set is the catalogue that a sweep makes of the copy.
func (k *keeper) set() *ioc.Set {
	k.t.Helper()
	c, err := feeds.OpenCopy(k.dir)
	if err != nil {
		k.t.Fatal(err)
	}
	set, err := c.Set()
	if err != nil {
		k.t.Fatal(err)
	}
	return set
}

// status is what the copy says of a version of a package of npm: "" for nothing, "active" or the
// status of the indicator that meets it.
func (k *keeper) status(name, version string) ioc.Status {
	k.t.Helper()
	matches, _ := k.set().Package(ecosystem.NPM, name, version)
	var status ioc.Status
	for _, m := range matches {
		if m.Indicator.Status == "" {
			return ioc.Active
		}
		status = m.Indicator.Status
	}
	return status
}

func writeFile(t testing.TB, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// list is a text list of n packages with one version each, from the given number on.
func list(from, n int) []byte {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "wormsweep-example-%d:6.6.6\n", from+i)
	}
	return []byte(b.String())
}

// urlFeed is a feed of a path of the source.
func urlFeed(t testing.TB, s *source, path, more string) feeds.Config {
	t.Helper()
	return config(t, "  - {name: one, kind: url, url: '"+s.URL+path+"'"+more+"}\n")
}
