package incident

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// observe brings the places of a record up to date with a sweep: what it found, and what it
// proved settled. owners gives the owners of a file; nil knows none.
func (r *Record) observe(s *Sweep, owners func(repository, file string) []string) {
	id := r.Campaign.ID
	if !s.speaksOf(id) {
		return
	}
	known := newPlaces(r.Places)
	found := map[*Place]map[string]bool{} // the refs at which each was found now
	dropped := s.dropped[id]
	if r.Things == nil {
		r.Things = map[string]Thing{}
	}
	for _, f := range s.findings[id] {
		name, thing := thingOf(f)
		r.Things[name] = thing
		p := known.of(f)
		if p == nil {
			if len(r.Places) >= MaxPlaces {
				dropped++
				continue
			}
			p = &Place{Fingerprint: f.Fingerprint, Repository: f.Repository, Number: f.Number, File: f.File, FirstSeen: s.started}
			if owners != nil && !artifact(f.Repository) {
				p.Owners = owners(f.Repository, f.File)
			}
			r.Places = append(r.Places, p)
			known.add(p)
		}
		if found[p] == nil { // of several lines of one file, the first
			found[p] = map[string]bool{}
			p.Fingerprint, p.Repository = f.Fingerprint, f.Repository // renamed since, perhaps
			p.Number = cmp.Or(f.Number, p.Number)
			p.Line, p.Thing, p.Indicator, p.Chain = f.Line, name, f.Indicator, chainEnds(f.Chain)
			if p.Reason = ""; len(f.Reasons) > 0 {
				p.Reason = f.Reasons[0]
			}
		}
		for _, ref := range refsOf(f) {
			found[p][ref] = true
		}
	}
	r.Dropped = max(r.Dropped, dropped)
	held := map[string]bool{}
	for _, p := range r.Places {
		p.meet(id, s, found[p])
		held[p.Thing] = true
	}
	maps.DeleteFunc(r.Things, func(name string, _ Thing) bool { return !held[name] })
	if !s.opt.Partial {
		r.Gaps = s.gapsOf(id)
	}
	slices.SortFunc(r.Places, func(a, b *Place) int {
		return cmp.Or(strings.Compare(a.Repository, b.Repository), strings.Compare(a.File, b.File), strings.Compare(a.Fingerprint, b.Fingerprint))
	})
}

// meet brings the refs of a place up to date. found are those at which the sweep has it.
func (p *Place) meet(campaign string, s *Sweep, found map[string]bool) {
	known := map[string]*Ref{}
	for _, ref := range p.Refs {
		known[ref.Name] = ref
	}
	if len(found) > 0 && s.started.After(p.LastFound) {
		p.LastFound = s.started
	}
	for name := range found {
		if known[name] == nil {
			known[name] = &Ref{Name: name}
		}
		*known[name] = Ref{Name: name}
	}
	for _, ref := range p.Refs {
		switch {
		case found[ref.Name] || ref.Settled != Unsettled || s.started.Before(p.LastFound):
			continue
		case s.opt.Partial && !s.looked(campaign, p, ref.Name):
			continue
		}
		if ref.Settled, ref.Commit, ref.Missing = s.proof(campaign, p, ref.Name); ref.Settled != Unsettled {
			ref.At = s.started
		}
	}
	p.Refs = slices.SortedFunc(maps.Values(known), func(a, b *Ref) int { return strings.Compare(a.Name, b.Name) })
}

// chainEnds are both ends of a chain that may be absurdly long; the gap is an empty step.
func chainEnds(chain []string) []string {
	const head, tail = 3, 2
	if len(chain) <= head+tail {
		return chain
	}
	return slices.Concat(chain[:head], []string{""}, chain[len(chain)-tail:])
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
