package version_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/version"
)

func TestRange(t *testing.T) {
	for _, tt := range []struct {
		e       ecosystem.Ecosystem
		expr    string
		in, out string // versions, space-separated
	}{
		{npm, "^1.2.3", "1.2.3 1.9.0 v1.3.0 1.2.4+build", "1.2.2 2.0.0 1.3.0-pre 1.2.3-pre 2.0.0-0 1.2 garbage"},
		{npm, "^0.2.3", "0.2.9", "0.3.0 0.2.2"},
		{npm, "^0.0.3", "0.0.3", "0.0.4"},
		{npm, "^0.0", "0.0.9", "0.1.0"},
		{npm, "^0.x", "0.9.0", "1.0.0"},
		{npm, "~1.2.3-beta.2", "1.2.3-beta.2 1.2.3-beta.4 1.2.9", "1.2.3-beta.1 1.2.4-beta.4 1.3.0"},
		{npm, "", "0.0.0 9.9.9", "1.0.0-pre"},
		{npm, "~ 1.0.3alpha", "1.0.3 1.0.9 1.0.3-beta", "1.1.0"},
		{npm, "01.02.03", "1.2.3", "1.2.4"},
		{npm, "1.2.3 - 2.3", "1.2.3 2.3.9", "2.4.0"},
		{npm, ">1.2.3-alpha.3 nonsense", "1.2.3-alpha.7 1.2.4", "1.2.3-alpha.3 3.4.5-alpha.9"},
		{npm, "<1.0.0||>=2.0.0", "0.9.0 2.0.0", "1.5.0"},
		{pypi, "", "1.0 1.0a1", "garbage"},
		{pypi, ">=1.0, !=1.5.*, <2,", "1.0 1.4 1.6 1.0.post1", "0.9 1.5 1.5.1 2.0 2.0rc1 1.5a1"},
		{pypi, "==6.6.6", "6.6.6 6.6.6.0 6.6.6+cpu v6.6.6", "6.6.6.post1 6.6.6rc1"},
		{pypi, "==6.6.6+cpu", "6.6.6+CPU", "6.6.6 6.6.6+gpu"},
		{pypi, "===2004d", "2004d 2004D", "2004"},
		{pypi, "~=2.2.post3", "2.2.post3 2.9", "2.2 3.0"},
		{pypi, "~=1.4.5a4", "1.4.5a4 1.4.9", "1.4.5a3 1.5"},
		{pypi, "== 1.0", "1.0", "1.1"},
	} {
		r, err := version.ParseRange(tt.e, tt.expr)
		if err != nil {
			t.Errorf("ParseRange(%s, %q): %v", tt.e, tt.expr, err)
		}
		for _, v := range strings.Fields(tt.in) {
			if !r.Contains(v) {
				t.Errorf("%s range %q (%v) does not contain %q", tt.e, tt.expr, r, v)
			}
		}
		for _, v := range strings.Fields(tt.out) {
			if r.Contains(v) {
				t.Errorf("%s range %q (%v) contains %q", tt.e, tt.expr, r, v)
			}
		}
	}
}

func TestRangeErrors(t *testing.T) {
	for _, tt := range []struct {
		e     ecosystem.Ecosystem
		exprs []string
		want  error
	}{
		{npm, []string{"latest", "git+ssh://x/y", "file:../x", "npm:a@1", "1.x.5", "^9007199254740991.0.0", "99999999999999999999"}, version.ErrInvalid},
		{pypi, []string{"^1.0", "1.0", "=1.0", "==", "~=1", ">=1.0+local", "==1.0a1.*", ">=1.*", "== 1.0 a", "==1.0;x", "===a b"}, version.ErrInvalid},
		{golang, []string{"v1.2.3", ""}, version.ErrNoOrder},
		{actions, []string{"v1"}, version.ErrNoOrder},
	} {
		for _, expr := range tt.exprs {
			r, err := version.ParseRange(tt.e, expr)
			if !errors.Is(err, tt.want) {
				t.Errorf("ParseRange(%s, %q) = %v, %v; want %v", tt.e, expr, r, err, tt.want)
			}
			if r.Contains("1.0.0") {
				t.Errorf("the range of %q, which is none, contains 1.0.0", expr)
			}
		}
	}
	for _, expr := range []string{"01.2.3", "1.2.3beta", ">1.0.0 nonsense", "=v 1.2.x y"} {
		if r, err := version.ParseNPMRange(expr, version.NPMOptions{}); !errors.Is(err, version.ErrInvalid) {
			t.Errorf("ParseNPMRange(%q), strict = %v, %v; want ErrInvalid", expr, r, err)
		}
	}
}

func TestRangeZeroValue(t *testing.T) {
	var r version.Range
	if r.Contains("1.0.0") || r.String() != "" {
		t.Errorf("the zero Range contains %v, prints %q", r.Contains("1.0.0"), r)
	}
}

// FuzzRange checks that a range in normal form is the range that it was made of.
func FuzzRange(f *testing.F) {
	for _, expr := range []string{
		"^1.2.3 || ~0.1", "1.0 - 2.x", ">=1.x <2.0.0-a", "=v 1.2.3beta+b", "~> 01", ">=1.0, !=1.5.*", "~=2.2.post3", "===x", "<*", "||",
	} {
		f.Add(expr, "1.2.3-beta")
	}
	f.Fuzz(func(t *testing.T, expr, v string) {
		for _, e := range []ecosystem.Ecosystem{npm, pypi} {
			r, err := version.ParseRange(e, expr)
			if err != nil {
				continue
			}
			again, err := version.ParseRange(e, r.String())
			if err != nil || again.String() != r.String() || again.Contains(v) != r.Contains(v) {
				t.Errorf("%s: range %q prints %q, which reads as %q, %v; contains %q: %v, then %v",
					e, expr, r, again, err, v, r.Contains(v), again.Contains(v))
			}
		}
	})
}
