package gitrepo_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/gitobject"
)

func every(string) bool { return true }

// Refs gives what git gives, whether a ref is packed, has a file, or both.
func TestListRefs(t *testing.T) {
	dir := repository(t, t.TempDir(), "a", "1")
	git(t, dir, "branch", "packed")
	git(t, dir, "branch", "moved")
	git(t, dir, "tag", "-a", "-m", "x", "annotated")
	git(t, dir, "tag", "-a", "-m", "x", "twice", "annotated")
	git(t, dir, "tag", "blob", "HEAD:a")
	git(t, dir, "pack-refs", "--all")
	write(t, dir, "a", "2")
	git(t, dir, "commit", "-qam", "second")
	git(t, dir, "branch", "-f", "moved")
	git(t, dir, "branch", "deep/er/loose")
	git(t, dir, "update-ref", "refs/pull/7/head", "HEAD~1")
	git(t, dir, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/heads/main")
	write(t, dir, ".git/refs/heads/broken", "what\n", ".git/refs/heads/gone", strings.Repeat("1", 40)+"\n", ".git/refs/heads/x.lock", "")

	r, err := open(t, dir, dir)
	if err != nil {
		t.Fatal(err)
	}
	refs, errs := r.Refs(context.Background(), every)
	var got, want []string
	for _, ref := range refs {
		got = append(got, ref.ID.String()+" "+ref.Name)
	}
	for _, name := range []string{
		"refs/heads/deep/er/loose", "refs/heads/main", "refs/heads/moved", "refs/heads/packed", "refs/pull/7/head", "refs/tags/annotated", "refs/tags/twice",
	} {
		want = append(want, git(t, dir, "rev-parse", name+"^{commit}")+" "+name)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("refs: -want +got:\n%s", d)
	}
	codes := map[source.Code]int{}
	for _, err := range errs {
		codes[code(t, err)]++
	}
	if d := cmp.Diff(map[source.Code]int{source.CodeCorrupt: 1, source.CodeMissing: 1, source.CodeNotACommit: 1}, codes); d != "" {
		t.Errorf("faults: -want +got:\n%s\n%v", d, errs)
	}
	if refs, _ := r.Refs(context.Background(), func(name string) bool { return strings.HasPrefix(name, "refs/pull/") }); len(refs) != 1 {
		t.Errorf("of pull requests: %v", refs)
	}
	write(t, dir, ".git/packed-refs", "what\n")
	if refs, errs := r.Refs(context.Background(), every); len(refs) != 4 || len(errs) != 3 {
		t.Errorf("with packed-refs that are none: %v, %v", refs, errs)
	}
}

// Tags of tags come to an end.
func TestTagChain(t *testing.T) {
	dir := bareFolder(t)
	commit(t, dir, loose(t, dir, "tree", ""))
	id := loose(t, dir, "commit", "tree "+gitobject.ID{}.String()+"\n")
	for n := range 6 {
		kind := "tag"
		if n == 0 {
			kind = "commit"
		}
		id = loose(t, dir, "tag", fmt.Sprintf("object %s\ntype %s\ntag t\n", id, kind))
		write(t, dir, fmt.Sprintf("refs/tags/t%d", n), id.String()+"\n")
	}
	write(t, dir, "refs/tags/none", loose(t, dir, "tag", "what").String())
	r, err := open(t, dir, dir)
	if err != nil {
		t.Fatal(err)
	}
	refs, errs := r.Refs(context.Background(), func(name string) bool { return strings.HasPrefix(name, "refs/tags/") })
	if len(refs) != 4 || len(errs) != 3 || code(t, errs[0]) != source.CodeCorrupt || code(t, errs[1]) != source.CodeLimit {
		t.Errorf("%d refs, %v", len(refs), errs)
	}
}
