package incident

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/incident/command"
	"github.com/wormsweep/wormsweep/internal/triage"
)

// truths are the answers that a person gives. Withdraw, which is none of them, takes back what persons
// answered.
var truths = map[string]triage.Truth{"yes": triage.Yes, "no": triage.No, "unknown": triage.Unknown}

// answerQuestion takes a person's answer to a question of the triage: of one thing of the incident, or of
// all that are there now and ask it. It does not hold for what comes later.
func (c *clerk) answerQuestion(rec *Record, cmd command.Command) (did, not string) {
	all := rec.Response.Triaged
	switch {
	case rec.State.over():
		return "", stands(rec)
	case len(all) == 0:
		return "", "nothing of this incident was triaged"
	case cmd.Thing > len(all):
		return "", fmt.Sprintf("there is no thing %d: there are %d", cmd.Thing, len(all))
	}
	asked, about, before := 0, "", rec.Response.Verdict.Scenario
	after := slices.Clone(all)
	for i := range after {
		if _, ok := all[i].asked(cmd.Question); !ok || cmd.Thing > 0 && i != cmd.Thing-1 {
			continue
		}
		asked, about = asked+1, all[i].about()
		if why := c.answerOf(&after[i], cmd); why != "" {
			return "", why
		}
	}
	if asked == 0 {
		return "", "it is not asked here. Open are " + openOf(all)
	}
	if asked > 1 {
		about = count(asked, "thing", "things")
	}
	rec.Response.Triaged = after
	rec.log(Entry{At: c.now, Kind: EntryAnswer, By: c.by, Who: c.event.Author.Login, Text: fmt.Sprintf("%s %s, of %s: %s", cmd.Question, cmd.Truth, about, cmd.Text), Comment: c.event.Comment})
	rec.judge(c.now)
	v := rec.Response.Verdict
	did = fmt.Sprintf("taken, of %s. The scenario is %s, and was %s; %s open.", code(about), code(v.Scenario), code(before), count(len(v.Open), "question is", "questions are"))
	return did, ""
}

// asked is what counts as the answer to a question that is asked of a thing; ok is false where it is not.
func (t *Triaged) asked(id string) (truth triage.Truth, ok bool) {
	v := t.run()
	i := slices.IndexFunc(v.Path, func(s triage.Step) bool { return s.Node == id })
	if i < 0 {
		return triage.Unknown, false
	}
	return v.Path[i].Answer.Truth, true
}

// openOf are the ids of what is open.
func openOf(all []Triaged) string {
	var ids []string
	for i := range all {
		v := all[i].run()
		for _, q := range v.Open {
			if !slices.Contains(ids, q.Node) {
				ids = append(ids, q.Node)
			}
		}
	}
	if len(ids) == 0 {
		return "none"
	}
	return code(strings.Join(ids, ", "))
}

// answerOf puts an answer to a thing, and says why it may not be.
func (c *clerk) answerOf(t *Triaged, cmd command.Command) (why string) {
	before, record := t.run().Scenario, t.Facts[cmd.Question]
	was, _ := t.asked(cmd.Question)
	truth, answers := truths[cmd.Truth]
	var err error
	switch {
	case !answers && len(record.Persons) == 0:
		return "nobody has answered it for " + code(t.about())
	case !answers:
		facts := triage.Facts{}
		for id, r := range t.Facts {
			facts[id] = r
		}
		facts[cmd.Question] = triage.Record{Data: record.Data}
		t.Facts = facts
	default:
		t.Facts, err = t.Facts.Override(cmd.Question, triage.Answer{Truth: truth, By: c.event.Author.Login, At: c.now, Detail: clipped(cmd.Text, maxEntry)})
		if err != nil {
			return "it needs a reason"
		}
		r := t.Facts[cmd.Question]
		r.Persons = r.Persons[max(0, len(r.Persons)-maxPersons):]
		t.Facts[cmd.Question] = r
	}
	now, _ := t.asked(cmd.Question)
	calms := was == triage.Yes && now != triage.Yes
	if cmd.Question == triage.KnownFalsePositive {
		calms = now == triage.Yes
		if calms && triage.NeverFalse(t.Signal.AlertID) {
			return "of " + code(t.Signal.AlertID) + " no false positive is known: each is looked at"
		}
	}
	if after := t.run().Scenario; c.by != ByOnCall && (calms || before > triage.None && after < before) {
		return fmt.Sprintf("it lowers what is known of %s (the scenario %s would be %s): whoever is on call does that", code(t.about()), code(before.String()), code(after.String()))
	}
	return ""
}
