package hint_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/app/hint"
	"github.com/wormsweep/wormsweep/internal/hook"
	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/internal/triage"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

func acme() *policy.Policy {
	return &policy.Policy{Artifacts: []policy.Artifact{
		{Kind: registry.NPM, Name: "@acme/sdk", Source: "acme/sdk", Identities: []policy.Identity{{SAN: "https://github.com/acme/sdk/.github/workflows/release.yml@refs/tags/v{version}"}}},
		{Kind: registry.OCI, Name: "ghcr.io/acme/team/app", Source: "acme/app"},
		{Kind: registry.Release, Name: "acme/tool", Source: "acme/tool"},
	}}
}

func repository(name string) map[string]any {
	return map[string]any{"id": 7, "name": name, "full_name": "acme/" + name, "owner": map[string]any{"login": "acme", "id": 1}}
}

func TestOf(t *testing.T) {
	const sha = "1111111111111111111111111111111111111111"
	run := func(event, path string) map[string]any {
		return map[string]any{"action": "completed", "repository": repository("sdk"), "workflow_run": map[string]any{"id": 1, "head_sha": sha, "event": event, "path": path}}
	}
	pkg := func(action, kind, name string) map[string]any {
		return map[string]any{"action": action, "registry_package": map[string]any{
			"id": 3, "name": name, "package_type": kind, "ecosystem": kind, "owner": map[string]any{"login": "acme", "id": 1, "type": "Organization"},
			"package_version": map[string]any{"id": 4, "version": "1.2.3"},
		}}
	}
	for _, tt := range []struct {
		event  string
		body   map[string]any
		want   string
		expect bool
		signal bool
	}{
		{"create", map[string]any{"ref": "v1.2.0", "ref_type": "tag", "master_branch": "main", "repository": repository("sdk")}, "npm:@acme/sdk", true, false},
		{"create", map[string]any{"ref": "next", "ref_type": "branch", "master_branch": "main", "repository": repository("sdk")}, "", false, false},
		{"delete", map[string]any{"ref": "v1.2.0", "ref_type": "tag", "repository": repository("SDK")}, "npm:@acme/sdk", false, false},
		{"release", map[string]any{"action": "published", "release": map[string]any{"id": 2, "tag_name": "v1"}, "repository": repository("tool")}, "release:acme/tool", true, false},
		{"release", map[string]any{"action": "created", "release": map[string]any{"id": 2, "tag_name": "v1", "draft": true}, "repository": repository("tool")}, "", false, false},
		{"workflow_run", run("push", ".github/workflows/release.yml"), "npm:@acme/sdk", false, false},
		{"workflow_run", run("push", ".github/workflows/test.yml"), "", false, false},
		{"workflow_run", run("pull_request", ".github/workflows/release.yml"), "", false, false},
		{"workflow_run", run("pull_request_target", ".github/workflows/release.yml"), "npm:@acme/sdk", false, false},
		{"registry_package", pkg("published", "npm", "sdk"), "npm:@acme/sdk", false, false},
		{"registry_package", pkg("published", "npm", "@acme/sdk"), "npm:@acme/sdk", false, false},
		{"registry_package", pkg("published", "CONTAINER", "team/app"), "oci:ghcr.io/acme/team/app", false, false},
		{"registry_package", pkg("published", "npm", "never-heard-of"), "", false, true},
		{"registry_package", pkg("updated", "npm", "never-heard-of"), "", false, false},
	} {
		body, err := json.Marshal(tt.body)
		if err != nil {
			t.Fatal(err)
		}
		h, err := hint.Of(hook.Delivery{Event: tt.event, Body: body, Received: time.Unix(1e9, 0)}, acme())
		if err != nil {
			t.Errorf("%s %s: %v", tt.event, body, err)
			continue
		}
		var got []string
		for _, a := range h.Artifacts {
			got = append(got, a.ID())
		}
		if strings.Join(got, " ") != tt.want || (h.Expect > 0) != tt.expect || (h.Signal != nil) != tt.signal {
			t.Errorf("%s %s: %q, more often for %v, signal %+v", tt.event, body, got, h.Expect, h.Signal)
		}
		if h.Signal != nil && (h.Signal.AlertID != triage.AlertPublish || h.Signal.Subject.Part("version") != "1.2.3") {
			t.Errorf("%+v", h.Signal)
		}
	}
	if _, err := hint.Of(hook.Delivery{Event: "release", Body: []byte(`{"action":"published"}`)}, acme()); err == nil {
		t.Error("a body of another event was read")
	}
}
