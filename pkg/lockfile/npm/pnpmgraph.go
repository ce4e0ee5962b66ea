package npm

import (
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// endDocument works out what only the whole document tells: what the importers ask for
// directly, which entries are in "snapshots" alone, and who asks for whom.
func (p *pnpmLock) endDocument() {
	p.endEntry()
	if p.begun && p.version == "" {
		p.AddProblem(0, lockfile.CodeHeader, "no lockfileVersion")
	}
	if !p.halves && !strings.HasPrefix(p.version, "13.") {
		p.addShortened()
	}
	p.index = make(map[string]int32, len(p.keys))
	for _, k := range p.keys {
		p.index[k.key] = k.entry
	}
	entries := p.endSnapshots()
	direct := p.endAsks()
	if p.edges {
		p.endWants(entries, direct)
	}
	p.begun, p.version, p.section, p.halves, p.devMarks, p.first = false, "", pnpmOther, false, false, len(p.Packages)
	p.asks, p.wants, p.keys, p.snapshots = p.asks[:0], p.wants[:0], p.keys[:0], p.snapshots[:0]
}

// addShortened adds what pnpm 9 and 10 make of keys in the form of 9.0 where a document has no
// "snapshots": they take it for one of 6.0 and cut the first byte, which is a "/" there, off
// every key (lockfile/fs, convertPkgIds), so that "xplanted@6.6.6" installs "planted".
func (p *pnpmLock) addShortened() {
	reported := false
	for _, k := range p.keys {
		if key := parsePnpmKey(k.key); key.version == "" || key.host != "" || k.key[0] == '/' {
			continue
		}
		pkg := p.Packages[k.entry]
		if !reported {
			reported = true
			p.AddProblem(pkg.Line, lockfile.CodeEntry, "%.200q is a key of 9.0, and there are no \"snapshots\"", k.key)
		}
		if key := parsePnpmKey(k.key[1:]); key.version != "" {
			pkg.Name, pkg.Version, pkg.Address = key.name, key.version, nil
			p.addLocated(&pkg)
		}
	}
}

// endSnapshots gives the index in Packages of the entry that each snapshot is of, and marks
// those whose snapshots are all optional.
func (p *pnpmLock) endSnapshots() (entries []int32) {
	entries = make([]int32, len(p.snapshots))
	required := make([]bool, len(p.Packages)+len(p.snapshots))
	next := 0 // in keys: both sections are in one order
	for i, s := range p.snapshots {
		key := cutPeers(s.key)
		for next+1 < len(p.keys) && p.keys[next].key < key {
			next++
		}
		entry, ok := int32(0), false
		if next < len(p.keys) && p.keys[next].key == key {
			entry, ok = p.keys[next].entry, true
		} else if entry, ok = p.index[key]; !ok {
			entry = p.addUnlisted(key, key, s.line)
		}
		entries[i] = entry
		if !s.optional {
			required[entry] = true
		}
	}
	for i, s := range p.snapshots {
		if s.optional && !required[entries[i]] {
			p.Packages[entries[i]].Scope |= lockfile.Optional
		}
	}
	return entries
}

// addUnlisted adds an entry for a key that "packages" does not have, and a problem.
func (p *pnpmLock) addUnlisted(key, shown string, line int) int32 {
	k := parsePnpmKey(key)
	pkg := lockfile.Package{Name: k.name, Version: k.version, Line: line, Source: lockfile.Source{Kind: lockfile.Registry}}
	if k.version == "" {
		pkg.Source = classify(k.place)
	}
	if pkg.Name == "" {
		pkg.Name = key
	}
	p.AddProblem(line, lockfile.CodeEntry, "%.200q is not in \"packages\"", shown)
	entry := int32(len(p.Packages))
	p.index[key] = entry
	p.add(&pkg)
	return entry
}

// endAsks marks the entries that importers ask for, and gives the index of each.
func (p *pnpmLock) endAsks() (direct []int32) {
	direct = make([]int32, len(p.asks))
	if len(p.asks) > 0 {
		for i := p.first; i < len(p.Packages); i++ {
			if p.Packages[i].Direct == lockfile.Unknown {
				p.Packages[i].Direct = lockfile.No
			}
		}
	}
	var key []byte
	for i, a := range p.asks {
		entry, ok := p.find(&key, a.alias, a.ref)
		if !ok {
			entry = p.addUnlisted(wantedKey(a.alias, a.ref), a.alias+" "+a.ref, a.line)
		}
		direct[i] = entry
		p.Packages[entry].Direct = lockfile.Yes
		if pkg := &p.Packages[entry]; pkg.Alias == "" && pkg.Name != a.alias {
			pkg.Alias = a.alias
		}
	}
	return direct
}

// wantedKey is the key, in the form of 9.0, of the entry that a reference asks for: the
// version of the package alias, or a whole key.
func wantedKey(alias, ref string) string {
	ref = strings.TrimPrefix(ref, "npm:")
	if v, _, _ := strings.Cut(cutPeers(ref), "_"); startsWithDigit(v) || ref == "" {
		return alias + "@" + v
	}
	if k := parsePnpmKey(ref); k.version != "" {
		return ref
	}
	return alias + "@" + ref
}

// find gives the entry that a reference asks for (pnpm, dependency-path, refToRelative): it
// is the entry's key as a whole, or what follows the name there. buf is kept for the next one.
func (p *pnpmLock) find(buf *[]byte, alias, ref string) (entry int32, ok bool) {
	ref = strings.TrimPrefix(ref, "npm:") // 13.0
	for _, ref := range [...]string{ref, cutPeers(ref)} {
		if entry, ok = p.index[ref]; ok {
			return entry, true
		}
		for _, form := range [...][2]string{{"", "@"}, {"/", "@"}, {"/", "/"}} {
			key := append((*buf)[:0], form[0]...)
			key = append(key, alias...)
			key = append(key, form[1]...)
			key = append(key, ref...)
			*buf = key
			if entry, ok = p.index[string(key)]; ok {
				return entry, true
			}
		}
	}
	return 0, false
}

// endWants resolves who asks for whom. Where the file does not mark development dependencies,
// they are the entries that nothing but the importers' own leads to.
func (p *pnpmLock) endWants(entries, direct []int32) {
	begin := len(p.links)
	var key []byte
	for _, w := range p.wants {
		from := w.from
		if from < 0 {
			from = entries[^from]
		}
		if to, ok := p.find(&key, w.alias, w.ref); ok && to != from {
			p.links = append(p.links, edge{from, to})
		}
	}
	if p.devMarks {
		return
	}
	edges := slices.Clone(p.links[begin:])
	slices.SortFunc(edges, func(x, y edge) int { return int(x.from - y.from) })
	var development, other []int32
	for i, a := range p.asks {
		if a.scope == lockfile.Dev {
			development = append(development, direct[i])
		} else {
			other = append(other, direct[i])
		}
	}
	needed := reach(len(p.Packages), edges, other)
	for entry, reached := range reach(len(p.Packages), edges, development) {
		if reached && !needed[entry] {
			p.Packages[entry].Scope |= lockfile.Dev
		}
	}
}

// reach says of each of n entries whether edges, which are in order of from, lead to it from
// those of start.
func reach(n int, edges []edge, start []int32) (reached []bool) {
	reached = make([]bool, n)
	for queue := start; len(queue) > 0; {
		at := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		if reached[at] {
			continue
		}
		reached[at] = true
		i, _ := slices.BinarySearchFunc(edges, at, func(e edge, from int32) int { return int(e.from - from) })
		for ; i < len(edges) && edges[i].from == at; i++ {
			queue = append(queue, edges[i].to)
		}
	}
	return reached
}

// sortProblems brings the problems into the order of the file: some are known at the end of a
// document only. Those of the file as a whole come last.
func (b *builder) sortProblems() {
	slices.SortStableFunc(b.Problems, func(x, y lockfile.Problem) int {
		if x.Line == 0 || y.Line == 0 {
			return y.Line - x.Line
		}
		return x.Line - y.Line
	})
}
