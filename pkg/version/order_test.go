package version_test

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/version"
)

func TestCanonical(t *testing.T) {
	for _, tt := range []struct {
		e       ecosystem.Ecosystem
		v, want string
	}{
		{npm, "1.2.3", "1.2.3"},
		{npm, "1.2.3+build.5", "1.2.3"},
		{npm, "1.2.3-a+build", "1.2.3-a"},
		{npm, "=v1.2.3", "1.2.3"},
		{npm, "06.6.6", "6.6.6"},
		{npm, "1.2.3-01", "1.2.3-1"},
		{npm, "1.2.3beta", "1.2.3-beta"},
		{npm, "1.2", ""},
		{npm, "*", ""},
		{npm, "1.2.3-" + strings.Repeat("a", 300), ""},
		{pypi, "1.0", "1"},
		{pypi, "1.0.0.0", "1"},
		{pypi, "0.0", "0"},
		{pypi, "10.20", "10.20"},
		{pypi, "1.01", "1.1"},
		{pypi, "1.0.RC.1-2.DEV+AbC_007", "1rc1.post2.dev0+abc.7"},
		{pypi, "0!1.0", "1"},
		{pypi, "2!1.0", "2!1"},
		{pypi, "2004d", ""},
		{golang, "v1.2.3", "v1.2.3"},
		{golang, "v2.0.0+incompatible", "v2.0.0+incompatible"},
		{golang, "2.0.0+incompatible", "v2.0.0+incompatible"},
		{golang, "v1.2.3+meta", "v1.2.3"},
		{golang, "v1.2", "v1.2.0"},
		{golang, "v1", "v1.0.0"},
		{golang, "1.2.3", "v1.2.3"},
		{golang, "v1.2-pre", ""},
		{golang, "v1.2.", ""},
		{actions, "V4", "V4"},
		{actions, "a..b", ""},
		{"crates.io", "1.0.0", ""},
	} {
		got, err := version.Canonical(tt.e, tt.v)
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("Canonical(%s, %q) = %q, %v; want %q", tt.e, tt.v, got, err, tt.want)
		}
	}
}

func TestPublic(t *testing.T) {
	for _, tt := range []struct {
		e       ecosystem.Ecosystem
		v, want string
	}{
		{pypi, "6.6.6+cpu", "6.6.6"},
		{pypi, "6.6.6", "6.6.6"},
		{golang, "v2.0.0+incompatible", "v2.0.0+incompatible"},
		{actions, "v1+x", "v1+x"},
	} {
		if got := version.Public(tt.e, tt.v); got != tt.want {
			t.Errorf("Public(%s, %q) = %q, want %q", tt.e, tt.v, got, tt.want)
		}
	}
}

func TestCompare(t *testing.T) {
	for _, tt := range []struct {
		e    ecosystem.Ecosystem
		line string // versions in order
	}{
		{npm, "1.0.0-0 1.0.0-1 1.0.0-9 1.0.0-10 1.0.0-a 1.0.0-a.0 1.0.0-a.b 1.0.0-b 1.0.0 1.0.1-0 1.2.0 1.10.0 2.0.0"},
		{pypi, "french 0.9-final 0.9.dev1 0.9a1.dev1 0.9a1 0.9a1.post1 0.9b1 0.9rc1 0.9 0.9+a 0.9+a.b 0.9+1 0.9+01.1 0.9.post1.dev1 0.9.post1 0.10 1!0.1"},
		{golang, "v0.0.0-20191109021931-daa7c04131f5 v0.0.1 v1 v1.0.1 v1.2 v1.2.3-pre v1.2.3 v1.10.0 v99999999999999999999.0.0"},
	} {
		versions := strings.Fields(tt.line)
		for i, a := range versions {
			for j, b := range versions {
				want := 0
				if i < j {
					want = -1
				} else if i > j {
					want = 1
				}
				checkOrder(t, tt.e, a, b, want)
			}
		}
	}
}

func TestCompareErrors(t *testing.T) {
	for _, tt := range []struct {
		e    ecosystem.Ecosystem
		a, b string
		want error
	}{
		{npm, "1.2", "1.2.3", version.ErrInvalid},
		{npm, "1.2.3", "latest", version.ErrInvalid},
		{golang, "master", "v1.0.0", version.ErrInvalid},
		{actions, "v1", "v2", version.ErrNoOrder},
		{actions, "v1", "v1", nil},
		{"crates.io", "1.0.0", "1.0.0", version.ErrInvalid},
	} {
		if _, err := version.Compare(tt.e, tt.a, tt.b); !errors.Is(err, tt.want) {
			t.Errorf("Compare(%s, %q, %q): %v, want %v", tt.e, tt.a, tt.b, err, tt.want)
		}
	}
}

// seeds are versions of all kinds for the fuzz targets.
var seeds = []string{
	"1.2.3", "v1.2.3-pre.0.20200101000000-abcdefabcdef", "v2.0.0+incompatible", "1!1.0rc1.post2.dev3+local.1",
	"1.0.a-1", "= v01.2.3beta", "2004d", "v1", "06.6.6", "1.2.3--1", "1.0a--1", "", "1.2.3-\x00",
}

// FuzzVersion checks what holds between Check, Canonical and Compare, and that Go
// versions are those of golang.org/x/mod.
func FuzzVersion(f *testing.F) {
	for i, s := range seeds {
		f.Add(s, seeds[(i+1)%len(seeds)])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, e := range ecosystem.All {
			canonical, err := version.Canonical(e, a)
			if version.Check(e, a) == nil && err != nil {
				t.Errorf("%s: Check takes %q and Canonical does not: %v", e, a, err)
			}
			if err != nil {
				continue
			}
			if again, err := version.Canonical(e, canonical); again != canonical || err != nil {
				t.Errorf("%s: Canonical(%q) = %q, Canonical of it = %q, %v", e, a, canonical, again, err)
			}
			if e != ecosystem.Actions {
				if c, err := version.Compare(e, a, canonical); c != 0 || err != nil {
					t.Errorf("%s: Compare(%q, %q) = %d, %v; want 0", e, a, canonical, c, err)
				}
			}
			other, err := version.Canonical(e, b)
			if err != nil || e == ecosystem.Actions || e == ecosystem.Go {
				continue // Go's order leaves out "+incompatible"
			}
			c, _ := version.Compare(e, a, b)
			if back, _ := version.Compare(e, b, a); c != -back {
				t.Errorf("%s: Compare(%q, %q) = %d, turned about %d", e, a, b, c, back)
			}
			if (c == 0) != (canonical == other) {
				t.Errorf("%s: Compare(%q, %q) = %d, canonical %q and %q", e, a, b, c, canonical, other)
			}
		}
		if valid := semver.IsValid(a) && module.CanonicalVersion(a) == a; valid != (version.Check(golang, a) == nil) {
			t.Errorf("Check(Go, %q) = %v, x/mod says %v", a, version.Check(golang, a), valid)
		}
		if semver.IsValid(a) && semver.IsValid(b) {
			if c, err := version.Compare(golang, a, b); c != semver.Compare(a, b) || err != nil {
				t.Errorf("Compare(Go, %q, %q) = %d, %v; x/mod says %d", a, b, c, err, semver.Compare(a, b))
			}
		}
	})
}

func BenchmarkCompare(b *testing.B) {
	for _, tt := range ordinary {
		b.Run(string(tt.e)+"/"+tt.v, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := version.Compare(tt.e, tt.v, tt.v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCanonical(b *testing.B) {
	for _, tt := range ordinary {
		b.Run(string(tt.e)+"/"+tt.v, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := version.Canonical(tt.e, tt.v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
