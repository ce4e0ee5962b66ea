package ioc

import "strings"

// matchGlob reports whether the whole path matches the glob: "*" stands for any run of
// characters within a folder, "?" for one of them, a segment "**" for any number of
// folders, none included. There are no other special characters.
func matchGlob(glob, path string) bool {
	for {
		g, restGlob, moreGlob := strings.Cut(glob, "/")
		if g == "**" {
			if !moreGlob {
				return true
			}
			for {
				if matchGlob(restGlob, path) {
					return true
				}
				var ok bool
				if _, path, ok = strings.Cut(path, "/"); !ok {
					return false
				}
			}
		}
		p, restPath, morePath := strings.Cut(path, "/")
		if !matchSegment(g, p) || moreGlob != morePath {
			return false
		}
		if !moreGlob {
			return true
		}
		glob, path = restGlob, restPath
	}
}

// matchSegment matches "*" and "?" in linear time but for the length of the glob.
func matchSegment(glob, s string) bool {
	star, mark := -1, 0
	g, i := 0, 0
	for i < len(s) {
		switch {
		case g < len(glob) && glob[g] == '*':
			star, mark = g, i
			g++
		case g < len(glob) && (glob[g] == '?' || glob[g] == s[i]):
			g++
			i++
		case star >= 0:
			g = star + 1
			mark++
			i = mark
		default:
			return false
		}
	}
	for g < len(glob) && glob[g] == '*' {
		g++
	}
	return g == len(glob)
}

// literalBase is the last segment of a glob when it has no special character.
func literalBase(glob string) (base string, ok bool) {
	base = glob[strings.LastIndexByte(glob, '/')+1:]
	return base, base != "" && !strings.ContainsAny(base, "*?")
}
