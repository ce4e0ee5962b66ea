package sweep

import (
	"strings"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/match"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/formats"
)

// outcome is what one content held. It keeps no part of the content's text.
type outcome struct {
	packages  int
	hits      []hit
	misses    []miss
	unmatched map[string]int // entries that are no public package, by reason code
	problems  []lockfile.Problem
	includes  []lockfile.Include
	locked    map[lockedName]bool // listed names that are locked here, to whatever version
}

// lockedName is a package, whatever its version.
type lockedName struct {
	ecosystem ecosystem.Ecosystem
	name      string
}

// lockedIn is a name that a lockfile in a folder locks.
type lockedIn struct {
	dir  string
	name lockedName
}

// hit is an entry that met an indicator.
type hit struct {
	found match.Found
	pkg   finding.Package
	line  int
	chain []string
}

// miss is an entry whose name is listed and that is no finding all the same.
type miss struct {
	pkg    finding.Package
	line   int
	reason ioc.Reason
}

// read parses a content and matches its entries.
func read(set *ioc.Set, f *formats.Format, data []byte, explain bool) outcome {
	file := f.Parse(data, lockfile.Options{})
	out := outcome{packages: len(file.Packages), unmatched: map[string]int{}}
	for _, p := range file.Problems {
		out.problems = append(out.problems, lockfile.Problem{Line: p.Line, Code: p.Code, Detail: strings.Clone(p.Detail)})
	}
	for _, inc := range file.Includes {
		inc.Path = strings.Clone(inc.Path)
		out.includes = append(out.includes, inc)
	}
	var ways *chains // found only when something else was
	for i := range file.Packages {
		p := &file.Packages[i]
		found, why := match.Package(set, p)
		if !p.Source.Kind.Exact() && len(found) == 0 {
			out.unmatched[p.Source.Kind.String()]++
		}
		if p.Source.Kind.Exact() && (why.Near || len(found) > 0) {
			if out.locked == nil {
				out.locked = map[lockedName]bool{}
			}
			out.locked[lockedName{p.Ecosystem, strings.Clone(p.Name)}] = true
		}
		if explain && why.Near {
			out.misses = append(out.misses, miss{describePackage(p, lockfile.Identity{Name: p.Name, Version: p.Version}), p.Line, why.Reason})
		}
		if len(found) == 0 {
			continue
		}
		if ways == nil {
			withEdges := f.Parse(data, lockfile.Options{Edges: true})
			found := newChains(&withEdges)
			ways = &found
		}
		chain := ways.to(i)
		for _, m := range found {
			out.hits = append(out.hits, hit{m, describePackage(p, m.Identity), p.Line, chain})
		}
	}
	return out
}

// describePackage clones what a finding keeps of an entry. The name and version are those
// that met the indicator.
func describePackage(p *lockfile.Package, id lockfile.Identity) finding.Package {
	src := p.Source.Kind.String()
	if p.Source.Kind == lockfile.Registry {
		if h := match.Host(p); h != "" {
			src = h
		}
	}
	direct := map[lockfile.Answer]string{lockfile.Yes: "yes", lockfile.No: "no"}[p.Direct]
	return finding.Package{
		PURL:      p.Ecosystem.PURL(id.Name, id.Version),
		Ecosystem: string(p.Ecosystem),
		Name:      strings.Clone(id.Name),
		Version:   strings.Clone(id.Version),
		Range:     strings.Clone(p.Range),
		Alias:     strings.Clone(p.Alias),
		Scope:     p.Scope.String(),
		Source:    strings.Clone(src),
		Direct:    direct,
	}
}
