package ioc

import (
	"fmt"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/version"
)

// everything reports whether the range holds every version: it begins at "0" and nothing
// ends it.
func (r Range) everything() bool {
	return len(r.Events) == 1 && r.Events[0].Introduced == "0" && !r.Unbounded
}

// check returns an error for a range that cannot be evaluated.
func (r Range) check(e ecosystem.Ecosystem) error {
	for _, ev := range r.Events {
		bound := ev.Introduced + ev.Fixed + ev.LastAffected + ev.Limit // one of them is set
		if bound == "0" || bound == "*" {
			continue
		}
		if _, err := version.Canonical(e, bound); err != nil {
			return fmt.Errorf("range: %w", err)
		}
	}
	_, err := r.contains(e, anyVersion[e])
	return err
}

// anyVersion is some version of an ecosystem that has an order.
var anyVersion = map[ecosystem.Ecosystem]string{ecosystem.NPM: "1.0.0", ecosystem.PyPI: "1.0", ecosystem.Go: "v1.0.0"}

// contains reports whether v lies in the range.
func (r Range) contains(e ecosystem.Ecosystem, v string) (bool, error) {
	events := make([]version.Event, len(r.Events))
	for i, ev := range r.Events {
		events[i] = version.Event(ev)
	}
	return version.Affected(e, version.RangeType(r.Type), events, v)
}
