package checkrun

import (
	"fmt"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/report"
)

// Limits of texts in bytes. GitHub takes 65,535 characters of a summary, which has four lists and
// some lines of ours; 64 KB of a message and 255 characters of a title.
const (
	maxList    = 7_000
	maxMessage = 4_000
	maxTitle   = 200
)

// code is an inert span of a string from outside; plain is one line of it where nothing renders.
func code(s string) string { return report.EscapeMarkdown(s, 200) }

func plain(s string) string {
	return clipped(report.EscapeText(s), maxMessage)
}

// clipped cuts text between characters.
func clipped(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	s = s[:limit]
	for len(s) > 0 && !utf8.RuneStart(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	if r, size := utf8.DecodeLastRuneInString(s); r == utf8.RuneError && size == 1 {
		s = s[:len(s)-1]
	}
	return s + "..."
}

// isPath reports whether GitHub may take the path of a file for an annotation.
func isPath(p string) bool {
	return utf8.ValidString(p) && path.Clean(p) == p && !strings.HasPrefix(p, "/") && p != ".." && !strings.HasPrefix(p, "../") && !strings.ContainsRune(p, 0)
}

// thing names what was found.
func thing(f *finding.Finding) string {
	switch p := f.Package; {
	case p != nil && p.Version != "":
		return p.Name + "@" + p.Version
	case p != nil && p.Range != "":
		return p.Name + " " + p.Range
	case p != nil:
		return p.Name
	case f.Observable != "":
		return f.Observable
	case f.Digest != "":
		return f.Digest
	}
	return f.Type + " " + f.Indicator
}

func plainThing(f *finding.Finding) string { return clipped(report.EscapeTitle(thing(f)), maxTitle) }

// message is the text of an annotation of a finding, plain lines.
func (j *judged) message(f *finding.Finding) string {
	lines := []string{fmt.Sprintf("%s is listed: %s (%s, %s).", report.EscapeText(thing(f)), report.EscapeText(f.Title), report.EscapeText(f.Campaign), report.EscapeText(f.Severity))}
	if len(f.Chain) > 1 {
		lines = append(lines, "It comes by way of "+report.EscapeText(strings.Join(ends(f.Chain), " > "))+".")
	}
	if len(f.Safe) > 0 {
		lines = append(lines, "Known good: "+report.EscapeText(strings.Join(f.Safe[:min(len(f.Safe), 5)], ", "))+".")
	}
	if f.Action != "" {
		lines = append(lines, report.EscapeText(f.Action))
	}
	lines = append(lines, "Do not install this change, and do not merge it. Reasons: "+report.EscapeText(strings.Join(f.Reasons, ", "))+".")
	return clipped(strings.Join(lines, "\n"), maxMessage)
}

// ends are both ends of a chain that may be absurdly long.
func ends(chain []string) []string {
	if len(chain) <= 6 {
		return chain
	}
	return append(append(append([]string{}, chain[:3]...), "..."), chain[len(chain)-2:]...)
}

// list is a list with a limit in bytes; what does not fit is counted.
type list struct {
	b    strings.Builder
	left int
}

func (l *list) add(entry string) {
	if l.left > 0 || l.b.Len()+len(entry) > maxList {
		l.left++
		return
	}
	l.b.WriteString(entry)
}

func (l *list) String() string {
	if l.left > 0 {
		return fmt.Sprintf("%s- and %d more\n", l.b.String(), l.left)
	}
	return l.b.String()
}

func (j *judged) summary() string {
	var b strings.Builder
	section := func(heading, before string, entries []string) {
		if len(entries) == 0 {
			return
		}
		var l list
		for _, e := range entries {
			l.add(e)
		}
		fmt.Fprintf(&b, "### %s\n\n%s%s\n", heading, before, l.String())
	}
	fmt.Fprintf(&b, "Looked at: %s", j.What)
	if j.Base != "" {
		fmt.Fprintf(&b, ", compared with %s", code(short(j.Base)))
	}
	fmt.Fprintf(&b, ". Lockfiles and watched files: %d; packages: %d.\n\n", j.After.Files, j.After.Packages)
	if j.After.Failed != "" {
		fmt.Fprintf(&b, "**Could not look at this commit**: %s. This is no all-clear. It is tried again; ask for the check to be re-run where it stays so.\n\n", code(j.After.Failed))
	}
	if len(j.brought) > 0 || len(j.here) > 0 || len(j.unread) > 0 {
		switch {
		case j.baseless != "":
			b.WriteString(j.baseless + "\n\n")
		case j.unmatched != "":
			fmt.Fprintf(&b, "Could not compare with what was there before, so that all that is there counts as brought in: %s.\n\n", code(j.unmatched))
		}
	}
	section("Brought in by this change", "Do not merge this, and do not install it: not on a workstation, and not in CI. "+
		"If an install has run already, treat the secrets that it could read as lost.\n\n", entriesOf(j.brought))
	section("Here before this change", "This change does not bring these in, and does not take them out.\n\n", entriesOf(j.here))
	section("Could not be looked at", "What could not be read may hold anything: this is no all-clear.\n\n", problemsOf(j.unread))
	section("Could not be looked at, before this change as well", "", problemsOf(j.unreadToo))
	if j.gone > 0 {
		fmt.Fprintf(&b, "Taken out by this change: %s.\n\n", count(j.gone, "known indicator", "known indicators"))
	}
	if j.apart > 0 {
		fmt.Fprintf(&b, "Met and not counted (ranges, weak, withdrawn or excluded indicators): %d. `sweeper` lists them.\n\n", j.apart)
	}
	if j.Incident != "" && len(j.brought)+len(j.here) > 0 {
		fmt.Fprintf(&b, "Worked on in %s.\n\n", code(j.Incident))
	}
	fmt.Fprintf(&b, "Catalogue: %s\n", code(j.Revision))
	return b.String()
}

func short(commit string) string { return commit[:min(len(commit), 12)] }

func entriesOf(findings []*finding.Finding) []string {
	var out []string
	for _, f := range findings {
		var b strings.Builder
		fmt.Fprintf(&b, "- %s", code(thing(f)))
		if f.File != "" {
			fmt.Fprintf(&b, " in %s", code(f.File))
			if f.Line > 0 {
				fmt.Fprintf(&b, " line %d", f.Line)
			}
		}
		fmt.Fprintf(&b, ": %s, %s", code(f.Campaign), code(f.Severity))
		if len(f.Chain) > 1 {
			fmt.Fprintf(&b, ", by way of %s", code(strings.Join(ends(f.Chain), " > ")))
		}
		if len(f.Safe) > 0 {
			fmt.Fprintf(&b, "; known good: %s", code(strings.Join(f.Safe[:min(len(f.Safe), 5)], ", ")))
		}
		out = append(out, b.String()+"\n")
	}
	return out
}

func problemsOf(problems []*finding.Problem) []string {
	var out []string
	for _, p := range problems {
		var b strings.Builder
		b.WriteString("- ")
		if p.File != "" {
			b.WriteString(code(p.File))
			if p.Line > 0 {
				fmt.Fprintf(&b, " line %d", p.Line)
			}
			b.WriteString(": ")
		}
		fmt.Fprintf(&b, "%s: %s\n", code(p.Code), report.EscapeMarkdown(p.Detail, 500))
		out = append(out, b.String())
	}
	return out
}
