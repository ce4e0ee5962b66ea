package incident

import (
	"cmp"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/finding"
)

// Swept is a repository that sweeps found something in.
type Swept struct {
	Name   string
	Number int64 // the server's own; 0 where nobody told, and the name alone counts
}

func (r Swept) compare(other Swept) int {
	return cmp.Or(strings.Compare(r.Name, other.Name), cmp.Compare(r.Number, other.Number))
}

// key is what a Sweep keeps under for r: its number alone, where it has one.
func (r Swept) key() Swept {
	if r.Number != 0 {
		r.Name = ""
	}
	return r
}

func (p *Place) repository() Swept { return Swept{p.Repository, p.Number} }

// interests are the repositories that earlier sweeps found something in.
type interests struct {
	named    map[string][]Swept // by name
	numbered map[int64][]Swept  // by number: one that was renamed has several names
}

func newInterests(all []Swept) interests {
	in := interests{map[string][]Swept{}, map[int64][]Swept{}}
	for _, r := range all {
		r.Name = utf8(r.Name)
		in.named[r.Name] = append(in.named[r.Name], r)
		if r.Number != 0 {
			in.numbered[r.Number] = append(in.numbered[r.Number], r)
		}
	}
	return in
}

// of gives those of which an event tells that names a repository, with its number where it is known.
// Of two repositories with numbers, the name says nothing.
func (in *interests) of(name string, number int64) []Swept {
	if number == 0 {
		return in.named[name]
	}
	out := slices.Clone(in.numbered[number])
	for _, r := range in.named[name] {
		if r.Number == 0 {
			out = append(out, r)
		}
	}
	return out
}

// keys are those of of, each once.
func (in *interests) keys(name string, number int64) []Swept {
	var out []Swept
	for _, r := range in.of(name, number) {
		if k := r.key(); !slices.Contains(out, k) {
			out = append(out, k)
		}
	}
	return out
}

// calledBefore is the fingerprint that a finding would have in the repository as it was called.
func calledBefore(f *finding.Finding, name string) string {
	if f.Repository == name {
		return f.Fingerprint
	}
	c := *f
	c.Repository = name
	return finding.Fingerprint(&c)
}

// places are those of a record, to be found again.
type places struct {
	byPrint map[string][]*Place
	names   map[int64][]string // of repositories, by number
}

func newPlaces(all []*Place) *places {
	ps := &places{map[string][]*Place{}, map[int64][]string{}}
	for _, p := range all {
		ps.add(p)
	}
	return ps
}

func (ps *places) add(p *Place) {
	ps.byPrint[p.Fingerprint] = append(ps.byPrint[p.Fingerprint], p)
	if p.Number != 0 && !slices.Contains(ps.names[p.Number], p.Repository) {
		ps.names[p.Number] = append(ps.names[p.Number], p.Repository)
	}
}

// of is the place of a finding, nil for a new one. It is of the repository of that number, whatever
// that was called; and that of one of which nobody told the number is of the one that has its name.
func (ps *places) of(f *finding.Finding) *Place {
	for _, name := range append([]string{f.Repository}, ps.names[f.Number]...) {
		for _, p := range ps.byPrint[calledBefore(f, name)] {
			if p.Number == f.Number || name == f.Repository && (p.Number == 0 || f.Number == 0) {
				return p
			}
		}
	}
	return nil
}
