package githubtest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/githubtest"
)

// TestThinLine goes the way of a sweep: an App's token, the list, the heads, a partial
// clone, an issue.
func TestThinLine(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	s.AddFiles("api", map[string]string{"package-lock.json": "{}", "src/a.js": "1", "services/b/yarn.lock": "x"})
	s.Add(githubtest.Repository{Name: "empty"})
	incidents := s.AddFiles("incidents", map[string]string{"README.md": "here"})

	app, now := s.App(), time.Now()
	bearer := "Bearer " + jwt(t, app, now.Add(-time.Minute), now.Add(9*time.Minute))
	got := ask(t, "GET", s.URL()+"/api/v3/orgs/acme/installation", bearer, nil)
	tokenURL, _ := got.json(t, "access_tokens_url").(string)
	got = ask(t, "POST", tokenURL, bearer, map[string]any{"permissions": map[string]string{"contents": "read", "metadata": "read"}})
	if got.status != 201 {
		t.Fatalf("token: %d %s", got.status, got.body)
	}
	token, _ := got.json(t, "token").(string)
	if !strings.HasPrefix(token, "ghs_") || len(token) < 100 {
		t.Errorf("token %q is not of the new form", token)
	}

	if got := rest(t, s, token, "/installation/repositories?per_page=100"); got.json(t, "total_count") != 3.0 {
		t.Errorf("list: %s", got.body)
	}

	got = graphQL(t, s, token, `query($org:String!,$after:String){ rateLimit{cost remaining resetAt}
		organization(login:$org){ repositories(first:100,after:$after,orderBy:{field:NAME,direction:ASC}){
			pageInfo{hasNextPage endCursor}
			nodes{ databaseId nameWithOwner isArchived isFork isDisabled isLocked isEmpty isPrivate visibility pushedAt diskUsage
				defaultBranchRef{ name target{ oid ... on Commit{ tree{ oid } } } } } } } }`, map[string]any{"org": "acme"})
	nodes := got.json(t, "data", "organization", "repositories", "nodes")
	if len(nodes.([]any)) != 3 {
		t.Fatalf("heads: %s", got.body)
	}
	if got.json(t, "data", "organization", "repositories", "nodes", 1, "defaultBranchRef") != nil {
		t.Errorf("an empty repository has a branch: %s", got.body)
	}
	head := got.json(t, "data", "organization", "repositories", "nodes", 0, "defaultBranchRef", "target", "oid")

	dir := t.TempDir()
	git(t, dir, "clone", "--quiet", "--depth", "1", "--filter=blob:none", "--no-checkout", remote(s, token, "acme/api"), "clone")
	clone := dir + "/clone"
	if at := git(t, clone, "rev-parse", "HEAD"); at != head {
		t.Errorf("git has %s and GraphQL %v", at, head)
	}
	if content := git(t, clone, "show", "HEAD:services/b/yarn.lock"); content != "x" {
		t.Errorf("content %q", content)
	}
	git(t, clone, "fsck", "--strict")

	writer := s.InstallationToken(s.Installation())
	got = ask(t, "POST", s.URL()+"/api/v3/repos/acme/incidents/issues", "token "+writer, map[string]any{
		"title": "found", "body": "it", "labels": []string{"incident"},
	})
	if got.status != 201 {
		t.Errorf("issue: %d %s", got.status, got.body)
	}
	got = rest(t, s, writer, "/repos/acme/incidents/issues?labels=incident&creator=sweeper%5Bbot%5D&state=all")
	if len(got.json(t).([]any)) != 1 || len(incidents.Issues()) != 1 {
		t.Errorf("issues: %s", got.body)
	}
}
