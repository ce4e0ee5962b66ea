package local

import (
	"context"
	"errors"
	"iter"
	"strings"

	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/confine"
)

// listing is the files below a folder, sorted by path, and what was met beside them.
type listing struct {
	files  []source.File
	faults []fault
	nested []string // folders that are git repositories of their own; "" for the folder itself
}

// fault is what a tree yields with an error, before the file with the index at.
type fault struct {
	at  int
	err *source.PathError
}

func (l *listing) fault(err *source.PathError) {
	l.faults = append(l.faults, fault{len(l.files), err})
}

func (l *listing) empty() bool { return len(l.files)+len(l.faults) == 0 }

// all yields the files and faults in their order.
func (l *listing) all() iter.Seq2[source.File, error] {
	return func(yield func(source.File, error) bool) {
		faults := l.faults
		for i := 0; ; i++ {
			for len(faults) > 0 && faults[0].at == i {
				f := faults[0]
				faults = faults[1:]
				if !yield(source.File{Path: f.err.Path}, f.err) {
					return
				}
			}
			if i == len(l.files) || !yield(l.files[i], nil) {
				return
			}
		}
	}
}

// holds reports whether the folder is a project, and no folder of projects: a file directly
// in it is one that a sweep reads, or a folder in it is a part that projects have.
func (l *listing) holds(reads func(string) bool) bool {
	for _, f := range l.files {
		first, _, deeper := strings.Cut(f.Path, "/")
		if deeper && isPart(first) || !deeper && reads(f.Path) {
			return true
		}
	}
	return false
}

// isPart reports whether folders of this name are parts of a project: as a repository of its
// own ".github" would hold no workflows, "node_modules" nothing installed, and "requirements"
// no file of that name.
func isPart(name string) bool {
	switch name {
	case "node_modules", "vendor", "requirements":
		return true
	}
	return strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".dist-info") || strings.HasSuffix(name, ".egg-info")
}

// below divides the listing of a folder by the folders in it: their listings under their
// names, and that of the files that lie loose.
func (l *listing) below() (children map[string]*listing, loose *listing) {
	loose, children = &listing{}, map[string]*listing{}
	child := func(name string) *listing {
		if children[name] == nil {
			children[name] = &listing{}
		}
		return children[name]
	}
	for f, err := range l.all() {
		name, rest, deeper := strings.Cut(f.Path, "/")
		var pe *source.PathError
		switch {
		case errors.As(err, &pe) && f.Path == "":
			loose.fault(pe)
		case pe != nil: // of the folder itself, or of one in it
			child(name).fault(&source.PathError{Path: rest, Code: pe.Code, Err: pe.Err})
		case deeper:
			c := child(name)
			f.Path = rest
			c.files = append(c.files, f)
		default:
			loose.files = append(loose.files, f)
		}
	}
	for _, path := range l.nested {
		name, rest, _ := strings.Cut(path, "/")
		c := child(name)
		c.nested = append(c.nested, rest)
	}
	return children, loose
}

// walker makes a listing.
type walker struct {
	// worktree says that the folder is the work tree of a git repository: a .git file
	// below it then marks a submodule, and a bare repository below it is part of it.
	worktree bool
	left     int // entries until the limit
	listing
}

var (
	errSubmodule = errors.New("a submodule or further work tree: its files are swept as they lie, its own HEAD is not looked at")
	errBare      = errors.New("a bare git repository in a work tree: its files are listed as they lie, its HEAD is not looked at")
)

// walk lists the folder at h, whose entries were read before; err is what kept them from
// being read to their end. It lists at most max files and folders.
func walk(ctx context.Context, h handle, entries []entry, err error, worktree bool, max int) *listing {
	w := &walker{worktree: worktree, left: max}
	w.folder(ctx, h, "", entries, err, 0)
	return &w.listing
}

func (w *walker) folder(ctx context.Context, h handle, path string, entries []entry, err error, depth int) {
	if err != nil && !errors.Is(err, errTooMany) { // that shows below, where nothing is left
		w.fault(confine.Fault(path, err))
	}
	prefix := ""
	if path != "" {
		prefix = path + "/"
	}
	for _, e := range entries {
		switch {
		case ctx.Err() != nil || w.left < 0:
			return
		case e.name == ".git":
			continue
		}
		if w.left--; w.left < 0 {
			w.fault(&source.PathError{Path: path, Code: source.CodeLimit, Err: source.ErrMaxFiles})
			return
		}
		if e.kind == folder {
			w.descend(ctx, h, e.name, prefix+e.name, depth+1)
			continue
		}
		w.files = append(w.files, e.file(prefix+e.name))
	}
}

// descend lists the folder name of parent, which has the path from the start of the walk.
// It is opened from its parent and not by its path: that takes the same time at any depth.
func (w *walker) descend(ctx context.Context, parent handle, name, path string, depth int) {
	if depth > source.MaxTreeDepth {
		w.fault(&source.PathError{Path: path, Code: source.CodeLimit, Err: source.ErrMaxTreeDepth})
		return
	}
	h, err := parent.open(name)
	if err != nil {
		w.fault(confine.Fault(path, err))
		return
	}
	defer h.close()
	entries, err := readFolder(h, w.left+1)
	switch gitOf(h, entries) {
	case dotGit:
		w.nested = append(w.nested, path)
		return
	case gitFile:
		if !w.worktree {
			w.nested = append(w.nested, path)
			return
		}
		w.fault(&source.PathError{Path: path, Code: source.CodeSubmodule, Err: errSubmodule})
	case bare:
		if !w.worktree {
			w.nested = append(w.nested, path)
			return
		}
		w.fault(&source.PathError{Path: path, Code: source.CodeBare, Err: errBare})
	}
	w.folder(ctx, h, path, entries, err, depth)
}
