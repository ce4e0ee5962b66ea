package chaos

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/journal"
)

// Violation is something that contradicts an invariant.
type Violation struct {
	Invariant string
	What      string
}

func (v Violation) String() string { return v.Invariant + ": " + v.What }

// invariants are what Check holds against evidence, in order.
var invariants = []struct {
	name string
	hold func(e *Evidence, violated func(format string, args ...any))
}{
	{"I1", storedOnce},
	{"I2", askedAgain},
	{"I3", oneIncident},
	{"I3", oneCheckRun},
	{"I7", wholeOrSaid},
	{"I8", atRest},
	{"I9", noSecret},
	{"told", asGitHubAsks},
}

// Check gives what contradicts the invariants, in a fixed order.
func Check(e *Evidence) []Violation {
	var out []Violation
	for _, i := range invariants {
		i.hold(e, func(format string, args ...any) {
			out = append(out, Violation{i.name, fmt.Sprintf(format, args...)})
		})
	}
	return out
}

// delivery is what a delivery is stored under.
type delivery struct {
	hook int64
	id   string
}

func (e *Evidence) rows() map[delivery][]journal.Delivery {
	rows := map[delivery][]journal.Delivery{}
	for _, d := range e.Stored {
		key := delivery{d.Hook, d.ID}
		rows[key] = append(rows[key], d)
	}
	return rows
}

// answered reports whether GitHub takes the attempt for delivered.
func (a *Attempt) answered() bool { return a.Status >= 200 && a.Status <= 299 }

func storedOnce(e *Evidence, violated func(string, ...any)) {
	rows := e.rows()
	told := map[delivery]bool{}
	for _, a := range e.Attempts {
		key := delivery{a.Hook, a.ID}
		if !a.answered() || told[key] {
			continue
		}
		told[key] = true
		if n := len(rows[key]); n != 1 {
			violated("delivery %s was answered with %d and is stored %d times", a.ID, a.Status, n)
			continue
		}
		switch d := rows[key][0]; {
		case d.State == journal.Done:
		case d.State == journal.Dead && d.Reason == "":
			violated("delivery %s is dead without a reason", a.ID)
		case d.State != journal.Dead:
			violated("delivery %s was answered with %d and is %q", a.ID, a.Status, d.State)
		}
	}
}

// askedAgain holds that what failed is stored in the end: by another attempt that was asked for,
// or because the answer alone was lost.
func askedAgain(e *Evidence, violated func(string, ...any)) {
	rows := e.rows()
	last := map[delivery]Attempt{}
	var order []delivery
	for _, a := range e.Attempts {
		key := delivery{a.Hook, a.ID}
		if !a.Listed {
			continue
		}
		if _, there := last[key]; !there {
			order = append(order, key)
		}
		last[key] = a
	}
	for _, key := range order {
		if a := last[key]; !a.answered() && len(rows[key]) == 0 {
			violated("delivery %s failed (%d) and was not asked for until it was stored", a.ID, a.Status)
		}
	}
}

// hit is how an incident issue names its campaign.
func hit(campaign string) string { return "**Hit:** `" + campaign + "`" }

// answer is how a comment of ours begins that answers somebody's.
const answer = "To `"

func oneIncident(e *Evidence, violated func(string, ...any)) {
	var open []githubtest.Issue
	answers := 0
	for _, issue := range e.Issues {
		if issue.State == "open" && strings.Contains(issue.Body, hit(e.Truth.Campaign)) {
			open = append(open, issue)
		}
		seen := map[string]bool{}
		for _, comment := range issue.Comments {
			// Each of our comments begins with a mark of what it says.
			if ours := strings.HasPrefix(comment, "<!-- wormsweep "); ours {
				mark, text, _ := strings.Cut(comment, "\n")
				if seen[mark] {
					violated("issue %d has a comment twice: %.200q", issue.Number, comment)
				}
				seen[mark] = true
				if strings.HasPrefix(text, answer) {
					answers++
				}
			}
		}
	}
	if answers != e.Truth.Asked {
		violated("%d answers to %d questions", answers, e.Truth.Asked)
	}
	var holders []string
	for _, name := range slices.Sorted(maps.Keys(e.Truth.Planted)) {
		if e.Truth.Planted[name] {
			holders = append(holders, name)
		}
	}
	switch {
	case len(open) > 1:
		violated("%d open issues of %q", len(open), e.Truth.Campaign)
	case len(holders) > 0 && len(open) == 0:
		violated("no open issue of %q, which is in %q", e.Truth.Campaign, holders)
	}
	if len(open) == 0 {
		return
	}
	text := open[0].Body + strings.Join(open[0].Comments, "\n")
	for _, name := range holders {
		if !strings.Contains(text, "] `"+name+"`,") {
			violated("the issue of %q does not name %q", e.Truth.Campaign, name)
		}
	}
}

func oneCheckRun(e *Evidence, violated func(string, ...any)) {
	type place struct{ repository, commit, name string }
	runs := map[place][]githubtest.CheckRun{}
	for repository, all := range e.CheckRuns {
		for _, run := range all {
			key := place{repository, run.HeadSHA, run.Name}
			runs[key] = append(runs[key], run)
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(runs), func(a, b place) int {
		return cmp.Or(cmp.Compare(a.repository, b.repository), cmp.Compare(a.commit, b.commit), cmp.Compare(a.name, b.name))
	}) {
		if n := len(runs[key]); n > 1 {
			violated("%d check runs %q of %s in %q", n, key.name, key.commit, key.repository)
		}
	}
	for _, head := range e.Truth.Heads {
		found := false
		for key, all := range runs {
			if key.repository != head.Repository || key.commit != head.Commit {
				continue
			}
			for _, run := range all {
				found = true
				if run.Status != "completed" || !slices.Contains(head.Conclusions, run.Conclusion) {
					violated("the check run of %s in %q, %s, is %s %q; want %q", head.Commit, head.Repository, head.What, run.Status, run.Conclusion, head.Conclusions)
				}
			}
		}
		if head.Needed && !found {
			violated("no check run of %s in %q, %s", head.Commit, head.Repository, head.What)
		}
	}
}

// wholeOrSaid holds that nobody is told that all is clean while it is not known.
func wholeOrSaid(e *Evidence, violated func(string, ...any)) {
	planted := slices.Contains(slices.Collect(maps.Values(e.Truth.Planted)), true)
	for _, run := range e.Runs {
		switch ended := !run.Finished.IsZero() && !run.Finished.Before(run.Started); {
		case run.Finished.IsZero() && len(e.Lacking) == 0:
			violated("the %s never came to its end, and the inventory lacks nothing", run.Name)
		case ended && run.Exit == 0 && run.Problems > 0:
			violated("the %s is clean, with %d problems", run.Name, run.Problems)
		}
	}
	if len(e.Runs) == 0 && len(e.Lacking) == 0 {
		violated("no run began, and the inventory lacks nothing")
	}
	if planted && len(e.Holds) == 0 && len(e.Lacking) == 0 {
		violated("%q is planted, and the inventory says that nobody has it", e.Truth.Campaign)
	}
}

func atRest(e *Evidence, violated func(string, ...any)) {
	lies := map[delivery]bool{}
	for _, a := range e.Attempts {
		if a.Lies {
			lies[delivery{a.Hook, a.ID}] = true
		}
	}
	for _, d := range e.Stored {
		switch {
		case d.State == journal.Accepted:
			violated("delivery %s is still to be acted on", d.ID)
		case d.State == journal.Dead && !lies[delivery{d.Hook, d.ID}]:
			violated("delivery %s (%s) is dead, and need not be: %s", d.ID, d.Event, d.Reason)
		}
	}
	for _, job := range e.Waiting {
		violated("a job has not ended: %s", job)
	}
	for _, key := range e.Claims {
		violated("an effect is still claimed: %s", key)
	}
}

func noSecret(e *Evidence, violated func(string, ...any)) {
	for _, what := range slices.Sorted(maps.Keys(e.Truth.Secrets)) {
		secret := e.Truth.Secrets[what]
		if secret == "" {
			violated("the secret %q is empty: it would be found nowhere", what)
			continue
		}
		for _, output := range slices.Sorted(maps.Keys(e.Outputs)) {
			if strings.Contains(e.Outputs[output], secret) {
				violated("%s is in %s", what, output)
			}
		}
	}
	if len(e.Outputs) == 0 {
		violated("there is no output to look through")
	}
}

func asGitHubAsks(e *Evidence, violated func(string, ...any)) {
	for _, v := range e.Violations {
		violated("%s", v)
	}
}
