package githubtest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/githubtest"
)

func TestAppJWT(t *testing.T) {
	clock := newClock()
	s := githubtest.Start(t, githubtest.Options{Now: clock.Now})
	now := clock.Now()
	app := s.App()
	good := jwt(t, app, now.Add(-time.Minute), now.Add(9*time.Minute))
	other := *app
	other.ID++
	for _, tt := range []struct {
		what   string
		token  string
		status int
	}{
		{"in order", good, 200},
		{"issued by a number", signed(t, app, app.ID, now, now.Add(time.Minute)), 200},
		{"issued by the client id", signed(t, app, app.ClientID(), now, now.Add(time.Minute)), 200},
		{"issued by nobody", signed(t, app, "", now, now.Add(time.Minute)), 401},
		{"ten minutes and a bit", jwt(t, app, now, now.Add(601*time.Second)), 401},
		{"issued ahead of time", jwt(t, app, now.Add(5*time.Second), now.Add(time.Minute)), 401},
		{"expired", jwt(t, app, now.Add(-time.Hour), now.Add(-time.Second)), 401},
		{"of an App that is not there", jwt(t, &other, now, now.Add(time.Minute)), 401},
		{"another signature", good[:len(good)-8] + "AAAAAAAA", 401},
		{"three words", "a.b.c", 401},
		{"no JWT", "ghp_x", 401},
	} {
		got := ask(t, "GET", s.URL()+"/api/v3/app", "Bearer "+tt.token, nil)
		if got.status != tt.status {
			t.Errorf("%s: %d, want %d: %s", tt.what, got.status, tt.status, got.body)
		}
	}
	if got := rest(t, s, "", "/app"); got.status != 401 {
		t.Errorf("/app without a JWT: %d", got.status)
	}
	if got := ask(t, "GET", s.URL()+"/api/v3/repos/acme/x", "Bearer "+good, nil); got.status != 403 {
		t.Errorf("a repository with a JWT: %d", got.status)
	}
}

func TestTokens(t *testing.T) {
	clock := newClock()
	s := githubtest.Start(t, githubtest.Options{Now: clock.Now})
	one := s.AddFiles("one", map[string]string{"a": "1"})
	s.AddFiles("two", map[string]string{"a": "2"})
	s.Add(githubtest.Repository{Owner: "others", Name: "theirs"})
	s.Add(githubtest.Repository{Owner: "others", Name: "open", Visibility: githubtest.Public})
	bearer := "Bearer " + jwt(t, s.App(), clock.Now(), clock.Now().Add(time.Minute))
	url := fmt.Sprintf("%s/api/v3/app/installations/%d/access_tokens", s.URL(), s.Installation().ID)

	got := ask(t, "POST", url, bearer, map[string]any{"repositories": []string{"one"}, "permissions": map[string]string{"contents": "read"}})
	token, _ := got.json(t, "token").(string)
	if got.status != 201 || got.json(t, "repositories", 0, "full_name") != "acme/one" {
		t.Fatalf("%d %s", got.status, got.body)
	}
	for path, status := range map[string]int{
		"/repos/acme/one":        200,
		"/repos/acme/two":        404, // not of this token
		"/repos/others/theirs":   404,
		"/repos/others/open":     200,
		"/repos/acme/one/issues": 403, // not of its permissions
	} {
		if got := rest(t, s, token, path); got.status != status {
			t.Errorf("%s: %d, want %d: %s", path, got.status, status, got.body)
		}
	}
	got = rest(t, s, token, "/repos/acme/one/issues")
	if accepted := got.header.Get("X-Accepted-Github-Permissions"); accepted != "issues=read" {
		t.Errorf("X-Accepted-GitHub-Permissions: %q", accepted)
	}
	if got := rest(t, s, token, "/installation/repositories"); got.json(t, "total_count") != 1.0 {
		t.Errorf("%s", got.body)
	}

	for what, asked := range map[string]map[string]any{
		"more than it has":        {"permissions": map[string]string{"contents": "write"}},
		"a permission it lacks":   {"permissions": map[string]string{"actions": "read"}},
		"another's repository":    {"repositories": []string{"theirs"}},
		"a repository by number":  {"repository_ids": []int64{one.ID, 1}},
		"an unknown level":        {"permissions": map[string]string{"contents": "all"}},
		"too many repositories":   {"repository_ids": make([]int64, 501)},
		"a repository of no name": {"repositories": []string{""}},
	} {
		if got := ask(t, "POST", url, bearer, asked); got.status != 422 {
			t.Errorf("%s: %d %s", what, got.status, got.body)
		}
	}

	clock.Add(59 * time.Minute)
	if got := rest(t, s, token, "/repos/acme/one"); got.status != 200 {
		t.Errorf("after 59 minutes: %d", got.status)
	}
	clock.Add(time.Minute)
	if got := rest(t, s, token, "/repos/acme/one"); got.status != 401 || got.json(t, "message") != "Bad credentials" {
		t.Errorf("after an hour: %d %s", got.status, got.body)
	}

	token = s.InstallationToken(s.Installation())
	in := s.Installation()
	s.Update(func() { in.Suspended = true })
	if got := rest(t, s, token, "/repos/acme/one"); got.status != 403 || got.json(t, "message") != "This installation has been suspended" {
		t.Errorf("suspended: %d %s", got.status, got.body)
	}
	s.Update(func() { in.Suspended = false })
	if got := ask(t, "DELETE", s.URL()+"/api/v3/installation/token", "token "+token, nil); got.status != 204 {
		t.Errorf("revoke: %d", got.status)
	}
	if got := rest(t, s, token, "/repos/acme/one"); got.status != 401 {
		t.Errorf("after its revocation: %d", got.status)
	}
}

func TestPlainTokens(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	one := s.AddFiles("one", map[string]string{"a": "1"})
	s.AddFiles("two", map[string]string{"a": "2"})
	s.AddMembers(s.Organization("acme"), "wren")
	pat := s.PersonalToken(s.Organization("wren"), nil)
	stranger := s.PersonalToken(s.AddUser("stranger"), nil)
	actions := s.ActionsToken(one, map[string]string{"contents": "read"})
	for _, tt := range []struct {
		token, path string
		status      int
	}{
		{pat, "/repos/acme/two", 200},
		{pat, "/installation/repositories", 403},
		{stranger, "/repos/acme/two", 404},
		{actions, "/repos/acme/one/git/trees/main", 200},
		{actions, "/repos/acme/two", 404},
		{actions, "/orgs/acme/actions/runners", 403},
		{"", "/repos/acme/one", 404},
		{"unknown", "/repos/acme/one", 401},
	} {
		if got := rest(t, s, tt.token, tt.path); got.status != tt.status {
			t.Errorf("%.8s %s: %d, want %d: %s", tt.token, tt.path, got.status, tt.status, got.body)
		}
	}
	if got := rest(t, s, actions, "/installation/repositories"); got.json(t, "total_count") != 1.0 {
		t.Errorf("GITHUB_TOKEN lists %s", got.body)
	}
	if got := rest(t, s, pat, "/orgs/acme"); got.json(t, "total_private_repos") != 2.0 {
		t.Errorf("a member counts %s", got.body)
	}
	if got := rest(t, s, actions, "/orgs/acme"); got.json(t, "total_private_repos") != nil {
		t.Errorf("GITHUB_TOKEN counts %s", got.body)
	}
	if _, err := tryGit(t.TempDir(), "clone", "--quiet", remote(s, actions, "acme/one")); err != nil {
		t.Errorf("git with GITHUB_TOKEN: %v", err)
	}
	if out, err := tryGit(t.TempDir(), "clone", "--quiet", remote(s, actions, "acme/two")); err == nil || !strings.Contains(out, "not found") {
		t.Errorf("git of another repository with GITHUB_TOKEN: %v %s", err, out)
	}
}

func TestWriteWithoutPermissionIsAViolation(t *testing.T) {
	s := githubtest.New(githubtest.Options{})
	defer s.Close()
	one := s.AddFiles("one", map[string]string{"a": "1"})
	token := s.ActionsToken(one, map[string]string{"issues": "read"})
	got := ask(t, "POST", s.URL()+"/api/v3/repos/acme/one/issues", "token "+token, map[string]any{"title": "x"})
	if got.status != 403 || got.json(t, "message") != "Resource not accessible by integration" {
		t.Errorf("%d %s", got.status, got.body)
	}
	if v := s.Violations(); len(v) != 1 || !strings.Contains(v[0], "without the permission issues=write") {
		t.Errorf("violations %q", v)
	}
}
