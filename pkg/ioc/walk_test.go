package ioc_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

func names(s *ioc.Set) []string {
	var out []string
	for n := range s.Names() {
		text := string(n.Ecosystem) + " " + n.Name
		if n.Namespace {
			text += " scope"
		}
		out = append(out, text)
	}
	slices.Sort(out)
	return out
}

func TestSetNames(t *testing.T) {
	s := open(t, testPack())
	want := []string{
		"GitHub Actions owner/action", "Go example.com/lower/mod", "Go github.com/Evil/mod", "Go github.com/Evil/one", "PyPI some-name",
		"npm @evil scope", "npm @scope/x", "npm all-bad", "npm from-zero", "npm ranged", "npm unbounded",
	}
	if diff := cmp.Diff(want, names(s)); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	more := open(t, ioc.Pack{ID: "more", Indicators: []ioc.Indicator{{ID: "m", Type: ioc.TypePackage, Ecosystem: ecosystem.NPM, Name: "ranged", Versions: []string{"9.0.0"}}}})
	if got := names(s.With(more)); len(got) != len(want)+1 {
		t.Errorf("with another layer: %q", got)
	}
	if got := names(&ioc.Set{}); got != nil {
		t.Errorf("of nothing: %q", got)
	}
	for range s.Names() { // a caller may stop
		break
	}
}

func TestSetDigestsAndCommits(t *testing.T) {
	s := open(t, testPack())
	var all []string
	for prefix := range s.DigestPrefixes() {
		for d := range s.Digests(prefix) {
			if p, ok := d.Prefix(); !ok || p != prefix {
				t.Errorf("%s has the prefix %x, not %x", d, p, prefix)
			}
			if len(s.Digest(d)) == 0 {
				t.Errorf("%s is listed and not met", d)
			}
			all = append(all, d.String())
		}
	}
	slices.Sort(all)
	want := []string{"sha1:" + sha1Hex, "sha256:" + sha256Hex}
	sri, _ := ioc.ParseIntegrity(sha512SRI)
	want = append(want, sri.String())
	if diff := cmp.Diff(want, all); diff != "" {
		t.Errorf("digests (-want +got):\n%s", diff)
	}
	for d := range s.Digests(12345) {
		t.Errorf("a prefix that is not listed has %s", d)
	}
	b, _ := sri.Bytes()
	if p, ok := digest.PrefixOf(digest.SHA512, b[:8]); !ok || len(slices.Collect(s.Digests(p))) != 1 {
		t.Errorf("PrefixOf the first bytes = %x, %t: not the digest's", p, ok)
	}
	if _, ok := digest.PrefixOf(digest.SHA512, b[:7]); ok {
		t.Error("PrefixOf seven bytes is ok")
	}
	if got := slices.Collect(s.CommitKeys()); !slices.Equal(got, []string{"1916faa"}) {
		t.Errorf("commits: %q", got)
	}
}

// The revision of files changes with what selects files, and with nothing else.
func TestFilesRevision(t *testing.T) {
	change := func(f func(p *ioc.Pack)) string {
		p := testPack()
		f(&p)
		return open(t, p).FilesRevision()
	}
	at := func(p *ioc.Pack, id string) *ioc.Indicator {
		return &p.Indicators[slices.IndexFunc(p.Indicators, func(i ioc.Indicator) bool { return i.ID == id })]
	}
	base := open(t, testPack()).FilesRevision()
	for about, got := range map[string]string{
		"a package":      change(func(p *ioc.Pack) { at(p, "npm-exact").Versions = []string{"7.0.0"} }),
		"another digest": change(func(p *ioc.Pack) { at(p, "file-size").SHA256 = strings.Repeat("ab", 32) }),
		"a digest alone": change(func(p *ioc.Pack) { at(p, "file-sha1").SHA1 = strings.Repeat("ab", 20) }),
		"the campaign":   change(func(p *ioc.Pack) { p.ID, p.Title = "other", "Other" }),
		"the order":      change(func(p *ioc.Pack) { slices.Reverse(p.Indicators) }),
		"said once more": change(func(p *ioc.Pack) {
			again := *at(p, "file-deep")
			again.ID = "again"
			p.Indicators = append(p.Indicators, again)
		}),
		"a property":       change(func(p *ioc.Pack) { at(p, "domain").Value = "example.net" }),
		"an empty catalog": open(t, testPack()).With(&ioc.Set{}).FilesRevision(),
	} {
		if got != base {
			t.Errorf("%s changed it", about)
		}
	}
	seen := map[string]string{base: "nothing"}
	for about, got := range map[string]string{
		"a name":             change(func(p *ioc.Pack) { at(p, "file-name").Name = "other.js" }),
		"a path":             change(func(p *ioc.Pack) { at(p, "file-path").Path = ".claude/other.mjs" }),
		"a deep path":        change(func(p *ioc.Pack) { at(p, "file-deep").Path = "**/x/setup.mjs" }),
		"a glob":             change(func(p *ioc.Pack) { at(p, "file-glob").Path = "**/*_x.yml" }),
		"a size":             change(func(p *ioc.Pack) { at(p, "file-size").Size++ }),
		"bounds of a size":   change(func(p *ioc.Pack) { at(p, "file-big").SizeMin++ }),
		"a blob id":          change(func(p *ioc.Pack) { at(p, "file-blob").GitBlob = strings.Repeat("0f", 20) }),
		"a blob id by path":  change(func(p *ioc.Pack) { at(p, "file-hook").GitBlob = strings.Repeat("0f", 20) }),
		"a digest more":      change(func(p *ioc.Pack) { at(p, "file-name").SHA256 = sha256Hex }),
		"a workflow":         change(func(p *ioc.Pack) { at(p, "workflow").Path = ".github/workflows/other.yml" }),
		"one indicator less": change(func(p *ioc.Pack) { at(p, "file-name").Type = ioc.TypeNPMScript }),
		"nothing listed":     (&ioc.Set{}).FilesRevision(),
	} {
		if other, there := seen[got]; there {
			t.Errorf("%s gives the revision of %s", about, other)
		}
		seen[got] = about
	}
	both := open(t, testPack(), ioc.Pack{ID: "other", Indicators: []ioc.Indicator{{ID: "f", Type: ioc.TypeFile, Name: "more.js"}}})
	if both.FilesRevision() == base {
		t.Error("a file of another campaign did not change it")
	}
	only, err := both.Only("test-campaign")
	if err != nil || only.FilesRevision() != base {
		t.Errorf("of the first campaign alone it is another (%v)", err)
	}
}

// The revision of properties changes with what they are met by, and with nothing else.
func TestPropertiesRevision(t *testing.T) {
	set := func(all ...ioc.Indicator) *ioc.Set {
		for i := range all {
			all[i].ID, all[i].Confidence = fmt.Sprint("i", i), ioc.Probable
		}
		return open(t, ioc.Pack{ID: "p", Title: "P", Severity: ioc.High, Indicators: all})
	}
	branch := ioc.Indicator{Type: ioc.TypeGit, Kind: "branch_glob", Value: "a*"}
	topic := ioc.Indicator{Type: ioc.TypeGitHub, Kind: "topic", Value: "a*"}
	file := ioc.Indicator{Type: ioc.TypeFile, Name: "x"}
	base := set(branch).PropertiesRevision()
	for about, got := range map[string]*ioc.Set{"a file more": set(branch, file), "said twice": set(branch, branch), "in two sets": set(branch).With(set(file, branch))} {
		if got.PropertiesRevision() != base {
			t.Errorf("%s changed it", about)
		}
	}
	other := branch
	other.Value = "b*"
	seen := map[string]string{base: "one branch"}
	for about, got := range map[string]*ioc.Set{"another value": set(other), "another kind": set(topic), "two": set(branch).With(set(topic)), "none": set(file)} {
		r := got.PropertiesRevision()
		if is, there := seen[r]; there {
			t.Errorf("%s has the revision of %s", about, is)
		}
		seen[r] = about
	}
	both := open(t, ioc.Pack{ID: "p", Title: "P", Severity: ioc.High, Indicators: []ioc.Indicator{{ID: "i", Confidence: ioc.Probable, Type: branch.Type, Kind: branch.Kind, Value: branch.Value}}},
		ioc.Pack{ID: "q", Title: "Q", Severity: ioc.High, Indicators: []ioc.Indicator{{ID: "i", Confidence: ioc.Probable, Type: other.Type, Kind: other.Kind, Value: other.Value}}})
	only, err := both.Only("p")
	if err != nil || only.PropertiesRevision() != base || both.PropertiesRevision() == base {
		t.Errorf("of one campaign: %v", err)
	}
}
