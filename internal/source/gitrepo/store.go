package gitrepo

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/confine"
	"github.com/wormsweep/wormsweep/internal/source/gitobject"
)

// Limits of alternates: of folders of objects that name folders of objects, which is git's
// as well, and of the bytes of a file that names them.
const (
	maxAlternates = 5
	maxAlternate  = 1 << 20
)

// store is the objects of a repository: of its own folder, and of those that this one
// borrows from.
type store struct {
	folders []*os.Root
	packs   []*pack
	last    atomic.Int32 // the pack in which the last object was found
	work    *gitobject.Work
}

func (s *store) close() error {
	var errs []error
	for _, root := range s.folders {
		errs = append(errs, root.Close())
	}
	for _, p := range s.packs {
		errs = append(errs, p.close())
	}
	return errors.Join(errs...)
}

// openStore opens the folder of objects at path, and those that it borrows from.
func (r *Repo) openStore(space *confine.Space, root *os.Root, path string) error {
	paths := []string{path}
	depth := map[string]int{path: 0}
	for i := 0; i < len(paths); i++ {
		if i > 0 {
			var err error
			if root, err = space.OpenRoot(paths[i]); err != nil {
				f := confine.Fault("", err)
				r.problem(f.Code, "it borrows objects from %q: %v", paths[i], f.Err)
				continue
			}
		}
		r.objects.folders = append(r.objects.folders, root)
		if err := r.openPacks(root); err != nil {
			return err
		}
		borrowed, err := alternates(root, paths[i])
		if err != nil {
			f := confine.Fault("", err)
			r.problem(f.Code, "the list of folders that it borrows objects from: %v", f.Err)
		}
		for _, b := range borrowed {
			if _, seen := depth[b]; seen {
				continue
			}
			if depth[b] = depth[paths[i]] + 1; depth[b] > maxAlternates {
				r.problem(source.CodeLimit, "it borrows objects from %q through more than %d others", b, maxAlternates)
				continue
			}
			paths = append(paths, b)
		}
	}
	return nil
}

// alternates gives the folders that a folder of objects borrows from: the lines of its file
// info/alternates, absolute or relative to it. A line that begins with "#" is a comment,
// one in double quotes is quoted as in C (gitrepository-layout, objects/info/alternates).
func alternates(root *os.Root, path string) ([]string, error) {
	text, err := confine.ReadFile(root, "info/alternates", maxAlternate)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return parseAlternates(string(text), path), nil
}

func parseAlternates(text, path string) []string {
	var out []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" || line[0] == '#' {
			continue
		}
		if unquoted, err := strconv.Unquote(line); err == nil && line[0] == '"' {
			line = unquoted
		}
		out = append(out, resolve(line, path))
	}
	return out
}

// openPacks opens the packs of a folder of objects. A pack that cannot be opened is a
// problem: what it holds is missing.
func (r *Repo) openPacks(root *os.Root) error {
	folder, err := root.Open("pack")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer folder.Close()
	names, err := folder.Readdirnames(-1)
	if err != nil {
		return err
	}
	for _, name := range names {
		base, ok := strings.CutSuffix(name, ".idx")
		if !ok || !strings.HasPrefix(base, "pack-") {
			continue
		}
		p, err := openPack(root, "pack/"+base)
		if err != nil {
			f := gitobject.Fault("", err)
			r.problem(f.Code, "%q: %v", base, f.Err)
			continue
		}
		r.objects.packs = append(r.objects.packs, p)
		r.objects.work.Grow(p.Size)
	}
	return nil
}

// find gives the pack entry of an object, and nil where no pack holds it.
func (s *store) find(id gitobject.ID) (*pack, int64, error) {
	last := int(s.last.Load())
	var failed error
	for i := range s.packs {
		at := i
		switch { // the last pack first, and the others in their order
		case i == 0:
			at = last
		case i <= last:
			at = i - 1
		}
		offset, found, err := s.packs[at].lookUp(id)
		if err != nil {
			failed = err
			continue
		}
		if found {
			s.last.Store(int32(at))
			return s.packs[at], offset, nil
		}
	}
	return nil, 0, failed // it may be in the one that failed
}

// size gives the length of an object. It inflates no more than its header.
func (s *store) size(id gitobject.ID) (int64, error) {
	p, offset, err := s.find(id)
	if err != nil {
		return 0, err
	}
	if err := s.work.SpendEntry(); err != nil {
		return 0, err
	}
	if p != nil {
		return p.SizeAt(offset)
	}
	o, err := s.openLoose(id)
	if err != nil {
		return 0, err
	}
	defer o.Close()
	return o.Size, nil
}

// read appends the content of an object of a kind to buf[:0]. The error wraps
// source.ErrTooLarge for one over max bytes.
func (s *store) read(id gitobject.ID, kind string, max int64, buf []byte) ([]byte, error) {
	o, err := s.open(id, max)
	if err != nil {
		return buf[:0], err
	}
	defer o.Close()
	if o.Kind != kind {
		return buf[:0], gitobject.Corrupt("a %s where a %s should be", o.Kind, kind)
	}
	return confine.ReadAll(o, o.Size, max, buf)
}

// open opens an object. A whole one is inflated as it is read, whatever its size; one that
// is stored as the difference to another is made first, and refused over a limit.
func (s *store) open(id gitobject.ID, max int64) (*gitobject.Object, error) {
	p, offset, err := s.find(id)
	if err != nil {
		return nil, err
	}
	if p == nil {
		return s.openLoose(id)
	}
	return p.Open(offset, id, max, s.work)
}

// openLoose opens an object that has a file of its own.
func (s *store) openLoose(id gitobject.ID) (*gitobject.Object, error) {
	name := id.String()
	name = filepath.Join(name[:2], name[2:])
	for _, root := range s.folders {
		f, _, err := confine.Open(root, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if errors.Is(err, confine.ErrNotRegular) {
			return nil, gitobject.Corrupt("its file is %w", err)
		}
		if err != nil {
			return nil, err
		}
		return gitobject.NewLoose(bufio.NewReader(pathless{f}), f, id)
	}
	return nil, gitobject.ErrMissing
}

// tree reads the content of a tree object.
func (s *store) tree(id gitobject.ID) ([]byte, error) {
	return s.read(id, gitobject.Tree, gitobject.MaxTree, nil)
}

// commit reads a commit.
func (s *store) commit(id gitobject.ID) (gitobject.CommitText, error) {
	data, err := s.read(id, gitobject.Commit, gitobject.MaxCommit, nil)
	if err != nil {
		return gitobject.CommitText{}, err
	}
	return gitobject.ParseCommit(data)
}

// fileSize gives source.File.Size of a blob. Where it is not known the reason is said by
// whoever reads the file.
func (s *store) fileSize(id gitobject.ID) int64 {
	size, err := s.size(id)
	if err != nil {
		return source.SizeAbsent
	}
	return size
}
