package feeds

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/version"
)

// atom is the smallest thing that an indicator says: one version, one range, one digest of a
// package, or a whole indicator of another type. Lists put atoms together and take them apart
// from one day to the next, so that two of them are compared atom by atom.
type atom struct {
	pack  int // of the packs that it is from
	ind   *ioc.Indicator
	part  part
	value string // the version or digest
	at    int    // of the range
}

// part says which part of an indicator an atom is.
type part uint8

const (
	whole part = iota // an indicator of another type than package
	oneVersion
	oneRange
	everyVersion
	everyPackage // of a scope
	oneDigest
)

func (a *atom) withdrawn() bool { return a.ind.Status == ioc.Withdrawn }

// waits reports whether the atom is gone from its feed and kept until a person has looked.
func (a *atom) waits() bool { return a.ind.Status == ioc.Disputed && a.ind.Note == waitingNote }

// waitingNote marks indicators that wait.
const waitingNote = "gone from the feed together with many others; kept until somebody has looked"

// atoms are the atoms of packs by a key, with the keys in order. Where two atoms are the same,
// the one that is not withdrawn counts.
type atoms struct {
	by   map[string]atom
	keys []string
}

func atomsOf(packs []ioc.Pack) atoms {
	out := atoms{by: map[string]atom{}}
	add := func(key string, a atom) {
		old, there := out.by[key]
		if !there {
			out.keys = append(out.keys, key)
		}
		if !there || old.withdrawn() && !a.withdrawn() {
			out.by[key] = a
		}
	}
	for i := range packs {
		p := &packs[i]
		for j := range p.Indicators {
			ind := &p.Indicators[j]
			if ind.Type != ioc.TypePackage {
				add(p.ID+"\x00"+ioc.IndicatorID(*ind, ""), atom{pack: i, ind: ind})
				continue
			}
			eachAtom(i, ind, func(a atom) { add(p.ID+"\x00"+a.key(), a) })
		}
	}
	return out
}

// eachAtom gives add the atoms of an indicator of a package.
func eachAtom(pack int, ind *ioc.Indicator, add func(atom)) {
	for _, v := range ind.Versions {
		add(atom{pack, ind, oneVersion, v, 0})
	}
	for n := range ind.Ranges {
		add(atom{pack, ind, oneRange, "", n})
	}
	if ind.Namespace {
		add(atom{pack, ind, everyPackage, "", 0})
	} else if ind.AllVersions {
		add(atom{pack, ind, everyVersion, "", 0})
	}
	for _, d := range ind.Integrity {
		add(atom{pack, ind, oneDigest, d, 0})
	}
}

// key is the atom in canonical spelling, within its pack.
func (a *atom) key() string {
	name := string(a.ind.Ecosystem) + "\x00" + a.ind.Name
	switch a.part {
	case oneVersion:
		v := a.value
		if canonical, err := version.Canonical(a.ind.Ecosystem, v); err == nil {
			v = canonical
		}
		return name + "\x00=" + v
	case oneRange:
		return name + "\x00~" + rangeText(a.ind.Ranges[a.at])
	case everyVersion:
		return name + "\x00*"
	case everyPackage:
		return name + "\x00/*"
	}
	if d, ok := ioc.ParseIntegrity(a.value); ok {
		return name + "\x00#" + d.String()
	}
	return name + "\x00#" + a.value
}

// rangeText is a range in a few words.
func rangeText(r ioc.Range) string {
	var out []string
	for _, e := range r.Events {
		out = append(out, e.Introduced+cmp.Or(prefixed("<", e.Fixed), prefixed("<=", e.LastAffected), prefixed("<", e.Limit)))
	}
	if r.Unbounded {
		out = append(out, "(not asserted)")
	}
	return strings.Join(out, " ")
}

func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}

// text is the atom as a person reads it in a list of changes: ecosystem, name and what of it.
func (a *atom) text() string {
	what := a.value
	switch a.part {
	case whole:
		return fmt.Sprintf("%s\t%s\t", a.ind.Type, a.ind.ID)
	case oneRange:
		what = rangeText(a.ind.Ranges[a.at])
	case everyVersion:
		what = "*"
	case everyPackage:
		what = "every package of the scope"
	}
	return fmt.Sprintf("%s\t%s\t%s", a.ind.Ecosystem, a.ind.Name, what)
}

// change is what becomes of a copy when new packs take its place.
type change struct {
	added     []atom // counted, and not in the copy or withdrawn there
	withdrawn []atom // counted in the copy; gone, or withdrawn by the feed
	said      int    // of those, how many the feed itself calls withdrawn
	changed   int    // other confidence or status
	active    int    // of the copy before
}

// compare says what changes from the old packs to the new.
func compare(before, after atoms) change {
	var c change
	for _, key := range after.keys {
		a := after.by[key]
		old, there := before.by[key]
		switch {
		case a.withdrawn():
		case !there || old.withdrawn():
			c.added = append(c.added, a)
		case old.ind.Confidence != a.ind.Confidence || old.ind.Status != a.ind.Status:
			c.changed++
		}
	}
	for _, key := range before.keys {
		old := before.by[key]
		if old.withdrawn() {
			continue
		}
		c.active++
		if a, there := after.by[key]; !there || a.withdrawn() {
			c.withdrawn = append(c.withdrawn, old)
			if there {
				c.said++
			}
		}
	}
	return c
}

// keepGone adds to the new packs what the old ones say and the new do not, as end makes it of an
// indicator and those of its atoms that are gone. A pack that is gone stays with nothing else in
// it.
func keepGone(before, after []ioc.Pack, beforeAtoms, afterAtoms atoms, end func(ioc.Indicator, []atom) ioc.Indicator) []ioc.Pack {
	type group struct {
		pack  string
		ind   *ioc.Indicator
		atoms []atom
	}
	var groups []*group
	byIndicator := map[*ioc.Indicator]*group{}
	for _, key := range beforeAtoms.keys {
		if _, there := afterAtoms.by[key]; there {
			continue
		}
		a := beforeAtoms.by[key]
		g := byIndicator[a.ind]
		if g == nil {
			g = &group{pack: before[a.pack].ID, ind: a.ind}
			byIndicator[a.ind] = g
			groups = append(groups, g)
		}
		g.atoms = append(g.atoms, a)
	}
	at := map[string]int{}
	ids := map[string]bool{}
	for i, p := range after {
		at[p.ID] = i
		for _, ind := range p.Indicators {
			ids[p.ID+"\x00"+ind.ID] = true
		}
	}
	for _, g := range groups {
		i, there := at[g.pack]
		if !there {
			i = len(after)
			at[g.pack] = i
			header := before[slices.IndexFunc(before, func(p ioc.Pack) bool { return p.ID == g.pack })]
			header.Indicators, header.Repairs = []ioc.Indicator{}, nil
			after = append(after, header)
		}
		p := &after[i]
		ind := end(*g.ind, g.atoms)
		ind.ID = ioc.IndicatorID(ind, p.ID)
		if ids[p.ID+"\x00"+ind.ID] {
			continue
		}
		ids[p.ID+"\x00"+ind.ID] = true
		for _, id := range ind.Sources {
			if !slices.ContainsFunc(p.Sources, func(s ioc.Source) bool { return s.ID == id }) {
				p.Sources = append(slices.Clip(p.Sources), ioc.Source{ID: id})
			}
		}
		p.Indicators = append(p.Indicators, ind)
	}
	return after
}

// withdraw ends an indicator with some of its atoms: by feed, now, unless it was before. What it
// leaned on may be gone, so it leans on nothing: it never fires again.
func withdraw(ind ioc.Indicator, parts []atom, feed string, now time.Time) ioc.Indicator {
	ind = only(ind, parts)
	if ind.Status != ioc.Withdrawn {
		ind.Status = ioc.Withdrawn
		ind.Withdrawal = &ioc.Withdrawal{At: now.Format(time.RFC3339), Reason: goneReason, By: feed}
	}
	ind.Requires, ind.BenignHost, ind.SafeVersion, ind.Note = nil, false, nil, ""
	if rule, _ := ioc.CommonAlone(ind); rule != "" {
		ind.Confidence = ioc.Weak
	}
	return ind
}

// goneReason is the reason of a withdrawal that a feed did not give itself.
const goneReason = "gone-from-feed"

// wait keeps an indicator with some of its atoms, and marks it.
func wait(ind ioc.Indicator, parts []atom) ioc.Indicator {
	ind = only(ind, parts)
	if ind.Status != ioc.Withdrawn {
		ind.Status, ind.Note = ioc.Disputed, waitingNote
	}
	return ind
}

// only is an indicator that says no more than some of its atoms.
func only(ind ioc.Indicator, parts []atom) ioc.Indicator {
	if ind.Type != ioc.TypePackage {
		return ind
	}
	ranges := ind.Ranges
	ind.Versions, ind.Ranges, ind.Integrity, ind.AllVersions, ind.Namespace = nil, nil, nil, false, false
	for _, a := range parts {
		switch a.part {
		case oneVersion:
			ind.Versions = append(ind.Versions, a.value)
		case oneRange:
			ind.Ranges = append(ind.Ranges, ranges[a.at])
		case everyVersion:
			ind.AllVersions = true
		case everyPackage:
			ind.AllVersions, ind.Namespace = true, true
		case oneDigest:
			ind.Integrity = append(ind.Integrity, a.value)
		}
	}
	return ind
}
