package version

import (
	"slices"
	"strings"
)

// partial is a version of a range: a number that is "x", "*" or left out is "", and so are
// those after it.
type partial struct {
	major, minor, patch string
	pre                 string
}

// parseAlternative reads what stands between two "||". The set is nil where the loose mode
// left out all of it; ok is false for what is no range.
func parseAlternative(s string, opt NPMOptions) (set []comparator, ok bool) {
	if set, ok := parseHyphen(s, opt); ok {
		return simplifySet(set, opt), true
	}
	s = strings.TrimSpace(s)
	if s == "" {
		return []comparator{{any: true}}, true
	}
	for s != "" {
		var op, text string
		op, text, s = cutComparator(s)
		p, ok := parsePartial(text, opt.Loose)
		if !ok {
			if opt.Loose {
				continue
			}
			return nil, false
		}
		some, ok := expand(op, p, opt)
		if !ok {
			return nil, false
		}
		set = append(set, some...)
	}
	return simplifySet(set, opt), true
}

// rangeOperators are the operators of a comparator, the longer of two before the shorter.
var rangeOperators = [...]string{"~>", "~", "^", ">=", "<=", ">", "<", "="}

// cutComparator splits the first comparator off s, which is not empty and begins with no
// space. Spaces may stand after the operator.
func cutComparator(s string) (op, text, rest string) {
	for _, o := range rangeOperators {
		if after, ok := strings.CutPrefix(s, o); ok {
			op, s = o, strings.TrimSpace(after)
			break
		}
	}
	if op == "~" || op == "~>" {
		op = "~"
		s = strings.TrimSpace(strings.TrimPrefix(s, ">"))
	}
	s = strings.TrimLeft(s, versionPrefix)
	if i := strings.IndexAny(s, spaces); i >= 0 {
		return op, s[:i], strings.TrimSpace(s[i:])
	}
	return op, s, ""
}

const (
	spaces        = " \t\n\v\f\r"
	versionPrefix = "v=" + spaces // what may stand before the numbers of a version in a range
)

// parsePartial reads a version of a range. Build metadata does not count.
func parsePartial(s string, loose bool) (p partial, ok bool) {
	s = strings.TrimLeft(s, versionPrefix)
	if i := strings.IndexByte(s, '+'); i >= 0 {
		if identifiers(s, i+1, false) != len(s) {
			return p, false
		}
		s = s[:i]
	}
	if len(s) > maxNPMLength {
		return p, false
	}
	numbers := [3]*string{&p.major, &p.minor, &p.patch}
	for i, anything := 0, false; ; i++ {
		var n string
		if n, s, ok = cutNumber(s, loose); !ok || anything && n != "" {
			return p, false // "1.x.5"
		}
		*numbers[i], anything = n, n == ""
		if i == 2 {
			p.pre, ok = rangePre(s, loose)
			return p, ok
		}
		if s == "" {
			return p, true
		}
		if s[0] != '.' {
			return p, false
		}
		s = s[1:]
	}
}

// cutNumber splits a number, "" for any, off the beginning of s.
func cutNumber(s string, loose bool) (n, rest string, ok bool) {
	if s != "" && strings.IndexByte("xX*", s[0]) >= 0 {
		return "", s[1:], true
	}
	i := digits(s, 0)
	if i == 0 || !loose && i > 1 && s[0] == '0' {
		return "", s, false
	}
	return number(s[:i]), s[i:], true
}

// rangePre reads what follows the third number.
func rangePre(s string, loose bool) (pre string, ok bool) {
	switch {
	case s == "":
		return "", true
	case loose:
		pre, _, ok = looseTail(s)
		return pre, ok
	case s[0] == '-' && identifiers(s, 1, true) == len(s):
		return s[1:], true
	}
	return "", false
}

// parseHyphen reads "1.0 - 2.0"; ok is false for another kind of range.
func parseHyphen(s string, opt NPMOptions) (set []comparator, ok bool) {
	fields := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(spaces, r) })
	i := slices.Index(fields, "-")
	if i <= 0 || i == len(fields)-1 {
		return nil, false
	}
	from, ok := parsePartial(strings.Join(fields[:i], " "), opt.Loose)
	if !ok {
		return nil, false
	}
	to, ok := parsePartial(strings.Join(fields[i+1:], " "), opt.Loose)
	if !ok {
		return nil, false
	}
	// "1.0 - 2.0" is ">=1.0 <=2.0" but for pre-releases of a whole upper end.
	lower, ok := expand(">=", from, opt)
	if !ok {
		return nil, false
	}
	upper, ok := expand("<=", to, opt)
	if !ok {
		return nil, false
	}
	if opt.IncludePrerelease {
		lower, upper, ok = widenHyphen(lower, upper, from, to)
	}
	return append(lower, upper...), ok
}

// widenHyphen lets a hyphen range between whole versions take in the pre-releases of both.
func widenHyphen(lower, upper []comparator, from, to partial) (_, _ []comparator, ok bool) {
	if from.patch != "" && from.pre == "" {
		lower[0].v.pre = "0"
	}
	if to.patch != "" && to.pre == "" {
		upper[0].op, upper[0].v.pre = "<", "0"
		if upper[0].v.patch, ok = next(to.patch); !ok {
			return nil, nil, false
		}
	}
	return lower, upper, true
}
