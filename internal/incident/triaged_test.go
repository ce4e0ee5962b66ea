package incident_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/incident"
	"github.com/wormsweep/wormsweep/internal/triage"
)

// listed is a listed package of somebody else's that is locked here.
func listed(purl string) triage.Signal {
	s := triage.Signal{
		Source: triage.FromSweep, SourceRef: "f", AlertID: triage.AlertIOC, Group: campaignID, FirstSeen: date(1),
		Subject: triage.Subject{Kind: triage.Package, Parts: map[string]string{"purl": purl, "repository": "acme/api"}},
	}
	return s.Identified()
}

// data are facts: "listed+ ci-installed? locked-" are yes, unknown and no.
func data(words string) triage.Facts {
	facts := triage.Facts{}
	for _, word := range strings.Fields(words) {
		id, mark := word[:len(word)-1], word[len(word)-1]
		a := triage.Said("inventory", mark == '+', "seen by data")
		if mark == '?' {
			a = triage.Unsaid("inventory", "not read")
		}
		facts = facts.With(id, a)
	}
	return facts
}

const (
	pinned = "listed+ published-by-us- locked+ ci-installed-" // but for what only persons know
	ran    = "listed+ published-by-us- locked+ ci-installed+ ci-self-hosted- ci-secrets? ci-publishes-"
)

func (o *office) triage(s triage.Signal, words string) {
	o.t.Helper()
	if err := o.desk.Triage(context.Background(), campaignID, s, data(words)); err != nil {
		o.t.Fatal(err)
	}
	o.tick()
}

// verdict is that of the incident, as "pin: ci-installed, person-installed".
func (o *office) verdict() string {
	o.t.Helper()
	v := o.record().Response.Verdict
	var open []string
	for _, q := range v.Open {
		id, _, _ := strings.Cut(q, ":")
		open = append(open, id)
	}
	return v.Scenario + ": " + strings.Join(open, ", ")
}

func (o *office) comes(want string) {
	o.t.Helper()
	if got := o.verdict(); got != want {
		o.t.Errorf("the verdict is %q; want %q", got, want)
	}
}

// TestTriage: the verdict of an incident is the gravest of its things, with all that is open, and data takes no
// scenario back.
func TestTriage(t *testing.T) {
	o := newWorld(t).hit()
	keyv, axios := listed("pkg:npm/keyv@5.6.1"), listed("pkg:npm/axios@1.14.1")
	o.triage(keyv, "listed+ published-by-us- locked+ ci-installed?")
	o.comes("pin: ci-installed, person-installed")
	o.has(o.body(1), "`ci-installed: Did a CI run install it while it was bad? Ask owner or on-call.` **Nobody knows yet.**", "`listed` `Is the package")
	o.triage(keyv, pinned) // data answers
	o.comes("pin: person-installed")
	o.triage(keyv, "listed+ published-by-us- locked+ ci-installed?") // and does not any more
	o.comes("pin: ci-installed, person-installed")
	o.told("")

	// Another thing takes nothing back of the first, whichever is graver.
	o.triage(axios, "listed+ published-by-us- locked- ci-installed-")
	o.comes("pin: ci-installed#1, person-installed#1, person-installed#2")
	o.has(o.body(1), "`#2` `package pkg:npm/axios@1.14.1`: `undecided`", "`ci-installed#1` `Did a CI run")
	o.triage(axios, ran)
	o.comes("B: person-installed#2, ci-secrets#2, published-since#2, ci-installed#1, person-installed#1")
	o.told("changed")

	// The runs are not kept any more, or the repository is clean.
	o.triage(axios, "listed+ published-by-us- locked- ci-installed- ci-self-hosted- ci-secrets- ci-publishes-")
	o.comes("B: person-installed#2, ci-secrets#2, published-since#2, ci-installed#1, person-installed#1")
	o.triage(axios, "listed+")
	if got := o.verdict(); !strings.HasPrefix(got, "B: ") || !strings.Contains(got, "published-by-us#2") {
		t.Errorf("what is not known any more is not open: %s", got)
	}
	revision := o.record().Response.Revision
	o.triage(axios, "listed+")
	if got := o.record().Response.Revision; got != revision {
		t.Errorf("the same is a change: %d, %d", revision, got)
	}
	o.triage(axios, "listed+ published-by-us+")
	if got := o.verdict(); !strings.HasPrefix(got, "C: ") {
		t.Errorf("%s; want C", got)
	}
	o.told("changed")
}

// TestTriageOfNothing: one thing that is no incident does not make one of the incident in which another is
// undecided, and data alone calls nothing a false positive that was graver.
func TestTriageOfNothing(t *testing.T) {
	o := newWorld(t).hit()
	ordinary := listed("pkg:npm/axios@1.14.1")
	ordinary.AlertID = triage.AlertAdvisory
	o.triage(ordinary, "listed-")
	o.comes("none: ")
	laptop := triage.Signal{Source: triage.FromNative, SourceRef: "1", AlertID: "X", FirstSeen: date(1), Subject: triage.Subject{Kind: triage.Repository, Parts: map[string]string{"repository": "acme/api"}}}
	o.triage(laptop.Identified(), "known-false-positive-")
	if got := o.verdict(); !strings.HasPrefix(got, "undecided: ") {
		t.Errorf("%s; want undecided", got)
	}
	laptop.Subject = triage.Subject{Kind: triage.Workstation, Parts: map[string]string{"host": "jane-laptop"}}
	o.triage(laptop.Identified(), "known-false-positive-")
	o.triage(laptop.Identified(), "known-false-positive+")
	if got := o.verdict(); !strings.HasPrefix(got, "A: ") {
		t.Errorf("%s; want A", got)
	}
}

// TestTriageBounds: what does not fit counts all the same, and so does the verdict of a release before.
func TestTriageBounds(t *testing.T) {
	o := newWorld(t).hit()
	if err := o.desk.SetVerdict(context.Background(), campaignID, incident.Verdict{Scenario: "A", CloseOut: true}); err != nil {
		t.Fatal(err)
	}
	o.triage(listed("pkg:npm/keyv@5.6.1"), pinned)
	if v := o.record().Response.Verdict; v.Scenario != "A" || !v.CloseOut {
		t.Errorf("%+v", v)
	}
	for i := range incident.MaxTriaged + 5 {
		s := listed(fmt.Sprintf("pkg:npm/keyv@5.%d.0", i))
		s.Subject.Parts["file"] = strings.Repeat("x", 20_000)
		if err := o.desk.Triage(context.Background(), campaignID, s, data(pinned)); err != nil {
			t.Fatal(err)
		}
	}
	o.triage(listed("pkg:npm/keyv@6.0.0"), ran)
	rec := o.record()
	if n := len(rec.Response.Triaged); n != incident.MaxTriaged || rec.Response.Verdict.Scenario != "B" || !rec.Response.Verdict.CloseOut {
		t.Errorf("%d things, %s", n, rec.Response.Verdict.Scenario)
	}
	if n := len(o.body(1)); n > 62_000 {
		t.Errorf("%d bytes", n)
	}
	if n := len(o.store.records["acme/"+campaignID]); n > 1_000_000 {
		t.Errorf("the record has %d bytes", n)
	}
}

// TestTriagedOfOld: a triage that goes by what was known earlier calms nothing, and one that knows more does.
func TestTriagedOfOld(t *testing.T) {
	o := newWorld(t).hit()
	s := listed("pkg:npm/keyv@5.6.1")
	at := func(words string, when time.Time) {
		t.Helper()
		facts := triage.Facts{}
		for id, r := range data(words) {
			r.Data.At = when
			facts[id] = r
		}
		if err := o.desk.Triage(t.Context(), campaignID, s, facts); err != nil {
			t.Fatal(err)
		}
		o.tick()
	}
	const open, calm = "listed+ published-by-us- locked+ ci-installed?", pinned
	seen := time.Date(2026, 5, 11, 12, 0, 0, 0, time.UTC)
	at(open, seen)
	o.comes("pin: ci-installed, person-installed")
	at(calm, seen.Add(-15*time.Minute))
	o.comes("pin: ci-installed, person-installed")
	at(calm, seen.Add(time.Second))
	o.comes("pin: person-installed")
	at(open, seen.Add(-15*time.Minute)) // what asks for more counts, of whatever time
	o.comes("pin: ci-installed, person-installed")
	at(calm, seen.Add(-14*time.Minute)) // in two steps neither
	o.comes("pin: ci-installed, person-installed")
	at(calm, seen.Add(-time.Hour)) // of a clock that was wrong
	o.comes("pin: person-installed")
}

// TestScenarioBesideAGraverOne: what data showed is not lost beside what is graver.
func TestScenarioBesideAGraverOne(t *testing.T) {
	o := newWorld(t).hit()
	s := listed("pkg:npm/keyv@5.6.1")
	const ours = "listed+ published-by-us+ locked+ "
	o.triage(s, ours+"ci-installed+ ci-self-hosted+ ci-secrets+ ci-publishes+")
	before := o.record().Response.Verdict
	o.triage(s, ours+"ci-installed? ci-self-hosted? ci-secrets? ci-publishes?")
	o.triage(s, ours+"ci-installed- ci-self-hosted- ci-secrets- ci-publishes-")
	after := o.record().Response.Verdict
	if before.Scenario != "C" || after.Scenario != "C" || !slices.EqualFunc(before.Path, after.Path, func(a, b incident.Step) bool { return a.ID == b.ID && a.Answer == b.Answer }) {
		t.Errorf("before: %+v\nafter: %+v", before, after)
	}
}

// TestTriagedLate: a triage that ends after one of the same signal that had grown meanwhile calms nothing.
func TestTriagedLate(t *testing.T) {
	o := newWorld(t).hit()
	first := listed("pkg:npm/keyv@5.6.1")
	grown := first
	grown.Count++
	o.triage(grown, "listed+ published-by-us- locked+ ci-installed?")
	o.comes("pin: ci-installed, person-installed")
	o.triage(first, pinned)
	o.comes("pin: ci-installed, person-installed")
	o.triage(grown, pinned)
	o.comes("pin: person-installed")
	o.triage(first, ran)
	if v := o.verdict(); !strings.HasPrefix(v, "B: ") {
		t.Errorf("the verdict is %q", v)
	}
}
