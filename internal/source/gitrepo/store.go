package gitrepo

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/confine"
)

// Errors of the store; fault gives each its code.
var (
	errMissing = errors.New("the object is not there: a partial or shallow clone, or a damaged one")
	errCorrupt = errors.New("the object does not decode")
	errLimit   = errors.New("over a limit")
)

func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: %w", errCorrupt, fmt.Errorf(format, args...))
}

// fault is the error of a tree for an error of the store.
func fault(path string, err error) *source.PathError {
	code := source.CodeLimit
	switch {
	case errors.Is(err, errMissing):
		code = source.CodeMissing
	case errors.Is(err, errCorrupt):
		code = source.CodeCorrupt
	case !errors.Is(err, errLimit):
		return confine.Fault(path, err)
	}
	return &source.PathError{Path: path, Code: code, Err: err}
}

// Limits of the work on one repository. What a pack of 1 MB can be made to inflate to has
// no bound, since deltas copy; what its reading may cost has.
const (
	freeWork      = 1 << 30 // bytes made, whatever the size of the repository
	workPerByte   = 2_000   // and for each byte of its packs
	workPerEntry  = 4 << 10 // that finding one pack entry counts as
	maxAlternates = 5       // folders of objects that name folders of objects; git's limit as well
	maxAlternate  = 1 << 20 // bytes of a file that names them
)

// store is the objects of a repository: of its own folder, and of those that this one
// borrows from.
type store struct {
	folders []*os.Root
	packs   []*pack
	last    atomic.Int32 // the pack in which the last object was found
	work    atomic.Int64 // bytes that may still be made
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
	r.objects.work.Store(freeWork)
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
			f := fault("", err)
			r.problem(f.Code, "%q: %v", base, f.Err)
			continue
		}
		r.objects.packs = append(r.objects.packs, p)
		r.objects.work.Add(p.size * workPerByte)
	}
	return nil
}

// spend takes n bytes from the work that is left.
func (s *store) spend(n int64) error {
	if s.work.Add(-n) < 0 {
		return fmt.Errorf("%w: the objects inflate to more than %d bytes and %d for each byte of their packs", errLimit, freeWork, workPerByte)
	}
	return nil
}

// find gives the pack entry of an object, and nil where no pack holds it.
func (s *store) find(id ID) (*pack, int64, error) {
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
func (s *store) size(id ID) (int64, error) {
	p, offset, err := s.find(id)
	if err != nil {
		return 0, err
	}
	if err := s.spend(workPerEntry); err != nil {
		return 0, err
	}
	if p != nil {
		return p.sizeAt(offset)
	}
	o, err := s.openLoose(id)
	if err != nil {
		return 0, err
	}
	defer o.Close()
	return o.size, nil
}

// read appends the content of an object of a kind to buf[:0]. The error wraps
// source.ErrTooLarge for one over max bytes.
func (s *store) read(id ID, kind string, max int64, buf []byte) ([]byte, error) {
	o, err := s.open(id, max)
	if err != nil {
		return buf[:0], err
	}
	defer o.Close()
	if o.kind != kind {
		return buf[:0], corrupt("a %s where a %s should be", o.kind, kind)
	}
	return confine.ReadAll(o, o.size, max, buf)
}

// open opens an object. A whole one is inflated as it is read, whatever its size; one that
// is stored as the difference to another is made first, and refused over a limit.
func (s *store) open(id ID, max int64) (*object, error) {
	p, offset, err := s.find(id)
	if err != nil {
		return nil, err
	}
	if p == nil {
		return s.openLoose(id)
	}
	return s.openPacked(p, offset, id, max)
}

// openLoose opens an object that has a file of its own.
func (s *store) openLoose(id ID) (*object, error) {
	name := id.String()
	name = filepath.Join(name[:2], name[2:])
	for _, root := range s.folders {
		f, _, err := confine.Open(root, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if errors.Is(err, confine.ErrNotRegular) {
			return nil, corrupt("its file is %w", err)
		}
		if err != nil {
			return nil, err
		}
		return newLoose(bufio.NewReader(pathless{f}), f, id)
	}
	return nil, errMissing
}
