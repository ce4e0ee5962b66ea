package gitobject

import (
	"context"
	"fmt"
	"iter"
	"sync"

	"github.com/wormsweep/wormsweep/internal/source"
)

// Trees reads the trees of a repository, and keeps those that it read last: a few small
// objects can be nested into a thousand million paths, and the refs of a repository have
// most of their trees in common. It is safe for concurrent use.
type Trees struct {
	// Content reads the content of a tree object of at most MaxTree bytes.
	Content func(ID) ([]byte, error)
	// Size gives source.File.Size of a blob.
	Size func(ID) int64

	mu    sync.Mutex
	trees map[ID]cachedTree
	held  int // entries
}

// listed is an entry of a tree, with the file that it makes.
type listed struct {
	TreeEntry
	file source.File
}

type cachedTree struct {
	entries []listed
	err     error
}

const maxCachedEntries = 50_000

func (t *Trees) get(id ID) ([]listed, error) {
	t.mu.Lock()
	known, ok := t.trees[id]
	t.mu.Unlock()
	if ok {
		return known.entries, known.err
	}
	made := t.read(id)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held += len(made.entries) + 1; t.trees == nil || t.held > maxCachedEntries {
		t.trees, t.held = map[ID]cachedTree{}, len(made.entries)+1
	}
	t.trees[id] = made
	return made.entries, made.err
}

func (t *Trees) read(id ID) cachedTree {
	data, err := t.Content(id)
	if err != nil {
		return cachedTree{nil, err}
	}
	entries, err := ParseTree(data)
	made := cachedTree{make([]listed, len(entries)), err}
	for i, e := range entries {
		made.entries[i].TreeEntry = e
		if kind := e.Mode & modeKind; kind != modeFolder && kind != modeSubmodule {
			made.entries[i].file = source.File{Size: t.Size(e.ID), Blob: e.ID.String(), Link: kind == modeLink}
		}
	}
	return made
}

// level is a folder that Files is in.
type level struct {
	prefix  string
	entries []listed // those that are not yielded yet
}

// Files yields the files below a tree, as source.Tree.Files does. An entry for a submodule
// is yielded with an error whose code says that it is a note.
func (t *Trees) Files(ctx context.Context, root ID) iter.Seq2[source.File, error] {
	return func(yield func(source.File, error) bool) {
		fail := func(err *source.PathError) bool { return yield(source.File{Path: err.Path}, err) }
		entries, err := t.get(root)
		if err != nil && !fail(Fault("", err)) {
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
			path := here.prefix + e.Name
			ok := true
			switch e.Mode & modeKind {
			case modeSubmodule:
				err := fmt.Errorf("a submodule at commit %s: a repository of its own, not looked at here", e.ID)
				ok = fail(&source.PathError{Path: path, Code: source.CodeSubmodule, Err: err})
			case modeFolder:
				if len(levels) > source.MaxTreeDepth {
					ok = fail(&source.PathError{Path: path, Code: source.CodeLimit, Err: source.ErrMaxTreeDepth})
					break
				}
				entries, err := t.get(e.ID)
				if err != nil {
					ok = fail(Fault(path, err))
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

// FileID gives the id of the blob of a file of a tree that may be read. The error is that of
// source.Tree.Read.
func FileID(ctx context.Context, f source.File) (ID, error) {
	if err := ctx.Err(); err != nil {
		return ID{}, err
	}
	if err := source.Openable(f); err != nil {
		return ID{}, err
	}
	id, ok := ParseID(f.Blob)
	if !ok {
		return id, &source.PathError{Path: f.Path, Code: source.CodeMissing, Err: fmt.Errorf("no file of this tree: blob id %q", f.Blob)}
	}
	return id, nil
}
