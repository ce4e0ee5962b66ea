package version

import (
	"strings"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
)

// Canonical gives the one text that all spellings of a version share: two versions of e
// are the same exactly where their canonical texts are.
//
//   - npm: without "v" or "=" before it and without build metadata.
//   - PyPI: the normal form of PEP 440 without the zeros that end the release, so that
//     "1.0" and "1" are one. The local part stays; see Public.
//   - Go: all three numbers, with "+incompatible" and without other build metadata.
//   - GitHub Actions: the ref as it stands.
//
// It reads somewhat more than Check accepts: what npm reads in its loose mode ("=1.2.3",
// "01.2.3"), and Go versions that leave out "v" (as in OSV) or numbers. The error wraps
// ErrInvalid. A text that is canonical is given back without an allocation.
func Canonical(e ecosystem.Ecosystem, v string) (string, error) {
	switch e {
	case ecosystem.NPM:
		if validNPM(v) {
			plain, _, _ := strings.Cut(v, "+")
			return plain, nil
		}
		if s, ok := looseSemver(v); ok {
			return s.text(), nil
		}
	case ecosystem.PyPI:
		if p, ok := scanPEP440(v); ok {
			return p.canonical(), nil
		}
	case ecosystem.Go:
		if validGo(v) {
			return v, nil
		}
		if s, ok := goSemver(v); ok {
			if s.build == "incompatible" {
				return "v" + s.text() + "+incompatible", nil
			}
			return "v" + s.text(), nil
		}
	case ecosystem.Actions:
		if validRef(v) {
			return v, nil
		}
	}
	return "", invalid(e, v)
}

// Public gives a canonical version without its PyPI local part, and one of another
// ecosystem as it is. By PEP 440, "==1.0" takes in "1.0+cpu": an indicator that names no
// local part meets every local version of its public one.
func Public(e ecosystem.Ecosystem, canonical string) string {
	if e == ecosystem.PyPI {
		canonical, _, _ = strings.Cut(canonical, "+")
	}
	return canonical
}

// Compare gives the order of two versions of e: -1 where a comes before b, 0 where they
// are equal in order, 1 where a comes after b. It reads what Canonical reads, and:
//
//   - Go: build metadata does not count, so v2.0.0+incompatible and v2.0.0 are equal in
//     order, though they are two versions.
//   - PyPI: releases older than PEP 440 come before all others, in the order in which pip
//     placed them as long as it took them.
//   - GitHub Actions: refs have no order; the error wraps ErrNoOrder unless they are one.
//
// The error wraps ErrInvalid for a version that cannot be read.
func Compare(e ecosystem.Ecosystem, a, b string) (int, error) {
	switch e {
	case ecosystem.NPM:
		return compareWith(e, looseSemver, a, b)
	case ecosystem.Go:
		return compareWith(e, goSemver, a, b)
	case ecosystem.PyPI:
		return comparePyPI(a, b), nil
	case ecosystem.Actions:
		if a == b {
			return 0, nil
		}
		return 0, ErrNoOrder
	}
	return 0, invalid(e, a)
}

func compareWith(e ecosystem.Ecosystem, scan func(string) (semver, bool), a, b string) (int, error) {
	x, ok := scan(a)
	if !ok {
		return 0, invalid(e, a)
	}
	y, ok := scan(b)
	if !ok {
		return 0, invalid(e, b)
	}
	return compareSemver(x, y), nil
}

// comparePyPI orders by PEP 440, with what is older than it first.
func comparePyPI(a, b string) int {
	x, xok := scanPEP440(strings.TrimSpace(a))
	y, yok := scanPEP440(strings.TrimSpace(b))
	switch {
	case xok && yok:
		return comparePEP440(x, y)
	case xok:
		return 1
	case yok:
		return -1
	}
	return compareLegacy(a, b)
}

// compareNumbers compares decimal digits of any length by value; none are zero.
func compareNumbers(a, b string) int {
	a, b = trimZeros(a), trimZeros(b)
	switch {
	case len(a) < len(b):
		return -1
	case len(a) > len(b):
		return 1
	}
	return strings.Compare(a, b)
}

// trimZeros takes away leading zeros; the number zero becomes "".
func trimZeros(digits string) string {
	for digits != "" && digits[0] == '0' {
		digits = digits[1:]
	}
	return digits
}

// number is digits without leading zeros, "0" for zero or none.
func number(digits string) string {
	if digits = trimZeros(digits); digits == "" {
		return "0"
	}
	return digits
}
