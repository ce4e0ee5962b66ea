package feed_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/ioc/feed"
)

// say writes an entry on one line: what a reader of the test compares.
func say(e feed.Entry) string {
	ind := e.Indicator
	out := fmt.Sprintf("%d %s %s", e.Line, ind.Type, ind.Confidence)
	for _, s := range []string{
		string(ind.Ecosystem), ind.Name, strings.Join(ind.Versions, ","), ind.Kind, ind.Value, ind.GitURL, ind.Commit, ind.Path,
		ind.Hook, ind.Literal, ind.Regex, ind.SHA256, ind.SHA1, ind.GitBlob, strings.Join(ind.Integrity, ","),
	} {
		if s != "" {
			out += " " + s
		}
	}
	for _, r := range ind.Ranges {
		out += " [" + feed.RangeText(r) + "]"
		if r.Unbounded {
			out += " unbounded"
		}
	}
	if ind.AllVersions {
		out += " *"
	}
	if ind.Namespace {
		out += " namespace"
	}
	if ind.Status != "" {
		out += " " + string(ind.Status)
	}
	if e.Section != "" {
		out += " under " + e.Section
	}
	if e.Campaign != "" {
		out += " of " + e.Campaign
	}
	if len(e.Vendors) > 0 {
		out += " by " + strings.Join(e.Vendors, "+")
	}
	return out
}

// sayAll lists entries, then errors, then repairs.
func sayAll(f feed.Feed) string {
	var b strings.Builder
	for _, e := range f.Entries {
		fmt.Fprintln(&b, say(e))
	}
	for _, e := range f.Errors {
		fmt.Fprintln(&b, "error", e)
	}
	for _, r := range f.Repairs {
		fmt.Fprintf(&b, "repair %d %s: %s -> %s\n", r.Line, r.Rule, r.Found, r.Made)
	}
	if f.Duplicates > 0 {
		fmt.Fprintf(&b, "%d duplicates\n", f.Duplicates)
	}
	return b.String()
}

const sum = "46faab8ab153fae6e80e7cca38eab363075bb524edd79e42269217a083628f09"

var importTests = []struct {
	name, in string
	form     feed.Form
	want     string
}{
	{
		"list.txt",
		"# a comment\n" +
			"# ======\n# MAY 2026 - X\n# more\n# ======\n# part\n" +
			"@scope/x:1.0.0\r\n  y:1.0.0 \ny:1.0.0\npypi:Zope_Interface:1.0rc1\ngo:github.com/a/b:v1.0.0\ncomposer:a/b:1.0.0\n" +
			"github.com/c/d:v1.0.0\nz@1.0.0\n@@s/x:2.0.0\n" +
			"@s/x\nx\nx:various versions\nx:nan\nnpm:github.com/a/b:v1.0.0\npypi:x:not a version\nhttps://x.example/y:1.0.0\n",
		feed.FormText,
		`7 package probable npm @scope/x 1.0.0 under MAY 2026 - X
8 package probable npm y 1.0.0 under MAY 2026 - X
10 package probable PyPI zope-interface 1.0rc1 under MAY 2026 - X
11 package probable Go github.com/a/b v1.0.0 under MAY 2026 - X
12 package probable Packagist a/b 1.0.0 under MAY 2026 - X
13 package probable Go github.com/c/d v1.0.0 under MAY 2026 - X
14 package probable npm z 1.0.0 under MAY 2026 - X
15 package probable npm @s/x 2.0.0 under MAY 2026 - X
error "list.txt":16: no-version: "@s/x": not name:version
error "list.txt":17: no-version: "x": not name:version
error "list.txt":18: bad-version: "x": version "various versions"
error "list.txt":19: no-version: "x": version "nan"
error "list.txt":20: wrong-ecosystem: "github.com/a/b": a Go module path cannot be a name of npm
error "list.txt":21: bad-version: "x": version "not a version"
error "list.txt":22: impossible-name: "https://x.example/y": not a name of npm
repair 7 default-ecosystem: rows that name no ecosystem -> npm
repair 13 go-path: github.com/c/d -> Go github.com/c/d
repair 15 double-at: @@s/x -> @s/x
1 duplicates
`,
	},
	{
		"hashes.txt",
		sum + "  bundle.js\n" + strings.ToUpper(sum) + "\nbundle.js\n" + sum[:40] + "\n" + sum[:63] + "\n" +
			"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 empty\n" + strings.Repeat("deadbeef", 8) + "\n",
		feed.FormDigests,
		`1 file probable ` + sum + `
4 file probable ` + sum[:40] + `
error "hashes.txt":3: bad-digest: "bundle.js": neither SHA-256, SHA-1 nor MD5
error "hashes.txt":5: bad-digest: "` + sum[:63] + `": neither SHA-256, SHA-1 nor MD5
error "hashes.txt":6: empty-file-digest: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
error "hashes.txt":7: low-entropy-digest: "` + strings.Repeat("deadbeef", 8) + `": nothing hashes to this
1 duplicates
`,
	},
	{
		"wiz.csv",
		"Package,Malicious Version\r\n\"x\",= 1.0.0 || = 1.0.1\r\n@s/y,\"2.0.1, 2.0.0\"\r\nz,1.0.0 | 1.0.1\r\n@t/*,Numerous packages (various versions)\r\n@u/*,*\r\nw,\r\nv,*\r\na,b,c\r\nu,\"1.0.0",
		feed.FormCSV,
		`2 package probable npm x 1.0.0,1.0.1
3 package probable npm @s/y 2.0.0,2.0.1
4 package probable npm z 1.0.0,1.0.1
6 package probable npm @u * namespace
8 package probable npm v *
error "wiz.csv":5: bad-version: "@t/*": version "Numerous packages (various versions)"
error "wiz.csv":7: no-version: "w": no version
error "wiz.csv":9: bad-row: 3 cells under 2 headings
error "wiz.csv":10: bad-row: extraneous or missing " in quoted-field
repair 2 default-ecosystem: rows that name no ecosystem -> npm
`,
	},
	{
		"mixed.csv",
		"type,indicator,context\ndomain,bad[.]example,\"C2, here\"\nurl,hxxps://bad.example/x,\nipv4,169.254.169.254,\nnpm package,x@1.0.0,\nnpm package,x,\n" +
			"sha256," + sum + ",\nfilepath,%TEMP%\\x.vbs,\nfilepath,/tmp/.<random>,\nregistry,HKCU\\X,\nyara,rule,\ndomain,,\nstring,0,\n",
		feed.FormCSV,
		`2 network probable domain bad.example
3 network probable url https://bad.example/x
4 network weak ip 169.254.169.254
5 package probable npm x 1.0.0
7 file probable ` + sum + `
8 host probable path %TEMP%\x.vbs
10 host probable registry_key HKCU\X
error "mixed.csv":6: no-version: "x": no version
error "mixed.csv":9: bad-value: "/tmp/.<random>": holds a placeholder
error "mixed.csv":11: unknown-kind: "yara": "rule"
error "mixed.csv":12: bad-value: domain without a value
error "mixed.csv":13: common-name: literal "0" is under 6 bytes
repair 2 defanged: bad[.]example -> bad.example
repair 3 defanged: hxxps://bad.example/x -> https://bad.example/x
repair 4 benign-value: 169.254.169.254 -> weak: 169.254.169.254
`,
	},
	{
		"table.tsv",
		"ecosystem\tname\tversion\tcampaign\tconfidence\tsources\nnpm\tx\t1.0.0\tc\thigh\ta; b\nnpm\ty\t1.0.0\tc\t\ta, b\n\tz\t1.0.0\tc\tlow\t\nKlingon\tz\t1.0.0\tc\tlow\t\nGo\tgithub.com/a/b\t*\tc\tlow\t\nnpm\tz\t1.0.0\tc\tsure\t\ngithub action\ta/B\tv1\t\t\t\n",
		feed.FormCSV,
		`2 package probable npm x 1.0.0 of c by a+b
3 package confirmed npm y 1.0.0 of c by a+b
6 package weak Go github.com/a/b * of c
8 package probable GitHub Actions a/b v1
error "table.tsv":4: no-ecosystem: "": not an ecosystem of ours
error "table.tsv":5: no-ecosystem: "klingon": not an ecosystem of ours
error "table.tsv":7: bad-row: confidence "sure"
`,
	},
	{
		"detector.json",
		`{"packages": [
  {"name": "x", "affectedVersions": ["1.0.1", "1.0.0"], "severity": "critical"},
  {"name": "github.com/a/b", "affectedVersions": ["v0.0.0-20260805062327-23dc26d5459b"]},
  {"name": "y", "version": "1.0.0"},
  {"name": "z", "versions": []},
  "w"
], "indicators": {
  "maliciousFiles": ["setup_bun.js", "cloud.json"],
  "fileHashes": {"x.js": {"sha256": ["` + sum + `"], "sha1": "` + sum[:40] + `"}},
  "gitHubIndicators": {"runnerName": "R", "workflowTrigger": "on: discussion"},
  "credentialPaths": [".npmrc"]
}}`,
		feed.FormList,
		`2 package probable npm x 1.0.0,1.0.1
3 package probable Go github.com/a/b v0.0.0-20260805062327-23dc26d5459b
4 package probable npm y 1.0.0
8 file probable setup_bun.js
8 file weak cloud.json
9 file probable x.js ` + sum + `
9 file probable x.js ` + sum[:40] + `
10 github probable runner_name R
error "detector.json":5: no-version: "z": no version
error "detector.json":6: bad-row: not an object
error "detector.json":10: unknown-kind: "workflowTrigger": "on: discussion"
error "detector.json":11: unknown-kind: "credentialPaths": ".npmrc"
repair 2 default-ecosystem: rows that name no ecosystem -> npm
repair 3 go-path: github.com/a/b -> Go github.com/a/b
repair 8 common-name: cloud.json -> weak: cloud.json
`,
	},
	{
		"byname.json",
		"{\"x\": {\"versions\": [\"1.0.0\"]},\n\"y\": {\"versions\": []}}",
		feed.FormByName,
		`1 package probable npm x 1.0.0
error "byname.json":2: no-version: "y": no version
repair 1 default-ecosystem: rows that name no ecosystem -> npm
`,
	},
	{
		"lines.jsonl",
		`{"name":"x","version":"1.0.0"}
{"hash": "` + sum + `"}
{"type":"ioc","kind":"package","registry":"docker","name":"a/b","version":"v1","campaign":"c","source":"s"}
{"type":"ioc","kind":"string","role":"dropbox_description_marker","value":"D","campaign":"c"}
{"type":"ioc","kind":"regex","value":"/a{2}/g"}
{"type":"ioc","kind":"sha256","artifact":"setup.mjs","value":"` + sum + `"}
{"type":"ioc","kind":"crypto_key","value":"k"}
{"name":"x","name":"y","version":"1.0.0"}
{"name":"x"
["x"]
{"x":1}
`,
		feed.FormLines,
		`1 package probable npm x 1.0.0
2 file probable ` + sum + `
3 package probable docker a/b v1 of c by s
4 github probable repo_description D of c
5 content probable a{2}
6 file probable setup.mjs ` + sum + `
error "lines.jsonl":7: unknown-kind: "crypto_key": "k"
error "lines.jsonl":8: bad-row: not one JSON object: "{\"name\":\"x\",\"name\":\"y\",\"version\":\"1.0.0\"}"
error "lines.jsonl":9: bad-row: not one JSON object: "{\"name\":\"x\""
error "lines.jsonl":10: bad-row: not one JSON object: "[\"x\"]"
error "lines.jsonl":11: bad-row: neither a package, a digest, a labelled value nor an OSV record
repair 1 default-ecosystem: rows that name no ecosystem -> npm
repair 5 js-regex: /a{2}/g -> a{2}
`,
	},
	{
		"bumblebee.json",
		`{"schema_version": "0.2.0", "_comment": "c", "_indicators": {"marker": "M"}, "entries": [
{"id": "1", "ecosystem": "npm", "package": "@@s/x", "versions": ["1.0.0"], "indicators": {"clean_sha256": "` + sum + `"}},
{"id": "2", "ecosystem": "go", "package": "github.com/a/b", "versions": ["*"]},
{"id": "3", "ecosystem": "editor-extension", "package": "a.b", "versions": ["1.0.0"]},
{"id": "4", "ecosystem": "none", "package": "x", "versions": ["1.0.0"]}
]}`,
		feed.FormBumblebee,
		`2 package probable npm @s/x 1.0.0
3 package probable Go github.com/a/b *
4 package probable VSCode a.b 1.0.0
error "bumblebee.json":1: free-key: "_indicators.marker": "M"
error "bumblebee.json":2: free-key: "indicators.clean_sha256": "` + sum + `"
error "bumblebee.json":5: no-ecosystem: "none": not an ecosystem of ours
repair 2 double-at: @@s/x -> @s/x
`,
	},
	{
		"signatures.json",
		`{"signatures": [{"id": "s", "indicators": [{"type": "glob", "pattern": "**/x*.js"}, {"type": "sha256", "value": "` + sum + `"}]}]}`,
		feed.FormSignatures,
		`1 file probable **/x*.js under s
1 file probable ` + sum + ` under s
`,
	},
	{
		"GO-1.yaml",
		"id: GO-1\nmodules:\n  - module: github.com/a/b\n  - module: github.com/a/c\n    versions:\n      - introduced: 1.2.3\n      - fixed: 1.3.0\n  - module: std\ncves: [CVE-1]\n",
		feed.FormVulnDB,
		`3 package confirmed Go github.com/a/b *
4 package confirmed Go github.com/a/c [>=v1.2.3 <v1.3.0]
error "GO-1.yaml":8: impossible-name: "std": not a name of Go
`,
	},
}

func TestImport(t *testing.T) {
	for _, tt := range importTests {
		f, err := feed.Import(tt.name, []byte(tt.in), feed.Options{})
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if f.Form != tt.form {
			t.Errorf("%s: form %q, want %q", tt.name, f.Form, tt.form)
		}
		if diff := cmp.Diff(tt.want, sayAll(f)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestImportOptions(t *testing.T) {
	f, err := feed.Import("byname.json", []byte(`{"x": {"versions": []}}`), feed.Options{Ecosystem: "PyPI", EmptyIsAll: true})
	if err != nil {
		t.Fatal(err)
	}
	want := `1 package probable PyPI x *
repair 1 default-ecosystem: rows that name no ecosystem -> PyPI
repair 1 empty-list: x -> x *
`
	if diff := cmp.Diff(want, sayAll(f)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestImportRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     error  // nil for any
		text     string // that the error holds
	}{
		{"x.json", `{"a": 1}`, feed.ErrForm, "x.json"},
		{"x.json", `{"packages": []}`, feed.ErrNothing, "x.json"},
		{"x.json", `{"packages": [}`, nil, `"x.json":1`},
		{"x.json", `{"packages": [], "packages": []}`, nil, "duplicate"},
		{"x.json", strings.Repeat("[", 200) + strings.Repeat("]", 200), nil, "nested deeper"},
		{"x.txt", "# only a comment\n", feed.ErrNothing, "x.txt"},
		{"README.md", "# A list\n\nThis is prose: it has a colon.\n", feed.ErrForm, `"README.md":3`},
		{"x.csv", "a,b\n1,2\n", feed.ErrForm, `"x.csv":1`},
		{"x.csv", "", nil, "header"},
		{"x.txt", "x:1.0.0\xff\n", nil, "not UTF-8"},
		{"x.yaml", "a: &x 1\nb: *x\n", nil, `"x.yaml":2: an alias`},
		{"x.yaml", "a: 1\n---\nb: 1\n", nil, "more than one document"},
		{"x.yaml", "modules: []\nmodules: []\n", nil, "x.yaml"},
		{"x.yaml", "1: 2\n", nil, "not a string"},
		{"x.yaml", "schema: ioc-pack/1\nid: x\ntitel: y\n", nil, `"x.yaml":3: "/titel"`},
		{"x.zip", "PK\x03\x04broken", nil, "x.zip"},
	} {
		_, err := feed.Import(tt.name, []byte(tt.in), feed.Options{})
		if err == nil || tt.want != nil && !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s %.40q: %v, want %v with %q", tt.name, tt.in, err, tt.want, tt.text)
		}
	}
}

func TestImportFolderAndZip(t *testing.T) {
	files := map[string]string{
		"a/list.txt":        "x:1.0.0\n",
		"b.csv":             "name,version\ny,1.0.0\n",
		"README.md":         "Prose: no list.\n",
		"README.txt":        "Prose: no list.\n",
		".git/config.txt":   "z:1.0.0\n",
		"c/MAL-1.json":      `{"id": "MAL-1", "affected": [{"package": {"ecosystem": "npm", "name": "v"}, "versions": ["1.0.0"]}]}`,
		"c/broken/bad.json": `{"id":`,
	}
	fsys := fstest.MapFS{}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	want := `1 package probable npm x 1.0.0
2 package probable npm y 1.0.0
1 package confirmed npm v 1.0.0
error "README.txt":1: bad-row: "Prose": version "no list.": no line is a package or a digest: no form of indicators that is known here
error "c/broken/bad.json":1: bad-row: unexpected EOF
repair 1 default-ecosystem: rows that name no ecosystem -> npm
repair 2 default-ecosystem: rows that name no ecosystem -> npm
`
	folder, err := feed.ImportFS(fsys, ".", feed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, sayAll(folder)); diff != "" {
		t.Errorf("folder (-want +got):\n%s", diff)
	}
	if want := []string{"README.md"}; !slices.Equal(folder.Passed, want) {
		t.Errorf("passed over %q, want %q", folder.Passed, want)
	}
	zipped, err := feed.Import("all.zip", b.Bytes(), feed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, sayAll(zipped)); diff != "" {
		t.Errorf("zip (-want +got):\n%s", diff)
	}
	single, err := feed.ImportFS(fsys, "b.csv", feed.Options{})
	if err != nil || len(single.Entries) != 1 || single.SHA256 == "" {
		t.Errorf("ImportFS of a file: %d entries, digest %q, %v", len(single.Entries), single.SHA256, err)
	}
	if _, err := feed.ImportFS(fsys, "none", feed.Options{}); err == nil {
		t.Error("ImportFS of what is not there: no error")
	}
}

// A pack in YAML is the pack in JSON, and what Lint complains of is left out aloud.
func TestImportPack(t *testing.T) {
	in := `schema: ioc-pack/1
id: x-2026-01
title: X
status: active
severity: high
revision: 1
modified: "2026-01-02T03:04:05Z"
sources: [{id: s}]
indicators:
  - {type: package, confidence: probable, sources: [s], ecosystem: npm, name: x, versions: ["1.0.0"]}
  - {type: package, confidence: probable, sources: [s], ecosystem: npm, name: "@@s/x", versions: ["1.0.0"]}
  - {type: file, confidence: probable, sources: [s], name: cloud.json}
`
	f, err := feed.Import("x.yaml", []byte(in), feed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := `10 package probable npm x 1.0.0 of x-2026-01
error "x.yaml":11: impossible-name: name: "@@s/x": not a name of npm
error "x.yaml":12: common-name: innocent projects have such a file: needs confidence weak or requires
`
	if diff := cmp.Diff(want, sayAll(f)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	packs := f.Packs("unused", time.Time{})
	if len(packs) != 1 || packs[0].ID != "x-2026-01" || len(packs[0].Indicators) != 1 || packs[0].Indicators[0].ID == "" {
		t.Fatalf("Packs() = %+v", packs)
	}
	for _, complaint := range ioc.Lint(packs[0]) {
		t.Errorf("the pack that was kept: %v", complaint)
	}

	folder := fstest.MapFS{"a.yaml": {Data: []byte(in)}, "b.yaml": {Data: []byte(in)}, "list.txt": {Data: []byte("y:1.0.0\n")}}
	f, err = feed.ImportFS(folder, ".", feed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if last := f.Errors[len(f.Errors)-1]; last.File != "b.yaml" || last.Rule != ioc.Duplicate {
		t.Errorf("a pack given twice: %v", f.Errors)
	}
	packs = f.Packs("x-2026-01", time.Time{})
	if len(packs) != 2 || packs[1].ID != "x-2026-01-list" {
		t.Errorf("packs %q and %q of %d", packs[0].ID, packs[1].ID, len(packs))
	}
}

// A record that is withdrawn in one place and not in another is disputed when both are of one
// advisory, and stands when they are not.
func TestPacksMerge(t *testing.T) {
	record := func(id, aliases, more string) string {
		return `{"id":"` + id + `","aliases":[` + aliases + `]` + more + `,"affected":[{"package":{"ecosystem":"npm","name":"x"},"versions":["1.0.0"]}]}` + "\n"
	}
	withdrawn := `,"withdrawn":"2026-05-26T17:12:48Z"`
	for _, tt := range []struct {
		name, in string
		want     ioc.Status
	}{
		{"one advisory", record("MAL-1", `"GHSA-1"`, "") + record("GHSA-1", "", withdrawn), ioc.Disputed},
		{"two advisories", record("MAL-1", "", withdrawn) + record("MAL-2", "", ""), ""},
		{"both withdrawn", record("MAL-1", "", withdrawn) + record("MAL-2", "", withdrawn), ioc.Withdrawn},
	} {
		f, err := feed.Import("x.jsonl", []byte(tt.in), feed.Options{})
		if err != nil {
			t.Fatal(err)
		}
		p := f.Packs("x", time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))[0]
		if len(p.Indicators) != 1 || p.Indicators[0].Status != tt.want {
			t.Errorf("%s: %+v, want one with status %q", tt.name, p.Indicators, tt.want)
		}
		for _, complaint := range ioc.Lint(p) {
			t.Errorf("%s: %v", tt.name, complaint)
		}
	}
}

// Hostile inputs are bounded, and what was left out is said.
func TestImportLimits(t *testing.T) {
	bad := strings.Repeat("not a row\n", feed.MaxErrors+5) + "x:1.0.0\n"
	f, err := feed.Import("x.txt", []byte(bad), feed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(f.Errors); n != feed.MaxErrors+1 || f.Errors[n-1].Detail != "5 more rows are no indicators" {
		t.Errorf("%d errors, the last %v", n, f.Errors[n-1])
	}
	var doubled strings.Builder
	for i := range feed.MaxErrors + 5 {
		fmt.Fprintf(&doubled, "@@s/x%d:1.0.0\n", i)
	}
	f, err = feed.Import("x.txt", []byte(doubled.String()), feed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(f.Repairs); n != feed.MaxErrors+1 || f.Repairs[n-1].Rule != string(feed.TooMany) {
		t.Errorf("%d repairs, the last %v", n, f.Repairs[n-1])
	}
	aliases := ""
	for i := range 150 {
		aliases += fmt.Sprintf(`,"CVE-2026-%d"`, i)
	}
	record := `{"id":"MAL-1","aliases":["GHSA-1"` + aliases + `],"affected":[{"package":{"ecosystem":"npm","name":"x"},"versions":["1.0.0"]}]}`
	f, err = feed.Import("x.json", []byte(record), feed.Options{})
	if err != nil || len(f.Errors) != 1 || f.Errors[0].Rule != feed.TooMany {
		t.Errorf("a record of 151 aliases: %v, %v", f.Errors, err)
	}
	for name, size := range map[string]int{"x.yaml": feed.MaxYAML, "x.txt": feed.MaxFile} {
		if _, err := feed.Import(name, bytes.Repeat([]byte("\n"), size+1), feed.Options{}); !errors.Is(err, feed.ErrTooLarge) {
			t.Errorf("%s of %d bytes: %v", name, size+1, err)
		}
	}
}
