package local

import (
	"container/heap"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/confine"
)

// finder goes through the named paths. Its queue holds the places that were met and not
// looked at, in the order of their names. What is found below a place has a longer name
// than the place, so that taking the least name each time yields all in order.
type finder struct {
	reads func(path string) bool
	refs  source.Refs
	space *confine.Space
	queue queue
}

// candidate is a place in the queue.
type candidate struct {
	name  string // of the repository, if it is one
	shown string // as a person would open it
	path  string // absolute, without links

	listing *listing // of a plain repository, where it was listed before
	loose   bool     // the listing is of what lies beside the repositories of a folder
	part    string   // as of worktree
	alone   bool     // a named file: its folder was not named, and is not in the space
	err     error    // why nothing of it can be read
}

// in is the candidate for what lies at a path, with slashes, in the folder c.
func (c candidate) in(path string) candidate {
	name := c.name + "/" + path
	if c.name == "." {
		name = path
	}
	below := filepath.FromSlash(path)
	return candidate{name: name, shown: filepath.Join(c.shown, below), path: filepath.Join(c.path, below)}
}

func (f *finder) push(c candidate) { heap.Push(&f.queue, c) }

// next looks at the next place. It returns nil where that is no repository.
func (f *finder) next(ctx context.Context) *source.Repository {
	c := heap.Pop(&f.queue).(candidate)
	if c.err != nil {
		return c.unreadable(c.err)
	}
	open := f.space.OpenRoot
	if c.alone {
		open = os.OpenRoot
	}
	root, err := open(c.path)
	if err != nil {
		return c.unreadable(err)
	}
	if c.listing != nil {
		repo := f.plain(c, root, c.listing)
		if c.alone {
			repo.Problems = f.unread(c.listing.files[0])
		}
		return repo
	}
	h, err := newHandle(root)
	if err != nil {
		root.Close()
		return c.unreadable(err)
	}
	defer h.close()
	entries, err := readFolder(h, source.MaxFiles+1)
	kind := gitOf(h, entries)
	l := walk(ctx, h, entries, err, kind == dotGit || kind == gitFile, source.MaxFiles)
	switch {
	case kind != notGit:
		return f.git(ctx, c, root, l, kind)
	case len(l.nested) == 0 || c.part != "" || l.holds(f.reads):
		return f.plain(c, root, l)
	}
	root.Close()
	f.split(c, l)
	return nil
}

// git is the repository for a folder with git. A bare one has no checkout; what lies in it
// is a tree all the same where it holds a file that a sweep reads, or else a folder could
// hide one by looking like a bare repository.
func (f *finder) git(ctx context.Context, c candidate, root *os.Root, l *listing, kind git) *source.Repository {
	repo := &source.Repository{Name: c.name, Path: c.shown}
	if kind == bare && !f.anywhere(l) {
		root.Close()
		f.pushNested(c, l)
	} else {
		repo = f.plain(c, root, l)
	}
	f.addHead(ctx, repo, c.path)
	return repo
}

// unread is the problem of a named file that no sweep reads: its user meant it to be.
func (f *finder) unread(file source.File) []source.Problem {
	err := source.Openable(file)
	switch {
	case f.reads(file.Path): // if it cannot be opened, the sweep says so
		return nil
	case err == nil:
		err = &source.PathError{Path: file.Path, Code: source.CodeUnknownName, Err: errUnknownName}
	}
	return []source.Problem{problem(err)}
}

var errUnknownName = errors.New("no format has files of this name: it was held against the indicators of files, and not read")

// anywhere reports whether a listing holds a file that a sweep reads, or could.
func (f *finder) anywhere(l *listing) bool {
	for _, file := range l.files {
		if f.reads(file.Path) {
			return true
		}
	}
	return len(l.faults) > 0
}

// pushNested queues the git repositories that lie in a folder.
func (f *finder) pushNested(c candidate, l *listing) {
	for _, path := range l.nested {
		f.push(c.in(path))
	}
}

// plain is the repository for a folder without git. The git repositories that lie in it
// are queued.
func (f *finder) plain(c candidate, root *os.Root, l *listing) *source.Repository {
	f.pushNested(c, l)
	return &source.Repository{Name: c.name, Path: c.shown, Loose: c.loose, Trees: []source.Tree{&worktree{confine.NewFiles(root), l, c.part}}}
}

// split queues what a folder of git repositories holds, from its listing.
func (f *finder) split(c candidate, l *listing) {
	children, loose := l.below()
	if !loose.empty() {
		here := c
		here.listing, here.loose = loose, true
		f.push(here)
	}
	for name, child := range children {
		in := c.in(name)
		switch {
		case len(child.nested) > 0 && child.nested[0] == "": // a git repository itself
		case len(child.nested) > 0 && !child.holds(f.reads):
			f.split(in, child)
			continue
		default:
			in.listing = child
		}
		f.push(in)
	}
}

func (c candidate) unreadable(err error) *source.Repository {
	return &source.Repository{Name: c.name, Path: c.shown, Problems: []source.Problem{problem(err)}}
}

// queue is a heap of candidates by name, and by path where names are equal.
type queue []candidate

func (q queue) Len() int      { return len(q) }
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(c any)   { *q = append(*q, c.(candidate)) }

func (q queue) Less(i, j int) bool {
	if c := strings.Compare(q[i].name, q[j].name); c != 0 {
		return c < 0
	}
	return q[i].path < q[j].path
}

func (q *queue) Pop() any {
	old := *q
	c := old[len(old)-1]
	*q = old[:len(old)-1]
	return c
}
