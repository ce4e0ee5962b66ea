package drift

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// nearby is how far from its publishing a tag, release or run of a version may be.
const nearby = 30 * time.Minute

func near(t, at time.Time) bool { return t.Sub(at).Abs() <= nearby }

func noReleaseNearby(v *view) outcome {
	if v.Policy.Source == "" || !v.watched() {
		return quiet()
	}
	at, known := v.v.Time.Get()
	if !known || v.Listing.Role == registry.Mirror {
		return v.unsaid("when it was published")
	}
	answers := []Answer{v.tagNear(at), v.releaseNear(at), v.runNear(at)}
	var gap verify.Gap
	var looked []string
	for _, a := range answers {
		switch a.Truth {
		case Yes:
			return quiet()
		case Unknown:
			if gap.Code == "" {
				gap = reason(a.Gap, "tags, releases and runs of "+v.Policy.Source)
			}
		case No:
			looked = append(looked, a.Detail)
		}
	}
	if gap.Code != "" {
		return outcome{gap: gap}
	}
	return fires("published at %s by %s; within 30 minutes %q has %s",
		at.UTC().Format(time.RFC3339), v.publisher(), v.Policy.Source, strings.Join(looked, ", "))
}

func (v *view) tagNear(at time.Time) Answer {
	tags := v.Source.Tags
	if !tags.Known {
		return Unsaid(tags.Gap)
	}
	if tag, ok := tags.Value[v.v.Tag]; ok && v.v.Tag != "" {
		made, known := tag.Time.Get()
		if !known { // a plain tag: it is there, and nobody says since when
			return Unsaid(verify.Gap{Code: verify.GapNotServed, Detail: fmt.Sprintf("the tag %q does not say when it was made", v.v.Tag)})
		}
		return Said(near(made, at), "the tag %q of %s", v.v.Tag, made.UTC().Format(time.RFC3339))
	}
	return Said(false, "no tag for it")
}

func (v *view) releaseNear(at time.Time) Answer {
	releases := v.Source.Releases
	if !releases.Known {
		return Unsaid(releases.Gap)
	}
	for _, r := range releases.Value {
		if near(r.Time, at) {
			return Said(true, "the release %q", r.Tag)
		}
	}
	return Said(false, "no release")
}

func (v *view) runNear(at time.Time) Answer {
	runs := v.Source.Runs
	if !runs.Known {
		return Unsaid(runs.Gap)
	}
	for _, r := range runs.Value {
		end := r.End
		if end.Before(r.Start) {
			end = r.Start
		}
		if v.mayPublish(r.Workflow) && !at.Before(r.Start.Add(-nearby)) && !at.After(end.Add(nearby)) {
			return Said(true, "a run of %q", r.Workflow)
		}
	}
	if at.Before(v.Source.RunsFrom.Add(nearby)) {
		return Unsaid(verify.Gap{Code: verify.GapGone, Detail: fmt.Sprintf("runs of %q before %s are no longer looked at", v.Policy.Source, v.Source.RunsFrom.UTC().Format(time.RFC3339))})
	}
	return Said(false, "no run")
}

// mayPublish reports whether a run of the workflow counts: of one that the policy names, or of
// any where it names none.
func (v *view) mayPublish(workflow string) bool {
	named := false
	for i := range v.Policy.Identities {
		if w := v.Policy.Identities[i].Workflow; w != "" {
			named = true
			if w == workflow {
				return true
			}
		}
	}
	return !named
}

func tagDecides(v *view) bool { return v.v.Tag != "" && v.Policy.Source != "" }

func tagMissing(v *view) outcome {
	if !tagDecides(v) || !v.watched() {
		return quiet()
	}
	if !v.Source.Tags.Known {
		return unknown(v.Source.Tags.Gap, "tags of "+v.Policy.Source)
	}
	if _, ok := v.Source.Tags.Value[v.v.Tag]; ok {
		return quiet()
	}
	if v.before != nil && v.before.Commit != "" {
		return fires("%q has no tag %q; yesterday it led to %s", v.Policy.Source, v.v.Tag, short(v.before.Commit))
	}
	return fires("%q has no tag %q", v.Policy.Source, v.v.Tag)
}

func gitTagMoved(v *view) outcome {
	switch {
	case v.before == nil || v.before.Commit == "" || v.before.Tag != v.v.Tag:
		return quiet()
	case !v.Source.Tags.Known:
		return unknown(v.Source.Tags.Gap, "tags of "+v.Policy.Source)
	case v.v.Commit == "" || v.v.Commit == v.before.Commit:
		return quiet()
	}
	return fires("the tag %q led to %s yesterday, and leads to %s", v.v.Tag, short(v.before.Commit), short(v.v.Commit))
}

func short(commit string) string { return commit[:min(len(commit), 12)] }

func releaseMissing(v *view) outcome {
	if !v.Policy.Release || !v.watched() {
		return quiet()
	}
	releases := v.Source.Releases
	switch {
	case !releases.Known:
		return unknown(releases.Gap, "releases of "+v.Policy.Source)
	case slices.ContainsFunc(releases.Value, func(r Release) bool { return v.v.Tag != "" && r.Tag == v.v.Tag }):
		return quiet()
	}
	return fires("%q has no release of the tag %q", v.Policy.Source, v.v.Tag)
}

func commitOffBranch(v *view) outcome {
	if v.Policy.Branch == "" || v.v.Tag == "" || !v.watched() {
		return quiet()
	}
	if v.v.Commit == "" {
		if v.Source.Tags.Known {
			return quiet() // there is no tag, which another rule says
		}
		return unknown(v.Source.Tags.Gap, "tags of "+v.Policy.Source)
	}
	on := v.Source.OnBranch[v.v.Commit]
	switch on.Truth {
	case Yes:
		return quiet()
	case No:
		return fires("the tag %q leads to %s, which is not on %q: %s", v.v.Tag, short(v.v.Commit), v.Policy.Branch, on.Detail)
	}
	return unknown(on.Gap, fmt.Sprintf("whether %s is on %q", short(v.v.Commit), v.Policy.Branch))
}

func headUnknown(v *view) outcome {
	head, known := v.v.Head.Get()
	if !known {
		for e := range v.earlier() {
			if _, had := e.Head.Get(); !had {
				continue
			}
			if v.v.Head.Knowledge == registry.Unknown {
				return v.unsaid("which commit it was made from")
			}
			return fires("no gitHead; %q has one", e.Version)
		}
		return quiet()
	}
	if v.Policy.Source == "" {
		return quiet()
	}
	there := v.Source.Commits[strings.ToLower(head)]
	switch there.Truth {
	case Yes:
		return quiet()
	case No:
		return fires("gitHead is %.60q, which is no commit of %q: %s", head, v.Policy.Source, there.Detail)
	}
	return unknown(there.Gap, fmt.Sprintf("whether %.60q is a commit of %q", head, v.Policy.Source))
}
