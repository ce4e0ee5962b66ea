package report

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/finding"
)

// GitHub's limits of a run ("SARIF support for code scanning", docs.github.com): a file with
// more results is refused whole, and of those that it takes it shows the most severe.
const (
	maxResults   = 25_000
	shownResults = 5_000

	// maxNotifications is a limit of ours, so that the file stays below 10 MB compressed.
	maxNotifications = 5_000
)

// SARIF renders the stream as one run of SARIF 2.1.0, for GitHub code scanning and other
// viewers. It is written by Close.
//
// Each finding is a result: of level error where it counts, else of level note, and
// suppressed where an exclusion covers it. A rule stands for a campaign and an indicator
// type; what is set apart has rules of its own, without a security severity, because GitHub
// shows the severity of the rule and not that of the result. Each problem is a notification,
// and the run was not successful when there is one.
//
// The paths of results are relative to the repository, and begin with its name when several
// were swept. No more is listed than GitHub takes, what counts first; the rest is counted in
// a notification.
type SARIF struct {
	out io.Writer

	run          *finding.Run
	end          *finding.Summary
	repositories map[string]bool

	active, others findingList
	problems       []*finding.Problem
	moreProblems   int
	failed         bool // a problem that no exclusion covers
	ledger         map[string]int
	closed         bool
}

// findingList is findings up to a limit, and how many there were.
type findingList struct {
	kept []*finding.Finding
	n    int
}

func (l *findingList) add(f *finding.Finding) {
	if l.n++; l.n <= maxResults {
		l.kept = append(l.kept, f)
	}
}

// NewSARIF returns a renderer that writes to w when it is closed.
func NewSARIF(w io.Writer) *SARIF {
	return &SARIF{out: w, repositories: map[string]bool{}, ledger: map[string]int{}}
}

// Event takes an event.
func (r *SARIF) Event(e finding.Event) error {
	switch e := e.(type) {
	case *finding.Run:
		r.run = e
	case *finding.Finding:
		r.repositories[e.Repository] = true
		if e.State == finding.Active {
			r.active.add(e)
		} else {
			r.others.add(e)
		}
	case *finding.Problem:
		if e.Repository != "" {
			r.repositories[e.Repository] = true
		}
		r.failed = r.failed || e.Exclusion == nil
		if len(r.problems) < maxNotifications {
			r.problems = append(r.problems, e)
		} else {
			r.moreProblems++
		}
	case *finding.Coverage:
		r.repositories[e.Repository] = true
		r.ledger[string(e.Status)]++
	case *finding.NonMatch, *finding.Verification: // SARIF lists what was found
	case *finding.Summary:
		r.end = e
	default:
		return fmt.Errorf("event of type %T has no form in SARIF", e)
	}
	return nil
}

// Close writes the file.
func (r *SARIF) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	w := bufio.NewWriterSize(r.out, 64<<10)
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	if err := enc.Encode(sarifLog{
		Schema:  "https://json.schemastore.org/sarif-2.1.0.json",
		Version: "2.1.0",
		Runs:    []sarifRun{r.sarifRun()},
	}); err != nil {
		return err
	}
	return w.Flush()
}

func (r *SARIF) sarifRun() sarifRun {
	rules := newDescriptors()
	results := r.results(rules)
	codes := newDescriptors()
	notifications := r.notifications(codes, len(results))
	driver := sarifComponent{Name: "Wormsweep", InformationURI: "https://github.com/wormsweep/wormsweep", Rules: rules.list, Notifications: codes.list}
	invocation := sarifInvocation{Successful: !r.failed && r.end != nil && !r.end.Interrupted, Notifications: notifications}
	if r.run != nil {
		driver.Version = sarifText(r.run.Version)
		invocation.Start = r.run.Started.UTC().Format(time.RFC3339)
		if r.end != nil {
			invocation.End = r.run.Started.Add(time.Duration(r.end.Elapsed * float64(time.Second))).UTC().Format(time.RFC3339)
		}
	}
	if r.end != nil {
		invocation.ExitCode = &r.end.Exit
	}
	return sarifRun{
		Tool:        sarifTool{driver},
		Invocations: []sarifInvocation{invocation},
		BaseIDs: map[string]sarifBase{sourceRoot: {sarifMessage{
			"The repository that was swept, or the folder that the names of several begin in.",
		}}},
		Results:    results,
		Properties: r.properties(),
	}
}

// sourceRoot is the name of what paths are relative to.
const sourceRoot = "%SRCROOT%"

// results are the findings that fit, those that count first.
func (r *SARIF) results(rules *descriptors) []sarifResult {
	results := []sarifResult{} // SARIF 2.1.0, section 3.14.23: null would mean that nothing was looked for
	ordinal := map[string]int{}
	for _, f := range slices.Concat(r.active.kept, r.others.kept) {
		if len(results) == maxResults {
			break
		}
		ordinal[f.Fingerprint]++
		results = append(results, sarifResult{
			RuleID:    ruleID(f),
			RuleIndex: rules.rule(f),
			Level:     level(f.State),
			Message:   sarifMessage{resultText(f)},
			Locations: []sarifLocation{r.place(f)},
			Fingerprints: map[string]string{
				"wormsweep/v1": sarifText(f.Fingerprint),
				// The only one that GitHub compares. It ends in a number, which tells apart the
				// places of one finding in one file.
				"primaryLocationLineHash": fmt.Sprintf("%s:%d", sarifText(f.Fingerprint), ordinal[f.Fingerprint]),
			},
			Suppressions: suppressions(f.Exclusion),
			Properties:   resultProperties(f),
		})
	}
	return results
}

func level(s finding.State) string {
	if s == finding.Active {
		return "error"
	}
	return "note"
}

// resultText says what was found in one sentence, which viewers show as the title, and then
// what a responder asks next.
func resultText(f *finding.Finding) string {
	var b strings.Builder
	what := "The " + f.Type
	if f.Package != nil {
		what = f.Package.PURL
	}
	if f.Type == finding.TypePublished {
		fmt.Fprintf(&b, "%s was published by us, and not as it should be: %s.", sarifText(what), strings.Join(sarifTexts(f.Reasons), ", "))
		for _, line := range f.Evidence {
			sentence(&b, "", line)
		}
		return b.String()
	}
	fmt.Fprintf(&b, "%s meets an indicator of %s", sarifText(what), sarifText(f.Campaign))
	if f.Title != "" {
		fmt.Fprintf(&b, " (%s)", sarifText(f.Title))
	}
	b.WriteString(".")
	if why := stateWords[string(f.State)]; why != "" {
		fmt.Fprintf(&b, " State %s: %s.", sarifText(string(f.State)), why)
	}
	sentence(&b, "Matched by", f.Reasons...)
	if f.Package != nil {
		if chain := chainAbove(f); len(chain) > 0 && f.Package.Direct != "yes" {
			fmt.Fprintf(&b, " Asked for by %s.", strings.Join(chainEnds(chain, sarifText), ", "))
		} else if f.Package.Direct == "yes" {
			b.WriteString(" A direct dependency.")
		}
		sentence(&b, "Scope:", f.Package.Scope)
		sentence(&b, "Asks for", f.Package.Range)
		sentence(&b, "Installed as", f.Package.Alias)
	}
	sentence(&b, "Confidence:", f.Confidence)
	sentence(&b, "Named by", f.Sources...)
	sentence(&b, "Advisories:", f.Advisory...)
	if f.Window != nil {
		sentence(&b, "Live from", f.Window.From)
		sentence(&b, "Live until", f.Window.Until)
	}
	sentence(&b, "Known good:", f.Safe...)
	sentence(&b, "Do first:", f.Action)
	return b.String()
}

// sentence adds " name a, b.", nothing when there is no value.
func sentence(b *strings.Builder, name string, values ...string) {
	var escaped []string
	for _, v := range values {
		if v != "" {
			escaped = append(escaped, sarifText(v))
		}
	}
	if len(escaped) > 0 {
		fmt.Fprintf(b, " %s.", strings.TrimSpace(name+" "+strings.TrimSuffix(strings.Join(escaped, ", "), ".")))
	}
}

func suppressions(e *finding.Exclusion) []sarifSuppression {
	if e == nil {
		return nil
	}
	return []sarifSuppression{{"external", "accepted", "Excluded by " + sarifText(e.Owner) + " until " + sarifText(e.Expires) + ": " + sarifText(e.Reason)}}
}

// resultProperties are for machines: the JSON stream has them unescaped.
func resultProperties(f *finding.Finding) map[string]any {
	p := map[string]any{
		"state": sarifText(string(f.State)), "campaign": sarifText(f.Campaign), "indicator": sarifText(f.Indicator),
		"confidence": sarifText(f.Confidence), "reasons": sarifTexts(f.Reasons), "repository": sarifText(f.Repository), "refs": sarifTexts(f.Refs),
	}
	for name, value := range map[string]string{"commit": f.Commit, "blob": f.Blob, "format": f.Format, "digest": f.Digest} {
		if value != "" {
			p[name] = sarifText(value)
		}
	}
	if f.Package != nil {
		p["purl"] = sarifText(f.Package.PURL)
	}
	return p
}

func sarifTexts(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = sarifText(s)
	}
	return out
}

// place is where a finding is. A published version is in no repository: it is shown at the
// policy that names its artifact.
func (r *SARIF) place(f *finding.Finding) sarifLocation {
	if f.Type == finding.TypePublished {
		return sarifLocation{sarifPhysical{
			Artifact: sarifArtifact{URI: sarifURI(policyFile), BaseID: sourceRoot},
			Region:   sarifRegion{StartLine: max(f.Line, 1)},
		}}
	}
	return r.location(f.Repository, f.File, f.Line)
}

// policyFile is the usual name of the policy. Whatever its path, GitHub takes one that is in the
// repository alone.
const policyFile = "wormsweep.yaml"

// location is a place, on line 1 where no line is known: GitHub shows nothing without one.
func (r *SARIF) location(repository, file string, line int) sarifLocation {
	path := cmp.Or(file, ".") // what a ref or the repository itself shows is at its root
	if len(r.repositories) > 1 {
		path = strings.TrimSuffix(repository+"/"+file, "/")
	}
	return sarifLocation{sarifPhysical{
		Artifact: sarifArtifact{URI: sarifURI(path), BaseID: sourceRoot},
		Region:   sarifRegion{StartLine: max(line, 1)},
	}}
}
