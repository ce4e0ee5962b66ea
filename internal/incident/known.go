package incident

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/incident/command"
	"github.com/wormsweep/wormsweep/internal/triage"
)

// KnownFalsePositives gives the signals that people declared false by commands in an organisation; nil where
// they declared none. What does not read back is an error.
func KnownFalsePositives(ctx context.Context, store Store, organisation string, now time.Time) ([]triage.FalsePositive, error) {
	list, _, err := knownIn(ctx, store, organisation, now)
	return list, err
}

func knownIn(ctx context.Context, store Store, organisation string, now time.Time) (list []triage.FalsePositive, version int64, err error) {
	key := strings.ToLower(organisation)
	data, version, err := store.Load(ctx, key)
	if err == nil && version > 0 {
		list, err = triage.ParseKnown("commands in the issues of "+key, data, now)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("known false positives: %w", err)
	}
	return list, version, nil
}

// declare makes the things of an incident known false positives until a day, and them alone: those that may be
// some.
func (c *clerk) declare(ctx context.Context, rec *Record, cmd command.Command) (did, not string, err error) {
	after := slices.Clone(rec.Response.Triaged)
	var entries []triage.FalsePositive
	for i := range after {
		t := &after[i]
		s := &t.Signal
		entry := triage.FalsePositive{Alert: s.AlertID, Subject: s.Subject.Kind, Parts: s.Subject.Identity(), Owner: c.event.Author.Login, Reason: cmd.Text, Until: cmd.Until.AddDate(0, 0, 1)}
		if entry.Check() != nil {
			continue
		}
		entries = append(entries, entry)
		t.Facts = t.Facts.With(triage.KnownFalsePositive, triage.KnownAnswer(entries, s, c.now))
	}
	switch {
	case len(entries) == 0:
		return "", "no place is open, and nothing else of it can be declared false", nil
	case c.by != ByOnCall:
		return "", "it is no place of a repository: whoever is on call calls a signal false", nil
	case c.desk.Known == nil:
		return "", "false positives are not kept here", nil
	}
	if not, err := c.know(ctx, entries); not != "" || err != nil {
		return "", not, err
	}
	before := rec.Response.Verdict.Scenario
	rec.Response.Triaged = after
	until := cmd.Until.Format(time.DateOnly)
	rec.log(Entry{At: c.now, Kind: EntryExcluded, By: c.by, Who: c.event.Author.Login, Text: count(len(entries), "signal", "signals") + " until " + until + ": " + cmd.Text, Comment: c.event.Comment})
	rec.judge(c.now)
	return fmt.Sprintf("%s known to be false until %s. The scenario is %s, and was %s; %s ends the incident.", count(len(entries), "signal is", "signals are"), until,
		code(rec.Response.Verdict.Scenario), code(before), code("/resolve")), "", nil
}

// know adds to the organisation's known false positives what is not among them yet. not says why it cannot be
// one.
func (c *clerk) know(ctx context.Context, entries []triage.FalsePositive) (not string, err error) {
	for range maxTries {
		list, version, err := knownIn(ctx, c.desk.Known, c.opt.Organisation, c.now)
		if err != nil {
			return "", err
		}
		list = slices.DeleteFunc(list, func(p triage.FalsePositive) bool { return c.now.Sub(p.Until) > triage.MaxKnownDays*24*time.Hour })
		for i := range entries {
			if !slices.ContainsFunc(list, entries[i].Equal) {
				list = append(list, entries[i])
			}
		}
		data, err := triage.FormatKnown(list)
		if err == nil {
			_, err = triage.ParseKnown("known false positives", data, c.now)
		}
		if err != nil {
			return "what it is about cannot be written into a list, or the list is full", nil //nolint:nilerr // it is somebody's text
		}
		if _, swapped, err := c.desk.Known.Swap(ctx, strings.ToLower(c.opt.Organisation), version, data); err != nil || swapped {
			return "", err
		}
	}
	return "", errElsewhere
}
