package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/wormsweep/wormsweep/internal/finding"
)

// place is where something was found.
type place struct {
	repository, file, refs string
	line                   int
	fingerprint            string // only where it is to be shown
}

func placeOf(f *finding.Finding, fingerprint bool) place {
	at := place{repository: f.Repository, file: f.File, refs: words(f.Refs, ", "), line: f.Line}
	if fingerprint {
		at.fingerprint = f.Fingerprint
	}
	return at
}

// explained is a code with what the table says of it.
func explained(code string, table map[string]string) string {
	if meaning := table[code]; meaning != "" {
		return textWord(code) + ": " + meaning
	}
	return textWord(code)
}

// writePlaces writes one line for each place: repository, file and line, refs. A name that
// is longer than its column pushes the rest to the right.
func writePlaces(p *page, places []place) {
	const most = 32 // columns of a repository or file that others are aligned to
	wide, file := 0, 0
	for _, at := range places {
		wide = max(wide, min(most, columns(textWord(at.repository))))
		file = max(file, min(most, columns(at.name())))
	}
	for _, at := range places {
		p.line("      " + pad(textWord(at.repository), wide) + "  " + pad(at.name(), file) + "  " + at.refs)
		if at.fingerprint != "" {
			p.line("        fingerprint " + textWord(at.fingerprint))
		}
	}
}

// name is the file and, where it is known, the line; for what a ref or the repository itself
// shows, it says so.
func (at place) name() string {
	switch {
	case at.file != "":
		return fileLine(at.file, at.line)
	case at.refs != "":
		return "(the ref)"
	}
	return "(the repository)"
}

func fileLine(file string, line int) string {
	if line > 0 {
		return textWord(file) + ":" + strconv.Itoa(line)
	}
	return textWord(file)
}

// nonMatches are what looks like a match and is none, by package and reason. The zero value
// is empty.
type nonMatches struct {
	groups map[string][]place
	n      int
}

func (m *nonMatches) add(e *finding.NonMatch) {
	if m.groups == nil {
		m.groups = map[string][]place{}
	}
	what := "file"
	if p := e.Package; p != nil {
		if what = textWord(p.PURL); p.Range != "" {
			what += " (asks for " + textWord(p.Range) + ")"
		}
	}
	key := fmt.Sprintf("%s: %s", what, explained(e.Reason, reasonWords))
	m.groups[key] = append(m.groups[key], place{repository: e.Repository, file: e.File, refs: words(e.Refs, ", "), line: e.Line})
	m.n++
}

func (m *nonMatches) write(p *page) {
	if m.n == 0 {
		return
	}
	p.line("")
	p.line(p.paint(bold, "NO MATCH") + "  " + count(m.n, "place has", "places have") + " a listed name or path, and no match")
	for _, key := range sortedKeys(m.groups) {
		p.line("")
		p.wrap("  ", 4, key)
		writePlaces(p, m.groups[key])
	}
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
