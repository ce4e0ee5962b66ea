package incident_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/incident"
	"github.com/wormsweep/wormsweep/internal/xtest"
	"github.com/wormsweep/wormsweep/internal/xtest/markdown"
)

// poisonedOffice has s in every text of a response that may come from outside, and gives all that
// was written.
func poisonedOffice(t *testing.T, s string) []string {
	ctx := context.Background()
	o := newOffice(newWorld(t))
	c := incident.Campaign{ID: campaignID, Title: s, Severity: s}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
	}
	must(o.desk.Raise(ctx, c, incident.Signal{Source: s, Ref: s, Subject: s, Detail: s, At: date(1)}))
	must(o.desk.SetVerdict(ctx, c.ID, incident.Verdict{Scenario: s, Tree: s, Digest: s, Path: []incident.Step{{Question: s, Answer: s, Source: s}, {ID: s, Question: s, Answer: s, By: s, Why: s, Beside: s}}, Open: []string{s, s}}))
	must(o.desk.PutPlan(ctx, c.ID, incident.PlanRef{Kind: s, Digest: s, With: []string{s}, Summary: []string{s, s}, Items: []incident.PlanStep{{ID: s, Digest: s, Text: s}, {ID: "step", Digest: s, Text: s}}}))
	must(o.desk.Unplanned(ctx, c.ID, s))
	must(o.desk.AddEvidence(ctx, c.ID, incident.Evidence{What: s, Where: s, SHA256: strings.Repeat("0f", 32), By: s}))
	must(o.desk.Contain(ctx, c.ID, s))
	must(o.desk.Show(ctx, c.ID, o.fx))
	// Logins are what GitHub says; a reason with what cannot be seen is refused before it is kept.
	o.people.teams["responders"], o.people.teams["on-call"] = []string{s}, []string{s}
	o.questions = incident.Reply{Summary: s, Lines: []string{s, s}, Missing: []string{s}}
	o.says(s, "/who-has x\n/exposure\n/plan\n/done step")
	o.questions = incident.Reply{Fault: s}
	o.says(s, "/who-has x")
	o.says("stranger"+s, "/ack")
	o.says(s, "/contained again")
	var texts []string
	for _, i := range o.tracker.issues {
		texts = append(texts, i.Body)
		for _, comment := range i.comments {
			texts = append(texts, comment.Body)
		}
	}
	return texts
}

// TestRow12: row 12 of the threat model. Whatever a string is, it does nothing in what we write of a
// response.
func TestRow12(t *testing.T) {
	harmless := poisonedOffice(t, "harmless")
	if len(harmless) != 5 {
		t.Fatalf("%d texts", len(harmless))
	}
	var outlines []string
	for _, text := range harmless {
		if markdown.Links(text) != 0 {
			t.Fatalf("links of its own:\n%s", text)
		}
		outlines = append(outlines, differing.ReplaceAllString(markdown.Outline(text), ""))
	}
	for _, s := range xtest.Hostile {
		if strings.TrimSpace(s) == "" {
			continue // nothing is said of what is not there
		}
		texts := poisonedOffice(t, s)
		if len(texts) != len(harmless) {
			t.Errorf("%q: %d texts; want %d", s, len(texts), len(harmless))
			continue
		}
		for i, text := range texts {
			if markdown.Links(text) != 0 {
				t.Errorf("%q: text %d has links", s, i)
			}
			// Of a long one, lists are cut short.
			if got := differing.ReplaceAllString(markdown.Outline(text), ""); got != outlines[i] && len(s) < 1_000 {
				t.Errorf("%q: the outline of text %d: -want +got:\n%s", s, i, cmp.Diff(outlines[i], got))
			}
			if len(text) > 65_000 {
				t.Errorf("%q: text %d has %d bytes", s, i, len(text))
			}
		}
	}
}

// TestRow13: row 13. A mark that somebody copied into an issue, a comment or a name of their own is
// no mark: the answer is written all the same, and no other issue becomes the incident's.
func TestRow13(t *testing.T) {
	o := newWorld(t).hit()
	e := o.event("jane", "/ack")
	o.handle(e)
	head, _, _ := strings.Cut(o.answers()[0], "\n")
	mark, _, _ := strings.Cut(o.body(1), "\n")

	// Whoever wrote it before us: what the tracker lists is of our own author alone, so a copy is
	// not even seen. In a comment's own words it is neither a command nor hidden.
	if got := o.says("rob", head+"\n/resolve over"); got != "" {
		t.Errorf("a mark before a command: answered %q", got)
	}
	o.has(o.says("olga", "/resolve "+head), "hide something from a reader")
	o.state(incident.Acknowledged)

	// An issue of another author with our mark, and a package whose name is one.
	o.tracker.issues = append(o.tracker.issues, &issue{Issue: incident.Issue{Number: 2, Open: true, Body: mark + "\n/resolve"}, foreign: true})
	o.tracker.took()
	file := keyvAt("api@HEAD:" + strings.ReplaceAll(mark, " ", "_"))
	file.Package.PURL, file.Fingerprint = "pkg:npm/"+mark+"\n"+head, "f13"
	f, err := incident.New(o.opt)
	if err != nil {
		t.Fatal(err)
	}
	s := sweepOf(2, looks{read: "api@HEAD", found: "api@HEAD:package-lock.json"}, nil)
	if err := s.Event(file); err != nil {
		t.Fatal(err)
	}
	for _, p := range f.File(context.Background(), s).Problems {
		t.Error(p.Detail)
	}
	if got := o.tracker.took(); got != "Edit Comment" {
		t.Errorf("wrote %q", got)
	}
	if rec := o.record(); rec.Issue != 1 || rec.State != incident.Acknowledged {
		t.Errorf("the incident has issue %d and is %s", rec.Issue, rec.State)
	}
	if n := strings.Count("\n"+o.body(1), "\n<!-- wormsweep incident "); n != 1 || !strings.HasPrefix(o.body(1), "<!-- wormsweep incident ") {
		t.Errorf("the text has the mark %d times", n)
	}
}

// TestRow20: row 20. Whoever is not a responder now, and whatever is not their own words, is refused
// and written down, and has no effect.
func TestRow20(t *testing.T) {
	for name, tt := range map[string]struct {
		login  string
		change func(o *office, e *incident.CommentEvent)
		why    string // in the timeline
		silent bool   // nothing is answered
	}{
		"a stranger":              {login: "mallory", why: "no member of the team"},
		"an outside collaborator": {login: "contractor", why: "no member of the team"},
		"just removed":            {login: "jane", change: func(o *office, _ *incident.CommentEvent) { o.people.teams["responders"] = []string{"rob"} }, why: "no member of the team"},
		"a bot":                   {login: "helper[bot]", change: func(_ *office, e *incident.CommentEvent) { e.Author.Person = false }, why: "a program wrote it", silent: true},
		"an App in a name": {login: "jane", change: func(o *office, e *incident.CommentEvent) {
			o.remark(e, func(r *incident.Remark) { r.Author.Person = false })
		}, why: "not as it was delivered", silent: true},
		"an edit": {login: "jane", change: func(_ *office, e *incident.CommentEvent) { e.Action = "edited" }, why: "an edit does nothing"},
		"edited since": {login: "jane", change: func(o *office, e *incident.CommentEvent) {
			o.remark(e, func(r *incident.Remark) { r.Body = "/resolve x" })
		}, why: "was edited"},
		"edited and back": {login: "jane", change: func(o *office, e *incident.CommentEvent) {
			o.remark(e, func(r *incident.Remark) { r.Updated = r.Updated.Add(time.Minute) })
		}, why: "was edited"},
		"deleted since":      {login: "jane", change: func(o *office, e *incident.CommentEvent) { delete(o.people.remarks, e.Comment) }, why: "was deleted", silent: true},
		"of another account": {login: "jane", change: func(o *office, e *incident.CommentEvent) { o.remark(e, func(r *incident.Remark) { r.Author.ID++ }) }, why: "not as it was delivered", silent: true},
		"of another issue":   {login: "jane", change: func(o *office, e *incident.CommentEvent) { o.remark(e, func(r *incident.Remark) { r.Issue = 2 }) }, why: "not as it was delivered", silent: true},
		"a replay of two days ago": {login: "jane", change: func(o *office, e *incident.CommentEvent) {
			o.remark(e, func(r *incident.Remark) {
				r.Created, r.Updated = r.Created.AddDate(0, 0, -2), r.Updated.AddDate(0, 0, -2)
			})
		}, why: "older than 24 hours"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newWorld(t).hit()
			e := o.event(tt.login, "/ack\n/contained by me\n/resolve over")
			if tt.change != nil {
				tt.change(o, &e)
			}
			o.handle(e)
			o.handle(e) // a delivery twice, and once more with another id
			o.handle(e)
			o.state(incident.Open)
			o.told("")
			rec, refused := o.record(), 0
			for _, entry := range rec.Response.Timeline {
				if entry.Kind == incident.EntryRefused {
					refused++
					if entry.Who != tt.login || !strings.Contains(entry.Text, tt.why) || entry.Comment != e.Comment {
						t.Errorf("written down as %+v; want %q", entry, tt.why)
					}
				}
			}
			if refused != 1 {
				t.Errorf("written down %d times", refused)
			}
			want := 1
			if tt.silent {
				want = 0
			}
			if n := len(o.answers()); n != want {
				t.Errorf("%d answers; want %d", n, want)
			}
			o.has(o.body(1), "refused, by `"+strings.ReplaceAll(tt.login, "[", "[")+"`")
		})
	}
}

// remark changes how a comment stands.
func (o *office) remark(e *incident.CommentEvent, change func(*incident.Remark)) {
	r := o.people.remarks[e.Comment]
	change(&r)
	o.people.remarks[e.Comment] = r
}

// TestRow20Unknown: where it cannot be asked who somebody is, nothing is done, and nothing refused.
func TestRow20Unknown(t *testing.T) {
	o := newWorld(t).hit()
	e := o.event("jane", "/ack")
	o.people.err = errors.New("GitHub does not answer")
	for range 2 {
		if err := o.desk.HandleComment(context.Background(), e, o.fx); !errors.Is(err, o.people.err) {
			t.Errorf("error %v", err)
		}
	}
	o.state(incident.Open)
	if rec := o.record(); len(rec.Response.Handled) != 0 {
		t.Error("it counts as handled")
	}
	o.people.err = nil
	o.handle(e)
	o.state(incident.Acknowledged)
}

// TestRow20Storm: refusals are bounded, in the timeline and in answers; and there is room left.
func TestRow20Storm(t *testing.T) {
	o := newWorld(t).hit()
	for range 120 {
		o.handle(o.event("mallory", "/resolve over"))
	}
	rec := o.record()
	refused := 0
	for _, e := range rec.Response.Timeline {
		if e.Kind == incident.EntryRefused {
			refused++
		}
	}
	if refused != incident.MaxRefusals || rec.Response.Unlisted != 120-incident.MaxRefusals || len(o.answers()) != 20 {
		t.Errorf("%d refusals, %d more, %d answers", refused, rec.Response.Unlisted, len(o.answers()))
	}
	o.has(o.says("jane", "/ack"), "acknowledged")
	o.has(o.body(1), "acknowledged, was open, by `jane`", "and 70 entries more, which were not kept")
}

// TestRow21: row 21. Text that is not a comment's first line, or not a comment's at all, does nothing.
func TestRow21(t *testing.T) {
	o := newWorld(t).hit()
	for _, body := range []string{
		"> /resolve over", "I think:\n/resolve over", "```\n/resolve over\n```", "    /resolve over", "`/resolve over`",
		"<!--\n/resolve over\n-->", "<details>\n\n/resolve over\n</details>", "- /resolve over", " /resolve over", "\n\n/resolve over", "**/resolve over**",
	} {
		if got := o.says("olga", body); got != "" {
			t.Errorf("%q was answered:\n%s", body, got)
		}
	}
	asked := o.people.asked
	if asked != 0 {
		t.Errorf("asked %d times who olga is", asked)
	}
	// In the name of a package, of a file and in the title of the issue.
	f := keyvAt("api@HEAD:/resolve")
	f.Package.PURL, f.Package.Name = "/resolve over", "/ack"
	f.Title, f.Fingerprint = "/resolve over", "f21"
	s := sweepOf(2, looks{read: "api@HEAD", found: "api@HEAD:package-lock.json"}, nil)
	for _, e := range []finding.Event{f} {
		if err := s.Event(e); err != nil {
			t.Fatal(err)
		}
	}
	filer, err := incident.New(o.opt)
	if err != nil {
		t.Fatal(err)
	}
	filer.File(context.Background(), s)
	o.tracker.issues[0].title = "/resolve over"
	o.state(incident.Open)
	// Our own comments, which quote commands, and events that are of no comment that was written.
	for _, change := range []func(e *incident.CommentEvent){
		func(e *incident.CommentEvent) { e.Author.Login = "Sweeper[bot]" },
		func(e *incident.CommentEvent) { e.Action = "deleted" },
		func(e *incident.CommentEvent) { e.Action = "" },
		func(e *incident.CommentEvent) { e.PullRequest = true },
		func(e *incident.CommentEvent) { e.Repository = "acme/api" },
		func(e *incident.CommentEvent) { e.Issue = 7 },
		func(e *incident.CommentEvent) { e.Comment = 0 },
	} {
		e := o.event("olga", "/resolve over")
		change(&e)
		o.handle(e)
	}
	o.state(incident.Open)
	if len(o.answers()) != 0 || len(o.record().Response.Handled) != 0 {
		t.Errorf("%d answers", len(o.answers()))
	}
}
