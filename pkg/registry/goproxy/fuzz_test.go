package goproxy_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"

	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
	"github.com/wormsweep/wormsweep/pkg/registry/goproxy"
)

// Every version that is given may stand in an address of its module, once, in order.
func FuzzParseList(f *testing.F) {
	f.Add("example.org/m", []byte("v1.0.0\nv1.1.0 x\r\n\nv0.0.0-20260901000000-0123456789ab\n"))
	f.Add("example.org/m/v2", []byte("v2.0.0\nv1.0.0\nv2.0.0+incompatible"))
	f.Add("gopkg.in/m.v3", []byte("v3.0.0\n\x00\n"))
	f.Fuzz(func(t *testing.T, path string, data []byte) {
		versions, faults := goproxy.ParseList(path, data)
		again, _ := goproxy.ParseList(path, []byte(strings.Join(versions, "\n")))
		if diff := cmp.Diff(versions, again); diff != "" {
			t.Errorf("read again: %s", diff)
		}
		for i, v := range versions {
			if module.Check(path, v) != nil || module.CanonicalVersion(v) != v || i > 0 && semver.Compare(versions[i-1], v) > 0 {
				t.Errorf("versions %q of %q", versions, path)
			}
		}
		if len(faults) > 21 {
			t.Errorf("%d faults", len(faults))
		}
	})
}

func FuzzParseInfo(f *testing.F) {
	f.Add([]byte(`{"Version":"v1.0.0","Time":"2026-09-01T00:00:00Z","Origin":{"VCS":"git","Hash":"0123456789abcdef0123456789abcdef01234567"}}`))
	f.Add([]byte(`{"Version":"v1.0.0","version":"v2.0.0","Time":"2026-09-01T00:00:00Z"}`))
	f.Add([]byte(`{"Version":"v1.0.0","Time":"2026-09-01T00:00:00Z","Origin":{"Hash":"--upload-pack"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		info, err := goproxy.ParseInfo(data)
		if err != nil {
			return
		}
		if c := info.Commit(); !semver.IsValid(info.Version) || info.Time.IsZero() || c != "" && len(strings.Trim(c, "0123456789abcdef")) > 0 {
			t.Errorf("%q is read as %+v", data, info)
		}
	})
}

// What is retracted lies in an interval that the file names, and the answer is one line.
func FuzzParseRetractions(f *testing.F) {
	f.Add([]byte("module example.org/m\n\nretract v1.0.0 // why\n"), "v1.0.0")
	f.Add([]byte("// Deprecated: use v2.\nmodule example.org/m\nretract (\n\t// a\n\t[v1.0.0, v1.2.0]\n)\n"), "v1.1.0")
	f.Add([]byte("module \"example.org/m\"\nretract [v1.2.0, v1.0.0]\n"), "v1.1.0")
	f.Fuzz(func(t *testing.T, data []byte, version string) {
		told, err := goproxy.ParseRetractions(data)
		if err != nil {
			return
		}
		why, retracted := told.Of(version)
		if strings.ContainsAny(why+told.Deprecated, "\n\r") || !retracted && why != "" || retracted && !strings.Contains(string(data), "retract") {
			t.Errorf("%q: %q, %v, deprecated %q", data, why, retracted, told.Deprecated)
		}
	})
}

// wire keeps the paths that were asked for.
type wire struct{ asked []string }

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.asked = append(w.asked, r.URL.EscapedPath())
	return &http.Response{StatusCode: http.StatusNotFound, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// Whatever the names are, only the proxy's own addresses of that module are asked, and nothing
// else is not found.
func FuzzAddresses(f *testing.F) {
	f.Add("example.org/Up/m", "v1.2.3")
	f.Add("example.org/m/v2", "v2.0.0-Rc.1")
	f.Add("example.org/../m", "v1.0.0/../../x")
	f.Add("example.org/m?x", "v1.0.0#y")
	f.Add("example.org/%2e%2e/m", "v1.0.0+incompatible")
	f.Fuzz(func(t *testing.T, path, version string) {
		w := &wire{}
		client, err := fetch.New(fetch.Options{Hosts: []string{"proxy.example"}, Transport: w, Attempts: 1})
		if err != nil {
			t.Fatal(err)
		}
		reader, err := goproxy.New(client, goproxy.Options{Address: "https://proxy.example/base"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := reader.List(t.Context(), path, registry.Validator{}); err == nil {
			t.Error("a list of nothing")
		}
		if _, err := reader.Info(t.Context(), path, version); err == nil {
			t.Error("an info of nothing")
		}
		for _, suffix := range []string{".zip", ".mod"} {
			if r, err := reader.Open(t.Context(), path, registry.File{Name: version + suffix, URL: "https://evil.example/"}); err == nil {
				_, _ = io.Copy(io.Discard, r)
				t.Error("a file of nothing")
			}
		}
		for _, asked := range w.asked {
			rest, ok := strings.CutPrefix(asked, "/base/")
			escaped, file, found := strings.Cut(rest, "/@v/")
			name, err := module.UnescapePath(escaped)
			if !ok || !found || err != nil || name != path || strings.ContainsAny(file, "/\\?#%") {
				t.Errorf("%q, %q: asked for %q", path, version, asked)
			}
		}
	})
}
