package version

import (
	"slices"
	"strconv"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
)

// NPMOptions are the options of node-semver. The zero value is its strict mode; npm, yarn
// and pnpm read ranges with Loose.
type NPMOptions struct {
	// Loose takes leading zeros, "=1.2.3", "1.2.3beta", and leaves out what of a range it
	// cannot read, where something else is left.
	Loose bool
	// IncludePrerelease takes pre-releases for versions like any other.
	IncludePrerelease bool
}

// ParseNPMRange reads an npm range (github.com/npm/node-semver, "Ranges"): alternatives
// with "||" of comparators, "1.2.x", "~1.2", "^1.2.3" and "1.0 - 2.0".
func ParseNPMRange(expr string, opt NPMOptions) (Range, error) {
	r := npmRange{opt: opt}
	for alternative := range strings.SplitSeq(expr, "||") {
		set, ok := parseAlternative(alternative, opt)
		if !ok {
			return Range{}, badRange(ecosystem.NPM, expr)
		}
		if set != nil {
			r.sets = append(r.sets, set)
		}
	}
	if len(r.sets) == 0 {
		return Range{}, badRange(ecosystem.NPM, expr)
	}
	r.simplify()
	return Range{r}, nil
}

// npmRange is a version that meets all comparators of one of the sets.
type npmRange struct {
	sets [][]comparator
	opt  NPMOptions
}

// comparator is an operator and a version. The zero operator is "="; any takes in every
// version.
type comparator struct {
	op  string // "<", "<=", ">", ">=" or ""
	v   semver
	any bool
}

// nothing is what ">*" and "<*" stand for: no version comes before it.
var nothing = comparator{op: "<", v: semver{major: "0", minor: "0", patch: "0", pre: "0"}}

func (c comparator) meets(v semver) bool {
	if c.any {
		return true
	}
	order := compareSemver(v, c.v)
	switch c.op {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	case ">=":
		return order >= 0
	}
	return order == 0
}

func (c comparator) String() string {
	if c.any {
		return ""
	}
	return c.op + c.v.text()
}

func (r npmRange) contains(text string) bool {
	scan := scanSemver
	if r.opt.Loose {
		scan = looseSemver
	}
	v, ok := scan(strings.TrimPrefix(strings.TrimSpace(text), "v"))
	if !ok {
		return false
	}
	return slices.ContainsFunc(r.sets, func(set []comparator) bool { return r.meetsAll(set, v) })
}

// meetsAll applies one alternative. A pre-release counts only where a comparator names a
// pre-release of the same three numbers: who asks for 1.2.3-beta knows what 1.2.3 is worth
// before it is out, and nothing of 1.2.4.
func (r npmRange) meetsAll(set []comparator, v semver) bool {
	allowed := v.pre == "" || r.opt.IncludePrerelease
	for _, c := range set {
		if !c.meets(v) {
			return false
		}
		allowed = allowed || !c.any && c.v.pre != "" && compareSemver(core(c.v), core(v)) == 0
	}
	return allowed
}

// core is the version without its pre-release.
func core(v semver) semver {
	v.pre = ""
	return v
}

func (r npmRange) String() string {
	var sets []string
	for _, set := range r.sets {
		var parts []string
		for _, c := range set {
			parts = append(parts, c.String())
		}
		sets = append(sets, strings.Join(parts, " "))
	}
	if s := strings.Join(sets, "||"); s != "" {
		return s
	}
	return "*"
}

// simplify takes out what node-semver takes out: alternatives that hold nothing, where
// another is left, and all others beside one that takes in every version.
func (r *npmRange) simplify() {
	if len(r.sets) == 1 {
		return
	}
	first := r.sets[0]
	r.sets = slices.DeleteFunc(r.sets, func(set []comparator) bool { return set[0] == nothing })
	if len(r.sets) == 0 {
		r.sets = [][]comparator{first}
	}
	for _, set := range r.sets {
		if len(set) == 1 && set[0].any {
			r.sets = [][]comparator{set}
			return
		}
	}
}

// simplifySet takes out repeated comparators, and "any" beside others; one that nothing
// meets stands for the whole set.
func simplifySet(set []comparator, opt NPMOptions) []comparator {
	var out []comparator
	seen := map[comparator]bool{}
	for _, c := range set {
		if c == nothing {
			return []comparator{nothing}
		}
		if c.op == ">=" && c.v == lowest(opt) {
			c = comparator{any: true}
		}
		if !seen[c] {
			seen[c] = true
			out = append(out, c)
		}
	}
	if len(out) > 1 {
		out = slices.DeleteFunc(out, func(c comparator) bool { return c.any })
	}
	return out
}

// lowest is the version that every version which counts is at or above.
func lowest(opt NPMOptions) semver {
	v := semver{major: "0", minor: "0", patch: "0"}
	if opt.IncludePrerelease {
		v.pre = "0"
	}
	return v
}

// next is the number after one of digits. ok is false past the largest that npm takes.
func next(digits string) (string, bool) {
	n, err := strconv.ParseUint(number(digits), 10, 64)
	digits = strconv.FormatUint(n+1, 10)
	return digits, err == nil && safe(digits)
}
