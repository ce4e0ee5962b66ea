package policy_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

func TestPrintComesBack(t *testing.T) {
	p := mustParse(t, string(read(t, "testdata/full.yaml")))
	printed := policy.Print(p, nil)
	if d := cmp.Diff(p, mustParse(t, string(printed))); d != "" {
		t.Errorf("-in +printed\n%s\n%s", d, printed)
	}
	if err := validates(t, string(printed)); err != nil {
		t.Error(err)
	}
}

// TestPrintNotes: notes stand at their place, and nothing in one leaves its comment.
func TestPrintNotes(t *testing.T) {
	p := mustParse(t, signed(base))
	notes := map[policy.Place][]string{
		{}:                                     {"the file"},
		{Key: "organisation"}:                  {"whose"},
		{Item: "npm:@acme/sdk"}:                {"the artifact", "evil\n  - artifact: npm:evil\u2028x\u0085y\x1b[31m"},
		{Item: "npm:@acme/sdk", Key: "branch"}: {"no branch"},
		{Item: "npm:@acme/sdk", Identity: 1}:   {"the identity"},
		{Item: "npm:@acme/sdk", Identity: 1, Key: "repository-id"}: {"a number"},
		{Item: "npm:@acme/sdk", Identity: 1, Key: "triggers"}:      {"not known"},
	}
	got := string(policy.Print(p, notes))
	const want = `# the file
version: 1
# whose
organisation: acme
artifacts:
  # the artifact
  # evil\u000A  - artifact: npm:evil\u2028x\u0085y\u001B[31m
  - artifact: npm:@acme/sdk
    source: acme/sdk
    tag: "v{version}"
    identities:
      # the identity
      - issuer: https://token.actions.githubusercontent.com
        san: "https://github.com/acme/sdk/.github/workflows/release.yml@refs/tags/{tag}"
        # a number
        repository-id: 1
        owner-id: 2
        # triggers: not known
    # branch: no branch
`
	if d := cmp.Diff(want, got); d != "" {
		t.Error("-want +got\n" + d)
	}
	if d := cmp.Diff(p, mustParse(t, got)); d != "" {
		t.Error("the notes changed the policy: " + d)
	}
}

func TestDescribe(t *testing.T) {
	var b bytes.Buffer
	if err := policy.Describe(&b, mustParse(t, string(read(t, "testdata/full.yaml")))); err != nil {
		t.Fatal(err)
	}
	const want = `registry company-npm: npm at https://npm.acme.example/api/npm, a mirror: what it lacks is unknown
registry harbor: harbor at https://harbor.acme.example
registry test: oci at http://127.0.0.1:5000
npm:@acme/sdk: from 1.0.0 on signed by https://github.com/acme/sdk/.github/workflows/release.yml@refs/tags/{tag} or https://github.com/acme/ci/.github/workflows/publish.yml@0123456789abcdef0123456789abcdef01234567; made from acme/sdk; tag v{version}; with https://slsa.dev/provenance/v1; maintained by alice, acme-bot; a token may publish it until 2027-01-31; on branch main; with a release; by a run that published it; may run postinstall on installation
npm:internal-tool: unsigned, so anybody who may publish there is believed; at registry company-npm; a token may publish it
pypi:acme-sdk: every version signed by https://github.com/acme/sdk.py/.github/workflows/release.yml@refs/heads/main; made from acme/sdk.py
go:github.com/acme/mono/sub/v2: from v2.1.0 on equals its tag; made from acme/mono; tag sub/{version}
oci:harbor.acme.example/team/app: every version signed by 2 keys; at registry harbor; only latest, 1.4
oci:127.0.0.1:5000/app: every version signed by release@acme.example or https://gitlab.example/acme/app//.gitlab-ci.yml@refs/tags/{version}; at registry test
release:acme/cli: every version signed by https://github.com/acme/cli/.github/workflows/release.yml@refs/tags/{tag}; made from acme/cli; tag cli-v{version}
`
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error("-want +got\n" + d)
	}
}

// TestDigest: every field of an artifact, of an identity and of its registry changes it, but
// for those that change no answer; and the order of what has none does not.
func TestDigest(t *testing.T) {
	p := mustParse(t, string(read(t, "testdata/full.yaml")))
	a := &p.Artifacts[0]
	a.Registry, a.Keys, a.Versions = "company-npm", p.Artifacts[4].Keys, p.Artifacts[4].Versions
	digest := p.Digest(a)
	if again := p.Digest(a); again != digest || len(digest) != 64 {
		t.Fatalf("two digests: %s and %s", digest, again)
	}
	check := func(name string, v reflect.Value, stays bool) {
		t.Helper()
		before := reflect.New(v.Type()).Elem()
		before.Set(v)
		switch v.Kind() {
		case reflect.String:
			v.SetString(v.String() + "x")
		case reflect.Bool:
			v.SetBool(!v.Bool())
		default:
			v.SetZero()
		}
		if got := p.Digest(a) == digest; got != stays {
			t.Errorf("with another %s the digest is the same: %v", name, got)
		}
		v.Set(before)
	}
	each := func(name string, of any, stays ...string) {
		v := reflect.ValueOf(of).Elem()
		for i := range v.NumField() {
			field := v.Type().Field(i).Name
			stay := false
			for _, s := range stays {
				stay = stay || s == field
			}
			check(name+"."+field, v.Field(i), stay)
		}
	}
	each("artifact", a)
	each("identity", &a.Identities[0])
	each("key", &a.Keys[0], "File")
	each("registry", &p.Registries[0], "TokenEnv")
	check("organisation", reflect.ValueOf(&p.Organisation).Elem(), false)
	check("another artifact", reflect.ValueOf(&p.Artifacts[1].Name).Elem(), true)

	a.Maintainers = []string{"acme-bot", "alice"}
	a.Identities[0].Triggers = []string{"release", "push"}
	if p.Digest(a) != digest {
		t.Error("the order of maintainers and triggers changes the digest")
	}
	if a.Maintainers[0] != "acme-bot" || a.Identities[0].Triggers[0] != "release" {
		t.Error("Digest sorts what it was given")
	}
}

func TestArtifactIsFound(t *testing.T) {
	p := mustParse(t, string(read(t, "testdata/full.yaml")))
	for _, tt := range []struct {
		kind registry.Kind
		name string
		want string // its ID
	}{
		{registry.NPM, "@acme/sdk", "npm:@acme/sdk"},
		{registry.NPM, "@Acme/sdk", ""},
		{registry.PyPI, "@acme/sdk", ""},
		{registry.Release, "Acme/CLI", "release:acme/cli"},
	} {
		got := ""
		if a := p.Artifact(tt.kind, tt.name); a != nil {
			got = a.ID()
		}
		if got != tt.want {
			t.Errorf("%s %q is %q; want %q", tt.kind, tt.name, got, tt.want)
		}
	}
	if p.RegistryOf(&p.Artifacts[0]) != nil || p.RegistryOf(&p.Artifacts[1]).Name != "company-npm" {
		t.Error("RegistryOf gives another registry")
	}
	if strings.Contains(p.Artifacts[0].ID(), " ") {
		t.Error("an ID with a space")
	}
}
