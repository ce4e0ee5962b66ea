package sweep

import (
	"context"

	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/pkg/lockfile/formats"
)

// briefly is what a memory says of a repository in brief, nil where it is to be swept.
func (p *pool) briefly(ctx context.Context, repo *source.Repository) *inventory.Brief {
	if b, ok := p.memory.Memory.(Briefer); ok && !p.opt.Explain && ctx.Err() == nil {
		return b.Brief(repo)
	}
	return nil
}

// brief is what may be said of the repository again while nothing of it changes and nothing that it
// holds is listed; nil where something was met, or not read, or is told by its digest.
func (r *result) brief() *inventory.Brief {
	if r.cut || r.loose || len(r.shown) > 0 || len(r.problems) > len(r.source) {
		return nil
	}
	out := &inventory.Brief{Problems: r.source, Notes: r.notes}
	if len(r.seen) > 0 {
		out.Seen = map[string]int{}
	}
	for _, seen := range r.seen {
		out.Seen[seen.Property]++
	}
	roots := map[inventory.ID]bool{}
	for _, t := range r.trees {
		if _, whole := t.listing(); !t.rooted || roots[t.root] || !t.recalled && !whole {
			return nil
		}
		roots[t.root] = true
		known := inventory.BriefTree{
			Refs:  append([]source.Ref{{Name: t.ref, Commit: t.commit}}, t.also...),
			Total: t.files, OutOfScope: t.outOfScope,
		}
		for _, problem := range t.problems {
			known.Problems = append(known.Problems, source.Problem{File: problem.file, Code: source.Code(problem.code), Detail: problem.text})
		}
		for _, fr := range t.inScope {
			f, ok := fr.brief()
			if !ok {
				return nil
			}
			known.Files = append(known.Files, f)
		}
		out.Trees = append(out.Trees, known)
	}
	return out
}

// brief is the file as a Brief has it; ok is false for one that it cannot have.
func (fr *fileResult) brief() (f inventory.BriefFile, ok bool) {
	blob, err := inventory.ParseID(fr.blob)
	if err != nil || fr.err != nil || fr.format == nil || fr.hash || fr.hashes != nil || len(fr.matches) > 0 ||
		fr.content == nil || len(fr.content.tell().hits) > 0 {
		return f, false
	}
	return inventory.BriefFile{
		Path: fr.file.Path, Blob: blob, Format: fr.format.ID, Packages: fr.content.packages,
		Unmatched: fr.content.unmatched, Problems: fr.content.tell().problems,
	}, true
}

// told is the result of a repository that is known in brief.
func (p *pool) told(repo *source.Repository, b *inventory.Brief) *result {
	r := &result{
		name: repo.Name, server: repo.Server, number: repo.Number,
		source: b.Problems, notes: b.Notes, counted: b.Seen,
	}
	for _, problem := range b.Problems {
		r.problems = append(r.problems, placedProblem{problem.File, string(problem.Code), problem.Detail})
	}
	for i := range b.Trees {
		known := &b.Trees[i]
		t := &treeResult{
			ref: known.Refs[0].Name, commit: known.Refs[0].Commit, also: known.Refs[1:],
			files: known.Total, outOfScope: known.OutOfScope, recalled: true,
		}
		for _, problem := range known.Problems {
			t.problems = append(t.problems, placedProblem{problem.File, string(problem.Code), problem.Detail})
		}
		files := make([]fileResult, len(known.Files))
		contents := make([]content, len(known.Files))
		t.inScope = make([]*fileResult, len(known.Files))
		for j := range known.Files {
			f, fr, c := &known.Files[j], &files[j], &contents[j]
			fr.file.Path, fr.format = f.Path, formats.ByID(f.Format)
			c.done, c.packages, c.unmatched = true, f.Packages, f.Unmatched
			c.of = p.contentAt(contentKey{f.Blob, fr.format})
			if len(f.Problems) > 0 {
				c.notable = &notable{problems: f.Problems}
				fr.blob = f.Blob.String()
			}
			fr.content, t.inScope[j] = c, fr
		}
		r.trees = append(r.trees, t)
	}
	return r
}
