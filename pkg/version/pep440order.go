package version

import (
	"cmp"
	"strings"
)

// comparePEP440 orders by PEP 440, "Summary of permitted suffixes and relative ordering".
func comparePEP440(a, b pep440) int {
	if c := compareNumbers(a.epoch, b.epoch); c != 0 {
		return c
	}
	if c := compareRelease(a.release, b.release); c != 0 {
		return c
	}
	if c := cmp.Compare(a.preRank(), b.preRank()); c != 0 {
		return c
	}
	if c := compareNumbers(a.preN, b.preN); c != 0 {
		return c
	}
	if c := compareTag(a.post, a.postN, b.post, b.postN); c != 0 {
		return c
	}
	if c := compareTag(!a.dev, a.devN, !b.dev, b.devN); c != 0 { // without dev comes after
		return c
	}
	return compareLocal(a.local, b.local)
}

// preRank places the phases of one release: dev alone, a, b, rc, and the release itself
// with its post-releases.
func (v pep440) preRank() int {
	switch {
	case v.pre != 0:
		return int(v.pre - 'a')
	case v.dev && !v.post:
		return -1
	}
	return 3
}

// compareTag orders a part that is there after one that is not, and two by their numbers.
func compareTag(a bool, aN string, b bool, bN string) int {
	switch {
	case a == b:
		return compareNumbers(aN, bN)
	case a:
		return 1
	}
	return -1
}

// compareRelease orders dotted numbers; the shorter one counts as filled up with zeros.
func compareRelease(a, b string) int {
	for a != "" || b != "" {
		var x, y string
		x, a, _ = strings.Cut(a, ".")
		y, b, _ = strings.Cut(b, ".")
		if c := compareNumbers(x, y); c != 0 {
			return c
		}
	}
	return 0
}

// compareLocal orders local parts segment by segment: numbers by value and after words,
// words without regard to letter case; what ends first comes first.
func compareLocal(a, b string) int {
	for a != "" && b != "" {
		var x, y string
		x, a = cutLocal(a)
		y, b = cutLocal(b)
		xNumber, yNumber := digits(x, 0) == len(x), digits(y, 0) == len(y)
		c := 0
		switch {
		case xNumber && yNumber:
			c = compareNumbers(x, y)
		case xNumber:
			return 1
		case yNumber:
			return -1
		default:
			c = compareFold(x, y)
		}
		if c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b)) // both are "" where neither goes on
}

// cutLocal splits the first segment off a local part.
func cutLocal(s string) (segment, rest string) {
	for i := 0; i < len(s); i++ {
		if isSeparator(s[i]) {
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

func compareFold(a, b string) int {
	for i := 0; i < len(a) && i < len(b); i++ {
		if c := cmp.Compare(lower(a[i]), lower(b[i])); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b))
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
