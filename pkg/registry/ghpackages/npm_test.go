package ghpackages_test

import (
	"errors"
	"io"
	"testing"

	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/registrytest"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
	"github.com/wormsweep/wormsweep/pkg/registry/ghpackages"
	"github.com/wormsweep/wormsweep/pkg/registry/npm"
)

// The real reader of npm packages, and GitHub's list of versions beside it.
func TestWithNPM(t *testing.T) {
	s, token := github(t)
	content := registrytest.New(t)
	packages := content.NPM()
	packages.Publish("@acme/sdk", registrytest.NPMVersion{Version: "1.0.0"})
	packages.SetMaintainers("@acme/sdk", registrytest.NPMPerson{Name: "wren"})
	s.AddPackage(s.Organization("acme"), githubtest.Package{Type: "npm", Name: "sdk", Versions: []githubtest.PackageVersion{{Name: "1.0.0", At: day(1)}}})
	npmReader, err := npm.New(client(t, content.URL, fetch.Auth{}), npm.Options{Address: packages.URL})
	if err != nil {
		t.Fatal(err)
	}
	r := reader(t, s, token, ghpackages.Options{Type: ghpackages.NPM, Content: npmReader})
	l, err := r.List(t.Context(), "@acme/sdk", registry.Validator{})
	if err != nil || len(l.Releases) != 1 || l.Faults != nil || l.Releases[0].Time != registry.Known(day(1)) || len(l.Releases[0].Files[0].Digests) == 0 {
		t.Fatalf("%+v, %v", l, err)
	}
	if _, err := r.List(t.Context(), "@acme/sdk", l.Validator); !errors.Is(err, registry.ErrNotModified) {
		t.Errorf("as it was: %v", err)
	}
	packages.SetTag("@acme/sdk", "next", "1.0.0")
	moved, err := r.List(t.Context(), "@acme/sdk", l.Validator)
	if err != nil || moved.Tags["next"] != "1.0.0" {
		t.Errorf("a tag that moved: %+v, %v", moved, err)
	}
	body, err := r.Open(t.Context(), "@acme/sdk", l.Releases[0].Files[0])
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if _, err := io.Copy(io.Discard, body); err != nil {
		t.Error(err)
	}
}
