package ghpackages

import (
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
	"github.com/wormsweep/wormsweep/pkg/registry/internal/ghrest"
	"github.com/wormsweep/wormsweep/pkg/registry/internal/jsonlist"
	"github.com/wormsweep/wormsweep/pkg/registry/oci"
)

// Whatever a page says, a listing of containers has whole digests, and each tag once.
func FuzzContainer(f *testing.F) {
	digest := "sha256:" + strings.Repeat("ab", 32)
	for _, seed := range []string{
		`[{"name":"` + digest + `","created_at":"2026-09-01T12:00:00Z","metadata":{"package_type":"container","container":{"tags":["1.0","latest"]}}}]`,
		`[{"name":"` + digest + `","metadata":{"container":{"tags":[]}},"deleted_at":null}]`, `[{"name":"1.0"}]`, `[]`, `{}`,
	} {
		f.Add([]byte(seed))
	}
	client, err := fetch.New(fetch.Options{})
	if err != nil {
		f.Fatal(err)
	}
	api, err := ghrest.New(client, "")
	if err != nil {
		f.Fatal(err)
	}
	now := func() (t time.Time) { return t }
	r := &Reader{api, Options{Type: Container, Untagged: true, Now: now}}
	f.Fuzz(func(t *testing.T, body []byte) {
		versions, err := jsonlist.Parse[versionJSON](body, pageSize)
		if err != nil {
			return
		}
		l, err := r.container("ghcr.io/acme/app", versions, registry.Validator{})
		if err != nil {
			return
		}
		seen := map[string]bool{}
		for _, p := range l.Releases {
			if _, err := oci.ParseDigest(p.Files[0].Name); err != nil {
				t.Fatal(err)
			}
			if _, isTag := l.Tags[p.Version]; isTag && seen[p.Version] {
				t.Fatalf("tag %q twice", p.Version)
			}
			seen[p.Version] = true
		}
	})
}
