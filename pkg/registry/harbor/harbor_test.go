package harbor_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/registrytest"
	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
	"github.com/wormsweep/wormsweep/pkg/registry/harbor"
	"github.com/wormsweep/wormsweep/pkg/registry/oci"
)

var _ registry.Reader = (*harbor.Reader)(nil)

const app = "harbor.test/acme/team/app"

// world is a Harbor, and a reader of it.
func world(t *testing.T, change ...func(*harbor.Options)) (*registrytest.Server, *registrytest.Harbor, *harbor.Reader) {
	t.Helper()
	s := registrytest.New(t)
	s.OCI(registrytest.OCIOptions{Referrers: true})
	h := s.Harbor("robot$acme+sweeper", "open sesame")
	client, err := fetch.New(fetch.Options{
		Hosts: []string{s.Host}, PrivateHosts: []string{s.Host}, Attempts: 2,
		Tokens: map[string]fetch.Auth{s.Host: fetch.Basic("robot$acme+sweeper", "open sesame")},
		Sleep:  func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	if err != nil {
		t.Fatal(err)
	}
	o := harbor.Options{Address: s.URL, Host: "harbor.test"}
	for _, c := range change {
		c(&o)
	}
	r, err := harbor.New(client, o)
	if err != nil {
		t.Fatal(err)
	}
	return s, h, r
}

func day(n int) time.Time { return time.Date(2026, 9, n, 12, 0, 0, 0, time.UTC) }

func sha(n int) string { return fmt.Sprintf("sha256:%064d", n) }

func TestList(t *testing.T) {
	s, h, r := world(t)
	push := registrytest.Pusher{T: t, URL: s.URL, Repo: "acme/team/app"}
	image := push.Image("1.0", "layer")
	bundle := push.Attach(image, "https://slsa.dev/provenance/v1", []byte(`{"a":1}`))
	h.Put("acme/team/app",
		registrytest.HarborArtifact{
			Digest: image.Digest, MediaType: image.MediaType, Size: 5_000_000, Pushed: day(2),
			Tags:        []registrytest.HarborTag{{Name: "latest", Pushed: day(5)}, {Name: "1.0", Pushed: day(2)}},
			Accessories: []registrytest.HarborAccessory{{Digest: bundle.Digest, Type: "subject.accessory", At: day(3)}},
		},
		registrytest.HarborArtifact{Digest: sha(1), MediaType: image.MediaType, Pushed: day(1)},
	)
	l, err := r.List(t.Context(), app, registry.Validator{})
	if err != nil {
		t.Fatal(err)
	}
	file := func(d string, at time.Time) []registry.File {
		parsed, err := oci.ParseDigest(d)
		if err != nil {
			t.Fatal(err)
		}
		return []registry.File{{
			Name: d, URL: s.URL + "/v2/acme/team/app/manifests/" + d, MediaType: oci.MediaTypeManifest, Digests: []digest.Digest{parsed}, Time: registry.Known(at),
		}}
	}
	referrers := registry.Known(s.URL + "/v2/acme/team/app/referrers/" + image.Digest)
	if diff := cmp.Diff([]registry.Published{
		{Version: sha(1), Time: registry.Known(day(1)), Files: file(sha(1), day(1)), Provenance: registry.None[string]()},
		{Version: "1.0", Time: registry.Known(day(2)), Files: file(image.Digest, day(2)), Provenance: referrers},
		{Version: "latest", Time: registry.Known(day(5)), Files: file(image.Digest, day(2)), Provenance: referrers},
	}, l.Releases); diff != "" {
		t.Errorf("releases (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"1.0": image.Digest, "latest": image.Digest}, l.Tags); diff != "" || l.Kind != registry.OCI || l.Registry != s.URL {
		t.Errorf("%+v: tags (-want +got)\n%s", l, diff)
	}
	if n := s.Counts(); n["harbor artifacts"].Requests != 1 || len(n) != 3 { // and the pushes
		t.Errorf("asked %v", n)
	}

	// The rest by the distribution API.
	got, err := r.Attestations(t.Context(), app, &l.Releases[1])
	if err != nil || len(got) != 1 || string(got[0].Bundle) != `{"a":1}` {
		t.Errorf("attestations %v, %v", got, err)
	}
	body, err := r.Open(t.Context(), app, l.Releases[1].Files[0])
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if raw, err := io.ReadAll(body); err != nil || registrytest.DigestOf(raw) != image.Digest {
		t.Errorf("manifest %q, %v", raw, err)
	}
}

// Pulls change nothing; a tag, an accessory and a deletion do.
func TestValidator(t *testing.T) {
	_, h, r := world(t)
	one := registrytest.HarborArtifact{Digest: sha(1), MediaType: oci.MediaTypeManifest, Pushed: day(1), Tags: []registrytest.HarborTag{{Name: "b"}, {Name: "a"}}}
	h.Put("acme/team/app", one, registrytest.HarborArtifact{Digest: sha(2), Pushed: day(2)})
	var since registry.Validator
	list := func(what string, changed bool) {
		t.Helper()
		l, err := r.List(t.Context(), app, since)
		if errors.Is(err, registry.ErrNotModified) == changed {
			t.Errorf("%s: %v", what, err)
		}
		if err == nil {
			since = l.Validator
		}
	}
	list("first", true)
	list("again", false)
	one.Tags = []registrytest.HarborTag{{Name: "a"}, {Name: "b"}}
	h.Put("acme/team/app", one)
	list("in another order", false)
	one.Tags = one.Tags[:1]
	h.Put("acme/team/app", one)
	list("without a tag", true)
	one.Accessories = []registrytest.HarborAccessory{{Digest: sha(3), Type: "signature.cosign"}}
	h.Put("acme/team/app", one)
	list("signed", true)
	h.Remove("acme/team/app", sha(2))
	list("one deleted", true)
	list("again", false)
}

func TestPages(t *testing.T) {
	s, h, r := world(t)
	for i := range 250 {
		h.Put("acme/team/app", registrytest.HarborArtifact{Digest: sha(i), Pushed: day(1).Add(time.Duration(i) * time.Minute)})
	}
	l, err := r.List(t.Context(), app, registry.Validator{})
	if err != nil || len(l.Releases) != 250 || l.Releases[249].Version != sha(249) {
		t.Fatalf("%d releases, %v", len(l.Releases), err)
	}
	if n := s.Counts()["harbor artifacts"].Requests; n != 3 {
		t.Errorf("%d requests", n)
	}

	// One is deleted between the pages: what was on the second page's beginning was never shown.
	deleted := false
	pages := "/api/v2.0/projects/acme/repositories/team%2Fapp/artifacts"
	mend := s.Break(registrytest.Rule{Path: pages, Skip: 1, Times: 1, Fault: func(w http.ResponseWriter, r *http.Request, serve func() registrytest.Answer) {
		h.Remove("acme/team/app", sha(240))
		deleted = true
		write(w, serve())
	}})
	l, err = r.List(t.Context(), app, registry.Validator{})
	mend()
	if err != nil || !deleted || len(l.Releases) != 249 || l.Releases[149].Version != sha(149) || l.Releases[240].Version != sha(241) {
		t.Errorf("changed while it was read: %d, %v", len(l.Releases), err)
	}

	_, many, bounded := world(t, func(o *harbor.Options) { o.MaxArtifacts = 150 })
	for i := range 151 {
		many.Put("acme/team/app", registrytest.HarborArtifact{Digest: sha(i)})
	}
	if _, err := bounded.List(t.Context(), app, registry.Validator{}); !errors.Is(err, registry.ErrTooLarge) {
		t.Errorf("too many: %v", err)
	}
}

func write(w http.ResponseWriter, a registrytest.Answer) {
	for name, values := range a.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body)
}

func TestRefused(t *testing.T) {
	s, h, r := world(t)
	h.Put("acme/app", registrytest.HarborArtifact{Digest: sha(1)})
	for name, want := range map[string]error{
		"harbor.test/acme/none":  registry.ErrNotFound,
		"harbor.test/other/app":  registry.ErrDenied,
		"harbor.test/acme":       registry.ErrForbidden,
		"elsewhere.test/acme/a":  registry.ErrForbidden,
		"harbor.test/acme/a/../": registry.ErrForbidden,
		"harbor.test/acme/a?b=c": registry.ErrForbidden,
		"harbor.test/acme/A":     registry.ErrForbidden,
	} {
		if _, err := r.List(t.Context(), name, registry.Validator{}); !errors.Is(err, want) || want == registry.ErrDenied && !strings.Contains(err.Error(), "robot account") {
			t.Errorf("%q: %v, want %v", name, err, want)
		}
	}

	good := fmt.Sprintf(`{"digest":%q,"tags":[{"name":"1.0"}],"accessories":null}`, sha(1))
	for _, tt := range []struct {
		what, total, body string
		want              error
	}{
		{"sound", "1", "[" + good + "]", nil},
		{"no number", "", "[" + good + "]", registry.ErrMalformed},
		{"below nothing", "-1", "[]", registry.ErrMalformed},
		{"more by its word", "2", "[" + good + "]", registry.ErrMalformed},
		{"fewer by its word", "0", "[" + good + "]", registry.ErrMalformed},
		{"a page that is too long", "200", "[" + strings.Repeat(good+",", 100) + good + "]", registry.ErrTooLarge},
		{"very many by its word", "2000000000", "[" + good + "]", registry.ErrTooLarge},
		{"a digest that is none", "1", strings.Replace("["+good+"]", "sha256", "sha1", 1), registry.ErrMalformed},
		{"a tag that is none", "1", strings.Replace("["+good+"]", "1.0", "../x", 1), registry.ErrMalformed},
		{"a tag of a digest", "1", strings.Replace("["+good+"]", "1.0", "a@"+sha(1), 1), registry.ErrMalformed},
		{"an accessory that is none", "1", strings.Replace("["+good+"]", "null", `[{"digest":"x"}]`, 1), registry.ErrMalformed},
		{"a tag of two", "2", "[" + good + "," + strings.Replace(good, sha(1), sha(2), 1) + "]", registry.ErrMalformed},
		{"many tags", "1", strings.Replace("["+good+"]", `{"name":"1.0"}`, strings.Repeat(`{},`, 10_000)+"{}", 1), registry.ErrTooLarge},
		{"an object", "1", good, registry.ErrMalformed},
		{"a page of a website", "1", "<html>", registry.ErrMalformed},
	} {
		mend := s.Break(registrytest.Rule{Fault: func(w http.ResponseWriter, _ *http.Request, _ func() registrytest.Answer) {
			if tt.total != "" {
				w.Header().Set("X-Total-Count", tt.total)
			}
			_, _ = io.WriteString(w, tt.body)
		}})
		l, err := r.List(t.Context(), "harbor.test/acme/app", registry.Validator{})
		mend()
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, %v; want %v", tt.what, l, err, tt.want)
		}
	}
	for what, fault := range map[string]registrytest.Fault{
		"endless": registrytest.Endless(0), "cut": registrytest.Cut(20), "reset": registrytest.Reset(), "broken": registrytest.Fails(500, "text/plain", ""),
		"redirected": registrytest.Redirected("http://127.0.0.2/"), "limited": registrytest.Limited(time.Hour),
	} {
		mend := s.Break(registrytest.Rule{Fault: fault})
		if l, err := r.List(t.Context(), "harbor.test/acme/app", registry.Validator{}); err == nil || errors.Is(err, registry.ErrNotFound) {
			t.Errorf("%s: %v, %v", what, l, err)
		}
		mend()
	}
}

// What an old Harbor, or a mirror, does not say is unknown.
func TestUnknown(t *testing.T) {
	_, h, r := world(t)
	h.Put("acme/team/app", registrytest.HarborArtifact{Digest: sha(1)})
	h.Old()
	if l, err := r.List(t.Context(), app, registry.Validator{}); err != nil || l.Releases[0].Provenance.Knowledge != registry.Unknown {
		t.Errorf("an old one: %+v, %v", l, err)
	}
	_, h, r = world(t, func(o *harbor.Options) { o.Role = registry.Mirror })
	h.Put("acme/team/app", registrytest.HarborArtifact{Digest: sha(1)})
	if l, err := r.List(t.Context(), app, registry.Validator{}); err != nil || l.Releases[0].Provenance.Knowledge != registry.Unknown || l.Role != registry.Mirror {
		t.Errorf("a mirror: %+v, %v", l, err)
	}
}

func ExampleNew() {
	client, err := fetch.New(fetch.Options{
		Hosts:  []string{"harbor.example"},
		Tokens: map[string]fetch.Auth{"harbor.example": fetch.Basic("robot$acme+sweeper", "a secret")},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := harbor.New(client, harbor.Options{Address: "https://harbor.example"})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = r.List(context.Background(), "docker.io/library/debian", registry.Validator{})
	fmt.Println(err)
	// Output: "docker.io/library/debian" is not of the form harbor.example/PROJECT/REPOSITORY: not a host that may be asked
}
