package discover_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/discover"
	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

const (
	npmPackage = `{"name": "@acme/sdk", "version": "1.0.0"}`
	idToken    = "permissions: {id-token: write}"
	onTags     = "on: {push: {tags: ['v*']}}"
)

// ofSteps is a workflow with one job of those steps.
func ofSteps(on, permissions string, steps ...string) string {
	return on + "\n" + permissions + "\njobs:\n  release:\n    runs-on: ubuntu-latest\n    steps:\n      - " + strings.Join(steps, "\n      - ") + "\n"
}

// summary says of each artifact that is proposed how it is believed.
func summary(t *testing.T, p *discover.Proposal) map[string]string {
	t.Helper()
	// Whoever looks it over fills in the numbers.
	text := strings.ReplaceAll(string(p.Text), "# repository-id: to be filled in: GitHub was not asked", "repository-id: 1")
	text = strings.ReplaceAll(text, "# owner-id: to be filled in: GitHub was not asked", "owner-id: 2")
	out := map[string]string{}
	if strings.HasSuffix(text, "artifacts: []\n") {
		return out
	}
	parsed, err := policy.Parse("wormsweep.yaml", []byte(text))
	if err != nil {
		t.Errorf("%v\n%s", err, text)
		return out
	}
	for i := range parsed.Artifacts {
		a := &parsed.Artifacts[i]
		says := "tag " + a.Tag
		if a.Registry != "" {
			says += " at " + a.Registry
		}
		switch {
		case a.Unsigned:
			says += " unsigned"
		case a.Kind != registry.Go:
			id := a.Identities[0]
			says += " " + strings.TrimPrefix(id.SAN, "https://github.com/") + " on " + strings.Join(id.Triggers, ",")
			if id.Ref != "" {
				says += " from " + id.Ref
			}
			if want := ".github/workflows/release.yml"; id.Workflow != want {
				says += " by " + id.Workflow
			}
			if id.Runner == "" {
				says += " anywhere"
			}
			for _, p := range a.Attestations {
				says += " with " + p
			}
		}
		out[a.ID()] = says
	}
	return out
}

func TestPublications(t *testing.T) {
	const (
		release    = ".github/workflows/release.yml"
		bySDK      = "acme/sdk/.github/workflows/release.yml@refs/tags/{tag} on push"
		provenance = " with https://slsa.dev/provenance/v1"
		pypi       = " with https://docs.pypi.org/attestations/publish/v1"
	)
	pyproject := "[project]\nname = \"Acme_SDK\"\n"
	for _, tt := range []struct {
		name  string
		files memory
		want  map[string]string
		notes string // in the notes
		text  string // in the text
	}{
		{name: "nothing", files: memory{}},
		{name: "nobody publishes it", files: memory{"package.json": npmPackage}, notes: `"npm:@acme/sdk": no workflow publishes it`},
		{
			name:  "npm with an identity token",
			files: memory{"package.json": npmPackage, release: ofSteps(onTags, idToken, "run: npm publish")},
			want:  map[string]string{"npm:@acme/sdk": "tag v{version} " + bySDK + provenance},
		},
		{
			name:  "npm with a token",
			files: memory{"package.json": npmPackage, release: ofSteps(onTags, "permissions: {}", "run: npm publish\n        env: {NODE_AUTH_TOKEN: '${{ secrets.NPM_TOKEN }}'}")},
			want:  map[string]string{"npm:@acme/sdk": "tag v{version} unsigned"}, text: "# tokens-allowed: .github/workflows/release.yml:7 publishes with a token",
		},
		{
			name:  "npm with a token and provenance",
			files: memory{"package.json": npmPackage, release: ofSteps(onTags, idToken, "run: npm publish --provenance\n        env: {NODE_AUTH_TOKEN: x}")},
			want:  map[string]string{"npm:@acme/sdk": "tag v{version} " + bySDK + provenance},
		},
		{
			name:  "provenance without permission is none",
			files: memory{"package.json": npmPackage, release: ofSteps(onTags, "permissions: {contents: read}", "run: npm publish --provenance\n        env: {NODE_AUTH_TOKEN: x}")},
			want:  map[string]string{"npm:@acme/sdk": "tag v{version} unsigned"},
		},
		{
			name:  "the manifest asks for provenance",
			files: memory{"package.json": `{"name": "@acme/sdk", "publishConfig": {"provenance": true}}`, release: ofSteps(onTags, idToken, "run: npm publish\n        env: {NODE_AUTH_TOKEN: x}")},
			want:  map[string]string{"npm:@acme/sdk": "tag v{version} " + bySDK + provenance},
		},
		{
			name:  "a dry run, and a comment",
			files: memory{"package.json": npmPackage, release: ofSteps(onTags, idToken, "run: npm publish --dry-run", "run: |\n          # npm publish\n          echo npm publish")},
			notes: "no workflow publishes it",
		},
		{
			name: "one of a workspace, in its folder",
			files: memory{
				"package.json": `{"name": "root", "private": true}`, "packages/a/package.json": `{"name": "a"}`, "packages/b/package.json": `{"name": "b"}`,
				release: ofSteps(onTags, idToken, "run: npm test && npm publish\n        working-directory: ./packages/a"),
			},
			want: map[string]string{"npm:a": "tag v{version} " + bySDK + provenance}, notes: `"npm:b": no workflow`,
		},
		{
			name: "all of a workspace",
			files: memory{
				"package.json": `{"name": "root", "private": true}`, "packages/a/package.json": `{"name": "a"}`, "packages/b/package.json": `{"name": "b"}`,
				"packages/a/test/package.json": `{"name": "of-a-test"}`,
				release:                        ofSteps("on: {push: {tags: ['a-v*', 'b-v*']}}", idToken, "run: pnpm -r publish"),
			},
			want: map[string]string{"npm:a": "tag a-v{version} " + bySDK + provenance, "npm:b": "tag b-v{version} " + bySDK + provenance},
		},
		{
			name: "another registry",
			files: memory{
				"package.json": `{"name": "@acme/sdk", "publishConfig": {"registry": "https://npm.acme.example/x/"}}`,
				release:        ofSteps(onTags, "permissions: {}", "run: npm publish"),
			},
			want: map[string]string{"npm:@acme/sdk": "tag v{version} at npm.acme.example unsigned"}, text: "address: https://npm.acme.example/x\n",
		},
		{
			name:  "a branch",
			files: memory{"package.json": npmPackage, release: ofSteps("on: {push: {branches: ['release/*', stable]}, pull_request_target: {}}", idToken, "uses: changesets/action@v1")},
			want:  map[string]string{"npm:@acme/sdk": "tag v{version} acme/sdk/.github/workflows/release.yml@refs/heads/stable on push" + provenance},
			text:  "pull_request_target triggers it too, which others can cause",
		},
		{
			name:  "by hand",
			files: memory{"package.json": npmPackage, release: ofSteps("on: workflow_dispatch", idToken, "run: npx semantic-release")},
			want:  map[string]string{"npm:@acme/sdk": "tag v{version} acme/sdk/.github/workflows/release.yml@refs/heads/main on workflow_dispatch" + provenance},
			text:  "the branch is a guess",
		},
		{
			name:  "a release",
			files: memory{"package.json": npmPackage, release: ofSteps("on: {release: {types: [published]}}", idToken, "run: npm publish")},
			want:  map[string]string{"npm:@acme/sdk": "tag v{version} acme/sdk/.github/workflows/release.yml@refs/tags/{tag} on release" + provenance},
			text:  "a guess: no trigger says how tags are named",
		},
		{
			name:  "runners of one's own",
			files: memory{"package.json": npmPackage, release: strings.Replace(ofSteps(onTags, idToken, "run: npm publish"), "ubuntu-latest", "[self-hosted, linux]", 1)},
			want:  map[string]string{"npm:@acme/sdk": "tag v{version} " + bySDK + " anywhere" + provenance},
		},
		{
			name: "a workflow that calls another of the repository",
			files: memory{
				"package.json": npmPackage, release: onTags + "\n" + idToken + "\njobs:\n  a:\n    uses: ./.github/workflows/publish.yml\n",
				".github/workflows/publish.yml": ofSteps("on: workflow_call", idToken, "run: npm publish"),
			},
			want: map[string]string{"npm:@acme/sdk": "tag v{version} acme/sdk/.github/workflows/publish.yml@refs/tags/{tag} on push" + provenance},
		},
		{
			name: "a workflow that calls another and may not have tokens",
			files: memory{
				"package.json": npmPackage, release: onTags + "\njobs:\n  a:\n    uses: ./.github/workflows/publish.yml\n",
				".github/workflows/publish.yml": ofSteps("on: workflow_call", idToken, "run: npm publish"),
			},
			want: map[string]string{"npm:@acme/sdk": "tag v{version} unsigned"},
		},
		{
			name:  "a workflow that calls one that is not there",
			files: memory{"package.json": npmPackage, release: onTags + "\njobs:\n  a:\n    uses: acme/ci/.github/workflows/publish.yml@v1\n"},
			notes: `calls "acme/ci/.github/workflows/publish.yml@v1", which is not among what was read`,
		},
		{
			name: "a workflow that one called calls",
			files: memory{
				"package.json": npmPackage, release: onTags + "\n" + idToken + "\njobs:\n  a:\n    uses: ./.github/workflows/build.yml\n",
				".github/workflows/build.yml":   "on: workflow_call\njobs:\n  a:\n    uses: $/.github/workflows/publish.yml\n",
				".github/workflows/publish.yml": ofSteps("on: workflow_call", idToken, "run: npm publish"),
			},
			want: map[string]string{"npm:@acme/sdk": "tag v{version} acme/sdk/.github/workflows/publish.yml@refs/tags/{tag} on push" + provenance},
		},
		{
			name: "a workflow that one called calls without tokens",
			files: memory{
				"package.json": npmPackage, release: onTags + "\n" + idToken + "\njobs:\n  a:\n    uses: ./.github/workflows/build.yml\n",
				".github/workflows/build.yml":   "on: workflow_call\npermissions: {}\njobs:\n  a:\n    uses: ./.github/workflows/publish.yml\n",
				".github/workflows/publish.yml": ofSteps("on: workflow_call", idToken, "run: npm publish"),
			},
			want: map[string]string{"npm:@acme/sdk": "tag v{version} unsigned"},
		},
		{
			name: "a workflow that one without tokens calls",
			files: memory{
				"package.json": npmPackage, release: onTags + "\njobs:\n  a:\n    uses: ./.github/workflows/build.yml\n",
				".github/workflows/build.yml":   "on: workflow_call\n" + idToken + "\njobs:\n  a:\n    uses: ./.github/workflows/publish.yml\n",
				".github/workflows/publish.yml": ofSteps("on: workflow_call", idToken, "run: npm publish"),
			},
			want: map[string]string{"npm:@acme/sdk": "tag v{version} unsigned"},
		},
		{
			name: "a workflow that one called calls and that is not there",
			files: memory{
				"package.json": npmPackage, release: onTags + "\n" + idToken + "\njobs:\n  a:\n    uses: ./.github/workflows/build.yml\n",
				".github/workflows/build.yml": "on: workflow_call\njobs:\n  a:\n    uses: ./.github/workflows/publish.yml\n",
			},
			notes: `"acme/sdk": .github/workflows/build.yml:3 calls "./.github/workflows/publish.yml", which is not among what was read`,
		},
		{
			name:  "a workflow that calls what is none",
			files: memory{"package.json": npmPackage, release: onTags + "\njobs:\n  a:\n    uses: publish.yml\n"},
			notes: `calls "publish.yml", which is not among what was read`,
		},
		{
			name:  "a workflow that calls itself",
			files: memory{"package.json": npmPackage, release: onTags + "\njobs:\n  a:\n    uses: ./.github/workflows/release.yml\n"},
			notes: "more than 10 deep",
		},
		{
			name:  "a workflow that calls itself time and again",
			files: memory{"package.json": npmPackage, release: onTags + "\njobs:\n" + strings.Repeat("  a:\n    uses: ./.github/workflows/release.yml\n", 3)},
			notes: "more than 500 calls of workflows",
		},
		{
			name: "a workflow that calls one of very many steps",
			files: memory{
				release:                         onTags + "\njobs:\n" + strings.Repeat("  a:\n    uses: ./.github/workflows/publish.yml\n", 10),
				".github/workflows/publish.yml": ofSteps("on: workflow_call", "", slices.Repeat([]string{"run: npm publish"}, 1_000)...),
			},
			notes: "or 5000 steps that publish",
		},
		{
			name:  "pypi",
			files: memory{"pyproject.toml": pyproject, release: ofSteps(onTags, idToken, "uses: pypa/gh-action-pypi-publish@release/v1")},
			want:  map[string]string{"pypi:acme-sdk": "tag v{version} " + bySDK + pypi},
		},
		{
			name:  "pypi with a token",
			files: memory{"pyproject.toml": "[tool.poetry]\nname = \"acme-sdk\"\n", release: ofSteps(onTags, idToken, "uses: pypa/gh-action-pypi-publish@release/v1\n        with: {password: x}")},
			want:  map[string]string{"pypi:acme-sdk": "tag v{version} unsigned"},
		},
		{
			name:  "pypi by twine, from setup.cfg",
			files: memory{"setup.cfg": "[metadata]\nname = acme.sdk\n", release: ofSteps(onTags, "", "run: |\n          python3 -m build\n          python3 -m twine upload dist/*\n        env: {TWINE_PASSWORD: x}")},
			want:  map[string]string{"pypi:acme-sdk": "tag v{version} unsigned"}, text: "published at .github/workflows/release.yml:9 (twine upload)",
		},
		{
			name:  "a project that PyPI refuses",
			files: memory{"pyproject.toml": "[project]\nname = \"a\"\nclassifiers = [\"Private :: Do Not Upload\"]\n", release: ofSteps(onTags, idToken, "run: uv publish")},
		},
		{
			name: "an image signed by cosign, whose tags another step makes",
			files: memory{release: ofSteps(onTags, idToken,
				"id: meta\n        uses: docker/metadata-action@v5\n        with: {images: 'ghcr.io/${{ github.repository_owner }}/App', tags: 'type=semver,pattern={{version}}'}",
				"uses: docker/build-push-action@v6\n        with: {push: true, tags: '${{ steps.meta.outputs.tags }}'}",
				"run: cosign sign --yes x")},
			want: map[string]string{"oci:ghcr.io/acme/app": "tag v{version} " + bySDK},
		},
		{
			name: "an image attested by GitHub",
			files: memory{release: ofSteps(onTags, idToken,
				"run: docker push ghcr.io/acme/app:$GITHUB_REF_NAME",
				"uses: actions/attest-build-provenance@v3\n        with: {subject-name: ghcr.io/acme/app, push-to-registry: true}")},
			want: map[string]string{"oci:ghcr.io/acme/app": "tag {version} " + bySDK + provenance},
		},
		{
			name: "an attestation that may not be signed",
			files: memory{release: ofSteps(onTags, "permissions: {}",
				"run: docker push ghcr.io/acme/app:1", "uses: actions/attest-build-provenance@v3\n        with: {subject-name: ghcr.io/acme/app}")},
			want: map[string]string{"oci:ghcr.io/acme/app": "tag v{version} unsigned"},
		},
		{
			name:  "an image of a long name",
			files: memory{release: ofSteps(onTags, "", "run: docker push ghcr.io/"+strings.Repeat("a", 513)+":1")},
			notes: "whose name is settled in the run",
		},
		{
			name:  "an image that is not pushed",
			files: memory{release: ofSteps(onTags, idToken, "uses: docker/build-push-action@v6\n        with: {push: false, tags: 'ghcr.io/acme/app:1'}")},
		},
		{
			name:  "an image of a name that the run settles",
			files: memory{release: ofSteps(onTags, idToken, "run: docker push $REGISTRY/app:1")},
			notes: "whose name is settled in the run",
		},
		{
			name:  "an image without a registry",
			files: memory{release: ofSteps(onTags, idToken, "run: docker push acme/app:1")},
			notes: `"acme/app", which names no registry`,
		},
		{
			name: "a release, and its Go modules",
			files: memory{
				"go.mod": "module github.com/acme/sdk/v2\n", "tools/go.mod": "module github.com/acme/sdk/tools\n", "sub/v3/go.mod": "module github.com/acme/sdk/sub/v3\n",
				"other/go.mod": "module example.com/other\n", ".goreleaser.yaml": "version: 2\n",
				release: ofSteps(onTags, "", "uses: goreleaser/goreleaser-action@v6"),
			},
			want: map[string]string{
				"go:github.com/acme/sdk/v2": "tag {version}", "go:github.com/acme/sdk/tools": "tag tools/{version}", "go:github.com/acme/sdk/sub/v3": "tag sub/{version}",
				"release:acme/sdk": "tag v{version} unsigned",
			},
			notes: `"go:example.com/other": no workflow`,
		},
		{
			name: "goreleaser with images that it signs",
			files: memory{
				".goreleaser.yaml": "dockers:\n  - image_templates: ['ghcr.io/acme/app:{{ .Tag }}', 'ghcr.io/acme/app:latest']\ndocker_signs:\n  - {cmd: cosign, args: [sign, '${artifact}']}\nsigns:\n  - {cmd: cosign, args: [sign-blob]}\n",
				release:            ofSteps(onTags, idToken, "uses: goreleaser/goreleaser-action@v6"),
			},
			want: map[string]string{"oci:ghcr.io/acme/app": "tag {version} " + bySDK, "release:acme/sdk": "tag v{version} " + bySDK},
		},
		{
			name: "goreleaser that may not sign",
			files: memory{
				"goreleaser.yml": "dockers_v2:\n  - images: [ghcr.io/acme/app]\ndocker_signs:\n  - {cmd: cosign}\n",
				release:          ofSteps(onTags, "", "run: goreleaser release --clean"),
			},
			want: map[string]string{"oci:ghcr.io/acme/app": "tag v{version} unsigned", "release:acme/sdk": "tag v{version} unsigned"},
		},
		{
			name:  "a release with an attestation",
			files: memory{release: ofSteps(onTags, idToken, "uses: actions/attest-build-provenance@v3\n        with: {subject-path: dist/*}", "run: gh release create $TAG dist/*")},
			want:  map[string]string{"release:acme/sdk": "tag v{version} " + bySDK + provenance},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := propose(t, discover.Options{}, map[string]memory{"sdk": tt.files})
			want := tt.want
			if want == nil {
				want = map[string]string{}
			}
			if d := cmp.Diff(want, summary(t, p)); d != "" {
				t.Errorf("-want +got\n%s\n%s", d, p.Text)
			}
			if notes := strings.Join(p.Notes, "\n"); !strings.Contains(notes, tt.notes) || tt.notes == "" && notes != "" {
				t.Errorf("notes %q; want %q", notes, tt.notes)
			}
			if !strings.Contains(string(p.Text), tt.text) {
				t.Errorf("no %q in\n%s", tt.text, p.Text)
			}
			if len(p.Unread) > 0 {
				t.Errorf("unread: %q", p.Unread)
			}
		})
	}
}

// A reusable workflow of another repository of the organisation is read there.
func TestReusableWorkflow(t *testing.T) {
	p := propose(t, discover.Options{}, map[string]memory{
		"sdk": {"package.json": npmPackage, ".github/workflows/release.yml": onTags + "\n" + idToken + "\njobs:\n  a:\n    uses: acme/ci/.github/workflows/publish.yml@v1\n"},
		"ci":  {".github/workflows/publish.yml": ofSteps("on: workflow_call", idToken, "run: npm publish")},
	})
	want := map[string]string{
		"npm:@acme/sdk": "tag v{version} acme/ci/.github/workflows/publish.yml@refs/tags/v1 on push from refs/tags/{tag} with https://slsa.dev/provenance/v1",
	}
	if d := cmp.Diff(want, summary(t, p)); d != "" {
		t.Errorf("-want +got\n%s\n%s", d, p.Text)
	}
}

// What a called workflow of another repository calls is of that repository, as it was called.
func TestReusableWorkflowCalls(t *testing.T) {
	for _, own := range []string{"./", "$/"} {
		p := propose(t, discover.Options{}, map[string]memory{
			"sdk": {"package.json": npmPackage, ".github/workflows/release.yml": onTags + "\n" + idToken + "\njobs:\n  a:\n    uses: acme/ci/.github/workflows/build.yml@v1\n"},
			"ci": {
				".github/workflows/build.yml":   "on: workflow_call\njobs:\n  a:\n    uses: " + own + ".github/workflows/publish.yml\n",
				".github/workflows/publish.yml": ofSteps("on: workflow_call", idToken, "run: npm publish"),
			},
		})
		want := map[string]string{
			"npm:@acme/sdk": "tag v{version} acme/ci/.github/workflows/publish.yml@refs/tags/v1 on push from refs/tags/{tag} with https://slsa.dev/provenance/v1",
		}
		if d := cmp.Diff(want, summary(t, p)); d != "" || len(p.Notes)+len(p.Unread) > 0 {
			t.Errorf("%s: -want +got\n%s\n%s", own, d, p.Text)
		}
	}
}

// A called workflow that calls one that is not there is noted once, whoever calls it.
func TestNotedOnce(t *testing.T) {
	calls := memory{".github/workflows/release.yml": onTags + "\njobs:\n  a:\n    uses: acme/ci/.github/workflows/build.yml@v1\n"}
	p := propose(t, discover.Options{}, map[string]memory{
		"a": calls, "b": calls,
		"ci": {".github/workflows/build.yml": "on: workflow_call\njobs:\n  a:\n    uses: other/ci/.github/workflows/publish.yml@v1\n"},
	})
	want := []string{`"acme/ci": .github/workflows/build.yml:3 calls "other/ci/.github/workflows/publish.yml@v1", which is not among what was read: what it publishes is not proposed`}
	if d := cmp.Diff(want, p.Notes); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

// An image that a key signs does not validate before the key is there.
func TestSignedByKey(t *testing.T) {
	p := propose(t, discover.Options{}, map[string]memory{
		"app": {".github/workflows/release.yml": ofSteps(onTags, idToken, "run: |\n          docker push ghcr.io/acme/app:1\n          cosign sign --key cosign.key ghcr.io/acme/app:1")},
	})
	if p.Missing == nil || !strings.Contains(p.Missing.Error(), "names nobody") || !strings.Contains(string(p.Text), "# keys: .github/workflows/release.yml:9 signs it with a key") {
		t.Errorf("missing: %v\n%s", p.Missing, p.Text)
	}
}
