package gitobject_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/source/gitobject"
)

func TestParseCommit(t *testing.T) {
	const tree = "ba642fe2c7c65e42dd7f6444b83023dc6827e08c"
	for _, tt := range []struct {
		about, in, message string
		people             []string
	}{
		{
			"one person", "tree " + tree + "\nauthor A B <a@b.c> 1 +0000\ncommitter A B <a@b.c> 2 +0000\n\nsubject\n\nbody\n",
			"subject\n\nbody\n",
			[]string{"A B <a@b.c>"},
		},
		{
			"two people, parents and a signature",
			"tree " + tree + "\nparent 1\nparent " + tree + "\nauthor A <a@b.c> 1 +0000\ncommitter GitHub <noreply@github.com> 2 +0000\ngpgsig -----BEGIN\n author X <x@y.z>\n -----END\n\nm",
			"m",
			[]string{"A <a@b.c>", "GitHub <noreply@github.com>"},
		},
		{"no message", "tree " + tree + "\nauthor A <a@b.c> 1 +0000", "", []string{"A <a@b.c>"}},
		{"no address", "tree " + tree + "\nauthor A\n\n", "", []string{"A"}},
	} {
		got, err := gitobject.ParseCommit([]byte(tt.in))
		if err != nil {
			t.Errorf("%s: %v", tt.about, err)
			continue
		}
		if got.Tree.String() != tree || got.Message != tt.message {
			t.Errorf("%s: tree %s, message %q", tt.about, got.Tree, got.Message)
		}
		if want := strings.Count(tt.in, "parent "+tree); len(got.Parents) != want { // "1" is no id
			t.Errorf("%s: parents %s; want %d", tt.about, got.Parents, want)
		}
		if diff := cmp.Diff(tt.people, got.People); diff != "" {
			t.Errorf("%s: people (-want +got):\n%s", tt.about, diff)
		}
	}
	for _, in := range []string{"", "tree", "tree 12\n", "author A\ntree " + tree} {
		if _, err := gitobject.ParseCommit([]byte(in)); err == nil {
			t.Errorf("%q: no error", in)
		}
	}
}

func FuzzParseCommit(f *testing.F) {
	f.Add([]byte("tree ba642fe2c7c65e42dd7f6444b83023dc6827e08c\nauthor A <a@b.c> 1 +0000\n\nm"))
	f.Add([]byte("tree ba642fe2c7c65e42dd7f6444b83023dc6827e08c\ncommitter\n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := gitobject.ParseCommit(data)
		if err != nil {
			return
		}
		if !strings.HasSuffix(string(data), c.Message) || len(c.People) > strings.Count(string(data), "\n")+1 {
			t.Errorf("%q is read as %+v", data, c)
		}
	})
}
