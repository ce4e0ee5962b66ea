package image_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/sigtest"
	"github.com/wormsweep/wormsweep/internal/sigtest/images"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/verify/image"
	"github.com/wormsweep/wormsweep/internal/verify/trust"
)

const (
	slsa = "https://slsa.dev/provenance/v1"
	spdx = "https://spdx.dev/Document"
)

func ours() sigtest.Signing { return sigtest.Signing{Identity: release} }

func as(change func(*verify.Identity)) sigtest.Signing {
	how := ours()
	change(&how.Identity)
	return how
}

// outcomes are what happens with an image that was pushed, and then signed: the kinds that are
// proved, the codes of refusals, and what the first line says.
var outcomes = []struct {
	name   string
	sign   func(ctx context.Context, w *world, digest string) error
	ask    func(w *world, r *image.Request)
	proofs []string
	codes  []string
	line   string // a part of the first refusal's detail
}{
	{
		name: "unsigned",
		sign: func(context.Context, *world, string) error { return nil },
	},
	{
		name: "by a key",
		sign: func(ctx context.Context, w *world, digest string) error {
			return w.repo.Sign(ctx, digest, w.ours, sigtest.Signing{Key: w.key, Log: sigtest.NoLog, Untimed: true})
		},
		proofs: []string{verify.KindImageSignature},
	},
	{
		name: "by a key, in the log",
		sign: func(ctx context.Context, w *world, digest string) error {
			return w.repo.Sign(ctx, digest, w.ours, sigtest.Signing{Key: w.key})
		},
		proofs: []string{verify.KindImageSignature},
	},
	{
		name: "by a key, in a log that nobody here knows",
		sign: func(ctx context.Context, w *world, digest string) error {
			return w.repo.Sign(ctx, digest, w.theirs, sigtest.Signing{Key: w.key})
		},
		proofs: []string{verify.KindImageSignature},
	},
	{
		name: "by another key",
		sign: func(ctx context.Context, w *world, digest string) error {
			return w.repo.Sign(ctx, digest, w.ours, sigtest.Signing{Key: w.wrong, Log: sigtest.NoLog, Untimed: true})
		},
		codes: []string{verify.WrongKey}, line: "none of the 1 that are believed",
	},
	{
		name: "by a key where none is believed",
		sign: func(ctx context.Context, w *world, digest string) error {
			return w.repo.Sign(ctx, digest, w.ours, sigtest.Signing{Key: w.key, Log: sigtest.NoLog, Untimed: true})
		},
		ask:   func(_ *world, r *image.Request) { r.Keys = nil },
		codes: []string{verify.WrongKey}, line: "no key is believed",
	},
	{
		name: "keyless",
		sign: func(ctx context.Context, w *world, digest string) error {
			return w.repo.Sign(ctx, digest, w.ours, ours())
		},
		proofs: []string{verify.KindImageSignature},
	},
	{
		name: "keyless, two years ago",
		sign: func(ctx context.Context, w *world, digest string) error {
			how := ours()
			how.At = time.Now().AddDate(-2, 0, 0)
			return w.repo.Sign(ctx, digest, w.ours, how)
		},
		proofs: []string{verify.KindImageSignature},
	},
	{
		name: "keyless, with a timestamp",
		sign: func(ctx context.Context, w *world, digest string) error {
			how := ours()
			how.Timestamped = true
			return w.repo.Sign(ctx, digest, w.ours, how)
		},
		proofs: []string{verify.KindImageSignature},
	},
	{
		name: "keyless, by two roots of which the second is meant",
		sign: func(ctx context.Context, w *world, digest string) error {
			return w.repo.Sign(ctx, digest, w.ours, ours())
		},
		ask:    func(w *world, r *image.Request) { r.Roots = []*trust.Root{w.other, w.root} },
		proofs: []string{verify.KindImageSignature},
	},
	{
		name: "keyless, by another Sigstore",
		sign: func(ctx context.Context, w *world, digest string) error {
			return w.repo.Sign(ctx, digest, w.theirs, ours())
		},
		codes: []string{verify.WrongRoot}, line: "of no authority of the trusted root",
	},
	{
		name: "keyless, without a root",
		sign: func(ctx context.Context, w *world, digest string) error {
			return w.repo.Sign(ctx, digest, w.ours, ours())
		},
		ask:   func(_ *world, r *image.Request) { r.Roots = nil },
		codes: []string{verify.WrongRoot}, line: "there is no trusted root",
	},
	{
		name: "keyless, by another repository's workflow",
		sign: func(ctx context.Context, w *world, digest string) error {
			return w.repo.Sign(ctx, digest, w.ours, as(func(id *verify.Identity) { id.SAN = strings.Replace(id.SAN, "acme/app", "acme-app/app", 1) }))
		},
		codes: []string{verify.WrongIdentity}, line: "acme-app/app",
	},
	{
		name: "keyless, of another issuer",
		sign: func(ctx context.Context, w *world, digest string) error {
			return w.repo.Sign(ctx, digest, w.ours, as(func(id *verify.Identity) { id.Issuer = "https://accounts.example" }))
		},
		codes: []string{verify.WrongIssuer}, line: "accounts.example",
	},
	{
		name: "keyless, and nobody is believed",
		sign: func(ctx context.Context, w *world, digest string) error {
			return w.repo.Sign(ctx, digest, w.ours, ours())
		},
		ask:   func(_ *world, r *image.Request) { r.Accept, r.Keys = nil, nil },
		codes: []string{verify.WrongIdentity}, line: "nobody is believed",
	},
	{
		name: "keyless, and keys alone are believed",
		sign: func(ctx context.Context, w *world, digest string) error {
			return w.repo.Sign(ctx, digest, w.ours, ours())
		},
		ask:   func(_ *world, r *image.Request) { r.Accept = nil },
		codes: []string{verify.WrongKey}, line: "only keys are believed",
	},
	{
		name: "keyless, without a certificate timestamp",
		sign: func(ctx context.Context, w *world, digest string) error {
			how := ours()
			how.NoSCT = true
			return w.repo.Sign(ctx, digest, w.ours, how)
		},
		codes: []string{verify.NoLogEntry}, line: "in no certificate log",
	},
	{
		name: "keyless, in no log",
		sign: func(ctx context.Context, w *world, digest string) error {
			how := ours()
			how.Log = sigtest.NoLog
			return w.repo.Sign(ctx, digest, w.ours, how)
		},
		codes: []string{verify.NoLogEntry}, line: "no entry of a transparency log",
	},
	{
		name: "keyless, of a Sigstore without logs",
		sign: bare(func(how *sigtest.Signing) {}),
		ask:  bareRoot, proofs: []string{verify.KindImageSignature},
	},
	{
		name: "keyless, of a Sigstore without logs, and no timestamp",
		sign: bare(func(how *sigtest.Signing) { how.Untimed = true }),
		ask:  bareRoot, codes: []string{verify.NoTimestamp},
	},
	{
		name: "a signature of another image",
		sign: func(ctx context.Context, w *world, digest string) error {
			other, err := w.repo.Push(ctx, "other", "another image")
			if err != nil {
				return err
			}
			return copied(ctx, w, other, digest, ours(), nil)
		},
		codes: []string{verify.WrongDigest}, line: "it is about",
	},
	{
		name: "a signature whose payload was changed to fit",
		sign: func(ctx context.Context, w *world, digest string) error {
			other, err := w.repo.Push(ctx, "other", "another image")
			if err != nil {
				return err
			}
			return copied(ctx, w, other, digest, ours(), func(l *images.Layer) {
				l.Content = []byte(strings.ReplaceAll(string(l.Content), other, digest))
			})
		},
		codes: []string{verify.BadSignature},
	},
	{
		name: "a key's signature whose payload was changed to fit",
		sign: func(ctx context.Context, w *world, digest string) error {
			other, err := w.repo.Push(ctx, "other", "another image")
			if err != nil {
				return err
			}
			return copied(ctx, w, other, digest, sigtest.Signing{Key: w.key}, func(l *images.Layer) {
				l.Content = []byte(strings.ReplaceAll(string(l.Content), other, digest))
			})
		},
		codes: []string{verify.WrongKey},
	},
	{
		name: "the log entry of another signature",
		sign: func(ctx context.Context, w *world, digest string) error {
			var before string
			if err := copied(ctx, w, digest, digest, ours(), func(l *images.Layer) { before = l.Annotations[annotationBundle] }); err != nil {
				return err
			}
			return copied(ctx, w, digest, digest, ours(), func(l *images.Layer) { l.Annotations[annotationBundle] = before })
		},
		codes: []string{verify.BadSignature}, line: "of another signature",
	},
	{
		name: "a key's log entry of another signature",
		sign: func(ctx context.Context, w *world, digest string) error {
			var before string
			how := sigtest.Signing{Key: w.key}
			if err := copied(ctx, w, digest, digest, how, func(l *images.Layer) { before = l.Annotations[annotationBundle] }); err != nil {
				return err
			}
			return copied(ctx, w, digest, digest, how, func(l *images.Layer) { l.Annotations[annotationBundle] = before })
		},
		codes: []string{verify.BadSignature}, line: "of another signature",
	},
	{
		name: "a log's promise that was changed",
		sign: func(ctx context.Context, w *world, digest string) error {
			return copied(ctx, w, digest, digest, ours(), func(l *images.Layer) {
				l.Annotations[annotationBundle] = strings.Replace(l.Annotations[annotationBundle], `"integratedTime":`, `"integratedTime":1`, 1)
			})
		},
		codes: []string{verify.NoLogEntry}, line: "did not promise",
	},
	{
		name: "a timestamp of another Sigstore",
		sign: func(ctx context.Context, w *world, digest string) error {
			how := ours()
			how.Timestamped = true
			var stamp string
			if err := copiedFrom(ctx, w, w.theirs, digest, digest, how, func(l *images.Layer) { stamp = l.Annotations[annotationTimestamp] }); err != nil {
				return err
			}
			return copied(ctx, w, digest, digest, how, func(l *images.Layer) { l.Annotations[annotationTimestamp] = stamp })
		},
		codes: []string{verify.NoTimestamp},
	},
	{
		name: "two signers, of which one is ours",
		sign: func(ctx context.Context, w *world, digest string) error {
			if err := w.repo.Sign(ctx, digest, w.theirs, ours()); err != nil {
				return err
			}
			return w.repo.Sign(ctx, digest, w.ours, ours())
		},
		proofs: []string{verify.KindImageSignature}, codes: []string{verify.WrongRoot},
	},
	{
		name: "attested, keyless and by a key",
		sign: func(ctx context.Context, w *world, digest string) error {
			if err := w.repo.Attest(ctx, digest, slsa, []byte(`{"buildDefinition":{}}`), w.ours, ours()); err != nil {
				return err
			}
			return w.repo.Attest(ctx, digest, spdx, []byte(`{"spdxVersion":"SPDX-2.3"}`), w.ours, sigtest.Signing{Key: w.key, Log: sigtest.NoLog, Untimed: true})
		},
		ask:    func(_ *world, r *image.Request) { r.RequireAttestations = []string{slsa, spdx} },
		proofs: []string{verify.KindProvenance, verify.KindAttestation},
	},
	{
		name: "attested by another workflow",
		sign: func(ctx context.Context, w *world, digest string) error {
			return w.repo.Attest(ctx, digest, slsa, []byte(`{}`), w.ours, as(func(id *verify.Identity) { id.SAN += "x" }))
		},
		ask:   func(_ *world, r *image.Request) { r.RequireAttestations = []string{slsa} },
		codes: []string{verify.WrongIdentity, verify.MissingRequired},
	},
	{
		name: "signed, and not attested as it must be",
		sign: func(ctx context.Context, w *world, digest string) error {
			return w.repo.Sign(ctx, digest, w.ours, ours())
		},
		ask:    func(_ *world, r *image.Request) { r.RequireAttestations = []string{slsa} },
		proofs: []string{verify.KindImageSignature}, codes: []string{verify.MissingRequired}, line: slsa,
	},
	{
		name: "an attestation of another image",
		sign: func(ctx context.Context, w *world, digest string) error {
			other, err := w.repo.Push(ctx, "other", "another image")
			if err != nil {
				return err
			}
			return copiedAttestation(ctx, w, other, digest, ours())
		},
		codes: []string{verify.WrongDigest}, line: "it is about",
	},
}

// bareSigstore has no logs, and a root for it.
var bareSigstore = sync.OnceValues(func() (*sigtest.Sigstore, error) { return sigtest.New(sigtest.Options{Bare: true}) })

func bare(change func(*sigtest.Signing)) func(context.Context, *world, string) error {
	return func(ctx context.Context, w *world, digest string) error {
		s, err := bareSigstore()
		if err != nil {
			return err
		}
		how := ours()
		change(&how)
		return w.repo.Sign(ctx, digest, s, how)
	}
}

func bareRoot(w *world, r *image.Request) {
	if s, err := bareSigstore(); err == nil {
		r.Roots = []*trust.Root{trusted(w.t, s)}
	}
}

const (
	annotationBundle    = "dev.sigstore.cosign/bundle"
	annotationTimestamp = "dev.sigstore.cosign/rfc3161timestamp"
	typeSimpleSigning   = "application/vnd.dev.cosign.simplesigning.v1+json"
	typeEnvelope        = "application/vnd.dsse.envelope.v1+json"
)

// copied signs one image and puts the signature beside another, changed in between.
func copied(ctx context.Context, w *world, signed, beside string, how sigtest.Signing, change func(*images.Layer)) error {
	return copiedFrom(ctx, w, w.ours, signed, beside, how, change)
}

func copiedFrom(ctx context.Context, w *world, s *sigtest.Sigstore, signed, beside string, how sigtest.Signing, change func(*images.Layer)) error {
	payload, err := w.repo.Payload(signed)
	if err != nil {
		return err
	}
	made, err := s.Cosign(payload, how)
	if err != nil {
		return err
	}
	sig, err := images.Signature(payload, made)
	if err != nil {
		return err
	}
	annotations, err := sig.Annotations()
	if err != nil {
		return err
	}
	l := images.Layer{Media: typeSimpleSigning, Content: payload, Annotations: annotations}
	if change != nil {
		change(&l)
	}
	return w.repo.PutLayers(ctx, images.Attached(beside, "sig"), l)
}

func copiedAttestation(ctx context.Context, w *world, signed, beside string, how sigtest.Signing) error {
	statement, err := w.repo.Statement(signed, slsa, []byte(`{}`))
	if err != nil {
		return err
	}
	made, err := w.ours.Attest(statement, how)
	if err != nil {
		return err
	}
	att, err := images.Attestation(made, slsa)
	if err != nil {
		return err
	}
	content, err := att.Payload()
	if err != nil {
		return err
	}
	annotations, err := att.Annotations()
	if err != nil {
		return err
	}
	return w.repo.PutLayers(ctx, images.Attached(beside, "att"), images.Layer{Media: typeEnvelope, Content: content, Annotations: annotations})
}

func TestOutcomes(t *testing.T) {
	for _, reg := range registries {
		t.Run(reg.name, func(t *testing.T) {
			w := newWorld(t, reg.start(t))
			for i, tt := range outcomes {
				t.Run(tt.name, func(t *testing.T) {
					digest, err := w.repo.Push(t.Context(), fmt.Sprintf("1.0.%d", i), tt.name)
					if err != nil {
						t.Fatal(err)
					}
					if err := tt.sign(t.Context(), w, digest); err != nil {
						t.Fatal(err)
					}
					r := image.Request{
						Reference: w.repo.Tagged(fmt.Sprintf("1.0.%d", i)), Accept: believes, Keys: []trust.Key{w.public},
						Roots: []*trust.Root{w.root}, Transport: w.transport,
					}
					if tt.ask != nil {
						tt.ask(w, &r)
					}
					answer, err := image.Verify(t.Context(), r)
					if err != nil {
						t.Fatal(err)
					}
					if answer.Digest != digest || answer.Image != w.repo.Reference(digest) {
						t.Errorf("it is %s; want %s", answer.Image, w.repo.Reference(digest))
					}
					for _, g := range answer.Gaps {
						t.Errorf("gap %s: %s", g.Code, g.Detail)
					}
					said(t, answer)
					if diff := cmp.Diff([2][]string{tt.proofs, tt.codes}, [2][]string{kinds(answer), codes(answer)}); diff != "" {
						t.Errorf("proofs and refusals (-want +got)\n%s", diff)
					}
					if len(answer.Refusals) > 0 && !strings.Contains(answer.Refusals[0].Detail, tt.line) {
						t.Errorf("it says %q; want %q in it", answer.Refusals[0].Detail, tt.line)
					}
					if answer.Unsigned() != (tt.proofs == nil && tt.codes == nil) {
						t.Errorf("unsigned: %v", answer.Unsigned())
					}
				})
			}
		})
	}
}

// said logs the refusals, and holds each to one line.
func said(t *testing.T, a *image.Answer) {
	t.Helper()
	for _, r := range a.Refusals {
		t.Log(r.Error())
		if r.Detail == "" || strings.ContainsAny(r.Detail, "\n\r\x1b") || len(r.Detail) > 400 {
			t.Errorf("%q is not one line", r.Detail)
		}
	}
	for _, p := range a.Proofs {
		if p.Subject != a.Digest {
			t.Errorf("a proof about %s", p.Subject)
		}
	}
}

func kinds(a *image.Answer) (all []string) {
	for _, p := range a.Proofs {
		all = append(all, p.Kind)
	}
	return all
}

func codes(a *image.Answer) (all []string) {
	for _, r := range a.Refusals {
		all = append(all, r.Code)
	}
	return slices.Clip(all)
}
