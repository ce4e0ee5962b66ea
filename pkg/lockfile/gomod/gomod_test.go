package gomod_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/gomod"
)

// show writes entries one a line: line, name, version or range, source, scope, direct.
func show(f lockfile.File) string {
	var b strings.Builder
	for _, p := range f.Packages {
		fmt.Fprintf(&b, "%d %s", p.Line, p.Name)
		if p.Version != "" {
			b.WriteString(" " + p.Version)
		}
		if p.Range != "" {
			b.WriteString(" " + p.Range)
		}
		fmt.Fprintf(&b, " %s", p.Source.Kind)
		if p.Alias != "" {
			b.WriteString(" as " + p.Alias)
		}
		if p.Source.URL != "" {
			b.WriteString(" at " + p.Source.URL)
		}
		switch p.Direct {
		case lockfile.Yes:
			b.WriteString(" direct")
		case lockfile.No:
			b.WriteString(" " + p.Scope.String())
		}
		for _, d := range p.Digests {
			b.WriteString(" " + d.Algorithm.String() + ":" + d.Text[:4])
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// codes lists the problems of a file as "line code".
func codes(f lockfile.File) string {
	var list []string
	for _, p := range f.Problems {
		list = append(list, fmt.Sprintf("%d %s", p.Line, p.Code))
	}
	return strings.Join(list, ", ")
}

func check(t *testing.T, parse func([]byte, lockfile.Options) lockfile.File, name, in, want, problems string) {
	t.Helper()
	f := parse([]byte(in), lockfile.Options{})
	if got := show(f); got != want {
		t.Errorf("%s: %q\nentries:\n%swant:\n%s", name, in, got, want)
	}
	if got := codes(f); got != problems {
		t.Errorf("%s: %q\nproblems %q, want %q: %v", name, in, got, problems, f.Problems)
	}
}

func TestGoMod(t *testing.T) {
	for _, tt := range []struct{ name, in, want, problems string }{
		{"empty", "", "", ""},
		{"comments only", "// nothing\n\n", "", ""},
		{
			"single and block", "module a.b/m\n\ngo 1.26\nrequire a.b/c v1.2.3\nrequire (\n\tA.b/c v1.0.0\n\ta.b/D/v2 v2.0.0 // indirect\n)\n",
			"4 a.b/c v1.2.3 registry direct\n6 A.b/c v1.0.0 registry direct\n7 a.b/D/v2 v2.0.0 registry indirect\n", "",
		},
		{
			"comments", "module a.b/m // x\nrequire a.b/c v1.0.0 // indirect; because\nrequire a.b/d v1.0.0 //indirect\nrequire a.b/e v1.0.0 // indirectly\nrequire a.b/f v1.0.0// indirect, no\n",
			"2 a.b/c v1.0.0 registry indirect\n3 a.b/d v1.0.0 registry indirect\n4 a.b/e v1.0.0 registry direct\n5 a.b/f v1.0.0 registry direct\n", "",
		},
		{"quoted", "module \"a.b/m\"\nrequire \"a.b/\\x63\" `v1.0.0`\n", "2 a.b/c v1.0.0 registry direct\n", ""},
		{"byte order mark, CRLF, no end of line", "\ufeffmodule a.b/m\r\nrequire (\r\n\ta.b/c v1.0.0\r\n)", "3 a.b/c v1.0.0 registry direct\n", ""},
		{"no spaces", "module a.b/m\nrequire(\n\ta.b/c v1.0.0\n)\nexclude(a.b/c v1.0.1\n)\n", "3 a.b/c v1.0.0 registry direct\n", "5 entry, 6 syntax"},
		{"empty block", "module a.b/m\nrequire ( )\nrequire (\n)\nrequire a.b/c v1.0.0\n", "5 a.b/c v1.0.0 registry direct\n", ""},
		{
			"pseudo-version and incompatible", "module a.b/m\nrequire (\n\ta.b/c v0.0.0-20191109021931-daa7c04131f5\n\ta.b/d v2.0.0+incompatible\n)\n",
			"3 a.b/c v0.0.0-20191109021931-daa7c04131f5 registry direct\n4 a.b/d v2.0.0+incompatible registry direct\n", "",
		},
		{
			"tool, ignore, godebug, toolchain", "module a.b/m\ngo 1.26.1\ntoolchain go1.26.2\ngodebug default=go1.21\ngodebug (\n\tpanicnil=1\n)\ntool a.b/c/cmd/x\nignore ./node_modules\n",
			"8 a.b/c/cmd/x no-version direct\n", "",
		},
		{
			"exclude and retract", "retract v1.0.1 // bad\nmodule a.b/m\nretract (\n\t[v1.0.0, v1.0.5]\n\tv2.0.0+incompatible\n)\nexclude a.b/c v1.0.0\n",
			"1 a.b/m v1.0.1 retracted\n4 a.b/m [v1.0.0, v1.0.5] retracted\n5 a.b/m v2.0.0+incompatible retracted\n7 a.b/c v1.0.0 excluded\n", "",
		},
		{
			"unpublished paths", "module example\nrequire other v0.0.0\nreplace other => ../other\n",
			"2 other v0.0.0 replaced at ../other direct\n3 other file at ../other direct\n", "",
		},

		{"unknown directive", "module a.b/m\ngo 1.26\nfrobnicate (\n\tx y z\n)\nrequire a.b/c v1.0.0\n", "6 a.b/c v1.0.0 registry direct\n", "3 syntax"},
		{"unknown directive of a later Go", "module a.b/m\nfrobnicate (\n\tx y z\n)\nmirror all=none\nrequire (\n\ta.b/c v1.0.0\n)\ngo 1.99\n", "7 a.b/c v1.0.0 registry direct\n", ""},
		{"Go 2", "module a.b/m\ngo 2.0\nfrobnicate x\n", "", ""},
		{"letter case", "module a.b/m\nRequire a.b/c v1.0.0\n", "2 a.b/c v1.0.0 registry\n", "2 syntax"},
		{"damaged verb", "module a.b/m\nreq uire (\n\ta.b/c v1.0.0\n)\n", "3 a.b/c v1.0.0 registry\n", "2 syntax"},
		{"bracket lost", "module a.b/m\nrequire\n\ta.b/c v1.0.0\n)\n", "3 a.b/c v1.0.0 registry\n", "2 entry, 3 syntax, 4 syntax"},
		{"end of block lost", "module a.b/m\nrequire (\n\ta.b/c v1.0.0\nrequire (\n\ta.b/d v1.0.0\n)\n", "3 a.b/c v1.0.0 registry direct\n5 a.b/d v1.0.0 registry direct\n", "4 truncated"},
		{"end of block lost before a line", "module a.b/m\nrequire (\n\ta.b/c v1.0.0\nrequire a.b/d v1.0.0\n", "3 a.b/c v1.0.0 registry direct\n4 a.b/d v1.0.0 registry direct\n", "4 truncated"},
		{"cut off", "module a.b/m\nrequire (\n\ta.b/c v1.0.0\n\ta.b/d v1", "3 a.b/c v1.0.0 registry direct\n4 a.b/d v1 registry direct\n", "4 version, 2 truncated"},
		{"words after the block", "module a.b/m\nrequire (\n\ta.b/c v1.0.0\n) x\n", "3 a.b/c v1.0.0 registry direct\n", "4 syntax"},
		{
			"merge conflict", "module a.b/m\nrequire (\n<<<<<<< HEAD\n\ta.b/c v1.0.0\n=======\n\ta.b/c v1.0.1\n>>>>>>> x\n)\n",
			"4 a.b/c v1.0.0 registry direct\n6 a.b/c v1.0.1 registry direct\n", "3 syntax, 5 syntax, 7 syntax",
		},
		{"second module", "module a.b/m\nmodule a.b/n\ngo 1.26\ngo 1.99\nfoo x\n", "", "2 repeated-key, 4 repeated-key"},
		{"no module", "require a.b/c v1.0.0\n", "1 a.b/c v1.0.0 registry direct\n", "0 header"},
		{
			"odd versions", "module a.b/m\nrequire (\n\ta.b/c 1.0.0\n\ta.b/d latest\n\ta.b/e v06.6.6\n\ta.b/f v1.2\n)\n",
			"3 a.b/c 1.0.0 registry direct\n4 a.b/d latest registry direct\n5 a.b/e v06.6.6 registry direct\n6 a.b/f v1.2 registry direct\n",
			"3 version, 4 version, 5 version, 6 version",
		},
		{
			"odd names", "module a.b/m\nrequire a\u00a0b v1.0.0\nrequire ../x v1.0.0\nrequire a.b/c\u0430 v1.0.0\n",
			"2 a\u00a0b v1.0.0 registry direct\n3 ../x v1.0.0 registry direct\n4 a.b/c\u0430 v1.0.0 registry direct\n", "2 name, 3 name, 4 name",
		},
		{"too few and too many words", "module a.b/m\nrequire a.b/c\nrequire a.b/c v1.0.0 x\nrequire (\n\ta.b/d v1.0.0 v1.0.1\n)\nmodule\n", "", "2 entry, 3 entry, 5 entry, 7 repeated-key, 7 entry"},
		{"comment in the manner of C", "module a.b/m\nrequire a.b/c v1.0.0 /* indirect */\n", "", "2 syntax, 2 entry"},
		{"quotation without an end", "module a.b/m\nrequire \"a.b/c v1.0.0\nrequire \"a\\q\" v1.0.0\n", "3 a\\q v1.0.0 registry direct\n", "2 syntax, 2 entry, 3 syntax, 3 name"},
		{"NUL and bytes that are not UTF-8", "module a.b/m\nrequire a.b/c v1.0.0\n\x00\n\xff\n", "2 a.b/c v1.0.0 registry direct\n", "3 encoding, 4 encoding, 3 syntax, 4 syntax"},
		{"too short a line for a mark", "module a.b/m\n<<<<\n", "", "2 syntax"},
	} {
		check(t, gomod.ParseGoMod, tt.name, tt.in, tt.want, tt.problems)
	}
}

func TestReplace(t *testing.T) {
	const head = "module a.b/m\ngo 1.26\nrequire a.b/c v1.0.0\nrequire a.b/d v1.0.0 // indirect\n"
	for _, tt := range []struct{ name, in, want, problems string }{
		{
			"all versions", head + "replace a.b/c => x.y/c v1.5.0\n",
			"3 a.b/c v1.0.0 replaced at x.y/c direct\n4 a.b/d v1.0.0 registry indirect\n5 x.y/c v1.5.0 registry as a.b/c direct\n", "",
		},
		{
			"one version", head + "replace (\n\ta.b/c v1.0.0 => x.y/c v1.5.0\n\ta.b/d v1.0.1 => x.y/d v1.5.0\n)\n",
			"3 a.b/c v1.0.0 replaced at x.y/c direct\n4 a.b/d v1.0.0 registry indirect\n6 x.y/c v1.5.0 registry as a.b/c direct\n7 x.y/d v1.5.0 manifest as a.b/d\n", "",
		},
		{
			"one version before all", head + "replace a.b/d => ./all\nreplace a.b/d v1.0.0 => a.b/d v1.0.9\n",
			"3 a.b/c v1.0.0 registry direct\n4 a.b/d v1.0.0 replaced at a.b/d indirect\n5 a.b/d file at ./all\n6 a.b/d v1.0.9 registry indirect\n", "",
		},
		{
			"before the requirement", "module a.b/m\ngo 1.26\nreplace a.b/c => x.y/c v1.5.0\nrequire a.b/c v1.0.0\n",
			"3 x.y/c v1.5.0 registry as a.b/c direct\n4 a.b/c v1.0.0 replaced at x.y/c direct\n", "",
		},
		{
			"letter case", head + "replace A.b/c => x.y/c v1.5.0\n",
			"3 a.b/c v1.0.0 registry direct\n4 a.b/d v1.0.0 registry indirect\n5 x.y/c v1.5.0 manifest as A.b/c\n", "",
		},
		{
			"not required", head + "replace a.b/e => x.y/e v1.5.0\n",
			"3 a.b/c v1.0.0 registry direct\n4 a.b/d v1.0.0 registry indirect\n5 x.y/e v1.5.0 manifest as a.b/e\n", "",
		},
		{"not required in an old file", "module a.b/m\ngo 1.16\nreplace a.b/e => x.y/e v1.5.0\n", "3 x.y/e v1.5.0 registry as a.b/e\n", ""},
		{"not required without a go line", "module a.b/m\nreplace a.b/e => x.y/e v1.5.0\n", "2 x.y/e v1.5.0 registry as a.b/e\n", ""},
		{
			"folders", "module a.b/m\ngo 1.26\nreplace (\n\ta.b/c => ../c\n\ta.b/d => /d\n\ta.b/e => C:\\e\n\ta.b/f v1.0.0 => .\n\ta.b/g => \"./with space\"\n)\n",
			"4 a.b/c file at ../c\n5 a.b/d file at /d\n6 a.b/e file at C:\\e\n7 a.b/f file at .\n8 a.b/g file at ./with space\n", "",
		},
		{
			"no version", head + "replace a.b/c => x.y/c\n",
			"3 a.b/c v1.0.0 replaced at x.y/c direct\n4 a.b/d v1.0.0 registry indirect\n5 a.b/c file at x.y/c direct\n", "5 entry",
		},
		{
			"two for one", head + "replace a.b/c => x.y/c v1.0.0\nreplace a.b/c => x.y/c v1.0.0\nreplace a.b/c => x.y/c v1.0.1\n",
			"3 a.b/c v1.0.0 replaced at x.y/c direct\n4 a.b/d v1.0.0 registry indirect\n5 x.y/c v1.0.0 manifest as a.b/c\n6 x.y/c v1.0.0 manifest as a.b/c\n7 x.y/c v1.0.1 registry as a.b/c direct\n", "7 repeated-key",
		},
		{
			"no known form", head + "replace a.b/c\nreplace a.b/c =>\nreplace => x.y/c v1.0.0\nreplace a.b/c -> x.y/c v1.0.0\nreplace a.b/c v1.0.0 v1.0.1 => x.y/c v1.0.0\nreplace a.b/c => x.y/c v1.0.0 z\n",
			"3 a.b/c v1.0.0 registry direct\n4 a.b/d v1.0.0 registry indirect\n", "5 entry, 6 entry, 7 entry, 8 entry, 9 entry, 10 entry",
		},
	} {
		check(t, gomod.ParseGoMod, tt.name, tt.in, tt.want, tt.problems)
	}
}

func TestGoWork(t *testing.T) {
	for _, tt := range []struct{ name, in, want, problems string }{
		{
			"sound", "go 1.26\ntoolchain go1.26.1\ngodebug x=1\nuse .\nuse (\n\t./api // the API\n\t\"../with space\"\n)\nreplace a.b/c => x.y/c v1.0.0\nreplace a.b/d v1.0.0 => ./d\n",
			"4 . workspace at .\n6 ./api workspace at ./api\n7 ../with space workspace at ../with space\n9 x.y/c v1.0.0 registry as a.b/c\n10 a.b/d file at ./d\n", "",
		},
		{"of go.mod", "go 1.26\nmodule a.b/m\nrequire a.b/c v1.0.0\n", "3 a.b/c v1.0.0 registry\n", "2 syntax, 3 syntax"},
		{"of a later Go", "go 1.99\nfrobnicate (\n\tx\n)\n", "", ""},
		{"cut off", "go 1.26\nuse (\n\t./a\n", "3 ./a workspace at ./a\n", "2 truncated"},
	} {
		check(t, gomod.ParseGoWork, tt.name, tt.in, tt.want, tt.problems)
	}
}

func TestVendorModules(t *testing.T) {
	for _, tt := range []struct{ name, in, want, problems string }{
		{
			"sound", "# a.b/c v1.0.0\n## explicit; go 1.20\na.b/c\na.b/c/d\n# a.b/e v1.0.0\n## explicit\n# a.b/f v1.0.0\na.b/f\n",
			"1 a.b/c v1.0.0 vendored\n5 a.b/e v1.0.0 manifest\n7 a.b/f v1.0.0 vendored\n", "",
		},
		{"workspace and CRLF", "## workspace\r\n# a.b/c v1.0.0\r\na.b/c\r\n", "2 a.b/c v1.0.0 vendored\n", ""},
		{
			"replaced", "# a.b/c v1.0.0 => x.y/c v1.5.0\n## explicit\na.b/c\n# a.b/d v1.0.0 => ./d\na.b/d\n# a.b/c => x.y/c v1.5.0\n# a.b/d => ./d\n# a.b/e => a.b/e v1.5.0\n",
			"1 a.b/c v1.0.0 replaced at x.y/c\n1 x.y/c v1.5.0 vendored as a.b/c\n4 a.b/d v1.0.0 replaced at ./d\n4 a.b/d file at ./d\n" +
				"6 x.y/c v1.5.0 manifest as a.b/c\n7 a.b/d file at ./d\n8 a.b/e v1.5.0 manifest\n", "",
		},
		{
			"damaged", "a.b/c\n# a.b/c\na.b/c\n# a.b/d v1.0.0 x\n# a.b/e v1.0.0 =>\n#a.b/f v1.0.0\n# a.b/g v1.0.0 => x.y/g v1 z\n a.b/h\n# a.b/i 1.0.0\na.b/i\n",
			"9 a.b/i 1.0.0 vendored\n", "1 syntax, 2 entry, 3 syntax, 4 entry, 5 entry, 6 syntax, 7 entry, 8 syntax, 9 version",
		},
		{
			"merge conflict", "<<<<<<< HEAD\n# a.b/c v1.0.0\n=======\n# a.b/c v1.0.1\n>>>>>>> x\na.b/c\n",
			"2 a.b/c v1.0.0 manifest\n4 a.b/c v1.0.1 vendored\n", "1 syntax, 3 syntax, 5 syntax",
		},
	} {
		check(t, gomod.ParseVendorModules, tt.name, tt.in, tt.want, tt.problems)
	}
}

func TestSamples(t *testing.T) {
	const name, v = "example.com/planted", "v6.6.6"
	for file, sample := range map[string]string{
		"go.mod": gomod.GoModSample(name, v), "go.sum": gomod.GoSumSample(name, v), "go.work": gomod.GoWorkSample(name, v),
		"modules.txt": gomod.VendorModulesSample(name, v),
	} {
		f := parsers[file]([]byte(sample), lockfile.Options{})
		if len(f.Problems) > 0 || !slices.ContainsFunc(f.Packages, func(p lockfile.Package) bool {
			return p.Name == name && p.Version == v && p.Source.Kind.Exact()
		}) {
			t.Errorf("%s: %q reads as\n%sproblems %v", file, sample, show(f), f.Problems)
		}
	}
}

func TestTooLarge(t *testing.T) {
	data := make([]byte, lockfile.MaxBytes+1)
	for name, parse := range parsers {
		if f := parse(data, lockfile.Options{}); codes(f) != "0 limit" || len(f.Packages) > 0 {
			t.Errorf("%s: problems %q", name, codes(f))
		}
	}
}
