package githubtest_test

import (
	"fmt"
	"maps"
	"testing"

	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
	"github.com/wormsweep/wormsweep/internal/githubtest/orggen"
	"github.com/wormsweep/wormsweep/internal/xtest"
)

// blobs gives the ids of the files of a repository's head, by path.
func blobs(t *testing.T, c gitstore.Content) map[string]gitstore.ID {
	t.Helper()
	found := map[string]gitstore.ID{}
	head, ok := gitstore.Lookup(c, c.Head())
	if !ok {
		return found
	}
	var walk func(tree gitstore.ID, prefix string)
	walk = func(tree gitstore.ID, prefix string) {
		o, ok := c.Object(tree)
		entries, err := gitstore.DecodeTree(o.Data)
		if !ok || err != nil {
			t.Fatalf("tree %s: %v, %v", tree, ok, err)
		}
		for _, e := range entries {
			if e.Kind() == gitstore.Tree {
				walk(e.ID, prefix+e.Name+"/")
			} else {
				found[prefix+e.Name] = e.ID
			}
		}
	}
	tree, _ := gitstore.TreeOf(c, head)
	walk(tree, "")
	return found
}

// TestGenerate makes the organisation that the figures are measured on.
func TestGenerate(t *testing.T) {
	repositories := 10_000
	if testing.Short() {
		repositories = 1000
	}
	s := githubtest.Start(t, githubtest.Options{})
	o, err := s.Generate(githubtest.Generate{Repositories: repositories, Options: orggen.Options{Corpus: xtest.Corpus(t)}})
	if err != nil {
		t.Fatal(err)
	}
	ids := map[gitstore.ID]bool{}
	lockfiles := 0
	count := map[string]int{}
	var before map[string]gitstore.ID
	for _, r := range o.Repos {
		content, generated := r.Content.(*orggen.Repository)
		if !generated {
			count["empty"]++
			continue
		}
		files := blobs(t, content)
		if r.Fork && before != nil && !maps.Equal(before, files) {
			t.Errorf("%s does not hold what the one before it holds", r.FullName())
		}
		before = files
		for _, path := range content.Lockfiles() {
			lockfiles++
			ids[files[path]] = true
		}
		for name, is := range map[string]bool{
			"archived": r.Archived, "fork": r.Fork, "disabled": r.Disabled, "internal": r.Visibility == githubtest.Internal,
			"public": r.Visibility == githubtest.Public,
		} {
			if is {
				count[name]++
			}
		}
	}
	if lockfiles != 3*repositories {
		t.Errorf("%d lockfiles, want %d", lockfiles, 3*repositories)
	}
	if want := repositories * 5 / 2; len(ids) < want {
		t.Errorf("%d different lockfiles, want %d", len(ids), want)
	}
	for name, want := range map[string]int{"empty": 20, "archived": 80, "fork": 50, "disabled": 2, "internal": 100, "public": 100} {
		if got := count[name]; got != want*repositories/1000 {
			t.Errorf("%d repositories of 1000 are %s, want %d", got*1000/repositories, name, want)
		}
	}
	t.Log(lockfiles, "lockfiles,", len(ids), "different;", count)
}

// TestGeneratedClone lets git read a generated repository before and after pushes.
func TestGeneratedClone(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	o, err := s.Generate(githubtest.Generate{Repositories: 10, Options: orggen.Options{Corpus: xtest.Corpus(t)}})
	if err != nil {
		t.Fatal(err)
	}
	number := o.Full()[3]
	r := o.Repos[number]
	before := blobs(t, r.Content)
	dir := t.TempDir()
	from := remote(s, s.InstallationToken(s.Installation()), r.FullName())
	git(t, dir, "clone", "--quiet", from, "whole")
	git(t, dir+"/whole", "fsck", "--strict")

	o.Push(number, nil)
	changed := 0
	for path, id := range blobs(t, r.Content) {
		if before[path] != id {
			changed++
		}
	}
	if changed != 1 {
		t.Errorf("a push changed %d files", changed)
	}
	path := o.Plant(number, "@scope/evil", "6.6.6")
	git(t, dir+"/whole", "pull", "--quiet")
	git(t, dir+"/whole", "fsck", "--strict")
	if n := git(t, dir+"/whole", "rev-list", "--count", "HEAD"); n != "3" {
		t.Errorf("%s commits, want 3", n)
	}
	if at := git(t, dir+"/whole", "rev-parse", "HEAD:"+path); at != fmt.Sprint(blobs(t, r.Content)[path]) {
		t.Errorf("planted file is %s", at)
	}
}
