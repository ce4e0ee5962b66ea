// Package trust holds what verification of signatures starts from: trusted roots of Sigstore
// and public keys.
//
// The public Sigstore's root, GitHub's own, and the keys of the npm registry are part of the
// program, each with the date it is of. Load reads others from a file. Nothing here asks the
// network but Refresh, which is given the means to.
package trust

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	_ "embed"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/wormsweep/wormsweep/internal/verify"
)

// MaxBytes is the size of the largest trusted root that is read, and of a file with several.
const MaxBytes = 1 << 20

// MaxAge is how old a root may be that has a date. After that, authorities may have come that
// it does not know, and others may have been withdrawn.
const MaxAge = 365 * 24 * time.Hour

//go:embed roots/public-good.json
var publicGood []byte

//go:embed roots/github.json
var github []byte

// The dates of what is embedded: see roots/README.md.
var (
	publicGoodDate = time.Date(2026, 11, 5, 0, 0, 0, 0, time.UTC)
	githubDate     = time.Date(2026, 6, 12, 0, 0, 0, 0, time.UTC)
)

// The names of the roots that are embedded.
const (
	PublicGood = "Sigstore public good"
	GitHubRoot = "GitHub"
)

// Root is a trusted root: certificate authorities, logs and timestamp authorities. It is safe
// for concurrent use, and its parsing is done once.
type Root struct {
	name   string
	date   time.Time
	digest string
	parsed *root.TrustedRoot
}

var public = sync.OnceValues(func() (*Root, error) { return Parse(PublicGood, publicGoodDate, publicGood) })

// Public is the embedded root of the public Sigstore.
func Public() (*Root, error) { return public() }

var gitHub = sync.OnceValues(func() (*Root, error) { return Parse(GitHubRoot, githubDate, github) })

// GitHub is the embedded root of GitHub's own Sigstore, which signs for private repositories and
// for releases. It has no transparency log.
func GitHub() (*Root, error) { return gitHub() }

// Parse reads a trusted_root.json. The date is since when it is known to be good, zero where
// nobody said. Every error is a *verify.Refusal.
func Parse(name string, date time.Time, text []byte) (r *Root, err error) {
	refuse := func(code, format string, args ...any) (*Root, error) {
		detail := fmt.Sprintf("%q: ", name) + fmt.Sprintf(format, args...)
		return nil, &verify.Refusal{Code: code, What: "trusted root", Detail: verify.Line(detail)}
	}
	defer func() {
		if p := recover(); p != nil {
			r, err = refuse(verify.Malformed, "the library gave up on it: %v", p)
		}
	}()
	if len(text) > MaxBytes {
		return refuse(verify.TooLarge, "%d bytes, and at most %d are read", len(text), MaxBytes)
	}
	parsed, err := root.NewTrustedRootFromJSON(text)
	if err != nil {
		return refuse(verify.Malformed, "%v", err)
	}
	if len(parsed.FulcioCertificateAuthorities()) == 0 && len(parsed.TimestampingAuthorities()) == 0 {
		return refuse(verify.Malformed, "no authority is in it")
	}
	sum := sha256.Sum256(text)
	return &Root{name: name, date: date, digest: "sha256:" + hex.EncodeToString(sum[:]), parsed: parsed}, nil
}

// Load reads a file of trusted roots: one trusted_root.json, or several one after the other, as
// "gh attestation trusted-root" prints them. The error is a *verify.Refusal where the file was
// read and holds something else.
func Load(path string) ([]*Root, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, MaxBytes+1))
	if err != nil {
		return nil, err
	}
	var roots []*Root
	for _, one := range split(text) {
		r, err := Parse(path, time.Time{}, one)
		if err != nil {
			return nil, err
		}
		roots = append(roots, r)
	}
	return roots, nil
}

// split gives the lines of a file that has a JSON object on each, and the whole of any other.
func split(text []byte) [][]byte {
	var lines [][]byte
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		if line[0] != '{' || line[len(line)-1] != '}' {
			return [][]byte{text}
		}
		lines = append(lines, line)
	}
	if len(lines) == 0 {
		return [][]byte{text}
	}
	return lines
}

// Name is where the root is from: PublicGood, GitHubRoot, or a file.
func (r *Root) Name() string { return r.name }

// Date is since when the root is known to be good; zero where nobody said.
func (r *Root) Date() time.Time { return r.date }

// Digest is of the bytes of the root, as "sha256:" and hex: for keys of what is kept.
func (r *Root) Digest() string { return r.digest }

// String is the name with the date, as proofs carry it.
func (r *Root) String() string {
	if r.date.IsZero() {
		return r.name + ", without a date"
	}
	return r.name + ", " + r.date.Format(time.DateOnly)
}

// Material is the root in the library's form, for those packages that verify with it.
func (r *Root) Material() *root.TrustedRoot { return r.parsed }

// Logged reports whether signatures under this root stand in a transparency log.
func (r *Root) Logged() bool { return len(r.parsed.RekorLogs()) > 0 }

// CertificatesLogged reports whether its certificates stand in a certificate transparency log.
func (r *Root) CertificatesLogged() bool { return len(r.parsed.CTLogs()) > 0 }

// Stale gives a gap where the root is too old to be relied on for what was signed lately: its
// date is more than MaxAge ago, or the last of its certificate authorities has ended. What was
// signed before that verifies as ever.
func (r *Root) Stale(now time.Time) *verify.Gap {
	gap := func(format string, args ...any) *verify.Gap {
		return &verify.Gap{Code: verify.GapStaleRoot, Detail: verify.Line(fmt.Sprintf(format, args...))}
	}
	if end := r.ends(); now.After(end) {
		return gap("the last authority of the trusted root %q ended %s", r.name, end.UTC().Format(time.DateOnly))
	}
	if !r.date.IsZero() && now.Sub(r.date) > MaxAge {
		return gap("the trusted root %q is of %s", r.name, r.date.Format(time.DateOnly))
	}
	return nil
}

// ends is when the last of its certificate authorities is valid no more, or, in a root without
// any, the last timestamp authority.
func (r *Root) ends() time.Time {
	var last time.Time
	until := func(period time.Time, chain ...*x509.Certificate) {
		end := period
		for _, c := range chain {
			if c != nil && (end.IsZero() || c.NotAfter.Before(end)) {
				end = c.NotAfter
			}
		}
		if end.After(last) {
			last = end
		}
	}
	for _, a := range r.parsed.FulcioCertificateAuthorities() {
		if a, ok := a.(*root.FulcioCertificateAuthority); ok {
			until(a.ValidityPeriodEnd, append(a.Intermediates, a.Root)...)
		}
	}
	if len(r.parsed.FulcioCertificateAuthorities()) > 0 {
		return last
	}
	for _, a := range r.parsed.TimestampingAuthorities() {
		if a, ok := a.(*root.SigstoreTimestampingAuthority); ok {
			until(a.ValidityPeriodEnd, append(a.Intermediates, a.Root, a.Leaf)...)
		}
	}
	return last
}
