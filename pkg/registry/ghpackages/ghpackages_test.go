package ghpackages_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/registrytest"
	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
	"github.com/wormsweep/wormsweep/pkg/registry/ghpackages"
	"github.com/wormsweep/wormsweep/pkg/registry/oci"
)

var _ registry.Reader = (*ghpackages.Reader)(nil)

func day(n int) time.Time { return time.Date(2026, 9, n, 12, 0, 0, 0, time.UTC) }

// client asks an address on loopback.
func client(t *testing.T, address string, auth fetch.Auth) *fetch.Client {
	t.Helper()
	h := strings.TrimPrefix(address, "http://")
	c, err := fetch.New(fetch.Options{
		Hosts: []string{h}, PrivateHosts: []string{h}, Tokens: map[string]fetch.Auth{h: auth}, Attempts: 2,
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func github(t *testing.T) (s *githubtest.Server, token string) {
	t.Helper()
	s = githubtest.Start(t, githubtest.Options{})
	s.AddMembers(s.Organization("acme"), "wren")
	return s, s.PersonalToken(s.Organization("wren"), map[string]string{"packages": "read"})
}

func reader(t *testing.T, s *githubtest.Server, token string, o ghpackages.Options) *ghpackages.Reader {
	t.Helper()
	o.Address = s.URL()
	r, err := ghpackages.New(client(t, s.URL(), fetch.Bearer(token)), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func sha(n int) string { return fmt.Sprintf("sha256:%064d", n) }

func TestContainer(t *testing.T) {
	s, token := github(t)
	content := registrytest.New(t)
	content.OCI(registrytest.OCIOptions{Referrers: true})
	push := registrytest.Pusher{T: t, URL: content.URL, Repo: "acme/team/app"}
	image := push.Image("1.0", "layer")
	push.Attach(image, "https://slsa.dev/provenance/v1", []byte(`{"a":1}`))
	s.AddPackage(s.Organization("acme"), githubtest.Package{Type: "container", Name: "team/app", Versions: []githubtest.PackageVersion{
		{Name: image.Digest, Tags: []string{"1.0", "latest"}, At: day(2)},
		{Name: sha(1), At: day(1)},
		{Name: sha(2), Tags: []string{"sha256-" + image.Digest[7:] + ".sig"}, At: day(3)},
		{Name: sha(3), Tags: []string{"0.9"}, At: day(1), Deleted: day(2)},
	}})
	ociReader, err := oci.New(client(t, content.URL, fetch.Auth{}), oci.Options{Address: content.URL, Host: "ghcr.test"})
	if err != nil {
		t.Fatal(err)
	}
	const app = "ghcr.test/acme/team/app"
	r := reader(t, s, token, ghpackages.Options{Type: ghpackages.Container, Content: ociReader})
	l, err := r.List(t.Context(), app, registry.Validator{})
	if err != nil {
		t.Fatal(err)
	}
	d, _ := oci.ParseDigest(image.Digest)
	files := []registry.File{{Name: image.Digest, Digests: []digest.Digest{d}, Time: registry.Known(day(2))}}
	if diff := cmp.Diff([]registry.Published{
		{Version: "1.0", Time: registry.Known(day(2)), Files: files},
		{Version: "latest", Time: registry.Known(day(2)), Files: files},
	}, l.Releases); diff != "" || l.Tags["latest"] != image.Digest || len(l.Tags) != 2 || l.Kind != registry.OCI {
		t.Errorf("%+v (-want +got)\n%s", l, diff)
	}
	if _, err := r.List(t.Context(), app, l.Validator); !errors.Is(err, registry.ErrNotModified) {
		t.Errorf("as it was: %v", err)
	}
	if total := s.Totals(); total.Requests[githubtest.REST] != 2 || total.Conditional != 1 {
		t.Errorf("asked %s", total)
	}
	all, err := reader(t, s, token, ghpackages.Options{Type: ghpackages.Container, Content: ociReader, Untagged: true}).List(t.Context(), app, registry.Validator{})
	if err != nil || len(all.Releases) != 3 || all.Releases[0].Version != sha(1) {
		t.Errorf("with those without a tag: %+v, %v", all, err)
	}

	if got, err := r.Attestations(t.Context(), app, &l.Releases[0]); err != nil || len(got) != 1 {
		t.Errorf("attestations %v, %v", got, err)
	}
	body, err := r.Open(t.Context(), app, l.Releases[0].Files[0])
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if raw, err := io.ReadAll(body); err != nil || registrytest.DigestOf(raw) != image.Digest {
		t.Errorf("manifest %q, %v", raw, err)
	}
	deleted, err := r.Deleted(t.Context(), app)
	if diff := cmp.Diff([]registry.Published{{Version: sha(3), Time: registry.Known(day(1)), Unpublished: registry.Known(true)}}, deleted); err != nil || diff != "" {
		t.Errorf("deleted: %v (-want +got)\n%s", err, diff)
	}
}

// listed is a reader that lists what it is told to.
type listed struct {
	registry.Reader
	l     registry.Listing
	asked int
}

func (r *listed) List(_ context.Context, _ string, since registry.Validator) (*registry.Listing, error) {
	r.asked++
	if since == r.l.Validator {
		return nil, registry.ErrNotModified
	}
	l := r.l
	l.Releases = append([]registry.Published(nil), l.Releases...)
	return &l, nil
}

func TestNPM(t *testing.T) {
	s, token := github(t)
	org := s.Organization("acme")
	s.AddPackage(org, githubtest.Package{Type: "npm", Name: "sdk", Versions: []githubtest.PackageVersion{
		{Name: "1.1.0", At: day(2)}, {Name: "1.0.0", At: day(1)}, {Name: "9.9.9", At: day(3)},
	}})
	content := &listed{l: registry.Listing{
		Kind: registry.NPM, Name: "@acme/sdk", Validator: registry.Validator{ETag: `"n1"`, LastModified: "yesterday"}, Tags: map[string]string{"latest": "1.1.0"},
		Releases: []registry.Published{
			{Version: "1.1.0", Scripts: registry.Known(map[string]string{"install": "x"})},
			{Version: "1.0.0"},
			{Version: "0.1.0"},
			{Version: "0.0.1", Unpublished: registry.Known(true)},
		},
	}}
	r := reader(t, s, token, ghpackages.Options{Type: ghpackages.NPM, Content: content})
	l, err := r.List(t.Context(), "@acme/sdk", registry.Validator{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]registry.Published{
		{Version: "0.0.1", Unpublished: registry.Known(true)},
		{Version: "0.1.0"},
		{Version: "1.0.0", Time: registry.Known(day(1))},
		{Version: "1.1.0", Time: registry.Known(day(2)), Scripts: registry.Known(map[string]string{"install": "x"})},
	}, l.Releases); diff != "" {
		t.Errorf("releases (-want +got)\n%s", diff)
	}
	if len(l.Faults) != 2 || !strings.Contains(l.Faults[0], `"0.1.0"`) || !strings.Contains(l.Faults[1], `"9.9.9"`) || l.Tags["latest"] != "1.1.0" {
		t.Errorf("%+v", l)
	}

	since := l.Validator
	if _, err := r.List(t.Context(), "@acme/sdk", since); !errors.Is(err, registry.ErrNotModified) {
		t.Errorf("as it was: %v", err)
	}
	content.l.Validator.ETag, content.l.Tags = `"n2"`, map[string]string{"latest": "1.0.0"} // and no version changed
	l, err = r.List(t.Context(), "@acme/sdk", since)
	if err != nil || l.Tags["latest"] != "1.0.0" || len(l.Releases) != 4 {
		t.Fatalf("a tag that moved: %+v, %v", l, err)
	}
	since = l.Validator
	s.Update(func() { org.Packages[0].Versions = org.Packages[0].Versions[:2] })
	l, err = r.List(t.Context(), "@acme/sdk", since)
	if err != nil || len(l.Faults) != 1 || len(l.Releases) != 4 {
		t.Errorf("a version that was deleted: %+v, %v", l, err)
	}
	if _, err := r.List(t.Context(), "@acme/sdk", registry.Validator{ETag: `"n2"`, LastModified: "yesterday"}); err != nil {
		t.Errorf("a validator of another reader: %v", err)
	}
}

func TestDenied(t *testing.T) {
	s, token := github(t)
	org := s.Organization("acme")
	s.AddPackage(org, githubtest.Package{Type: "npm", Name: "sdk", Versions: []githubtest.PackageVersion{{Name: "1.0.0", At: day(1)}}})
	o := ghpackages.Options{Type: ghpackages.NPM, Content: &listed{}}
	for what, secret := range map[string]string{
		"an App":          s.InstallationToken(s.Installation()),
		"without scope":   s.PersonalToken(s.Organization("wren"), map[string]string{"contents": "read"}),
		"a token of none": "nonsense",
	} {
		for _, user := range []bool{false, true} {
			o.User = user
			owner := map[bool]string{false: "@acme/sdk", true: "@wren/sdk"}[user]
			_, err := reader(t, s, secret, o).List(t.Context(), owner, registry.Validator{})
			if !errors.Is(err, registry.ErrDenied) || !strings.Contains(err.Error(), "read:packages") {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
	o.User = false
	if _, err := reader(t, s, token, o).List(t.Context(), "@acme/none", registry.Validator{}); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("a package that is not there: %v", err)
	}
	for _, name := range []string{"sdk", "@acme", "@acme/../x", "@acme/a/b", "@/a", "@acme/a?b"} {
		if _, err := reader(t, s, token, o).List(t.Context(), name, registry.Validator{}); !errors.Is(err, registry.ErrForbidden) {
			t.Errorf("%q: %v", name, err)
		}
	}
	o.Type = ghpackages.Container
	for _, name := range []string{"ghcr.test/acme", "acme/app", "ghcr.test/acme/App", "ghcr.test/acme/a/../b"} {
		if _, err := reader(t, s, token, o).List(t.Context(), name, registry.Validator{}); !errors.Is(err, registry.ErrForbidden) {
			t.Errorf("%q: %v", name, err)
		}
	}
	o.User = true
	if _, err := reader(t, s, token, o).Deleted(t.Context(), "ghcr.test/wren/app"); !errors.Is(err, registry.ErrNotServed) {
		t.Errorf("deleted versions of a user: %v", err)
	}
}

func TestBadAnswers(t *testing.T) {
	s, token := github(t)
	s.AddPackage(s.Organization("acme"), githubtest.Package{Type: "container", Name: "app", Versions: []githubtest.PackageVersion{
		{Name: sha(1), Tags: []string{"1.0"}, At: day(1)}, {Name: sha(2), Tags: []string{"2.0"}, At: day(2)}, {Name: sha(3), At: day(3)},
	}})
	list := func(max int) (*registry.Listing, error) {
		return reader(t, s, token, ghpackages.Options{Type: ghpackages.Container, Content: &listed{}, MaxVersions: max}).List(t.Context(), "ghcr.test/acme/app", registry.Validator{})
	}
	if _, err := list(3); err != nil {
		t.Error(err)
	}
	if _, err := list(2); !errors.Is(err, registry.ErrTooLarge) {
		t.Errorf("more than the limit: %v", err)
	}
	for what, tt := range map[string]struct {
		fault githubtest.Fault
		want  error
	}{
		"a circle":      {githubtest.LoopPages(), registry.ErrMalformed},
		"half":          {githubtest.CutJSON(), registry.ErrMalformed},
		"cut":           {githubtest.CutBody(false), nil},
		"a failure":     {githubtest.BadGateway(), nil},
		"no tag":        {githubtest.Fails(200, "application/json", fmt.Sprintf(`[{"name":%q,"metadata":{"container":{"tags":["a/b"]}}}]`, sha(1))), registry.ErrMalformed},
		"no digest":     {githubtest.Fails(200, "application/json", `[{"name":"1.0"}]`), registry.ErrMalformed},
		"a tag of two":  {githubtest.Fails(200, "application/json", fmt.Sprintf(`[{"name":%q,"metadata":{"container":{"tags":["a"]}}},{"name":%q,"metadata":{"container":{"tags":["a"]}}}]`, sha(1), sha(2))), registry.ErrMalformed},
		"too many tags": {githubtest.Fails(200, "application/json", `[{"metadata":{"container":{"tags":[`+strings.Repeat(`"a",`, 1000)+`"a"]}}}]`), registry.ErrTooLarge},
	} {
		mend := s.Break(githubtest.Rule{Fault: tt.fault})
		l, err := list(0)
		mend()
		if err == nil || tt.want != nil && !errors.Is(err, tt.want) || errors.Is(err, registry.ErrNotFound) {
			t.Errorf("%s: %v, %v; want %v", what, l, err, tt.want)
		}
	}
}

func ExampleNew() {
	client, err := fetch.New(fetch.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = ghpackages.New(client, ghpackages.Options{Type: "maven"})
	fmt.Println(err)
	_, err = ghpackages.New(client, ghpackages.Options{Type: ghpackages.Container})
	fmt.Println(err)
	// Output:
	// packages of type "maven" are not read
	// GitHub Packages without a reader of their content
}
