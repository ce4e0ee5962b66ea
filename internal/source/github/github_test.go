package github_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/github"
)

// readPermissions are those that a sweep asks for.
var readPermissions = ghclient.Permissions{
	"contents": "read", "metadata": "read", "pull_requests": "read", "members": "read",
	"organization_administration": "read", "organization_self_hosted_runners": "read",
}

// installed is a client of the App's installation.
func installed(t testing.TB, s *githubtest.Server, perms ghclient.Permissions) *ghclient.Client {
	t.Helper()
	app := client(t, s, ghclient.Auth{AppID: s.App().ID, AppKey: s.App().Key})
	c, err := app.Installation(t.Context(), "acme", perms)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func client(t testing.TB, s *githubtest.Server, auth ghclient.Auth) *ghclient.Client {
	t.Helper()
	c, err := ghclient.New(ghclient.Options{BaseURL: s.URL(), Auth: auth, Sleep: noSleep})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func noSleep(ctx context.Context, _ time.Duration) error { return ctx.Err() }

var acme = github.Selection{Org: "acme"}

// collect takes all repositories, by name, and closes them at the end of the test. No file
// may be left then.
func collect(t testing.TB, c *ghclient.Client, sel github.Selection, opt github.Options) map[string]*source.Repository {
	t.Helper()
	opt.Dir, opt.Sleep = t.TempDir(), noSleep
	out := map[string]*source.Repository{}
	last := ""
	for repo, err := range github.Repositories(t.Context(), c, sel, opt) {
		if err != nil {
			t.Fatal(err)
		}
		if out[repo.Name] != nil || !repo.Loose && strings.ToLower(repo.Name) < last {
			t.Errorf("%q comes after %q, or twice", repo.Name, last)
		}
		last = strings.ToLower(repo.Name)
		out[repo.Name] = repo
	}
	t.Cleanup(func() {
		for _, repo := range out {
			if err := repo.Close(); err != nil {
				t.Errorf("%s: %v", repo.Name, err)
			}
		}
		if left, err := os.ReadDir(opt.Dir); err != nil || len(left) > 0 {
			t.Errorf("temporary files are left: %v, %v", left, err)
		}
	})
	return out
}

// told are the codes of problems and notes of a repository, in order: "problem:no-head".
func told(repo *source.Repository) string {
	if repo == nil {
		return "no repository"
	}
	var out []string
	for _, p := range repo.Problems {
		out = append(out, "problem:"+string(p.Code))
	}
	for _, n := range repo.Notes {
		out = append(out, "note:"+string(n.Code))
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// contents lists a tree, fetches all of it at once and reads it: by path the content, or
// the code of the error.
func contents(t testing.TB, tree source.Tree) map[string]string {
	t.Helper()
	ctx := t.Context()
	out := map[string]string{}
	var files []source.File
	last := ""
	for f, err := range tree.Files(ctx) {
		if err != nil {
			out[f.Path] = code(t, err)
			continue
		}
		if f.Path <= last {
			t.Errorf("%q is listed after %q", f.Path, last)
		}
		last = f.Path
		files = append(files, f)
	}
	fetchErr := tree.(source.Fetcher).Fetch(ctx, files)
	failed := false
	for _, f := range files {
		data, err := tree.Read(ctx, f, 1<<20, nil)
		if err != nil {
			failed = failed || !f.Link
			out[f.Path] = code(t, err)
			continue
		}
		out[f.Path] = string(data)
		r, err := tree.Open(ctx, f)
		if err != nil {
			t.Errorf("%q: Open: %v", f.Path, err)
			continue
		}
		again, err := io.ReadAll(r)
		if r.Close(); err != nil || string(again) != string(data) {
			t.Errorf("%q: opened: %q, %v; read: %q", f.Path, again, err, data)
		}
	}
	if (fetchErr != nil) != failed {
		t.Errorf("Fetch: %v, and it is %v that a file has an error", fetchErr, failed)
	}
	return out
}

func code(t testing.TB, err error) string {
	t.Helper()
	var pe *source.PathError
	if !errors.As(err, &pe) {
		t.Fatalf("%v is no *source.PathError", err)
	}
	if strings.ContainsAny(pe.Err.Error(), "\n\x1b") {
		t.Errorf("%q is not one line", pe.Err)
	}
	return "error:" + string(pe.Code)
}

// requests counts what a server was asked since the last call.
func requests(s *githubtest.Server) map[githubtest.Kind]int {
	n := s.Totals().Requests
	s.ForgetLog()
	maps.DeleteFunc(n, func(_ githubtest.Kind, n int) bool { return n == 0 })
	return n
}

func lockfiles(n int) map[string]string {
	return map[string]string{
		"package-lock.json": fmt.Sprintf(`{"n":%d}`, n), "services/b/yarn.lock": fmt.Sprintln(n), "services/b-c/go.sum": "same",
		"src/a.js": "x",
	}
}

// A repository is its heads in one request for all, then two requests to git, and none
// before it is looked at.
func TestOrganisation(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	var want []string
	for i := range 7 {
		name := fmt.Sprintf("repo-%d", i)
		s.AddFiles(name, lockfiles(i))
		want = append(want, "acme/"+name)
	}
	c := installed(t, s, readPermissions)
	requests(s)
	repos := collect(t, c, acme, github.Options{})
	if d := cmp.Diff(want, slices.Sorted(maps.Keys(repos))); d != "" {
		t.Errorf("repositories: -want +got:\n%s", d)
	}
	if d := cmp.Diff(map[githubtest.Kind]int{githubtest.REST: 2, githubtest.GraphQL: 1}, requests(s)); d != "" {
		t.Errorf("requests for the list: -want +got:\n%s", d)
	}
	for i := range 7 {
		repo := repos[fmt.Sprintf("acme/repo-%d", i)]
		if told(repo) != "" || len(repo.Trees) != 1 {
			t.Fatalf("%s: %s, %d trees", repo.Name, told(repo), len(repo.Trees))
		}
		tree := repo.Trees[0]
		memory := s.Repo(repo.Name).Memory()
		if tree.Ref() != "refs/heads/main" || tree.Commit() != memory.Refs()[0].ID.String() {
			t.Errorf("%s: the tree is of %s at %s", repo.Name, tree.Ref(), tree.Commit())
		}
		if root := tree.(source.Rooted).Root(); len(root) != 40 {
			t.Errorf("%s: the root is %q", repo.Name, root)
		}
		if n := requests(s); len(n) > 0 {
			t.Errorf("%s: %v before anything was read", repo.Name, n)
		}
		if d := cmp.Diff(lockfiles(i), contents(t, tree)); d != "" {
			t.Errorf("%s: -want +got:\n%s", repo.Name, d)
		}
		if d := cmp.Diff(map[githubtest.Kind]int{githubtest.Git: 2}, requests(s)); d != "" {
			t.Errorf("%s: requests: -want +got:\n%s", repo.Name, d)
		}
	}
}

// What is not fetched together is fetched one by one, and nothing else.
func TestOneByOne(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	s.AddFiles("api", lockfiles(1))
	tree := collect(t, installed(t, s, readPermissions), acme, github.Options{})["acme/api"].Trees[0]
	var files []source.File
	for f, err := range tree.Files(t.Context()) {
		if err != nil || f.Size != source.SizeUnfetched {
			t.Errorf("%+v, %v; want a size that is not known", f, err)
		}
		files = append(files, f)
	}
	requests(s)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for _, f := range files[:2] {
				if data, err := tree.Read(t.Context(), f, 100, nil); err != nil || string(data) != lockfiles(1)[f.Path] {
					t.Errorf("%q: %q, %v", f.Path, data, err)
				}
			}
		})
	}
	wait.Wait()
	if n := requests(s)[githubtest.Git]; n != 2 {
		t.Errorf("%d requests for two files", n)
	}
	if _, err := tree.Read(t.Context(), files[0], 2, nil); !errors.Is(err, source.ErrTooLarge) {
		t.Errorf("over the limit: %v", err)
	}
}

// Every state of a repository is in the ledger, and none ends the run.
func TestStates(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	for _, r := range []githubtest.Repository{
		{Name: "archived", Archived: true},
		{Name: "fork", Fork: true},
		{Name: "internal", Visibility: githubtest.Internal},
		{Name: "public", Visibility: githubtest.Public, Description: "A text", Topics: []string{"one", "two"}},
		{Name: "disabled", Disabled: true},
		{Name: "locked", Locked: true},
	} {
		name := r.Name
		r.Content = s.AddFiles(name+"-content", lockfiles(1)).Memory()
		s.Repo("acme/" + name + "-content").Remove()
		s.Add(r)
	}
	s.Add(githubtest.Repository{Name: "empty"})
	s.AddFiles("headless", lockfiles(1)).Memory().SetHead("refs/heads/gone")
	repos := collect(t, installed(t, s, readPermissions), acme, github.Options{})
	for name, want := range map[string]string{
		"archived": "note:archived", "fork": "note:fork", "internal": "", "public": "", "disabled": "problem:disabled",
		"locked": "problem:locked", "empty": "note:no-head", "headless": "problem:no-head",
	} {
		repo := repos["acme/"+name]
		if got := told(repo); got != want {
			t.Errorf("%s: %q; want %q", name, got, want)
		}
		if swept := !strings.Contains(want, "problem") && name != "empty"; repo != nil && swept != (len(repo.Trees) == 1) {
			t.Errorf("%s has %d trees", name, len(repo.Trees))
		}
	}
	if d := cmp.Diff([]source.Seen{
		{Property: source.SeenName, Value: "public"},
		{Property: source.SeenDescription, Value: "A text"},
		{Property: source.SeenTopic, Value: "one"},
		{Property: source.SeenTopic, Value: "two"},
	}, itself(repos["acme/public"].Seen)); d != "" {
		t.Errorf("seen: -want +got:\n%s", d)
	}
	if repos["acme"] != nil {
		t.Errorf("of the organisation: %+v", repos["acme"])
	}
}

// Repositories by name: moved ones are found, and one that is not there is a problem.
func TestByName(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	s.AddFiles("old", lockfiles(1)).Rename("new")
	s.AddFiles("api", lockfiles(2))
	repos := collect(t, installed(t, s, readPermissions), github.Selection{
		Repositories: []string{"acme/old", "ACME/api", "acme/none", "acme/new"},
	}, github.Options{})
	got := map[string]string{}
	for name, repo := range repos {
		got[name] = told(repo)
	}
	if d := cmp.Diff(map[string]string{"acme/new": "note:renamed", "acme/api": "", "acme/none": "problem:not-visible"}, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if d := cmp.Diff(lockfiles(1), contents(t, repos["acme/new"].Trees[0])); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func TestSelection(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	day := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for i, r := range []githubtest.Repository{
		{Name: "api"},
		{Name: "api-docs", Visibility: githubtest.Public},
		{Name: "Web", Topics: []string{"frontend"}},
		{Name: "inner", Visibility: githubtest.Internal, Topics: []string{"x", "frontend"}},
	} {
		r.PushedAt = day.AddDate(0, 0, i)
		s.Add(r)
	}
	c := installed(t, s, readPermissions)
	for _, tt := range []struct {
		name string
		sel  github.Selection
		want string
	}{
		{"all", github.Selection{}, "api api-docs inner Web"},
		{"include", github.Selection{Include: []string{"API*"}}, "api api-docs"},
		{"by whole name", github.Selection{Include: []string{"acme/w?b", "none"}}, "Web"},
		{"exclude", github.Selection{Exclude: []string{"*-docs", "web"}}, "api inner"},
		{"both", github.Selection{Include: []string{"api*"}, Exclude: []string{"*-docs"}}, "api"},
		{"topic", github.Selection{Topics: []string{"Frontend", "none"}}, "inner Web"},
		{"public", github.Selection{Visibility: "public"}, "api-docs"},
		{"private", github.Selection{Visibility: "private"}, "api Web"},
		{"internal", github.Selection{Visibility: "internal"}, "inner"},
		{"since", github.Selection{Since: day.AddDate(0, 0, 2)}, "inner Web"},
		{"none", github.Selection{Include: []string{"none"}}, ""},
	} {
		tt.sel.Org = "acme"
		repos := collect(t, c, tt.sel, github.Options{})
		var got []string
		for name, repo := range repos {
			if !repo.Loose {
				got = append(got, strings.TrimPrefix(name, "acme/"))
			}
		}
		slices.SortFunc(got, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %q; want %q", tt.name, got, tt.want)
		}
		notes := 0
		if org := repos["acme"]; org != nil {
			notes = len(org.Notes)
		}
		if notes != 4-len(got) {
			t.Errorf("%s: %d notes of what is left out; %d repositories are", tt.name, notes, 4-len(got))
		}
	}
	seen := map[string]int{}
	for shard := 1; shard <= 3; shard++ {
		for name, repo := range collect(t, c, github.Selection{Org: "acme", Shard: shard, Shards: 3}, github.Options{}) {
			if !repo.Loose {
				seen[name]++
			}
		}
	}
	if d := cmp.Diff(map[string]int{"acme/api": 1, "acme/api-docs": 1, "acme/Web": 1, "acme/inner": 1}, seen); d != "" {
		t.Errorf("shards: -want +got:\n%s", d)
	}
}

// What makes no sense, and an organisation that is not there, are errors alone.
func TestWrong(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	s.AddFiles("api", lockfiles(1))
	c := installed(t, s, readPermissions)
	for _, sel := range []github.Selection{
		{},
		{Org: "acme", Repositories: []string{"acme/api"}},
		{Repositories: []string{"api"}},
		{Repositories: []string{"a/b/c"}},
		{Repositories: []string{"a/.."}},
		{Org: "acme", Include: []string{"[a"}},
		{Org: "acme", Visibility: "secret"},
		{Org: "acme", Shard: 3, Shards: 2},
		{Org: "a/b"},
	} {
		if err := first(c, sel); !errors.Is(err, github.ErrSelection) {
			t.Errorf("%+v: %v; want ErrSelection", sel, err)
		}
	}
	if err := first(c, github.Selection{Org: "none"}); !errors.Is(err, ghclient.ErrNotFound) || !strings.Contains(err.Error(), `"none"`) {
		t.Errorf("no such organisation: %v", err)
	}
	bad := client(t, s, ghclient.Auth{Token: "ghp_000000000000000000000000000000000000"})
	for _, sel := range []github.Selection{acme, {Repositories: []string{"acme/api"}}} {
		if err := first(bad, sel); !errors.Is(err, ghclient.ErrBadCredentials) {
			t.Errorf("with a bad token: %v", err)
		}
	}
}

// first gives the error that comes alone.
func first(c *ghclient.Client, sel github.Selection) (err error) {
	n := 0
	for repo, e := range github.Repositories(context.Background(), c, sel, github.Options{}) {
		n++
		err = e
		if repo != nil || n > 1 {
			return errors.New("a repository came")
		}
	}
	return err
}

// A view that is not whole is a problem of the run.
func TestPartialView(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	for i := range 5 {
		s.AddFiles(fmt.Sprintf("r%d", i), lockfiles(i))
	}
	s.Add(githubtest.Repository{Name: "open", Visibility: githubtest.Public})
	few := ghclient.Permissions{"contents": "read", "metadata": "read"}
	check := func(name string, c *ghclient.Client, count int, want, detail string) {
		t.Helper()
		repos := collect(t, c, acme, github.Options{})
		org := repos["acme"]
		n := len(repos)
		if org != nil {
			n--
		}
		text := fmt.Sprint(org)
		if org != nil {
			text = fmt.Sprint(org.Problems)
		}
		if n != count || (want == "") != (org == nil) || org != nil && told(org) != want || !strings.Contains(text, detail) {
			t.Errorf("%s: %d repositories, %q %s; want %d, %q, %q", name, n, told(org), text, count, want, detail)
		}
	}
	check("all, and the number is told", installed(t, s, readPermissions), 6, "", "")
	check("all, and the number is not told", installed(t, s, few), 6, "", "")
	outsider := s.AddUser("outsider")
	check("a token of somebody else", client(t, s, ghclient.Auth{Token: s.PersonalToken(outsider, nil)}), 1, "problem:partial-view", "is not shown")
	check("of a workflow's run", client(t, s, ghclient.Auth{Token: s.ActionsToken(s.Repo("acme/r3"), nil)}), 1, "problem:partial-view problem:partial-view", `"acme/r3" alone`)
	s.Installation().Selected = []string{"r1", "r2"}
	check("some, and the number is told", installed(t, s, readPermissions), 2, "problem:partial-view", "has 6 repositories, and these credentials show 2")
	check("some, and the number is not told", installed(t, s, few), 2, "problem:partial-view", "has 1 public repositories, and these credentials show 0")
	s.Repo("acme/open").Remove()
	check("some, all private, and the number is not told", installed(t, s, few), 2, "problem:partial-view", "is not shown")
}

// itself is what a repository shows of itself, and not of its refs.
func itself(seen []source.Seen) (out []source.Seen) {
	for _, s := range seen {
		if s.Ref == "" {
			out = append(out, s)
		}
	}
	return out
}

// What names of refs are compared by is a clock that may be given: several processes write to one
// inventory.
func TestAsked(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	s.AddFiles("web", map[string]string{"a": "b"})
	now := time.Now().Add(time.Hour)
	got := collect(t, installed(t, s, readPermissions), acme, github.Options{Now: func() time.Time { return now }})
	if asked := got["acme/web"].Asked; !asked.Equal(now) {
		t.Errorf("asked at %v; want %v", asked, now)
	}
	got = collect(t, installed(t, s, readPermissions), acme, github.Options{})
	if asked := got["acme/web"].Asked; time.Since(asked).Abs() > time.Minute {
		t.Errorf("asked at %v, by this machine's clock", asked)
	}
}
