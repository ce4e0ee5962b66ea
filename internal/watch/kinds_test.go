package watch_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/internal/registrytest"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// TestKinds: of the other registries, too, one that has nothing new is asked once a look, and what
// is new is seen by the next: a PyPI project and a container image.
func TestKinds(t *testing.T) {
	w := newWorld(t)
	upload := func(version string) {
		w.registry.PyPI().Upload("acme-tool", registrytest.PyPIFile{Name: "acme_tool-" + version + "-py3-none-any.whl", Version: version, Time: w.clock()})
	}
	w.pass(-48 * time.Hour)
	upload("1.0")
	w.pass(48 * time.Hour)
	w.registry.OCI(registrytest.OCIOptions{Referrers: true})
	push := registrytest.Pusher{T: t, URL: w.registry.URL, Repo: "acme/app"}
	push.Image("1.0", "layer")
	w.policy.Registries = []policy.Registry{
		{Name: "pypi", Protocol: "pypi", Address: w.registry.PyPI().URL, Role: registry.Origin, Private: true},
		{Name: "images", Protocol: "oci", Address: w.registry.URL, Role: registry.Origin, Private: true},
	}
	w.policy.Artifacts = []policy.Artifact{
		{Kind: registry.PyPI, Name: "acme-tool", Registry: "pypi", Unsigned: true},
		{Kind: registry.OCI, Name: w.registry.Host + "/acme/app", Registry: "images", Unsigned: true},
	}
	watcher := w.watcher(w.store)
	w.wantTurn(watcher, "looked 2, bad 0, unknown 0")
	requests := func() (n int) {
		for _, c := range w.registry.Counts() {
			n += c.Requests
		}
		return n
	}
	w.registry.Forget()
	for range 4 {
		w.pass(w.interval())
		w.wantTurn(watcher, "looked 2, bad 0, unknown 0")
	}
	// The image's tags are listed, and the manifest of each is looked at: a tag can be moved.
	if n := requests(); n > 4*3 {
		t.Errorf("%d requests in 4 looks at 2 artifacts: %+v", n, w.registry.Counts())
	}
	upload("1.1")
	push.Image("1.1", "another")
	w.pass(w.interval())
	w.wantTurn(watcher, "looked 2, bad 0, unknown 0")
	states, err := watcher.States(t.Context(), w.artifacts())
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range states {
		if !s.Changed.Equal(w.clock()) {
			t.Errorf("%s: what is new was not seen: %s", w.policy.Artifacts[i].ID(), fmt.Sprintf("%+v", s))
		}
	}
}
