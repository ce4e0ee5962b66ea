// Package served checks what a registry serves beside one published version: registry
// signatures, attestations, image signatures, the checksum database and the tag of a Go module,
// and the files themselves against the digests that the registry tells of them. It knows the
// forms of each kind; package bundle, image and gomodule do the verifying.
//
// What it gives is a drift.Subject: proofs of signers that are believed, refusals of what was
// presented and is wrong, and gaps. That something which is wanted is not there is not said here:
// it depends on the policy, and on the versions before.
package served

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/wormsweep/wormsweep/internal/drift"
	"github.com/wormsweep/wormsweep/internal/drift/tarball"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/verify/bundle"
	"github.com/wormsweep/wormsweep/internal/verify/gomodule"
	"github.com/wormsweep/wormsweep/internal/verify/trust"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// Checker checks versions. Every field may be left out: what would need it is then a gap, or is
// not believed. It is safe for concurrent use.
type Checker struct {
	Roots []*trust.Root
	// RegistryKeys are the keys of an npm registry, by the address that Listing.Registry has.
	RegistryKeys func(registry string) []trust.Key
	// Sum is the checksum database of Go modules, Tags the repository that one is made from.
	Sum  gomodule.Sum
	Tags func(ctx context.Context, v Version) gomodule.Tags
	// Transport asks container registries.
	Transport http.RoundTripper
	// Archives has the files of packages read: their digests are compared, and what they hold is
	// for the rules of package drift.
	Archives bool
}

// Version is a published version, and who is believed to sign it.
type Version struct {
	Kind    registry.Kind
	Name    string
	Version string
	// Accept says whether an identity is believed: nil for yes. Without it none is.
	Accept func(verify.Identity) error
	Keys   []trust.Key // of those who sign by a key
	Source string      // "owner/repository" that it is made from, "" for not known
	Tag    string      // its git tag, "" for the usual one
	// Attestations are predicate types that an image must have.
	Attestations []string
}

// Check checks a version. signatures counts what was verified, well or not.
func (c *Checker) Check(ctx context.Context, v Version, reader registry.Reader, l *registry.Listing, r *registry.Published) (s drift.Subject, signatures int) {
	k := &check{Checker: c, version: v, reader: reader, listing: l, release: r}
	switch v.Kind {
	case registry.NPM:
		k.npm(ctx)
	case registry.PyPI:
		k.pypi(ctx)
	case registry.Go:
		k.gomod(ctx)
	case registry.OCI:
		k.image(ctx)
	case registry.Release:
		k.githubRelease(ctx)
	default:
		k.gap(verify.GapUnsupported, "%q is no kind that is verified", v.Kind)
	}
	if c.Archives && (v.Kind == registry.NPM || v.Kind == registry.PyPI) {
		k.archives(ctx)
	}
	return k.subject, k.signatures
}

// check is one call of Check.
type check struct {
	*Checker
	version Version
	reader  registry.Reader
	listing *registry.Listing
	release *registry.Published

	subject    drift.Subject
	signatures int
}

func (k *check) gap(code, format string, args ...any) {
	k.subject.Gaps = append(k.subject.Gaps, verify.Gap{Code: code, Detail: verify.Line(fmt.Sprintf(format, args...))})
}

// missing notes that something could not be had, for the reason of an error of a Reader.
func (k *check) missing(what string, err error) {
	k.subject.Gaps = append(k.subject.Gaps, GapOf(what, err))
}

// GapOf is the gap of something that a reader did not give.
func GapOf(what string, err error) verify.Gap {
	code := verify.GapNoAnswer
	switch {
	case errors.Is(err, registry.ErrNotServed):
		code = verify.GapNotServed
	case errors.Is(err, registry.ErrDenied), errors.Is(err, registry.ErrForbidden):
		code = verify.GapDenied
	}
	return verify.Gap{Code: code, Detail: verify.Line(what + ": " + err.Error())}
}

// refused notes an error of a verification. All of them are refusals; another error of the code
// below would be one of ours, and is no verification either.
func (k *check) refused(what string, err error) {
	refusal := &verify.Refusal{Code: verify.Malformed, What: what, Detail: verify.Line(err.Error())}
	errors.As(err, &refusal)
	k.subject.Refusals = append(k.subject.Refusals, *refusal)
}

// bundle verifies one bundle.
func (k *check) bundle(text []byte, want bundle.Want) {
	k.signatures++
	proof, err := bundle.Verify(text, want, k.Roots...)
	if err != nil {
		k.refused(want.What, err)
		return
	}
	k.subject.Proofs = append(k.subject.Proofs, *proof)
}

// attestations asks for what is served beside the release; ok is false where nothing is, and the
// subject says why.
func (k *check) attestations(ctx context.Context) (list []registry.Attestation, ok bool) {
	list, err := k.reader.Attestations(ctx, k.version.Name, k.release)
	switch {
	case errors.Is(err, registry.ErrNotFound):
		k.none("attestations")
	case err != nil:
		k.missing("attestations", err)
	case len(list) == 0:
		k.none("attestations")
	default:
		k.present()
		return list, true
	}
	return nil, false
}

func (k *check) present() { k.subject.Attested = registry.Present }

// none notes that the registry says that there is nothing: of a mirror that is no word.
func (k *check) none(what string) {
	if k.listing.Role == registry.Mirror {
		k.gap(verify.GapMirror, "%s: a mirror has none, and the origin may", what)
		return
	}
	if k.subject.Attested == registry.Unknown {
		k.subject.Attested = registry.Absent
	}
}

// archives reads the files of the release, compares them with the digests that the registry
// tells, and keeps what they hold.
func (k *check) archives(ctx context.Context) {
	for _, f := range k.release.Files {
		format := tarball.FormatOf(f.Name)
		if format == 0 {
			continue
		}
		if err := k.archive(ctx, f, format); err != nil {
			k.missing(fmt.Sprintf("the file %q", f.Name), err)
		}
	}
}

func (k *check) archive(ctx context.Context, f registry.File, format tarball.Format) error {
	in, err := k.reader.Open(ctx, k.version.Name, f)
	if err != nil {
		return err
	}
	defer in.Close()
	sums := newSums(f.Digests)
	listing, fault := tarball.Read(io.TeeReader(in, sums), format, tarball.Limits{})
	if fault != nil && !errors.Is(fault, tarball.ErrMalformed) && !errors.Is(fault, tarball.ErrTooLarge) {
		return fault
	}
	if !errors.Is(fault, tarball.ErrTooLarge) {
		if _, err := io.Copy(sums, in); err != nil {
			return err
		}
		if wrong := sums.differ(f.Digests); wrong != "" {
			k.subject.Refusals = append(k.subject.Refusals, verify.Refusal{
				Code: verify.WrongDigest, What: "file", Detail: verify.Line(fmt.Sprintf("%q is other bytes than the registry says: %s", f.Name, wrong)),
			})
		}
	}
	a := drift.Archive{Name: f.Name, Listing: listing}
	if fault != nil {
		a.Fault = fault.Error()
	}
	k.subject.Archives = append(k.subject.Archives, a)
	return nil
}
