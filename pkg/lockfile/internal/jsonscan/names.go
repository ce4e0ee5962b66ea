package jsonscan

import "hash/maphash"

// manyNames is how many names of one object are compared one by one before a set is made.
const manyNames = 16

// openNames are the names of an open object: Scanner.names from base on, which is its end
// while the object is the innermost.
type openNames struct {
	base int
	last string
	set  *nameSet // nil up to manyNames
}

// span is where a name stands in the text, without its quotes; it has no pointer, so that
// keeping one is cheap. A name that has escapes stands in Scanner.escaped, at from, with to
// being 0.
type span struct{ from, to uint32 }

func (s *Scanner) nameAt(at span) string {
	if at.to == 0 {
		return s.escaped[at.from]
	}
	return s.text[at.from:at.to]
}

// spanOf gives the span of the name that begins at mark and was just read.
func (s *Scanner) spanOf(name string) span {
	if from, to := s.mark+1, s.pos-1; s.text[from:to] == name {
		return span{uint32(from), uint32(to)}
	}
	s.escaped = append(s.escaped, name)
	return span{from: uint32(len(s.escaped) - 1)}
}

func (s *Scanner) openNames() openNames { return openNames{base: len(s.names)} }

func (s *Scanner) closeNames(n *openNames) {
	s.names = s.names[:n.base]
	if n.set != nil {
		s.sets = append(s.sets, n.set)
	}
}

// repeats takes note of a name, and reports whether the object had it before.
func (s *Scanner) repeats(n *openNames, name string, at span) bool {
	n.last = name
	if n.set == nil {
		for _, before := range s.names[n.base:] {
			if (before.to-before.from == uint32(len(name)) || before.to == 0) && s.nameAt(before) == name {
				return true
			}
		}
		s.names = append(s.names, at)
		if len(s.names)-n.base > manyNames {
			n.set = s.newSet(n.base)
		}
		return false
	}
	hash := hashOf(name)
	if n.set.contains(s, n.base, hash, name) {
		return true
	}
	s.names = append(s.names, at)
	if count := len(s.names) - n.base; 2*count > len(n.set.slots) {
		n.set.resize(s, n.base, 2*len(n.set.slots))
	} else {
		n.set.put(hash, uint32(count-1))
	}
	return false
}

// nameSet is a hash table over the names of one object: slots hold one more than a name's
// index among them, and 0 where they are free. At most half of them are taken.
type nameSet struct{ slots []slot }

type slot struct{ hash, index uint32 }

var seed = maphash.MakeSeed()

func hashOf(name string) uint32 { return uint32(maphash.String(seed, name) >> 32) }

// newSet makes a set of the names from base on. A set that was used for a larger object is
// cut to size, so that the cost is that of the names alone.
func (s *Scanner) newSet(base int) *nameSet {
	n := new(nameSet)
	if last := len(s.sets) - 1; last >= 0 {
		n, s.sets = s.sets[last], s.sets[:last]
	}
	n.resize(s, base, 8*manyNames)
	return n
}

// resize makes the table anew with the given number of slots, a power of two.
func (n *nameSet) resize(s *Scanner, base, slots int) {
	if cap(n.slots) < slots {
		n.slots = make([]slot, slots)
	} else {
		n.slots = n.slots[:slots]
		clear(n.slots)
	}
	for i, at := range s.names[base:] {
		n.put(hashOf(s.nameAt(at)), uint32(i))
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

func (n *nameSet) contains(s *Scanner, base int, hash uint32, name string) bool {
	mask := uint32(len(n.slots) - 1)
	for i := hash & mask; n.slots[i].index != 0; i = (i + 1) & mask {
		if n.slots[i].hash == hash && s.nameAt(s.names[base+int(n.slots[i].index)-1]) == name {
			return true
		}
	}
	return false
}
