package version

import (
	"cmp"
	"strings"
)

// semver is a version by the grammar of semver.org 2.0.0, in parts of its text.
type semver struct {
	major, minor, patch string // digits
	pre                 string // after "-", "" for none
	build               string // after "+", "" for none
}

// scanSemver splits s, which has no "v". ok is false for anything outside the grammar:
//
//	<valid semver> ::= <version core> ["-" <pre-release>] ["+" <build>]
func scanSemver(s string) (v semver, ok bool) {
	i := 0
	if v.major, i = numeric(s, i); i < 0 || i >= len(s) || s[i] != '.' {
		return v, false
	}
	if v.minor, i = numeric(s, i+1); i < 0 || i >= len(s) || s[i] != '.' {
		return v, false
	}
	if v.patch, i = numeric(s, i+1); i < 0 {
		return v, false
	}
	if i < len(s) && s[i] == '-' {
		start := i + 1
		if i = identifiers(s, start, true); i < 0 {
			return v, false
		}
		v.pre = s[start:i]
	}
	if i < len(s) && s[i] == '+' {
		start := i + 1
		if i = identifiers(s, start, false); i < 0 {
			return v, false
		}
		v.build = s[start:i]
	}
	return v, i == len(s)
}

// numeric gives the digits of s from i on and the index after them; the index is -1 when
// there are none, or a zero leads.
func numeric(s string, i int) (number string, end int) {
	start := i
	if i = digits(s, i); i == start || i > start+1 && s[start] == '0' {
		return "", -1
	}
	return s[start:i], i
}

// identifiers gives the index after the dot-separated identifiers of s from i on, -1 when
// one is empty or, in a pre-release, a number with a leading zero.
func identifiers(s string, i int, pre bool) (end int) {
	for {
		start, numeric := i, true
		for i < len(s) && isIdentifier[s[i]] {
			numeric = numeric && isDigit(s[i])
			i++
		}
		if i == start || pre && numeric && i > start+1 && s[start] == '0' {
			return -1
		}
		if i == len(s) || s[i] != '.' {
			return i
		}
		i++
	}
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

var isIdentifier = func() (t [256]bool) {
	for c := range t {
		t[c] = c == '-' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
	}
	return t
}()

// compareSemver orders by semver.org 2.0.0, section 11. Leading zeros, which only npm's
// loose mode reads, do not count.
func compareSemver(a, b semver) int {
	if c := compareNumbers(a.major, b.major); c != 0 {
		return c
	}
	if c := compareNumbers(a.minor, b.minor); c != 0 {
		return c
	}
	if c := compareNumbers(a.patch, b.patch); c != 0 {
		return c
	}
	switch {
	case a.pre == b.pre:
		return 0
	case a.pre == "":
		return 1
	case b.pre == "":
		return -1
	}
	return comparePre(a.pre, b.pre)
}

// comparePre orders pre-releases identifier by identifier: numbers by value, other
// identifiers as ASCII and after numbers; what ends first comes first.
func comparePre(a, b string) int {
	for a != "" && b != "" {
		var x, y string
		x, a, _ = strings.Cut(a, ".")
		y, b, _ = strings.Cut(b, ".")
		xNumber, yNumber := digits(x, 0) == len(x), digits(y, 0) == len(y)
		c := 0
		switch {
		case xNumber && yNumber:
			c = compareNumbers(x, y)
		case xNumber:
			return -1
		case yNumber:
			return 1
		default:
			c = strings.Compare(x, y)
		}
		if c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b)) // both are "" where neither goes on
}

// text is the version without build metadata and leading zeros.
func (v semver) text() string {
	var b strings.Builder
	b.WriteString(number(v.major) + "." + number(v.minor) + "." + number(v.patch))
	before := byte('-')
	for rest := v.pre; rest != ""; before = '.' {
		var id string
		id, rest, _ = strings.Cut(rest, ".")
		if digits(id, 0) == len(id) {
			id = number(id)
		}
		b.WriteByte(before)
		b.WriteString(id)
	}
	return b.String()
}
