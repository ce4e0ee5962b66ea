package inventory

import (
	"fmt"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

func TestWays(t *testing.T) {
	line := func(n int) (ps []lockfile.Package) { // each asks for the next
		for i := range n {
			p := lockfile.Package{Name: fmt.Sprint("p", i), Version: "1"}
			if i == 0 {
				p.Direct = lockfile.Yes
			} else {
				p.RequiredBy = []int32{int32(i - 1)}
			}
			ps = append(ps, p)
		}
		return ps
	}
	circle := []lockfile.Package{{Name: "a", RequiredBy: []int32{1}}, {Name: "b", RequiredBy: []int32{0}}}
	for _, tt := range []struct {
		about    string
		packages []lockfile.Package
		i        int
		want     string // with the number of steps where that is more than five
	}{
		{"direct", line(3), 0, "p0@1"},
		{"the way down", line(3), 2, "p0@1 p1@1 p2@1"},
		{"the shorter way", []lockfile.Package{
			{Name: "a", Direct: lockfile.Yes}, {Name: "b", RequiredBy: []int32{0}}, {Name: "c", RequiredBy: []int32{1, 3}}, {Name: "d", Direct: lockfile.Yes},
		}, 2, "d c"},
		{"a circle that nobody asks for", circle, 0, ""},
		{"not that long", line(maxChain - 1), maxChain - 2, "p0@1 p1@1 p2@1 p3@1 p4@1 31 steps"},
		{"one left out", line(maxChain), maxChain - 1, "p0@1 ... p2@1 p3@1 p4@1 32 steps"},
		{"too long", line(9000), 8999, "p0@1 ... p8970@1 p8971@1 p8972@1 32 steps"},
		{"no such package", line(1), 1, ""},
	} {
		ways := NewWays(&lockfile.File{Packages: tt.packages})
		steps := ways.To(tt.packages, tt.i)
		got := strings.Join(steps[:min(len(steps), 5)], " ")
		if len(steps) > 5 {
			got += fmt.Sprintf(" %d steps", len(steps))
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.about, got, tt.want)
		}
	}
}
