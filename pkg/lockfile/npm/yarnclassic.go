package npm

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// readClassic reads a file of yarn 1 (yarn 1.22, src/lockfile/parse.js and stringify.js):
//
//	# yarn lockfile v1
//
//	name@^1.0.0, "name@>=1.2.0 <2":
//	  version "1.2.3"
//	  resolved "https://host/name/-/name-1.2.3.tgz#SHA1"
//	  integrity sha512-BASE64
//	  dependencies:
//	    other "^2.0.0"
//
// A line has one place by its indentation: 0, 2 or 4 spaces. Text is bare or in double quotes
// with the escapes of JSON. Other lines that yarn's grammar has room for are problems: it
// never writes them, and yarn and its reader may part ways there. So are the marks of a merge
// conflict, which yarn 1 resolves by taking both sides; the entries of both are given.
func (y *yarnLock) readClassic(text string) {
	c := classicLines{yarnLock: y}
	for c.number = 1; text != ""; c.number++ {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		c.read(line)
	}
	y.endEntry()
	if !c.header && len(y.Packages) > 0 {
		y.AddProblem(0, lockfile.CodeHeader, "no \"# yarn lockfile v1\"")
	}
	if y.edges {
		y.endClassic()
	}
}

// classicLines is the state between two lines of a classic file.
type classicLines struct {
	*yarnLock
	number int    // of the line
	header bool   // "# yarn lockfile v1" was seen
	broken bool   // a blank line or a comment ended the entry
	group  string // the field that holds the lines at 4 spaces
}

func (c *classicLines) problem(format string, args ...any) {
	c.AddProblem(c.number, lockfile.CodeSyntax, format, args...)
}

func (c *classicLines) read(line string) {
	indent := 0
	for indent < len(line) && line[indent] == ' ' {
		indent++
	}
	content := strings.TrimRight(line[indent:], " ")
	switch {
	case content == "":
		c.broken = true
	case content[0] == '#':
		c.broken = true
		c.comment(strings.TrimSpace(content[1:]))
	case indent == 0 && isConflict(content):
		c.problem("the mark of a merge conflict")
	case indent == 0:
		c.broken = false
		c.head(content)
	default:
		c.indented(indent, content)
	}
}

// isConflict reports whether a line is one of those that git puts around the two sides of a
// merge conflict.
func isConflict(line string) bool {
	return len(line) >= 7 && strings.IndexByte("<|=>", line[0]) >= 0 && strings.Count(line[:7], line[:1]) == 7
}

func (c *classicLines) comment(text string) {
	version, ok := strings.CutPrefix(text, "yarn lockfile v")
	if !ok {
		return
	}
	n, err := strconv.Atoi(version)
	if err != nil || n < 0 {
		return
	}
	c.header = true
	if n > 1 {
		c.AddProblem(c.number, lockfile.CodeUnsupported, "yarn lockfile v%d", n)
	}
}

// head reads the line that an entry begins with: its descriptors.
func (c *classicLines) head(line string) {
	c.endEntry()
	c.begin(c.number)
	c.group = ""
	e := &c.entry
	for rest := line; ; {
		descriptor, behind, ok := c.token(rest)
		if !ok {
			c.problem("%.100q begins no entry", line)
			break
		}
		e.descriptors = append(e.descriptors, descriptor)
		if behind == ":" {
			return
		}
		if rest, ok = strings.CutPrefix(behind, ","); !ok {
			c.problem("%.100q behind the head of an entry", behind)
			break
		}
		rest = strings.TrimLeft(rest, " ")
	}
	// What else could be meant by it is still an entry's head.
	e.damaged, e.descriptors = true, e.descriptors[:0]
	for descriptor := range strings.SplitSeq(strings.TrimRight(line, ": "), ",") {
		e.descriptors = append(e.descriptors, strings.Trim(descriptor, `"' `))
	}
}

// indented reads a field of an entry, or a line of a field that holds several.
func (c *classicLines) indented(indent int, content string) {
	if content[0] == '\t' {
		c.problem("a tab in the indentation")
		content = strings.TrimLeft(content, " \t")
	}
	if !c.entry.open || c.broken || content == "" {
		c.problem("%.100q belongs to no entry", content)
	}
	if !c.entry.open || content == "" {
		return
	}
	c.broken = false
	key, behind, ok := c.token(content)
	if !ok {
		c.problem("%.100q is no field", content)
		return
	}
	if indent == 2 && behind == ":" {
		c.group = key
		return
	}
	value := strings.TrimLeft(behind, " ")
	if value == behind {
		c.problem("%.100q is no field", content)
		value = strings.TrimLeft(strings.TrimPrefix(value, ":"), " ")
	}
	if value, behind, ok = c.value(value); !ok || behind != "" {
		c.problem("%.100q is no value of %q", content, key)
	}
	switch {
	case indent == 2:
		c.group = ""
		c.classicField(key, value, c.number)
	case indent == 4 && c.group != "":
		if c.edges && (c.group == "dependencies" || c.group == "optionalDependencies") {
			c.wants = append(c.wants, yarnWant{int32(len(c.Packages)), key, value})
		}
	default:
		c.problem("%d spaces before %.100q", indent, content)
		c.classicField(key, value, c.number)
	}
}

// classicField takes a field of an entry.
func (y *yarnLock) classicField(key, value string, line int) {
	e := &y.entry
	switch key {
	case "version":
		if len(e.versions) > 0 {
			y.AddProblem(line, lockfile.CodeRepeatedKey, "%q twice in one entry", key)
		}
		e.versions = append(e.versions, value)
	case "resolved":
		if len(e.resolved) > 0 {
			y.AddProblem(line, lockfile.CodeRepeatedKey, "%q twice in one entry", key)
		}
		e.resolved = append(e.resolved, value)
	case "name":
		e.names = append(e.names, value)
	case "integrity":
		y.integrity(value, e.descriptors[0], line)
	}
}

// token reads the key or descriptor that text begins with: up to the quote that closes it,
// or, bare, up to the ":", " " or "," behind it. It is not ok for a word that yarn would not
// read as one: those begin with a letter, "/", "." or "-", and not as a boolean does.
func (c *classicLines) token(text string) (token, behind string, ok bool) {
	if text != "" && text[0] == '"' {
		return c.quoted(text)
	}
	i := 0
	for i < len(text) && !endsToken[text[i]] {
		i++
	}
	token, behind = text[:i], text[i:]
	return token, behind, i > 0 && startsToken[token[0]] && !startsBoolean(token)
}

// endsToken are the bytes that bare text ends at.
var endsToken = [256]bool{':': true, ' ': true, ',': true}

// startsToken are the bytes that bare text begins with.
var startsToken = func() (t [256]bool) {
	for c := range t {
		t[c] = 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '/' || c == '.' || c == '-'
	}
	return t
}()

func startsBoolean(token string) bool {
	return strings.HasPrefix(token, "true") || strings.HasPrefix(token, "false")
}

// value reads a value: a token, a boolean or a number.
func (c *classicLines) value(text string) (value, behind string, ok bool) {
	value, behind, ok = c.token(text)
	if !ok && text != "" && text[0] != '"' {
		ok = value == "true" || value == "false" || value != "" && strings.Trim(value, "0123456789") == ""
	}
	return value, behind, ok
}

// quoted reads text in double quotes, as JSON has it.
func (c *classicLines) quoted(text string) (token, behind string, ok bool) {
	end := 1 + strings.IndexByte(text[1:], '"')
	if end == 0 {
		return text[1:], "", false
	}
	if strings.IndexByte(text[1:end], '\\') < 0 {
		return text[1:end], text[end+1:], true
	}
	for end = 1; end < len(text) && text[end] != '"'; end++ {
		if text[end] == '\\' {
			end++
		}
	}
	if end >= len(text) {
		return text[1:], "", false
	}
	return c.unescapeJSON(text[:end+1]), text[end+1:], true
}

func (c *classicLines) unescapeJSON(quoted string) string {
	var text string
	if err := json.Unmarshal([]byte(quoted), &text); err != nil {
		c.problem("%.100q is no text in quotes", quoted)
		return quoted[1 : len(quoted)-1]
	}
	return text
}

// endClassic works out who asks for whom. What nobody asks for, a manifest does.
func (y *yarnLock) endClassic() {
	targets := y.targets()
	for _, w := range y.wants {
		if to, ok := targets.find(w.name, w.wanted); ok && to != w.from {
			y.asked = append(y.asked, edge{w.from, to})
		}
	}
	y.link(y.asked)
	for i := range y.Packages {
		if len(y.Packages[i].RequiredBy) == 0 {
			y.Packages[i].Direct = lockfile.Yes
		}
	}
}
