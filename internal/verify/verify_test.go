package verify_test

import (
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/verify"
)

// What an attacker wrote stands in one line, and moves no cursor.
func TestLine(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", ""},
		{"plain", "plain"},
		{"two\nlines\r\nand\ta tab", "two lines and a tab"},
		{"\x1b[31mred\x1b[0m", "[31mred [0m"},
		{"bad \xff UTF-8", "bad UTF-8"},
		{"right\u202eto left\u2028next", "right to left next"},
		{"größer", "größer"},
		{strings.Repeat("a", 300), strings.Repeat("a", 300)},
		{strings.Repeat("a", 301), strings.Repeat("a", 300) + "…"},
		{strings.Repeat("ö", 151), strings.Repeat("ö", 150) + "…"},
		{"a" + strings.Repeat("ö", 150), "a" + strings.Repeat("ö", 149) + "…"}, // cut within a letter
	} {
		if got := verify.Line(tt.in); got != tt.want {
			t.Errorf("Line(%q) = %q; want %q", tt.in, got, tt.want)
		}
	}
}
