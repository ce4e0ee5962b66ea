package github_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/github"
)

// A query that takes GitHub too long is asked again for less, down to one repository; and
// one that cannot be had is a problem of its own.
func TestAdaptive(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	const count = 230
	for i := range count {
		s.AddFiles(fmt.Sprintf("r%03d", i), lockfiles(i))
	}
	poison := ""
	nodes := func(e *githubtest.Exchange) int { return bytes.Count(e.Body, []byte(`"R_`)) }
	for _, tt := range []struct {
		name    string
		fault   func(e *githubtest.Exchange) bool
		answer  func(e *githubtest.Exchange)
		lost    int
		queries int // at most
	}{
		{"none", func(*githubtest.Exchange) bool { return false }, status(http.StatusBadGateway), 0, 3},
		{"502 over 60", func(e *githubtest.Exchange) bool { return nodes(e) > 60 }, status(http.StatusBadGateway), 0, 12},
		{"504 over 15", func(e *githubtest.Exchange) bool { return nodes(e) > 15 }, status(http.StatusGatewayTimeout), 0, 60},
		{"partial over 30", func(e *githubtest.Exchange) bool { return nodes(e) > 30 }, func(e *githubtest.Exchange) {
			e.Header.Set("Content-Type", "application/json")
			e.Answer.WriteString(`{"data":{"nodes":[` + strings.Repeat("null,", nodes(e)-1) + `null]},"errors":[{"type":"RESOURCE_LIMITS_EXCEEDED","message":"Resource limits for this query exceeded."}]}`)
		}, 0, 40},
		{"longer than is read over 30", func(e *githubtest.Exchange) bool { return nodes(e) > 30 }, func(e *githubtest.Exchange) {
			e.Answer.Write(bytes.Repeat([]byte(" "), ghclient.MaxBody+1))
		}, 0, 20},
		{"one that is poison", func(e *githubtest.Exchange) bool { return bytes.Contains(e.Body, []byte(poison)) }, status(http.StatusBadGateway), 1, 60},
		{"all", func(*githubtest.Exchange) bool { return true }, status(http.StatusInternalServerError), count, 1000},
	} {
		c := installed(t, s, readPermissions)
		if poison == "" {
			var list struct {
				Repositories []struct {
					NodeID string `json:"node_id"`
				}
			}
			if _, err := c.Get(t.Context(), "installation/repositories", nil, &list); err != nil {
				t.Fatal(err)
			}
			poison = list.Repositories[17].NodeID
		}
		requests(s)
		mend := s.Break(githubtest.Rule{Kind: githubtest.GraphQL, Fault: func(e *githubtest.Exchange) {
			if e.Serve(); tt.fault(e) {
				e.Answer.Reset()
				tt.answer(e)
			}
		}})
		repos := collect(t, c, acme, github.Options{})
		mend()
		lost := 0
		for name, repo := range repos {
			switch got := told(repo); {
			case repo.Loose:
				t.Errorf("%s: of the organisation: %s", tt.name, got)
			case got == "problem:fetch" && len(repo.Trees) == 0:
				lost++
			case got != "" || len(repo.Trees) != 1:
				t.Errorf("%s: %s: %q, %d trees", tt.name, name, got, len(repo.Trees))
			}
		}
		n := requests(s)[githubtest.GraphQL]
		if lost != tt.lost || len(repos) != count || n > tt.queries {
			t.Errorf("%s: %d of %d repositories are lost, after %d queries; want %d of %d after at most %d", tt.name, lost, len(repos), n, tt.lost, count, tt.queries)
		}
		t.Logf("%s: %d queries", tt.name, n)
	}
}

// An error of one repository in an answer for all is that one's.
func TestOneNode(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	for i := range 4 {
		s.AddFiles(fmt.Sprintf("r%d", i), lockfiles(i))
	}
	c := installed(t, s, readPermissions)
	s.Break(githubtest.Rule{Kind: githubtest.GraphQL, Fault: func(e *githubtest.Exchange) {
		s.Repo("acme/r2").Remove() // since it was listed
		e.Serve()
	}})
	repos := collect(t, c, acme, github.Options{})
	if told(repos["acme/r2"]) != "problem:not-visible" || told(repos["acme/r1"])+told(repos["acme/r3"]) != "" || len(repos["acme/r3"].Trees) != 1 {
		t.Errorf("%s, %s, %s", told(repos["acme/r1"]), told(repos["acme/r2"]), told(repos["acme/r3"]))
	}
}

// A page of the list that does not come is a view that is not whole; so is a list that
// changes. The rest is swept.
func TestPages(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	for i := range 250 {
		s.AddFiles(fmt.Sprintf("r%03d", i), nil)
	}
	c := installed(t, s, readPermissions)
	mend := s.Break(githubtest.Rule{Kind: githubtest.REST, Query: "page=2&", Fault: status(http.StatusInternalServerError)})
	repos := collect(t, c, acme, github.Options{})
	mend()
	if len(repos) != 151 || told(repos["acme"]) != "problem:partial-view problem:partial-view problem:partial-view" {
		t.Errorf("%d repositories, %s", len(repos), told(repos["acme"]))
	}
	memory := &pages{kept: map[string]string{}, etags: map[string]string{}}
	requests(s)
	for run := range 2 {
		if repos := collect(t, c, acme, github.Options{Pages: memory}); len(repos) != 250 {
			t.Errorf("run %d: %d repositories", run, len(repos))
		}
		log := s.Log()
		free := 0
		for _, e := range log {
			if e.Conditional() {
				free++
			}
		}
		if n := requests(s)[githubtest.REST]; n != 4 || free != 4*run {
			t.Errorf("run %d: %d requests to REST, %d of them free", run, n, free)
		}
	}
	owner := s.AddUser("owner")
	org := s.Installation().Account
	s.Update(func() { org.Members = append(org.Members, "owner") })
	token := client(t, s, ghclient.Auth{Token: s.PersonalToken(owner, nil)})
	if repos := collect(t, token, acme, github.Options{}); len(repos) != 250 {
		t.Errorf("with a token: %d repositories, %s", len(repos), told(repos["acme"]))
	}
	s.Break(githubtest.Rule{Kind: githubtest.REST, Path: "/api/v3/orgs/acme/repos", Fault: func(e *githubtest.Exchange) {
		q := e.Request.URL.Query()
		q.Set("page", "1") // whatever page is asked for
		e.Request.URL.RawQuery = q.Encode()
		e.Serve()
	}})
	repos = collect(t, token, acme, github.Options{})
	if len(repos) != 101 || !strings.Contains(told(repos["acme"]), "partial-view") {
		t.Errorf("with a list that does not end: %d repositories, %s", len(repos), told(repos["acme"]))
	}
}

type pages struct {
	mu          sync.Mutex
	kept, etags map[string]string
}

func (p *pages) Page(key string) (string, []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.etags[key], []byte(p.kept[key])
}

func (p *pages) Remember(key, etag string, body []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kept[key], p.etags[key] = string(body), etag
}

// The ways to content, in each state of the server, give the files or name what they lack.
func TestVia(t *testing.T) {
	files := map[string]string{"a/b/c/package-lock.json": "1", "a/b/x": "2", "a-b": "3", "a/z": "4", "big": strings.Repeat("x", 100_000)}
	refuse := githubtest.Rule{Kind: githubtest.Git, Fault: func(e *githubtest.Exchange) { e.Status = http.StatusForbidden }}
	missing := gitstore.Object{Kind: gitstore.Blob, Data: []byte("4")}.ID()
	omit := githubtest.Rule{Kind: githubtest.Git, Fault: func(e *githubtest.Exchange) {
		e.Git.Omit = func(id gitstore.ID) bool { return id == missing }
		e.Serve()
	}}
	cut := func(e *githubtest.Exchange) {
		e.Serve()
		e.Cut = e.Answer.Len() / 2
	}
	lacks := func(code string) map[string]string {
		out := map[string]string{}
		for path, content := range files {
			out[path] = content
		}
		out["a/z"] = code
		return out
	}
	for _, tt := range []struct {
		name  string
		via   github.Via
		opt   githubtest.Options
		rules []githubtest.Rule
		want  map[string]string
	}{
		{name: "git", via: github.ViaGit, want: files},
		{name: "rest", via: github.ViaREST, want: files},
		{name: "auto", want: files},
		{name: "whole objects", opt: githubtest.Options{WholePacks: true}, want: files},
		{name: "rest, cut at 3 entries", via: github.ViaREST, opt: githubtest.Options{TreeEntries: 3}, want: files},
		{name: "rest, cut at 1 entry", via: github.ViaREST, opt: githubtest.Options{TreeEntries: 1}, want: files},
		{name: "git is refused", via: github.ViaGit, rules: []githubtest.Rule{refuse}, want: map[string]string{"": "error:fetch"}},
		{
			name: "auto, git is refused", rules: []githubtest.Rule{refuse},
			want: merged(files, map[string]string{"": "error:fallback"}),
		},
		{name: "a blob that does not come", via: github.ViaGit, rules: []githubtest.Rule{omit}, want: lacks("error:missing")},
		{name: "auto, a blob that does not come", rules: []githubtest.Rule{omit}, want: lacks("error:missing")},
		{name: "cut once", rules: []githubtest.Rule{{Kind: githubtest.Git, Times: 1, Fault: cut}}, want: files},
		{name: "cut for ever", rules: []githubtest.Rule{{Kind: githubtest.Git, Fault: cut}}, want: map[string]string{"": "error:fetch"}},
		{name: "502 once", rules: []githubtest.Rule{{Kind: githubtest.Git, Times: 1, Fault: status(http.StatusBadGateway)}}, want: files},
		{
			name: "ERR", via: github.ViaGit, rules: []githubtest.Rule{{Kind: githubtest.Git, Fault: func(e *githubtest.Exchange) {
				e.Git.Error = "no such thing"
				e.Serve()
			}}}, want: map[string]string{"": "error:fetch"},
		},
		{
			name: "a pack of noise", rules: []githubtest.Rule{{Kind: githubtest.Git, Fault: func(e *githubtest.Exchange) {
				e.Git.Alter = func(w io.Writer) io.Writer { return noise{w} }
				e.Serve()
			}}}, want: map[string]string{"": "error:corrupt"},
		},
		{
			name: "rest, a tree that fails", via: github.ViaREST, opt: githubtest.Options{TreeEntries: 1},
			rules: []githubtest.Rule{{Kind: githubtest.REST, Path: "/api/v3/repos/acme/api/git/trees/*", Skip: 3, Fault: status(http.StatusInternalServerError)}},
			want:  map[string]string{"a": "error:fetch", "a-b": "3", "big": files["big"]},
		},
		{
			name: "rest, a blob of another content", via: github.ViaREST,
			rules: []githubtest.Rule{{Kind: githubtest.REST, Path: "/api/v3/repos/acme/api/git/blobs/" + missing.String(), Fault: func(e *githubtest.Exchange) {
				e.Serve()
				e.Answer.Reset()
				e.Answer.WriteString("evil")
			}}},
			want: lacks("error:corrupt"),
		},
		{
			name: "rest, a blob that is not there", via: github.ViaREST,
			rules: []githubtest.Rule{{Kind: githubtest.REST, Path: "/api/v3/repos/acme/api/git/blobs/" + missing.String(), Fault: func(e *githubtest.Exchange) {
				e.Header.Set("Content-Type", "application/json")
				e.Status = http.StatusNotFound
				e.Answer.WriteString(`{"message":"Not Found"}`)
			}}},
			want: lacks("error:missing"),
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := githubtest.Start(t, tt.opt)
			s.AddFiles("api", files)
			for _, rule := range tt.rules {
				s.Break(rule)
			}
			repo := collect(t, installed(t, s, readPermissions), acme, github.Options{Via: tt.via})["acme/api"]
			got := contents(t, repo.Trees[0])
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("-want +got:\n%.2000s", d)
			}
			for path := range files { // and once more, one by one
				_, err := repo.Trees[0].Read(t.Context(), source.File{Path: path, Blob: source.BlobID([]byte(files[path]))}, 1<<20, nil)
				if want, listed := got[path]; listed && (err == nil) != (want == files[path]) {
					t.Errorf("%q alone: %v", path, err)
				}
			}
		})
	}
}

// A commit that has another tree than GraphQL says is not believed.
func TestWrongRoot(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	s.AddFiles("api", lockfiles(1))
	s.Break(githubtest.Rule{Kind: githubtest.GraphQL, Fault: func(e *githubtest.Exchange) {
		e.Serve()
		text := e.Answer.String()
		i := strings.Index(text, `"tree":{"oid":"`) + len(`"tree":{"oid":"`)
		e.Answer.Reset()
		e.Answer.WriteString(text[:i] + strings.Repeat("1", 40) + text[i+40:])
	}})
	repo := collect(t, installed(t, s, readPermissions), acme, github.Options{Via: github.ViaGit})["acme/api"]
	if d := cmp.Diff(map[string]string{"": "error:corrupt"}, contents(t, repo.Trees[0])); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func merged(a, b map[string]string) map[string]string {
	out := map[string]string{}
	for _, m := range []map[string]string{a, b} {
		for k, v := range m {
			out[k] = v
		}
	}
	return out
}

type noise struct{ w io.Writer }

func (n noise) Write(p []byte) (int, error) {
	q := bytes.Clone(p)
	q[len(q)/2] ^= 1
	return n.w.Write(q)
}

// A server without GraphQL has its refs listed by git.
func TestWithoutGraphQL(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	manyRefs(s)
	s.Add(githubtest.Repository{Name: "empty"})
	s.AddFiles("headless", lockfiles(1)).Memory().SetHead("refs/heads/gone")
	s.Break(githubtest.Rule{Kind: githubtest.GraphQL, Fault: func(e *githubtest.Exchange) {
		e.Header.Set("Content-Type", "application/json")
		e.Status = http.StatusNotFound
		e.Answer.WriteString(`{"message":"Not Found"}`)
	}})
	repos := collect(t, installed(t, s, readPermissions), acme, github.Options{Refs: refs(t, "release/*")})
	if d := cmp.Diff([]string{"heads/main", "heads/release/1", "heads/release/2"}, trees(t, repos["acme/api"])); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if d := cmp.Diff(lockfiles(0), contents(t, repos["acme/api"].Trees[0])); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	content := s.Repo("acme/api").Content
	head, _ := gitstore.Lookup(content, "refs/heads/main")
	want, _ := gitstore.TreeOf(content, head)
	if root := repos["acme/api"].Trees[0].(source.Rooted).Root(); root != want.String() {
		t.Errorf("the root of what was read is %q, want %q", root, want)
	}
	for name, want := range map[string]string{"acme": "note:fallback", "acme/empty": "note:no-head", "acme/headless": "problem:no-head"} {
		if got := told(repos[name]); got != want {
			t.Errorf("%s: %q; want %q", name, got, want)
		}
	}
}

// A spent budget is a problem of what it was for, and not the end of the run.
func TestBudget(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	for i := range 3 {
		s.AddFiles(fmt.Sprintf("r%d", i), lockfiles(i))
	}
	app, err := ghclient.New(ghclient.Options{BaseURL: s.URL(), Auth: ghclient.Auth{AppID: s.App().ID, AppKey: s.App().Key}, Sleep: noSleep, MaxRequests: 4})
	if err != nil {
		t.Fatal(err)
	}
	c, err := app.Installation(t.Context(), "acme", readPermissions)
	if err != nil {
		t.Fatal(err)
	}
	repos := collect(t, c, acme, github.Options{})
	for i := range 3 {
		if got := told(repos[fmt.Sprintf("acme/r%d", i)]); got != "problem:fetch" {
			t.Errorf("r%d: %q", i, got)
		}
	}
}

// No more requests are in flight to git than are allowed, whoever asks.
func TestAtOnce(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	const jobs = 3
	for i := range 12 {
		s.AddFiles(fmt.Sprintf("r%d", i), lockfiles(i))
	}
	var mu sync.Mutex
	now, most := 0, 0
	s.Break(githubtest.Rule{Kind: githubtest.Git, Fault: func(e *githubtest.Exchange) {
		mu.Lock()
		now++
		most = max(most, now)
		mu.Unlock()
		time.Sleep(5 * time.Millisecond)
		e.Serve()
		mu.Lock()
		now--
		mu.Unlock()
	}})
	var wait sync.WaitGroup
	for _, repo := range collect(t, installed(t, s, readPermissions), acme, github.Options{Jobs: jobs}) {
		wait.Go(func() {
			if err := repo.Trees[0].(source.ListFetcher).FetchLists(t.Context(), repo.Trees); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if most < 2 || most > jobs {
		t.Errorf("%d requests were in flight at once; want up to %d", most, jobs)
	}
}

// A context that is done ends the sequence, and what waits for a server.
func TestCancel(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	for i := range 250 {
		s.AddFiles(fmt.Sprintf("r%03d", i), lockfiles(i))
	}
	c := installed(t, s, readPermissions)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	for repo, err := range github.Repositories(ctx, c, acme, github.Options{}) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 3 {
			release := make(chan struct{})
			mend := s.Break(githubtest.Rule{Kind: githubtest.Git, Fault: func(e *githubtest.Exchange) { <-release }})
			time.AfterFunc(20*time.Millisecond, cancel)
			for f, err := range repo.Trees[0].Files(ctx) {
				t.Errorf("%+v, %v, of a server that does not answer", f, err)
			}
			if _, err := repo.Trees[0].Read(ctx, source.File{Path: "x", Blob: strings.Repeat("1", 40)}, 1, nil); !errors.Is(err, context.Canceled) {
				t.Errorf("Read: %v", err)
			}
			close(release)
			mend()
		}
		repo.Close()
	}
	if n != 3 {
		t.Errorf("%d repositories came", n)
	}
	for range github.Repositories(t.Context(), c, acme, github.Options{}) {
		break // and nothing goes on
	}
}
