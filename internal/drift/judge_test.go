package drift_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/wormsweep/wormsweep/internal/drift"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// The parts that a case can be made of.
var (
	truths   = []drift.Truth{drift.Unknown, drift.No, drift.Yes}
	refusals = [][]verify.Refusal{nil, {{Code: verify.WrongDigest}}, {{Code: verify.MissingRequired}}}
	gaps     = [][]drift.Gap{nil, {{Decides: true}}, {{Decides: false}}}
	signals  = [][]verify.Signal{
		nil,
		{{Rule: drift.PublishStep, Weight: verify.Critical}},
		{{Rule: drift.TokenPublish, Weight: verify.High}},
		{{Rule: drift.Identity, Weight: verify.Critical}},
		{{Rule: drift.NewKey, Weight: verify.Medium}},
		{{Rule: drift.NewKey, Weight: verify.Medium}, {Rule: drift.HeadUnknown, Weight: verify.Medium}},
		{{Rule: drift.Withdrawn, Weight: verify.Note}, {Rule: drift.BranchUnprotected, Weight: verify.Note}},
		{{Rule: "of-tomorrow", Weight: "dire"}},
	}
	signalWant = []verify.Verdict{"", verify.Suspicious, verify.Regression, verify.Mismatch, "", verify.Suspicious, "", verify.Suspicious}
)

// place is where a verdict stands among all of them, the worst first.
func place(v verify.Verdict) int { return slices.Index(verify.Verdicts, v) }

// everyCase calls f for each combination of the parts.
func everyCase(f func(c drift.Case, signal int)) {
	for _, required := range []bool{false, true} {
		for _, allowed := range []bool{false, true} {
			for _, signed := range truths {
				for _, before := range truths {
					for _, r := range refusals {
						for _, g := range gaps {
							for i, s := range signals {
								f(drift.Case{Required: required, Allowed: allowed, Signed: signed, Before: before, Refusals: r, Gaps: g, Signals: s}, i)
							}
						}
					}
				}
			}
		}
	}
}

// TestJudge holds every combination of parts to what the words of the verdicts say.
func TestJudge(t *testing.T) {
	n := 0
	everyCase(func(c drift.Case, signal int) {
		n++
		got := drift.Judge(c)
		refused := len(c.Refusals) > 0 && c.Refusals[0].Code != verify.MissingRequired
		missing := len(c.Refusals) > 0 && !refused
		decides := len(c.Gaps) > 0 && c.Gaps[0].Decides
		by := signalWant[signal]
		var want verify.Verdict
		switch {
		case refused || by == verify.Mismatch:
			want = verify.Mismatch
		case by == verify.Suspicious:
			want = verify.Suspicious
		case by == verify.Regression || missing,
			c.Signed == drift.No && c.Required,
			c.Signed == drift.No && !c.Allowed && c.Before == drift.Yes:
			want = verify.Regression
		case decides || c.Signed == drift.Unknown,
			c.Signed == drift.No && !c.Allowed && c.Before == drift.Unknown:
			want = verify.Unknown
		case c.Signed == drift.No:
			want = verify.Unsigned
		default:
			want = verify.Verified
		}
		if got != want {
			t.Errorf("%+v: %s, want %s", c, got, want)
		}
		if got == verify.Verified && (c.Signed != drift.Yes || decides || len(c.Refusals) > 0) {
			t.Errorf("%+v is verified", c)
		}
	})
	if n != 2*2*3*3*3*3*8 {
		t.Errorf("%d combinations", n)
	}
	if v := drift.Judge(drift.Case{}); v != verify.Unknown {
		t.Errorf("the zero case is %s", v)
	}
}

// TestJudgeOnlyGetsWorse: one more refusal, gap or signal never makes a verdict better, and
// what is not known instead of known never makes one good.
func TestJudgeOnlyGetsWorse(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 2))
	weights := []verify.Weight{verify.Critical, verify.High, verify.Medium, verify.Note}
	everyCase(func(c drift.Case, _ int) {
		before := drift.Judge(c)
		for range 8 {
			more := c
			more.Refusals, more.Gaps, more.Signals = slices.Clone(c.Refusals), slices.Clone(c.Gaps), slices.Clone(c.Signals)
			switch random.IntN(3) {
			case 0:
				more.Refusals = append(more.Refusals, verify.Refusal{Code: []string{verify.Malformed, verify.MissingRequired}[random.IntN(2)]})
			case 1:
				more.Gaps = append(more.Gaps, drift.Gap{Decides: random.IntN(2) == 0})
			case 2:
				rule := drift.Rules[random.IntN(len(drift.Rules))]
				more.Signals = append(more.Signals, verify.Signal{Rule: rule.ID, Weight: weights[random.IntN(len(weights))]})
			}
			if after := drift.Judge(more); place(after) > place(before) {
				t.Fatalf("%+v is %s, and %s with more: %+v", c, before, after, more)
			}
		}
		less := c
		less.Signed = drift.Unknown
		if after := drift.Judge(less); after.Good() {
			t.Fatalf("%+v is %s", less, after)
		}
	})
}

// TestResultsUnknown takes knowledge away from what is verified, one thing at a time and all at
// once: what the policy asks for is then unknown, and nothing becomes verified that was not.
func TestResultsUnknown(t *testing.T) {
	takeaways := []func(a *drift.Artifact, p *registry.Published, s *drift.Subject){
		func(_ *drift.Artifact, _ *registry.Published, s *drift.Subject) {
			s.Proofs, s.Attested, s.Gaps = nil, registry.Unknown, []verify.Gap{{Code: verify.GapNoAnswer, Detail: "status 502"}}
		},
		func(_ *drift.Artifact, _ *registry.Published, s *drift.Subject) {
			s.Proofs, s.Attested = s.Proofs[:min(1, len(s.Proofs))], registry.Unknown
		},
		func(_ *drift.Artifact, _ *registry.Published, s *drift.Subject) { s.Run = drift.Asked[drift.Run]{} },
		func(_ *drift.Artifact, _ *registry.Published, s *drift.Subject) {
			s.Run.Value.Poisoned = drift.Answer{}
		},
		func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) { a.Source = drift.Source{} },
		func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) {
			a.Source.Tags = drift.Asked[map[string]drift.Tag]{}
		},
		func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) { a.Source.OnBranch = nil },
		func(_ *drift.Artifact, p *registry.Published, _ *drift.Subject) {
			p.TrustedPublisher = registry.Fact[string]{}
		},
		func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) {
			a.Listing.Maintainers = registry.Fact[[]registry.Person]{}
		},
	}
	all := func(a *drift.Artifact, p *registry.Published, s *drift.Subject) {
		for _, take := range takeaways {
			take(a, p, s)
		}
	}
	for i, take := range append(takeaways, all) {
		a := good("@acme/sdk")
		p, s := last(&a)
		take(&a, p, s)
		results := drift.Results([]drift.Artifact{a})[0].Versions
		if got := results[len(results)-1]; got.Verdict != verify.Unknown || len(got.Gaps) == 0 {
			t.Errorf("without part %d: %s, %+v", i, got.Verdict, got.Gaps)
		}
	}
}

// TestUnsigned: what may be unsigned, and was, is so; what should not be is a regression.
func TestUnsigned(t *testing.T) {
	for _, tt := range []struct {
		what   string
		change func(a *drift.Artifact)
		want   verify.Verdict
	}{
		{"allowed", func(a *drift.Artifact) { a.Policy.Unsigned = true }, verify.Unsigned},
		{"from a later version on", func(a *drift.Artifact) { a.Policy.SignedFrom = "2.0.0" }, verify.Unsigned},
		{"from this version on", func(a *drift.Artifact) { a.Policy.SignedFrom = "1.5.0" }, verify.Regression},
		{"from ever", func(*drift.Artifact) {}, verify.Regression},
		{"from a later version on, and one before it is signed", func(a *drift.Artifact) {
			a.Policy.SignedFrom = "2.0.0"
			id := oidc(1)
			a.Subjects[0].Proofs = []verify.Proof{{Kind: verify.KindProvenance, Identity: &id}}
		}, verify.Regression},
		{"from a later version on, and one before it is not known", func(a *drift.Artifact) {
			a.Policy.SignedFrom = "2.0.0"
			a.Subjects[0].Attested = registry.Unknown
		}, verify.Unknown},
		{"allowed, and not known", func(a *drift.Artifact) {
			a.Policy.Unsigned = true
			_, s := last(a)
			s.Attested = registry.Unknown
		}, verify.Unknown},
		{"allowed, and signed with less than every signed version has", func(a *drift.Artifact) {
			a.Policy.Unsigned = true
			_, s := last(a)
			id := oidc(5)
			s.Proofs, s.Attested = []verify.Proof{{Kind: verify.KindAttestation, Predicate: "other", Identity: &id}}, registry.Present
		}, verify.Regression},
	} {
		a := good("@acme/sdk")
		a.Policy.Run, a.Policy.TokensAllowed, a.Yesterday = false, true, nil
		for i := range a.Subjects {
			unsigned(&a.Subjects[i])
		}
		tt.change(&a)
		results := drift.Results([]drift.Artifact{a})[0].Versions
		if got := results[4]; got.Verdict != tt.want {
			t.Errorf("%s: %s, want %s: %+v", tt.what, got.Verdict, tt.want, got)
		}
	}
}
