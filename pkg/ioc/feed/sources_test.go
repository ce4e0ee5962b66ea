package feed_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/xtest"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/ioc/feed"
)

// sourceCounts are, for each file of the shared lists, the statements about packages (versions,
// ranges, every version), other indicators, and errors by rule. OSV records are counted by folder, in the words of counts.
var sourceCounts = map[string]string{
	"Cobenian__shai-hulud-detect/compromised-packages.txt":                         "5782 package, 0 other",
	"Cobenian__shai-hulud-detect/history/20250916T222955-4a00cdc.txt":              "76 package, 0 other",
	"Cobenian__shai-hulud-detect/history/20250917T114533-5d7f484.txt":              "273 package, 0 other",
	"Cobenian__shai-hulud-detect/history/20250917T175634-9d32962.txt":              "546 package, 0 other",
	"Cobenian__shai-hulud-detect/history/20250918T101419-398767d.txt":              "545 package, 0 other",
	"Cobenian__shai-hulud-detect/history/20250929T172736-a10dce8.txt":              "604 package, 0 other",
	"Cobenian__shai-hulud-detect/history/20251124T094259-7628a4d.txt":              "979 package, 0 other",
	"Cobenian__shai-hulud-detect/history/20251125T190114-1d2a786.txt":              "1677 package, 0 other",
	"Cobenian__shai-hulud-detect/history/20260512T115757-3c76605.txt":              "2112 package, 0 other",
	"Cobenian__shai-hulud-detect/history/20260804T113215-f0bcbcb.txt":              "5246 package, 0 other",
	"DataDog__indicators-of-compromise/axios-npm-supply-chain-compromise/iocs.csv": "3 package, 15 other, 1 bad-value",
	"DataDog__indicators-of-compromise/shai-hulud-2.0/consolidated_iocs.csv":       "1091 package, 0 other",
	"DataDog__indicators-of-compromise/shai-hulud-2.0/shai-hulud-2.0.csv":          "537 package, 0 other",
	"DataDog__indicators-of-compromise/teampcp/iocs.csv":                           "163 package, 0 other, 2 bad-version",
	"codacy__shai-hulud-2-detector/shai-hulud-2-packages.csv":                      "1089 package, 0 other, 3 no-version",
	"copyleftdev__mini-shai-hulud-dragnet/iocs.jsonl":                              "11 package, 34 other, 2 unknown-kind",
	"curated/non-package-indicators.tsv":                                           "9 package, 359 other, 1 bad-value, 3 bad-version, 2 unknown-kind",
	"curated/notable-campaign-versions.csv":                                        "53 package, 0 other",
	"gensecaihq__Shai-Hulud-2.0-Detector/compromised-packages.json":                "3408 package, 25 other, 7 unknown-kind",
	"golang__vulndb/GO-2025-3451.yaml":                                             "1 package, 0 other",
	"golang__vulndb/GO-2026-4919.yaml":                                             "1 package, 0 other",
	"gunta__find-shai-hulud-fast/compromised-packages.json":                        "477 package, 0 other",
	"gunta__find-shai-hulud-fast/pack.json":                                        "0 package, 10 other",
	"perplexityai__bumblebee/mini-shai-hulud-leoplatform-2026-06-24.json":          "27 package, 0 other",
	"perplexityai__bumblebee/node-ipc-credential-stealer.json":                     "7 package, 0 other, 12 free-key",
	"perplexityai__bumblebee/nx-console-vscode-2026-05-18.json":                    "1 package, 0 other, 66 free-key",
	"perplexityai__bumblebee/shopsprint-decimal-typosquat.json":                    "1 package, 0 other, 6 free-key",
	"perplexityai__bumblebee/trapdoor-crypto-stealer.json":                         "378 package, 0 other, 18 free-key",
	"safedep__shai-hulud-migration-response/malicious-package-versions.jsonl":      "529 package, 0 other",
	"safedep__shai-hulud-migration-response/malicious-payload-hashes.jsonl":        "0 package, 8 other",
	"sngular__shai-hulud-integrity-scanner/compromised-libs.txt":                   "551 package, 0 other",
	"triconinfotech__shai-hulud-malicious-packages/malicious_npm_packages.json":    "10779 package, 0 other, 9507 no-version",
	"ugurrates__teampcp-supply-chain-attack/FINAL_TeamPCP_IOC_25Mar2026.csv":       "0 package, 17 other",
	"wiz-sec-public__wiz-research-iocs/history/20251124T123350-3503d39.csv":        "35 package, 0 other, 3 bad-version, 1 impossible-name",
	"wiz-sec-public__wiz-research-iocs/history/20251124T180908-4c0af1b.csv":        "738 package, 0 other",
	"wiz-sec-public__wiz-research-iocs/history/20251124T214037-20ad44c.csv":        "897 package, 0 other",
	"wiz-sec-public__wiz-research-iocs/history/20251124T214655-113ad79.csv":        "905 package, 0 other",
	"wiz-sec-public__wiz-research-iocs/history/20251125T131802-5de7674.csv":        "1089 package, 0 other, 3 no-version",
	"wiz-sec-public__wiz-research-iocs/history/keyv-packages-2d59b3a.csv":          "42 package, 0 other",
	"wiz-sec-public__wiz-research-iocs/shai-hulud-2-packages.csv":                  "1089 package, 0 other",
	"ossf-malicious-packages/snapshot-2025-06-04/osv/malicious":                    "761 package, 183 other",
	"ossf-malicious-packages/snapshot-2025-06-04/osv/withdrawn":                    "156 package, 0 other",
	"transcribed-osv": "88 package, 29 other",
	"SOURCES.md":      "not a feed",
	"copyleftdev__mini-shai-hulud-dragnet/SCHEMA.md":       "not a feed",
	"perplexityai__bumblebee/exposure-catalog.schema.json": "not a feed",
}

func TestSourceCounts(t *testing.T) {
	lists := os.DirFS(xtest.Data(t, "ioc-sources"))
	for _, name := range slices.Sorted(maps.Keys(sourceCounts)) {
		f, err := feed.ImportFS(lists, name, feed.Options{})
		got := counts(f)
		if errors.Is(err, feed.ErrForm) {
			got, err = "not a feed", nil
		}
		if err != nil || got != sourceCounts[name] {
			t.Errorf("%s: %s, %v; want %s", name, got, err, sourceCounts[name])
		}
	}
}

func counts(f feed.Feed) string {
	packages, other := 0, 0
	for _, e := range f.Entries {
		if e.Indicator.Type == ioc.TypePackage {
			packages += len(keys(e.Indicator))
		} else {
			other++
		}
	}
	rules := map[ioc.Rule]int{}
	for _, e := range f.Errors {
		rules[e.Rule]++
	}
	out := fmt.Sprintf("%d package, %d other", packages, other)
	for _, rule := range slices.Sorted(maps.Keys(rules)) {
		out += fmt.Sprintf(", %d %s", rules[rule], rule)
	}
	return out
}

// keys are the statements of an indicator, one a string.
func keys(ind ioc.Indicator) []string {
	if ind.Type != ioc.TypePackage {
		return []string{ioc.IndicatorID(ind, "")}
	}
	base := fmt.Sprintf("%s %s %s", ind.Ecosystem, ind.Name, ind.Status)
	if ind.Namespace {
		base += " namespace"
	}
	var out []string
	for _, v := range ind.Versions {
		out = append(out, base+" "+v)
	}
	for _, r := range ind.Ranges {
		out = append(out, fmt.Sprintf("%s %s %v", base, feed.RangeText(r), r.Unbounded))
	}
	if ind.AllVersions {
		out = append(out, base+" *")
	}
	for _, text := range ind.Integrity {
		out = append(out, base+" "+text)
	}
	return out
}

func keySet(indicators []ioc.Indicator) map[string]bool {
	out := map[string]bool{}
	for _, ind := range indicators {
		for _, key := range keys(ind) {
			out[key] = true
		}
	}
	return out
}

// Every file of the shared lists, imported, written as a pack and as OSV, and imported again,
// says the same; what OSV cannot hold is exactly what is counted.
func TestRoundTrips(t *testing.T) {
	lists := os.DirFS(xtest.Data(t, "ioc-sources"))
	files := 0
	err := fs.WalkDir(lists, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, err := feed.ImportFS(lists, name, feed.Options{})
		if errors.Is(err, feed.ErrForm) && (path.Ext(name) == ".md" || strings.HasSuffix(name, ".schema.json")) {
			return nil
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return nil
		}
		files++
		packs := f.Packs("round-trip", time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC))
		roundTripPack(t, name, packs)
		roundTripOSV(t, name, packs)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 580 {
		t.Errorf("only %d files", files)
	}
}

func roundTripPack(t *testing.T, name string, packs []ioc.Pack) {
	for _, p := range packs {
		var b bytes.Buffer
		if err := ioc.WritePack(&b, p); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		back, err := feed.Import("back.json", b.Bytes(), feed.Options{})
		if err != nil || len(back.Errors) > 0 {
			t.Errorf("%s as a pack: %v, %.300v", name, err, back.Errors)
			continue
		}
		if diff := cmp.Diff(packs, back.Packs("other", time.Time{})); diff != "" {
			t.Errorf("%s as a pack (-want +got):\n%.1000s", name, diff)
		}
	}
}

func roundTripOSV(t *testing.T, name string, packs []ioc.Pack) {
	want := map[string]bool{}
	for _, p := range packs {
		maps.Copy(want, keySet(p.Indicators))
	}
	records, left, err := feed.OSV(packs)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	lost := 0
	for _, n := range left {
		lost += n
	}
	if len(records) == 0 {
		if lost != len(want) {
			t.Errorf("%s as OSV: no record, %d counted as left of %d", name, lost, len(want))
		}
		return
	}
	var b bytes.Buffer
	for _, r := range records {
		b.Write(r.JSON)
		b.WriteByte('\n')
	}
	back, err := feed.Import("back.jsonl", b.Bytes(), feed.Options{})
	if err != nil || len(back.Errors) > 0 || len(back.Repairs) > 0 {
		t.Errorf("%s as OSV: %v, %.300v, %.300v", name, err, back.Errors, back.Repairs)
		return
	}
	for _, e := range back.Entries {
		for _, key := range keys(e.Indicator) {
			if !want[key] {
				t.Errorf("%s as OSV: %q was not there before", name, key)
			}
			delete(want, key)
		}
	}
	if len(want) != lost {
		t.Errorf("%s as OSV: %d statements are gone and %d counted (%s); gone are %.300v", name, len(want), lost, left, slices.Sorted(maps.Keys(want)))
	}
}
