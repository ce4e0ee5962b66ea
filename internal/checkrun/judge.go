// Package checkrun says, in a check run of a commit on GitHub, what a change brings in.
//
// Judge compares what a look at a commit found with what was there before, and is pure: the
// check fails for what the change brings in; what was there before is said and does not fail it;
// and what could not be looked at is said and is never a success.
//
// A Publisher keeps one check run for a commit. All that is looked at with that commit as its
// head (a push, each pull request, a merge group) is a Part, and the worst of them is the answer:
// a commit that is good for one branch cannot make it look good for another.
//
// Texts are Markdown, titles and messages of annotations are plain text; whatever comes from a
// repository or a list goes through the escapers of package report.
package checkrun

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/finding"
)

// Conclusion is how a check run ends, in GitHub's words.
type Conclusion string

// The conclusions, from the best to the worst. Where the check is required for a merge, Success
// and Neutral let it be.
const (
	Success        Conclusion = "success"
	Neutral        Conclusion = "neutral"         // something is there that was there before
	ActionRequired Conclusion = "action_required" // something could not be looked at
	Failure        Conclusion = "failure"         // the change brings in an indicator
)

var order = []Conclusion{Success, Neutral, ActionRequired, Failure}

// Worse reports whether c is worse than other.
func (c Conclusion) Worse(other Conclusion) bool {
	return slices.Index(order, c) > slices.Index(order, other)
}

// Look is what one look at a commit came to.
type Look struct {
	Findings []*finding.Finding
	Problems []*finding.Problem
	// Failed says why the commit could not be looked at, in one line; "" where it was.
	Failed   string
	Files    int // that were read
	Packages int
}

// active are the findings that count.
func (l *Look) active() []*finding.Finding {
	var out []*finding.Finding
	for _, f := range l.Findings {
		if f.State == finding.Active {
			out = append(out, f)
		}
	}
	return out
}

// problems are those that nobody decided to live with.
func (l *Look) problems() []*finding.Problem {
	var out []*finding.Problem
	for _, p := range l.Problems {
		if p.Exclusion == nil {
			out = append(out, p)
		}
	}
	return out
}

// Clean reports whether a look found nothing that counts and read all that there is: there is
// nothing then to compare.
func (l *Look) Clean() bool { return l.Failed == "" && len(l.active()) == 0 && len(l.problems()) == 0 }

// Change is what is judged.
type Change struct {
	// What it is, in words of our own: "pull request 7".
	What string
	// Base is the commit that it is compared with; "" where there is none, and all that is there is
	// brought in.
	Base     string
	After    Look
	Before   *Look  // at Base; nil where After is clean, or where there is no Base
	Revision string // of the catalogue that was looked for
	Incident string // address of where findings are worked on; "" for none
}

// Verdict is what is said of a change.
type Verdict struct {
	Conclusion  Conclusion   `json:"conclusion"`
	Title       string       `json:"title"`   // plain text
	Summary     string       `json:"summary"` // Markdown
	Annotations []Annotation `json:"annotations,omitempty"`
}

// Annotation is a note on a line of a file of the commit.
type Annotation struct {
	Path    string `json:"path"`
	Line    int    `json:"line"`
	Level   Level  `json:"level"`
	Title   string `json:"title"`
	Message string `json:"message"`
}

// Level is how an annotation is shown.
type Level string

// The levels.
const (
	Failing Level = "failure"
	Warning Level = "warning"
	Notice  Level = "notice"
)

// judged is a change, with its findings and problems told apart.
type judged struct {
	*Change
	brought, here       []*finding.Finding
	unread, unreadToo   []*finding.Problem // by the change, and before it
	apart, gone         int                // findings that do not count; active ones that are not there any more
	baseless, unmatched string             // why it was compared with nothing
}

// Judge says what a change brings in. It is pure.
func Judge(c Change) Verdict {
	j := &judged{Change: &c}
	was, couldNot := map[string]bool{}, map[problemAt]bool{}
	switch before := c.Before; {
	case c.Base == "":
		j.baseless = "There is nothing to compare it with: all that is there counts as brought in."
	case before == nil && !c.After.Clean():
		j.unmatched = "what was there before was not looked at"
	case before != nil && before.Failed != "":
		j.unmatched = before.Failed
	case before != nil:
		for _, f := range before.active() {
			was[f.Fingerprint] = true
		}
		for _, p := range before.problems() {
			couldNot[atProblem(p)] = true
		}
	}
	still := map[string]bool{}
	for _, f := range c.After.active() {
		if was[f.Fingerprint] {
			still[f.Fingerprint] = true
			j.here = append(j.here, f)
		} else {
			j.brought = append(j.brought, f)
		}
	}
	j.gone = len(was) - len(still)
	j.apart = len(c.After.Findings) - len(c.After.active())
	for _, p := range c.After.problems() {
		if couldNot[atProblem(p)] {
			j.unreadToo = append(j.unreadToo, p)
		} else {
			j.unread = append(j.unread, p)
		}
	}
	return Verdict{Conclusion: j.conclusion(), Title: j.title(), Summary: j.summary(), Annotations: j.annotations()}
}

// problemAt is what makes two problems one. The line moves with what stands above it.
type problemAt struct{ file, code string }

func atProblem(p *finding.Problem) problemAt { return problemAt{p.File, p.Code} }

func (j *judged) conclusion() Conclusion {
	switch {
	case len(j.brought) > 0:
		return Failure
	case j.After.Failed != "", len(j.unread) > 0:
		return ActionRequired
	case len(j.here) > 0, len(j.unreadToo) > 0:
		return Neutral
	}
	return Success
}

func (j *judged) title() string {
	var parts []string
	if n := len(j.brought); n > 0 {
		parts = append(parts, "Brings in "+count(n, "known indicator", "known indicators"))
	}
	if j.After.Failed != "" {
		parts = append(parts, "Could not look")
	}
	if n := len(j.unread); n > 0 {
		parts = append(parts, "Could not look at everything: "+count(n, "problem", "problems"))
	}
	if n := len(j.here); n > 0 {
		parts = append(parts, count(n, "known indicator was", "known indicators were")+" here before")
	}
	if n := len(j.unreadToo); n > 0 && len(j.unread) == 0 {
		parts = append(parts, count(n, "problem was", "problems were")+" here before")
	}
	if len(parts) == 0 {
		return "No known indicator"
	}
	return strings.Join(parts, "; ")
}

// maxAnnotations is how many annotations one verdict has: beyond, a list in the summary is of
// more use.
const maxAnnotations = 150

func (j *judged) annotations() []Annotation {
	var out []Annotation
	add := func(path string, line int, level Level, title, message string) {
		if path != "" && isPath(path) {
			out = append(out, Annotation{path, max(line, 1), level, title, message})
		}
	}
	for _, f := range j.brought {
		add(f.File, f.Line, Failing, "Brings in "+plainThing(f), j.message(f))
	}
	for _, f := range j.here {
		add(f.File, f.Line, Warning, "Was here before: "+plainThing(f), j.message(f))
	}
	for _, p := range j.unread {
		add(p.File, p.Line, Warning, "Could not be read: "+plain(p.Code), plain(p.Detail))
	}
	rank := map[Level]int{Failing: 0, Warning: 1, Notice: 2}
	slices.SortStableFunc(out, func(a, b Annotation) int {
		return cmp.Or(cmp.Compare(rank[a.Level], rank[b.Level]), strings.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line), strings.Compare(a.Title, b.Title))
	})
	out = slices.Compact(out)
	return out[:min(len(out), maxAnnotations)]
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
