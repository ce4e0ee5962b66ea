package incident_test

import (
	"iter"
	"testing"

	"github.com/wormsweep/wormsweep/internal/incident"
	"github.com/wormsweep/wormsweep/internal/source"
)

// A ref is gone where all of its repository's were listed, and it was not among them.
func TestAllRefs(t *testing.T) {
	shows := func(name string, number int64, all bool, refs ...string) *source.Repository {
		r := &source.Repository{Name: name, Number: number, AllRefs: all}
		for _, ref := range refs {
			r.Show(source.Ref{Name: ref}, nil)
		}
		return r
	}
	api, web, plain := incident.Swept{Name: "acme/api", Number: 1}, incident.Swept{Name: "acme/web", Number: 2}, incident.Swept{Name: "acme/plain"}
	o := incident.NewAllRefs([]incident.Swept{api, web, plain})
	repos := iter.Seq2[*source.Repository, error](func(yield func(*source.Repository, error) bool) {
		for _, r := range []*source.Repository{
			shows("acme/new-api", 1, true, "refs/heads/main", "refs/tags/v1"), shows("acme/web", 2, false, "refs/heads/main"),
			shows("acme/api", 3, true, "refs/heads/main"), shows("acme/plain", 4, true, "refs/heads/main"),
		} {
			if !yield(r, nil) {
				return
			}
		}
	})
	n := 0
	for range o.Watch(repos) {
		n++
	}
	if n != 4 {
		t.Errorf("of 4 repositories %d were passed on", n)
	}
	for _, tt := range []struct {
		of   incident.Swept
		ref  string
		want bool
	}{
		{api, "refs/heads/main", false},
		{api, "refs/tags/v1", false},
		{api, "refs/heads/shai-hulud", true},
		{api, "refs/tags/v2", true},
		{api, "refs/pull/1/head", false}, // which are not listed
		{api, "HEAD", false},
		{api, "", false},
		{web, "refs/heads/shai-hulud", false},   // some may have been left out
		{plain, "refs/heads/shai-hulud", false}, // another may have its name
		{incident.Swept{Name: "acme/other", Number: 9}, "refs/heads/x", false},
	} {
		if got := o.Gone(tt.of, tt.ref); got != tt.want {
			t.Errorf("%v %q is gone: %t", tt.of, tt.ref, got)
		}
	}
}
