package version

import "strings"

// canonical is the normal form of PEP 440 without the zeros that end the release. It
// does not allocate for a release that has no more than its numbers.
func (v pep440) canonical() string {
	release := trimRelease(v.release)
	if v == (pep440{release: v.release}) && !hasLeadingZero(release) {
		return release
	}
	var b strings.Builder
	if epoch := number(v.epoch); epoch != "0" {
		b.WriteString(epoch + "!")
	}
	for before, rest := "", release; rest != ""; before = "." {
		var n string
		n, rest, _ = strings.Cut(rest, ".")
		b.WriteString(before + number(n))
	}
	switch v.pre {
	case 'a', 'b':
		b.WriteByte(v.pre)
		b.WriteString(number(v.preN))
	case 'c':
		b.WriteString("rc" + number(v.preN))
	}
	if v.post {
		b.WriteString(".post" + number(v.postN))
	}
	if v.dev {
		b.WriteString(".dev" + number(v.devN))
	}
	for before, rest := "+", v.local; rest != ""; before = "." {
		var segment string
		segment, rest = cutLocal(rest)
		if digits(segment, 0) == len(segment) {
			segment = number(segment)
		}
		b.WriteString(before + strings.ToLower(segment))
	}
	return b.String()
}

// trimRelease takes the zeros off the end of dotted numbers; the first number stays.
func trimRelease(s string) string {
	for {
		i := strings.LastIndexByte(s, '.')
		if i < 0 || trimZeros(s[i+1:]) != "" {
			return s
		}
		s = s[:i]
	}
}

// hasLeadingZero reports whether one of dotted numbers is written with a zero before it.
func hasLeadingZero(s string) bool {
	for i := 0; i+1 < len(s); i++ {
		if s[i] == '0' && isDigit(s[i+1]) && (i == 0 || s[i-1] == '.') {
			return true
		}
	}
	return false
}
