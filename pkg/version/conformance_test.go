package version_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/xtest"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/version"
)

// cases reads the cases of a conformance file into T.
func cases[T any](t *testing.T, rel string) []T {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(xtest.Data(t, "conformance"), filepath.FromSlash(rel)))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []T }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatalf("%s: %v", rel, err)
	}
	if len(file.Cases) == 0 {
		t.Fatalf("%s: no cases", rel)
	}
	return file.Cases
}

// nodeOptions reads the last argument of a node-semver row: true or {"loose": true} is the
// loose mode.
func nodeOptions(row []any, at int) (opt version.NPMOptions) {
	if len(row) <= at {
		return opt
	}
	switch arg := row[at].(type) {
	case bool:
		opt.Loose = arg
	case map[string]any:
		opt.Loose = arg["loose"] == true
		opt.IncludePrerelease = arg["includePrerelease"] == true
	}
	return opt
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

// Of conformance/node-semver these files are about functions that nobody here needs:
// increments and truncations make versions, range-intersection and comparator-intersection
// compare ranges with ranges, version-*-range places a version beside a range.

func TestNodeSemverOrder(t *testing.T) {
	for file, want := range map[string]int{"comparisons": 1, "equality": 0} {
		for _, row := range cases[[]any](t, "node-semver/"+file+".json") {
			a, b := text(row[0]), text(row[1])
			if got, err := version.Compare(npm, a, b); got != want || err != nil {
				t.Errorf("Compare(npm, %q, %q) = %d, %v; want %d", a, b, got, err, want)
			}
			if got, err := version.Compare(npm, b, a); got != -want || err != nil {
				t.Errorf("Compare(npm, %q, %q) = %d, %v; want %d", b, a, got, err, -want)
			}
			x, _ := version.Canonical(npm, a)
			y, _ := version.Canonical(npm, b)
			if x == "" || y == "" || (x == y) != (want == 0) {
				t.Errorf("Canonical(npm) of %q and %q = %q and %q", a, b, x, y)
			}
		}
	}
}

func TestNodeSemverValidity(t *testing.T) {
	for _, row := range cases[[]any](t, "node-semver/valid-versions.json") {
		if v := text(row[0]); version.Check(npm, v) != nil {
			t.Errorf("Check(npm, %q) = %v, want nil", v, version.Check(npm, v))
		}
	}
	for _, row := range cases[[]any](t, "node-semver/invalid-versions.json") {
		v := text(row[0])
		if version.Check(npm, v) == nil {
			t.Errorf("Check(npm, %q) = nil: %v", v, row[1])
		}
		if c, err := version.Canonical(npm, v); err == nil {
			t.Errorf("Canonical(npm, %q) = %q: %v", v, c, row[1])
		}
	}
}

func TestNodeSemverRanges(t *testing.T) {
	for file, want := range map[string]bool{"range-include": true, "range-exclude": false} {
		for _, row := range cases[[]any](t, "node-semver/"+file+".json") {
			expr, v := text(row[0]), text(row[1])
			r, err := version.ParseNPMRange(expr, nodeOptions(row, 2))
			if got := r.Contains(v); got != want || err != nil {
				t.Errorf("%s: range %q (%v) contains %q: %v, %v", file, expr, r, v, got, err)
			}
		}
	}
	for _, row := range cases[[]any](t, "node-semver/range-parse.json") {
		expr := text(row[0])
		r, err := version.ParseNPMRange(expr, nodeOptions(row, 2))
		if row[1] == nil {
			if !errors.Is(err, version.ErrInvalid) {
				t.Errorf("range %q = %q, %v; want ErrInvalid", expr, r, err)
			}
			continue
		}
		if r.String() != text(row[1]) || err != nil {
			t.Errorf("range %q = %q, %v; want %q", expr, r, err, row[1])
		}
	}
}

func TestPEP440Conformance(t *testing.T) {
	for _, row := range cases[[3]string](t, "pep440/ordering.json") {
		want := map[string]int{"lt": -1, "eq": 0, "gt": 1}[row[2]]
		checkOrder(t, pypi, row[0], row[1], want)
	}
	for _, v := range cases[string](t, "pep440/invalid.json") {
		if version.Check(pypi, v) == nil {
			t.Errorf("Check(pypi, %q) = nil", v)
		}
		if c, err := version.Canonical(pypi, v); err == nil {
			t.Errorf("Canonical(pypi, %q) = %q", v, c)
		}
	}
	for _, row := range cases[[2]string](t, "pep440/normalize.json") {
		if err := version.Check(pypi, row[0]); err != nil {
			t.Errorf("Check(pypi, %q) = %v", row[0], err)
		}
		want := trailingZeros.ReplaceAllString(row[1], "$1$2")
		if got, err := version.Canonical(pypi, row[0]); got != want || err != nil {
			t.Errorf("Canonical(pypi, %q) = %q, %v; want %q", row[0], got, err, want)
		}
	}
	for _, row := range cases[[3]any](t, "pep440/specifiers.json") {
		v, expr, want := text(row[0]), text(row[1]), row[2].(bool)
		r, err := version.ParseRange(pypi, expr)
		if got := r.Contains(v); got != want || err != nil {
			t.Errorf("specifier %q contains %q: %v, %v; want %v", expr, v, got, err, want)
		}
	}
}

// trailingZeros finds the zeros that end the release of a version in normal form.
var trailingZeros = regexp.MustCompile(`^((?:\d+!)?\d+(?:\.\d+)*?)(?:\.0)+((?:a|b|rc|\.post|\.dev|\+).*)?$`)

func TestScalibrOrder(t *testing.T) {
	for file, e := range map[string]ecosystem.Ecosystem{
		"pypi-versions": pypi, "pypi-versions-generated": pypi, "semver-versions": golang,
	} {
		for _, row := range cases[[3]string](t, "osv-scalibr-order/"+file+".json") {
			if strings.HasPrefix(row[0], "//") {
				t.Logf("set aside: %q: a comment of the list, not a version", row)
				continue
			}
			checkOrder(t, e, row[0], row[2], strings.Index("<=>", row[1])-1)
		}
	}
}

func TestGoConformance(t *testing.T) {
	for _, tt := range cases[struct {
		Version, Canonical string
		ModuleCanonical    string `json:"module_canonical"`
		Valid              bool
	}](t, "gomod/validity.json") {
		got, err := version.Canonical(golang, tt.Version)
		if got != tt.ModuleCanonical || (err == nil) != tt.Valid {
			t.Errorf("Canonical(Go, %q) = %q, %v; want %q", tt.Version, got, err, tt.ModuleCanonical)
		}
		canonical := tt.Valid && tt.Version == tt.ModuleCanonical
		if err := version.Check(golang, tt.Version); (err == nil) != canonical {
			t.Errorf("Check(Go, %q) = %v, want canonical %v", tt.Version, err, canonical)
		}
	}
	for _, row := range cases[[3]any](t, "gomod/ordering.json") {
		checkOrder(t, golang, text(row[0]), text(row[1]), int(row[2].(float64)))
	}
}

// checkOrder compares both ways.
func checkOrder(t *testing.T, e ecosystem.Ecosystem, a, b string, want int) {
	t.Helper()
	if got, err := version.Compare(e, a, b); got != want || err != nil {
		t.Errorf("Compare(%s, %q, %q) = %d, %v; want %d", e, a, b, got, err, want)
	}
	if got, err := version.Compare(e, b, a); got != -want || err != nil {
		t.Errorf("Compare(%s, %q, %q) = %d, %v; want %d", e, b, a, got, err, -want)
	}
}
