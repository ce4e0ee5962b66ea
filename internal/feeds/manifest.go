package feeds

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/wormsweep/wormsweep/internal/feeds/sshsig"
)

// Namespace is what a manifest is signed for: ssh-keygen -Y sign -n wormsweep-feed.
const Namespace = "wormsweep-feed"

// manifestSchema is the version of the manifests that this package reads.
const manifestSchema = "ioc-manifest/1"

// maxManifest is the size in bytes of the largest manifest that is read.
const maxManifest = 16 << 10

// manifest is what a publisher signs: which bytes are the feed now. The signature, armoured as
// ssh-keygen makes it, lies beside it with ".sig" behind its name.
//
// The name keeps one feed from being served as another of the same signer, the serial number an
// old one from being served again, and the end, where there is one, a new one from being kept
// back for ever.
type manifest struct {
	Schema  string    `json:"schema"`
	Feed    string    `json:"feed"`
	Serial  int64     `json:"serial"` // grows with each manifest
	SHA256  string    `json:"sha256"` // of the feed's bytes
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires,omitzero"`
}

// readManifest reads a manifest whose signature was checked.
func readManifest(data []byte) (*manifest, error) {
	var m manifest
	if err := json.Unmarshal(data, &m, json.RejectUnknownMembers(true)); err != nil {
		return nil, errors.New("not a manifest, or with keys that are not known")
	}
	switch {
	case m.Schema != manifestSchema:
		return nil, fmt.Errorf("schema %.50q: want %q", m.Schema, manifestSchema)
	case !nameForm.MatchString(m.Feed) || m.Serial < 1 || !digestForm.MatchString(m.SHA256) || m.Created.IsZero():
		return nil, errors.New("without feed, serial, sha256 or created")
	}
	return &m, nil
}

// manifestAddress is where the manifest of a signed feed lies, "" for other feeds.
func (f *Feed) manifestAddress() string {
	switch {
	case f.Signed == nil:
		return ""
	case f.Signed.Manifest != "":
		return f.Signed.Manifest
	case f.URL != "":
		return f.URL + ".manifest"
	}
	return f.Path + ".manifest"
}

// getManifest gets and checks the manifest of a signed feed.
func (u *updater) getManifest(ctx context.Context, f *Feed, last *entry) (*manifest, error) {
	at := f.manifestAddress()
	data, err := u.small(ctx, f, at, maxManifest)
	if err != nil {
		return nil, err
	}
	signature, err := u.small(ctx, f, at+".sig", sshsig.MaxSignature)
	var reason *Reason
	if errors.As(err, &reason) && reason.Rule == Gone {
		return nil, &Reason{BadSigner, fmt.Sprintf("%q: there is no signature %q", at, at+".sig")}
	}
	if err != nil {
		return nil, err
	}
	if err := sshsig.Verify(f.key, Namespace, data, signature); err != nil {
		return nil, &Reason{BadSigner, fmt.Sprintf("%q: %v; the configuration names %s", at, err, f.key.Fingerprint())}
	}
	m, err := readManifest(data)
	if err != nil {
		return nil, &Reason{BadManifest, fmt.Sprintf("%q: %v", at, err)}
	}
	return m, u.checkManifest(f, m, at, last)
}

func (u *updater) checkManifest(f *Feed, m *manifest, at string, last *entry) error {
	switch {
	case m.Feed != f.Name:
		return &Reason{BadManifest, fmt.Sprintf("%q: is of feed %q", at, m.Feed)}
	case !m.Expires.IsZero() && u.now.After(m.Expires):
		return &Reason{Expired, fmt.Sprintf("%q: ended %s", at, m.Expires.Format(time.RFC3339))}
	case last.Signer != f.key.Fingerprint(): // the person who keeps the configuration changed the key
	case m.Serial < last.Serial:
		return &Reason{RolledBack, fmt.Sprintf("%q: serial %d, and the copy has %d", at, m.Serial, last.Serial)}
	case m.Serial == last.Serial && m.SHA256 != last.Digest:
		return &Reason{RolledBack, fmt.Sprintf("%q: serial %d was of other bytes before", at, m.Serial)}
	}
	return nil
}

// small gets a small file of a feed: from its address, or beside it on this machine.
func (u *updater) small(ctx context.Context, f *Feed, at string, maxBytes int64) ([]byte, error) {
	if f.URL != "" {
		a, err := u.fetch(ctx, f, at, condition{}, maxBytes)
		if err != nil {
			return nil, err
		}
		defer a.close()
		return a.bytes()
	}
	file, err := os.Open(atPath(f.base, at))
	if errors.Is(err, os.ErrNotExist) {
		return nil, &Reason{Gone, fmt.Sprintf("%q: there is no such file", at)}
	}
	if err != nil {
		return nil, &Reason{Unreachable, err.Error()}
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, &Reason{Unreachable, fmt.Sprintf("%q: not a regular file", at)}
	}
	data, err := io.ReadAll(io.LimitReader(file, maxBytes+1))
	if err != nil || int64(len(data)) > maxBytes {
		return nil, &Reason{Unreachable, fmt.Sprintf("%q: not read whole, or over %d bytes", at, maxBytes)}
	}
	return data, nil
}
