package feeds_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/feeds"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

func gzipped(t *testing.T, write func(io.Writer)) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	write(w)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestFaults has a source fail in every way that sources fail, each against a good copy. The
// copy stays as it is, and the next good answer is taken.
func TestFaults(t *testing.T) {
	other := newSource(t)
	other.serve("/list.txt", list(1, 60))
	bomb := gzipped(t, func(w io.Writer) {
		zeros := make([]byte, 1<<20)
		for range 64 {
			if _, err := w.Write(zeros); err != nil {
				t.Fatal(err)
			}
		}
	})
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			w.Write(list(1, 60))
		}
	}
	for _, tt := range []struct {
		name    string
		answer  http.HandlerFunc
		outcome feeds.Outcome
		rule    feeds.Rule
		detail  string
	}{
		{"404", nil, feeds.Failed, feeds.Gone, "404"},
		{"410", status(410), feeds.Failed, feeds.Gone, "410"},
		{"500", status(500), feeds.Failed, feeds.Unreachable, "500"},
		{"403", status(403), feeds.Failed, feeds.Unreachable, "403"},
		{"204", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, feeds.Failed, feeds.Unreachable, "204"},
		{"cut body", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			w.Write(list(1, 3))
		}, feeds.Failed, feeds.Unreachable, "cut off"},
		{"cut chunks", func(w http.ResponseWriter, _ *http.Request) {
			w.Write(list(1, 30))
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, feeds.Failed, feeds.Unreachable, ""},
		{"slow body", func(w http.ResponseWriter, r *http.Request) {
			for i := range 200 {
				if _, err := fmt.Fprintf(w, "wormsweep-slow-%d:1.0.0\n", i); err != nil {
					return
				}
				w.(http.Flusher).Flush()
				select {
				case <-r.Context().Done():
					return
				case <-time.After(50 * time.Millisecond):
				}
			}
		}, feeds.Failed, feeds.Unreachable, "not done in 700ms"},
		{"no answer", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, feeds.Failed, feeds.Unreachable, "not done in 700ms"},
		{"endless body", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(bytes.Repeat([]byte("wormsweep-endless:1.0.0\n"), 100)); err != nil {
					return
				}
			}
		}, feeds.Failed, feeds.TooLarge, "over 100000 bytes"},
		{"gzip bomb", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(bomb)
		}, feeds.Failed, feeds.TooLarge, "over 100000 bytes"},
		{"gzip that is none", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(list(1, 60))
		}, feeds.Failed, feeds.Unreachable, "gzip"},
		{"packed otherwise", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "br")
			w.Write(list(1, 60))
		}, feeds.Failed, feeds.Unreachable, "nobody asked for"},
		{"redirect to another host", http.RedirectHandler(other.URL+"/list.txt", http.StatusFound).ServeHTTP, feeds.Failed, feeds.OtherHost, "is not one of the feed's hosts"},
		{"redirect to plain http", http.RedirectHandler("http://lists.example.com/list.txt", http.StatusFound).ServeHTTP, feeds.Failed, feeds.OtherHost, ""},
		{"redirects without end", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path+"?"+r.URL.RawQuery+"x", http.StatusFound)
		}, feeds.Failed, feeds.Unreachable, "more than 5 redirects"},
		{"a status of another time", status(305), feeds.Failed, feeds.Unreachable, "305"},
		{"HTML with 200", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Write(list(1, 61))
		}, feeds.Held, feeds.NotAList, "HTML"},
		{"HTML by another name", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			io.WriteString(w, "\n<!DOCTYPE html>\nchalk:5.6.1\n")
		}, feeds.Held, feeds.NotAList, "HTML"},
		{"prose", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			io.WriteString(w, "This service moved.\nPlease see our new site: it is better.\n")
		}, feeds.Held, feeds.NotAList, ""},
		{"mostly prose", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			w.Write(list(1, 60))
			io.WriteString(w, strings.Repeat("and some words here: more of them\n", 61))
		}, feeds.Held, feeds.RowsRefused, "61 rows are no indicators, and 60 are"},
		{"empty", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Type", "text/plain") }, feeds.Held, feeds.Empty, ""},
		{"comments alone", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "# nothing\n") }, feeds.Held, feeds.Empty, ""},
		{"half of it", func(w http.ResponseWriter, _ *http.Request) { w.Write(list(1, 30)) }, feeds.Held, feeds.Shrinks, "30 of 60"},
		{"JSON instead", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, `{"packages": [`)
			for i := range 60 {
				fmt.Fprintf(w, `{"name": "wormsweep-example-%d", "versions": ["6.6.6"]},`, i+1)
			}
			io.WriteString(w, `{"name": "wormsweep-example-61", "versions": ["6.6.6"]}]}`)
		}, feeds.Held, feeds.FormChanged, "json"},
		{"no UTF-8", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			w.Write([]byte("a\xff\xfe:1.0.0\n"))
		}, feeds.Held, feeds.NotAList, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, k := newSource(t), newKeeper(t)
			c := urlFeed(t, s, "/list.txt", ", timeout: 700ms, max_bytes: 100000")
			s.serve("/list.txt", list(1, 60))
			good := k.update(c)
			want(t, "good", good, feeds.Fetched, 60, 0)
			s.set("/list.txt", tt.answer)
			bad := k.update(c)
			want(t, tt.name, bad, tt.outcome, 0, 0, tt.rule)
			if len(bad.Reasons) > 0 && !strings.Contains(bad.Reasons[0].Detail, tt.detail) {
				t.Errorf("detail %q, want %q in it", bad.Reasons[0].Detail, tt.detail)
			}
			if bad.Active != 60 || bad.Digest != good.Digest || !bad.Checked.Equal(good.Checked) || k.status("wormsweep-example-60", "6.6.6") != ioc.Active {
				t.Errorf("the copy did not stay as it was: %+v", bad)
			}
			notes := open(t, k.dir).Notes()
			if len(notes) != 1 || notes[0].Missing || !strings.Contains(notes[0].Text, "stale since 2025-11-24T12:15:00Z") {
				t.Errorf("notes %+v, want one that says since when it is stale", notes)
			}
			s.serve("/list.txt", list(1, 61))
			want(t, "good again", k.update(c), feeds.Fetched, 1, 0)
			if notes := open(t, k.dir).Notes(); len(notes) != 0 {
				t.Errorf("notes %+v of a good copy", notes)
			}
			if left, _ := filepath.Glob(filepath.Join(k.dir, ".*")); len(left) > 0 {
				t.Errorf("left over: %q", left)
			}
		})
	}
}

func open(t testing.TB, dir string) *feeds.Copy {
	t.Helper()
	c, err := feeds.OpenCopy(dir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestFirstTime has the same faults find no copy: nothing was ever taken, which is said.
func TestFirstTime(t *testing.T) {
	s, k := newSource(t), newKeeper(t)
	c := urlFeed(t, s, "/list.txt", "")
	want(t, "404", k.update(c), feeds.Failed, 0, 0, feeds.Gone)
	notes := open(t, k.dir).Notes()
	if len(notes) != 1 || !notes[0].Missing || !strings.Contains(notes[0].Text, "nothing was ever taken of it: failed: gone") {
		t.Errorf("notes %+v, want one that says that nothing is there", notes)
	}
	if got := k.set().Stats().Indicators; got != 0 {
		t.Errorf("%d indicators of nothing", got)
	}
	s.set("/list.txt", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) })
	want(t, "304 to somebody who has nothing", k.update(c), feeds.Failed, 0, 0, feeds.Unreachable)
	s.serve("/list.txt", list(1, 3))
	want(t, "there", k.update(c), feeds.Fetched, 3, 0)
}

// TestConditional looks at what is asked: the condition of the last answer, and none when the
// copy would be made in another way.
func TestConditional(t *testing.T) {
	s, k := newSource(t), newKeeper(t)
	var got []string
	s.set("/list.txt", func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header.Get("If-None-Match")+" "+r.Header.Get("If-Modified-Since"))
		w.Header().Set("ETag", `"a"`)
		w.Header().Set("Last-Modified", "Mon, 24 Nov 2025 10:00:00 GMT")
		if r.Header.Get("If-None-Match") == `"a"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Write(list(1, 10))
	})
	plain := urlFeed(t, s, "/list.txt", "")
	want(t, "first", k.update(plain), feeds.Fetched, 10, 0)
	row := k.update(plain)
	want(t, "second", row, feeds.Unchanged, 0, 0)
	if !row.Checked.After(row.Fetched) {
		t.Errorf("checked %s and fetched %s: a 304 confirms the copy", row.Checked, row.Fetched)
	}
	want(t, "another ecosystem", k.update(urlFeed(t, s, "/list.txt", ", ecosystem: PyPI")), feeds.Held, 10, 0, feeds.Shrinks)
	const none, both = " ", `"a" Mon, 24 Nov 2025 10:00:00 GMT`
	if len(got) != 3 || got[0] != none || got[1] != both || got[2] != none {
		t.Errorf("conditions %q, want none, both and none", got)
	}
}

// TestOlder has a source say itself that it went back.
func TestOlder(t *testing.T) {
	s, k := newSource(t), newKeeper(t)
	c := urlFeed(t, s, "/list.txt", "")
	at := func(date string, n int) {
		s.set("/list.txt", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Last-Modified", date)
			w.Write(list(1, n))
		})
	}
	at("Mon, 24 Nov 2025 10:00:00 GMT", 10)
	want(t, "first", k.update(c), feeds.Fetched, 10, 0)
	at("Mon, 24 Nov 2025 09:00:00 GMT", 11)
	want(t, "older", k.update(c), feeds.Held, 0, 0, feeds.RolledBack)
	at("Mon, 24 Nov 2025 11:00:00 GMT", 12)
	want(t, "newer", k.update(c), feeds.Fetched, 2, 0)
}

// TestRedirect follows a redirect to a host that the configuration names.
func TestRedirect(t *testing.T) {
	s, other, k := newSource(t), newSource(t), newKeeper(t)
	other.serve("/there.txt", list(1, 5))
	s.set("/list.txt", http.RedirectHandler(other.URL+"/there.txt", http.StatusFound).ServeHTTP)
	c := urlFeed(t, s, "/list.txt", ", hosts: ['"+strings.TrimPrefix(other.URL, "http://")+"']")
	row := k.update(c)
	want(t, "redirected", row, feeds.Fetched, 5, 0)
	if row.From != other.URL+"/there.txt" {
		t.Errorf("from %q, want where it came from in the end", row.From)
	}
}

// TestProxy has a proxy in the configuration.
func TestProxy(t *testing.T) {
	proxy, k := newSource(t), newKeeper(t)
	c := config(t, "  - {name: one, kind: url, url: 'http://localhost:9/list.txt'}\n")
	c.Proxy = proxy.URL
	want(t, "by proxy", k.update(c), feeds.Failed, 0, 0, feeds.Gone)
	if len(proxy.requests) != 1 {
		t.Errorf("the configuration's proxy was asked %d times, want once", len(proxy.requests))
	}
}

// TestDamagedCopy has files of the copy lost and changed. That is said, by update and by whoever
// reads it; the feed can be forgotten and taken anew.
func TestDamagedCopy(t *testing.T) {
	s, k := newSource(t), newKeeper(t)
	c := urlFeed(t, s, "/list.txt", "")
	s.serve("/list.txt", list(1, 5))
	want(t, "first", k.update(c), feeds.Fetched, 5, 0)
	files, err := filepath.Glob(filepath.Join(k.dir, "one.*.bin"))
	if err != nil || len(files) != 1 {
		t.Fatalf("index: %q, %v", files, err)
	}
	index, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, files[0], string(index[:len(index)-1])+"x")
	if _, err := open(t, k.dir).Set(); err == nil {
		t.Error("a changed index is read")
	}
	want(t, "changed", k.update(c), feeds.Failed, 0, 0, feeds.Damaged)
	if err := os.Remove(files[0]); err != nil {
		t.Fatal(err)
	}
	want(t, "lost", k.update(c), feeds.Failed, 0, 0, feeds.Damaged)
	report, err := feeds.Update(t.Context(), c, feeds.Options{Dir: k.dir, Now: k.clock.tick, Forget: []string{"one"}})
	if err != nil {
		t.Fatal(err)
	}
	want(t, "forgotten", report.Rows[0], feeds.Fetched, 5, 0)

	writeFile(t, filepath.Join(k.dir, "ioc-copy.json"), "{}")
	if _, err := feeds.OpenCopy(k.dir); err == nil {
		t.Error("a changed state file is read")
	}
	if _, err := feeds.Update(t.Context(), c, feeds.Options{Dir: k.dir, Now: k.clock.tick}); err == nil {
		t.Error("a changed state file is updated")
	}
}

// TestKilled has an update end anywhere before the state file is in its place: files that no
// state names, whole or cut. The copy is what it was, and the next update does its work.
func TestKilled(t *testing.T) {
	s, k := newSource(t), newKeeper(t)
	c := urlFeed(t, s, "/list.txt", "")
	s.serve("/list.txt", list(1, 50))
	want(t, "first", k.update(c), feeds.Fetched, 50, 0)
	state, err := os.ReadFile(filepath.Join(k.dir, "ioc-copy.json"))
	if err != nil {
		t.Fatal(err)
	}
	s.serve("/list.txt", list(1, 51))
	want(t, "second", k.update(c), feeds.Fetched, 1, 0)
	writeFile(t, filepath.Join(k.dir, "ioc-copy.json"), string(state)) // as it was before
	writeFile(t, filepath.Join(k.dir, ".fetch-1"), "half")
	writeFile(t, filepath.Join(k.dir, ".write-1"), "half")
	packs, err := filepath.Glob(filepath.Join(k.dir, "one.*.json"))
	if err != nil || len(packs) != 2 {
		t.Fatalf("packs %q, %v; want the old and the new one", packs, err)
	}
	if got := k.set().Stats().Indicators; got != 50 {
		t.Errorf("%d indicators after the update was killed, want the 50 of before", got)
	}
	for _, name := range packs { // the new one was cut, and the old one is known by its digest
		if data, _ := os.ReadFile(name); bytes.Contains(data, []byte("wormsweep-example-51")) {
			writeFile(t, name, string(data[:len(data)/2]))
		}
	}
	old := time.Now().Add(-2 * time.Hour)
	for _, name := range []string{".fetch-1", ".write-1"} {
		if err := os.Chtimes(filepath.Join(k.dir, name), old, old); err != nil {
			t.Fatal(err)
		}
	}
	k.clock.now = time.Now()
	want(t, "again", k.update(c), feeds.Fetched, 1, 0)
	if got := k.set().Stats().Indicators; got != 51 {
		t.Errorf("%d indicators, want 51", got)
	}
	if left, _ := filepath.Glob(filepath.Join(k.dir, ".*")); len(left) > 0 {
		t.Errorf("left over: %q", left)
	}
}

// TestTwoAtOnce has a second update end while the first is at work: the first writes nothing over
// it.
func TestTwoAtOnce(t *testing.T) {
	s, k := newSource(t), newKeeper(t)
	c := urlFeed(t, s, "/list.txt", "")
	inner := false
	s.set("/list.txt", func(w http.ResponseWriter, _ *http.Request) {
		if !inner {
			inner = true
			if _, err := feeds.Update(t.Context(), c, feeds.Options{Dir: k.dir, Now: k.clock.tick}); err != nil {
				t.Errorf("the faster update: %v", err)
			}
		}
		w.Write(list(1, 5))
	})
	_, err := feeds.Update(t.Context(), c, feeds.Options{Dir: k.dir, Now: k.clock.tick})
	if err == nil || !strings.Contains(err.Error(), "another update ran at the same time") {
		t.Errorf("the slower update: %v, want it to say that another ran", err)
	}
	if got := k.set().Stats().Indicators; got != 5 {
		t.Errorf("%d indicators, want 5", got)
	}
}
