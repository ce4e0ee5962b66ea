package bundle_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/sigtest"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/verify/bundle"
	"github.com/wormsweep/wormsweep/internal/verify/trust"
)

func newKey(t *testing.T) (*ecdsa.PrivateKey, trust.Key) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return private, publicKey(t, private.Public())
}

func publicKey(t *testing.T, public crypto.PublicKey) trust.Key {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	key, err := trust.ParseKey(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestKeys(t *testing.T) {
	w := newWorld(t)
	private, key := newKey(t)
	_, other := newKey(t)
	der, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(der)
	cosign := base64.StdEncoding.EncodeToString(sum[:])
	sign := func(how sigtest.Signing) []byte {
		how.Key = private
		text, err := w.here.Blob([]byte(content), how)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	named, ended, later, ending := key, key, key, key
	ending.Until = time.Now().Add(time.Hour)
	named.ID = "release-key"
	ended.Until, later.From = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	here, there := []*trust.Root{w.root(w.here)}, []*trust.Root{w.root(w.there)}
	offline := sigtest.Signing{Log: sigtest.NoLog, Untimed: true}
	for _, tt := range []struct {
		name     string
		text     []byte
		keys     []trust.Key
		optional bool
		roots    []*trust.Root
		code     string
		logged   bool
	}{
		{"logged", sign(sigtest.Signing{}), []trust.Key{key}, false, here, "", true},
		{"logged, Rekor v2", sign(sigtest.Signing{Log: sigtest.RekorV2}), []trust.Key{key}, false, here, "", true},
		{"logged without a time", sign(sigtest.Signing{Log: sigtest.RekorV2, Untimed: true}), []trust.Key{key}, false, here, "", true},
		{"cosign's hint", sign(sigtest.Signing{KeyHint: cosign}), []trust.Key{other, key}, false, here, "", true},
		{"a hint of its own", sign(sigtest.Signing{KeyHint: "release-key"}), []trust.Key{named}, false, here, "", true},
		{"a hint that says nothing", sign(sigtest.Signing{KeyHint: "?"}), []trust.Key{other, key}, false, here, "", true},
		{"a hint of another", sign(sigtest.Signing{KeyHint: "?"}), []trust.Key{named}, false, here, verify.WrongKey, false},
		{"not logged", sign(offline), []trust.Key{key}, false, here, verify.NoLogEntry, false},
		{"not logged, and need not be", sign(offline), []trust.Key{key}, true, nil, "", false},
		{"not logged, with a time", sign(sigtest.Signing{Log: sigtest.NoLog}), []trust.Key{key}, true, here, "", false},
		{"not logged, with a time of another authority", sign(sigtest.Signing{Log: sigtest.NoLog}), []trust.Key{key}, true, there, "", false},
		{"the same, and a key with an end", sign(sigtest.Signing{Log: sigtest.NoLog}), []trust.Key{ending}, true, there, verify.NoTimestamp, false},
		{"a time of the second root", sign(sigtest.Signing{Log: sigtest.NoLog}), []trust.Key{ending}, true, append(there, here...), "", false},
		{"the log of the second root", sign(sigtest.Signing{}), []trust.Key{key}, false, append(there, here...), "", true},
		{"logged elsewhere", sign(sigtest.Signing{}), []trust.Key{key}, false, there, verify.WrongRoot, false},
		{"logged elsewhere, and need not be", sign(sigtest.Signing{}), []trust.Key{key}, true, there, "", false},
		{"wrong key", sign(sigtest.Signing{}), []trust.Key{other}, false, here, verify.WrongKey, false},
		{"wrong key, not logged", sign(offline), []trust.Key{other}, true, nil, verify.WrongKey, false},
		{"a key that ended", sign(sigtest.Signing{}), []trust.Key{ended}, false, here, verify.Expired, false},
		{"a key that had not begun", sign(sigtest.Signing{}), []trust.Key{later}, false, here, verify.Expired, false},
		{"a key with an end, and no time", sign(offline), []trust.Key{ended}, true, here, verify.NoTimestamp, false},
		{"a certificate", w.blob(w.here, sigtest.Signing{}), []trust.Key{key}, false, here, verify.WrongKey, false},
		{"other bytes", edit(sign(offline), func(b map[string]any) {
			sum := sha256.Sum256([]byte("x"))
			set(b, base64.StdEncoding.EncodeToString(sum[:]), "messageSignature", "messageDigest", "digest")
		}), []trust.Key{key}, true, nil, verify.WrongDigest, false},
		{"a signature that is none", edit(sign(offline), func(b map[string]any) {
			set(b, "AAAA", "messageSignature", "signature")
		}), []trust.Key{key}, true, nil, verify.WrongKey, false},
	} {
		proof, err := bundle.Verify(tt.text, bundle.Want{Digests: wanted, Keys: tt.keys, LogOptional: tt.optional}, tt.roots...)
		if codeOf(err) != tt.code {
			t.Errorf("%s: %v; want %q", tt.name, err, tt.code)
		}
		if err == nil && (proof.Identity != nil || proof.Key == "" || (len(proof.Log) > 0) != tt.logged) {
			t.Errorf("%s: %+v", tt.name, proof)
		}
	}
}

// A statement by a key, whatever the envelope calls it.
func TestKeyOfAStatement(t *testing.T) {
	w := newWorld(t)
	private, key := newKey(t)
	key.ID = "release-key"
	text := w.attest(w.here, provenance(nil), sigtest.Signing{Key: private, KeyHint: "release-key"})
	want := bundle.Want{Digests: wanted, Keys: []trust.Key{key}, Predicates: []string{bundle.ProvenanceV1}}
	proof, err := bundle.Verify(text, want, w.root(w.here))
	if err != nil || proof.Key != "release-key" || proof.Kind != verify.KindProvenance {
		t.Errorf("%+v, %v", proof, err)
	}
}

// An Ed25519 key signs the file itself.
func TestEd25519(t *testing.T) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	text := edit(w.blob(w.bare, sigtest.Signing{Untimed: true}), func(b map[string]any) {
		set(b, map[string]any{"publicKey": map[string]any{"hint": ""}}, "verificationMaterial")
		set(b, base64.StdEncoding.EncodeToString(ed25519.Sign(private, []byte(content))), "messageSignature", "signature")
	})
	keys := []trust.Key{publicKey(t, public)}
	if _, err := bundle.Verify(text, bundle.Want{Artifact: strings.NewReader(content), Keys: keys, LogOptional: true}); err != nil {
		t.Error(err)
	}
	for name, want := range map[string]bundle.Want{
		"another file":     {Artifact: strings.NewReader(content + "!"), Keys: keys, LogOptional: true},
		"the digest alone": {Digests: wanted, Keys: keys, LogOptional: true},
	} {
		if _, err := bundle.Verify(text, want); err == nil {
			t.Errorf("%s: verified", name)
		}
	}
}

// A panic below is a refusal, whatever it was that panicked.
func TestPanicIsARefusal(t *testing.T) {
	w := newWorld(t)
	want := bundle.Want{Artifact: panicking{}, Accept: bundle.Exactly(actions, signedBy)}
	if proof, err := bundle.Verify(w.blob(w.here, sigtest.Signing{}), want, w.root(w.here)); proof != nil || codeOf(err) != verify.Malformed {
		t.Errorf("%v, %v", proof, err)
	}
}

type panicking struct{}

func (panicking) Read([]byte) (int, error)       { panic("on reading\nthis") }
func (panicking) Seek(int64, int) (int64, error) { return 0, nil }

var _ io.ReadSeeker = panicking{}

// The zero value, and what says neither who nor what, is met by nothing.
func TestWantsThatBelieveEverybody(t *testing.T) {
	w := newWorld(t)
	text, root := w.blob(w.here, sigtest.Signing{}), w.root(w.here)
	for _, tt := range []struct {
		name string
		want bundle.Want
		code string
	}{
		{"the zero value", bundle.Want{}, verify.WrongIdentity},
		{"nobody", bundle.Want{Digests: wanted}, verify.WrongIdentity},
		{"nothing", bundle.Want{Accept: bundle.Exactly(actions, signedBy)}, verify.WrongDigest},
		{"no issuer", bundle.Want{Digests: wanted, Accept: bundle.Exactly("", signedBy)}, verify.WrongIdentity},
		{"no subject", bundle.Want{Digests: wanted, Accept: bundle.Exactly(actions, "")}, verify.WrongIdentity},
		{"an error of another type", bundle.Want{Digests: wanted, Accept: func(verify.Identity) error { return errors.New("not\x1b[0m them") }}, verify.WrongIdentity},
		{"a refusal of the policy's own", bundle.Want{Digests: wanted, Accept: func(verify.Identity) error { return &verify.Refusal{Code: verify.WrongIssuer} }}, verify.WrongIssuer},
	} {
		if proof, err := bundle.Verify(text, tt.want, root); proof != nil || codeOf(err) != tt.code || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%s: %v, %v; want %s", tt.name, proof, err, tt.code)
		}
	}
}
