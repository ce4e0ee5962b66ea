package incident_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/incident"
	"github.com/wormsweep/wormsweep/internal/xtest"
	"github.com/wormsweep/wormsweep/internal/xtest/markdown"
)

// poisonedWorld has s in every text that comes from outside, and gives all that was written:
// issue, parts and comments of an update, of what was not read, of a close.
func poisonedWorld(t *testing.T, s string) []string {
	w := newWorld(t)
	c := incident.Campaign{ID: campaignID, Title: s, Severity: s, FirstSeen: s, LastSeen: "x" + s, References: []string{s, "https://" + s}}
	w.opt.Campaigns = []incident.Campaign{c}
	w.opt.Owners = ownersFunc(func(string) ([]byte, error) { return []byte("* @octocat @acme/team x@example.org"), nil })
	w.opt.Report = s
	poison := func(f *finding.Finding) *finding.Finding {
		f.Repository, f.File, f.Refs, f.Title = "repo"+s, s, []string{s, "b" + s}, s
		f.Package.PURL, f.Chain, f.Action = "pkg:"+s, []string{s, s, s, s, s, s, s}, s
		f.Safe, f.Advisory, f.Confidence = []string{s}, []string{s, s}, s+"x"
		f.Window = &finding.Window{From: s, Until: s + "x"}
		return f
	}
	day := func(n int, events ...finding.Event) {
		f, err := incident.New(w.opt)
		if err != nil {
			t.Fatal(err)
		}
		sweep := incident.NewSweep(incident.SweepOptions{Interest: []incident.Swept{{Name: "repo" + s}, {Name: s}}})
		events = append([]finding.Event{&finding.Run{Started: date(n), Catalogue: finding.Catalogue{Revision: s}}}, events...)
		for _, e := range append(events, &finding.Summary{NotLookedAt: map[string]int{s: 7}}) {
			if err := sweep.Event(e); err != nil {
				t.Fatal(err)
			}
		}
		for _, p := range f.File(context.Background(), sweep).Problems {
			t.Errorf("%q: %s", s, p.Detail)
		}
	}
	var texts []string
	keep := func() {
		for _, i := range w.tracker.issues {
			texts = append(texts, i.Body)
			for _, comment := range i.comments {
				texts = append(texts, comment.Body)
			}
		}
	}
	file := poison(keyvAt("r@HEAD:x"))
	file.Package, file.Digest, file.Type, file.Fingerprint = nil, s, s, "f2"
	first := poison(keyvAt("r@HEAD:x"))
	first.Fingerprint = "f1"
	day(1, first, &finding.Problem{Repository: s, File: s, Code: s}, &finding.Problem{Code: s})
	keep()
	day(2, first, file)
	keep()
	day(3, first, &finding.Coverage{Repository: "repo" + s, Ref: s, Status: finding.Unparsed, Reason: s})
	keep()
	var clean []finding.Event
	for _, ref := range []string{s, "b" + s} {
		clean = append(clean, &finding.Coverage{Repository: "repo" + s, Ref: ref, Commit: s, Status: finding.Parsed})
	}
	day(4, clean...)
	keep()
	if w.tracker.open() != 0 || len(w.tracker.issues) != 1 {
		t.Errorf("%q: %d issues, %d open", s, len(w.tracker.issues), w.tracker.open())
	}
	return texts
}

type ownersFunc func(repository string) ([]byte, error)

func (f ownersFunc) CodeOwners(_ context.Context, repository string) ([]byte, error) {
	return f(repository)
}

// marks differ from string to string, and so does how much of a long one is left out.
var differing = regexp.MustCompile(`[0-9a-f]{64}|<!-- [0-9a-f]{16} -->| \+[0-9]+ bytes`)

// TestHostile: whatever a string is, the document around it is the same: it makes no element,
// no text outside of code, no link and no tick.
func TestHostile(t *testing.T) {
	harmless := poisonedWorld(t, "harmless")
	for i, text := range harmless {
		if markdown.Links(text) != 0 {
			t.Fatalf("text %d has links of its own:\n%s", i, text)
		}
	}
	outlines := make([]string, len(harmless))
	for i, text := range harmless {
		outlines[i] = differing.ReplaceAllString(markdown.Outline(text), "")
	}
	for _, s := range xtest.Hostile {
		if s == "" {
			continue // nothing is said of what is not there
		}
		texts := poisonedWorld(t, s)
		if len(texts) != len(harmless) {
			t.Errorf("%q: %d texts; want %d", s, len(texts), len(harmless))
			continue
		}
		for i, text := range texts {
			if got := differing.ReplaceAllString(markdown.Outline(text), ""); got != outlines[i] {
				t.Errorf("%q: the outline of text %d: -want +got:\n%s", s, i, cmp.Diff(outlines[i], got))
			}
			if !utf8.ValidString(text) || len(text) > 65_000 {
				t.Errorf("%q: text %d has %d bytes, UTF-8: %t", s, i, len(text), utf8.ValidString(text))
			}
			for _, r := range text {
				if r < ' ' && r != '\n' || r == 0x7f || 0x80 <= r && r < 0xa0 || 0x200b <= r && r <= 0x206f {
					t.Errorf("%q: text %d has %q", s, i, r)
				}
			}
		}
	}
}

// TestHostileTitle: a title is one line of plain text.
func TestHostileTitle(t *testing.T) {
	for _, s := range xtest.Hostile {
		f := keyvAt("api@HEAD:x")
		f.Campaign, f.Severity = s, s
		sweep := incident.NewSweep(incident.SweepOptions{})
		if err := sweep.Event(f); err != nil {
			t.Fatal(err)
		}
		planned := incident.Plan(incident.Input{Key: testKey(t), Organisation: s, Campaign: incident.Campaign{ID: s, Severity: s}, Sweep: sweep})
		if len(planned.Actions) == 0 {
			t.Fatalf("%q: nothing is planned", s)
		}
		title := planned.Actions[0].Title
		if at := regexp.MustCompile("[\n@#<>`*_\\[\\]|!$~]|(?i:GH-)|://|(?i:www\\.)").FindString(title); at != "" || len(title) > 2_000 {
			t.Errorf("%q: the title %q has %q", s, title, at)
		}
		if markdown.Links(title) != 0 {
			t.Errorf("%q: the title %q has a link", s, title)
		}
	}
}

// TestTicks: a person's ticks are kept, but where something new is found; and none is taken
// from a line that we did not write.
func TestTicks(t *testing.T) {
	read, found := many(500)
	w := newWorld(t)
	w.expect(1, looks{read: read, found: found}, "Create Comment Edit", 1)
	tick := func(text, repository string) string {
		w.t.Helper()
		out := strings.Replace(text, "- [ ] `"+repository+"`", "- [x] `"+repository+"`", 1)
		if out == text {
			t.Fatalf("%s has no line in:\n%s", repository, text)
		}
		return out
	}
	i := w.tracker.issues[0]
	i.Body = tick(tick(i.Body, "team-00/service-000"), "team-00/service-017")
	part := i.comments[0]
	part.Body = tick(part.Body, "team-16/service-492")
	// What a person adds, with a mark of nobody, with one copied, and unticked as well.
	line := regexp.MustCompile("- \\[ \\] `team-01/service-001`.*-->").FindString(i.Body)
	i.Body += "\r\n- [x] `team-02/service-002` <!-- 0123456789abcdef -->\r\n- [x] team-02/service-002\r\n" + strings.Replace(line, "[ ]", "[x]", 1)
	i.Body = strings.ReplaceAll(strings.ReplaceAll(i.Body, "\r", ""), "\n", "\r\n") // as GitHub's editor leaves it
	w.expect(2, looks{read: read, found: found}, "", 1)
	w.expect(3, looks{read: read, found: found + " team-00/service-000@HEAD:new zzz@HEAD:x"}, "EditComment Edit Comment", 1)
	all := i.Body + part.Body
	for repository, want := range map[string]string{
		"team-00/service-000": "[ ]", "team-00/service-017": "[x]", "team-16/service-492": "[x]",
		"team-01/service-001": "[ ]", "team-02/service-002": "[ ]", "zzz": "[ ]",
	} {
		if !strings.Contains(all, "- "+want+" `"+repository+"`") {
			t.Errorf("%s is not %s", repository, want)
		}
	}
}

// TestSixHundred: six hundred repositories are one issue, each named once, in texts below
// GitHub's limit; nothing is written on the next day.
func TestSixHundred(t *testing.T) {
	w := newWorld(t)
	read, found := many(600)
	w.expect(1, looks{read: read, found: found}, "Create Comment Comment Edit", 1)
	i := w.tracker.issues[0]
	texts := i.Body
	for _, c := range i.comments {
		texts += "\n" + c.Body
	}
	for n := range 600 {
		if got := strings.Count(texts, fmt.Sprintf("\n- [ ] `team-%02d/service-%03d`", n%17, n)); got != 1 {
			t.Errorf("repository %d is listed %d times", n, got)
		}
	}
	w.has(i.Body, "in 600 repositories of `acme`", "The list goes on in 2 comments of this author below.")
	w.expect(2, looks{read: read, found: found}, "", 1)
}

// TestTextsAreBounded: however many there are, no text is over the limit, and what is not
// listed is counted.
func TestTextsAreBounded(t *testing.T) {
	for _, n := range []int{1, 300, 5_000, 20_000} {
		read, found := many(n)
		planned := incident.Plan(incident.Input{
			Key: testKey(t), Organisation: "acme", Campaign: keyvCampaign, Sweep: sweepOf(1, looks{read: read, found: found}, nil),
		})
		listed, texts := 0, ""
		for _, a := range planned.Actions {
			if len(a.Body) > 65_000 {
				t.Errorf("%d: %s of %d bytes", n, a.Kind, len(a.Body))
			}
			if a.Kind != incident.Update { // the same text as of Create
				listed += strings.Count(a.Body, "\n- [ ] `team-")
				texts += a.Body
			}
		}
		if len(planned.Actions) > 22 || n <= 5_000 && listed != n {
			t.Errorf("%d: %d are listed by %d actions", n, listed, len(planned.Actions))
		}
		if left := n - listed; left > 0 && !strings.Contains(texts, fmt.Sprintf("- and %d repositories more, which the JSON report", left)) {
			t.Errorf("%d: nothing says that %d are not listed", n, left)
		}
	}
}
