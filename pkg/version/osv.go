package version

import (
	"fmt"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
)

// RangeType is the type of an OSV range: how its versions are ordered.
type RangeType string

// The types of OSV ranges that hold versions; ranges of type GIT hold commits.
const (
	SemverRange    RangeType = "SEMVER"    // by semver.org 2.0.0
	EcosystemRange RangeType = "ECOSYSTEM" // as the ecosystem does
)

// Event is one event of an OSV range; exactly one field is set.
type Event struct {
	Introduced   string // "0" comes before every version
	Fixed        string
	LastAffected string
	Limit        string // "*" is no limit
}

// Affected reports whether v lies in the OSV range of the events, which may stand in any
// order (OSV schema 1.7, "Evaluation"). The error wraps ErrInvalid for a type, event or
// version that cannot be read, and ErrNoOrder where e has no order: then nobody knows.
func Affected(e ecosystem.Ecosystem, typ RangeType, events []Event, v string) (bool, error) {
	compare := func(a, b string) (int, error) { return Compare(e, a, b) }
	switch typ {
	case EcosystemRange:
	case SemverRange:
		compare = func(a, b string) (int, error) { return compareWith(e, goSemver, a, b) }
	default:
		return false, fmt.Errorf("%.*q: %w: type of an OSV range", maxShown, string(typ), ErrInvalid)
	}
	last, limited, within := Event{}, false, false
	for _, event := range events {
		if event.Limit != "" {
			limited = true
			if event.Limit == "*" {
				within = true
				continue
			}
			c, err := compare(v, event.Limit)
			if err != nil {
				return false, err
			}
			within = within || c < 0
			continue
		}
		reached, err := event.reached(compare, v)
		if err != nil {
			return false, err
		}
		if !reached {
			continue
		}
		later, err := event.after(compare, last)
		if err != nil {
			return false, err
		}
		if later {
			last = event
		}
	}
	return last.Introduced != "" && (within || !limited), nil
}

// version is the one field that is set.
func (ev Event) version() string {
	switch {
	case ev.Introduced != "":
		return ev.Introduced
	case ev.Fixed != "":
		return ev.Fixed
	}
	return ev.LastAffected
}

// reached reports whether the event counts for v: what was introduced or fixed counts from
// its version on, what was last affected after it.
func (ev Event) reached(compare func(a, b string) (int, error), v string) (bool, error) {
	if ev.Introduced == "0" {
		_, err := compare(v, v)
		return true, err
	}
	c, err := compare(v, ev.version())
	if ev.LastAffected != "" {
		return c > 0, err
	}
	return c >= 0, err
}

// after reports whether the event comes after another one in order of versions. At one
// version the later in the record counts, and the last affected one ends what is
// introduced there.
func (ev Event) after(compare func(a, b string) (int, error), other Event) (bool, error) {
	switch {
	case other == Event{}:
		return true, nil
	case ev.Introduced == "0":
		return false, nil
	case other.Introduced == "0":
		return true, nil
	}
	c, err := compare(ev.version(), other.version())
	if c == 0 {
		return other.LastAffected == "" || ev.LastAffected != "", err
	}
	return c > 0, err
}
