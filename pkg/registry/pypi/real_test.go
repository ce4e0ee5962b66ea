package pypi_test

import (
	"encoding/json"
	"errors"
	"os"
	"testing"

	"github.com/wormsweep/wormsweep/internal/registrytest"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/verify/bundle"
	"github.com/wormsweep/wormsweep/internal/verify/trust"
	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/pypi"
)

// What PyPI itself serves beside a file is a Sigstore bundle for those who verify, and proves who
// built that file and no other.
func TestProvenanceOfPyPI(t *testing.T) {
	const (
		file     = "sigstore-3.6.1.tar.gz"
		sha256   = "ee60fdc9236fd6709271ad53b44027461360c3fde155d2af15482e4c451ff865"
		issuer   = "https://token.actions.githubusercontent.com"
		workflow = "https://github.com/sigstore/sigstore-python/.github/workflows/release.yml@refs/tags/v3.6.1"
	)
	object, err := os.ReadFile("testdata/" + file + ".provenance")
	if err != nil {
		t.Fatal(err)
	}
	srv := registrytest.New(t)
	srv.PyPI().Upload("sigstore", registrytest.PyPIFile{Name: file, Version: "3.6.1", Provenance: json.RawMessage(object)})
	r := reader(t, srv, pypi.Options{})
	l, err := r.List(t.Context(), "sigstore", registry.Validator{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.Attestations(t.Context(), "sigstore", &l.Releases[0])
	if err != nil || len(got) != 1 {
		t.Fatalf("%d attestations, %v", len(got), err)
	}
	if got[0].Publisher.Value.Name != "sigstore/sigstore-python release.yml" || got[0].TrustedPublisher.Value != "github" || got[0].PredicateType != publishType {
		t.Errorf("%+v", got[0])
	}
	root, err := trust.Public()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ digest, san, refused string }{
		{sha256, workflow, ""},
		{"0" + sha256[1:], workflow, verify.WrongDigest},
		{sha256, workflow + "1", verify.WrongIdentity},
	} {
		proof, err := bundle.Verify(got[0].Bundle, bundle.Want{
			Digests: []digest.Digest{{Algorithm: digest.SHA256, Text: tt.digest}}, Subject: file, Accept: bundle.Exactly(issuer, tt.san),
		}, root)
		var refusal *verify.Refusal
		switch {
		case tt.refused != "" && (!errors.As(err, &refusal) || refusal.Code != tt.refused):
			t.Errorf("%s, %s: %v; want it refused as %s", tt.digest, tt.san, err, tt.refused)
		case tt.refused == "" && (err != nil || proof.Identity.SAN != workflow || proof.Identity.SourceDigest != "896cfe13105495e6dc6f8faf23e1007da35edeeb"):
			t.Errorf("%+v, %v", proof, err)
		}
	}
}
