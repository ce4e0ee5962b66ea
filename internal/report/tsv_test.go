package report_test

import (
	"testing"

	"github.com/wormsweep/wormsweep/internal/report"
)

func TestEscapeTSV(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"@scope/name", "@scope/name"},
		{"a b", "a b"},
		{"größe", "größe"},
		{"tab\there\nand there", `tab\there\nand there`},
		{"\x1b[31mred", `\x1b[31mred`},
		{"bad\xffutf8", `bad\xffutf8`},
		{`back\slash`, `back\\slash`},
		{"\u202eevil", `\u202eevil`},
		{"\u200b", `\u200b`},
		{"::error file=x::gone", `\x3a:error file=x::gone`}, // in the first cell it begins the line
		{"  ::error::", `  \x3a:error::`},
		{"a::b", "a::b"},
		{"a ##[error]", `a ##\x5berror]`},
		{"a [b] #[c]", "a [b] #[c]"},
	} {
		if got := report.EscapeTSV(tt.in); got != tt.want {
			t.Errorf("EscapeTSV(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}
