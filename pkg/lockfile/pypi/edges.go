package pypi

import (
	"cmp"
	"iter"
	"slices"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// edges are what the entries of a lockfile ask for, until all of them are known.
type edges struct {
	wishes []wish
	direct []wish // of the project itself; their from is not used
}

// wish says that the entry with index from asks for a package.
type wish struct {
	from    int32
	name    string // as written
	version string // the one that is asked for, "" where the file leaves that to the reader
	dev     bool
}

// maxVersions bounds how many locked versions of one package a wish is taken to mean. Real
// files have two or three.
const maxVersions = 32

// resolve fills in Package.Direct and, where it is asked for, Package.RequiredBy. A wish
// without a version stands for all versions of its package that are locked.
//
// A file that does not say what the project itself asks for says it all the same of what
// nothing else in it asks for.
func (e *edges) resolve(f *lockfile.File, opt lockfile.Options) {
	if !opt.Edges && len(e.direct) == 0 {
		return
	}
	byName := newNameIndex(f.Packages)
	for _, w := range e.direct {
		for i := range byName.find(w) {
			p := &f.Packages[i]
			if w.dev && p.Direct != lockfile.Yes {
				p.Scope |= lockfile.Dev
			}
			if !w.dev {
				p.Scope &^= lockfile.Dev
			}
			p.Direct = lockfile.Yes
		}
	}
	if !opt.Edges {
		return
	}
	type edge struct{ to, from int32 }
	var all []edge
	for _, w := range e.wishes {
		for i := range byName.find(w) {
			if i != w.from {
				all = append(all, edge{i, w.from})
			}
		}
	}
	slices.SortFunc(all, func(a, b edge) int {
		return cmp.Or(cmp.Compare(a.to, b.to), cmp.Compare(a.from, b.from))
	})
	all = slices.Compact(all)
	from := make([]int32, 0, len(all))
	for begin := 0; begin < len(all); {
		to, first := all[begin].to, len(from)
		for ; begin < len(all) && all[begin].to == to; begin++ {
			from = append(from, all[begin].from)
		}
		f.Packages[to].RequiredBy = from[first:len(from):len(from)]
	}
	if len(e.direct) > 0 || len(e.wishes) == 0 {
		return
	}
	for i := range f.Packages {
		if p := &f.Packages[i]; len(p.RequiredBy) == 0 {
			p.Direct = lockfile.Yes
		}
	}
}

// nameIndex finds packages by name, in the order of the file.
type nameIndex struct {
	packages []lockfile.Package
	first    map[string]int32
	next     []int32 // the next package of the same name, 0 for none
}

func newNameIndex(packages []lockfile.Package) *nameIndex {
	x := &nameIndex{packages, make(map[string]int32, len(packages)), make([]int32, len(packages))}
	for i := len(packages) - 1; i >= 0; i-- {
		if next, ok := x.first[packages[i].Name]; ok {
			x.next[i] = next
		}
		x.first[packages[i].Name] = int32(i)
	}
	return x
}

// find yields the indices of the packages that a wish can mean.
func (x *nameIndex) find(w wish) iter.Seq[int32] {
	return func(yield func(int32) bool) {
		i, ok := x.first[ecosystem.PyPI.CanonicalName(w.name)]
		for n := 0; ok && n < maxVersions; n++ {
			if (w.version == "" || w.version == x.packages[i].Version) && !yield(i) {
				return
			}
			i = x.next[i]
			ok = i != 0
		}
	}
}
