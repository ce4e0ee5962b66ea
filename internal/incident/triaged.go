package incident

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/triage"
)

// Triaged is one thing of an incident that triage looked at: an alert about a subject. Things are only
// ever added, so that each keeps its number, which is its place in the list, from 1 on.
type Triaged struct {
	Key    string        `json:"key"`    // equal for equal things
	Signal triage.Signal `json:"signal"` // as it was last triaged, without evidence and links
	Facts  triage.Facts  `json:"facts"`  // what data says, and what persons answered since the incident was last opened
}

// Limits of what is triaged in an incident.
const (
	MaxTriaged = 100  // things
	maxPart    = 2000 // bytes of a part of a subject
	maxPersons = 20   // answers of persons to one question of a thing; the timeline has more
)

// Triage puts into an incident what data says of a signal that belongs to it, and the verdict that follows
// from all its signals and from what persons answered. The verdict is the gravest of them, with all that
// is open: data takes back no scenario that it showed, and no answer of a person. Where it comes to
// contradict one, that is written down and told. An incident that was over, or proven gone, is opened again by
// a verdict that became graver, and by data that contradicts what a person said. What was asked about a signal
// before more came to it changes nothing of what was asked since, unless it shows a graver scenario.
func (d *Desk) Triage(ctx context.Context, id string, s triage.Signal, data triage.Facts) error {
	_, err := d.change(ctx, id, nil, func(rec *Record) error {
		rec.triage(s, data, d.opt.Now().UTC())
		return nil
	})
	return err
}

// keyOf tells a thing from another: what noticed it does not.
func keyOf(s *triage.Signal) string {
	if key := s.Subject.Key(); key != "" {
		return s.AlertID + "\n" + key
	}
	return s.Fingerprint
}

func (r *Record) triage(s triage.Signal, data triage.Facts, now time.Time) {
	p, before := &r.Response, triage.None
	if p.Verdict != nil {
		before = scenarioOf(p.Verdict.Scenario)
	}
	contradicted := r.learn(s, data, now)
	r.judge(now)
	if r.State != Cured && !r.State.over() || !contradicted && scenarioOf(p.Verdict.Scenario) <= max(triage.Pin, before) {
		return
	}
	p.Closing, p.Reopening = false, r.State.over()
	r.must(Open, act{by: ByProgram, at: now, why: "triage has more to say: the scenario is " + p.Verdict.Scenario})
}

// learn takes what data says of a signal into its thing, and reports whether it contradicts a person now.
func (r *Record) learn(s triage.Signal, data triage.Facts, now time.Time) (contradicted bool) {
	p, key := &r.Response, keyOf(&s)
	s.Evidence, s.Links, s.Subject.Parts = nil, nil, maps.Clone(s.Subject.Parts)
	for name, text := range s.Subject.Parts {
		s.Subject.Parts[name] = clipped(text, maxPart)
	}
	i := slices.IndexFunc(p.Triaged, func(t Triaged) bool { return t.Key == key })
	switch {
	case i < 0 && len(p.Triaged) >= MaxTriaged:
		r.beyond(triage.Run(triage.Runbook(), s, data).Scenario.String())
		return false
	case i < 0 && len(p.Triaged) == 0 && p.Verdict != nil:
		r.beyond(p.Verdict.Scenario) // of a release that kept the verdict alone
	}
	if i < 0 {
		p.Triaged = append(p.Triaged, Triaged{Key: key})
		i = len(p.Triaged) - 1
	}
	t := &p.Triaged[i]
	if t.Signal.ID == s.ID && t.Signal.Count > s.Count && triage.Run(triage.Runbook(), s, data).Scenario <= t.run().Scenario {
		return false // of a triage that began before the one that is known, and ended later
	}
	was := t.Facts
	t.take(s, data)
	for _, id := range sortedKeys(t.Facts) {
		person, is := t.person(id), t.Facts[id].Data
		if person == nil || is.Truth == triage.Unknown || is.Truth == person.Truth || is.Truth == was[id].Data.Truth {
			continue
		}
		contradicted = true
		n := r.notice(NoticeChanged)
		n.Text = fmt.Sprintf("data says %s to %s, and %s said %s", is.Truth, id, person.By, person.Truth)
		r.log(Entry{At: now, Kind: EntryAnswer, By: ByProgram, Text: fmt.Sprintf("%s. It goes on to count for %s: %s", n.Text, t.about(), is.Detail)})
		r.tellLater(n)
	}
	return contradicted
}

// beyond keeps the scenario of what is not among the things.
func (r *Record) beyond(scenario string) {
	p := &r.Response
	if p.Beyond == "" || scenarioOf(scenario) > scenarioOf(p.Beyond) {
		p.Beyond = scenarioOf(scenario).String()
	}
}

// scenarioOf reads a scenario; a word of another release is undecided.
func scenarioOf(word string) (s triage.Scenario) {
	if s.UnmarshalText([]byte(word)) != nil {
		return triage.Undecided
	}
	return s
}

func (t *Triaged) run() triage.Verdict { return triage.Run(triage.Runbook(), t.Signal, t.Facts) }

// about names the thing for people.
func (t *Triaged) about() string {
	subject := t.Signal.Subject.Identity()
	parts := []string{cmp.Or(string(t.Signal.Subject.Kind), t.Signal.AlertID)}
	for _, name := range sortedKeys(subject) {
		parts = append(parts, subject[name])
	}
	return clipped(strings.Join(parts, " "), maxEntry)
}

// person is the answer of a person that counts, nil where there is none.
func (t *Triaged) person(id string) *triage.Answer {
	all := t.Facts[id].Persons
	if len(all) == 0 {
		return nil
	}
	return &all[len(all)-1]
}

// overtaken is by how much at most what a triage says can be older than what another has said before it: by as
// long as an answer of GitHub's is believed, and a triage takes.
const overtaken = 30 * time.Minute

// take takes what data says now. What it said that led to a scenario to which it leads no more goes on to count,
// and what is of an earlier time than what is known calms nothing.
func (t *Triaged) take(s triage.Signal, data triage.Facts) {
	now := Triaged{Key: t.Key, Signal: s, Facts: triage.Facts{}}
	for id, r := range data {
		r.Data.Detail = clipped(r.Data.Detail, maxEntry)
		now.Facts[id] = triage.Record{Data: r.Data}
	}
	for id, r := range t.Facts {
		data := now.Facts[id].Data
		if apart := r.Data.At.Sub(data.At); apart > 0 && apart < overtaken {
			data = graverOf(id, r.Data, data)
			data.At = r.Data.At
		}
		now.Facts[id] = triage.Record{Data: data, Persons: r.Persons}
	}
	if t.Facts != nil {
		if was, is := t.run(), now.run(); lost(was.Scenarios, is.Scenarios) {
			for id, r := range t.Facts {
				now.Facts[id] = triage.Record{Data: graverOf(id, r.Data, now.Facts[id].Data), Persons: r.Persons}
			}
		}
	}
	*t = now
}

// lost reports whether one of the scenarios that asked for something is not there any more.
func lost(was, is []triage.Scenario) bool {
	return slices.ContainsFunc(was, func(s triage.Scenario) bool { return s > triage.None && !slices.Contains(is, s) })
}

// graverOf is the one of two answers of data that asks for more. Unknown is graver than what calms.
func graverOf(id string, was, now triage.Answer) triage.Answer {
	weight := map[triage.Truth]int{triage.No: 0, triage.Unknown: 1, triage.Yes: 2}
	if id == triage.KnownFalsePositive {
		weight = map[triage.Truth]int{triage.Yes: 0, triage.Unknown: 1, triage.No: 2}
	}
	if weight[now.Truth] >= weight[was.Truth] {
		return now
	}
	return was
}

// calls reports whether a verdict asks anybody for anything.
func calls(v *triage.Verdict) bool {
	return !v.Final || v.Scenario != triage.None && v.Scenario != triage.Pin
}

// judge makes the verdict of an incident from those of its things.
func (r *Record) judge(now time.Time) {
	p := &r.Response
	type judged struct {
		number int
		triage.Verdict
	}
	var all []judged
	for i := range p.Triaged {
		all = append(all, judged{i + 1, p.Triaged[i].run()})
	}
	slices.SortStableFunc(all, func(a, b judged) int {
		return cmp.Or(cmp.Compare(b.Scenario, a.Scenario), cmp.Compare(len(b.Open), len(a.Open)))
	})
	v := Verdict{Tree: triage.Runbook().Title, Digest: triage.Runbook().Digest, At: now, CloseOut: p.Beyond != ""}
	worst, undecided := triage.Undecided, false
	for i := range all {
		one, number := &all[i], ""
		if len(all) > 1 {
			number = fmt.Sprintf("#%d", all[i].number)
			v.Path = append(v.Path, Step{ID: number, Question: p.Triaged[all[i].number-1].about(), Answer: one.Scenario.String()})
		}
		worst, undecided = max(worst, one.Scenario), undecided || one.Scenario == triage.Undecided
		v.CloseOut = v.CloseOut || calls(&one.Verdict)
		for _, s := range one.Path {
			v.Path = append(v.Path, stepOf(&s, number))
			// What a person's word decided, a sweep does not end.
			v.CloseOut = v.CloseOut || s.Answer.By != ""
		}
		for _, q := range one.Open {
			v.Open = append(v.Open, fmt.Sprintf("%s%s: %s Ask %s.", q.Node, number, q.Text, roles(q.Ask)))
		}
	}
	if p.Beyond != "" {
		worst, undecided = max(worst, scenarioOf(p.Beyond)), undecided || scenarioOf(p.Beyond) == triage.Undecided
		v.Open = append(v.Open, "What more is there? It is not listed here, and its gravest scenario is "+p.Beyond+".")
	}
	if worst == triage.None && undecided {
		worst = triage.Undecided
	}
	v.Scenario = worst.String()
	r.setVerdict(v, now)
}

func roles(all []triage.Role) string {
	var words []string
	for _, role := range all {
		words = append(words, string(role))
	}
	return cmp.Or(strings.Join(words, " or "), "anybody")
}

// stepOf is a question that was asked of the thing of a number.
func stepOf(s *triage.Step, number string) Step {
	out := Step{ID: s.Node + number, Question: s.Question, Answer: s.Answer.Truth.String(), Source: s.Answer.Source}
	if s.Answer.By == "" {
		return out
	}
	out.By, out.Why = s.Answer.By, s.Answer.Detail
	var beside []string
	for _, a := range s.Beside {
		if a.Source != "" {
			beside = append(beside, fmt.Sprintf("%s said %s", cmp.Or(a.By, a.Source), a.Truth))
		}
	}
	out.Beside = strings.Join(beside, ", ")
	return out
}

// setVerdict keeps a verdict, of long lists and texts a part. That it became graver is told.
func (r *Record) setVerdict(v Verdict, now time.Time) {
	v.Scenario, v.Tree, v.Digest, v.Open = clipped(v.Scenario, maxEntry), clipped(v.Tree, maxEntry), clipped(v.Digest, maxEntry), clippedAll(v.Open)
	v.Path = slices.Clone(v.Path[:min(len(v.Path), maxLines)])
	for i, s := range v.Path {
		v.Path[i] = Step{
			ID: clipped(s.ID, 100), Question: clipped(s.Question, maxEntry), Answer: clipped(s.Answer, maxEntry), Source: clipped(s.Source, maxEntry),
			By: clipped(s.By, 100), Why: clipped(s.Why, maxEntry), Beside: clipped(s.Beside, maxEntry),
		}
	}
	old := r.Response.Verdict
	if old != nil && old.Digest == v.Digest && old.Scenario == v.Scenario && old.CloseOut == v.CloseOut && slices.Equal(old.Open, v.Open) && slices.Equal(old.Path, v.Path) {
		return
	}
	r.Response.Verdict = &v
	r.log(Entry{At: now, Kind: EntryVerdict, By: ByProgram, Text: v.Scenario})
	if old != nil && scenarioOf(v.Scenario) > max(triage.Pin, scenarioOf(old.Scenario)) {
		n := r.notice(NoticeChanged)
		n.Text = "the scenario is " + v.Scenario + ", and was " + clipped(old.Scenario, 40)
		r.tellLater(n)
	}
}

// forget drops what persons answered, when an incident begins again: what was so then may not be now.
func (r *Record) forget(now time.Time) {
	forgot := false
	for i := range r.Response.Triaged {
		t := &r.Response.Triaged[i]
		facts := triage.Facts{}
		for id, record := range t.Facts {
			forgot = forgot || len(record.Persons) > 0
			facts[id] = triage.Record{Data: record.Data}
		}
		t.Facts = facts
	}
	if forgot {
		r.log(Entry{At: now, Kind: EntryAnswer, By: ByProgram, Text: "the incident begins again: what persons answered before counts no more"})
		r.judge(now)
	}
}
