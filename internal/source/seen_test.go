package source_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/source"
)

func TestShow(t *testing.T) {
	r := &source.Repository{}
	r.Show(source.Ref{Name: "refs/heads/a/b", Commit: "c1"}, &source.Commit{Tree: "t1", Message: "m", People: []string{"A <a@b>", "B"}})
	r.Show(source.Ref{Name: "refs/tags/v1", Commit: "c2"}, nil)
	r.Show(source.Ref{Name: "HEAD", Commit: "c3"}, &source.Commit{Tree: "t3"})
	want := []source.Seen{
		{Property: "branch", Value: "a/b", Ref: "refs/heads/a/b", Commit: "c1"},
		{Property: "commit", Value: "c1", Ref: "refs/heads/a/b", Commit: "c1"},
		{Property: "tree", Value: "t1", Ref: "refs/heads/a/b", Commit: "c1"},
		{Property: "message", Value: "m", Ref: "refs/heads/a/b", Commit: "c1"},
		{Property: "author", Value: "A <a@b>", Ref: "refs/heads/a/b", Commit: "c1"},
		{Property: "author", Value: "B", Ref: "refs/heads/a/b", Commit: "c1"},
		{Property: "tag", Value: "v1", Ref: "refs/tags/v1", Commit: "c2"},
		{Property: "commit", Value: "c2", Ref: "refs/tags/v1", Commit: "c2"},
		{Property: "commit", Value: "c3", Ref: "HEAD", Commit: "c3"},
		{Property: "tree", Value: "t3", Ref: "HEAD", Commit: "c3"},
	}
	if diff := cmp.Diff(want, r.Seen); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What is too much to hold is left out aloud.
func TestShowLimit(t *testing.T) {
	r := &source.Repository{}
	message := strings.Repeat("m", 1<<20)
	for range 100 {
		r.Show(source.Ref{Name: "refs/heads/x"}, &source.Commit{Message: message})
	}
	if len(r.Seen) > 70 || len(r.Problems) != 1 || r.Problems[0].Code != source.CodeLimit {
		t.Errorf("%d values, problems %v", len(r.Seen), r.Problems)
	}
}
