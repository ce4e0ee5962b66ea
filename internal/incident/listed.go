package incident

import (
	"slices"
	"sync"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// Listed says of a place whether set still has what it was found by, for SweepOptions: the exact
// version of a package, where a purl spells names as they are, whichever indicator it is of; else
// the indicator itself.
func Listed(set *ioc.Set) func(campaign string, p *Place) bool {
	known := sync.OnceValue(func() map[ioc.Known]bool {
		all := map[ioc.Known]bool{}
		for id := range set.Indicators() {
			all[id] = true
		}
		return all
	})
	return func(campaign string, p *Place) bool {
		if campaign == finding.PublishedByUs { // which no catalogue lists
			return true
		}
		e, name, ver, err := ecosystem.ParsePURL(p.Thing)
		if err != nil || p.Reason != string(ioc.ExactVersion) || e != ecosystem.NPM && e != ecosystem.PyPI {
			return known()[ioc.Known{Campaign: campaign, Indicator: p.Indicator}]
		}
		found, _ := set.Package(e, e.CanonicalName(name), ver)
		return slices.ContainsFunc(found, func(m ioc.Match) bool { return m.Campaign.ID == campaign })
	}
}
