package version

import (
	"strings"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
)

// specifiers are version specifiers (PEP 440, "Version specifiers") that must all be met.
type specifiers []specifier

// specifier is an operator and a version.
type specifier struct {
	op     string
	v      pep440
	prefix bool   // "==1.2.*": any version that begins so
	text   string // the version as written
}

// specifierOperators are the operators, the longer of two before the shorter.
var specifierOperators = [...]string{"===", "~=", "==", "!=", "<=", ">=", "<", ">"}

func parseSpecifiers(expr string) (specifiers, error) {
	s := specifiers{}
	if strings.TrimSpace(expr) == "" {
		return s, nil
	}
	for part := range strings.SplitSeq(expr, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue // as packaging: a comma may stand at the end
		}
		one, ok := parseSpecifier(part)
		if !ok {
			return nil, badRange(ecosystem.PyPI, expr)
		}
		s = append(s, one)
	}
	return s, nil
}

func parseSpecifier(s string) (spec specifier, ok bool) {
	for _, op := range specifierOperators {
		if after, ok := strings.CutPrefix(s, op); ok {
			spec.op, spec.text = op, strings.TrimSpace(after)
			break
		}
	}
	text := spec.text
	switch spec.op {
	case "":
		return spec, false
	case "===":
		return spec, text != "" && !strings.ContainsAny(text, spaces+";)")
	case "==", "!=":
		text, spec.prefix = strings.CutSuffix(text, ".*")
	}
	if spec.v, ok = scanPEP440(text); !ok {
		return spec, false
	}
	v := spec.v
	switch {
	case spec.prefix:
		ok = v == pep440{epoch: v.epoch, release: v.release}
	case spec.op == "~=":
		ok = v.local == "" && strings.Contains(v.release, ".")
	case spec.op != "==" && spec.op != "!=":
		ok = v.local == ""
	}
	return spec, ok
}

func (s specifiers) contains(text string) bool {
	text = strings.TrimSpace(text)
	v, ok := scanPEP440(text)
	for _, spec := range s {
		switch {
		case spec.op == "===" && strings.EqualFold(text, spec.text):
			ok = true // one text with another, whatever they mean
		case spec.op == "===" || !ok || !spec.meets(v):
			return false
		}
	}
	return ok
}

func (s specifiers) String() string {
	var parts []string
	for _, spec := range s {
		parts = append(parts, spec.op+spec.text)
	}
	return strings.Join(parts, ",")
}

// meets applies the specifier to v. Except where the specifier names a local part, v's
// does not count.
func (s specifier) meets(v pep440) bool {
	public := v
	public.local = ""
	order := comparePEP440(public, s.v)
	switch s.op {
	case "==":
		return s.equal(v)
	case "!=":
		return !s.equal(v)
	case "~=":
		end := strings.LastIndexByte(s.v.release, '.')
		return order >= 0 && beginsLike(v, pep440{epoch: s.v.epoch, release: s.v.release[:end]})
	case "<=":
		return order <= 0
	case ">=":
		return order >= 0
	case "<":
		// "<1.0" does not take in 1.0rc1, "<1.0rc2" does.
		if preRelease(v) && !preRelease(s.v) && sameRelease(v, s.v) {
			return false
		}
		return order < 0
	default: // ">"
		// ">1.0" does not take in 1.0.post1, ">1.0.post1" takes in 1.0.post2.
		if v.post && !s.v.post && sameRelease(v, s.v) {
			return false
		}
		return order > 0
	}
}

func (s specifier) equal(v pep440) bool {
	if s.prefix {
		return beginsLike(v, s.v)
	}
	if s.v.local == "" {
		v.local = ""
	}
	return comparePEP440(v, s.v) == 0
}

// beginsLike reports whether the release of v begins with all numbers of prefix; v counts
// as filled up with zeros.
func beginsLike(v, prefix pep440) bool {
	if compareNumbers(v.epoch, prefix.epoch) != 0 {
		return false
	}
	for want, have := prefix.release, v.release; want != ""; {
		var x, y string
		x, want, _ = strings.Cut(want, ".")
		y, have, _ = strings.Cut(have, ".")
		if compareNumbers(x, y) != 0 {
			return false
		}
	}
	return true
}

func preRelease(v pep440) bool { return v.pre != 0 || v.dev }

func sameRelease(a, b pep440) bool {
	return compareNumbers(a.epoch, b.epoch) == 0 && compareRelease(a.release, b.release) == 0
}
