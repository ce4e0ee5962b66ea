package npm

import (
	"slices"
)

// maxWalk bounds how many levels of nesting a resolution looks at before it looks at the
// top. Real trees have fewer than twenty; a hostile one would make the walk quadratic.
const maxWalk = 64

// root is the place of the project itself in a tree.
const root = 0

// tree is where the entries of a lockfile lie when they are installed, as npm and bun lay
// them out: folders in folders, each known by the name it has in the one above. The zero
// value is not ready; see newTree.
type tree struct {
	places   []place
	children map[child]int32
	wants    []want
}

type place struct {
	parent int32
	entry  int32 // index in File.Packages, -1 where the file has none
}

type child struct {
	parent int32
	name   string
	folder bool // a folder of the project rather than a package below it
}

// want says that whatever lies at a place asks for a package by name.
type want struct {
	from int32
	name string
}

func newTree() *tree {
	return &tree{places: []place{{parent: -1, entry: -1}}, children: map[child]int32{}}
}

// at gives the place of a child, making it where it is new.
func (t *tree) at(c child) int32 {
	id, ok := t.children[c]
	if !ok {
		id = int32(len(t.places))
		t.places = append(t.places, place{c.parent, -1})
		t.children[c] = id
	}
	return id
}

// want takes note that the entry at from asks for name.
func (t *tree) want(from int32, name string) {
	t.wants = append(t.wants, want{from, name})
}

// resolve finds what a package at from gets when it asks for name: the nearest one on the
// way up, each place's own children first (Node.js, "Loading from node_modules folders").
func (t *tree) resolve(from int32, name string) (entry int32, ok bool) {
	for walked := 0; from >= 0; walked++ {
		if id, found := t.children[child{parent: from, name: name}]; found && t.places[id].entry >= 0 {
			return t.places[id].entry, true
		}
		if from = t.places[from].parent; walked == maxWalk && from > root {
			from = root
		}
	}
	return 0, false
}

// edges resolves every want into an edge between entries.
func (t *tree) edges() []edge {
	edges := make([]edge, 0, len(t.wants))
	for _, w := range t.wants {
		from := t.places[w.from].entry
		if to, ok := t.resolve(w.from, w.name); ok && from >= 0 && from != to {
			edges = append(edges, edge{from, to})
		}
	}
	return edges
}

// edge says that one entry asks for another; both are indices in File.Packages.
type edge struct{ from, to int32 }

// link fills in Package.RequiredBy, all of it as parts of one list.
func (b *builder) link(edges []edge) {
	slices.SortFunc(edges, func(x, y edge) int {
		if x.to != y.to {
			return int(x.to - y.to)
		}
		return int(x.from - y.from)
	})
	edges = slices.Compact(edges)
	all := make([]int32, len(edges))
	for i := 0; i < len(edges); {
		to, from := edges[i].to, i
		for ; i < len(edges) && edges[i].to == to; i++ {
			all[i] = edges[i].from
		}
		b.Packages[to].RequiredBy = all[from:i:i]
	}
}
