package version

// expand gives the comparators that an operator with a version stands for. ok is false for
// a number past the largest that npm takes.
func expand(op string, p partial, opt NPMOptions) (set []comparator, ok bool) {
	if !safe(p.major) || !safe(p.minor) || !safe(p.patch) {
		return nil, false
	}
	switch op {
	case "^":
		return expandCaret(p, opt)
	case "~":
		return expandTilde(p, opt)
	}
	return expandPlain(op, p, opt)
}

// floor is the lowest version of p. Where p leaves a number out, its pre-releases count if
// they count at all.
func (p partial) floor(opt NPMOptions) semver {
	v := semver{major: number(p.major), minor: number(p.minor), patch: number(p.patch), pre: p.pre}
	if p.patch == "" {
		v.pre = ""
		if opt.IncludePrerelease {
			v.pre = "0"
		}
	}
	return v
}

// below is the version that all below the next major, minor or patch number come before.
func below(major, minor, patch string) semver {
	return semver{major: major, minor: minor, patch: patch, pre: "0"}
}

// from is the range of what is at least floor and below end.
func from(floor, end semver) []comparator {
	return []comparator{{op: ">=", v: floor}, {op: "<", v: end}}
}

// expandCaret keeps the first number that is not zero: ^1.2.3 is >=1.2.3 <2.0.0-0.
func expandCaret(p partial, opt NPMOptions) (set []comparator, ok bool) {
	var end semver
	switch {
	case p.major == "":
		return []comparator{{any: true}}, true
	case p.major != "0" || p.minor == "":
		end.major, ok = next(p.major)
		end = below(end.major, "0", "0")
	case p.minor != "0" || p.patch == "":
		end.minor, ok = next(p.minor)
		end = below("0", end.minor, "0")
	default:
		end.patch, ok = next(p.patch)
		end = below("0", "0", end.patch)
	}
	return from(p.floor(opt), end), ok
}

// expandTilde keeps major and minor where they are given: ~1.2.3 is >=1.2.3 <1.3.0-0.
func expandTilde(p partial, opt NPMOptions) (set []comparator, ok bool) {
	switch {
	case p.major == "":
		return []comparator{{any: true}}, true
	case p.minor == "":
		major, ok := next(p.major)
		return from(p.floor(opt), below(major, "0", "0")), ok
	}
	minor, ok := next(p.minor)
	return from(p.floor(opt), below(p.major, minor, "0")), ok
}

// expandPlain reads a comparison. One with numbers left out is about all versions that
// begin like it: ">1" is ">=2.0.0", "<=1" is "<2.0.0-0", "1" is ">=1.0.0 <2.0.0-0".
func expandPlain(op string, p partial, opt NPMOptions) (set []comparator, ok bool) {
	switch {
	case p.patch != "":
		if op == "=" {
			op = ""
		}
		return []comparator{{op: op, v: p.floor(opt)}}, true
	case p.major == "" && (op == ">" || op == "<"):
		return []comparator{nothing}, true
	case p.major == "":
		return []comparator{{any: true}}, true
	}
	end, ok := p.end()
	switch op {
	case ">":
		if !opt.IncludePrerelease {
			end.pre = ""
		}
		return []comparator{{op: ">=", v: end}}, ok
	case ">=":
		return []comparator{{op: ">=", v: p.floor(opt)}}, true
	case "<":
		v := p.floor(opt)
		v.pre = "0"
		return []comparator{{op: "<", v: v}}, true
	case "<=":
		return []comparator{{op: "<", v: end}}, ok
	}
	return from(p.floor(opt), end), ok
}

// end is what all versions that begin like p come before.
func (p partial) end() (v semver, ok bool) {
	if p.minor == "" {
		major, ok := next(p.major)
		return below(major, "0", "0"), ok
	}
	minor, ok := next(p.minor)
	return below(p.major, minor, "0"), ok
}
