package github_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/github"
)

// notThere answers as a server without what is asked for.
func notThere(e *githubtest.Exchange) {
	e.Header.Set("Content-Type", "application/json")
	e.Status = http.StatusNotFound
	e.Answer.WriteString(`{"message":"Not Found"}`)
}

// A server without GraphQL has its refs listed by REST, where git is not to be asked or refuses.
func TestWithoutGraphQLByREST(t *testing.T) {
	for via, by := range map[github.Via]string{github.ViaREST: "", github.ViaAuto: "note:fallback "} {
		s := githubtest.Start(t, githubtest.Options{})
		api := manyRefs(s)
		api.Memory().SetRef("refs/tags/blob", gitstore.ID{}) // REST tells it as a commit
		api.Change(func(r *githubtest.Repository) {
			r.Releases = []githubtest.Release{{ID: 1, Tag: "v1", Name: "One"}, {ID: 2, Tag: "v2"}}
		})
		s.Add(githubtest.Repository{Name: "empty"})
		s.AddFiles("headless", lockfiles(1)).Memory().SetHead("refs/heads/gone")
		s.Break(githubtest.Rule{Kind: githubtest.GraphQL, Fault: notThere})
		s.Break(githubtest.Rule{Kind: githubtest.Git, Fault: notThere})
		repos := collect(t, installed(t, s, readPermissions), acme, github.Options{Via: via, Refs: refs(t, "all"), Observe: true})
		want := []string{
			"heads/main", "heads/change-1 pull/1/head",
			"heads/release/1 tags/deep tags/deeper tags/deepest tags/v1 tags/v1-again", "heads/release/2 tags/light", "pull/2/head",
		}
		if d := cmp.Diff(want, trees(t, repos["acme/api"])); d != "" {
			t.Errorf("%q: -want +got:\n%s", via, d)
		}
		got := contents(t, repos["acme/api"].Trees[0])
		delete(got, "") // which says that git refused
		if d := cmp.Diff(lockfiles(0), got); d != "" {
			t.Errorf("%q: -want +got:\n%s", via, d)
		}
		var releases []string
		for _, seen := range repos["acme/api"].Seen {
			if seen.Property == source.SeenRelease {
				releases = append(releases, seen.Value)
			}
		}
		if d := cmp.Diff([]string{"One", "v2"}, releases); d != "" {
			t.Errorf("%q: -want +got:\n%s", via, d)
		}
		for name, want := range map[string]string{"acme": "note:fallback", "acme/empty": by + "note:no-head", "acme/headless": by + "problem:no-head"} {
			if got := told(repos[name]); got != want {
				t.Errorf("%q: %s: %q; want %q", via, name, got, want)
			}
		}
	}
}

// What REST refuses of the refs is a problem of the repository, or said once by the permission.
func TestRefsByRESTFail(t *testing.T) {
	for _, tt := range []struct{ path, want, org string }{
		{"git/ref/heads/main", "problem:fetch", "note:fallback"},
		{"branches", "problem:ref", "note:fallback"},
		{"pulls", "note:permission", "note:fallback problem:permission"},
	} {
		s := githubtest.Start(t, githubtest.Options{})
		manyRefs(s).Memory().SetRef("refs/tags/blob", gitstore.ID{})
		s.Break(githubtest.Rule{Kind: githubtest.GraphQL, Fault: notThere})
		perms := readPermissions
		if tt.path == "pulls" {
			perms = map[string]string{"contents": "read", "metadata": "read"}
		} else {
			s.Break(githubtest.Rule{Path: "/api/v3/repos/acme/api/" + tt.path, Fault: status(http.StatusInternalServerError)})
		}
		repos := collect(t, installed(t, s, perms), acme, github.Options{Via: github.ViaREST, Refs: refs(t, "all")})
		if got := told(repos["acme/api"]); got != tt.want {
			t.Errorf("%s: %q; want %q", tt.path, got, tt.want)
		}
		if got := told(repos["acme"]); got != tt.org {
			t.Errorf("%s: the organisation: %q; want %q", tt.path, got, tt.org)
		}
	}
}

// A server that does not know the raw media type gives blobs in the API's own form. They are
// compared with their ids all the same.
func TestBlobsInJSON(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	s.AddFiles("api", lockfiles(0))
	mend := s.Break(githubtest.Rule{Path: "/api/v3/repos/acme/api/git/blobs", Fault: func(e *githubtest.Exchange) {
		e.Request.Header.Set("Accept", "application/vnd.github+json")
		e.Serve()
	}})
	get := func() map[string]string {
		return contents(t, collect(t, installed(t, s, readPermissions), acme, github.Options{Via: github.ViaREST})["acme/api"].Trees[0])
	}
	if d := cmp.Diff(lockfiles(0), get()); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	mend()
	s.Break(githubtest.Rule{Path: "/api/v3/repos/acme/api/git/blobs", Fault: func(e *githubtest.Exchange) {
		e.Header.Set("Content-Type", "application/json")
		e.Answer.WriteString(`{"encoding":"base64","content":"YW5vdGhlcg=="}`)
	}})
	for path, got := range get() {
		if got != "error:"+string(source.CodeCorrupt) {
			t.Errorf("%s: %q; want it to be corrupt", path, got)
		}
	}
}
