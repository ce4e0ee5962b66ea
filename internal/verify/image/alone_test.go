package image_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/wormsweep/wormsweep/internal/sigtest/images"
	"github.com/wormsweep/wormsweep/internal/verify/image"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
)

// Nothing but the registry is asked, and nothing is read or kept on disk: not through the
// transport of the request, and not by a library's own client, cache or environment.
func TestNothingElseIsAsked(t *testing.T) {
	w := newWorld(t, inMemoryWithReferrers(t))
	digest, err := w.repo.Push(t.Context(), "1.0.0", "alone")
	if err != nil {
		t.Fatal(err)
	}
	for _, sign := range []func() error{
		func() error { return w.repo.Sign(t.Context(), digest, w.ours, ours()) },
		func() error { return w.repo.Sign(t.Context(), digest, w.theirs, ours()) }, // whose root somebody could look for
		func() error { return w.repo.Attest(t.Context(), digest, slsa, []byte("{}"), w.ours, ours()) },
		func() error {
			return w.repo.Bundle(t.Context(), digest, images.SignedBy, []byte("{}"), w.ours, ours())
		},
	} {
		if err := sign(); err != nil {
			t.Fatal(err)
		}
	}
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(home, "cache"))
	t.Setenv("TUF_ROOT", filepath.Join(home, "tuf"))
	t.Setenv("SIGSTORE_ROOT_FILE", filepath.Join(home, "missing.pem"))
	t.Setenv("SIGSTORE_REKOR_PUBLIC_KEY", filepath.Join(home, "missing.pub"))
	t.Setenv("SIGSTORE_CT_LOG_PUBLIC_KEY_FILE", filepath.Join(home, "missing.pub"))
	usual := http.DefaultTransport
	http.DefaultTransport = only{t, "nobody.example", nil}
	defer func() { http.DefaultTransport = usual }()

	r := w.request(w.repo.Reference(digest))
	r.Transport = only{t, w.address, usual}
	answer, err := image.Verify(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if len(answer.Proofs) != 3 || len(answer.Refusals) != 1 || len(answer.Gaps) != 0 {
		t.Errorf("%+v; want three proofs and a refusal", answer)
	}
	left, err := os.ReadDir(home)
	if err != nil || len(left) != 0 {
		t.Errorf("it left %v in the user's folder: %v", left, err)
	}
}

// With the client that the readers share, a registry is asked that is listed, and no other.
func TestByTheSharedClient(t *testing.T) {
	for _, reg := range registries {
		t.Run(reg.name, func(t *testing.T) {
			w := newWorld(t, reg.start(t))
			digest, err := w.repo.Push(t.Context(), "1.0.0", "shared")
			if err != nil {
				t.Fatal(err)
			}
			if err := w.repo.Sign(t.Context(), digest, w.ours, ours()); err != nil {
				t.Fatal(err)
			}
			client, err := fetch.New(fetch.Options{Hosts: []string{w.address}, PrivateHosts: []string{w.address}})
			if err != nil {
				t.Fatal(err)
			}
			r := w.request(w.repo.Tagged("1.0.0"))
			r.Transport = client.RoundTripper()
			answer, err := image.Verify(t.Context(), r)
			if err != nil || len(answer.Proofs) != 1 || len(answer.Refusals)+len(answer.Gaps) != 0 {
				t.Errorf("%v, %+v; want one proof", err, answer)
			}
			if client, err = fetch.New(fetch.Options{Hosts: []string{"registry.example"}}); err != nil {
				t.Fatal(err)
			}
			r.Transport = client.RoundTripper()
			if answer, err := image.Verify(t.Context(), r); !errors.Is(err, registry.ErrForbidden) {
				t.Errorf("%v, %+v; want %v", err, answer, registry.ErrForbidden)
			}
		})
	}
}
