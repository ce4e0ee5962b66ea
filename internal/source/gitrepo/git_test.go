package gitrepo_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/confine"
	"github.com/wormsweep/wormsweep/internal/source/gitobject"
	"github.com/wormsweep/wormsweep/internal/source/gitrepo"
)

// git runs git in a folder, with no configuration but that of the repository.
func git(t testing.TB, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(),
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_TERMINAL_PROMPT=0", "HOME="+dir,
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_AUTHOR_DATE=2026-01-01T00:00:00Z",
		"GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com", "GIT_COMMITTER_DATE=2026-01-01T00:00:00Z",
		"GIT_ALLOW_PROTOCOL=file")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git %s: %v: %s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimRight(string(out), "\n")
}

// write writes files, given as path and content in turn, below dir.
func write(t testing.TB, dir string, files ...string) {
	t.Helper()
	for i := 0; i < len(files); i += 2 {
		path := filepath.Join(dir, filepath.FromSlash(files[i]))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(files[i+1]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// repository makes a work tree at dir whose only commit holds the files.
func repository(t testing.TB, dir string, files ...string) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	git(t, dir, "init", "-q", "-b", "main")
	write(t, dir, files...)
	git(t, dir, "add", "-A")
	git(t, dir, "commit", "-q", "--allow-empty", "-m", "first")
	return dir
}

// bareFolder makes an empty bare repository, as far as it takes for objects to be put in.
func bareFolder(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "HEAD", "ref: refs/heads/main\n", "refs/heads/.keep", "")
	if err := os.MkdirAll(filepath.Join(dir, "objects", "pack"), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func objectID(kind, content string) gitobject.ID {
	return sha1.Sum(fmt.Appendf(nil, "%s %d\x00%s", kind, len(content), content))
}

// loose puts an object in a git folder, whatever its content, and gives its id.
func loose(t testing.TB, dir, kind, content string) gitobject.ID {
	t.Helper()
	id := objectID(kind, content)
	putLoose(t, dir, id, deflate(fmt.Sprintf("%s %d\x00%s", kind, len(content), content)))
	return id
}

// putLoose writes the file of a loose object.
func putLoose(t testing.TB, dir string, id gitobject.ID, file string) {
	t.Helper()
	name := id.String()
	write(t, dir, "objects/"+name[:2]+"/"+name[2:], file)
}

var deflater = zlib.NewWriter(nil)

func deflate(s string) string {
	var b bytes.Buffer
	deflater.Reset(&b)
	if _, err := deflater.Write([]byte(s)); err != nil {
		panic(err)
	}
	if err := deflater.Close(); err != nil {
		panic(err)
	}
	return b.String()
}

// entry is an entry of a tree object.
func entry(mode, name string, id gitobject.ID) string {
	return mode + " " + name + "\x00" + string(id[:])
}

// commit makes a commit of a tree the one that main names.
func commit(t testing.TB, dir string, tree gitobject.ID) {
	t.Helper()
	id := loose(t, dir, "commit", "tree "+tree.String()+"\nauthor a <a> 0 +0000\ncommitter a <a> 0 +0000\n\nfirst\n")
	write(t, dir, "refs/heads/main", id.String()+"\n")
}

// open opens the repository in folder within the space of space.
func open(t testing.TB, space, folder string) (*gitrepo.Repo, error) {
	t.Helper()
	real, err := confine.Real(space)
	if err != nil {
		t.Fatal(err)
	}
	s := &confine.Space{}
	if err := s.Add(real); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if folder, err = confine.Real(folder); err != nil {
		t.Fatal(err)
	}
	r, err := gitrepo.Open(s, folder)
	if err == nil {
		t.Cleanup(func() { r.Close() })
	}
	return r, err
}

// head opens the tree of HEAD of the repository in a folder, which is all of the space.
func head(t testing.TB, folder string) *gitrepo.Tree {
	t.Helper()
	r, err := open(t, folder, folder)
	if err != nil {
		t.Fatal(err)
	}
	return headOf(t, r)
}

func headOf(t testing.TB, r *gitrepo.Repo) *gitrepo.Tree {
	t.Helper()
	ref, err := r.Head()
	if err != nil {
		t.Fatal(err)
	}
	tree, err := r.Tree(ref)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// list lists a tree, one line for each file or fault in order: "PATH SIZE BLOB", a link
// with "@" after it, or "PATH: CODE".
func list(t testing.TB, tree source.Tree) []string {
	t.Helper()
	var out []string
	for f, err := range tree.Files(context.Background()) {
		var pe *source.PathError
		switch {
		case errors.As(err, &pe):
			if pe.Path != f.Path {
				t.Errorf("the file %q comes with an error for %q", f.Path, pe.Path)
			}
			out = append(out, fmt.Sprintf("%s: %s", pe.Path, pe.Code))
		case err != nil:
			t.Errorf("%q: %v is no *source.PathError", f.Path, err)
		default:
			line := fmt.Sprintf("%s %d %s", f.Path, f.Size, f.Blob)
			if f.Link {
				line += " @"
			}
			out = append(out, line)
		}
	}
	return out
}

// want is what git itself says of HEAD, in the form of list.
func want(t testing.TB, dir string) []string {
	t.Helper()
	var out []string
	for _, line := range strings.Split(strings.TrimRight(git(t, dir, "ls-tree", "-r", "-l", "-z", "HEAD"), "\x00"), "\x00") {
		if line == "" {
			continue
		}
		fields, path, _ := strings.Cut(line, "\t")
		f := strings.Fields(fields)
		switch f[0] {
		case "160000":
			out = append(out, path+": submodule")
		case "120000":
			out = append(out, path+" "+f[3]+" "+f[2]+" @")
		default:
			out = append(out, path+" "+f[3]+" "+f[2])
		}
	}
	return out
}

// code is the code of a *source.PathError, "" for no error.
func code(t testing.TB, err error) source.Code {
	t.Helper()
	var pe *source.PathError
	if err != nil && !errors.As(err, &pe) {
		t.Fatalf("%v is no *source.PathError", err)
	}
	if pe == nil {
		return ""
	}
	if strings.ContainsAny(pe.Err.Error(), "\n\x00") {
		t.Errorf("%q is not one line", pe.Err)
	}
	return pe.Code
}
