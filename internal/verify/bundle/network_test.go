//go:build network

package bundle_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/wormsweep/wormsweep/internal/verify/bundle"
	"github.com/wormsweep/wormsweep/internal/xtest"
)

// The tarball that the npm registry serves today is the one that its provenance is about.
func TestRealTarball(t *testing.T) {
	npm := xtest.Program(t, "npm")
	dir := t.TempDir()
	command := exec.CommandContext(t.Context(), npm, "pack", "--ignore-scripts", "sigstore@2.0.0")
	command.Dir = dir
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	file, err := os.Open(filepath.Join(dir, "sigstore-2.0.0.tgz"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	want := bundle.NPMProvenance("sigstore", "2.0.0", nil, bundle.Exactly(actions, sigstore))
	want.Artifact = file
	proof, err := bundle.Verify(readBundle(t, "sigstore-2.0.0-provenance.json"), want, public(t))
	if err != nil {
		t.Fatal(err)
	}
	if proof.Subject != "pkg:npm/sigstore@2.0.0 sha512:"+tarball {
		t.Errorf("%+v", proof)
	}
}
