package bundle_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/sigtest"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/verify/bundle"
	"github.com/wormsweep/wormsweep/internal/verify/trust"
	"github.com/wormsweep/wormsweep/pkg/digest"
)

const (
	signedBy = "https://github.com/acme/sdk/.github/workflows/release.yml@refs/tags/v1.2.3"
	purl     = "pkg:npm/%40acme/sdk@1.2.3"
	content  = "the bytes of a tarball"
)

// workflow is the identity of that workflow of that repository.
func workflow(san string) verify.Identity {
	repository := strings.Join(strings.SplitN(san, "/", 6)[:5], "/")
	return verify.Identity{
		Issuer: actions, SAN: san, BuildSignerURI: san, BuildConfigURI: san, SourceRepositoryURI: repository,
		RunnerEnvironment: "github-hosted", SourceRef: "refs/tags/v1.2.3", SourceDigest: "9f2c1d", Trigger: "push",
		RunURI: repository + "/actions/runs/42/attempts/1",
	}
}

// provenance is a statement about content, with what fields are put in the place of its own.
func provenance(fields map[string]any) []byte {
	statement := map[string]any{
		"_type":         "https://in-toto.io/Statement/v1",
		"subject":       []any{map[string]any{"name": purl, "digest": map[string]any{"sha256": hexOf(content)}}},
		"predicateType": bundle.ProvenanceV1,
		"predicate":     slsa(nil),
	}
	for name, value := range fields {
		statement[name] = value
	}
	return marshal(statement)
}

// slsa is a predicate of the workflow above.
func slsa(workflow map[string]any) map[string]any {
	w := map[string]any{"ref": "refs/tags/v1.2.3", "repository": "https://github.com/acme/sdk", "path": ".github/workflows/release.yml"}
	for name, value := range workflow {
		w[name] = value
	}
	return map[string]any{
		"buildDefinition": map[string]any{
			"buildType":            "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1",
			"externalParameters":   map[string]any{"workflow": w},
			"resolvedDependencies": []any{map[string]any{"uri": "git+https://github.com/acme/sdk@refs/tags/v1.2.3", "digest": map[string]any{"gitCommit": "9f2c1d"}}},
		},
		"runDetails": map[string]any{"builder": map[string]any{"id": "https://github.com/actions/runner/github-hosted"}},
	}
}

func hexOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func marshal(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}

// world is a Sigstore, its root, and another one.
type world struct {
	t                 testing.TB
	here, there, bare *sigtest.Sigstore
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t}
	for _, one := range []struct {
		s    **sigtest.Sigstore
		opts sigtest.Options
	}{{&w.here, sigtest.Options{}}, {&w.there, sigtest.Options{}}, {&w.bare, sigtest.Options{Name: "bare.example", Bare: true}}} {
		s, err := sigtest.New(one.opts)
		if err != nil {
			t.Fatal(err)
		}
		*one.s = s
	}
	return w
}

func (w *world) root(s *sigtest.Sigstore) *trust.Root {
	w.t.Helper()
	text, err := s.TrustedRoot()
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := trust.Parse("test", time.Time{}, text)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) attest(s *sigtest.Sigstore, statement []byte, how sigtest.Signing) []byte {
	w.t.Helper()
	if how.Identity.SAN == "" && how.Key == nil {
		how.Identity = workflow(signedBy)
	}
	text, err := s.Attest(statement, how)
	if err != nil {
		w.t.Fatal(err)
	}
	return text
}

func (w *world) blob(s *sigtest.Sigstore, how sigtest.Signing) []byte {
	w.t.Helper()
	how.Identity = workflow(signedBy)
	text, err := s.Blob([]byte(content), how)
	if err != nil {
		w.t.Fatal(err)
	}
	return text
}

// at gives the object or list at a path of keys and indexes.
func at(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			v = v.(map[string]any)[p]
		case int:
			v = v.([]any)[p]
		}
	}
	return v
}

// edit changes a bundle's JSON.
func edit(text []byte, change func(b map[string]any)) []byte {
	var b map[string]any
	if err := json.Unmarshal(text, &b); err != nil {
		panic(err)
	}
	change(b)
	return marshal(b)
}

func set(b map[string]any, value any, path ...any) {
	last := path[len(path)-1].(string)
	parent := at(b, path[:len(path)-1]...).(map[string]any)
	if value == nil {
		delete(parent, last)
		return
	}
	parent[last] = value
}

var wanted = []digest.Digest{{Algorithm: digest.SHA256, Text: hexOf(content)}}

// chain puts the certificate into a chain, as bundles of 0.1 and 0.2 have it.
func chain(b map[string]any) {
	certificate := at(b, "verificationMaterial", "certificate")
	set(b, nil, "verificationMaterial", "certificate")
	set(b, map[string]any{"certificates": []any{certificate}}, "verificationMaterial", "x509CertificateChain")
}

// numbered are so many members of a JSON object.
func numbered(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`"k%d":0`, i)
	}
	return list
}
