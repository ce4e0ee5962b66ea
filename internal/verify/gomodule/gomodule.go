// Package gomodule verifies a published version of a Go module: what the module proxy serves is
// what the checksum database has, and both are the files of the version's tag in our repository.
//
// The zip and the go.mod of the proxy are compared with the record of the checksum database,
// whose place in the log is proved. The module is made anew of the tag's tree, as the go command
// makes it, and compared file by file. What differs is a Refusal that names it; what could not
// be asked is a Gap. A tag that was moved, one that was deleted and one that was never pushed are
// told apart as far as the proxy says of which commit it made the version. That word of the
// proxy is not signed: it explains a refusal, and never makes a proof.
//
// Nothing of a zip or of a tree is unpacked to disk or executed. Zips have the limits of
// golang.org/x/mod/zip.
package gomodule

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/mod/module"

	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/goproxy"
	"github.com/wormsweep/wormsweep/pkg/registry/sumdb"
)

// Proxy is a module proxy: *goproxy.Reader.
type Proxy interface {
	Info(ctx context.Context, path, version string) (*goproxy.Info, error)
	Mod(ctx context.Context, path, version string) ([]byte, error)
	Zip(ctx context.Context, path, version string) (io.ReadCloser, error)
}

// Sum is a checksum database: *sumdb.Client.
type Sum interface {
	Lookup(ctx context.Context, path, version string) (*sumdb.Record, error)
}

// Request says what is verified, and who is asked.
type Request struct {
	Module, Version string // the version is canonical: "v1.2.3", "v2.0.0+incompatible", a pseudo-version

	Proxy Proxy
	Sum   Sum  // nil: a Gap
	Tags  Tags // nil: a Gap

	// Root is the import path of the repository's root, "" to take it from the module's path
	// (github.com/OWNER/REPO), from the folder of Tag, or from the go.mod files of the
	// repository.
	Root string
	// Tag is the name of the version's tag, "" for that which the go command looks for:
	// "v1.2.3", "sub/v1.2.3" for a module in a folder.
	Tag string
	Dir string // of temporary files; os.TempDir() if ""
}

// SplitRef splits MODULE@VERSION. The error says what is wrong with it.
func SplitRef(ref string) (modulePath, version string, err error) {
	modulePath, version, ok := strings.Cut(ref, "@")
	if !ok {
		return "", "", fmt.Errorf("%q is not of the form MODULE@VERSION", ref)
	}
	if _, err := newLayouts(modulePath, version, "", ""); err != nil {
		return "", "", fmt.Errorf("%q: %w", ref, err)
	}
	return modulePath, version, nil
}

// Verify verifies a version. Proofs, refusals and gaps come in the order in which they were
// found. The error is of wrong use, of ctx, or of temporary files.
func Verify(ctx context.Context, req Request) (proofs []verify.Proof, refusals []verify.Refusal, gaps []verify.Gap, err error) {
	layouts, err := newLayouts(req.Module, req.Version, req.Root, req.Tag)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("module %q version %q: %w", req.Module, req.Version, err)
	}
	v := &verifier{Request: req, layouts: layouts}
	if err := v.run(ctx); err != nil {
		return v.proofs, v.refusals, v.gaps, fmt.Errorf("module %q version %q: %w", req.Module, req.Version, err)
	}
	return v.proofs, v.refusals, v.gaps, nil
}

// verifier is one call of Verify.
type verifier struct {
	Request
	layouts []*layout     // where the module may lie, at least one
	info    *goproxy.Info // nil where the proxy did not say
	zip     sums          // nil where there is no zip that could be read
	sum     digest.Digest // of the zip, or of the record where there is no zip

	proofs   []verify.Proof
	refusals []verify.Refusal
	gaps     []verify.Gap
}

func (v *verifier) refuse(code, what, format string, args ...any) {
	v.refusals = append(v.refusals, verify.Refusal{Code: code, What: what, Detail: verify.Line(fmt.Sprintf(format, args...))})
}

func (v *verifier) gap(code, format string, args ...any) {
	v.gaps = append(v.gaps, verify.Gap{Code: code, Detail: verify.Line(fmt.Sprintf(format, args...))})
}

// unanswered makes the gap of an error of a registry.
func (v *verifier) unanswered(what string, err error) {
	code := verify.GapNoAnswer
	switch {
	case errors.Is(err, registry.ErrNotFound), errors.Is(err, registry.ErrNotServed):
		code = verify.GapNotServed
	case errors.Is(err, registry.ErrDenied):
		code = verify.GapDenied
	}
	v.gap(code, "%s%v", what, err)
}

// prefix stands before the names of the files in the module's zip.
func (v *verifier) prefix() string {
	return module.Version{Path: v.Module, Version: v.Version}.String() + "/"
}

func (v *verifier) run(ctx context.Context) error {
	info, infoErr := v.Proxy.Info(ctx, v.Module, v.Version)
	mod, modErr := v.Proxy.Mod(ctx, v.Module, v.Version)
	if modErr != nil {
		v.unanswered("the proxy's go.mod: ", modErr)
	}
	if err := v.open(ctx); err != nil {
		return err
	}
	if infoErr == nil {
		v.info = info
	} else if v.zip == nil { // else it is missed where there is a refusal to explain
		v.unanswered("the proxy's info: ", infoErr)
	}
	if v.zip != nil {
		v.sum = v.zip.h1(v.prefix())
		if sum, ok := v.zip["go.mod"]; ok && modErr == nil && sum != sha256.Sum256(mod) {
			v.refuse(verify.WrongDigest, "go.mod", "the proxy serves another go.mod than the one in the zip")
		}
	}
	v.logged(ctx, mod, modErr == nil)
	if ctx.Err() == nil && v.sum.Algorithm != digest.NoAlgorithm {
		if err := v.tagged(ctx); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// open reads the zip.
func (v *verifier) open(ctx context.Context) error {
	const what = "module zip"
	body, err := v.Proxy.Zip(ctx, v.Module, v.Version)
	if err != nil {
		v.zipFault(err)
		return nil
	}
	defer body.Close()
	read := &marked{r: body}
	f, drop, err := spool(ctx, read, v.Dir)
	if err != nil {
		if read.err == nil && !errors.Is(err, errZipTooLarge) {
			return err // of the temporary file, or of ctx
		}
		v.zipFault(err)
		return nil
	}
	defer drop()
	v.zip, err = fromZip(ctx, f, module.Version{Path: v.Module, Version: v.Version})
	var bad *badZipError
	if errors.As(err, &bad) {
		v.zip = nil
		v.refuse(verify.Malformed, what, "%v", bad)
		return nil
	}
	return err
}

func (v *verifier) zipFault(err error) {
	if errors.Is(err, registry.ErrTooLarge) || errors.Is(err, errZipTooLarge) {
		v.refuse(verify.TooLarge, "module zip", "%v", err)
		return
	}
	v.unanswered("the proxy's zip: ", err)
}

// marked keeps the error of what is read, to be told from that of what is written.
type marked struct {
	r   io.Reader
	err error
}

func (m *marked) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	if err != nil && err != io.EOF {
		m.err = err
	}
	return n, err
}

// logged compares what is served with the checksum database.
func (v *verifier) logged(ctx context.Context, mod []byte, modOK bool) {
	const what = "checksum database"
	if v.Sum == nil {
		v.gap(verify.GapOffline, "no checksum database was asked")
		return
	}
	record, err := v.Sum.Lookup(ctx, v.Module, v.Version)
	var history *sumdb.HistoryError
	switch {
	case errors.As(err, &history):
		v.refuse(verify.LogFork, what, "%v", history)
		return
	case errors.Is(err, sumdb.ErrNotProved):
		v.refuse(verify.NoLogEntry, what, "%v", err)
		return
	case err != nil:
		v.unanswered("", err)
		return
	}
	same := v.zip != nil && modOK
	if v.zip != nil && v.sum.String() != record.Zip.String() {
		same = false
		v.refuse(verify.WrongDigest, "module zip", "the proxy's has the digest %s, and the checksum database %s", h1Text(v.sum), h1Text(record.Zip))
	}
	if sum := modSum(mod); modOK && sum.String() != record.Mod.String() {
		same = false
		v.refuse(verify.WrongDigest, "go.mod", "the proxy's has the digest %s, and the checksum database %s", h1Text(sum), h1Text(record.Mod))
	}
	if same {
		v.proofs = append(v.proofs, verify.Proof{
			Kind: verify.KindChecksumDatabase, Subject: record.Zip.String(),
			Log: []verify.LogEntry{{Log: record.Log, Index: record.ID}}, Key: record.Key,
			Root: fmt.Sprintf("tree of %d records", record.Tree.Size),
		})
	}
	if v.zip == nil && v.sum.Algorithm == digest.NoAlgorithm {
		v.sum = record.Zip
	}
}

// h1Text is a digest as go.sum has it.
func h1Text(d digest.Digest) string { return "h1:" + d.Text }

// modSum is the digest of a go.mod in go.sum.
func modSum(mod []byte) digest.Digest {
	return sums{"go.mod": sha256.Sum256(mod)}.h1("")
}
