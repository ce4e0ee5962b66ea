package goproxy_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/registrytest"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
	"github.com/wormsweep/wormsweep/pkg/registry/goproxy"
)

const path = "example.org/Acme/m"

var day = time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)

func start(t *testing.T, opt goproxy.Options) (*registrytest.GoProxy, *goproxy.Reader) {
	t.Helper()
	proxy, err := registrytest.NewGoProxy("sum.example.org")
	if err != nil {
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
	opt.Address = server.URL + "/"
	reader, err := goproxy.New(client, opt)
	if err != nil {
		t.Fatal(err)
	}
	return proxy, reader
}

func publish(t *testing.T, proxy *registrytest.GoProxy, version string, at time.Time, origin string, files ...string) {
	t.Helper()
	m, err := registrytest.MakeGoModule(path, version, at, files...)
	if err != nil {
		t.Fatal(err)
	}
	m.Origin = origin
	if err := proxy.Publish(m); err != nil {
		t.Fatal(err)
	}
}

const commit = "0123456789abcdef0123456789abcdef01234567"

// world has three versions, of which the highest was published before the one below it and
// retracts the first.
func world(t *testing.T, opt goproxy.Options) (*registrytest.GoProxy, *goproxy.Reader) {
	proxy, reader := start(t, opt)
	publish(t, proxy, "v1.0.0", day, "", "go.mod", "module "+path+"\n")
	publish(t, proxy, "v1.1.0", day.Add(48*time.Hour), "", "go.mod", "module "+path+"\n")
	publish(t, proxy, "v1.2.0", day.Add(24*time.Hour),
		`{"VCS":"git","URL":"https://git.example/acme/m","Hash":"`+commit+`","Ref":"refs/tags/v1.2.0"}`,
		"go.mod", "module "+path+"\n\n// Compromised, see\n// the advisory.\nretract v1.0.0\n")
	publish(t, proxy, "v1.3.0-rc.1", day.Add(12*time.Hour), "", "go.mod", "module "+path+"\n\nretract [v1.0.0, v1.9.0]\n")
	return proxy, reader
}

func TestList(t *testing.T) {
	_, reader := world(t, goproxy.Options{})
	l, err := reader.List(t.Context(), path, registry.Validator{})
	if err != nil {
		t.Fatal(err)
	}
	if len(l.Faults) > 0 || l.Kind != registry.Go || l.Name != path {
		t.Errorf("the listing: %+v", l)
	}
	var got []string
	for _, r := range l.Releases {
		got = append(got, r.Version)
	}
	if diff := cmp.Diff([]string{"v1.0.0", "v1.3.0-rc.1", "v1.2.0", "v1.1.0"}, got); diff != "" {
		t.Errorf("versions, in the order of their times: (-want +got)\n%s", diff)
	}
	first, third := l.Releases[0], l.Releases[2]
	if first.Retracted != registry.Known("Compromised, see the advisory.") || third.Retracted != registry.None[string]() {
		t.Errorf("retracted: %v, %v", first.Retracted, third.Retracted)
	}
	if first.Time != registry.Known(day) || !first.Head.IsZero() || third.Head != registry.Known(commit) {
		t.Errorf("time %v, commits %v and %v", first.Time, first.Head, third.Head)
	}
	for _, f := range first.Files {
		rc, err := reader.Open(t.Context(), path, f)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(rc)
		if err != nil || len(data) == 0 {
			t.Errorf("%s: %d bytes, %v", f.Name, len(data), err)
		}
		rc.Close()
	}
	if _, err := reader.Attestations(t.Context(), path, &first); !errors.Is(err, registry.ErrNotServed) {
		t.Errorf("attestations: %v; want %v", err, registry.ErrNotServed)
	}
}

// What a mirror does not have says nothing.
func TestMirror(t *testing.T) {
	_, reader := world(t, goproxy.Options{Role: registry.Mirror})
	l, err := reader.List(t.Context(), path, registry.Validator{})
	if err != nil {
		t.Fatal(err)
	}
	if first, last := l.Releases[0], l.Releases[3]; first.Retracted.Knowledge != registry.Present || !last.Retracted.IsZero() {
		t.Errorf("retracted: %v, %v; want present, and unknown", first.Retracted, last.Retracted)
	}
}

// A list that is as it was is one request, whether the proxy has validators or not.
func TestNotModified(t *testing.T) {
	for _, etags := range []bool{false, true} {
		proxy, reader := world(t, goproxy.Options{})
		if etags {
			proxy.UseETags()
		}
		l, err := reader.List(t.Context(), path, registry.Validator{})
		if err != nil {
			t.Fatal(err)
		}
		proxy.Asked()
		if _, err := reader.List(t.Context(), path, l.Validator); !errors.Is(err, registry.ErrNotModified) {
			t.Errorf("etags %v: %v; want %v", etags, err, registry.ErrNotModified)
		}
		if asked := proxy.Asked(); len(asked) != 1 {
			t.Errorf("etags %v: asked for %q", etags, asked)
		}
		publish(t, proxy, "v1.4.0", day, "", "go.mod", "module "+path+"\n")
		if l, err := reader.List(t.Context(), path, l.Validator); err != nil || len(l.Releases) != 5 {
			t.Errorf("etags %v: after another version: %v", etags, err)
		}
	}
}

func TestWithoutTags(t *testing.T) {
	proxy, reader := start(t, goproxy.Options{})
	const pseudo = "v0.0.0-20260901000000-0123456789ab"
	publish(t, proxy, pseudo, day, "", "go.mod", "module "+path+"\n")
	l, err := reader.List(t.Context(), path, registry.Validator{})
	if err != nil || len(l.Releases) != 1 || l.Releases[0].Version != pseudo {
		t.Fatalf("List gives %+v, %v; want %s alone", l, err, pseudo)
	}
	if _, err := reader.List(t.Context(), path, l.Validator); !errors.Is(err, registry.ErrNotModified) {
		t.Errorf("again: %v; want %v", err, registry.ErrNotModified)
	}
	if _, err := reader.List(t.Context(), "example.org/none", registry.Validator{}); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("no module: %v; want %v", err, registry.ErrNotFound)
	}
	for _, bad := range []string{"", "../etc", "UPPER space/x", "example.org/\x00", "nodot"} {
		if _, err := reader.List(t.Context(), bad, registry.Validator{}); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("List(%q): %v; want %v", bad, err, registry.ErrNotFound)
		}
	}
}

// What could not be read is said beside what was.
func TestFaults(t *testing.T) {
	proxy, reader := world(t, goproxy.Options{Infos: 2})
	l, err := reader.List(t.Context(), path, registry.Validator{})
	if err != nil || len(l.Faults) != 1 || !strings.Contains(l.Faults[0], "2 older versions") || !l.Releases[0].Time.IsZero() {
		t.Errorf("more versions than infos: %v, %v", err, l.Faults)
	}
	answer := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }
	}
	for _, tt := range []struct {
		suffix string
		f      http.HandlerFunc
		fault  string
	}{
		{"v1.2.0.info", answer(`{"Version":"v1.1.0","Time":"2026-09-01T00:00:00Z"}`), "it is of the version"},
		{"v1.2.0.info", answer(`{"Version":"v1.2.0","Version":"v1.2.0","Time":"2026-09-01T00:00:00Z"}`), "duplicate"},
		{"v1.2.0.info", answer(`{"version":"v1.2.0","time":"2026-09-01T00:00:00Z"}`), "not a version"},
		{"v1.2.0.info", answer(`{"Version":"v1.2.0"}`), "no time"},
		{"v1.2.0.info", http.NotFound, "404"},
		{"v1.2.0.mod", answer("module \"\n"), "what is retracted is not known"},
		{"v1.2.0.mod", answer("//" + strings.Repeat("x", 2<<20)), "what is retracted is not known"},
		{"/list", answer("v1.2.0\nv2.0.0\nlatest\nv1.1\nv1.0.0 2026-09-01\n"), `"v2.0.0"`},
	} {
		proxy.Break(tt.suffix, tt.f)
		l, err := reader.List(t.Context(), path, registry.Validator{})
		if err != nil || !strings.Contains(strings.Join(l.Faults, "\n"), tt.fault) {
			t.Errorf("%s: %v, faults %q; want %q", tt.suffix, err, l.Faults, tt.fault)
		} else if strings.HasSuffix(tt.suffix, ".mod") && !l.Releases[0].Retracted.IsZero() {
			t.Errorf("%s: retracted %v; want unknown", tt.suffix, l.Releases[0].Retracted)
		}
		proxy.Break(tt.suffix, nil)
	}
	for name, f := range map[string]http.HandlerFunc{
		"slow": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"cut": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "99")
			_, _ = w.Write([]byte("v1.0.0\n"))
		},
		"denied":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
		"endless": answer(strings.Repeat("v1.0.0\n", 2<<20)),
		"moved": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/", http.StatusFound)
		},
	} {
		proxy.Break("/list", f)
		if l, err := reader.List(t.Context(), path, registry.Validator{}); err == nil || errors.Is(err, registry.ErrNotFound) {
			t.Errorf("%s: %+v, %v; want an error that is not %v", name, l, err, registry.ErrNotFound)
		}
	}
}

func TestAddresses(t *testing.T) {
	client, err := fetch.New(fetch.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"proxy", "https://", "https://p.example?x", "https://u:p@p.example", ":"} {
		if _, err := goproxy.New(client, goproxy.Options{Address: bad}); err == nil {
			t.Errorf("New takes the address %q", bad)
		}
	}
}
