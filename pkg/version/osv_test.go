package version_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/version"
)

// events reads "introduced:0 fixed:1.2.3".
func events(line string) (out []version.Event) {
	for _, field := range strings.Fields(line) {
		kind, v, _ := strings.Cut(field, ":")
		switch kind {
		case "introduced":
			out = append(out, version.Event{Introduced: v})
		case "fixed":
			out = append(out, version.Event{Fixed: v})
		case "last":
			out = append(out, version.Event{LastAffected: v})
		case "limit":
			out = append(out, version.Event{Limit: v})
		}
	}
	return out
}

func TestAffected(t *testing.T) {
	const semverType, ecosystemType = version.SemverRange, version.EcosystemRange
	for _, tt := range []struct {
		e       ecosystem.Ecosystem
		typ     version.RangeType
		events  string
		in, out string
	}{
		{npm, semverType, "introduced:0", "0.0.0-0 1.0.0 99.0.0", ""},
		{npm, semverType, "introduced:0 fixed:1.2.3", "0.0.1 1.2.3-pre 1.2.2", "1.2.3 1.2.3+b 2.0.0"},
		{npm, semverType, "introduced:1.0.1 last:1.0.1", "1.0.1", "1.0.0 1.0.2"},
		{npm, semverType, "last:1.0.1 introduced:1.0.1", "1.0.1", "1.0.0 1.0.2"},
		{npm, semverType, "introduced:2.0.0 fixed:1.1.0 introduced:0 fixed:2.1.0", "1.0.0 2.0.0", "1.1.0 1.5.0 2.1.0"},
		{npm, semverType, "introduced:0 fixed:1.0.0 introduced:1.0.0 fixed:2.0.0", "0.5.0 1.0.0 1.5.0", "2.0.0"},
		{npm, semverType, "introduced:1.0.0 fixed:1.0.0", "", "0.9.0 1.0.0 2.0.0"},
		{npm, semverType, "introduced:1.0.0 limit:2.0.0", "1.0.0 1.9.9", "0.9.0 2.0.0 3.0.0"},
		{npm, semverType, "introduced:1.0.0 limit:*", "1.0.0 9.9.9", "0.9.0"},
		{npm, semverType, "introduced:1.0.0 limit:2.0.0 limit:3.0.0", "2.5.0", "3.0.0"},
		{npm, semverType, "fixed:1.0.0", "", "0.9.0 1.0.0"},
		{npm, semverType, "", "", "1.0.0"},
		{golang, semverType, "introduced:0 fixed:1.2.3", "v1.2.2 v0.0.0-20191109021931-daa7c04131f5", "v1.2.3 v2.0.0+incompatible"},
		{pypi, ecosystemType, "introduced:0 fixed:1.0", "0.9 1.0rc1 1.0.dev1", "1.0 1.0.post1 1.0+x"},
		{pypi, ecosystemType, "introduced:1.0 last:1.0", "1.0 1.0.0", "1.0.post1 0.9"},
		{actions, ecosystemType, "introduced:0", "v1 main", ""},
	} {
		check := func(v string, want bool) {
			if got, err := version.Affected(tt.e, tt.typ, events(tt.events), v); got != want || err != nil {
				t.Errorf("%s, events %q, version %q: affected %v, %v; want %v", tt.e, tt.events, v, got, err, want)
			}
		}
		for _, v := range strings.Fields(tt.in) {
			check(v, true)
		}
		for _, v := range strings.Fields(tt.out) {
			check(v, false)
		}
	}
}

func TestAffectedErrors(t *testing.T) {
	for _, tt := range []struct {
		e      ecosystem.Ecosystem
		typ    version.RangeType
		events []version.Event
		v      string
		want   error
	}{
		{npm, "GIT", events("introduced:0"), "1.0.0", version.ErrInvalid},
		{npm, version.SemverRange, events("introduced:0"), "latest", version.ErrInvalid},
		{npm, version.SemverRange, events("introduced:x"), "1.0.0", version.ErrInvalid},
		{npm, version.SemverRange, events("introduced:0 limit:x"), "1.0.0", version.ErrInvalid},
		{npm, version.SemverRange, []version.Event{{}}, "1.0.0", version.ErrInvalid},
		{actions, version.EcosystemRange, events("introduced:0 fixed:v2"), "v1", version.ErrNoOrder},
	} {
		if got, err := version.Affected(tt.e, tt.typ, tt.events, tt.v); got || !errors.Is(err, tt.want) {
			t.Errorf("%s %s, events %v, version %q: %v, %v; want %v", tt.e, tt.typ, tt.events, tt.v, got, err, tt.want)
		}
	}
}
