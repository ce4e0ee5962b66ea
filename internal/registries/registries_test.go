package registries_test

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/internal/registries"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/ghpackages"
	"github.com/wormsweep/wormsweep/pkg/registry/harbor"
)

// Every protocol that a policy can name has a reader.
func TestEachProtocolOpens(t *testing.T) {
	for _, tt := range []struct {
		protocol, address string
		kind              registry.Kind
		name              string
	}{
		{"npm", "https://npm.example", registry.NPM, "@acme/sdk"},
		{"pypi", "https://pypi.example", registry.PyPI, "acme"},
		{"goproxy", "https://goproxy.example", registry.Go, "acme.example/m"},
		{"oci", "https://registry.example", registry.OCI, "registry.example/acme/app"},
		{"harbor", "https://harbor.example", registry.OCI, "harbor.example/acme/app"},
		{"ghpackages", "https://github.com", registry.OCI, "ghcr.io/acme/app"},
		{"ghpackages", "https://github.com", registry.NPM, "@acme/sdk"},
		{"ghreleases", "https://acme.ghe.com", registry.Release, "acme/tool"},
	} {
		p := &policy.Policy{Registries: []policy.Registry{{Name: "ours", Protocol: tt.protocol, Address: tt.address, TokenEnv: "TOKEN"}}}
		set := registries.New(registries.Options{Policy: p, Getenv: func(string) string { return "secret" }})
		r, err := set.Reader(&policy.Artifact{Kind: tt.kind, Name: tt.name, Registry: "ours"})
		if err != nil {
			t.Errorf("%s: %v", tt.protocol, err)
			continue
		}
		switch tt.protocol {
		case "harbor":
			_ = r.(*harbor.Reader)
		case "ghpackages":
			_ = r.(*ghpackages.Reader)
		}
	}
}

// GitHub's client carries what is for the API alone: bundles lie elsewhere.
func TestBundlesLieElsewhere(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	repo := s.AddFiles("tool", map[string]string{"a": "1"})
	s.AddMembers(s.Organization("acme"), "wren")
	repo.Publish(githubtest.Release{Tag: "v1.0.0", At: time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC), Assets: []githubtest.Asset{{Name: "a", Data: []byte("a tool")}}})
	sum := sha256.Sum256([]byte("a tool"))
	repo.Attest(githubtest.Attestation{Subject: "sha256:" + hex.EncodeToString(sum[:]), Bundle: []byte(`{"a":1}`)})
	client, err := ghclient.New(ghclient.Options{BaseURL: s.URL(), Auth: ghclient.Auth{Token: s.PersonalToken(s.Organization("wren"), nil)}})
	if err != nil {
		t.Fatal(err)
	}
	storage, _ := s.Storage()
	set := registries.New(registries.Options{
		Policy: &policy.Policy{}, GitHub: client.REST().Client().Transport, GitHubURL: s.URL(), GitHubFiles: []string{storage},
	})
	artifact := &policy.Artifact{Kind: registry.Release, Name: "acme/tool"}
	r, err := set.Reader(artifact)
	if err != nil {
		t.Fatal(err)
	}
	l, err := r.List(t.Context(), artifact.Name, registry.Validator{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := r.Attestations(t.Context(), artifact.Name, &l.Releases[0]); err != nil || len(got) != 1 || string(got[0].Bundle) != `{"a":1}` {
		t.Errorf("attestations %v, %v", got, err)
	}
}
