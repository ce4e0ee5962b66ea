package githubtest_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/s2"

	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
)

// toolDigest is that of "a tool".
const toolDigest = "sha256:38af692dd9d8ad23452d6fa0eea8c069bcffb7baa53c479b9172d559e0b2f8b0"

// world is a server with something for every route to show.
func world(t *testing.T, opts githubtest.Options) (s *githubtest.Server, token string) {
	t.Helper()
	s = githubtest.Start(t, opts)
	r := history(s)
	r.Change(func(r *githubtest.Repository) {
		r.Description, r.Topics, r.Kilobytes = "what was", []string{"npm", "tier-1"}, 42
		r.Runners = []githubtest.Runner{{ID: 1, Name: "runner-1", Labels: []string{"self-hosted"}}}
		r.Releases = []githubtest.Release{{ID: 5, Tag: "v1", Name: "First", Body: "notes", At: r.CreatedAt, Immutable: true, Assets: []githubtest.Asset{
			{ID: 6, Name: "tool.tar.gz", Type: "application/gzip", Data: []byte("a tool")}, {ID: 7, Name: "old.zip", Digest: "-", Open: true},
		}}}
	})
	r.Publish(githubtest.Release{Tag: "v2/rc", Draft: true, Name: "not seen"})
	for _, subject := range []string{toolDigest, toolDigest, "sha1:" + strings.Repeat("1", 40)} {
		r.Attest(githubtest.Attestation{Subject: subject, Predicate: "https://slsa.dev/provenance/v1", Bundle: []byte(`{"mediaType":"x"}`), Inline: true})
	}
	r.Attest(githubtest.Attestation{Subject: toolDigest, Predicate: "https://in-toto.io/attestation/release/v0.2", Bundle: []byte(`{}`)})
	content := gitstore.NewMemory()
	content.Commit(content.Head(), "first", gitstore.Files{
		"a/b/c.txt": {Data: []byte("text")},
		"big":       {Data: make([]byte, 1<<20+1)},
		"link":      {Mode: gitstore.ModeSymlink, Data: []byte("/etc/passwd")},
		"module":    {Mode: gitstore.ModeSubmodule, Data: []byte(strings.Repeat("1", 40))},
		"run.sh":    {Mode: gitstore.ModeExecutable, Data: []byte("#!/bin/sh\n")},
	})
	s.Add(githubtest.Repository{Name: "files", Content: content, Visibility: githubtest.Internal})
	s.Add(githubtest.Repository{Name: "empty", Fork: true, Visibility: githubtest.Public})
	s.AddFiles("archived", map[string]string{"a": "1"}).Change(func(r *githubtest.Repository) { r.Archived = true })
	s.AddFiles("closed", map[string]string{"a": "1"}).Change(func(r *githubtest.Repository) { r.IssuesOff = true })
	s.AddFiles("disabled", map[string]string{"a": "1"}).Change(func(r *githubtest.Repository) { r.Disabled = true })
	org := s.Organization("acme")
	s.AddMembers(org, "wren", "finch")
	s.AddTeam(org, "birds", "wren")
	s.AddTeam(org, "small-birds", "finch")
	s.ChangeTeam(org, "small-birds", func(t *githubtest.Team) { t.Parent, t.Pending = "birds", []string{"heron"} })
	s.Update(func() { org.Runners = []githubtest.Runner{{ID: 2, Name: "SHA1HULUD"}} })
	s.Add(githubtest.Repository{Owner: "wren", Name: "dotfiles", Visibility: githubtest.Public})
	at := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	s.AddPackage(org, githubtest.Package{Type: "container", Name: "team/app", Versions: []githubtest.PackageVersion{
		{Name: toolDigest, Tags: []string{"1.0", "latest"}, At: at}, {Name: "sha256:" + strings.Repeat("2", 64), At: at, Deleted: at.Add(time.Hour)},
	}})
	s.AddPackage(s.Organization("wren"), githubtest.Package{Type: "npm", Name: "tool", Visibility: githubtest.Public, Versions: []githubtest.PackageVersion{{Name: "1.0.0", At: at}}})
	for i := range 5 {
		s.AddAdvisories(githubtest.Advisory{
			ID: fmt.Sprintf("GHSA-2222-3333-44%02d", i), Ecosystem: "npm", Package: "evil", Range: "= 1.0.0", Summary: "Malware in evil",
			Published: time.Date(2026, 1, 1+i, 0, 0, 0, 0, time.UTC), References: []string{"https://example.com/a"},
		})
	}
	return s, s.InstallationToken(s.Installation())
}

// TestRoutes asks for every route of the table, with the answers that matter.
func TestRoutes(t *testing.T) {
	s, token := world(t, githubtest.Options{})
	head, _ := gitstore.Lookup(s.Repo("acme/history").Content, "refs/heads/main")
	tree, _ := gitstore.TreeOf(s.Repo("acme/history").Content, head)
	blob := gitstore.Object{Kind: gitstore.Blob, Data: []byte("3")}.ID()
	annotated, _ := gitstore.Lookup(s.Repo("acme/history").Content, "refs/tags/v3")
	person := "token " + s.PersonalToken(s.Organization("wren"), nil)
	narrow := "token " + s.PersonalToken(s.Organization("wren"), map[string]string{"contents": "read"})
	app := "Bearer " + jwt(t, s.App(), time.Now().Add(-time.Minute), time.Now().Add(time.Minute))
	spare := s.InstallationToken(s.Installation())
	s.Repo("acme/history").AddIssue(s.Organization("wren"), "old", "text", "incident")

	for _, tt := range []struct {
		method, path, as string
		body             map[string]any
		status           int
		want             []any // a path into the answer, then what stands there
	}{
		{"GET", "/app", app, nil, 200, []any{"slug", "sweeper"}},
		{"GET", "/app/installations", app, nil, 200, []any{0, "account", "login", "acme"}},
		{"GET", fmt.Sprintf("/app/installations/%d", s.Installation().ID), app, nil, 200, []any{"account", "login", "acme"}},
		{"GET", "/app/installations/1", app, nil, 404, nil},
		{"GET", "/app/hook/config", app, nil, 200, []any{"content_type", "json"}},
		{"GET", "/app/hook/deliveries?status=failure", app, nil, 200, nil},
		{"GET", "/app/hook/deliveries/1", app, nil, 404, nil},
		{"POST", "/app/hook/deliveries/1/attempts", app, nil, 404, nil},
		{"POST", "/app-manifests/nosuchcode/conversions", "", nil, 404, nil},
		{"GET", "/orgs/acme/installation", app, nil, 200, []any{"repository_selection", "all"}},
		{"GET", "/orgs/nobody/installation", app, nil, 404, []any{"message", "Not Found"}},
		{"GET", "/repos/acme/history/installation", app, nil, 200, []any{"app_slug", "sweeper"}},
		{"GET", "/users/wren/installation", app, nil, 404, nil},
		{"POST", fmt.Sprintf("/app/installations/%d/access_tokens", s.Installation().ID), app, map[string]any{"repositories": []string{"history"}}, 201, []any{"repository_selection", "selected"}},
		{"GET", "/installation/repositories?per_page=2&page=2", "", nil, 200, []any{"total_count", 6.0}},
		{"DELETE", "/installation/token", "token " + spare, nil, 204, nil},

		{"GET", "/orgs/acme", "", nil, 200, []any{"total_private_repos", 5.0}},
		{"GET", "/orgs/nobody", "", nil, 404, nil},
		{"GET", "/orgs/acme/repos?type=all&per_page=100", "", nil, 200, []any{0, "name", "disabled"}},
		{"GET", "/orgs/acme/repos?sort=full_name", "", nil, 200, []any{0, "name", "archived"}},
		{"GET", "/orgs/acme/repos?sort=created&direction=asc", "", nil, 200, []any{0, "name", "history"}},
		{"GET", "/orgs/acme/repos?type=forks", "", nil, 200, []any{0, "name", "empty"}},
		{"GET", "/orgs/acme/members", "", nil, 200, []any{1, "login", "finch"}},
		{"GET", "/orgs/acme/memberships/Wren", "", nil, 200, []any{"user", "login", "wren"}},
		{"GET", "/orgs/acme/memberships/heron", "", nil, 404, nil},
		{"GET", "/orgs/acme/teams/small-birds/members", "", nil, 200, []any{0, "login", "finch"}},
		{"GET", "/orgs/acme/teams/birds/members?per_page=1", "", nil, 200, []any{0, "login", "wren"}},
		{"GET", "/orgs/acme/teams/fish/members", "", nil, 404, nil},
		{"GET", "/orgs/acme/teams/birds/memberships/finch", "", nil, 200, []any{"state", "active"}},
		{"GET", "/orgs/acme/teams/small-birds/memberships/wren", "", nil, 404, nil},
		{"GET", "/orgs/acme/teams/small-birds/memberships/heron", "", nil, 200, []any{"state", "pending"}},
		{"GET", "/orgs/acme/actions/runners", "", nil, 200, []any{"runners", 0, "name", "SHA1HULUD"}},
		{"GET", "/users/wren", "", nil, 200, []any{"public_repos", 1.0}},
		{"GET", "/users/nobody", "", nil, 404, nil},
		{"GET", "/users/wren/repos?sort=created", "", nil, 200, []any{0, "name", "dotfiles"}},

		{"GET", "/repos/acme/history", "", nil, 200, []any{"size", 42.0}},
		{"GET", "/repos/acme/history/git/trees/" + tree.String(), "", nil, 200, []any{"tree", 0, "type", "tree"}},
		{"GET", "/repos/acme/history/git/trees/" + head.String() + "?recursive=1", "", nil, 200, []any{"tree", 1, "path", "docs/a.md"}},
		{"GET", "/repos/acme/files/git/trees/main?recursive=1", "", nil, 200, []any{"tree", 5, "type", "commit"}},
		{"GET", "/repos/acme/empty/git/trees/main", "", nil, 409, []any{"message", "Git Repository is empty."}},
		{"GET", "/repos/acme/history/git/trees/" + strings.Repeat("1", 40), "", nil, 404, nil},
		{"GET", "/repos/acme/history/git/blobs/" + blob.String(), "", nil, 200, []any{"content", "Mw==\n"}},
		{"GET", "/repos/acme/history/git/blobs/" + tree.String(), "", nil, 404, nil},
		{"GET", "/repos/acme/history/git/commits/" + head.String(), "", nil, 200, []any{"tree", "sha", tree.String()}},
		{"GET", "/repos/acme/history/git/ref/heads/main", "", nil, 200, []any{"object", "sha", head.String()}},
		{"GET", "/repos/acme/history/git/ref/tags/v3", "", nil, 200, []any{"object", "type", "tag"}},
		{"GET", "/repos/acme/history/git/ref/heads/none", "", nil, 404, nil},
		{"GET", "/repos/acme/history/git/matching-refs/tags/v", "", nil, 200, []any{2, "ref", "refs/tags/v3"}},
		{"GET", "/repos/acme/history/branches", "", nil, 200, []any{1, "name", "main"}},
		{"GET", "/repos/acme/history/tags", "", nil, 200, []any{2, "commit", "sha", head.String()}},
		{"GET", "/repos/acme/history/pulls", "", nil, 200, []any{0, "head", "ref", "change-1"}},
		{"GET", "/repos/acme/history/pulls?state=closed", "", nil, 200, nil},
		{"GET", "/repos/acme/history/releases", "", nil, 200, []any{0, "tag_name", "v1"}},
		{"GET", "/repos/acme/history/releases", "", nil, 200, []any{0, "assets", 0, "digest", toolDigest}},
		{"GET", "/repos/acme/history/releases", "", nil, 200, []any{0, "assets", 1, "digest", nil}},
		{"GET", "/repos/acme/history/releases/tags/v1", "", nil, 200, []any{"immutable", true}},
		{"GET", "/repos/acme/history/releases/tags/v2/rc", "", nil, 404, nil},
		{"GET", "/repos/acme/history/releases/assets/6", "", nil, 200, []any{"name", "tool.tar.gz"}},
		{"GET", "/repos/acme/history/releases/assets/9", "", nil, 404, nil},
		{"GET", "/repos/acme/history/git/tags/" + annotated.String(), "", nil, 200, []any{"object", "sha", head.String()}},
		{"GET", "/repos/acme/history/git/tags/" + head.String(), "", nil, 404, nil},
		{"GET", "/repos/acme/history/attestations/" + toolDigest, person, nil, 200, []any{"attestations", 0, "bundle", "mediaType", "x"}},
		{"GET", "/repos/acme/history/attestations/" + toolDigest + "?predicate_type=release", person, nil, 200, []any{"attestations", 0, "initiator", "user"}},
		{"GET", "/repos/acme/history/attestations/" + toolDigest, "", nil, 403, []any{"message", "Resource not accessible by integration"}},
		{"GET", "/repos/acme/history/attestations/" + toolDigest + "?predicate_type=sbom", person, nil, 404, nil},
		{"POST", "/orgs/acme/attestations/bulk-list", person, map[string]any{"subject_digests": []string{toolDigest, "sha256:00"}}, 200, []any{"attestations_subject_digests", toolDigest, 1, "bundle", "mediaType", "x"}},
		{"POST", "/orgs/acme/attestations/bulk-list?per_page=2", person, map[string]any{"subject_digests": []string{toolDigest}}, 200, []any{"page_info", "has_next", true}},
		{"POST", "/orgs/acme/attestations/bulk-list", person, map[string]any{"subject_digests": []string{}}, 422, nil},
		{"GET", "/orgs/acme/packages/container/team%2Fapp/versions", person, nil, 200, []any{0, "metadata", "container", "tags", 1, "latest"}},
		{"GET", "/orgs/acme/packages/container/team%2Fapp/versions?state=deleted", person, nil, 200, []any{0, "deleted_at", "2026-02-01T01:00:00Z"}},
		{"GET", "/orgs/acme/packages/container/team%2Fapp/versions", "", nil, 403, []any{"message", "Resource not accessible by integration"}},
		{"GET", "/orgs/acme/packages/npm/none/versions", person, nil, 404, nil},
		{"GET", "/users/wren/packages/npm/tool/versions", person, nil, 200, []any{0, "name", "1.0.0"}},
		{"GET", "/users/wren/packages/npm/tool/versions", narrow, nil, 403, []any{"message", "You need at least read:packages scope to list packages."}},
		{"GET", "/repos/acme/history/actions/runners", "", nil, 200, []any{"runners", 0, "labels", 0, "name", "self-hosted"}},

		{"GET", "/repos/acme/files/contents/a", "", nil, 200, []any{0, "type", "dir"}},
		{"GET", "/repos/acme/files/contents/a/b/c.txt?ref=main", "", nil, 200, []any{"content", base64.StdEncoding.EncodeToString([]byte("text")) + "\n"}},
		{"GET", "/repos/acme/files/contents/big", "", nil, 200, []any{"encoding", "none"}},
		{"GET", "/repos/acme/files/contents/link", "", nil, 200, []any{"target", "/etc/passwd"}},
		{"GET", "/repos/acme/files/contents/module", "", nil, 200, []any{"type", "submodule"}},
		{"GET", "/repos/acme/files/contents/none", "", nil, 404, nil},

		{"GET", "/repos/acme/history/issues?state=open&labels=incident&per_page=10", "", nil, 200, []any{0, "title", "old"}},
		{"POST", "/repos/acme/history/issues", "", map[string]any{"title": "new", "body": "text", "labels": []string{"incident", "malware"}}, 201, []any{"number", 3.0}},
		{"GET", "/repos/acme/history/issues/3", "", nil, 200, []any{"performed_via_github_app", "slug", "sweeper"}},
		{"GET", "/repos/acme/history/issues/9", "", nil, 404, nil},
		{"PATCH", "/repos/acme/history/issues/3", "", map[string]any{"state": "closed", "state_reason": "completed"}, 200, []any{"state", "closed"}},
		{"GET", "/repos/acme/history/issues?creator=sweeper%5Bbot%5D&state=closed", "", nil, 200, []any{0, "number", 3.0}},
		{"PATCH", "/repos/acme/history/issues/3", "", map[string]any{"state": "open", "title": "again", "labels": []string{"other"}}, 200, []any{"labels", 0, "name", "other"}},
		{"PATCH", "/repos/acme/history/issues/3", "", map[string]any{"assignees": []string{"nobody", "wren"}}, 200, []any{"assignees", 0, "login", "wren"}},
		{"POST", "/repos/acme/history/issues/3/labels", "", map[string]any{"labels": []string{"Other", "more"}}, 200, []any{1, "name", "more"}},
		{"PUT", "/repos/acme/history/issues/3/lock", "", map[string]any{"lock_reason": "resolved"}, 204, nil},
		{"GET", "/repos/acme/history/issues/3", "", nil, 200, []any{"locked", true}},
		{"DELETE", "/repos/acme/history/issues/3/lock", "", nil, 204, nil},
		{"POST", "/repos/acme/history/issues/3/comments", "", map[string]any{"body": "more"}, 201, []any{"user", "login", "sweeper[bot]"}},
		{"GET", "/repos/acme/history/issues/3/comments", "", nil, 200, []any{0, "body", "more"}},
		{"POST", "/repos/acme/history/issues", "", map[string]any{"title": "long", "body": strings.Repeat("ä", 65_537)}, 422, []any{"message", "Validation Failed"}},
		{"POST", "/repos/acme/history/issues", "", map[string]any{"title": "long", "body": strings.Repeat("ä", 65_536)}, 201, nil},
		{"POST", "/repos/acme/history/issues", "", map[string]any{"body": "no title"}, 422, nil},
		{"POST", "/repos/acme/closed/issues", "", map[string]any{"title": "x"}, 410, []any{"message", "Issues has been disabled in this repository."}},
		{"POST", "/repos/acme/archived/issues", "", map[string]any{"title": "x"}, 403, []any{"message", "Repository was archived so is read-only."}},
		{"GET", "/repos/acme/archived/git/trees/main", "", nil, 200, nil},
		{"GET", "/repos/acme/disabled/git/trees/main", "", nil, 403, []any{"message", "Repository access blocked"}},
		{"GET", "/repos/acme/history/labels", "", nil, 200, []any{0, "name", "incident"}},
		{"POST", "/repos/acme/history/labels", "", map[string]any{"name": "cured", "color": "00ff00", "description": "gone"}, 201, []any{"color", "00ff00"}},
		{"POST", "/repos/acme/history/labels", "", map[string]any{"name": "Cured"}, 422, nil},
		{"GET", "/repos/acme/history/labels/cured", "", nil, 200, []any{"description", "gone"}},
		{"GET", "/repos/acme/history/labels/none", "", nil, 404, nil},

		{"GET", "/advisories?type=malware&ecosystem=npm&per_page=2", "", nil, 200, []any{0, "ghsa_id", "GHSA-2222-3333-4404"}},
		{"GET", "/advisories?type=malware&modified=%3E%3D2026-01-05", "", nil, 200, []any{0, "vulnerabilities", 0, "package", "name", "evil"}},
		{"GET", "/rate_limit", "", nil, 200, []any{"resources", "core", "limit", 5000.0}},
		{"GET", "/meta", "", nil, 200, nil},
	} {
		as := tt.as
		if as == "" {
			as = "token " + token
		}
		var body any
		if tt.body != nil {
			body = tt.body
		}
		got := ask(t, tt.method, s.URL()+"/api/v3"+tt.path, as, body)
		if got.status != tt.status {
			t.Errorf("%s %s: %d, want %d: %s", tt.method, tt.path, got.status, tt.status, got.body)
			continue
		}
		if n := len(tt.want); n > 0 && got.json(t, tt.want[:n-1]...) != tt.want[n-1] {
			t.Errorf("%s %s: %v is not %v: %s", tt.method, tt.path, tt.want[:n-1], tt.want[n-1], got.body)
		}
	}

	comment := rest(t, s, token, "/repos/acme/history/issues/3/comments").json(t, 0, "id")
	got := ask(t, "PATCH", fmt.Sprintf("%s/api/v3/repos/acme/history/issues/comments/%.0f", s.URL(), comment), "token "+token, map[string]any{"body": "less"})
	if got.status != 200 || got.json(t, "body") != "less" {
		t.Errorf("comment: %d %s", got.status, got.body)
	}
	home := s.Repo("acme/history")
	written := home.AddComment(3, s.Organization("wren"), nil, "/ack")
	home.EditComment(written, "/ack now")
	if got := rest(t, s, token, fmt.Sprintf("/repos/acme/history/issues/comments/%d", written)); got.json(t, "body") != "/ack now" || got.json(t, "user", "login") != "wren" {
		t.Errorf("comment: %s", got.body)
	}
	home.DeleteComment(written)
	if got := rest(t, s, token, fmt.Sprintf("/repos/acme/history/issues/comments/%d", written)); got.status != 404 {
		t.Errorf("a comment that was deleted: %d", got.status)
	}
	if got := rest(t, s, token, "/repos/acme/history/git/blobs/"+blob.String(), "Accept", "application/vnd.github.raw+json"); string(got.body) != "3" {
		t.Errorf("raw: %q", got.body)
	}

	askActions(t, s, token)
	askChecks(t, s, token, head)

	asked := map[string]bool{}
	for _, e := range s.Log() {
		asked[e.Route] = true
	}
	for _, route := range githubtest.Routes() {
		if !asked[route] {
			t.Errorf("no row asks for %s", route)
		}
	}
}

// What is large lies on another host, which must not see a token.
func TestStorage(t *testing.T) {
	s, token := world(t, githubtest.Options{})
	asset := rest(t, s, token, "/repos/acme/history/releases/assets/6", "Accept", "application/octet-stream")
	person := s.PersonalToken(s.Organization("wren"), nil)
	bundle := rest(t, s, person, "/repos/acme/history/attestations/"+toolDigest+"?predicate_type=release").json(t, "attestations", 0, "bundle_url").(string)
	if got := ask(t, "GET", asset.header.Get("Location"), "", nil); asset.status != 302 || string(got.body) != "a tool" {
		t.Errorf("asset: %d, %d %q", asset.status, got.status, got.body)
	}
	got := ask(t, "GET", bundle, "", nil)
	if raw, err := s2.Decode(nil, got.body); err != nil || string(raw) != "{}" {
		t.Errorf("bundle: %q, %v", raw, err)
	}
	if got := ask(t, "GET", strings.Split(bundle, "?")[0], "", nil); got.status != 403 {
		t.Errorf("without the signature of its address: %d", got.status)
	}
	if _, asked := s.Storage(); asked != 3 {
		t.Errorf("asked %d times", asked)
	}
	ask(t, "GET", bundle, "token "+token, nil)
	if v := s.Violations(); len(v) != 1 || !strings.Contains(v[0], "a token was sent") {
		t.Errorf("violations %q", v)
	}
	s.ForgetViolations()
}

func TestPages(t *testing.T) {
	s, token := world(t, githubtest.Options{})
	var names []string
	next := "/installation/repositories?per_page=4"
	for pages := 0; next != "" && pages < 5; pages++ {
		got := rest(t, s, token, next)
		for _, r := range got.json(t, "repositories").([]any) {
			names = append(names, r.(map[string]any)["name"].(string))
		}
		next = ""
		for link := range strings.SplitSeq(got.header.Get("Link"), ", ") {
			if address, found := strings.CutSuffix(link, `>; rel="next"`); found {
				next = strings.TrimPrefix(address, "<"+s.URL()+"/api/v3")
			}
		}
	}
	if !slices.Equal(names, []string{"history", "files", "empty", "archived", "closed", "disabled"}) {
		t.Errorf("%q", names)
	}
	got := rest(t, s, token, "/advisories?type=malware&per_page=3")
	if _, after, _ := strings.Cut(got.header.Get("Link"), "after="); after == "" {
		t.Errorf("link %q", got.header.Get("Link"))
	}
}

func TestTruncatedTree(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{TreeEntries: 3})
	history(s)
	token := s.InstallationToken(s.Installation())
	got := rest(t, s, token, "/repos/acme/history/git/trees/main?recursive=1")
	if got.json(t, "truncated") != true || len(got.json(t, "tree").([]any)) != 3 {
		t.Errorf("%s", got.body)
	}
	if got := rest(t, s, token, "/repos/acme/history/git/trees/main"); got.json(t, "truncated") != false {
		t.Errorf("%s", got.body)
	}
}

func TestRenamed(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	r := s.AddFiles("old", map[string]string{"a": "1"})
	r.Rename("new")
	token := s.InstallationToken(s.Installation())
	got := rest(t, s, token, "/repos/acme/old/git/trees/main?recursive=1")
	to := got.header.Get("Location")
	if got.status != 301 || to != fmt.Sprintf("%s/api/v3/repositories/%d/git/trees/main?recursive=1", s.URL(), r.ID) {
		t.Errorf("%d %q", got.status, to)
	}
	if got := ask(t, "GET", to, "token "+token, nil); got.status != 200 || got.json(t, "tree", 0, "path") != "a" {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := ask(t, "POST", s.URL()+"/api/v3/repos/acme/old/issues", "token "+token, map[string]any{"title": "x"}); got.status != 307 {
		t.Errorf("a write to the old name: %d", got.status)
	}
	if got := rest(t, s, token, "/repositories/1"); got.status != 404 {
		t.Errorf("no such number: %d", got.status)
	}
	s.AddFiles("old", nil)
	if got := rest(t, s, token, "/repos/acme/old"); got.status != 200 || got.json(t, "name") != "old" {
		t.Errorf("the name, taken again: %d %s", got.status, got.body)
	}
}

func TestIssuesAppearLate(t *testing.T) {
	clock := newClock()
	s := githubtest.Start(t, githubtest.Options{Now: clock.Now, IssueDelay: time.Minute})
	s.AddFiles("one", nil)
	token := s.InstallationToken(s.Installation())
	url := s.URL() + "/api/v3/repos/acme/one/issues"
	open := func() int { return len(ask(t, "GET", url, "token "+token, nil).json(t).([]any)) }
	ask(t, "POST", url, "token "+token, map[string]any{"title": "x"})
	if n := open(); n != 0 {
		t.Errorf("%d at once", n)
	}
	if got := ask(t, "GET", url+"/1", "token "+token, nil); got.status != 200 {
		t.Errorf("by its number: %d", got.status)
	}
	clock.Add(time.Minute)
	if n := open(); n != 1 {
		t.Errorf("%d after a minute", n)
	}
	ask(t, "PATCH", url+"/1", "token "+token, map[string]any{"state": "closed"})
	if n := open(); n != 1 {
		t.Errorf("%d just after it was closed", n)
	}
	clock.Add(time.Minute)
	if n := open(); n != 0 {
		t.Errorf("%d a minute after it was closed", n)
	}
}

func TestUnexpected(t *testing.T) {
	s := githubtest.New(githubtest.Options{})
	defer s.Close()
	token := s.InstallationToken(s.Installation())
	for _, path := range []string{"/api/v3/nothing", "/", "/api/v3/repos/acme", "/api/v3//app", "/acme/x/info/refs/more"} {
		s.ForgetViolations()
		if got := ask(t, "GET", s.URL()+path, "token "+token, nil); got.status != 404 || len(s.Violations()) != 1 {
			t.Errorf("%s: %d, violations %q", path, got.status, s.Violations())
		}
	}
}

// askChecks asks for the routes of check runs.
func askChecks(t *testing.T, s *githubtest.Server, token string, head gitstore.ID) {
	t.Helper()
	post := func(method, path string, body map[string]any, status int) answer {
		t.Helper()
		got := ask(t, method, s.URL()+"/api/v3/repos/acme/history"+path, "token "+token, body)
		if got.status != status {
			t.Errorf("%s %s %v: %d, want %d: %s", method, path, body, got.status, status, got.body)
		}
		return got
	}
	note := map[string]any{"path": "a", "start_line": 1, "end_line": 1, "annotation_level": "failure", "message": "here"}
	output := func(n int) map[string]any {
		return map[string]any{"title": "t", "summary": "s", "annotations": slices.Repeat([]any{note}, n)}
	}
	made := post("POST", "/check-runs", map[string]any{"name": "sweep", "head_sha": head.String(), "external_id": "x", "status": "completed", "conclusion": "failure", "output": output(50)}, 201)
	id := made.json(t, "id").(float64)
	one := fmt.Sprintf("/check-runs/%.0f", id)
	for _, body := range []map[string]any{
		{"name": "sweep", "head_sha": strings.Repeat("1", 40)},
		{"head_sha": head.String()},
		{"name": "sweep", "head_sha": head.String(), "conclusion": "bad"},
		{"name": "sweep", "head_sha": head.String(), "status": "completed"},
		{"name": "sweep", "head_sha": head.String(), "output": map[string]any{"title": "t"}},
		{"name": "sweep", "head_sha": head.String(), "output": output(51)},
		{"name": "sweep", "head_sha": head.String(), "output": map[string]any{"title": "t", "summary": strings.Repeat("s", 65_536)}},
	} {
		post("POST", "/check-runs", body, 422)
	}
	if got := post("PATCH", one, map[string]any{"conclusion": "success", "output": output(1)}, 200); got.json(t, "output", "annotations_count") != 51.0 || got.json(t, "conclusion") != "success" {
		t.Errorf("%s", got.body)
	}
	post("PATCH", "/check-runs/1", map[string]any{"name": "x"}, 404)
	post("GET", one, nil, 200)
	if got := post("GET", one+"/annotations?per_page=100", nil, 200); got.json(t, 50, "path") != "a" {
		t.Errorf("%s", got.body)
	}
	post("POST", "/check-runs", map[string]any{"name": "sweep", "head_sha": head.String(), "status": "in_progress"}, 201)
	for query, want := range map[string]float64{"": 1, "?filter=all": 2, "?check_name=other": 0, "?status=completed&filter=all": 1, "?app_id=1": 0} {
		if got := post("GET", "/commits/"+head.String()+"/check-runs"+query, nil, 200); got.json(t, "total_count") != want {
			t.Errorf("%q: %v, want %v", query, got.json(t, "total_count"), want)
		}
	}
	person := s.PersonalToken(s.Organization("wren"), nil)
	if got := ask(t, "POST", s.URL()+"/api/v3/repos/acme/history/check-runs", "token "+person, map[string]any{"name": "x", "head_sha": head.String()}); got.status != 403 {
		t.Errorf("a person's token: %d", got.status)
	}
	if runs := s.Repo("acme/history").CheckRuns(); len(runs) != 2 || runs[0].Writes != 2 || len(runs[0].Annotations) != 51 || runs[1].Status != "in_progress" {
		t.Errorf("%+v", runs)
	}
}
