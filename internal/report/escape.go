package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// The escapers, one for each kind of output. Every string of an event goes through the one
// of its output, whoever wrote it: names, paths and versions come from swept repositories,
// titles and notes from feeds.
//
// What they keep from acting: control characters and escape sequences; what hides, or
// changes the order of what is read; bytes that are no UTF-8; commands of GitHub Actions;
// and addresses that a viewer makes a link of.

// Limits of one string in text and SARIF; what is more is counted. JSON Lines has it all.
const (
	maxWord  = 1_000 // bytes
	maxProse = 2_000
)

// plain reports whether r can stand as it is: printable ASCII, and letters and digits that
// are read from left to right. Other symbols and combining marks are not worth what can be
// done with them.
func plain(r rune) bool {
	switch {
	case r < utf8.RuneSelf:
		return ' ' <= r && r <= '~'
	case r == 0x115f || r == 0x1160 || r == 0x3164 || r == 0xffa0: // Hangul fillers: letters that show nothing
		return false
	case 0x0590 <= r && r <= 0x08ff || 0xfb1d <= r && r <= 0xfdff || 0xfe70 <= r && r <= 0xfeff ||
		0x10800 <= r && r <= 0x10fff || 0x1e800 <= r && r <= 0x1efff: // read from right to left: Unicode, DerivedBidiClass.txt
		return false
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r)
}

// acts reports whether the byte at i ends something that is acted upon, though each of its
// characters is plain. A GitHub Actions runner takes a command from "##[" anywhere in a
// line, and from "::" at its start (actions/runner, ActionCommand.cs); terminals make links
// of "://" and "www.".
func acts[S string | []byte](s S, i int) bool {
	switch s[i] {
	case '[':
		return i >= 2 && s[i-1] == '#' && s[i-2] == '#'
	case ':':
		return i >= 1 && s[i-1] == ':'
	case '/':
		return i >= 1 && s[i-1] == ':' && i+1 < len(s) && s[i+1] == '/'
	case '.':
		return i >= 3 && s[i-1]|0x20 == 'w' && s[i-2]|0x20 == 'w' && s[i-3]|0x20 == 'w'
	}
	return false
}

// escape copies s and hands to write what is not plain, acts, or is special: one
// character, or one byte that is no UTF-8.
func escape(s string, special func(s string, i int) bool, write func(b *strings.Builder, c string)) string {
	var b strings.Builder
	from := 0 // what stands before it is in b
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 || !plain(r) || acts(s, i) || special(s, i) {
			b.WriteString(s[from:i])
			write(&b, s[i:i+size])
			from = i + size
		}
		i += size
	}
	if from == 0 {
		return s
	}
	b.WriteString(s[from:])
	return b.String()
}

// clip cuts s between characters to at most limit bytes, and says how many it cut.
func clip(s string, limit int) (head string, more int) {
	if len(s) <= limit {
		return s, 0
	}
	n := limit
	for n > limit-utf8.UTFMax && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n], len(s) - n
}

// textWord makes one word of s for a line of text: as it is, or in quotes where it has
// spaces or anything that is escaped, so that one name never looks like two columns.
func textWord(s string) string {
	head, more := clip(s, maxWord)
	out := escape(head, func(s string, i int) bool { return s[i] == '"' || s[i] == '\\' }, backslash)
	if out != s || s == "" || strings.Contains(s, " ") {
		out = `"` + strings.ReplaceAll(out, " ", glue) + `"`
	}
	if more > 0 {
		out += fmt.Sprintf("+%d bytes", more)
	}
	return out
}

// textProse makes words of s for a line of text. Quotes and backslashes stay: what names
// strings of a file has them in quotes already.
func textProse(s string) string {
	head, more := clip(s, maxProse)
	out := escape(head, func(string, int) bool { return false }, backslash)
	if more > 0 {
		out += fmt.Sprintf(" ... %d more bytes", more)
	}
	return out
}

// textAddress is textProse in which "https://" stands as it is: of who signed, which a person
// compares and copies. A terminal may make a link of it, to an address that is all to be seen.
func textAddress(s string) string {
	const scheme = "https://"
	head, more := clip(s, maxProse)
	parts := strings.Split(head, scheme)
	for i, part := range parts {
		parts[i] = textProse(part)
	}
	out := strings.Join(parts, scheme)
	if more > 0 {
		out += fmt.Sprintf(" ... %d more bytes", more)
	}
	return out
}

// backslash writes c as a Go string literal does.
func backslash(b *strings.Builder, c string) {
	r, _ := utf8.DecodeRuneInString(c)
	switch {
	case r == '\n':
		b.WriteString(`\n`)
	case r == '\t':
		b.WriteString(`\t`)
	case r == '"' || r == '\\':
		b.WriteString(`\` + c)
	case len(c) == 1:
		fmt.Fprintf(b, `\x%02x`, c[0])
	case r <= 0xffff:
		fmt.Fprintf(b, `\u%04x`, r)
	default:
		fmt.Fprintf(b, `\U%08x`, r)
	}
}

// sarifText makes text of s for any string of a SARIF file but an address. Viewers differ
// in whether they read such a string as plain text, as SARIF's own notation of links and
// placeholders (SARIF 2.1.0, sections 3.11.5 and 3.11.6) or as Markdown, and some export it
// as CSV; percent-encoded, as a purl has it, a character is inert in all of them.
func sarifText(s string) string {
	head, more := clip(s, maxProse)
	out := escape(head, func(s string, i int) bool {
		switch s[i] {
		case '<', '>', '[', ']', '{', '}', '|', '\\', '`', '#', '*', '&', '~':
			return true
		case '@': // of a mention, not of a version: that has a name before it
			return i == 0 || !alphanumeric(s[i-1])
		case '=', '+', '-': // of a formula
			return i == 0
		}
		return false
	}, percent)
	if more > 0 {
		out += fmt.Sprintf(" ... %d more bytes", more)
	}
	return out
}

// sarifURI makes a relative reference (RFC 3986, section 4.2) of a path. What could lead out
// of the folder that it is relative to, "..", "." and slashes at the start, is encoded twice:
// no viewer that decodes it once climbs.
func sarifURI(path string) string {
	rest := strings.TrimLeft(path, "/")
	segments := strings.Split(rest, "/")
	for i, s := range segments {
		if s == "." || s == ".." {
			segments[i] = strings.ReplaceAll(s, ".", "%252E")
		} else {
			segments[i] = sarifSegment(s)
		}
	}
	return strings.Repeat("%252F", len(path)-len(rest)) + strings.Join(segments, "/")
}

// sarifSegment is s as one segment of an address, of unreserved characters alone (RFC 3986,
// section 2.3). It serves as an id too, and begins with no hyphen.
func sarifSegment(s string) string {
	return escape(s, func(s string, i int) bool {
		return !alphanumeric(s[i]) && s[i] != '.' && s[i] != '_' && (s[i] != '-' || i == 0)
	}, percent)
}

func alphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// percent writes the bytes of c percent-encoded.
func percent(b *strings.Builder, c string) {
	for i := range len(c) {
		fmt.Fprintf(b, "%%%02X", c[i])
	}
}

// appendJSON appends a line of JSON to dst with what is not plain, or acts, as \u escapes:
// to a reader of JSON the same value. Outside its strings a line has nothing of the kind.
func appendJSON(dst, line []byte) []byte {
	from := 0
	for i := 0; i < len(line); i++ {
		c := line[i]
		if !suspect[c] || c < utf8.RuneSelf && c != 0x7f && !acts(line, i) {
			continue
		}
		r, size := utf8.DecodeRune(line[i:])
		if c < utf8.RuneSelf || !plain(r) {
			dst = append(dst, line[from:i]...)
			for _, u := range utf16.Encode([]rune{r}) {
				dst = fmt.Appendf(dst, `\u%04x`, u)
			}
			from = i + size
		}
		i += size - 1
	}
	return append(dst, line[from:]...)
}

// EscapeText makes one inert line of s, for a terminal or a log.
func EscapeText(s string) string { return textProse(s) }

// EscapeJSON gives JSON text with what is not plain, or acts, as \u escapes: to a reader of JSON
// the same value.
func EscapeJSON(text []byte) []byte { return appendJSON(nil, text) }

// suspect are the bytes that appendJSON looks at twice.
var suspect = func() (t [256]bool) {
	for c := 0x7f; c < len(t); c++ {
		t[c] = true
	}
	for _, c := range "[:/." { // the bytes that acts knows
		t[c] = true
	}
	return t
}()
