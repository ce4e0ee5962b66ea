package codeowners

import (
	"slices"
	"strings"
)

// any stands for any number of segments, none included.
const anySegments = "**"

// splitPattern makes segments of a pattern. One that is anchored nowhere begins with
// anySegments, one for a folder ends with it.
func splitPattern(pattern string) (segments []string, ok bool) {
	if strings.HasPrefix(pattern, "!") || strings.ContainsAny(pattern, "[]\\") {
		return nil, false
	}
	anchored := strings.Contains(strings.TrimSuffix(pattern, "/"), "/") // also by the slash that it begins with
	folder := strings.HasSuffix(pattern, "/")
	pattern = strings.Trim(pattern, "/")
	if pattern == "" {
		return nil, false // the root itself, which is no file
	}
	if pattern == "*" && !anchored && !folder {
		return []string{anySegments}, true
	}
	if !anchored {
		segments = append(segments, anySegments)
	}
	segments = append(segments, strings.Split(pattern, "/")...)
	last := segments[len(segments)-1]
	switch {
	case folder:
		segments = append(segments, "*", anySegments) // what lies in it, not a file of its name
	case last == anySegments && len(segments) > 1:
		segments = append(segments[:len(segments)-1], "*", anySegments)
	case last != "*" && last != anySegments:
		segments = append(segments, anySegments) // the file of that name, and all that lies in a folder of it
	}
	return slices.CompactFunc(segments, func(a, b string) bool { return a == anySegments && b == anySegments }), true
}

// match reports whether segments match the parts of a path. It goes back to the last
// anySegments alone, so that its steps are at most the product of both lengths.
func match(segments, parts []string) bool {
	i, j := 0, 0
	star, from := -1, 0
	for j < len(parts) {
		switch {
		case i < len(segments) && segments[i] == anySegments:
			star, from = i, j
			i++
		case i < len(segments) && matchSegment(segments[i], parts[j]):
			i++
			j++
		case star >= 0:
			from++
			i, j = star+1, from
		default:
			return false
		}
	}
	for i < len(segments) && segments[i] == anySegments {
		i++
	}
	return i == len(segments)
}

// matchSegment matches one segment, in which "*" is any number of characters and "?" one, in
// the same way.
func matchSegment(pattern, s string) bool {
	if pattern == "*" {
		return s != ""
	}
	i, j := 0, 0
	star, from := -1, 0
	for j < len(s) {
		switch {
		case i < len(pattern) && pattern[i] == '*':
			star, from = i, j
			i++
		case i < len(pattern) && (pattern[i] == '?' || pattern[i] == s[j]):
			i++
			j++
		case star >= 0:
			from++
			i, j = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[i:], "*") == ""
}
