package feeds_test

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/feeds"
	"github.com/wormsweep/wormsweep/internal/xtest"
	"github.com/wormsweep/wormsweep/iocs"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// osvList is a document of OSV records, each for one package of npm.
func osvList(records ...string) []byte {
	return []byte("[" + strings.Join(records, ",\n") + "]")
}

func osvRecord(n int, name, affected string) string {
	return fmt.Sprintf(`{"schema_version": "1.7.0", "id": "MAL-2025-%d", "modified": "2025-11-01T00:00:00Z",
 "affected": [{"package": {"ecosystem": "npm", "name": %q}, %s}]}`, n, name, affected)
}

func versions(v ...string) string { return fmt.Sprintf(`"versions": ["%s"]`, strings.Join(v, `", "`)) }

func ranges(events string) string {
	return `"ranges": [{"type": "SEMVER", "events": [` + events + `]}]`
}

// TestSweeping adds one record to a list, about a popular package or another.
func TestSweeping(t *testing.T) {
	many := make([]string, 21)
	for i := range many {
		many[i] = fmt.Sprintf("99.0.%d", i)
	}
	for _, tt := range []struct {
		name   string
		before string // what the copy says of the package
		after  string
		pkg    string
		held   bool
	}{
		{"one version", "", versions("99.0.0"), "chalk", false},
		{"twenty versions", "", versions(many[:20]...), "chalk", false},
		{"over twenty versions", "", versions(many...), "chalk", true},
		{"over twenty versions of another", "", versions(many...), "wormsweep-example", false},
		{"every version", "", ranges(`{"introduced": "0"}`), "chalk", true},
		{"every version of another", "", ranges(`{"introduced": "0"}`), "wormsweep-example", false},
		{"no beginning", "", ranges(`{"introduced": "0"}, {"fixed": "5.6.2"}`), "chalk", true},
		{"no end", "", ranges(`{"introduced": "5.0.0"}`), "chalk", true},
		{"a closed range", "", ranges(`{"introduced": "99.0.0"}, {"fixed": "99.0.2"}`), "chalk", false},
		{"the range that was", ranges(`{"introduced": "99.0.0"}, {"fixed": "99.0.2"}`), ranges(`{"introduced": "99.0.0"}, {"fixed": "99.0.2"}`), "chalk", false},
		{"narrower", ranges(`{"introduced": "99.0.0"}, {"fixed": "99.0.9"}`), ranges(`{"introduced": "99.0.2"}, {"fixed": "99.0.4"}`), "chalk", false},
		{"narrower by its last", ranges(`{"introduced": "99.0.0"}, {"fixed": "99.0.9"}`), ranges(`{"introduced": "99.0.0"}, {"last_affected": "99.0.4"}`), "chalk", false},
		{"wider above", ranges(`{"introduced": "99.0.0"}, {"fixed": "99.0.2"}`), ranges(`{"introduced": "99.0.0"}, {"fixed": "99.0.3"}`), "chalk", true},
		{"wider above its last", ranges(`{"introduced": "99.0.0"}, {"last_affected": "99.0.2"}`), ranges(`{"introduced": "99.0.0"}, {"fixed": "99.0.3"}`), "chalk", true},
		{"wider below", ranges(`{"introduced": "99.0.0"}, {"fixed": "99.0.2"}`), ranges(`{"introduced": "98.0.0"}, {"fixed": "99.0.2"}`), "chalk", true},
		{"to no beginning", ranges(`{"introduced": "99.0.0"}, {"fixed": "99.0.2"}`), ranges(`{"introduced": "0"}, {"fixed": "99.0.2"}`), "chalk", true},
		{"beside it", ranges(`{"introduced": "99.0.0"}, {"fixed": "99.0.2"}`), ranges(`{"introduced": "97.0.0"}, {"fixed": "97.0.2"}`), "chalk", true},
		{"without end beside versions", "", versions("99.0.0") + "," + ranges(`{"introduced": "0"}`), "chalk", false}, // asserts nothing
		{"what the catalogue says", "", versions("5.6.1"), "chalk", false},
	} {
		s, k := newSource(t), newKeeper(t)
		c := urlFeed(t, s, "/records.json", "")
		rest := make([]string, 50)
		for i := range rest {
			rest[i] = osvRecord(i, fmt.Sprintf("wormsweep-other-%d", i), versions("1.0.0"))
		}
		first := rest
		if tt.before != "" {
			first = append(rest[:len(rest):len(rest)], osvRecord(100, tt.pkg, tt.before))
		}
		s.serve("/records.json", osvList(first...))
		if row := k.update(c, offered(t, k, c)...); row.Outcome != feeds.Fetched && row.Outcome != feeds.Unchanged {
			t.Fatalf("%s: the first answer is %s: %+v", tt.name, row.Outcome, row.Reasons)
		}
		s.serve("/records.json", osvList(append(rest[:len(rest):len(rest)], osvRecord(100, tt.pkg, tt.after), osvRecord(101, "wormsweep-last", versions("1.0.0")))...))
		row := k.update(c)
		if got := row.Outcome == feeds.Held && row.Reasons[0].Rule == feeds.Sweeping; got != tt.held || !got && row.Outcome != feeds.Fetched {
			t.Errorf("%s: %s %+v, held is to be %t", tt.name, row.Outcome, row.Reasons, tt.held)
		}
		if tt.held {
			if got := k.status("wormsweep-last", "1.0.0"); got != "" {
				t.Errorf("%s: the copy has something of what is held", tt.name)
			}
			if row := k.update(c, row.Offered); row.Outcome != feeds.Fetched {
				t.Errorf("%s, accepted: %s %+v", tt.name, row.Outcome, row.Reasons)
			}
		}
	}
}

// offered is the digest that the first answer of a feed is held under, if it is.
func offered(t *testing.T, k *keeper, c feeds.Config) []string {
	t.Helper()
	if row := k.update(c); row.Offered != "" {
		return []string{row.Offered}
	}
	return nil
}

// TestManyPopular adds popular packages, some of which the catalogue knows.
func TestManyPopular(t *testing.T) {
	popular := popularNames(t, "npm")
	listOf := func(n int, version string) []byte {
		return []byte(strings.Join(popular[:n], ":"+version+"\n") + ":" + version + "\n" + string(list(1, 500)))
	}
	s, k := newSource(t), newKeeper(t)
	c := urlFeed(t, s, "/list.txt", "")
	s.serve("/list.txt", list(1, 500))
	want(t, "none", k.update(c), feeds.Fetched, 500, 0)
	s.serve("/list.txt", listOf(20, "99.0.0"))
	want(t, "twenty", k.update(c), feeds.Fetched, 20, 0)
	s.serve("/list.txt", listOf(21, "98.0.0"))
	row := k.update(c)
	want(t, "over twenty", row, feeds.Held, 0, 0, feeds.ManyPopular)
	review, err := os.ReadFile(row.Review)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(review), "+\tnpm\t"+popular[0]+"\t98.0.0\n") || !strings.Contains(string(review), "-\tnpm\t"+popular[0]+"\t99.0.0\n") {
		t.Errorf("the review does not say what changes: %.300s", review)
	}
	want(t, "accepted", k.update(c, row.Offered), feeds.Fetched, 21, 20)
	if _, err := os.Stat(row.Review); err == nil {
		t.Error("the review is still there")
	}
	s.serve("/list.txt", listOf(25, "97.0.0"))
	want(t, "by the configuration", k.update(urlFeed(t, s, "/list.txt", ", max_popular: 25")), feeds.Fetched, 25, 21)
}

// TestCatalogueIsNoNews has a feed say what the embedded catalogue says of very many popular
// packages: a person looked at that before.
func TestCatalogueIsNoNews(t *testing.T) {
	popular := map[string]bool{}
	for _, name := range popularNames(t, "npm") {
		popular[name] = true
	}
	packs, err := iocs.Packs()
	if err != nil {
		t.Fatal(err)
	}
	rows, names := map[string]bool{}, map[string]bool{}
	for _, p := range packs {
		for _, ind := range p.Indicators {
			if ind.Type != ioc.TypePackage || ind.Ecosystem != ecosystem.NPM || ind.Status == ioc.Withdrawn || p.Status == ioc.PackWithdrawn {
				continue
			}
			for _, v := range ind.Versions {
				if popular[ind.Name] {
					rows[ind.Name+":"+v] = true
					names[ind.Name] = true
				}
			}
		}
	}
	if len(names) < 10 {
		t.Fatalf("the catalogue has %d popular packages: too few to be many", len(names))
	}
	s, k := newSource(t), newKeeper(t)
	s.serve("/list.txt", []byte(strings.Join(slices.Sorted(maps.Keys(rows)), "\n")+"\n"))
	want(t, "all of the catalogue", k.update(urlFeed(t, s, "/list.txt", ", max_popular: 0")), feeds.Fetched, len(rows), 0)
}

// popularNames are names of popular.txt.
func popularNames(t *testing.T, ecosystem string) []string {
	t.Helper()
	file, err := os.Open("popular.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var out []string
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if name, ok := strings.CutPrefix(lines.Text(), ecosystem+" "); ok {
			out = append(out, name)
		}
	}
	if len(out) < 100 {
		t.Fatalf("popular.txt has %d names of %s", len(out), ecosystem)
	}
	return out
}

// TestPopularIsMeasured counts the names of popular.txt again that it says were measured.
func TestPopularIsMeasured(t *testing.T) {
	least := map[string]int{"npm": 8, "PyPI": 4, "Go": 6}
	oracle, err := os.ReadFile(filepath.Join(xtest.Corpus(t), "oracle.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	locked := map[string]map[string]bool{} // repositories by "ecosystem name"
	for line := range strings.Lines(string(oracle)) {
		cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(cells) < 5 || cells[0] == "file" || strings.Contains(cells[4], "local") {
			continue
		}
		repository, _, _ := strings.Cut(cells[0], "/")
		pkg := cells[1] + " " + cells[2]
		if locked[pkg] == nil {
			locked[pkg] = map[string]bool{}
		}
		locked[pkg][repository] = true
	}
	text, err := os.ReadFile("popular.txt")
	if err != nil {
		t.Fatal(err)
	}
	_, measured, ok := strings.Cut(string(text), "\n# measured\n")
	measured, _, known := strings.Cut(measured, "\n# known\n")
	if !ok || !known {
		t.Fatal("popular.txt has not both of its parts")
	}
	listed := map[string]bool{}
	for line := range strings.Lines(measured) {
		listed[strings.TrimSpace(line)] = true
	}
	for pkg, repositories := range locked {
		ecosystem, _, _ := strings.Cut(pkg, " ")
		if got := len(repositories) >= least[ecosystem]; got != listed[pkg] {
			t.Errorf("%s stands in %d repositories, and its being measured is %t", pkg, len(repositories), listed[pkg])
		}
	}
}
