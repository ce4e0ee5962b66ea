package drift

import (
	"slices"

	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// Case is what a verdict is made of. The zero value is Unknown.
type Case struct {
	// Required: the policy says that this version must be signed. Allowed: it says that none
	// must be. Neither: it must be from a later version on.
	Required, Allowed bool
	// Signed: every proof that the policy asks for is there. No: something of it is not there,
	// by the word of who would have it.
	Signed Truth
	// Before: versions before it were signed.
	Before   Truth
	Refusals []verify.Refusal
	Gaps     []Gap
	Signals  []verify.Signal
}

// Judge gives the verdict. It is the worst that any part of the case calls for, so that one more
// refusal, gap or signal never makes it better:
//
//   - a refusal is an identity-mismatch; of one that is MissingRequired, nothing was presented:
//     that is a regression;
//   - one critical or high signal, or two medium ones, make what the class of their rules says;
//     two medium ones of different classes make it suspicious. Notes make nothing. A signal of a
//     rule that is not in the table counts as suspicious;
//   - a gap that decides is unknown;
//   - without all of that: verified where everything that the policy asks for is proved;
//     unsigned-as-before where there is nothing and the policy allows that, or asks for it from
//     a later version on and there was nothing before; a regression where there is nothing and
//     there should be, or was; unknown where that is not known.
func Judge(c Case) verify.Verdict {
	worst := signedVerdict(c)
	take := func(v verify.Verdict) {
		if rank(v) < rank(worst) {
			worst = v
		}
	}
	for _, r := range c.Refusals {
		if r.Code == verify.MissingRequired {
			take(verify.Regression)
		} else {
			take(verify.Mismatch)
		}
	}
	for _, g := range c.Gaps {
		if g.Decides {
			take(verify.Unknown)
		}
	}
	for _, v := range signalVerdicts(c.Signals) {
		take(v)
	}
	return worst
}

// rank is the place of a verdict among verify.Verdicts: the worst has the lowest.
func rank(v verify.Verdict) int { return slices.Index(verify.Verdicts, v) }

// signedVerdict is the verdict of what was proved alone.
func signedVerdict(c Case) verify.Verdict {
	switch {
	case c.Signed == Yes:
		return verify.Verified
	case c.Signed != No:
		return verify.Unknown
	case c.Required:
		return verify.Regression
	case c.Allowed:
		return verify.Unsigned
	case c.Before == Yes:
		return verify.Regression
	case c.Before == Unknown:
		return verify.Unknown
	}
	return verify.Unsigned
}

func signalVerdicts(signals []verify.Signal) (out []verify.Verdict) {
	medium := map[Class]int{}
	for _, s := range signals {
		class := Odd
		if rule := RuleOf(s.Rule); rule != nil {
			class = rule.Class
		}
		switch s.Weight {
		case verify.Note:
		case verify.Medium:
			medium[class]++
		default: // also of a weight that this program does not know
			out = append(out, verify.Verdict(class))
		}
	}
	if n := medium[Odd] + medium[Weaker] + medium[Wrong]; n >= 2 {
		class := Odd
		if medium[Weaker] == n {
			class = Weaker
		}
		out = append(out, verify.Verdict(class))
	}
	return out
}

// Judged is the answer for one artifact.
type Judged struct {
	// Versions are the results, in the order of the listing.
	Versions []verify.Result
	// Whole are the signals and gaps of the artifact as a whole. They also stand, and count, in
	// the results of the versions that are new since yesterday, or else of the latest.
	Whole Finding
	// Verdict is that of Whole by itself: "" where nothing is bad or unknown.
	Verdict verify.Verdict
	Seen    Seen // for the next run
}

// Results applies the rules and judges every version. The results stand in the order of the
// artifacts.
func Results(artifacts []Artifact) []Judged {
	out := make([]Judged, len(artifacts))
	bursts := burstsOf(artifacts)
	for i := range artifacts {
		out[i] = Result(&artifacts[i], bursts)
	}
	return out
}

// Result is Results of one artifact, where the briefs of all were asked for bursts: for whoever
// does not hold all artifacts at once.
func Result(a *Artifact, bursts Bursts) Judged {
	f := applyTo(a, bursts)
	return judgeAll(a, &f)
}

func judgeAll(a *Artifact, f *Findings) Judged {
	j := Judged{Whole: f.Artifact, Versions: make([]verify.Result, len(a.Subjects))}
	if v := Judge(Case{Signed: Yes, Gaps: f.Artifact.Gaps, Signals: f.Artifact.Signals}); !v.Good() {
		j.Verdict = v
	}
	s := f.state
	latest := -1
	if len(s.order) > 0 {
		latest = s.order[len(s.order)-1]
	}
	anyNew := a.Yesterday != nil && slices.ContainsFunc(s.now, func(v Version) bool { return s.kept[v.Version] == nil })
	for i := range a.Subjects {
		view := s.view(i)
		r := result(view, &f.Versions[i])
		c := view.requirements(&r)
		c.Gaps = f.Versions[i].Gaps
		if anyNew && view.before == nil || !anyNew && i == latest {
			c.Gaps = slices.Concat(c.Gaps, f.Artifact.Gaps)
			r.Signals = slices.Concat(r.Signals, f.Artifact.Signals)
			for _, g := range f.Artifact.Gaps {
				r.Gaps = append(r.Gaps, g.Gap)
			}
		}
		c.Refusals, c.Signals = r.Refusals, r.Signals
		r.Verdict = Judge(c)
		j.Versions[i] = r
	}
	j.Seen = s.keep(&j)
	return j
}

func result(v *view, f *Finding) verify.Result {
	r := verify.Result{
		Kind: v.Policy.Kind, Name: v.Policy.Name, Version: v.v.Version, Proofs: v.subject.Proofs,
		Refusals: slices.Clone(v.subject.Refusals), Gaps: slices.Clone(v.subject.Gaps), Signals: slices.Concat(f.Signals, v.subject.Notes),
	}
	if files := v.Listing.Releases[v.i].Files; len(files) > 0 && len(files[0].Digests) > 0 {
		r.Digest = files[0].Digests[0].String()
	}
	for _, g := range f.Gaps {
		r.Gaps = append(r.Gaps, g.Gap)
	}
	return r
}

// requirements compares the proofs with what the policy asks for, and adds to the result what is
// missing by the origin's word.
func (v *view) requirements(r *verify.Result) Case {
	missing, signed := v.missing()
	// A version that may be unsigned, and is signed, has what every signed one must have.
	c := Case{Required: signed || v.Policy.Required(v.v.Version), Allowed: v.Policy.Unsigned && !signed, Signed: Yes, Before: v.anyBefore()}
	switch {
	case len(missing) == 0:
		return c
	case len(v.subject.Gaps) > 0 || !v.told():
		c.Signed = Unknown
		if len(v.subject.Gaps) == 0 {
			r.Gaps = append(r.Gaps, v.unsaid("whether there is "+missing[0]).gap)
		}
	default:
		c.Signed = No
		if c.Required && len(v.subject.Refusals) == 0 {
			for _, what := range missing {
				r.Refusals = append(r.Refusals, verify.Refusal{Code: verify.MissingRequired, What: what, Detail: "the policy asks for it, and there is none"})
			}
		}
	}
	return c
}

// told reports whether what is not there was said not to be there. Of a Go module there is no
// word: what verifies it says what is not as it should be.
func (v *view) told() bool {
	return v.Policy.Kind != registry.Go && (v.subject.Attested == registry.Absent || v.subject.Attested == registry.Present)
}

// missing names what the policy asks for and is not proved, and says whether it is signed at all.
func (v *view) missing() (out []string, signed bool) {
	proofs := v.subject.Proofs
	has := func(fits func(verify.Proof) bool) bool { return slices.ContainsFunc(proofs, fits) }
	if v.Policy.Kind == registry.Go {
		for _, kind := range goProofs(&v.Policy) {
			if !has(func(p verify.Proof) bool { return p.Kind == kind }) {
				out = append(out, kind)
			}
		}
		return out, len(out) == 0
	}
	if signed = has(signs); !signed {
		out = append(out, "signature")
	}
	for _, predicate := range v.Policy.Attestations {
		if !has(func(p verify.Proof) bool { return p.Predicate == predicate && signs(p) }) {
			out = append(out, predicate)
		}
	}
	return out, signed
}

func goProofs(p *policy.Artifact) []string {
	if p.Source == "" || p.Tag == "" {
		return []string{verify.KindChecksumDatabase}
	}
	return []string{verify.KindChecksumDatabase, verify.KindTagTree}
}

// signs reports whether a proof is of somebody whom the policy believes: of a workflow, or of a
// key that is not the registry's.
func signs(p verify.Proof) bool {
	switch p.Kind {
	case verify.KindRegistrySig, verify.KindChecksumDatabase, verify.KindTagTree:
		return false
	case verify.KindPublish:
		return p.Identity != nil
	}
	return p.Identity != nil || p.Key != ""
}

// anyBefore reports whether versions before this one were signed. One that is not known makes it
// unknown, unless the policy lets every version be unsigned and nothing says otherwise.
func (v *view) anyBefore() Truth {
	answer := No
	for e := range v.earlier() {
		switch {
		case e.Signed.Provenance == Yes || len(e.Signed.Keys) > 0:
			return Yes
		case e.Signed.Provenance == Unknown && v.Policy.Kind != registry.Go:
			answer = Unknown
		}
	}
	return answer
}
