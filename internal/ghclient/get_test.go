package ghclient_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-github/v62/github"

	"github.com/wormsweep/wormsweep/internal/ghclient"
)

func TestGet(t *testing.T) {
	f := serve(t, step{want: "GET /api/v3/orgs/acme/repos?page=2&per_page=100", do: func(w http.ResponseWriter, r *http.Request) {
		for name, want := range map[string]string{
			"Authorization": "Bearer " + token, "Accept": "application/vnd.github+json",
			"X-GitHub-Api-Version": "2022-11-28", "User-Agent": "wormsweep", "If-None-Match": "",
		} {
			if got := r.Header.Get(name); got != want {
				t.Errorf("%s: %q; want %q", name, got, want)
			}
		}
		w.Header().Set("ETag", `W/"abc"`)
		w.Header().Set("Link", `<http://`+r.Host+`/api/v3/orgs/acme/repos?page=1>; rel="prev", <http://`+r.Host+`/api/v3/orgs/acme/repos?a=b,c&page=3>; rel="next"`)
		io.WriteString(w, `[{"id":1}]`)
	}}, step{want: "GET /api/v3/orgs/acme/repos?a=b,c&page=3", do: func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("If-None-Match"); got != `W/"abc"` {
			t.Errorf("If-None-Match: %q", got)
		}
		w.WriteHeader(http.StatusNotModified)
	}})
	b := connect(t, f.URL)
	var repos []struct{ ID int }
	resp, err := b.Get(t.Context(), "/orgs/acme/repos?page=2", url.Values{"per_page": {"100"}}, &repos)
	if err != nil || len(repos) != 1 || repos[0].ID != 1 || resp.ETag != `W/"abc"` || resp.Next == "" || resp.NotModified {
		t.Fatalf("%+v, %+v, error %v", repos, resp, err)
	}
	repos = nil
	resp, err = b.Get(t.Context(), resp.Next, nil, &repos, ghclient.IfNoneMatch(resp.ETag))
	if err != nil || !resp.NotModified || repos != nil || resp.Next != "" {
		t.Errorf("%+v, %+v, error %v", repos, resp, err)
	}
	if got, want := b.Stats(), (ghclient.Stats{REST: 2, NotModified: 1}); got != want {
		t.Errorf("%+v; want %+v", got, want)
	}
}

func TestGetRaw(t *testing.T) {
	const path, raw = "GET /api/v3/repos/acme/web/git/blobs/abc", "application/vnd.github.raw+json"
	page := step{want: path, header: map[string]string{"Content-Type": raw}, body: "<project>not JSON</project>"}
	b := connect(t, serve(t, page, page, step{want: path, status: 304}).URL)
	var got []byte
	if _, err := b.Get(t.Context(), "repos/acme/web/git/blobs/abc", nil, &got, ghclient.Accept(raw)); err != nil || string(got) != page.body {
		t.Errorf("%q, error %v", got, err)
	}
	_, err := b.Get(t.Context(), "repos/acme/web/git/blobs/abc", nil, &got, ghclient.Accept(raw), ghclient.Limit(10))
	oneClearLine(t, err, "the answer is too long: more than 10 bytes")
	if !errors.Is(err, ghclient.ErrTooLong) {
		t.Errorf("no ErrTooLong: %v", err)
	}
	_, err = b.Get(t.Context(), "repos/acme/web/git/blobs/abc", nil, &got)
	oneClearLine(t, err, "status 304 to a request that set no condition")
}

// A page of another host is not where the list goes on.
func TestForeignNextPage(t *testing.T) {
	for _, next := range []string{"http://evil.example/api/v3/x", "https://evil.example", "/../../etc", "http://%zz"} {
		b := connect(t, serve(t, step{want: getPath, header: map[string]string{"Link": "<" + next + `>; rel="next"`}, body: "{}"}).URL)
		_, err := b.Get(t.Context(), "orgs/acme", nil, nil)
		oneClearLine(t, err, "a next page")
	}
}

// The token goes to the API of this GitHub and nowhere else.
func TestOtherHosts(t *testing.T) {
	evil := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("a request reached the other host: %s, %q", r.URL, r.Header)
	}))
	defer evil.Close()
	b := connect(t, serve(t,
		step{want: getPath, status: 301, header: map[string]string{"Location": evil.URL + "/api/v3/orgs/acme"}},
		step{want: getPath, status: 302, header: map[string]string{"Location": "/login?return_to=x"}},
		step{want: getPath, status: 307, header: map[string]string{"Location": "//localhost/api/v3/orgs/acme"}},
		step{want: getPath, status: 301, header: map[string]string{"Location": evil.URL + "/api/v3/orgs/acme"}},
	).URL)
	for range 3 {
		_, err := b.Get(t.Context(), "orgs/acme", nil, nil)
		oneClearLine(t, err, "not of this API: not followed")
	}
	_, _, err := b.REST().Organizations.Get(t.Context(), "acme")
	oneClearLine(t, err, "not of this API: not followed")
	for _, path := range []string{evil.URL + "/api/v3/x", "../../x", "../x", "//evil.example/x"} {
		_, err := b.Get(t.Context(), path, nil, nil)
		oneClearLine(t, err, "")
	}
	req, err := b.REST().NewRequest(http.MethodGet, evil.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.REST().Do(t.Context(), req, nil)
	oneClearLine(t, err, "not of GitHub's API")
}

// A renamed repository is followed, with the token, and a loop is not.
func TestRenamed(t *testing.T) {
	signed := func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+token {
			t.Errorf("Authorization: %q", r.Header.Get("Authorization"))
		}
		io.WriteString(w, `{"full_name":"acme/new"}`)
	}
	moved := step{want: "GET /api/v3/repos/acme/old", status: 301, header: map[string]string{"Location": "/api/v3/repositories/7"}}
	round := step{want: "GET /api/v3/repositories/8", status: 301, header: map[string]string{"Location": "/api/v3/repositories/8"}}
	b := connect(t, serve(t, moved, step{want: "GET /api/v3/repositories/7", do: signed}, round, round, round, round, round).URL)
	repo, _, err := b.REST().Repositories.Get(t.Context(), "acme", "old")
	if err != nil || repo.GetFullName() != "acme/new" {
		t.Errorf("%v, error %v", repo, err)
	}
	_, err = b.Get(t.Context(), "repositories/8", nil, nil)
	oneClearLine(t, err, `GET "/repositories/8": status 301 ("redirected more than 5 times")`)
}

func TestStatus(t *testing.T) {
	for _, tt := range []struct {
		status   int
		header   map[string]string
		body     string
		want     string // of Get
		as       func(error) bool
		response bool // go-github has the answer
	}{
		{401, nil, `{"message":"Bad credentials"}`, `GET "/orgs/acme": GitHub refused the token: bad credentials: it is wrong, expired or revoked ("Bad credentials")`, is(ghclient.ErrBadCredentials), false},
		{403, map[string]string{"X-Accepted-GitHub-Permissions": "administration=read"}, `{"message":"Resource not accessible by integration"}`, `GET "/orgs/acme": not permitted: it needs the permission "administration=read" ("Resource not accessible by integration")`, as[*ghclient.NotPermittedError], false},
		{403, nil, `{"message":"Must have admin rights"}`, `not permitted ("Must have admin rights")`, as[*ghclient.NotPermittedError], false},
		{403, map[string]string{"X-GitHub-SSO": "required; url=https://example.com/sso?authorization_request=x"}, `{}`, "single sign-on", as[*ghclient.NotPermittedError], false},
		{403, nil, `{"message":"Sorry. Your account was suspended."}`, "the account that the token belongs to is suspended", as[*ghclient.SuspendedError], false},
		{403, map[string]string{"X-Accepted-GitHub-Permissions": "issues=write"}, `{"message":"Repository was archived so is read-only."}`, `status 403 ("Repository was archived so is read-only.")`, as[*ghclient.StatusError], true},
		{403, nil, `{"message":"Repository access blocked"}`, "status 403", as[*ghclient.StatusError], true},
		{404, nil, `{"message":"Not Found"}`, `GET "/orgs/acme": not found, or not visible with these credentials`, is(ghclient.ErrNotFound), true},
		{409, nil, `{"message":"Git Repository is empty."}`, "Git Repository is empty.", as[*ghclient.StatusError], true},
		{410, nil, `{"message":"Issues has been disabled in this repository."}`, "status 410", as[*ghclient.StatusError], true},
		{451, nil, `not JSON`, "status 451", as[*ghclient.StatusError], true},
		{422, nil, `{"message":"line\none"}`, `status 422 ("line one")`, as[*ghclient.StatusError], true},
	} {
		s := step{want: getPath, status: tt.status, header: tt.header, body: tt.body}
		b := connect(t, serve(t, s, s).URL)
		_, err := b.Get(t.Context(), "orgs/acme", nil, nil)
		oneClearLine(t, err, tt.want)
		if !tt.as(err) || ghclient.Status(err) != tt.status {
			t.Errorf("%d: error %T %v, Status %d", tt.status, err, err, ghclient.Status(err))
		}
		_, _, err = b.REST().Organizations.Get(t.Context(), "acme")
		var response *github.ErrorResponse
		if ghclient.Status(err) != tt.status || errors.As(err, &response) != tt.response || !tt.response && !tt.as(err) {
			t.Errorf("%d: go-github: error %T %v, Status %d", tt.status, err, err, ghclient.Status(err))
		}
	}
	if got := ghclient.Status(io.EOF); got != 0 {
		t.Errorf("Status of another error: %d", got)
	}
}

func is(target error) func(error) bool { return func(err error) bool { return errors.Is(err, target) } }

func as[T error](err error) bool {
	var target T
	return errors.As(err, &target)
}

func TestGraphQL(t *testing.T) {
	type data struct {
		A *struct{ Name string }
		B *struct{ Name string }
	}
	for _, tt := range []struct {
		name, body string
		a          string
		partial    bool
		err        string
		is         error
	}{
		{"data", `{"data":{"a":{"name":"x"}}}`, "x", false, "", nil},
		{"partial", `{"data":{"a":{"name":"x"},"b":null},"errors":[{"type":"NOT_FOUND","path":["b","c"],"message":"Could not resolve"}]}`, "x", true, `GraphQL NOT_FOUND "Could not resolve" at "b c"`, nil},
		{"nothing there", `{"data":{"organization":null},"errors":[{"type":"NOT_FOUND","path":["organization"],"message":"Could not resolve to an Organization with the login of 'acme'."}]}`, "", true, "login of 'acme'", ghclient.ErrNotFound},
		{"too much", `{"data":{"a":{"name":"x"}},"errors":[{"type":"RESOURCE_LIMITS_EXCEEDED","message":"Resource limits for this query exceeded."}]}`, "x", true, "RESOURCE_LIMITS_EXCEEDED", nil},
		{"syntax", `{"errors":[{"message":"Parse error"},{"message":"2"},{"message":"3"},{"message":"4"}]}`, "", false, `GraphQL "Parse error"; "2"; "3"; 1 more`, nil},
		{"errors of another form", `{"data":{"a":{"name":"x"}},"errors":{"message":"x"}}`, "x", false, "errors that cannot be read", nil},
		{"no errors and no data", `{"data":null}`, "", false, "neither data nor errors", nil},
		{"data of another form", `{"data":{"a":"x"}}`, "", false, `POST "/graphql": json: cannot unmarshal`, nil},
		{"a list", `[]`, "", false, `POST "/graphql": json: cannot unmarshal`, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := serve(t, step{want: postQuery, do: func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if got, want := string(body), `{"query":"query($o:String!){a}","variables":{"o":"acme"}}`; got != want {
					t.Errorf("request %s; want %s", got, want)
				}
				answer(w, step{body: tt.body})
			}})
			b := connect(t, f.URL)
			var d data
			err := b.GraphQL(t.Context(), "query($o:String!){a}", map[string]any{"o": "acme"}, &d)
			if tt.err == "" && err != nil {
				t.Fatal(err)
			}
			if tt.err != "" {
				oneClearLine(t, err, tt.err)
			}
			if d.A == nil && tt.a != "" || d.A != nil && d.A.Name != tt.a {
				t.Errorf("data %+v", d)
			}
			var fault *ghclient.GraphQLError
			if errors.As(err, &fault) && fault.Partial != tt.partial || tt.partial && fault == nil {
				t.Errorf("error %#v; want partial %v", err, tt.partial)
			}
			if tt.is != nil && !errors.Is(err, tt.is) || tt.is == nil && errors.Is(err, ghclient.ErrNotFound) {
				t.Errorf("error %v; want %v", err, tt.is)
			}
			if strings.Contains(tt.err, "RESOURCE") && !fault.Has("RESOURCE_LIMITS_EXCEEDED") {
				t.Errorf("Has does not find it in %+v", fault)
			}
		})
	}
}
