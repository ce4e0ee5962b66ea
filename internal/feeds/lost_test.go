package feeds

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/pkg/ioc/feed"
)

// FuzzNothingIsLost has a list in two versions that anybody may have written. Whatever the second
// says, and whether it is held or a person accepts it: what the copy had is in it still, counting
// or withdrawn, and the copy can be read.
func FuzzNothingIsLost(f *testing.F) {
	for _, s := range []struct{ name, before, after string }{
		{"l.txt", "a:1.0.0\nb:1.0.0\n", "b:1.0.0\nc:1.0.0\n"},
		{"l.csv", "Package,Version\na,\"1.0.0, 1.0.1\"\n", "Package,Version\na,1.0.1\nchalk,*\n"},
		{"l.csv", "type,value,confidence\ndomain,webhook.site,low\nsha256,46faab8ab153fae6e80e7cca38eab363075bb524edd79e42269217a083628f09,high\n", "type,value\nfile_name,bundle.js\n"},
		{
			"l.json", `[{"id": "MAL-1", "affected": [{"package": {"ecosystem": "npm", "name": "a"}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}]}]}]`,
			`[{"id": "MAL-1", "withdrawn": "2025-01-01T00:00:00Z", "affected": [{"package": {"ecosystem": "npm", "name": "a"}, "versions": ["1.0.0"]}]}]`,
		},
		{
			"l.json", `[{"id": "MAL-1", "affected": [{"package": {"ecosystem": "npm", "name": "a"}, "versions": ["1.0.0"]}]}]`,
			`[{"id": "MAL-1", "withdrawn": "2025-01-01T00:00:00Z", "affected": [{"package": {"ecosystem": "npm", "name": "a"}, "versions": ["1.0.0"]}]},
 {"id": "MAL-2", "affected": [{"package": {"ecosystem": "npm", "name": "b"}, "versions": ["1.0.0", "1.0.1"]}]}]`,
		},
		{
			"l.json", `{"schema": "ioc-pack/1", "id": "p", "title": "P", "status": "active", "severity": "high", "revision": 2, "modified": "2025-01-01T00:00:00Z", "sources": [{"id": "me"}], "indicators": [
 {"type": "package", "confidence": "weak", "sources": ["me"], "ecosystem": "npm", "name": "a", "versions": ["1.0.0", "1.0.1"], "safe_versions": ["1.0.2"], "requires": ["file"]},
 {"type": "file", "confidence": "weak", "sources": ["me"], "name": "bundle.js", "requires": ["package"]}]}`,
			`{"schema": "ioc-pack/1", "id": "p", "title": "P", "status": "active", "severity": "high", "revision": 3, "modified": "2025-01-02T00:00:00Z", "sources": [{"id": "you"}], "indicators": [
 {"type": "package", "confidence": "confirmed", "sources": ["you"], "ecosystem": "npm", "name": "a", "versions": ["1.0.1"]}]}`,
		},
	} {
		f.Add(s.name, []byte(s.before), []byte(s.after), true)
		f.Add(s.name, []byte(s.before), []byte(s.after), false)
	}
	now := time.Date(2025, 11, 24, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, name string, before, after []byte, accept bool) {
		extension := strings.ToLower(filepath.Ext(name))
		if len(before)+len(after) > 1<<16 || len(extension) > 6 || strings.ContainsAny(extension, "/\\\x00") {
			return
		}
		dir := t.TempDir()
		u := &updater{dir: dir, now: now, state: &state{Schema: stateSchema}, accept: map[string]string{}}
		fd := &Feed{Name: "one", Kind: KindFile, Path: "l" + extension}
		e := &entry{Name: "one"}
		u.state.Feeds = []*entry{e}
		content := func(data []byte) *content {
			return &content{name: "l" + extension, data: data, digest: fmt.Sprintf("%064x", len(data)), from: "l" + extension}
		}
		u.accept["one"] = content(before).digest
		if _, err := u.take(fd, e, content(before)); err != nil {
			return // no list, or one that nobody can accept
		}
		was := allAtoms(t, dir, e)
		u.accept["one"] = "no digest"
		if accept {
			u.accept["one"] = content(after).digest
		}
		_, err := u.take(fd, e, content(after))
		is := allAtoms(t, dir, e)
		for key, counted := range was {
			now, there := is[key]
			if !there {
				t.Errorf("%q is lost (%v)", key, err)
			}
			if counted && !now && err != nil {
				t.Errorf("%q is withdrawn, though the feed was held: %v", key, err)
			}
		}
	})
}

// allAtoms are the atoms of the entry's packs, and whether they count. The packs are read as
// --ioc reads them.
func allAtoms(t *testing.T, dir string, e *entry) map[string]bool {
	t.Helper()
	var names []string
	out := map[string]bool{}
	for _, b := range e.Packs {
		names = append(names, b.File)
	}
	keep := func(name string, _ bool) bool { return slices.Contains(names, name) }
	list, err := feed.ImportFS(selected{os.DirFS(dir), keep}, ".", feed.Options{})
	if err != nil || len(list.Errors) > 0 {
		t.Fatalf("the copy is not read whole: %v %v", err, list.Errors)
	}
	all := atomsOf(list.Packs("x", time.Time{}))
	for _, key := range all.keys {
		a := all.by[key]
		out[key] = !a.withdrawn()
	}
	return out
}
