package feeds

import (
	"fmt"
	"slices"

	"github.com/wormsweep/wormsweep/iocs"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/version"
)

// The guards' bounds, where a feed sets none.
const (
	defaultShrink  = 10 // per cent
	defaultPopular = 20 // names
	// maxOfOne is how many versions of one popular package are believed at once. Worms publish a
	// few; a list of all that there are is a range in other words.
	maxOfOne = 20
)

// guardShrink objects when too much of the copy would be withdrawn, or something that waits for a
// person already.
func guardShrink(f *Feed, c *change) *Reason {
	most := defaultShrink
	if f.MaxShrink != nil {
		most = *f.MaxShrink
	}
	waiting := 0
	for i := range c.withdrawn {
		if c.withdrawn[i].waits() {
			waiting++
		}
	}
	switch gone := len(c.withdrawn); {
	case gone*100 > most*c.active:
		return &Reason{Shrinks, fmt.Sprintf("%d of %d indicators are gone: over %d per cent", gone, c.active, most)}
	case waiting > 0:
		return &Reason{Shrinks, waitingText(waiting)}
	}
	return nil
}

func waitingText(n int) string {
	return fmt.Sprintf("%d indicators are gone, and were kept when they went", n)
}

// guardRows objects when more rows were refused than taken.
func guardRows(taken, refused int) *Reason {
	if refused > taken {
		return &Reason{RowsRefused, fmt.Sprintf("%d rows are no indicators, and %d are", refused, taken)}
	}
	return nil
}

// guardDates objects to what is older than the copy.
func guardDates(f *Feed, last *entry, c *content, packs, before []ioc.Pack) *Reason {
	if !last.Newest.IsZero() && !c.newest.IsZero() && c.newest.Before(last.Newest) {
		return &Reason{RolledBack, fmt.Sprintf("its latest record is of %s, and the copy's of %s", day(c.newest), day(last.Newest))}
	}
	was, errWas := parseHTTPDate(last.LastModified)
	is, errIs := parseHTTPDate(c.lastModified)
	if errWas == nil && errIs == nil && is.Before(was) && last.Config == f.fingerprint() {
		return &Reason{RolledBack, fmt.Sprintf("it was last modified %s, and the copy %s", day(is), day(was))}
	}
	for _, p := range packs {
		i := slices.IndexFunc(before, func(old ioc.Pack) bool { return old.ID == p.ID })
		if i >= 0 && p.Revision < before[i].Revision {
			return &Reason{RolledBack, fmt.Sprintf("pack %q has revision %d, and in the copy %d", p.ID, p.Revision, before[i].Revision)}
		}
	}
	// A signed serial number says more than bytes that return.
	if f.Signed == nil && slices.Contains(last.Seen, c.digest) && c.digest != last.Digest {
		return &Reason{RolledBack, "it is what the copy was before"}
	}
	return nil
}

// guardPopular objects to what would meet projects everywhere: all of a popular package, or many
// popular packages at once. What the catalogue of this program says too is no news.
func guardPopular(f *Feed, c *change, before atoms) []Reason {
	var out []Reason
	names, versions := map[packageName]bool{}, map[packageName]int{}
	catalogue := iocs.Set()
	for i := range c.added {
		a := &c.added[i]
		if !popular().holds(a) || inCatalogue(catalogue, a) {
			continue
		}
		pkg := packageName{a.ind.Ecosystem, a.ind.Name}
		names[pkg] = true
		if a.part == oneVersion {
			versions[pkg]++
		}
		if why := sweeping(a, before); why != "" && len(out) == 0 {
			out = append(out, Reason{Sweeping, fmt.Sprintf("%s %q, which is popular: %s", pkg.ecosystem, pkg.name, why)})
		}
		if versions[pkg] > maxOfOne && len(out) == 0 {
			out = append(out, Reason{Sweeping, fmt.Sprintf("%s %q, which is popular: over %d versions at once", pkg.ecosystem, pkg.name, maxOfOne)})
		}
	}
	most := defaultPopular
	if f.MaxPopular != nil {
		most = *f.MaxPopular
	}
	if len(names) > most {
		out = append(out, Reason{ManyPopular, fmt.Sprintf("%d popular packages at once: over %d", len(names), most)})
	}
	return out
}

// inCatalogue reports whether the embedded catalogue says what the atom says.
func inCatalogue(set *ioc.Set, a *atom) bool {
	v := a.value
	if a.part != oneVersion {
		v = "0.0.0-wormsweep" // a version that no list names: met where all are
		if a.ind.Ecosystem == ecosystem.Go {
			v = "v" + v
		}
		if a.ind.Ecosystem == ecosystem.PyPI {
			v = "0.0.0.dev0"
		}
	}
	matches, _ := set.Package(a.ind.Ecosystem, a.ind.Name, v)
	return slices.ContainsFunc(matches, func(m ioc.Match) bool {
		return m.Indicator.Status != ioc.Withdrawn && m.Campaign.Status != ioc.PackWithdrawn && m.Reason != ioc.CaseOnly &&
			(a.part == oneVersion || m.Reason == ioc.AllVersions || m.Reason == ioc.Namespace)
	})
}

// sweeping says why an atom of a popular package is more than somebody can have meant, "" where
// it is not. A range that lies within what the copy says already is a correction.
func sweeping(a *atom, before atoms) string {
	switch a.part {
	case everyVersion:
		return "every version of it"
	case everyPackage:
		return "every package of the scope"
	case oneRange:
	default:
		return ""
	}
	r := a.ind.Ranges[a.at]
	if r.Unbounded {
		return "" // kept and shown, and matches nothing
	}
	ranged := false
	for _, old := range before.by {
		if old.withdrawn() || old.ind.Ecosystem != a.ind.Ecosystem || old.ind.Name != a.ind.Name {
			continue
		}
		if old.part == everyVersion || old.part == oneRange && inside(a.ind.Ecosystem, r, old.ind.Ranges[old.at]) {
			return ""
		}
		ranged = ranged || old.part == oneRange
	}
	switch {
	case openRange(r):
		return "a range without beginning or end, " + rangeText(r)
	case ranged:
		return "a wider range, " + rangeText(r)
	}
	return ""
}

// openRange reports whether the range has no beginning or no end.
func openRange(r ioc.Range) bool {
	open := true
	for _, e := range r.Events {
		if e.Introduced == "0" {
			return true
		}
		if e.Introduced != "" {
			open = true
		} else if e.Limit != "*" {
			open = false
		}
	}
	return open
}

// inside reports whether all of a lies within b, as far as their bounds tell. Where they do not,
// it says no: a person looks.
func inside(e ecosystem.Ecosystem, a, b ioc.Range) bool {
	if b.Unbounded || openRange(a) && !openRange(b) {
		return false
	}
	in := func(r ioc.Range, v string) bool {
		events := make([]version.Event, len(r.Events))
		for i, ev := range r.Events {
			events[i] = version.Event(ev)
		}
		ok, err := version.Affected(e, version.RangeType(r.Type), events, v)
		return err == nil && ok
	}
	for _, ev := range slices.Concat(a.Events, b.Events) {
		v := ev.Introduced + ev.Fixed + ev.LastAffected + ev.Limit // one of them is set
		if v == "*" {
			continue
		}
		if v == "0" {
			if ev.Introduced != "" && slices.Contains(a.Events, ev) && !slices.Contains(b.Events, ev) {
				return false // a begins before all versions, b does not
			}
			continue
		}
		if in(a, v) && !in(b, v) {
			return false
		}
		// Just above its last version b ends; a must not go on there.
		if ev.LastAffected != "" && slices.Contains(b.Events, ev) && in(a, v) && !slices.Contains(a.Events, ev) {
			return false
		}
	}
	return true
}
