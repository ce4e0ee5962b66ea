package gitrepo_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/gitrepo"
)

// history makes a repository with enough history for every way of storing objects: names
// that sort in odd ways, a link, a submodule, an empty file, and files that change a little
// with each commit.
func history(t testing.TB, dir string) string {
	t.Helper()
	repository(t, dir, "empty", "", "a-b/x", "1", "a/x", "2", "a.c", "3", "sp ace/\"q\"\n\xff", "4")
	if err := os.Symlink("a.c", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	var lines []string
	for i := range 400 {
		lines = append(lines, fmt.Sprintf("line %d %x", i, random.Uint64()))
	}
	for n := range 12 {
		lines[random.IntN(len(lines))] = fmt.Sprintf("changed %d", n)
		write(t, dir, "deep/er/package-lock.json", strings.Join(lines, "\n"), fmt.Sprintf("deep/f%d", n), lines[n])
		git(t, dir, "add", "-A")
		git(t, dir, "commit", "-q", "-m", "more")
	}
	git(t, dir, "update-index", "--add", "--cacheinfo", "160000,"+git(t, dir, "rev-parse", "HEAD")+",sub")
	git(t, dir, "commit", "-q", "-m", "sub")
	return dir
}

// However git stores a repository, its HEAD reads as git itself reads it.
func TestHead(t *testing.T) {
	for _, tt := range []struct {
		name string
		ref  string // "" for refs/heads/main
		make func(t *testing.T, dir string) (folder string)
	}{
		{name: "loose", make: func(t *testing.T, dir string) string { return dir }},
		{name: "packed", make: func(t *testing.T, dir string) string {
			git(t, dir, "gc", "-q", "--aggressive")
			return dir
		}},
		{name: "deltas by id", make: func(t *testing.T, dir string) string {
			git(t, dir, "-c", "repack.useDeltaBaseOffset=false", "repack", "-adfq")
			return dir
		}},
		{name: "many packs", make: func(t *testing.T, dir string) string {
			for range 5 {
				git(t, dir, "repack", "-q")
				write(t, dir, "deep/more", fmt.Sprint(rand.Int()))
				git(t, dir, "add", "-A")
				git(t, dir, "commit", "-q", "-m", "more")
			}
			return dir
		}},
		{name: "long offsets", make: func(t *testing.T, dir string) string {
			git(t, dir, "-c", "pack.indexVersion=2", "repack", "-adq")
			packs, err := filepath.Glob(filepath.Join(dir, ".git/objects/pack/*.pack"))
			if err != nil || len(packs) != 1 {
				t.Fatalf("packs: %q, %v", packs, err)
			}
			index := strings.TrimSuffix(packs[0], "pack") + "idx"
			if err := os.Remove(index); err != nil {
				t.Fatal(err)
			}
			git(t, dir, "index-pack", "--index-version=2,0x40", packs[0])
			return dir
		}},
		{name: "detached", ref: "HEAD", make: func(t *testing.T, dir string) string {
			git(t, dir, "checkout", "-q", "--detach")
			return dir
		}},
		{name: "packed refs", make: func(t *testing.T, dir string) string {
			git(t, dir, "tag", "-a", "-m", "t", "v1")
			git(t, dir, "pack-refs", "--all", "--prune")
			if _, err := os.Stat(filepath.Join(dir, ".git/refs/heads/main")); !errors.Is(err, os.ErrNotExist) {
				t.Fatalf("the ref is not packed: %v", err)
			}
			return dir
		}},
		{name: "a packed ref under the name of a folder", ref: "refs/heads/x", make: func(t *testing.T, dir string) string {
			git(t, dir, "checkout", "-q", "-b", "x")
			git(t, dir, "pack-refs", "--all", "--prune")
			if err := os.MkdirAll(filepath.Join(dir, ".git/refs/heads/x"), 0o755); err != nil {
				t.Fatal(err)
			}
			return dir
		}},
		{name: "symbolic ref", make: func(t *testing.T, dir string) string {
			git(t, dir, "symbolic-ref", "refs/heads/alias", "refs/heads/main")
			write(t, dir, ".git/HEAD", "ref: refs/heads/alias\n")
			return dir
		}},
		{name: "bare", make: func(t *testing.T, dir string) string {
			git(t, dir, "clone", "-q", "--bare", dir, dir+"/x.git")
			return dir + "/x.git"
		}},
		{name: "mirror as it is committed to git", make: func(t *testing.T, dir string) string {
			git(t, dir, "clone", "-q", "--mirror", dir, dir+"/x.git")
			git(t, dir+"/x.git", "pack-refs", "--all", "--prune")
			folder := t.TempDir() // git runs on x.git, which keeps its empty folder refs
			git(t, dir, "clone", "-q", "--mirror", dir, folder+"/y.git")
			git(t, folder+"/y.git", "pack-refs", "--all", "--prune")
			if err := os.RemoveAll(folder + "/y.git/refs"); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(folder+"/y.git", dir+"/y.git"); err != nil {
				t.Fatal(err)
			}
			return dir + "/y.git"
		}},
		{name: "linked work tree", ref: "refs/heads/other", make: func(t *testing.T, dir string) string {
			git(t, dir, "worktree", "add", "-q", "-b", "other", dir+"/linked")
			write(t, dir, "linked/only-here", "x")
			git(t, dir+"/linked", "add", "-A")
			git(t, dir+"/linked", "commit", "-q", "-m", "other")
			return dir + "/linked"
		}},
		{name: "shared objects", make: func(t *testing.T, dir string) string {
			git(t, dir, "clone", "-q", "--shared", "--no-checkout", dir, dir+"/shared")
			git(t, dir, "clone", "-q", "--shared", "--no-checkout", dir+"/shared", dir+"/again")
			return dir + "/again"
		}},
		{name: "shared objects by a relative path", make: func(t *testing.T, dir string) string {
			git(t, dir, "clone", "-q", "--shared", "--no-checkout", dir, dir+"/shared")
			write(t, dir, "shared/.git/objects/info/alternates", "# comment\n\n../../../.git/objects\n")
			return dir + "/shared"
		}},
		{name: "shallow", make: func(t *testing.T, dir string) string {
			git(t, dir, "clone", "-q", "--depth=1", "file://"+dir, dir+"/shallow")
			return dir + "/shallow"
		}},
		{name: "separate git folder", make: func(t *testing.T, dir string) string {
			git(t, dir, "clone", "-q", "--separate-git-dir="+dir+"/elsewhere", dir, dir+"/wt")
			return dir + "/wt"
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := history(t, filepath.Join(t.TempDir(), "repo"))
			folder := tt.make(t, dir)
			asked := folder
			if strings.HasSuffix(folder, "y.git") {
				asked = dir
			}
			r, err := open(t, dir, folder)
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Problems()) > 0 {
				t.Errorf("problems: %+v", r.Problems())
			}
			tree := headOf(t, r)
			ref := tt.ref
			if ref == "" {
				ref = "refs/heads/main"
			}
			if tree.Ref() != ref || tree.Commit() != git(t, asked, "rev-parse", "HEAD") {
				t.Errorf("HEAD is %q at %s; want %q", tree.Ref(), tree.Commit(), ref)
			}
			got := list(t, tree)
			if diff := cmp.Diff(want(t, asked), got); diff != "" {
				t.Errorf("files (-git +got):\n%s", diff)
			}
			if len(got) < 18 {
				t.Errorf("only %d files", len(got))
			}
			readAll(t, tree)
		})
	}
}

// readAll reads each file of a tree in both ways, and compares the id of what it got.
func readAll(t *testing.T, tree source.Tree) {
	t.Helper()
	ctx := context.Background()
	buf := make([]byte, 0, 1<<20)
	var wait sync.WaitGroup
	defer wait.Wait()
	for f, err := range tree.Files(ctx) {
		if err != nil || f.Link {
			continue
		}
		buf, err = tree.Read(ctx, f, 1<<20, buf)
		if err != nil {
			t.Errorf("Read(%q): %v", f.Path, err)
		}
		if got := source.BlobID(buf); got != f.Blob || int64(len(buf)) != f.Size {
			t.Errorf("Read(%q) gave %d bytes of the blob %s; want %d of %s", f.Path, len(buf), got, f.Size, f.Blob)
		}
		if f.Size > 0 {
			if _, err := tree.Read(ctx, f, f.Size-1, nil); !errors.Is(err, source.ErrTooLarge) {
				t.Errorf("Read(%q) of a byte less: %v; want ErrTooLarge", f.Path, err)
			}
		}
		wait.Go(func() { // side by side, as a sweep does
			r, err := tree.Open(ctx, f)
			if err != nil {
				t.Errorf("Open(%q): %v", f.Path, err)
				return
			}
			defer r.Close()
			h := source.NewBlobHash(f.Size)
			n, err := io.Copy(h, r)
			if got := fmt.Sprintf("%x", h.Sum(nil)); err != nil || n != f.Size || got != f.Blob {
				t.Errorf("Open(%q): %d bytes of the blob %s, %v", f.Path, n, got, err)
			}
		})
	}
}

func TestReadUsesTheBuffer(t *testing.T) {
	dir := repository(t, t.TempDir(), "f", "content")
	tree := head(t, dir)
	buf := make([]byte, 0, 64)
	for f := range tree.Files(context.Background()) {
		got, err := tree.Read(context.Background(), f, 64, buf)
		if err != nil || string(got) != "content" || &got[0] != &buf[:1][0] {
			t.Errorf("Read = %q, %v, in a new array: %v", got, err, &got[0] != &buf[:1][0])
		}
	}
}

// An entry that is a link is listed and never read.
func TestLinkIsNotRead(t *testing.T) {
	dir := repository(t, t.TempDir(), "f", "content")
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "package-lock.json")); err != nil {
		t.Fatal(err)
	}
	git(t, dir, "add", "-A")
	git(t, dir, "commit", "-q", "-m", "link")
	tree := head(t, dir)
	for f := range tree.Files(context.Background()) {
		if f.Path != "package-lock.json" {
			continue
		}
		if !f.Link {
			t.Errorf("%+v is no link", f)
		}
		if _, err := tree.Read(context.Background(), f, 1<<20, nil); code(t, err) != source.CodeLink {
			t.Errorf("Read: %v; want the code %s", err, source.CodeLink)
		}
		if _, err := tree.Open(context.Background(), f); code(t, err) != source.CodeLink {
			t.Errorf("Open: %v; want the code %s", err, source.CodeLink)
		}
	}
}

func TestNoHead(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files []string // of the git folder, beside those of an empty repository
		code  source.Code
		empty bool
	}{
		{"empty", nil, source.CodeNoHead, true},
		{"empty packed-refs", []string{"packed-refs", "# pack-refs with: peeled fully-peeled sorted \n"}, source.CodeNoHead, true},
		{"another branch", []string{"refs/heads/master", strings.Repeat("1", 40)}, source.CodeNoHead, false},
		{"another packed branch", []string{"packed-refs", strings.Repeat("1", 40) + " refs/heads/master\n"}, source.CodeNoHead, false},
		{"a commit that is not there", []string{"refs/heads/main", strings.Repeat("1", 40)}, source.CodeMissing, false},
		{"broken packed-refs", []string{"packed-refs", "what\n"}, source.CodeCorrupt, false},
		{"broken ref", []string{"refs/heads/main", "what\n"}, source.CodeCorrupt, false},
		{"empty ref", []string{"refs/heads/main", ""}, source.CodeCorrupt, false},
		{"HEAD of nonsense", []string{"HEAD", "what"}, source.CodeCorrupt, false},
		{"HEAD out of refs", []string{"HEAD", "ref: refs/../../../../etc/passwd\n"}, source.CodeCorrupt, false},
		{"HEAD of a file", []string{"HEAD", "ref: config\n"}, source.CodeCorrupt, false},
		{"HEAD with a NUL", []string{"HEAD", "ref: refs/heads/\x00\n"}, source.CodeCorrupt, false},
		{"HEAD in a circle", []string{"HEAD", "ref: refs/a\n", "refs/a", "ref: refs/b\n", "refs/b", "ref: refs/a\n"}, source.CodeCorrupt, false},
		{"HEAD of reftable", []string{"HEAD", "ref: refs/heads/.invalid\n"}, source.CodeRefTable, false},
		{"HEAD of SHA-256", []string{"HEAD", strings.Repeat("1", 64)}, source.CodeObjectsSHA2, false},
		{"ref of SHA-256", []string{"packed-refs", strings.Repeat("1", 64) + " refs/heads/main\n"}, source.CodeObjectsSHA2, false},
		{"endless HEAD", []string{"HEAD", "ref: refs/heads/" + strings.Repeat("x", 1<<20)}, source.CodeLimit, false},
		{"endless line of packed-refs", []string{"packed-refs", strings.Repeat("1", 40) + " " + strings.Repeat("x", 1<<20)}, source.CodeCorrupt, false},
	} {
		dir := bareFolder(t)
		if err := os.RemoveAll(filepath.Join(dir, "refs/heads/.keep")); err != nil {
			t.Fatal(err)
		}
		write(t, dir, tt.files...)
		r, err := open(t, dir, dir)
		if err == nil {
			var ref gitrepo.Ref
			if ref, err = r.Head(); err == nil {
				_, err = r.Tree(ref)
			}
		}
		if got := code(t, err); got != tt.code || errors.Is(err, gitrepo.ErrEmpty) != tt.empty {
			t.Errorf("%s: %v; want the code %s, empty %v", tt.name, err, tt.code, tt.empty)
		}
	}
}

// A commit that HEAD names has to be one.
func TestHeadOfAnotherKind(t *testing.T) {
	for _, tt := range []struct{ kind, content string }{
		{"blob", "tree " + strings.Repeat("1", 40)},
		{"tree", ""},
		{"commit", "tree 1\n"},
		{"commit", ""},
		{"commit", "parent x\ntree " + strings.Repeat("1", 40)},
	} {
		dir := bareFolder(t)
		id := loose(t, dir, tt.kind, tt.content)
		write(t, dir, "HEAD", id.String())
		r, err := open(t, dir, dir)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Tree(gitrepo.Ref{Name: "HEAD", ID: id}); code(t, err) != source.CodeCorrupt {
			t.Errorf("%s %q: %v; want the code %s", tt.kind, tt.content, err, source.CodeCorrupt)
		}
	}
}

func TestFilesEndsWithItsContext(t *testing.T) {
	tree := head(t, repository(t, t.TempDir(), "a", "", "b/c", ""))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	n := 0
	for range tree.Files(ctx) {
		n++
		cancel()
	}
	if n != 1 {
		t.Errorf("%d files after the context was done; want 1", n)
	}
	if _, err := tree.Read(ctx, source.File{}, 1, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Read: %v; want %v", err, context.Canceled)
	}
	if _, err := tree.Open(ctx, source.File{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Open: %v; want %v", err, context.Canceled)
	}
}
