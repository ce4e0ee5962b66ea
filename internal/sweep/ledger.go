package sweep

import (
	"maps"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/source"
)

// ledger is the coverage rows of a tree: a row for each file in scope under its first ref, and
// one for the whole under each.
func (r *result) ledger(t *treeResult) []*finding.Coverage {
	row := func(file string, status finding.CoverageStatus) *finding.Coverage {
		return &finding.Coverage{Repository: r.name, Ref: t.ref, Commit: t.commit, File: file, Status: status}
	}
	var out []*finding.Coverage
	for _, fr := range t.inScope {
		switch {
		case fr.err != nil:
			c := row(fr.file.Path, finding.Unparsed)
			c.Reason = fr.err.code
			if fr.format != nil {
				c.Format = fr.format.ID
			}
			out = append(out, c)
		case fr.content != nil:
			c := row(fr.file.Path, finding.Parsed)
			c.Format, c.Packages = fr.format.ID, fr.content.packages
			if len(fr.content.tell().problems) > 0 {
				c.Status, c.Reason = finding.Unparsed, string(fr.content.tell().problems[0].Code)
			}
			out = append(out, c)
		case fr.hash:
			out = append(out, row(fr.file.Path, finding.Hashed))
		default:
			out = append(out, row(fr.file.Path, finding.Met))
		}
	}
	whole := row("", finding.Parsed)
	whole.Number, whole.Files, whole.OutOfScope = r.number, t.files, r.leftOut(t)
	if len(t.problems) > 0 {
		whole.Status, whole.Reason = finding.Unparsed, t.problems[0].code
	}
	out = append(out, whole)
	for _, ref := range t.also { // whose files are those
		same := *whole
		same.Ref, same.Commit = ref.Name, ref.Commit
		out = append(out, &same)
	}
	return out
}

// without is the row of what was left out of a repository without a tree to say it with: one
// that is disabled or empty, or the organisation itself.
func (r *result) without() *finding.Coverage {
	out := &finding.Coverage{Repository: r.name, Number: r.number, Status: finding.OutOfScope, OutOfScope: map[string]int{}}
	r.addNotes(out.OutOfScope)
	out.Reason = string(r.notes[0].Code)
	for _, n := range r.notes {
		if n.Code == source.CodePermission || n.Code == source.CodeFallback {
			out.Notes = append(out.Notes, n.Detail)
		}
	}
	return out
}

// leftOut are the things of a tree that were left out, by reason; with those of the repository
// beside its trees under the first.
func (r *result) leftOut(t *treeResult) map[string]int {
	if len(r.notes) == 0 || t != r.trees[0] {
		return t.outOfScope
	}
	out := maps.Clone(t.outOfScope) // which a memory keeps as that of the tree alone
	r.addNotes(out)
	return out
}

func (r *result) addNotes(to map[string]int) {
	for _, n := range r.notes {
		to[string(n.Code)]++
	}
}
