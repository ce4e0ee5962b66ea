package githubtest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
)

// askActions asks for the routes of GitHub Actions, and of how commits and branches stand to
// each other.
func askActions(t *testing.T, s *githubtest.Server, token string) {
	t.Helper()
	r := s.Repo("acme/history")
	in, acme := s.Installation(), s.Organization("acme")
	s.Update(func() {
		for _, name := range []string{"actions", "secrets", "environments", "dependabot_secrets", "administration"} {
			in.Permissions[name] = "read"
		}
		acme.Secrets = []githubtest.Secret{{Name: "ALL"}, {Name: "SOME", Visibility: "selected", Selected: []string{"other"}}, {Name: "PRIVATE", Visibility: "private"}}
	})
	at := time.Date(2026, 5, 11, 19, 0, 0, 0, time.UTC)
	run := githubtest.Run{
		ID: 77, Workflow: ".github/workflows/release.yml", Start: at, End: at.Add(time.Minute),
		Jobs: []githubtest.Job{{Name: "release", Steps: []githubtest.Step{{Name: "Publish", Conclusion: "skipped"}}}},
	}
	r.AddRun(run)
	run.Attempt, run.Conclusion = 2, "failure"
	r.AddRun(run)
	r.AddRun(githubtest.Run{ID: 78, Workflow: ".github/workflows/ci.yml", Event: "pull_request", Start: at.Add(time.Hour), Pull: 7, Base: strings.Repeat("b", 40), Jobs: []githubtest.Job{
		{Name: "own", Runner: "arc-1", RunnerID: 9, Group: "arc", Labels: []string{"self-hosted"}}, {Name: "never", Runner: "-", Conclusion: "skipped"},
	}})
	r.AddRun(githubtest.Run{ID: 79, Workflow: ".github/workflows/ci.yml", Event: "pull_request", Start: at.Add(time.Hour), Pull: 8, Fork: "wren/history"})
	r.AddCache(githubtest.Cache{Ref: "refs/heads/main", Key: "npm-1", Created: at})
	r.AddCache(githubtest.Cache{Ref: "refs/pull/1/merge", Key: "npm-1", Created: at})
	r.Change(func(r *githubtest.Repository) {
		r.Actions.Secrets = []githubtest.Secret{{Name: "NPM_TOKEN", Updated: at}}
		r.Actions.DependabotSecrets = []githubtest.Secret{{Name: "REGISTRY", Updated: at}}
		r.Actions.Environments = []githubtest.Environment{{Name: "npm prod", Secrets: []githubtest.Secret{{Name: "DEPLOY", Updated: at}}}}
		r.Actions.Protected, r.Actions.Rules = []string{"main"}, []string{"release"}
	})
	main, _ := gitstore.Lookup(r.Content, "refs/heads/main")
	tag, _ := gitstore.Lookup(r.Content, "refs/tags/v1")
	first, _, _ := gitstore.Peel(r.Content, tag)
	r.Memory().SetRef("refs/heads/side", first)
	r.Push("side", map[string]string{"a": "b"})
	for _, tt := range []struct {
		path   string
		status int
		want   []any
	}{
		{"/actions/runs", 200, []any{"workflow_runs", 0, "path", ".github/workflows/ci.yml"}},
		{"/actions/runs?event=push", 200, []any{"workflow_runs", 0, "run_attempt", 2.0}},
		{"/actions/runs?created=%3E%3D2026-05-11T19%3A30%3A00Z", 200, []any{"total_count", 2.0}},
		{"/actions/runs?created=2026-05-11T18%3A00%3A00Z..2026-05-11T19%3A30%3A00Z", 200, []any{"total_count", 1.0}},
		{"/actions/runs?created=%3C%3D2026-05-11T18%3A00%3A00Z", 200, []any{"total_count", 0.0}},
		{"/actions/runs/77/attempts/1", 200, []any{"conclusion", "success"}},
		{"/actions/runs/77/attempts/2", 200, []any{"conclusion", "failure"}},
		{"/actions/runs/77/attempts/3", 404, nil},
		{"/actions/runs/77/attempts/1/jobs", 200, []any{"jobs", 0, "steps", 0, "conclusion", "skipped"}},
		{"/actions/runs?head_sha=x", 200, []any{"total_count", 0.0}},
		{"/actions/runs?event=pull_request", 200, []any{"workflow_runs", 0, "head_repository", "full_name", "wren/history"}},
		{"/actions/runs?event=pull_request", 200, []any{"workflow_runs", 1, "pull_requests", 0, "number", 7.0}},
		{"/actions/runs/78/jobs?filter=latest", 200, []any{"jobs", 0, "runner_group_name", "arc"}},
		{"/actions/runs/78/jobs", 200, []any{"jobs", 1, "runner_id", nil}},
		{"/actions/runs/77/jobs", 200, []any{"total_count", 1.0}},
		{"/actions/runs/77/jobs?filter=all", 200, []any{"total_count", 2.0}},
		{"/actions/runs/1/jobs", 404, nil},
		{"/actions/secrets", 200, []any{"secrets", 0, "name", "NPM_TOKEN"}},
		{"/actions/organization-secrets", 200, []any{"secrets", 1, "name", "PRIVATE"}},
		{"/actions/permissions/workflow", 200, []any{"default_workflow_permissions", "write"}},
		{"/dependabot/secrets", 200, []any{"secrets", 0, "name", "REGISTRY"}},
		{"/environments", 200, []any{"environments", 0, "name", "npm prod"}},
		{"/environments/npm%20prod/secrets", 200, []any{"secrets", 0, "name", "DEPLOY"}},
		{"/environments/none/secrets", 404, nil},
		{"/actions/caches", 200, []any{"total_count", 2.0}},
		{"/actions/caches?ref=refs/pull/1/merge", 200, []any{"actions_caches", 0, "ref", "refs/pull/1/merge"}},
		{"/compare/main..." + first.String(), 200, []any{"status", "behind"}},
		{"/compare/v1..." + main.String(), 200, []any{"ahead_by", 2.0}},
		{"/compare/main..." + main.String(), 200, []any{"status", "identical"}},
		{"/compare/main...side", 200, []any{"merge_base_commit", "sha", first.String()}},
		{"/compare/main...release", 200, []any{"status", "diverged"}},
		{"/compare/main...none", 404, nil},
		{"/branches/main", 200, []any{"protected", true}},
		{"/branches/release", 200, []any{"protected", false}},
		{"/branches/none", 404, nil},
		{"/rules/branches/release", 200, []any{0, "type", "deletion"}},
		{"/rules/branches/main", 200, nil},
		{"/commits/" + main.String() + "/branches-where-head", 200, []any{0, "name", "main"}},
		{"/commits/none/branches-where-head", 422, nil},
		{"/git/tags/" + tag.String(), 200, []any{"object", "sha", first.String()}},
		{"/git/tags/" + main.String(), 404, nil},
	} {
		got := rest(t, s, token, "/repos/acme/history"+tt.path)
		if got.status != tt.status {
			t.Errorf("%s: %d, want %d: %s", tt.path, got.status, tt.status, got.body)
			continue
		}
		if n := len(tt.want); n > 0 && got.json(t, tt.want[:n-1]...) != tt.want[n-1] {
			t.Errorf("%s: %v is not %v: %s", tt.path, tt.want[:n-1], tt.want[n-1], got.body)
		}
	}
}
