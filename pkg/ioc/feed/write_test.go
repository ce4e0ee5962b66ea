package feed_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/wormsweep/wormsweep/internal/xtest"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/ioc/feed"
)

func closedRange(from, to string) ioc.Range {
	return ioc.Range{Type: "SEMVER", Events: []ioc.RangeEvent{{Introduced: from}, {Fixed: to}}}
}

// everyForm holds one of everything that a package indicator can say.
var everyForm = []ioc.Pack{{
	Schema: ioc.Schema, ID: "c-2026-01", Modified: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	Indicators: []ioc.Indicator{
		{Type: ioc.TypePackage, Confidence: ioc.Confirmed, Ecosystem: "npm", Name: "x", Versions: []string{"1.0.0", "2.0.0"}, OSV: []string{"MAL-1"}, Sources: []string{"a", "b"}},
		{Type: ioc.TypePackage, Confidence: ioc.Confirmed, Ecosystem: "npm", Name: "x", Ranges: []ioc.Range{
			closedRange("3.0.0-0", "3.1.0"), {Type: "SEMVER", Events: []ioc.RangeEvent{{Introduced: "0"}}, Unbounded: true},
		}},
		{Type: ioc.TypePackage, Confidence: ioc.Confirmed, Ecosystem: "npm", Name: "x", Versions: []string{"4.0.0"}, Integrity: []string{sri, "sha384:" + strings.Repeat("0", 96)}},
		{Type: ioc.TypePackage, Confidence: ioc.Probable, Ecosystem: "PyPI", Name: "x", AllVersions: true},
		{Type: ioc.TypePackage, Confidence: ioc.Probable, Ecosystem: "PyPI", Name: "x", Versions: []string{"1.0"}},
		{Type: ioc.TypePackage, Confidence: ioc.Probable, Ecosystem: "npm", Name: "@s", AllVersions: true, Namespace: true},
		{Type: ioc.TypePackage, Confidence: ioc.Confirmed, Ecosystem: "Go", Name: "github.com/a/b", Versions: []string{"v1.0.0"}},
		{Type: ioc.TypePackage, Confidence: ioc.Confirmed, Ecosystem: "GitHub Actions", Name: "a/b", Versions: []string{"v1"}},
		{Type: ioc.TypePackage, Confidence: ioc.Weak, Ecosystem: "GitHub Actions", Name: "a/c", AllVersions: true},
		{Type: ioc.TypePackage, Confidence: ioc.Confirmed, Ecosystem: "docker", Name: "a/d", Versions: []string{"1"}},
		{Type: ioc.TypePackage, Confidence: ioc.Confirmed, Ecosystem: "npm", Name: "y", Versions: []string{"1.0.0"}, Requires: []string{"file"}},
		{Type: ioc.TypePackage, Confidence: ioc.Confirmed, Ecosystem: "npm", Name: "w", Versions: []string{"1.0.0"}, Status: ioc.Withdrawn, Withdrawal: &ioc.Withdrawal{At: "2026-01-01"}},
		{Type: ioc.TypeFile, Confidence: ioc.Confirmed, Name: "x.js"},
		{Type: ioc.TypeNetwork, Confidence: ioc.Confirmed, Kind: "domain", Value: "bad.example"},
	},
}}

func TestWriteTSV(t *testing.T) {
	for _, tt := range []struct {
		all        bool
		want, left string
	}{
		{false, `ecosystem	name	version	campaign
Go	github.com/a/b	v1.0.0	c-2026-01
PyPI	x	1.0	c-2026-01
npm	x	1.0.0	c-2026-01
npm	x	2.0.0	c-2026-01
npm	x	4.0.0	c-2026-01
npm	y	1.0.0	c-2026-01
`, "1 file, 1 network, 2 package: digest, 2 package: ecosystem without lockfiles, 1 package: every version, 1 package: namespace, 1 package: range, 1 package: unbounded range, not asserted, 1 package: weak, 1 package: withdrawn"},
		{true, `ecosystem	name	version	campaign
GitHub Actions	a/b	v1	c-2026-01
GitHub Actions	a/c	*	c-2026-01
Go	github.com/a/b	v1.0.0	c-2026-01
PyPI	x	*	c-2026-01
PyPI	x	1.0	c-2026-01
docker	a/d	1	c-2026-01
npm	@s/*	*	c-2026-01
npm	x	1.0.0	c-2026-01
npm	x	2.0.0	c-2026-01
npm	x	4.0.0	c-2026-01
npm	x	>=3.0.0-0 <3.1.0	c-2026-01
npm	y	1.0.0	c-2026-01
`, "1 file, 1 network, 2 package: digest, 1 package: unbounded range, not asserted, 1 package: withdrawn"},
	} {
		var b bytes.Buffer
		left, err := feed.WriteTSV(&b, everyForm, tt.all)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, b.String()); diff != "" {
			t.Errorf("all %v (-want +got):\n%s", tt.all, diff)
		}
		if left.String() != tt.left {
			t.Errorf("all %v: left %q, want %q", tt.all, left, tt.left)
		}
	}
}

func TestWriteTSVIsInert(t *testing.T) {
	packs := []ioc.Pack{{ID: "c\n\x1b[2J", Indicators: []ioc.Indicator{{Type: ioc.TypePackage, Ecosystem: "npm", Name: "x\ty", Versions: []string{"1.0.0"}}}}}
	var b bytes.Buffer
	if _, err := feed.WriteTSV(&b, packs, false); err != nil {
		t.Fatal(err)
	}
	if want := "npm\tx?y\t1.0.0\tc??[2J\n"; !strings.HasSuffix(b.String(), want) {
		t.Errorf("WriteTSV = %q, want the row %q", b.String(), want)
	}
}

func TestWriteCSV(t *testing.T) {
	var b bytes.Buffer
	left, err := feed.WriteCSV(&b, everyForm)
	if err != nil {
		t.Fatal(err)
	}
	want := `ecosystem,name,version,campaign,confidence,sources
npm,x,1.0.0,c-2026-01,confirmed,a; b
npm,x,2.0.0,c-2026-01,confirmed,a; b
npm,x,4.0.0,c-2026-01,confirmed,
PyPI,x,*,c-2026-01,probable,
PyPI,x,1.0,c-2026-01,probable,
npm,@s/*,*,c-2026-01,probable,
Go,github.com/a/b,v1.0.0,c-2026-01,confirmed,
GitHub Actions,a/b,v1,c-2026-01,confirmed,
GitHub Actions,a/c,*,c-2026-01,weak,
docker,a/d,1,c-2026-01,confirmed,
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if want := "1 file, 1 network, 2 package: digest, 1 package: range, 1 package: requires another indicator, 1 package: unbounded range, not asserted, 1 package: withdrawn"; left.String() != want {
		t.Errorf("left %q, want %q", left, want)
	}
	back, err := feed.Import("back.csv", b.Bytes(), feed.Options{})
	if err != nil || len(back.Errors) > 0 || len(back.Entries) != 10 {
		t.Errorf("read back: %d entries, errors %v, %v", len(back.Entries), back.Errors, err)
	}
}

func TestOSV(t *testing.T) {
	records, left, err := feed.OSV(everyForm)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, r := range records {
		b.Write(r.JSON)
		b.WriteByte('\n')
	}
	back, err := feed.Import("back.jsonl", []byte(b.String()), feed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{
		"package confirmed npm x 1.0.0,2.0.0 [>=3.0.0-0 <3.1.0]": true,
		"package confirmed npm x 4.0.0 " + sri:                   true, // a digest takes its version with it
		"package confirmed PyPI x *":                             true,
		"package confirmed PyPI x 1.0":                           true,
		"package confirmed Go github.com/a/b v1.0.0":             true,
		"package confirmed GitHub Actions a/b v1":                true,
		"package confirmed npm w 1.0.0 withdrawn":                true,
	}
	got := map[string]bool{}
	for _, e := range back.Entries {
		_, text, _ := strings.Cut(say(e), " ")
		got[text] = true
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
	if len(back.Errors)+len(back.Repairs) > 0 {
		t.Errorf("read back: errors %v, repairs %v", back.Errors, back.Repairs)
	}
	if want := "1 file, 1 network, 1 package: digest, 1 package: ecosystem without lockfiles, 1 package: namespace, 1 package: requires another indicator, 1 package: unbounded range, not asserted, 1 package: weak"; left.String() != want {
		t.Errorf("left %q, want %q", left, want)
	}
	if !strings.Contains(b.String(), `"aliases":["MAL-1"]`) || !strings.Contains(b.String(), `"campaigns":["c-2026-01"]`) {
		t.Error("the ids of records and campaigns are not in the records")
	}
}

// What is written is OSV by its own schema.
func TestOSVSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile(xtest.Data(t, "conformance/osv/schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	records, _, err := feed.OSV(everyForm)
	if err != nil || len(records) == 0 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	for _, r := range records {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(r.JSON))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(doc); err != nil {
			t.Errorf("%s: %v", r.ID, err)
		}
	}
}
