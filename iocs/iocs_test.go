package iocs_test

import (
	"testing"

	"github.com/wormsweep/wormsweep/iocs"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

func packs(t *testing.T) map[string]ioc.Pack {
	t.Helper()
	list, err := iocs.Packs()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]ioc.Pack{}
	for _, p := range list {
		out[p.ID] = p
	}
	return out
}

// Counts of packages and exact versions, as facts about the campaigns: a change here is a change
// of what users are told. Where they differ from the counts that circulate, the pack's repairs
// say why:
//
//   - shai-hulud-2-2025-11: 799 names circulate; three of them never had a version, and their
//     list took them back within the day.
//   - mini-shai-hulud-tanstack-2026-05: 174 and 408 circulate; four of both are the SAP wave's,
//     which is a pack of its own.
//   - mastra-easy-day-js-2026-06: 145 versions circulate; easy-day-js 1.11.21 is the clean bait.
//   - node-ipc-2026-05: 7 versions circulate; four of them are the protestware of 2022.
func TestCounts(t *testing.T) {
	all := packs(t)
	for _, tt := range []struct {
		pack               string
		e                  ecosystem.Ecosystem
		packages, versions int
	}{
		{"event-stream-2018-11", ecosystem.NPM, 2, 1},
		{"ua-parser-js-2021-10", ecosystem.NPM, 1, 3},
		{"coa-rc-2021-11", ecosystem.NPM, 2, 9},
		{"ultralytics-2024-12", ecosystem.PyPI, 1, 4},
		{"s1ngularity-2025-08", ecosystem.NPM, 8, 19},
		{"chalk-debug-2025-09", ecosystem.NPM, 25, 26},
		{"shai-hulud-1-2025-09", ecosystem.NPM, 215, 579},
		{"shai-hulud-2-2025-11", ecosystem.NPM, 796, 1094},
		{"shai-hulud-golden-path-2025-12", ecosystem.NPM, 1, 3},
		{"axios-2026-03", ecosystem.NPM, 2, 3},
		{"teampcp-2026-03", ecosystem.NPM, 66, 143},
		{"teampcp-2026-03", ecosystem.PyPI, 2, 4},
		{"teampcp-2026-03", ecosystem.Actions, 2, 2},
		{"mini-shai-hulud-sap-2026-04", ecosystem.NPM, 5, 6},
		{"mini-shai-hulud-sap-2026-04", ecosystem.PyPI, 1, 2},
		{"mini-shai-hulud-tanstack-2026-05", ecosystem.NPM, 170, 404},
		{"mini-shai-hulud-tanstack-2026-05", ecosystem.PyPI, 2, 2},
		{"node-ipc-2026-05", ecosystem.NPM, 1, 3},
		{"node-ipc-2022-03", ecosystem.NPM, 1, 4},
		{"mini-shai-hulud-antv-2026-05", ecosystem.NPM, 323, 643},
		{"trapdoor-2026-05", ecosystem.NPM, 21, 368},
		{"miasma-redhat-2026-06", ecosystem.NPM, 32, 96},
		{"miasma-phantom-gyp-2026-06", ecosystem.NPM, 57, 287},
		{"miasma-hades-pypi-2026-06", ecosystem.PyPI, 19, 37},
		{"mastra-easy-day-js-2026-06", ecosystem.NPM, 144, 144},
		{"miasma-leoplatform-2026-06", ecosystem.NPM, 26, 26},
		{"shai-hulud-keyv-2026-08", ecosystem.NPM, 444, 2236},
		{"shai-hulud-keyv-2026-08", ecosystem.Go, 3, 82},
	} {
		names, versions := map[string]bool{}, map[string]bool{}
		for _, ind := range all[tt.pack].Indicators {
			if ind.Type != ioc.TypePackage || ind.Ecosystem != tt.e {
				continue
			}
			for _, v := range ind.Versions {
				names[ind.Name] = true
				versions[ind.Name+" "+v] = true
			}
			if tt.pack == "event-stream-2018-11" {
				names[ind.Name] = true // flatmap-stream is listed in every version
			}
		}
		if len(names) != tt.packages || len(versions) != tt.versions {
			t.Errorf("%s, %s: %d packages and %d exact versions, want %d and %d", tt.pack, tt.e, len(names), len(versions), tt.packages, tt.versions)
		}
	}
}

// What the lists had wrong must not come back.
func TestRepairsHold(t *testing.T) {
	all := packs(t)
	for _, tt := range []struct{ pack, name, version string }{
		{"mastra-easy-day-js-2026-06", "easy-day-js", "1.11.21"},
		{"shai-hulud-1-2025-09", "@ctrl/tinycolor", "4.1.0"},
		{"shai-hulud-1-2025-09", "duckdb", "1.3.3"},
		{"shai-hulud-1-2025-09", "prebid", "10.9.1"},
		{"shai-hulud-1-2025-09", "@coveops/abi", "2.0.1"},
		{"mini-shai-hulud-tanstack-2026-05", "mbt", "1.2.48"},
		{"node-ipc-2026-05", "node-ipc", "10.1.1"},
	} {
		if asserts(all[tt.pack], tt.name, tt.version) {
			t.Errorf("%s asserts %s@%s", tt.pack, tt.name, tt.version)
		}
	}
	for _, tt := range []struct{ pack, name, version string }{
		{"mastra-easy-day-js-2026-06", "easy-day-js", "1.11.22"},
		{"chalk-debug-2025-09", "duckdb", "1.3.3"},
		{"chalk-debug-2025-09", "@coveops/abi", "2.0.1"},
		{"mini-shai-hulud-sap-2026-04", "mbt", "1.2.48"},
		{"node-ipc-2022-03", "node-ipc", "10.1.1"},
		{"shai-hulud-keyv-2026-08", "@nebula.js/cli-serve", "7.1.2"},
		{"shai-hulud-keyv-2026-08", "github.com/evilgodfahim/kal", "v0.0.0-20260805062327-23dc26d5459b"},
	} {
		if !asserts(all[tt.pack], tt.name, tt.version) {
			t.Errorf("%s does not assert %s@%s", tt.pack, tt.name, tt.version)
		}
	}
	for _, name := range []string{"@elsedev/react-csr-sdk", "cbre-flow-common", "utilitas"} {
		for _, ind := range all["shai-hulud-2-2025-11"].Indicators {
			if ind.Name == name {
				t.Errorf("shai-hulud-2-2025-11 holds %s, which never had a version", name)
			}
		}
	}
}

// asserts reports whether the pack lists the exact version and still stands by it.
func asserts(p ioc.Pack, name, version string) bool {
	for _, ind := range p.Indicators {
		if ind.Name != name || ind.Status == ioc.Withdrawn {
			continue
		}
		for _, v := range ind.Versions {
			if v == version {
				return true
			}
		}
	}
	return false
}

// No record that was taken back asserts anything, and no open range beside versions does.
func TestNothingWithdrawnOrUnboundedIsAsserted(t *testing.T) {
	withdrawn, unbounded := 0, 0
	for id, p := range packs(t) {
		for _, ind := range p.Indicators {
			if id == "withdrawn-osv" && ind.Status != ioc.Withdrawn {
				t.Errorf("%s: %s %s is not withdrawn", id, ind.ID, ind.Name)
			}
			if ind.Status == ioc.Withdrawn {
				withdrawn++
			}
			for _, r := range ind.Ranges {
				open := r.Events[len(r.Events)-1].Introduced != ""
				if open && r.Unbounded {
					unbounded++
				}
				if open && !r.Unbounded && len(ind.Versions) > 0 {
					t.Errorf("%s: %s %s asserts a range without end beside versions", id, ind.ID, ind.Name)
				}
			}
		}
	}
	if withdrawn < 57 || unbounded < 5 {
		t.Errorf("%d withdrawn indicators and %d unbounded ranges in the catalogue, want at least 57 and 5", withdrawn, unbounded)
	}
}

// Every pack is sound, and every related pack is there.
func TestLint(t *testing.T) {
	all := packs(t)
	for _, p := range all {
		for _, complaint := range ioc.Lint(p) {
			t.Error(complaint)
		}
		for _, id := range p.Related {
			if _, ok := all[id]; !ok {
				t.Errorf("%s: related pack %q is not in the catalogue", p.ID, id)
			}
		}
	}
}
