package oci_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/registrytest"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/oci"
)

// answer lets do answer every request for a path, and what is below it.
func answer(s *registrytest.Server, path string, do func(w http.ResponseWriter, r *http.Request)) (mend func()) {
	return s.Break(registrytest.Rule{Path: "/v2/team/app/" + path, Fault: func(w http.ResponseWriter, r *http.Request, _ func() registrytest.Answer) {
		do(w, r)
	}})
}

func write(w http.ResponseWriter, mediaType, text string) {
	w.Header().Set("Content-Type", mediaType)
	_, _ = fmt.Fprint(w, text)
}

func TestLyingLists(t *testing.T) {
	s := start(t, registrytest.OCIOptions{Referrers: true})
	r := reader(t, s.URL)
	page := func(link string, tags ...string) func(w http.ResponseWriter, r *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			if link != "" {
				w.Header().Set("Link", link)
			}
			list, _ := json.Marshal(map[string]any{"name": "team/app", "tags": tags})
			write(w, "application/json", string(list))
		}
	}
	n := 0
	for _, tt := range []struct {
		what string
		do   func(w http.ResponseWriter, r *http.Request)
		want error
	}{
		{"a circle", page(`</v2/team/app/tags/list?last=a>; rel="next"`, "a"), registry.ErrMalformed},
		{"the same page", page(`</v2/team/app/tags/list?n=1000>; rel="next"`, "a"), registry.ErrMalformed},
		{"an empty page that leads on", func(w http.ResponseWriter, r *http.Request) {
			n++
			page(fmt.Sprintf(`</v2/team/app/tags/list?last=%d>; rel="next"`, n))(w, r)
		}, registry.ErrMalformed},
		{"another host", page(`<https://elsewhere.example/v2/team/app/tags/list?last=a>; rel="next"`, "a"), registry.ErrMalformed},
		{"another repository", page(`</v2/team/other/tags/list?last=a>; rel="next"`, "a"), registry.ErrMalformed},
		{"no tag", page("", "a", "../b"), registry.ErrMalformed},
		{"no JSON", func(w http.ResponseWriter, _ *http.Request) { write(w, "text/html", "<html>") }, registry.ErrMalformed},
		{"a key twice", func(w http.ResponseWriter, _ *http.Request) {
			write(w, "application/json", `{"tags":["a"],"tags":[]}`)
		}, registry.ErrMalformed},
		{"two documents", func(w http.ResponseWriter, _ *http.Request) {
			write(w, "application/json", `{"tags":["a"]}{"tags":["b"]}`)
		}, registry.ErrMalformed},
		{"endless", func(w http.ResponseWriter, _ *http.Request) {
			for range 1000 {
				if _, err := fmt.Fprint(w, strings.Repeat(" ", 1<<16)); err != nil {
					return
				}
			}
		}, registry.ErrTooLarge},
		{"not served", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusMethodNotAllowed) }, registry.ErrNotServed},
		{"denied", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, registry.ErrDenied},
		{"moved elsewhere", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.2:1/", http.StatusFound)
		}, registry.ErrForbidden},
		{"100,000 tags", func(w http.ResponseWriter, r *http.Request) {
			var tags []string
			for i := range 100_000 {
				tags = append(tags, fmt.Sprintf("v%d", i))
			}
			page("", tags...)(w, r)
		}, registry.ErrTooLarge},
		{"pages without end", func(w http.ResponseWriter, r *http.Request) {
			n++
			page(fmt.Sprintf(`</v2/team/app/tags/list?last=%d>; rel="next"`, n), fmt.Sprintf("t%d", n))(w, r)
		}, registry.ErrTooLarge},
	} {
		mend := answer(s, "tags/list", tt.do)
		if l, err := r.List(t.Context(), app, registry.Validator{}); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, %v; want %v", tt.what, l, err, tt.want)
		}
		mend()
	}
	answer(s, "tags/list", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	if _, err := r.List(t.Context(), app, registry.Validator{}); err == nil || errors.Is(err, registry.ErrNotFound) {
		t.Errorf("cut: %v", err)
	}
}

func TestOtherContent(t *testing.T) {
	s := start(t, registrytest.OCIOptions{})
	r, push := reader(t, s.URL), pusher(t, s.URL)
	image := push.Image("1.0", "layer")
	m, err := r.Manifest(t.Context(), app, sum(t, image))
	if err != nil {
		t.Fatal(err)
	}
	other := strings.Replace(string(m.Raw), "gzip", "zstd", 1)
	for _, tt := range []struct {
		what, path string
		do         func(w http.ResponseWriter, r *http.Request)
		ask        func() error
		want       error
	}{
		{"another manifest", "manifests/sha256:*", func(w http.ResponseWriter, _ *http.Request) {
			write(w, oci.MediaTypeManifest, other)
		}, func() error { _, err := r.Manifest(t.Context(), app, sum(t, image)); return err }, registry.ErrMalformed},
		{"another blob", "blobs", func(w http.ResponseWriter, _ *http.Request) {
			write(w, "application/octet-stream", "LAYER")
		}, func() error { _, err := r.Blob(t.Context(), app, m.Layers[0].Digest, 100); return err }, registry.ErrMalformed},
		{"part of a blob", "blobs", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5")
			write(w, "application/octet-stream", "la")
		}, func() error { _, err := r.Blob(t.Context(), app, m.Layers[0].Digest, 100); return err }, nil},
		{"a long blob", "blobs", func(w http.ResponseWriter, _ *http.Request) {
			write(w, "application/octet-stream", strings.Repeat("x", 101))
		}, func() error { _, err := r.Blob(t.Context(), app, m.Layers[0].Digest, 100); return err }, registry.ErrTooLarge},
		{"another digest than was asked for", "manifests/sha256:*", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Docker-Content-Digest", "sha256:"+strings.Repeat("0", 64))
		}, func() error { _, err := r.Resolve(t.Context(), app, image.Digest); return err }, registry.ErrMalformed},
		{"a digest that is none", "manifests", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Docker-Content-Digest", "sha256:../../x")
		}, func() error { _, err := r.Resolve(t.Context(), app, "1.0"); return err }, registry.ErrMalformed},
	} {
		mend := answer(s, tt.path, tt.do)
		if err := tt.ask(); err == nil || tt.want != nil && !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.what, err, tt.want)
		}
		mend()
	}
	if _, err := r.Resolve(t.Context(), app, "../../other/manifests/1.0"); !errors.Is(err, registry.ErrForbidden) {
		t.Errorf("a reference that is a path: %v", err)
	}
}

func TestLyingReferrers(t *testing.T) {
	s := start(t, registrytest.OCIOptions{Referrers: true})
	push := pusher(t, s.URL)
	image, other := push.Image("1.0", "layer"), push.Image("2.0", "another")
	r := reader(t, s.URL, func(o *oci.Options) { o.MaxReferrers = 3 })
	index := func(descriptors ...string) func(w http.ResponseWriter, r *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			write(w, oci.MediaTypeIndex, `{"schemaVersion":2,"mediaType":"`+oci.MediaTypeIndex+`","manifests":[`+strings.Join(descriptors, ",")+`]}`)
		}
	}
	one := func(i int) string {
		return fmt.Sprintf(`{"mediaType":%q,"digest":"sha256:%064d","size":1,"annotations":{"\u001b[2J<script>":"@everyone\n\u0000"}}`, oci.MediaTypeManifest, i)
	}
	stranger := push.Attach(other, "https://slsa.dev/provenance/v1", []byte("{}"))
	for _, tt := range []struct {
		what string
		do   func(w http.ResponseWriter, r *http.Request)
		want error
		n    int
	}{
		{"hostile annotations", index(one(1), one(2)), nil, 2},
		{"too many", index(one(1), one(2), one(3), one(4)), registry.ErrTooLarge, 0},
		{"a list of everything", index(strings.Repeat(`{"digest":"sha256:`+strings.Repeat("0", 64)+`"},`, 5000) + one(1)), registry.ErrTooLarge, 0},
		{"a digest that is none", index(`{"mediaType":"x","digest":"sha256:x","size":1}`), registry.ErrMalformed, 0},
		{"a size below nothing", index(strings.Replace(one(1), `"size":1`, `"size":-1`, 1)), registry.ErrMalformed, 0},
		{"an index that is a manifest", func(w http.ResponseWriter, _ *http.Request) {
			write(w, oci.MediaTypeIndex, `{"schemaVersion":2,"manifests":[],"layers":[]}`)
		}, registry.ErrMalformed, 0},
		{"a page of a website", func(w http.ResponseWriter, _ *http.Request) { write(w, "text/html", "<html>") }, nil, 0}, // no API, and no fall-back tag
		{"a circle", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", `<?after=1>; rel="next"`)
			index(one(1))(w, r)
		}, registry.ErrMalformed, 0},
		{"a failure", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, errors.ErrUnsupported, 0},
	} {
		mend := answer(s, "referrers", tt.do)
		found, err := r.Referrers(t.Context(), app, sum(t, image))
		failed := tt.want == errors.ErrUnsupported && err != nil
		if !failed && !errors.Is(err, tt.want) || len(found) != tt.n {
			t.Errorf("%s: %v, %v; want %d and %v", tt.what, found, err, tt.n, tt.want)
		}
		mend()
	}

	// A bundle of another image is not handed out as one of this.
	mend := answer(s, "referrers", index(fmt.Sprintf(`{"mediaType":%q,"artifactType":%q,"digest":%q,"size":%d}`,
		oci.MediaTypeManifest, registrytest.BundleType, stranger.Digest, stranger.Size)))
	if got, err := r.Attestations(t.Context(), app, published(t, "1.0", image)); !errors.Is(err, registry.ErrMalformed) {
		t.Errorf("a bundle of another image: %v, %v", got, err)
	}
	mend()
	// What is listed and is not there is no image without a signature.
	answer(s, "referrers", index(one(1)))
	if got, err := r.Attestations(t.Context(), app, published(t, "1.0", image)); err == nil {
		t.Errorf("a referrer that is not there: %v", got)
	}
}

func TestTagsOfSchemes(t *testing.T) {
	s := start(t, registrytest.OCIOptions{})
	push := pusher(t, s.URL)
	hex := strings.Repeat("0a", 32)
	hidden := []string{"sha256-" + hex, "sha256-" + hex + ".sig", "sha256-" + hex + ".att", "sha256-" + hex + ".sbom", "sha512-" + (hex + hex)[:121]}
	shown := []string{"sha256-" + hex + ".att.sig", "sha256-" + hex[1:], hex, "sha256-" + hex + ".SIG", "sha256-" + strings.ToUpper(hex), "1.0"}
	for _, tag := range append(hidden, shown...) {
		push.Image(tag, tag)
	}
	l, err := reader(t, s.URL).List(t.Context(), app, registry.Validator{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tag := range shown {
		if l.Tags[tag] == "" {
			t.Errorf("%q is left out", tag)
		}
	}
	if len(l.Tags) != len(shown) {
		t.Errorf("tags %v", l.Tags)
	}
}
