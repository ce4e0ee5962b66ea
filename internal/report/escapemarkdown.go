package report

import (
	"fmt"
	"strings"
)

// EscapeMarkdown makes one code span of the first limit bytes of s, and counts the rest, for
// GitHub's Markdown: an issue, a comment, a job summary. The span is at most four times as long
// as that, and 40 bytes.
//
// Nothing in a code span is a mention, a reference, a link, an image or HTML, and nothing
// closes an issue; what could end the span, or is not plain, is escaped as in text. A span is
// inert only where it begins: the text around it is to be our own words, on the same line, with
// no backtick and no "<" before it that is not closed.
func EscapeMarkdown(s string, limit int) string {
	head, more := clip(s, limit)
	out := escape(head, func(s string, i int) bool { return s[i] == '`' || s[i] == '\\' }, func(b *strings.Builder, c string) {
		switch c {
		case "`":
			b.WriteString(`\x60`)
		default:
			backslash(b, c)
		}
	})
	// A span of spaces alone shows nothing, and one space at either end is not shown: quotes
	// tell where such a name begins and ends.
	if out != head || out == "" || strings.HasPrefix(out, " ") || strings.HasSuffix(out, " ") || strings.Contains(out, "  ") {
		out = `"` + out + `"`
	}
	out = "`" + out + "`"
	if more > 0 {
		out += fmt.Sprintf(" +%d bytes", more)
	}
	return out
}

// maxTitle is how many bytes of a string EscapeTitle takes.
const maxTitle = 200

// EscapeTitle makes the title of an issue of s, or a part of one: plain text, in which GitHub
// renders code, and mail readers whatever they like.
func EscapeTitle(s string) string {
	head, more := clip(s, maxTitle)
	out := escape(head, func(s string, i int) bool {
		switch s[i] {
		case '<', '>', '[', ']', '{', '}', '|', '\\', '`', '#', '*', '&', '~', '@', '_', '$', '!':
			return true
		case '-': // of a reference to an issue, "GH-1"
			return i >= 2 && s[i-2]|0x20 == 'g' && s[i-1]|0x20 == 'h'
		case '=', '+':
			return i == 0
		}
		return false
	}, percent)
	if more > 0 {
		out += fmt.Sprintf(" ... %d more bytes", more)
	}
	return out
}
