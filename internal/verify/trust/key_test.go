package trust_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/verify/trust"
)

// npm names its keys by ssh's fingerprints, so the embedded ones name themselves.
func TestNPMKeys(t *testing.T) {
	keys, err := trust.NPMKeys()
	if err != nil || len(keys) != 4 {
		t.Fatalf("%d keys: %v", len(keys), err)
	}
	for _, k := range keys {
		public, err := ssh.NewPublicKey(k.Public)
		if err != nil {
			t.Fatal(err)
		}
		if print := ssh.FingerprintSHA256(public); print != k.ID {
			t.Errorf("the key %q has the fingerprint %q", k.ID, print)
		}
	}
	old, current := keys[0], keys[2]
	for _, tt := range []struct {
		key  trust.Key
		at   string
		want bool
	}{
		{old, "2024-06-01", true},
		{old, "2025-02-01", false},
		{old, "2025-01-29", false},
		{current, "2025-01-12", false},
		{current, "2025-01-13", true},
		{current, "2030-01-01", true},
	} {
		at, err := time.Parse(time.DateOnly, tt.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := tt.key.ValidAt(at); got != tt.want {
			t.Errorf("%s on %s: valid %t, want %t", tt.key.ID, tt.at, got, tt.want)
		}
	}
	if !keys[0].May("npm:signatures") || keys[0].May("npm:attestations") || !(trust.Key{}).May("npm:attestations") {
		t.Error("a usage is not what it says")
	}
}

// The form that registries serve, as npm's documentation shows it.
func TestRegistryKeys(t *testing.T) {
	const served = `{"keys":[{"expires":null,"keyid":"SHA256:jl3bwswu80PjjokCgh0o2w5c2U4LhQAE57gj9cz1kzA","keytype":"ecdsa-sha2-nistp256","scheme":"ecdsa-sha2-nistp256","key":"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE1Olb3zMAFFxXKHiIkQO5cJ3Yhl5i6UPp+IhuteBJbuHcA5UogKo0EWtlWwW6KSaKoTNEYL7JlCQiVnkhBktUgg=="},
{"expires":"2025-01-29T00:00:00.000Z","keyid":"other","key":"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEY6Ya7W++7aUPzvMTrezH6Ycx3c+HOKYCcNGybJZSCJq/fd7Qa8uuAKtdIkUQtQiEKERhAmE5lMMJhP8OkDOa2g=="}]}`
	keys, err := trust.ParseNPMKeys([]byte(served))
	if err != nil || len(keys) != 2 {
		t.Fatalf("%d keys: %v", len(keys), err)
	}
	if keys[0].ID != "SHA256:jl3bwswu80PjjokCgh0o2w5c2U4LhQAE57gj9cz1kzA" || !keys[0].Until.IsZero() {
		t.Errorf("the first is %+v", keys[0])
	}
	if keys[1].ID != "other" || keys[1].Until.Year() != 2025 {
		t.Errorf("the second is %+v", keys[1])
	}
	for _, bad := range []string{``, `{}`, `{"keys":[{}]}`, `{"keys":[{"keyid":"a","key":"AAAA"}]}`, `{"keys":[{"keyid":"a","key":"%"}]}`, `{"keys":{}}`} {
		if keys, err := trust.ParseNPMKeys([]byte(bad)); keys != nil || codeOf(err) != verify.Malformed {
			t.Errorf("%s: %v, %v", bad, keys, err)
		}
	}
}

func TestParseKey(t *testing.T) {
	written := func(public crypto.PublicKey) string {
		der, err := x509.MarshalPKIXPublicKey(public)
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	}
	good, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	weak, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	edwards, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	strong, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	text := written(good.Public())
	for _, tt := range []struct{ name, text, code string }{
		{"P-256", text, ""},
		{"Ed25519", written(edwards), ""},
		{"RSA 2048", written(strong.Public()), ""},
		{"P-224", written(weak.Public()), verify.Malformed},
		{"empty", "", verify.Malformed},
		{"two", text + text, verify.Malformed},
		{"a certificate", strings.ReplaceAll(text, "PUBLIC KEY", "CERTIFICATE"), verify.Malformed},
		{"a private key", strings.ReplaceAll(text, "PUBLIC KEY", "PRIVATE KEY"), verify.Malformed},
		{"cut", text[:60] + "\n-----END PUBLIC KEY-----\n", verify.Malformed},
	} {
		key, err := trust.ParseKey([]byte(tt.text))
		if codeOf(err) != tt.code || (err == nil) != strings.HasPrefix(key.ID, "sha256:") {
			t.Errorf("%s: %+v, %v; want %q", tt.name, key, err, tt.code)
		}
	}
}

func FuzzKeys(f *testing.F) {
	f.Add([]byte("-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE1Olb3zMAFFxXKHiIkQO5cJ3Yhl5i\n6UPp+IhuteBJbuHcA5UogKo0EWtlWwW6KSaKoTNEYL7JlCQiVnkhBktUgg==\n-----END PUBLIC KEY-----\n"))
	f.Add([]byte(`{"keys":[{"keyid":"a","key":"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE1Olb3zMAFFxXKHiIkQO5cJ3Yhl5i6UPp+IhuteBJbuHcA5UogKo0EWtlWwW6KSaKoTNEYL7JlCQiVnkhBktUgg=="}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if key, err := trust.ParseKey(text); err == nil && key.Public == nil {
			t.Fatal("a key without a key")
		}
		keys, err := trust.ParseNPMKeys(text)
		if (err == nil) != (len(keys) > 0) {
			t.Fatalf("%v, %v", keys, err)
		}
	})
}
