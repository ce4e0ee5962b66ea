package version

import "strings"

// Limits of node-semver (internal/constants.js).
const (
	maxNPMLength = 256
	maxNPMNumber = "9007199254740991" // Number.MAX_SAFE_INTEGER, 2^53-1
)

func validNPM(s string) bool {
	v, ok := scanSemver(s)
	return ok && len(s) <= maxNPMLength && v.safe()
}

// safe reports whether npm takes the three numbers.
func (v semver) safe() bool { return safe(v.major) && safe(v.minor) && safe(v.patch) }

func safe(digits string) bool {
	if len(digits) < len(maxNPMNumber) {
		return true
	}
	digits = trimZeros(digits)
	return len(digits) < len(maxNPMNumber) || len(digits) == len(maxNPMNumber) && digits <= maxNPMNumber
}

// looseSemver splits s by node-semver's loose mode, in which npm itself reads ranges and
// versions: spaces, "v" and "=" before the version, leading zeros, and a pre-release
// without its hyphen.
func looseSemver(s string) (v semver, ok bool) {
	s = strings.TrimLeft(strings.TrimSpace(s), "v= \t")
	if len(s) > maxNPMLength {
		return v, false
	}
	if v, ok := scanSemver(s); ok {
		return v, v.safe()
	}
	var end [3]int
	i := 0
	for n := range end {
		start := i
		if i = digits(s, i); i == start {
			return v, false
		}
		end[n] = i
		if n < 2 {
			if i == len(s) || s[i] != '.' {
				return v, false
			}
			i++
		}
	}
	v.major, v.minor, v.patch = s[:end[0]], s[end[0]+1:end[1]], s[end[1]+1:end[2]]
	if v.pre, v.build, ok = looseTail(s[i:]); !ok {
		return v, false
	}
	return v, v.safe()
}

// looseTail splits what follows the numbers of a version in loose mode.
func looseTail(s string) (pre, build string, ok bool) {
	i := 0
	if s != "" && s[0] != '+' {
		start := 0
		if s[0] == '-' {
			start = 1
		}
		// The hyphen may also be the first character of the pre-release itself.
		if i = identifiers(s, start, false); i < 0 {
			start, i = 0, identifiers(s, 0, false)
		}
		if i < 0 {
			return "", "", false
		}
		pre = s[start:i]
	}
	if i < len(s) && s[i] == '+' {
		start := i + 1
		if i = identifiers(s, start, false); i < 0 {
			return "", "", false
		}
		build = s[start:i]
	}
	return pre, build, i == len(s)
}
