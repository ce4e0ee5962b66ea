package sweep

import (
	"cmp"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/finding"
)

// factKey is what makes findings of several indicators one: a campaign, a package and a place.
type factKey struct {
	placeKey
	state finding.State
}

// merged makes one finding of those that several indicators of a campaign make of one package
// at one place: one source lists its version, another a range, a third its digest. Only
// findings of one state are merged, so that none is lost in a weaker one.
func merged(all []*finding.Finding) []*finding.Finding {
	groups := map[factKey][]*finding.Finding{}
	var keys []factKey
	for i, f := range all {
		key := factKey{state: f.State}
		if f.Package == nil {
			key.line = -1 - i // of a file, each indicator is a fact of its own
		} else {
			key.placeKey = placeKey{file: f.File, line: f.Line, campaign: f.Campaign, pkg: packageKey(f.Package)}
		}
		if groups[key] == nil {
			keys = append(keys, key)
		}
		groups[key] = append(groups[key], f)
	}
	out := make([]*finding.Finding, 0, len(keys))
	for _, key := range keys {
		out = append(out, lead(groups[key]))
	}
	return out
}

// confidences in falling order, as finding.Finding spells them.
var confidences = []string{"confirmed", "probable", "weak"}

// lead is the finding of the indicator that is believed most, with what the others add.
func lead(fs []*finding.Finding) *finding.Finding {
	slices.SortStableFunc(fs, func(a, b *finding.Finding) int {
		return cmp.Or(cmp.Compare(slices.Index(confidences, a.Confidence), slices.Index(confidences, b.Confidence)),
			strings.Compare(a.Indicator, b.Indicator))
	})
	f := fs[0]
	for _, other := range fs[1:] {
		if other.Indicator != f.Indicator {
			f.Also = append(f.Also, other.Indicator)
		}
		f.Reasons = union(f.Reasons, other.Reasons)
		f.Refs = union(f.Refs, other.Refs)
		f.Safe = union(f.Safe, other.Safe)
		f.Advisory = union(f.Advisory, other.Advisory)
		f.Sources = union(f.Sources, other.Sources)
		slices.Sort(f.Sources)
		f.Commit = cmp.Or(f.Commit, other.Commit)
		f.Digest = cmp.Or(f.Digest, other.Digest)
		f.Action = cmp.Or(f.Action, other.Action)
		f.Window = cmp.Or(f.Window, other.Window)
	}
	return f
}

// union is a with what b has besides. It writes to neither: they may be an indicator's.
func union(a, b []string) []string {
	out := slices.Clone(a)
	for _, s := range b {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
