package local_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/local"
)

// mirror makes a bare repository of n branches, of which every second has the tree of the
// one before it, by git's own stream of commits.
func mirror(t *testing.T, n int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "mirror.git")
	var in strings.Builder
	in.WriteString("blob\nmark :1\ndata 1\nx\n")
	for i := range n {
		fmt.Fprintf(&in, "commit refs/heads/b%05d\ncommitter a <a> %d +0000\ndata 1\nc\n", i, i)
		for k := range 30 {
			fmt.Fprintf(&in, "M 644 :1 d%d/package-lock.json\n", k)
		}
		fmt.Fprintf(&in, "M 644 :1 d%d/f%d\n", i/2%30, i/2)
	}
	for _, args := range [][]string{{"init", "-q", "--bare", "-b", "b00000", dir}, {"-C", dir, "fast-import", "--quiet"}, {"-C", dir, "pack-refs", "--all"}} {
		cmd := exec.Command("git", args...)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull)
		if args[len(args)-1] == "--quiet" {
			cmd.Stdin = strings.NewReader(in.String())
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v: %s", args, err, out)
		}
	}
	return dir
}

func withRefs(t *testing.T, dir, text string) *source.Repository {
	t.Helper()
	refs, err := source.ParseRefs(text)
	if err != nil {
		t.Fatal(err)
	}
	for repo, err := range local.Repositories(context.Background(), []string{dir}, reads, local.WithRefs(refs)) {
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := repo.Close(); err != nil {
				t.Error(err)
			}
		})
		return repo
	}
	t.Fatal("no repository")
	return nil
}

// Each distinct tree is there once, and says which refs have it.
func TestRefs(t *testing.T) {
	dir := mirror(t, 6)
	for _, tt := range []struct{ refs, want string }{
		{"head", "b00000"},
		{"branches", "b00000 b00001; b00002 b00003; b00004 b00005"},
		{"tags", "b00000"},
		{"*3", "b00000; b00003"},
	} {
		repo := withRefs(t, dir, tt.refs)
		var got []string
		for _, tree := range repo.Trees {
			shared, ok := tree.(source.Shared)
			if !ok {
				continue // the folder itself
			}
			var names []string
			for _, ref := range shared.Refs() {
				names = append(names, strings.TrimPrefix(ref.Name, source.Branches))
			}
			if shared.Refs()[0] != (source.Ref{Name: tree.Ref(), Commit: tree.Commit()}) {
				t.Errorf("%s: the first ref is not that of the tree", tt.refs)
			}
			got = append(got, strings.Join(names, " "))
		}
		if d := cmp.Diff(tt.want, strings.Join(got, "; ")); d != "" || len(repo.Problems) > 0 {
			t.Errorf("%s: -want +got:\n%s\n%v", tt.refs, d, repo.Problems)
		}
	}
	seen := map[string]int{}
	for _, s := range withRefs(t, dir, "branches").Seen {
		seen[s.Property]++
		if s.Property == source.SeenBranch {
			seen[s.Value]++
		}
	}
	if seen[source.SeenBranch] != 6 || seen["b00005"] != 1 || seen[source.SeenMessage] != 6 || seen[source.SeenAuthor] != 6 {
		t.Errorf("seen were %v", seen)
	}
}

// A mirror of thousands of refs is listed to its last file with little memory.
func TestMirror(t *testing.T) {
	const count = 4_000
	repo := withRefs(t, mirror(t, count), "all")
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	peak, files := uint64(0), 0
	for i, tree := range repo.Trees {
		for _, err := range tree.Files(context.Background()) {
			if err != nil {
				t.Fatal(err)
			}
			files++
		}
		if i%100 == 0 {
			runtime.ReadMemStats(&now)
			peak = max(peak, now.HeapAlloc-min(now.HeapAlloc, before.HeapAlloc))
		}
	}
	if len(repo.Trees) != count/2 || files != count/2*31 {
		t.Errorf("%d trees, %d files", len(repo.Trees), files)
	}
	if peak > 64<<20 {
		t.Errorf("it took %d MB", peak>>20)
	}
}
