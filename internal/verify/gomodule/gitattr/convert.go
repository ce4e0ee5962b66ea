package gitattr

import "bytes"

// Conversion is what becomes of a file. The zero value leaves it as it is.
type Conversion struct {
	crlf  lineEnds
	ident bool
	// Doubt says why it may become something else on another machine, "" where it does not.
	Doubt string
}

type lineEnds uint8

const (
	asTheyAre lineEnds = iota
	toCRLF
	toCRLFIfText // unless it seems binary, or has such line ends already
)

// Changes reports whether Apply may change a content.
func (c Conversion) Changes() bool { return c.crlf != asTheyAre || c.ident }

// conversion is git's convert_attrs with core.autocrlf=input: of the line ends that a rule may
// ask for, "crlf" alone differs from what is in the blob.
func conversion(states map[string]state, doubt string) Conversion {
	c := Conversion{Doubt: doubt, ident: states["ident"].kind == isSet}
	text := textOf(states["text"])
	if text == unsaid {
		text = textOf(states["crlf"]) // its old name
	}
	eol := states["eol"]
	if text != binary && eol.kind == isText && eol.value == "crlf" {
		c.crlf = toCRLF
		if text == auto {
			c.crlf = toCRLFIfText
		}
	}
	if filter := states["filter"]; filter.kind == isText && c.Doubt == "" {
		c.Doubt = "a filter is named for it in .gitattributes"
	}
	if encoding := states["working-tree-encoding"]; encoding.kind != 0 && encoding.kind != isPlain && c.Doubt == "" {
		c.Doubt = "another encoding is named for it in .gitattributes"
	}
	return c
}

type textKind uint8

const (
	unsaid textKind = iota
	isATextFile
	binary
	auto
)

func textOf(s state) textKind {
	switch {
	case s.kind == isSet, s.kind == isText && s.value == "input":
		return isATextFile
	case s.kind == isUnset:
		return binary
	case s.kind == isText && s.value == "auto":
		return auto
	}
	return unsaid
}

// Apply gives the content of the file whose blob has a content and an id. It changes no content
// in place.
func (c Conversion) Apply(content []byte, blob string) []byte {
	if c.ident {
		content = expandIDs(content, blob)
	}
	if c.crlf == asTheyAre || c.crlf == toCRLFIfText && !plainText(content) {
		return content
	}
	out := make([]byte, 0, len(content)+bytes.Count(content, []byte("\n")))
	for i, b := range content {
		if b == '\n' && (i == 0 || content[i-1] != '\r') {
			out = append(out, '\r')
		}
		out = append(out, b)
	}
	return out
}

// plainText is git's guess that a file is text whose line ends may be changed: no carriage
// return, no NUL, and few unprintable bytes (convert.c, gather_stats and convert_is_binary).
func plainText(content []byte) bool {
	printable, unprintable := 0, 0
	for _, b := range content {
		switch {
		case b == '\r' || b == 0:
			return false
		case b == '\n':
		case b == '\b', b == '\t', b == '\x1b', b == '\f':
			printable++
		case b < ' ', b == 0x7f:
			unprintable++
		default:
			printable++
		}
	}
	if len(content) > 0 && content[len(content)-1] == 0x1a {
		unprintable--
	}
	return printable>>7 >= unprintable
}

// expandIDs is git's ident_to_worktree: "$Id$" and "$Id: ... $" become "$Id: BLOB $", but for an
// id of another system, which has blanks inside.
func expandIDs(content []byte, blob string) []byte {
	var out []byte
	rest := content
	for {
		i := bytes.IndexByte(rest, '$')
		if i < 0 {
			break
		}
		out = append(out, rest[:i+1]...)
		rest = rest[i+1:]
		if len(rest) < 3 || rest[0] != 'I' || rest[1] != 'd' {
			continue
		}
		switch rest[2] {
		case '$':
			rest = rest[3:]
		case ':':
			end := bytes.IndexByte(rest[3:], '$')
			if end < 0 {
				return append(out, rest...)
			}
			inside := rest[3 : 3+end]
			if bytes.IndexByte(inside, '\n') >= 0 {
				continue
			}
			if len(inside) > 0 {
				if blank := bytes.IndexByte(inside[1:], ' '); blank >= 0 && blank < len(inside)-2 {
					continue
				}
			}
			rest = rest[3+end+1:]
		default:
			continue
		}
		out = append(out, "Id: "+blob+" $"...)
	}
	return append(out, rest...)
}
