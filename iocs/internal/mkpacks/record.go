package main

import (
	"fmt"
	"path"
	"slices"

	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/ioc/feed"
)

func place(file string, line int) string { return fmt.Sprintf("%s:%d", file, line) }

// foreign is a repair of an import as a pack records it: under the source's id, with the file
// before what was found where the source is a folder.
func (pb *packBuilder) foreign(in *input, r ioc.Repair, whole bool) ioc.Repair {
	if in.feed.Form == feed.FormFolder {
		r.Found = r.Source + ": " + r.Found
	}
	if whole {
		r.Line = 0
	}
	r.Source = in.ID
	return r
}

// refusals records the rows that the import refused, where the take is about them: those of its
// campaign, or all where it takes the whole source. Values that have no form are counted.
func (pb *packBuilder) refusals(t take, in *input) {
	if t.Confirm || t.Withdrawn || len(t.Sections)+len(t.Names)+len(t.OnlyWith) > 0 {
		return
	}
	free := 0
	for _, e := range in.feed.Errors {
		if len(t.Campaign) > 0 && !slices.Contains(t.Campaign, e.Campaign) ||
			len(t.Files) > 0 && !slices.Contains(t.Files, path.Base(e.File)) {
			continue
		}
		if e.Rule == feed.FreeKey || e.Rule == feed.UnknownKind && !in.Cited {
			free++
			continue
		}
		pb.record(ioc.Repair{Source: in.ID, Line: e.Line, Rule: string(e.Rule), Found: e.Detail})
	}
	if free > 0 {
		pb.record(ioc.Repair{Source: in.ID, Rule: string(feed.FreeKey), Found: fmt.Sprintf("%d values under keys of no form", free)})
	}
}

func (pb *packBuilder) record(r ioc.Repair) {
	key := fmt.Sprint(r)
	if !pb.seen[key] {
		pb.seen[key] = true
		pb.named[r.Source] = true
		pb.repairs = append(pb.repairs, r)
	}
}

// drops reports whether the recipe leaves the atom out, and records it.
func (pb *packBuilder) drops(in *input, e feed.Entry, a *atom) bool {
	for i, d := range pb.recipe.Drop {
		if d.Name != a.ind.Name || d.Source != "" && d.Source != in.ID {
			continue
		}
		if len(d.Versions) > 0 && (len(a.ind.Versions) == 0 || !slices.Contains(d.Versions, a.ind.Versions[0])) {
			continue
		}
		pb.dropped[i] = true
		pb.record(ioc.Repair{Source: in.ID, Line: e.Line, Rule: d.Rule, Found: a.String(), Made: d.Made})
		return true
	}
	return false
}
