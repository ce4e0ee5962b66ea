package tomlscan

import (
	"strings"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// word reads the number, date, time or boolean that is next.
func (r *Reader) word() (text string, kind Kind, ok bool) {
	begin := r.pos
	for r.pos < len(r.text) && plain[r.text[r.pos]]&inWord != 0 {
		r.pos++
	}
	if r.pos == begin {
		r.fault(lockfile.CodeSyntax, "%s where a value is due", r.found())
		return "", 0, false
	}
	if r.pos-begin == len("2006-01-02") && r.spaceThenTime() {
		// "For the sake of readability, you may replace the T delimiter between date and time
		// with a space character."
		for r.pos++; r.pos < len(r.text) && plain[r.text[r.pos]]&inWord != 0; r.pos++ {
		}
	}
	text = r.text[begin:r.pos]
	kind, ok = wordKind(text)
	if !ok {
		if r.startsInside() {
			r.fault(lockfile.CodeSyntax, "a statement inside the value that begins on line %d", r.stack[0].line)
			return "", 0, false
		}
		r.problem(lockfile.CodeSyntax, "%.100q is no value", text)
	}
	return text, kind, true
}

// spaceThenTime reports whether a space and two digits follow, as in a date and time.
func (r *Reader) spaceThenTime() bool {
	rest := r.text[r.pos:]
	return len(rest) > 3 && rest[0] == ' ' && isDigit(rest[1]) && isDigit(rest[2]) && rest[3] == ':'
}

// wordKind says what a word is. A word that is nothing counts as a time, the kind that
// nobody asks for.
func wordKind(s string) (kind Kind, ok bool) {
	switch s {
	case "true", "false":
		return Bool, true
	case "inf", "+inf", "-inf", "nan", "+nan", "-nan":
		return Float, true
	}
	if isTime(s) {
		return Time, true
	}
	if len(s) > 2 && s[0] == '0' {
		switch s[1] {
		case 'x':
			return Integer, allDigits(s[2:], isHexDigit)
		case 'o':
			return Integer, allDigits(s[2:], func(c byte) bool { return '0' <= c && c <= '7' })
		case 'b':
			return Integer, allDigits(s[2:], func(c byte) bool { return c == '0' || c == '1' })
		}
	}
	if s[0] == '+' || s[0] == '-' {
		s = s[1:]
	}
	whole := len(s)
	if i := strings.IndexAny(s, ".eE"); i >= 0 {
		whole = i
	}
	if !allDigits(s[:whole], isDigit) || whole > 1 && s[0] == '0' { // "Leading zeros are not allowed."
		return Time, false
	}
	if whole == len(s) {
		return Integer, true
	}
	return Float, isFraction(s[whole:])
}

// isFraction reports whether s is what may follow the whole part of a float: ".5", "e+3",
// ".5E-3".
func isFraction(s string) bool {
	if s[0] == '.' {
		digits := s[1:]
		exponent := strings.IndexAny(digits, "eE")
		if exponent < 0 {
			return allDigits(digits, isDigit)
		}
		if !allDigits(digits[:exponent], isDigit) {
			return false
		}
		s = digits[exponent:]
	}
	s = s[1:]
	if s != "" && (s[0] == '+' || s[0] == '-') {
		s = s[1:]
	}
	return allDigits(s, isDigit)
}

// allDigits reports whether s has digits, with at most one underscore between two of them.
func allDigits(s string, digit func(byte) bool) bool {
	between := false
	for i := 0; i < len(s); i++ {
		switch {
		case digit(s[i]):
			between = true
		case s[i] == '_' && between:
			between = false
		default:
			return false
		}
	}
	return between
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isHexDigit(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// isTime reports whether s is a date, a time or both, by RFC 3339.
func isTime(s string) bool {
	if len(s) < len("15:04") {
		return false
	}
	if s[2] == ':' {
		clock, second60 := cutClock(s)
		return clock > 0 && clock == len(s) && !second60
	}
	if !isDate(s) {
		return false
	}
	rest := s[len("2006-01-02"):]
	if rest == "" {
		return true
	}
	if rest[0] != 'T' && rest[0] != 't' && rest[0] != ' ' {
		return false
	}
	clock, second60 := cutClock(rest[1:])
	if clock == 0 {
		return false
	}
	zone := rest[1+clock:]
	switch {
	case zone == "":
		return !second60
	case zone == "Z" || zone == "z":
		return true
	case len(zone) == len("+07:00") && (zone[0] == '+' || zone[0] == '-') && zone[3] == ':':
		return below(zone[1:3], 24) && below(zone[4:6], 60)
	}
	return false
}

// isDate reports whether s begins with a day that the calendar has.
func isDate(s string) bool {
	if len(s) < len("2006-01-02") || s[4] != '-' || s[7] != '-' {
		return false
	}
	if !allDigits(s[:4], isDigit) || strings.Contains(s[:4], "_") || !below(s[5:7], 13) || !below(s[8:10], 32) {
		return false
	}
	year, month, day := number(s[:4]), number(s[5:7]), number(s[8:10])
	days := [...]int{0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}
	if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		days[2] = 29
	}
	return day > 0 && day <= days[month]
}

// cutClock gives the length of the time of day that s begins with, 0 where it begins with
// none. second60 is a leap second, which only a time with a zone may have.
func cutClock(s string) (length int, second60 bool) {
	if len(s) < len("15:04") || s[2] != ':' || !below(s[:2], 24) || !below(s[3:5], 60) {
		return 0, false
	}
	end := len("15:04")
	if end == len(s) || s[end] != ':' {
		return end, false // TOML 1.1: seconds may be left out
	}
	end = len("15:04:05")
	if len(s) < end || !below(s[6:8], 61) {
		return 0, false
	}
	if end < len(s) && s[end] == '.' {
		fraction := end + 1
		for end = fraction; end < len(s) && isDigit(s[end]); end++ {
		}
		if end == fraction {
			return 0, false
		}
	}
	return end, number(s[6:8]) == 60
}

// below reports whether s is two digits of a number below limit.
func below(s string, limit int) bool {
	return isDigit(s[0]) && isDigit(s[1]) && number(s) < limit
}

func number(digits string) int {
	n := 0
	for i := 0; i < len(digits); i++ {
		n = 10*n + int(digits[i]-'0')
	}
	return n
}
