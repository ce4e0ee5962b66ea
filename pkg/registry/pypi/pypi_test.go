package pypi_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/registrytest"
	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
	"github.com/wormsweep/wormsweep/pkg/registry/pypi"
)

var noon = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

var _ registry.Reader = (*pypi.Reader)(nil)

// reader gives a reader of the server. Its waits take no time.
func reader(t *testing.T, srv *registrytest.Server, o pypi.Options) *pypi.Reader {
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
	o.Address, o.Now = srv.PyPI().URL, func() time.Time { return noon }
	r, err := pypi.New(c, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func b64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

const publishType = "https://docs.pypi.org/attestations/publish/v1"

// provenance is an object of PEP 740 about a file.
func provenance(file string) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"version":1,"attestation_bundles":[{
		"publisher":{"kind":"GitHub","repository":"acme/sdk","workflow":"release.yml","environment":"pypi","claims":null},
		"attestations":[{"version":1,
			"verification_material":{"certificate":%q,"transparency_entries":[{"logIndex":"7","logId":{"keyId":"a2V5"}}]},
			"envelope":{"statement":%q,"signature":%q}}]}]}`,
		b64("certificate"), b64(`{"predicateType":"`+publishType+`","subject":[{"name":"`+file+`"}]}`), b64("signature")))
}

const (
	wheel = "acme_sdk-1.1-py3-none-any.whl"
	sdist = "acme-sdk-1.1.tar.gz"
)

func upload(srv *registrytest.Server) {
	p := srv.PyPI()
	p.Upload("Acme.SDK", registrytest.PyPIFile{Name: "Acme-SDK-1.0.tar.gz", Version: "1.0", Time: noon.Add(-72 * time.Hour)})
	p.Upload("Acme.SDK", registrytest.PyPIFile{Name: wheel, Version: "1.1", Time: noon.Add(-48 * time.Hour), Provenance: provenance(wheel)})
	p.Upload("Acme.SDK", registrytest.PyPIFile{Name: sdist, Version: "1.1", Time: noon.Add(-49 * time.Hour), Provenance: provenance(sdist)})
	p.Upload("Acme.SDK", registrytest.PyPIFile{Name: "acme_sdk-0.9.post1-py3-none-any.whl", Version: "0.9.post1", Time: noon.Add(-24 * time.Hour)})
	p.Yank("acme-sdk", "1.0", true, "broken")
	p.SetStatus("acme-sdk", "quarantined", "malware")
}

func file(srv *registrytest.Server, name, version string, hours int, attested bool) registry.File {
	content := "content of " + name
	sum := sha256.Sum256([]byte(content))
	hash := hex.EncodeToString(sum[:])
	f := registry.File{
		Name: name, URL: srv.URL + "/pypi/files/" + hash[:16] + "/" + name, Size: registry.Known(int64(len(content))),
		Digests: []digest.Digest{{Algorithm: digest.SHA256, Text: hash}}, Time: registry.Known(noon.Add(time.Duration(hours) * time.Hour)),
		Yanked: registry.None[string](), Provenance: registry.None[string](),
	}
	if attested {
		f.Provenance = registry.Known(srv.URL + "/pypi/integrity/acme-sdk/" + version + "/" + name + "/provenance")
	}
	return f
}

func TestList(t *testing.T) {
	srv := registrytest.New(t)
	upload(srv)
	got, err := reader(t, srv, pypi.Options{}).List(t.Context(), "Acme_SDK", registry.Validator{})
	if err != nil {
		t.Fatal(err)
	}
	old := file(srv, "Acme-SDK-1.0.tar.gz", "1.0", -72, false)
	old.Yanked = registry.Known("broken")
	first, second := file(srv, wheel, "1.1", -48, true), file(srv, sdist, "1.1", -49, true)
	late := file(srv, "acme_sdk-0.9.post1-py3-none-any.whl", "0.9.post1", -24, false)
	want := &registry.Listing{
		Kind: registry.PyPI, Name: "acme-sdk", Registry: srv.URL, Fetched: noon, Validator: got.Validator, Status: registry.Known("quarantined"),
		Releases: []registry.Published{
			{Version: "1.0", Time: old.Time, Files: []registry.File{old}, Yanked: registry.Known("broken"), Provenance: registry.None[string]()},
			{Version: "1.1", Time: second.Time, Files: []registry.File{first, second}, Yanked: registry.None[string](), Provenance: first.Provenance},
			{Version: "0.9.post1", Time: late.Time, Files: []registry.File{late}, Yanked: registry.None[string](), Provenance: registry.None[string]()},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestMirror(t *testing.T) {
	srv := registrytest.New(t)
	upload(srv)
	check := func(r *pypi.Reader) {
		t.Helper()
		l, err := r.List(t.Context(), "acme-sdk", registry.Validator{})
		if err != nil || len(l.Releases) != 3 || len(l.Faults) > 0 || !l.Status.IsZero() {
			t.Fatalf("%+v, %v", l, err)
		}
		for _, p := range l.Releases {
			if !p.Time.IsZero() || !p.Provenance.IsZero() || p.Yanked.IsZero() || !p.Files[0].Time.IsZero() || !p.Files[0].Provenance.IsZero() || !p.Files[0].Size.IsZero() {
				t.Errorf("%s: silence is taken for an answer: %+v", p.Version, p)
			}
			if _, err := r.Attestations(t.Context(), "acme-sdk", &p); !errors.Is(err, registry.ErrNotServed) {
				t.Errorf("%s: %v; want ErrNotServed", p.Version, err)
			}
		}
	}
	srv.PyPI().SetMirror(true)
	check(reader(t, srv, pypi.Options{Role: registry.Mirror}))
	check(reader(t, srv, pypi.Options{})) // an origin whose version of the API does not have the fields
}

// An address without a path is that of an index, and not of its Simple API.
func TestAddressOfAnIndex(t *testing.T) {
	srv := registrytest.New(t)
	var asked []string
	srv.Mount("/", "any", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path)
		w.WriteHeader(http.StatusNotFound)
	}))
	c, err := fetch.New(fetch.Options{Hosts: []string{srv.Host}, PrivateHosts: []string{srv.Host}})
	if err != nil {
		t.Fatal(err)
	}
	for _, below := range []string{"", "/", "/simple", "/simple/", "/root/+simple"} {
		r, err := pypi.New(c, pypi.Options{Address: srv.URL + below})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.List(t.Context(), "a", registry.Validator{}); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("%q: %v", below, err)
		}
	}
	if diff := cmp.Diff([]string{"/simple/a/", "/simple/a/", "/simple/a/", "/simple/a/", "/root/+simple/a/"}, asked); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestUnchanged(t *testing.T) {
	srv := registrytest.New(t)
	upload(srv)
	r := reader(t, srv, pypi.Options{})
	first, err := r.List(t.Context(), "acme-sdk", registry.Validator{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.List(t.Context(), "acme-sdk", first.Validator); !errors.Is(err, registry.ErrNotModified) {
		t.Errorf("%v; want ErrNotModified", err)
	}
	srv.PyPI().Yank("acme-sdk", "1.1", true, "")
	second, err := r.List(t.Context(), "acme-sdk", first.Validator)
	if err != nil || second.Releases[1].Yanked != registry.Known("") {
		t.Errorf("%v", err)
	}
	if n := srv.Counts()["pypi project"]; n.Requests != 3 || n.Conditional != 2 || n.NotModified != 1 {
		t.Errorf("%+v", n)
	}
}

func TestAttestations(t *testing.T) {
	srv := registrytest.New(t)
	upload(srv)
	r := reader(t, srv, pypi.Options{})
	l, err := r.List(t.Context(), "acme-sdk", registry.Validator{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.Attestations(t.Context(), "acme-sdk", &l.Releases[1])
	if err != nil {
		t.Fatal(err)
	}
	want := func(file string) registry.Attestation {
		return registry.Attestation{
			PredicateType: publishType, File: file, TrustedPublisher: registry.Known("github"),
			Publisher: registry.Known(registry.Person{Name: "acme/sdk release.yml pypi"}),
			Bundle: fmt.Appendf(nil, `{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json",`+
				`"verificationMaterial":{"certificate":{"rawBytes":%q},"tlogEntries":[{"logIndex":"7","logId":{"keyId":"a2V5"}}]},`+
				`"dsseEnvelope":{"payload":%q,"payloadType":"application/vnd.in-toto+json","signatures":[{"sig":%q}]}}`,
				b64("certificate"), b64(`{"predicateType":"`+publishType+`","subject":[{"name":"`+file+`"}]}`), b64("signature")),
		}
	}
	if diff := cmp.Diff([]registry.Attestation{want(wheel), want(sdist)}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if _, err := r.Attestations(t.Context(), "acme-sdk", &l.Releases[0]); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("of a release without: %v; want ErrNotFound", err)
	}
	if _, err := r.Attestations(t.Context(), "acme-sdk", &registry.Published{Version: "9"}); !errors.Is(err, registry.ErrNotServed) {
		t.Errorf("of a release without files: %v; want ErrNotServed", err)
	}
	srv.Break(registrytest.Rule{Path: "/pypi/integrity/acme-sdk/1.1/" + sdist, Fault: registrytest.Fails(404, "application/json", "{}")})
	if _, err := r.Attestations(t.Context(), "acme-sdk", &l.Releases[1]); !errors.Is(err, registry.ErrNotServed) {
		t.Errorf("one that the page names and the index has not: %v; want ErrNotServed", err)
	}
}

func TestOpen(t *testing.T) {
	srv := registrytest.New(t)
	upload(srv)
	r := reader(t, srv, pypi.Options{})
	body, err := r.Open(t.Context(), "acme-sdk", file(srv, wheel, "1.1", 0, false))
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if b, err := io.ReadAll(body); err != nil || string(b) != "content of "+wheel {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := r.Open(t.Context(), "acme-sdk", registry.File{URL: "https://elsewhere.example/x.whl"}); !errors.Is(err, registry.ErrForbidden) {
		t.Errorf("a file elsewhere: %v; want ErrForbidden", err)
	}
}

// Each fault of an index leads to the error that the table says, and none to a listing.
func TestFaults(t *testing.T) {
	srv := registrytest.New(t)
	upload(srv)
	answer := func(body string) registrytest.Fault {
		return registrytest.Fails(200, "application/vnd.pypi.simple.v1+json", body)
	}
	for _, tt := range []struct {
		name  string
		fault registrytest.Fault
		want  error // nil: any
	}{
		{"404", registrytest.Fails(404, "text/plain", ""), registry.ErrNotFound},
		{"403", registrytest.Fails(403, "text/plain", ""), registry.ErrDenied},
		{"503", registrytest.Fails(503, "text/plain", ""), nil},
		{"406", registrytest.Fails(406, "text/plain", ""), registry.ErrNotServed},
		{"HTML", registrytest.Fails(200, "text/html; charset=utf-8", "<html>"), registry.ErrNotServed},
		{"damaged", registrytest.Damaged(), registry.ErrMalformed},
		{"cut", registrytest.Cut(50), io.ErrUnexpectedEOF},
		{"endless", registrytest.Endless(0), registry.ErrTooLarge},
		{"version 2", answer(`{"meta":{"api-version":"2.0"},"name":"acme-sdk","files":[]}`), registry.ErrMalformed},
		{"version x", answer(`{"meta":{"api-version":"x"},"name":"acme-sdk","files":[]}`), registry.ErrMalformed},
		{"version 1.x", answer(`{"meta":{"api-version":"1.x"},"name":"acme-sdk","files":[]}`), registry.ErrMalformed},
		{"version 1", answer(`{"meta":{"api-version":1.0},"name":"acme-sdk","files":[]}`), registry.ErrMalformed},
		{"another project", answer(`{"meta":{"api-version":"1.0"},"name":"other","files":[]}`), registry.ErrMalformed},
		{"no files", answer(`{"meta":{"api-version":"1.0"},"name":"acme-sdk"}`), registry.ErrMalformed},
		{"files in another letter case", answer(`{"name":"acme-sdk","Files":[]}`), registry.ErrMalformed},
		{"files twice", answer(`{"name":"acme-sdk","files":[],"files":[]}`), registry.ErrMalformed},
		{"two documents", registrytest.Edited(func(b []byte) []byte { return append(b, b...) }), registry.ErrMalformed},
		{"elsewhere", registrytest.Redirected("http://169.254.169.254/"), registry.ErrForbidden},
	} {
		mend := srv.Break(registrytest.Rule{Path: "/pypi/simple/acme-sdk/", Fault: tt.fault})
		l, err := reader(t, srv, pypi.Options{MaxPage: 1 << 20}).List(t.Context(), "acme-sdk", registry.Validator{})
		if l != nil || err == nil || tt.want != nil && !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, %v; want %v", tt.name, l, err, tt.want)
		}
		mend()
	}
	for _, name := range []string{"", "../x", "a/b", "a b", "a?b", "-a", strings.Repeat("a", 999)} {
		if _, err := reader(t, srv, pypi.Options{}).List(t.Context(), name, registry.Validator{}); err == nil || fetch.Status(err) != 0 {
			t.Errorf("name %q: %v", name, err)
		}
	}
	for _, address := range []string{"pypi.example", "https://a@pypi.example", "https://pypi.example#x", "%"} {
		if _, err := pypi.New(nil, pypi.Options{Address: address}); err == nil {
			t.Errorf("address %q: no error", address)
		}
	}
}
