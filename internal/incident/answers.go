package incident

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/exclusion"
	"github.com/wormsweep/wormsweep/internal/incident/command"
	"github.com/wormsweep/wormsweep/internal/report"
)

// carryOut carries out one command on a record, and gives the answer; "" for a question, which is
// answered later. The error is for what could not be written elsewhere.
func (c *clerk) carryOut(ctx context.Context, rec *Record, cmd command.Command) (string, error) {
	name := code("/" + string(cmd.Name))
	if cmd.Fault != "" {
		if cmd.Name == "" {
			return "Not carried out: there is no such command. There are " + usageOfAll() + ".", nil
		}
		return fmt.Sprintf("%s was not carried out: %s. It is written %s.", name, cmd.Fault, code(cmd.Name.Usage())), nil
	}
	if cmd.Name.Question() {
		return "", nil
	}
	var did, not string
	var err error
	switch cmd.Name {
	case command.Ack:
		did, not = c.ack(rec, cmd)
	case command.Contained:
		did, not = c.contained(rec, cmd)
	case command.Assign:
		did, not = c.assign(rec, cmd)
	case command.Answer:
		did, not = c.answerQuestion(rec, cmd)
	case command.FalsePositive:
		did, not, err = c.falsePositive(ctx, rec, cmd)
	case command.Resolve:
		did, not = c.resolve(rec, cmd)
	case command.Done:
		did, not = c.done(rec, cmd)
	case command.Undone:
		did, not = c.undone(rec, cmd)
	}
	switch {
	case err != nil:
		return "", err
	case not != "":
		c.refuse(rec, cmd, not)
		return fmt.Sprintf("%s was not carried out: %s.", name, not), nil
	}
	return name + ": " + did, nil
}

func usageOfAll() string {
	var all []string
	for _, name := range command.Names() {
		all = append(all, code(name.Usage()))
	}
	return strings.Join(all, ", ")
}

// stands says why an incident is not moved.
func stands(rec *Record) string {
	return "the incident is " + string(rec.State)
}

func (c *clerk) ack(rec *Record, cmd command.Command) (did, not string) {
	if err := rec.move(Acknowledged, c.act(cmd.Text)); err != nil {
		return "", stands(rec) + " already"
	}
	if rec.Response.Owner == "" {
		rec.Response.Owner = c.event.Author.Login
	}
	n := rec.notice(NoticeAcknowledged)
	n.Who, n.Text = c.event.Author.Login, clipped(cmd.Text, maxEntry)
	rec.tellLater(n)
	return "acknowledged. " + code(rec.Response.Owner) + " leads the response.", ""
}

func (c *clerk) contained(rec *Record, cmd command.Command) (did, not string) {
	if err := rec.contain(c.act(cmd.Text)); err != nil {
		return "", stands(rec)
	}
	if rec.Response.Owner == "" {
		rec.Response.Owner = c.event.Author.Login
	}
	return "contained. A sweep proves whether it is gone.", ""
}

func (c *clerk) assign(rec *Record, cmd command.Command) (did, not string) {
	if rec.State.over() {
		return "", stands(rec)
	}
	if why := c.assignable[strings.ToLower(cmd.Login)]; why != "" {
		return "", "of " + code(cmd.Login) + ": " + why
	}
	if !strings.EqualFold(rec.Response.Owner, cmd.Login) {
		rec.Response.Owner = cmd.Login
		rec.log(Entry{At: c.now, Kind: EntryOwner, By: c.by, Who: c.event.Author.Login, Text: cmd.Login, Comment: c.event.Comment})
	}
	return code(cmd.Login) + " leads the response.", ""
}

// resolve declares an incident over: with the proof of a sweep, or with a reason and without one.
func (c *clerk) resolve(rec *Record, cmd command.Command) (did, not string) {
	switch {
	case c.by != ByOnCall:
		return "", "whoever is on call declares an incident over"
	case rec.State.over():
		return "", stands(rec) + " already"
	case rec.State == Cured:
		rec.must(Closed, c.act(cmd.Text))
		did = "closed, with the proof of the sweep."
	case cmd.Text == "":
		return "", "nothing proves that it is gone, so it needs a reason: " + code(command.Resolve.Usage())
	default:
		rec.must(Dismissed, c.act(cmd.Text))
		did = "over by your word, and without proof. It is opened again when something new is found."
	}
	if rec.Response.Escalated > 0 {
		did += " It was escalated: whoever is on call writes the post-mortem."
	}
	rec.Response.Closing = true
	n := rec.notice(NoticeOver)
	n.Who, n.Text = c.event.Author.Login, clipped(cmd.Text, maxEntry)
	rec.tellLater(n)
	return did, ""
}

// maxExcluded is how many places one command declares false.
const maxExcluded = 500

// falsePositive excludes the places that are open now, and no others, until a day. Where none is, the incident
// is one of signals, and those are declared false.
func (c *clerk) falsePositive(ctx context.Context, rec *Record, cmd command.Command) (did, not string, err error) {
	today := c.now.Truncate(24 * time.Hour)
	most := today.Add(c.desk.MaxExclusion)
	places := rec.open()
	switch {
	case c.desk.Exclusions == nil:
		return "", "false positives are not kept here: use the exclusions file", nil
	case rec.State.over():
		return "", stands(rec), nil
	case len(places) == 0 && len(rec.Response.Triaged) == 0:
		return "", "no place is open", nil
	case len(places) > maxExcluded:
		return "", fmt.Sprintf("%d places are more than %d: use the exclusions file, for what they have in common", len(places), maxExcluded), nil
	case cmd.Until.Before(today):
		return "", "the day is over", nil
	case cmd.Until.After(most):
		return "", "it ends too late: the last day that may be named is " + most.Format(time.DateOnly), nil
	case len(places) == 0:
		return c.declare(ctx, rec, cmd)
	}
	entries := make([]exclusion.Fingerprint, len(places))
	for i, p := range places {
		entries[i] = exclusion.Fingerprint{Owner: c.event.Author.Login, Reason: cmd.Text, Expires: cmd.Until, Fingerprint: p.Fingerprint}
	}
	if err := c.exclude(ctx, entries); err != nil {
		return "", "", fmt.Errorf("exclusions: %w", err)
	}
	until := cmd.Until.Format(time.DateOnly)
	rec.log(Entry{At: c.now, Kind: EntryExcluded, By: c.by, Who: c.event.Author.Login, Text: count(len(places), "place", "places") + " until " + until + ": " + cmd.Text, Comment: c.event.Comment})
	return fmt.Sprintf("%s left out until %s. The next sweep settles this; what is found elsewhere counts.", count(len(places), "place is", "places are"), until), "", nil
}

// exclude adds to the organisation's exclusions what is not among them yet.
func (c *clerk) exclude(ctx context.Context, entries []exclusion.Fingerprint) error {
	key := strings.ToLower(c.opt.Organisation)
	for range maxTries {
		data, version, err := c.desk.Exclusions.Load(ctx, key)
		if err != nil {
			return err
		}
		if version == 0 {
			data = nil
		}
		more, err := exclusion.Add(data, c.now, entries...)
		if err != nil {
			return err
		}
		if _, swapped, err := c.desk.Exclusions.Swap(ctx, key, version, more); err != nil || swapped {
			return err
		}
	}
	return errElsewhere
}

// maxReply bounds the text of one answer to a question, in bytes.
const maxReply = 20_000

// question answers a question.
func (d *Desk) question(ctx context.Context, rec *Record, cmd command.Command) (string, error) {
	name := code("/" + string(cmd.Name))
	if d.desk.Questions == nil {
		return name + " is not answered here: the App was set up without an inventory.", nil
	}
	var reply Reply
	var err error
	switch cmd.Name {
	case command.WhoHas:
		reply, err = d.desk.Questions.WhoHas(ctx, cmd.Text)
	case command.Exposure:
		reply, err = d.desk.Questions.Exposure(ctx, rec.Campaign.ID, cmd.Text)
	case command.Plan:
		reply, err = d.desk.Questions.Plan(ctx, rec.Campaign.ID)
	default:
		err = errors.New("no question")
	}
	if err != nil {
		return "", fmt.Errorf("/%s: %w", cmd.Name, err)
	}
	if reply.Fault != "" {
		return name + " has no answer: " + code(reply.Fault), nil
	}
	if cmd.Text != "" {
		name += " " + code(cmd.Text)
	}
	l := list{limit: maxReply}
	l.b.WriteString(name + ": " + code(reply.Summary) + "\n\n")
	for _, line := range reply.Lines {
		l.add("- " + report.EscapeMarkdown(line, 400) + "\n")
	}
	l.left += reply.More
	text := l.end("- and %d more")
	missing := list{limit: maxReply / 4}
	for _, line := range reply.Missing {
		missing.add("- not looked at: " + code(line) + "\n")
	}
	return text + missing.end("- and %d more that were not looked at"), nil
}
