package ecosystem

import "strings"

// plainGoPath reports whether module.CheckPath takes the path, for the paths that nearly
// all modules have. It is several times as fast, and says no wherever it is not sure.
func plainGoPath(path string) bool {
	host, rest, more := strings.Cut(path, "/")
	if host == "gopkg.in" || !plainHost(host) {
		return false
	}
	for more {
		var element string
		element, rest, more = strings.Cut(rest, "/")
		if !plainElement(element) || !more && !plainMajor(element) {
			return false
		}
	}
	return true
}

// plainHost reports whether s is lower-case letters, digits, "-" and dots, one at least.
func plainHost(s string) bool {
	dot := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '.':
			dot = true
		case c == '_' || 'A' <= c && c <= 'Z':
			return false
		}
	}
	return dot && s[0] != '-' && plainElement(s)
}

func plainElement(s string) bool {
	if !holdsOnly(s, inGo) || s[0] == '.' || s[len(s)-1] == '.' {
		return false
	}
	stem, _, _ := strings.Cut(s, ".")
	switch len(stem) { // perhaps a name that Windows keeps for itself: CON, COM1
	case 3:
		return strings.IndexByte("cpanCPAN", stem[0]) < 0
	case 4:
		return stem[3] < '0' || stem[3] > '9'
	}
	return true
}

// plainMajor reports whether the last element of a path is surely no wrong major version,
// as "v1", "v02" and "v2.0" are.
func plainMajor(s string) bool {
	if s[0] != 'v' || len(s) == 1 || s[1] < '0' || s[1] > '9' {
		return true
	}
	return '2' <= s[1] && !strings.Contains(s, ".")
}
