package exclusion

import (
	"strings"
	"unicode/utf8"
)

// MatchGlob reports whether the whole path matches the glob: "*" stands for any run of
// characters within a folder, "?" for one character of it, and a segment "**" for any
// number of folders, none included. No other character is special. A byte of the path
// that is no UTF-8 is met by a wildcard only. The time is at most the product of the two
// lengths.
func MatchGlob(glob, path string) bool {
	return wildcard(strings.Split(glob, "/"), strings.Split(path, "/"),
		func(g string) bool { return g == "**" },
		func(g, p string) bool {
			return wildcard([]rune(g), []rune(p),
				func(g rune) bool { return g == '*' },
				func(g, p rune) bool { return g == '?' || g == p && g != utf8.RuneError })
		})
}

// wildcard reports whether pattern matches all of s, where an element that is any stands
// for any run of elements, and one that is not is compared by same. Only the last run is
// ever made longer: what the earlier ones took, they can keep.
func wildcard[T any](pattern, s []T, anyRun func(T) bool, same func(pattern, s T) bool) bool {
	p, i := 0, 0
	run, mark := -1, 0 // the last run in pattern, and where in s the rest begins after it
	for i < len(s) {
		switch {
		case p < len(pattern) && anyRun(pattern[p]):
			run, mark = p, i
			p++
		case p < len(pattern) && same(pattern[p], s[i]):
			p++
			i++
		case run >= 0:
			p = run + 1
			mark++
			i = mark
		default:
			return false
		}
	}
	for p < len(pattern) && anyRun(pattern[p]) {
		p++
	}
	return p == len(pattern)
}
