package inventory

import (
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// maxChain is the number of steps of a chain that are shown: a lockfile of 1 MB can hold
// 10,000 findings, each as many steps from the project.
const maxChain = 32

// omitted stands in a chain for the steps in its middle that are left out.
const omitted = "..."

// noAsker is the asker of a package that no way from the project leads to, or none that the
// file tells.
const noAsker = -1

// Ways are the ways from a project to the packages of its lockfile, one shortest to each.
type Ways struct {
	askers []int32 // of each package the one before it on the way: itself where it is direct, or noAsker
	first  []int32 // and the direct one with which the way begins
}

// NewWays finds the ways of a file that was read with its edges, in time linear in those. Of one
// that was read without, only direct packages have one.
func NewWays(file *lockfile.File) Ways {
	n := len(file.Packages)
	w := Ways{make([]int32, n), make([]int32, n)}
	from := make([]int32, n+1) // asks[from[i]:from[i+1]] are the packages that i asks for
	for i := range file.Packages {
		for _, by := range file.Packages[i].RequiredBy {
			from[by+1]++
		}
	}
	for i := range n {
		from[i+1] += from[i]
	}
	asks := make([]int32, from[n])
	at := append([]int32(nil), from...)
	queue := make([]int32, 0, n)
	for i := range file.Packages {
		for _, by := range file.Packages[i].RequiredBy {
			asks[at[by]] = int32(i)
			at[by]++
		}
		w.askers[i] = noAsker
		if file.Packages[i].Direct == lockfile.Yes {
			w.askers[i], w.first[i] = int32(i), int32(i)
			queue = append(queue, int32(i))
		}
	}
	for len(queue) > 0 {
		by := queue[0]
		queue = queue[1:]
		for _, i := range asks[from[by]:from[by+1]] {
			if w.askers[i] == noAsker {
				w.askers[i], w.first[i] = by, w.first[by]
				queue = append(queue, i)
			}
		}
	}
	return w
}

// waysOf takes askers that were read back. They must lead to a direct package, each of them.
func waysOf(askers []int32) (Ways, bool) {
	const open, walking = -1, -2
	w := Ways{askers, make([]int32, len(askers))}
	for i := range w.first {
		w.first[i] = open
	}
	var way []int32
	for i := range askers {
		at := int32(i)
		for way = way[:0]; w.first[at] == open && askers[at] != noAsker && askers[at] != at; at = askers[at] {
			w.first[at] = walking
			way = append(way, at)
		}
		first := w.first[at]
		switch {
		case first == open && askers[at] == at:
			first, w.first[at] = at, at
		case first < 0 && (len(way) > 0 || askers[at] != noAsker): // a circle, or a way from nowhere
			return Ways{}, false
		}
		for _, at := range way {
			w.first[at] = first
		}
	}
	return w, true
}

// To is the way to package i of packages, each step as name@version: from a direct dependency to
// i itself, without its middle where it is long. It is nil where there is none.
func (w Ways) To(packages []lockfile.Package, i int) []string {
	if i >= len(w.askers) || w.askers[i] == noAsker {
		return nil
	}
	at, out := int32(i), []string{step(&packages[i])}
	for w.askers[at] != at && len(out) < maxChain-2 {
		at = w.askers[at]
		out = append(out, step(&packages[at]))
	}
	if first := w.first[i]; at != first {
		if w.askers[at] != first {
			out = append(out, omitted)
		}
		out = append(out, step(&packages[first]))
	}
	slices.Reverse(out)
	return out
}

func step(p *lockfile.Package) string {
	if p.Version == "" {
		return strings.Clone(p.Name)
	}
	return p.Name + "@" + p.Version
}
