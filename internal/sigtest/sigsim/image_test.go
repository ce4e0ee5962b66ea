package main

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/sigtest/images"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/verify/bundle"
	"github.com/wormsweep/wormsweep/internal/verify/image"
	"github.com/wormsweep/wormsweep/internal/verify/trust"
	"github.com/wormsweep/wormsweep/internal/xtest/dockertest"
)

const workflow = "https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1.0.0"

// What a newcomer does: signs an image with a key and keyless, verifies it, tampers with it, and
// sees it refused.
func TestNewcomer(t *testing.T) {
	for _, reg := range []struct {
		name  string
		start func(t *testing.T) string
	}{
		{"sigsim registry", func(t *testing.T) string { return started(t, false) }},
		{"sigsim registry -referrers", func(t *testing.T) string { return started(t, true) }},
		{"docker-registry", func(t *testing.T) string { return dockertest.Start(t).Address }},
	} {
		t.Run(reg.name, func(t *testing.T) {
			app := reg.start(t) + "/acme/app:1.0.0"
			dir := t.TempDir()
			do := func(args ...string) string {
				return sim(t, append([]string{"-dir", filepath.Join(dir, "sigs"), "image"}, args...)...)[0]
			}

			first := do("push", app)
			pair := sim(t, "key", filepath.Join(dir, "release"))
			do("sign", "-key", pair[0], app)
			do("sign", "-keyless", workflow, app)
			do("sign", "-bundle", "-keyless", workflow, app)
			do("attest", "-keyless", workflow, app)
			if last := do("attest", "-bundle", "-type", "https://spdx.dev/Document", "-key", pair[0], app); last != first {
				t.Errorf("%q was signed, and %q was pushed", last, first)
			}

			r := image.Request{
				Reference: app, Accept: bundle.Exactly("https://token.actions.githubusercontent.com", workflow),
				Keys: []trust.Key{publicKey(t, pair[1])}, Transport: http.DefaultTransport,
				RequireAttestations: []string{"https://slsa.dev/provenance/v1", "https://spdx.dev/Document"},
			}
			var err error
			if r.Roots, err = trust.Load(sim(t, "-dir", filepath.Join(dir, "sigs"), "root")[0]); err != nil {
				t.Fatal(err)
			}
			answer, err := image.Verify(t.Context(), r)
			if err != nil || answer.Image != first || len(answer.Proofs) != 5 || len(answer.Refusals) != 0 || len(answer.Gaps) != 0 {
				t.Fatalf("%v, %+v; want five proofs", err, answer)
			}
			if id := answer.Proofs[1].Identity; id == nil || id.SAN != workflow || id.SourceRepositoryURI != "https://github.com/acme/app" || id.OwnerID != "2" {
				t.Errorf("it is by %+v", id)
			}

			if evil := do("tamper", app); evil == first {
				t.Errorf("the tag still has %q", evil)
			}
			answer, err = image.Verify(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			if len(answer.Proofs) != 0 {
				t.Errorf("proved: %+v", answer.Proofs)
			}
			refused := 0
			for _, one := range answer.Refusals {
				t.Log(one.Error())
				if one.Code == verify.WrongDigest {
					refused++
				}
			}
			if refused != 5 {
				t.Errorf("%d signatures of other bytes; want 5", refused)
			}
		})
	}
}

func publicKey(t *testing.T, file string) trust.Key {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	key, err := trust.ParseKey(text)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func started(t *testing.T, referrers bool) string {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	address, ended := make(chan string, 1), make(chan error, 1)
	go func() { ended <- images.Serve(ctx, "127.0.0.1:0", referrers, func(a string) { address <- a }) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	select {
	case a := <-address:
		return a
	case <-time.After(10 * time.Second):
		t.Fatal("the registry does not listen")
		return ""
	}
}
