// Package local finds the repositories of the folders and files that a user named, and
// gives the trees of each: the checkout as it lies and, for a git repository, HEAD and the
// other refs that are asked for.
//
// A named path is
//
//   - a git repository: a work tree with its .git folder, or a bare folder or mirror;
//   - else, where it directly holds a file that a sweep reads, or a folder that is a part of
//     a project (".github", "node_modules", "vendor"), one plain repository; an empty folder
//     is one without files, since somebody took it for one;
//   - else a folder of repositories: each folder in it is a git repository, a plain one, or
//     again only a folder of git repositories, and then it is gone through in the same way.
//     Files that lie loose beside them are a repository too, so that nothing is passed over;
//   - or a single file, and then that file alone is swept; with a Problem where it is none
//     that a sweep reads.
//
// A git repository inside another, with a .git folder of its own, is a repository of its
// own. A .git file inside a work tree marks a submodule or a further work tree: its files
// are part of the checkout as it lies, and the tree says so with a note.
//
// A checkout is everything that lies there but .git: files that git ignores or does not
// know as well, and node_modules. No .gitignore is believed, no link followed, no pipe or
// device opened, nothing run.
package local

import (
	"context"
	"errors"
	"iter"

	"github.com/wormsweep/wormsweep/internal/source"
)

// ErrNoSuchPath is wrapped by the error for a named path that does not exist.
var ErrNoSuchPath = errors.New("no such file or folder")

// Option changes what Repositories gives.
type Option func(*finder)

// WithRefs has the refs of git repositories swept beside HEAD. A tree that several refs have
// is there once, and a source.Shared.
func WithRefs(refs source.Refs) Option { return func(f *finder) { f.refs = refs } }

// Repositories yields the repositories of the named paths in the order of their names. It
// looks for the next one when it is asked to, so that a sweep begins before the last is
// found. The caller closes each repository.
//
// The reads function says whether the file at a path, with slashes, is one that a sweep
// reads; it decides which folders stand for repositories.
//
// An error comes alone, before any repository: a named path does not exist (ErrNoSuchPath).
// What cannot be read is no error but a repository with a Problem. The sequence ends early
// when ctx is done.
//
// A repository is called by its path below the named path, with slashes: "team/api". One
// that was named itself has the last part of its absolute path as its name, and a git
// repository inside of it is called below that. Where two named paths would give one name,
// both stand under the path as it was given. A path that lies in another named one is swept
// with that, once.
func Repositories(ctx context.Context, paths []string, reads func(path string) bool, opts ...Option) iter.Seq2[*source.Repository, error] {
	return func(yield func(*source.Repository, error) bool) {
		f, err := newFinder(paths, reads)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, opt := range opts {
			opt(f)
		}
		defer f.space.Close()
		for ctx.Err() == nil && f.queue.Len() > 0 {
			repo := f.next(ctx)
			if repo == nil {
				continue
			}
			if ctx.Err() != nil { // its listing may be cut short
				repo.Close()
				return
			}
			if !yield(repo, nil) {
				return
			}
		}
	}
}
