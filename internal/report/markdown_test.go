package report_test

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/report"
	"github.com/wormsweep/wormsweep/internal/xtest"
	outline "github.com/wormsweep/wormsweep/internal/xtest/markdown"
)

// TestHostileMarkdown: whatever a string is, the document around it is the same. It makes no
// element, no text outside of code, and no link.
func TestHostileMarkdown(t *testing.T) {
	more := regexp.MustCompile(` \+[0-9]+ bytes`) // of a string that is cut
	harmless := string(render(t, markdown, poisoned("harmless")))
	if outline.Links(harmless) != 0 {
		t.Fatalf("it has links of its own:\n%s", harmless)
	}
	want := outline.Outline(harmless)
	for _, s := range xtest.Hostile {
		if s == "" {
			continue // nothing is said of what is not there
		}
		out := render(t, markdown, poisoned(s))
		inert(t, "Markdown", s, out)
		if got := more.ReplaceAllString(outline.Outline(string(out)), ""); got != want {
			t.Errorf("%q: the outline: -want +got:\n%s", s, cmp.Diff(want, got))
		}
	}
}

// TestMarkdownBound: no document is larger than it may be, what does not fit is counted, and
// problems are not pushed out by findings.
func TestMarkdownBound(t *testing.T) {
	places := regexp.MustCompile("(?m)^  - `repository-")
	left := regexp.MustCompile(`(?m)^and ([0-9,]+) places? more, in the JSON report of this run\.$`)
	for _, tt := range []struct{ findings, problems, max, bound int }{
		{10, 10, 0, report.SummaryBytes},
		{3_000, 10, 0, report.SummaryBytes},
		{120_000, 10, 0, report.SummaryBytes},
		{120_000, 60_000, 0, report.SummaryBytes},
		{0, 60_000, 0, report.SummaryBytes},
		{120_000, 60_000, 300_000, 300_000},
		{5_000, 5_000, 1, 128 << 10},
	} {
		var b bytes.Buffer
		r := report.NewMarkdown(&b, report.MarkdownOptions{MaxBytes: tt.max})
		for i := range tt.findings {
			if err := r.Event(keyv(fmt.Sprintf("repository-%06d", i), "package-lock.json", 7)); err != nil {
				t.Fatal(err)
			}
		}
		for i := range tt.problems {
			if err := r.Event(&finding.Problem{Repository: fmt.Sprintf("broken-%06d", i), Code: "syntax", Detail: "not indented"}); err != nil {
				t.Fatal(err)
			}
		}
		s := summary(tt.findings, 0, tt.problems)
		s.Problems = tt.problems
		if err := r.Event(s); err != nil {
			t.Fatal(err)
		}
		out := b.String()
		if len(out) > tt.bound || !utf8.ValidString(out) {
			t.Errorf("%+v: %d bytes", tt, len(out))
		}
		listed, rest := len(places.FindAllString(out, -1)), 0
		if m := left.FindStringSubmatch(out); m != nil {
			fmt.Sscan(strings.ReplaceAll(m[1], ",", ""), &rest)
		}
		if listed+rest != tt.findings || tt.findings > 100 && listed < 50 {
			t.Errorf("%+v: %d places are listed and %d counted", tt, listed, rest)
		}
		if n := strings.Count(out, "- `broken-"); n < min(tt.problems, 100) {
			t.Errorf("%+v: %d problems are listed", tt, n)
		}
		for _, part := range []string{"\n### Looked at\n", "exit code"} {
			if !strings.Contains(out, part) {
				t.Errorf("%+v: no %q", tt, part)
			}
		}
	}
}

// TestHostileMarkdownBound: also with the longest strings everywhere.
func TestHostileMarkdownBound(t *testing.T) {
	for _, s := range []string{strings.Repeat("\x1b", 3000), strings.Repeat("\U0001f4a3", 3000)} {
		for _, bound := range []int{128 << 10, report.SummaryBytes} {
			make := func(w io.Writer) report.Renderer {
				return report.NewMarkdown(w, report.MarkdownOptions{MaxBytes: bound})
			}
			var events []finding.Event
			for i := range 300 {
				events = append(events, poisoned(fmt.Sprint(i, s))[:5]...)
			}
			last := poisoned(s)
			sum := last[len(last)-1].(*finding.Summary)
			for i := range 300 {
				name := fmt.Sprint(i, s)
				sum.NotLookedAt[name], sum.Unmatched[name] = i, i
				sum.Expired = append(sum.Expired, name)
				sum.Canaries.Missed = append(sum.Canaries.Missed, name)
			}
			out := render(t, make, append(events, sum))
			if len(out) > bound {
				t.Errorf("%d bytes; want at most %d", len(out), bound)
			}
			if !bytes.Contains(out, []byte("in the JSON report of this run.")) {
				t.Error("nothing says that something is left out")
			}
		}
	}
}
