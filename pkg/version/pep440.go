package version

// pep440 is a version by the grammar of PEP 440, in parts of its text. Digits may have
// leading zeros; a number that is left out is "".
type pep440 struct {
	epoch   string // digits before "!"
	release string // digits and dots
	pre     byte   // 'a', 'b' or 'c' (a release candidate), 0 for none
	preN    string
	post    bool
	postN   string
	dev     bool
	devN    string
	local   string // after "+", as written
}

// scanPEP440 splits s. ok is false for anything outside the expression of PEP 440,
// Appendix B, which is case-insensitive and takes a leading "v".
//
// Each step takes the longest part that fits and is never taken back: a separator that a
// step takes is one that the next step could have done without.
func scanPEP440(s string) (v pep440, ok bool) {
	i := 0
	if i < len(s) && s[i]|0x20 == 'v' {
		i++
	}
	start := i
	if i = digits(s, i); i == start {
		return v, false
	}
	if i < len(s) && s[i] == '!' {
		v.epoch = s[start:i]
		start = i + 1
		if i = digits(s, start); i == start {
			return v, false
		}
	}
	for i+1 < len(s) && s[i] == '.' && isDigit(s[i+1]) {
		i = digits(s, i+1)
	}
	v.release = s[start:i]
	if i == len(s) {
		return v, true
	}

	if w := separator(s, i); w < len(s) {
		if letter, end := preTag(s, w); end > 0 {
			v.pre = letter
			v.preN, i = tagNumber(s, end)
		}
	}
	if i+1 < len(s) && s[i] == '-' && isDigit(s[i+1]) { // an implicit post release, "1.0-1"
		end := digits(s, i+1)
		v.post, v.postN = true, s[i+1:end]
		i = end
	} else if end := postTag(s, separator(s, i)); end > 0 {
		v.post = true
		v.postN, i = tagNumber(s, end)
	}
	if w := separator(s, i); hasFold(s, w, "dev") {
		v.dev = true
		v.devN, i = tagNumber(s, w+len("dev"))
	}
	if i < len(s) && s[i] == '+' {
		v.local = s[i+1:]
		return v, validLocal(v.local)
	}
	return v, i == len(s)
}

// preTag gives the kind of the pre-release tag at s[i:] and the index after it, 0 when
// there is none.
func preTag(s string, i int) (letter byte, end int) {
	switch s[i] | 0x20 {
	case 'a':
		if hasFold(s, i, "alpha") {
			return 'a', i + len("alpha")
		}
		return 'a', i + 1
	case 'b':
		if hasFold(s, i, "beta") {
			return 'b', i + len("beta")
		}
		return 'b', i + 1
	case 'c':
		return 'c', i + 1
	case 'r':
		if hasFold(s, i, "rc") {
			return 'c', i + len("rc")
		}
	case 'p':
		if hasFold(s, i, "preview") {
			return 'c', i + len("preview")
		}
		if hasFold(s, i, "pre") {
			return 'c', i + len("pre")
		}
	}
	return 0, 0
}

// postTag gives the index after the post-release tag at s[i:], 0 when there is none.
func postTag(s string, i int) (end int) {
	for _, tag := range [...]string{"post", "rev", "r"} {
		if hasFold(s, i, tag) {
			return i + len(tag)
		}
	}
	return 0
}

// tagNumber takes the optional separator and number that follow a tag.
func tagNumber(s string, i int) (n string, end int) {
	i = separator(s, i)
	end = digits(s, i)
	return s[i:end], end
}

// digits gives the index after the digits of s from i on.
func digits(s string, i int) int {
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	return i
}

// separator gives i, or i+1 when s[i] separates the parts of a version.
func separator(s string, i int) int {
	if i < len(s) && isSeparator(s[i]) {
		return i + 1
	}
	return i
}

func isSeparator(c byte) bool { return c == '.' || c == '-' || c == '_' }

// hasFold reports whether s[i:] begins with prefix, which is of lower-case letters, in
// any letter case.
func hasFold(s string, i int, prefix string) bool {
	if len(s)-i < len(prefix) {
		return false
	}
	for j := 0; j < len(prefix); j++ {
		if s[i+j]|0x20 != prefix[j] {
			return false
		}
	}
	return true
}

// validLocal reports whether s is a local part: letters and digits in segments with one
// separator between them.
func validLocal(s string) bool {
	between := true // at the start of a segment
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case isIdentifier[c] && c != '-':
			between = false
		case isSeparator(c) && !between:
			between = true
		default:
			return false
		}
	}
	return !between
}

func validPyPI(s string) bool {
	_, ok := scanPEP440(s)
	return ok
}
