// Package gitattr says what "git archive" makes of a file's content for the attributes of its
// repository: line endings and $Id$ (gitattributes). It is what stands between the blob of a tag
// and the file in a module zip, since the go command archives a commit with git.
//
// The go command turns off export-ignore and export-subst, and sets core.autocrlf=input and
// core.eol=lf (cmd/go/internal/modfetch/codehost, ReadZip); the same is assumed here. What a
// filter would do, and other encodings, is a matter of the machine that made the zip: the
// Conversion says so by a doubt.
//
// It is pure, and bounded: beyond its limits it doubts.
package gitattr

import (
	"bytes"
	"path"
	"strings"
)

// Limits.
const (
	MaxFile  = 1 << 20 // bytes of one .gitattributes
	maxLine  = 2048    // bytes of a line; git leaves longer ones out, and did not always
	maxRules = 5_000   // lines of all files together
	maxWork  = 200_000 // steps of the matching of one path
)

// state is what a rule says of an attribute. The zero value is that it says nothing.
type state struct {
	kind  kind
	value string // of isText
}

type kind uint8

const (
	isSet   kind = iota + 1 // "text"
	isUnset                 // "-text"
	isPlain                 // "!text": as if nobody had said anything
	isText                  // "text=auto"
)

type setting struct {
	name string
	state
}

// rule is a line: a pattern, or the name of a macro, and what it sets.
type rule struct {
	pattern  string
	literal  int  // bytes before the first that is special
	basename bool // without a slash: it is matched with the last part of a path
	settings []setting
}

// Rules are the attributes of a tree. The zero value has those that git has of itself.
type Rules struct {
	folders map[string][]rule // by the path of the folder, "" for the root
	macros  map[string][]setting
	doubts  map[string]string // by folder: why its rules are not known whole
	count   int
}

// Add takes the content of the .gitattributes of a folder.
func (r *Rules) Add(folder string, content []byte) {
	if len(content) > MaxFile {
		r.Doubt(folder, ".gitattributes is over the limit")
		return
	}
	if r.folders == nil {
		r.folders, r.macros = map[string][]rule{}, map[string][]setting{}
	}
	content, _, _ = bytes.Cut(content, []byte{0})
	for line := range strings.Lines(string(content)) {
		line = strings.TrimSuffix(line, "\n")
		text := strings.TrimLeft(line, blanks)
		if text == "" || text[0] == '#' {
			continue
		}
		if r.count++; r.count > maxRules || len(line) >= maxLine {
			r.Doubt(folder, ".gitattributes has too many or too long lines")
			return
		}
		if strings.Contains(text, "builtin_") { // names that newer versions of git keep for themselves
			r.Doubt(folder, ".gitattributes is read in two ways by versions of git")
		}
		one, macro, ok := parseLine(text)
		switch {
		case !ok, macro && folder != "": // macros stand in the root alone
		case macro:
			r.macros[one.pattern] = one.settings
		default:
			r.folders[folder] = append(r.folders[folder], one)
		}
	}
}

// Doubt says that the rules of a folder are not known.
func (r *Rules) Doubt(folder, why string) {
	if r.doubts == nil {
		r.doubts = map[string]string{}
	}
	r.doubts[folder] = why
}

const blanks = " \t\r\n"

// parseLine reads a line that is neither empty nor a comment. ok is false for one that git
// leaves out.
func parseLine(text string) (one rule, macro, ok bool) {
	pattern, rest, quoted := unquote(text)
	if !quoted {
		end := strings.IndexAny(text, blanks)
		if end < 0 {
			end = len(text)
		}
		pattern, rest = text[:end], text[end:]
	}
	if name, isMacro := strings.CutPrefix(pattern, "[attr]"); isMacro && name != "" {
		one.settings, ok = parseSettings(rest)
		one.pattern = name
		return one, true, ok && validName(name)
	}
	if one.settings, ok = parseSettings(rest); !ok || strings.HasPrefix(pattern, "!") || pattern == "" {
		return one, false, false
	}
	if strings.HasSuffix(pattern, "/") {
		return one, false, false // a folder: it has no attributes that matter
	}
	one.pattern, one.basename = pattern, !strings.Contains(pattern, "/")
	one.literal = strings.IndexAny(pattern, special)
	if one.literal < 0 {
		one.literal = len(pattern)
	}
	return one, false, true
}

func parseSettings(text string) (list []setting, ok bool) {
	for _, field := range strings.FieldsFunc(text, func(c rune) bool { return strings.ContainsRune(blanks, c) }) {
		name, value, valued := strings.Cut(field, "=")
		s := setting{state: state{kind: isSet}}
		switch {
		case name != "" && name[0] == '-':
			name, s.kind = name[1:], isUnset
		case name != "" && name[0] == '!':
			name, s.kind = name[1:], isPlain
		case valued:
			s.kind, s.value = isText, value
		}
		if !validName(name) {
			return nil, false
		}
		s.name = name
		list = append(list, s)
	}
	return list, true
}

// validName is git's rule for the names of attributes.
func validName(name string) bool {
	if name == "" || name[0] == '-' {
		return false
	}
	for i := range len(name) {
		switch c := name[i]; {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '-', c == '.', c == '_':
		default:
			return false
		}
	}
	return true
}

// unquote reads a pattern in double quotes, with the escapes of C.
func unquote(text string) (pattern, rest string, ok bool) {
	if !strings.HasPrefix(text, `"`) {
		return "", "", false
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch c := text[i]; c {
		case '"':
			return b.String(), text[i+1:], true
		case '\\':
			if i++; i == len(text) {
				return "", "", false
			}
			if j := strings.IndexByte(`abfnrtv\"`, text[i]); j >= 0 {
				b.WriteByte("\a\b\f\n\r\t\v\\\""[j])
				continue
			}
			if i+2 >= len(text) || text[i] < '0' || text[i] > '3' || !octal(text[i+1]) || !octal(text[i+2]) {
				return "", "", false
			}
			b.WriteByte((text[i]-'0')<<6 | (text[i+1]-'0')<<3 | (text[i+2] - '0'))
			i += 2
		default:
			b.WriteByte(c)
		}
	}
	return "", "", false
}

func octal(c byte) bool { return c >= '0' && c <= '7' }

// decided are attributes of one path as far as they are decided.
type decided struct {
	rules  *Rules
	states map[string]state
}

// fill takes the settings of a rule that nothing before it decided. What a macro sets comes
// right behind the macro.
func (d *decided) fill(settings []setting) {
	for i := len(settings) - 1; i >= 0; i-- {
		s := settings[i]
		if _, ok := d.states[s.name]; ok {
			continue
		}
		d.states[s.name] = s.state
		if s.kind == isSet {
			d.fill(d.rules.macro(s.name))
		}
	}
}

// macro gives what a macro sets, nothing for what is none.
func (r *Rules) macro(name string) []setting {
	if m, ok := r.macros[name]; ok {
		return m
	}
	if name == "binary" {
		return []setting{{"diff", state{kind: isUnset}}, {"merge", state{kind: isUnset}}, {"text", state{kind: isUnset}}}
	}
	return nil
}

// Of gives the conversion of a file, by its path in the tree. The rules of its folder go before
// those of the folders above, and later lines before earlier ones.
func (r *Rules) Of(file string) Conversion {
	d := decided{r, map[string]state{}}
	doubt := ""
	work := maxWork
	for folder := path.Dir(file); ; folder = path.Dir(folder) {
		if folder == "." {
			folder = ""
		}
		if why := r.doubts[folder]; why != "" {
			doubt = why
		}
		rules := r.folders[folder]
		for i := len(rules) - 1; i >= 0; i-- {
			if rules[i].matches(folder, file, &work) {
				d.fill(rules[i].settings)
			}
		}
		if folder == "" {
			break
		}
	}
	if work < 0 {
		doubt = "the patterns of .gitattributes take too long to match"
	}
	return conversion(d.states, doubt)
}
