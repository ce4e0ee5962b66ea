package gomod_test

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"

	"github.com/wormsweep/wormsweep/internal/xtest"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/gomod"
)

// modfileView lists what golang.org/x/mod/modfile reads in a go.mod file, one fact a line.
func modfileView(f *modfile.File) []string {
	var out []string
	for _, r := range f.Require {
		out = append(out, fmt.Sprintf("require %q %s indirect=%v", r.Mod.Path, r.Mod.Version, r.Indirect))
	}
	for _, e := range f.Exclude {
		out = append(out, fmt.Sprintf("exclude %q %s", e.Mod.Path, e.Mod.Version))
	}
	for _, r := range f.Replace {
		out = append(out, fmt.Sprintf("replace by %q %s", r.New.Path, r.New.Version))
	}
	for _, r := range f.Retract {
		out = append(out, fmt.Sprintf("retract %s", canonical(r.High)))
	}
	for _, tool := range f.Tool {
		out = append(out, fmt.Sprintf("tool %q", tool.Path))
	}
	slices.Sort(out)
	return out
}

// ourView lists the same of a file that this package read.
func ourView(f lockfile.File) []string {
	var out []string
	for _, p := range f.Packages {
		v := module.CanonicalVersion(p.Version) // modfile writes v1.2 as v1.2.0
		switch kind := p.Source.Kind; {
		case kind == lockfile.Excluded:
			out = append(out, fmt.Sprintf("exclude %q %s", p.Name, v))
		case kind == lockfile.Retracted && p.Range != "":
			_, high, _ := strings.Cut(strings.Trim(p.Range, "[]"), ", ")
			out = append(out, fmt.Sprintf("retract %s", canonical(high)))
		case kind == lockfile.Retracted:
			out = append(out, fmt.Sprintf("retract %s", canonical(p.Version)))
		case kind == lockfile.NoVersion:
			out = append(out, fmt.Sprintf("tool %q", p.Name))
		case kind == lockfile.Path:
			out = append(out, fmt.Sprintf("replace by %q ", p.Source.URL))
		case kind == lockfile.Manifest || p.Alias != "":
			out = append(out, fmt.Sprintf("replace by %q %s", p.Name, v))
		default:
			out = append(out, fmt.Sprintf("require %q %s indirect=%v", p.Name, v, p.Scope == lockfile.Indirect))
		}
	}
	slices.Sort(out)
	return out
}

// canonical is v as modfile would write it, were it not the version of a retract directive.
func canonical(v string) string {
	if c := module.CanonicalVersion(v); c != "" {
		return c
	}
	return v
}

// sameAsModfile checks that a file that modfile reads is read alike, and without a problem
// but of a version that is not canonical, a name that only the build itself refuses, and a
// second replacement, which modfile leaves to its callers, and of bytes in comments.
func sameAsModfile(t *testing.T, name string, data []byte) {
	t.Helper()
	want, err := modfile.Parse("go.mod", data, nil)
	if err != nil {
		return
	}
	for _, r := range want.Replace {
		if r.Old.Path == r.New.Path {
			return // replaced by another version of itself: ourView cannot tell it from a requirement
		}
	}
	got := gomod.ParseGoMod(data, lockfile.Options{})
	if w, g := modfileView(want), ourView(got); !slices.Equal(w, g) {
		t.Errorf("%s: %q\nmodfile reads %q\nwe read       %q", name, data, w, g)
	}
	for _, p := range got.Problems {
		switch p.Code {
		case lockfile.CodeVersion, lockfile.CodeName, lockfile.CodeRepeatedKey, lockfile.CodeHeader, lockfile.CodeEncoding, lockfile.CodeLimit:
		default:
			t.Errorf("%s: %q: modfile reads it, we say %v", name, data, p)
		}
	}
}

func TestSameAsModfile(t *testing.T) {
	for file, data := range corpusFiles(t, xtest.Corpus(t), "go.mod") {
		sameAsModfile(t, file, data)
	}
}

// goModSeeds are go.mod files of all directives.
var goModSeeds = []string{
	"module a.b/m\n\ngo 1.26\n\nrequire (\n\ta.b/c v1.2.3 // indirect\n\t\"a.b/d\" v0.0.0-20191109021931-daa7c04131f5\n)\n",
	"module a.b/m\nreplace a.b/c v1.0.0 => ../c\nreplace (\n\ta.b/d => x.y/d v1.0.0\n)\nexclude a.b/c v1.0.1\n",
	"module a.b/m\nretract [v1.0.0, v1.0.5] // bad\nretract v1\ntool a.b/c/cmd\nignore ./x\ngodebug a=b\ntoolchain go1.26.1\n",
	"\ufeffmodule a.b/m\r\nrequire a.b/c v1 //indirect; x\r\nfrobnicate ( )\nrequire (\n",
	"<<<<<<< HEAD\n/* x */\nrequire `a` \"b\n)\n",
}

func FuzzGoMod(f *testing.F) {
	for _, seed := range goModSeeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		sound(t, gomod.ParseGoMod, data)
		sameAsModfile(t, "fuzz", data)
	})
}

func FuzzGoWork(f *testing.F) {
	f.Add([]byte("go 1.26\nuse (\n\t.\n\t./a\n)\nreplace a.b/c => x.y/c v1.0.0\n"))
	f.Fuzz(func(t *testing.T, data []byte) { sound(t, gomod.ParseGoWork, data) })
}

func FuzzGoSum(f *testing.F) {
	f.Add([]byte(gomod.GoSumSample("a.b/c", "v1.0.0")))
	f.Add([]byte("a.b/c v1.0.0 " + digest("zip1") + "\na.b/c v1.0.0 " + digest("zip2") + "\n\nx y\n<<<<<<< x"))
	f.Fuzz(func(t *testing.T, data []byte) {
		sound(t, gomod.ParseGoSum, data)
		entries := 0
		for _, p := range gomod.ParseGoSum(data, lockfile.Options{}).Packages {
			if !strings.Contains(string(data), p.Name) || !strings.Contains(string(data), p.Version) {
				t.Errorf("entry %q %q of %q", p.Name, p.Version, data)
			}
			entries++
		}
		if lines := strings.Count(string(data), "\n") + 1; entries > lines {
			t.Errorf("%d entries of %d lines: %q", entries, lines, data)
		}
	})
}

func FuzzVendorModules(f *testing.F) {
	f.Add([]byte("# a.b/c v1.0.0 => x.y/c v1.5.0\n## explicit\na.b/c\n# a.b/d v1.0.0 => ./d\n# a.b/e => ./e\n"))
	f.Fuzz(func(t *testing.T, data []byte) { sound(t, gomod.ParseVendorModules, data) })
}

// sound checks what holds for every reader and every input: two runs give one answer, lines
// are those of the file and ascend, and no more entries or problems come out than the input
// has room for.
func sound(t *testing.T, parse func([]byte, lockfile.Options) lockfile.File, data []byte) {
	t.Helper()
	f := parse(data, lockfile.Options{})
	if again := parse(data, lockfile.Options{}); show(again) != show(f) || codes(again) != codes(f) {
		t.Errorf("%q reads as\n%sthen as\n%s", data, show(f), show(again))
	}
	lines := strings.Count(string(data), "\n") + 1
	last := 0
	for _, p := range f.Packages {
		if p.Line < max(last, 1) || p.Line > lines {
			t.Errorf("%q: entry on line %d after one on line %d, of %d", data, p.Line, last, lines)
		}
		last = p.Line
	}
	if len(f.Packages) > 2*lines || len(f.Problems) > lockfile.MaxProblems {
		t.Errorf("%q: %d entries, %d problems", data, len(f.Packages), len(f.Problems))
	}
}

// The seeds are read by the readers of all files, whatever they are for.
func TestSeedsOfOtherFormats(t *testing.T) {
	for _, seed := range goModSeeds {
		for name, parse := range parsers {
			t.Run(path.Base(name), func(t *testing.T) { sound(t, parse, []byte(seed)) })
		}
	}
}
