package incident

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/incident/command"
)

// CommentEvent is what a delivery says of a comment. Only its body is believed to be what somebody
// wrote: who it was, and whether they may, is asked anew.
type CommentEvent struct {
	Action      string // "created" or "edited"; others do nothing
	Repository  string // OWNER/NAME
	Issue       int
	PullRequest bool // the issue is one
	Comment     int64
	Author      Account
	Body        string
}

// ruling is what is decided of a comment as a whole.
type ruling struct {
	by      Mover  // who may; "" where it is refused
	refused string // why, in words of ours
	silent  bool   // nothing is answered: to programs, above all
	written time.Time
}

// HandleComment carries out the commands of a comment, once, however often it is delivered, and
// answers in one comment of ours. A comment without a command, or not on an incident's issue, does
// nothing. One that is refused is written down in the incident's timeline, and does nothing else.
//
// An error says that something could not be asked or written, and that it is to be called again.
func (d *Desk) HandleComment(ctx context.Context, e CommentEvent, fx Effects) error {
	if !strings.EqualFold(e.Repository, d.desk.Repository) || e.PullRequest || e.Issue <= 0 || e.Comment <= 0 ||
		strings.EqualFold(e.Author.Login, d.desk.Author) || e.Action != "created" && e.Action != "edited" {
		return nil
	}
	commands := command.Parse(e.Body)
	if len(commands) == 0 {
		return nil
	}
	rec, err := d.byIssue(ctx, e.Issue)
	if err != nil || rec == nil {
		return err
	}
	id, edited := rec.Campaign.ID, e.Action == "edited"
	if rec.handled(e.Comment, edited) == nil {
		r, err := d.rule(ctx, e)
		if err != nil {
			return fmt.Errorf("comment %d of issue %d: %w", e.Comment, e.Issue, err)
		}
		c := &clerk{Desk: d, event: e, ruling: r, now: d.opt.Now().UTC()}
		if err := c.ask(ctx, commands); err != nil {
			return fmt.Errorf("comment %d of issue %d: %w", e.Comment, e.Issue, err)
		}
		rec, err = d.change(ctx, id, nil, func(rec *Record) error { return c.decide(ctx, rec, commands) })
		if err != nil {
			return err
		}
	}
	return errors.Join(d.answer(ctx, rec, e, commands, fx), d.Show(ctx, id, fx), d.replan(ctx, rec, e, commands))
}

// replan has the plan made again after a comment that says what is no incident, or answers the triage.
func (d *Desk) replan(ctx context.Context, rec *Record, e CommentEvent, commands []command.Command) error {
	h := rec.handled(e.Comment, e.Action == "edited")
	about := slices.ContainsFunc(commands, func(c command.Command) bool { return c.Name == command.FalsePositive || c.Name == command.Answer })
	if d.desk.Replan == nil || h == nil || h.Silent || !about {
		return nil
	}
	return d.desk.Replan(ctx, rec.Campaign.ID)
}

// errUnnumbered is of an issue that may be that of an incident whose issue is being made.
var errUnnumbered = errors.New("an incident is about to have its issue, which may be this one")

// byIssue gives the incident of an issue; nil where it is none's. It is an error while an incident has
// none on record: people see an issue before whoever makes it has written down its number.
func (d *Desk) byIssue(ctx context.Context, issue int) (*Record, error) {
	ids, err := d.Incidents(ctx)
	if err != nil {
		return nil, err
	}
	var unread []error
	for _, id := range ids {
		rec, err := d.Incident(ctx, id)
		if err != nil {
			unread = append(unread, err) // it may be that one
			continue
		}
		switch rec.Issue {
		case issue:
			return rec, nil
		case 0:
			unread = append(unread, errUnnumbered)
		}
	}
	return nil, errors.Join(unread...)
}

// rule decides who wrote a comment, and whether that counts, now.
func (d *Desk) rule(ctx context.Context, e CommentEvent) (ruling, error) {
	const anew = ": write a new comment"
	switch {
	case !e.Author.Person:
		return ruling{refused: "a program wrote it", silent: true}, nil
	case e.Action == "edited":
		return ruling{refused: "an edit does nothing" + anew}, nil
	}
	now, err := d.desk.Remarks.Remark(ctx, e.Comment)
	switch {
	case errors.Is(err, ErrNotFound):
		return ruling{refused: "the comment was deleted", silent: true}, nil
	case err != nil:
		return ruling{}, err
	case !now.Author.Person || now.ID != e.Comment || now.Issue != e.Issue || now.Author.ID != e.Author.ID:
		return ruling{refused: "the comment is not as it was delivered", silent: true}, nil
	case now.Body != e.Body || !now.Updated.Equal(now.Created):
		return ruling{refused: "the comment was edited" + anew}, nil
	case d.opt.Now().Sub(now.Created) > d.desk.CommandAge:
		return ruling{refused: "the comment is older than " + short(d.desk.CommandAge) + anew}, nil
	}
	onCall, _, err := d.desk.Teams.Member(ctx, d.desk.OnCall, now.Author)
	switch {
	case err != nil:
		return ruling{}, err
	case onCall:
		return ruling{by: ByOnCall, written: now.Created}, nil
	}
	member, why, err := d.desk.Teams.Member(ctx, d.desk.Responders, now.Author)
	switch {
	case err != nil:
		return ruling{}, err
	case !member:
		return ruling{refused: why}, nil
	}
	return ruling{by: ByResponder, written: now.Created}, nil
}

// maxRefusalAnswers is how many refusals of one incident are answered; further ones are written
// down alone.
const maxRefusalAnswers = 20

// clerk carries out the commands of one comment.
type clerk struct {
	*Desk
	event CommentEvent
	ruling
	now time.Time

	assignable map[string]string // by login in lower case: why not; "" for yes
}

// ask asks what has to be known before the record is changed.
func (c *clerk) ask(ctx context.Context, commands []command.Command) error {
	c.assignable = map[string]string{}
	if c.by == "" {
		return nil
	}
	for _, cmd := range commands {
		if cmd.Name != command.Assign || cmd.Fault != "" {
			continue
		}
		who := Account{Login: cmd.Login, Person: true}
		member, why, err := c.desk.Teams.Member(ctx, c.desk.Responders, who)
		if err == nil && !member && c.desk.OnCall != c.desk.Responders {
			var other string
			if member, other, err = c.desk.Teams.Member(ctx, c.desk.OnCall, who); why == "" {
				why = other
			}
		}
		if err != nil {
			return err
		}
		if member {
			why = ""
		}
		c.assignable[strings.ToLower(cmd.Login)] = why
	}
	return nil
}

// decide makes the changes of a comment to a record that has not seen it, and writes down that it
// has.
func (c *clerk) decide(ctx context.Context, rec *Record, commands []command.Command) error {
	edited := c.event.Action == "edited"
	if rec.handled(c.event.Comment, edited) != nil {
		return nil // by another process, meanwhile
	}
	h := Handled{Comment: c.event.Comment, At: c.now, Edited: edited}
	if c.by == "" {
		h.Silent = c.silent || rec.refusals() >= maxRefusalAnswers
		h.Answers = []string{"Not carried out: " + c.refused + "."}
		c.refuse(rec, commands[0], c.refused)
		rec.handle(h)
		return nil
	}
	for _, cmd := range commands {
		text, err := c.carryOut(ctx, rec, cmd)
		if err != nil {
			return err
		}
		h.Answers = append(h.Answers, text)
	}
	rec.handle(h)
	return nil
}

// refuse writes down that a command was not carried out.
func (c *clerk) refuse(rec *Record, cmd command.Command, why string) {
	rec.log(Entry{At: c.now, Kind: EntryRefused, Who: c.event.Author.Login, Text: "/" + string(cmd.Name) + ": " + strings.ReplaceAll(why, "`", ""), Comment: c.event.Comment})
}

func (c *clerk) act(why string) act {
	return act{by: c.by, who: c.event.Author.Login, at: c.now, why: why, comment: c.event.Comment}
}

// answer answers a comment that was handled, in one comment.
func (d *Desk) answer(ctx context.Context, rec *Record, e CommentEvent, commands []command.Command, fx Effects) error {
	edited := e.Action == "edited"
	h := rec.handled(e.Comment, edited)
	if h == nil || h.Silent {
		return nil
	}
	what := fmt.Sprintf("comment %d %t", e.Comment, edited)
	key := fmt.Sprintf("incident-answer:%s#%d:%d:%t", strings.ToLower(d.desk.Repository), e.Issue, e.Comment, edited)
	head := d.opt.Key.commentHead(markAnswer, rec.Organisation, rec.Campaign.ID, what)
	return d.once(ctx, key, rec.Issue, head, func(ctx context.Context) (string, error) {
		var parts []string
		for i, text := range h.Answers {
			if text == "" && i < len(commands) {
				var err error
				if text, err = d.question(ctx, rec, commands[i]); err != nil {
					return "", err
				}
			}
			parts = append(parts, text)
		}
		return "To " + code(e.Author.Login) + ":\n\n" + clippedText(strings.Join(parts, "\n\n"), maxBytes), nil
	}, fx)
}

// clippedText is a text of ours of at most so many bytes, cut between lines.
func clippedText(s string, most int) string {
	if len(s) <= most {
		return s
	}
	s = s[:most]
	return s[:strings.LastIndexByte(s, '\n')+1] + "\nThere is more, which did not fit.\n"
}
