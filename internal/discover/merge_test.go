package discover_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/discover"
	"github.com/wormsweep/wormsweep/internal/policy"
)

// mergeRepositories publish an npm package with a token, and a release.
var mergeRepositories = map[string]memory{
	"sdk": {"package.json": npmPackage, ".github/workflows/release.yml": ofSteps(onTags, "", "run: npm publish", "run: gh release create x")},
}

const addedRelease = `  # published at .github/workflows/release.yml:8 (gh release create)
  - artifact: release:acme/sdk
    source: acme/sdk
    # from .github/workflows/release.yml:1: v*
    tag: "v{version}"
    # nothing at .github/workflows/release.yml:8 signs it: whoever has its token publishes what they like
    unsigned: true
`

// TestMerge: artifacts that are not there are added, and not a byte of what is there changes.
func TestMerge(t *testing.T) {
	deeper := "    " + strings.ReplaceAll(strings.TrimSuffix(addedRelease, "\n"), "\n", "\n  ")[2:] + "\n"
	for _, tt := range []struct{ name, before, after, notes string }{
		{
			name:   "the last key",
			before: "# ours\nversion: 1\norganisation: acme\nartifacts:\n  # tightened\n  - artifact: npm:@acme/sdk\n    unsigned: true # for now\n",
			after:  addedRelease,
			notes:  `"npm:@acme/sdk": + source: acme/sdk`,
		},
		{
			name:   "no line break at the end",
			before: "version: 1\nartifacts:\n  - artifact: npm:@acme/sdk\n    unsigned: true",
			after:  "\n" + addedRelease,
		},
		{
			name:   "another indentation",
			before: "version: 1\nartifacts:\n- {artifact: \"npm:@acme/sdk\", unsigned: true}\n",
			after:  "# " + strings.ReplaceAll(strings.TrimPrefix(addedRelease, "  # "), "\n  ", "\n"),
		},
		{
			name:   "a deeper indentation",
			before: "version: 1\nartifacts:\n    - {artifact: \"npm:@acme/sdk\", unsigned: true}\n",
			after:  deeper,
		},
		{
			name:   "before another key",
			before: "version: 1\nartifacts:\n  - artifact: npm:@acme/sdk\n    unsigned: true\n||\n# of the organisation\norganisation: acme\n",
			after:  addedRelease,
		},
		{
			name:   "all is there",
			before: "version: 1\norganisation: acme\nartifacts:\n  - artifact: npm:@acme/sdk\n    unsigned: true\n  - artifact: release:Acme/SDK\n    tag: \"{version}\"\n    unsigned: true\n",
			notes:  "\"release:acme/sdk\": - tag: \"{version}\"\n\"release:acme/sdk\": + tag: \"v{version}\"",
		},
		{
			name:   "a list in brackets",
			before: "version: 1\norganisation: acme\nartifacts: [{artifact: \"npm:@acme/sdk\", unsigned: true}]\n",
			notes:  "add these by hand\n  # published at",
		},
	} {
		before, tail, cut := strings.Cut(tt.before, "||")
		if !cut {
			tail = ""
		}
		existing := before + tail
		p := propose(t, discover.Options{Organisation: "acme", Existing: []byte(existing)}, mergeRepositories)
		if want := before + tt.after + tail; string(p.Text) != want {
			t.Errorf("%s: the policy is\n%s\nwant\n%s", tt.name, p.Text, want)
		}
		if p.Missing != nil {
			t.Errorf("%s: %v", tt.name, p.Missing)
		}
		if notes := strings.Join(p.Notes, "\n"); !strings.Contains(notes, tt.notes) {
			t.Errorf("%s: notes\n%s\nwant\n%s", tt.name, notes, tt.notes)
		}
		again := propose(t, discover.Options{Organisation: "acme", Existing: p.Text}, mergeRepositories)
		if !bytes.Equal(again.Text, p.Text) || len(again.Added) > 0 {
			t.Errorf("%s: a second run adds %q\n%s", tt.name, again.Added, again.Text)
		}
	}
}

// What needs a registry that the policy does not have is not added.
func TestMergeWithoutItsRegistry(t *testing.T) {
	repos := map[string]memory{"sdk": {
		"package.json":                  `{"name": "@acme/sdk", "publishConfig": {"registry": "https://npm.acme.example"}}`,
		".github/workflows/release.yml": ofSteps(onTags, "", "run: npm publish"),
	}}
	const existing = "version: 1\norganisation: acme\nartifacts:\n  - {artifact: \"npm:other\", unsigned: true}\n"
	p := propose(t, discover.Options{Existing: []byte(existing)}, repos)
	if string(p.Text) != existing || !strings.Contains(strings.Join(p.Notes, "\n"), `published at "npm.acme.example", which is none of the registries`) {
		t.Errorf("%s\n%q", p.Text, p.Notes)
	}
}

// A policy that does not validate is not added to.
func TestMergeNeedsAPolicy(t *testing.T) {
	_, err := discover.Run(t.Context(), nil, discover.Options{Existing: []byte("version: 1\n"), Name: "x.yaml"})
	if err == nil || !strings.Contains(err.Error(), "no artifacts") {
		t.Errorf("the error is %v", err)
	}
}

// Repositories without an owner need one.
func TestNeedsAnOrganisation(t *testing.T) {
	if _, err := discover.Run(t.Context(), nil, discover.Options{}); err == nil || !strings.Contains(err.Error(), "no organisation") {
		t.Errorf("the error is %v", err)
	}
}

// A policy that a person tightened stays so, whatever the repository says now.
func TestMergeKeepsWhatIsTightened(t *testing.T) {
	tightened := "version: 1\norganisation: acme\nartifacts:\n  - artifact: npm:@acme/sdk\n    source: acme/sdk\n    tag: v{version}\n    identities:\n" +
		"      - {issuer: \"https://token.actions.githubusercontent.com\", san: \"https://github.com/acme/sdk/.github/workflows/release.yml@refs/tags/{tag}\", repository-id: 1, owner-id: 2}\n"
	p := propose(t, discover.Options{Existing: []byte(tightened)}, map[string]memory{"sdk": {
		"package.json":               npmPackage,
		".github/workflows/evil.yml": ofSteps("on: {push: {branches: [main]}}", idToken, "run: npm publish"),
	}})
	if string(p.Text) != tightened || !strings.Contains(strings.Join(p.Notes, "\n"), "+ workflow: .github/workflows/evil.yml") {
		t.Errorf("%s\n%q", p.Text, p.Notes)
	}
	if _, err := policy.Parse("x", p.Text); err != nil {
		t.Error(err)
	}
}
