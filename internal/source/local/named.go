package local

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/confine"
)

// named is a path that the user named.
type named struct {
	given string // clean, with slashes
	base  string // the last part of its absolute path
	path  string // absolute, without links; of a file, its folder
	file  string // of a file: its path from path
	part  string // as of worktree
	err   error  // why nothing of it can be read

	container bool     // a folder of repositories
	children  []string // of a container: the folders in it
	loose     *listing // of a container: what lies beside them; of a file: the file

	level int // of its names
}

// newFinder opens the named paths and queues what they are.
func newFinder(paths []string, reads func(string) bool) (*finder, error) {
	f := &finder{reads: reads, space: &confine.Space{}}
	var all []*named
	for _, path := range paths {
		n, err := newNamed(path)
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	all = withoutInner(all)
	for _, n := range all {
		if n.err == nil {
			n.err = f.open(n)
		}
	}
	settleNames(all)
	for _, n := range all {
		n.queue(f)
	}
	return f, nil
}

// newNamed looks at a path. The error wraps ErrNoSuchPath where nothing is there.
func newNamed(path string) (*named, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", path, err)
	}
	n := &named{given: filepath.ToSlash(filepath.Clean(path)), base: filepath.Base(abs), path: abs}
	info, err := os.Stat(abs)
	if err == nil && !info.IsDir() {
		n.file = n.base
		abs = filepath.Dir(abs)
	}
	if err == nil {
		abs, err = confine.Real(abs)
	}
	switch {
	case path == "", errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return nil, fmt.Errorf("%q: %w", path, ErrNoSuchPath)
	case err != nil:
		n.err = err
	default:
		n.path = abs
	}
	return n, nil
}

// withoutInner leaves out what lies in another named folder: it is swept with that.
func withoutInner(all []*named) []*named {
	var out []*named
	for i, n := range all {
		inner := false
		for j, other := range all {
			if j != i && other.covers(n) && (j < i || !n.covers(other)) { // of two equal ones the first stays
				inner = true
			}
		}
		if !inner {
			out = append(out, n)
		}
	}
	return out
}

// covers reports whether a sweep of n reaches all of other. What lies in a .git folder is
// reached by none; and in a work tree a bare repository or submodule is swept as it lies, so
// that one which is named besides is swept at HEAD as a repository of its own.
func (n *named) covers(other *named) bool {
	if n.err != nil || other.err != nil {
		return false
	}
	if n.file != "" {
		return n.path == other.path && n.file == other.file
	}
	below, ok := confine.Below(n.path, other.path)
	if !ok || strings.Contains("/"+filepath.ToSlash(below)+"/", "/.git/") {
		return false
	}
	return other.file != "" || other.path == n.path || !insideWorkTree(n.path, other.path) || !holdsGit(other.path)
}

// insideWorkTree reports whether a folder from top down to above path has git.
func insideWorkTree(top, path string) bool {
	for path != top {
		path = filepath.Dir(path)
		if _, err := os.Lstat(filepath.Join(path, ".git")); err == nil {
			return true
		}
	}
	return false
}

// holdsGit reports whether the folder, or one in it, is a bare repository or has a .git file.
func holdsGit(path string) bool {
	folders := []string{path}
	entries, err := os.ReadDir(path)
	if err != nil {
		return true // and whoever opens it says why
	}
	for _, e := range entries {
		if e.IsDir() && e.Name() != ".git" {
			folders = append(folders, filepath.Join(path, e.Name()))
		}
	}
	for _, dir := range folders {
		if info, err := os.Lstat(filepath.Join(dir, ".git")); err == nil && !info.IsDir() {
			return true
		}
		_, head := os.Lstat(filepath.Join(dir, "HEAD"))
		_, objects := os.Lstat(filepath.Join(dir, "objects"))
		if head == nil && objects == nil {
			return true
		}
	}
	return false
}

// open finds out what kind of place n is.
func (f *finder) open(n *named) error {
	if n.file != "" {
		n.path, n.file = formatPath(n.path, n.file, f.reads)
		return n.list()
	}
	if err := f.space.Add(n.path); err != nil {
		return err
	}
	root, err := f.space.OpenRoot(n.path)
	if err != nil {
		return err
	}
	defer root.Close()
	h, err := newHandle(root)
	if err != nil {
		return err
	}
	defer h.close()
	entries, err := readFolder(h, source.MaxFiles+1)
	if gitOf(h, entries) != notGit || len(entries) == 0 && err == nil {
		return nil
	}
	if n.part = partOf(n.path, entries, f.reads); n.part != "" {
		return nil
	}
	loose := &listing{}
	if err != nil {
		loose.fault(confine.Fault("", err))
	}
	for _, e := range entries {
		if e.kind == folder && isPart(e.name) || e.kind != folder && f.reads(e.name) {
			n.children = nil
			return nil
		}
		if e.kind == folder {
			n.children = append(n.children, e.name)
			continue
		}
		loose.files = append(loose.files, e.file(e.name))
	}
	n.container, n.loose = true, loose
	return nil
}

// partOf is the path, with a "/" behind it, that a folder has in the project that it is part
// of, "" where it is none: a sweep that is given a node_modules, a .github or a site-packages'
// folder reads what it would read there as part of the project. entries are those of the folder.
func partOf(path string, entries []entry, reads func(string) bool) string {
	slashed := filepath.ToSlash(path)
	if i := strings.LastIndex(slashed+"/", "/node_modules/"); i >= 0 {
		return slashed[i+1:] + "/"
	}
	if filepath.Base(path) == ".github" {
		return ".github/"
	}
	at, part := path, ""
	for range 2 {
		part = filepath.Base(at) + "/" + part
		at = filepath.Dir(at)
		for _, e := range entries {
			if e.kind != folder && reads(part+e.name) && !reads(e.name) {
				return part
			}
		}
	}
	return ""
}

// list lists a named file.
func (n *named) list() error {
	root, err := os.OpenRoot(n.path)
	if err != nil {
		return err
	}
	defer root.Close()
	info, err := root.Lstat(n.file)
	if err != nil {
		return err
	}
	e := entry{n.file, info.Size(), kindOf(info.Mode())}
	n.loose = &listing{files: []source.File{e.file(n.file)}}
	return nil
}

// formatPath divides the path of a file so that its second part is the shortest one that a
// sweep reads: the folder decides on "vendor/modules.txt" and ".github/workflows/ci.yml".
func formatPath(dir, file string, reads func(string) bool) (string, string) {
	at, path := dir, file
	for range 5 {
		if reads(path) {
			return at, path
		}
		path = filepath.Base(at) + "/" + path
		at = filepath.Dir(at)
	}
	return dir, file
}

// queue hands f what n is.
func (n *named) queue(f *finder) {
	c := candidate{name: n.name(), shown: filepath.FromSlash(n.given), path: n.path, err: n.err}
	for _, child := range n.children {
		f.push(c.in(child))
	}
	c.part = n.part
	c.alone, c.listing, c.loose = n.file != "", n.loose, n.container
	if !n.container || !n.loose.empty() {
		f.push(c)
	}
}

// name is that of n itself or, where it is a folder of repositories, what the names of
// those are below.
func (n *named) name() string {
	switch {
	case n.level == 0 && n.container:
		return "."
	case n.level == 0:
		return n.base
	case n.level == 1 && n.given != ".": // which names nothing
		return n.given
	}
	return filepath.ToSlash(n.path)
}

// names are the first parts of the names of all that n yields.
func (n *named) names() []string {
	if !n.container {
		return []string{n.name()}
	}
	var out []string
	for _, child := range n.children {
		out = append(out, candidate{name: n.name()}.in(child).name)
	}
	if !n.loose.empty() {
		out = append(out, n.name())
	}
	return out
}

// settleNames makes the names of what was named differ: those of one place by its path as
// given and, where even those are one, by its absolute path.
func settleNames(all []*named) {
	for range 2 {
		first := map[string]*named{}
		for _, n := range all {
			for _, name := range n.names() {
				if first[name] == nil {
					first[name] = n
				}
			}
		}
		clash := map[*named]bool{}
		for _, n := range all {
			for _, name := range n.names() {
				for part := name; ; part = part[:strings.LastIndexByte(part, '/')] {
					if other := first[part]; other != nil && other != n {
						clash[n], clash[other] = true, true
					}
					if !strings.Contains(part, "/") {
						break
					}
				}
			}
		}
		for n := range clash {
			n.level++
		}
	}
}
