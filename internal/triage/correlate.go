package triage

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Together reports whether two signals are of one incident: of one subject, or of one group of one
// source, and not further apart than the window. One whose time is not known is within it.
func Together(a, b *Signal, window time.Duration) bool {
	key := a.Subject.Key()
	same := key != "" && key == b.Subject.Key() || a.Group != "" && a.Group == b.Group && a.Source == b.Source
	return same && apart(a, b) <= window
}

// apart is the time between two signals, 0 where they overlap.
func apart(a, b *Signal) time.Duration {
	if a.FirstSeen.IsZero() || b.FirstSeen.IsZero() {
		return 0
	}
	return max(0, b.FirstSeen.Sub(later(a.LastSeen, a.FirstSeen)), a.FirstSeen.Sub(later(b.LastSeen, b.FirstSeen)))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Group is the signals of one incident, in the order in which they were first seen.
type Group struct {
	Signals []Signal
	Sources []Source // of them, sorted
	// Alerts are the ids of their alerts, sorted. Several about one identity propose the highest
	// severity.
	Alerts   []string
	Severity Severity // the worst
}

// Correlate puts signals together that belong to one incident, over others between them where
// need be. Groups are in the order of their first signals.
func Correlate(signals []Signal, window time.Duration) []Group {
	all := slices.Clone(signals)
	slices.SortStableFunc(all, func(a, b Signal) int {
		return cmp.Or(a.FirstSeen.Compare(b.FirstSeen), strings.Compare(a.Fingerprint, b.Fingerprint), strings.Compare(a.SourceRef, b.SourceRef))
	})
	leader := make([]int, len(all)) // the first of each one's group
	for i := range all {
		leader[i] = i
		for k := range i {
			if leader[k] == leader[i] || !Together(&all[k], &all[i], window) {
				continue
			}
			from, to := max(leader[i], leader[k]), min(leader[i], leader[k])
			for m := range i + 1 {
				if leader[m] == from {
					leader[m] = to
				}
			}
		}
	}
	var groups []Group
	at := map[int]int{}
	for i := range all {
		n, ok := at[leader[i]]
		if !ok {
			n = len(groups)
			at[leader[i]] = n
			groups = append(groups, Group{})
		}
		groups[n].add(all[i])
	}
	return groups
}

func (g *Group) add(s Signal) {
	g.Signals = append(g.Signals, s)
	g.Severity = max(g.Severity, s.Severity)
	if i, there := slices.BinarySearch(g.Sources, s.Source); !there {
		g.Sources = slices.Insert(g.Sources, i, s.Source)
	}
	if i, there := slices.BinarySearch(g.Alerts, s.AlertID); !there {
		g.Alerts = slices.Insert(g.Alerts, i, s.AlertID)
	}
	if len(g.Alerts) > 1 && g.Signals[0].Subject.Kind == Identity {
		g.Severity = Critical
	}
}
