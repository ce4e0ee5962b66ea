package match_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/match"
	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

func testSet(t testing.TB) *ioc.Set {
	t.Helper()
	window := &ioc.Window{From: "2026-03-19", Until: "2026-03-20"}
	pack := ioc.Pack{ID: "campaign", Indicators: []ioc.Indicator{
		{ID: "bad", Type: ioc.TypePackage, Ecosystem: ecosystem.NPM, Name: "bad", Versions: []string{"1.0.0"}},
		{ID: "tarball", Type: ioc.TypePackage, Ecosystem: ecosystem.NPM, Name: "bad", Integrity: []string{"sha1:" + strings.Repeat("a", 40)}},
		{ID: "both", Type: ioc.TypePackage, Ecosystem: ecosystem.NPM, Name: "both", Versions: []string{"1.0.0"}, Integrity: []string{"sha1:" + strings.Repeat("c", 40)}},
		{ID: "go", Type: ioc.TypePackage, Ecosystem: ecosystem.Go, Name: "example.com/Upper/m", Versions: []string{"v1.0.0"}, Integrity: []string{"h1:" + strings.Repeat("A", 43) + "="}},
		{ID: "pinned", Type: ioc.TypePackage, Ecosystem: ecosystem.PyPI, Name: "pinned", Versions: []string{"2.0"}},
		{ID: "all", Type: ioc.TypePackage, Ecosystem: ecosystem.PyPI, Name: "all", AllVersions: true},
		{ID: "tags", Type: ioc.TypePackage, Ecosystem: ecosystem.Actions, Name: "owner/moved", AllVersions: true, SafeVersion: []string{"0.35.0"}, Window: window},
		{ID: "ref", Type: ioc.TypeDependencyRef, GitURL: "github.com/owner/repo", Commit: "1916faa365f2788b6e193514872d51a242876569"},
	}}
	data, err := ioc.Compile([]ioc.Pack{pack})
	if err != nil {
		t.Fatal(err)
	}
	set, err := ioc.Open(string(data))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestPackage(t *testing.T) {
	set := testSet(t)
	npm := func(kind lockfile.SourceKind, url string) lockfile.Package {
		return lockfile.Package{Ecosystem: ecosystem.NPM, Name: "bad", Version: "1.0.0", Source: lockfile.Source{Kind: kind, URL: url}}
	}
	listed := []lockfile.Digest{{Algorithm: digest.SHA1, Text: strings.Repeat("a", 40)}}
	withDigest := func(p lockfile.Package) lockfile.Package {
		p.Digests = []lockfile.Digest{{Algorithm: digest.SHA1, Text: strings.Repeat("b", 40)}}
		return p
	}
	both := []lockfile.Digest{{Algorithm: digest.SHA1, Text: strings.Repeat("C", 40)}}
	zip := []lockfile.Digest{{Algorithm: digest.H1, Text: strings.Repeat("A", 43) + "="}}
	commit := "1916faa365f2788b6e193514872d51a242876569"
	for _, tt := range []struct {
		about string
		pkg   lockfile.Package
		want  string     // "indicator reasons", one a match
		miss  ioc.Reason // of no match
		near  bool
	}{
		{"as it is", npm(lockfile.Registry, ""), "bad exact-version", "", false},
		{"from the registry's host", npm(lockfile.Registry, "https://registry.npmjs.org/bad/-/bad-1.0.0.tgz"), "bad exact-version", "", false},
		{"from the host of classic yarn", npm(lockfile.Registry, "https://registry.yarnpkg.com/bad/-/bad-1.0.0.tgz#abc"), "bad exact-version", "", false},
		{"from a mirror", npm(lockfile.Registry, "https://user:pw@npm.example.com:8443/bad/-/bad-1.0.0.tgz"), "bad exact-version+mirror-host", "", false},
		{"from anywhere", npm(lockfile.URL, "https://example.com/x.tgz"), "bad exact-version+url", "", false},
		{"installed", npm(lockfile.Installed, ""), "bad exact-version+installed", "", false},
		{"vendored", npm(lockfile.Vendored, ""), "bad exact-version+vendored", "", false},
		{"listed", npm(lockfile.Listed, ""), "bad exact-version+listed-not-built", "", false},
		{"git", npm(lockfile.Git, ""), "", "git", true},
		{"file", npm(lockfile.Path, ""), "", "file", true},
		{"an archive in a file, by its digest", withDigest(npm(lockfile.Path, "file:x.tgz")), "bad exact-version+url", "", false},
		{"an archive of a commit, by its digest", withDigest(npm(lockfile.Git, "https://github.com/o/r/archive/"+commit+".tar.gz")), "bad exact-version+url", "", false},
		{"a clone, whatever digest it has", withDigest(npm(lockfile.Git, "git+ssh://git@github.com/o/r.git")), "", "git", true},
		{"link", npm(lockfile.Link, ""), "", "link", true},
		{"workspace", npm(lockfile.Workspace, ""), "", "workspace", true},
		{"replaced", npm(lockfile.Replaced, ""), "", "replaced", true},
		{"another version", lockfile.Package{Ecosystem: ecosystem.NPM, Name: "bad", Version: "1.0.1"}, "", ioc.OtherVersion, true},
		{"another name", lockfile.Package{Ecosystem: ecosystem.NPM, Name: "good", Version: "1.0.0"}, "", ioc.OtherName, false},
		{"alias", lockfile.Package{Ecosystem: ecosystem.NPM, Name: "bad", Version: "1.0.0", Alias: "left-pad"}, "bad exact-version+alias", "", false},
		{"address of another", lockfile.Package{Ecosystem: ecosystem.NPM, Name: "good", Version: "2.0.0", Address: &lockfile.Identity{Name: "bad", Version: "1.0.0"}}, "bad exact-version+address", "", false},
		{"bad under the address of a good one", lockfile.Package{Ecosystem: ecosystem.NPM, Name: "bad", Version: "1.0.0", Address: &lockfile.Identity{Name: "good", Version: "2.0.0"}}, "bad exact-version", "", false},
		{"digest under another name", lockfile.Package{Ecosystem: ecosystem.NPM, Name: "good", Version: "2.0.0", Digests: listed}, "tarball integrity", "", false},
		{"digest of a workspace", lockfile.Package{Ecosystem: ecosystem.NPM, Name: "w", Source: lockfile.Source{Kind: lockfile.Workspace}, Digests: listed}, "tarball integrity", "", false},
		{"name and digest", lockfile.Package{Ecosystem: ecosystem.NPM, Name: "bad", Version: "1.0.0", Digests: listed}, "bad exact-version, tarball integrity", "", false},
		{"name and digest of one indicator", lockfile.Package{Ecosystem: ecosystem.NPM, Name: "both", Version: "1.0.0", Digests: both}, "both exact-version+integrity", "", false},
		{"a range with a listed digest is no mere range", lockfile.Package{Ecosystem: ecosystem.NPM, Name: "both", Range: ">=1", Source: lockfile.Source{Kind: lockfile.Range}, Digests: both}, "both integrity", "", false},
		{"a look-alike name", lockfile.Package{Ecosystem: ecosystem.Go, Name: "example.com/upper/m", Version: "v1.0.0"}, "go case-only", "", false},
		{"a look-alike name with a listed digest is no look-alike", lockfile.Package{Ecosystem: ecosystem.Go, Name: "example.com/upper/m", Version: "v1.0.0", Digests: zip}, "go integrity", "", false},
		{"git commit", lockfile.Package{Ecosystem: ecosystem.NPM, Name: "x", Source: lockfile.Source{Kind: lockfile.Git, URL: "git+ssh://git@github.com/owner/repo.git", Commit: commit}}, "ref git-commit", "", false},
		{"short git commit", lockfile.Package{Ecosystem: ecosystem.NPM, Name: "x", Source: lockfile.Source{Kind: lockfile.Git, URL: "github:owner/repo", Commit: commit[:9]}}, "ref git-commit", "", false},
		{"git commit by shorthand", lockfile.Package{Ecosystem: ecosystem.NPM, Name: "x", Source: lockfile.Source{Kind: lockfile.Git, URL: "owner/repo", Commit: commit}}, "ref git-commit", "", false},
		{"an action at a listed commit", lockfile.Package{Ecosystem: ecosystem.Actions, Name: "owner/repo", Version: commit, Source: lockfile.Source{Commit: strings.ToUpper(commit)}}, "ref git-commit", "", false},
		{"an action in a folder of the repository", lockfile.Package{Ecosystem: ecosystem.Actions, Name: "owner/repo", Version: commit, Source: lockfile.Source{URL: "owner/repo/x", Commit: commit}}, "ref git-commit", "", false},
		{"an action at the same commit of another repository", lockfile.Package{Ecosystem: ecosystem.Actions, Name: "owner/other", Version: commit, Source: lockfile.Source{Commit: commit}}, "", ioc.OtherName, false},
		{"a range that admits it", lockfile.Package{Ecosystem: ecosystem.NPM, Name: "bad", Range: "^1.0.0", Source: lockfile.Source{Kind: lockfile.Manifest}}, "bad latent-range", "", false},
		{"a range that admits it alone", lockfile.Package{Ecosystem: ecosystem.NPM, Name: "bad", Range: "=1.0.0", Source: lockfile.Source{Kind: lockfile.Manifest}}, "bad exact-version+not-locked", "", false},
		{"a range that admits another alone", lockfile.Package{Ecosystem: ecosystem.NPM, Name: "bad", Range: "1.0.1", Source: lockfile.Source{Kind: lockfile.Manifest}}, "", ioc.OtherVersion, true},
		{"PyPI, a wheel beside the project", lockfile.Package{Ecosystem: ecosystem.PyPI, Name: "pinned", Version: "2.0", Source: lockfile.Source{Kind: lockfile.Path, URL: "wheels/pinned-2.0-py3-none-any.whl"}}, "pinned exact-version+url", "", false},
		{"PyPI, a source distribution beside the project", lockfile.Package{Ecosystem: ecosystem.PyPI, Name: "pinned", Version: "2.0", Source: lockfile.Source{Kind: lockfile.Path, URL: `C:\w\pinned-2.0.TAR.GZ`}}, "pinned exact-version+url", "", false},
		{"PyPI, a folder", lockfile.Package{Ecosystem: ecosystem.PyPI, Name: "pinned", Version: "2.0", Source: lockfile.Source{Kind: lockfile.Path, URL: "libs/pinned-2.0"}}, "", "file", true},
		{"npm, one version: v1.0.0", lockfile.Package{Ecosystem: ecosystem.NPM, Name: "bad", Range: "v1.0.0", Source: lockfile.Source{Kind: lockfile.Manifest}}, "bad exact-version+not-locked", "", false},
		{"npm, one version: =v1.0.0", lockfile.Package{Ecosystem: ecosystem.NPM, Name: "bad", Range: "=v1.0.0", Source: lockfile.Source{Kind: lockfile.Manifest}}, "bad exact-version+not-locked", "", false},
		{"npm, one version: >=1.0.0 <=1.0.0", lockfile.Package{Ecosystem: ecosystem.NPM, Name: "bad", Range: ">=1.0.0 <=1.0.0", Source: lockfile.Source{Kind: lockfile.Manifest}}, "bad exact-version+not-locked", "", false},
		{"npm, one version: 1.0.0 - 1.0.0", lockfile.Package{Ecosystem: ecosystem.NPM, Name: "bad", Range: "1.0.0 - 1.0.0", Source: lockfile.Source{Kind: lockfile.Manifest}}, "bad exact-version+not-locked", "", false},
		{"npm, one version: 1.0.0 || 1.0.0", lockfile.Package{Ecosystem: ecosystem.NPM, Name: "bad", Range: "1.0.0 || 1.0.0", Source: lockfile.Source{Kind: lockfile.Manifest}}, "bad exact-version+not-locked", "", false},
		{"npm, one version: 1.0.0 <2", lockfile.Package{Ecosystem: ecosystem.NPM, Name: "bad", Range: "1.0.0 <2", Source: lockfile.Source{Kind: lockfile.Manifest}}, "bad exact-version+not-locked", "", false},
		{"npm, two versions", lockfile.Package{Ecosystem: ecosystem.NPM, Name: "bad", Range: "1.0.0 || 1.0.1", Source: lockfile.Source{Kind: lockfile.Manifest}}, "bad latent-range", "", false},
		{"npm, one version: >=1.0.0 <=1.0.1", lockfile.Package{Ecosystem: ecosystem.NPM, Name: "bad", Range: ">=1.0.0 <=1.0.1", Source: lockfile.Source{Kind: lockfile.Manifest}}, "bad latent-range", "", false},
		{"npm, one version: >=1.0.0", lockfile.Package{Ecosystem: ecosystem.NPM, Name: "bad", Range: ">=1.0.0", Source: lockfile.Source{Kind: lockfile.Manifest}}, "bad latent-range", "", false},
		{"npm, one version: *", lockfile.Package{Ecosystem: ecosystem.NPM, Name: "bad", Range: "*", Source: lockfile.Source{Kind: lockfile.Manifest}}, "bad latent-range", "", false},
		{"PyPI, one version by its bounds", lockfile.Package{Ecosystem: ecosystem.PyPI, Name: "pinned", Range: ">=2.0, <=2.0", Source: lockfile.Source{Kind: lockfile.Range}}, "pinned exact-version+not-locked", "", false},
		{"PyPI, a pin in a manifest", lockfile.Package{Ecosystem: ecosystem.PyPI, Name: "pinned", Range: "== 2.0", Source: lockfile.Source{Kind: lockfile.Manifest}}, "pinned exact-version+not-locked", "", false},
		{"PyPI, one bound", lockfile.Package{Ecosystem: ecosystem.PyPI, Name: "pinned", Range: ">=2.0", Source: lockfile.Source{Kind: lockfile.Range}}, "pinned latent-range", "", false},
		{"PyPI, a star", lockfile.Package{Ecosystem: ecosystem.PyPI, Name: "pinned", Range: "==2.0.*", Source: lockfile.Source{Kind: lockfile.Range}}, "pinned latent-range", "", false},
		{"PyPI, bounds and an exception", lockfile.Package{Ecosystem: ecosystem.PyPI, Name: "pinned", Range: ">=2.0,<=2.0,!=2.0", Source: lockfile.Source{Kind: lockfile.Range}}, "", ioc.NoLatent, true},
		{"a range that does not", lockfile.Package{Ecosystem: ecosystem.NPM, Name: "bad", Range: "^2.0.0", Source: lockfile.Source{Kind: lockfile.Manifest}}, "", ioc.NoLatent, true},
		{"no version, all listed", lockfile.Package{Ecosystem: ecosystem.PyPI, Name: "all", Source: lockfile.Source{Kind: lockfile.NoVersion}}, "all all-versions+no-version", "", false},
		{"a moved tag", lockfile.Package{Ecosystem: ecosystem.Actions, Name: "owner/moved", Version: "v1"}, "tags all-versions+moved-tag", "", false},
		{"a safe tag", lockfile.Package{Ecosystem: ecosystem.Actions, Name: "owner/moved", Version: "0.35.0"}, "", ioc.SafeVersion, true},
		{"pinned past the move", lockfile.Package{Ecosystem: ecosystem.Actions, Name: "owner/moved", Version: commit}, "", match.PinnedCommit, true},
		{"a short commit is no pin", lockfile.Package{Ecosystem: ecosystem.Actions, Name: "owner/moved", Version: commit[:12]}, "tags all-versions+moved-tag", "", false},
	} {
		found, miss := match.Package(set, &tt.pkg)
		var got []string
		for _, f := range found {
			got = append(got, fmt.Sprint(f.Indicator.ID, " ", strings.Join(reasons(f), "+")))
		}
		if s := strings.Join(got, ", "); s != tt.want {
			t.Errorf("%s: %q, want %q", tt.about, s, tt.want)
		}
		if miss.Reason != tt.miss || miss.Near != tt.near {
			t.Errorf("%s: miss %q near %t, want %q near %t", tt.about, miss.Reason, miss.Near, tt.miss, tt.near)
		}
	}
}

func reasons(f match.Found) (out []string) {
	for _, r := range f.Reasons {
		out = append(out, string(r))
	}
	return out
}

// The common entry, one that is not listed, costs no allocation.
func TestMissAllocatesNothing(t *testing.T) {
	set := testSet(t)
	p := lockfile.Package{
		Ecosystem: ecosystem.NPM, Name: "@types/node", Version: "20.1.0",
		Source:  lockfile.Source{URL: "https://registry.npmjs.org/@types/node/-/node-20.1.0.tgz"},
		Digests: []lockfile.Digest{{Algorithm: digest.SHA1, Text: strings.Repeat("b", 40)}},
	}
	if n := testing.AllocsPerRun(100, func() { match.Package(set, &p) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// What Package finds by a name, MayMeet does not rule out, whatever else an entry says.
func TestMayMeet(t *testing.T) {
	set := testSet(t)
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	met := 0
	for range 50_000 {
		p := lockfile.Package{
			Ecosystem: ecosystem.All[r.IntN(len(ecosystem.All))],
			Name:      pick("bad", "both", "example.com/Upper/m", "pinned", "all", "owner/moved", "other"),
			Version:   pick("", "1.0.0", "v1.0.0", "2.0", "0.35.0", "9"),
			Range:     pick("", "", "^1.0.0", "1.0.0", "=1.0.0", "==2.0", ">=2.0", "latest", "~9"),
			Source: lockfile.Source{
				Kind: lockfile.SourceKind(r.IntN(int(lockfile.NoVersion) + 1)), URL: pick("", "https://example.com/bad-1.0.0.tgz", "./pinned-2.0-py3-none-any.whl", "git+https://x/y"),
			},
		}
		if r.IntN(3) == 0 {
			p.Digests = []lockfile.Digest{{Algorithm: digest.SHA1, Text: strings.Repeat("b", 40)}} // not listed
		}
		if r.IntN(3) == 0 {
			p.Address = &lockfile.Identity{Name: pick("bad", "all", "other"), Version: pick("1.0.0", "9", "")}
		}
		found, _ := match.Package(set, &p)
		if len(found) == 0 {
			continue
		}
		met++
		known := lockfile.Package{Ecosystem: p.Ecosystem, Name: p.Name, Version: p.Version, Range: p.Range, Source: lockfile.Source{Kind: p.Source.Kind}}
		address := lockfile.Package{Ecosystem: p.Ecosystem, Source: lockfile.Source{Kind: lockfile.Path}, Address: p.Address}
		if !match.MayMeet(set, &known) && !match.MayMeet(set, &address) {
			t.Fatalf("%+v with address %v meets %s, and is ruled out", p, p.Address, found[0].Indicator.ID)
		}
	}
	if met < 5000 {
		t.Errorf("%d of the entries met something: too few to tell anything", met)
	}
}
