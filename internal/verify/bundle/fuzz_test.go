package bundle_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/sigtest"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/verify/bundle"
	"github.com/wormsweep/wormsweep/internal/verify/trust"
)

// No bytes kill the process, everything that is refused says why in one line, one input has one
// answer, and what is not a seed is never verified: whoever can change a byte of what was signed
// and have it verified has broken more than this.
func FuzzVerify(f *testing.F) {
	seeds, err := filepath.Glob("testdata/*.json")
	if err != nil || len(seeds) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, seed := range seeds {
		f.Add(readBundle(f, filepath.Base(seed)))
	}
	w := newWorld(f)
	f.Add(w.attest(w.here, provenance(nil), sigtest.Signing{}))
	f.Add(w.attest(w.here, provenance(nil), sigtest.Signing{Log: sigtest.RekorV2, Timestamped: true}))
	f.Add(w.blob(w.bare, sigtest.Signing{}))
	keys, err := trust.NPMKeys()
	if err != nil {
		f.Fatal(err)
	}
	roots := []*trust.Root{public(f), gitHub(f), w.root(w.here), w.root(w.bare)}
	want := bundle.Want{
		Digests: append(sha512(tarball), wanted...), Keys: keys, LogOptional: true,
		Accept: func(verify.Identity) error { return nil },
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		proof, err := bundle.Verify(text, want, roots...)
		again, _ := bundle.Verify(text, want, roots...)
		if diff := cmp.Diff(proof, again); diff != "" {
			t.Fatalf("two answers:\n%s", diff)
		}
		if (proof == nil) == (err == nil) {
			t.Fatalf("%v, %v", proof, err)
		}
		if err != nil {
			var refusal *verify.Refusal
			if !errors.As(err, &refusal) || refusal.Code == "" || refusal.What == "" ||
				strings.IndexFunc(err.Error(), func(r rune) bool { return !unicode.IsPrint(r) }) >= 0 {
				t.Fatalf("%q is no refusal in one line", err)
			}
		}
		if _, err := bundle.Subjects(text); err != nil && proof != nil {
			t.Fatalf("verified, and its subjects do not read: %v", err)
		}
	})
}

// FuzzStatement signs whatever comes as a statement, so that what is behind the signature is
// reached.
func FuzzStatement(f *testing.F) {
	f.Add(provenance(nil))
	f.Add(provenance(map[string]any{"predicateType": bundle.NPMPublish, "predicate": map[string]any{"name": "@acme/sdk", "version": "1.2.3"}}))
	f.Add([]byte(`{"_type":"https://in-toto.io/Statement/v0.1","subject":[{"uri":"a","digest":{"sha256":""}}],"predicateType":"` + bundle.ProvenanceV02 + `","predicate":{"builder":{"id":"a"}}}`))
	w := newWorld(f)
	root := w.root(w.bare)
	want := bundle.Want{Digests: wanted, Accept: bundle.Exactly(actions, signedBy)}
	f.Fuzz(func(t *testing.T, statement []byte) {
		signed, err := w.bare.Attest(statement, sigtest.Signing{Identity: workflow(signedBy)})
		if err != nil {
			t.Fatal(err)
		}
		proof, err := bundle.Verify(signed, want, root)
		if (proof == nil) == (err == nil) {
			t.Fatalf("%v, %v", proof, err)
		}
		if proof != nil && !strings.Contains(string(statement), hexOf(content)) && !strings.Contains(strings.ToLower(string(statement)), hexOf(content)) {
			t.Fatalf("%q is about other bytes, and was verified", statement)
		}
	})
}
