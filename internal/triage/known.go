package triage

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// FalsePositive is one that the organisation knows. It is of one alert and of subjects whose
// parts are these, whole: there is no pattern.
type FalsePositive struct {
	Alert   string            `json:"alert"`
	Subject Kind              `json:"subject,omitempty"` // "" for any kind
	Parts   map[string]string `json:"parts"`             // at least one
	Owner   string            `json:"owner"`
	Reason  string            `json:"reason"`
	Until   time.Time         `json:"until"` // it counts before this time
}

// noExit are alerts that no false positive is known of: the audit policy changed, somebody unknown
// was let in, the audit device is gone.
var noExit = []string{"K6", "K8", "V2"}

// byPlace are alerts about what stands in many places, of which a signal names one.
var byPlace = []string{AlertIOC, AlertMalware}

// NeverFalse reports whether no false positive of an alert is ever known.
func NeverFalse(alert string) bool { return slices.Contains(noExit, alert) }

// Check says what an entry lacks.
func (p *FalsePositive) Check() error {
	switch {
	case p.Alert == "":
		return errors.New("a known false positive of no alert")
	case NeverFalse(p.Alert):
		return fmt.Errorf("%s is never a known false positive: look at each", p.Alert)
	case slices.Contains(byPlace, p.Alert):
		return fmt.Errorf("%s is no known false positive as a whole: the exclusions file leaves places out", p.Alert)
	case len(p.Parts) == 0:
		return fmt.Errorf("a known false positive of %.100q would be of every subject: name a part", p.Alert)
	case strings.TrimSpace(p.Owner) == "", strings.TrimSpace(p.Reason) == "", p.Until.IsZero():
		return fmt.Errorf("a known false positive of %.100q needs an owner, a reason and a date until when", p.Alert)
	}
	return nil
}

// Equal reports whether two entries say the same.
func (p *FalsePositive) Equal(o FalsePositive) bool {
	return p.Alert == o.Alert && p.Subject == o.Subject && maps.Equal(p.Parts, o.Parts) && p.Owner == o.Owner && p.Reason == o.Reason && p.Until.Equal(o.Until)
}

func (p *FalsePositive) fits(s *Signal) bool {
	if p.Alert != s.AlertID || p.Subject != "" && p.Subject != s.Subject.Kind {
		return false
	}
	for name, want := range p.Parts {
		if s.Subject.Part(name) != want {
			return false
		}
	}
	return true
}

// sourceKnown is the source of KnownAnswer.
const sourceKnown = "known false positives"

// KnownAnswer answers KnownFalsePositive from a list, as of a time. An entry that lacks something
// or has run out counts for nothing.
func KnownAnswer(list []FalsePositive, s *Signal, now time.Time) Answer {
	ran := slices.IndexFunc(list, func(p FalsePositive) bool { return p.Check() == nil && p.fits(s) && !now.Before(p.Until) })
	i := slices.IndexFunc(list, func(p FalsePositive) bool { return p.Check() == nil && p.fits(s) && now.Before(p.Until) })
	a := Said(sourceKnown, false, "%d entries, none of which fits", len(list))
	switch {
	case i >= 0:
		a = Said(sourceKnown, true, "%.200s (owner %.100s, until %s)", list[i].Reason, list[i].Owner, list[i].Until.UTC().Add(-1).Format(time.DateOnly))
	case ran >= 0:
		a = Said(sourceKnown, false, "the entry of %.100s ran out on %s", list[ran].Owner, list[ran].Until.UTC().Format(time.DateOnly))
	}
	a.At = now.UTC()
	return a
}
