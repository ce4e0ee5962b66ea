package ioc_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

const (
	sha256Hex = "46faab8ab153fae6e80e7cca38eab363075bb524edd79e42269217a083628f09"
	sha1Hex   = "d1829b4708126dcc7bea7437c04d1f10eacd4a16"
	blobHex   = "acfc3f957a63b4cde93ff645f2b6bf26a8ed1bbf"
	sha512SRI = "sha512-ParJgA8rMBa1CAv6QFDZYzZxsNsmHWL24RapTSVbZB9qVE+dC7mHNwDj5gcd874bKjjk7w0pI/WMYrx9TxU7nQ=="
)

const actionCommit = "0e58ed8671d6b60d0890c21b07f8835ace038e67"

// testPack has one indicator of every kind that a Set matches.
func testPack() ioc.Pack {
	p := ioc.Pack{Schema: ioc.Schema, ID: "test-campaign", Title: "Test", Status: ioc.PackHistorical, Severity: ioc.High}
	pkg := func(id string, e ecosystem.Ecosystem, name string, change func(*ioc.Indicator), versions ...string) {
		ind := ioc.Indicator{ID: id, Type: ioc.TypePackage, Confidence: ioc.Confirmed, Ecosystem: e, Name: name, Versions: versions}
		if change != nil {
			change(&ind)
		}
		p.Indicators = append(p.Indicators, ind)
	}
	pkg("npm-exact", ecosystem.NPM, "@scope/x", nil, "1.2.3", "1.2.4+build.1")
	pkg("npm-range", ecosystem.NPM, "ranged", func(i *ioc.Indicator) {
		i.SafeVersion = []string{"1.5.0"}
		i.Ranges = []ioc.Range{{Type: "SEMVER", Events: []ioc.RangeEvent{{Introduced: "1.0.0"}, {Fixed: "2.0.0"}}}}
	})
	pkg("npm-unbounded", ecosystem.NPM, "unbounded", func(i *ioc.Indicator) {
		i.Ranges = []ioc.Range{{Type: "SEMVER", Unbounded: true, Events: []ioc.RangeEvent{{Introduced: "0"}}}}
	}, "4.1.1")
	pkg("npm-all", ecosystem.NPM, "all-bad", func(i *ioc.Indicator) { i.AllVersions = true; i.SafeVersion = []string{"0.0.1"} })
	pkg("npm-zero", ecosystem.NPM, "from-zero", func(i *ioc.Indicator) {
		i.Ranges = []ioc.Range{{Type: "SEMVER", Events: []ioc.RangeEvent{{Introduced: "0"}}}}
	})
	pkg("npm-scope", ecosystem.NPM, "@evil", func(i *ioc.Indicator) { i.AllVersions, i.Namespace = true, true })
	pkg("npm-digest", ecosystem.NPM, "node-ipc", func(i *ioc.Indicator) { i.Integrity = []string{sha512SRI} })
	pkg("pypi", ecosystem.PyPI, "Some.Name", nil, "1.0", "2.0+local")
	pkg("go", ecosystem.Go, "github.com/Evil/mod", nil, "v1.0.0", "v0.0.0-20260804093512-abcdefabcdef")
	pkg("go-one", ecosystem.Go, "github.com/Evil/one", nil, "v1.0.0")
	pkg("go-lower", ecosystem.Go, "example.com/lower/mod", nil, "v1.0.0")
	pkg("action", ecosystem.Actions, "Owner/Action", nil, "v1", actionCommit)
	file := func(id string, ind ioc.Indicator) {
		ind.ID, ind.Type, ind.Confidence = id, ioc.TypeFile, ioc.Confirmed
		p.Indicators = append(p.Indicators, ind)
	}
	file("file-name", ioc.Indicator{Name: "setup_bun.js"})
	file("file-path", ioc.Indicator{Path: ".claude/setup.mjs"})
	file("file-deep", ioc.Indicator{Path: "**/.vscode/setup.mjs"})
	file("file-glob", ioc.Indicator{Path: ".github/workflows/formatter_*.yml"})
	file("file-size", ioc.Indicator{Size: 727680, SHA256: sha256Hex})
	file("file-blob", ioc.Indicator{GitBlob: blobHex})
	file("file-hook", ioc.Indicator{Path: "hook/run.js", GitBlob: strings.Repeat("1a2b", 10)})
	file("file-sha1", ioc.Indicator{SHA1: sha1Hex})
	file("file-big", ioc.Indicator{Path: ".github/setup.js", SizeMin: 4_000_000, SizeMax: 4_600_000})
	p.Indicators = append(p.Indicators,
		ioc.Indicator{ID: "workflow", Type: ioc.TypeWorkflow, Confidence: ioc.Confirmed, Path: ".github/workflows/shai-hulud.yml"},
		ioc.Indicator{ID: "ref", Type: ioc.TypeDependencyRef, Confidence: ioc.Confirmed, GitURL: "github.com/antvis/G2", Commit: "1916faa365f2788b6e193514872d51a242876569"},
		ioc.Indicator{ID: "domain", Type: ioc.TypeNetwork, Confidence: ioc.Confirmed, Kind: "domain", Value: "example.com"},
	)
	return p
}

func open(t testing.TB, packs ...ioc.Pack) *ioc.Set {
	t.Helper()
	data, err := ioc.Compile(packs)
	if err != nil {
		t.Fatal(err)
	}
	set, err := ioc.Open(string(data))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// show is the matches as "indicator reason", in order.
func show(ms []ioc.Match) string {
	var out []string
	for _, m := range ms {
		out = append(out, fmt.Sprintf("%s %s", m.Indicator.ID, m.Reason))
	}
	return strings.Join(out, ", ")
}

func TestSetPackage(t *testing.T) {
	set := open(t, testPack())
	for _, tt := range []struct {
		ecosystem     ecosystem.Ecosystem
		name, version string
		want          string     // matches
		why           ioc.Reason // of no match
	}{
		{ecosystem.NPM, "@scope/x", "1.2.3", "npm-exact exact-version", ""},
		{ecosystem.NPM, "@scope/x", "1.2.3+other", "npm-exact exact-version", ""}, // build metadata is ignored
		{ecosystem.NPM, "@scope/x", "1.2.4", "npm-exact exact-version", ""},
		{ecosystem.NPM, "@scope/x", "1.2.30", "", ioc.OtherVersion},
		{ecosystem.NPM, "@scope/x", "01.2.3", "npm-exact exact-version", ""}, // npm's loose reading
		{ecosystem.NPM, "@scope/x", "*", "", ioc.OddVersion},
		{ecosystem.NPM, "@scope/y", "1.2.3", "", ioc.OtherName},
		{ecosystem.NPM, "x", "1.2.3", "", ioc.OtherName}, // @types/x is not x, nor the reverse
		{ecosystem.NPM, "ranged", "1.0.0", "npm-range version-range", ""},
		{ecosystem.NPM, "ranged", "1.5.0", "", ioc.SafeVersion},
		{ecosystem.NPM, "ranged", "2.0.0", "", ioc.OtherVersion},
		{ecosystem.NPM, "unbounded", "4.1.1", "npm-unbounded exact-version", ""},
		{ecosystem.NPM, "unbounded", "4.1.0", "", ioc.OtherVersion}, // the open range asserts nothing
		{ecosystem.NPM, "all-bad", "99.0.0", "npm-all all-versions", ""},
		{ecosystem.NPM, "all-bad", "0.0.1", "", ioc.SafeVersion},
		{ecosystem.NPM, "from-zero", "0.0.1-rc", "npm-zero all-versions", ""},
		{ecosystem.NPM, "@evil/anything", "1.0.0", "npm-scope namespace", ""},
		{ecosystem.NPM, "@evilx/anything", "1.0.0", "", ioc.OtherName},
		{ecosystem.PyPI, "some-name", "1.0", "pypi exact-version", ""},
		{ecosystem.PyPI, "some-name", "1", "pypi exact-version", ""},
		{ecosystem.PyPI, "some-name", "v1.0.0", "pypi exact-version", ""},
		{ecosystem.PyPI, "some-name", "1.0+cpu", "pypi local-version", ""}, // as == does
		{ecosystem.PyPI, "some-name", "2.0+local", "pypi exact-version", ""},
		{ecosystem.PyPI, "some-name", "2.0", "", ioc.OtherVersion}, // an indicator with a local part meets only itself
		{ecosystem.Go, "github.com/Evil/mod", "v1.0.0", "go exact-version", ""},
		{ecosystem.Go, "github.com/evil/mod", "v1.0.0", "go case-only", ""},
		{ecosystem.Go, "github.com/Evil/mod", "v1.0.0+incompatible", "", ioc.OtherVersion},
		{ecosystem.Go, "github.com/Evil/mod", "v0.0.0-20260804093512-abcdefabcdef", "go exact-version", ""},
		{ecosystem.Go, "github.com/Evil/one", "v1.0.0", "go-one exact-version", ""}, // and not by letter case as well
		{ecosystem.Go, "github.com/evil/one", "v1.0.0", "go-one case-only", ""},
		{ecosystem.Actions, "owner/action", "v1", "action exact-version", ""},
		{ecosystem.Actions, "owner/action", "v1.0", "", ioc.OtherVersion},
		{ecosystem.Actions, "owner/action", "refs/tags/v1", "action exact-version", ""}, // GitHub takes the full name
		{ecosystem.Actions, "owner/action", "refs/heads/v1", "action exact-version", ""},
		{ecosystem.Actions, "owner/action", strings.ToUpper(actionCommit), "action exact-version", ""},
		{ecosystem.Actions, "owner/action", actionCommit[:12], "", ioc.OtherVersion},
		{ecosystem.Go, "example.com/Lower/mod", "v1.0.0", "go-lower case-only", ""},
	} {
		ms, why := set.Package(tt.ecosystem, tt.name, tt.version)
		if got := show(ms); got != tt.want {
			t.Errorf("Package(%s, %q, %q) = %q, want %q", tt.ecosystem, tt.name, tt.version, got, tt.want)
		}
		if tt.want == "" && why != tt.why {
			t.Errorf("Package(%s, %q, %q): reason %q, want %q", tt.ecosystem, tt.name, tt.version, why, tt.why)
		}
	}
}

func TestSetLatent(t *testing.T) {
	set := open(t, testPack())
	for _, tt := range []struct {
		ecosystem  ecosystem.Ecosystem
		name, expr string
		want       string
	}{
		{ecosystem.NPM, "@scope/x", "^1.2.0", "npm-exact latent-range"},
		{ecosystem.NPM, "@scope/x", "~1.3.0", ""},
		{ecosystem.NPM, "@scope/x", "", "npm-exact latent-range"},
		{ecosystem.NPM, "all-bad", "latest", "npm-all all-versions"},
		{ecosystem.PyPI, "some-name", ">=0.9,<2", "pypi latent-range"},
		{ecosystem.PyPI, "some-name", ">=3", ""},
		{ecosystem.NPM, "@scope/x", "latest", "npm-exact latent-range"}, // a tag can come to stand for any version
		{ecosystem.NPM, "@evil/anything", "^1.0.0", "npm-scope namespace"},
		{ecosystem.NPM, "@evilx/anything", "^1.0.0", ""},
		{ecosystem.NPM, "/", "^1.0.0", ""},
		{ecosystem.NPM, "", "", ""},
		{ecosystem.NPM, "unknown", "*", ""},
	} {
		ms, _ := set.Latent(tt.ecosystem, tt.name, tt.expr)
		if got := show(ms); got != tt.want {
			t.Errorf("Latent(%s, %q, %q) = %q, want %q", tt.ecosystem, tt.name, tt.expr, got, tt.want)
		}
	}
}

func TestSetDigest(t *testing.T) {
	set := open(t, testPack())
	sri := digest.Digest{Algorithm: digest.SHA512, Text: strings.TrimPrefix(sha512SRI, "sha512-")}
	inHex := digest.Digest{Algorithm: digest.SHA512, Text: strings.TrimPrefix(sri.String(), "sha512:")}
	for _, tt := range []struct {
		digest digest.Digest
		want   string
	}{
		{sri, "npm-digest integrity"},
		{inHex, "npm-digest integrity"}, // one digest, another spelling
		{digest.Digest{Algorithm: digest.SHA256, Text: sha256Hex}, "file-size file-digest"},
		{digest.Digest{Algorithm: digest.SHA256, Text: strings.ToUpper(sha256Hex)}, "file-size file-digest"},
		{digest.Digest{Algorithm: digest.SHA1, Text: sha1Hex}, "file-sha1 file-digest"},
		{digest.Digest{Algorithm: digest.SHA256, Text: sha256Hex[:63] + "0"}, ""}, // the last digit is another
		{digest.Digest{Algorithm: digest.SHA1, Text: sha256Hex}, ""},
	} {
		if got := show(set.Digest(tt.digest)); got != tt.want {
			t.Errorf("Digest(%v) = %q, want %q", tt.digest, got, tt.want)
		}
	}
}

func TestSetAsksSize(t *testing.T) {
	set := open(t, testPack())
	for _, tt := range []struct {
		path string
		want bool
	}{
		{".github/setup.js", true},
		{"lib/setup.js", false}, // the path is listed, not the name
		{"hook/run.js", false},  // decided by its blob id
		{"any", false},          // a size alone is no path
		{"docs/README.md", false},
	} {
		if got := set.AsksSize(tt.path); got != tt.want {
			t.Errorf("AsksSize(%q) = %t, want %t", tt.path, got, tt.want)
		}
	}
	if got := set.Stats().BySize[ioc.TypeFile]; got != 1 {
		t.Errorf("Stats().BySize of files = %d, want 1", got)
	}
}

func TestSetFile(t *testing.T) {
	set := open(t, testPack())
	for _, tt := range []struct {
		path string
		size int64
		blob string
		want string
		hash bool
	}{
		{"a/b/setup_bun.js", 10, "", "file-name file-path", false},
		{".claude/setup.mjs", 10, "", "file-path file-path", false},
		{"packages/a/.claude/setup.mjs", 10, "", "", false}, // a path is the whole path
		{".vscode/setup.mjs", 10, "", "file-deep file-path", false},
		{"packages/a/.vscode/setup.mjs", 10, "", "file-deep file-path", false},
		{".github/workflows/formatter_123.yml", 10, "", "file-glob file-path", false},
		{".github/workflows/x/formatter_123.yml", 10, "", "", false},
		{".github/workflows/shai-hulud.yml", 10, "", "workflow file-path", false},
		{"lib/anything.js", 727680, "", "", true},
		{"lib/anything.js", 727681, "", "", false},
		{"index.js", 5, blobHex, "file-blob git-blob", false},
		{"hook/run.js", 5, "", "", true}, // the tree tells no blob id: the content does
		{"hook/run.js", 5, blobHex, "file-blob git-blob", false},
		{"hook/run.js", 5, strings.Repeat("1A2B", 10), "file-hook git-blob", false},
		{".github/setup.js", 4_300_000, "", "file-big file-path", false},
		{".github/setup.js", 300, "", "", false},
		{"README.md", 300, "", "", false},
		{"a/b/setup_bun.js", -1, "", "file-name file-path", false}, // named by a partial clone, or a link
		{".github/setup.js", -1, "", "", false},
		{"hook/run.js", -1, "", "", true},
	} {
		ms, hash := set.File(tt.path, tt.size, tt.blob)
		if got := show(ms); got != tt.want || hash != tt.hash {
			t.Errorf("File(%q, %d, %q) = %q, %t; want %q, %t", tt.path, tt.size, tt.blob, got, hash, tt.want, tt.hash)
		}
	}
}

func TestSetCommit(t *testing.T) {
	set := open(t, testPack())
	const commit = "1916faa365f2788b6e193514872d51a242876569"
	for _, tt := range []struct{ url, commit, want string }{
		{"git+ssh://git@github.com/antvis/G2.git#" + commit, commit, "ref git-commit"},
		{"github:antvis/G2#" + commit, commit, "ref git-commit"},
		{"https://github.com/antvis/G2", strings.ToUpper(commit), "ref git-commit"},
		{"git@github.com:antvis/G2.git", commit, "ref git-commit"},
		{"https://github.com/antvis/G6", commit, ""},
		{"https://github.com/antvis/G2", commit[:39] + "0", ""},
		{"https://github.com/antvis/G2", "1916f", ""},
		{"https://github.com/antvis/G2", commit[:7], "ref git-commit"}, // a manifest may give so much
		{"https://github.com/antvis/G2", commit[:7] + "0", ""},
		{"antvis/G2#" + commit, commit, "ref git-commit"},
		{"other/antvis/G2", commit, ""},
		{"gitlab:antvis/G2", commit, ""},
	} {
		if got := show(set.Commit(tt.url, tt.commit)); got != tt.want {
			t.Errorf("Commit(%q, %q) = %q, want %q", tt.url, tt.commit, got, tt.want)
		}
	}
}

func TestSetLayersAndCampaigns(t *testing.T) {
	second := ioc.Pack{ID: "second", Title: "Second", Indicators: []ioc.Indicator{
		{ID: "b", Type: ioc.TypePackage, Ecosystem: ecosystem.NPM, Name: "@scope/x", Versions: []string{"1.2.3"}},
	}}
	both := open(t, testPack()).With(open(t, second))
	ms, _ := both.Package(ecosystem.NPM, "@scope/x", "1.2.3")
	if got, want := show(ms), "npm-exact exact-version, b exact-version"; got != want {
		t.Errorf("both layers: %q, want %q", got, want)
	}
	only, err := both.Only("second")
	if err != nil {
		t.Fatal(err)
	}
	ms, _ = only.Package(ecosystem.NPM, "@scope/x", "1.2.3")
	if got, want := show(ms), "b exact-version"; got != want {
		t.Errorf("only the second: %q, want %q", got, want)
	}
	if st := only.Stats(); st.Campaigns != 1 || st.Indicators != 1 || st.Packages != 1 || st.Versions != 1 || len(st.Unmatched) != 0 {
		t.Errorf("Stats() of the second alone = %+v", st)
	}
	if _, err := both.Only("third"); !errors.Is(err, ioc.ErrNoCampaign) {
		t.Errorf("Only(third): %v, want ErrNoCampaign", err)
	}
	var ids []string
	for _, p := range both.Campaigns() {
		ids = append(ids, p.ID)
	}
	if want := []string{"test-campaign", "second"}; !slices.Equal(ids, want) {
		t.Errorf("Campaigns() = %q, want %q", ids, want)
	}
	if st := both.Stats(); st.Campaigns != 2 || st.Unmatched[ioc.TypeNetwork] != 1 || st.Unmatched[ioc.TypePackage] != 0 {
		t.Errorf("Stats() = %+v", st)
	}
	if _, why := (&ioc.Set{}).Package(ecosystem.NPM, "@scope/x", "1.2.3"); why != ioc.OtherName {
		t.Errorf("the zero Set: %q", why)
	}
}

func TestCompileRefuses(t *testing.T) {
	for _, tt := range []struct {
		ind  ioc.Indicator
		want string
	}{
		{ioc.Indicator{ID: "i", Type: ioc.TypePackage, Ecosystem: ecosystem.NPM, Name: "x", Versions: []string{"various"}}, "various"},
		{ioc.Indicator{ID: "i", Type: ioc.TypePackage, Ecosystem: ecosystem.NPM, Name: "x", Integrity: []string{"sha512-AAAA"}}, "sha512-AAAA"},
		{ioc.Indicator{ID: "i", Type: ioc.TypeFile, SHA256: "abc"}, "abc"},
		{ioc.Indicator{ID: "i", Type: ioc.TypeFile, Path: "**/a/**/b/**/c"}, "more than two"},
		{ioc.Indicator{ID: "i", Type: ioc.TypeDependencyRef, Commit: "abc"}, "abc"},
		{ioc.Indicator{ID: "i", Type: ioc.TypePackage, Ecosystem: ecosystem.PyPI, Name: "x", Ranges: []ioc.Range{{Type: "GIT", Events: []ioc.RangeEvent{{Introduced: "0"}}}}}, "GIT"},
	} {
		_, err := ioc.Compile([]ioc.Pack{{ID: "p", Indicators: []ioc.Indicator{tt.ind}}})
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), `"p"`) {
			t.Errorf("Compile(%+v): %v, want an error that names the pack and %q", tt.ind, err, tt.want)
		}
	}
	if _, err := ioc.Open("wormsioc, but not really"); !errors.Is(err, ioc.ErrIndex) {
		t.Errorf("Open of other bytes: %v", err)
	}
}

// A name that is not listed, the common case by far, costs no allocation.
func TestMissAllocatesNothing(t *testing.T) {
	set := open(t, testPack())
	d := digest.Digest{Algorithm: digest.SHA256, Text: strings.Repeat("a", 64)}
	if n := testing.AllocsPerRun(100, func() {
		set.Package(ecosystem.NPM, "@types/node", "20.1.0")
		set.Package(ecosystem.Go, "golang.org/x/mod", "v0.1.0")
		set.Digest(d)
		set.File("src/index.ts", 1234, "")
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkSetPackageMiss(b *testing.B) {
	set := open(b, testPack())
	for b.Loop() {
		set.Package(ecosystem.NPM, "@types/node", "20.1.0")
	}
}
