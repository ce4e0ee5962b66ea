package feeds_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/feeds"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// archive is a zip of files, with a comment.
func archive(t testing.TB, comment string, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	if err := w.SetComment(comment); err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(files[name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestRepository gets lists of a repository by archives, as GitHub makes them.
func TestRepository(t *testing.T) {
	const first, second = "1111111111111111111111111111111111111111", "2222222222222222222222222222222222222222"
	s, k := newSource(t), newKeeper(t)
	feed := func(more string) feeds.Config {
		return config(t, "  - {name: one, kind: github, url: '"+s.URL+"', repository: owner/lists, paths: [data/*.csv, list.txt]"+more+"}\n")
	}
	files := map[string]string{
		"lists-main/list.txt":      string(list(1, 30)),
		"lists-main/data/more.csv": "Package,Version\nwormsweep-more,1.0.0\n",
		"lists-main/README.md":     "chalk:5.6.1\n",
		"lists-main/tests/bad.txt": "react:1.0.0\n",
	}
	const path = "/owner/lists/zip/HEAD"
	serve := func(commit string) { s.serve(path, archive(t, commit, files)) }

	serve(first)
	row := k.update(feed(""))
	want(t, "first", row, feeds.Fetched, 31, 0)
	if row.Commit != first {
		t.Errorf("commit %q, want %q", row.Commit, first)
	}
	if k.status("react", "1.0.0") != "" {
		t.Error("a file that paths does not name was read")
	}
	serve(second)
	row = k.update(feed(""))
	want(t, "another commit, the same lists", row, feeds.Unchanged, 0, 0)
	if row.Commit != second {
		t.Errorf("commit %q, want %q", row.Commit, second)
	}
	files["lists-main/data/new.csv"] = "Package,Version\nwormsweep-new,1.0.0\n"
	serve(first)
	want(t, "a new file", k.update(feed("")), feeds.Fetched, 1, 0)
	files["lists-main/data/new.csv"] = "Package,Safe Version,Version\nwormsweep-new,2.0.0,1.0.0\n"
	serve(first)
	want(t, "another header", k.update(feed("")), feeds.Held, 0, 0, feeds.HeaderChanged)
	delete(files, "lists-main/list.txt")
	serve(first)
	want(t, "a file is gone", k.update(feed("")), feeds.Failed, 0, 0, feeds.Gone)

	s.serve(path, archive(t, "", files))
	want(t, "no commit", k.update(feed("")), feeds.Held, 0, 0, feeds.NotAList)
	s.serve(path, archive(t, first, map[string]string{"a/list.txt": "x:1.0.0\n", "b/list.txt": "x:1.0.0\n"}))
	want(t, "two folders", k.update(feed("")), feeds.Held, 0, 0, feeds.NotAList)
	s.serve(path, []byte("PK\x03\x04 and no more"))
	want(t, "damaged", k.update(feed("")), feeds.Held, 0, 0, feeds.NotAList)
	s.serve("/owner/lists/zip/"+first, archive(t, second, files))
	want(t, "another commit than pinned", k.update(feed(", ref: "+first)), feeds.Held, 0, 0, feeds.OtherDigest)
}

// TestOSVZip gets a zip of records, of which only the malicious packages are taken.
func TestOSVZip(t *testing.T) {
	s, k := newSource(t), newKeeper(t)
	c := config(t, "  - {name: one, kind: osv, url: '"+s.URL+"/npm/all.zip'}\n")
	files := map[string]string{"GHSA-aaaa-bbbb-cccc.json": strings.Replace(osvRecord(0, "left-pad", versions("1.0.0")), "MAL-2025-0", "GHSA-aaaa-bbbb-cccc", 1)}
	for n := range 40 {
		files[fmt.Sprintf("MAL-2025-%d.json", n)] = osvRecord(n, fmt.Sprintf("wormsweep-example-%d", n), versions("1.0.0", "1.0.1"))
	}
	s.serve("/npm/all.zip", archive(t, "", files))
	want(t, "first", k.update(c), feeds.Fetched, 80, 0)
	want(t, "again", k.update(c), feeds.Unchanged, 0, 0)
	if k.status("left-pad", "1.0.0") != "" || k.status("wormsweep-example-7", "1.0.1") != ioc.Active {
		t.Error("not the malicious packages were taken, and those alone")
	}
	if got := len(k.set().Campaigns()); got < 10 || got > 16 {
		t.Errorf("40 packages are in %d packs, want most of 16", got)
	}

	// A record is withdrawn by OSV, and one is gone without a word.
	files["MAL-2025-3.json"] = strings.Replace(files["MAL-2025-3.json"], `"modified": "2025-11-01T00:00:00Z"`, `"modified": "2025-11-20T00:00:00Z", "withdrawn": "2025-11-20T00:00:00Z"`, 1)
	delete(files, "MAL-2025-4.json")
	s.serve("/npm/all.zip", archive(t, "a", files))
	row := k.update(c)
	want(t, "withdrawals", row, feeds.Fetched, 0, 4)
	if row.Active != 76 || row.Ended != 4 {
		t.Errorf("%d active and %d ended, want 76 and 4", row.Active, row.Ended)
	}
	for name, reason := range map[string]string{"wormsweep-example-3": "osv-withdrawn", "wormsweep-example-4": "gone-from-feed"} {
		matches, _ := k.set().Package(ecosystem.NPM, name, "1.0.0")
		if len(matches) != 1 || matches[0].Indicator.Withdrawal == nil || matches[0].Indicator.Withdrawal.Reason != reason {
			t.Errorf("%s: %d matches, want one that is withdrawn: %s", name, len(matches), reason)
		}
	}

	// The latest date goes back: an old zip, whatever else it says.
	files["MAL-2025-3.json"] = osvRecord(3, "wormsweep-example-3", versions("1.0.0", "1.0.1"))
	s.serve("/npm/all.zip", archive(t, "older", files))
	want(t, "older", k.update(c), feeds.Held, 0, 0, feeds.RolledBack)
	// A date in the future would hold all that follows, and is not believed.
	files["MAL-2025-5.json"] = strings.Replace(osvRecord(5, "wormsweep-example-5", versions("1.0.0", "1.0.1")), "2025-11-01", "2099-11-01", 1)
	files["MAL-2025-6.json"] = strings.Replace(osvRecord(6, "wormsweep-example-6", versions("1.0.0", "1.0.1")), "2025-11-01", "2025-11-21", 1)
	s.serve("/npm/all.zip", archive(t, "future", files))
	want(t, "from the future", k.update(c), feeds.Fetched, 2, 0)
	files["MAL-2025-5.json"] = strings.Replace(files["MAL-2025-5.json"], "2099", "2025", 1)
	files["MAL-2025-7.json"] = strings.Replace(osvRecord(7, "wormsweep-example-7", versions("1.0.0", "1.0.1", "1.0.2")), "2025-11-01", "2025-11-22", 1)
	s.serve("/npm/all.zip", archive(t, "after", files))
	want(t, "after it", k.update(c), feeds.Fetched, 1, 0)
	s.serve("/npm/all.zip", list(1, 80))
	want(t, "no zip", k.update(c), feeds.Held, 0, 0, feeds.NotAList)
}

// TestStatedWithdrawals has a list grow and state many withdrawals itself: it is held whole.
func TestStatedWithdrawals(t *testing.T) {
	s, k := newSource(t), newKeeper(t)
	c := urlFeed(t, s, "/records.json", "")
	var before, after []string
	for n := range 10 {
		record := osvRecord(n, fmt.Sprintf("wormsweep-example-%d", n), versions("1.0.0"))
		before = append(before, record)
		if n < 5 {
			record = strings.Replace(record, `"affected"`, `"withdrawn": "2025-11-02T00:00:00Z", "affected"`, 1)
		}
		after = append(after, record, osvRecord(100+n, fmt.Sprintf("wormsweep-new-%d", n), versions("1.0.0")))
	}
	s.serve("/records.json", osvList(before...))
	want(t, "first", k.update(c), feeds.Fetched, 10, 0)
	s.serve("/records.json", osvList(after...))
	row := k.update(c)
	want(t, "half is withdrawn", row, feeds.Held, 0, 0, feeds.Shrinks)
	if got := k.status("wormsweep-example-1", "1.0.0"); got != ioc.Active {
		t.Errorf("what is held is %q in the copy", got)
	}
	want(t, "accepted", k.update(c, row.Offered), feeds.Fetched, 10, 5)
}

// TestZipBomb has zips that unpack to far more than anybody means: one that says so, and one that
// says that it does not.
func TestZipBomb(t *testing.T) {
	var packed bytes.Buffer
	deflate, err := flate.NewWriter(&packed, flate.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	spaces := bytes.Repeat([]byte(" "), 1<<20)
	for range 80 {
		if _, err := deflate.Write(spaces); err != nil {
			t.Fatal(err)
		}
	}
	if err := deflate.Close(); err != nil {
		t.Fatal(err)
	}
	bomb := func(files int, says uint64) []byte {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		for n := range files {
			f, err := w.CreateRaw(&zip.FileHeader{
				Name: fmt.Sprintf("MAL-2025-%d.json", n), Method: zip.Deflate,
				CompressedSize64: uint64(packed.Len()), UncompressedSize64: says,
			})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.Write(packed.Bytes()); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for _, tt := range []struct {
		name    string
		data    []byte
		outcome feeds.Outcome
		rule    feeds.Rule
	}{
		{"a bomb", bomb(20, 80<<20), feeds.Failed, feeds.TooLarge},
		{"a bomb that lies", bomb(3, 10), feeds.Held, feeds.Empty},
		{"a bomb of no size", bomb(2, 1<<63), feeds.Failed, feeds.TooLarge},
	} {
		s, k := newSource(t), newKeeper(t)
		s.serve("/all.zip", tt.data)
		want(t, tt.name, k.update(config(t, "  - {name: one, kind: osv, url: '"+s.URL+"/all.zip'}\n")), tt.outcome, 0, 0, tt.rule)
	}
}

// TestFolder gets a folder of lists, and of OSV records, on this machine.
func TestFolder(t *testing.T) {
	k, dir := newKeeper(t), t.TempDir()
	writeFile(t, filepath.Join(dir, "a.txt"), string(list(1, 20)))
	writeFile(t, filepath.Join(dir, "sub/b.csv"), "name,version\nwormsweep-b,1.0.0\n")
	c := config(t, "  - {name: one, kind: folder, path: '"+dir+"'}\n")
	want(t, "first", k.update(c), feeds.Fetched, 21, 0)
	want(t, "again", k.update(c), feeds.Unchanged, 0, 0)
	writeFile(t, filepath.Join(dir, "sub/b.csv"), "name,version\nwormsweep-b,1.0.0\nwormsweep-b,1.0.1\n")
	want(t, "more", k.update(c), feeds.Fetched, 1, 0)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	want(t, "gone", k.update(c), feeds.Failed, 0, 0, feeds.Gone)

	k, dir = newKeeper(t), t.TempDir()
	writeFile(t, filepath.Join(dir, "npm/MAL-2025-1.json"), osvRecord(1, "wormsweep-example", versions("1.0.0")))
	writeFile(t, filepath.Join(dir, "npm/GHSA-1.json"), osvRecord(1, "left-pad", versions("1.0.0")))
	want(t, "records", k.update(config(t, "  - {name: one, kind: osv, path: '"+dir+"'}\n")), feeds.Fetched, 1, 0)
}

// TestPacks has a feed of packs of our own: they keep their ids, revisions count, and a pack that
// is gone stays withdrawn.
func TestPacks(t *testing.T) {
	date := 0
	pack := func(id string, revision int, versions string) string {
		date++ // of each later than of all before
		return fmt.Sprintf(`{"schema": "ioc-pack/1", "id": %q, "title": "Example", "status": "active", "severity": "critical",
 "revision": %d, "modified": "2025-11-01T00:00:%02dZ", "sources": [{"id": "me"}], "indicators": [
 {"type": "package", "confidence": "confirmed", "sources": ["me"], "ecosystem": "npm", "name": "wormsweep-example", "versions": [%s]},
 {"type": "file", "confidence": "confirmed", "sources": ["me"], "path": "**/wormsweep-example.mjs"},
 {"type": "network", "confidence": "probable", "sources": ["me"], "kind": "domain", "value": "webhook.site", "benign_host": true, "requires": ["file"]}
]}`, id, revision, date, versions)
	}
	k, dir := newKeeper(t), t.TempDir()
	c := config(t, "  - {name: ours, kind: folder, path: '"+dir+"', max_shrink: 90}\n")
	writeFile(t, filepath.Join(dir, "a.json"), pack("campaign-a", 2, `"1.0.0", "1.0.1"`))
	writeFile(t, filepath.Join(dir, "b.json"), pack("campaign-b", 2, `"2.0.0"`))
	want(t, "first", k.update(c), feeds.Fetched, 7, 0)

	writeFile(t, filepath.Join(dir, "a.json"), pack("campaign-a", 3, `"1.0.1"`))
	want(t, "a retraction", k.update(c), feeds.Fetched, 0, 1)
	if got := k.status("wormsweep-example", "1.0.0"); got != ioc.Withdrawn {
		t.Errorf("what was retracted is %q", got)
	}
	writeFile(t, filepath.Join(dir, "a.json"), pack("campaign-a", 1, `"1.0.1", "1.0.2"`))
	want(t, "an older revision", k.update(c), feeds.Held, 0, 0, feeds.RolledBack)
	writeFile(t, filepath.Join(dir, "a.json"), pack("campaign-a", 4, `"1.0.1"`))
	if err := os.Remove(filepath.Join(dir, "b.json")); err != nil {
		t.Fatal(err)
	}
	row := k.update(c)
	want(t, "a pack is gone", row, feeds.Fetched, 0, 3)
	if row.Active != 3 || row.Ended != 4 {
		t.Errorf("%d active, %d ended, want 3 and 4", row.Active, row.Ended)
	}
	if matches, _ := k.set().File("x/wormsweep-example.mjs", 1, ""); len(matches) != 2 {
		t.Errorf("%d matches of the file, want one that counts and one withdrawn", len(matches))
	}

	// Another feed cannot bring a pack of the same id.
	more := t.TempDir()
	writeFile(t, filepath.Join(more, "a.json"), pack("campaign-a", 9, `"9.0.0"`))
	c = config(t, "  - {name: theirs, kind: folder, path: '"+more+"'}\n")
	report, err := feeds.Update(t.Context(), c, feeds.Options{Dir: k.dir})
	if err != nil {
		t.Fatal(err)
	}
	want(t, "taken", report.Rows[0], feeds.Held, 0, 0, feeds.PackTaken)
}

// advisory is one of GitHub's, as the REST API gives it.
func advisory(id, updated, name, versions string, withdrawn bool) map[string]any {
	a := map[string]any{
		"ghsa_id": id, "cve_id": nil, "type": "malware", "severity": "critical", "summary": "Malware in " + name,
		"updated_at": updated, "published_at": updated, "withdrawn_at": nil,
		"vulnerabilities": []map[string]any{{"package": map[string]any{"ecosystem": "npm", "name": name}, "vulnerable_version_range": versions, "first_patched_version": nil}},
	}
	if withdrawn {
		a["withdrawn_at"] = updated
	}
	return a
}

// advisories serves pages of advisories with cursors, those that were modified since the date
// that is asked for.
func (s *source) advisories(t *testing.T, all []map[string]any, perPage int) {
	s.set("/advisories", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Get("type") != "malware" {
			t.Errorf("asked for %q", r.URL)
		}
		since := strings.TrimPrefix(q.Get("modified"), ">=")
		var found []map[string]any
		for _, a := range all {
			if a["updated_at"].(string) >= since {
				found = append(found, a)
			}
		}
		from := 0
		fmt.Sscan(q.Get("after"), &from)
		page := found[min(from, len(found)):min(from+perPage, len(found))]
		if from+perPage < len(found) {
			q.Set("after", fmt.Sprint(from+perPage))
			w.Header().Set("Link", fmt.Sprintf(`<%s/advisories?before=x>; rel="prev", <%s/advisories?%s>; rel="next"`, s.URL, s.URL, q.Encode()))
		}
		if page == nil {
			page = []map[string]any{}
		}
		json.NewEncoder(w).Encode(page)
	})
}

func TestAdvisories(t *testing.T) {
	s, k := newSource(t), newKeeper(t)
	c := config(t, "  - {name: one, kind: ghsa, url: '"+s.URL+"'}\n")
	var all []map[string]any
	for n := range 25 {
		all = append(all, advisory(fmt.Sprintf("GHSA-0000-0000-%04d", n), fmt.Sprintf("2025-11-01T00:00:%02dZ", n), fmt.Sprintf("wormsweep-example-%d", n), "= 1.0.0", false))
	}
	s.advisories(t, all, 10)
	row := k.update(c)
	want(t, "first", row, feeds.Fetched, 25, 0)
	if len(s.requests) != 3 {
		t.Errorf("%d requests, want 3 pages: %q", len(s.requests), s.requests)
	}
	want(t, "nothing new", k.update(c), feeds.Unchanged, 0, 0)
	if last := s.requests[len(s.requests)-1]; !strings.Contains(last, "modified=%3E%3D2025-11-01T00%3A00%3A24Z") {
		t.Errorf("the second update asks %q, want what changed since the first", last)
	}

	all = append(all,
		advisory("GHSA-0000-0000-0001", "2025-11-02T00:00:00Z", "wormsweep-example-1", "= 1.0.0", true),
		advisory("GHSA-0000-0000-0002", "2025-11-02T00:00:01Z", "wormsweep-example-2", ">= 1.0.0, < 1.0.3", false),
		advisory("GHSA-0000-0000-0099", "2025-11-02T00:00:02Z", "wormsweep-example-99", ">= 0", false))
	s.advisories(t, all, 10)
	row = k.update(c)
	want(t, "changes", row, feeds.Fetched, 2, 2)
	for _, tt := range []struct {
		name, version string
		want          ioc.Status
	}{
		{"wormsweep-example-0", "1.0.0", ioc.Active},
		{"wormsweep-example-1", "1.0.0", ioc.Withdrawn},
		{"wormsweep-example-2", "1.0.2", ioc.Active},
		{"wormsweep-example-2", "1.0.3", ""},
		{"wormsweep-example-99", "7.0.0", ioc.Active},
	} {
		if got := k.status(tt.name, tt.version); got != tt.want {
			t.Errorf("%s %s is %q, want %q", tt.name, tt.version, got, tt.want)
		}
	}

	all = append(all, advisory("GHSA-0000-0000-0100", "2025-11-03T00:00:00Z", "chalk", ">= 0", false))
	s.advisories(t, all, 10)
	row = k.update(c)
	want(t, "all of a popular package", row, feeds.Held, 0, 0, feeds.Sweeping)
	all[len(all)-1] = advisory("GHSA-0000-0000-0100", "2025-11-03T01:00:00Z", "chalk", "= 99.0.0", false)
	s.advisories(t, all, 10)
	want(t, "corrected", k.update(c), feeds.Fetched, 1, 0)

	for name, a := range map[string]map[string]any{
		"a range of no form":  advisory("GHSA-0000-0000-0101", "2025-11-04T00:00:00Z", "wormsweep-x", "> 1.0.0", false),
		"a vulnerability":     {"ghsa_id": "GHSA-0000-0000-0102", "type": "reviewed", "updated_at": "2025-11-04T00:00:00Z"},
		"no package":          {"ghsa_id": "GHSA-0000-0000-0103", "type": "malware", "updated_at": "2025-11-04T00:00:00Z", "vulnerabilities": []any{map[string]any{}}},
		"another kind of row": {"id": 1, "updated_at": "2025-11-04T00:00:00Z"},
	} {
		s.advisories(t, append(slices.Clone(all), a), 10)
		want(t, name, k.update(c), feeds.Held, 0, 0, feeds.NotAList)
	}
	for name, link := range map[string]string{
		"next page elsewhere":  `<https://evil.example/advisories?after=1>; rel="next"`,
		"next page beside":     "<" + s.URL + `/other?after=1>; rel="next"`,
		"next page by a trick": "<" + s.URL + `.evil.example/advisories?after=1>; rel="next"`,
	} {
		s.set("/advisories", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Link", link)
			w.Write([]byte("[]"))
		})
		want(t, name, k.update(c), feeds.Failed, 0, 0, feeds.OtherHost)
	}
	s.set("/advisories", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "<"+s.URL+r.URL.RequestURI()+`>; rel="next"`)
		w.Write([]byte("[]"))
	})
	before := len(s.requests)
	want(t, "pages in a circle", k.update(c), feeds.Failed, 0, 0, feeds.Unreachable)
	if n := len(s.requests) - before; n > 2 {
		t.Errorf("%d requests of a circle of one page", n)
	}
	s.set("/advisories", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(`{"message": "rate limit"}`)) })
	want(t, "no list", k.update(c), feeds.Held, 0, 0, feeds.NotAList)
}

// pagesFunc is somebody else who asks GitHub.
type pagesFunc func(path string) ([]byte, string, error)

func (f pagesFunc) Page(_ context.Context, path string) ([]byte, string, error) { return f(path) }

func TestAdvisoriesByOthers(t *testing.T) {
	k := newKeeper(t)
	c := config(t, "  - {name: one, kind: ghsa}\n")
	page, err := json.Marshal([]any{advisory("GHSA-0000-0000-0001", "2025-11-01T00:00:00Z", "wormsweep-example", "= 1.0.0", false)})
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	report, err := feeds.Update(t.Context(), c, feeds.Options{Dir: k.dir, Pages: pagesFunc(func(path string) ([]byte, string, error) {
		asked = append(asked, path)
		if len(asked) == 1 {
			return page, "/advisories?after=2", nil
		}
		return []byte("[]"), "", nil
	})})
	if err != nil {
		t.Fatal(err)
	}
	want(t, "by others", report.Rows[0], feeds.Fetched, 1, 0)
	if len(asked) != 2 || !strings.HasPrefix(asked[0], "/advisories?") || asked[1] != "/advisories?after=2" {
		t.Errorf("asked for %q", asked)
	}
	report, err = feeds.Update(t.Context(), c, feeds.Options{Dir: k.dir, Pages: pagesFunc(func(string) ([]byte, string, error) { return nil, "", errors.New("no budget left") })})
	if err != nil {
		t.Fatal(err)
	}
	want(t, "refused", report.Rows[0], feeds.Failed, 0, 0, feeds.Unreachable)
}
