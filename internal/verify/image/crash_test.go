package image_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/sigstore/cosign/v2/pkg/cosign"
	"github.com/sigstore/sigstore/pkg/signature"

	"github.com/wormsweep/wormsweep/internal/sigtest/images"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/verify/image"
	"github.com/wormsweep/wormsweep/internal/verify/trust"
)

// crashing is a signature whose entry of a log has a body that is no string: anybody who may push
// can put it there.
func crashing(t testing.TB, w *world, digest string) {
	t.Helper()
	payload, err := w.repo.Payload(digest)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.repo.PutLayers(t.Context(), images.Attached(digest, "sig"), images.Layer{
		Media: "application/vnd.dev.cosign.simplesigning.v1+json", Content: payload,
		Annotations: map[string]string{
			"dev.cosignproject.cosign/signature": "MEUCIQ==",
			"dev.sigstore.cosign/bundle":         `{"SignedEntryTimestamp":"AAAA","Payload":{"body":{},"integratedTime":1,"logIndex":1,"logID":"00"}}`,
		},
	}); err != nil {
		t.Fatal(err)
	}
}

const crashChild = "WORMSWEEP_TEST_CRASH"

// cosign v2.6.5, asked as its documentation says, is ended by such a signature, and no recover of
// a caller would help: the panic is in a goroutine of its own. Where this test fails, a version
// mends it, and the package's own reading of annotations may be thought over.
func TestCosignByItselfCrashes(t *testing.T) {
	if reference := os.Getenv(crashChild); reference != "" {
		defer func() { _ = recover() }()
		ref, err := name.ParseReference(reference)
		if err != nil {
			t.Fatal(err)
		}
		key, _ := newKey(t)
		verifier, err := signature.LoadVerifier(key.Public(), 5)
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = cosign.VerifyImageSignatures(context.Background(), ref, &cosign.CheckOpts{
			SigVerifier: verifier, Offline: true, RekorPubKeys: &cosign.TrustedTransparencyLogPubKeys{Keys: map[string]cosign.TransparencyLogPubKey{}},
		})
		t.Fatalf("cosign answers: %v", err)
	}
	w := newWorld(t, inMemory(t))
	digest, err := w.repo.Push(t.Context(), "1.0.0", "crash")
	if err != nil {
		t.Fatal(err)
	}
	crashing(t, w, digest)

	cmd := exec.Command(os.Args[0], "-test.run=^TestCosignByItselfCrashes$")
	cmd.Env = append(os.Environ(), crashChild+"="+w.repo.Reference(digest))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	ended := (*exec.ExitError)(nil)
	if !errors.As(err, &ended) || ended.ExitCode() != 2 || !strings.Contains(out.String(), "panic: interface conversion") {
		t.Fatalf("cosign does not crash any more: %v\n%s", err, out.Bytes())
	}

	// What crashed it is a refusal to us, and the process goes on.
	answer, err := image.Verify(t.Context(), image.Request{Reference: w.repo.Reference(digest), Keys: []trust.Key{w.public}, Transport: w.transport})
	if err != nil {
		t.Fatal(err)
	}
	if len(answer.Proofs) != 0 || len(answer.Refusals) != 1 || answer.Refusals[0].Code != verify.Malformed {
		t.Errorf("%+v; want one refusal as malformed", answer)
	}
	t.Log(answer.Refusals)
}
