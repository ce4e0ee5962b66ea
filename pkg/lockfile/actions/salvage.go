package actions

import (
	"strings"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/version"
)

// salvage searches the text for "uses" with the name of an action after it, in block or
// flow style, and adds what was not read already. It asks for no more than that: the file
// has a problem, whatever else stands in it.
func (r *reader) salvage(text string) {
	type entry struct {
		name, version string
		line          int
	}
	known := make(map[entry]bool, len(r.Packages))
	for _, p := range r.Packages {
		known[entry{p.Name, p.Version, p.Line}] = true
	}
	line, counted := 1, 0 // the line of text[counted]
	at := 0
	for tries := 0; tries < maxTries; tries++ {
		i := strings.Index(text[at:], "uses")
		if i < 0 {
			break
		}
		key := at + i
		at = key + len("uses")
		value, offset := usesValue(text[at:])
		if value == "" || key > 0 && inKey(text[key-1]) {
			continue
		}
		line += strings.Count(text[counted:at+offset], "\n")
		counted = at + offset
		found := reader{}
		found.uses(value, line)
		for _, p := range found.Packages {
			sound := p.Source.Kind == lockfile.Registry &&
				ecosystem.Actions.CheckName(p.Name) == nil && version.Check(ecosystem.Actions, p.Version) == nil
			if e := (entry{p.Name, p.Version, p.Line}); sound && !known[e] {
				known[e] = true
				r.Packages = append(r.Packages, p)
			}
		}
	}
}

// inKey reports whether c can stand in a plain key, so that "uses" after it is the end of
// another word.
func inKey(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-'
}

// Limits of the search: of a file over the limits it finds what a person would write.
const (
	maxTries = 50_000 // places where "uses" stands
	maxValue = 1000   // bytes from the key to the end of its value
)

// usesValue gives the scalar that follows the key "uses", on its line or the next, and
// where it begins; "" where none does.
func usesValue(s string) (value string, offset int) {
	s = s[:min(len(s), maxValue)]
	rest := strings.TrimLeft(strings.TrimLeft(s, `"'`), " \t")
	rest, ok := strings.CutPrefix(rest, ":")
	if !ok {
		return "", 0
	}
	rest = strings.TrimLeft(rest, " \t\r\n|>+-\"'")
	offset = len(s) - len(rest)
	if i := strings.IndexAny(rest, " \t\r\n,}\"'#"); i >= 0 {
		rest = rest[:i]
	}
	return rest, offset
}
