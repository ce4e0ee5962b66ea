package watch

import (
	"maps"
	"slices"
	"time"

	"github.com/wormsweep/wormsweep/internal/drift"
	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/published"
	"github.com/wormsweep/wormsweep/internal/verify"
)

// absent are the rules that fire for what is not there. Of a version that was published a moment
// ago it may come yet: a workflow makes the release after it has published.
var absent = []string{drift.NoReleaseNearby, drift.TagMissing, drift.ReleaseMissing, drift.RunMissing, drift.DigestNotBuilt}

// picture takes the events of a look. What speaks against a version by what is not there yet
// alone is not judged before the version is so old: it is unknown until then.
type picture struct {
	settle time.Duration
	now    time.Time
	by     map[string]*seen

	events []finding.Event
	at     *time.Time // of the version that the next events are about
	early  string     // version whose finding was kept back
	kept   int        // how many were
}

func (p *picture) event(e finding.Event) error {
	switch e := e.(type) {
	case *finding.Verification:
		p.at, p.early = e.Time, ""
		p.of(e.Artifact)
	case *finding.Finding:
		s := p.of(e.Repository)
		if p.young(e) {
			p.early, s.young, p.kept = e.Refs[0], true, p.kept+1
			return p.unknown(e.Repository, e.Refs, "published "+p.now.Sub(*p.at).Round(time.Second).String()+" ago: its tag, release or run may come yet")
		}
		if e.State == finding.Active {
			s.findings = append(s.findings, bad{e, p.at})
		}
	case *finding.Problem:
		if e.Exclusion == nil {
			p.because(e.Repository, e.Detail)
		}
	case *finding.Coverage:
		p.of(e.Repository)
		if p.early != "" && e.Ref == p.early {
			row := *e
			row.Status, row.Reason = finding.Unparsed, published.CodeNotVerified
			p.events = append(p.events, &row)
			return nil
		}
	case *finding.Summary:
		if p.kept > 0 {
			p.events = append(p.events, p.summary(e))
			return nil
		}
	}
	p.events = append(p.events, e)
	return nil
}

// summary is that of the run with problems in the place of what was kept back.
func (p *picture) summary(s *finding.Summary) *finding.Summary {
	out := *s
	out.Findings = maps.Clone(s.Findings)
	out.Findings[finding.Active] -= p.kept
	out.Problems += p.kept
	if out.Exit == 1 && out.Findings[finding.Active] == 0 {
		out.Exit = 3
	}
	return &out
}

// young reports whether a finding is of a version that is too young to be judged by it.
func (p *picture) young(f *finding.Finding) bool {
	if f.State != finding.Active || p.at == nil || p.now.Sub(*p.at) >= p.settle || p.now.Before(*p.at) {
		return false
	}
	if v := verify.Verdict(f.Reasons[0]); v != verify.Suspicious && v != verify.Regression {
		return false
	}
	return len(f.Reasons) > 1 && !slices.ContainsFunc(f.Reasons[1:], func(rule string) bool { return !slices.Contains(absent, rule) })
}

func (p *picture) unknown(purl string, refs []string, why string) error {
	p.because(purl, why)
	p.events = append(p.events, &finding.Problem{Repository: purl, Refs: refs, Code: published.CodeNotVerified, Detail: why})
	return nil
}

// of is what is seen of an artifact, which something is said of.
func (p *picture) of(purl string) *seen {
	s := p.by[purl]
	if s == nil { // of the run
		return &seen{}
	}
	s.said = true
	return s
}

// because notes why an artifact is unknown, or all of them where purl is "".
func (p *picture) because(purl, why string) {
	if purl == "" {
		p.all(why)
		return
	}
	if s := p.of(purl); s.why == "" {
		s.why = why
	}
}

func (p *picture) all(why string) {
	for _, s := range p.by {
		s.said = true
		if s.why == "" {
			s.why = why
		}
	}
}
