package image_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"

	"github.com/wormsweep/wormsweep/internal/sigtest"
	"github.com/wormsweep/wormsweep/internal/sigtest/images"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/verify/trust"
	"github.com/wormsweep/wormsweep/internal/xtest/dockertest"
)

// registries are those that the suite runs against: where referrers are found differs.
var registries = []struct {
	name  string
	start func(t testing.TB) (address string)
}{
	{"in memory", func(t testing.TB) string { return inMemory(t) }},
	{"in memory, with referrers", inMemoryWithReferrers},
	{"docker-registry", func(t testing.TB) string { return dockertest.Start(t).Address }},
}

func inMemoryWithReferrers(t testing.TB) string {
	return inMemory(t, registry.WithReferrersSupport(true))
}

func inMemory(t testing.TB, options ...registry.Option) string {
	t.Helper()
	s := httptest.NewServer(registry.New(append(options, registry.Logger(log.New(io.Discard, "", 0)))...))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// only lets requests to one registry through, and fails the test on any other: nothing else is
// asked to verify an image.
type only struct {
	t    testing.TB
	host string
	then http.RoundTripper
}

func (o only) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host != o.host {
		o.t.Errorf("%s %s: not the registry", req.Method, req.URL)
		return nil, fmt.Errorf("%s is not the registry", req.URL.Host)
	}
	if req.URL.Scheme == "https" { // go-containerregistry tries it first
		return nil, fmt.Errorf("no https at %s", o.host)
	}
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		o.t.Errorf("%s %s: a verifier does not write", req.Method, req.URL)
	}
	return o.then.RoundTrip(req)
}

// world is a registry, a Sigstore that is believed and another that is not, and a key.
type world struct {
	t              testing.TB
	address        string
	repo           *images.Repository
	ours, theirs   *sigtest.Sigstore
	root, other    *trust.Root // of them
	key, wrong     *ecdsa.PrivateKey
	public, orphan trust.Key // of them
	transport      http.RoundTripper
}

var release = verify.Identity{
	Issuer:              "https://token.actions.githubusercontent.com",
	SAN:                 "https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1.0.0",
	BuildSignerURI:      "https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1.0.0",
	BuildSignerDigest:   "9f2c1d0000000000000000000000000000000000",
	RunnerEnvironment:   "github-hosted",
	SourceRepositoryURI: "https://github.com/acme/app",
	SourceDigest:        "9f2c1d0000000000000000000000000000000000",
	SourceRef:           "refs/tags/v1.0.0",
	SourceRepositoryID:  "123456",
	OwnerURI:            "https://github.com/acme",
	OwnerID:             "789",
	BuildConfigURI:      "https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1.0.0",
	BuildConfigDigest:   "9f2c1d0000000000000000000000000000000000",
	Trigger:             "push",
	RunURI:              "https://github.com/acme/app/actions/runs/42/attempts/1",
	Visibility:          "public",
}

func newWorld(t testing.TB, address string) *world {
	t.Helper()
	w := &world{t: t, address: address, transport: only{t, address, http.DefaultTransport}}
	var err error
	must := func() {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	w.repo, err = images.Open(address+"/acme/app", nil)
	must()
	w.ours, err = sigtest.New(sigtest.Options{})
	must()
	w.theirs, err = sigtest.New(sigtest.Options{Name: "other.example"})
	must()
	w.root, w.other = trusted(t, w.ours), trusted(t, w.theirs)
	w.key, w.public = newKey(t)
	w.wrong, w.orphan = newKey(t)
	return w
}

func newKey(t testing.TB) (*ecdsa.PrivateKey, trust.Key) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	public, err := trust.ParseKey(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	if err != nil {
		t.Fatal(err)
	}
	return key, public
}

// believes the identity of the release workflow alone.
func believes(id verify.Identity) error {
	switch {
	case id.Issuer != release.Issuer:
		return &verify.Refusal{Code: verify.WrongIssuer, What: "certificate", Detail: id.Issuer}
	case id.SAN != release.SAN:
		return &verify.Refusal{Code: verify.WrongIdentity, What: "certificate", Detail: id.SAN}
	}
	return nil
}

func trusted(t testing.TB, s *sigtest.Sigstore) *trust.Root {
	t.Helper()
	text, err := s.TrustedRoot()
	if err != nil {
		t.Fatal(err)
	}
	root, err := trust.Parse("ours", time.Time{}, text)
	if err != nil {
		t.Fatal(err)
	}
	return root
}
