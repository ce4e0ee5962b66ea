package github

import (
	"context"
	"encoding/json"
	"path"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/gitobject"
)

// Whatever GraphQL says of a repository, its trees are of commits that have ids, each ref is
// in one of them, and what is not is said.
func FuzzHead(f *testing.F) {
	id := strings.Repeat("1", 40)
	commit := `{"__typename":"Commit","oid":"` + id + `","tree":{"oid":"` + strings.Repeat("2", 40) + `"}}`
	for _, seed := range []string{
		`{"databaseId":1,"nameWithOwner":"acme/api","defaultBranchRef":{"name":"main","target":` + commit + `}}`,
		`{"isEmpty":true}`, `{"isLocked":true}`, `{}`, `{"defaultBranchRef":{"name":"","target":null}}`,
		`{"branches":{"pageInfo":{"hasNextPage":true,"endCursor":"x"},"nodes":[{"name":"a","target":` + commit + `},null,{"name":""}]}}`,
		`{"tags":{"nodes":[{"name":"v1","target":{"__typename":"Tag","oid":"x","target":` + commit + `}},{"name":"v2","target":{"__typename":"Tag"}},` +
			`{"name":"v3","target":{"__typename":"Blob","oid":"` + id + `"}}]}}`,
		`{"pullRequests":{"nodes":[{"number":7,"headRefOid":"` + id + `","headRef":{"target":` + commit + `}},{"number":8,"headRefOid":"short"}]}}`,
		`{"releases":{"nodes":[null,{"name":"","tagName":"v1"}]}}`,
	} {
		f.Add(seed)
	}
	client, err := ghclient.New(ghclient.Options{BaseURL: "http://127.0.0.1:1", Auth: ghclient.Auth{Token: "x"}})
	if err != nil {
		f.Fatal(err)
	}
	refs, err := source.ParseRefs("all")
	if err != nil {
		f.Fatal(err)
	}
	ctx, cancel := context.WithCancel(f.Context())
	cancel() // no further page is asked for
	f.Fuzz(func(t *testing.T, text string) {
		h := &head{}
		if json.Unmarshal([]byte(text), h) != nil {
			return
		}
		r := &run{client: client, opt: Options{Refs: refs, Observe: true}}
		repo := r.build(ctx, &listed{ID: 1, FullName: "acme/api"}, h)
		if len(repo.Trees)+len(repo.Problems)+len(repo.Notes) == 0 {
			t.Errorf("%q: no tree, and no reason", text)
		}
		seen := map[string]bool{}
		for _, tree := range repo.Trees {
			for _, ref := range tree.(source.Shared).Refs() {
				if _, ok := gitobject.ParseID(ref.Commit); !ok || !strings.HasPrefix(ref.Name, "refs/") {
					t.Errorf("%q: the ref %q at %q", text, ref.Name, ref.Commit)
				}
				seen[ref.Name] = true
			}
			if root := tree.(source.Rooted).Root(); root != "" {
				if _, ok := gitobject.ParseID(root); !ok {
					t.Errorf("%q: the root %q", text, root)
				}
			}
		}
		for _, o := range repo.Seen {
			if o.Value == "" {
				t.Errorf("%q: nothing was seen: %+v", text, o)
			}
			if o.Property == source.SeenBranch && !seen[source.Branches+o.Value] && len(repo.Problems)+len(repo.Notes) == 0 {
				t.Errorf("%q: the branch %q is seen, and in no tree", text, o.Value)
			}
		}
	})
}

// Whatever a listing of REST holds, what comes of it are paths below the folder that it is
// of, with ids, or errors.
func FuzzEntry(f *testing.F) {
	id := strings.Repeat("1", 40)
	for _, seed := range [][4]string{
		{"a/b", "100644", "blob", id},
		{"../x", "100644", "blob", id},
		{"a", "160000", "commit", id},
		{"a", "040000", "tree", id},
		{"", "", "", ""},
		{"a//b", "120000", "blob", id},
		{"a\x00b", "100644", "blob", "x"},
		{"/etc/passwd", "100644", "blob", id},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	f.Fuzz(func(t *testing.T, name, mode, kind, sha string) {
		l := &lister{left: 10}
		l.add(t.Context(), "in", entry{Path: name, Mode: mode, Type: kind, SHA: sha})
		if len(l.out) == 0 && kind != "tree" {
			t.Errorf("%q of the type %q is passed over", name, kind)
		}
		for _, e := range l.out {
			if p := e.file.Path; path.Clean(p) != p || !strings.HasPrefix(p, "in") || strings.ContainsRune(p, 0) {
				t.Errorf("%q is listed as %q", name, p)
			}
			if _, ok := gitobject.ParseID(e.file.Blob); e.err == nil && !ok {
				t.Errorf("%q has the blob %q", name, e.file.Blob)
			}
		}
	})
}
