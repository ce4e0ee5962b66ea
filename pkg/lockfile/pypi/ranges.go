package pypi

import (
	"iter"
	"strconv"
	"strings"
)

// poetryRanges yields a constraint of poetry as sets of PEP 440 specifiers, one for each of
// its alternatives. Constraints of pip are sets already and are given as they are, with "*"
// as the empty set. See https://python-poetry.org/docs/dependency-specification/.
func poetryRanges(constraint string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for rest, more := constraint, true; more; {
			var alternative string
			alternative, rest, more = strings.Cut(rest, "|")
			if alternative = trimSpace(alternative); alternative == "" && len(constraint) > 0 {
				continue // between the two of "||"
			}
			if !yield(poetryRange(alternative)) {
				return
			}
		}
	}
}

func poetryRange(s string) string {
	if s == "" || s == "*" {
		return ""
	}
	if !strings.ContainsAny(s, "^~ ") && strings.ContainsAny(s[:1], "<>!") || strings.HasPrefix(s, "==") && !strings.ContainsAny(s, "^~, ") {
		return s
	}
	var parts []string
	for s != "" {
		op, v, rest := cutConstraint(s)
		s = rest
		switch {
		case v == "*" || v == "":
		case op == "^":
			parts = append(parts, ">="+v, "<"+nextRelease(v, firstNotZero))
		case op == "~":
			parts = append(parts, ">="+v, "<"+nextRelease(v, second))
		case op == "" || op == "=":
			parts = append(parts, "=="+v)
		default:
			parts = append(parts, op+v)
		}
	}
	return strings.Join(parts, ",")
}

// cutConstraint cuts the first constraint off a text: an operator, poetry's own among them,
// and a version, up to a comma or a space.
func cutConstraint(s string) (op, v, rest string) {
	begin := 0
	for begin < len(s) && strings.IndexByte("^~=!<>", s[begin]) >= 0 {
		begin++
	}
	op, s = s[:begin], trimSpace(s[begin:])
	end := strings.IndexAny(s, ", ")
	if end < 0 {
		end = len(s)
	}
	return op, s[:end], strings.TrimLeft(s[end:], ", ")
}

// nextRelease is the first release beyond the series that a version opens: the number at
// the index that pick gives is one more, and those after it are left out.
func nextRelease(v string, pick func([]string) int) string {
	end := 0
	for end < len(v) && (v[end] >= '0' && v[end] <= '9' || v[end] == '.') {
		end++
	}
	numbers := strings.Split(strings.Trim(v[:end], "."), ".")
	i := pick(numbers)
	n, err := strconv.Atoi(numbers[i])
	if err != nil {
		return v
	}
	return strings.Join(append(numbers[:i:i], strconv.Itoa(n+1)), ".")
}

// firstNotZero picks the number that "^" keeps: the first that is not zero, or the last.
func firstNotZero(numbers []string) int {
	for i, n := range numbers {
		if strings.Trim(n, "0") != "" {
			return i
		}
	}
	return len(numbers) - 1
}

// second picks the number that "~" keeps: the second, or the only one.
func second(numbers []string) int {
	return min(1, len(numbers)-1)
}
