package bundle_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/verify/bundle"
	"github.com/wormsweep/wormsweep/internal/verify/trust"
	"github.com/wormsweep/wormsweep/pkg/digest"
)

// tarball is the digest of sigstore-2.0.0.tgz in the npm registry: dist.integrity of its
// packument.
const tarball = "46d4e2f74c4877316640000a6fdf8a8b59f1e0847667973e9859f774dd31b8f1e0937813b777fb66a2ac67d50540fe34640966eee9fc2ccca387082b4c85cd3c"

const (
	actions  = "https://token.actions.githubusercontent.com"
	sigstore = "https://github.com/sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/main"
)

func sha512(hex string) []digest.Digest {
	return []digest.Digest{{Algorithm: digest.SHA512, Text: hex}}
}

func readBundle(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func public(t testing.TB) *trust.Root {
	t.Helper()
	r, err := trust.Public()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func gitHub(t testing.TB) *trust.Root {
	t.Helper()
	r, err := trust.GitHub()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// codeOf is the code of a refusal, "" for no error.
func codeOf(err error) string {
	var refusal *verify.Refusal
	switch {
	case err == nil:
		return ""
	case errors.As(err, &refusal):
		return refusal.Code
	}
	return "not a refusal: " + err.Error()
}

func TestRealProvenance(t *testing.T) {
	text := readBundle(t, "sigstore-2.0.0-provenance.json")
	want := bundle.NPMProvenance("sigstore", "2.0.0", sha512(tarball), bundle.Exactly(actions, sigstore))
	for _, roots := range [][]*trust.Root{{public(t)}, {gitHub(t), public(t)}} {
		proof, err := bundle.Verify(text, want, roots...)
		if err != nil {
			t.Fatal(err)
		}
		p, err := bundle.ParseProvenance(proof.Predicate, proof.Statement)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(bundle.Provenance{
			Builder:    "https://github.com/actions/runner/github-hosted",
			BuildType:  "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1",
			Repository: "https://github.com/sigstore/sigstore-js", Ref: "refs/heads/main", Workflow: ".github/workflows/release.yml",
			Commit: "f0b49a04e5a62250e0f60fb128004a73110fe311",
			Run:    "https://github.com/sigstore/sigstore-js/actions/runs/5904696764/attempts/1",
		}, p); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		proof.Statement = nil
		at := time.Unix(1692374735, 0).UTC()
		if diff := cmp.Diff(&verify.Proof{
			Kind: verify.KindProvenance, Predicate: bundle.ProvenanceV1, Subject: "pkg:npm/sigstore@2.0.0 sha512:" + tarball,
			Identity: &verify.Identity{
				Issuer: actions, SAN: sigstore, BuildSignerURI: sigstore, BuildSignerDigest: "f0b49a04e5a62250e0f60fb128004a73110fe311",
				RunnerEnvironment: "github-hosted", SourceRepositoryURI: "https://github.com/sigstore/sigstore-js",
				SourceDigest: "f0b49a04e5a62250e0f60fb128004a73110fe311", SourceRef: "refs/heads/main", SourceRepositoryID: "495574555",
				OwnerURI: "https://github.com/sigstore", OwnerID: "71096353", BuildConfigURI: sigstore,
				BuildConfigDigest: "f0b49a04e5a62250e0f60fb128004a73110fe311", Trigger: "push",
				RunURI: "https://github.com/sigstore/sigstore-js/actions/runs/5904696764/attempts/1", Visibility: "public",
			},
			Time: at, TimeBy: "transparency log", Log: []verify.LogEntry{{Log: "https://rekor.sigstore.dev", Index: 31821305, Time: at}},
			Root: "Sigstore public good, 2026-11-05",
		}, proof); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
	other := want
	other.Digests = sha512("00" + tarball[2:])
	for _, tt := range []struct {
		name  string
		want  bundle.Want
		roots []*trust.Root
		code  string
	}{
		{"GitHub's root", want, []*trust.Root{gitHub(t)}, verify.WrongRoot},
		{"no root", want, nil, verify.WrongRoot},
		{"other bytes", other, []*trust.Root{public(t)}, verify.WrongDigest},
		{"other version", bundle.NPMProvenance("sigstore", "2.0.1", sha512(tarball), bundle.Exactly(actions, sigstore)), []*trust.Root{public(t)}, verify.WrongSubject},
		{"other repository", bundle.NPMProvenance("sigstore", "2.0.0", sha512(tarball), bundle.Exactly(actions, "https://github.com/sigstore/sigstore-jz/.github/workflows/release.yml@refs/heads/main")), []*trust.Root{public(t)}, verify.WrongIdentity},
		{"other issuer", bundle.NPMProvenance("sigstore", "2.0.0", sha512(tarball), bundle.Exactly("https://gitlab.com", sigstore)), []*trust.Root{public(t)}, verify.WrongIssuer},
		{"nobody is believed", bundle.NPMProvenance("sigstore", "2.0.0", sha512(tarball), nil), []*trust.Root{public(t)}, verify.WrongIdentity},
	} {
		if _, err := bundle.Verify(text, tt.want, tt.roots...); codeOf(err) != tt.code {
			t.Errorf("%s: %v; want %s", tt.name, err, tt.code)
		}
	}
}

func TestRealPublishAttestation(t *testing.T) {
	const published = "76176ffa33808b54602c7c35de5c6e9a4deb96066dba6533f50ac234f4f1f4c6b3527515dc17c06fbe2860030f410eee69ea20079bd3a2c6f3dcf3b329b10751"
	keys, err := trust.NPMKeys()
	if err != nil {
		t.Fatal(err)
	}
	text := readBundle(t, "sigstore-publish.json")
	proof, err := bundle.Verify(text, bundle.NPMPublished("sigstore", "1.3.0", sha512(published), keys), public(t))
	if err != nil {
		t.Fatal(err)
	}
	if proof.Kind != verify.KindPublish || proof.Key != keys[1].ID || proof.Identity != nil || proof.Time.Unix() != 1681839916 {
		t.Errorf("%+v", proof)
	}
	later, ended := keys[1], keys[1]
	later.From, ended.Until = time.Date(2023, 5, 1, 0, 0, 0, 0, time.UTC), time.Date(2023, 4, 1, 0, 0, 0, 0, time.UTC)
	impostor := keys[3]
	impostor.ID, impostor.From = keys[1].ID, time.Time{}
	for _, tt := range []struct {
		name string
		keys []trust.Key
		code string
	}{
		{"the key of now", keys[2:], verify.WrongKey},
		{"a key for signatures alone", keys[:1], verify.WrongIdentity}, // and so none at all
		{"not valid yet", []trust.Key{later}, verify.Expired},
		{"valid no more", []trust.Key{ended}, verify.Expired},
		{"another key of that name", []trust.Key{impostor}, verify.BadSignature},
	} {
		if _, err := bundle.Verify(text, bundle.NPMPublished("sigstore", "1.3.0", sha512(published), tt.keys), public(t)); codeOf(err) != tt.code {
			t.Errorf("%s: %v; want %s", tt.name, err, tt.code)
		}
	}
}

func TestRealRelease(t *testing.T) {
	asset := []digest.Digest{{Algorithm: digest.SHA256, Text: "e15b593c6ab8d7725a3cc82226ef816cac6bf9c70eed383bd459295cc65f5ec3"}}
	want := bundle.GitHubRelease("artifact.zip", asset)
	proof, err := bundle.Verify(readBundle(t, "github-release.json"), want, public(t), gitHub(t))
	if err != nil {
		t.Fatal(err)
	}
	release, err := bundle.ParseRelease(proof.Statement)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(bundle.Release{
		Repository: "bdehamer/delme", RepositoryID: "905988044", OwnerID: "398027", ReleaseID: "222158671", Tag: "v6",
		Purl: "pkg:github/bdehamer/delme@v6",
	}, release); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if proof.Kind != verify.KindRelease || proof.TimeBy != "timestamp authority" || proof.Root != "GitHub, 2026-06-12" || proof.Log != nil {
		t.Errorf("%+v", proof)
	}
	subjects, err := bundle.Subjects(readBundle(t, "github-release.json"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]bundle.Subject{
		{Name: "pkg:github/bdehamer/delme@v6", Digests: []digest.Digest{{Algorithm: digest.SHA1, Text: "c5e17a62e06a1d201570249c61fae531e9244e1b"}}},
		{Name: "artifact.zip", Digests: asset},
	}, subjects); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	// the commit of its tag is a SHA-1, which proves nothing of bytes
	want.Subject, want.Digests = "pkg:github/bdehamer/delme@v6", []digest.Digest{{Algorithm: digest.SHA1, Text: "c5e17a62e06a1d201570249c61fae531e9244e1b"}}
	if _, err := bundle.Verify(readBundle(t, "github-release.json"), want, gitHub(t)); codeOf(err) != verify.WrongDigest {
		t.Errorf("by SHA-1: %v", err)
	}
}

func TestRealPyPIAttestation(t *testing.T) {
	const file = "pypi_attestations-0.0.19.tar.gz"
	sdist := []digest.Digest{{Algorithm: digest.SHA256, Text: "9bb1add04b1b4e182be6b0b80931593f7a291eb49d69b4fd728a5d4cbcdc4bd3"}}
	accept := bundle.Exactly(actions, "https://github.com/trailofbits/pypi-attestations/.github/workflows/release.yml@refs/tags/v0.0.19")
	text := readBundle(t, "pypi-publish.json")
	for _, tt := range []struct {
		name string
		want bundle.Want
		code string
	}{
		{"as it is named", bundle.PyPIPublished(file, sdist, accept), ""},
		{"as the project might be spelled", bundle.PyPIPublished("PyPI.Attestations-0.0.19.tar.gz", sdist, accept), ""},
		{"another version", bundle.PyPIPublished("pypi_attestations-0.0.20.tar.gz", sdist, accept), verify.WrongSubject},
		{"a wheel", bundle.PyPIPublished("pypi_attestations-0.0.19-py3-none-any.whl", sdist, accept), verify.WrongSubject},
		{"npm's", bundle.NPMProvenance("pypi_attestations", "0.0.19", sdist, accept), verify.WrongPredicate},
	} {
		proof, err := bundle.Verify(text, tt.want, public(t))
		if codeOf(err) != tt.code {
			t.Errorf("%s: %v; want %q", tt.name, err, tt.code)
		}
		if err == nil && (proof.Kind != verify.KindPublish || proof.Identity.SourceRepositoryID != "772247423" || proof.Log[0].Index != 153454663) {
			t.Errorf("%s: %+v", tt.name, proof)
		}
	}
}
