package drift

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/version"
)

// The bounds of the rules about many versions at once.
const (
	burstTime     = 10 * time.Minute
	burstPackages = 3
	rapidTime     = time.Hour
	rapidCount    = 3
)

// Brief is what the rules about many packages at once need of one.
type Brief struct {
	kind     registry.Kind
	name     string
	versions []briefVersion // of the subjects
	order    []int          // of subjects, by time of publishing
	rank     []int          // of each subject, in order
}

type briefVersion struct {
	at    time.Time
	known bool // at is
	// together says why it was published at one time with others by right: one run, whose step
	// that publishes ran and went well, published them. "" where nothing says so.
	together string
	// weaker: it was published in a worse way than the one before it, or by a run that did not do
	// it by right.
	weaker bool
}

// BriefOf is the brief of an artifact; nil of one that the rules leave out.
func BriefOf(a *Artifact) *Brief {
	if !slices.Contains(packages, a.Policy.Kind) || a.Listing.Role == registry.Mirror {
		return nil
	}
	s := newState(a)
	b := &Brief{kind: a.Policy.Kind, name: a.Policy.Name, versions: make([]briefVersion, len(s.now)), order: s.order, rank: s.rank}
	for i := range s.now {
		v := &b.versions[i]
		v.at, v.known = s.now[i].Time.Get()
		if r := s.now[i].Run; r != nil && r.Published.Truth == Yes && r.Same.Truth == Yes && r.Poisoned.Truth == No {
			v.together = r.URL
		}
		v.weaker = weaker(s.view(i))
	}
	return b
}

func weaker(v *view) bool {
	if r := v.v.Run; r != nil && (r.Same.Truth == No || r.Succeeded.Truth == No || r.Published.Truth == No || r.Poisoned.Truth == Yes || r.Raced.Truth == Yes) {
		return true
	}
	for e := range v.earlier() {
		return e.Trusted.Knowledge == registry.Present && v.v.Trusted.Knowledge != registry.Present ||
			e.Signed.Provenance == Yes && v.v.Signed.Provenance != Yes
	}
	return false
}

// publish is one version of one of our packages with its time.
type publish struct {
	of *Brief
	i  int // its subject
	at time.Time
}

func (p publish) version() *briefVersion { return &p.of.versions[p.i] }

// Bursts are the versions that were published with too many others, with the evidence.
type Bursts map[burstKey]string

type burstKey struct {
	kind registry.Kind
	name string
	i    int // the subject
}

// FindBursts finds windows of burstTime in which at least burstPackages packages were published,
// and gives the evidence for each version in one. Some of all may be nil.
func FindBursts(all []*Brief) Bursts {
	var list []publish
	for _, b := range all {
		if b == nil {
			continue
		}
		for i := range b.versions {
			if v := &b.versions[i]; v.known {
				list = append(list, publish{b, i, v.at})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b publish) int { return a.at.Compare(b.at) })
	out := Bursts{}
	for from, to := 0, 0; from < len(list); from++ {
		end := to
		for to < len(list) && list[to].at.Sub(list[from].at) <= burstTime {
			to++
		}
		if to == end {
			continue // a part of the window before, of which all was said
		}
		window := list[from:to]
		names := inWindow(window)
		if len(names) < burstPackages || habit(window) {
			continue
		}
		evidence := fmt.Sprintf("%d of our packages between %s and %s: %s", len(names),
			window[0].at.UTC().Format(time.RFC3339), window[len(window)-1].at.UTC().Format(time.RFC3339), some(names))
		for _, p := range window {
			key := burstKey{p.of.kind, p.of.name, p.i}
			if out[key] == "" || len(out[key]) < len(evidence) {
				out[key] = evidence
			}
		}
	}
	return out
}

// inWindow names the packages of a window, those of one run that published by right once.
func inWindow(window []publish) []string {
	var names []string
	seen, runs := map[*Brief]bool{}, map[string]bool{}
	for _, p := range window {
		if run := p.version().together; run != "" {
			if runs[run] {
				continue
			}
			runs[run] = true
		}
		if !seen[p.of] {
			seen[p.of] = true
			names = append(names, string(p.of.kind)+":"+p.of.name)
		}
	}
	return names
}

// apart is how far from a window other windows with the same packages must be to be a habit.
const apart = 24 * time.Hour

// habit reports whether the packages of a window were published together on two other
// occasions, of the two before and the two after, and each as the version before it: that is how
// they are released.
func habit(window []publish) bool {
	if slices.ContainsFunc(window, func(p publish) bool { return p.version().weaker }) {
		return false
	}
	occasions := 0
	for _, step := range []int{-2, -1, 1, 2} {
		if first, last, all := neighbours(window, step); all && last.Sub(first) <= burstTime &&
			(window[0].at.Sub(last) >= apart || first.Sub(window[len(window)-1].at) >= apart) {
			occasions++
		}
	}
	return occasions >= 2
}

// neighbours gives the times between which the packages of a window were published step versions
// later, or earlier; false where one was not.
func neighbours(window []publish, step int) (first, last time.Time, all bool) {
	from, to := map[*Brief]int{}, map[*Brief]int{} // ranks in the window
	for _, p := range window {
		rank := p.of.rank[p.i]
		if low, ok := from[p.of]; !ok || rank < low {
			from[p.of] = rank
		}
		to[p.of] = max(to[p.of], rank)
	}
	for b := range from {
		rank := to[b] + step
		if step < 0 {
			rank = from[b] + step
		}
		if rank < 0 || rank >= len(b.order) {
			return first, last, false
		}
		v := &b.versions[b.order[rank]]
		at := v.at
		if !v.known {
			return first, last, false
		}
		if first.IsZero() || at.Before(first) {
			first = at
		}
		if at.After(last) {
			last = at
		}
	}
	return first, last, true
}

func burst(v *view) outcome {
	if !v.watched() {
		return quiet()
	}
	if _, known := v.v.Time.Get(); !known || v.Listing.Role == registry.Mirror {
		return v.unsaid("when it was published")
	}
	if evidence := v.bursts[burstKey{v.Policy.Kind, v.Policy.Name, v.i}]; evidence != "" {
		return fires("%s", evidence)
	}
	return quiet()
}

// rapidVersions looks for versions around this one that differ in their last number alone.
func rapidVersions(v *view) outcome {
	at, known := v.v.Time.Get()
	if !v.watched() {
		return quiet()
	}
	if !known || v.Listing.Role == registry.Mirror {
		return v.unsaid("when it was published")
	}
	series := patchSeries(v.Policy.Kind, v.v.Version)
	if series == "" {
		return quiet()
	}
	type one struct {
		version string
		at      time.Time
	}
	var close []one
	for _, step := range []int{-1, 1} { // this one is among those of the second way
		for rank := v.rank[v.i] + min(step, 0); rank >= 0 && rank < len(v.order); rank += step {
			e := &v.now[v.order[rank]]
			when, known := e.Time.Get()
			if known && when.Sub(at).Abs() > rapidTime {
				break
			}
			if known && patchSeries(v.Policy.Kind, e.Version) == series {
				close = append(close, one{e.Version, when})
			}
		}
	}
	slices.SortStableFunc(close, func(a, b one) int { return a.at.Compare(b.at) })
	// Of those within an hour to either side, some are within one hour of each other.
	for from := 0; from+rapidCount <= len(close); from++ {
		last := from + rapidCount - 1
		if close[last].at.Sub(close[from].at) > rapidTime || at.Before(close[from].at) || at.After(close[last].at) {
			continue
		}
		var names []string
		for _, c := range close[from : last+1] {
			names = append(names, c.version)
		}
		return fires("%s between %s and %s", strings.Join(names, ", "), close[from].at.UTC().Format(time.RFC3339), close[last].at.UTC().Format(time.RFC3339))
	}
	return quiet()
}

// patchSeries is what stays of a version where the patch number alone is raised: "1.2" of
// "1.2.3". "" for a prerelease, and for what has no order.
func patchSeries(kind registry.Kind, v string) string {
	e := map[registry.Kind]ecosystem.Ecosystem{registry.NPM: ecosystem.NPM, registry.PyPI: ecosystem.PyPI}[kind]
	canonical, err := version.Canonical(e, v)
	if err != nil || strings.ContainsAny(canonical, "-+abrcdp") {
		return ""
	}
	at := strings.LastIndexByte(canonical, '.')
	return canonical[:max(at, 0)]
}

// compareVersions is the order of two versions of an artifact, false where there is none.
func compareVersions(kind registry.Kind, a, b string) (int, bool) {
	e := cmp.Or(map[registry.Kind]ecosystem.Ecosystem{registry.PyPI: ecosystem.PyPI, registry.Go: ecosystem.Go}[kind], ecosystem.NPM)
	c, err := version.Compare(e, a, b)
	return c, err == nil
}
