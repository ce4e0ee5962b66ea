package registrytest

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// get asks the server, and gives status, headers and body, or the error of a body that breaks.
func get(t *testing.T, url string, header ...string) (*http.Response, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp, string(body), err
}

func TestCountsAndConditions(t *testing.T) {
	srv := New(t)
	n := srv.NPM()
	if srv.NPM() != n {
		t.Fatal("two npm registries of one server")
	}
	n.Publish("a", NPMVersion{Version: "1.0.0"})
	resp, body, err := get(t, n.URL+"/a")
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("%v, %v", resp, err)
	}
	etag := resp.Header.Get("ETag")
	if resp.Header.Get(kindHeader) != "" {
		t.Error("a header of the test's own was sent")
	}
	if resp, _, _ := get(t, n.URL+"/a", "If-None-Match", etag); resp.StatusCode != 304 {
		t.Errorf("unchanged: %d", resp.StatusCode)
	}
	if resp, _, _ := get(t, n.URL+"/a", "If-None-Match", etag, "Accept", npmShort); resp.StatusCode != 200 {
		t.Errorf("another form: %d", resp.StatusCode)
	}
	n.Deprecate("a", "1.0.0", "x")
	if resp, _, _ := get(t, n.URL+"/a", "If-None-Match", etag); resp.StatusCode != 200 || resp.Header.Get("ETag") == etag {
		t.Errorf("changed: %d", resp.StatusCode)
	}
	got := srv.Counts()["npm packument"]
	if got.Requests != 4 || got.Conditional != 3 || got.NotModified != 1 || got.Bytes <= int64(len(body)) {
		t.Errorf("%+v", got)
	}
	if srv.Forget(); len(srv.Counts()) != 0 {
		t.Errorf("%v", srv.Counts())
	}
	if resp, _, _ := get(t, srv.URL+"/elsewhere"); resp.StatusCode != 404 || srv.Counts()[""].Requests != 1 {
		t.Errorf("a path of no protocol: %d, %v", resp.StatusCode, srv.Counts())
	}
}

func TestMount(t *testing.T) {
	srv := New(t)
	srv.Mount("/x/", "x", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.URL.Path) }))
	srv.Mount("/x/y/", "y", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	if resp, body, err := get(t, srv.URL+"/x/z"); err != nil || body != "/x/z" || resp.StatusCode != 200 {
		t.Errorf("%q, %v", body, err)
	}
	if resp, _, _ := get(t, srv.URL+"/x/y/z"); resp.StatusCode != http.StatusTeapot {
		t.Errorf("%d", resp.StatusCode)
	}
	if c := srv.Counts(); c["x"].Requests != 1 || c["y"].Requests != 1 {
		t.Errorf("%v", c)
	}
}

func TestFaults(t *testing.T) {
	srv := New(t)
	srv.NPM().Publish("a", NPMVersion{Version: "1.0.0"})
	url := srv.NPM().URL + "/a"
	_, whole, err := get(t, url)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		fault Fault
		check func(resp *http.Response, body string, err error) bool
	}{
		{"fails", Fails(502, "text/html", "<html>"), func(r *http.Response, b string, err error) bool {
			return err == nil && r.StatusCode == 502 && b == "<html>"
		}},
		{"limited", Limited(7 * time.Second), func(r *http.Response, _ string, err error) bool {
			return err == nil && r.StatusCode == 429 && r.Header.Get("Retry-After") == "7"
		}},
		{"edited", Edited(func(b []byte) []byte { return append(b, '!') }), func(_ *http.Response, b string, err error) bool { return err == nil && b == whole+"!" }},
		{"damaged", Damaged(), func(_ *http.Response, b string, err error) bool { return err == nil && b == whole[:len(whole)-3] }},
		{"cut", Cut(10), func(_ *http.Response, b string, err error) bool {
			return errors.Is(err, io.ErrUnexpectedEOF) && b == whole[:10]
		}},
		{"reset", Reset(), func(_ *http.Response, _ string, err error) bool { return err != nil }},
		{"a length that is too long", LyingLength(5), func(_ *http.Response, b string, err error) bool {
			return errors.Is(err, io.ErrUnexpectedEOF) && b == whole
		}},
		{"a length that is too short", LyingLength(-5), func(_ *http.Response, b string, err error) bool { return err == nil && b == whole[:len(whole)-5] }},
		{"endless", Endless(1 << 20), func(_ *http.Response, b string, err error) bool {
			return err == nil && strings.HasPrefix(b, whole) && len(b) >= 1<<20
		}},
		{"slow", srv.Slow(len(whole)/3, 10*time.Millisecond), func(_ *http.Response, b string, err error) bool { return err == nil && b == whole }},
		{"redirected", Redirected("https://elsewhere.example/"), func(r *http.Response, _ string, err error) bool {
			return err == nil && r.StatusCode == 302 && r.Header.Get("Location") == "https://elsewhere.example/"
		}},
	} {
		mend := srv.Break(Rule{Method: http.MethodGet, Path: "/npm/*", Fault: tt.fault})
		if resp, body, err := get(t, url); !tt.check(resp, body, err) {
			t.Errorf("%s: %v, %.100q, %v", tt.name, resp, body, err)
		}
		mend()
	}
	srv.Break(Rule{Path: "/npm/a", Skip: 1, Times: 2, Fault: Fails(500, "", "")})
	var statuses []int
	for range 4 {
		resp, _, err := get(t, url)
		if err != nil {
			t.Fatal(err)
		}
		statuses = append(statuses, resp.StatusCode)
	}
	if statuses[0] != 200 || statuses[1] != 500 || statuses[2] != 500 || statuses[3] != 200 {
		t.Errorf("skip 1, times 2: %v", statuses)
	}
}

// A server that ends does not wait for requests that hang.
func TestCloseEndsWhatHangs(t *testing.T) {
	srv, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	srv.Break(Rule{Fault: srv.Silent()})
	done := make(chan struct{})
	go func() {
		defer close(done)
		if resp, err := http.Get(srv.URL); err == nil {
			resp.Body.Close()
		}
	}()
	time.Sleep(20 * time.Millisecond)
	srv.Close()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("it hangs")
	}
}

// The figures of a day: a thousand artifacts of twenty versions, and one conditional request each.
func BenchmarkDay(b *testing.B) {
	srv := New(b)
	n := srv.NPM()
	etags := map[string]string{}
	for i := range 1000 {
		name := "a" + strings.Repeat("x", i%7) + time.Duration(i).String()
		for v := range 20 {
			n.Publish(name, NPMVersion{Version: "1.0." + string(rune('a'+v)), User: "x"})
		}
		etags[name] = `"` + n.packages[name].rev() + `"`
	}
	for b.Loop() {
		for name, etag := range etags {
			req, err := http.NewRequest(http.MethodGet, n.URL+"/"+name, nil)
			if err != nil {
				b.Fatal(err)
			}
			req.Header.Set("If-None-Match", etag)
			resp, err := http.DefaultClient.Do(req)
			if err != nil || resp.StatusCode != 304 {
				b.Fatal(resp, err)
			}
			resp.Body.Close()
		}
	}
}
