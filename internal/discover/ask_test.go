package discover_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/discover"
	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// gitHub answers by the name of a repository.
type gitHub map[string]discover.Repository

var errRefused = errors.New("refused")

func (g gitHub) Repository(_ context.Context, name string) (discover.Repository, error) {
	if r, ok := g[name]; ok {
		return r, nil
	}
	return discover.Repository{}, errRefused
}

// signers answers by the ID of an artifact.
type signers map[string][]discover.Signed

func (s signers) Signers(_ context.Context, kind registry.Kind, name string) ([]discover.Signed, error) {
	if s == nil {
		return nil, errRefused
	}
	return s[string(kind)+":"+name], nil
}

// listings is a registry that only lists.
type listings map[string]*registry.Listing

func (l listings) List(_ context.Context, name string, _ registry.Validator) (*registry.Listing, error) {
	if l == nil {
		return nil, errRefused
	}
	if listing := l[name]; listing != nil {
		return listing, nil
	}
	return nil, fmt.Errorf("%q: %w", name, registry.ErrNotFound)
}

func (listings) Attestations(context.Context, string, *registry.Published) ([]registry.Attestation, error) {
	return nil, registry.ErrNotServed
}

func (listings) Open(context.Context, string, registry.File) (io.ReadCloser, error) {
	return nil, registry.ErrNotServed
}

func (l listings) reader(kind registry.Kind) registry.Reader {
	if kind != registry.NPM {
		return nil
	}
	return l
}

// signedBy is a certificate of acme/sdk's release of 1.0.0.
func signedBy(change func(*verify.Identity)) discover.Signed {
	s := discover.Signed{Version: "1.0.0", Predicate: "https://slsa.dev/provenance/v1", Identity: verify.Identity{
		Issuer:             "https://token.actions.githubusercontent.com",
		SAN:                "https://github.com/acme/sdk/.github/workflows/release.yml@refs/tags/v1.0.0",
		SourceRepositoryID: "11", OwnerID: "22", Trigger: "push", RunnerEnvironment: "github-hosted",
		BuildConfigURI: "https://github.com/acme/sdk/.github/workflows/release.yml@refs/tags/v1.0.0",
	}}
	if change != nil {
		change(&s.Identity)
	}
	return s
}

func TestAsks(t *testing.T) {
	sdk := map[string]memory{"sdk": {"package.json": npmPackage, ".github/workflows/release.yml": ofSteps(onTags, idToken, "run: npm publish")}}
	byToken := map[string]memory{"sdk": {"package.json": npmPackage, ".github/workflows/release.yml": ofSteps(onTags, "", "run: npm publish")}}
	provenance := func(versions ...string) *registry.Listing {
		l := &registry.Listing{Registry: "https://npm.example", Maintainers: registry.Known([]registry.Person{{Name: "bob"}, {Name: "alice"}})}
		for _, v := range versions {
			name, has := strings.CutSuffix(v, "+")
			r := registry.Published{Version: name, Provenance: registry.None[string]()}
			if has {
				r.Provenance = registry.Known("https://npm.example/x")
			}
			l.Releases = append(l.Releases, r)
		}
		return l
	}
	for _, tt := range []struct {
		name    string
		repos   map[string]memory // sdk if nil
		opt     discover.Options
		missing string   // in what is missing, "" for nothing
		unread  string   // in what was not read
		text    []string // in the text
	}{
		{name: "nobody is asked", missing: "without repository-id", text: []string{"# repository-id: to be filled in: GitHub was not asked\n"}},
		{
			name: "GitHub", opt: discover.Options{GitHub: gitHub{"acme/sdk": {ID: "11", OwnerID: "22", Visibility: "public", DefaultBranch: "trunk"}}},
			text: []string{"# from GitHub\n        repository-id: 11\n", "owner-id: 22\n", "visibility: public\n"},
		},
		{
			name: "GitHub says no", opt: discover.Options{GitHub: gitHub{}},
			missing: "without owner-id", unread: `"acme/sdk": its numbers on GitHub: refused`, text: []string{"# owner-id: to be filled in: refused\n"},
		},
		{
			name: "certificates", opt: discover.Options{Signers: signers{"npm:@acme/sdk": {signedBy(nil)}}},
			text: []string{"# from the certificate of version \"1.0.0\"\n        repository-id: 11\n"},
		},
		{
			name: "a certificate of another repository of that name", opt: discover.Options{
				Signers: signers{"npm:@acme/sdk": {signedBy(nil)}}, GitHub: gitHub{"acme/sdk": {ID: "99", OwnerID: "22"}},
			},
			missing: "without repository-id", text: []string{"GitHub says 99, and the certificate 11"},
		},
		{
			name: "a certificate of another workflow", opt: discover.Options{Signers: signers{"npm:@acme/sdk": {signedBy(func(id *verify.Identity) {
				id.SAN = strings.Replace(id.SAN, "release", "evil", 1)
			})}}},
			missing: "without repository-id", text: []string{`version "1.0.0" is signed otherwise: san is "https://github.com/acme/sdk/.github/workflows/evil.yml`},
		},
		{
			name: "a certificate where no workflow signs", repos: byToken, opt: discover.Options{Signers: signers{"npm:@acme/sdk": {signedBy(nil)}}},
			text: []string{"a guess: version \"1.0.0\" is signed so", "san: \"https://github.com/acme/sdk/.github/workflows/release.yml@refs/tags/{tag}\"\n"},
		},
		{
			name: "signers do not answer", opt: discover.Options{Signers: signers(nil)},
			missing: "without repository-id", unread: `"npm:@acme/sdk": who signed it: refused`,
		},
		{
			name: "a registry", opt: discover.Options{
				GitHub: gitHub{"acme/sdk": {ID: "11", OwnerID: "22"}}, Registry: listings{"@acme/sdk": provenance("0.9.0", "1.0.0+", "1.1.0+")}.reader,
			},
			text: []string{"maintainers: [alice, bob]\n", "signed-from: \"1.0.0\"\n"},
		},
		{
			name: "a registry whose newest version is not signed", opt: discover.Options{
				GitHub: gitHub{"acme/sdk": {ID: "11", OwnerID: "22"}}, Registry: listings{"@acme/sdk": provenance("1.0.0+", "1.1.0")}.reader,
			},
			text: []string{`# signed-from: the newest version, "1.1.0", is not known`},
		},
		{
			name: "a registry that has none", opt: discover.Options{GitHub: gitHub{"acme/sdk": {ID: "11", OwnerID: "22"}}, Registry: listings{}.reader},
			text: []string{"its registry has none of that name"},
		},
		{
			name: "a registry that does not answer", opt: discover.Options{GitHub: gitHub{"acme/sdk": {ID: "11", OwnerID: "22"}}, Registry: listings(nil).reader},
			unread: `"npm:@acme/sdk": its registry: refused`, text: []string{"# not read: \"npm:@acme/sdk\""},
		},
	} {
		repos := tt.repos
		if repos == nil {
			repos = sdk
		}
		p := propose(t, tt.opt, repos)
		if got := fmt.Sprint(p.Missing); !strings.Contains(got, tt.missing) || tt.missing == "" && p.Missing != nil {
			t.Errorf("%s: missing: %s; want %q", tt.name, got, tt.missing)
		}
		if got := strings.Join(p.Unread, "\n"); !strings.Contains(got, tt.unread) || tt.unread == "" && got != "" {
			t.Errorf("%s: unread: %s; want %q", tt.name, got, tt.unread)
		}
		for _, want := range tt.text {
			if !strings.Contains(string(p.Text), want) {
				t.Errorf("%s: no %q in\n%s", tt.name, want, p.Text)
			}
		}
	}
}

// TestNeverWider: what registries and certificates say leaves no more believed than one
// identity, whole.
func TestNeverWider(t *testing.T) {
	p := propose(t, discover.Options{Signers: signers{"npm:@acme/sdk": {
		signedBy(func(id *verify.Identity) {
			id.SAN = "https://github.com/stranger/x/.github/workflows/x.yml@refs/heads/main"
		}), signedBy(nil),
	}}}, map[string]memory{"sdk": {"package.json": npmPackage, ".github/workflows/release.yml": ofSteps(onTags, idToken, "run: npm publish")}})
	parsed, err := policy.Parse("x", p.Text)
	if err != nil {
		t.Fatal(err)
	}
	if a := parsed.Artifacts[0]; len(a.Identities) != 1 || strings.Contains(string(p.Text), "stranger") {
		t.Errorf("%s", p.Text)
	}
}
