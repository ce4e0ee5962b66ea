package incident

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/report"
)

// steps are the first steps of the runbook, in our own words.
func (w *writer) steps() string {
	here := map[string]Thing{} // what there is still to be dealt with
	for _, p := range w.rec.open() {
		here[p.Thing] = w.rec.Things[p.Thing]
	}
	switch {
	case len(here) == 0 && (len(w.rec.Response.Signals) == 0 || w.rec.State.over()):
		return ""
	case len(here) == 0:
		return "1. " + w.onIt() + "\n2. Keep the evidence before anything is withdrawn or deleted.\n3. Answer what the triage leaves open. Nothing ends this but the word of whoever is on call.\n"
	case w.rec.published():
		return w.scenarioC()
	}
	var actions []string
	packages, files := false, false
	for _, name := range sortedKeys(here) {
		t := here[name]
		if t.Action != "" && !slices.Contains(actions, t.Action) {
			actions = append(actions, t.Action)
		}
		if strings.HasPrefix(name, "pkg:") {
			packages = true
		} else {
			files = true
		}
	}
	steps := []string{w.onIt()}
	if len(actions) > 0 {
		steps = append(steps, "Before anything else, since the order matters: "+longCodes(actions))
	}
	if files {
		steps = append(steps, "Files of the campaign lie in repositories. That is no dependency to pin: somebody with the right to write put them there. Find the commit and the account, take its tokens away, and look at everything it did since.")
	}
	if packages {
		steps = append(steps, fmt.Sprintf("Is one of these packages published by %s itself? Then a pin is not the answer: call its publisher and whoever is on call, and withdraw nothing before the evidence is kept.", code(w.rec.Organisation)))
	}
	steps = append(steps, "Did it run? Look for CI runs and installs in the exposure window that used one of these refs. A pin undoes nothing that has run.\n"+
		"   - On a CI runner: stop the workflow, and replace every secret that its jobs could read.\n"+
		"   - On a workstation: take it off the network, and revoke its tokens from another machine.\n"+
		"   - In a cluster: copy logs, processes and the pod's definition before the pod is deleted.")
	if packages {
		steps = append(steps, "Not published by us, and it did not run: pin the known-good version in each repository, in a pull request of its own, with install scripts off. Where it comes by way of another package, that one has to move. Purge the caches that may hold it.")
	}
	if w.rec.needsPerson() {
		steps = append(steps, "Clean repositories do not end this: when the sweep has read every ref below and found it clean, it says so, and whoever is on call declares the incident over. Who closes it by hand is respected until something new is found; say why in a comment.")
	} else {
		steps = append(steps, "Leave the closing to the sweep: it closes this issue when it has read every ref below and found it clean. Who closes it by hand is respected until something new is found; say why in a comment.")
	}
	var b strings.Builder
	for i, step := range steps {
		fmt.Fprintf(&b, "%d. %s\n", i+1, step)
	}
	return b.String()
}

// longCodes are at most three spans of sentences.
func longCodes(texts []string) string {
	var spans []string
	for _, text := range texts[:min(len(texts), 3)] {
		spans = append(spans, report.EscapeMarkdown(text, 500))
	}
	return strings.Join(spans, " ")
}

// settledWords say what became of a place.
var settledWords = map[Settled]string{
	FoundClean:  "found clean",
	IsExcluded:  "covered by an exclusion of the organisation",
	IsWithdrawn: "the indicator was withdrawn by its sources",
	IsGone:      "the ref was deleted",
}

// settled lists the repositories in which nothing is left.
func (w *writer) settled() string {
	l := list{limit: maxSettled}
	for _, at := range w.rec.repositories() {
		if len(at.open) == 0 {
			l.add("- " + code(at.name) + ": " + proofText(at.closed) + "\n")
		}
	}
	return l.end("- and %d more, which the comments of this issue name")
}

// proofText says by which commits of which refs places were settled.
func proofText(places []*Place) string {
	type ending struct {
		how         Settled
		ref, commit string
		day         string
	}
	var endings []ending
	for _, p := range places {
		for _, ref := range p.Refs {
			if e := (ending{ref.Settled, ref.Name, ref.Commit, day(ref.At)}); !slices.Contains(endings, e) && len(endings) < 100 {
				endings = append(endings, e)
			}
		}
	}
	const most = 3
	var parts []string
	for i, e := range endings {
		if i == most {
			parts = append(parts, fmt.Sprintf("and at %s", count(len(endings)-most, "more ref", "more refs")))
			break
		}
		text := settledWords[e.how]
		if e.how == IsGone && artifact(places[0].Repository) {
			text = "no longer published"
		}
		if e.ref != ItselfRef {
			text += " at " + brief(e.ref)
		}
		if e.commit != "" {
			text += " " + brief(e.commit)
		}
		parts = append(parts, text+" ("+e.day+")")
	}
	return strings.Join(parts, ", ")
}

// gaps lists what the last whole sweep did not look at.
func (w *writer) gaps() string {
	g := w.rec.Gaps
	l := list{limit: maxGapList}
	if g.Incomplete {
		l.add("- The sweep did not come to its end: what it did not reach is not known.\n")
	}
	if len(g.General) > 0 {
		l.add("- Of the sweep as a whole: " + codes(g.General, 10) + "\n")
	}
	if g.Problems > 0 {
		l.add(fmt.Sprintf("- %s in %s. The first of them:\n", count(g.Problems, "problem", "problems"), count(g.Repositories, "repository", "repositories")))
		for _, gap := range g.First {
			line := "  - " + code(gap.Repository)
			if gap.File != "" {
				line += " " + code(gap.File)
			}
			l.add(line + ": " + code(gap.Code) + "\n")
		}
	}
	if len(g.NotLookedAt) > 0 {
		var kinds []string
		for _, kind := range slices.Sorted(maps.Keys(g.NotLookedAt)) {
			kinds = append(kinds, fmt.Sprintf("%s %d", kind, g.NotLookedAt[kind]))
		}
		l.add("- Indicators that the sweep does not match, by type: " + codes(kinds, 12) + "\n")
	}
	return l.end("- and %d more lines, which the report of the sweep has")
}

// references are addresses that feeds gave: shown, and no links.
func (w *writer) references() string {
	l := list{limit: maxReferences}
	for _, ref := range w.rec.Campaign.References {
		l.add("- " + address(ref) + "\n")
	}
	return l.end("- and %d more")
}
