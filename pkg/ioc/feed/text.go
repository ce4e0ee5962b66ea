package feed

import (
	"fmt"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// prefixes are the ecosystems that lines of a text list begin with. A line without one is of
// the default ecosystem.
var prefixes = map[string]ecosystem.Ecosystem{
	"npm": ecosystem.NPM, "pypi": ecosystem.PyPI, "go": ecosystem.Go, "golang": ecosystem.Go,
	"actions": ecosystem.Actions, "github": ecosystem.Actions, "composer": "Packagist", "packagist": "Packagist",
	"crates": "crates.io", "cargo": "crates.io", "gem": "RubyGems", "rubygems": "RubyGems", "maven": "Maven", "nuget": "NuGet",
	"docker": "docker", "vscode": "VSCode", "openvsx": "OpenVSX",
}

// text reads a list of packages, "[ecosystem:]name:version" or "name@version" a line, or a list
// of digests, one a line, which a file name may follow; "#" begins a comment.
//
// Comments are where such lists keep their campaigns: the first line of a comment block between
// rules of "=" is the heading of what follows; in a list without such rules it is the last
// comment.
func (r *reader) text(data string) (Form, error) {
	lines := strings.Split(data, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	form, read := FormText, r.packageLine
	if digestList(lines) {
		form, read = FormDigests, r.digestLine
	}
	f := r.feed
	entries, failed, repairs := len(f.Entries), len(f.Errors), len(f.Repairs)
	h := headings{ruled: strings.Contains(data, "# ===")}
	for i, line := range lines {
		if line == "" {
			continue
		}
		if comment, ok := strings.CutPrefix(line, "#"); ok {
			h.comment(strings.TrimSpace(comment))
			continue
		}
		h.inBlock = false
		r.section = h.current
		read(i+1, line)
	}
	if len(f.Entries) == entries && len(f.Errors) > failed { // another kind of text altogether
		first := f.Errors[failed]
		f.Errors, f.Repairs = f.Errors[:failed], f.Repairs[:repairs]
		return "", &ioc.InputError{File: r.file, Line: first.Line, Err: fmt.Errorf("%s: no line is a package or a digest: %w", first.Detail, ErrForm)}
	}
	return form, nil
}

// headings follows the comments of a text list.
type headings struct {
	ruled   bool // headings stand between rules
	inBlock bool // after the opening rule
	titled  bool // and the heading was read
	current string
}

func (h *headings) comment(text string) {
	switch isRule := len(text) > 3 && strings.Trim(text, "=") == ""; {
	case isRule:
		h.inBlock, h.titled = !h.inBlock, false
	case text == "":
	case h.ruled && h.inBlock && !h.titled:
		h.current, h.titled = text, true
	case !h.ruled:
		h.current = text
	}
}

// packageLine reads "name:version"; scoped names hold "@" and Go paths hold neither, so both
// separators are looked for from the end.
func (r *reader) packageLine(number int, line string) {
	w := row{line: number}
	rest := line
	if prefix, after, ok := strings.Cut(line, ":"); ok {
		if e, known := prefixes[strings.ToLower(prefix)]; known && strings.ContainsAny(after, ":@") {
			w.ecosystem, rest = e, strings.TrimSpace(after)
		}
	}
	i := strings.LastIndexByte(rest, ':')
	if i < 0 {
		i = strings.LastIndexByte(rest, '@')
	}
	if i <= 0 {
		r.fail(number, ioc.NoVersion, "%.*q: not name:version", maxShown, line)
		return
	}
	w.name, w.versions = rest[:i], splitVersions(rest[i+1:])
	r.packageRow(w)
}

// digestList reports whether the first row is a digest.
func digestList(lines []string) bool {
	for _, line := range lines {
		if line == "" || line[0] == '#' {
			continue
		}
		return isHex(firstField(line))
	}
	return false
}

func firstField(line string) string {
	field, _, _ := strings.Cut(strings.ReplaceAll(line, "\t", " "), " ")
	return field
}

func isHex(s string) bool {
	return algorithmOf(s) != digest.NoAlgorithm && strings.Trim(strings.ToLower(s), "0123456789abcdef") == ""
}

// digestLine takes the digest and leaves the file name: a name alone was never the statement of
// such a list, and the digest holds under any name.
func (r *reader) digestLine(number int, line string) {
	field := firstField(line)
	ind := ioc.Indicator{Type: ioc.TypeFile, Confidence: ioc.Probable}
	if err := setDigest(&ind, algorithmOf(field), field); err != nil {
		r.failed(number, err)
		return
	}
	r.add(Entry{Indicator: ind, Line: number})
}
