package incident_test

import (
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/incident"
)

// TestTransitions plays days: what each sweep saw, what a person did before it, and what was
// written after it.
func TestTransitions(t *testing.T) {
	const api, web = "api@HEAD:package-lock.json", "web@HEAD:package-lock.json"
	const both = "api@HEAD web@HEAD"
	type step struct {
		person func(w *world)
		saw    looks
		writes string
		open   int
		body   []string // of issue 1, what it has
		not    []string // and has not
		told   []string // what its last comment has
	}
	closeIt := func(w *world) { w.tracker.issues[0].Open = false }
	openIt := func(w *world) { w.tracker.issues[0].Open = true }
	for name, steps := range map[string][]step{
		"nothing found": {{saw: looks{read: both}}, {saw: looks{read: both, problems: "api:syntax"}}},
		"found, and the same every day": {
			{saw: looks{read: both, found: api}, writes: "Create", open: 1, body: []string{"**Hit:**", "`api`", "2026-11-01", "5.6.0", "known good", "`2026-08-04T09:35:00Z` to `2026-08-06`"}},
			{saw: looks{read: both, found: api}, open: 1},
			{saw: looks{read: both, found: api}, open: 1},
		},
		"more is found": {
			{saw: looks{read: both, found: api}, writes: "Create", open: 1},
			{saw: looks{read: both, found: api + " " + web}, writes: "Edit Comment", open: 1, body: []string{"`web`", "2 repositories"}, told: []string{"Found: 1 place", "`web`"}},
			{saw: looks{read: both, found: api + " " + web}, open: 1},
		},
		"one is cured, then the other": {
			{saw: looks{read: both, found: api + " " + web}, writes: "Create", open: 1},
			{saw: looks{read: both, found: web}, writes: "Edit Comment", open: 1, told: []string{"Settled: 1 place", "`api`", "found clean"}, body: []string{"### Settled"}},
			{saw: looks{read: both, found: web}, open: 1},
			{saw: looks{read: both}, writes: "Comment Edit", open: 0, told: []string{"Closed with proof", "2 refs of 2 repositories"}, body: []string{"**Settled:**", "`0000000000000000000000000000000000000004`"}},
			{saw: looks{read: both}, open: 0},
		},
		"closed with proof, and it returns": {
			{saw: looks{read: both, found: api}, writes: "Create", open: 1},
			{saw: looks{read: both}, writes: "Comment Edit", open: 0},
			{saw: looks{read: both, found: api}, writes: "Edit Comment", open: 1, told: []string{"Opened again", "Found: 1 place"}},
			{saw: looks{read: both, found: api}, open: 1},
			{saw: looks{read: both}, writes: "Comment Edit", open: 0},
		},
		"the repository is not read": {
			{saw: looks{read: both, found: api}, writes: "Create", open: 1},
			{saw: looks{read: "web@HEAD"}, writes: "Edit", open: 1, body: []string{"the repository was not in the sweep"}},
			{saw: looks{read: "web@HEAD"}, open: 1},
			{saw: looks{read: both}, writes: "Comment Edit", open: 0},
		},
		"the ref is not read": {
			{saw: looks{read: "api@refs/heads/a api@HEAD", found: "api@refs/heads/a:x"}, writes: "Create", open: 1},
			{saw: looks{read: "api@HEAD"}, writes: "Edit", open: 1, body: []string{"the ref was not in the sweep"}},
		},
		"one ref is cured and the other is not": {
			{saw: looks{read: "api@a api@b", found: "api@a:x api@b:x"}, writes: "Create", open: 1, body: []string{"`a`, `b`"}},
			{saw: looks{read: "api@a api@b", found: "api@b:x"}, writes: "Edit", open: 1, not: []string{"`a`, `b`"}},
			{saw: looks{read: "api@a"}, writes: "Edit", open: 1},
			{saw: looks{read: "api@a api@b"}, writes: "Comment Edit", open: 0},
		},
		"not all of it is read": {
			{saw: looks{read: both, found: api}, writes: "Create", open: 1},
			{saw: looks{read: both, problems: "api:truncated"}, writes: "Edit", open: 1, body: []string{"not all of it was read: truncated"}},
			{saw: looks{read: both + " api@a", problems: "api@HEAD:limit"}, writes: "Edit", open: 1, body: []string{"not all of it was read: limit"}},
			{saw: looks{read: both + " api@a", problems: "web:truncated api@a:truncated"}, writes: "Comment Edit", open: 0},
		},
		"what is not read is excluded": {
			{saw: looks{read: both, found: api}, writes: "Create", open: 1},
			{saw: looks{read: both, problems: "api@HEAD:truncated!"}, writes: "Edit", open: 1, body: []string{"not all of it was read: truncated"}},
			{saw: looks{read: both, problems: "api@HEAD:truncated!package-lock.json"}, open: 1},
			{saw: looks{read: both, problems: "api:truncated!package api:limit!test/yarn.lock"}, writes: "Comment Edit", open: 0},
		},
		"the sweep is not sound": {
			{saw: looks{read: both, found: api}, writes: "Create", open: 1},
			{saw: looks{read: both, problems: ":canary"}, writes: "Edit", open: 1, body: []string{"not sound: canary"}},
			{saw: looks{read: both, killed: true}, writes: "Edit", open: 1, body: []string{"did not come to its end"}},
		},
		"other repositories are not shown": {
			{saw: looks{read: both, found: api + " web@:repository-topic"}, writes: "Create", open: 1},
			{saw: looks{read: both, problems: ":partial-view :permission :inventory"}, writes: "Edit Comment", open: 1, body: []string{"not sound: permission", "Of the sweep as a whole: `inventory`, `partial-view`, `permission`"}},
			{saw: looks{read: both, problems: ":partial-view"}, writes: "Comment Edit", open: 0},
		},
		"the sweep does not look for it": {
			{saw: looks{read: both, found: api}, writes: "Create", open: 1},
			{saw: looks{read: both, looksFor: func(c, _ string) bool { return c != campaignID }}, writes: "Edit", open: 1, body: []string{"did not look for this indicator"}},
		},
		"the catalogue lacks it": {
			{saw: looks{read: both, found: api}, writes: "Create", open: 1},
			{person: func(w *world) { w.opt.Campaigns = nil }, saw: looks{read: both}, writes: "Edit", open: 1, body: []string{"did not look for this indicator", "Shai-Hulud, keyv wave"}},
		},
		"the catalogue lost the row, and has the campaign": {
			{saw: looks{read: both, found: api}, writes: "Create", open: 1},
			{saw: looks{read: both, unlisted: true}, writes: "Edit", open: 1, body: []string{"does not list it any more"}},
			{saw: looks{read: both}, writes: "Comment Edit", open: 0},
		},
		"a clean repository takes the name of one that moved": {
			{saw: looks{read: "api#1@HEAD", found: "api#1@HEAD:x"}, writes: "Create", open: 1},
			{saw: looks{read: "api#2@HEAD"}, writes: "Edit", open: 1, body: []string{"the repository was not in the sweep"}},
			{saw: looks{read: "api#2@HEAD old-api#1@HEAD", found: "old-api#1@HEAD:x"}, writes: "Edit", open: 1, body: []string{"`old-api`"}, not: []string{"`api`", "was not in the sweep"}},
			{saw: looks{read: "api#2@HEAD old-api#1@HEAD", problems: "api#2:truncated"}, writes: "Comment Edit", open: 0},
		},
		"a hit repository takes the name of one that moved": {
			{saw: looks{read: "api#1@HEAD", found: "api#1@HEAD:x"}, writes: "Create", open: 1},
			{saw: looks{read: "api#2@HEAD old-api#1@HEAD", found: "api#2@HEAD:x"}, writes: "Edit Comment", open: 1, told: []string{"Found: 1 place", "Settled: 1 place"}},
			{saw: looks{read: "api#2@HEAD old-api#1@HEAD"}, writes: "Comment Edit", open: 0, told: []string{"Closed with proof"}},
		},
		"a repository is renamed and excluded": {
			{saw: looks{read: "api#1@HEAD", found: "api#1@HEAD:x"}, writes: "Create", open: 1},
			{saw: looks{read: "old-api#1@HEAD", excluded: "old-api#1@HEAD:x"}, writes: "Comment Edit", open: 0, body: []string{"covered by an exclusion"}},
		},
		"the number of a repository is told later": {
			{saw: looks{read: "api@HEAD", found: "api@HEAD:x"}, writes: "Create", open: 1},
			{saw: looks{read: "api#1@HEAD", found: "api#1@HEAD:x"}, open: 1},
			{saw: looks{read: "api#2@HEAD"}, writes: "Edit", open: 1, body: []string{"was not in the sweep"}},
			{saw: looks{read: "api@HEAD", problems: "api:not-visible"}, writes: "Edit", open: 1, body: []string{"not all of it was read: not-visible"}},
			{saw: looks{read: "api#1@HEAD"}, writes: "Comment Edit", open: 0},
		},
		"a release": {
			{saw: looks{read: both, found: "api@:release-name"}, writes: "Create", open: 1},
			{saw: looks{read: both}, writes: "Edit", open: 1, body: []string{"does not tell whether it looked there again"}},
			{saw: looks{read: both, shown: "release", lacking: "acme"}, open: 1},
			{saw: looks{read: both, shown: "release", fallback: "acme"}, open: 1},
			{saw: looks{read: both, shown: "release", problems: "api:limit"}, writes: "Edit", open: 1, body: []string{"not all of it was read: limit"}},
			{saw: looks{read: both, shown: "release"}, writes: "Comment Edit", open: 0},
		},
		"a share of the work": {
			{saw: looks{read: both, found: api + " " + web}, writes: "Create", open: 1},
			{saw: looks{read: "web@HEAD", shard: "1/2"}, writes: "Edit Comment", open: 1, not: []string{"was not in the sweep"}},
			{saw: looks{read: "api@HEAD", shard: "2/2"}, writes: "Comment Edit", open: 0},
		},
		"a sweep of a part": {
			{saw: looks{read: both, found: api}, writes: "Create", open: 1},
			{saw: looks{read: "web@HEAD", partial: true, problems: "web:syntax"}, open: 1},
			{saw: looks{read: "api@other", partial: true}, open: 1},
			{saw: looks{read: both, partial: true, looksFor: func(c, _ string) bool { return c != campaignID }}, open: 1},
			{saw: looks{read: both, partial: true, problems: "api:truncated"}, writes: "Edit", open: 1, body: []string{"not all of it was read"}},
			{saw: looks{read: "api@HEAD", partial: true}, writes: "Comment Edit", open: 0},
		},
		"a sweep for other campaigns alone": {
			{saw: looks{read: both, found: api}, writes: "Create", open: 1},
			{saw: looks{read: both, partial: true, only: "other another"}, open: 1},
			{saw: looks{read: both, only: "other"}, writes: "Edit", open: 1, body: []string{"did not look for this indicator"}},
			{saw: looks{read: both, partial: true, only: "other " + campaignID}, writes: "Comment Edit", open: 0},
		},
		"excluded": {
			{saw: looks{read: both, found: api}, writes: "Create", open: 1},
			{saw: looks{read: both, excluded: api}, writes: "Comment Edit", open: 0, told: []string{"covered by an exclusion"}},
			{saw: looks{read: both, found: api}, writes: "Edit Comment", open: 1}, // it expired
		},
		"withdrawn": {
			{saw: looks{read: both, found: api}, writes: "Create", open: 1},
			{saw: looks{read: both, withdrawn: api}, writes: "Comment Edit", open: 0, told: []string{"withdrawn by its sources"}},
		},
		"a person closes it": {
			{saw: looks{read: both, found: api}, writes: "Create", open: 1},
			{person: closeIt, saw: looks{read: both, found: api}, open: 0},
			{saw: looks{read: both, found: api}, open: 0},
			{saw: looks{read: both, found: api + " " + web}, writes: "Edit Comment", open: 1, told: []string{"`web`"}},
			{saw: looks{read: both, found: web}, writes: "Edit Comment", open: 1},
			{saw: looks{read: both}, writes: "Comment Edit", open: 0},
		},
		"a person closes it, it is cured, and it returns": {
			{saw: looks{read: both, found: api}, writes: "Create", open: 1},
			{person: closeIt, saw: looks{read: both, found: api}, open: 0},
			{saw: looks{read: both}, open: 0},
			{saw: looks{read: both, found: api}, writes: "Edit Comment", open: 1},
		},
		"a person opens it after the proof": {
			{saw: looks{read: both, found: api}, writes: "Create", open: 1},
			{saw: looks{read: both}, writes: "Comment Edit", open: 0},
			{person: openIt, saw: looks{read: both}, writes: "Edit", open: 1, body: []string{"a person has to close it"}},
			{saw: looks{read: both}, open: 1},
			{saw: looks{read: both, found: api}, writes: "Edit Comment", open: 1},
			{saw: looks{read: both}, writes: "Comment Edit", open: 0},
		},
		"a person deletes it": {
			{saw: looks{read: both, found: api}, writes: "Create", open: 1},
			{person: func(w *world) { w.tracker.issues[0].gone = true }, saw: looks{read: both, found: api}, writes: "Create", open: 1},
			{saw: looks{read: both, found: api}, open: 1},
		},
		"a person closes it, and deletes it": {
			{saw: looks{read: both, found: api}, writes: "Create", open: 1},
			{person: closeIt, saw: looks{read: both, found: api}, open: 0},
			{person: func(w *world) { w.tracker.issues[0].gone = true }, saw: looks{read: both, found: api}, open: 0},
			{saw: looks{read: both, found: api + " " + web}, writes: "Create", open: 1},
		},
		"two refs whose names differ in bytes that are no UTF-8": {
			{saw: looks{read: "api@r\xff api@r\xfe", found: "api@r\xff:x"}, writes: "Create", open: 1},
			{saw: looks{read: "api@r\xff", unread: "api@r\xfe"}, writes: "Edit", open: 1},
			{saw: looks{unread: "api@r\xfe", read: "api@r\xff"}, open: 1},
			{saw: looks{read: "api@r\xff api@r\xfe"}, writes: "Comment Edit", open: 0},
		},
		"what a ref shows, which is deleted": {
			{saw: looks{read: both + " api@refs/heads/shai-hulud", found: "api@refs/heads/shai-hulud:"}, writes: "Create", open: 1, body: []string{"the ref itself at `refs/heads/shai-hulud`"}},
			{saw: looks{read: both}, writes: "Edit", open: 1, body: []string{"the ref was not in the sweep; was it deleted?"}},
			{saw: looks{read: both, gone: "api@refs/heads/shai-hulud"}, writes: "Comment Edit", open: 0, told: []string{"the ref was deleted at `refs/heads/shai-hulud`"}},
			{saw: looks{read: both + " api@refs/heads/shai-hulud", found: "api@refs/heads/shai-hulud:"}, writes: "Edit Comment", open: 1},
		},
		"what a repository shows to those with a permission": {
			{saw: looks{read: both, found: "api@:runner-name"}, writes: "Create", open: 1},
			{saw: looks{read: both}, writes: "Edit", open: 1, body: []string{"does not tell whether it looked there again"}},
		},
		"what commits show, where they were not asked for": {
			{saw: looks{read: both, found: "api@HEAD:"}, writes: "Create", open: 1},
			{saw: looks{read: both, fallback: "acme"}, writes: "Edit", open: 1, body: []string{"messages and authors of commits were not looked at"}},
			{saw: looks{read: both}, writes: "Comment Edit", open: 0},
		},
		"what the repository itself shows": {
			{saw: looks{read: both, found: "api@:repository-name"}, writes: "Create", open: 1, body: []string{"  - the repository itself: `pkg"}},
			{saw: looks{read: both, found: "api@:repository-name"}, open: 1},
			{saw: looks{read: "web@HEAD"}, writes: "Edit", open: 1, body: []string{"the repository was not in the sweep"}},
			{saw: looks{read: "web@HEAD api@HEAD", unread: "api@refs/heads/a"}, writes: "Edit", open: 1, body: []string{"not read whole"}},
			{saw: looks{read: both, problems: "api@HEAD:limit"}, writes: "Edit", open: 1, body: []string{"not all of it was read: limit"}},
			{saw: looks{read: both}, writes: "Comment Edit", open: 0, told: []string{"the repository itself: found clean (2026-11-06)"}},
		},
		"a person takes the label away": {
			{saw: looks{read: both, found: api}, writes: "Create", open: 1},
			{person: func(w *world) { w.tracker.issues[0].hidden = 1000 }, saw: looks{read: both, found: api}, open: 1},
		},
		"a person takes the mark away": {
			{saw: looks{read: both, found: api}, writes: "Create", open: 1},
			{person: func(w *world) { w.tracker.issues[0].Body = "mine now" }, saw: looks{read: both, found: api}, writes: "Edit", open: 1, body: []string{"**Hit:**"}},
			{saw: looks{read: both, found: api}, open: 1},
		},
		"the record is lost": {
			{saw: looks{read: both, found: api}, writes: "Create", open: 1},
			{person: func(w *world) { *w.store = *newMemory() }, saw: looks{read: both, found: api}, writes: "Edit", open: 1, body: []string{"record of this incident was lost"}},
			{saw: looks{read: both}, writes: "Edit Comment", open: 1},
			{saw: looks{read: both}, open: 1},
		},
		"the record is lost, and nothing is found": {
			{saw: looks{read: both, found: api}, writes: "Create", open: 1},
			{person: func(w *world) { *w.store = *newMemory() }, saw: looks{read: both}, writes: "Edit", open: 1, body: []string{"record of this incident was lost", "**Not proven clean:**"}},
			{saw: looks{read: both}, open: 1},
		},
		"the record is lost after the proof": {
			{saw: looks{read: both, found: api}, writes: "Create", open: 1},
			{saw: looks{read: both}, writes: "Comment Edit", open: 0},
			{person: func(w *world) { *w.store = *newMemory() }, saw: looks{read: both}, open: 0},
			{saw: looks{read: both, found: web}, writes: "Edit Comment", open: 1, not: []string{"was lost"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			for i, s := range steps {
				if s.person != nil {
					s.person(w)
				}
				w.expect(i+1, s.saw, s.writes, s.open)
				if len(s.body) > 0 {
					w.has(w.body(1), s.body...)
				}
				for _, not := range s.not {
					if strings.Contains(w.body(1), not) {
						t.Errorf("day %d: %q in:\n%s", i+1, not, w.body(1))
					}
				}
				if len(s.told) > 0 {
					w.has(w.lastComment(1), s.told...)
				}
			}
		})
	}
}

// TestPlanIsPure: the same input gives the same plan, and is as it was.
func TestPlanIsPure(t *testing.T) {
	in := incident.Input{Key: testKey(t), Organisation: "acme", Campaign: keyvCampaign, Sweep: sweepOf(1, looks{read: "api@HEAD", found: "api@HEAD:x"}, nil)}
	first := incident.Plan(in)
	in.Previous = first.Record
	in.Sweep = sweepOf(2, looks{read: "api@HEAD", found: "api@HEAD:y"}, []incident.Swept{{Name: "api"}})
	a, b := incident.Plan(in), incident.Plan(in)
	if len(a.Actions) != len(b.Actions) || len(a.Actions) == 0 {
		t.Fatalf("%d actions, then %d", len(a.Actions), len(b.Actions))
	}
	for i := range a.Actions {
		if a.Actions[i] != b.Actions[i] {
			t.Errorf("action %d: %+v, then %+v", i, a.Actions[i], b.Actions[i])
		}
	}
	if n := len(in.Previous.Places); n != 1 {
		t.Errorf("the record given has %d places now", n)
	}
}

// A stream that is filed late, by a job that is run again for one, proves nothing of what a later sweep found.
func TestOlderSweep(t *testing.T) {
	const api, both = "api@HEAD:package-lock.json", "api@HEAD web@HEAD"
	w := newWorld(t)
	w.expect(2, looks{read: both, found: api}, "Create", 1)
	w.expect(1, looks{read: both}, "", 1)
	w.expect(4, looks{read: both, found: api}, "", 1)
	w.expect(3, looks{read: both}, "", 1)
	w.expect(3, looks{read: both, found: api}, "", 1)
	w.expect(3, looks{read: both}, "", 1)
	w.expect(5, looks{read: both}, "Comment Edit", 0)
}
