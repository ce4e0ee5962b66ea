package lookup_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/store/storetest"
	"github.com/wormsweep/wormsweep/internal/sweep"
	"github.com/wormsweep/wormsweep/internal/xtest"
	"github.com/wormsweep/wormsweep/iocs"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/formats"
	"github.com/wormsweep/wormsweep/pkg/version"
)

// fileIndicators are part of every catalogue here: others would list other files.
var fileIndicators = []ioc.Indicator{
	{ID: "payload", Type: ioc.TypeFile, Name: "payload.js", SHA256: "239f59ed55e737c77147cf55ad0c1b030b6d7ee748a7426952f9b852d5a935e5"},
	{ID: "path", Type: ioc.TypeFile, Path: "**/evil.js"},
	{ID: "branch", Type: ioc.TypeGit, Kind: "branch_glob", Value: "shai-hulud*"},
}

const names = 12

// someName is a name of the ecosystem, of few: some are scoped, some differ by letter case.
func someName(r *rand.Rand, e ecosystem.Ecosystem) string {
	n := r.IntN(names)
	switch e {
	case ecosystem.Go:
		return []string{"example.com/Some/mod", "example.com/some/mod", "example.com/other/Mod"}[n%3] + fmt.Sprint(n/6)
	case ecosystem.Actions:
		return fmt.Sprintf("owner/action%d", n)
	case ecosystem.PyPI:
		return fmt.Sprintf("package-%d", n)
	}
	if n%3 == 0 {
		return fmt.Sprintf("@scope%d/p%d", n/6, n)
	}
	return fmt.Sprintf("p%d", n)
}

func someVersion(r *rand.Rand, e ecosystem.Ecosystem) string {
	v := fmt.Sprintf("1.%d.%d", r.IntN(3), r.IntN(2))
	if e == ecosystem.Go || e == ecosystem.Actions {
		return "v" + v
	}
	return v
}

const someCommit = "0123456789abcdef0123456789abcdef0123456%d"

func integrity(n int) string {
	d := storetest.Digest(n, 0)
	b, _ := d.Bytes()
	return "sha512:" + hex.EncodeToString(b)
}

// someLock writes a package-lock.json.
func someLock(r *rand.Rand) string {
	var out strings.Builder
	out.WriteString(`{"lockfileVersion":3,"packages":{"":{"dependencies":{"p1":"1","@scope0/p0":"*"}}`)
	seen := map[string]bool{}
	for range r.IntN(8) {
		key, name, v := "", someName(r, ecosystem.NPM), someVersion(r, ecosystem.NPM)
		if key = name; r.IntN(5) == 0 {
			key = "alias" + fmt.Sprint(r.IntN(99))
		}
		if seen[key] {
			continue
		}
		seen[key] = true
		fmt.Fprintf(&out, ",\n%q:{\"version\":%q", "node_modules/"+key, v)
		if key != name {
			fmt.Fprintf(&out, `,"name":%q`, name)
		}
		switch r.IntN(6) {
		case 0:
			fmt.Fprintf(&out, `,"resolved":"git+ssh://git@github.com/o/repo%d.git#%s"`, r.IntN(2), fmt.Sprintf(someCommit, r.IntN(4)))
		case 1: // the address names another
			other := someName(r, ecosystem.NPM)
			fmt.Fprintf(&out, `,"resolved":"https://registry.npmjs.org/%s/-/%s-%s.tgz"`, other, other[strings.LastIndexByte(other, '/')+1:], someVersion(r, ecosystem.NPM))
		case 2:
			fmt.Fprintf(&out, `,"resolved":"https://mirror.example/%s/-/%s-%s.tgz"`, name, name[strings.LastIndexByte(name, '/')+1:], v)
		}
		if r.IntN(2) == 0 {
			b, _ := storetest.Digest(r.IntN(6), 0).Bytes()
			fmt.Fprintf(&out, `,"integrity":%q`, "sha512-"+base64Of(b))
		}
		if r.IntN(4) == 0 {
			fmt.Fprintf(&out, `,"dependencies":{%q:"^1.0.0"}`, someName(r, ecosystem.NPM))
		}
		out.WriteByte('}')
	}
	if r.IntN(12) == 0 {
		return out.String() // cut short
	}
	return out.String() + "}}"
}

// someFiles are the files of a tree.
func someFiles(r *rand.Rand) map[string]string {
	dir := []string{"", "web/", "a/b/"}[r.IntN(3)]
	files := map[string]string{"README.md": fmt.Sprint(r.IntN(3))}
	for range 1 + r.IntN(4) {
		switch r.IntN(10) {
		case 0, 1:
			files[dir+"package-lock.json"] = someLock(r)
		case 9:
			files[dir+"pyproject.toml"] = fmt.Sprintf("[tool.poetry.dependencies]\nx = { path = \"./a/%s-%s-py3-none-any.whl\" }\n",
				strings.ReplaceAll(someName(r, ecosystem.PyPI), "-", "_"), someVersion(r, ecosystem.PyPI))
		case 2:
			files[dir+"package.json"] = fmt.Sprintf(`{"dependencies":{%q:"%s%s",%q:"latest","x":"github:o/repo1#%s"}}`,
				someName(r, ecosystem.NPM), []string{"", "^", ">", strings.Repeat("9.9.9 || ", 30) + "^"}[r.IntN(4)], someVersion(r, ecosystem.NPM), "q"+someName(r, ecosystem.NPM)[1:], fmt.Sprintf(someCommit, 1)[:9])
		case 3:
			files[dir+"requirements.txt"] = fmt.Sprintf("%s==%s\nPackage.%d>=1.0\n-r more.txt\n", someName(r, ecosystem.PyPI), someVersion(r, ecosystem.PyPI), r.IntN(names))
			if r.IntN(2) == 0 {
				files[dir+"more.txt"] = someName(r, ecosystem.PyPI) + "==1.1.1\n"
			}
		case 4:
			files[dir+"go.mod"] = fmt.Sprintf("module example.com/m\n\ngo 1.22\n\nrequire %s %s\n", someName(r, ecosystem.Go), someVersion(r, ecosystem.Go))
		case 5:
			files[".github/workflows/ci.yml"] = fmt.Sprintf("on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - uses: %s@%s\n", someName(r, ecosystem.Actions), someVersion(r, ecosystem.Actions))
		case 6:
			files[dir+"payload.js"] = []string{"payload", "another"}[r.IntN(2)]
		case 7:
			files[dir+"evil.js"] = "evil"
		case 8:
			files[dir+"go.sum"] = "!"
		}
	}
	return files
}

func someWorld(r *rand.Rand) world {
	w := world{}
	for i := range 6 {
		name := fmt.Sprintf("acme/r%d", i)
		w[name] = append(w[name], newTree(someFiles(r), "refs/heads/main", "refs/heads/also"))
		if r.IntN(2) == 0 {
			w[name] = append(w[name], newTree(someFiles(r), "refs/heads/shai-hulud-2"))
		}
	}
	w["acme/fork"] = w["acme/r0"]
	return w
}

func someCatalogue(t *testing.T, r *rand.Rand) *ioc.Set {
	t.Helper()
	all := append([]ioc.Indicator(nil), fileIndicators...)
	for i := range 1 + r.IntN(8) {
		e := ecosystem.All[r.IntN(len(ecosystem.All))]
		ind := ioc.Indicator{ID: fmt.Sprint("i", i), Type: ioc.TypePackage, Ecosystem: e, Name: someName(r, e)}
		switch r.IntN(8) {
		case 0:
			ind.AllVersions = true
		case 1:
			if e == ecosystem.NPM || e == ecosystem.PyPI {
				ind.Ranges = []ioc.Range{{Type: "ECOSYSTEM", Events: []ioc.RangeEvent{{Introduced: "1.1.0"}, {Fixed: "1.2.0"}}}}
				if e == ecosystem.NPM {
					ind.Ranges[0].Type = "SEMVER"
				}
			} else {
				ind.Versions = []string{someVersion(r, e)}
			}
		case 2:
			ind = ioc.Indicator{ID: ind.ID, Type: ioc.TypePackage, Ecosystem: ecosystem.NPM, Name: fmt.Sprintf("@scope%d", r.IntN(2)), AllVersions: true, Namespace: true}
		case 3:
			ind.Versions, ind.Integrity = []string{"9.9.9"}, []string{integrity(r.IntN(6))}
			if e == ecosystem.Go || e == ecosystem.Actions {
				ind.Versions = []string{"v9.9.9"}
			}
		case 4:
			ind = ioc.Indicator{ID: ind.ID, Type: ioc.TypeDependencyRef, GitURL: fmt.Sprintf("github.com/o/repo%d", r.IntN(2)), Commit: fmt.Sprintf(someCommit, r.IntN(4))[:7+r.IntN(34)]}
		default:
			ind.Versions = []string{someVersion(r, e)}
		}
		all = append(all, ind)
	}
	return compile(t, all...)
}

// TestRematchIsASweep: a sweep with an inventory, one that finds all of it there, and a rematch for
// another catalogue each say what a sweep without an inventory says.
func TestRematchIsASweep(t *testing.T) {
	rounds := 30
	if testing.Short() {
		rounds = 10
	}
	findings := 0
	for seed := range rounds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(uint64(seed), 7))
			w := someWorld(r)
			inv := newInventory(t)
			opt := sweep.Options{Set: someCatalogue(t, r), Explain: r.IntN(3) == 0, Jobs: 1 + r.IntN(3)}
			want := inv.plain(w, opt)
			_, got := inv.sweep(w, nil, opt)
			sameEvents(t, "the first sweep", want, got)
			for _, trees := range w {
				for _, tr := range trees {
					tr.asked.Store(0)
				}
			}
			_, got = inv.sweep(w, nil, opt)
			sameEvents(t, "the second sweep", want, got)
			for name, trees := range w {
				for _, tr := range trees {
					if n := tr.asked.Load(); n > 0 && !tr.unreadable() {
						t.Errorf("%s was asked %d times, and is known", name, n)
					}
				}
			}
			for _, trees := range w { // other trees of the same contents
				for _, tr := range trees {
					tr.files["CHANGES.md"] = "changed"
				}
			}
			want = inv.plain(w, opt)
			_, got = inv.sweep(w, nil, opt)
			sameEvents(t, "the sweep of what changed", want, got)
			for range 4 {
				opt.Set, opt.Explain = someCatalogue(t, r), r.IntN(3) == 0
				want := inv.plain(w, opt)
				sameEvents(t, "the rematch", want, inv.rematch(opt))
				_, got := inv.sweep(w, nil, opt)
				sameEvents(t, "a sweep with the other catalogue", want, got)
				findings += count[*finding.Finding](want)
			}
		})
	}
	if findings < 20*rounds {
		t.Errorf("%d findings in %d rounds: too few to tell anything", findings, rounds)
	}
}

// TestRematchCorpus puts a corpus of real lockfiles into an inventory and asks it for the whole
// catalogue that the program has.
func TestRematchCorpus(t *testing.T) {
	root := xtest.Corpus(t)
	set := iocs.Set()
	w := world{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		repo, file, _ := strings.Cut(filepath.ToSlash(rel), "/")
		if len(w[repo]) == 0 {
			w[repo] = []*tree{newTree(map[string]string{}, "refs/heads/main")}
		}
		w[repo][0].files[file] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	// Each package of the corpus is listed once, or next to nothing would be met.
	inv := newInventory(t)
	inv.sweep(w, nil, sweep.Options{Set: set})
	for _, opt := range []sweep.Options{
		{Set: set}, {Set: set, Explain: true}, {Set: set.With(listedOf(t, w, 0))}, {Set: set.With(listedOf(t, w, 1))}, {Set: set.With(listedOf(t, w, 2))},
	} {
		want := inv.plain(w, opt)
		sameEvents(t, "the rematch", want, inv.rematch(opt))
		t.Logf("findings %d, problems %d, explained %d", count[*finding.Finding](want), count[*finding.Problem](want), count[*finding.NonMatch](want))
	}
}

// listedOf is a catalogue of a third of the packages that the lockfiles of w lock.
func listedOf(t *testing.T, w world, third int) *ioc.Set {
	t.Helper()
	var all []ioc.Indicator
	seen := map[string]bool{}
	n := 0
	for _, name := range slices.Sorted(maps.Keys(w)) {
		files := w[name][0].files
		for _, path := range slices.Sorted(maps.Keys(files)) {
			text, f := files[path], formats.For(path)
			if f == nil {
				continue
			}
			file := f.Parse([]byte(text), lockfile.Options{})
			for i := range file.Packages {
				p := &file.Packages[i]
				if seen[p.Name] || p.Version == "" || version.Check(p.Ecosystem, p.Version) != nil || ioc.CheckPackage(p.Ecosystem, p.Name) != nil {
					continue
				}
				seen[p.Name] = true
				if n++; n%3 == third {
					all = append(all, ioc.Indicator{Type: ioc.TypePackage, Ecosystem: p.Ecosystem, Name: p.Name, Versions: []string{p.Version}})
				}
			}
		}
	}
	return compile(t, all...)
}

func base64Of(b []byte) string { return base64.StdEncoding.EncodeToString(b) }
