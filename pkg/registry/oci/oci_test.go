package oci_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/registrytest"
	"github.com/wormsweep/wormsweep/internal/xtest/dockertest"
	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
	"github.com/wormsweep/wormsweep/pkg/registry/oci"
)

var _ registry.Reader = (*oci.Reader)(nil)

// client asks registries on loopback, and loses no time with waiting.
func client(t *testing.T, tokens map[string]fetch.Auth, addresses ...string) *fetch.Client {
	t.Helper()
	o := fetch.Options{
		Tokens: tokens, Grace: 2 * time.Second, Timeout: 5 * time.Second, Attempts: 2,
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}
	for _, address := range addresses {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		o.Hosts = append(o.Hosts, u.Host)
	}
	o.PrivateHosts = o.Hosts
	c, err := fetch.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func reader(t *testing.T, address string, change ...func(*oci.Options)) *oci.Reader {
	t.Helper()
	return readerWith(t, client(t, nil, address), address, change...)
}

func readerWith(t *testing.T, c *fetch.Client, address string, change ...func(*oci.Options)) *oci.Reader {
	t.Helper()
	o := oci.Options{Address: address, Host: "registry.test"}
	for _, c := range change {
		c(&o)
	}
	r, err := oci.New(c, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// start starts a registry in memory.
func start(t *testing.T, o registrytest.OCIOptions) *registrytest.Server {
	t.Helper()
	s := registrytest.New(t)
	s.OCI(o)
	return s
}

const app = "registry.test/team/app"

func pusher(t *testing.T, address string) registrytest.Pusher {
	return registrytest.Pusher{T: t, URL: address, Repo: "team/app"}
}

func sum(t *testing.T, d registrytest.Descriptor) digest.Digest {
	t.Helper()
	parsed, err := oci.ParseDigest(d.Digest)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func published(t *testing.T, version string, d registrytest.Descriptor) *registry.Published {
	return &registry.Published{Version: version, Files: []registry.File{{Name: d.Digest, Digests: []digest.Digest{sum(t, d)}}}}
}

// One suite, and each registry that we can have.
func TestRegistries(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) string{
		"in memory with referrers": func(t *testing.T) string {
			return start(t, registrytest.OCIOptions{Referrers: true}).URL
		},
		"in memory": func(t *testing.T) string {
			return start(t, registrytest.OCIOptions{Page: 2}).URL
		},
		"in memory without digests": func(t *testing.T) string {
			return start(t, registrytest.OCIOptions{NoDigest: true}).URL
		},
		"docker-registry": func(t *testing.T) string { return dockertest.Start(t).URL() },
	} {
		t.Run(name, func(t *testing.T) { suite(t, open(t), name == "in memory with referrers") })
	}
}

func suite(t *testing.T, address string, hasAPI bool) {
	r, push, ctx := reader(t, address), pusher(t, address), t.Context()
	if _, err := r.List(ctx, app, registry.Validator{}); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("a repository that is not there: %v", err)
	}

	one, two := push.Image("1.0", "first"), push.Image("1.1", "second")
	both := push.Index("latest", one, two)
	bundle := push.Attach(both, "https://slsa.dev/provenance/v1", []byte(`{"mediaType":"bundle"}`))
	if !hasAPI {
		push.Refer(both, bundle)
	}
	push.Image("sha256-"+both.Digest[7:]+".sig", "a signature of old")

	l, err := r.List(ctx, app, registry.Validator{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"1.0": one.Digest, "1.1": two.Digest, "latest": both.Digest}
	if !maps.Equal(l.Tags, want) || len(l.Releases) != 3 || l.Faults != nil || l.Kind != registry.OCI || l.Name != app || l.Registry != address {
		t.Errorf("listing %+v, want tags %v", l, want)
	}
	first := l.Releases[slices.IndexFunc(l.Releases, func(p registry.Published) bool { return p.Version == "1.0" })]
	if diff := cmp.Diff([]registry.File{{
		Name: one.Digest, URL: address + "/v2/team/app/manifests/" + one.Digest, MediaType: oci.MediaTypeManifest,
		Size: registry.Known(int64(one.Size)), Digests: []digest.Digest{sum(t, one)},
	}}, first.Files); diff != "" {
		t.Errorf("files (-want +got)\n%s", diff)
	}
	if _, err := r.List(ctx, app, l.Validator); !errors.Is(err, registry.ErrNotModified) {
		t.Errorf("nothing changed: %v", err)
	}

	index, err := r.Manifest(ctx, app, sum(t, both))
	if err != nil || !index.IsIndex() || len(index.Manifests) != 2 || index.Manifests[1].Digest != sum(t, two) {
		t.Errorf("index %+v, %v", index, err)
	}
	image, err := r.Manifest(ctx, app, index.Manifests[0].Digest)
	if err != nil || image.Config == nil || len(image.Layers) != 1 {
		t.Fatalf("image %+v, %v", image, err)
	}
	if layer, err := r.Blob(ctx, app, image.Layers[0].Digest, 100); err != nil || string(layer) != "first" {
		t.Errorf("layer %q, %v", layer, err)
	}
	body, err := r.Open(ctx, app, first.Files[0])
	if err != nil {
		t.Fatal(err)
	}
	if raw, err := io.ReadAll(body); err != nil || string(raw) != string(image.Raw) {
		t.Errorf("manifest as a file: %q, %v", raw, err)
	}
	body.Close()

	referrers, err := r.Referrers(ctx, app, sum(t, both))
	how := map[bool]oci.Scheme{true: oci.ByAPI, false: oci.ByTag}[hasAPI]
	if err != nil || len(referrers) != 2 || referrers[0].Scheme != how || referrers[0].Digest != sum(t, bundle) || referrers[1].Scheme != oci.SignatureTag {
		t.Errorf("referrers %+v, %v", referrers, err)
	}
	attestations, err := r.Attestations(ctx, app, published(t, "latest", both))
	if diff := cmp.Diff([]registry.Attestation{{
		PredicateType: "https://slsa.dev/provenance/v1", File: both.Digest, Bundle: []byte(`{"mediaType":"bundle"}`),
	}}, attestations); err != nil || diff != "" {
		t.Errorf("attestations %v (-want +got)\n%s", err, diff)
	}
	if _, err := r.Attestations(ctx, app, published(t, "1.0", one)); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("attestations of an image without: %v", err)
	}

	// The tag moves: what was resolved is still what is read, and the list changes.
	push.Image("1.0", "another")
	if m, err := r.Manifest(ctx, app, sum(t, one)); err != nil || m.Digest != sum(t, one) {
		t.Errorf("by digest, behind a moved tag: %v", err)
	}
	if moved, err := r.List(ctx, app, l.Validator); err != nil || moved.Tags["1.0"] == one.Digest {
		t.Errorf("a moved tag: %v, %v", moved, err)
	}

	push.Delete(two.Digest)
	if _, err := r.Resolve(ctx, app, two.Digest); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("deleted: %v", err)
	}
	if only, err := r.ListTags(ctx, app, []string{"latest", "none"}, registry.Validator{}); err != nil || len(only.Releases) != 1 || len(only.Faults) != 1 {
		t.Errorf("two tags, one of them there: %+v, %v", only, err)
	}
}

func TestTokens(t *testing.T) {
	s := registrytest.New(t)
	service := s.OCI(registrytest.OCIOptions{Token: true, User: "robot", Password: "open sesame", Lifetime: 300})
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	c := client(t, map[string]fetch.Auth{s.Host: fetch.Basic("robot", "open sesame")}, s.URL)
	r := readerWith(t, c, s.URL, func(o *oci.Options) { o.Now = func() time.Time { return now } })
	list := func(what string, wantTokens int) {
		t.Helper()
		if _, err := r.List(t.Context(), app, registry.Validator{}); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
		if n := s.Counts()["oci token"].Requests; n != wantTokens {
			t.Errorf("%s: %d tokens, want %d", what, n, wantTokens)
		}
	}
	list("the first time", 1)
	list("again", 1)
	service.Expire()
	list("refused before its time", 2)
	now = now.Add(5 * time.Minute)
	list("over its time", 3)
	for _, scope := range service.Scopes() {
		if scope != "repository:team/app:pull" {
			t.Errorf("asked for the scope %q", scope)
		}
	}

	wrong := reader(t, s.URL)
	if _, err := wrong.List(t.Context(), app, registry.Validator{}); !errors.Is(err, registry.ErrDenied) {
		t.Errorf("without password: %v", err)
	}
}

// Tags that are resolved at once wait for one token.
func TestOneTokenForAll(t *testing.T) {
	s := registrytest.New(t)
	service := s.OCI(registrytest.OCIOptions{Token: true})
	r := reader(t, s.URL)
	var tags []string
	for i := range 40 {
		tags = append(tags, fmt.Sprintf("t%d", i))
	}
	if _, err := r.ListTags(t.Context(), app, tags, registry.Validator{}); !errors.Is(err, registry.ErrNotFound) {
		t.Error(err)
	}
	if n := len(service.Scopes()); n != 1 {
		t.Errorf("%d tokens for one repository", n)
	}
}

// A challenge leads to the registry's own host or one that the options name, and to no other.
func TestRealmElsewhere(t *testing.T) {
	elsewhere := start(t, registrytest.OCIOptions{})
	s := start(t, registrytest.OCIOptions{Token: true, Realm: elsewhere.URL + "/token"})
	r := readerWith(t, client(t, nil, s.URL, elsewhere.URL), s.URL)
	_, err := r.List(t.Context(), app, registry.Validator{})
	if !errors.Is(err, registry.ErrForbidden) || !strings.Contains(err.Error(), elsewhere.Host) {
		t.Errorf("a realm elsewhere: %v", err)
	}
	if asked := elsewhere.Counts(); len(asked) != 0 {
		t.Errorf("it was asked: %v", asked)
	}
	r = readerWith(t, client(t, nil, s.URL, elsewhere.URL), s.URL, func(o *oci.Options) { o.TokenHosts = []string{elsewhere.Host} })
	_, err = r.List(t.Context(), app, registry.Validator{})
	if !errors.Is(err, registry.ErrDenied) { // the service's token is none of this registry's
		t.Errorf("a realm that may: %v", err)
	}
	if asked := elsewhere.Counts(); asked["oci token"].Requests != 1 {
		t.Errorf("asked %v, want one token", asked)
	}
}

func TestOptions(t *testing.T) {
	c := client(t, nil, "http://127.0.0.1:1")
	for _, o := range []oci.Options{
		{},
		{Address: "registry.example"},
		{Address: "ftp://registry.example"},
		{Address: "https://user@registry.example"},
		{Address: "https://registry.example/v2"},
	} {
		if _, err := oci.New(c, o); err == nil {
			t.Errorf("%+v: taken", o)
		}
	}
	r, err := oci.New(c, oci.Options{Address: "https://registry.example"})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"other.example/a", "registry.example", "registry.example/", "registry.example/A", "registry.example/a/../b", "registry.example/a:1"} {
		if _, err := r.List(t.Context(), name, registry.Validator{}); !errors.Is(err, registry.ErrForbidden) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestParseReference(t *testing.T) {
	hex := strings.Repeat("ab", 32)
	for _, tt := range []struct{ in, host, repo, tag, digest string }{
		{"registry.example/team/app:1.0", "registry.example", "team/app", "1.0", ""},
		{"localhost/app@sha256:" + hex, "localhost", "app", "", "sha256:" + hex},
		{"127.0.0.1:5000/a--b/c__d:v1@sha256:" + hex, "127.0.0.1:5000", "a--b/c__d", "v1", "sha256:" + hex},
	} {
		ref, err := oci.ParseReference(tt.in)
		if err != nil || ref.Host != tt.host || ref.Repository != tt.repo || ref.Tag != tt.tag || tt.digest != "" && ref.Digest.String() != tt.digest || ref.String() != tt.in {
			t.Errorf("%q: %+v, %v", tt.in, ref, err)
		}
	}
	for _, in := range []string{
		"", "app:1", "team/app:1", "registry.example/app", "registry.example/App:1", "registry.example/app:", "registry.example/app:-1",
		"registry.example/app@sha256:" + strings.ToUpper(hex), "registry.example/app@md5:" + hex[:32], "registry.example/app@sha256:" + hex[1:],
		"registry.example/a__-b:1", "registry.example/a..b:1", "registry.example//a:1", "registry.example/a-:1", "registry.example/_a:1",
		"registry.example/" + strings.Repeat("a", 256) + ":1", "registry.example/a:" + strings.Repeat("t", 129),
	} {
		if ref, err := oci.ParseReference(in); err == nil {
			t.Errorf("%q: %+v", in, ref)
		}
	}
}

func ExampleParseReference() {
	ref, err := oci.ParseReference("ghcr.io/acme/app:1.4.2")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(ref.Name(), ref.Tag)
	// Output: ghcr.io/acme/app 1.4.2
}
