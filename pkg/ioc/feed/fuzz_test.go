package feed_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/ioc/feed"
)

// FuzzImport holds for every form: no panic; the same answer twice; what stands in a pack of
// the feed has no complaints but of what the feed's user chooses (its id and header), so it
// compiles; and the pack reads back as the same pack.
func FuzzImport(f *testing.F) {
	for _, tt := range importTests {
		f.Add(tt.name, []byte(tt.in))
	}
	f.Add("osv.json", []byte(`{"id":"MAL-1","aliases":["GHSA-1"],"withdrawn":"2026-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"Go","name":"github.com/a/b"},"versions":["1.0.0"],"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.1.0"}]}],"database_specific":{"last_known_affected_version_range":"<= 1","indicators":{"package_integrity":[{"filename":"b-1.0.0.tgz","hashes":{"sha512_sri":"`+sri+`"}}]}}}],"database_specific":{"iocs":{"domains":["a.example"]}}}`))
	f.Add("pack.yaml", []byte("schema: ioc-pack/1\nid: x\ntitle: x\nstatus: active\nseverity: high\nrevision: 1\nmodified: \"2026-01-02T03:04:05Z\"\nsources: [{id: s}]\nindicators:\n  - {type: package, confidence: probable, sources: [s], ecosystem: npm, name: x, versions: [\"1.0.0\"]}\n"))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		feedOf, err := feed.Import(name, data, feed.Options{EmptyIsAll: len(data)%2 == 0})
		again, err2 := feed.Import(name, data, feed.Options{EmptyIsAll: len(data)%2 == 0})
		if (err == nil) != (err2 == nil) || sayAll(feedOf) != sayAll(again) {
			t.Fatalf("two answers: %v, %v\n%s", err, err2, cmp.Diff(sayAll(feedOf), sayAll(again)))
		}
		packs := feedOf.Packs("fuzz", time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
		if len(packs) > 1 {
			t.Fatalf("%d packs of one file", len(packs))
		}
		for _, p := range packs {
			for _, complaint := range ioc.Lint(p) {
				if complaint.Index >= 0 {
					t.Errorf("an entry with a complaint: %v", complaint)
				}
			}
			var b bytes.Buffer
			if err := ioc.WritePack(&b, p); err != nil {
				t.Fatal(err)
			}
			if _, err := ioc.ReadPack("back", b.Bytes()); err != nil {
				t.Errorf("does not read back: %v\n%s", err, b.Bytes())
			}
			if _, err := ioc.Compile(packs); err != nil {
				t.Errorf("does not compile: %v\n%s", err, b.Bytes())
			}
		}
		writeAll(t, packs)
	})
}

func writeAll(t *testing.T, packs []ioc.Pack) {
	var b strings.Builder
	if _, err := feed.WriteTSV(&b, packs, true); err != nil {
		t.Error(err)
	}
	for _, line := range strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n") {
		if strings.Count(line, "\t") != 3 {
			t.Errorf("a row of %d cells: %q", strings.Count(line, "\t")+1, line)
		}
	}
	if _, err := feed.WriteCSV(&b, packs); err != nil {
		t.Error(err)
	}
	if _, _, err := feed.OSV(packs); err != nil {
		t.Error(err)
	}
}
