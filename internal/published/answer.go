package published

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/drift"
	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// answer judges all artifacts together, emits what there is to say, and saves what the next run
// needs. What is emitted first is saved after, so that a run that ends between them says it again.
func (r *run) answer(ctx context.Context) (*finding.Summary, error) {
	var briefs []*drift.Brief
	for _, a := range r.artifacts {
		if a.brief != nil {
			briefs = append(briefs, a.brief)
			a.brief = nil
		}
	}
	bursts := drift.FindBursts(append(briefs, r.beside(ctx)...))
	s := &finding.Summary{Findings: map[finding.State]int{}}
	r.counts.Versions = map[verify.Verdict]int{}
	for _, a := range r.artifacts {
		if a.quiet {
			continue
		}
		r.restore(ctx, a)
		var judged drift.Judged
		if a.fault == nil {
			judged = drift.Result(&a.today, bursts)
		}
		t := &teller{run: r, artifact: a, summary: s}
		if err := t.tell(judged); err != nil {
			return s, err
		}
		if err := r.save(ctx, a, judged); err != nil {
			r.problem("%s: what was found out could not be kept: %v", a.purl, err)
		}
		a.record, a.today = nil, drift.Artifact{} // of which there may be many
	}
	for _, p := range r.problems {
		s.Problems++
		if err := r.emit(p); err != nil {
			return s, err
		}
	}
	s.Published, s.Interrupted = &r.counts, ctx.Err() != nil
	s.Elapsed = r.opt.Now().Sub(r.started).Seconds()
	switch {
	case s.Findings[finding.Active] > 0:
		s.Exit = 1
	case s.Problems > 0 || r.counts.Unknown > 0 || s.Interrupted:
		s.Exit = 3
	}
	return s, r.emit(s)
}

// teller tells of one artifact.
type teller struct {
	*run
	artifact     *artifact
	summary      *finding.Summary
	hit, unknown bool
}

func (t *teller) tell(judged drift.Judged) error {
	var err error
	if t.artifact.fault != nil {
		err = t.silent()
	} else {
		err = t.versions(judged)
	}
	switch {
	case t.hit:
		t.counts.Hit++
	case t.unknown:
		t.counts.Unknown++
	default:
		t.counts.Good++
	}
	return err
}

// silent tells of an artifact whose registry did not answer: every version that was known is
// unknown today, and so is what may have been published since.
func (t *teller) silent() error {
	a := t.artifact
	gap := gapOf(a.fault)
	for _, version := range unlisted(a) {
		result := verify.Result{Kind: a.policy.Kind, Name: a.policy.Name, Version: version, Verdict: verify.Unknown, Gaps: []verify.Gap{gap}}
		if err := t.version(result, nil); err != nil {
			return err
		}
	}
	return t.problem(&finding.Problem{Repository: a.purl, Code: CodeNotVerified, Detail: gap.Code + ": what is published could not be asked: " + gap.Detail})
}

func (t *teller) versions(judged drift.Judged) error {
	a := t.artifact
	releases := a.today.Listing.Releases
	for _, i := range byTime(releases) {
		result := judged.Versions[i]
		if err := t.version(t.listed(result), &releases[i]); err != nil {
			return err
		}
	}
	for _, fault := range a.today.Listing.Faults {
		if err := t.problem(&finding.Problem{Repository: a.purl, Code: CodeNotVerified, Detail: "part of the registry's answer does not read: " + fault}); err != nil {
			return err
		}
	}
	for _, version := range a.gone() {
		row := &finding.Coverage{Repository: a.purl, Ref: version, Status: finding.Parsed, Reason: "gone"}
		if err := t.emit(row); err != nil {
			return err
		}
	}
	return nil
}

// byTime gives the places of releases in the order of their publishing, as far as the registry
// tells it, and else in its own.
func byTime(releases []registry.Published) []int {
	order := make([]int, len(releases))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		a, one := releases[i].Time.Get()
		b, two := releases[j].Time.Get()
		if one && two {
			return a.Compare(b)
		}
		return 0
	})
	return order
}

// listed adds what the catalogue says of a version. One that it lists is not good, whoever signed
// it.
func (t *teller) listed(result verify.Result) verify.Result {
	if t.opt.Listed == nil {
		return result
	}
	evidence, listed := t.opt.Listed(t.artifact.policy, result.Version)
	if !listed {
		return result
	}
	result.Signals = append([]verify.Signal{{Rule: RuleListed, Weight: verify.Critical, Evidence: evidence}}, result.Signals...)
	if !result.Verdict.Bad() {
		result.Verdict = verify.Suspicious
	}
	return result
}

// RuleListed is the rule that fires for a version that the catalogue of indicators lists.
const RuleListed = "listed"

// version emits what there is to say of one version. release is nil where it is only known from
// before.
func (t *teller) version(result verify.Result, release *registry.Published) error {
	a := t.artifact
	t.counts.Versions[result.Verdict]++
	e := &finding.Verification{Artifact: a.purl, Source: a.policy.Source, Result: result}
	if release != nil {
		if at, told := release.Time.Get(); told {
			at = at.UTC().Truncate(time.Second)
			e.Time = &at
		}
	}
	if err := t.emit(e); err != nil {
		return err
	}
	row := &finding.Coverage{Repository: a.purl, Ref: result.Version, Status: finding.Parsed}
	switch v := result.Verdict; {
	case v.Bad():
		if err := t.bad(&result); err != nil {
			return err
		}
	case !v.Good():
		row.Status, row.Reason = finding.Unparsed, CodeNotVerified
		if release != nil { // else the artifact's problem says it once
			if err := t.problem(&finding.Problem{Repository: a.purl, Refs: []string{result.Version}, Code: CodeNotVerified, Detail: gapsText(result.Gaps)}); err != nil {
				return err
			}
		}
	}
	return t.emit(row)
}

// bad emits the finding of a version that makes an incident.
func (t *teller) bad(result *verify.Result) error {
	a := t.artifact
	f := &finding.Finding{
		State: finding.Active, Campaign: finding.PublishedByUs, Title: finding.PublishedByUsTitle, Severity: "critical",
		Type: finding.TypePublished, Confidence: "confirmed", Reasons: []string{string(result.Verdict)},
		Repository: a.purl, Refs: []string{result.Version},
		Package: &finding.Package{PURL: PURL(a.policy, result.Version), Ecosystem: ecosystemOf(a.policy.Kind), Name: a.policy.Name, Version: result.Version, Source: a.today.Listing.Registry},
		Digest:  result.Digest,
	}
	for _, refusal := range result.Refusals {
		f.Reasons = append(f.Reasons, refusal.Code)
		f.Evidence = append(f.Evidence, refusal.Code+": "+refusal.What+": "+refusal.Detail)
	}
	for _, signal := range result.Signals {
		if signal.Weight == verify.Note {
			continue
		}
		f.Reasons = append(f.Reasons, signal.Rule)
		f.Evidence = append(f.Evidence, signal.Rule+": "+string(signal.Weight)+": "+signal.Evidence)
	}
	slices.Sort(f.Reasons[1:])
	f.Reasons = slices.Compact(f.Reasons)
	f.Indicator = f.Reasons[len(f.Reasons)-1]
	if len(f.Reasons) > 1 {
		f.Indicator = f.Reasons[1]
	}
	f.Fingerprint = finding.Fingerprint(f)
	if t.opt.Excluded != nil {
		if f.Exclusion = t.opt.Excluded(f); f.Exclusion != nil {
			f.State = finding.Excluded
		}
	}
	t.summary.Findings[f.State]++
	t.hit = t.hit || f.State == finding.Active
	return t.emit(f)
}

// problem counts and emits.
func (t *teller) problem(p *finding.Problem) error {
	if t.opt.Excluded != nil {
		p.Exclusion = t.opt.Excluded(p)
	}
	if p.Exclusion != nil {
		t.summary.Excluded++
	} else {
		t.summary.Problems++
		t.unknown = true
	}
	return t.emit(p)
}

// gapsText is why a version is unknown.
func gapsText(gaps []verify.Gap) string {
	const most = 3
	var parts []string
	for i, g := range gaps {
		if i == most {
			parts = append(parts, fmt.Sprintf("and %d more", len(gaps)-most))
			break
		}
		parts = append(parts, g.Code+": "+g.Detail)
	}
	return strings.Join(parts, "; ")
}

// ecosystemOf is the OSV name of a kind's ecosystem, or the purl type where it has none.
func ecosystemOf(kind registry.Kind) string {
	switch kind {
	case registry.NPM:
		return string(ecosystem.NPM)
	case registry.PyPI:
		return string(ecosystem.PyPI)
	case registry.Go:
		return string(ecosystem.Go)
	case registry.Release:
		return "github"
	}
	return string(kind)
}
