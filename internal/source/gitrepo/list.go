package gitrepo

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/confine"
	"github.com/wormsweep/wormsweep/internal/source/gitobject"
)

// Limits of a list of refs.
const (
	maxListed   = 250_000 // refs
	maxLooseRef = 300_000 // files and folders below refs
	maxTagChain = 5       // tags of tags
)

// Refs lists the refs whose full names match, in the order of their names: those with a
// file of their own, and those in packed-refs. Each is a commit, which an annotated tag was
// followed to. What could not be listed or followed is an error of a *source.PathError, and
// a tag of something else than a commit one whose code says that it is a note; the others
// are given all the same.
func (r *Repo) Refs(ctx context.Context, match func(name string) bool) ([]Ref, []error) {
	l := lister{repo: r, match: match, ids: map[string]gitobject.ID{}}
	l.packed()
	l.loose(ctx)
	var refs []Ref
	for name, id := range l.ids {
		refs = append(refs, Ref{name, id})
	}
	slices.SortFunc(refs, func(a, b Ref) int { return strings.Compare(a.Name, b.Name) })
	out := refs[:0]
	for _, ref := range refs {
		if ctx.Err() != nil {
			break
		}
		commit, err := r.objects.peel(ref.ID)
		switch {
		case err != nil:
			f := gitobject.Fault(".git", err)
			f.Err = fmt.Errorf("the ref %q: %w", ref.Name, f.Err)
			l.errs = append(l.errs, f)
		case commit == gitobject.ID{}:
			l.fail(source.CodeNotACommit, "the ref %q names %s, which is no commit", ref.Name, ref.ID)
		default:
			out = append(out, Ref{ref.Name, commit})
		}
	}
	return out, l.errs
}

// lister collects the ids of refs.
type lister struct {
	repo  *Repo
	match func(string) bool
	ids   map[string]gitobject.ID
	errs  []error
}

func (l *lister) fail(code source.Code, format string, args ...any) {
	l.errs = append(l.errs, refError(code, format, args...))
}

// room reports whether another ref may be listed, and says once that not.
func (l *lister) room() bool {
	if len(l.ids) == maxListed {
		l.fail(source.CodeLimit, "more than %d refs: the rest is not looked at", maxListed)
	}
	return len(l.ids) < maxListed
}

// packed takes the refs of packed-refs.
func (l *lister) packed() {
	f, info, err := confine.Open(l.repo.common, "packed-refs")
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		l.errs = append(l.errs, confine.Fault(".git", fmt.Errorf("packed-refs: %w", confine.Fault("", err).Err)))
		return
	}
	defer f.Close()
	if info.Size() > maxPackedRefs {
		l.fail(source.CodeLimit, "packed-refs has %d bytes", info.Size())
		return
	}
	err = eachPacked(f, func(id, name []byte) bool {
		if !l.match(string(name)) {
			return true
		}
		if !l.room() {
			return false
		}
		parsed, err := parseRef(string(name), id)
		if err != nil {
			l.errs = append(l.errs, err)
		} else {
			l.ids[string(name)] = parsed
		}
		return true
	})
	if err != nil {
		l.fail(source.CodeCorrupt, "packed-refs: %w", err)
	}
}

// loose takes the refs that are files below refs, each before one of packed-refs. Links are
// not followed; a symbolic ref stands for another one, which is listed itself.
func (l *lister) loose(ctx context.Context) {
	seen := 0
	err := fs.WalkDir(l.repo.common.FS(), "refs", func(name string, e fs.DirEntry, err error) error {
		if seen++; seen > maxLooseRef {
			l.fail(source.CodeLimit, "more than %d files and folders below refs: the rest is not looked at", maxLooseRef)
			return fs.SkipAll
		}
		switch {
		case ctx.Err() != nil:
			return fs.SkipAll
		case err != nil && name == "refs" && errors.Is(err, fs.ErrNotExist):
			return fs.SkipAll
		case err != nil:
			l.errs = append(l.errs, confine.Fault(".git", fmt.Errorf("%q: %w", name, confine.Fault("", err).Err)))
			return nil
		case e.IsDir(), !l.match(name), strings.HasSuffix(name, ".lock"):
			return nil
		}
		text, err := confine.ReadFile(l.repo.common, name, maxRefFile)
		if err != nil {
			l.errs = append(l.errs, confine.Fault(".git", fmt.Errorf("the ref %q: %w", name, confine.Fault("", err).Err)))
			return nil
		}
		if bytes.HasPrefix(text, []byte("ref:")) {
			return nil
		}
		if _, known := l.ids[name]; !known && !l.room() {
			return fs.SkipAll
		}
		id, err := parseRef(name, text)
		if err != nil {
			l.errs = append(l.errs, err)
			return nil
		}
		l.ids[name] = id
		return nil
	})
	if err != nil {
		l.errs = append(l.errs, confine.Fault(".git", fmt.Errorf("refs: %w", confine.Fault("", err).Err)))
	}
}

// eachPacked reads packed-refs, as long as f says to go on. A line is an id, a space and a
// name; one that begins with "#" is a comment, and one with "^" is what the tag before it
// names (git-pack-refs). Any other line is an error.
func eachPacked(r io.Reader, f func(id, name []byte) bool) error {
	lines := bufio.NewReaderSize(r, maxRefFile)
	for n := 1; ; n++ {
		line, err := lines.ReadSlice('\n')
		if err == io.EOF && len(line) == 0 {
			return nil
		}
		if err != nil && err != io.EOF {
			return fmt.Errorf("line %d: %w", n, err)
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 || line[0] == '#' || line[0] == '^' {
			continue
		}
		id, name, ok := bytes.Cut(line, []byte(" "))
		if !ok || len(id) != 40 && len(id) != 64 {
			return fmt.Errorf("line %d: %.50q is no ref", n, line)
		}
		if !f(id, name) {
			return nil
		}
	}
}

// peel gives the commit that an object is, or that it is the tag of; the zero id where it is
// neither.
func (s *store) peel(id gitobject.ID) (gitobject.ID, error) {
	for range maxTagChain {
		o, err := s.open(id, gitobject.MaxCommit)
		if err != nil {
			return gitobject.ID{}, err
		}
		switch o.Kind {
		case gitobject.Commit:
			return id, o.Close()
		case gitobject.Tag:
		default:
			return gitobject.ID{}, o.Close()
		}
		data, err := confine.ReadAll(o, o.Size, gitobject.MaxCommit, nil)
		o.Close()
		if err != nil {
			return gitobject.ID{}, err
		}
		if id, err = gitobject.TagTarget(data); err != nil {
			return gitobject.ID{}, err
		}
	}
	return gitobject.ID{}, fmt.Errorf("%w: a tag of a tag, and so on more than %d times", gitobject.ErrLimit, maxTagChain)
}
