package incident

import (
	"regexp"
	"strings"
)

// tickLine is a line of the check list as we write it, and as it stands when a person has
// ticked it.
var tickLine = regexp.MustCompile("^- \\[([ xX])\\] `.*<!-- ([0-9a-f]{16}) -->$")

// ticksOf reads which repositories are ticked in texts of ours. Only lines with the mark of a
// repository in names count; a line that stands twice is ticked where both are.
func (k Key) ticksOf(organisation, campaign string, names []string, texts ...string) map[string]bool {
	byMark := map[string]string{}
	for _, name := range names {
		byMark[k.tick(organisation, campaign, name)] = name
	}
	seen, ticked := map[string]bool{}, map[string]bool{}
	for _, text := range texts {
		for line := range strings.Lines(text) {
			m := tickLine.FindStringSubmatch(strings.TrimRight(line, "\r\n"))
			if m == nil {
				continue
			}
			name, ours := byMark[m[2]]
			if !ours {
				continue
			}
			on := m[1] != " "
			ticked[name] = on && (ticked[name] || !seen[name])
			seen[name] = true
		}
	}
	return ticked
}
