package sigtest

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/pkg/registry/host"
)

// Workflow is the identity of a workflow of GitHub Actions that a push to a ref started, with
// every extension that GitHub's tokens fill. The commit and the numbers are made of the names, so
// that two runs of a test have the same.
func Workflow(repository, workflow, ref string) verify.Identity {
	address := "https://github.com/" + repository
	owner, _, _ := strings.Cut(repository, "/")
	signer := address + "/.github/workflows/" + workflow + "@" + ref
	sum := sha256.Sum256([]byte(repository + "@" + ref))
	number := func(of string) string {
		s := sha256.Sum256([]byte(of))
		return fmt.Sprint(100_000_000 + int(s[0])<<16 + int(s[1])<<8 + int(s[2]))
	}
	commit := hex.EncodeToString(sum[:20])
	return verify.Identity{
		Issuer: "https://token.actions.githubusercontent.com", SAN: signer,
		BuildSignerURI: signer, BuildSignerDigest: commit, RunnerEnvironment: "github-hosted",
		SourceRepositoryURI: address, SourceDigest: commit, SourceRef: ref, SourceRepositoryID: number(repository),
		OwnerURI: "https://github.com/" + owner, OwnerID: number(owner), BuildConfigURI: signer, BuildConfigDigest: commit,
		Trigger: "push", RunURI: address + "/actions/runs/" + number(repository+ref) + "/attempts/1", Visibility: "public",
	}
}

// Statement is an in-toto statement about one subject. digests are hex by algorithm ("sha512").
func Statement(name string, digests map[string]string, predicateType string, predicate any) ([]byte, error) {
	return json.Marshal(object{
		"_type": "https://in-toto.io/Statement/v1", "subject": []object{{"name": name, "digest": digests}},
		"predicateType": predicateType, "predicate": predicate,
	})
}

// Provenance is a SLSA v1 predicate that says what the identity says, as npm and GitHub's own
// action write it.
func Provenance(id verify.Identity) any {
	path, ref, _ := strings.Cut(strings.TrimPrefix(id.BuildConfigURI, id.SourceRepositoryURI+"/"), "@")
	return object{
		"buildDefinition": object{
			"buildType":          "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1",
			"externalParameters": object{"workflow": object{"ref": ref, "repository": id.SourceRepositoryURI, "path": path}},
			"internalParameters": object{"github": object{
				"event_name": id.Trigger, "repository_id": id.SourceRepositoryID, "repository_owner_id": id.OwnerID,
			}},
			"resolvedDependencies": []object{{
				"uri": "git+" + id.SourceRepositoryURI + "@" + ref, "digest": object{"gitCommit": id.SourceDigest},
			}},
		},
		"runDetails": object{
			"builder":  object{"id": "https://github.com/actions/runner/" + id.RunnerEnvironment},
			"metadata": object{"invocationId": id.RunURI},
		},
	}
}

const (
	provenanceType  = "https://slsa.dev/provenance/v1"
	npmPublishType  = "https://github.com/npm/attestation/tree/main/specs/publish/v0.1"
	pypiPublishType = "https://docs." + host.PyPI + "/attestations/publish/v1"
)

// NPM is an npm registry's key. Its name is ssh's fingerprint, as those of the public registry are.
type NPM struct {
	Key *ecdsa.PrivateKey
	ID  string
}

// NewNPM makes a key.
func NewNPM() (*NPM, error) {
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	public, err := ssh.NewPublicKey(key.Public())
	if err != nil {
		return nil, err
	}
	return &NPM{Key: key, ID: ssh.FingerprintSHA256(public)}, nil
}

// Sign is the registry's signature of a version, in base64. integrity is that of the packument:
// "sha512-...".
func (n *NPM) Sign(name, version, integrity string) (string, error) {
	sum := sha256.Sum256([]byte(name + "@" + version + ":" + integrity))
	signature, err := ecdsa.SignASN1(rand.Reader, n.Key, sum[:])
	return base64.StdEncoding.EncodeToString(signature), err
}

// Keys is what the registry serves at /-/npm/v1/keys. A zero until is none.
func (n *NPM) Keys(until time.Time) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(n.Key.Public())
	if err != nil {
		return nil, err
	}
	var expires any
	if !until.IsZero() {
		expires = until.UTC().Format(time.RFC3339)
	}
	return json.Marshal(object{"keys": []object{{
		"expires": expires, "keyid": n.ID, "keytype": "ecdsa-sha2-nistp256", "scheme": "ecdsa-sha2-nistp256", "key": der,
	}}})
}

// npmPurl is the name of a version in npm's attestations.
func npmPurl(name, version string) string {
	if scoped, ok := strings.CutPrefix(name, "@"); ok {
		name = "%40" + scoped
	}
	return "pkg:npm/" + name + "@" + version
}

// NPMProvenance is the bundle that "npm publish --provenance" makes of a tarball with that SHA-512
// in hex.
func (s *Sigstore) NPMProvenance(name, version, sha512 string, how Signing) ([]byte, error) {
	statement, err := Statement(npmPurl(name, version), map[string]string{"sha512": sha512}, provenanceType, Provenance(how.Identity))
	if err != nil {
		return nil, err
	}
	return s.Attest(statement, how)
}

// NPMPublish is the bundle by which the registry says that it took the tarball.
func (s *Sigstore) NPMPublish(n *NPM, name, version, sha512 string, at time.Time) ([]byte, error) {
	statement, err := Statement(npmPurl(name, version), map[string]string{"sha512": sha512}, npmPublishType,
		object{"name": name, "version": version, "registry": "https://registry." + s.opts.Name})
	if err != nil {
		return nil, err
	}
	return s.Attest(statement, Signing{Key: n.Key, KeyHint: n.ID, At: at})
}

// NPMAttestations is what the registry serves at /-/npm/v1/attestations/NAME@VERSION.
func NPMAttestations(publish, provenance []byte) ([]byte, error) {
	var list []object
	for _, a := range []struct {
		kind   string
		bundle []byte
	}{{npmPublishType, publish}, {provenanceType, provenance}} {
		if a.bundle != nil {
			list = append(list, object{"predicateType": a.kind, "bundle": json.RawMessage(a.bundle)})
		}
	}
	return json.Marshal(object{"attestations": list})
}

// PyPIBundle is the attestation of a file's publishing, as a bundle.
func (s *Sigstore) PyPIBundle(file, sha256 string, how Signing) ([]byte, error) {
	statement, err := Statement(file, map[string]string{"sha256": sha256}, pypiPublishType, nil)
	if err != nil {
		return nil, err
	}
	return s.Attest(statement, how)
}

// PyPIAttestation is a bundle in the form of PEP 740.
func PyPIAttestation(bundle []byte) ([]byte, error) {
	var b struct {
		VerificationMaterial struct {
			Certificate struct {
				RawBytes []byte `json:"rawBytes"`
			} `json:"certificate"`
			Entries []json.RawMessage `json:"tlogEntries"`
		} `json:"verificationMaterial"`
		Envelope struct {
			Payload    []byte `json:"payload"`
			Signatures []struct {
				Sig []byte `json:"sig"`
			} `json:"signatures"`
		} `json:"dsseEnvelope"`
	}
	if err := json.Unmarshal(bundle, &b); err != nil {
		return nil, err
	}
	if len(b.Envelope.Signatures) != 1 {
		return nil, fmt.Errorf("an envelope with %d signatures", len(b.Envelope.Signatures))
	}
	return json.Marshal(object{
		"version": 1,
		"verification_material": object{
			"certificate": b.VerificationMaterial.Certificate.RawBytes, "transparency_entries": b.VerificationMaterial.Entries,
		},
		"envelope": object{"statement": b.Envelope.Payload, "signature": b.Envelope.Signatures[0].Sig},
	})
}

// PyPIProvenance is what PyPI serves for a file at /integrity/PROJECT/VERSION/FILE/provenance.
func PyPIProvenance(id verify.Identity, attestations ...[]byte) ([]byte, error) {
	list := make([]json.RawMessage, len(attestations))
	for i, a := range attestations {
		list[i] = a
	}
	path, _, _ := strings.Cut(strings.TrimPrefix(id.BuildConfigURI, id.SourceRepositoryURI+"/.github/workflows/"), "@")
	return json.Marshal(object{"version": 1, "attestation_bundles": []object{{
		"publisher": object{
			"kind": "GitHub", "repository": strings.TrimPrefix(id.SourceRepositoryURI, "https://github.com/"),
			"workflow": path, "environment": nil,
		},
		"attestations": list,
	}}})
}

// GitHubAttestation is a bundle as GitHub keeps it of an artifact with that SHA-256 in hex. On a
// bare Sigstore it is one of a private repository.
func (s *Sigstore) GitHubAttestation(name, sha256 string, how Signing) ([]byte, error) {
	statement, err := Statement(name, map[string]string{"sha256": sha256}, provenanceType, Provenance(how.Identity))
	if err != nil {
		return nil, err
	}
	return s.Attest(statement, how)
}

// ReleaseAsset is a file of a release.
type ReleaseAsset struct{ Name, SHA256 string }

// GitHubRelease is GitHub's own attestation of an immutable release. It has no issuer.
func (s *Sigstore) GitHubRelease(repository, tag, commit string, at time.Time, assets ...ReleaseAsset) ([]byte, error) {
	id := Workflow(repository, "", "")
	purl := "pkg:github/" + repository + "@" + tag
	subjects := []object{{"uri": purl, "digest": object{"sha1": commit}}}
	for _, a := range assets {
		subjects = append(subjects, object{"name": a.Name, "digest": object{"sha256": a.SHA256}})
	}
	statement, err := json.Marshal(object{
		"_type": "https://in-toto.io/Statement/v1", "subject": subjects,
		"predicateType": "https://in-toto.io/attestation/release/v0.1",
		"predicate": object{
			"ownerId": id.OwnerID, "purl": purl, "releaseId": "222158671", "repository": repository,
			"repositoryId": id.SourceRepositoryID, "tag": tag,
		},
	})
	if err != nil {
		return nil, err
	}
	return s.Attest(statement, Signing{Identity: verify.Identity{SAN: "https://dotcom.releases.github.com"}, At: at})
}

// PublicPEM is a public key as PEM.
func PublicPEM(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}
