package sweep

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

// chains are the ways from a project to the packages of its lockfile.
type chains struct {
	file  *lockfile.File
	asker []int32 // of each package the one before it on a shortest way: itself where it is direct, -1 for no way
	first []int32 // and the direct one with which that way begins
}

// newChains finds the ways of a file that was read with its edges, in time linear in those.
func newChains(file *lockfile.File) chains {
	n := len(file.Packages)
	c := chains{file, make([]int32, n), make([]int32, n)}
	from := make([]int32, n+1) // asks[from[i]:from[i+1]] are the packages that i asks for
	for _, p := range file.Packages {
		for _, by := range p.RequiredBy {
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
		c.asker[i] = -1
		if file.Packages[i].Direct == lockfile.Yes {
			c.asker[i], c.first[i] = int32(i), int32(i)
			queue = append(queue, int32(i))
		}
	}
	for len(queue) > 0 {
		by := queue[0]
		queue = queue[1:]
		for _, i := range asks[from[by]:from[by+1]] {
			if c.asker[i] < 0 {
				c.asker[i], c.first[i] = by, c.first[by]
				queue = append(queue, i)
			}
		}
	}
	return c
}

// to is the way to package i, each step as name@version: from a direct dependency to i
// itself, without its middle where it is long. It is nil where there is none.
func (c chains) to(i int) []string {
	if i >= len(c.asker) || c.asker[i] < 0 {
		return nil
	}
	at, out := int32(i), []string{c.step(int32(i))}
	for c.asker[at] != at && len(out) < maxChain-2 {
		at = c.asker[at]
		out = append(out, c.step(at))
	}
	if first := c.first[i]; at != first {
		if c.asker[at] != first {
			out = append(out, omitted)
		}
		out = append(out, c.step(first))
	}
	slices.Reverse(out)
	return out
}

func (c chains) step(i int32) string {
	p := &c.file.Packages[i]
	if p.Version == "" {
		return strings.Clone(p.Name)
	}
	return p.Name + "@" + p.Version
}
