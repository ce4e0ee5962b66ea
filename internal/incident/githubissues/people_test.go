package githubissues_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/incident"
	"github.com/wormsweep/wormsweep/internal/incident/githubissues"
)

// once is an incident.Effects in memory.
type once struct {
	mu   sync.Mutex
	done map[string]bool
}

func (o *once) Once(ctx context.Context, key string, do func(context.Context) ([]byte, error), _ func(context.Context) ([]byte, bool, error)) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.done[key] {
		return nil
	}
	if _, err := do(ctx); err != nil {
		return err
	}
	o.done[key] = true
	return nil
}

// office is a world whose incident has a desk.
type office struct {
	*world
	desk *incident.Desk
	fx   *once
	org  *githubtest.Account
}

func newOffice(t *testing.T) *office {
	t.Helper()
	w := newWorld(t, githubtest.Options{})
	o := &office{world: w, fx: &once{done: map[string]bool{}}, org: w.github.Organization("acme")}
	w.github.AddTeam(o.org, "responders", "jane", "rob")
	w.github.AddTeam(o.org, "on-call", "olga")
	w.github.AddMembers(o.org, "mallory", "peter")
	w.github.AddUser("contractor")
	w.whole(w.day("a/package-lock.json"))
	app := w.client()
	members, err := app.Installation(t.Context(), "acme", ghclient.Permissions{"members": "read"})
	if err != nil {
		t.Fatal(err)
	}
	tracker := w.tracker("acme/incidents")
	o.desk, err = incident.NewDesk(w.filer, incident.DeskOptions{
		Repository: "acme/incidents", Author: "sweeper[bot]", Remarks: tracker, Teams: githubissues.NewTeams(members, "acme"),
		Responders: "responders", OnCall: "on-call", Assigner: tracker,
	})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// writes has somebody write a comment, and gives what GitHub would deliver of it.
func (o *office) write(login, body string, via *githubtest.App) incident.CommentEvent {
	a := o.github.Organization(login)
	id := o.repo.AddComment(1, a, via, body)
	return incident.CommentEvent{
		Action: "created", Repository: "acme/incidents", Issue: 1, Comment: id, Body: body,
		Author: incident.Account{Login: a.Login, ID: a.ID, Person: a.Kind == "User" && via == nil},
	}
}

func (o *office) handle(e incident.CommentEvent) {
	o.t.Helper()
	if err := o.desk.HandleComment(context.Background(), e, o.fx); err != nil {
		o.t.Errorf("%q of %q: %v", e.Body, e.Author.Login, err)
	}
}

func (o *office) record() *incident.Record {
	o.t.Helper()
	rec, err := o.desk.Incident(context.Background(), "keyv")
	if err != nil {
		o.t.Fatal(err)
	}
	return rec
}

// answers are the comments of ours that answer one.
func (o *office) answers() (out []string) {
	for _, c := range o.repo.Issues()[0].Comments {
		if strings.HasPrefix(c, "<!-- wormsweep answer ") {
			out = append(out, c)
		}
	}
	return out
}

// TestCommands: from the comment to the closed issue.
func TestCommands(t *testing.T) {
	o := newOffice(t)
	o.handle(o.write("jane", "/ack\n/assign @rob\r\n\r\nlooking", nil))
	o.handle(o.write("rob", "/contained tokens are revoked", nil))
	if rec := o.record(); rec.State != incident.Contained || rec.Response.Owner != "rob" {
		t.Errorf("%s, owner %q", rec.State, rec.Response.Owner)
	}
	if got := o.repo.Issues()[0].Assignees; len(got) != 1 || got[0] != "rob" {
		t.Errorf("assigned to %q", got)
	}
	e := o.write("olga", "/resolve planted by us", nil)
	for range 3 {
		o.handle(e)
	}
	i := o.repo.Issues()[0]
	if i.State != "closed" || len(o.answers()) != 3 || !strings.Contains(i.Body, "dismissed, was contained, by `olga`: `planted by us`") {
		t.Errorf("%s with %d answers:\n%s", i.State, len(o.answers()), i.Body)
	}
}

// TestRow20GitHub: row 20 of the threat model, as GitHub answers.
func TestRow20GitHub(t *testing.T) {
	for name, tt := range map[string]struct {
		login, why string
		via        bool
		after      func(o *office, e *incident.CommentEvent)
	}{
		"a non-member":            {login: "contractor", why: "no member of the organisation"},
		"a member of no team":     {login: "mallory", why: "no member of the team"},
		"a bot":                   {login: "sweeper[bot]", why: ""},
		"an App in jane's name":   {login: "jane", via: true, why: "a program wrote it"},
		"an App, and nobody says": {login: "jane", via: true, why: "not as it was delivered", after: func(_ *office, e *incident.CommentEvent) { e.Author.Person = true }},
		"just removed from the team": {login: "jane", why: "no member of the team", after: func(o *office, _ *incident.CommentEvent) {
			o.github.ChangeTeam(o.org, "responders", func(t *githubtest.Team) { t.Members = []string{"rob"} })
		}},
		"just removed from the organisation": {login: "jane", why: "no member of the organisation", after: func(o *office, _ *incident.CommentEvent) {
			o.github.Update(func() { o.org.Members = []string{"rob", "olga"} })
		}},
		"asked, and did not accept yet": {login: "peter", why: "no active member of the team", after: func(o *office, _ *incident.CommentEvent) {
			o.github.ChangeTeam(o.org, "responders", func(t *githubtest.Team) { t.Pending = []string{"peter"} })
		}},
		"edited since": {login: "jane", why: "was edited", after: func(o *office, e *incident.CommentEvent) { o.repo.EditComment(e.Comment, "/ack but") }},
		"deleted":      {login: "jane", why: "was deleted", after: func(o *office, e *incident.CommentEvent) { o.repo.DeleteComment(e.Comment) }},
		"edited to what it was": {login: "jane", why: "was edited", after: func(o *office, e *incident.CommentEvent) {
			_ = o.sleep(context.Background(), time.Hour)
			o.repo.EditComment(e.Comment, "/ack")
		}},
		"another account of the name": {login: "jane", why: "not as it was delivered", after: func(_ *office, e *incident.CommentEvent) { e.Author.ID = 7 }},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			var via *githubtest.App
			if tt.via {
				via = o.github.App()
			}
			e := o.write(tt.login, "/ack", via)
			if tt.after != nil {
				tt.after(o, &e)
			}
			o.handle(e)
			rec := o.record()
			if rec.State != incident.Open {
				t.Errorf("the incident is %s", rec.State)
			}
			last := incident.Entry{}
			if n := len(rec.Response.Timeline); n > 0 {
				last = rec.Response.Timeline[n-1]
			}
			if tt.why != "" && (last.Kind != incident.EntryRefused || !strings.Contains(last.Text, tt.why)) {
				t.Errorf("written down: %+v; want %q", last, tt.why)
			}
			if tt.why == "" && last.Kind == incident.EntryRefused {
				t.Errorf("our own comment was written down: %+v", last)
			}
		})
	}
}

// TestTeams: members of teams below count, logins have no case; a team that is not there, or not to
// be seen, is no team without members.
func TestTeams(t *testing.T) {
	o := newOffice(t)
	ctx := context.Background()
	o.github.AddTeam(o.org, "night-shift", "mallory")
	o.github.ChangeTeam(o.org, "night-shift", func(t *githubtest.Team) { t.Parent = "responders" })
	client, err := o.client().Installation(ctx, "acme", ghclient.Permissions{"members": "read"})
	if err != nil {
		t.Fatal(err)
	}
	teams := githubissues.NewTeams(client, "acme")
	for _, tt := range []struct {
		team string
		who  incident.Account
		want bool
	}{
		{"responders", incident.Account{Login: "Jane", Person: true}, true},
		{"responders", incident.Account{Login: "mallory", Person: true}, true},
		{"night-shift", incident.Account{Login: "jane", Person: true}, false},
		{"responders", incident.Account{Login: "jane", Person: true, ID: 7}, false},
		{"responders", incident.Account{Login: "jane"}, false},
		{"responders", incident.Account{Login: "../../../user", Person: true}, false},
		{"responders", incident.Account{Login: "", Person: true}, false},
	} {
		if got, why, err := teams.Member(ctx, tt.team, tt.who); got != tt.want || err != nil || (why == "") != tt.want {
			t.Errorf("%+v in %q: %v, %q, %v; want %v", tt.who, tt.team, got, why, err, tt.want)
		}
	}
	if _, _, err := teams.Member(ctx, "no-team", incident.Account{Login: "jane", Person: true}); !errors.Is(err, ghclient.ErrNotFound) {
		t.Errorf("of a team that is not there: %v", err)
	}
	blind, err := o.client().Installation(ctx, "acme", ghclient.Permissions{"issues": "read"})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := githubissues.NewTeams(blind, "acme").Member(ctx, "responders", incident.Account{Login: "jane", Person: true}); err == nil {
		t.Error("without the permission there is an answer")
	}
}

// TestRemarkAges: GitHub may say a second later that a new comment was updated.
func TestRemarkAges(t *testing.T) {
	o := newOffice(t)
	tracker := o.tracker("acme/incidents")
	e := o.write("jane", "/ack", nil)
	for _, wait := range []time.Duration{0, 2 * time.Second, 10 * time.Second} {
		_ = o.sleep(context.Background(), wait)
		o.repo.EditComment(e.Comment, "/ack")
		r, err := tracker.Remark(context.Background(), e.Comment)
		if err != nil || r.Updated.Equal(r.Created) != (wait < 5*time.Second) || r.Issue != 1 || !r.Author.Person {
			t.Errorf("after %s: %+v, %v", wait, r, err)
		}
	}
	if _, err := tracker.Remark(context.Background(), 1); !errors.Is(err, incident.ErrNotFound) {
		t.Errorf("no comment: %v", err)
	}
}
