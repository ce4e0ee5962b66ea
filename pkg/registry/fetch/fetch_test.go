package fetch_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
)

func TestConditional(t *testing.T) {
	host, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"7"`)
		w.Header().Set("Last-Modified", "Sun, 29 Nov 2026 12:00:00 GMT")
		if r.Header.Get("If-None-Match") == `"7"` && r.Header.Get("If-Modified-Since") != "" || r.URL.Path == "/lies" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		fmt.Fprint(w, r.Header.Get("Accept"))
	})
	c := client(t, local(host))
	r := fetch.Request{URL: "http://" + host + "/a?token=x", Accept: "application/json"}
	a, err := c.Get(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	want := registry.Validator{ETag: `"7"`, LastModified: "Sun, 29 Nov 2026 12:00:00 GMT"}
	if a.Validator != want || string(a.Body) != "application/json" || a.Status != 200 || a.URL != "http://"+host+"/a" {
		t.Errorf("first answer: %+v", a)
	}
	r.Validator = a.Validator
	if _, err := c.Get(t.Context(), r); !errors.Is(err, registry.ErrNotModified) {
		t.Errorf("second answer: %v; want ErrNotModified", err)
	}
	// An answer of 304 that nobody asked for would pass for an unchanged one.
	if _, err := c.Get(t.Context(), fetch.Request{URL: "http://" + host + "/lies"}); !errors.Is(err, registry.ErrMalformed) || errors.Is(err, registry.ErrNotModified) {
		t.Errorf("304 without condition: %v; want ErrMalformed", err)
	}
	head, err := c.Head(t.Context(), fetch.Request{URL: "http://" + host + "/a"})
	if err != nil || head.Validator != want || head.Body != nil {
		t.Errorf("Head: %+v, %v", head, err)
	}
}

func TestStatus(t *testing.T) {
	host, asked := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var status int
		_, _ = fmt.Sscanf(r.URL.Path, "/%d", &status)
		w.Header().Set("Www-Authenticate", `Bearer realm="r"`)
		w.WriteHeader(status)
	})
	c := client(t, local(host))
	for _, tt := range []struct {
		status int
		want   error
		asked  int64
	}{
		{404, registry.ErrNotFound, 1},
		{410, registry.ErrNotFound, 1},
		{401, registry.ErrDenied, 1},
		{403, registry.ErrDenied, 1},
		{400, nil, 1},
		{405, nil, 1},
		{429, nil, 3},
		{500, nil, 3},
		{501, nil, 1},
		{502, nil, 3},
		{503, nil, 3},
		{204, nil, 1},
		{206, nil, 1},
		{300, nil, 1},
		{302, registry.ErrMalformed, 1}, // to no address
	} {
		asked.Store(0)
		_, err := c.Get(t.Context(), fetch.Request{URL: fmt.Sprintf("http://%s/%d", host, tt.status)})
		if err == nil || tt.want != nil && !errors.Is(err, tt.want) || tt.want == nil && fetch.Status(err) != tt.status {
			t.Errorf("%d: %v; want %v", tt.status, err, tt.want)
		}
		var status *fetch.StatusError
		if tt.status != 302 && (!errors.As(err, &status) || status.Header.Get("Www-Authenticate") == "") {
			t.Errorf("%d: %v; want its headers", tt.status, err)
		}
		if asked.Load() != tt.asked {
			t.Errorf("%d: asked %d times, want %d", tt.status, asked.Load(), tt.asked)
		}
	}
}

// What passes is asked again, and not before the time that was told, by whoever asks.
func TestAgain(t *testing.T) {
	for _, tt := range []struct {
		name   string
		faults int
		fault  func(w http.ResponseWriter, now time.Time)
		wait   time.Duration // of the clock, at least
		good   bool
	}{
		{"503 twice", 2, func(w http.ResponseWriter, _ time.Time) { w.WriteHeader(503) }, 3 * time.Second, true},
		{"503 three times", 3, func(w http.ResponseWriter, _ time.Time) { w.WriteHeader(503) }, 3 * time.Second, false},
		{"429 with seconds", 1, func(w http.ResponseWriter, _ time.Time) {
			w.Header().Set("Retry-After", "30")
			w.WriteHeader(429)
		}, 30 * time.Second, true},
		{"429 with a date", 1, func(w http.ResponseWriter, now time.Time) {
			w.Header().Set("Retry-After", now.Add(42*time.Second).Format(http.TimeFormat))
			w.WriteHeader(429)
		}, 42 * time.Second, true},
		{"429 for an hour", 1, func(w http.ResponseWriter, _ time.Time) {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(429)
		}, 0, false},
		{"cut twice", 2, func(w http.ResponseWriter, _ time.Time) {
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "x")
		}, 3 * time.Second, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var faults int
			var o fetch.Options
			host, asked := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if faults++; faults <= tt.faults {
					tt.fault(w, o.Now())
					return
				}
				fmt.Fprint(w, "good")
			})
			o = local(host)
			began := o.Now()
			c := client(t, o)
			a, err := c.Get(t.Context(), fetch.Request{URL: "http://" + host + "/"})
			if tt.good != (err == nil) || tt.good && string(a.Body) != "good" {
				t.Errorf("%v, %v", a, err)
			}
			if waited := o.Now().Sub(began); waited < tt.wait || waited > tt.wait+2*time.Second {
				t.Errorf("waited %s, want %s", waited, tt.wait)
			}
			if tt.good || tt.faults > 1 {
				return
			}
			// Another request to the same host is not sent before the hour is over either.
			before := asked.Load()
			if _, err := c.Get(t.Context(), fetch.Request{URL: "http://" + host + "/other"}); err == nil || asked.Load() != before {
				t.Errorf("sent before the told time: %v", err)
			}
			if _, err := read["RoundTripper"](t.Context(), c, fetch.Request{URL: "http://" + host + "/other"}); err == nil || asked.Load() != before {
				t.Errorf("sent before the told time: %v", err)
			}
		})
	}
}

// An answer that breaks while it is read in pieces is asked for again, and read from its start.
func TestReadAgain(t *testing.T) {
	var asked int
	host, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if asked++; asked < 3 {
			w.Header().Set("Content-Length", "100")
		}
		fmt.Fprint(w, "body")
	})
	var bodies []string
	err := client(t, local(host)).Read(t.Context(), fetch.Request{URL: "http://" + host + "/"}, func(s *fetch.Stream) error {
		b, err := io.ReadAll(s)
		bodies = append(bodies, string(b))
		if err != nil {
			return fmt.Errorf("reading: %w", err)
		}
		return nil
	})
	if diff := cmp.Diff([]string{"body", "body", "body"}, bodies); diff != "" || err != nil {
		t.Errorf("%v, (-want +got)\n%s", err, diff)
	}
	// What use itself finds wrong is not asked for again.
	asked, bodies = 2, nil
	wrong := errors.New("wrong")
	if err := client(t, local(host)).Read(t.Context(), fetch.Request{URL: "http://" + host + "/"}, func(*fetch.Stream) error { return wrong }); !errors.Is(err, wrong) || asked != 3 {
		t.Errorf("%v, asked %d times", err, asked-2)
	}
}

// A token goes to its own host alone, and is in nothing that is printed.
func TestTokens(t *testing.T) {
	const canary = "canary-f4c1"
	type seen struct{ Path, Authorization, Custom string }
	var got []seen
	note := func(r *http.Request) {
		got = append(got, seen{r.URL.Path, r.Header.Get("Authorization"), r.Header.Get("X-Custom")})
	}
	other, _ := serve(t, func(w http.ResponseWriter, r *http.Request) { note(r) })
	var own string
	third, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		note(r)
		http.Redirect(w, r, "http://"+own+"/back", http.StatusFound)
	})
	own, _ = serve(t, func(w http.ResponseWriter, r *http.Request) {
		note(r)
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, "http://"+other+"/elsewhere", http.StatusFound)
		case "/third":
			http.Redirect(w, r, "http://"+third+"/elsewhere", http.StatusFound)
		case "/near":
			http.Redirect(w, r, "/here", http.StatusFound)
		case "/denied":
			w.WriteHeader(http.StatusForbidden)
		}
	})
	o := local(own, other, third)
	o.Tokens = map[string]fetch.Auth{own: fetch.Bearer(canary), other: fetch.Basic("u", canary+"-other")}
	c := client(t, o)
	for _, tt := range []struct {
		path string
		want []seen
	}{
		{"/near", []seen{{"/near", "Bearer " + canary, "c"}, {"/here", "Bearer " + canary, "c"}}},
		{"/away", []seen{{"/away", "Bearer " + canary, "c"}, {"/elsewhere", "", ""}}},
		// Whoever was led away and back is not at home any more.
		{"/third", []seen{{"/third", "Bearer " + canary, "c"}, {"/elsewhere", "", ""}, {"/back", "", ""}}},
	} {
		got = nil
		if _, err := c.Get(t.Context(), fetch.Request{URL: "http://" + own + tt.path, Header: http.Header{"X-Custom": {"c"}}}); err != nil {
			t.Errorf("%s: %v", tt.path, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", tt.path, diff)
		}
		got = nil
		if _, err := read["RoundTripper"](t.Context(), c, fetch.Request{URL: "http://" + own + tt.path}); err != nil {
			t.Errorf("%s by a library: %v", tt.path, err)
		}
		for i, s := range got {
			if s.Authorization != tt.want[i].Authorization {
				t.Errorf("%s by a library: %+v; want %+v", tt.path, s, tt.want[i])
			}
		}
	}
	_, err := c.Get(t.Context(), fetch.Request{URL: "http://" + own + "/denied?token=" + canary})
	written, jsonErr := json.Marshal(o.Tokens)
	for _, text := range []string{
		fmt.Sprint(err), fmt.Sprintf("%v %+v %#v %s", o, o, o.Tokens, o.Tokens[own]), fmt.Sprintf("%v %+v %#v", c, c, c),
		string(written), fmt.Sprint(jsonErr),
	} {
		if strings.Contains(text, canary) {
			t.Errorf("the token is in %q", text)
		}
	}
}

// A header that the caller set is the caller's.
func TestOwnAuthorization(t *testing.T) {
	host, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Header.Get("Authorization"), r.Header.Get("X-Api"), r.Header.Get("User-Agent"))
	})
	o := local(host)
	o.UserAgent = "+agent"
	o.Tokens = map[string]fetch.Auth{host: fetch.Header("x-api", "+key")}
	a, err := client(t, o).Get(t.Context(), fetch.Request{URL: "http://" + host, Header: http.Header{"authorization": {"Bearer short"}}})
	if err != nil || string(a.Body) != "Bearer short+key+agent" {
		t.Errorf("%s, %v", a.Body, err)
	}
}
