package version

import "strings"

// validRef reports whether s can be what an action is pinned to: a tag, a branch or a
// commit id, by the rules of git-check-ref-format(1) for a name without "refs/".
func validRef(s string) bool {
	if s == "" || s == "@" || s[len(s)-1] == '.' {
		return false
	}
	start := 0 // of the component
	for i := 0; i <= len(s); i++ {
		if i == len(s) || s[i] == '/' {
			if i == start || s[start] == '.' || strings.HasSuffix(s[start:i], ".lock") {
				return false
			}
			start = i + 1
			continue
		}
		switch c := s[i]; c {
		case ' ', '~', '^', ':', '?', '*', '[', '\\':
			return false
		case '.':
			if i > 0 && s[i-1] == '.' {
				return false
			}
		case '{':
			if i > 0 && s[i-1] == '@' {
				return false
			}
		default:
			if c < ' ' || c == 0x7f {
				return false
			}
		}
	}
	return true
}
