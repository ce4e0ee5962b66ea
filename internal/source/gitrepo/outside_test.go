package gitrepo_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/source"
)

// What leads out of the named folder is not followed. Each case makes, in the folder in, a
// work tree whose git folder or objects are in the folder out, where all is sound.
func TestOutside(t *testing.T) {
	for _, tt := range []struct {
		name  string
		code  source.Code // of Open
		later source.Code // of a problem, or of the commit
		make  func(t *testing.T, in, out string)
	}{
		{"absolute .git file", source.CodeOutside, "", func(t *testing.T, in, out string) {
			write(t, in, ".git", "gitdir: "+out+"/.git\n")
		}},
		{"relative .git file", source.CodeOutside, "", func(t *testing.T, in, out string) {
			write(t, in, ".git", "gitdir: ../out/.git\n")
		}},
		{".git file through a link", source.CodeOutside, "", func(t *testing.T, in, out string) {
			symlink(t, out, in+"/link")
			write(t, in, ".git", "gitdir: link/.git\n")
		}},
		{".git file to a folder that begins with the named one", source.CodeOutside, "", func(t *testing.T, in, out string) {
			if err := os.Rename(out, in+"-more"); err != nil {
				t.Fatal(err)
			}
			write(t, in, ".git", "gitdir: "+in+"-more/.git\n")
		}},
		{".git link", source.CodeLink, "", func(t *testing.T, in, out string) {
			symlink(t, out+"/.git", in+"/.git")
		}},
		{".git link inside", source.CodeLink, "", func(t *testing.T, in, out string) {
			if err := os.Rename(out+"/.git", in+"/real"); err != nil {
				t.Fatal(err)
			}
			symlink(t, "real", in+"/.git")
		}},
		{".git pipe", source.CodeSpecial, "", func(t *testing.T, in, out string) {
			if err := syscall.Mkfifo(in+"/.git", 0o644); err != nil {
				t.Fatal(err)
			}
		}},
		{"commondir", source.CodeOutside, "", func(t *testing.T, in, out string) {
			write(t, in, ".git/HEAD", "ref: refs/heads/main\n", ".git/commondir", out+"/.git\n")
		}},
		{"linked work tree of a repository outside", source.CodeOutside, "", func(t *testing.T, in, out string) {
			if err := os.Remove(in); err != nil {
				t.Fatal(err)
			}
			git(t, out, "worktree", "add", "-q", "-b", "other", in)
		}},
		{"objects", source.CodeOutside, "", func(t *testing.T, in, out string) {
			write(t, in, ".git/HEAD", "ref: refs/heads/main\n")
			symlink(t, out+"/.git/objects", in+"/.git/objects")
		}},
		{"absolute alternates", "", source.CodeOutside, func(t *testing.T, in, out string) {
			borrow(t, in, out+"/.git/objects\n")
		}},
		{"relative alternates", "", source.CodeOutside, func(t *testing.T, in, out string) {
			borrow(t, in, "../../../out/.git/objects\n")
		}},
		{"quoted alternates", "", source.CodeOutside, func(t *testing.T, in, out string) {
			borrow(t, in, "\""+out+"/.git/objects\"\n")
		}},
		{"alternates of alternates", "", source.CodeOutside, func(t *testing.T, in, out string) {
			borrow(t, in, "../../other\n")
			write(t, in, "other/info/alternates", out+"/.git/objects")
		}},
		{"alternates through a link", "", source.CodeOutside, func(t *testing.T, in, out string) {
			symlink(t, out, in+"/link")
			borrow(t, in, "../../link/.git/objects\n")
		}},
		{"alternates of nowhere", "", source.CodeUnreadable, func(t *testing.T, in, out string) {
			borrow(t, in, "../../nowhere\n")
		}},
		{"alternates among others", "", source.CodeOutside, func(t *testing.T, in, out string) {
			borrow(t, in, "../objects\n../objects/.\n"+out+"/.git/objects\n")
		}},
		{"packs", source.CodeOutside, "", func(t *testing.T, in, out string) {
			git(t, out, "repack", "-adq")
			borrow(t, in, "")
			symlink(t, out+"/.git/objects/pack", in+"/.git/objects/pack")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			top, err := filepath.EvalSymlinks(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			in, out := top+"/in", top+"/out"
			repository(t, out, "secret", "x")
			if err := os.MkdirAll(in, 0o755); err != nil {
				t.Fatal(err)
			}
			tt.make(t, in, out)
			r, err := open(t, in, in)
			if code(t, err) != tt.code {
				t.Fatalf("Open: %v; want the code %q", err, tt.code)
			}
			if err != nil {
				return
			}
			var problems []source.Code
			for _, p := range r.Problems() {
				problems = append(problems, p.Code)
			}
			if diff := cmp.Diff([]source.Code{tt.later}, problems); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			ref, err := r.Head()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := r.Tree(ref); code(t, err) != source.CodeMissing {
				t.Errorf("the commit, which is outside: %v; want the code %s", err, source.CodeMissing)
			}
		})
	}
}

func symlink(t *testing.T, to, at string) {
	t.Helper()
	if err := os.Symlink(to, at); err != nil {
		t.Fatal(err)
	}
}

// borrow makes a git folder in the folder in that has the refs of the repository beside it,
// and no objects of its own but those that alternates names.
func borrow(t *testing.T, in, alternates string) {
	t.Helper()
	commit := git(t, filepath.Dir(in)+"/out", "rev-parse", "HEAD")
	write(t, in, ".git/HEAD", "ref: refs/heads/main\n", ".git/refs/heads/main", commit, ".git/objects/info/alternates", alternates)
}

// A chain of folders that borrow from each other ends, a circle as well.
func TestAlternatesInCircles(t *testing.T) {
	dir := bareFolder(t)
	commit(t, dir, loose(t, dir, "tree", ""))
	write(t, dir, "objects/info/alternates", "../a\n", "a/info/alternates", "../objects\n../a\n")
	r, err := open(t, dir, dir)
	if err != nil || len(r.Problems()) > 0 {
		t.Errorf("a circle: %v, %+v; want no problem", err, r.Problems())
	}
	for i := range 7 {
		write(t, dir, fmt.Sprintf("a%d/info/alternates", i), fmt.Sprintf("../a%d\n", i+1))
	}
	write(t, dir, "objects/info/alternates", "../a0\n")
	r, err = open(t, dir, dir)
	if err != nil || len(r.Problems()) != 1 || r.Problems()[0].Code != source.CodeLimit {
		t.Errorf("a chain: %v, %+v; want one problem, the limit", err, r.Problems())
	}
}

func TestNotARepository(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files []string
		code  source.Code
	}{
		{"empty .git", []string{".git/x", ""}, source.CodeNotARepo},
		{"without objects", []string{".git/HEAD", "ref: refs/heads/main\n"}, source.CodeNotARepo},
		{"empty .git file", []string{".git", ""}, source.CodeNotARepo},
		{".git file without a path", []string{".git", "gitdir: \n"}, source.CodeNotARepo},
		{".git file of something else", []string{".git", strings.Repeat("\n\x00", 100)}, source.CodeNotARepo},
		{".git file to nowhere", []string{".git", "gitdir: nowhere"}, source.CodeNotARepo},
		{".git file to itself", []string{".git", "gitdir: .git"}, source.CodeUnreadable},
		{".git file to a file", []string{".git", "gitdir: f", "f", ""}, source.CodeUnreadable},
		{"endless .git file", []string{".git", "gitdir: " + strings.Repeat("x", 1<<20)}, source.CodeLimit},
		{"empty commondir", []string{".git/HEAD", "", ".git/commondir", "\n"}, source.CodeNotARepo},
		{"commondir to nowhere", []string{".git/HEAD", "", ".git/commondir", "../nowhere\n"}, source.CodeNotARepo},
	} {
		dir := t.TempDir()
		write(t, dir, tt.files...)
		r, err := open(t, dir, dir)
		if err == nil {
			_, err = r.Head()
		}
		if code(t, err) != tt.code {
			t.Errorf("%s: %v; want the code %s", tt.name, err, tt.code)
		}
	}
}

// What the configuration of a repository says of how it is stored.
func TestConfig(t *testing.T) {
	for _, tt := range []struct {
		config string
		code   source.Code
	}{
		{"", ""},
		{"[core]\n\trepositoryformatversion = 0\n\tbare = true\n", ""},
		{"[extensions]\n\tobjectFormat = sha1\n\trefStorage = files\n", ""},
		{"[core]\n\tobjectFormat = sha256\n", ""}, // of another section
		{"[extensions]\n\tobjectFormat = sha256\n", source.CodeObjectsSHA2},
		{"[EXTENSIONS]\r\n\tOBJECTFORMAT=\"sha256\"\r\n", source.CodeObjectsSHA2},
		{"[extensions] objectformat = sha256", source.CodeObjectsSHA2},
		{"[ extensions ]objectformat=sha256 # why", source.CodeObjectsSHA2},
		{"[extensions]\n\tobjectformat\n", source.CodeObjectsSHA2}, // neither one nor the other
		{"[extensions]\n\tobjectformat = sha1\n\tobjectformat = sha256\n", source.CodeObjectsSHA2},
		{"[extensions]\n\trefstorage = reftable\n", source.CodeRefTable},
		{"[extensions]\n\tpartialClone = origin\n\tworktreeConfig = true\n", ""},
		{"nonsense ] = [\n[[[\x00\xff", ""},
	} {
		dir := bareFolder(t)
		write(t, dir, "config", tt.config)
		if _, err := open(t, dir, dir); code(t, err) != tt.code {
			t.Errorf("config %q: %v; want the code %q", tt.config, err, tt.code)
		}
	}
}

// git's own SHA-256 repository is told by its configuration and, without that, by its HEAD.
func TestSHA256(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "x")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	git(t, dir, "init", "-q", "-b", "main", "--object-format=sha256")
	write(t, dir, "f", "x")
	git(t, dir, "add", "-A")
	git(t, dir, "commit", "-q", "-m", "first")
	if _, err := open(t, dir, dir); code(t, err) != source.CodeObjectsSHA2 {
		t.Errorf("Open: %v; want the code %s", err, source.CodeObjectsSHA2)
	}
	write(t, dir, ".git/config", "")
	r, err := open(t, dir, dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Head(); code(t, err) != source.CodeObjectsSHA2 {
		t.Errorf("Head: %v; want the code %s", err, source.CodeObjectsSHA2)
	}
}

// Nothing that a configuration or a hook asks for happens, and nothing sends the reader
// elsewhere.
func TestNothingRuns(t *testing.T) {
	top := t.TempDir()
	dir := repository(t, top+"/repo", "f", "x")
	other := repository(t, top+"/other", "other", "y")
	trap := "touch " + top + "/ran"
	before := want(t, dir)
	write(t, dir, ".git/included", "[core]\n\tfsmonitor = "+trap+"\n",
		".git/config", strings.Join([]string{
			"[core]", "\tworktree = " + other, "\tfsmonitor = " + trap, "\thooksPath = " + dir + "/.git/hooks",
			"\tsshCommand = " + trap, "\talternateRefsCommand = " + trap, "\tpager = " + trap,
			"[include]", "\tpath = included", "[includeIf \"gitdir:**\"]", "\tpath = /etc/passwd",
			"[url \"file://" + other + "\"]", "\tinsteadOf = " + dir,
			"[filter \"x\"]", "\tsmudge = " + trap, "\tclean = " + trap, "\tprocess = " + trap,
			"[diff \"x\"]", "\ttextconv = " + trap,
			"[extensions]", "\tpartialClone = origin",
			"[remote \"origin\"]", "\turl = ext::" + trap, "\tpromisor = true",
		}, "\n"),
		".git/info/attributes", "* filter=x diff=x\n",
		".git/info/grafts", "what\n")
	for _, hook := range []string{"post-checkout", "post-index-change", "fsmonitor-watchman", "reference-transaction"} {
		write(t, dir, ".git/hooks/"+hook, "#!/bin/sh\n"+trap+"\n")
		if err := os.Chmod(dir+"/.git/hooks/"+hook, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(before, list(t, head(t, dir))); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if _, err := os.Stat(top + "/ran"); !os.IsNotExist(err) {
		t.Errorf("something ran: %v", err)
	}
}

// A commit that stands in for another (refs/replace) does not.
func TestReplaceIsNotBelieved(t *testing.T) {
	dir := repository(t, t.TempDir(), "planted", "x")
	bad := git(t, dir, "rev-parse", "HEAD")
	git(t, dir, "rm", "-q", "planted")
	write(t, dir, "harmless", "y")
	git(t, dir, "add", "-A")
	git(t, dir, "commit", "-q", "-m", "second")
	good := git(t, dir, "rev-parse", "HEAD")
	git(t, dir, "reset", "-q", "--hard", bad)
	git(t, dir, "replace", bad, good)
	if got := list(t, head(t, dir)); len(got) != 1 || !strings.HasPrefix(got[0], "planted ") {
		t.Errorf("HEAD holds %q; want the file planted", got)
	}
}

// A clone without its blobs lists every file, and says of each which is read that it is not
// there; one without its trees says so of the folder.
func TestPartialClone(t *testing.T) {
	top := t.TempDir()
	dir := repository(t, top+"/origin", "a", "x", "b/c", "y")
	git(t, dir, "config", "uploadpack.allowFilter", "true")
	for filter, want := range map[string][]string{
		"blob:none": {"a -1 " + objectID("blob", "x").String(), "b/c -1 " + objectID("blob", "y").String()},
		"tree:1":    {"a -1 " + objectID("blob", "x").String(), "b: missing"},
		"tree:0":    {": missing"},
	} {
		clone := top + "/" + strings.ReplaceAll(filter, ":", "-")
		git(t, top, "clone", "-q", "--no-checkout", "--filter="+filter, "file://"+dir, clone)
		if diff := cmp.Diff(want, list(t, head(t, clone))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", filter, diff)
		}
	}
}
