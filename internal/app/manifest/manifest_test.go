package manifest_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/app/manifest"
	"github.com/wormsweep/wormsweep/internal/githubtest"
)

var update = flag.Bool("update", false, "write the manifests and the table of the documents again")

// TestManifests: a file for each tier is in the documents, and is what the table makes.
func TestManifests(t *testing.T) {
	for _, tier := range manifest.Tiers {
		hook := ""
		if len(tier.Events()) > 0 {
			hook = "https://wormsweep.example.com/webhook"
		}
		m, err := manifest.New(tier, "Wormsweep of YOUR-ORGANISATION", hook, "")
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("../../../docs/github", "app-manifest-"+string(tier)+".json")
		if tier == manifest.Sweep {
			file = "../../../docs/github/app-manifest.json"
		}
		if *update {
			if err := os.WriteFile(file, m.JSON(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if text, err := os.ReadFile(file); err != nil || !bytes.Equal(text, m.JSON()) {
			t.Errorf("%s is not the manifest of the tier %s (go test -update): %v", file, tier, err)
		}
	}
}

// TestEventsAreAllowed: GitHub refuses a manifest with an event for which the permission lacks.
func TestEventsAreAllowed(t *testing.T) {
	for _, tier := range manifest.Tiers {
		m, err := manifest.New(tier, "x", "https://wormsweep.example.com/webhook", "")
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range tier.Events() {
			needs, known := githubtest.EventPermissions[e.Name]
			if !known || e.Needs == "" != (len(needs) == 0) || e.Needs != "" && (!slices.Contains(needs, e.Needs) || m.Permissions[e.Needs] == "") {
				t.Errorf("%s: the event %s needs one of %q, and the table says %q", tier, e.Name, needs, e.Needs)
			}
		}
	}
}

// TestNothingTooMuch: what would let a thief of the key do more than read is in no tier.
func TestNothingTooMuch(t *testing.T) {
	for _, p := range manifest.Permissions {
		if p.Level != "read" && p.Name != "issues" && p.Name != "checks" {
			t.Errorf("%s: %s", p.Name, p.Level)
		}
		for _, never := range []string{"administration", "workflows", "secrets", "hooks"} {
			if strings.Contains(p.Name, never) && (p.Tier != manifest.Blast || never == "workflows" || never == "hooks") {
				t.Errorf("%s is asked for", p.Name)
			}
		}
	}
	seen := map[string]bool{}
	for _, p := range manifest.Permissions {
		if seen[p.Name] || p.Why == "" || p.Without == "" {
			t.Errorf("%+v", p)
		}
		seen[p.Name] = true
	}
}

func TestLackingAndBeyond(t *testing.T) {
	granted := map[string]string{"metadata": "read", "contents": "write", "issues": "read", "members": "read", "organization_self_hosted_runners": "read", "secrets": "read"}
	var lacking []string
	for _, p := range manifest.Sweep.Lacking(granted) {
		lacking = append(lacking, p.Name)
	}
	if got := fmt.Sprint(lacking, manifest.Sweep.Beyond(granted)); got != "[issues pull_requests actions packages attestations] [contents: write secrets: read]" {
		t.Error(got)
	}
}

func TestRefuses(t *testing.T) {
	if _, err := manifest.New(manifest.Detect, strings.Repeat("x", 35), "", ""); err == nil {
		t.Error("a name that GitHub does not take")
	}
	if _, err := manifest.ParseTier("everything"); err == nil {
		t.Error("a tier that is none")
	}
	if tier, err := manifest.ParseTier("detect"); err != nil || tier != manifest.Detect {
		t.Errorf("%s %v", tier, err)
	}
}

const page = "../../../docs/app.md"

var table = regexp.MustCompile(`(?s)(<!-- permissions: [^\n]*-->\n).*(<!-- end -->\n)`)

// TestPage: the table of docs/app.md is that of the package.
func TestPage(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("| permission | from tier | why | without it |\n| --- | --- | --- | --- |\n")
	for _, p := range manifest.Permissions {
		fmt.Fprintf(&b, "| `%s: %s` | `%s` | %s | %s |\n", p.Name, p.Level, p.Tier, p.Why, p.Without)
	}
	b.WriteString("\n| event | why |\n| --- | --- |\n")
	for _, e := range manifest.Events {
		fmt.Fprintf(&b, "| `%s` | %s |\n", e.Name, e.Why)
	}
	want := table.ReplaceAllString(string(text), "${1}"+b.String()+"${2}")
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !table.Match(text) || want != string(text) {
		t.Errorf("%s has another table (go test -update)", page)
	}
}
