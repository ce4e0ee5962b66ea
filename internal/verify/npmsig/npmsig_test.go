package npmsig_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/verify/npmsig"
	"github.com/wormsweep/wormsweep/internal/verify/trust"
	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

const (
	oldKey = "SHA256:jl3bwswu80PjjokCgh0o2w5c2U4LhQAE57gj9cz1kzA"
	newKey = "SHA256:DhQ8wR5APBvFHLF/+Tc+AYvPOdTpcIDqOhxsBHRwC7U"
)

func sha512(text string) digest.Digest { return digest.Digest{Algorithm: digest.SHA512, Text: text} }

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

// Signatures of the public registry, by either of its keys, as packuments have them.
func TestRealSignatures(t *testing.T) {
	keys, err := trust.NPMKeys()
	if err != nil {
		t.Fatal(err)
	}
	venv := npmsig.Version{
		Name: "venv", Version: "0.1.0", Published: time.Date(2017, 7, 13, 0, 0, 0, 0, time.UTC),
		Integrity: sha512("RMdeiD0OJC+S2w4931iqdi5MB9xe2T/lXZbRrHxbsmQrSA+FwhPk2bIqIwbNDCmThPgNw841Q272O6EFSYhBjQ=="),
	}
	old := registry.Signature{KeyID: oldKey, Sig: "MEUCICKQJCEvvV3HdhCSj3TwH9qqIWLwc0GR1m/NED/s1bPIAiEAvkTmhIDIrD4MZoI2g27+HsuxoFJhC/evORT6T2UUwSc="}
	scoped := npmsig.Version{
		Name: "@anthropic-ai/claude-code", Version: "2.1.98", Published: time.Date(2026, 4, 9, 0, 0, 0, 0, time.UTC),
		Integrity: sha512("qecREauMWXHplkpjqsuDuUv4ww+NprMl71k9sMuLkZU7qwjLMkTPxRBjuKvZWWMrAPvZWdGZE9LljUTfCQ1lWQ=="),
	}
	current := registry.Signature{KeyID: newKey, Sig: "MEQCIGvolW/eLJuocfuN94cinl0Vz9arMrshmIhulXk/9JEBAiAW18CskQ+uEkWf90x4Dc0TqDoRBQ7lmCAXhpXpqbEJDA=="}
	changed := func(v npmsig.Version, change func(v *npmsig.Version)) npmsig.Version {
		change(&v)
		return v
	}
	for _, tt := range []struct {
		name       string
		version    npmsig.Version
		signatures []registry.Signature
		code       string
	}{
		{"by the old key", venv, []registry.Signature{old}, ""},
		{"by the key of now", scoped, []registry.Signature{current}, ""},
		{"beside one of a key that is not known", scoped, []registry.Signature{{KeyID: "SHA256:other", Sig: "AAAA"}, current}, ""},
		{"integrity in hex", changed(scoped, func(v *npmsig.Version) {
			b, _ := v.Integrity.Bytes()
			v.Integrity.Text = hex.EncodeToString(b)
		}), []registry.Signature{current}, ""},
		{"no time, and a key without end", changed(scoped, func(v *npmsig.Version) { v.Published = time.Time{} }), []registry.Signature{current}, ""},
		{"no time, and a key that ended", changed(venv, func(v *npmsig.Version) { v.Published = time.Time{} }), []registry.Signature{old}, verify.NoTimestamp},
		{"published after the key's end", changed(venv, func(v *npmsig.Version) { v.Published = time.Date(2025, 2, 1, 0, 0, 0, 0, time.UTC) }), []registry.Signature{old}, verify.Expired},
		{"published before the key", changed(scoped, func(v *npmsig.Version) { v.Published = time.Date(2024, 2, 1, 0, 0, 0, 0, time.UTC) }), []registry.Signature{current}, verify.Expired},
		{"other version", changed(scoped, func(v *npmsig.Version) { v.Version = "2.1.99" }), []registry.Signature{current}, verify.BadSignature},
		{"other name", changed(scoped, func(v *npmsig.Version) { v.Name = "@anthropic-ai/claude-codes" }), []registry.Signature{current}, verify.BadSignature},
		{"other bytes", changed(scoped, func(v *npmsig.Version) { v.Integrity = venv.Integrity }), []registry.Signature{current}, verify.BadSignature},
		{"replayed", scoped, []registry.Signature{{KeyID: newKey, Sig: old.Sig}}, verify.BadSignature},
		{"good and bad", scoped, []registry.Signature{current, {KeyID: newKey, Sig: old.Sig}}, verify.BadSignature},
		{"a key that is not known", scoped, []registry.Signature{{KeyID: "SHA256:other\n", Sig: current.Sig}}, verify.WrongKey},
		{"another key's name", scoped, []registry.Signature{{KeyID: oldKey, Sig: current.Sig}}, verify.Expired},
		{"no base64", scoped, []registry.Signature{{KeyID: newKey, Sig: "%"}}, verify.Malformed},
		{"empty", scoped, []registry.Signature{{KeyID: newKey}}, verify.BadSignature},
		{"long", scoped, []registry.Signature{{KeyID: newKey, Sig: strings.Repeat("A", 1<<20)}}, verify.TooLarge},
		{"many", scoped, make([]registry.Signature, 17), verify.TooLarge},
		{"no integrity", changed(scoped, func(v *npmsig.Version) { v.Integrity = digest.Digest{} }), []registry.Signature{current}, verify.Malformed},
	} {
		proof, err := npmsig.Verify(tt.version, tt.signatures, keys)
		if codeOf(err) != tt.code || (proof == nil) != (tt.code != "") {
			t.Errorf("%s: %+v, %v; want %q", tt.name, proof, err, tt.code)
		}
		if proof != nil && (proof.Kind != verify.KindRegistrySig || proof.Key == "" || !strings.HasPrefix(proof.Subject, tt.version.Name+"@"+tt.version.Version+" sha512:")) {
			t.Errorf("%s: %+v", tt.name, proof)
		}
	}
	if _, err := npmsig.Verify(scoped, nil, keys); !errors.Is(err, npmsig.ErrUnsigned) {
		t.Errorf("unsigned: %v", err)
	}
	if _, err := npmsig.Verify(scoped, []registry.Signature{current}, nil); codeOf(err) != verify.WrongKey {
		t.Errorf("no keys: %v", err)
	}
}

// A registry of one's own signs with a key of its own; a key for attestations does not sign
// versions, and npm knows no other kind than ECDSA.
func TestOtherKeys(t *testing.T) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	edwards, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	integrity := sha512(base64.StdEncoding.EncodeToString(make([]byte, 64)))
	sum := sha256.Sum256([]byte("a@1.0.0:sha512-" + integrity.Text))
	signature, err := ecdsa.SignASN1(rand.Reader, private, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	v := npmsig.Version{Name: "a", Version: "1.0.0", Integrity: integrity}
	for _, tt := range []struct {
		key  trust.Key
		code string
	}{
		{trust.Key{ID: "own", Public: private.Public()}, ""},
		{trust.Key{ID: "own", Public: private.Public(), Usage: "npm:attestations"}, verify.WrongKey},
		{trust.Key{ID: "own", Public: edwards}, verify.WrongKey},
	} {
		_, err := npmsig.Verify(v, []registry.Signature{{KeyID: "own", Sig: base64.StdEncoding.EncodeToString(signature)}}, []trust.Key{tt.key})
		if codeOf(err) != tt.code {
			t.Errorf("%+v: %v; want %q", tt.key, err, tt.code)
		}
	}
}

func FuzzVerify(f *testing.F) {
	f.Add("venv", "0.1.0", "RMdeiD0OJC+S2w4931iqdi5MB9xe2T/lXZbRrHxbsmQrSA+FwhPk2bIqIwbNDCmThPgNw841Q272O6EFSYhBjQ==", oldKey, "MEUCICKQJCEvvV3HdhCSj3TwH9qqIWLwc0GR1m/NED/s1bPIAiEAvkTmhIDIrD4MZoI2g27+HsuxoFJhC/evORT6T2UUwSc=")
	keys, err := trust.NPMKeys()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name, version, integrity, key, sig string) {
		proof, err := npmsig.Verify(npmsig.Version{Name: name, Version: version, Integrity: sha512(integrity), Published: time.Unix(1600000000, 0)},
			[]registry.Signature{{KeyID: key, Sig: sig}}, keys)
		if (proof == nil) == (err == nil) {
			t.Fatalf("%v, %v", proof, err)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\n\r\x1b") {
			t.Fatalf("%q is not one line", err)
		}
	})
}
