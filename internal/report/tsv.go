package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// EscapeTSV makes one cell of s for a table with tabs: as it is, but for a backslash, bytes
// that are no UTF-8, whatever does not print, and what a GitHub Actions runner takes for a
// command when the table stands in its log. These stand as a Go string literal has them. The
// cells are data for programs: nothing else is changed.
func EscapeTSV(s string) string {
	if !strings.ContainsFunc(s, unprintable) && !strings.Contains(s, "##[") && !strings.Contains(s, "::") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '[' && strings.HasSuffix(s[:i], "##"),
			r == ':' && strings.HasPrefix(s[i:], "::") && strings.TrimLeft(s[:i], " ") == "": // at the start of a line alone
			fmt.Fprintf(&b, `\x%02x`, r)
		case unprintable(r):
			backslash(&b, s[i:i+size])
		default:
			b.WriteString(s[i : i+size])
		}
		i += size
	}
	return b.String()
}

// unprintable takes U+FFFD as well: it is what bytes that are no UTF-8 decode to.
func unprintable(r rune) bool { return r == '\\' || r == utf8.RuneError || !unicode.IsPrint(r) }
