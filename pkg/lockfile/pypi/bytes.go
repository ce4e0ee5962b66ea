package pypi

import "unicode/utf8"

// What a byte means in a requirement.
const (
	inName     byte = 1 << iota // a letter or digit
	punctuates                  // "-", "_" and ".", which join the parts of a name
	endsName
	endsVersion
	endsWord // a blank, a quote or a backslash, to a shell
	endsLine // or begins a character that ends one, to Python
	inPath   // a slash or backslash, which no name has
)

var bytesAre = func() (t [256]byte) {
	for c := range t {
		switch {
		case c >= '0' && c <= '9', c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z':
			t[c] = inName
		case c < utf8.RuneSelf && isSpace(rune(c)):
			t[c] |= endsName | endsVersion
		}
	}
	for _, c := range " \t\r\n\"'\\" {
		t[c] |= endsWord
	}
	for _, c := range []byte("\n\r\v\f\x1c\x1d\x1e\xc2\xe2") {
		t[c] |= endsLine
	}
	t['/'], t['\\'] = t['/']|inPath, t['\\']|inPath
	for _, c := range "-_." {
		t[c] = punctuates
	}
	for _, c := range "[](){}<>=~!,;@#\"'" {
		t[c] |= endsName
	}
	for _, c := range "(),;#<>=~" {
		t[c] |= endsVersion
	}
	return t
}()

// until is the offset of the first byte of s that is of a kind, or of the first space
// beyond ASCII; the length of s where there is none.
func until(s string, kind byte) int {
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c < utf8.RuneSelf:
			if bytesAre[c]&kind != 0 {
				return i
			}
			i++
		default:
			r, size := utf8.DecodeRuneInString(s[i:])
			if isSpace(r) {
				return i
			}
			i += size
		}
	}
	return len(s)
}

// classes is everything that the bytes of s are.
func classes(s string) (all byte) {
	for i := 0; i < len(s); i++ {
		all |= bytesAre[s[i]]
	}
	return all
}
