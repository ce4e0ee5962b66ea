package policy_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// tagged is the certificate of a release of acme/sdk from a tag.
func tagged(tag string) verify.Identity {
	return verify.Identity{
		Issuer: github, SAN: "https://github.com/acme/sdk/.github/workflows/release.yml@refs/tags/" + tag,
		BuildSignerURI:      "https://github.com/acme/sdk/.github/workflows/release.yml@refs/tags/" + tag,
		RunnerEnvironment:   "github-hosted",
		SourceRepositoryURI: "https://github.com/acme/sdk", SourceRef: "refs/tags/" + tag, SourceRepositoryID: "1", OwnerID: "2",
		BuildConfigURI: "https://github.com/acme/sdk/.github/workflows/release.yml@refs/tags/" + tag,
		Trigger:        "push", Visibility: "public",
	}
}

const strict = base + `, workflow: .github/workflows/release.yml, signer: "https://github.com/acme/sdk/.github/workflows/release.yml@refs/tags/{tag}", ` +
	`ref: "refs/tags/{tag}", triggers: [push, release], runner: github-hosted, visibility: public`

func TestAccept(t *testing.T) {
	reusable := strings.Replace(base, "acme/sdk/.github/workflows/release.yml@refs/tags/{tag}", "acme/ci/.github/workflows/publish.yml@refs/heads/main", 1) +
		`, workflow: .github/workflows/release.yml, ref: "refs/tags/{tag}"`
	onBranch := strings.ReplaceAll(base, "refs/tags/{tag}", "refs/heads/main") + ", triggers: [push]"
	for _, tt := range []struct {
		name       string
		identities string // of npm:@acme/sdk; strict if ""
		version    string // 1.2.3 if ""
		change     func(*verify.Identity)
		code, want string // "" where it is accepted
	}{
		{name: "the tag's own"},
		{name: "one of triggers", change: func(id *verify.Identity) { id.Trigger = "release" }},
		{name: "nothing but what is needed", identities: base, change: func(id *verify.Identity) {
			*id = verify.Identity{Issuer: id.Issuer, SAN: id.SAN, SourceRepositoryID: "1", OwnerID: "2"}
		}},
		{name: "another version's", version: "1.2.4", code: verify.WrongIdentity, want: `not "https://github.com/acme/sdk/.github/workflows/release.yml@refs/tags/v1.2.4"`},
		{name: "issuer", change: func(id *verify.Identity) { id.Issuer = "https://evil.example" }, code: verify.WrongIssuer, want: `issuer is "https://evil.example", not "` + github + `"`},
		{name: "issuer with a slash", change: func(id *verify.Identity) { id.Issuer += "/" }, code: verify.WrongIssuer, want: "issuer is"},
		{name: "no issuer", change: func(id *verify.Identity) { id.Issuer = "" }, code: verify.WrongIssuer, want: "issuer is not given"},
		{name: "look-alike", change: func(id *verify.Identity) {
			id.SAN = strings.Replace(id.SAN, "github.com", "githúb.com", 1)
		}, code: verify.WrongIdentity, want: "san is"},
		{name: "letter case", change: func(id *verify.Identity) { id.SAN = strings.Replace(id.SAN, "acme", "Acme", 1) }, code: verify.WrongIdentity, want: "san is"},
		{name: "a longer SAN", change: func(id *verify.Identity) { id.SAN += "4" }, code: verify.WrongIdentity, want: "san is"},
		{name: "a dot is no pattern", change: func(id *verify.Identity) { id.SAN = strings.Replace(id.SAN, ".yml", "xyml", 1) }, code: verify.WrongIdentity, want: "san is"},
		{name: "no SAN", change: func(id *verify.Identity) { id.SAN = "" }, code: verify.WrongIdentity, want: "san is not given"},
		{name: "a name that was given again", change: func(id *verify.Identity) { id.SourceRepositoryID = "9" }, code: verify.WrongIdentity, want: `repository-id is "9", not "1"`},
		{name: "no id", change: func(id *verify.Identity) { id.SourceRepositoryID = "" }, code: verify.WrongIdentity, want: `repository-id is not given, not "1"`},
		{name: "another owner", change: func(id *verify.Identity) { id.OwnerID = "3" }, code: verify.WrongIdentity, want: `owner-id is "3", not "2"`},
		{name: "another source", change: func(id *verify.Identity) { id.SourceRepositoryURI = "https://github.com/acme/fork" }, code: verify.WrongIdentity, want: "source is"},
		{name: "another workflow", change: func(id *verify.Identity) {
			id.BuildConfigURI = "https://github.com/acme/sdk/.github/workflows/evil.yml@refs/tags/v1.2.3"
		}, code: verify.WrongIdentity, want: `workflow is "https://github.com/acme/sdk/.github/workflows/evil.yml", not "https://github.com/acme/sdk/.github/workflows/release.yml"`},
		{name: "workflow of another repository", change: func(id *verify.Identity) {
			id.BuildConfigURI = "https://github.com/evil/sdk/.github/workflows/release.yml@refs/tags/v1.2.3"
		}, code: verify.WrongIdentity, want: "workflow is"},
		{name: "another signer", change: func(id *verify.Identity) { id.BuildSignerURI = "https://github.com/evil/x@y" }, code: verify.WrongIdentity, want: "signer is"},
		{name: "another ref", change: func(id *verify.Identity) { id.SourceRef = "refs/heads/evil" }, code: verify.WrongIdentity, want: `ref is "refs/heads/evil", not "refs/tags/v1.2.3"`},
		{name: "a pull request's run", change: func(id *verify.Identity) { id.Trigger = "pull_request_target" }, code: verify.WrongIdentity, want: `trigger is "pull_request_target", not one of push, release`},
		{name: "another runner", change: func(id *verify.Identity) { id.RunnerEnvironment = "self-hosted" }, code: verify.WrongIdentity, want: "runner is"},
		{name: "another visibility", change: func(id *verify.Identity) { id.Visibility = "private" }, code: verify.WrongIdentity, want: "visibility is"},
		{name: "many differences", change: func(id *verify.Identity) { *id = verify.Identity{Issuer: github, SAN: "x"} }, code: verify.WrongIdentity, want: "more fields"},
		{name: "a long value", change: func(id *verify.Identity) { id.SAN = strings.Repeat("a", 1<<20) }, code: verify.WrongIdentity, want: "bytes more"},
		{name: "control characters", change: func(id *verify.Identity) { id.SAN = "\x1b[31m\n" }, code: verify.WrongIdentity, want: `\x1b[31m\n`},

		{name: "a ref of the source, where the policy names none", identities: base, change: func(id *verify.Identity) { id.SourceRef = "refs/heads/evil" }, code: verify.WrongIdentity, want: "ref is"},
		{name: "a branch", identities: onBranch, change: func(id *verify.Identity) {
			id.SAN, id.SourceRef = strings.Replace(id.SAN, "refs/tags/v1.2.3", "refs/heads/main", 1), "refs/heads/main"
		}},
		{name: "the branch by a pull request", identities: onBranch, change: func(id *verify.Identity) {
			id.SAN, id.SourceRef, id.Trigger = strings.Replace(id.SAN, "refs/tags/v1.2.3", "refs/heads/main", 1), "refs/heads/main", "pull_request_target"
		}, code: verify.WrongIdentity, want: "trigger is"},
		{name: "a reusable workflow", identities: reusable, change: func(id *verify.Identity) {
			id.SAN = "https://github.com/acme/ci/.github/workflows/publish.yml@refs/heads/main"
		}},
		{name: "a reusable workflow, called from a branch", identities: reusable, change: func(id *verify.Identity) {
			id.SAN, id.SourceRef = "https://github.com/acme/ci/.github/workflows/publish.yml@refs/heads/main", "refs/heads/evil"
		}, code: verify.WrongIdentity, want: "ref is"},
		{name: "a reusable workflow, called from elsewhere", identities: reusable, change: func(id *verify.Identity) {
			id.SAN, id.SourceRepositoryID = "https://github.com/acme/ci/.github/workflows/publish.yml@refs/heads/main", "7"
		}, code: verify.WrongIdentity, want: "repository-id is"},

		{name: "the second of two", identities: onBranch + "}, {" + strict},
		{name: "the nearest of two", identities: gitlab + "}, {" + strict, change: func(id *verify.Identity) { id.Trigger = "schedule" }, code: verify.WrongIdentity, want: `trigger is "schedule"`},
		{name: "before from", identities: strict + `, from: "2.0.0"`, code: verify.WrongIdentity, want: `no identity that signs version "1.2.3"`},
		{name: "at from", identities: strict + `, from: "1.2.3"`},
		{name: "after until", identities: strict + `, until: "1.2.2"`, code: verify.WrongIdentity, want: "no identity that signs"},
		{name: "at until", identities: strict + `, until: "1.2.3"`},
	} {
		identities := tt.identities
		if identities == "" {
			identities = strict
		}
		version := tt.version
		if version == "" {
			version = "1.2.3"
		}
		id := tagged("v1.2.3")
		if tt.change != nil {
			tt.change(&id)
		}
		checkAccept(t, tt.name, &mustParse(t, signed(identities)).Artifacts[0], version, id, tt.code, tt.want)
	}
}

func checkAccept(t *testing.T, name string, a *policy.Artifact, version string, id verify.Identity, code, want string) {
	t.Helper()
	err := a.Accept(version, id)
	var refusal *verify.Refusal
	switch {
	case code == "" && err != nil:
		t.Errorf("%s: %v", name, err)
	case code == "":
	case !errors.As(err, &refusal):
		t.Errorf("%s: accepted, or no refusal: %v", name, err)
	case refusal.Code != code || !strings.Contains(refusal.Detail, want):
		t.Errorf("%s: %v; want %s: %s", name, err, code, want)
	case strings.ContainsAny(refusal.Detail, "\n\r\x1b") || len(refusal.Detail) > 3000:
		t.Errorf("%s: %d bytes are not one line: %q", name, len(refusal.Detail), refusal.Detail)
	}
}

// Versions that would make a SAN read as another one never match, even where the certificate
// has the same text.
func TestAcceptAmbiguousVersions(t *testing.T) {
	a := &mustParse(t, signed(base)).Artifacts[0]
	for _, version := range []string{
		"", "1@2", "1/2", "1#2", "1 2", "1\t2", "1\n2", "{tag}", "{version}", "}", "1\x002", "1\u00a02", "1..2", "1:2", "1~2", "1^2", "1*", strings.Repeat("1", 257),
	} {
		checkAccept(t, version, a, version, tagged("v"+version), verify.WrongIdentity, "")
	}
	onBranch := &mustParse(t, signed(strings.ReplaceAll(base, "refs/tags/{tag}", "refs/heads/main")+", triggers: [push]")).Artifacts[0]
	id := tagged("x")
	id.SAN, id.SourceRef = strings.Replace(id.SAN, "refs/tags/x", "refs/heads/main", 1), "refs/heads/main"
	checkAccept(t, "a branch", onBranch, "1.2.3", id, "", "")
	for _, version := range []string{"", "1@2", "1/2", "1 2", "{version}"} {
		checkAccept(t, "a branch, "+version, onBranch, version, id, verify.WrongIdentity, "")
	}
	for _, version := range []string{"1.2.3", "1.2.3-rc.1", "1.2.3+build.5", "1!2.0"} {
		checkAccept(t, version, a, version, tagged("v"+version), "", "")
	}
}

// A tag that moves is believed for the release that names the same image, and a release only
// for itself.
func TestAcceptTag(t *testing.T) {
	p := mustParse(t, file(`artifact: "oci:ghcr.io/acme/app", source: acme/sdk, tag: "{version}", identities: [{`+base+`}]`))
	for _, tt := range []struct {
		tag    string
		others []string
		want   bool
	}{
		{"v1.2.3", nil, true},
		{"latest", []string{"edge", "v1.2.3"}, true},
		{"1.2", []string{"v1.2.3"}, true},
		{"latest", []string{"v1.2.4"}, false},
		{"latest", nil, false},
		{"v1.2.4", []string{"v1.2.3"}, false}, // an old image under a new version
		{"latest", []string{"la/test"}, false},
	} {
		if err := p.Artifacts[0].AcceptTag(tt.tag, tt.others, tagged("v1.2.3")); (err == nil) != tt.want {
			t.Errorf("%s beside %q: %v", tt.tag, tt.others, err)
		}
	}
	if err := p.Artifacts[0].AcceptTag("latest", []string{"edge"}, tagged("edge")); err == nil {
		t.Error("a tag that moves is believed for another one that does")
	}
}

// The zero values believe nobody, and neither do structs that no file would give.
func TestAcceptBelievesNobody(t *testing.T) {
	for name, a := range map[string]*policy.Artifact{
		"zero":          {},
		"zero identity": {Identities: []policy.Identity{{}}},
		"no issuer":     {Identities: []policy.Identity{{SAN: "x"}}},
		"no san":        {Identities: []policy.Identity{{Issuer: github, RepositoryID: "1", OwnerID: "2"}}},
		"no ids":        {Source: "acme/sdk", Tag: "v{version}", Identities: []policy.Identity{{Issuer: github, SAN: tagged("v1").SAN}}},
	} {
		for _, id := range []verify.Identity{{}, tagged("v1"), {SAN: "x"}, {Issuer: github}} {
			if a.Accept("1", id) == nil {
				t.Errorf("%s: %+v is accepted", name, id)
			}
		}
	}
}

func TestGitTag(t *testing.T) {
	for _, tt := range []struct {
		kind         registry.Kind
		tag, version string
		want         string // "" for none
	}{
		{registry.NPM, "v{version}", "1.2.3", "v1.2.3"},
		{registry.NPM, "@acme/sdk@{version}", "1.2.3", "@acme/sdk@1.2.3"},
		{registry.NPM, "", "1.2.3", ""},
		{registry.NPM, "v{version}", "1@2", ""},
		{registry.Go, "sub/{version}", "v1.2.3", "sub/v1.2.3"},
		{registry.OCI, "v{version}", "sha256:00", ""},
		{registry.Release, "", "v1.2.3", "v1.2.3"},
		{registry.Release, "", "sub/v1.2.3", ""},
		{registry.Release, "sub/v{version}", "sub/v1.2.3", "sub/v1.2.3"},
		{registry.Release, "sub/v{version}", "v1.2.3", ""},
		{registry.Release, "sub/v{version}", "sub/v", ""},
	} {
		a := &policy.Artifact{Kind: tt.kind, Tag: tt.tag}
		if got, ok := a.GitTag(tt.version); got != tt.want || ok != (tt.want != "") {
			t.Errorf("the %s tag of %q as %q is %q, %v; want %q", tt.kind, tt.version, tt.tag, got, ok, tt.want)
		}
	}
}

func TestRequired(t *testing.T) {
	for _, tt := range []struct {
		kind          registry.Kind
		from, version string
		want          bool
	}{
		{registry.NPM, "", "0.0.1", true},
		{registry.NPM, "1.10.0", "1.9.0", false},
		{registry.NPM, "1.10.0", "1.10.0", true},
		{registry.NPM, "1.10.0", "1.10.0-rc.1", false},
		{registry.NPM, "1.10.0", "nonsense", true},
		{registry.PyPI, "1!1.0", "2.0", false},
		{registry.PyPI, "1.0rc1", "1.0", true},
		{registry.PyPI, "1.0", "1.0.dev1", false},
		{registry.Go, "v2.0.0+incompatible", "v1.9.0", false},
		{registry.OCI, "v1.4.0", "1.3.9", false},
		{registry.OCI, "v1.4.0", "latest", true},
		{registry.OCI, "v1.4.0", "sha256:00", true},
		{registry.Release, "v1.4.0", "v1.10.0", true},
		{registry.Release, "cli-v1.4.0", "cli-v1.3.0", false},
	} {
		a := &policy.Artifact{Kind: tt.kind, SignedFrom: tt.from}
		if strings.HasPrefix(tt.from, "cli-") {
			a.Tag = "cli-v{version}"
		}
		if got := a.Required(tt.version); got != tt.want {
			t.Errorf("%s %q with signed-from %q: required %v", tt.kind, tt.version, tt.from, got)
		}
	}
	if (&policy.Artifact{Kind: registry.NPM, Unsigned: true}).Required("1.0.0") {
		t.Error("an unsigned artifact must be signed")
	}
}

func TestTokenAllowed(t *testing.T) {
	day := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		a    policy.Artifact
		want bool
	}{
		{policy.Artifact{}, false},
		{policy.Artifact{TokensAllowed: true}, true},
		{policy.Artifact{TokenUntil: day}, false},
		{policy.Artifact{TokenUntil: day.Add(1)}, true},
		{policy.Artifact{SignedFrom: "2.0.0"}, true},
		{policy.Artifact{SignedFrom: "1.0.0"}, false},
		{policy.Artifact{Unsigned: true}, true},
	} {
		if tt.a.Kind = registry.NPM; tt.a.TokenAllowed("1.2.3", day) != tt.want {
			t.Errorf("%+v: want %v", tt.a, tt.want)
		}
	}
}
