package source

import "context"

// Ref is a name for a commit.
type Ref struct {
	Name   string // in full, "refs/heads/main"
	Commit string // its id
}

// Rooted is a Tree that may know its root before anything of it is read.
type Rooted interface {
	// Root is the id of the git tree, in lower-case hex: two Trees of one id hold the same
	// files, whatever repositories and commits they are of. It is "" while it is not known.
	Root() string
}

// Shared is a Tree that may be that of several refs.
type Shared interface {
	// Refs are all refs of the repository that name this tree, that of Tree.Ref first.
	Refs() []Ref
}

// Fetcher is a Tree whose files lie elsewhere.
type Fetcher interface {
	// Fetch fetches the contents of files of this tree, or of others of its repository, in as
	// few requests as there can be. Those that are here are left out. A file that did not
	// come has its reason as the error of Read and Open, which make no other attempt; the
	// error of Fetch is the first of those reasons. Without it, Read and Open fetch each file
	// by itself.
	Fetch(ctx context.Context, files []File) error
}

// ListFetcher is a Tree whose listing lies elsewhere.
type ListFetcher interface {
	// FetchLists fetches what Files of these trees takes, which are trees of one repository,
	// in as few requests as there can be. One that did not come has its reason as the error
	// of Files. Without it, Files fetches each tree by itself.
	FetchLists(ctx context.Context, trees []Tree) error
}

// Sizer is a Tree that can tell sizes without contents.
type Sizer interface {
	// Sizes gives the sizes of files by their blob ids, as far as they can be had: a file that
	// is missing in it has a size that nobody told. An error says why, of those that are missing.
	Sizes(ctx context.Context, files []File) (map[string]int64, error)
}
