// Package gitrepo reads git repositories on disk: what HEAD names, the files of its tree
// and their contents.
//
// A repository is data written by others. git is never run on it, and nothing in it is
// believed that could send a reader elsewhere: of its configuration two words are read
// that say how objects and refs are stored, and no include, work tree, hook or helper; its
// replacements (refs/replace) and grafts are not applied; a .git file, a commondir file and
// alternates are followed inside the named folders alone. Every object is checked against
// its id, so that nothing can stand in for another content.
//
// The format of pack entries is go-git's to know (see gitobject). Its object
// storage is not used, since a repository can end the program in it: two deltas that name
// each other as their base overflow the stack, which nothing recovers from; the header of a
// loose object and the instructions of a delta may inflate to any size; whole indexes are
// held in memory, ids are not checked, and it is not safe for concurrent use. Here each
// object is read without recursion, within a limit of size, and the whole repository within
// a limit of work that grows with what it takes on disk.
package gitrepo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/confine"
	"github.com/wormsweep/wormsweep/internal/source/gitobject"
)

// Repo is an open repository. It is safe for concurrent use.
type Repo struct {
	dir      *os.Root // the git folder: HEAD
	common   *os.Root // refs, objects and configuration: dir itself but for a further work tree
	objects  *store
	trees    gitobject.Trees
	problems []source.Problem
	closing  sync.Once
}

// Limits of the small files of a git folder.
const (
	maxPathFile = 64 << 10 // a .git or commondir file
	maxRefFile  = 4 << 10
	maxConfig   = 1 << 20
)

// Open opens the git repository of a folder, given by its absolute path: with a .git folder
// or file in it, or a bare one. The error is a *source.PathError.
func Open(space *confine.Space, folder string) (*Repo, error) {
	r := &Repo{objects: &store{work: gitobject.NewWork()}}
	r.trees.Content, r.trees.Size = r.objects.tree, r.objects.fileSize
	if err := r.open(space, folder); err != nil {
		r.Close()
		var pe *source.PathError
		if !errors.As(err, &pe) {
			pe = confine.Fault(".git", err)
		}
		return nil, pe
	}
	return r, nil
}

// Problems are what could not be looked at when the repository was opened, and does not
// keep the rest of it from being read.
func (r *Repo) Problems() []source.Problem { return r.problems }

func (r *Repo) problem(code source.Code, format string, args ...any) {
	r.problems = append(r.problems, source.Problem{File: ".git", Code: code, Detail: fmt.Sprintf(format, args...)})
}

// Close lets go of the folders and packs that r holds open. Once is enough, and more does no
// harm: each tree closes its repository.
func (r *Repo) Close() (err error) {
	r.closing.Do(func() {
		errs := []error{r.objects.close()}
		for _, root := range []*os.Root{r.dir, r.common} {
			if root != nil {
				errs = append(errs, root.Close())
			}
		}
		err = errors.Join(errs...)
	})
	return err
}

func (r *Repo) open(space *confine.Space, folder string) error {
	gitDir, err := locate(space, folder)
	if err != nil {
		return err
	}
	if r.dir, err = space.OpenRoot(gitDir); err != nil {
		return notThere(err, "the git folder")
	}
	commonDir, err := commonOf(r.dir, gitDir)
	if err != nil {
		return err
	}
	if r.common, err = space.OpenRoot(commonDir); err != nil {
		return notThere(err, "the git folder that this work tree shares")
	}
	config, err := confine.ReadFile(r.common, "config", maxConfig)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		r.problem(source.CodeUnreadable, "config: %v", confine.Fault("", err).Err)
	}
	if err := supported(config); err != nil {
		return err
	}
	objects, err := r.common.OpenRoot("objects")
	if err != nil {
		return notThere(err, "the folder of its objects")
	}
	return r.openStore(space, objects, filepath.Join(commonDir, "objects"))
}

// notThere tells a git folder that lacks a part from one that cannot be read.
func notThere(err error, what string) error {
	if errors.Is(err, fs.ErrNotExist) {
		return &source.PathError{Path: ".git", Code: source.CodeNotARepo, Err: fmt.Errorf("%s is not there", what)}
	}
	fault := confine.Fault(".git", err)
	fault.Err = fmt.Errorf("%s: %w", what, fault.Err)
	return fault
}

// locate gives the path of the git folder of a work tree; a bare repository is its own.
func locate(space *confine.Space, folder string) (string, error) {
	root, err := space.OpenRoot(folder)
	if err != nil {
		return "", err
	}
	defer root.Close()
	info, err := root.Lstat(".git")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return folder, nil
	case err != nil:
		return "", err
	case info.IsDir():
		return filepath.Join(folder, ".git"), nil
	case info.Mode()&fs.ModeSymlink != 0:
		return "", &source.PathError{Path: ".git", Code: source.CodeLink, Err: errors.New("a symbolic link: not followed, so HEAD is not looked at")}
	}
	text, err := confine.ReadFile(root, ".git", maxPathFile)
	if err != nil {
		return "", err
	}
	return parseGitFile(string(text), folder)
}

// parseGitFile gives the absolute path that a .git file in folder names. The file is one
// line, "gitdir: PATH", with PATH relative to its folder (gitrepository-layout).
func parseGitFile(text, folder string) (string, error) {
	path, ok := strings.CutPrefix(text, "gitdir: ")
	if path = strings.TrimRight(path, "\r\n"); !ok || path == "" {
		return "", &source.PathError{Path: ".git", Code: source.CodeNotARepo, Err: fmt.Errorf("a file that begins with %.40q names no git folder", text)}
	}
	return resolve(path, folder), nil
}

// commonOf gives the path of the folder that a further work tree shares with the first: its
// file commondir names it, relative to the git folder. Any other git folder is its own.
func commonOf(dir *os.Root, gitDir string) (string, error) {
	text, err := confine.ReadFile(dir, "commondir", maxPathFile)
	if errors.Is(err, fs.ErrNotExist) {
		return gitDir, nil
	}
	if err != nil {
		return "", err
	}
	path := strings.TrimRight(string(text), "\r\n")
	if path == "" {
		return "", &source.PathError{Path: ".git", Code: source.CodeNotARepo, Err: errors.New("its file commondir is empty")}
	}
	return resolve(path, gitDir), nil
}

// resolve makes a path that git wrote absolute.
func resolve(path, from string) string {
	path = filepath.FromSlash(path)
	if !filepath.IsAbs(path) {
		path = filepath.Join(from, path)
	}
	return filepath.Clean(path)
}
