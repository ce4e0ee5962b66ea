package bundle_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/wormsweep/wormsweep/internal/sigtest"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/verify/bundle"
)

// The evil set: each is refused with its code, and a reason in one line.
func TestEvil(t *testing.T) {
	w := newWorld(t)
	good := w.attest(w.here, provenance(nil), sigtest.Signing{})
	other := w.attest(w.here, provenance(map[string]any{"subject": []any{map[string]any{"name": purl, "digest": map[string]any{"sha256": hexOf("other bytes")}}}}), sigtest.Signing{})
	want := bundle.NPMProvenance("@acme/sdk", "1.2.3", wanted, bundle.Exactly(actions, signedBy))
	signedAs := func(san string) []byte {
		return w.attest(w.here, provenance(nil), sigtest.Signing{Identity: verify.Identity{Issuer: actions, SAN: san}})
	}
	about := func(fields map[string]any) []byte { return w.attest(w.here, provenance(fields), sigtest.Signing{}) }
	subjects := func(list ...any) []byte { return about(map[string]any{"subject": list}) }
	named := func(name string, digests map[string]any) map[string]any {
		return map[string]any{"name": name, "digest": digests}
	}
	right := map[string]any{"sha256": hexOf(content)}
	sum := sha256.Sum256([]byte(content))
	inBase64 := base64.StdEncoding.EncodeToString(sum[:])
	var deep any = 1
	for range 100 {
		deep = []any{deep}
	}
	raw := func(statement string) []byte { return w.attest(w.here, []byte(statement), sigtest.Signing{}) }
	entry := []any{"verificationMaterial", "tlogEntries", 0}
	in := func(path ...any) []any { return append(append([]any{}, entry...), path...) }
	edited := func(change func(b map[string]any)) []byte { return edit(good, change) }

	for _, tt := range []struct {
		name string
		text []byte
		code string
	}{
		// who signed
		{"other repository", signedAs("https://github.com/acme/sdk2/.github/workflows/release.yml@refs/tags/v1.2.3"), verify.WrongIdentity},
		{"other owner", signedAs("https://github.com/acme-inc/sdk/.github/workflows/release.yml@refs/tags/v1.2.3"), verify.WrongIdentity},
		{"other workflow", signedAs("https://github.com/acme/sdk/.github/workflows/test.yml@refs/tags/v1.2.3"), verify.WrongIdentity},
		{"other issuer", w.attest(w.here, provenance(nil), sigtest.Signing{Identity: verify.Identity{Issuer: actions + "/", SAN: signedBy}}), verify.WrongIssuer},
		{"no issuer", w.attest(w.here, provenance(nil), sigtest.Signing{Identity: verify.Identity{SAN: signedBy}}), verify.WrongIssuer},
		{"look-alike: something after", signedAs(signedBy + "-evil"), verify.WrongIdentity},
		{"look-alike: something before", signedAs("https://evil.example/" + signedBy), verify.WrongIdentity},
		{"look-alike: letter case", signedAs(strings.Replace(signedBy, "acme", "Acme", 1)), verify.WrongIdentity},
		{"look-alike: a Cyrillic letter", signedAs(strings.Replace(signedBy, "acme", "аcme", 1)), verify.WrongIdentity},
		{"look-alike: a dot that is any letter", signedAs(strings.Replace(signedBy, "github.com", "githubxcom", 1)), verify.WrongIdentity},
		{"look-alike: an e-mail address", w.attest(w.here, provenance(nil), sigtest.Signing{Identity: verify.Identity{Issuer: actions, SAN: "release@acme.example"}}), verify.WrongIdentity},

		// about what
		{"other digest", other, verify.WrongDigest},
		{"other name", subjects(named("pkg:npm/%40acme/sdk@1.2.4", right)), verify.WrongSubject},
		{"a name in another letter case", subjects(named("pkg:npm/%40ACME/sdk@1.2.3", right)), verify.WrongSubject},
		{"a name with more", subjects(named(purl+"-rc.1", right)), verify.WrongSubject},
		{"no name", subjects(map[string]any{"digest": right}), verify.WrongSubject},
		{"swapped: the right digest under another name", subjects(named("pkg:npm/other@1.0.0", right), named(purl, map[string]any{"sha256": hexOf("x")})), verify.WrongSubject},
		{"a subject twice", subjects(named(purl, map[string]any{"sha256": hexOf("x")}), named(purl, right)), verify.Malformed},
		{"SHA-1 alone", subjects(named(purl, map[string]any{"sha1": "c5e17a62e06a1d201570249c61fae531e9244e1b"})), verify.WrongDigest},
		{"no digest", subjects(named(purl, map[string]any{})), verify.WrongDigest},
		{"a cut digest", subjects(named(purl, map[string]any{"sha256": hexOf(content)[:62]})), verify.WrongDigest},
		{"a digest in base64", subjects(named(purl, map[string]any{"sha256": inBase64})), verify.WrongDigest},
		{"no subject", subjects(), verify.Malformed},
		{"other predicate", about(map[string]any{"predicateType": bundle.PyPIPublish}), verify.WrongPredicate},
		{"a blob's signature", w.blob(w.here, sigtest.Signing{}), verify.WrongPredicate},
		{"it claims another repository", about(map[string]any{"predicate": slsa(map[string]any{"repository": "https://github.com/acme/other"})}), verify.WrongPredicate},
		{"it claims another ref", about(map[string]any{"predicate": slsa(map[string]any{"ref": "refs/heads/main"})}), verify.WrongPredicate},
		{"it claims another workflow", about(map[string]any{"predicate": slsa(map[string]any{"path": ".github/workflows/other.yml"})}), verify.WrongPredicate},
		{"another kind of statement", about(map[string]any{"_type": "https://in-toto.io/Link/v1"}), verify.Malformed},

		// under what
		{"other root", w.attest(w.there, provenance(nil), sigtest.Signing{}), verify.WrongRoot},
		{"a bare root's signature", w.attest(w.bare, provenance(nil), sigtest.Signing{}), verify.WrongRoot},
		{"no certificate timestamp", w.attest(w.here, provenance(nil), sigtest.Signing{NoSCT: true}), verify.NoLogEntry},
		{"no log entry", w.attest(w.here, provenance(nil), sigtest.Signing{Log: sigtest.NoLog}), verify.NoLogEntry},
		{"no inclusion proof", edited(func(b map[string]any) { set(b, nil, in("inclusionProof")...) }), verify.NoLogEntry},
		{"no checkpoint", edited(func(b map[string]any) { set(b, nil, in("inclusionProof", "checkpoint")...) }), verify.NoLogEntry},
		{"expired certificate without timestamp", w.attest(w.here, provenance(nil), sigtest.Signing{Log: sigtest.RekorV2, Untimed: true, At: time.Now().Add(-time.Hour)}), verify.NoTimestamp},
		{"a proof, and no promise of a time", edited(func(b map[string]any) { set(b, nil, in("inclusionPromise")...) }), verify.NoTimestamp},
		{"a promise of another time", edited(func(b map[string]any) { set(b, "1700000000", in("integratedTime")...) }), verify.Expired},
		{"the promise's time moved by a second", edited(func(b map[string]any) {
			var n int64
			fmt.Sscan(at(b, in("integratedTime")...).(string), &n)
			set(b, fmt.Sprint(n+1), in("integratedTime")...)
		}), verify.NoLogEntry},
		{"a root hash of nothing", edited(func(b map[string]any) {
			set(b, base64.StdEncoding.EncodeToString(make([]byte, 32)), in("inclusionProof", "rootHash")...)
		}), verify.NoLogEntry},
		{"an unknown log", edited(func(b map[string]any) {
			set(b, base64.StdEncoding.EncodeToString(make([]byte, 32)), in("logId", "keyId")...)
		}), verify.WrongRoot},
		{"the entry of another signature", edited(func(b map[string]any) {
			var o map[string]any
			if err := json.Unmarshal(other, &o); err != nil {
				t.Fatal(err)
			}
			set(b, at(o, "verificationMaterial", "tlogEntries"), "verificationMaterial", "tlogEntries")
		}), verify.BadSignature},
		{"the certificate of another signature", edited(func(b map[string]any) {
			var o map[string]any
			if err := json.Unmarshal(other, &o); err != nil {
				t.Fatal(err)
			}
			set(b, at(o, "verificationMaterial", "certificate"), "verificationMaterial", "certificate")
		}), verify.BadSignature},

		// what was signed
		{"replayed: another statement's signature", edit(other, func(b map[string]any) {
			set(b, base64.StdEncoding.EncodeToString(provenance(nil)), "dsseEnvelope", "payload")
		}), verify.BadSignature},
		{"replayed with all that proves it", edited(func(b map[string]any) {
			var o map[string]any
			if err := json.Unmarshal(other, &o); err != nil {
				t.Fatal(err)
			}
			set(b, at(o, "verificationMaterial"), "verificationMaterial")
			set(b, at(o, "dsseEnvelope", "signatures"), "dsseEnvelope", "signatures")
		}), verify.BadSignature},
		{"no signature", edited(func(b map[string]any) { set(b, nil, "dsseEnvelope", "signatures") }), verify.Malformed},
		{"an empty signature", edited(func(b map[string]any) { set(b, []any{map[string]any{"sig": ""}}, "dsseEnvelope", "signatures") }), verify.BadSignature},
		{"two signatures", edited(func(b map[string]any) {
			s := at(b, "dsseEnvelope", "signatures", 0)
			set(b, []any{s, s}, "dsseEnvelope", "signatures")
		}), verify.Malformed},
		{"another payload type", edited(func(b map[string]any) { set(b, "text/plain", "dsseEnvelope", "payloadType") }), verify.Malformed},

		// what does not read
		{"empty", nil, verify.Malformed},
		{"no JSON", []byte("signed, honestly"), verify.Malformed},
		{"null", []byte("null"), verify.Malformed},
		{"a list", []byte("[]"), verify.Malformed},
		{"an empty object", []byte("{}"), verify.Malformed},
		{"two bundles", append(append([]byte{}, good...), good...), verify.Malformed},
		{"cut", good[:len(good)/2], verify.Malformed},
		{"100 MB", bytes.Repeat([]byte(" "), 100<<20), verify.TooLarge},
		{"a key twice", bytes.Replace(good, []byte(`{"dsseEnvelope"`), []byte(`{"mediaType":"x","dsseEnvelope"`), 1), verify.Malformed},
		{"a key twice in the statement", raw(strings.Replace(string(provenance(nil)), `{"_type"`, `{"predicateType":"x","_type"`, 1)), verify.Malformed},
		{"a key in two letter cases", raw(strings.Replace(string(provenance(nil)), `{"_type"`, `{"Subject":[],"_type"`, 1)), verify.Malformed},
		{"a subject's key in two letter cases", subjects(map[string]any{"name": purl, "digest": right, "Digest": right}), verify.Malformed},
		{"nested deep", bytes.Repeat([]byte("["), 1<<20), verify.Malformed},
		{"a statement nested deep", raw(strings.Repeat(`{"predicate":`, 1000) + "1" + strings.Repeat("}", 1000)), verify.Malformed},
		{"a statement with something nested deep", about(map[string]any{"extra": deep}), verify.Malformed},
		{"a statement that is none", raw("not JSON"), verify.Malformed},
		{"bad UTF-8 in a statement", raw("{\"_type\":\"\xff\"}"), verify.Malformed},
		{"other media type", edited(func(b map[string]any) { set(b, "application/json", "mediaType") }), verify.Malformed},
		{"a version to come", edited(func(b map[string]any) { set(b, "application/vnd.dev.sigstore.bundle.v0.4+json", "mediaType") }), verify.Malformed},
		{"no media type", edited(func(b map[string]any) { set(b, nil, "mediaType") }), verify.Malformed},
		{"bad base64", edited(func(b map[string]any) { set(b, "%%%", "dsseEnvelope", "payload") }), verify.Malformed},
		{"no certificate", edited(func(b map[string]any) { set(b, nil, "verificationMaterial", "certificate") }), verify.Malformed},
		{"an empty certificate", edited(func(b map[string]any) { set(b, map[string]any{}, "verificationMaterial", "certificate") }), verify.Malformed},
		{"a certificate of nothing", edited(func(b map[string]any) { set(b, "AAAA", "verificationMaterial", "certificate", "rawBytes") }), verify.Malformed},
		{"an empty chain", edited(func(b map[string]any) {
			chain(b)
			set(b, []any{}, "verificationMaterial", "x509CertificateChain", "certificates")
		}), verify.Malformed},
		{"a chain in 0.3", edited(chain), verify.Malformed},
		{"no material", edited(func(b map[string]any) { set(b, nil, "verificationMaterial") }), verify.Malformed},
		{"an empty entry", edited(func(b map[string]any) { set(b, []any{map[string]any{}}, "verificationMaterial", "tlogEntries") }), verify.Malformed},
		{"an entry without kind", edited(func(b map[string]any) { set(b, nil, in("kindVersion")...) }), verify.Malformed},
		{"an entry of another kind", edited(func(b map[string]any) { set(b, "rekord", in("kindVersion", "kind")...) }), verify.Malformed},
		{"an entry whose body is none", edited(func(b map[string]any) { set(b, "e30=", in("canonicalizedBody")...) }), verify.Malformed},
		{"33 entries", edited(func(b map[string]any) {
			e := at(b, entry...)
			var list []any
			for range 33 {
				list = append(list, e)
			}
			set(b, list, "verificationMaterial", "tlogEntries")
		}), verify.TooLarge},
		{"one entry twice", edited(func(b map[string]any) {
			e := at(b, entry...)
			set(b, []any{e, e}, "verificationMaterial", "tlogEntries")
		}), verify.NoLogEntry},
		{"a checkpoint without end", edited(func(b map[string]any) {
			set(b, strings.Repeat("\n", 20<<20), in("inclusionProof", "checkpoint", "envelope")...)
		}), verify.TooLarge},
		{"a body without end", edited(func(b map[string]any) {
			set(b, bytes.Repeat([]byte("["), 10<<20), in("canonicalizedBody")...)
		}), verify.TooLarge},
		{"a body nested deep", edited(func(b map[string]any) {
			set(b, bytes.Repeat([]byte("["), 200<<10), in("canonicalizedBody")...)
		}), verify.Malformed},
		{"a body with many signatures", edited(func(b map[string]any) {
			set(b, []byte(`{"spec":[`+strings.Repeat(`{},`, 50_000)+`{}]}`), in("canonicalizedBody")...)
		}), verify.TooLarge},
		{"a proof without end", edited(func(b map[string]any) {
			set(b, slices.Repeat([][]byte{{1}}, 65), in("inclusionProof", "hashes")...)
		}), verify.TooLarge},
		{"a million entries", bytes.Replace(good, []byte(`"tlogEntries":[`), []byte(`"tlogEntries":[`+strings.Repeat(`{},`, 1<<20)), 1), verify.TooLarge},
		{"a million keys", []byte("{" + strings.Join(numbered(1<<20), ",") + "}"), verify.TooLarge},
		{"a million subjects", raw(`{"_type":"https://in-toto.io/Statement/v1","predicateType":"x","subject":[` + strings.Repeat(`{},`, 1<<20) + `{}]}`), verify.Malformed},
		{"a million keys in a statement", raw("{" + strings.Join(numbered(1<<20), ",") + "}"), verify.TooLarge},
		{"a million dependencies", about(map[string]any{"predicate": map[string]any{"buildDefinition": map[string]any{"resolvedDependencies": make([]struct{}, 2<<20)}}}), verify.TooLarge},
		{"a signature without end", edited(func(b map[string]any) {
			set(b, []any{map[string]any{"sig": make([]byte, 1<<20)}}, "dsseEnvelope", "signatures")
		}), verify.TooLarge},
		{"a key's name without end", edited(func(b map[string]any) {
			set(b, nil, "verificationMaterial", "certificate")
			set(b, map[string]any{"hint": strings.Repeat("k", 1<<20)}, "verificationMaterial", "publicKey")
		}), verify.TooLarge},
		{"a timestamp without end", edited(func(b map[string]any) {
			set(b, map[string]any{"rfc3161Timestamps": []any{map[string]any{"signedTimestamp": make([]byte, 1<<20)}}}, "verificationMaterial", "timestampVerificationData")
		}), verify.Malformed},
		{"an empty timestamp", edited(func(b map[string]any) {
			set(b, map[string]any{"rfc3161Timestamps": []any{map[string]any{}}}, "verificationMaterial", "timestampVerificationData")
		}), verify.Malformed},
		{"signed by a key that nobody named", edited(func(b map[string]any) {
			set(b, nil, "verificationMaterial", "certificate")
			set(b, map[string]any{"hint": "a\x1b[31mkey"}, "verificationMaterial", "publicKey")
		}), verify.WrongKey},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			defer func() {
				runtime.ReadMemStats(&after)
				if used := after.TotalAlloc - before.TotalAlloc; used > 160<<20 {
					t.Errorf("%d bytes take %d MiB to be refused", len(tt.text), used>>20)
				}
			}()
			proof, err := bundle.Verify(tt.text, want, w.root(w.here))
			if proof != nil || codeOf(err) != tt.code {
				t.Fatalf("%+v, %v; want %s", proof, err, tt.code)
			}
			if line := err.Error(); strings.IndexFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) >= 0 || len(line) > 400 {
				t.Errorf("%q is not one line", line)
			}
		})
	}
}
