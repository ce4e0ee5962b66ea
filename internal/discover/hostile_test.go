package discover_test

import (
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/wormsweep/wormsweep/internal/discover"
	"github.com/wormsweep/wormsweep/internal/source"
)

// TestUnread: what does not read is said, and what stands beside it is read.
func TestUnread(t *testing.T) {
	for _, tt := range []struct{ path, text, want string }{
		{"package.json", "{", "package.json"},
		{"package.json", `[]`, "no JSON object"},
		{"package.json", `{"name": "a", "name": "b"}`, "name"},
		{"package.json", `{"name": "a"} {}`, "something follows"},
		{"package.json", `{"name": ["a"]}`, "package.json"},
		{"package.json", strings.Repeat(" ", 1<<20+1), "larger than the limit"},
		{"pyproject.toml", "[project\n", "pyproject.toml"},
		{"go.mod", "go 1.26\n", "no module path"},
		{".github/workflows/x.yml", "a: [\n", "x.yml"},
		{".github/workflows/x.yml", "", "EOF"},
		{".github/workflows/x.yml", "- a\n", "no mapping"},
		{".github/workflows/x.yml", "on: push\njobs: {a: &a {steps: []}, b: *a}\n", "YAML aliases"},
		{"goreleaser.yml", "a: &a 1\nb: *a\n", "YAML aliases"},
	} {
		files := memory{"packages/ok/package.json": npmPackage, ".github/workflows/release.yml": ofSteps(onTags, "", "run: npm publish --workspaces")}
		files[tt.path] = tt.text
		p := propose(t, discover.Options{}, map[string]memory{"sdk": files})
		if got := strings.Join(p.Unread, "\n"); !strings.Contains(got, tt.want) || !strings.HasPrefix(got, `"acme/sdk": "`+tt.path) {
			t.Errorf("%q as %s: unread %q; want %q", tt.text[:min(len(tt.text), 100)], tt.path, got, tt.want)
		}
		if len(p.Added) != 1 || p.Added[0] != "npm:@acme/sdk" {
			t.Errorf("%q as %s: proposed %q", tt.text[:min(len(tt.text), 100)], tt.path, p.Added)
		}
	}
}

// TestReads: exact case, letter for letter; and what others wrote is passed over.
func TestReads(t *testing.T) {
	for path, want := range map[string]bool{
		"package.json": true, "packages/a/package.json": true, "node_modules/a/package.json": false, "a/testdata/go.mod": false, "Package.json": false,
		".github/workflows/a.yml": true, ".github/workflows/a.yaml": true, ".github/workflows/a/b.yml": false, "x/.github/workflows/a.yml": false,
		".goreleaser.yaml": true, "goreleaser.yml": true, "sub/goreleaser.yml": false, "goreleaser.json": false, "setup.cfg": true, "setup.py": false,
	} {
		if discover.Reads(path) != want {
			t.Errorf("Reads(%q) is %v", path, !want)
		}
	}
}

// Two repositories that claim one package: it is proposed for one, and both are named.
func TestClaimedTwice(t *testing.T) {
	files := memory{"package.json": npmPackage, ".github/workflows/release.yml": ofSteps(onTags, "", "run: npm publish")}
	p := propose(t, discover.Options{}, map[string]memory{"a": files, "b": files})
	if len(p.Added) != 1 || !strings.Contains(strings.Join(p.Notes, "\n"), `claimed by "acme/a" and by "acme/b"`) || !strings.Contains(string(p.Text), `"acme/b" claims it too`) {
		t.Errorf("%q, %q\n%s", p.Added, p.Notes, p.Text)
	}
}

// What a repository's own problems are is said: it may publish more.
func TestProblemsAreUnread(t *testing.T) {
	p, err := discover.Run(t.Context(), func(yield func(*source.Repository, error) bool) {
		yield(&source.Repository{Name: "x", Problems: []source.Problem{{Code: source.CodeCorrupt, Detail: "a pack"}}}, nil)
	}, discover.Options{Organisation: "acme"})
	if err != nil || len(p.Unread) != 1 || !strings.Contains(p.Unread[0], "corrupt: a pack") {
		t.Errorf("%v, %+v", err, p)
	}
}

// FuzzPropose: no panic, the same answer twice, and whatever a repository holds, the proposal
// is one YAML document with the keys of a policy, of which each artifact is of this repository
// and believes no other.
func FuzzPropose(f *testing.F) {
	f.Add(npmPackage, "[project]\nname = \"a\"\n", "module github.com/acme/sdk\n", ofSteps(onTags, idToken, "run: npm publish", "uses: pypa/gh-action-pypi-publish@v1", "run: gh release create x"), "dockers: [{image_templates: ['ghcr.io/a/b:{{.Tag}}']}]")
	f.Add(`{"name":"a\n  - artifact: npm:evil\n    unsigned: true"}`, "[project]\nname = \"\\u2028x\"\n", "module \"a b\"", ofSteps("on: {push: {tags: ['v\"*', \"a\\n#\"]}}", idToken, "run: npm publish\n        working-directory: \"x\\ny\""), "signs: [{cmd: cosign}]")
	f.Add(`{"name":"@acme/sdk","publishConfig":{"registry":"http://169.254.169.254/\n"}}`, "", "", ofSteps("on: push", "", "run: docker push ghcr.io/${A}/x:1"), "")
	f.Fuzz(func(t *testing.T, pkg, pyproject, mod, workflow, releaser string) {
		files := memory{"package.json": pkg, "pyproject.toml": pyproject, "go.mod": mod, ".github/workflows/release.yml": workflow, ".goreleaser.yml": releaser}
		p := propose(t, discover.Options{}, map[string]memory{"sdk": files})
		again := propose(t, discover.Options{}, map[string]memory{"sdk": files})
		if string(p.Text) != string(again.Text) || strings.Join(p.Notes, "\n") != strings.Join(again.Notes, "\n") {
			t.Fatalf("two answers:\n%s\n%s", p.Text, again.Text)
		}
		var doc struct {
			Version      int              `yaml:"version"`
			Organisation string           `yaml:"organisation"`
			Registries   []map[string]any `yaml:"registries"`
			Artifacts    []struct {
				Artifact   string           `yaml:"artifact"`
				Source     string           `yaml:"source"`
				Identities []map[string]any `yaml:"identities"`
				Rest       map[string]any   `yaml:",inline"`
			} `yaml:"artifacts"`
		}
		dec := yaml.NewDecoder(strings.NewReader(string(p.Text)))
		dec.KnownFields(true)
		if err := dec.Decode(&doc); err != nil {
			t.Fatalf("%v\n%s", err, p.Text)
		}
		if len(doc.Artifacts) != len(p.Added) {
			t.Fatalf("%d artifacts, and %q were added\n%s", len(doc.Artifacts), p.Added, p.Text)
		}
		for i, a := range doc.Artifacts {
			if a.Artifact != p.Added[i] || a.Source != "acme/sdk" || len(a.Identities) > 1 {
				t.Errorf("%+v\n%s", a, p.Text)
			}
			for _, id := range a.Identities {
				if san, _ := id["san"].(string); id["issuer"] != "https://token.actions.githubusercontent.com" || !strings.HasPrefix(san, "https://github.com/acme/sdk/.github/workflows/release.yml@refs/") {
					t.Errorf("%+v\n%s", id, p.Text)
				}
			}
		}
		for _, line := range append(p.Notes, p.Unread...) {
			if strings.ContainsAny(line, "\n\r\x1b\u2028") {
				t.Errorf("not one line: %q", line)
			}
		}
	})
}
