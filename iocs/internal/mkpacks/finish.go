package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	strict "github.com/go-json-experiment/json"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/ioc/feed"
)

// adjustment is an entry after the recipe's changes.
type adjustment struct {
	ind      ioc.Indicator
	requires []string
	judged   bool // its confidence was set
	dropped  bool
}

func (pb *packBuilder) adjusted(in *input, e feed.Entry) (adjustment, error) {
	out := adjustment{ind: e.Indicator}
	out.ind.OSV = slices.Clone(out.ind.OSV)
	for i, a := range pb.recipe.Adjust {
		if !means(a.Value, e.Indicator) {
			continue
		}
		pb.changed[i] = true
		if a.Drop != "" {
			pb.record(ioc.Repair{Source: in.ID, Line: e.Line, Rule: a.Drop, Found: a.Value})
			out.dropped = true
			return out, nil
		}
		if len(a.Set) > 0 {
			if err := strict.Unmarshal(a.Set, &out.ind, strict.RejectUnknownMembers(true)); err != nil {
				return out, fmt.Errorf("adjust %q: %w", a.Value, err)
			}
			var set struct{ Confidence ioc.Confidence }
			if err := json.Unmarshal(a.Set, &set); err != nil {
				return out, fmt.Errorf("adjust %q: %w", a.Value, err)
			}
			out.judged = out.judged || set.Confidence != ""
		}
		if a.Rule != "" {
			pb.record(ioc.Repair{Source: in.ID, Line: e.Line, Rule: a.Rule, Found: a.Value, Made: made(out.ind)})
		}
		out.requires = append(out.requires, a.Requires...)
	}
	return out, nil
}

// made is what became of a row, in short.
func made(ind ioc.Indicator) string {
	out := string(ind.Type)
	for _, s := range []string{ind.Kind, ind.Name, ind.Path, strings.Join(ind.Versions, " "), ind.Hook, ind.Value} {
		if s != "" {
			out += " " + s
		}
	}
	if ind.Confidence == ioc.Weak {
		out += " (weak)"
	}
	return out
}

// add takes in an indicator that the recipe writes out.
func (pb *packBuilder) add(a addition) error {
	ind := ioc.Indicator{}
	if err := strict.Unmarshal(a.Indicator, &ind, strict.RejectUnknownMembers(true)); err != nil {
		return err
	}
	for _, id := range a.Sources {
		if pb.sources[id] == nil {
			return fmt.Errorf("source %q: none of the recipe", id)
		}
	}
	for _, part := range atoms(ind) {
		part.requires = a.Requires
		pb.merge(part, a.Sources, false)
	}
	return nil
}

// finish puts the atoms together and makes the pack.
func (pb *packBuilder) finish() (ioc.Pack, error) {
	pr := pb.recipe
	p := ioc.Pack{
		Schema: ioc.Schema, ID: pr.ID, Aliases: pr.Aliases, Title: pr.Title, Actors: pr.Actors, Description: pr.Description,
		FirstSeen: pr.FirstSeen, LastSeen: pr.LastSeen, Status: pr.Status, Severity: pr.Severity, References: pr.References,
		Related: pr.Related, Revision: pr.Revision, Modified: pr.Modified, Repairs: pb.repairs,
	}
	pb.made[pr.ID] = map[string]bool{}
	groups := map[string]*atom{}
	var order []*atom
	for _, a := range pb.atoms {
		pb.judge(a)
		if a.ind.Type == ioc.TypePackage {
			pb.made[pr.ID][a.key] = true
		}
		key := groupKey(a)
		g := groups[key]
		if g == nil || a.ind.Type != ioc.TypePackage {
			groups[key] = a
			order = append(order, a)
			continue
		}
		g.ind.Versions = append(g.ind.Versions, a.ind.Versions...)
		g.ind.Ranges = append(g.ind.Ranges, a.ind.Ranges...)
	}
	for _, a := range order {
		if err := pb.complete(&a.ind); err != nil {
			return p, err
		}
	}
	slices.SortStableFunc(order, compareAtoms)
	if err := resolve(order, pr.ID); err != nil {
		return p, err
	}
	used := pb.named
	for _, a := range order {
		p.Indicators = append(p.Indicators, a.ind)
		for _, id := range a.ind.Sources {
			used[id] = true
		}
	}
	ids := make([]string, 0, len(used))
	for id := range used {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		p.Sources = append(p.Sources, ioc.Source{ID: id})
	}
	return p, nil
}

// judge sets sources and confidence: confirmed when the registry or OSV says it, when sources
// that do not copy each other do, or when a row names several vendors; weak stays weak.
func (pb *packBuilder) judge(a *atom) {
	slices.Sort(a.sources)
	a.ind.Sources = a.sources
	slices.Sort(a.ind.OSV)
	if a.ind.Confidence == ioc.Weak || a.judged {
		return
	}
	kin := map[string]bool{}
	official := a.confirmed
	for _, id := range a.sources {
		s := pb.sources[id]
		kin[cmp.Or(s.Kin, s.ID)] = true
		official = official || s.Official
	}
	a.ind.Confidence = ioc.Probable
	if official || len(kin) > 1 {
		a.ind.Confidence = ioc.Confirmed
	}
}

// groupKey is the same for atoms that become one indicator.
func groupKey(a *atom) string {
	if a.ind.Type != ioc.TypePackage || a.ind.AllVersions || len(a.ind.Integrity) > 0 {
		return "atom " + a.key
	}
	rest := a.ind
	rest.Versions, rest.Ranges = nil, nil
	text, err := json.Marshal(rest)
	if err != nil {
		panic(err) // an indicator cannot fail to marshal
	}
	return string(text)
}

// complete sets what the recipe says of single packages.
func (pb *packBuilder) complete(ind *ioc.Indicator) error {
	if ind.Type != ioc.TypePackage {
		return nil
	}
	if ind.SafeVersion == nil {
		ind.SafeVersion = slices.Clone(pb.recipe.Safe[ind.Name])
	}
	for _, versions := range [][]string{ind.Versions, ind.SafeVersion} {
		slices.SortFunc(versions, func(a, b string) int { return ioc.CompareVersions(ind.Ecosystem, a, b) })
	}
	for _, w := range pb.recipe.Windows {
		if ind.Window == nil && matchesName(w.Names, ind.Name) {
			ind.Window = &ioc.Window{From: w.From, Until: w.Until}
		}
	}
	return nil
}

// compareAtoms orders by type, then packages by ecosystem, name and first version; others stay
// in the order of the lists.
func compareAtoms(a, b *atom) int {
	rank := func(x *atom) int { return slices.Index(ioc.Types, x.ind.Type) }
	if c := cmp.Compare(rank(a), rank(b)); c != 0 || a.ind.Type != ioc.TypePackage {
		return c
	}
	eco := func(x *atom) string {
		if i := slices.Index(ecosystem.All, x.ind.Ecosystem); i >= 0 {
			return fmt.Sprint(i)
		}
		return string(x.ind.Ecosystem)
	}
	first := func(x *atom) string { return strings.Join(x.ind.Versions, " ") }
	return cmp.Or(cmp.Compare(eco(a), eco(b)), cmp.Compare(a.ind.Name, b.ind.Name),
		ioc.CompareVersions(a.ind.Ecosystem, firstVersion(a), firstVersion(b)), cmp.Compare(first(a), first(b)), cmp.Compare(a.key, b.key))
}

func firstVersion(a *atom) string {
	if len(a.ind.Versions) > 0 {
		return a.ind.Versions[0]
	}
	return ""
}

// resolve derives the ids and turns required values into ids.
func resolve(order []*atom, campaign string) error {
	for _, a := range order {
		a.ind.ID = ioc.IndicatorID(a.ind, campaign)
	}
	for _, a := range order {
		for _, want := range a.requires {
			id := ""
			for _, other := range order {
				if other != a && means(want, other.ind) {
					id = other.ind.ID
				}
			}
			if slices.Contains(ioc.Types, ioc.Type(want)) {
				id = want
			}
			if id == "" {
				return fmt.Errorf("%q requires %q, which is none of its indicators", a, want)
			}
			if !slices.Contains(a.ind.Requires, id) {
				a.ind.Requires = append(a.ind.Requires, id)
			}
		}
	}
	return nil
}
