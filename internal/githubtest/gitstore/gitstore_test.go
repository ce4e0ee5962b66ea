package gitstore_test

import (
	"bytes"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
)

// TestIDs compares with what git gives.
func TestIDs(t *testing.T) {
	for _, tt := range []struct {
		object gitstore.Object
		id     string
	}{
		{gitstore.Object{Kind: gitstore.Blob}, "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"},
		{gitstore.Object{Kind: gitstore.Blob, Data: []byte("hello\n")}, "ce013625030ba8dba906f756967f9e9ca394464a"},
		{gitstore.Object{Kind: gitstore.Tree}, "4b825dc642cb6eb9a060e54bf8d69288fbee4904"},
	} {
		if got := tt.object.ID().String(); got != tt.id {
			t.Errorf("%s %q: %s, want %s", tt.object.Kind, tt.object.Data, got, tt.id)
		}
		if id, err := gitstore.ParseID(tt.id); err != nil || id != tt.object.ID() {
			t.Errorf("%s: %v", tt.id, err)
		}
	}
	for _, wrong := range []string{"", "e69d", strings.Repeat("g", 40), strings.Repeat("0", 41)} {
		if _, err := gitstore.ParseID(wrong); err == nil {
			t.Errorf("%q is an id", wrong)
		}
	}
}

func TestEncodings(t *testing.T) {
	blob := gitstore.Object{Kind: gitstore.Blob, Data: []byte("x")}.ID()
	entries := []gitstore.Entry{
		{Mode: gitstore.ModeFile, Name: "a.b", ID: blob},
		{Mode: gitstore.ModeTree, Name: "a", ID: blob}, // a folder comes where "a/" would
		{Mode: gitstore.ModeFile, Name: "a0", ID: blob},
		{Mode: gitstore.ModeSubmodule, Name: "module", ID: blob},
	}
	data := gitstore.EncodeTree(entries)
	got, err := gitstore.DecodeTree(data)
	if diff := cmp.Diff(entries, got); diff != "" || err != nil {
		t.Errorf("tree: %s, %v", diff, err)
	}
	commit := gitstore.CommitInfo{
		Tree: blob, Parents: []gitstore.ID{blob, blob}, Author: "A B <a@b>", When: time.Unix(1700000000, 0).UTC(), Message: "one\n\ntwo",
	}
	if got, err := gitstore.DecodeCommit(commit.Encode()); cmp.Diff(commit, got) != "" || err != nil {
		t.Errorf("commit: %s, %v", cmp.Diff(commit, got), err)
	}
	tag := gitstore.TagInfo{Target: blob, Kind: gitstore.Commit, Name: "v1", Message: "text"}
	if got, err := gitstore.DecodeTag(tag.Encode()); cmp.Diff(tag, got) != "" || err != nil {
		t.Errorf("tag: %s, %v", cmp.Diff(tag, got), err)
	}
}

// TestPacks lets git index packs, with deltas and without, large objects and small.
func TestPacks(t *testing.T) {
	m := gitstore.NewMemory()
	var ids []gitstore.ID
	for i, size := range []int{0, 1, 15, 16, 127, 2047, 2048, 70_000, 200_000} {
		for _, end := range []string{"", "a", "another end"} {
			data := append(bytes.Repeat([]byte{byte('a' + i), '\n', byte(i)}, size/3), end...)
			if id := m.Add(gitstore.Object{Kind: gitstore.Blob, Data: data}); !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	long := bytes.Repeat([]byte("a line of text\n"), 100)
	for i := range 120 { // more than a chain of deltas may have
		ids = append(ids, m.Add(gitstore.Object{Kind: gitstore.Blob, Data: append(slices.Clone(long), byte(i))}))
	}
	random := make([]byte, 300_000)
	rand.NewChaCha8([32]byte{}).Read(random) // what does not compress is far from its delta
	for _, size := range []int{400, 5000, 9000, 16_000, 17_000, 100_000, 200_000, 300_000} {
		for i := range 2 {
			ids = append(ids, m.Add(gitstore.Object{Kind: gitstore.Blob, Data: append(slices.Clone(random[size/7:size]), byte(i))}))
		}
	}
	sizes := map[bool]int{}
	for _, deltas := range []bool{false, true} {
		var pack bytes.Buffer
		if err := gitstore.WritePack(&pack, m, ids, deltas); err != nil {
			t.Fatal(err)
		}
		sizes[deltas] = pack.Len()
		dir := t.TempDir()
		for _, args := range [][]string{{"init", "--quiet"}, {"index-pack", "--stdin", "--strict"}} {
			cmd := exec.Command("git", args...)
			cmd.Dir = dir
			cmd.Stdin = bytes.NewReader(pack.Bytes())
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("git %s: %v\n%s", args[0], err, out)
			}
		}
		for _, id := range ids {
			cmd := exec.Command("git", "cat-file", "blob", id.String())
			cmd.Dir = dir
			o, _ := m.Object(id)
			if out, err := cmd.Output(); err != nil || !bytes.Equal(out, o.Data) {
				t.Fatalf("%s: %d bytes, %v; want %d", id, len(out), err, len(o.Data))
			}
		}
	}
	if sizes[true] >= sizes[false] {
		t.Errorf("%d bytes with deltas, %d without", sizes[true], sizes[false])
	}
	if err := gitstore.WritePack(&bytes.Buffer{}, m, []gitstore.ID{{1}}, false); err == nil {
		t.Error("a pack of what is not there")
	}
}

// FuzzDecode holds that a tree that is taken is written as it was read, and that nothing
// panics. Entries out of order, which git's own trees do not have, are put in order.
func FuzzDecode(f *testing.F) {
	blob := gitstore.Object{Kind: gitstore.Blob}.ID()
	f.Add(gitstore.EncodeTree([]gitstore.Entry{{Mode: gitstore.ModeFile, Name: "a", ID: blob}, {Mode: gitstore.ModeTree, Name: "b", ID: blob}}))
	f.Add(gitstore.CommitInfo{Tree: blob, Author: gitstore.DefaultAuthor}.Encode())
	f.Add(gitstore.TagInfo{Target: blob, Kind: gitstore.Blob, Name: "v"}.Encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		if entries, err := gitstore.DecodeTree(data); err == nil {
			again, err := gitstore.DecodeTree(gitstore.EncodeTree(entries))
			if err != nil || len(again) != len(entries) {
				t.Errorf("%q: %d entries, then %d, %v", data, len(entries), len(again), err)
			}
		}
		if c, err := gitstore.DecodeCommit(data); err == nil {
			if _, err := gitstore.DecodeCommit(c.Encode()); err != nil {
				t.Errorf("%q: %v", data, err)
			}
		}
		if tag, err := gitstore.DecodeTag(data); err == nil {
			if _, err := gitstore.DecodeTag(tag.Encode()); err != nil && !strings.Contains(tag.Name, "\n") {
				t.Errorf("%q: %v", data, err)
			}
		}
	})
}
