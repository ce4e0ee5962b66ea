package github_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/github"
)

// TestOne: a repository in the states that somebody told of.
func TestOne(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	repo := s.AddFiles("web", map[string]string{"go.sum": "a"})
	first, _ := gitstore.Lookup(repo.Content, "refs/heads/main")
	second := repo.Push("main", map[string]string{"go.sum": "b"})
	repo.Memory().SetRef("refs/heads/main2", first)
	repo.Memory().Tag("v1", first)
	client := installed(t, s, ghclient.Permissions{"contents": "read", "metadata": "read"})
	one, err := github.NewOne(client, github.Named{Number: repo.ID, FullName: "acme/web"}, github.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	refs, err := one.Refs(t.Context(), "refs/heads/main", "refs/tags/v1", "refs/heads/none")
	want := map[string]string{"refs/heads/main": second.String(), "refs/tags/v1": first.String()}
	if err != nil || !cmp.Equal(refs, want) {
		t.Errorf("%v, %s", err, cmp.Diff(want, refs))
	}
	// Two looks share what was fetched, and to close one closes nothing.
	for _, commit := range []gitstore.ID{second, first, second} {
		r, err := one.Repository(github.State{Ref: source.Ref{Name: "x", Commit: commit.String()}})
		if err != nil {
			t.Fatal(err)
		}
		var files []string
		for f, err := range r.Trees[0].Files(t.Context()) {
			if err != nil {
				t.Errorf("%v", err)
			}
			data, err := r.Trees[0].Read(t.Context(), f, 10, nil)
			files = append(files, f.Path+" "+string(data))
			if err != nil {
				t.Errorf("%v", err)
			}
		}
		if text := map[gitstore.ID]string{first: "go.sum a", second: "go.sum b"}[commit]; len(files) != 1 || files[0] != text {
			t.Errorf("%s: %q", commit, files)
		}
		if err := r.Close(); err != nil || r.Number != repo.ID || r.Name != "acme/web" {
			t.Errorf("%+v, %v", r, err)
		}
	}
	// A tree that is not that of the commit is not believed.
	r, err := one.Repository(github.State{Ref: source.Ref{Name: "x", Commit: second.String()}, Root: first.String()})
	if err != nil {
		t.Fatal(err)
	}
	var pe *source.PathError
	for _, err := range r.Trees[0].Files(t.Context()) {
		if !errors.As(err, &pe) || pe.Code != source.CodeCorrupt {
			t.Errorf("another's tree: %v", err)
		}
	}
	for _, name := range []string{"acme", "acme/..", "a/b/c", ""} {
		if _, err := github.NewOne(client, github.Named{FullName: name}, github.Options{}); !errors.Is(err, github.ErrSelection) {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, commit := range []string{"", "main", "--upload-pack=x"} {
		if _, err := one.Repository(github.State{Ref: source.Ref{Name: "x", Commit: commit}}); err == nil {
			t.Errorf("%q is taken for a commit", commit)
		}
	}
}
