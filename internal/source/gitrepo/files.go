package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/wormsweep/wormsweep/internal/source"
)

// Tree is the tree of a commit. It is a source.Tree.
type Tree struct {
	repo *Repo
	ref  Ref
	root ID
}

// Tree opens the tree of the commit that a ref names. The error is a *source.PathError.
func (r *Repo) Tree(ref Ref) (*Tree, error) {
	root, err := r.objects.commit(ref.ID)
	if err != nil {
		f := fault(".git", err)
		f.Err = fmt.Errorf("the commit %s: %w", ref.ID, f.Err)
		return nil, f
	}
	return &Tree{r, ref, root}, nil
}

// Ref is the full name of the ref, and "HEAD" where that names a commit itself.
func (t *Tree) Ref() string { return t.ref.Name }

// Commit is the id of the commit.
func (t *Tree) Commit() string { return t.ref.ID.String() }

// Close closes the repository that t was opened from.
func (t *Tree) Close() error { return t.repo.Close() }

// level is a folder that Files is in.
type level struct {
	prefix  string
	entries []listed // those that are not yielded yet
}

// Files yields the files of the tree; see source.Tree. An entry for a submodule is yielded
// with an error whose code says that it is a note.
func (t *Tree) Files(ctx context.Context) iter.Seq2[source.File, error] {
	return func(yield func(source.File, error) bool) {
		fail := func(err *source.PathError) bool { return yield(source.File{Path: err.Path}, err) }
		trees := treeCache{store: t.repo.objects}
		entries, err := trees.get(t.root)
		if err != nil && !fail(fault("", err)) {
			return
		}
		levels := []level{{"", entries}}
		for left := source.MaxFiles; len(levels) > 0; {
			if ctx.Err() != nil {
				return
			}
			here := &levels[len(levels)-1]
			if len(here.entries) == 0 {
				levels = levels[:len(levels)-1]
				continue
			}
			if left--; left < 0 {
				fail(&source.PathError{Code: source.CodeLimit, Err: source.ErrMaxFiles})
				return
			}
			e := here.entries[0]
			here.entries = here.entries[1:]
			path := here.prefix + e.name
			ok := true
			switch e.mode & modeKind {
			case modeSubmodule:
				err := fmt.Errorf("a submodule at commit %s: a repository of its own, not looked at here", e.id)
				ok = fail(&source.PathError{Path: path, Code: source.CodeSubmodule, Err: err})
			case modeFolder:
				if len(levels) > source.MaxTreeDepth {
					ok = fail(&source.PathError{Path: path, Code: source.CodeLimit, Err: source.ErrMaxTreeDepth})
					break
				}
				entries, err := trees.get(e.id)
				if err != nil {
					ok = fail(fault(path, err))
				}
				levels = append(levels, level{path + "/", entries})
			default:
				f := e.file
				f.Path = path
				ok = yield(f, nil)
			}
			if !ok {
				return
			}
		}
	}
}

// Read appends the content of a file to buf[:0]; see source.Tree.
func (t *Tree) Read(ctx context.Context, f source.File, max int64, buf []byte) ([]byte, error) {
	id, err := openable(ctx, f)
	if err != nil {
		return buf[:0], err
	}
	data, err := t.repo.objects.read(id, blobKind, max, buf)
	if err != nil {
		return buf[:0], fault(f.Path, err)
	}
	return data, nil
}

// Open reads a file piece by piece. The read that meets its end returns an error in place
// of io.EOF when the content is not the one that the tree names.
func (t *Tree) Open(ctx context.Context, f source.File) (source.ReadCloser, error) {
	id, err := openable(ctx, f)
	if err != nil {
		return nil, err
	}
	o, err := t.repo.objects.open(id, maxHeld)
	if err == nil && o.kind != blobKind {
		err = errors.Join(corrupt("a %s where a %s should be", o.kind, blobKind), o.Close())
	}
	if err != nil {
		return nil, fault(f.Path, err)
	}
	return o, nil
}

func openable(ctx context.Context, f source.File) (ID, error) {
	if err := ctx.Err(); err != nil {
		return ID{}, err
	}
	if err := source.Openable(f); err != nil {
		return ID{}, err
	}
	id, ok := parseID(f.Blob)
	if !ok {
		return id, &source.PathError{Path: f.Path, Code: source.CodeMissing, Err: fmt.Errorf("no file of this tree: blob id %q", f.Blob)}
	}
	return id, nil
}

// listed is an entry of a tree, with the file that it makes. Where the size is not known it
// is -1, and the reason is said by whoever reads the file.
type listed struct {
	treeEntry
	file source.File
}

// treeCache keeps the trees that were read, so that one that stands under many names is
// read once: a few small objects can be nested into a thousand million paths.
type treeCache struct {
	store *store
	trees map[ID]cachedTree
	held  int // entries
}

type cachedTree struct {
	entries []listed
	err     error
}

const maxCachedEntries = 50_000

func (c *treeCache) get(id ID) ([]listed, error) {
	if t, ok := c.trees[id]; ok {
		return t.entries, t.err
	}
	entries, err := c.store.tree(id)
	t := cachedTree{make([]listed, len(entries)), err}
	for i, e := range entries {
		t.entries[i].treeEntry = e
		if kind := e.mode & modeKind; kind != modeFolder && kind != modeSubmodule {
			t.entries[i].file = source.File{Size: c.size(e.id), Blob: e.id.String(), Link: kind == modeLink}
		}
	}
	if c.held += len(entries) + 1; c.trees == nil || c.held > maxCachedEntries {
		c.trees, c.held = map[ID]cachedTree{}, len(entries)+1
	}
	c.trees[id] = t
	return t.entries, err
}

func (c *treeCache) size(id ID) int64 {
	size, err := c.store.size(id)
	if err != nil {
		return -1
	}
	return size
}
