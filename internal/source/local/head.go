package local

import (
	"context"
	"errors"

	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/confine"
	"github.com/wormsweep/wormsweep/internal/source/gitrepo"
)

// addHead adds what HEAD of the git repository at path names: its tree or, where there is
// none, the reason; then the trees of those of its refs that are swept, each distinct one
// once.
func (f *finder) addHead(ctx context.Context, repo *source.Repository, path string) {
	git, err := gitrepo.Open(f.space, path)
	if err != nil {
		repo.Problems = append(repo.Problems, problem(err))
		return
	}
	repo.Problems = append(repo.Problems, git.Problems()...)
	trees := map[string]*gitrepo.Tree{}
	head, err := git.Head()
	if err == nil {
		err = addTree(repo, git, head, trees)
	}
	switch {
	case err == nil:
	case errors.Is(err, gitrepo.ErrEmpty):
		repo.Notes = append(repo.Notes, source.Note(problem(err)))
	default:
		repo.Problems = append(repo.Problems, problem(err))
	}
	if f.refs != (source.Refs{}) {
		f.addRefs(ctx, repo, git, head, trees)
	}
	if len(trees) == 0 {
		git.Close()
	}
}

// addRefs adds the refs that are swept beside HEAD.
func (f *finder) addRefs(ctx context.Context, repo *source.Repository, git *gitrepo.Repo, head gitrepo.Ref, trees map[string]*gitrepo.Tree) {
	refs, errs := git.Refs(ctx, f.refs.Match)
	for _, ref := range refs {
		if ref.Name == head.Name {
			continue
		}
		if err := addTree(repo, git, ref, trees); err != nil {
			errs = append(errs, err)
		}
	}
	for _, err := range errs {
		if p := problem(err); p.Code == source.CodeNotACommit {
			repo.Notes = append(repo.Notes, source.Note(p))
		} else {
			repo.Problems = append(repo.Problems, p)
		}
	}
}

// addTree adds the tree of a ref, or the ref to a tree that is there.
func addTree(repo *source.Repository, git *gitrepo.Repo, ref gitrepo.Ref, trees map[string]*gitrepo.Tree) error {
	tree, err := git.Tree(ref)
	if err != nil {
		return err
	}
	repo.Show(source.Ref{Name: ref.Name, Commit: ref.ID.String()}, tree.Shows())
	if same := trees[tree.Root()]; same != nil {
		same.Share(ref)
		return nil
	}
	trees[tree.Root()] = tree
	repo.Trees = append(repo.Trees, tree)
	return nil
}

// problem is the problem of a repository that an error stands for.
func problem(err error) source.Problem {
	var pe *source.PathError
	if !errors.As(err, &pe) {
		pe = confine.Fault("", err)
	}
	return source.Problem{File: pe.Path, Code: pe.Code, Detail: pe.Err.Error()}
}
