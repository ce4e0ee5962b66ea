package npm

// yarnTargets finds the entry that a dependency resolves to.
type yarnTargets struct {
	index  map[string]int32 // by descriptor
	heads  map[string]int32 // by what stands before "::" in one
	byName map[string]int32 // by the name asked for, -1 where several entries have it; nil until asked
	key    []byte
}

// targets makes the entries read so far ready to be found.
func (y *yarnLock) targets() *yarnTargets { return &yarnTargets{index: y.index, heads: y.heads} }

// only gives the one entry that is asked for by a name.
func (t *yarnTargets) only(name string) (entry int32, ok bool) {
	if t.byName == nil {
		t.byName = make(map[string]int32, len(t.index))
		for descriptor, entry := range t.index {
			name, _, _ := splitSpec(descriptor)
			if other, ok := t.byName[name]; ok && other != entry {
				entry = -1
			}
			t.byName[name] = entry
		}
	}
	entry, ok = t.byName[name]
	return entry, ok && entry >= 0
}

// find gives the entry for what a dependency asks for. A range without a protocol is one of
// npm (yarn 2 and 3 write it so). Where no entry has the descriptor, because the manifest's
// resolutions put another in its place, it is the only entry of the name.
func (t *yarnTargets) find(name, wanted string) (entry int32, ok bool) {
	for _, between := range [...]string{"@", "@npm:"} {
		t.key = append(append(append(t.key[:0], name...), between...), wanted...)
		if entry, ok = t.index[string(t.key)]; ok {
			return entry, true
		}
		if entry, ok = t.heads[string(t.key)]; ok {
			return entry, true
		}
	}
	return t.only(name)
}
