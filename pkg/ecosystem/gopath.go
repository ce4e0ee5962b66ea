package ecosystem

import "strings"

// plainGoPath reports whether module.CheckPath takes the path, for the paths that nearly
// all modules have. It is several times as fast, and says no wherever it is not sure.
func plainGoPath(path string) bool {
	start, dots := 0, 0 // of the element, and in it
	stem := -1          // length of the element up to its first dot, -1 where it has none
	host := true
	for i := 0; i <= len(path); i++ {
		if i < len(path) && path[i] != '/' {
			c := path[i]
			if nameBytes[c]&inGo == 0 || host && (c == '_' || 'A' <= c && c <= 'Z') {
				return false
			}
			if c == '.' {
				if dots == 0 {
					stem = i - start
				}
				dots++
			}
			continue
		}
		element := path[start:i]
		if element == "" || element[0] == '.' || element[len(element)-1] == '.' {
			return false
		}
		if stem < 0 {
			stem = len(element)
		}
		if windowsName(element[:stem]) || host && (dots == 0 || element[0] == '-') {
			return false
		}
		if i == len(path) && !plainMajor(path, element, dots) {
			return false
		}
		start, dots, stem, host = i+1, 0, -1, false
	}
	return true
}

// windowsName reports whether s is, in any letter case, a name that Windows keeps for
// itself: CON, PRN, AUX, NUL, COM1 to COM9, LPT1 to LPT9.
func windowsName(s string) bool {
	if len(s) != 3 && (len(s) != 4 || s[3] < '1' || s[3] > '9') {
		return false
	}
	var lower [3]byte
	for i := range lower {
		lower[i] = s[i] | 0x20
	}
	switch string(lower[:]) {
	case "con", "prn", "aux", "nul":
		return len(s) == 3
	case "com", "lpt":
		return len(s) == 4
	}
	return false
}

// plainMajor reports whether the last element of a path surely ends as major versions do:
// not in "/v1", "/v02", "/v2.0" or "/v.2", and on gopkg.in in ".v1" to ".v9".
func plainMajor(path, s string, dots int) bool {
	if strings.HasPrefix(path, "gopkg.in/") {
		n := len(s)
		return n > 3 && s[n-3:n-1] == ".v" && '1' <= s[n-1] && s[n-1] <= '9'
	}
	if s[0] != 'v' || len(s) == 1 || s[1] != '.' && (s[1] < '0' || s[1] > '9') {
		return true
	}
	return '2' <= s[1] && dots == 0
}
