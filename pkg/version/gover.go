package version

import "strings"

func validGo(s string) bool {
	if s == "" || s[0] != 'v' {
		return false
	}
	v, ok := scanSemver(s[1:])
	return ok && (v.build == "" || v.build == "incompatible")
}

// goSemver splits s as golang.org/x/mod/semver reads it: "v1" and "v1.2" are short for
// "v1.0.0" and "v1.2.0". The "v" may be missing, as in OSV records.
func goSemver(s string) (v semver, ok bool) {
	s = strings.TrimPrefix(s, "v")
	if v, ok := scanSemver(s); ok {
		return v, true
	}
	v = semver{minor: "0", patch: "0"}
	i := 0
	if v.major, i = numeric(s, 0); i < 0 {
		return v, false
	}
	if i < len(s) && s[i] == '.' {
		if v.minor, i = numeric(s, i+1); i < 0 {
			return v, false
		}
	}
	return v, i == len(s)
}
