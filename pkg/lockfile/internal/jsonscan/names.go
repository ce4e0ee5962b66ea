package jsonscan

import (
	"hash/maphash"
	"slices"
)

// manyNames is how many names of one object are compared one by one before a set is made.
const manyNames = 16

// openNames are the names of an open object: Scanner.names from base on, which is its end
// while the object is the innermost.
type openNames struct {
	base int
	last string
	set  *nameSet // nil up to manyNames
}

func (s *Scanner) openNames() openNames { return openNames{base: len(s.names)} }

func (s *Scanner) closeNames(n *openNames) {
	s.names = s.names[:n.base]
	if n.set != nil {
		s.sets = append(s.sets, n.set)
	}
}

// repeats takes note of a name, and reports whether the object had it before.
func (s *Scanner) repeats(n *openNames, name string) bool {
	n.last = name
	if n.set == nil {
		if slices.Contains(s.names[n.base:], name) {
			return true
		}
		s.names = append(s.names, name)
		if len(s.names)-n.base > manyNames {
			n.set = s.newSet(s.names[n.base:])
		}
		return false
	}
	if n.set.contains(s.names[n.base:], name) {
		return true
	}
	s.names = append(s.names, name)
	n.set.add(s.names[n.base:])
	return false
}

// nameSet is a hash table over a list of names that is kept elsewhere: slots hold one more
// than a name's index, and 0 where they are free. At most half of them are taken.
type nameSet struct {
	slots []slot
	hash  uint32 // of the name that contains was last asked for
}

type slot struct{ hash, index uint32 }

var seed = maphash.MakeSeed()

func hashOf(name string) uint32 { return uint32(maphash.String(seed, name) >> 32) }

// newSet takes a set of names. A set that was used for a larger object is cut to size, so
// that the cost is that of the names alone.
func (s *Scanner) newSet(names []string) *nameSet {
	n := new(nameSet)
	if last := len(s.sets) - 1; last >= 0 {
		n, s.sets = s.sets[last], s.sets[:last]
	}
	n.resize(names, 8*manyNames)
	return n
}

// resize makes the table of names anew with the given number of slots, a power of two.
func (n *nameSet) resize(names []string, slots int) {
	if cap(n.slots) < slots {
		n.slots = make([]slot, slots)
	} else {
		n.slots = n.slots[:slots]
		clear(n.slots)
	}
	for i, name := range names {
		n.put(hashOf(name), uint32(i))
	}
}

func (n *nameSet) put(hash, index uint32) {
	mask := uint32(len(n.slots) - 1)
	i := hash & mask
	for n.slots[i].index != 0 {
		i = (i + 1) & mask
	}
	n.slots[i] = slot{hash, index + 1}
}

func (n *nameSet) contains(names []string, name string) bool {
	n.hash = hashOf(name)
	mask := uint32(len(n.slots) - 1)
	for i := n.hash & mask; n.slots[i].index != 0; i = (i + 1) & mask {
		if n.slots[i].hash == n.hash && names[n.slots[i].index-1] == name {
			return true
		}
	}
	return false
}

// add puts in the last of names, which contains was just asked for.
func (n *nameSet) add(names []string) {
	if 2*len(names) > len(n.slots) {
		n.resize(names, 2*len(n.slots))
		return
	}
	n.put(n.hash, uint32(len(names)-1))
}
