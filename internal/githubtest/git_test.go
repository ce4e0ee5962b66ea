package githubtest_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
)

// history is a repository with commits, a branch, tags and an open pull request.
func history(s *githubtest.Server) *githubtest.Repo {
	content := gitstore.NewMemory()
	files := map[string]string{"package-lock.json": strings.Repeat("{}\n", 400), "docs/a.md": "a", "src/x/y/z.go": "package z"}
	content.Commit(content.Head(), "first", gitstore.Text(files))
	r := s.Add(githubtest.Repository{Name: "history", Content: content})
	for _, change := range []string{"1", "2", "3"} {
		files["docs/a.md"] = change
		files["package-lock.json"] += change
		id := r.Push("main", files)
		content.Tag("v"+change, id)
	}
	files["go.sum"] = "x"
	r.Push("release", files)
	r.OpenPull("change", map[string]string{"evil.js": "1"})
	return r
}

func TestGitReadsEverything(t *testing.T) {
	for _, whole := range []bool{false, true} {
		s := githubtest.Start(t, githubtest.Options{WholePacks: whole})
		history(s)
		from := remote(s, s.InstallationToken(s.Installation()), "acme/history")
		dir := t.TempDir()

		git(t, dir, "clone", "--quiet", "--mirror", from, "mirror")
		mirror := filepath.Join(dir, "mirror")
		git(t, mirror, "fsck", "--strict")
		refs := strings.Fields(git(t, mirror, "for-each-ref", "--format=%(refname)"))
		for _, want := range []string{"refs/heads/main", "refs/heads/release", "refs/pull/1/head", "refs/tags/v1"} {
			if !slices.Contains(refs, want) {
				t.Errorf("no %s in %v", want, refs)
			}
		}
		if n := git(t, mirror, "rev-list", "--count", "main"); n != "4" {
			t.Errorf("%s commits", n)
		}

		for _, filter := range []string{"blob:none", "tree:0", "tree:2", "blob:limit=100"} {
			name := strings.Map(func(r rune) rune {
				if r == ':' || r == '=' {
					return '-'
				}
				return r
			}, filter)
			git(t, dir, "clone", "--quiet", "--depth", "1", "--filter="+filter, from, name)
			git(t, filepath.Join(dir, name), "fsck", "--strict")
			if got := git(t, filepath.Join(dir, name), "show", "HEAD:docs/a.md"); got != "3" {
				t.Errorf("%s: content %q", filter, got)
			}
		}
	}
}

// TestGitFetches goes on from a clone: deeper, and with what was pushed since.
func TestGitFetches(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	r := history(s)
	from := remote(s, s.InstallationToken(s.Installation()), "acme/history")
	dir := t.TempDir()
	git(t, dir, "clone", "--quiet", "--depth", "1", from, "clone")
	clone := filepath.Join(dir, "clone")
	count := func() string { return git(t, clone, "rev-list", "--count", "HEAD") }
	if n := count(); n != "1" {
		t.Errorf("%s commits at depth 1", n)
	}
	git(t, clone, "fetch", "--quiet", "--depth", "3")
	if n := count(); n != "3" {
		t.Errorf("%s commits at depth 3", n)
	}
	r.Push("main", map[string]string{"new": "1"})
	s.ForgetLog()
	git(t, clone, "pull", "--quiet")
	if n := count(); n != "4" {
		t.Errorf("%s commits after a push", n)
	}
	if objects := s.Totals().Objects; objects != 3 {
		t.Errorf("%d objects for a commit, a tree and a blob", objects)
	}
	git(t, clone, "fetch", "--quiet", "--unshallow")
	if n := count(); n != "5" {
		t.Errorf("%s commits in all", n)
	}
	git(t, clone, "fetch", "--quiet", "--tags")
	git(t, clone, "fsck", "--strict")
}

// TestGitWantsByID asks for a tree and a blob alone, which GitHub gives.
func TestGitWantsByID(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	r := history(s)
	from := remote(s, s.InstallationToken(s.Installation()), "acme/history")
	head, _ := gitstore.Lookup(r.Content, "refs/heads/main")
	tree, _ := gitstore.TreeOf(r.Content, head)
	blob := gitstore.Object{Kind: gitstore.Blob, Data: []byte("3")}.ID()
	dir := t.TempDir()
	git(t, dir, "init", "--quiet")
	git(t, dir, "fetch", "--quiet", "--filter=blob:none", from, tree.String(), blob.String())
	if got := git(t, dir, "cat-file", "blob", blob.String()); got != "3" {
		t.Errorf("blob %q", got)
	}
	if out, err := tryGit(dir, "fetch", "--quiet", from, strings.Repeat("1", 40)); err == nil || !strings.Contains(out, "not our ref") {
		t.Errorf("an object that is not there: %v %s", err, out)
	}
}

func TestGitStates(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	token := s.InstallationToken(s.Installation())
	s.Add(githubtest.Repository{Name: "empty"})
	s.AddFiles("disabled", map[string]string{"a": "1"}).Change(func(r *githubtest.Repository) { r.Disabled = true })
	s.AddFiles("open", map[string]string{"a": "1"}).Change(func(r *githubtest.Repository) { r.Visibility = githubtest.Public })
	s.AddFiles("old", map[string]string{"a": "1"}).Rename("new")
	dir := t.TempDir()
	git(t, dir, "clone", "--quiet", remote(s, token, "acme/empty"))
	git(t, dir, "clone", "--quiet", s.URL()+"/acme/open")
	git(t, dir, "clone", "--quiet", remote(s, token, "acme/old"))
	for from, want := range map[string]string{
		remote(s, token, "acme/disabled"): "403",
		remote(s, token, "acme/nothing"):  "not found",
		remote(s, "wrong", "acme/new"):    "Authentication failed",
		s.URL() + "/acme/new":             "could not read Username",
	} {
		if out, err := tryGit(dir, "clone", from, "x"); err == nil || !strings.Contains(out, want) {
			t.Errorf("%s: %v %s", from, err, out)
		}
	}
}

// TestOtherProtocols: the first version of git's protocol is not served.
func TestOtherProtocols(t *testing.T) {
	s := githubtest.New(githubtest.Options{})
	defer s.Close()
	s.AddFiles("one", map[string]string{"a": "1"})
	out, err := tryGit(t.TempDir(), "-c", "protocol.version=0", "clone", remote(s, s.InstallationToken(s.Installation()), "acme/one"))
	if err == nil || len(s.Violations()) == 0 {
		t.Errorf("%v %s, violations %q", err, out, s.Violations())
	}
}

// TestFolders serves a bare repository, a working tree and a plain folder.
func TestFolders(t *testing.T) {
	dir := t.TempDir()
	write := func(path, content string) {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("plain/package-lock.json", "{}")
	write("tree/go.sum", "x")
	tree := filepath.Join(dir, "tree")
	git(t, tree, "init", "--quiet", "-b", "trunk")
	git(t, tree, "add", ".")
	git(t, tree, "commit", "--quiet", "-m", "first")
	git(t, dir, "clone", "--quiet", "--bare", "tree", "bare.git")
	write("a file", "is no repository")

	s := githubtest.Start(t, githubtest.Options{})
	repos, err := s.AddFolders(dir, "acme")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range repos {
		names = append(names, r.Name)
	}
	if !slices.Equal(names, []string{"bare", "plain", "tree"}) {
		t.Errorf("repositories %q", names)
	}
	clones := t.TempDir()
	for name, file := range map[string]string{"bare": "go.sum", "tree": "go.sum", "plain": "package-lock.json"} {
		git(t, clones, "clone", "--quiet", "--filter=blob:none", remote(s, s.InstallationToken(s.Installation()), "acme/"+name))
		if _, err := os.Stat(filepath.Join(clones, name, file)); err != nil {
			t.Error(err)
		}
		git(t, filepath.Join(clones, name), "fsck", "--strict")
	}
	if head := git(t, filepath.Join(clones, "bare"), "branch", "--show-current"); head != "trunk" {
		t.Errorf("on branch %q", head)
	}
}
