package feed

import (
	"slices"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// Packs are the feed as packs: those that it holds, and one with the given id for all other
// entries, with the feed as their one source. The id is lower-case words joined by "-"; where one
// of the packs has it, "-list" follows.
//
// Two entries of one observable become one indicator. Where one of them is withdrawn and the
// other is not, the indicator is disputed when they share an id of a record, and else active.
func (f Feed) Packs(id string, modified time.Time) []ioc.Pack {
	packs := slices.Clone(f.packs)
	if slices.ContainsFunc(packs, func(p ioc.Pack) bool { return p.ID == id }) {
		id += "-list"
	}
	p := ioc.Pack{
		Schema: ioc.Schema, ID: id, Title: f.Name, Status: ioc.PackActive, Severity: ioc.High,
		Revision: 1, Modified: modified, Sources: []ioc.Source{{ID: f.Name}}, Indicators: []ioc.Indicator{},
	}
	at := map[string]int{}
	for _, e := range f.Entries {
		if e.packed {
			continue
		}
		ind := e.Indicator
		ind.ID = ioc.IndicatorID(ind, id)
		ind.Sources = []string{f.Name}
		if i, ok := at[ind.ID]; ok {
			p.Indicators[i] = merge(p.Indicators[i], ind)
			continue
		}
		at[ind.ID] = len(p.Indicators)
		p.Indicators = append(p.Indicators, ind)
	}
	for _, r := range f.Repairs {
		r.Found = strings.TrimSpace(r.Source + ": " + r.Found)
		r.Source = f.Name
		p.Repairs = append(p.Repairs, r)
	}
	if len(p.Indicators) > 0 {
		packs = append(packs, p)
	}
	return packs
}

// merge puts two indicators of one observable together.
func merge(a, b ioc.Indicator) ioc.Indicator {
	shared := slices.ContainsFunc(b.OSV, func(id string) bool { return slices.Contains(a.OSV, id) })
	for _, id := range b.OSV {
		if len(a.OSV) < maxIDs && !slices.Contains(a.OSV, id) {
			a.OSV = append(slices.Clip(a.OSV), id)
		}
	}
	if a.Confidence == ioc.Weak || a.Confidence == ioc.Probable && b.Confidence == ioc.Confirmed {
		a.Confidence = b.Confidence
	}
	if (a.Status == ioc.Withdrawn) != (b.Status == ioc.Withdrawn) {
		a.Status, a.Withdrawal = "", nil
		if shared {
			a.Status = ioc.Disputed
		}
	}
	return a
}
