package sweep

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/match"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/formats"
)

// outcome is what one content held. It keeps no part of the content's text, and little of a
// content that was read whole and met nothing: a run remembers one for each distinct file.
type outcome struct {
	packages  int
	unmatched kindCounts // entries that met nothing and are no exact version of a registry
	notable   *notable   // nil where there is nothing to tell
	brief     bool       // recalled as one that met nothing: notable.locked is not known
}

// notable is what of a content goes into findings, problems and further reading.
type notable struct {
	hits     []hit
	misses   []miss
	problems []lockfile.Problem
	includes []lockfile.Include
	locked   []lockedName // listed names that are locked here, to whatever version, some more than once
}

var nothingNotable notable

// tell is what is notable, empty for nothing; it is not to be written to.
func (o *outcome) tell() *notable {
	if o.notable == nil {
		return &nothingNotable
	}
	return o.notable
}

// kindCounts counts entries by their kind of source.
type kindCounts [lockfile.NoVersion + 1]int32

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

// parse reads a content in its format, for whoever in this package does. A reader that panics has a
// fault of ours: it costs that file, which is a problem, and not the sweep.
func parse(f *formats.Format, data []byte, opt lockfile.Options) (file lockfile.File, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			file, err = lockfile.File{}, &source.PathError{Code: CodeReader, Err: fmt.Errorf("the reader of %s broke off: %.200q", f.ID, fmt.Sprint(fault))}
			if opt.Memory != nil {
				*opt.Memory = lockfile.Memory{} // which it left as it was then
			}
		}
	}()
	return f.Parse(data, opt), nil
}

// read parses a content and matches its entries. The memory is good for the next file when
// it returns; it may be nil.
func read(set *ioc.Set, f *formats.Format, data []byte, explain bool, memory *lockfile.Memory) (outcome, error) {
	file, err := parse(f, data, lockfile.Options{Memory: memory})
	if err != nil {
		return outcome{}, err
	}
	var whole lockfile.File // with its edges, which are looked for only when something was found
	var ways *inventory.Ways
	return judged(set, &file, explain, func(i int) (*lockfile.Package, []string) {
		if ways == nil {
			var err error
			if whole, err = parse(f, data, lockfile.Options{Edges: true}); err != nil {
				whole = file // whose entries are all there, without the ways to them
			}
			found := inventory.NewWays(&whole)
			ways = &found
		}
		return &whole.Packages[i], ways.To(whole.Packages, i)
	}), nil
}

// judged matches the entries of a file. It keeps no part of it. The function describe gives an
// entry as it is when the file is read with its edges, which tell the scope and directness of
// some, and the way from the project to it.
func judged(set *ioc.Set, file *lockfile.File, explain bool, describe func(i int) (*lockfile.Package, []string)) outcome {
	out := outcome{packages: len(file.Packages)}
	n := notable{problems: slices.Clone(file.Problems)} // their texts are no parts of the file's
	for _, inc := range file.Includes {
		inc.Path = strings.Clone(inc.Path)
		n.includes = append(n.includes, inc)
	}
	for i := range file.Packages {
		p := &file.Packages[i]
		found, why := match.Package(set, p)
		exact := p.Source.Kind.Exact()
		if !exact && len(found) == 0 {
			out.unmatched[p.Source.Kind]++
		}
		if exact && (why.Near || len(found) > 0) {
			n.locked = append(n.locked, lockedName{p.Ecosystem, strings.Clone(p.Name)})
		}
		if explain && why.Near {
			p, _ := describe(i)
			n.misses = append(n.misses, miss{describePackage(p, lockfile.Identity{Name: p.Name, Version: p.Version}), p.Line, why.Reason})
		}
		if len(found) == 0 {
			continue
		}
		p, way := describe(i)
		for _, m := range found {
			pkg := describePackage(p, m.Identity)
			m.Identity = lockfile.Identity{Name: pkg.Name, Version: pkg.Version} // no parts of the text
			n.hits = append(n.hits, hit{m, pkg, p.Line, way})
		}
	}
	if len(n.hits)+len(n.misses)+len(n.problems)+len(n.includes)+len(n.locked) > 0 {
		out.notable = &n
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
