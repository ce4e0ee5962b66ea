package version

import (
	"slices"
	"strings"
)

// compareLegacy orders two PyPI versions that are older than PEP 440, "2004d" or
// "0.9-final", as setuptools did before and packaging until its release 22
// (LegacyVersion): by words and numbers, with known words in the order of their phases.
func compareLegacy(a, b string) int {
	return slices.Compare(legacyKey(a), legacyKey(b))
}

// legacyWords are the words that stand for a phase; "final-" sorts after "final".
var legacyWords = map[string]string{
	"pre": "c", "preview": "c", "rc": "c", "dev": "@", "-": "final-",
}

const (
	legacyFinal     = "*final"
	legacyPostFinal = "*final-"
	legacyZero      = "00000000"
)

// legacyKey splits a version into words, with "*" before them, and numbers, filled up with
// zeros. The text between, which neither is, counts as a word.
func legacyKey(s string) []string {
	var key []string
	add := func(part string) {
		if part < legacyFinal && part[0] == '*' {
			key = trimEnd(key, legacyPostFinal)
		}
		if part[0] == '*' {
			key = trimEnd(key, legacyZero)
		}
		key = append(key, part)
	}
	for s = strings.ToLower(s); s != ""; {
		var part string
		part, s = cutLegacy(s)
		if word, ok := legacyWords[part]; ok {
			part = word
		}
		switch {
		case part == ".":
		case isDigit(part[0]):
			add(legacyZero[min(len(part), len(legacyZero)):] + part)
		default:
			add("*" + part)
		}
	}
	add(legacyFinal)
	return key
}

func trimEnd(key []string, part string) []string {
	for len(key) > 0 && key[len(key)-1] == part {
		key = key[:len(key)-1]
	}
	return key
}

// cutLegacy splits the first part off s: digits, letters, a dot, a hyphen, or what is none
// of these.
func cutLegacy(s string) (part, rest string) {
	class := legacyClass(s[0])
	i := 1
	for i < len(s) && class != '.' && class != '-' && legacyClass(s[i]) == class {
		i++
	}
	return s[:i], s[i:]
}

func legacyClass(c byte) byte {
	switch {
	case isDigit(c):
		return '0'
	case 'a' <= c && c <= 'z':
		return 'a'
	case c == '.' || c == '-':
		return c
	}
	return 0
}
