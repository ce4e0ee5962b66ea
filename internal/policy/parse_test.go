package policy_test

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// gitlab is an identity of another issuer than GitHub's.
const gitlab = `issuer: "https://gitlab.example", san: "https://gitlab.example/acme/sdk//.gitlab-ci.yml@refs/tags/{tag}"`

// TestParseRefuses: every row is refused at its line for its reason. The schema refuses it too,
// but for rows that are about the YAML, or about what one part of the file says of another.
func TestParseRefuses(t *testing.T) {
	const registries = "version: 1\nregistries:\n  - {name: n, protocol: npm, address: \"https://npm.example\"}\n"
	const artifacts = "artifacts:\n  - {artifact: \"npm:a\", unsigned: true}\n"
	reg := func(keys string) string { return "version: 1\nregistries:\n  - {" + keys + "}\n" + artifacts }
	branch := strings.ReplaceAll(base, "refs/tags/{tag}", "refs/heads/main")
	with := func(old, new string) string { return signed(strings.Replace(base, old, new, 1)) }
	for _, tt := range []struct {
		in   string
		line int
		want string // in the error
		form bool   // the schema has no say in it
	}{
		{in: "", want: "is empty"},
		{in: "# a comment\n", want: "is empty"},
		{in: "version: [\n", line: 1, want: "did not find"},
		{in: "- 1\n", line: 1, want: "the policy is not a mapping"},
		{in: artifacts, line: 1, want: "no version"},
		{in: "version: 2\n" + artifacts, line: 1, want: `version "2" is not 1`},
		{in: "version: \"1\"\n" + artifacts, line: 1, want: "is not 1"},
		{in: "version: 1\n", line: 1, want: "no artifacts"},
		{in: "version: 1\nartifacts: []\n", line: 2, want: "an empty list"},
		{in: "version: 1\nartifacts: {}\n", line: 2, want: "not a list"},
		{in: "version: 1\nartifacts:\n  - npm:a\n", line: 3, want: "not a mapping"},
		{in: "version: 1\nVersion: 1\n" + artifacts, line: 2, want: `"Version" is no key`},
		{in: "version: 1\nversion: 1\n" + artifacts, line: 2, want: "stands twice", form: true},
		{in: "version: 1\n" + artifacts + "---\n", want: "second document", form: true},
		{in: "version: 1\norganisation: &a acme\n" + artifacts, line: 2, want: "anchor", form: true},
		{in: "version: 1\norganisation: !!str acme\n" + artifacts, line: 2, want: "tag", form: true},
		{in: "version: 1\norganisation: acme corp\n" + artifacts, line: 2, want: "no name of one"},
		{in: "version: 1\norganisation: 12\n" + artifacts, line: 2, want: "put it in quotes"},
		{in: "version: 1\norganisation:\n" + artifacts, line: 2, want: "is empty"},
		{in: "version: 1\norganisation: \"acm\u0435\"\n" + artifacts, line: 2, want: "printable ASCII"},

		{in: reg("protocol: npm, address: \"https://a.example\""), line: 3, want: "without name"},
		{in: reg("name: a, address: \"https://a.example\""), line: 3, want: "without protocol"},
		{in: reg("name: a, protocol: npm"), line: 3, want: "without address"},
		{in: reg("name: A, protocol: npm, address: \"https://a.example\""), line: 3, want: "lower-case"},
		{in: reg("name: a, protocol: maven, address: \"https://a.example\""), line: 3, want: `protocol "maven"`},
		{in: reg("name: a, protocol: npm, address: a.example"), line: 3, want: "no https:// address"},
		{in: reg("name: a, protocol: npm, address: \"http://a.example\""), line: 3, want: "for loopback alone"},
		{in: reg("name: a, protocol: npm, address: \"http://127.0.0.1.evil.example\""), line: 3, want: "for loopback alone", form: true},
		{in: reg("name: a, protocol: npm, address: \"http://10.0.0.1\""), line: 3, want: "for loopback alone"},
		{in: reg("name: a, protocol: npm, address: \"https://10.0.0.1\""), line: 3, want: "not a public one", form: true},
		{in: reg("name: a, protocol: npm, address: \"https://169.254.169.254/latest\""), line: 3, want: "not a public one", form: true},
		{in: reg("name: a, protocol: npm, address: \"https://u:p@a.example\""), line: 3, want: "a user or a password"},
		{in: reg("name: a, protocol: npm, address: \"https://a.example/?x=1\""), line: 3, want: "a query"},
		{in: reg("name: a, protocol: npm, address: \"https://a.example/#x\""), line: 3, want: "a query or a fragment"},
		{in: reg("name: a, protocol: npm, address: \"https://a.example/{tag}\""), line: 3, want: "braces"},
		{in: reg("name: a, protocol: npm, address: \"file:///etc/passwd\""), line: 3, want: "no https:// address"},
		{in: reg("name: a, protocol: npm, address: \"https://a.example\", role: proxy"), line: 3, want: `role "proxy"`},
		{in: reg("name: a, protocol: npm, address: \"https://a.example\", token-env: npm_0123abcd"), line: 3, want: "token-env is no name"},
		{in: reg("name: a, protocol: npm, address: \"https://a.example\", private: yes"), line: 3, want: "neither true nor false"},
		{in: reg("name: a, protocol: npm, address: \"https://a.example\", token: x"), line: 3, want: `"token" is no key`},
		{in: registries + "  - {name: n, protocol: pypi, address: \"https://b.example\"}\n" + artifacts, line: 4, want: `two registries are called "n"`, form: true},
		{in: "version: 1\nregistries: []\n" + artifacts, line: 2, want: "empty list"},

		{in: file("unsigned: true"), line: 4, want: "without artifact"},
		{in: file("artifact: sdk, unsigned: true"), line: 4, want: "none of the kinds"},
		{in: file("artifact: \"cargo:sdk\", unsigned: true"), line: 4, want: "none of the kinds"},
		{in: file("artifact: \"npm:\", unsigned: true"), line: 4, want: `artifact "npm:"`},
		{in: file("artifact: \"npm:@acme/*\", unsigned: true"), line: 4, want: "named by each entry, whole"},
		{in: file("artifact: \"npm:@acme/{name}\", unsigned: true"), line: 4, want: "named by each entry, whole"},
		{in: file("artifact: \"npm:@acme\", unsigned: true"), line: 4, want: `artifact "npm:@acme"`, form: true},
		{in: file("artifact: \"pypi:Acme_SDK\", unsigned: true"), line: 4, want: `write it as "acme-sdk"`},
		{in: file("artifact: \"go:ledger\", unsigned: true"), line: 4, want: `artifact "go:ledger"`, form: true},
		{in: file("artifact: \"oci:app\", unsigned: true"), line: 4, want: "no repository of an image"},
		{in: file("artifact: \"oci:acme/app\", unsigned: true"), line: 4, want: "no repository of an image", form: true},
		{in: file("artifact: \"oci:ghcr.io/acme/app:latest\", unsigned: true"), line: 4, want: "without tag"},
		{in: file("artifact: \"release:acme\", unsigned: true"), line: 4, want: "no repository on GitHub"},
		{in: "version: 1\nartifacts:\n  - {artifact: \"npm:a\", unsigned: true}\n  - {artifact: \"npm:a\", unsigned: true}\n", line: 4, want: "stands twice", form: true},
		{in: "version: 1\nartifacts:\n  - {artifact: \"release:acme/sdk\", unsigned: true}\n  - {artifact: \"release:Acme/SDK\", unsigned: true}\n", line: 4, want: "stands twice", form: true},
		{in: file("artifact: \"npm:a\", registry: other, unsigned: true"), line: 4, want: "none of the registries", form: true},
		{in: registries + "artifacts:\n  - {artifact: \"pypi:a\", registry: n, unsigned: true}\n", line: 5, want: "speaks npm", form: true},
		{
			in:   "version: 1\nregistries:\n  - {name: h, protocol: harbor, address: \"https://harbor.example\"}\nartifacts:\n  - {artifact: \"oci:other.example/a/b\", registry: h, unsigned: true}\n",
			line: 5, want: `is at "harbor.example"`, form: true,
		},

		{in: file("artifact: \"npm:a\""), line: 4, want: "names nobody"},
		{in: file("artifact: \"npm:a\", unsigned: false"), line: 4, want: "names nobody"},
		{in: file("artifact: \"npm:a\", identities: []"), line: 4, want: "empty list"},
		{in: sdk("unsigned: true, identities: [{" + base + "}]"), line: 4, want: "unsigned beside identities"},
		{in: sdk("unsigned: true, keys: [{file: ed25519.pub}]"), line: 4, want: "unsigned beside identities or keys"},
		{in: file("artifact: \"npm:a\", unsigned: true, signed-from: \"1.0.0\""), line: 4, want: "signed-from does not"},
		{in: file("artifact: \"npm:a\", unsigned: true, attestations: [\"https://slsa.dev/provenance/v1\"]"), line: 4, want: "it has neither"},
		{in: sdk("signed-from: next, identities: [{" + base + "}]"), line: 4, want: "order of versions", form: true},
		{in: sdk("signed-from: 1.0, identities: [{" + base + "}]"), line: 4, want: "put it in quotes"},
		{in: sdk("attestations: [provenance], identities: [{" + base + "}]"), line: 4, want: "no predicate type"},
		{in: sdk("attestations: [\"https://slsa.dev/*\"], identities: [{" + base + "}]"), line: 4, want: "no predicate type"},
		{in: sdk("maintainers: [a, a], identities: [{" + base + "}]"), line: 4, want: "stands twice"},
		{in: sdk("maintainers: a, identities: [{" + base + "}]"), line: 4, want: "not a list"},
		{in: sdk("tokens-allowed: true, token-until: 2027-01-01, identities: [{" + base + "}]"), line: 4, want: "token-until is one"},
		{in: sdk("tokens-allowed: true, signed-from: \"1.0.0\", identities: [{" + base + "}]"), line: 4, want: "publishes it alone"},
		{in: sdk("token-until: soon, identities: [{" + base + "}]"), line: 4, want: "not a date"},
		{in: sdk("token-until: 2027-02-30, identities: [{" + base + "}]"), line: 4, want: "not a date", form: true},
		{in: sdk("scripts: [test], identities: [{" + base + "}]"), line: 4, want: "none that runs on installation"},
		{in: sdk("versions: [latest], identities: [{" + base + "}]"), line: 4, want: "not for artifacts of the kind npm"},
		{in: file("artifact: \"pypi:a\", unsigned: true, scripts: [install]"), line: 4, want: "not for artifacts of the kind pypi"},
		{in: file("artifact: \"oci:ghcr.io/acme/app\", unsigned: true, versions: [\"v*\"]"), line: 4, want: "no tag of an image"},
		{in: file("artifact: \"oci:ghcr.io/acme/app\", unsigned: true, maintainers: [a]"), line: 4, want: "not for artifacts of the kind oci"},
		{in: file("artifact: \"oci:ghcr.io/acme/app\", unsigned: true, tokens-allowed: true"), line: 4, want: "not for artifacts of the kind oci"},

		{in: file("artifact: \"npm:a\", unsigned: true, source: sdk"), line: 4, want: "not OWNER/REPOSITORY"},
		{in: file("artifact: \"npm:a\", unsigned: true, source: \"https://github.com/acme/sdk\""), line: 4, want: "not OWNER/REPOSITORY"},
		{in: file("artifact: \"npm:a\", unsigned: true, tag: \"v{version}\""), line: 4, want: "tag without source"},
		{in: file("artifact: \"npm:a\", unsigned: true, source: acme/a, tag: v1"), line: 4, want: "{version} once"},
		{in: file("artifact: \"npm:a\", unsigned: true, source: acme/a, tag: \"{version}{version}\""), line: 4, want: "{version} once"},
		{in: file("artifact: \"npm:a\", unsigned: true, source: acme/a, tag: \"v{ver}\""), line: 4, want: "nothing else stands"},
		{in: file("artifact: \"npm:a\", unsigned: true, source: acme/a, tag: \"refs/tags/v{version}\""), line: 4, want: "without refs/tags/"},
		{in: file("artifact: \"npm:a\", unsigned: true, source: acme/a, tag: \"v..{version}\""), line: 4, want: "no name of a git tag", form: true},
		{in: file("artifact: \"npm:a\", unsigned: true, source: acme/a, branch: main"), line: 4, want: "branch without tag"},
		{in: file("artifact: \"npm:a\", unsigned: true, source: acme/a, release: true"), line: 4, want: "release without tag"},
		{in: file("artifact: \"npm:a\", unsigned: true, release: true"), line: 4, want: "release without source"},
		{in: file("artifact: \"npm:a\", unsigned: true, source: acme/a, run: true"), line: 4, want: "no identities"},
		{in: sdk("branch: \"ma*n\", identities: [{" + base + "}]"), line: 4, want: "no name of a branch"},
		{in: sdk("branch: refs/heads/main, identities: [{" + base + "}]"), line: 4, want: "no name of a branch"},
		{in: "version: 1\nartifacts:\n  - {artifact: \"npm:a\", source: acme/sdk, tag: \"{version}\", branch: main, unsigned: true}\n", line: 3, want: "names no organisation"},
		{in: file("artifact: \"release:acme/a\", source: acme/b, unsigned: true"), line: 4, want: "another repository", form: true},

		{in: file("artifact: \"go:github.com/acme/a\""), line: 4, want: "what should it equal"},
		{in: file("artifact: \"go:github.com/acme/a\", source: acme/a"), line: 4, want: "what should it equal"},
		{in: file("artifact: \"go:github.com/acme/a\", source: acme/a, tag: \"{version}\", keys: [{file: ed25519.pub}]"), line: 4, want: "no signature of its own"},

		{in: sdk("keys: [{}]"), line: 4, want: "either in a file"},
		{in: sdk("keys: [{file: ed25519.pub, pem: x}]"), line: 4, want: "either in a file"},
		{in: sdk("keys: [{file: missing.pub}]"), line: 4, want: `file "missing.pub" of a key`, form: true},
		{in: sdk("keys: [{file: /etc/key.pub}]"), line: 4, want: "not relative"},
		{in: sdk("keys: [{file: ../key.pub}]"), line: 4, want: "not relative"},
		{in: sdk("keys: [{file: a/../../key.pub}]"), line: 4, want: "not relative"},
		{in: sdk("keys: [{file: full.yaml}]"), line: 4, want: `no PEM block "PUBLIC KEY"`, form: true},
		{in: sdk("keys: [{file: rsa1024.pub}]"), line: 4, want: "RSA key of 1024 bits", form: true},
		{in: sdk("keys: [{pem: \"-----BEGIN PRIVATE KEY-----\\nAAAA\\n-----END PRIVATE KEY-----\\n\"}]"), line: 4, want: "only the public key"},
		{in: sdk("keys: [{pem: \"-----BEGIN PUBLIC KEY-----\\nAAAA\\n-----END PUBLIC KEY-----\\n\"}]"), line: 4, want: "a key:", form: true},
		{in: sdk("keys: [{pem: \"-----BEGIN PUBLIC KEY-----\\nx: y\\n\\nMCowBQYDK2VwAyEALfBqG+smox6i24FrApRV0EsD9aPuCxBDaIzD4aZuCYQ=\\n-----END PUBLIC KEY-----\\n\"}]"), line: 4, want: "with headers", form: true},
		{in: sdk("keys: [{pem: \"-----BEGIN PUBLIC KEY-----\\nMCowBQYDK2VwAyEALfBqG+smox6i24FrApRV0EsD9aPuCxBDaIzD4aZuCYQ=\\n-----END PUBLIC KEY-----\\nmore\\n\"}]"), line: 4, want: "something follows", form: true},
		{in: sdk("keys: [{file: ed25519.pub}, {file: ./ed25519.pub}]"), line: 4, want: "not relative"},
		{in: sdk("keys: [{file: ed25519.pub}, {file: keys/old.pub}]"), line: 4, want: "a key stands twice", form: true},

		{in: signed("san: x"), line: 4, want: "without issuer"},
		{in: signed("issuer: \"" + github + "\""), line: 4, want: "without san"},
		{in: with(github, ""), line: 4, want: "issuer is empty"},
		{in: signed("issuer: \"" + github + "\", san: \"\""), line: 4, want: "san is empty"},
		{in: with(github, "token.actions.githubusercontent.com"), line: 4, want: "no https:// address"},
		{in: with(github, "https://token.actions.githubusercontent.com.evil.example"), line: 4, want: "not GitHub's"},
		{in: with(github, "https://.*"), line: 4, want: "is no pattern"},
		{in: with("https://github.com/acme/sdk/.github/workflows/release.yml@refs/tags/{tag}", "https://github.com/acme/"), line: 4, want: "no workflow file and ref"},
		{in: with("https://github.com/acme/sdk/.github/workflows/release.yml@refs/tags/{tag}", "https://github.com/acme/sdk"), line: 4, want: "no workflow file and ref"},
		{in: with("@refs/tags/{tag}", ""), line: 4, want: "no workflow file and ref"},
		{in: with("release.yml@", "@"), line: 4, want: "no workflow file and ref"},
		{in: with("https://github.com/acme/sdk", "^https://github.com/acme/sdk"), line: 4, want: "is no pattern"},
		{in: with("{tag}", "v*"), line: 4, want: "is no pattern"},
		{in: with("{tag}", "v[0-9]+"), line: 4, want: "is no pattern"},
		{in: with("{tag}", "{any}"), line: 4, want: "nothing else stands for anything"},
		{in: with("{tag}", "{tag"), line: 4, want: "nothing else stands for anything"},
		{in: with("{tag}", "}{tag}"), line: 4, want: "nothing else stands for anything"},
		{in: with("refs/tags/{tag}", "refs/tags/"), line: 4, want: "no whole name"},
		{in: with("refs/tags/{tag}", "refs/heads/"), line: 4, want: "no whole name"},
		{in: with("refs/tags/{tag}", "refs/heads/{tag}"), line: 4, want: "a tag as the name of a branch", form: true},
		{in: with("refs/tags/{tag}", "refs/pull/1/merge"), line: 4, want: "a pull request"},
		{in: with("refs/tags/{tag}", "main"), line: 4, want: "neither refs/heads/NAME"},
		{in: with("refs/tags/{tag}", "0123456"), line: 4, want: "neither refs/heads/NAME"},
		{in: with("acme/sdk/.github", "acme/{version}/.github"), line: 4, want: "only the ref after"},
		{in: with("acme/sdk/.github", "Acme/sdk/.github"), line: 4, want: "letter case", form: true},
		{in: with("repository-id: 1, ", ""), line: 4, want: "without repository-id"},
		{in: with(", owner-id: 2", ""), line: 4, want: "without owner-id"},
		{in: signed(`issuer: "https://ghes.example/_services/token", san: "https://ghes.example/acme/sdk/.github/workflows/release.yml@refs/tags/{tag}"`), line: 4, want: "without repository-id"},
		{in: signed(`issuer: "https://token.actions.acme.ghe.com", san: "https://acme.ghe.com/acme/sdk/.github/workflows/release.yml@refs/tags/{tag}"`), line: 4, want: "without repository-id"},
		{in: with("repository-id: 1", "repository-id: acme/sdk"), line: 4, want: "is no number"},
		{in: with("repository-id: 1", "repository-id: 0"), line: 4, want: "is no number"},
		{in: with("repository-id: 1", "repository-id: -1"), line: 4, want: "is no number"},
		{in: with("repository-id: 1", "repository-id: 0x10"), line: 4, want: "is no number", form: true},
		{in: signed(branch), line: 4, want: "branch without triggers"},
		{in: signed(base + ", ref: refs/heads/main"), line: 4, want: "branch without triggers"},
		{in: with("acme/sdk/.github", "acme/ci/.github"), line: 4, want: "reusable workflow", form: true},
		{in: signed(strings.Replace(base, "acme/sdk/.github", "acme/ci/.github", 1) + ", workflow: .github/workflows/release.yml"), line: 4, want: "write ref", form: true},
		{in: file("artifact: \"npm:@acme/sdk\", identities: [{" + strings.ReplaceAll(base, "{tag}", "{version}") + "}]"), line: 4, want: "no source"},
		{in: file("artifact: \"npm:@acme/sdk\", source: acme/sdk, identities: [{" + base + "}]"), line: 4, want: "has no tag"},
		{in: signed(base + ", workflow: release.yml"), line: 4, want: "no path of one"},
		{in: signed(base + ", workflow: \".github/workflows/release.yml@refs/heads/main\""), line: 4, want: "no path of one"},
		{in: signed(base + ", workflow: \".github/workflows/{tag}.yml\""), line: 4, want: "nothing stands for anything"},
		{in: signed(base + ", signer: \"https://github.com/acme/ci\""), line: 4, want: "no workflow file and ref"},
		{in: signed(base + ", ref: \"refs/tags/*\""), line: 4, want: "is no pattern"},
		{in: signed(base + ", ref: refs/tags/"), line: 4, want: "no whole name"},
		{in: signed(base + ", ref: \"{tag}\""), line: 4, want: "neither refs/heads/NAME"},
		{in: signed(base + ", triggers: [pull_request_target]"), line: 4, want: "none that a release comes from"},
		{in: signed(base + ", triggers: [issue_comment]"), line: 4, want: "none that a release comes from"},
		{in: signed(base + ", triggers: []"), line: 4, want: "empty list"},
		{in: signed(base + ", runner: any"), line: 4, want: `runner "any"`},
		{in: signed(base + ", visibility: secret"), line: 4, want: `visibility "secret"`},
		{in: signed(base + ", from: x"), line: 4, want: "order of versions", form: true},
		{in: signed(base + ", from: \"2.0.0\", until: \"1.0.0\""), line: 4, want: "comes after", form: true},
		{in: sdk("identities: [{" + base + "}, {" + base + "}]"), line: 4, want: "an identity stands twice"},
		{in: signed("issuer: \"https://gitlab.example\", san: \"https://gitlab.example/\""), line: 4, want: "is a prefix"},
		{in: signed("issuer: \"https://gitlab.example\", san: \"https://gitlab.example/acme/\""), line: 4, want: "is a prefix"},
		{in: signed("issuer: \"https://accounts.example\", san: \"acme.example\""), line: 4, want: "neither a URL nor an e-mail"},
		{in: signed("issuer: \"https://accounts.example\", san: \"@acme.example\""), line: 4, want: "neither a URL nor an e-mail"},
		{in: signed("issuer: \"https://accounts.example\", san: \".*@acme.example\""), line: 4, want: "is no pattern"},
		{in: signed(gitlab + ", believe-all: true"), line: 4, want: `"believe-all" is no key`},
		{in: "version: 1\n" + strings.Repeat("#", policy.MaxBytes), want: "larger than", form: true},
	} {
		_, err := parse("x.yaml", []byte(tt.in))
		var e *policy.Error
		shown := tt.in[:min(len(tt.in), 400)]
		switch {
		case err == nil:
			t.Errorf("Parse(%q) has no error; want %q", shown, tt.want)
			continue
		case !errors.As(err, &e):
			t.Errorf("Parse(%q): %v is no *Error", shown, err)
			continue
		}
		if !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), `"x.yaml"`) {
			t.Errorf("Parse(%q) = %v; want %q in it", shown, err, tt.want)
		}
		if tt.line != 0 && e.Line != tt.line {
			t.Errorf("Parse(%q) = %v; want line %d", shown, err, tt.line)
		}
		if !tt.form && validates(t, tt.in) == nil {
			t.Errorf("%s accepts %q, which Parse refuses: %v", schemaPath, shown, err)
		}
	}
}

// A token that was written where the name of its variable belongs is not repeated.
func TestParseHidesTokens(t *testing.T) {
	_, err := parse("x.yaml", []byte("version: 1\nregistries:\n  - {name: a, protocol: npm, address: \"https://a.example\", token-env: npm_s3cret}\nartifacts:\n  - {artifact: \"npm:a\", unsigned: true}\n"))
	if err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("the fault is %v", err)
	}
}

func TestParseTellsEveryFault(t *testing.T) {
	text := "version: 1\nartifacts:\n" + strings.Repeat("  - {artifact: x}\n", 60)
	_, err := parse("x.yaml", []byte(text))
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 51 || !strings.Contains(lines[0], "line 3: ") || !strings.Contains(lines[1], "line 4: ") || !strings.Contains(lines[50], "more faults") {
		t.Errorf("%d lines: %s", len(lines), err)
	}
}

// TestParseFull: a file with every key, which the schema takes too, as the values that it is.
func TestParseFull(t *testing.T) {
	text := read(t, "testdata/full.yaml")
	if err := validates(t, string(text)); err != nil {
		t.Error(err)
	}
	p := mustParse(t, string(text))
	pem := p.Artifacts[4].Keys[0].PEM
	if !strings.HasPrefix(pem, "-----BEGIN PUBLIC KEY-----\n") {
		t.Errorf("the inline key is %q", pem)
	}
	workflow := func(repository, ref string) string {
		return "https://github.com/acme/" + repository + "/.github/workflows/release.yml@" + ref
	}
	const publish = "https://github.com/acme/ci/.github/workflows/publish.yml@0123456789abcdef0123456789abcdef01234567"
	want := &policy.Policy{
		Version: 1, Organisation: "acme",
		Registries: []policy.Registry{
			{Name: "company-npm", Protocol: "npm", Address: "https://npm.acme.example/api/npm", Role: registry.Mirror, TokenEnv: "ACME_NPM_TOKEN", Private: true},
			{Name: "harbor", Protocol: "harbor", Address: "https://harbor.acme.example"},
			{Name: "test", Protocol: "oci", Address: "http://127.0.0.1:5000"},
		},
		Artifacts: []policy.Artifact{
			{
				Kind: registry.NPM, Name: "@acme/sdk", Source: "acme/sdk", Tag: "v{version}",
				Identities: []policy.Identity{
					{
						Issuer: github, SAN: workflow("sdk", "refs/tags/{tag}"), RepositoryID: "123456", OwnerID: "789",
						Workflow: ".github/workflows/release.yml", Ref: "refs/tags/{tag}", Triggers: []string{"push", "release"},
						Runner: "github-hosted", Visibility: "public", From: "2.0.0-rc.1",
					},
					{
						Issuer: github, SAN: publish, RepositoryID: "123456", OwnerID: "789",
						Workflow: ".github/workflows/release.yaml", Signer: publish, Ref: "refs/tags/{tag}", Until: "1.9.9",
					},
				},
				SignedFrom: "1.0.0", Attestations: []string{"https://slsa.dev/provenance/v1"}, Maintainers: []string{"alice", "acme-bot"},
				TokenUntil: time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC), Branch: "main", Release: true, Run: true, Scripts: []string{"postinstall"},
			},
			{Kind: registry.NPM, Name: "internal-tool", Registry: "company-npm", Unsigned: true, TokensAllowed: true},
			{
				Kind: registry.PyPI, Name: "acme-sdk", Source: "acme/sdk.py",
				Identities: []policy.Identity{{Issuer: github, SAN: workflow("sdk.py", "refs/heads/main"), RepositoryID: "123457", OwnerID: "789", Triggers: []string{"workflow_dispatch"}}},
			},
			{Kind: registry.Go, Name: "github.com/acme/mono/sub/v2", Source: "acme/mono", Tag: "sub/{version}", SignedFrom: "v2.1.0"},
			{
				Kind: registry.OCI, Name: "harbor.acme.example/team/app", Registry: "harbor", Versions: []string{"latest", "1.4"},
				Keys: []policy.Key{{PEM: pem}, {PEM: string(read(t, "testdata/ed25519.pub")), File: "keys/old.pub"}},
			},
			{
				Kind: registry.OCI, Name: "127.0.0.1:5000/app", Registry: "test",
				Identities: []policy.Identity{
					{Issuer: "https://accounts.example.com", SAN: "release@acme.example"},
					{Issuer: "https://gitlab.example", SAN: "https://gitlab.example/acme/app//.gitlab-ci.yml@refs/tags/{version}"},
				},
			},
			{
				Kind: registry.Release, Name: "acme/cli", Source: "acme/cli", Tag: "cli-v{version}",
				Identities: []policy.Identity{{Issuer: github, SAN: workflow("cli", "refs/tags/{tag}"), RepositoryID: "123458", OwnerID: "789"}},
			},
		},
	}
	if d := cmp.Diff(want, p); d != "" {
		t.Error("-want +got\n" + d)
	}
}

// TestParseAccepts: what is no fault, here and in the schema.
func TestParseAccepts(t *testing.T) {
	for _, in := range []string{
		signed(base), signed(gitlab),
		signed(strings.ReplaceAll(base, "refs/tags/{tag}", "refs/heads/main") + ", triggers: [push]"),
		signed(strings.ReplaceAll(base, "refs/tags/{tag}", "refs/tags/v{version}")),
		signed(strings.ReplaceAll(base, "githubusercontent.com", "githubusercontent.com/acme-enterprise")),
		file(`artifact: "npm:a", unsigned: true`),
		file(`artifact: "npm:a", unsigned: true, tokens-allowed: true, maintainers: [a]`),
		file(`artifact: "go:github.com/acme/a", source: acme/a, tag: "{version}"`),
		file(`artifact: "go:github.com/acme/a", unsigned: true`),
		file(`artifact: "oci:localhost:5000/a", unsigned: true`),
		file(`artifact: "release:acme/a", unsigned: true, release: true`),
		file(`artifact: "release:acme/sdk", identities: [{` + base + `}]`),
	} {
		if _, err := parse("x.yaml", []byte(in)); err != nil {
			t.Errorf("%s: %v", in, err)
		}
		if err := validates(t, in); err != nil {
			t.Errorf("%s: the schema refuses what Parse accepts: %v", in, err)
		}
	}
}

func TestParseReadsNoFiles(t *testing.T) {
	if _, err := policy.Parse("x.yaml", []byte(sdk("keys: [{file: ed25519.pub}]"))); err == nil || !strings.Contains(err.Error(), "no files are read") {
		t.Errorf("the error is %v", err)
	}
}

// TestSchemaHasEveryKey: the schema and Parse know the same keys.
func TestSchemaHasEveryKey(t *testing.T) {
	type object struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	var doc struct {
		object
		Defs map[string]object `json:"$defs"`
	}
	if err := json.Unmarshal(read(t, schemaPath), &doc); err != nil {
		t.Fatal(err)
	}
	for name, keys := range policy.Keys {
		in := doc.Defs[name]
		if name == "" {
			in = doc.object
		}
		if d := cmp.Diff(slices.Sorted(slices.Values(keys)), slices.Sorted(maps.Keys(in.Properties))); d != "" {
			t.Errorf("%q: -Parse +schema\n%s", name, d)
		}
	}
}
