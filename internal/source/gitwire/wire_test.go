package gitwire_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/gitobject"
	"github.com/wormsweep/wormsweep/internal/source/gitwire"
	"github.com/wormsweep/wormsweep/internal/xtest"
)

// git runs git in a folder, with no configuration but that of the repository, and stdin.
func gitIn(t testing.TB, dir, stdin string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Stdin = strings.NewReader(stdin)
	cmd.Env = append(os.Environ(),
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_TERMINAL_PROMPT=0", "HOME="+dir,
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_AUTHOR_DATE=2026-01-01T00:00:00Z",
		"GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com", "GIT_COMMITTER_DATE=2026-01-01T00:00:00Z")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git %s: %v: %s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimRight(string(out), "\n")
}

func git(t testing.TB, dir string, args ...string) string {
	t.Helper()
	return gitIn(t, dir, "", args...)
}

func write(t testing.TB, dir, path, content string) {
	t.Helper()
	path = filepath.Join(dir, filepath.FromSlash(path))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// repository makes a repository "x" below a folder, with some commits of files and folders,
// and gives the folder and the ids of the commits.
func repository(t testing.TB) (root string, commits []gitobject.ID) {
	t.Helper()
	root = t.TempDir()
	dir := filepath.Join(root, "x")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	git(t, dir, "init", "-q", "-b", "main")
	git(t, dir, "config", "uploadpack.allowFilter", "true")
	git(t, dir, "config", "uploadpack.allowAnySHA1InWant", "true")
	for i := range 20 {
		write(t, dir, fmt.Sprintf("still/%d/go.sum", i), fmt.Sprintln(i))
	}
	for n := range 8 {
		for i := range 30 {
			if n == 0 || i%8 == n {
				path := fmt.Sprintf("d%d/e%d/package-lock-%d.json", i%3, i%7, i)
				write(t, dir, path, strings.Repeat(fmt.Sprintf("line %d of a file\n", i), 200+i)+fmt.Sprintf("at %d\n", n))
			}
		}
		write(t, dir, "yarn.lock", fmt.Sprintf("commit %d\n", n))
		git(t, dir, "add", "-A")
		git(t, dir, "commit", "-q", "-m", fmt.Sprint("commit ", n))
		commits = append(commits, parse(t, git(t, dir, "rev-parse", "HEAD")))
	}
	git(t, dir, "tag", "-a", "-m", "first", "v1", "HEAD~3")
	git(t, dir, "branch", "old", "HEAD~5")
	git(t, dir, "repack", "-adfq", "--depth=50", "--window=50")
	return root, commits
}

func parse(t testing.TB, text string) gitobject.ID {
	t.Helper()
	id, ok := gitobject.ParseID(text)
	if !ok {
		t.Fatalf("%q is no id", text)
	}
	return id
}

// serve serves the repositories below a folder with git's own server program.
func serve(t testing.TB, root string) (url string, requests *atomic.Int64) {
	t.Helper()
	backend := xtest.Program(t, filepath.Join(git(t, root, "--exec-path"), "git-http-backend"))
	requests = &atomic.Int64{}
	handler := &cgi.Handler{
		Path: backend,
		Env: []string{
			"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull,
			"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*",
		},
		Stderr: io.Discard,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/git-upload-pack") {
			t.Errorf("%s %s: a request that nobody expected", r.Method, r.URL)
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL, requests
}

func remote(t testing.TB, url string, opt gitwire.Options) *gitwire.Remote {
	t.Helper()
	opt.Dir = t.TempDir()
	if opt.Sleep == nil {
		opt.Sleep = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	}
	r := gitwire.New(url, opt)
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if left, err := os.ReadDir(opt.Dir); err != nil || len(left) > 0 {
			t.Errorf("temporary files are left: %v, %v", left, err)
		}
	})
	return r
}

// objects gives the objects of a kind below a commit, from git itself.
func objects(t testing.TB, dir, commit, kind string) []gitobject.ID {
	t.Helper()
	var out []gitobject.ID
	for line := range strings.Lines(git(t, dir, "ls-tree", "-r", "-t", commit)) {
		if f := strings.Fields(line); f[1] == kind {
			out = append(out, parse(t, f[2]))
		}
	}
	if kind == gitobject.Tree {
		out = append(out, parse(t, git(t, dir, "rev-parse", commit+"^{tree}")))
	}
	return out
}

// same compares an object with what git holds.
func same(t testing.TB, r *gitwire.Remote, dir, kind string, id gitobject.ID) {
	t.Helper()
	got, err := r.Read(id, kind, 1<<20, nil)
	if err != nil {
		t.Errorf("the %s %s: %v", kind, id, err)
		return
	}
	cmd := exec.Command("git", "cat-file", kind, id.String())
	cmd.Dir = dir
	want, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the %s %s has %d bytes, git has %d or others", kind, id, len(got), len(want))
	}
}

// A commit with its trees is one request, and exactly the wanted blobs are another.
func TestTwoRequests(t *testing.T) {
	root, commits := repository(t)
	url, requests := serve(t, root)
	dir := filepath.Join(root, "x")
	r := remote(t, url+"/x", gitwire.Options{})
	ctx := context.Background()
	head := commits[len(commits)-1]
	if err := r.FetchCommits(ctx, []gitobject.ID{head, head}); err != nil {
		t.Fatal(err)
	}
	tree, err := r.Root(head)
	if want := git(t, dir, "rev-parse", "HEAD^{tree}"); err != nil || tree.String() != want {
		t.Fatalf("the tree is %s, %v; want %s", tree, err, want)
	}
	same(t, r, dir, gitobject.Commit, head)
	for _, id := range objects(t, dir, "HEAD", gitobject.Tree) {
		same(t, r, dir, gitobject.Tree, id)
	}
	blobs := objects(t, dir, "HEAD", gitobject.Blob)
	for _, id := range blobs {
		if r.Holds(id) {
			t.Fatalf("the blob %s came unasked", id)
		}
	}
	half := blobs[:len(blobs)/2]
	if err := r.FetchBlobs(ctx, half); err != nil {
		t.Fatal(err)
	}
	for i, id := range blobs {
		if i < len(half) {
			same(t, r, dir, gitobject.Blob, id)
		} else if r.Holds(id) {
			t.Errorf("the blob %s came unasked", id)
		}
	}
	if err := r.FetchBlobs(ctx, half); err != nil {
		t.Fatal(err)
	}
	if n := requests.Load(); n != 2 || r.Requests() != 2 {
		t.Errorf("%d requests were made, %d are said to be; want 2", n, r.Requests())
	}
}

// Trees of many commits come in one request. A request after that brings what is new alone.
func TestHaves(t *testing.T) {
	root, commits := repository(t)
	url, requests := serve(t, root)
	dir := filepath.Join(root, "x")
	all, r := remote(t, url+"/x", gitwire.Options{}), remote(t, url+"/x", gitwire.Options{})
	ctx := context.Background()
	if err := all.FetchCommits(ctx, commits); err != nil {
		t.Fatal(err)
	}
	if requests.Load() != 1 {
		t.Errorf("%d requests for %d commits", requests.Load(), len(commits))
	}
	for i := range 4 {
		if err := r.FetchCommits(ctx, commits[2*i:2*i+2]); err != nil {
			t.Fatal(err)
		}
	}
	for _, commit := range commits {
		same(t, r, dir, gitobject.Commit, commit)
		for _, id := range objects(t, dir, commit.String(), gitobject.Tree) {
			same(t, all, dir, gitobject.Tree, id)
			same(t, r, dir, gitobject.Tree, id)
		}
	}
	packs := gitwire.Objects(r)
	if len(packs) != 4 || packs[1] >= packs[0]/2 || packs[3] >= packs[0]/2 {
		t.Errorf("the packs hold %v objects; want the first to be the large one", packs)
	}
}

// What does not come is an error by its name, and of nothing else.
func TestMissing(t *testing.T) {
	root, commits := repository(t)
	url, requests := serve(t, root)
	dir := filepath.Join(root, "x")
	r := remote(t, url+"/x", gitwire.Options{})
	ctx := context.Background()
	blobs := objects(t, dir, "HEAD", gitobject.Blob)
	gone, other := gitobject.ID{1, 2, 3}, gitobject.ID{4, 5, 6}
	err := r.FetchBlobs(ctx, append([]gitobject.ID{gone}, append(blobs, other)...))
	if err == nil || !strings.Contains(err.Error(), gone.String()) {
		t.Errorf("FetchBlobs: %v; want an error that names %s", err, gone)
	}
	for _, id := range blobs {
		same(t, r, dir, gitobject.Blob, id)
	}
	for _, id := range []gitobject.ID{gone, other} {
		if _, err := r.Read(id, gitobject.Blob, 1<<20, nil); err == nil || gitobject.Fault("", err).Code != source.CodeMissing ||
			!strings.Contains(err.Error(), id.String()) || !r.Tried(id) {
			t.Errorf("Read(%s): %v; want it to be missing, by name", id, err)
		}
	}
	if n := requests.Load(); n != 3 {
		t.Errorf("%d requests; want one, and one more for each that is not there", n)
	}
	if err := r.FetchCommits(ctx, []gitobject.ID{gone, commits[0]}); err == nil || !r.Holds(commits[0]) {
		t.Errorf("FetchCommits: %v; want an error, and the other commit", err)
	}
}

func TestRefs(t *testing.T) {
	root, commits := repository(t)
	url, _ := serve(t, root)
	r := remote(t, url+"/x/.git", gitwire.Options{})
	refs, err := r.Refs(context.Background(), "HEAD", "refs/tags/", "refs/heads/o")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, ref := range refs {
		got = append(got, fmt.Sprintf("%s %s %s", ref.Name, ref.Peeled, ref.Target))
	}
	want := []string{
		fmt.Sprintf("HEAD %s refs/heads/main", commits[7]),
		fmt.Sprintf("refs/heads/old %s ", commits[2]),
		fmt.Sprintf("refs/tags/v1 %s ", commits[4]),
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the refs are %q; want %q", got, want)
	}
}

// A pack over the limit is asked for in halves.
func TestHalves(t *testing.T) {
	root, _ := repository(t)
	url, requests := serve(t, root)
	dir := filepath.Join(root, "x")
	var blobs []gitobject.ID
	for i := range 8 {
		path := fmt.Sprintf("%d.bin", i)
		var text strings.Builder
		for n := range 1000 {
			fmt.Fprintf(&text, "%x\n", (n+7)*(i+11)*7919)
		}
		write(t, dir, path, text.String())
		blobs = append(blobs, parse(t, git(t, dir, "hash-object", "-w", path)))
	}
	gone := gitobject.ID{1, 2, 3}
	r := remote(t, url+"/x", gitwire.Options{MaxPack: 10_000})
	if err := r.FetchBlobs(context.Background(), append([]gitobject.ID{gone}, blobs...)); err == nil || !strings.Contains(err.Error(), gone.String()) {
		t.Errorf("with one that is not there: %v", err)
	}
	for _, id := range blobs {
		same(t, r, dir, gitobject.Blob, id)
	}
	if n := requests.Load(); n < 3 {
		t.Errorf("%d requests; want halves", n)
	}
}

// The server's refusals are one clear error each.
func TestRefusals(t *testing.T) {
	root, commits := repository(t)
	url, _ := serve(t, root)
	for _, tt := range []struct{ path, want string }{
		{"/none", "the server answers 404 Not Found"},
		{"/../x", "the server answers "},
	} {
		r := remote(t, url+tt.path, gitwire.Options{})
		if err := r.FetchCommits(context.Background(), commits[:1]); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v; want %q", tt.path, err, tt.want)
		}
	}
	dir := filepath.Join(root, "x")
	git(t, dir, "config", "uploadpack.allowFilter", "false")
	r := remote(t, url+"/x", gitwire.Options{})
	if err := r.FetchCommits(context.Background(), commits[:1]); err == nil || !strings.Contains(err.Error(), "take filters?") {
		t.Errorf("a server without filters: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := r.FetchCommits(ctx, commits[:1]); err == nil || !strings.Contains(err.Error(), "context canceled") {
		t.Errorf("with a context that is done: %v", err)
	}
}

// The trees of thousands of commits are read with little memory.
func TestThousandsOfCommits(t *testing.T) {
	const count, folders = 3_000, 400
	root := t.TempDir()
	dir := filepath.Join(root, "x")
	git(t, root, "init", "-q", "--bare", "-b", "main", dir)
	git(t, dir, "config", "uploadpack.allowFilter", "true")
	var in strings.Builder
	fmt.Fprintf(&in, "blob\nmark :1\ndata 1\nx\nblob\nmark :2\ndata 1\ny\n")
	for n := range count {
		fmt.Fprintf(&in, "commit refs/heads/b%d\nmark :%d\ncommitter a <a> %d +0000\ndata 1\nc\n", n, 10+n, n)
		if n > 0 {
			fmt.Fprintf(&in, "from :%d\n", 9+n)
		}
		for i := range folders {
			if n == 0 {
				fmt.Fprintf(&in, "M 644 :1 d%d/e%d/package-lock.json\n", i%20, i)
			}
		}
		fmt.Fprintf(&in, "M 644 :2 d%d/e%d/f%d\n", n%20, n%folders, n)
	}
	gitIn(t, dir, in.String(), "fast-import", "--quiet")
	url, requests := serve(t, root)
	r := remote(t, url+"/x", gitwire.Options{})
	ctx := context.Background()
	refs, err := r.Refs(ctx, "refs/heads/")
	if err != nil || len(refs) != count {
		t.Fatalf("%d refs, %v", len(refs), err)
	}
	var ids []gitobject.ID
	for _, ref := range refs {
		ids = append(ids, ref.ID)
	}
	trees := gitobject.Trees{Content: r.Tree, Size: func(gitobject.ID) int64 { return source.SizeUnfetched }}
	files := 0
	memory, took := measure(t, func() {
		if err := r.FetchCommits(ctx, ids); err != nil {
			t.Error(err)
		}
		for _, id := range ids {
			tree, err := r.Root(id)
			if err != nil {
				t.Fatal(err)
			}
			for _, err := range trees.Files(ctx, tree) {
				if err != nil {
					t.Fatal(err)
				}
				files++
			}
		}
	})
	if want := count*folders + count*(count+1)/2; files != want {
		t.Errorf("%d files; want %d", files, want)
	}
	if requests.Load() != 2 {
		t.Errorf("%d requests", requests.Load())
	}
	if memory > 64<<20 {
		t.Errorf("it took %d MB", memory>>20)
	}
	t.Logf("%v objects: %d MB, %v", gitwire.Objects(r), memory>>20, took)
}
