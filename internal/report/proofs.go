package report

import (
	"cmp"
	"strconv"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/verify"
)

// one is the only version that was verified, nil where there are more.
func (p *published) one() *finding.Verification {
	if len(p.artifacts) == 1 && len(p.artifacts[0].verdicts) == 1 && len(p.artifacts[0].details) == 1 {
		return p.artifacts[0].details[0]
	}
	return nil
}

// writeOne is the answer of a command that verifies one thing.
func writeOne(p *page, e *finding.Verification) {
	verdict, color := "UNKNOWN:", yellow
	switch {
	case e.Verdict == verify.Verified:
		verdict, color = "VERIFIED:", green
	case e.Verdict.Bad():
		verdict, color = "REFUSED:", red
	}
	name := textWord(e.Name)
	if e.Version != "" {
		name += " " + textWord(e.Version)
	}
	if e.Digest != "" {
		name += " (" + textAddress(e.Digest) + ")"
	}
	p.line(p.paint(color, verdict) + " " + name)
	for i := range e.Proofs {
		writeProof(p, &e.Proofs[i])
	}
	for _, r := range e.Refusals {
		p.wrap("  ", 4, p.paint(red, "refused")+": "+textWord(r.Code)+": "+textWord(r.What)+": "+textAddress(r.Detail))
	}
	for _, s := range e.Signals {
		p.wrap("  ", 4, textWord(string(s.Weight))+": "+textWord(s.Rule)+": "+textAddress(s.Evidence))
	}
	for _, g := range e.Gaps {
		p.wrap("  ", 4, p.paint(yellow, "not proved")+": "+textWord(g.Code)+": "+textAddress(g.Detail))
	}
	if e.Verdict == verify.Verified {
		p.line("  It says who published it, and never that it is harmless.")
	}
}

// writeProof says what one signature or log proves: about what, by whom, from which commit and
// run, when, and under which root.
func writeProof(p *page, proof *verify.Proof) {
	what := textWord(proof.Kind)
	if proof.Predicate != "" {
		what += " " + textAddress(proof.Predicate)
	}
	p.wrap("  ", 4, "proved: "+what)
	line := func(name, text string) {
		if text != "" {
			p.wrap("    "+pad(name, 8), 12, text)
		}
	}
	line("of", textAddress(proof.Subject))
	if id := proof.Identity; id != nil {
		line("by", textAddress(id.SAN))
		line("issuer", textAddress(cmp.Or(id.Issuer, "none")))
		if id.SourceRepositoryURI != "" || id.SourceDigest != "" {
			line("from", joined(id.SourceRepositoryURI, note("repository", id.SourceRepositoryID), note("owner", id.OwnerID)))
			line("commit", joined(id.SourceDigest, note("at", id.SourceRef)))
		}
		line("run", joined(id.RunURI, note("trigger", id.Trigger), note("runner", id.RunnerEnvironment)))
	}
	line("key", textAddress(proof.Key))
	if !proof.Time.IsZero() {
		line("signed", joined(proof.Time.UTC().Format("2006-01-02 15:04:05"), note("by the word of a", proof.TimeBy)))
	}
	for _, e := range proof.Log {
		line("log", joined(e.Log, note("entry", strconv.FormatInt(e.Index, 10))))
	}
	line("root", textProse(proof.Root))
}

// note is a name and a value, nothing without the value.
func note(name, value string) string {
	if value == "" {
		return ""
	}
	return name + " " + value
}

// joined are the parts that there are, escaped.
func joined(parts ...string) string {
	out := ""
	for _, part := range parts {
		switch {
		case part == "":
		case out == "":
			out = textAddress(part)
		default:
			out += ", " + textAddress(part)
		}
	}
	return out
}
