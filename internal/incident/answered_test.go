package incident_test

import (
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/incident"
	"github.com/wormsweep/wormsweep/internal/triage"
)

// TestAnswer: what a person says counts, with a name and a reason; data is shown beside it.
func TestAnswer(t *testing.T) {
	o := newWorld(t).hit()
	o.has(o.says("jane", "/answer locked no it is not"), "nothing of this incident was triaged")
	keyv, axios := listed("pkg:npm/keyv@5.6.1"), listed("pkg:npm/axios@1.14.1")
	o.triage(keyv, "listed+ published-by-us- locked+ ci-installed?")
	for _, tt := range []struct{ who, says, answer, comes string }{
		{"jane", "/answer nonsense no because", "it is not asked here. Open are `ci-installed, person-installed`", "pin: ci-installed, person-installed"},
		{"jane", "/answer pin no because", "it is not asked here", "pin: ci-installed, person-installed"},
		{"jane", "/answer ci-secrets no because", "it is not asked here", "pin: ci-installed, person-installed"},
		{"jane", "/answer ci-installed#2 no because", "there is no thing 2: there are 1", "pin: ci-installed, person-installed"},
		{"jane", "/answer ci-installed withdraw because", "nobody has answered it", "pin: ci-installed, person-installed"},
		{"jane", "/answer ci-installed no", "it is written otherwise", "pin: ci-installed, person-installed"},
		{"jane", "/answer ci-installed no no workflow installs", "taken, of `package pkg:npm/keyv@5.6.1`. The scenario is `pin`, and was `pin`; 1 question is open", "pin: person-installed"},
		{"jane", "/answer ci-installed yes run 7 did", "The scenario is `B`, and was `pin`", "B: person-installed, ci-self-hosted, ci-secrets, ci-publishes, published-since"},
		{"jane", "/answer ci-installed no it did not", "it lowers what is known of `package pkg:npm/keyv@5.6.1` (the scenario `B` would be `pin`): whoever is on call does that", "B: person-installed, ci-self-hosted, ci-secrets, ci-publishes, published-since"},
		{"jane", "/answer ci-installed unknown I am not sure", "whoever is on call does that", "B: person-installed, ci-self-hosted, ci-secrets, ci-publishes, published-since"},
		{"jane", "/answer ci-installed withdraw I was wrong", "whoever is on call does that", "B: person-installed, ci-self-hosted, ci-secrets, ci-publishes, published-since"},
		{"jane", "/answer locked no it was a fork", "whoever is on call does that", "B: person-installed, ci-self-hosted, ci-secrets, ci-publishes, published-since"}, // the scenario stays, and data says yes
		{"olga", "/answer ci-installed withdraw jane took another run for it", "The scenario is `pin`, and was `B`", "pin: ci-installed, person-installed"},
		{"olga", "/answer listed no the list is wrong, see GHSA-1", "The scenario is `undecided`, and was `pin`", "undecided: "},
	} {
		o.has(o.says(tt.who, tt.says), tt.answer)
		o.comes(tt.comes)
	}
	o.has(o.body(1), "`listed` `Is the package, at this version, or the file or repository on a list of indicators?`: `no`, by `olga`: `the list is wrong, see GHSA-1`; beside it, `inventory said yes, signal said yes`",
		"answer, by `jane`: `ci-installed yes, of package pkg:npm/keyv@5.6.1: run 7 did`", "refused, by `jane`: ", "verdict: `B`")

	// Nothing of it is of what comes later.
	o.triage(axios, "listed+ published-by-us- locked+ ci-installed?")
	o.comes("pin: ci-installed#2, person-installed#2")
	o.has(o.says("jane", "/answer person-installed no everybody was asked"), "taken, of `package pkg:npm/axios@1.14.1`")
	o.comes("pin: ci-installed#2")
	o.has(o.says("olga", "/answer listed yes it is, after all"), "taken, of `2 things`")
	o.comes("pin: ci-installed#1, person-installed#1, ci-installed#2")
	o.has(o.says("jane", "/answer ci-installed#1 no nothing ran"), "taken, of `package pkg:npm/keyv@5.6.1`")
	o.comes("pin: person-installed#1, ci-installed#2")

	// With all of it answered it is people who end it.
	o.says("jane", "/answer ci-installed#2 no nothing ran\n/answer person-installed no nobody did")
	o.comes("pin: ")
	if !o.record().Response.Verdict.CloseOut {
		t.Error("a sweep may close what persons' words decided")
	}
	o.tracker.took()
	o.expect(2, looks{read: "api@HEAD"}, "Edit Comment", 1)
	o.state(incident.Cured)
	o.has(o.says("olga", "/resolve"), "closed, with the proof")
	o.has(o.says("jane", "/answer locked yes it is"), "the incident is closed")
}

// TestAnswerIsContradicted: data that comes to say otherwise does not replace a person's word, and is told.
func TestAnswerIsContradicted(t *testing.T) {
	o := newWorld(t).hit()
	keyv := listed("pkg:npm/keyv@5.6.1")
	o.triage(keyv, "listed+ published-by-us- locked+ ci-installed?")
	o.says("jane", "/answer ci-installed no no workflow installs")
	o.told("")
	for range 2 { // once
		o.triage(keyv, ran)
	}
	o.comes("pin: person-installed")
	o.has(o.body(1), "`data says yes to ci-installed, and jane said no. It goes on to count for package pkg:npm/keyv@5.6.1: seen by data`", "by `jane`: `no workflow installs`; beside it, `inventory said yes`")
	o.told("changed")
	o.says("olga", "/answer ci-installed withdraw see the timeline")
	o.comes("B: person-installed, ci-secrets, published-since")
}

// TestTriageAfterTheEnd: what triage learns after an incident was declared over opens it again where it is graver,
// or not what a person said; and nothing else does.
func TestTriageAfterTheEnd(t *testing.T) {
	for name, tt := range map[string]struct {
		says, data, comes string
		state             incident.State
	}{
		"graver":           {"", ran, "B: person-installed, ci-secrets, published-since", incident.Open},
		"as it was":        {"", "listed+ published-by-us- locked+ ci-installed?", "pin: ci-installed, person-installed", incident.Dismissed},
		"answered":         {"", pinned, "pin: person-installed", incident.Dismissed},
		"contradicted":     {"/answer ci-installed no nothing ran\n", ran, "B: person-installed, ci-secrets, published-since", incident.Open},
		"as a person said": {"/answer ci-installed no nothing ran\n", pinned, "pin: person-installed", incident.Dismissed},
	} {
		t.Run(name, func(t *testing.T) {
			o := newWorld(t).hit()
			keyv := listed("pkg:npm/keyv@5.6.1")
			o.triage(keyv, "listed+ published-by-us- locked+ ci-installed?")
			o.says("olga", tt.says+"/resolve it is pinned, and nothing ran")
			o.state(incident.Dismissed)
			for range 2 {
				o.triage(keyv, tt.data)
				o.state(tt.state)
				o.comes(tt.comes)
			}
			if want := map[incident.State]int{incident.Open: 1}[tt.state]; o.tracker.open() != want {
				t.Errorf("%d issues are open; want %d", o.tracker.open(), want)
			}
		})
	}
	o := newWorld(t).hit()
	o.triage(listed("pkg:npm/keyv@5.6.1"), pinned)
	o.day(2, looks{read: "api@HEAD"})
	o.state(incident.Cured)
	o.triage(listed("pkg:npm/keyv@5.6.1"), ran)
	o.state(incident.Open)
}

// TestAnswerIsForgotten: what was so when an incident was over is asked anew when it begins again.
func TestAnswerIsForgotten(t *testing.T) {
	o := newWorld(t).hit()
	keyv := listed("pkg:npm/keyv@5.6.1")
	o.triage(keyv, "listed+ published-by-us- locked+ ci-installed?")
	o.says("jane", "/answer ci-installed no no workflow installs\n/answer person-installed no nobody")
	o.comes("pin: ")
	o.says("olga", "/resolve it is pinned")
	o.tracker.took()
	o.expect(2, looks{read: "api@HEAD", found: "api@HEAD:yarn.lock"}, "Edit Comment", 1)
	o.comes("pin: ci-installed, person-installed")
	o.has(o.body(1), "what persons answered before counts no more")
}

// TestAnswerNeverFalse: what is looked at each time is no known false positive, and what is one says who is on
// call.
func TestAnswerNeverFalse(t *testing.T) {
	o := newWorld(t).hit()
	s := triage.Signal{Source: triage.FromNative, SourceRef: "1", AlertID: "K8", FirstSeen: date(1), Subject: triage.Subject{Kind: triage.Pod, Parts: map[string]string{"workload": "api"}}}
	o.triage(s.Identified(), "")
	o.has(o.says("olga", "/answer known-false-positive yes it is the installer"), "of `K8` no false positive is known")
	s.AlertID = "K4"
	o.triage(s.Identified(), "")
	o.has(o.says("jane", "/answer known-false-positive#2 yes it is the installer"), "whoever is on call does that")
	o.has(o.says("olga", "/answer known-false-positive#2 yes it is the installer"), "taken, of `pod api`")
}

// TestRow20Answers: nobody but a responder answers, and each comment once, whoever hears of it.
func TestRow20Answers(t *testing.T) {
	o := newWorld(t).hit()
	o.triage(listed("pkg:npm/keyv@5.6.1"), "listed+ published-by-us- locked+ ci-installed?")
	const want = "pin: ci-installed, person-installed"
	const says = "/answer ci-installed no nothing ran\n/answer person-installed no nobody"
	o.has(o.says("mallory", says), "Not carried out: no member of the team")
	edited := o.event("jane", says)
	edited.Action = "edited"
	bot := o.event("jane", says)
	bot.Author.Person = false
	removed := o.event("rob", says)
	o.people.teams["responders"] = []string{"jane"}
	for _, e := range []incident.CommentEvent{edited, bot, removed} {
		o.handle(e)
	}
	for _, body := range []string{"> " + says, "I think\n" + says, "```\n" + says + "\n```", "`" + says + "`"} { // row 21
		o.says("jane", body)
	}
	o.comes(want)
	facts := maps.Clone(o.record().Response.Triaged[0].Facts)
	for id, r := range facts {
		if len(r.Persons) > 0 {
			t.Errorf("%s: %+v", id, r.Persons)
		}
	}

	e := o.event("jane", says)
	var all sync.WaitGroup
	for range 4 { // each as a process of its own has it
		all.Go(func() { o.handle(e) })
	}
	all.Wait()
	o.handle(e)
	o.comes("pin: ")
	if got := o.record().Response.Triaged[0].Facts["ci-installed"].Persons; len(got) != 1 || got[0].By != "jane" || got[0].Detail != "nothing ran" || !got[0].At.Equal(o.now.UTC()) {
		t.Errorf("%+v", got)
	}
	for i := range 30 {
		o.now = o.now.Add(time.Minute)
		o.says("jane", fmt.Sprintf("/answer ci-installed no for the %d. time", i))
	}
	if got := o.record().Response.Triaged[0].Facts["ci-installed"].Persons; len(got) != 20 || got[19].Detail != "for the 29. time" {
		t.Errorf("%d answers, the last %+v", len(got), got[len(got)-1])
	}
}
