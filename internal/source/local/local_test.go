package local_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/local"
)

// reads is what the tests take for files that a sweep reads.
func reads(p string) bool {
	dir, base := path.Split(p)
	switch base {
	case "package-lock.json", "go.sum":
		return true
	case "modules.txt":
		return strings.HasSuffix("/"+dir, "/vendor/")
	}
	return strings.HasSuffix("/"+dir, "/.github/workflows/") && path.Ext(base) == ".yml"
}

// git runs git in a folder, with no configuration but that of the repository.
func git(t testing.TB, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(),
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "HOME="+dir,
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git %s: %v: %s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimRight(string(out), "\n")
}

// layout makes what lines describe below a folder: "a/b" a file that holds its own path,
// "a/b/" a folder, "a -> b" a link, "git a" a work tree of which all that is there is
// committed, "bare a from b" a bare clone, "worktree a of b" a further work tree.
func layout(t testing.TB, lines ...string) string {
	t.Helper()
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		kind, rest, _ := strings.Cut(line, " ")
		at, to, link := strings.Cut(line, " -> ")
		switch {
		case link:
			err = os.Symlink(to, filepath.Join(top, at))
		case kind == "git":
			dir := filepath.Join(top, rest)
			git(t, dir, "init", "-q", "-b", "main")
			git(t, dir, "add", "-A")
			git(t, dir, "commit", "-q", "--allow-empty", "-m", "x")
		case kind == "bare":
			at, from, _ := strings.Cut(rest, " from ")
			git(t, top, "clone", "-q", "--bare", from, at)
		case kind == "worktree":
			at, of, _ := strings.Cut(rest, " of ")
			git(t, filepath.Join(top, of), "worktree", "add", "-q", filepath.Join(top, at))
		case strings.HasSuffix(line, "/"):
			err = os.MkdirAll(filepath.Join(top, line), 0o755)
		default:
			if err = os.MkdirAll(filepath.Join(top, filepath.Dir(line)), 0o755); err == nil {
				err = os.WriteFile(filepath.Join(top, line), []byte(line), 0o644)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return top
}

// found lists what is found in paths: "NAME" and, indented, a line for each tree with its
// files, and one for each problem and note. Its strings are in the order of the source.
func found(t testing.TB, paths ...string) []string {
	t.Helper()
	var out, names []string
	for repo, err := range local.Repositories(context.Background(), paths, reads) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, repo.Name)
		names = append(names, repo.Name)
		for _, tree := range repo.Trees {
			out = append(out, "  "+tree.Ref()+": "+strings.Join(files(t, tree), " "))
		}
		for _, p := range repo.Problems {
			out = append(out, fmt.Sprintf("  problem %s %q", p.Code, p.File))
		}
		for _, n := range repo.Notes {
			out = append(out, fmt.Sprintf("  note %s %q", n.Code, n.File))
		}
		if err := repo.Close(); err != nil {
			t.Error(err)
		}
	}
	if !slices.IsSorted(names) {
		t.Errorf("the names are not in order: %q", names)
	}
	if len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("a name twice: %q", names)
	}
	return out
}

// files lists a tree: the paths of its files, a link with "@" and a special file with "!"
// after it, and "PATH:CODE" for what comes with an error.
func files(t testing.TB, tree source.Tree) []string {
	t.Helper()
	var out, paths []string
	for f, err := range tree.Files(context.Background()) {
		var pe *source.PathError
		if err != nil {
			if !errors.As(err, &pe) || pe.Path != f.Path || strings.Contains(pe.Err.Error(), "\n") {
				t.Errorf("%q: the error %v", f.Path, err)
			}
			out = append(out, fmt.Sprintf("%s:%s", pe.Path, pe.Code))
			continue
		}
		paths = append(paths, f.Path)
		switch {
		case f.Link:
			out = append(out, f.Path+"@")
		case f.Special:
			out = append(out, f.Path+"!")
		default:
			out = append(out, f.Path)
		}
	}
	if !slices.IsSorted(paths) {
		t.Errorf("the files are not in order: %q", paths)
	}
	return out
}

func TestRepositories(t *testing.T) {
	for _, tt := range []struct {
		name   string
		layout []string
		path   string // of the layout
		want   []string
	}{
		{"a work tree", []string{"x/a", "x/b/c", "git x", "x/untracked", "x/node_modules/m/package.json"}, "x", []string{
			"x", "  worktree: a b/c node_modules/m/package.json untracked", "  refs/heads/main: a b/c",
		}},
		{"what git ignores", []string{"x/.gitignore", "git x", "x/.gitignore~", "x/x/.gitignore"}, "x", []string{
			"x", "  worktree: .gitignore .gitignore~ x/.gitignore", "  refs/heads/main: .gitignore",
		}},
		{"a bare repository", []string{"x/a", "git x", "bare y.git from x"}, "y.git", []string{
			"y.git", "  refs/heads/main: a",
		}},
		{"a plain folder", []string{"x/package-lock.json", "x/a/b/c"}, "x", []string{
			"x", "  worktree: a/b/c package-lock.json",
		}},
		{"a .git folder by itself", []string{"x/a", "git x"}, "x/.git", []string{
			".git", "  refs/heads/main: a",
		}},
		{"a folder of repositories", []string{"x/a/f", "git x/a", "x/b/go.sum", "x/c/deep/go.sum", "x/d/README", "x/e/", "bare x/f.git from x/a"}, "x", []string{
			"a", "  worktree: f", "  refs/heads/main: f", "b", "  worktree: go.sum", "c", "  worktree: deep/go.sum",
			"d", "  worktree: README", "e", "  worktree: ", "f.git", "  refs/heads/main: f",
		}},
		{"loose files beside them", []string{"x/a/f", "git x/a", "x/README", "x/z -> a"}, "x", []string{
			".", "  worktree: README z@", "a", "  worktree: f", "  refs/heads/main: f",
		}},
		{"folders of folders of repositories", []string{
			"x/team/a/f", "git x/team/a", "x/team/docs/notes", "x/team/lock/go.sum", "x/team/sub/b/f", "git x/team/sub/b", "x/team/sub/loose", "x/team/loose", "x/other/f",
			"x/team/p/go.sum", "x/team/p/r/s", "x/team/p/q/f", "git x/team/p/q",
		}, "x", []string{
			"other", "  worktree: f",
			"team", "  worktree: loose",
			"team/a", "  worktree: f", "  refs/heads/main: f",
			"team/docs", "  worktree: notes",
			"team/lock", "  worktree: go.sum",
			"team/p", "  worktree: go.sum r/s",
			"team/p/q", "  worktree: f", "  refs/heads/main: f",
			"team/sub", "  worktree: loose",
			"team/sub/b", "  worktree: f", "  refs/heads/main: f",
		}},
		{"bare repositories deeper down", []string{"y/f", "git y", "x/team/", "bare x/team/a.git from y", "bare x/team/b.git from y"}, "x", []string{
			"team/a.git", "  refs/heads/main: f", "team/b.git", "  refs/heads/main: f",
		}},
		{"a plain folder with repositories in it", []string{"x/p/go.sum", "x/p/q/f", "git x/p/q", "x/p/r/s"}, "x", []string{
			"p", "  worktree: go.sum r/s", "p/q", "  worktree: f", "  refs/heads/main: f",
		}},
		{"a named plain folder with bare repositories in it", []string{"y/f", "git y", "x/go.sum", "bare x/z.git from y"}, "x", []string{
			"x", "  worktree: go.sum", "x/z.git", "  refs/heads/main: f",
		}},
		{"names that sort between", []string{"x/a/n/f", "git x/a/n", "x/a/f", "git x/a", "x/a-b/f", "git x/a-b", "x/a.c/f", "git x/a.c"}, "x", []string{
			"a", "  worktree: f", "  refs/heads/main: f n:submodule", // "git add" in a made a submodule of n
			"a-b", "  worktree: f", "  refs/heads/main: f", "a.c", "  worktree: f", "  refs/heads/main: f",
			"a/n", "  worktree: f", "  refs/heads/main: f",
		}},
		{"a repository in a repository in a repository", []string{"x/f", "git x", "x/a/g", "git x/a", "x/a/b/h", "git x/a/b"}, "x", []string{
			"x", "  worktree: f", "  refs/heads/main: f", "x/a", "  worktree: g", "  refs/heads/main: g", "x/a/b", "  worktree: h", "  refs/heads/main: h",
		}},
		{"a bare repository in a work tree", []string{"x/f", "git x", "bare x/b.git from x"}, "x", []string{
			"x", "  worktree: b.git:bare-repo b.git/HEAD b.git/config", "  refs/heads/main: f",
		}},
		{"a folder that looks like a bare repository hides nothing", []string{"x/HEAD", "x/objects/pack/", "x/refs/heads/", "x/package-lock.json"}, "x", []string{
			"x", "  worktree: HEAD package-lock.json",
		}},
		{"a bare repository with a lockfile in it", []string{"y/f", "git y", "bare x.git from y", "x.git/hooks/go.sum"}, "x.git", []string{
			"x.git", "  worktree: HEAD config", "  refs/heads/main: f",
		}},
		{"a work tree without a commit", []string{"x/f", "x/.git/objects/", "x/.git/HEAD"}, "x", []string{
			"x", "  worktree: f", `  problem corrupt ".git"`,
		}},
		{"an empty .git folder", []string{"x/f", "x/.git/"}, "x", []string{
			"x", "  worktree: f", `  problem not-a-repo ".git"`,
		}},
		{"a .git link", []string{"y/f", "git y", "x/f", "x/.git -> ../y/.git"}, "x", []string{
			"x", "  worktree: f", `  problem link ".git"`,
		}},
		{"a further work tree beside the first", []string{"x/a/f", "git x/a", "worktree x/b of x/a", "x/b/new"}, "x", []string{
			"a", "  worktree: f", "  refs/heads/main: f", "b", "  worktree: f new", "  refs/heads/b: f",
		}},
		{"a further work tree in the first", []string{"x/f", "git x", "worktree x/wt of x", "x/wt/package-lock.json"}, "x", []string{
			"x", "  worktree: f wt:submodule wt/f wt/package-lock.json", "  refs/heads/main: f",
		}},
		{"a further work tree alone", []string{"x/a/f", "git x/a", "worktree x/b of x/a"}, "x/b", []string{
			"b", "  worktree: f", `  problem outside ".git"`,
		}},
		{"one file", []string{"x/go.sum", "x/other"}, "x/go.sum", []string{"go.sum", "  worktree: go.sum"}},
		{"one file that its folder decides on", []string{"x/.github/workflows/ci.yml", "x/other"}, "x/.github/workflows/ci.yml", []string{
			"ci.yml", "  worktree: .github/workflows/ci.yml",
		}},
		{"one file that nobody reads", []string{"x/.github/other.yml"}, "x/.github/other.yml", []string{
			"other.yml", "  worktree: other.yml", `  problem unknown-name "other.yml"`,
		}},
		{"one link", []string{"x/go.sum", "x/go.sum.link -> go.sum"}, "x/go.sum.link", []string{
			"go.sum.link", "  worktree: go.sum.link@", `  problem link "go.sum.link"`,
		}},
		{"a project without a lockfile at its top", []string{"x/.github/workflows/ci.yml", "x/web/go.sum"}, "x", []string{
			"x", "  worktree: .github/workflows/ci.yml web/go.sum",
		}},
		{"a project with its vendored modules alone", []string{"x/vendor/modules.txt", "x/src/a"}, "x", []string{
			"x", "  worktree: src/a vendor/modules.txt",
		}},
		{"a project with its requirements alone", []string{"x/requirements/base.txt", "x/src/a"}, "x", []string{
			"x", "  worktree: requirements/base.txt src/a",
		}},
		{"a folder of installed packages", []string{"x/m-1.dist-info/METADATA", "x/m/a"}, "x", []string{
			"x", "  worktree: m-1.dist-info/METADATA m/a",
		}},
		{"a part of a project: packages", []string{"x/node_modules/m/package.json", "x/node_modules/.bin/m"}, "x/node_modules", []string{
			"node_modules", "  worktree: node_modules/.bin/m node_modules/m/package.json",
		}},
		{"a part of a project: packages of a scope", []string{"x/node_modules/@s/m/package.json"}, "x/node_modules/@s", []string{
			"@s", "  worktree: node_modules/@s/m/package.json",
		}},
		{"a part of a project: a package", []string{"x/node_modules/m/package.json", "x/node_modules/m/a"}, "x/node_modules/m", []string{
			"m", "  worktree: node_modules/m/a node_modules/m/package.json",
		}},
		{"a part of a project: a package with a repository", []string{"x/node_modules/m/package.json", "x/node_modules/m/r/f", "git x/node_modules/m/r"}, "x/node_modules", []string{
			"node_modules", "  worktree: node_modules/m/package.json", "node_modules/m/r", "  worktree: f", "  refs/heads/main: f",
		}},
		{"a part of a project: .github", []string{"x/.github/workflows/ci.yml"}, "x/.github", []string{
			".github", "  worktree: .github/workflows/ci.yml",
		}},
		{"a part of a project: workflows", []string{"x/.github/workflows/ci.yml"}, "x/.github/workflows", []string{
			"workflows", "  worktree: .github/workflows/ci.yml",
		}},
		{"a part of a project: vendored modules", []string{"x/vendor/modules.txt", "x/vendor/a/f"}, "x/vendor", []string{
			"vendor", "  worktree: vendor/a/f vendor/modules.txt",
		}},
		{"a part of a project with a link in it", []string{"x/node_modules/m/", "x/node_modules/m/package.json -> /etc/passwd"}, "x/node_modules", []string{
			"node_modules", "  worktree: node_modules/m/package.json@",
		}},
		{"a folder of repositories that has the name of a part", []string{"vendor/a/f", "git vendor/a", "vendor/b/go.sum"}, "vendor", []string{
			"a", "  worktree: f", "  refs/heads/main: f", "b", "  worktree: go.sum",
		}},
		{"a project with a repository in it", []string{"y/x/.github/workflows/ci.yml", "y/x/r/f", "git y/x/r"}, "y", []string{
			"x", "  worktree: .github/workflows/ci.yml", "x/r", "  worktree: f", "  refs/heads/main: f",
		}},
		{"a repository in what looks like a bare one", []string{"x/y/f", "git x/y", "bare x/z.git from x/y", "x/z.git/r/go.sum", "git x/z.git/r"}, "x/z.git", []string{
			"z.git", "  refs/heads/main: f", "z.git/r", "  worktree: go.sum", "  refs/heads/main: go.sum",
		}},
		{"a link to a folder", []string{"x/a/f", "git x/a", "y -> x"}, "y", []string{"a", "  worktree: f", "  refs/heads/main: f"}},
		{"an empty folder", []string{"x/"}, "x", []string{"x", "  worktree: "}},
		{"links are not followed", []string{"y/f", "git y", "x/b/", "x/a -> ../y", "x/b/c -> ../../y", "x/b/d -> .", "x/b/package-lock.json -> /etc/passwd"}, "x", []string{
			".", "  worktree: a@", "b", "  worktree: c@ d@ package-lock.json@",
		}},
		{"odd names", []string{"x/a\nb/go.sum", "x/\xff\xfe/go.sum", "x/a b/go.sum", "x/-rf/go.sum", "x/\\/go.sum"}, "x", []string{
			"-rf", "  worktree: go.sum", "\\", "  worktree: go.sum", "a\nb", "  worktree: go.sum", "a b", "  worktree: go.sum", "\xff\xfe", "  worktree: go.sum",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			top := layout(t, tt.layout...)
			got := found(t, filepath.Join(top, tt.path))
			for i, line := range got { // git fills a bare repository with files of its own
				if before, _, ok := strings.Cut(line, "b.git/config "); ok {
					got[i] = before + "b.git/config"
				} else if before, _, ok := strings.Cut(line, " config "); ok {
					got[i] = before + " config"
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// What lies in another named folder is swept with that, but for what that only lists.
func TestNamedInside(t *testing.T) {
	for _, tt := range []struct {
		name   string
		layout []string
		paths  []string
		want   []string // the repositories
	}{
		{"a folder of a work tree", []string{"x/a/f", "git x"}, []string{"x", "x/a"}, []string{"x"}},
		{"a repository of a folder", []string{"x/a/f", "git x/a"}, []string{"x", "x/a"}, []string{"a"}},
		{"a repository in a work tree", []string{"x/f", "git x", "x/a/f", "git x/a"}, []string{"x", "x/a"}, []string{"x", "x/a"}},
		{"a bare repository of a folder", []string{"y/f", "git y", "x/", "bare x/a.git from y"}, []string{"x", "x/a.git"}, []string{"a.git"}},
		{"a bare repository in a work tree", []string{"x/f", "git x", "bare x/a.git from x"}, []string{"x", "x/a.git"}, []string{"a.git", "x"}},
		{"a folder of bare repositories in a work tree", []string{"x/f", "git x", "x/o/", "bare x/o/a.git from x"}, []string{"x", "x/o"}, []string{"a.git", "x"}},
		{"a further work tree in the first", []string{"x/f", "git x", "worktree x/w of x"}, []string{"x", "x/w"}, []string{"w", "x"}},
	} {
		top := layout(t, tt.layout...)
		var paths, got []string
		for _, p := range tt.paths {
			paths = append(paths, filepath.Join(top, p))
		}
		for repo, err := range local.Repositories(t.Context(), paths, reads) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, repo.Name)
			repo.Close()
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// The names of repositories of several paths.
func TestNames(t *testing.T) {
	top := layout(t, "a/api/f", "git a/api", "a/web/f", "git a/web", "b/api/f", "git b/api", "c/only/f", "git c/only", "d/api/go.sum", "a/notes")
	t.Chdir(top)
	for _, tt := range []struct {
		paths []string
		want  []string
	}{
		{[]string{"a"}, []string{".", "api", "web"}},
		{[]string{"./a/"}, []string{".", "api", "web"}},
		{[]string{"a", "c"}, []string{".", "api", "only", "web"}},
		{[]string{"a", "b"}, []string{"a", "a/api", "a/web", "b/api"}},
		{[]string{"b", "a"}, []string{"a", "a/api", "a/web", "b/api"}},
		{[]string{"a", "./b", "c"}, []string{"a", "a/api", "a/web", "b/api", "only"}},
		{[]string{"a/api", "b/api"}, []string{"a/api", "b/api"}},
		{[]string{"a/api", "a/web"}, []string{"api", "web"}},
		{[]string{"a/api", "b"}, []string{"a/api", "b/api"}},
		{[]string{"a/api", "d/api"}, []string{"a/api", "d/api"}},
		{[]string{"a", "a"}, []string{".", "api", "web"}},
		{[]string{"a", "a/api"}, []string{".", "api", "web"}},
		{[]string{"a/api/f", "a"}, []string{".", "api", "web"}},
		{[]string{"a/api", top + "/a/api", "a/../a/api"}, []string{"api"}},
		{[]string{"a/api/f", "a/api/f"}, []string{"f"}},
		{[]string{"a/api/f", "a/web/f"}, []string{"a/api/f", "a/web/f"}},
		{[]string{"a/api", "a/api/.git"}, []string{".git", "api"}},
		{[]string{"."}, []string{"a", "a/api", "a/web", "b/api", "c/only", "d"}},
	} {
		var got []string
		for repo, err := range local.Repositories(context.Background(), tt.paths, reads) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, repo.Name)
			if _, err := os.Stat(repo.Path); err != nil {
				t.Errorf("%q: %q is at %q: %v", tt.paths, repo.Name, repo.Path, err)
			}
			repo.Close()
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.paths, diff)
		}
	}
	t.Chdir(filepath.Join(top, "a/api"))
	if got := found(t, ".")[0]; got != "api" {
		t.Errorf("the repository %q from inside; want api", got)
	}
	if got := found(t, "../../b", "../web", ".")[0]; got != "../../b/api" {
		t.Errorf("the first repository is %q; want ../../b/api", got)
	}
}

func TestNoSuchPath(t *testing.T) {
	top := layout(t, "a/go.sum", "link -> nowhere")
	for _, bad := range []string{"none", "none/none", "a/go.sum/x", "link", ""} {
		bad := bad
		if bad != "" {
			bad = filepath.Join(top, bad)
		}
		n := 0
		for repo, err := range local.Repositories(context.Background(), []string{filepath.Join(top, "a"), bad}, reads) {
			n++
			if repo != nil || !errors.Is(err, local.ErrNoSuchPath) || !strings.Contains(err.Error(), fmt.Sprintf("%q", bad)) {
				t.Errorf("%q: %v, %v; want %v alone", bad, repo, err, local.ErrNoSuchPath)
			}
		}
		if n != 1 {
			t.Errorf("%q: %d pairs; want 1", bad, n)
		}
	}
	if got := found(t); got != nil {
		t.Errorf("no path: %q", got)
	}
}

// The first repository can be swept before the second is looked at.
func TestFoundOneByOne(t *testing.T) {
	top := layout(t, "a/go.sum", "b/go.sum", "c/go.sum")
	n := 0
	for repo, err := range local.Repositories(context.Background(), []string{top}, reads) {
		if err != nil {
			t.Fatal(err)
		}
		n++
		switch repo.Name {
		case "a":
			if err := os.WriteFile(filepath.Join(top, "b/late"), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		case "b":
			if diff := cmp.Diff([]string{"go.sum", "late"}, files(t, repo.Trees[0])); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		}
		repo.Close()
		if n == 2 {
			break
		}
	}
	if n != 2 {
		t.Errorf("%d repositories; want 2", n)
	}
}

func TestEndsWithItsContext(t *testing.T) {
	top := layout(t, "a/go.sum", "b/go.sum", "b/x")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	n := 0
	for repo := range local.Repositories(ctx, []string{top}, reads) {
		if n++; n == 1 {
			cancel()
		}
		for f := range repo.Trees[0].Files(ctx) {
			t.Errorf("%q after the end", f.Path)
		}
		if _, err := repo.Trees[0].Read(ctx, source.File{Path: "go.sum"}, 100, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("Read: %v; want %v", err, context.Canceled)
		}
		repo.Close()
	}
	if n != 1 {
		t.Errorf("%d repositories; want 1", n)
	}
}
