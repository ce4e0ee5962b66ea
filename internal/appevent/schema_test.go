package appevent_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/appevent"
)

// schemas are GitHub's descriptions of what it delivers, of @octokit/openapi.
type schemas struct {
	Webhooks map[string]struct {
		Post struct {
			Operation string `json:"operationId"` // "pull-request/opened"
			Body      struct {
				Content map[string]struct {
					Schema *schema `json:"schema"`
				} `json:"content"`
			} `json:"requestBody"`
		} `json:"post"`
	} `json:"x-webhooks"`
	Components struct {
		Schemas map[string]*schema `json:"schemas"`
	} `json:"components"`
}

type schema struct {
	Ref        string             `json:"$ref"`
	Type       string             `json:"type"`
	Enum       []any              `json:"enum"`
	Required   []string           `json:"required"`
	Properties map[string]*schema `json:"properties"`
	Items      *schema            `json:"items"`
	OneOf      []*schema          `json:"oneOf"`
	AnyOf      []*schema          `json:"anyOf"`
	AllOf      []*schema          `json:"allOf"`
	Nullable   bool               `json:"nullable"`
}

// bodies makes bodies of schemas: of what a schema requires alone, or of all that it has.
type bodies struct {
	all   map[string]*schema
	whole bool
}

// of is a value of a schema. name is of the member that it is for, within that of in.
func (b *bodies) of(s *schema, in, name string, depth int) any {
	for s.Ref != "" {
		s = b.all[strings.TrimPrefix(s.Ref, "#/components/schemas/")]
	}
	switch {
	case len(s.Enum) > 0:
		return s.Enum[0]
	case len(s.OneOf) > 0:
		return b.of(s.OneOf[0], in, name, depth)
	case len(s.AnyOf) > 0:
		return b.of(s.AnyOf[0], in, name, depth)
	}
	object := map[string]any{}
	for _, part := range s.AllOf {
		if members, ok := b.of(part, in, name, depth).(map[string]any); ok {
			for k, v := range members {
				object[k] = v
			}
		}
	}
	switch s.Type {
	case "integer", "number":
		return 1
	case "boolean":
		return false
	case "array":
		if b.whole && s.Items != nil && depth < 5 {
			return []any{b.of(s.Items, in, name, depth+1)}
		}
		return []any{}
	case "string":
		return text(in, name)
	}
	if s.Nullable && !b.whole {
		return nil
	}
	for member, p := range s.Properties {
		if slices.Contains(s.Required, member) || b.whole && depth < 5 {
			object[member] = b.of(p, name, member, depth+1)
		}
	}
	if _, ok := object["full_name"]; ok {
		object["name"], object["full_name"], object["id"] = "web", "acme/web", 7
		object["owner"] = map[string]any{"login": "acme", "id": 3, "type": "Organization"}
	}
	return object
}

// text is a string for a member.
func text(in, name string) any {
	switch {
	case name == "base_ref" && in != "merge_group":
		return "main"
	case in == "" && name == "ref", strings.HasSuffix(name, "_ref"):
		return "refs/heads/main"
	case name == "full_name":
		return "acme/web"
	case name == "login":
		return "acme"
	case name == "ghsa_id":
		return "GHSA-aaaa-bbbb-cccc"
	case strings.HasSuffix(name, "sha"), strings.HasSuffix(name, "oid"), name == "before", name == "after", name == "tree_id",
		name == "id" && (in == "commits" || in == "head_commit"):
		return commitA
	case strings.HasSuffix(name, "_at"):
		return "2026-08-01T00:00:00Z"
	case name == "type":
		return "Organization"
	}
	return "main"
}

// TestSchema: bodies made of GitHub's own schemas are read as what they are, with the least that
// they must have and with all that they may have, and as nothing else. The rules of a few members
// are not in the schema.
func TestSchema(t *testing.T) {
	npm := os.Getenv("SCHEMATEST_NPM")
	if npm == "" {
		t.Skip("SCHEMATEST_NPM is not set: scripts/schema-check.sh sets it")
	}
	data, err := os.ReadFile(filepath.Join(npm, "@octokit/openapi/generated/api.github.com.json"))
	if err != nil {
		t.Fatal(err)
	}
	var doc schemas
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	read := map[string]int{}
	for _, hook := range doc.Webhooks {
		event, _, _ := strings.Cut(strings.ReplaceAll(hook.Post.Operation, "-", "_"), "/")
		for _, whole := range []bool{false, true} {
			b := &bodies{doc.Components.Schemas, whole}
			body, ok := b.of(hook.Post.Body.Content["application/json"].Schema, "", "", 0).(map[string]any)
			if !ok {
				t.Fatalf("%s: its body is no object", hook.Post.Operation)
			}
			mend(event, body)
			text, err := json.Marshal(body)
			if err != nil {
				t.Fatal(err)
			}
			if appevent.Known(event) {
				if _, err := appevent.Parse(event, text); err != nil {
					t.Errorf("%s, whole %t: %v", hook.Post.Operation, whole, err)
				}
				read[event]++
			}
			readAsNoOther(t, event, hook.Post.Operation, text)
		}
	}
	for _, event := range appevent.Events() {
		if read[event] == 0 {
			t.Errorf("GitHub's description has no event %q", event)
		}
	}
}

// mend makes a body one that GitHub sends, where its schema lets more be.
func mend(event string, body map[string]any) {
	repository := map[string]any{"id": 7, "name": "web", "full_name": "acme/web", "owner": map[string]any{"login": "acme", "id": 3}}
	organization := map[string]any{"login": "acme", "id": 3}
	switch event {
	case "merge_group":
		body["repository"] = repository
	case "deployment_protection_rule":
		body["repository"], body["action"], body["environment"] = repository, "requested", "production"
		body["deployment_callback_url"] = "https://api.github.com/"
		body["deployment"] = map[string]any{"id": 1, "sha": commitA, "ref": "main"}
	case "ping":
		body["zen"], body["hook_id"] = "Keep it logically awesome.", 1
	case "create", "delete":
		body["ref"] = "main"
	case "check_run":
		if body["action"] == nil {
			body["action"] = "created"
		}
	case "branch_protection_rule":
		body["rule"].(map[string]any)["repository_id"] = 7
	case "secret_scanning_alert", "secret_scanning_alert_location":
		body["alert"] = map[string]any{"number": 1, "secret_type": "npm_access_token"}
		if event == "secret_scanning_alert_location" {
			body["location"] = map[string]any{"type": "commit", "details": map[string]any{"commit_sha": commitA}}
		}
	case "dependabot_alert":
		body["alert"].(map[string]any)["dependency"] = map[string]any{"package": map[string]any{"ecosystem": "npm", "name": "web"}}
	case "organization":
		delete(body, "repository") // it is of none
	case "personal_access_token_request", "membership", "org_block", "team":
		body["organization"] = organization
	case "push":
		body["deleted"] = false
	}
	if pull, ok := body["pull_request"].(map[string]any); ok {
		for _, side := range []string{"head", "base"} {
			if s, ok := pull[side].(map[string]any); ok {
				s["ref"], s["repo"] = "main", repository
			}
		}
	}
}
