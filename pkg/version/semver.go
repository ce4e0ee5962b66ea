package version

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
func numeric(s string, i int) (digits string, end int) {
	start := i
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	if i == start || i > start+1 && s[start] == '0' {
		return "", -1
	}
	return s[start:i], i
}

// identifiers gives the index after the dot-separated identifiers of s from i on, -1 when
// one is empty or, in a pre-release, a number with a leading zero.
func identifiers(s string, i int, pre bool) (end int) {
	for {
		start, digits := i, true
		for i < len(s) && isIdentifier[s[i]] {
			digits = digits && isDigit(s[i])
			i++
		}
		if i == start || pre && digits && i > start+1 && s[start] == '0' {
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

// Limits of node-semver (internal/constants.js).
const (
	maxNPMLength = 256
	maxNPMNumber = "9007199254740991" // Number.MAX_SAFE_INTEGER, 2^53-1
)

func validNPM(s string) bool {
	v, ok := scanSemver(s)
	return ok && len(s) <= maxNPMLength && safe(v.major) && safe(v.minor) && safe(v.patch)
}

// safe reports whether digits, which have no leading zero, are a number that npm takes.
func safe(digits string) bool {
	return len(digits) < len(maxNPMNumber) || len(digits) == len(maxNPMNumber) && digits <= maxNPMNumber
}

func validGo(s string) bool {
	if s == "" || s[0] != 'v' {
		return false
	}
	v, ok := scanSemver(s[1:])
	return ok && (v.build == "" || v.build == "incompatible")
}
