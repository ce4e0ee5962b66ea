package cli

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/verify/bundle"
	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/registry/host"
)

const hostOfGitHub = host.GitHub

// blobFlags are the flags of verify blob.
type blobFlags struct {
	outputFlags
	signerFlags
	bundle string
	trust  trustFlags
}

func verifyBlobCommand() *cobra.Command {
	var f blobFlags
	cmd := &cobra.Command{
		Use:   "blob --bundle FILE (FILE | sha256:HEX)",
		Short: "Verify a file with a Sigstore bundle",
		Long: `Blob verifies a Sigstore bundle over a file, or over a digest where the file is
elsewhere: a signature, or an attestation that has it as its subject. Nothing is
asked of a network with --offline or --trusted-root.

Exit codes: 0 verified; 1 the bundle, key or root does not read, or it is not a
signature of this file by who is named; 2 wrong use.`,
		Args: wants("FILE", false),
		RunE: func(cmd *cobra.Command, args []string) error { return runVerifyBlob(cmd, f, args[0]) },
	}
	cmd.Flags().SortFlags = false
	flags := cmd.Flags()
	flags.StringVar(&f.bundle, "bundle", "", "`FILE` with the bundle (JSON)")
	f.signerFlags.add(flags)
	f.trust.add(flags)
	f.outputFlags.add(flags)
	return cmd
}

func runVerifyBlob(cmd *cobra.Command, f blobFlags, arg string) error {
	accept, keys, err := f.believed()
	switch {
	case err != nil:
		return err
	case f.bundle == "":
		return usage(errors.New("--bundle FILE: it is not named"))
	case accept == nil && len(keys) == 0:
		return usage(errors.New("nobody is believed: name --certificate-identity with --certificate-oidc-issuer, or --key"))
	}
	text, err := readBounded(f.bundle, bundle.MaxBytes)
	if err != nil {
		return usage(fmt.Errorf("--bundle %q: %w", f.bundle, bare(err)))
	}
	want := bundle.Want{Accept: accept, Keys: keys, LogOptional: true}
	if hex, ok := strings.CutPrefix(arg, "sha256:"); ok {
		d := digest.Digest{Algorithm: digest.SHA256, Text: hex}
		if !d.Valid() {
			return usage(fmt.Errorf("%q is no SHA-256", arg))
		}
		want.Digests = []digest.Digest{d}
	} else {
		file, err := os.Open(arg)
		if err != nil {
			return usage(fmt.Errorf("%q: %w", arg, bare(err)))
		}
		defer file.Close()
		want.Artifact = file
	}
	trusted, err := f.trust.load(cmd.Context())
	if err != nil {
		return refusedInput(err)
	}
	for _, note := range trusted.Notes {
		tell(cmd.ErrOrStderr(), errors.New(note))
	}
	return putOut(cmd, f.outputFlags, func() verify.Result {
		result := verify.Result{Kind: "blob", Name: arg, Verdict: verify.Mismatch}
		proof, err := bundle.Verify(text, want, trusted.Roots...)
		var refusal *verify.Refusal
		switch {
		case errors.As(err, &refusal):
			result.Refusals = []verify.Refusal{*refusal}
		case err != nil:
			result.Refusals = []verify.Refusal{{Code: verify.Malformed, What: "bundle", Detail: verify.Line(err.Error())}}
		default:
			result.Verdict, result.Digest, result.Proofs = verify.Verified, proof.Subject, []verify.Proof{*proof}
		}
		return result
	}, "pkg:generic/"+strings.ReplaceAll(arg, "/", "%2F"), "")
}
