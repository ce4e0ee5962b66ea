package bundle_test

import (
	"encoding/json"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/sigtest"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/verify/bundle"
)

func TestVerifies(t *testing.T) {
	w := newWorld(t)
	want := bundle.NPMProvenance("@acme/sdk", "1.2.3", wanted, bundle.Exactly(actions, signedBy))
	plain := bundle.Want{Digests: wanted, Accept: bundle.Exactly(actions, signedBy)}
	for _, tt := range []struct {
		name   string
		text   []byte
		want   bundle.Want
		root   *sigtest.Sigstore
		timeBy string
	}{
		{"provenance, Rekor v1", w.attest(w.here, provenance(nil), sigtest.Signing{}), want, w.here, "transparency log"},
		{"provenance, Rekor v2", w.attest(w.here, provenance(nil), sigtest.Signing{Log: sigtest.RekorV2}), want, w.here, "timestamp authority"},
		{"provenance, no log at all", w.attest(w.bare, provenance(nil), sigtest.Signing{}), want, w.bare, "timestamp authority"},
		{"blob, Rekor v1", w.blob(w.here, sigtest.Signing{}), plain, w.here, "transparency log"},
		{"blob, Rekor v2", w.blob(w.here, sigtest.Signing{Log: sigtest.RekorV2}), plain, w.here, "timestamp authority"},
		{"blob, no log at all", w.blob(w.bare, sigtest.Signing{}), plain, w.bare, "timestamp authority"},
		{"signed three years ago", w.blob(w.here, sigtest.Signing{At: time.Now().AddDate(-3, 0, 0)}), plain, w.here, "transparency log"},
		{"media type of 0.3 in the old form", edit(w.blob(w.here, sigtest.Signing{}), func(b map[string]any) {
			set(b, "application/vnd.dev.sigstore.bundle+json;version=0.3", "mediaType")
		}), plain, w.here, "transparency log"},
		{"a chain in 0.2", edit(w.blob(w.here, sigtest.Signing{}), func(b map[string]any) {
			set(b, "application/vnd.dev.sigstore.bundle+json;version=0.2", "mediaType")
			chain(b)
		}), plain, w.here, "transparency log"},
		{"the promise alone in 0.1", edit(w.blob(w.here, sigtest.Signing{}), func(b map[string]any) {
			set(b, "application/vnd.dev.sigstore.bundle+json;version=0.1", "mediaType")
			chain(b)
			set(b, nil, "verificationMaterial", "tlogEntries", 0, "inclusionProof")
		}), plain, w.here, "transparency log"},
		{"the file in place of its digest", w.blob(w.here, sigtest.Signing{}), bundle.Want{
			Artifact: strings.NewReader(content), Accept: bundle.Exactly(actions, signedBy),
		}, w.here, "transparency log"},
	} {
		proof, err := bundle.Verify(tt.text, tt.want, w.root(w.there), w.root(tt.root))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if proof.TimeBy != tt.timeBy || proof.Time.IsZero() || *proof.Identity != workflow(signedBy) || (len(proof.Log) == 1) != (tt.root == w.here) {
			t.Errorf("%s: %+v", tt.name, proof)
		}
	}
}

// A list of components as large as GitHub takes is verified: the limits are those of attacks.
func TestLargePredicate(t *testing.T) {
	w := newWorld(t)
	component := map[string]any{"type": "library", "name": "left-pad", "purl": "pkg:npm/left-pad@1.3.0", "hashes": []any{map[string]any{"alg": "SHA-512", "content": tarball}}}
	text := w.attest(w.here, provenance(map[string]any{
		"predicateType": "https://cyclonedx.org/bom", "predicate": map[string]any{"components": slices.Repeat([]any{component}, 72_000)},
	}), sigtest.Signing{})
	if len(text) < 20<<20 {
		t.Fatalf("%d bytes are not large", len(text))
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	want := bundle.Attested(wanted, bundle.Exactly(actions, signedBy), "https://cyclonedx.org/bom")
	proof, err := bundle.Verify(text, want, w.root(w.here))
	if err != nil || proof.Kind != verify.KindAttestation {
		t.Fatalf("%+v, %v", proof, err)
	}
	runtime.ReadMemStats(&after)
	t.Logf("%d MiB take %d MiB in all", len(text)>>20, (after.TotalAlloc-before.TotalAlloc)>>20)
}

// Of several log entries those are told that were verified.
func TestEntriesThatAreNotVerifiedAreNotTold(t *testing.T) {
	w := newWorld(t)
	text := edit(w.blob(w.here, sigtest.Signing{}), func(b map[string]any) {
		var other map[string]any
		if err := json.Unmarshal(w.blob(w.there, sigtest.Signing{}), &other); err != nil {
			t.Fatal(err)
		}
		mine, theirs := at(b, "verificationMaterial", "tlogEntries", 0), at(other, "verificationMaterial", "tlogEntries", 0)
		var forged map[string]any
		if err := json.Unmarshal(marshal(mine), &forged); err != nil {
			t.Fatal(err)
		}
		forged["logIndex"] = "999" // the log's promise is not of that, and the library goes on
		set(b, []any{theirs, forged, mine}, "verificationMaterial", "tlogEntries")
	})
	want := bundle.Want{Digests: wanted, Accept: bundle.Exactly(actions, signedBy)}
	proof, err := bundle.Verify(text, want, w.root(w.here))
	if err != nil || len(proof.Log) != 1 || proof.Log[0].Log != "https://rekor.sim.example" || proof.Log[0].Index == 999 {
		t.Errorf("%+v, %v", proof, err)
	}
}
