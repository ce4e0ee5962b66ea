package report

import (
	"fmt"
	"strings"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/verify"
)

// marks stand for verdicts in a strip: one for each version, the oldest first.
var marks = map[verify.Verdict]byte{
	verify.Verified: 'v', verify.Unsigned: '-', verify.Regression: 'R', verify.Mismatch: 'X', verify.Suspicious: 'S', verify.Unknown: '?',
}

// markOf is '?' for a verdict that is none of ours.
func markOf(v verify.Verdict) byte {
	if m, known := marks[v]; known {
		return m
	}
	return '?'
}

// legend says what the marks mean.
func legend() string {
	var parts []string
	for i := len(verify.Verdicts) - 1; i >= 0; i-- {
		v := verify.Verdicts[i]
		parts = append(parts, string(marks[v])+glue+strings.ReplaceAll(string(v), " ", glue))
	}
	return strings.Join(parts, ", ")
}

const (
	shownMarks   = 60 // newest versions in a strip; those before them are counted
	shownDetails = 20 // versions of an artifact of which is said what is wrong
	shownReasons = 8  // lines of one version
)

// published holds what was verified, artifact by artifact in the order of the stream. The zero
// value is empty.
type published struct {
	artifacts []*publishedArtifact
	versions  map[verify.Verdict]int
}

type publishedArtifact struct {
	purl, source  string
	verdicts      []verify.Verdict // of every version, in the order of the stream
	first, newest string           // versions at the ends
	details       []*finding.Verification
	more          int // versions beyond those in details
}

// add takes a verification, and reports whether it is held whole. A good one is, where all are
// wanted.
func (p *published) add(e *finding.Verification, all bool) bool {
	if p.versions == nil {
		p.versions = map[verify.Verdict]int{}
	}
	p.versions[e.Verdict]++
	var a *publishedArtifact
	if n := len(p.artifacts); n > 0 && p.artifacts[n-1].purl == e.Artifact {
		a = p.artifacts[n-1]
	} else {
		a = &publishedArtifact{purl: e.Artifact, source: e.Source}
		p.artifacts = append(p.artifacts, a)
	}
	a.verdicts = append(a.verdicts, e.Verdict)
	if a.newest = e.Version; a.first == "" {
		a.first = e.Version
	}
	switch {
	case e.Verdict.Good() && !all:
		return false
	case len(a.details) == shownDetails:
		a.more++
		return false
	}
	a.details = append(a.details, e)
	return true
}

// bad reports whether any version makes an incident.
func (p *published) bad() bool {
	for v := range p.versions {
		if v.Bad() {
			return true
		}
	}
	return false
}

// strip is the versions of an artifact over time, a mark for each, and what stands before it.
func (a *publishedArtifact) strip() (earlier, strip string) {
	verdicts := a.verdicts
	if n := len(verdicts) - shownMarks; n > 0 {
		counts := map[verify.Verdict]int{}
		for _, v := range verdicts[:n] {
			counts[v]++
		}
		earlier, verdicts = countVerdicts(counts)+" before these", verdicts[n:]
	}
	line := make([]byte, len(verdicts))
	for i, v := range verdicts {
		line[i] = markOf(v)
	}
	return earlier, string(line)
}

// countVerdicts lists the counts of verdicts, the worst first.
func countVerdicts(m map[verify.Verdict]int) string {
	var parts []string
	known := 0
	for _, v := range verify.Verdicts {
		if n := m[v]; n > 0 {
			parts = append(parts, number(n)+glue+string(v))
			known += n
		}
	}
	all := 0
	for _, n := range m {
		all += n
	}
	if all > known {
		parts = append(parts, number(all-known)+glue+"of another verdict")
	}
	return strings.Join(parts, ", ")
}

// reasonsOf says why a version has the verdict that it has, a line for each reason: code and
// detail.
func reasonsOf(e *finding.Verification) []reason {
	var out []reason
	for _, r := range e.Refusals {
		out = append(out, reason{r.Code, r.What + ": " + r.Detail})
	}
	for _, s := range e.Signals {
		out = append(out, reason{s.Rule, string(s.Weight) + ": " + s.Evidence})
	}
	for _, g := range e.Gaps {
		out = append(out, reason{g.Code, g.Detail})
	}
	return out
}

type reason struct{ code, detail string }

// publishedText is the answer of a verification in numbers.
func publishedText(p *finding.Published) string {
	return count(p.Hit, "artifact", "artifacts") + " not as it should be, " + number(p.Good) + " good, " + number(p.Unknown) + " not fully verified."
}

// write lists the artifacts, each with its strip, and what is wrong.
func (p *published) write(page *page, all bool) {
	if len(p.artifacts) == 0 {
		return
	}
	versions := 0
	for _, n := range p.versions {
		versions += n
	}
	page.line("")
	page.wrap(page.paint(bold, "PUBLISHED")+"  ", 2, count(len(p.artifacts), "artifact", "artifacts")+", "+count(versions, "version", "versions")+": "+countVerdicts(p.versions))
	page.wrap("  ", 2, legend())
	for _, a := range p.artifacts {
		a.write(page, all)
	}
}

func (a *publishedArtifact) write(p *page, all bool) {
	p.line("")
	head := "  " + p.paint(bold, textWord(a.purl))
	if a.source != "" {
		head += "  from " + textWord(a.source)
	}
	p.line(head)
	earlier, strip := a.strip()
	if earlier != "" {
		p.wrap("    ", 6, earlier)
	}
	ends := textWord(a.newest)
	if len(strip) > 1 && earlier == "" {
		ends = textWord(a.first) + " to " + ends
	}
	p.line("    " + strip + "  " + ends)
	for _, e := range a.details {
		when := ""
		if e.Time != nil {
			when = ", published " + e.Time.UTC().Format("2006-01-02 15:04")
		}
		color := yellow
		switch {
		case e.Verdict.Bad():
			color = red
		case e.Verdict == verify.Verified:
			color = green
		}
		p.line("    " + textWord(e.Version) + "  " + p.paint(color, textWord(string(e.Verdict))) + when)
		for i := range e.Proofs {
			if all {
				writeProof(p, &e.Proofs[i])
			}
		}
		reasons := reasonsOf(e)
		for _, r := range reasons[:min(len(reasons), shownReasons)] {
			p.wrap("      ", 8, textWord(r.code)+": "+textAddress(r.detail))
		}
		if more := len(reasons) - shownReasons; more > 0 {
			p.line("      and " + count(more, "reason", "reasons") + " more, which --format json lists")
		}
	}
	if a.more > 0 {
		p.line("    and " + count(a.more, "version", "versions") + " more that are not good, which --format json lists")
	}
}

// markdown is the same in Markdown, in at most limit bytes.
func (p *published) markdown(limit int) string {
	if len(p.artifacts) == 0 {
		return ""
	}
	s := &share{limit: limit - rest}
	all := 0
	for _, n := range p.versions {
		all += n
	}
	plain := strings.NewReplacer(glue, " ")
	s.add("\n### Published\n\n" + count(len(p.artifacts), "artifact", "artifacts") + ", " + count(all, "version", "versions") + ": " + plain.Replace(countVerdicts(p.versions)) +
		".\n\nOne mark for each version, the oldest first: " + plain.Replace(legend()) + ".\n\n")
	listed := 0
	for _, a := range p.artifacts {
		earlier, strip := a.strip()
		line := "- " + mdWord(a.purl)
		if a.source != "" {
			line += " from " + mdWord(a.source)
		}
		line += ": `" + strip + "`, the newest is " + mdBrief(a.newest)
		if earlier != "" {
			line += "; " + plain.Replace(earlier)
		}
		line += "\n"
		for _, e := range a.details {
			line += "  - " + mdBrief(e.Version) + " " + mdBrief(string(e.Verdict)) + "\n"
			reasons := reasonsOf(e)
			for _, r := range reasons[:min(len(reasons), shownReasons)] {
				line += "    - " + mdBrief(r.code) + " " + mdProse(r.detail) + "\n"
			}
		}
		if a.more > 0 {
			line += "  - and " + count(a.more, "version", "versions") + " more that are not good, in the JSON report of this run\n"
		}
		if s.add(line) {
			listed++
		}
	}
	if more := len(p.artifacts) - listed; more > 0 {
		s.b.WriteString(elsewhere(more, "artifact", "artifacts"))
	}
	return s.b.String()
}

// verifiedLine says what the answer for published artifacts rests on.
func verifiedLine(p *finding.Published) string {
	return fmt.Sprintf("%s verified in this run, the others before and not changed; registries asked %s, %s unchanged",
		count(p.Checked, "signature", "signatures"), count(p.Requests, "time", "times"), number(p.Unchanged))
}
