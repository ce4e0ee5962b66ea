package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/finding"
)

// SummaryBytes is what a step's summary of GitHub Actions takes, 1 MiB, less a reserve for what
// else the step writes. GitHub shows nothing at all of a larger one.
const SummaryBytes = 1<<20 - 48<<10

// MarkdownOptions are the settings of NewMarkdown. The zero value is ready for use.
type MarkdownOptions struct {
	MaxBytes int // of all that is written; 0 is SummaryBytes, and less than 128 KiB is 128 KiB
}

// Markdown renders the stream in GitHub's Markdown, for the summary of a job or as a file. It
// begins with the answer; then follow the findings by campaign and by what was found, the
// problems by repository, what is set apart, and what was and was not looked at.
//
// It writes at the end of the stream, and no more than it may: each part has a share, and what
// does not fit is counted, with a word where it is. It holds no more than could be shown.
type Markdown struct {
	w   *bufio.Writer
	max int

	run       *finding.Run
	formats   map[string]int
	hashed    int
	left      leftOut
	campaigns map[string]*mdCampaign
	held      int // findings in campaigns
	problems  []*finding.Problem
	unheld    int // problems beyond those
	apart     map[finding.State]*apart
	excluded  *apartProblems
	ours      published
	done      bool
}

// mdCampaign is what was found of a campaign.
type mdCampaign struct {
	id, title, severity string
	repositories        map[string]bool
	places              int
	things              map[string][]*finding.Finding // by all that they have in common
}

// apartProblems are problems that an exclusion covers.
type apartProblems struct {
	n     int
	first []*finding.Problem // at most shownApart
}

// maxMarkdownHeld bounds the findings that are held, and the problems: more have no room.
const maxMarkdownHeld = 20_000

// NewMarkdown returns a renderer that writes to w when the summary comes, or at the end.
func NewMarkdown(w io.Writer, opt MarkdownOptions) *Markdown {
	return &Markdown{
		w: bufio.NewWriterSize(w, 64<<10), max: max(cmp.Or(opt.MaxBytes, SummaryBytes), 128<<10),
		formats: map[string]int{}, campaigns: map[string]*mdCampaign{}, apart: map[finding.State]*apart{}, excluded: &apartProblems{},
	}
}

// Event takes an event.
func (r *Markdown) Event(e finding.Event) error {
	switch e := e.(type) {
	case *finding.Run:
		r.run = e
	case *finding.Finding:
		r.finding(e)
	case *finding.Problem:
		switch {
		case e.Exclusion != nil:
			if r.excluded.n++; r.excluded.n <= shownApart {
				r.excluded.first = append(r.excluded.first, e)
			}
		case len(r.problems) < maxMarkdownHeld:
			r.problems = append(r.problems, e)
		default:
			r.unheld++
		}
	case *finding.Coverage:
		r.left.add(e)
		switch {
		case e.Status == finding.Parsed && e.File != "":
			r.formats[e.Format]++
		case e.Status == finding.Hashed:
			r.hashed++
		}
	case *finding.NonMatch:
	case *finding.Verification:
		r.ours.add(e, false)
	case *finding.Summary:
		return r.end(e)
	default:
		return fmt.Errorf("event of type %T has no form in Markdown", e)
	}
	return nil
}

func (r *Markdown) finding(f *finding.Finding) {
	if f.Type == finding.TypePublished {
		return // the verification of that version says it
	}
	if f.State != finding.Active {
		a := r.apart[f.State]
		if a == nil {
			a = &apart{}
			r.apart[f.State] = a
		}
		if a.n++; a.n <= shownApart {
			a.first = append(a.first, f)
		}
		return
	}
	c := r.campaigns[f.Campaign]
	if c == nil {
		c = &mdCampaign{id: f.Campaign, title: f.Title, severity: f.Severity, repositories: map[string]bool{}, things: map[string][]*finding.Finding{}}
		r.campaigns[f.Campaign] = c
	}
	c.repositories[f.Repository] = true
	c.places++
	if r.held < maxMarkdownHeld {
		r.held++
		key := thingKey(f)
		c.things[key] = append(c.things[key], f)
	}
}

// Close ends the document. Without a summary it says that there is no answer.
func (r *Markdown) Close() error {
	if r.done {
		return nil
	}
	return r.end(nil)
}

// end writes the document. s is nil when the sweep did not end.
func (r *Markdown) end(s *finding.Summary) error {
	r.done = true
	head := r.answer(s)
	foot := r.lookedAt(s)
	left := r.max - len(head) - len(foot)
	// What is set apart has no effect on the answer, and is short; problems may take a third of
	// the rest, and findings all that is left then.
	aside := r.setApart(s, left/8)
	left -= len(aside)
	problems := r.problemList(left / 3)
	left -= len(problems)
	ours := r.ours.markdown(left / 2)
	left -= len(ours)
	findings := r.findingList(left)
	for _, part := range []string{head, findings, ours, problems, aside, foot} {
		if _, err := r.w.WriteString(part); err != nil {
			return err
		}
	}
	return r.w.Flush()
}

// answer is what a reader wants to know first.
func (r *Markdown) answer(s *finding.Summary) string {
	verdict, text, more := "NO ANSWER", "the sweep did not end; what follows is what it had found.", ""
	if s != nil {
		verdict, text = verdictOf(s)
		if s.Interrupted {
			more += "\nIt was interrupted: what is not listed was not looked at.\n"
		}
		if len(s.Canaries.Missed) > 0 {
			more += "\n**DO NOT TRUST THIS ANSWER:** a planted package was not found, so these formats may hide others: " + mdBriefs(s.Canaries.Missed, 20) + "\n"
		}
	}
	return "## Wormsweep: " + verdict + "\n\n**" + verdict + ":** " + text + "\n" + more
}

// verdictOf is the answer in a word, and in numbers.
func verdictOf(s *finding.Summary) (verdict, text string) {
	n := s.Repositories
	swept := n.Hit + n.Clean + n.Unknown
	text = count(n.Hit, "repository", "repositories") + " hit, " + number(n.Clean) + " clean, " + number(n.Unknown) + " not fully looked at."
	ours, nothing := finding.Published{}, "no repository was looked at. "
	switch {
	case s.Published != nil && swept == 0:
		ours, nothing, text = *s.Published, "no artifact was looked at. ", publishedText(s.Published)
	case s.Published != nil:
		ours, text = *s.Published, text+" Published: "+publishedText(s.Published)
	}
	switch {
	case n.Hit > 0 || s.Findings[finding.Active] > 0:
		return "HIT", text
	case swept+ours.Good+ours.Unknown == 0:
		return "NOT CLEAN", nothing + text
	case n.Unknown > 0 || ours.Unknown > 0 || s.Problems > 0 || s.Interrupted || len(s.Canaries.Missed) > 0 || s.Exit != 0:
		return "NOT CLEAN", text
	}
	return "CLEAN", text
}

// sortedCampaigns gives the campaigns, most severe first and then those of most repositories.
func (r *Markdown) sortedCampaigns() []*mdCampaign {
	return slices.SortedFunc(maps.Values(r.campaigns), func(a, b *mdCampaign) int {
		return cmp.Or(cmp.Compare(severityRank(a.severity), severityRank(b.severity)),
			cmp.Compare(len(b.repositories), len(a.repositories)), strings.Compare(a.id, b.id))
	})
}
