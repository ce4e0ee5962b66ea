package feeds_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/wormsweep/wormsweep/internal/feeds"
)

// signer signs as ssh-keygen does; that it does so is tested beside package sshsig.
type signer struct {
	key  ed25519.PrivateKey
	line string // the public key
}

// newSigner makes the key of a number, so that a failing test fails again.
func newSigner(t testing.TB, n byte) signer {
	t.Helper()
	seed := sha256.Sum256([]byte{n})
	key := ed25519.NewKeyFromSeed(seed[:])
	public, err := ssh.NewPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return signer{key, "ssh-ed25519 " + base64.StdEncoding.EncodeToString(public.Marshal())}
}

func (s signer) sign(t testing.TB, namespace string, message []byte) []byte {
	t.Helper()
	public, err := ssh.NewPublicKey(s.key.Public())
	if err != nil {
		t.Fatal(err)
	}
	hash := sha512.Sum512(message)
	frame := append([]byte("SSHSIG"), ssh.Marshal(struct{ Namespace, Reserved, Algorithm, Hash string }{namespace, "", "sha512", string(hash[:])})...)
	signature := ssh.Marshal(struct{ Format, Blob string }{"ssh-ed25519", string(ed25519.Sign(s.key, frame))})
	packed := append([]byte("SSHSIG"), ssh.Marshal(struct {
		Version                                            uint32
		Key, Namespace, Reserved, HashAlgorithm, Signature string
	}{1, string(public.Marshal()), namespace, "", "sha512", string(signature)})...)
	return pem.EncodeToMemory(&pem.Block{Type: "SSH SIGNATURE", Bytes: packed})
}

func manifestOf(feed string, serial int, data []byte, more string) []byte {
	sum := sha256.Sum256(data)
	return fmt.Appendf(nil, `{"schema":"ioc-manifest/1","feed":%q,"serial":%d,"sha256":%q,"created":"2025-11-24T00:00:00Z"%s}`,
		feed, serial, hex.EncodeToString(sum[:]), more)
}

// TestSigned has a publisher sign, and others try to.
func TestSigned(t *testing.T) {
	owner, thief := newSigner(t, 1), newSigner(t, 2)
	s, k := newSource(t), newKeeper(t)
	c := urlFeed(t, s, "/list.txt", ", signed: {key: '"+owner.line+"'}")
	publish := func(by signer, namespace, feed string, serial int, data []byte, more string) {
		m := manifestOf(feed, serial, data, more)
		s.serve("/list.txt", data)
		s.serve("/list.txt.manifest", m)
		s.serve("/list.txt.manifest.sig", by.sign(t, namespace, m))
	}
	ten, eleven, twelve := list(1, 10), list(1, 11), list(1, 12)

	s.serve("/list.txt", ten)
	want(t, "no manifest", k.update(c), feeds.Failed, 0, 0, feeds.Gone)
	s.serve("/list.txt.manifest", manifestOf("one", 1, ten, ""))
	want(t, "no signature", k.update(c), feeds.Held, 0, 0, feeds.BadSigner)
	publish(thief, feeds.Namespace, "one", 5, ten, "")
	row := k.update(c)
	want(t, "another signer", row, feeds.Held, 0, 0, feeds.BadSigner)
	if row.Offered != "" {
		t.Error("what another signed can be accepted")
	}
	want(t, "another signer, accepted", k.update(c, strings.Repeat("0", 64)), feeds.Held, 0, 0, feeds.BadSigner)

	publish(owner, feeds.Namespace, "one", 5, ten, "")
	row = k.update(c)
	want(t, "signed", row, feeds.Fetched, 10, 0)
	if row.Serial != 5 {
		t.Errorf("serial %d, want 5", row.Serial)
	}
	publish(owner, feeds.Namespace, "one", 6, eleven, "")
	want(t, "the next", k.update(c), feeds.Fetched, 1, 0)

	publish(owner, feeds.Namespace, "one", 5, ten, "")
	want(t, "replayed", k.update(c), feeds.Held, 0, 0, feeds.RolledBack)
	publish(owner, feeds.Namespace, "one", 6, twelve, "")
	want(t, "one serial, other bytes", k.update(c), feeds.Held, 0, 0, feeds.RolledBack)
	publish(owner, "git", "one", 7, twelve, "")
	want(t, "signed for another purpose", k.update(c), feeds.Held, 0, 0, feeds.BadSigner)
	publish(owner, feeds.Namespace, "two", 7, twelve, "")
	want(t, "of another feed", k.update(c), feeds.Held, 0, 0, feeds.BadManifest)
	publish(owner, feeds.Namespace, "one", 7, twelve, `,"expires":"2025-11-24T01:00:00Z"`)
	want(t, "ended", k.update(c), feeds.Held, 0, 0, feeds.Expired)
	publish(owner, feeds.Namespace, "one", 7, twelve, `,"extra":1`)
	want(t, "with more in it", k.update(c), feeds.Held, 0, 0, feeds.BadManifest)
	publish(owner, feeds.Namespace, "one", 7, twelve, "")
	s.serve("/list.txt", list(1, 13))
	want(t, "other bytes than signed", k.update(c), feeds.Held, 0, 0, feeds.OtherDigest)

	// Bytes that return are the signer's word when the serial is new.
	publish(owner, feeds.Namespace, "one", 8, ten, "")
	want(t, "a retraction", k.update(c), feeds.Fetched, 0, 1)
	publish(owner, feeds.Namespace, "one", 9, ten, "")
	row = k.update(c)
	want(t, "signed again", row, feeds.Unchanged, 0, 0)
	if row.Serial != 9 {
		t.Errorf("serial %d, want 9", row.Serial)
	}
}

// TestSignedFile has the signed list on this machine, as a mirror has it.
func TestSignedFile(t *testing.T) {
	owner := newSigner(t, 1)
	k, dir := newKeeper(t), t.TempDir()
	data := list(1, 10)
	m := manifestOf("one", 1, data, "")
	writeFile(t, filepath.Join(dir, "list.txt"), string(data))
	writeFile(t, filepath.Join(dir, "list.txt.manifest"), string(m))
	c := config(t, "  - {name: one, kind: file, path: '"+filepath.Join(dir, "list.txt")+"', signed: {key: '"+owner.line+"'}}\n")
	want(t, "no signature", k.update(c), feeds.Held, 0, 0, feeds.BadSigner)
	writeFile(t, filepath.Join(dir, "list.txt.manifest.sig"), string(owner.sign(t, feeds.Namespace, m)))
	want(t, "signed", k.update(c), feeds.Fetched, 10, 0)
	writeFile(t, filepath.Join(dir, "list.txt"), string(list(1, 11)))
	want(t, "changed", k.update(c), feeds.Held, 0, 0, feeds.OtherDigest)
}

func TestPinned(t *testing.T) {
	s, k := newSource(t), newKeeper(t)
	sum := sha256.Sum256(list(1, 10))
	c := urlFeed(t, s, "/list.txt", ", sha256: "+hex.EncodeToString(sum[:]))
	s.serve("/list.txt", list(1, 11))
	row := k.update(c)
	want(t, "other bytes", row, feeds.Held, 0, 0, feeds.OtherDigest)
	if row.Offered != "" {
		t.Error("other bytes than pinned can be accepted")
	}
	s.serve("/list.txt", list(1, 10))
	want(t, "as pinned", k.update(c), feeds.Fetched, 10, 0)
	want(t, "once more", k.update(c), feeds.Unchanged, 0, 0)
	s.serve("/list.txt", list(1, 11))
	want(t, "changed", k.update(c), feeds.Held, 0, 0, feeds.OtherDigest)
}

// TestUnlisted has a feed in the copy that the configuration no longer names.
func TestUnlisted(t *testing.T) {
	s, k := newSource(t), newKeeper(t)
	s.serve("/list.txt", list(1, 10))
	s.serve("/other.txt", list(100, 10))
	want(t, "first", k.update(urlFeed(t, s, "/list.txt", "")), feeds.Fetched, 10, 0)
	two := config(t, "  - {name: two, kind: url, url: '"+s.URL+"/other.txt'}\n")
	report, err := feeds.Update(t.Context(), two, feeds.Options{Dir: k.dir})
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Rows) != 2 || report.Rows[1].Feed != "one" || report.Rows[1].Outcome != feeds.Unlisted || report.Current() {
		t.Errorf("rows %+v, want that feed one is in the copy alone", report.Rows)
	}
	if got := k.set().Stats().Indicators; got != 20 {
		t.Errorf("%d indicators, want those of both", got)
	}
	if report, err = feeds.Update(t.Context(), two, feeds.Options{Dir: k.dir, Forget: []string{"one"}}); err != nil || len(report.Rows) != 1 || !report.Current() {
		t.Errorf("forgotten: %+v, %v", report.Rows, err)
	}
	for _, opt := range []feeds.Options{
		{Dir: k.dir, Forget: []string{"one"}},
		{Dir: k.dir, Accept: map[string]string{"one": strings.Repeat("0", 64)}},
		{Dir: k.dir, Accept: map[string]string{"two": "abc"}},
		{Dir: k.dir, Accept: map[string]string{"two": strings.Repeat("Z", 64)}},
	} {
		if _, err := feeds.Update(t.Context(), two, opt); err == nil || !strings.HasPrefix(err.Error(), feeds.ErrUse.Error()) {
			t.Errorf("%+v: %v, want wrong use", opt, err)
		}
	}
}

// TestTimeOfWithdrawal holds that the date of a withdrawal stays that of the day.
func TestTimeOfWithdrawal(t *testing.T) {
	s, k := newSource(t), newKeeper(t)
	c := urlFeed(t, s, "/list.txt", "")
	s.serve("/list.txt", list(1, 50))
	k.update(c)
	s.serve("/list.txt", list(1, 49))
	want(t, "gone", k.update(c), feeds.Fetched, 0, 1)
	day := k.clock.now.Format(time.RFC3339)
	for n := 51; n < 54; n++ {
		s.serve("/list.txt", append(list(1, 49), list(51, n-50)...))
		want(t, "later", k.update(c), feeds.Fetched, 1, 0)
	}
	matches, _ := k.set().Package("npm", "wormsweep-example-50", "6.6.6")
	if len(matches) != 1 || matches[0].Indicator.Withdrawal == nil {
		t.Fatalf("%d matches, want the withdrawn one", len(matches))
	}
	if w := matches[0].Indicator.Withdrawal; w.At != day || w.Reason != "gone-from-feed" || w.By != "one" {
		t.Errorf("withdrawal %+v, want of %s, by the feed", w, day)
	}
}
