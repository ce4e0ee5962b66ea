package main

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/ioc/feed"
)

// generate makes the files of the catalogue, by name.
func generate(lists fs.FS) (map[string][]byte, error) {
	r, err := readRecipe(recipeText)
	if err != nil {
		return nil, err
	}
	inputs, err := readInputs(lists, r.Sources)
	if err != nil {
		return nil, err
	}
	return r.build(inputs)
}

// readInputs reads every source, by id.
func readInputs(lists fs.FS, sources []source) (map[string]*input, error) {
	inputs := map[string]*input{}
	for i := range sources {
		in, err := readInput(lists, &sources[i])
		if err != nil {
			return nil, fmt.Errorf("source %q: %w", sources[i].ID, err)
		}
		if inputs[in.ID] != nil {
			return nil, fmt.Errorf("source %q: given twice", in.ID)
		}
		inputs[in.ID] = in
	}
	return inputs, nil
}

// build makes the packs of the recipe, and the table of its sources.
func (r recipe) build(inputs map[string]*input) (map[string][]byte, error) {
	b := &builder{sources: inputs, made: map[string]map[string]bool{}}
	files := map[string][]byte{"SOURCES.tsv": sourcesTable(r.Sources, inputs)}
	for _, pr := range r.Packs {
		p, err := b.pack(pr)
		if err == nil {
			files[pr.ID+".json"], err = render(p)
		}
		if err != nil {
			return nil, fmt.Errorf("pack %q: %w", pr.ID, err)
		}
	}
	return files, nil
}

// input is a source that was read.
type input struct {
	*source
	sum  string // SHA-256 in hex
	feed feed.Feed
	keys map[string]bool // of all package atoms
}

func readInput(lists fs.FS, s *source) (*input, error) {
	in := &input{source: s, keys: map[string]bool{}}
	if s.File == "" {
		return in, nil
	}
	var err error
	if in.sum, err = sumOf(lists, s.File); err != nil {
		return nil, err
	}
	if in.feed, err = feed.ImportFS(lists, s.File, feed.Options{Ecosystem: s.Ecosystem}); err != nil {
		return nil, err
	}
	for _, e := range in.feed.Entries {
		for _, a := range atoms(e.Indicator) {
			in.keys[a.key] = true
		}
	}
	return in, nil
}

type builder struct {
	sources map[string]*input
	made    map[string]map[string]bool // package atoms by pack
}

// packBuilder collects what one pack holds.
type packBuilder struct {
	*builder
	recipe  packRecipe
	atoms   []*atom
	at      map[string]*atom
	repairs []ioc.Repair
	named   map[string]bool // ids of sources that repairs name
	dropped []bool          // by index of recipe.Drop: it hit something
	changed []bool          // by index of recipe.Adjust
	seen    map[string]bool // repairs, so that two takes of a source record one
}

func (b *builder) pack(pr packRecipe) (ioc.Pack, error) {
	pb := &packBuilder{
		builder: b, recipe: pr, at: map[string]*atom{}, named: map[string]bool{}, seen: map[string]bool{},
		dropped: make([]bool, len(pr.Drop)), changed: make([]bool, len(pr.Adjust)),
	}
	for i, t := range pr.Take {
		if err := pb.take(t); err != nil {
			return ioc.Pack{}, fmt.Errorf("take %d of %q: %w", i+1, t.Source, err)
		}
	}
	for i, a := range pr.Add {
		if err := pb.add(a); err != nil {
			return ioc.Pack{}, fmt.Errorf("addition %d: %w", i+1, err)
		}
	}
	for _, rep := range pr.Repairs {
		pb.record(rep)
	}
	for i, hit := range pb.dropped {
		if !hit {
			return ioc.Pack{}, fmt.Errorf("drop of %q: no row says so", pr.Drop[i].Name)
		}
	}
	for i, hit := range pb.changed {
		if !hit {
			return ioc.Pack{}, fmt.Errorf("adjust %q: no row says so", pr.Adjust[i].Value)
		}
	}
	return pb.finish()
}

// take takes the entries that fit.
func (pb *packBuilder) take(t take) error {
	in := pb.sources[t.Source]
	if in == nil || in.File == "" {
		return errors.New("no such input")
	}
	taken := map[string]bool{} // file and line
	count := 0
	for _, e := range in.feed.Entries {
		if !t.fits(e) {
			continue
		}
		used, err := pb.entry(t, in, e)
		if err != nil {
			return fmt.Errorf("line %d: %w", e.Line, err)
		}
		if used {
			taken[place(e.File, e.Line)] = true
			count++
		}
	}
	if count == 0 {
		return errors.New("takes nothing")
	}
	for _, r := range in.feed.Repairs {
		whole := r.Rule == string(feed.DefaultEcosystem)
		if whole || taken[place(r.Source, r.Line)] {
			pb.record(pb.foreign(in, r, whole))
		}
	}
	pb.refusals(t, in)
	return nil
}

// entry takes one entry in; used is false when a condition on its versions left nothing of it.
func (pb *packBuilder) entry(t take, in *input, e feed.Entry) (used bool, err error) {
	sources, err := pb.cited(in, e)
	if err != nil {
		return false, err
	}
	changed, err := pb.adjusted(in, e)
	if err != nil || changed.dropped {
		return true, err
	}
	for _, a := range atoms(changed.ind) {
		if a.ind.Type == ioc.TypePackage && (!pb.allowed(t, a) || pb.drops(in, e, a)) {
			continue
		}
		known := pb.at[a.key]
		if t.Confirm && known == nil {
			continue
		}
		used = true
		a.requires, a.judged = changed.requires, changed.judged
		pb.merge(a, sources, changed.ind.Confidence == ioc.Confirmed && !in.Official)
	}
	return used, nil
}

// merge adds an atom, or its sources to the same atom.
func (pb *packBuilder) merge(a *atom, sources []string, vendorsConfirm bool) {
	known := pb.at[a.key]
	if known == nil {
		known = a
		pb.at[a.key] = a
		pb.atoms = append(pb.atoms, a)
	}
	known.confirmed = known.confirmed || vendorsConfirm
	for _, id := range sources {
		if !slices.Contains(known.sources, id) {
			known.sources = append(known.sources, id)
		}
	}
	for _, id := range a.ind.OSV {
		if !slices.Contains(known.ind.OSV, id) {
			known.ind.OSV = append(known.ind.OSV, id)
		}
	}
	for _, text := range a.ind.Integrity {
		if !slices.Contains(known.ind.Integrity, text) {
			known.ind.Integrity = append(known.ind.Integrity, text)
		}
	}
}

// cited are the sources of an entry: the input, or those that the row cites.
func (pb *packBuilder) cited(in *input, e feed.Entry) ([]string, error) {
	if !in.Cited {
		return []string{in.ID}, nil
	}
	var ids []string
	for _, name := range e.Vendors {
		id := ""
		for _, s := range pb.sources {
			if slices.Contains(s.Cites, name) {
				id = s.ID
			}
		}
		if id == "" {
			return nil, fmt.Errorf("cites %q, which no source of the recipe is", name)
		}
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return nil, errors.New("cites nobody")
	}
	return ids, nil
}

// allowed tests the conditions of a take that are about single versions.
func (pb *packBuilder) allowed(t take, a *atom) bool {
	for _, id := range t.NotIn {
		if pb.made[id][a.key] {
			return false
		}
	}
	if len(t.OnlyWith) == 0 {
		return true
	}
	return slices.ContainsFunc(t.OnlyWith, func(id string) bool { return pb.sources[id].keys[a.key] })
}
