package image_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/sigtest"
	"github.com/wormsweep/wormsweep/internal/sigtest/images"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/verify/image"
)

// referring are outcomes of what refers to an image. On every registry they are the same, whether
// it has the API or the fall-back tag.
var referring = []struct {
	name   string
	attach func(ctx context.Context, w *world, digest string) error
	ask    func(r *image.Request)
	proofs []string
	codes  []string
	line   string // a part of the first refusal's detail
	gaps   []string
	others int
}{
	{
		name: "signed by a bundle, keyless",
		attach: func(ctx context.Context, w *world, digest string) error {
			return w.repo.Bundle(ctx, digest, images.SignedBy, []byte("{}"), w.ours, ours())
		},
		proofs: []string{verify.KindImageSignature},
	},
	{
		name: "signed by a bundle, in Rekor v2",
		attach: func(ctx context.Context, w *world, digest string) error {
			how := ours()
			how.Log = sigtest.RekorV2
			return w.repo.Bundle(ctx, digest, images.SignedBy, []byte("{}"), w.ours, how)
		},
		proofs: []string{verify.KindImageSignature},
	},
	{
		name: "signed by a bundle, with a key",
		attach: func(ctx context.Context, w *world, digest string) error {
			return w.repo.Bundle(ctx, digest, images.SignedBy, []byte("{}"), w.ours, sigtest.Signing{Key: w.key, Log: sigtest.NoLog, Untimed: true})
		},
		proofs: []string{verify.KindImageSignature},
	},
	{
		name: "signed by a bundle, with another key",
		attach: func(ctx context.Context, w *world, digest string) error {
			return w.repo.Bundle(ctx, digest, images.SignedBy, []byte("{}"), w.ours, sigtest.Signing{Key: w.wrong})
		},
		codes: []string{verify.WrongKey},
	},
	{
		name: "a bundle of the version 0.1 with a chain",
		attach: func(ctx context.Context, w *world, digest string) error {
			return altered(ctx, w, digest, digest, ours(), func(b map[string]any) {
				b["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.1"
				material := b["verificationMaterial"].(map[string]any)
				material["x509CertificateChain"] = map[string]any{"certificates": []any{material["certificate"]}}
				delete(material, "certificate")
			})
		},
		proofs: []string{verify.KindProvenance},
	},
	{
		name: "signed and attested, in both forms",
		attach: func(ctx context.Context, w *world, digest string) error {
			if err := w.repo.Sign(ctx, digest, w.ours, sigtest.Signing{Key: w.key}); err != nil {
				return err
			}
			if err := w.repo.Attest(ctx, digest, spdx, []byte("{}"), w.ours, ours()); err != nil {
				return err
			}
			return w.repo.Bundle(ctx, digest, slsa, []byte("{}"), w.ours, ours())
		},
		ask:    func(r *image.Request) { r.RequireAttestations = []string{slsa, spdx} },
		proofs: []string{verify.KindImageSignature, verify.KindAttestation, verify.KindProvenance},
	},
	{
		name: "a bundle by another workflow",
		attach: func(ctx context.Context, w *world, digest string) error {
			return w.repo.Bundle(ctx, digest, slsa, []byte("{}"), w.ours, as(func(id *verify.Identity) { id.SAN += "x" }))
		},
		codes: []string{verify.WrongIdentity},
	},
	{
		name: "a bundle of another issuer",
		attach: func(ctx context.Context, w *world, digest string) error {
			return w.repo.Bundle(ctx, digest, slsa, []byte("{}"), w.ours, as(func(id *verify.Identity) { id.Issuer += "x" }))
		},
		codes: []string{verify.WrongIssuer},
	},
	{
		name: "a bundle by another Sigstore",
		attach: func(ctx context.Context, w *world, digest string) error {
			return w.repo.Bundle(ctx, digest, slsa, []byte("{}"), w.theirs, ours())
		},
		codes: []string{verify.WrongRoot},
	},
	{
		name: "a bundle of another image",
		attach: func(ctx context.Context, w *world, digest string) error {
			other, err := w.repo.Push(ctx, "other", "another image")
			if err != nil {
				return err
			}
			return altered(ctx, w, other, digest, ours(), nil)
		},
		codes: []string{verify.WrongDigest},
	},
	{
		name: "a bundle that claims another repository than its certificate",
		attach: func(ctx context.Context, w *world, digest string) error {
			return w.repo.Bundle(ctx, digest, slsa, claims("https://github.com/acme/other"), w.ours, ours())
		},
		codes: []string{verify.WrongPredicate}, line: "acme/other",
	},
	{
		name: "an attestation that claims another repository than its certificate",
		attach: func(ctx context.Context, w *world, digest string) error {
			return w.repo.Attest(ctx, digest, slsa, claims("https://github.com/acme/other"), w.ours, ours())
		},
		codes: []string{verify.WrongPredicate}, line: "acme/other",
	},
	{
		name: "a bundle that is none",
		attach: func(ctx context.Context, w *world, digest string) error {
			return w.repo.PutBundle(ctx, digest, []byte(`{"mediaType":1}`), slsa)
		},
		codes: []string{verify.Malformed},
	},
	{
		name: "a bundle over the limit",
		attach: func(ctx context.Context, w *world, digest string) error {
			return w.repo.PutBundle(ctx, digest, []byte(strings.Repeat(" ", 2<<20)), slsa)
		},
		ask:   func(r *image.Request) { r.Limits.Payload = 1 << 20 },
		codes: []string{verify.TooLarge}, line: "2097152 bytes",
	},
	{
		name: "two bundles, which are too much together",
		attach: func(ctx context.Context, w *world, digest string) error {
			for i := range 2 {
				if err := w.repo.PutBundle(ctx, digest, []byte(strings.Repeat(" ", 600<<10+i)), slsa); err != nil {
					return err
				}
			}
			return nil
		},
		ask:   func(r *image.Request) { r.Limits.Total = 1 << 20 },
		codes: []string{verify.Malformed, verify.TooLarge},
	},
	{
		name: "an SBOM, and a signature of Notation",
		attach: func(ctx context.Context, w *world, digest string) error {
			for _, kind := range []string{"application/spdx+json", "application/vnd.cncf.notary.signature"} {
				if err := w.repo.Refer(ctx, digest, kind, images.Layer{Media: kind, Content: []byte(kind)}); err != nil {
					return err
				}
			}
			return nil
		},
		gaps: []string{verify.GapUnsupported}, others: 1,
	},
	{
		name: "the older form as a referrer",
		attach: func(ctx context.Context, w *world, digest string) error {
			l, err := good(ctx, w, digest)
			if err != nil {
				return err
			}
			if err := w.repo.PutLayers(ctx, images.Attached(digest, "sig")); err != nil { // good put it there
				return err
			}
			return w.repo.Refer(ctx, digest, "application/vnd.dev.cosign.artifact.sig.v1+json", l)
		},
		proofs: []string{verify.KindImageSignature},
	},
}

// claims is the predicate of a provenance of that repository.
func claims(repository string) []byte {
	return fmt.Appendf(nil, `{"buildDefinition":{"buildType":"https://actions.github.io/buildtypes/workflow/v1","externalParameters":{"workflow":{"repository":%q}}}}`, repository)
}

// altered attests of one image and lets the bundle refer to another, changed in between.
func altered(ctx context.Context, w *world, signed, beside string, how sigtest.Signing, change func(bundle map[string]any)) error {
	statement, err := w.repo.Statement(signed, slsa, []byte(`{}`))
	if err != nil {
		return err
	}
	made, err := w.ours.Attest(statement, how)
	if err != nil {
		return err
	}
	if change != nil {
		var b map[string]any
		if err := json.Unmarshal(made, &b); err != nil {
			return err
		}
		change(b)
		if made, err = json.Marshal(b); err != nil {
			return err
		}
	}
	return w.repo.PutBundle(ctx, beside, made, slsa)
}

func TestReferrers(t *testing.T) {
	for _, reg := range registries {
		t.Run(reg.name, func(t *testing.T) {
			w := newWorld(t, reg.start(t))
			for i, tt := range referring {
				t.Run(tt.name, func(t *testing.T) {
					digest, err := w.repo.Push(t.Context(), fmt.Sprintf("1.0.%d", i), tt.name)
					if err != nil {
						t.Fatal(err)
					}
					if err := tt.attach(t.Context(), w, digest); err != nil {
						t.Fatal(err)
					}
					r := w.request(w.repo.Reference(digest))
					if tt.ask != nil {
						tt.ask(&r)
					}
					answer, err := image.Verify(t.Context(), r)
					if err != nil {
						t.Fatal(err)
					}
					said(t, answer)
					var gaps []string
					for _, g := range answer.Gaps {
						t.Log(g)
						gaps = append(gaps, g.Code)
					}
					if diff := cmp.Diff([3][]string{tt.proofs, tt.codes, tt.gaps}, [3][]string{kinds(answer), codes(answer), gaps}); diff != "" {
						t.Errorf("proofs, refusals and gaps (-want +got)\n%s", diff)
					}
					if len(answer.Refusals) > 0 && !strings.Contains(answer.Refusals[0].Detail, tt.line) {
						t.Errorf("it says %q; want %q in it", answer.Refusals[0].Detail, tt.line)
					}
					if len(answer.Others) != tt.others {
						t.Errorf("beside it lies %v; want %d", answer.Others, tt.others)
					}
				})
			}
		})
	}
}

// A registry that got the API later may have older referrers in the fall-back tag alone: both are
// looked at, and nothing twice.
func TestReferrersInBothPlaces(t *testing.T) {
	w := newWorld(t, inMemoryWithReferrers(t))
	digest, err := w.repo.Push(t.Context(), "1.0.0", "both")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.repo.Bundle(t.Context(), digest, slsa, []byte(`{}`), w.ours, ours()); err != nil {
		t.Fatal(err)
	}
	listed, err := w.repo.Referrers(t.Context(), digest)
	if err != nil {
		t.Fatal(err)
	}
	// The older one refers to nothing, so the API does not know it, and the tag lists both.
	older, err := w.repo.Push(t.Context(), "older", "older")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.repo.Bundle(t.Context(), older, slsa, []byte(`{}`), w.theirs, ours()); err != nil {
		t.Fatal(err)
	}
	more, err := w.repo.Referrers(t.Context(), older)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.repo.PutIndex(t.Context(), images.Fallback(digest), append(listed, more...)...); err != nil {
		t.Fatal(err)
	}
	answer, err := image.Verify(t.Context(), w.request(w.repo.Reference(digest)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([2][]string{{verify.KindProvenance}, {verify.WrongDigest}}, [2][]string{kinds(answer), codes(answer)}); diff != "" {
		t.Errorf("proofs and refusals (-want +got)\n%s", diff)
	}
}
