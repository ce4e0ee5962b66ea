package github_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/github"
)

func refs(t testing.TB, text string) source.Refs {
	t.Helper()
	r, err := source.ParseRefs(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// manyRefs makes a repository with refs of all kinds.
func manyRefs(s *githubtest.Server) *githubtest.Repo {
	repo := s.AddFiles("api", lockfiles(0))
	m := repo.Memory()
	repo.Push("release/1", lockfiles(1))
	same := repo.Push("release/2", lockfiles(0)) // the tree of main
	m.SetRef("refs/tags/light", same)
	tag := m.Tag("v1", repo.Push("release/1", lockfiles(3)))
	m.Tag("v1-again", tag)
	m.Tag("deep", m.Tag("deeper", m.Tag("deepest", tag)))
	m.SetRef("refs/tags/blob", m.Add(gitstore.Object{Kind: gitstore.Blob, Data: []byte("x")}))
	repo.OpenPull("a change", lockfiles(4))
	n := repo.OpenPull("of a fork", lockfiles(5))
	m.SetRef(fmt.Sprintf("refs/heads/change-%d", n), gitstore.ID{})
	closed := repo.OpenPull("closed", lockfiles(6))
	m.SetRef(fmt.Sprintf("refs/heads/change-%d", closed), gitstore.ID{})
	repo.Change(func(r *githubtest.Repository) { r.Pulls[len(r.Pulls)-1].Closed = true })
	return repo
}

// trees are the trees of a repository, each with its refs.
func trees(t testing.TB, repo *source.Repository) []string {
	t.Helper()
	var out []string
	for _, tree := range repo.Trees {
		var names []string
		for _, ref := range tree.(source.Shared).Refs() {
			names = append(names, strings.TrimPrefix(ref.Name, "refs/"))
		}
		out = append(out, strings.Join(names, " "))
	}
	return out
}

// Each distinct tree is there once, under all its refs, and the default branch is the first.
func TestRefs(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	manyRefs(s)
	c := installed(t, s, readPermissions)
	for _, tt := range []struct {
		refs string
		want []string
		told string
	}{
		{"head", []string{"heads/main"}, ""},
		{"branches", []string{"heads/main heads/release/2", "heads/change-1", "heads/release/1"}, ""},
		{"tags", []string{"heads/main tags/light", "tags/deepest tags/v1 tags/v1-again"}, "note:not-a-commit problem:ref problem:ref"},
		{"prs", []string{"heads/main", "pull/1/head", "pull/2/head"}, ""},
		{"release/*", []string{"heads/main heads/release/2", "heads/release/1"}, ""},
		{"v*", []string{"heads/main", "tags/v1 tags/v1-again"}, ""},
		{"refs/pull/2/*", []string{"heads/main", "pull/2/head"}, ""},
		{
			"all",
			[]string{"heads/main heads/release/2 tags/light", "heads/change-1 pull/1/head", "heads/release/1 tags/deepest tags/v1 tags/v1-again", "pull/2/head"},
			"note:not-a-commit problem:ref problem:ref",
		},
	} {
		repo := collect(t, c, acme, github.Options{Refs: refs(t, tt.refs)})["acme/api"]
		if d := cmp.Diff(tt.want, trees(t, repo)); d != "" {
			t.Errorf("%s: -want +got:\n%s", tt.refs, d)
		}
		if got := told(repo); got != tt.told {
			t.Errorf("%s: %q; want %q: %v", tt.refs, got, tt.told, repo.Problems)
		}
	}
}

// The trees of all refs come in one request, and their files in another.
func TestFetchLists(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	manyRefs(s)
	repo := collect(t, installed(t, s, readPermissions), acme, github.Options{Refs: refs(t, "all")})["acme/api"]
	requests(s)
	if err := repo.Trees[0].(source.ListFetcher).FetchLists(t.Context(), repo.Trees); err != nil {
		t.Fatal(err)
	}
	var files []source.File
	for _, tree := range repo.Trees {
		for f, err := range tree.Files(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, f)
		}
	}
	if err := repo.Trees[0].(source.Fetcher).Fetch(t.Context(), files); err != nil {
		t.Fatal(err)
	}
	for i, n := range []int{0, 4, 3, 5} {
		if d := cmp.Diff(lockfiles(n), contents(t, repo.Trees[i])); d != "" {
			t.Errorf("tree %d: -want +got:\n%s", i, d)
		}
	}
	if d := cmp.Diff(map[githubtest.Kind]int{githubtest.Git: 2}, requests(s)); d != "" {
		t.Errorf("requests: -want +got:\n%s", d)
	}
}

// Lists of refs are read to their end, whatever their pages; what is read names what is
// seen.
func TestManyPages(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	repo := s.AddFiles("api", lockfiles(0))
	first := repo.Memory().Refs()[0].ID
	for i := range 230 {
		repo.Memory().SetRef(fmt.Sprintf("refs/heads/b%d", i), first)
		repo.Memory().SetRef(fmt.Sprintf("refs/tags/t%d", i), first)
	}
	repo.Change(func(r *githubtest.Repository) {
		for i := range 120 {
			r.Releases = append(r.Releases, githubtest.Release{Tag: fmt.Sprintf("t%d", i), Name: fmt.Sprintf("Release %d", i)})
		}
	})
	c := installed(t, s, readPermissions)
	requests(s)
	all := collect(t, c, acme, github.Options{Refs: refs(t, "all"), Observe: true})["acme/api"]
	if n := len(all.Trees[0].(source.Shared).Refs()); n != 461 || len(all.Trees) != 1 || told(all) != "" {
		t.Errorf("%d trees, the first of %d refs: %s", len(all.Trees), n, told(all))
	}
	seen := map[string]int{}
	for _, o := range all.Seen {
		seen[o.Property]++
	}
	if d := cmp.Diff(map[string]int{
		source.SeenName: 1, source.SeenBranch: 231, source.SeenTag: 230, source.SeenRelease: 120,
		source.SeenCommit: 461, source.SeenTree: 461, source.SeenMessage: 461, source.SeenAuthor: 461,
	}, seen); d != "" {
		t.Errorf("seen: -want +got:\n%s", d)
	}
	if n := requests(s)[githubtest.GraphQL]; n != 6 {
		t.Errorf("%d requests to GraphQL", n)
	}
	// A page that takes too long is asked for in parts.
	mend := s.Break(githubtest.Rule{Kind: githubtest.GraphQL, Query: "first:100,after", Fault: status(http.StatusBadGateway)})
	small := collect(t, c, acme, github.Options{Refs: refs(t, "branches")})["acme/api"]
	mend()
	if n := len(small.Trees[0].(source.Shared).Refs()); n != 231 || told(small) != "" {
		t.Errorf("in small pages: %d refs, %s", n, told(small))
	}
	// A page that does not come is said to lack, and the others are there.
	s.Break(githubtest.Rule{Kind: githubtest.GraphQL, Query: "branches", Skip: 1, Fault: status(http.StatusInternalServerError)})
	part := collect(t, c, acme, github.Options{Refs: refs(t, "branches")})["acme/api"]
	if told(part) != "problem:ref" || len(part.Trees) != 1 || len(part.Trees[0].(source.Shared).Refs()) != 101 {
		t.Errorf("with a page that does not come: %s, %v", told(part), part.Problems)
	}
}

func status(code int) githubtest.Fault {
	return func(e *githubtest.Exchange) { e.Status = code }
}

// Runners are the organisation's. A permission that lacks is said once, as a note where
// files are not behind it.
func TestPermissions(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	manyRefs(s)
	s.AddFiles("web", lockfiles(1))
	account := s.Installation().Account
	one := s.AddUser("one")
	s.Update(func() { account.Members = []string{one.Login} })
	repos := collect(t, installed(t, s, readPermissions), acme, github.Options{Observe: true, Refs: refs(t, "prs")})
	if repos["acme"] != nil {
		t.Errorf("with all permissions: %s", told(repos["acme"]))
	}
	few := ghclient.Permissions{"contents": "read", "metadata": "read"}
	repos = collect(t, installed(t, s, few), acme, github.Options{Observe: true, Refs: refs(t, "prs")})
	if got := told(repos["acme"]); got != "note:permission note:permission problem:permission" {
		t.Errorf("without: %q", got)
	}
	for _, name := range []string{"acme/api", "acme/web"} {
		if told(repos[name]) != "note:permission" || len(repos[name].Trees) != 1 {
			t.Errorf("%s: %s, %d trees", name, told(repos[name]), len(repos[name].Trees))
		}
	}
	for i := range 120 {
		login := fmt.Sprintf("member-%d", i)
		s.AddUser(login)
		s.Update(func() { account.Members = append(account.Members, login) })
	}
	s.Add(githubtest.Repository{Owner: "member-7", Name: "Shai-Hulud", Description: "A worm", Visibility: githubtest.Public})
	s.Add(githubtest.Repository{Owner: "member-7", Name: "secret"})
	s.Add(githubtest.Repository{Owner: "member-99", Name: "dotfiles", Visibility: githubtest.Public})
	s.Update(func() {
		for i := range 130 {
			account.Runners = append(account.Runners, githubtest.Runner{ID: int64(i + 1), Name: fmt.Sprintf("runner-%d", i)})
		}
	})
	org := collect(t, installed(t, s, readPermissions), acme, github.Options{Observe: true})["acme"]
	if d := cmp.Diff([]source.Seen{
		{Property: source.SeenName, Value: "Shai-Hulud", Where: "member-7/Shai-Hulud"},
		{Property: source.SeenDescription, Value: "A worm", Where: "member-7/Shai-Hulud"},
		{Property: source.SeenName, Value: "dotfiles", Where: "member-99/dotfiles"},
	}, org.Seen[min(130, len(org.Seen)):]); d != "" {
		t.Errorf("of members: -want +got:\n%s", d)
	}
	if len(org.Seen) != 133 || !slices.Contains(org.Seen, source.Seen{Property: source.SeenRunner, Value: "runner-129"}) {
		t.Errorf("runners: %+v", org)
	}
}

// TestNamesCostNoRequest: names of refs and releases come with the heads, a hundred repositories
// at once, and the members' repositories with the first hundred.
func TestNamesCostNoRequest(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	for i := range 210 {
		s.AddFiles(fmt.Sprintf("r%03d", i), lockfiles(i))
	}
	c := installed(t, s, readPermissions)
	requests(s)
	collect(t, c, acme, github.Options{Observe: true})
	if n := requests(s)[githubtest.GraphQL]; n != 3 {
		t.Errorf("%d requests to GraphQL", n)
	}
}

// TestMembersAmongHeads: whatever becomes of the members that are asked for with heads, what is said of
// them is what is said where they are asked for alone, and the heads are as they were.
func TestMembersAmongHeads(t *testing.T) {
	member := source.Seen{Property: source.SeenName, Value: "Shai-Hulud", Where: "ann/Shai-Hulud"}
	for name, tt := range map[string]struct {
		rule     githubtest.Rule
		requests int
		seen     []source.Seen
		problems string
	}{
		"no fault":      {requests: 1, seen: []source.Seen{member}},
		"a timeout":     {rule: githubtest.Rule{Query: "nodes", Times: 1, Fault: status(http.StatusBadGateway)}, requests: 2, seen: []source.Seen{member}},
		"cut off":       {rule: githubtest.Rule{Query: "membersWithRole", Times: 1, Fault: githubtest.GraphQLPartial(100)}, requests: 4, seen: []source.Seen{member}},
		"another fault": {rule: githubtest.Rule{Query: "membersWithRole", Fault: githubtest.GraphQLLacks("organization")}, requests: 1, problems: "fetch"},
	} {
		s := githubtest.Start(t, githubtest.Options{})
		s.AddFiles("api", lockfiles(1))
		s.AddFiles("web", lockfiles(2))
		s.AddUser("ann")
		account := s.Organization("acme")
		s.Update(func() { account.Members = append(account.Members, "ann") })
		s.Add(githubtest.Repository{Owner: "ann", Name: "Shai-Hulud", Visibility: githubtest.Public})
		c := installed(t, s, readPermissions)
		if tt.rule.Fault != nil {
			tt.rule.Kind = githubtest.GraphQL
			s.Break(tt.rule)
		}
		requests(s)
		repos := collect(t, c, acme, github.Options{Observe: true})
		if n := requests(s)[githubtest.GraphQL]; n != tt.requests {
			t.Errorf("%s: %d requests to GraphQL, want %d", name, n, tt.requests)
		}
		org := repos["acme"]
		if org == nil {
			org = &source.Repository{}
		}
		problems := ""
		for _, p := range org.Problems {
			problems += string(p.Code)
		}
		if d := cmp.Diff(tt.seen, org.Seen); d != "" || problems != tt.problems {
			t.Errorf("%s: problems %q, seen (-want +got):\n%s", name, problems, d)
		}
		for _, repo := range []string{"acme/api", "acme/web"} {
			if r := repos[repo]; len(r.Trees) != 1 || told(r) != "" {
				t.Errorf("%s: %s: %d trees, %s", name, repo, len(r.Trees), told(r))
			}
		}
	}
}
