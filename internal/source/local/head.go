package local

import (
	"errors"

	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/confine"
	"github.com/wormsweep/wormsweep/internal/source/gitrepo"
)

// addHead adds what HEAD of the git repository at path names: its tree or, where there is
// none, the reason.
func addHead(repo *source.Repository, space *confine.Space, path string) {
	git, err := gitrepo.Open(space, path)
	if err != nil {
		repo.Problems = append(repo.Problems, problem(err))
		return
	}
	repo.Problems = append(repo.Problems, git.Problems()...)
	ref, err := git.Head()
	var tree *gitrepo.Tree
	if err == nil {
		tree, err = git.Tree(ref)
	}
	switch {
	case err == nil:
		repo.Trees = append(repo.Trees, tree)
		return
	case errors.Is(err, gitrepo.ErrEmpty):
		repo.Notes = append(repo.Notes, source.Note(problem(err)))
	default:
		repo.Problems = append(repo.Problems, problem(err))
	}
	git.Close()
}

// problem is the problem of a repository that an error stands for.
func problem(err error) source.Problem {
	var pe *source.PathError
	if !errors.As(err, &pe) {
		pe = confine.Fault("", err)
	}
	return source.Problem{File: pe.Path, Code: pe.Code, Detail: pe.Err.Error()}
}
