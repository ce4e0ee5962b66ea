package ioc_test

import (
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// sound is a pack without complaints around the indicators.
func sound(indicators ...ioc.Indicator) ioc.Pack {
	p := ioc.Pack{
		Schema: ioc.Schema, ID: "x-2026-01", Title: "X", Status: ioc.PackActive, Severity: ioc.High, Revision: 1,
		Modified: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Sources: []ioc.Source{{ID: "s"}}, Indicators: indicators,
	}
	for i := range p.Indicators {
		ind := &p.Indicators[i]
		if ind.Confidence == "" {
			ind.Confidence = ioc.Probable
		}
		if ind.Sources == nil {
			ind.Sources = []string{"s"}
		}
		if ind.ID == "" {
			ind.ID = ioc.IndicatorID(*ind, p.ID)
		}
	}
	return p
}

func npm(name string, versions ...string) ioc.Indicator {
	return ioc.Indicator{Type: ioc.TypePackage, Ecosystem: "npm", Name: name, Versions: versions}
}

const (
	hex64 = "46faab8ab153fae6e80e7cca38eab363075bb524edd79e42269217a083628f09"
	hex40 = "d1829b4708126dcc7bea7437c04d1f10eacd4a16"
)

func TestLintIndicators(t *testing.T) {
	with := func(ind ioc.Indicator, change func(*ioc.Indicator)) ioc.Indicator {
		change(&ind)
		return ind
	}
	pkg := func(change func(*ioc.Indicator)) ioc.Indicator { return with(npm("x", "1.0.0"), change) }
	file := func(change func(*ioc.Indicator)) ioc.Indicator {
		return with(ioc.Indicator{Type: ioc.TypeFile, Name: "x.js"}, change)
	}
	value := func(typ ioc.Type, kind, value string) ioc.Indicator {
		return ioc.Indicator{Type: typ, Kind: kind, Value: value}
	}
	ranges := func(events ...ioc.RangeEvent) ioc.Indicator {
		return with(npm("x"), func(i *ioc.Indicator) { i.Ranges = []ioc.Range{{Type: "SEMVER", Events: events}} })
	}
	for _, tt := range []struct {
		name string
		ind  ioc.Indicator
		want ioc.Rule // "" for none
	}{
		{"package", npm("x", "1.0.0"), ""},
		{"scoped package", npm("@s/x", "1.0.0"), ""},
		{"doubled scope", npm("@@s/x", "1.0.0"), ioc.BadName},
		{"Go path in npm", npm("github.com/a/b", "1.0.0"), ioc.BadEcosystem},
		{"no ecosystem", pkg(func(i *ioc.Indicator) { i.Ecosystem = "" }), ioc.NoEcosystem},
		{"ecosystem in another case", pkg(func(i *ioc.Indicator) { i.Ecosystem = "NPM" }), ioc.NoEcosystem},
		{"ecosystem without lockfiles", pkg(func(i *ioc.Indicator) { i.Ecosystem = "OpenVSX" }), ""},
		{"name that is not folded", pkg(func(i *ioc.Indicator) { i.Ecosystem, i.Name = "PyPI", "X_y" }), ioc.BadName},
		{"prose for a version", npm("x", "various versions"), ioc.BadVersion},
		{"nan for a version", npm("x", "nan"), ioc.NoVersion},
		{"empty version", npm("x", ""), ioc.NoVersion},
		{"star for a version", npm("x", "*"), ioc.BadVersion},
		{"Go version without v", pkg(func(i *ioc.Indicator) { i.Ecosystem, i.Name = "Go", "github.com/a/b" }), ioc.BadVersion},
		{"version twice", npm("x", "1.0.0", "1.0.0"), ioc.Duplicate},
		{"versions out of order", npm("x", "1.10.0", "1.9.0"), ioc.Unsorted},
		{"nothing asserted", npm("x"), ioc.MissingField},
		{"all versions", with(npm("x"), func(i *ioc.Indicator) { i.AllVersions = true }), ""},
		{"all versions beside one", pkg(func(i *ioc.Indicator) { i.AllVersions = true }), ioc.ForeignField},
		{"namespace", with(npm("@s"), func(i *ioc.Indicator) { i.AllVersions, i.Namespace = true, true }), ""},
		{"namespace without all versions", with(npm("@s", "1.0.0"), func(i *ioc.Indicator) { i.Namespace = true }), ioc.BadName},
		{"namespace that is a package", with(npm("@s/x"), func(i *ioc.Indicator) { i.AllVersions, i.Namespace = true, true }), ioc.BadName},
		{"safe and bad", pkg(func(i *ioc.Indicator) { i.SafeVersion = []string{"1.0.0"} }), ioc.BadVersion},
		{"digest without a name", with(npm(""), func(i *ioc.Indicator) { i.Integrity = []string{"sha256:" + hex64} }), ""},
		{"digest that is none", pkg(func(i *ioc.Indicator) { i.Integrity = []string{"sha512-AAAA"} }), ioc.BadDigest},
		{"digest of nothing", pkg(func(i *ioc.Indicator) { i.Integrity = []string{"sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709"} }), ioc.EmptyFile},

		{"range", ranges(ioc.RangeEvent{Introduced: "1.0.0-0"}, ioc.RangeEvent{Fixed: "1.1.0"}), ""},
		{"range that begins nowhere", ranges(ioc.RangeEvent{Fixed: "1.1.0"}), ioc.BadRange},
		{"event without a version", ranges(ioc.RangeEvent{Introduced: "0"}, ioc.RangeEvent{}), ioc.BadRange},
		{"event with prose", ranges(ioc.RangeEvent{Introduced: "the start"}), ioc.BadVersion},
		{"unbounded range that ends", with(npm("x"), func(i *ioc.Indicator) {
			i.Ranges = []ioc.Range{{Type: "SEMVER", Unbounded: true, Events: []ioc.RangeEvent{{Introduced: "0"}, {Fixed: "1.0.0"}}}}
		}), ioc.BadRange},
		{"range of another type", with(npm("x"), func(i *ioc.Indicator) {
			i.Ranges = []ioc.Range{{Type: "GIT", Events: []ioc.RangeEvent{{Introduced: "0"}}}}
		}), ioc.BadRange},

		{"file by name", file(func(*ioc.Indicator) {}), ""},
		{"file by nothing", file(func(i *ioc.Indicator) { i.Name = "" }), ioc.MissingField},
		{"file by path for a name", file(func(i *ioc.Indicator) { i.Name = "a/x.js" }), ioc.BadValue},
		{"common file", file(func(i *ioc.Indicator) { i.Name = "bundle.js" }), ioc.CommonName},
		{"common file with a digest", file(func(i *ioc.Indicator) { i.Name, i.SHA256 = "bundle.js", hex64 }), ""},
		{"common file, weak", file(func(i *ioc.Indicator) { i.Name, i.Confidence = "bundle.js", ioc.Weak }), ""},
		{"path that worms write to", file(func(i *ioc.Indicator) { i.Name, i.Path = "", "**/.claude/settings.json" }), ioc.CommonName},
		{"path of a worm", file(func(i *ioc.Indicator) { i.Name, i.Path = "", "**/.claude/setup.mjs" }), ""},
		{"path on a machine", file(func(i *ioc.Indicator) { i.Name, i.Path = "", "~/.x" }), ioc.BadValue},
		{"digest in capitals", file(func(i *ioc.Indicator) { i.SHA256 = strings.ToUpper(hex64) }), ioc.BadDigest},
		{"digest of another length", file(func(i *ioc.Indicator) { i.SHA256 = hex40 }), ioc.BadDigest},
		{"empty git blob", file(func(i *ioc.Indicator) { i.GitBlob = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391" }), ioc.EmptyFile},
		{"digest that counts up", file(func(i *ioc.Indicator) { i.SHA256 = strings.Repeat("0123456789abcdef", 4) }), ioc.LowEntropy},
		{"sizes the wrong way round", file(func(i *ioc.Indicator) { i.SizeMin, i.SizeMax = 2, 1 }), ioc.BadValue},
		{"field of another type", file(func(i *ioc.Indicator) { i.Versions = []string{"1.0.0"} }), ioc.ForeignField},

		{"git dependency", ioc.Indicator{Type: ioc.TypeDependencyRef, GitURL: "github.com/a/b", Commit: hex40}, ""},
		{"git dependency by address", ioc.Indicator{Type: ioc.TypeDependencyRef, GitURL: "https://github.com/a/b.git", Commit: hex40}, ioc.BadValue},
		{"git dependency by a short commit", ioc.Indicator{Type: ioc.TypeDependencyRef, GitURL: "github.com/a/b", Commit: "abcdef"}, ioc.BadDigest},
		{"script", ioc.Indicator{Type: ioc.TypeNPMScript, Hook: "preinstall", Literal: "node x.js"}, ""},
		{"script without a hook", ioc.Indicator{Type: ioc.TypeNPMScript, Literal: "node x.js"}, ioc.MissingField},
		{"text", ioc.Indicator{Type: ioc.TypeContent, Literal: "runmask"}, ""},
		{"short text", ioc.Indicator{Type: ioc.TypeContent, Literal: "x"}, ioc.CommonName},
		{"text of innocent code", ioc.Indicator{Type: ioc.TypeContent, Literal: "api.anthropic.com"}, ioc.CommonName},
		{"text and expression", ioc.Indicator{Type: ioc.TypeContent, Literal: "runmask", Regex: "x"}, ioc.MissingField},
		{"expression that is none", ioc.Indicator{Type: ioc.TypeContent, Regex: "("}, ioc.BadValue},
		{"workflow", ioc.Indicator{Type: ioc.TypeWorkflow, Path: ".github/workflows/shai-hulud.yml"}, ""},
		{"common workflow", ioc.Indicator{Type: ioc.TypeWorkflow, Path: ".github/workflows/codeql.yml"}, ioc.CommonName},

		{"branch", value(ioc.TypeGit, "branch_glob", "x"), ""},
		{"kind of another type", value(ioc.TypeGit, "domain", "x.example"), ioc.UnknownValue},
		{"commit that is none", value(ioc.TypeGit, "commit_sha", "HEAD~1"), ioc.BadDigest},
		{"author whom worms forge", value(ioc.TypeGit, "author", "claude <claude@users.noreply.github.com>"), ioc.BenignValue},
		{"common shape of names", value(ioc.TypeGitHub, "repo_name_glob", "*-migration"), ioc.CommonName},
		{"expression for names that is none", value(ioc.TypeGitHub, "repo_name_regex", "["), ioc.BadValue},
		{"domain", value(ioc.TypeNetwork, "domain", "bad.example.net"), ""},
		{"defanged domain", value(ioc.TypeNetwork, "domain", "bad[.]example"), ioc.Defanged},
		{"domain that is an address", value(ioc.TypeNetwork, "domain", "https://bad.example"), ioc.BadValue},
		{"shared host", value(ioc.TypeNetwork, "domain", "webhook.site"), ioc.BenignValue},
		{"path on a shared host", value(ioc.TypeNetwork, "url", "https://webhook.site/bb8ca5f6"), ""},
		{"shared host as an address", value(ioc.TypeNetwork, "url", "https://webhook.site/"), ioc.BenignValue},
		{"address without a scheme", value(ioc.TypeNetwork, "url", "192.0.2.1:8000/x"), ""},
		{"metadata service", value(ioc.TypeNetwork, "ip", "169.254.169.254"), ioc.BenignValue},
		{"GitHub Pages", value(ioc.TypeNetwork, "ip", "185.199.108.153"), ioc.BenignValue},
		{"IP address", value(ioc.TypeNetwork, "ip", "192.0.2.1"), ""},
		{"user agent of everybody", value(ioc.TypeNetwork, "user_agent", "python-requests/2.31.0"), ioc.BenignValue},
		{"benign host alone", with(value(ioc.TypeNetwork, "domain", "a.example.net"), func(i *ioc.Indicator) { i.BenignHost = true }), ioc.BenignValue},
		{"account", with(value(ioc.TypeAccount, "npm", "x"), func(i *ioc.Indicator) { i.Role = "victim" }), ""},
		{"role that is none", with(value(ioc.TypeAccount, "npm", "x"), func(i *ioc.Indicator) { i.Role = "bystander" }), ioc.UnknownValue},
		{"no value", value(ioc.TypeHost, "path", ""), ioc.MissingField},

		{"type that is none", ioc.Indicator{Type: "rumour"}, ioc.UnknownValue},
		{"confidence that is none", pkg(func(i *ioc.Indicator) { i.Confidence = "sure" }), ioc.UnknownValue},
		{"id of another", pkg(func(i *ioc.Indicator) { i.ID = "package-0000000000000000" }), ioc.BadID},
		{"unknown source", pkg(func(i *ioc.Indicator) { i.Sources = []string{"t"} }), ioc.BadReference},
		{"no source", pkg(func(i *ioc.Indicator) { i.Sources = []string{} }), ioc.MissingField},
		{"requires nothing that is there", pkg(func(i *ioc.Indicator) { i.Requires = []string{"file"} }), ioc.BadReference},
		{"requires itself", pkg(func(i *ioc.Indicator) { i.Requires = []string{ioc.IndicatorID(npm("x", "1.0.0"), "x-2026-01")} }), ioc.WeakAlone},
		{"withdrawn without a word", pkg(func(i *ioc.Indicator) { i.Status = ioc.Withdrawn }), ioc.MissingField},
		{"withdrawn", pkg(func(i *ioc.Indicator) { i.Status, i.Withdrawal = ioc.Withdrawn, &ioc.Withdrawal{At: "2026-01-01"} }), ""},
		{"window that ends before it begins", pkg(func(i *ioc.Indicator) { i.Window = &ioc.Window{From: "2026-01-02", Until: "2026-01-01"} }), ioc.BadDate},
		{"window of one day", pkg(func(i *ioc.Indicator) { i.Window = &ioc.Window{From: "2026-01-02T03:04:05Z", Until: "2026-01-02"} }), ""},
		{"window in prose", pkg(func(i *ioc.Indicator) { i.Window = &ioc.Window{From: "yesterday"} }), ioc.BadDate},
	} {
		complaints := ioc.Lint(sound(tt.ind))
		if tt.want == "" && len(complaints) > 0 {
			t.Errorf("%s: %v, want no complaint", tt.name, complaints)
		}
		found := false
		for _, c := range complaints {
			found = found || c.Rule == tt.want && c.Index == 0
		}
		if tt.want != "" && !found {
			t.Errorf("%s: %v, want %s", tt.name, complaints, tt.want)
		}
	}
}

func TestLintPack(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*ioc.Pack)
		want   ioc.Rule
	}{
		{"id", func(p *ioc.Pack) { p.ID = "X 2026" }, ioc.BadHeader},
		{"title", func(p *ioc.Pack) { p.Title = "" }, ioc.BadHeader},
		{"status", func(p *ioc.Pack) { p.Status = "open" }, ioc.UnknownValue},
		{"severity", func(p *ioc.Pack) { p.Severity = "" }, ioc.UnknownValue},
		{"revision", func(p *ioc.Pack) { p.Revision = 0 }, ioc.BadHeader},
		{"date", func(p *ioc.Pack) { p.FirstSeen = "2026-13-01" }, ioc.BadDate},
		{"month", func(p *ioc.Pack) { p.FirstSeen, p.LastSeen = "2026-02", "2026-01" }, ioc.BadDate},
		{"reference", func(p *ioc.Pack) { p.References = []ioc.Reference{{Type: "web", URL: "javascript:alert(1)"}} }, ioc.BadHeader},
		{"related", func(p *ioc.Pack) { p.Related = []string{p.ID} }, ioc.BadReference},
		{"source twice", func(p *ioc.Pack) { p.Sources = append(p.Sources, p.Sources[0]) }, ioc.Duplicate},
		{"repair of nobody", func(p *ioc.Pack) { p.Repairs = []ioc.Repair{{Source: "t", Rule: "r"}} }, ioc.BadReference},
		{"indicator twice", func(p *ioc.Pack) { p.Indicators = append(p.Indicators, p.Indicators[0]) }, ioc.Duplicate},
	} {
		p := sound(npm("x", "1.0.0"))
		tt.change(&p)
		found := false
		for _, c := range ioc.Lint(p) {
			found = found || c.Rule == tt.want
		}
		if !found {
			t.Errorf("%s: %v, want %s", tt.name, ioc.Lint(p), tt.want)
		}
	}
	if complaints := ioc.Lint(sound(npm("x", "1.0.0"), npm("y", "1.0.0"))); len(complaints) > 0 {
		t.Errorf("a sound pack: %v", complaints)
	}
}

// A weak indicator may lean on another by its id or by its type.
func TestLintRequires(t *testing.T) {
	strong := ioc.Indicator{Type: ioc.TypeFile, Name: "router_init.js"}
	for _, requires := range [][]string{{"file"}, {ioc.IndicatorID(strong, "x-2026-01")}} {
		weak := ioc.Indicator{Type: ioc.TypeFile, Name: "data.json", Confidence: ioc.Weak, Requires: requires}
		if complaints := ioc.Lint(sound(strong, weak)); len(complaints) > 0 {
			t.Errorf("requires %q: %v", requires, complaints)
		}
	}
}

func TestCheckDigest(t *testing.T) {
	for _, tt := range []struct {
		a    digest.Algorithm
		text string
		want ioc.Rule
	}{
		{digest.SHA256, hex64, ""},
		{digest.SHA1, hex40, ""},
		{digest.MD5, "e3c6ce0440d9acd0f1cef1f0da3cdb5d", ""},
		{digest.SHA256, hex64[:63] + "g", ioc.BadDigest},
		{digest.SHA256, "", ioc.BadDigest},
		{digest.MD5, "d41d8cd98f00b204e9800998ecf8427e", ioc.EmptyFile},
		{digest.SHA256, "01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b", ioc.EmptyFile},
		{digest.SHA256, strings.Repeat("a", 64), ioc.LowEntropy},
		{digest.SHA1, strings.Repeat("deadbeef", 5), ioc.LowEntropy},
		{digest.SHA256, strings.Repeat("1234567890abcdef", 4), ioc.LowEntropy},
	} {
		err := ioc.CheckDigest(tt.a, tt.text)
		if (err == nil) != (tt.want == "") || err != nil && ioc.RuleOf(err) != tt.want {
			t.Errorf("CheckDigest(%s, %q) = %v, want %q", tt.a, tt.text, err, tt.want)
		}
	}
}
