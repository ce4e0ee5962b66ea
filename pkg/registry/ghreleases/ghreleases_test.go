package ghreleases_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
	"github.com/wormsweep/wormsweep/pkg/registry/ghreleases"
	"github.com/wormsweep/wormsweep/pkg/registry/host"
)

var _ registry.Reader = (*ghreleases.Reader)(nil)

// world is a GitHub with one repository that has releases, and a token for it.
func world(t *testing.T) (s *githubtest.Server, repo *githubtest.Repo, token string) {
	t.Helper()
	s = githubtest.Start(t, githubtest.Options{})
	content := gitstore.NewMemory()
	first := content.Commit(content.Head(), "first", gitstore.Text(map[string]string{"a": "1"}))
	content.SetRef("refs/tags/v1.0.0", first)
	second := content.Commit(content.Head(), "second", gitstore.Text(map[string]string{"a": "2"}))
	content.Tag("v1.1.0", second)
	repo = s.Add(githubtest.Repository{Name: "tool", Content: content})
	org := s.Organization("acme")
	s.AddMembers(org, "wren")
	return s, repo, s.PersonalToken(s.Organization("wren"), map[string]string{"contents": "read", "attestations": "read"})
}

func day(n int) time.Time { return time.Date(2026, 9, n, 12, 0, 0, 0, time.UTC) }

// options ask the simulator and its storage, as somebody.
func options(t *testing.T, s *githubtest.Server, token string) fetch.Options {
	t.Helper()
	storage, _ := s.Storage()
	api := strings.TrimPrefix(s.URL(), "http://")
	o := fetch.Options{
		Hosts: []string{api, storage}, PrivateHosts: []string{api, storage}, Attempts: 2,
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}
	if token != "" {
		o.Tokens = map[string]fetch.Auth{api: fetch.Bearer(token)}
	}
	return o
}

func reader(t *testing.T, o fetch.Options, opts ghreleases.Options) *ghreleases.Reader {
	t.Helper()
	c, err := fetch.New(o)
	if err != nil {
		t.Fatal(err)
	}
	r, err := ghreleases.New(c, opts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// asGitHub lets a client that asks api.github.com reach the simulator.
type asGitHub struct{ to string }

func (a asGitHub) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host == host.GitHubAPI {
		r = r.Clone(r.Context())
		u, err := url.Parse(a.to + "/api/v3" + r.URL.EscapedPath() + "?" + r.URL.RawQuery)
		if err != nil {
			return nil, err
		}
		r.URL, r.Host = u, u.Host
	}
	return http.DefaultTransport.RoundTrip(r)
}

// hosted is a reader of github.com, which the simulator plays.
func hosted(t *testing.T, s *githubtest.Server, token string) *ghreleases.Reader {
	t.Helper()
	o := options(t, s, "")
	o.Hosts = append(o.Hosts, host.GitHubAPI)
	o.Tokens = map[string]fetch.Auth{host.GitHubAPI: fetch.Bearer(token)}
	o.Transport = asGitHub{s.URL()}
	return reader(t, o, ghreleases.Options{})
}

const tool = "acme/tool"

func TestList(t *testing.T) {
	s, repo, _ := world(t)
	repo.Publish(githubtest.Release{ID: 50, Tag: "v1.0.0", At: day(1), Author: "wren", Immutable: true, Assets: []githubtest.Asset{
		{ID: 51, Name: "tool.tar.gz", Type: "application/gzip", Data: []byte("a tool"), At: day(1)},
		{ID: 52, Name: "old.zip", Data: []byte("old"), Digest: "-"},
		{ID: 53, Name: "half.zip", Open: true},
	}})
	repo.Publish(githubtest.Release{Tag: "v2.0.0", Draft: true})
	repo.Publish(githubtest.Release{Tag: "v1.1.0", At: day(2)})
	repo.Publish(githubtest.Release{Tag: "gone", At: day(3), Prerelease: true})
	token := s.PersonalToken(s.Organization("wren"), nil) // who may write sees drafts
	r := reader(t, options(t, s, token), ghreleases.Options{Address: s.URL(), Now: func() time.Time { return day(9) }})

	l, err := r.List(t.Context(), tool, registry.Validator{})
	if err != nil {
		t.Fatal(err)
	}
	commit := func(tag string) string {
		id, _ := gitstore.Lookup(repo.Content, "refs/tags/"+tag)
		id, _, _ = gitstore.Peel(repo.Content, id)
		return id.String()
	}
	person := func(name string) registry.Fact[registry.Person] {
		return registry.Known(registry.Person{Name: name})
	}
	asset := s.URL() + "/api/v3/repos/acme/tool/releases/assets/"
	want := []registry.Published{
		{Version: "v1.0.0", Time: registry.Known(day(1)), Publisher: person("wren"), Head: registry.Known(commit("v1.0.0")), Immutable: registry.Known(true), Files: []registry.File{
			{
				Name: "tool.tar.gz", URL: asset + "51", MediaType: "application/gzip", Size: registry.Known(int64(6)), Time: registry.Known(day(1)),
				Digests: []digest.Digest{sum("a tool")},
			},
			{Name: "old.zip", URL: asset + "52", MediaType: "application/octet-stream", Size: registry.Known(int64(3)), Time: registry.Known(day(1))},
		}},
		{Version: "v1.1.0", Time: registry.Known(day(2)), Publisher: person("acme"), Head: registry.Known(commit("v1.1.0")), Immutable: registry.Known(false)},
		{Version: "gone", Time: registry.Known(day(3)), Publisher: person("acme"), Head: registry.None[string](), Immutable: registry.Known(false)},
	}
	if diff := cmp.Diff(want, l.Releases); diff != "" {
		t.Errorf("releases (-want +got)\n%s", diff)
	}
	if len(l.Faults) != 1 || !strings.Contains(l.Faults[0], `"half.zip"`) || l.Kind != registry.Release || l.Registry != s.URL() || l.Fetched != day(9) {
		t.Errorf("listing %+v", l)
	}

	body, err := r.Open(t.Context(), tool, l.Releases[0].Files[0])
	if err != nil {
		t.Fatal(err)
	}
	if raw, err := io.ReadAll(body); err != nil || string(raw) != "a tool" {
		t.Errorf("file %q, %v", raw, err)
	}
	body.Close()
	for _, address := range []string{"", asset + "51/../52", asset, asset + "-1", "https://elsewhere.example/repos/acme/tool/releases/assets/51", strings.Replace(asset, "tool", "other", 1) + "51"} {
		if _, err := r.Open(t.Context(), tool, registry.File{Name: "x", URL: address}); !errors.Is(err, registry.ErrForbidden) {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestConditional(t *testing.T) {
	s, repo, token := world(t)
	for i := range 120 { // three pages
		repo.Publish(githubtest.Release{Tag: fmt.Sprintf("r%d", i), At: day(1)})
	}
	r := reader(t, options(t, s, token), ghreleases.Options{Address: s.URL()})
	list := func(what string, since registry.Validator, changed bool, requests, conditional int) registry.Validator {
		t.Helper()
		s.ForgetLog()
		l, err := r.List(t.Context(), tool, since)
		total := s.Totals()
		if total.Requests[githubtest.REST] != requests || total.Conditional != conditional {
			t.Errorf("%s: %s; want %d requests, %d conditional", what, total, requests, conditional)
		}
		if !changed {
			if !errors.Is(err, registry.ErrNotModified) {
				t.Errorf("%s: %v", what, err)
			}
			return since
		}
		if err != nil || len(l.Releases) < 120 {
			t.Fatalf("%s: %v", what, err)
		}
		return l.Validator
	}
	v := list("first", registry.Validator{}, true, 3+2+1, 2) // and the pages before the last once more
	list("as it was", v, false, 4, 4)
	repo.Change(func(r *githubtest.Repository) { r.Releases[110].Name = "on the last page" })
	v = list("the last page", v, true, 2+1+2+2+1+1, 2+2+1) // page 3 is new: 1 and 2 are read again, and so are the tags
	repo.Memory().SetRef("refs/tags/v1.0.0", gitstore.ID{})
	v = list("a tag", v, true, 3+1+3+2, 3+2)
	repo.Change(func(r *githubtest.Repository) { r.Releases = r.Releases[20:] }) // now a last page that is full
	l, err := r.List(t.Context(), tool, v)
	if err != nil || l.Validator != (registry.Validator{}) {
		t.Errorf("a full page: %v, %v", l.Validator, err)
	}

	without := reader(t, options(t, s, token), ghreleases.Options{Address: s.URL(), WithoutTags: true})
	repo.Change(func(r *githubtest.Repository) { r.Releases = r.Releases[90:] })
	l, err = without.List(t.Context(), tool, v)
	if err != nil || l.Releases[0].Head.Knowledge != registry.Unknown {
		t.Fatalf("without tags: %+v, %v", l, err)
	}
	if _, err := without.List(t.Context(), tool, l.Validator); !errors.Is(err, registry.ErrNotModified) {
		t.Errorf("without tags, as it was: %v", err)
	}
	if l, err = r.List(t.Context(), tool, l.Validator); err != nil || l.Releases[0].Head.Knowledge == registry.Unknown {
		t.Errorf("a validator of a reader without tags: %v", err)
	}
}

// A release is deleted between two pages: what moved to the first one is not missed.
func TestDeletedBetweenPages(t *testing.T) {
	s, repo, token := world(t)
	for i := range 120 {
		repo.Publish(githubtest.Release{Tag: fmt.Sprintf("r%03d", i), At: day(1)})
	}
	s.Break(githubtest.Rule{Path: "/api/v3/repos/acme/tool/releases", Skip: 1, Times: 1, Fault: githubtest.First(func() {
		repo.Change(func(r *githubtest.Repository) { r.Releases = r.Releases[1:] })
	})})
	l, err := reader(t, options(t, s, token), ghreleases.Options{Address: s.URL()}).List(t.Context(), tool, registry.Validator{})
	if err != nil || len(l.Releases) != 119 {
		t.Fatalf("%v", err)
	}
	for i, p := range l.Releases {
		if p.Version != fmt.Sprintf("r%03d", i) {
			t.Fatalf("release %d is %q", i, p.Version)
		}
	}
}

func TestBounds(t *testing.T) {
	s, repo, token := world(t)
	for i := range 4 {
		repo.Publish(githubtest.Release{Tag: fmt.Sprintf("r%d", i), At: day(1)})
	}
	for _, o := range []ghreleases.Options{{MaxReleases: 3}, {MaxTags: 1}} {
		o.Address = s.URL()
		if _, err := reader(t, options(t, s, token), o).List(t.Context(), tool, registry.Validator{}); !errors.Is(err, registry.ErrTooLarge) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	for _, name := range []string{"", "acme", "acme/", "acme/a/b", "acme/..", "acme/a b", "../acme"} {
		if _, err := reader(t, options(t, s, token), ghreleases.Options{Address: s.URL()}).List(t.Context(), name, registry.Validator{}); !errors.Is(err, registry.ErrForbidden) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestDenied(t *testing.T) {
	s, repo, _ := world(t)
	repo.Publish(githubtest.Release{Tag: "v1.0.0", At: day(1), Assets: []githubtest.Asset{{Name: "a", Data: []byte("a tool")}}})
	narrow := s.PersonalToken(s.Organization("wren"), map[string]string{"contents": "read"})
	r := hosted(t, s, narrow)
	l, err := r.List(t.Context(), tool, registry.Validator{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Attestations(t.Context(), tool, &l.Releases[0]); !errors.Is(err, registry.ErrDenied) || !strings.Contains(err.Error(), "attestations: read") {
		t.Errorf("attestations without the permission: %v", err)
	}
	if _, err := hosted(t, s, "no token").List(t.Context(), tool, registry.Validator{}); !errors.Is(err, registry.ErrDenied) {
		t.Errorf("a token that is none: %v", err)
	}
	if _, err := hosted(t, s, narrow).List(t.Context(), "acme/none", registry.Validator{}); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("a repository that is not there: %v", err)
	}
	s.Break(githubtest.Rule{Fault: githubtest.PrimaryLimited(http.StatusForbidden, githubtest.Told{Reset: time.Minute})})
	if _, err := r.List(t.Context(), tool, registry.Validator{}); err == nil || errors.Is(err, registry.ErrDenied) || !strings.Contains(err.Error(), "limit") {
		t.Errorf("over the limit: %v", err)
	}
}

func TestTag(t *testing.T) {
	s, repo, token := world(t)
	content := repo.Memory()
	head, _ := gitstore.Lookup(content, "refs/heads/main")
	outer := content.Add(gitstore.Object{Kind: gitstore.Tag, Data: gitstore.TagInfo{Target: content.Tag("inner", head), Kind: gitstore.Tag, Name: "outer"}.Encode()})
	content.SetRef("refs/tags/rel/outer", outer)
	deep := outer
	for range 9 {
		deep = content.Add(gitstore.Object{Kind: gitstore.Tag, Data: gitstore.TagInfo{Target: deep, Kind: gitstore.Tag, Name: "deep"}.Encode()})
	}
	content.SetRef("refs/tags/deep", deep)
	tree, _ := gitstore.TreeOf(content, head)
	content.SetRef("refs/tags/tree", tree)
	r := reader(t, options(t, s, token), ghreleases.Options{Address: s.URL()})
	if got, err := r.Tag(t.Context(), tool, "rel/outer"); err != nil || got.Object != outer.String() || got.Commit != head.String() {
		t.Errorf("a tag of a tag: %+v, %v", got, err)
	}
	for tag, want := range map[string]error{
		"none": registry.ErrNotFound, "deep": registry.ErrTooLarge, "tree": registry.ErrMalformed,
		"a/../../heads/main": registry.ErrForbidden, "": registry.ErrForbidden, "a b": registry.ErrForbidden, "a?b": registry.ErrForbidden,
	} {
		if got, err := r.Tag(t.Context(), tool, tag); !errors.Is(err, want) {
			t.Errorf("%q: %+v, %v; want %v", tag, got, err, want)
		}
	}
}
