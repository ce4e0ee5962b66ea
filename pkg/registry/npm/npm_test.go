package npm_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/registrytest"
	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
	"github.com/wormsweep/wormsweep/pkg/registry/npm"
)

var noon = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

// reader gives a reader of the server. Its waits take no time.
func reader(t *testing.T, srv *registrytest.Server, o npm.Options) *npm.Reader {
	t.Helper()
	var mu sync.Mutex
	now := noon
	c, err := fetch.New(fetch.Options{
		Hosts: []string{srv.Host}, PrivateHosts: []string{srv.Host}, Grace: 200 * time.Millisecond, Timeout: 2 * time.Second,
		Now: func() time.Time {
			mu.Lock()
			defer mu.Unlock()
			return now
		},
		Sleep: func(ctx context.Context, d time.Duration) error {
			mu.Lock()
			defer mu.Unlock()
			now = now.Add(d)
			return ctx.Err()
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	o.Address, o.Now = srv.NPM().URL, func() time.Time { return noon }
	r, err := npm.New(c, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var _ registry.Reader = (*npm.Reader)(nil)

const sdk = "@acme/sdk"

// publish fills the server with a package of all that is read.
func publish(srv *registrytest.Server) {
	n := srv.NPM()
	n.Publish(sdk, registrytest.NPMVersion{
		Version: "1.0.0", Time: noon.Add(-72 * time.Hour), User: "alice", Email: "alice@acme.example", GitHead: "aaaa",
		Scripts: map[string]string{"test": "node test.js", "prepare": "husky"},
	})
	n.Publish(sdk, registrytest.NPMVersion{
		Version: "1.10.0", Time: noon.Add(-48 * time.Hour), User: "GitHub Actions", Email: "npm-oidc-no-reply@github.com", TrustedPublisher: "github",
		GitHead:    "bbbb",
		Signatures: []registrytest.NPMSignature{{KeyID: "SHA256:k", Sig: "c2ln"}},
		Attestations: []registrytest.NPMAttestation{
			{PredicateType: "https://github.com/npm/attestation/tree/main/specs/publish/v0.1", Bundle: json.RawMessage(`{"mediaType":"publish"}`)},
			{PredicateType: "https://slsa.dev/provenance/v1", Bundle: json.RawMessage(`{"mediaType":"provenance"}`)},
		},
	})
	n.Publish(sdk, registrytest.NPMVersion{
		Version: "1.9.0", Tag: "old", Time: noon.Add(-24 * time.Hour), User: "mallory",
		Scripts:              map[string]string{"preinstall": "node bundle.js", "postinstall": ""},
		Dependencies:         map[string]string{"left-pad": "^1.0.0", "odd": "https://evil.example/odd.tgz"},
		OptionalDependencies: map[string]string{"setup": "github:evil/setup#79ac49e"},
	})
	n.Publish(sdk, registrytest.NPMVersion{Version: "0.9.0-rc.1", Time: noon.Add(-96 * time.Hour), Tag: "-"})
	n.Unpublish(sdk, "0.9.0-rc.1")
	n.Deprecate(sdk, "1.9.0", "compromised")
	n.SetMaintainers(sdk, registrytest.NPMPerson{Name: "alice", Email: "alice@acme.example"}, registrytest.NPMPerson{Name: "bot"})
}

func file(srv *registrytest.Server, v string) []registry.File {
	tarball := registrytest.Tarball(sdk, v)
	integrity := strings.TrimPrefix(registrytest.Integrity(tarball), "sha512-")
	return []registry.File{{
		Name: "sdk-" + v + ".tgz", URL: srv.NPM().URL + "/" + sdk + "/-/sdk-" + v + ".tgz",
		Digests: []digest.Digest{{Algorithm: digest.SHA512, Text: integrity}, {Algorithm: digest.SHA1, Text: sha1Hex(tarball)}},
	}}
}

func TestList(t *testing.T) {
	srv := registrytest.New(t)
	publish(srv)
	got, err := reader(t, srv, npm.Options{}).List(t.Context(), sdk, registry.Validator{})
	if err != nil {
		t.Fatal(err)
	}
	person := func(name, email string) registry.Fact[registry.Person] {
		return registry.Known(registry.Person{Name: name, Email: email})
	}
	none := registry.None[map[string]string]()
	at := func(hours int) registry.Fact[time.Time] {
		return registry.Known(noon.Add(time.Duration(hours) * time.Hour))
	}
	common := registry.Published{
		TrustedPublisher: registry.None[string](), Scripts: none, Git: none, Head: registry.None[string](),
		Signatures: registry.None[[]registry.Signature](), Provenance: registry.None[string](), Deprecated: registry.None[string](),
		Unpublished: registry.None[bool](),
	}
	first, second, third := common, common, common
	first.Version, first.Time, first.Publisher, first.Head, first.Files = "1.0.0", at(-72), person("alice", "alice@acme.example"), registry.Known("aaaa"), file(srv, "1.0.0")
	second.Version, second.Time, second.Publisher, second.Head, second.Files = "1.10.0", at(-48), person("GitHub Actions", "npm-oidc-no-reply@github.com"), registry.Known("bbbb"), file(srv, "1.10.0")
	second.TrustedPublisher = registry.Known("github")
	second.Signatures = registry.Known([]registry.Signature{{KeyID: "SHA256:k", Sig: "c2ln"}})
	second.Provenance = registry.Known(srv.NPM().URL + "/-/npm/v1/attestations/@acme%2fsdk@1.10.0")
	third.Version, third.Time, third.Publisher, third.Files = "1.9.0", at(-24), person("mallory", ""), file(srv, "1.9.0")
	third.Scripts = registry.Known(map[string]string{"preinstall": "node bundle.js"})
	third.Git = registry.Known(map[string]string{"odd": "https://evil.example/odd.tgz", "setup": "github:evil/setup#79ac49e"})
	third.Deprecated = registry.Known("compromised")
	want := &registry.Listing{
		Kind: registry.NPM, Name: sdk, Registry: srv.URL, Fetched: noon, Validator: got.Validator,
		Tags:        map[string]string{"latest": "1.10.0", "old": "1.9.0"},
		Maintainers: registry.Known([]registry.Person{{Name: "alice", Email: "alice@acme.example"}, {Name: "bot"}}),
		Releases: []registry.Published{
			{Version: "0.9.0-rc.1", Time: at(-96), Unpublished: registry.Known(true)}, first, second, third,
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got.Validator.ETag == "" {
		t.Error("no validator")
	}
}

// What a mirror leaves out is unknown, and so is its time. What it has is told.
func TestMirror(t *testing.T) {
	srv := registrytest.New(t)
	publish(srv)
	srv.NPM().SetMirror(true, 400*24*time.Hour)
	got, err := reader(t, srv, npm.Options{Role: registry.Mirror}).List(t.Context(), sdk, registry.Validator{})
	if err != nil {
		t.Fatal(err)
	}
	if got.Role != registry.Mirror || !got.Maintainers.IsZero() || len(got.Faults) > 0 {
		t.Errorf("%+v", got)
	}
	for _, r := range got.Releases {
		if !r.Time.IsZero() || !r.Publisher.IsZero() || !r.TrustedPublisher.IsZero() || !r.Signatures.IsZero() || !r.Provenance.IsZero() || !r.Unpublished.IsZero() {
			t.Errorf("%s: a mirror's silence is taken for an answer: %+v", r.Version, r)
		}
	}
	if r := got.Releases[len(got.Releases)-1]; r.Version != "0.9.0-rc.1" || r.Files != nil {
		t.Errorf("a version that the mirror has no tarball of: %+v", r)
	}
	for _, r := range got.Releases {
		if r.Version == "1.9.0" && (r.Scripts.Knowledge != registry.Present || r.Git.Knowledge != registry.Present || r.Deprecated.Value != "compromised") {
			t.Errorf("1.9.0: %+v", r)
		}
		if r.Version == "1.10.0" && (!r.Scripts.IsZero() || r.Git.Knowledge != registry.Absent) {
			t.Errorf("1.10.0: %+v", r)
		}
	}
}

// An answer in the abbreviated form, which nobody asked for, denies nothing.
func TestAbbreviated(t *testing.T) {
	srv := registrytest.New(t)
	publish(srv)
	srv.Break(registrytest.Rule{Path: "/npm/@acme/sdk", Fault: registrytest.Fails(200, "application/vnd.npm.install-v1+json",
		`{"name":"@acme/sdk","versions":{"1.0.0":{"name":"@acme/sdk","version":"1.0.0","dist":{"tarball":"https://x.example/a.tgz","shasum":"da39a3ee5e6b4b0d3255bfef95601890afd80709"}}}}`)})
	got, err := reader(t, srv, npm.Options{}).List(t.Context(), sdk, registry.Validator{})
	if err != nil {
		t.Fatal(err)
	}
	if r := got.Releases[0]; !r.Publisher.IsZero() || !r.Scripts.IsZero() || !r.Head.IsZero() || !r.Time.IsZero() || !got.Maintainers.IsZero() {
		t.Errorf("%+v", got)
	}
}

func TestUnchanged(t *testing.T) {
	srv := registrytest.New(t)
	publish(srv)
	r := reader(t, srv, npm.Options{})
	first, err := r.List(t.Context(), sdk, registry.Validator{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.List(t.Context(), sdk, first.Validator); !errors.Is(err, registry.ErrNotModified) {
		t.Errorf("nothing changed: %v", err)
	}
	srv.NPM().Deprecate(sdk, "1.0.0", "old")
	second, err := r.List(t.Context(), sdk, first.Validator)
	if err != nil || second.Validator == first.Validator {
		t.Errorf("a change: %v", err)
	}
	want := registrytest.Count{Requests: 3, Conditional: 2, NotModified: 1}
	got := srv.Counts()["npm packument"]
	if got.Bytes = 0; got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestAttestations(t *testing.T) {
	srv := registrytest.New(t)
	publish(srv)
	r := reader(t, srv, npm.Options{})
	l, err := r.List(t.Context(), sdk, registry.Validator{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.Attestations(t.Context(), sdk, &l.Releases[2])
	if err != nil {
		t.Fatal(err)
	}
	want := []registry.Attestation{
		{PredicateType: "https://github.com/npm/attestation/tree/main/specs/publish/v0.1", Bundle: []byte(`{"mediaType":"publish"}`)},
		{PredicateType: "https://slsa.dev/provenance/v1", Bundle: []byte(`{"mediaType":"provenance"}`)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if _, err := r.Attestations(t.Context(), sdk, &l.Releases[1]); !errors.Is(err, registry.ErrNotFound) || srv.Counts()["npm attestations"].Requests != 1 {
		t.Errorf("of a version without: %v, and it was asked for", err)
	}
	srv.NPM().SetMirror(true, 0)
	for _, p := range []registry.Published{l.Releases[2], {Version: "1.10.0"}} {
		if _, err := r.Attestations(t.Context(), sdk, &p); !errors.Is(err, registry.ErrNotServed) || errors.Is(err, registry.ErrNotFound) {
			t.Errorf("of a registry that does not serve them: %v; want ErrNotServed", err)
		}
	}
	srv.NPM().SetMirror(false, 0)
	for name, fault := range map[string]registrytest.Fault{
		"a list":    registrytest.Fails(200, "application/json", `[]`),
		"none":      registrytest.Fails(200, "application/json", `{"attestations":[]}`),
		"no bundle": registrytest.Fails(200, "application/json", `{"attestations":[{"predicateType":"x"}]}`),
		"twice":     registrytest.Fails(200, "application/json", `{"attestations":[{"bundle":{}}],"attestations":[]}`),
		"damaged":   registrytest.Damaged(),
	} {
		mend := srv.Break(registrytest.Rule{Path: "/npm/-/npm/v1/attestations", Fault: fault})
		if _, err := r.Attestations(t.Context(), sdk, &l.Releases[2]); !errors.Is(err, registry.ErrMalformed) {
			t.Errorf("%s: %v; want ErrMalformed", name, err)
		}
		mend()
	}
	srv.Break(registrytest.Rule{Path: "/npm/-/npm/v1/attestations", Fault: registrytest.Edited(func([]byte) []byte {
		return []byte(`{"attestations":[{"bundle":{"x":"` + strings.Repeat("A", 100<<20) + `"}}]}`)
	})})
	if _, err := r.Attestations(t.Context(), sdk, &l.Releases[2]); !errors.Is(err, registry.ErrTooLarge) {
		t.Errorf("a bundle of 100 MB: %v; want ErrTooLarge", err)
	}
}

func TestOpen(t *testing.T) {
	srv := registrytest.New(t)
	publish(srv)
	r := reader(t, srv, npm.Options{})
	f := file(srv, "1.0.0")[0]
	body, err := r.Open(t.Context(), sdk, f)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if got, err := io.ReadAll(body); err != nil || string(got) != string(registrytest.Tarball(sdk, "1.0.0")) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	f.URL = "https://elsewhere.example/sdk-1.0.0.tgz"
	if _, err := r.Open(t.Context(), sdk, f); !errors.Is(err, registry.ErrForbidden) {
		t.Errorf("a tarball elsewhere: %v; want ErrForbidden", err)
	}
}

func TestKeys(t *testing.T) {
	srv := registrytest.New(t)
	r := reader(t, srv, npm.Options{})
	if _, err := r.Keys(t.Context()); !errors.Is(err, registry.ErrNotServed) {
		t.Errorf("without keys: %v; want ErrNotServed", err)
	}
	end := "2025-01-29T00:00:00.000Z"
	srv.NPM().SetKeys(
		registrytest.NPMKey{Expires: &end, KeyID: "SHA256:old", KeyType: "ecdsa-sha2-nistp256", Scheme: "ecdsa-sha2-nistp256", Key: "b2xk"},
		registrytest.NPMKey{KeyID: "SHA256:new", KeyType: "ecdsa-sha2-nistp256", Scheme: "ecdsa-sha2-nistp256", Key: "bmV3"},
	)
	got, err := r.Keys(t.Context())
	want := []npm.Key{
		{ID: "SHA256:old", Type: "ecdsa-sha2-nistp256", Scheme: "ecdsa-sha2-nistp256", Public: "b2xk", Expires: time.Date(2025, 1, 29, 0, 0, 0, 0, time.UTC)},
		{ID: "SHA256:new", Type: "ecdsa-sha2-nistp256", Scheme: "ecdsa-sha2-nistp256", Public: "bmV3"},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	for _, body := range []string{
		`{"keys":[]}`, `{}`, `null`, `{"keys":[{"keyid":"x"}]}`, `{"keys":[{"keyid":"x","key":"y","expires":"tomorrow"}]}`,
		`{"keys":[{"keyid":"x","key":"y","expires":5}]}`,
	} {
		mend := srv.Break(registrytest.Rule{Path: "/npm/-/npm/v1/keys", Fault: registrytest.Fails(200, "application/json", body)})
		if _, err := r.Keys(t.Context()); !errors.Is(err, registry.ErrMalformed) {
			t.Errorf("%s: %v; want ErrMalformed", body, err)
		}
		mend()
	}
}

// Each fault of a registry leads to the error that the table says, and none to a listing.
func TestFaults(t *testing.T) {
	srv := registrytest.New(t)
	publish(srv)
	html := registrytest.Fails(200, "text/html", "<html>maintenance</html>")
	for _, tt := range []struct {
		name  string
		fault registrytest.Fault
		want  error // nil: any
		not   error
	}{
		{"404", registrytest.Fails(404, "application/json", `{"error":"Not found"}`), registry.ErrNotFound, nil},
		{"401", registrytest.Fails(401, "application/json", `{}`), registry.ErrDenied, nil},
		{"500", registrytest.Fails(500, "text/plain", ""), nil, registry.ErrNotFound},
		{"HTML with 200", html, registry.ErrMalformed, nil},
		{"an error with 200", registrytest.Fails(200, "application/json", `{"error":"Not found"}`), registry.ErrMalformed, nil},
		{"empty", registrytest.Fails(200, "application/json", ""), registry.ErrMalformed, nil},
		{"null", registrytest.Fails(200, "application/json", "null"), registry.ErrMalformed, nil},
		{"another package", registrytest.Fails(200, "application/json", `{"name":"other","versions":{}}`), registry.ErrMalformed, nil},
		{"another letter case", registrytest.Fails(200, "application/json", `{"name":"@acme/sdk","Versions":{}}`), registry.ErrMalformed, nil},
		{"versions twice", registrytest.Fails(200, "application/json", `{"name":"@acme/sdk","versions":{},"versions":{}}`), registry.ErrMalformed, nil},
		{"two documents", registrytest.Edited(func(b []byte) []byte { return append(b, b...) }), registry.ErrMalformed, nil},
		{"damaged", registrytest.Damaged(), registry.ErrMalformed, registry.ErrNotFound},
		{"shorter than it says", registrytest.LyingLength(10), io.ErrUnexpectedEOF, registry.ErrMalformed},
		{"longer than it says", registrytest.LyingLength(-10), registry.ErrMalformed, nil},
		{"cut", registrytest.Cut(100), nil, registry.ErrMalformed},
		{"reset", registrytest.Reset(), nil, registry.ErrNotFound},
		{"endless", registrytest.Endless(0), registry.ErrTooLarge, nil},
		{"slow", srv.Slow(1, 20*time.Millisecond), nil, registry.ErrMalformed},
		{"silent", srv.Silent(), nil, registry.ErrNotFound},
		{"elsewhere", registrytest.Redirected("http://169.254.169.254/"), registry.ErrForbidden, nil},
		{"limited for an hour", registrytest.Limited(time.Hour), nil, registry.ErrNotFound},
		{"deep", registrytest.Fails(200, "application/json", strings.Repeat("[", 100_000)), registry.ErrMalformed, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mend := srv.Break(registrytest.Rule{Path: "/npm/@acme/sdk", Fault: tt.fault})
			defer mend()
			l, err := reader(t, srv, npm.Options{MaxPackument: 1 << 20}).List(t.Context(), sdk, registry.Validator{})
			if l != nil || err == nil || tt.want != nil && !errors.Is(err, tt.want) || tt.not != nil && errors.Is(err, tt.not) {
				t.Errorf("%v, %v; want %v", l, err, tt.want)
			}
		})
	}
	// What passes is asked for again.
	for name, fault := range map[string]registrytest.Fault{
		"500": registrytest.Fails(500, "text/plain", ""), "cut": registrytest.Cut(300), "reset": registrytest.Reset(), "limited": registrytest.Limited(5 * time.Second),
	} {
		mend := srv.Break(registrytest.Rule{Path: "/npm/@acme/sdk", Times: 1, Fault: fault})
		if l, err := reader(t, srv, npm.Options{}).List(t.Context(), sdk, registry.Validator{}); err != nil || len(l.Releases) != 4 {
			t.Errorf("%s once: %v, %v", name, l, err)
		}
		mend()
	}
}

func TestNames(t *testing.T) {
	srv := registrytest.New(t)
	r := reader(t, srv, npm.Options{})
	for _, name := range []string{"", "@acme", "a/b", "../etc/passwd", "a b", "@a/../b", "-/npm/v1/keys", "a?x", "a#x", "a%2fb", "@acme/..", strings.Repeat("a", 500)} {
		if _, err := r.List(t.Context(), name, registry.Validator{}); err == nil || fetch.Status(err) != 0 {
			t.Errorf("%q: %v; want an error without a request", name, err)
		}
	}
	for _, v := range []string{"", "..", "1.0.0/../../x", "latest", "1.0.0?x"} {
		if _, err := r.Attestations(t.Context(), sdk, &registry.Published{Version: v}); err == nil || fetch.Status(err) != 0 {
			t.Errorf("version %q: %v; want an error without a request", v, err)
		}
	}
	if n := len(srv.Counts()); n != 0 {
		t.Errorf("%v", srv.Counts())
	}
	for _, address := range []string{"registry.example", "https://", "https://a:b@registry.example", "https://registry.example?x", "%"} {
		if _, err := npm.New(nil, npm.Options{Address: address}); err == nil {
			t.Errorf("address %q: no error", address)
		}
	}
}

// A packument of tens of megabytes is not held in memory.
func TestLargePackument(t *testing.T) {
	srv := registrytest.New(t)
	srv.NPM().Publish("big", registrytest.NPMVersion{Version: "1.0.0"})
	filler := fmt.Sprintf(`{"name":"big","readme":%q,"versions":{`, strings.Repeat("x", 1<<20))
	var b strings.Builder
	b.WriteString(filler)
	const versions = 2000
	for i := range versions {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"1.0.%d":{"name":"big","version":"1.0.%d","readme":%q,"dist":{"tarball":"https://x.example/a-%d.tgz","shasum":"da39a3ee5e6b4b0d3255bfef95601890afd80709"}}`,
			i, i, strings.Repeat("y", 10<<10), i)
	}
	b.WriteString(`}}`)
	srv.Break(registrytest.Rule{Fault: registrytest.Fails(200, "application/json", b.String())})
	r := reader(t, srv, npm.Options{})
	l, err := r.List(t.Context(), "big", registry.Validator{})
	if err != nil || len(l.Releases) != versions {
		t.Fatalf("%v", err)
	}
	kept := 0
	for _, p := range l.Releases {
		kept += len(p.Version) + len(p.Files[0].URL)
	}
	if kept > 1<<20 {
		t.Errorf("%d bytes are kept of %d", kept, b.Len())
	}
}
