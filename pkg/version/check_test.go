package version_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/version"
)

const (
	npm     = ecosystem.NPM
	pypi    = ecosystem.PyPI
	golang  = ecosystem.Go
	actions = ecosystem.Actions
)

func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		e       ecosystem.Ecosystem
		ok, bad string // versions, space-separated
	}{
		{
			npm,
			"1.2.3 0.0.0 10.20.30 1.2.3-alpha.1 1.2.3-0 1.2.3-0a 1.2.3--- 1.2.3+001 1.2.3-a+b.c 9007199254740991.0.0 1.2.3-99999999999999999999",
			"06.6.6 1.02.3 1.2.03 * x 1 1.2 1.2.3.4 v1.2.3 =1.2.3 1.2.3- 1.2.3+ 1.2.3-01 1.2.3-a..b 1.2.3+a+b 1.2.3-ä latest 1.x " +
				"9007199254740992.0.0 0.0.90071992547409910 -1.2.3 1.2.3_4 ^1.2.3 1..3 .1.2 1.2.",
		},
		{
			pypi,
			"1 1.0 1.2.3.4.5 2024.1 1!2.0 1.0a1 1.0.a1 1.0-alpha_1 1.0PREVIEW3 1.0c1 1.0rc 1.0-1 1.0.post1 1.0r1 1.0.rev.2 1.0post 1.0.dev " +
				"1.0a1.post2.dev3+local.1 v1.0 V1 1.0a. 1.0a--1 01.00 1.0+a-b_c.d 1.0+001 99999999999999999999.0",
			"* 1.* french 1.0++ 1.0+ 1.0+a..b 1.0+-a 1.0+a- 1..0 1.0. .1 1!! 1! !1 vv1 1.0a1a2 1.0-1-2 1.0.devpost 1.0.dev1.post1 1.0rex 2004d 1.0ä 1_0 =1.0 1.0--1",
		},
		{
			golang,
			"v1.2.3 v0.0.0-20191109021931-daa7c04131f5 v2.0.0+incompatible v1.2.3-pre.0.20200101000000-abcdefabcdef v1.99999999999999999999.0",
			"1.2.3 v1 v1.2 V1.2.3 v01.2.3 v1.2.3- v1.2.3+meta v1.2.3+incompatible.1 latest v1.2.3-é v1.2.3.4 v none",
		},
		{
			actions,
			"v4 main 8f4b7f84864484a7bf31766abe9204da3cbe65b3 release/v1 feature-x @v1 a@b v1.0.0+x -x",
			"@ a..b .a a/.b a.lock a.lock/b a/ /a a//b a~1 a^ a:b a? a* a[b a\\b a. HEAD@{1}",
		},
	} {
		for _, v := range strings.Fields(tt.ok) {
			if err := version.Check(tt.e, v); err != nil {
				t.Errorf("Check(%s, %q) = %v, want nil", tt.e, v, err)
			}
		}
		for _, v := range append(strings.Fields(tt.bad), "", " ", "1.2.3 ", " 1.2.3", "1.2.3\n", "1.2.3\x00") {
			if err := version.Check(tt.e, v); !errors.Is(err, version.ErrInvalid) {
				t.Errorf("Check(%s, %q) = %v, want ErrInvalid", tt.e, v, err)
			}
		}
	}
}

func TestCheckLengths(t *testing.T) {
	long := "1.2.3-" + strings.Repeat("a", 250)
	if err := version.Check(npm, long); err != nil {
		t.Errorf("npm version of 256 characters: %v", err)
	}
	if err := version.Check(npm, long+"a"); err == nil {
		t.Error("npm version of 257 characters: no error")
	}
	if err := version.Check(npm, strings.Repeat("x", 1<<20)); len(err.Error()) > 300 {
		t.Errorf("error has %d characters", len(err.Error()))
	}
}

func TestCheckUnknownEcosystem(t *testing.T) {
	if err := version.Check("crates.io", "1.2.3"); !errors.Is(err, version.ErrInvalid) {
		t.Errorf("Check(crates.io) = %v, want ErrInvalid", err)
	}
}

func TestCheckDoesNotAllocate(t *testing.T) {
	for _, tt := range ordinary {
		if n := testing.AllocsPerRun(10, func() { _ = version.Check(tt.e, tt.v) }); n != 0 {
			t.Errorf("Check(%s, %q) allocates %v times", tt.e, tt.v, n)
		}
	}
}

// ordinary are versions as lockfiles hold them.
var ordinary = []struct {
	e ecosystem.Ecosystem
	v string
}{
	{npm, "4.17.21"},
	{npm, "7.0.0-beta.55"},
	{pypi, "2024.8.30"},
	{pypi, "1.0.0rc1.post1"},
	{golang, "v1.9.3"},
	{golang, "v0.0.0-20191109021931-daa7c04131f5"},
	{golang, "v2.0.0+incompatible"},
	{actions, "v4"},
	{actions, "8f4b7f84864484a7bf31766abe9204da3cbe65b3"},
}

func BenchmarkCheck(b *testing.B) {
	for _, tt := range ordinary {
		b.Run(string(tt.e)+"/"+tt.v, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(tt.v)))
			for b.Loop() {
				if err := version.Check(tt.e, tt.v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
