package report

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/pkg/registry/host"
)

// hits are findings as a text lists them: by campaign, then by what was found, then by the
// way in which, and then one line for each place. What equal findings share is said once.
// The zero value is empty.
type hits struct {
	campaigns map[string]*campaign // by id
}

type campaign struct {
	id, title, severity string
	repositories        map[string]bool
	places              int
	things              map[string]*thing // by all that its header shows
}

// thing is what one indicator met.
type thing struct {
	header       *finding.Finding // any of them: what its header shows is equal in all
	repositories map[string]bool
	ways         ways
}

// ways are the ways in which a thing came to its places and met the indicator there, by
// their text.
type ways map[string]*way

type way struct {
	how     string // scope, who asks for it, and what is unusual; "" for what is no package
	reasons []string
	places  []place
}

func (h *hits) add(f *finding.Finding, fingerprint bool) {
	if h.campaigns == nil {
		h.campaigns = map[string]*campaign{}
	}
	c := h.campaigns[f.Campaign]
	if c == nil {
		c = &campaign{id: f.Campaign, title: f.Title, severity: f.Severity, repositories: map[string]bool{}, things: map[string]*thing{}}
		h.campaigns[f.Campaign] = c
	}
	key := thingKey(f)
	t := c.things[key]
	if t == nil {
		t = &thing{header: f, repositories: map[string]bool{}, ways: ways{}}
		c.things[key] = t
	}
	t.ways.add(f, fingerprint)
	t.repositories[f.Repository] = true
	c.repositories[f.Repository] = true
	c.places++
}

func (ws ways) add(f *finding.Finding, fingerprint bool) {
	how, by := howOf(f), "matched by "+words(f.Reasons, ", ")
	if how != "" {
		by = how + "; " + by
	}
	w := ws[by]
	if w == nil {
		w = &way{how: how, reasons: f.Reasons}
		ws[by] = w
	}
	w.places = append(w.places, placeOf(f, fingerprint))
}

func thingKey(f *finding.Finding) string {
	parts := []string{subject(f), f.Indicator, f.Confidence, f.Action, windowText(f.Window)}
	for _, list := range [][]string{f.Sources, f.Safe, f.Advisory} {
		parts = append(parts, strings.Join(list, "\x00"))
	}
	return strings.Join(parts, "\x01")
}

// subject is what was found: a package, or a file by its digest or indicator.
func subject(f *finding.Finding) string {
	switch {
	case f.Package != nil:
		return textWord(f.Package.PURL)
	case f.Digest != "":
		return textWord(f.Type) + " " + textWord(f.Digest)
	case f.Observable != "":
		kind, value, _ := strings.Cut(f.Observable, " ")
		return textWord(f.Type) + ": " + textWord(kind) + " " + textWord(value)
	}
	return textWord(f.Type) + " of indicator " + textWord(f.Indicator)
}

// howOf is how a package came to its place.
func howOf(f *finding.Finding) string {
	p := f.Package
	if p == nil {
		return ""
	}
	var parts []string
	for scope := range strings.SplitSeq(p.Scope, ",") {
		if scope != "" {
			parts = append(parts, textWord(scope))
		}
	}
	switch chain := chainAbove(f); {
	case p.Direct == "yes":
		parts = append(parts, "direct")
	case len(chain) > 0:
		parts = append(parts, "via "+strings.Join(chainEnds(chain, textWord), " > "))
	case p.Direct == "no":
		parts = append(parts, "not direct")
	}
	if p.Range != "" {
		parts = append(parts, "asks for "+textWord(p.Range))
	}
	if p.Alias != "" {
		parts = append(parts, "installed as "+textWord(p.Alias))
	}
	if unusual(p.Source) {
		parts = append(parts, "from "+textWord(p.Source))
	}
	return strings.Join(parts, ", ")
}

// unusual reports whether a package's source is neither a public registry nor a kind of
// source that the reasons tell already.
func unusual(source string) bool {
	switch source {
	case "", "registry", "listed-not-built", "installed", "vendored", "range", "manifest", "no-version":
		return false
	}
	return !host.IsNPM(source) && !host.IsPyPI(source) && !host.IsGitHub(source)
}

// chainAbove is the chain to a package without the package itself, which stands above it.
func chainAbove(f *finding.Finding) []string {
	n := len(f.Chain)
	if n > 0 && f.Chain[n-1] == f.Package.Name+"@"+f.Package.Version {
		n--
	}
	return f.Chain[:n]
}

// chainEnds are the steps of a chain, escaped; of one that nobody reads through, both ends.
func chainEnds(chain []string, escaped func(string) string) []string {
	const head, tail = 6, 3
	var out []string
	for i, step := range chain {
		switch more := len(chain) - head - tail; {
		case more < 2 || i < head || i >= len(chain)-tail:
			out = append(out, escaped(step))
		case i == head:
			out = append(out, "("+number(more)+" more)")
		}
	}
	return out
}

func windowText(w *finding.Window) string {
	switch {
	case w == nil || w.From == "" && w.Until == "":
		return ""
	case w.From == w.Until:
		return textWord(w.From)
	case w.Until == "":
		return "from " + textWord(w.From)
	case w.From == "":
		return "until " + textWord(w.Until)
	}
	return textWord(w.From) + " to " + textWord(w.Until)
}

// words joins names that are escaped one by one.
func words(names []string, sep string) string {
	escaped := make([]string, len(names))
	for i, name := range names {
		escaped[i] = textWord(name)
	}
	return strings.Join(escaped, sep)
}

// sorted gives the campaigns, most severe first and then those of most repositories.
func (h *hits) sorted() []*campaign {
	return slices.SortedFunc(maps.Values(h.campaigns), func(a, b *campaign) int {
		return cmp.Or(cmp.Compare(severityRank(a.severity), severityRank(b.severity)),
			cmp.Compare(len(b.repositories), len(a.repositories)), strings.Compare(a.id, b.id))
	})
}

// write lists the campaigns. With several, a table of them comes first.
func (h *hits) write(p *page, explain bool) {
	campaigns := h.sorted()
	if len(campaigns) > 1 {
		wide := 0
		for _, c := range campaigns {
			wide = max(wide, columns(textWord(c.id)))
		}
		p.line("")
		for _, c := range campaigns {
			p.line("  " + pad(severityName(c.severity), 10) + pad(textWord(c.id), wide) + "  " + c.extent())
		}
	}
	for _, c := range campaigns {
		p.line("")
		p.line(p.paint(red, strings.ToUpper(severityName(c.severity))) + "  " + p.paint(bold, textWord(c.id)) + "  " + c.extent())
		p.wrap("  ", 2, textProse(c.title)) // what is not ours never begins a line
		for _, t := range c.sorted() {
			t.write(p, explain)
		}
	}
}

func severityName(s string) string {
	if severityRank(s) < 0 {
		return "severity " + textWord(s)
	}
	return s
}

func (c *campaign) extent() string {
	return count(len(c.repositories), "repository", "repositories") + ", " + count(c.places, "place", "places")
}

// sorted gives the things, those of most repositories first.
func (c *campaign) sorted() []*thing {
	return slices.SortedFunc(maps.Values(c.things), func(a, b *thing) int {
		return cmp.Or(cmp.Compare(len(b.repositories), len(a.repositories)), strings.Compare(thingKey(a.header), thingKey(b.header)))
	})
}

func (t *thing) write(p *page, explain bool) {
	f := t.header
	p.line("")
	p.line("  " + p.paint(bold, subject(f)))
	by := "by " + words(f.Sources, ", ")
	if len(f.Sources) == 0 {
		by = "no source is named"
	}
	p.label(4, textWord(cmp.Or(f.Confidence, "listed")), by)
	p.label(4, "advisories", words(f.Advisory, ", "))
	p.label(4, "live", windowText(f.Window))
	p.label(4, "known good", words(f.Safe, ", "))
	p.label(4, "do first", textProse(f.Action))
	if explain {
		p.label(4, "indicator", textWord(f.Indicator))
	}
	t.ways.write(p, explain)
}

// write lists the ways, those of most places first.
func (ws ways) write(p *page, explain bool) {
	texts := slices.SortedFunc(maps.Keys(ws), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(ws[b].places), len(ws[a].places)), cmp.Compare(len(a), len(b)), strings.Compare(a, b))
	})
	for _, text := range texts {
		w := ws[text]
		if explain {
			p.wrap("    ", 6, cmp.Or(w.how, "found"))
			for _, code := range w.reasons {
				p.wrap("        ", 10, explained(code, reasonWords))
			}
		} else {
			p.wrap("    ", 6, text)
		}
		writePlaces(p, w.places)
	}
}
