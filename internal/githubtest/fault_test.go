package githubtest_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
)

// TestFaults looks at what each fault makes of an answer.
func TestFaults(t *testing.T) {
	for _, tt := range []struct {
		what  string
		path  string
		fault githubtest.Fault
		ok    func(a answer) bool
	}{
		{"502", "/repos/acme/one", githubtest.BadGateway(), func(a answer) bool { return a.status == 502 }},
		{"503", "/repos/acme/one", githubtest.Unavailable(), func(a answer) bool { return a.status == 503 }},
		{"a page", "/repos/acme/one", githubtest.HTMLPage(), func(a answer) bool {
			return a.status == 200 && strings.HasPrefix(string(a.body), "<!DOCTYPE")
		}},
		{"404", "/repos/acme/one", githubtest.NotFound(), func(a answer) bool { return a.status == 404 }},
		{"cut JSON", "/repos/acme/one", githubtest.CutJSON(), func(a answer) bool {
			return a.status == 200 && a.err == nil && len(a.body) > 0 && !json.Valid(a.body)
		}},
		{"cut body", "/repos/acme/one", githubtest.CutBody(false), func(a answer) bool { return a.err != nil && len(a.body) > 0 }},
		{"reset", "/repos/acme/one", githubtest.CutBody(true), func(a answer) bool {
			return a.err != nil && strings.Contains(a.err.Error(), "reset")
		}},
		{"dropped", "/repos/acme/one", githubtest.Dropped(), func(a answer) bool { return a.err != nil && a.status == 0 }},
		{"slow", "/repos/acme/one", githubtest.SlowBody(1000, time.Millisecond), func(a answer) bool {
			return a.err == nil && json.Valid(a.body)
		}},
		{"truncated", "/repos/acme/one/git/trees/main?recursive=1", githubtest.TruncateTree(1), func(a answer) bool {
			return a.json(t, "truncated") == true && len(a.json(t, "tree").([]any)) == 1
		}},
		{"not truncated", "/repos/acme/one/git/trees/main", githubtest.TruncateTree(1), func(a answer) bool {
			return a.json(t, "truncated") == false && len(a.json(t, "tree").([]any)) == 2
		}},
		{"loop", "/installation/repositories?per_page=1&page=2", githubtest.LoopPages(), func(a answer) bool {
			return strings.Contains(a.header.Get("Link"), `page=1&per_page=1>; rel="next"`)
		}},
		{"loop of one page", "/installation/repositories", githubtest.LoopPages(), func(a answer) bool {
			return strings.Contains(a.header.Get("Link"), `/installation/repositories>; rel="next"`)
		}},
		{"wrong blob", "/repos/acme/one/git/blobs/" + gitstore.Object{Kind: gitstore.Blob, Data: []byte("1")}.ID().String(), githubtest.WrongBlob(), func(a answer) bool {
			return a.json(t, "content") == "MA==\n"
		}},
	} {
		s := githubtest.Start(t, githubtest.Options{})
		s.AddFiles("one", map[string]string{"a": "1", "b/c": "2"})
		s.AddFiles("two", nil)
		s.AddFiles("three", nil)
		s.Break(githubtest.Rule{Path: "/api/v3/*", Fault: tt.fault})
		if got := rest(t, s, s.InstallationToken(s.Installation()), tt.path); !tt.ok(got) {
			t.Errorf("%s: %d %v %v %s", tt.what, got.status, got.header, got.err, got.body)
		}
		if log := s.Log(); len(log) != 1 || !log[0].Fault {
			t.Errorf("%s: log %+v", tt.what, log)
		}
	}
}

func TestGraphQLFaults(t *testing.T) {
	const query = `{organization(login:"acme"){repositories(first:2){pageInfo{hasNextPage endCursor} nodes{name}}}}`
	for _, tt := range []struct {
		what  string
		fault githubtest.Fault
		ok    func(a answer) bool
	}{
		{"limited", githubtest.GraphQLLimited("RATE_LIMIT", githubtest.Told{Reset: time.Minute}), func(a answer) bool {
			return a.status == 200 && a.json(t, "errors", 0, "type") == "RATE_LIMIT" && a.header.Get("X-Ratelimit-Remaining") == "0"
		}},
		{"partial", githubtest.GraphQLPartial(1), func(a answer) bool {
			return a.status == 200 && a.json(t, "errors", 0, "message") != nil &&
				a.json(t, "data", "organization", "repositories", "nodes", 0, "name") == "one" &&
				a.json(t, "data", "organization", "repositories", "nodes", 1) == nil
		}},
		{"loop", githubtest.LoopPages(), func(a answer) bool {
			return a.json(t, "data", "organization", "repositories", "pageInfo", "hasNextPage") == true
		}},
		{"too much", githubtest.TimeoutOver(1), func(a answer) bool { return a.status == 502 }},
		{"not too much", githubtest.TimeoutOver(2), func(a answer) bool { return a.status == 200 }},
	} {
		s := githubtest.Start(t, githubtest.Options{})
		s.AddFiles("one", nil)
		s.AddFiles("two", nil)
		s.Break(githubtest.Rule{Kind: githubtest.GraphQL, Fault: tt.fault})
		if got := graphQL(t, s, s.InstallationToken(s.Installation()), query, nil); !tt.ok(got) {
			t.Errorf("%s: %d %v %s", tt.what, got.status, got.header, got.body)
		}
	}
}

// TestGitFaults lets git meet them: it must not take what it got for whole.
func TestGitFaults(t *testing.T) {
	for what, fault := range map[string]githubtest.Fault{
		"a blob that is not sent": githubtest.OmitObjects(func(id gitstore.ID) bool {
			return id == gitstore.Object{Kind: gitstore.Blob, Data: []byte("second")}.ID()
		}),
		"a cut pack":       githubtest.CutPack(100),
		"a corrupt pack":   githubtest.CorruptPack(60),
		"an ERR packet":    githubtest.ErrorPacket("no"),
		"a cut connection": githubtest.CutBody(false),
		"502":              githubtest.BadGateway(),
	} {
		s := githubtest.Start(t, githubtest.Options{})
		s.AddFiles("one", map[string]string{"a": "first", "b": "second"})
		s.Break(githubtest.Rule{Kind: githubtest.Git, Query: "command=fetch", Fault: fault})
		if out, err := tryGit(t.TempDir(), "clone", "--quiet", remote(s, s.InstallationToken(s.Installation()), "acme/one")); err == nil {
			t.Errorf("%s: git is content: %s", what, out)
		}
	}
}

func TestRules(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{Seed: 7})
	one := s.AddFiles("one", map[string]string{"a": "1"})
	token := s.InstallationToken(s.Installation())
	statuses := func(n int, path string) (list []int) {
		for range n {
			list = append(list, rest(t, s, token, path).status)
		}
		return list
	}
	mend := s.Break(githubtest.Rule{Path: "/api/v3/repos/acme/one", Skip: 1, Times: 2, Fault: githubtest.BadGateway()})
	if got := statuses(4, "/repos/acme/one"); got[0] != 200 || got[1] != 502 || got[2] != 502 || got[3] != 200 {
		t.Errorf("the second and third: %v", got)
	}
	mend()
	s.Break(githubtest.Rule{Path: "/api/v3/repos/*/*/git/trees/*", Probability: 0.5, Fault: githubtest.BadGateway()})
	failed := 0
	for _, status := range statuses(100, "/repos/acme/one/git/trees/main") {
		if status == 502 {
			failed++
		}
	}
	if failed < 30 || failed > 70 {
		t.Errorf("%d of 100 fail with probability 0.5", failed)
	}
	s.Break(githubtest.Rule{Path: "/api/v3/rate_limit", Fault: githubtest.First(func() { one.Rename("uno") })})
	statuses(1, "/rate_limit")
	if got := rest(t, s, token, "/repos/acme/one"); got.status != 301 {
		t.Errorf("after the rename: %d", got.status)
	}
}
