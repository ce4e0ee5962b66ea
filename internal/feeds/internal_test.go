package feeds

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/version"
)

func TestParseRange(t *testing.T) {
	for _, tt := range []struct {
		in, version, events string
		bad                 bool
	}{
		{in: "= 1.2.3", version: "1.2.3"},
		{in: ">= 0", events: `[{"introduced":"0"}]`},
		{in: "< 2.0.0", events: `[{"introduced":"0"},{"fixed":"2.0.0"}]`},
		{in: "<= 2.0.0", events: `[{"introduced":"0"},{"last_affected":"2.0.0"}]`},
		{in: ">= 4.1.1, < 4.1.3", events: `[{"introduced":"4.1.1"},{"fixed":"4.1.3"}]`},
		{in: "> 4.1.1", bad: true},
		{in: "", bad: true},
		{in: "4.1.1", bad: true},
		{in: "= 1.0.0, = 1.0.1", bad: true},
		{in: "= 1.0.0 1.0.1", bad: true},
		{in: "all of them", bad: true},
	} {
		version, events, err := parseRange(tt.in)
		text := ""
		if events != nil {
			data, _ := json.Marshal(events)
			text = string(data)
		}
		if (err != nil) != tt.bad || version != tt.version || text != tt.events {
			t.Errorf("parseRange(%q) = %q, %s, %v; want %q, %s, bad %t", tt.in, version, text, err, tt.version, tt.events, tt.bad)
		}
	}
}

func TestShape(t *testing.T) {
	for _, tt := range []struct{ name, data, want string }{
		{"a.csv", "Package,Version\nx,1\n", "csv: Package,Version"},
		{"a.csv", "\ufeff Package , Version\r\nx,1\r\n", "csv: Package,Version"},
		{"a.tsv", "a\tb\n", "csv: a,b"},
		{"a.txt", "x:1.0.0\n", "text"},
		{"a.json", `{"packages": [], "version": 1}`, "json: {packages,version}"},
		{"a.json", `{"schema": "ioc-pack/1", "id": "x"}`, "json: schema ioc-pack/1"},
		{"a.json", `{"id": "x", "schema_version": "1.7.0"}`, "json: schema_version 1"},
		{"a.json", `{"schema_version": "0.2.0"}`, "json: schema_version 0.2"},
		{"a.json", `[{"name": "x", "note": 1, "versions": []}]`, "json: list of {name,versions}"},
		{"a.jsonl", `{"name": "x", "note": 1, "version": 1}`, "json lines: {name,version}"},
		{"a.json", `{"packages": [}`, "json: damaged"},
		{"a.json", `[1]`, "json: list of other"},
		{"a.yaml", "a: 1\n", "yaml"},
		{"a", "", "text"},
	} {
		if got := shape(tt.name, []byte(tt.data)); got != tt.want {
			t.Errorf("shape(%q, %q) = %q, want %q", tt.name, tt.data, got, tt.want)
		}
	}
}

// TestInside compares with the versions themselves.
func TestInside(t *testing.T) {
	bounds := []ioc.RangeEvent{
		{Introduced: "0"},
		{Introduced: "1.0.0"},
		{Introduced: "2.0.0"},
	}
	ends := []ioc.RangeEvent{
		{},
		{Fixed: "1.5.0"},
		{LastAffected: "1.5.0"},
		{Fixed: "3.0.0"},
		{LastAffected: "2.5.0"},
	}
	var ranges []ioc.Range
	for _, b := range bounds {
		for _, e := range ends {
			r := ioc.Range{Type: "SEMVER", Events: []ioc.RangeEvent{b, e}}
			if e == (ioc.RangeEvent{}) {
				r.Events = r.Events[:1]
			}
			ranges = append(ranges, r)
		}
	}
	probes := []string{"0.0.1", "1.0.0", "1.2.0", "1.5.0", "1.5.1", "2.0.0", "2.2.0", "2.5.0", "2.5.1", "2.9.9", "3.0.0", "9.0.0"}
	has := func(r ioc.Range, v string) bool {
		events := make([]version.Event, len(r.Events))
		for i, ev := range r.Events {
			events[i] = version.Event(ev)
		}
		ok, err := version.Affected(ecosystem.NPM, version.SemverRange, events, v)
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	yes := 0
	for _, a := range ranges {
		for _, b := range ranges {
			within := !slices.ContainsFunc(probes, func(v string) bool { return has(a, v) && !has(b, v) })
			if inside(ecosystem.NPM, a, b) {
				yes++
				if !within {
					t.Errorf("inside(%s, %s), and it is not", rangeText(a), rangeText(b))
				}
			} else if within && rangeText(a) == rangeText(b) {
				t.Errorf("inside(%s, %s) is false of one range", rangeText(a), rangeText(b))
			}
		}
	}
	if yes < len(ranges)+10 {
		t.Errorf("inside says yes %d times", yes)
	}
}

func TestNextPage(t *testing.T) {
	p := restPages{f: &Feed{Kind: KindGHSA, URL: "https://api.example.com"}}
	for _, tt := range []struct {
		link, want string
		bad        bool
	}{
		{"", "", false},
		{`<https://api.example.com/advisories?after=1>; rel="next"`, "/advisories?after=1", false},
		{`<https://api.example.com/advisories?before=1>; rel="prev", <https://api.example.com/advisories?after=1>; rel="next"`, "/advisories?after=1", false},
		{`<https://api.example.com/advisories?before=1>; rel="prev"`, "", false},
		{`<https://api.example.com.evil/advisories?after=1>; rel="next"`, "", true},
		{`<https://api.example.com/user>; rel="next"`, "", true},
		{`</advisories?after=1>; rel="next"`, "", true},
	} {
		got, err := p.nextPath(tt.link)
		if got != tt.want || (err != nil) != tt.bad {
			t.Errorf("nextPath(%q) = %q, %v; want %q, bad %t", tt.link, got, err, tt.want, tt.bad)
		}
	}
}

// TestWithdrawnStandsAlone holds that what is withdrawn needs nothing that may be gone.
func TestWithdrawnStandsAlone(t *testing.T) {
	for _, ind := range []ioc.Indicator{
		{Type: ioc.TypeNetwork, Confidence: ioc.Confirmed, Kind: "domain", Value: "webhook.site", BenignHost: true, Requires: []string{"file-0000000000000000"}},
		{Type: ioc.TypeFile, Confidence: ioc.Probable, Name: "bundle.js", Requires: []string{"package"}},
		{Type: ioc.TypePackage, Confidence: ioc.Probable, Ecosystem: ecosystem.NPM, Name: "a", Versions: []string{"1.0.0"}, SafeVersion: []string{"1.0.1"}},
	} {
		ind.Sources = []string{"one"}
		ind = withdraw(ind, []atom{{part: oneVersion, value: "1.0.0"}}, "one", time.Date(2025, 11, 24, 0, 0, 0, 0, time.UTC))
		ind.ID = ioc.IndicatorID(ind, "p")
		p := ioc.Pack{
			Schema: ioc.Schema, ID: "p", Title: "P", Status: ioc.PackActive, Severity: ioc.High, Revision: 1, Modified: time.Now(),
			Sources: []ioc.Source{{ID: "one"}}, Indicators: []ioc.Indicator{ind},
		}
		if complaints := ioc.Lint(p); len(complaints) > 0 || ind.Status != ioc.Withdrawn || ind.SafeVersion != nil {
			t.Errorf("%+v: %v", ind, complaints)
		}
	}
}

// TestReindex has an index that another version of this program made, beside a list that did not
// change.
func TestReindex(t *testing.T) {
	dir, lists := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(lists, "l.txt"), []byte("wormsweep-example:1.0.0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := ReadConfig("c", lists, []byte("schema: ioc-feeds/1\nfeeds: [{name: one, kind: file, path: l.txt}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Update(t.Context(), c, Options{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	s, err := loadState(dir)
	if err != nil {
		t.Fatal(err)
	}
	other, err := writeBlob(dir, "one", "bin", []byte("wormsioc\x00\x00\x00\x00"))
	if err != nil {
		t.Fatal(err)
	}
	s.Feeds[0].Index = &other
	if err := s.write(dir, time.Now()); err != nil {
		t.Fatal(err)
	}
	kept, err := OpenCopy(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kept.Set(); err == nil || !strings.Contains(err.Error(), "ioc update") {
		t.Errorf("an index of another version: %v, want what to do", err)
	}
	report, err := Update(t.Context(), c, Options{Dir: dir})
	if err != nil || report.Rows[0].Outcome != Unchanged {
		t.Fatalf("%+v, %v; want the feed unchanged", report.Rows, err)
	}
	if kept, err = OpenCopy(dir); err != nil {
		t.Fatal(err)
	}
	if set, err := kept.Set(); err != nil || set.Stats().Versions != 1 {
		t.Errorf("after an update: %v", err)
	}
}

// TestNoProxyOfTheEnvironment looks at the transport: a proxy of the environment is never asked for
// loopback, so that no server of a test would see it.
func TestNoProxyOfTheEnvironment(t *testing.T) {
	if newTransport("").Proxy != nil {
		t.Error("a proxy is asked for")
	}
	if newTransport("http://proxy.example.com:3128").Proxy == nil {
		t.Error("the configuration's proxy is not used")
	}
}

// FuzzState holds that a state that is read names no file outside of its folder, and that it is
// read again as it is written.
func FuzzState(f *testing.F) {
	seeds, err := filepath.Glob("testdata/*.json")
	if err != nil || len(seeds) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, name := range seeds {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := readState(data)
		if err != nil {
			return
		}
		for _, e := range s.Feeds {
			for _, b := range e.files() {
				if !filepath.IsLocal(b.File) || strings.ContainsAny(b.File, `/\`) {
					t.Errorf("%q names the file %q", data, b.File)
				}
			}
		}
		written, err := json.Marshal(s)
		if err != nil {
			t.Skip("a date beyond what JSON writes")
		}
		if _, err := readState(written); err != nil {
			t.Errorf("%q is read, and %q is not: %v", data, written, err)
		}
	})
}

// FuzzAdvisories holds that a page gives records that the importer reads, or a reason.
func FuzzAdvisories(f *testing.F) {
	f.Add([]byte(`[{"ghsa_id": "GHSA-0000-0000-0001", "type": "malware", "updated_at": "2025-11-01T00:00:00Z", "withdrawn_at": null,
 "cve_id": "CVE-2025-1", "vulnerabilities": [{"package": {"ecosystem": "npm", "name": "x"}, "vulnerable_version_range": ">= 1.0.0, < 2.0.0"}]}]`))
	f.Add([]byte(`[{"ghsa_id": "GHSA-0000-0000-0001", "type": "malware", "vulnerabilities": [{"package": {"ecosystem": "pip", "name": "x"}, "vulnerable_version_range": "= 1.0"}]}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c := content{records: map[string]record{}}
		if err := c.addPage(data); err != nil {
			return
		}
		if len(c.records) == 0 {
			return
		}
		list, err := importContent(&Feed{}, &c)
		if err != nil && len(list.Errors) == 0 && len(list.Entries) == 0 {
			for _, r := range c.records {
				if strings.Contains(string(r.OSV), `"affected":[]`) {
					return // it says nothing of any package
				}
			}
			t.Errorf("%q makes records that are no list: %v", data, err)
		}
	})
}

// FuzzManifest holds that what is read has all that is needed to hold a feed against it.
func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"schema":"ioc-manifest/1","feed":"one","serial":1,"sha256":"` + strings.Repeat("0a", 32) + `","created":"2025-11-24T00:00:00Z"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := readManifest(data)
		if err == nil && (m.Serial < 1 || len(m.SHA256) != 64 || m.Feed == "" || m.Created.IsZero()) {
			t.Errorf("%q is read as %+v", data, m)
		}
	})
}
