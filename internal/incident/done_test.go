package incident_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/incident"
)

// planned opens an incident with a plan of two steps, the second of which cannot be undone.
func (w *world) planned() *office {
	w.t.Helper()
	o := w.hit()
	o.plan("p1", "c1", "u1")
	return o
}

// plan puts a plan on the table, with the digests of its steps.
func (o *office) plan(digest, contain, unpublish string) {
	o.t.Helper()
	err := o.desk.PutPlan(context.Background(), campaignID, incident.PlanRef{Kind: "scenario-c", Digest: digest, Steps: 2, Items: []incident.PlanStep{
		{ID: "contain", Digest: contain, Text: "Take the runner off the network"}, {ID: "unpublish", Digest: unpublish, Text: "Unpublish it", People: 2},
	}, At: o.now})
	if err == nil {
		err = o.desk.Show(context.Background(), campaignID, o.fx)
	}
	if err != nil {
		o.t.Fatal(err)
	}
}

// steps are the lines of the plan, and what the issue says of a step is the same.
func (o *office) steps(want ...string) {
	o.t.Helper()
	got := o.record().PlanLines()
	if d := cmp.Diff(want, got); d != "" {
		o.t.Errorf("-want +got:\n%s", d)
	}
	for _, line := range got {
		if _, words, said := strings.Cut(line, " ("); said {
			words, _, _ = strings.Cut(words, "): ")
			o.has(o.body(1), "**`"+words+"`**")
		}
	}
}

// TestStepTicks: a responder's word that a step is done is kept with person and time, shown, and in the
// timeline; what cannot be undone needs two people; and any responder takes it back.
func TestStepTicks(t *testing.T) {
	o := newWorld(t).planned()
	at := o.now.UTC().Format("2006-01-02 15:04 UTC")
	o.has(o.body(1), "### Plan", "- `contain`: `Take the runner off the network`", "- `unpublish`, **`needs two people`**: `Unpublish it`", "`/done STEP what was seen`")
	o.steps("contain: Take the runner off the network", "unpublish (needs two people): Unpublish it")

	o.has(o.says("jane", "/done contain it is scaled to 0\n/done unpublish"), "`contain` is done", "`unpublish` is ticked", "a second person")
	o.steps("contain (done, by jane "+at+"): Take the runner off the network", "unpublish (ticked by jane "+at+", and needs a second person): Unpublish it")
	o.has(o.body(1), "step done, by `jane`: `contain: it is scaled to 0`", "step done, by `jane`: `unpublish`")
	if ticks := o.record().Response.Ticks; len(ticks) != 2 || ticks[0].Note != "it is scaled to 0" || ticks[0].Digest != "c1" || !ticks[0].At.Equal(o.now) {
		t.Errorf("kept: %+v", ticks)
	}

	// One person is not two, however they write their name.
	o.people.teams["responders"] = append(o.people.teams["responders"], "JANE")
	for _, who := range []string{"jane", "JANE"} {
		o.has(o.says(who, "/done unpublish"), "you ticked it already", "a second person")
	}
	if n := len(o.record().Response.Ticks); n != 2 {
		t.Errorf("%d ticks", n)
	}
	o.has(o.says("olga", "/done UNPUBLISH"), "`unpublish` is done")
	o.steps("contain (done, by jane "+at+"): Take the runner off the network", "unpublish (done, by jane "+at+" and olga "+at+"): Unpublish it")

	o.has(o.says("rob", "/undone unpublish it is still there"), "not done")
	o.steps("contain (done, by jane "+at+"): Take the runner off the network", "unpublish (needs two people): Unpublish it")
	o.has(o.body(1), "step not done, by `rob`: `unpublish: it is still there`")
	o.has(o.says("rob", "/undone unpublish"), "not carried out: nobody ticked it")
	o.state(incident.Open) // a tick moves nothing
}

// TestTicksOfAChangedStep: a tick is for the step as it was. When the step changes it is not done, and
// the plan says so; when it is as it was again, the tick counts again.
func TestTicksOfAChangedStep(t *testing.T) {
	o := newWorld(t).planned()
	at := o.now.UTC().Format("2006-01-02 15:04 UTC")
	o.says("jane", "/done contain")
	o.plan("p2", "c2", "u1")
	o.steps("contain (not done: it has changed since it was ticked): Take the runner off the network", "unpublish (needs two people): Unpublish it")
	o.has(o.body(1), "plan: `scenario-c p2: 1 ticked step is not as before, or gone`")
	o.plan("p3", "c1", "u2")
	o.steps("contain (done, by jane "+at+"): Take the runner off the network", "unpublish (needs two people): Unpublish it")
	o.plan("p4", "c2", "u2")
	o.has(o.says("rob", "/done contain"), "`contain` is done")
	o.steps("contain (done, by rob "+at+"): Take the runner off the network", "unpublish (needs two people): Unpublish it")

	// The same plan again adds nothing, but for whether it is whole.
	before := len(o.record().Response.Timeline)
	o.plan("p4", "c2", "u2")
	if n := len(o.record().Response.Timeline); n != before {
		t.Errorf("%d entries more", n-before)
	}
}

// TestTickOfAnotherPlan: what was written before the plan changed is of a step that may have said something
// else, and ticks nothing.
func TestTickOfAnotherPlan(t *testing.T) {
	o := newWorld(t).planned()
	e := o.event("jane", "/done contain")
	o.now = o.now.Add(time.Minute)
	o.plan("p2", "c2", "u1")
	o.handle(e)
	all := o.answers()
	o.has(all[len(all)-1], "not carried out: the plan has changed since you wrote that")
	if ticks := o.record().Response.Ticks; len(ticks) != 0 {
		t.Errorf("ticked: %+v", ticks)
	}
	o.has(o.says("jane", "/done contain"), "`contain` is done")
}

// TestTicksRefused: without a plan, for a step that is none, once it is over, and by whoever is no
// responder, nothing is ticked.
func TestTicksRefused(t *testing.T) {
	o := newWorld(t).hit()
	o.has(o.says("jane", "/done contain"), "not carried out: there is no plan with steps")
	o.plan("p1", "c1", "u1")
	for body, want := range map[string]string{
		"/done nothing":           "the plan has no step of that name: `/plan` shows them",
		"/done":                   "it is written otherwise",
		"/done contain <!-- x":    "hide something",
		"/undone contain":         "nobody ticked it",
		"/done contain\u2028more": "hide something",
		"/done @octocat":          "it is written otherwise",
	} {
		o.has(o.says("jane", body), want)
	}
	for _, body := range []string{"> /done contain", "```\n/done contain\n```", " /done contain", "- /done contain", "<!-- x -->\n/done contain", "I did it:\n/done contain", "`/done contain`"} {
		if got := o.says("jane", body); got != "" {
			t.Errorf("%q is answered: %s", body, got)
		}
	}
	o.has(o.says("mallory", "/done contain"), "Not carried out: no member of the team")
	bot := o.event("helper[bot]", "/done contain")
	bot.Author.Person = false
	o.handle(bot)
	edited := o.event("jane", "/done contain")
	edited.Action = "edited"
	o.handle(edited)
	replayed := o.event("jane", "/done contain")
	o.now = o.now.Add(25 * time.Hour)
	o.handle(replayed)
	if ticks := o.record().Response.Ticks; len(ticks) != 0 {
		t.Errorf("ticked: %+v", ticks)
	}
	o.says("olga", "/resolve a test")
	o.has(o.says("jane", "/done contain"), "not carried out: the incident is dismissed")
}

// TestTicksOnce: a comment that is delivered twice, or whose answer was lost, ticks once.
func TestTicksOnce(t *testing.T) {
	o := newWorld(t).planned()
	e := o.event("jane", "/done contain")
	o.fx.lose["incident-answer"] = 1
	if err := o.desk.HandleComment(context.Background(), e, o.fx); !errors.Is(err, errKilled) {
		t.Errorf("%v", err)
	}
	for range 3 {
		o.handle(e)
	}
	if ticks := o.record().Response.Ticks; len(ticks) != 1 {
		t.Errorf("%+v", ticks)
	}
	if n := len(o.answers()); n != 1 {
		t.Errorf("%d answers", n)
	}
}

// TestLongPlan: of more steps than the issue has room for the rest is counted, and more than a record
// keeps are not in it.
func TestLongPlan(t *testing.T) {
	o := newWorld(t).hit()
	plan := incident.PlanRef{Kind: "pin", Digest: "p", Steps: incident.MaxSteps + 1}
	for i := range incident.MaxSteps + 1 {
		plan.Items = append(plan.Items, incident.PlanStep{ID: fmt.Sprintf("pin-%d", i), Digest: "d", Text: strings.Repeat("x", 900)})
	}
	for range 2 {
		if err := o.desk.PutPlan(context.Background(), campaignID, plan); err != nil {
			t.Fatal(err)
		}
	}
	o.tick()
	if n := len(o.record().PlanLines()); n != incident.MaxSteps {
		t.Errorf("%d lines", n)
	}
	o.has(o.body(1), "more steps, which `/plan` shows")
	if n := len(o.body(1)); n > 60_000 {
		t.Errorf("%d bytes", n)
	}
	o.has(o.says("jane", fmt.Sprintf("/done pin-%d", incident.MaxSteps-1)), "is done")
}

// TestUnplanned: what was said first of a plan that cannot be made stays until there is one, or nothing to plan.
func TestUnplanned(t *testing.T) {
	o := newWorld(t).hit()
	ctx := context.Background()
	says := func(why string) {
		t.Helper()
		got := ""
		if u := o.record().Response.Unplanned; u != nil {
			got = u.Why
		}
		if got != why {
			t.Errorf("%q; want %q", got, why)
		}
		if shown := o.body(1); strings.Contains(shown, "it cannot be made") != (why != "") || !strings.Contains(shown, why) {
			t.Errorf("of %q the issue says:\n%s", why, shown)
		}
	}
	do := func(err error) {
		t.Helper()
		if err := errors.Join(err, o.desk.Show(ctx, campaignID, o.fx)); err != nil {
			t.Fatal(err)
		}
	}
	says("")
	do(o.desk.Unplanned(ctx, campaignID, "no answer"))
	says("no answer")
	o.has(o.body(1), "**There is no plan yet.** Since "+o.now.UTC().Format("2006-01-02 15:04 UTC")+" it cannot be made, and is tried again: `no answer`\n")
	do(o.desk.Unplanned(ctx, campaignID, "no time"))
	says("no answer")
	do(o.desk.NothingToPlan(ctx, campaignID))
	says("")
	for range 2 { // the same plan the second time
		do(o.desk.Unplanned(ctx, campaignID, "no time"))
		says("no time")
		o.plan("p1", "c1", "u1")
		says("")
	}
}

// TestPlanOverAnother: a plan that was begun before another was put on the table is not put over it.
func TestPlanOverAnother(t *testing.T) {
	o := newWorld(t).hit()
	ctx := context.Background()
	p := func(digest string) *incident.PlanRef {
		return &incident.PlanRef{Kind: "pin", Digest: digest, Open: true}
	}
	for _, tt := range []struct {
		over  *incident.PlanRef
		plan  string
		taken bool
		holds string
	}{
		{p("a"), "b", false, ""},
		{nil, "a", true, "a"},
		{nil, "b", false, "a"},
		{p("a"), "b", true, "b"},
		{p("a"), "a", false, "b"},
		{p("b"), "b", true, "b"},
	} {
		err := o.desk.SetPlan(ctx, campaignID, tt.over, *p(tt.plan))
		holds := ""
		if plan := o.record().Response.Plan; plan != nil {
			holds = plan.Digest
		}
		if tt.taken && err != nil || !tt.taken && !errors.Is(err, incident.ErrOtherPlan) || holds != tt.holds {
			t.Errorf("%q over %+v: %v, %q holds; want %q", tt.plan, tt.over, err, holds, tt.holds)
		}
	}
}
