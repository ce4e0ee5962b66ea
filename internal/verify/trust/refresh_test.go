package trust_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/wormsweep/wormsweep/internal/sigtest"
	"github.com/wormsweep/wormsweep/internal/verify/trust"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// tufRepository is a TUF repository with one key a role, served on loopback.
type tufRepository struct {
	t      *testing.T
	keys   map[string]ed25519.PrivateKey
	expiry map[string]time.Time
	root   *metadata.Metadata[metadata.RootType]

	mu    sync.Mutex
	files map[string][]byte
	asked []string
}

func newTUFRepository(t *testing.T) *tufRepository {
	t.Helper()
	r := &tufRepository{t: t, keys: map[string]ed25519.PrivateKey{}, expiry: map[string]time.Time{}, files: map[string][]byte{}}
	end := time.Now().Add(time.Hour).UTC()
	r.root = metadata.Root(end)
	for _, role := range metadata.TOP_LEVEL_ROLE_NAMES {
		r.expiry[role] = end
		_, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		r.keys[role] = private
		key, err := metadata.KeyFromPublicKey(private.Public())
		if err != nil {
			t.Fatal(err)
		}
		if err := r.root.Signed.AddKey(key, role); err != nil {
			t.Fatal(err)
		}
	}
	r.put("1.root.json", sign(r, metadata.ROOT, r.root))
	return r
}

func (r *tufRepository) put(name string, content []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.files[name] = content
}

func sign[T metadata.Roles](r *tufRepository, role string, m *metadata.Metadata[T]) []byte {
	r.t.Helper()
	signer, err := signature.LoadSigner(r.keys[role], crypto.Hash(0))
	if err != nil {
		r.t.Fatal(err)
	}
	m.ClearSignatures()
	if _, err := m.Sign(signer); err != nil {
		r.t.Fatal(err)
	}
	text, err := m.ToBytes(false)
	if err != nil {
		r.t.Fatal(err)
	}
	return text
}

// publish puts targets there, under metadata of that version.
func (r *tufRepository) publish(version int64, targets map[string][]byte) {
	r.t.Helper()
	t := metadata.Targets(r.expiry[metadata.TARGETS])
	t.Signed.Version = version
	for name, content := range targets {
		info, err := metadata.TargetFile().FromBytes(name, content, "sha256")
		if err != nil {
			r.t.Fatal(err)
		}
		t.Signed.Targets[name] = info
		sum := sha256.Sum256(content)
		r.put("targets/"+filepath.ToSlash(filepath.Join(filepath.Dir(name), hex.EncodeToString(sum[:])+"."+filepath.Base(name))), content)
	}
	r.put(fmt.Sprintf("%d.targets.json", version), sign(r, metadata.TARGETS, t))
	s := metadata.Snapshot(r.expiry[metadata.SNAPSHOT])
	s.Signed.Version, s.Signed.Meta["targets.json"].Version = version, version
	r.put(fmt.Sprintf("%d.snapshot.json", version), sign(r, metadata.SNAPSHOT, s))
	stamp := metadata.Timestamp(r.expiry[metadata.TIMESTAMP])
	stamp.Signed.Version, stamp.Signed.Meta["snapshot.json"].Version = version, version
	r.put("timestamp.json", sign(r, metadata.TIMESTAMP, stamp))
}

func (r *tufRepository) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	name := strings.TrimPrefix(req.URL.Path, "/")
	r.asked = append(r.asked, name)
	content, there := r.files[name]
	if !there {
		http.NotFound(w, req)
		return
	}
	w.Write(content)
}

// get is a bounded client of a test.
func get(ctx context.Context, address string, limit int64) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusNotFound {
		return nil, fmt.Errorf("%s: %w", address, registry.ErrNotFound)
	}
	return io.ReadAll(io.LimitReader(res.Body, limit+1))
}

func newRoot(t *testing.T) []byte {
	t.Helper()
	s, err := sigtest.New(sigtest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := s.TrustedRoot()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func npmKeys(t *testing.T) []byte {
	t.Helper()
	keys, err := os.ReadFile(filepath.Join("roots", "npm-keys.json"))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestRefresh(t *testing.T) {
	r := newTUFRepository(t)
	first, second := newRoot(t), newRoot(t)
	r.publish(1, map[string][]byte{"trusted_root.json": first, "registry.npmjs.org/keys.json": npmKeys(t)})
	server := httptest.NewServer(r)
	defer server.Close()
	from := trust.Repository{Name: "test", Address: server.URL, Root: r.files["1.root.json"], NPMKeys: true}
	today := time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC)
	refresher := trust.Refresher{Get: get, Cache: t.TempDir(), Now: func() time.Time { return today }}

	got, err := refresher.Refresh(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	want, err := trust.Parse("test", today, first)
	if err != nil {
		t.Fatal(err)
	}
	if got.Root.Digest() != want.Digest() || got.Root.String() != "test, 2026-11-29" || len(got.Keys) != 4 {
		t.Errorf("%s with %s and %d keys", got.Root, got.Root.Digest(), len(got.Keys))
	}

	// what did not change is not fetched again
	asked := len(r.asked)
	if _, err := refresher.Refresh(t.Context(), from); err != nil {
		t.Fatal(err)
	}
	for _, name := range r.asked[asked:] {
		if strings.HasPrefix(name, "targets/") {
			t.Errorf("%s is fetched again", name)
		}
	}

	// a new root, after the TUF root was signed anew
	r.root.Signed.Version = 2
	r.put("2.root.json", sign(r, metadata.ROOT, r.root))
	r.publish(2, map[string][]byte{"trusted_root.json": second, "registry.npmjs.org/keys.json": npmKeys(t)})
	got, err = refresher.Refresh(t.Context(), from)
	if err != nil || got.Root.Digest() == want.Digest() {
		t.Errorf("the second is %v, %v", got, err)
	}

	// and an answer that is older than one that was seen
	r.publish(1, map[string][]byte{"trusted_root.json": first, "registry.npmjs.org/keys.json": npmKeys(t)})
	if got, err := refresher.Refresh(t.Context(), from); err == nil {
		t.Errorf("a rollback gave %s", got.Root)
	}
}

// What is not to be believed gives no root.
func TestRefreshRefuses(t *testing.T) {
	good := newRoot(t)
	targets := map[string][]byte{"trusted_root.json": good}
	for _, tt := range []struct {
		name  string
		spoil func(r *tufRepository)
	}{
		{"expired timestamp", func(r *tufRepository) {
			r.expiry[metadata.TIMESTAMP] = time.Now().Add(-time.Hour).UTC()
			r.publish(1, targets)
		}},
		{"expired targets", func(r *tufRepository) {
			r.expiry[metadata.TARGETS] = time.Now().Add(-time.Hour).UTC()
			r.publish(1, targets)
		}},
		{"expired TUF root", func(r *tufRepository) {
			r.root.Signed.Version, r.root.Signed.Expires = 2, time.Now().Add(-time.Hour).UTC()
			r.put("2.root.json", sign(r, metadata.ROOT, r.root))
		}},
		{"signed by another", func(r *tufRepository) {
			_, other, err := ed25519.GenerateKey(rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			r.keys[metadata.TARGETS] = other
			r.publish(1, targets)
		}},
		{"new TUF root by another", func(r *tufRepository) {
			other := newTUFRepository(t)
			other.root.Signed.Version = 2
			r.put("2.root.json", sign(other, metadata.ROOT, other.root))
		}},
		{"other bytes than were signed", func(r *tufRepository) {
			for name, content := range r.files {
				if strings.HasPrefix(name, "targets/") {
					r.put(name, bytes.Replace(content, []byte("sim.example"), []byte("sim.exampl3"), 1))
				}
			}
		}},
		{"no such target", func(r *tufRepository) { r.publish(1, map[string][]byte{"other.json": good}) }},
		{"not a trusted root", func(r *tufRepository) {
			r.publish(1, map[string][]byte{"trusted_root.json": []byte(`{"mediaType":"other"}`)})
		}},
		{"nothing served", func(r *tufRepository) { clear(r.files) }},
		{"longer than its metadata may be", func(r *tufRepository) { r.put("timestamp.json", bytes.Repeat([]byte(" "), 1<<20)) }},
		{"no JSON", func(r *tufRepository) { r.put("timestamp.json", []byte("<html>")) }},
	} {
		r := newTUFRepository(t)
		r.publish(1, targets)
		from := trust.Repository{Name: "test", Root: r.files["1.root.json"]}
		tt.spoil(r)
		server := httptest.NewServer(r)
		from.Address = server.URL
		for _, cache := range []string{"", t.TempDir()} {
			got, err := trust.Refresher{Get: get, Cache: cache}.Refresh(t.Context(), from)
			if err == nil {
				t.Errorf("%s: %s", tt.name, got.Root)
			} else if !strings.HasPrefix(err.Error(), `trusted root "test": refresh from `+server.URL) {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
		server.Close()
	}
}

// A server that rotates its root without end is left, and so is one that is silent.
func TestRefreshEnds(t *testing.T) {
	r := newTUFRepository(t)
	r.publish(1, map[string][]byte{"trusted_root.json": newRoot(t)})
	from := trust.Repository{Name: "test", Root: r.files["1.root.json"]}
	for version := int64(2); version < 100; version++ {
		r.root.Signed.Version = version
		r.put(fmt.Sprintf("%d.root.json", version), sign(r, metadata.ROOT, r.root))
	}
	server := httptest.NewServer(r)
	defer server.Close()
	from.Address = server.URL
	if _, err := (trust.Refresher{Get: get}).Refresh(t.Context(), from); err == nil || !strings.Contains(err.Error(), "more than 64 requests") {
		t.Errorf("98 rotations: %v", err)
	}

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	silent := trust.Refresher{Get: func(ctx context.Context, _ string, _ int64) ([]byte, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	if _, err := silent.Refresh(ctx, from); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a silent server: %v", err)
	}
}

// The repositories that are embedded begin with TUF roots that read.
func TestRepositories(t *testing.T) {
	for _, r := range []trust.Repository{trust.PublicRepository(), trust.GitHubRepository()} {
		root, err := metadata.Root().FromBytes(r.Root)
		if err != nil {
			t.Errorf("%s: %v", r.Name, err)
			continue
		}
		if err := root.VerifyDelegate(metadata.ROOT, root); err != nil {
			t.Errorf("%s: not signed by itself: %v", r.Name, err)
		}
		refused := errors.New("the network is cut")
		_, err = trust.Refresher{Get: func(context.Context, string, int64) ([]byte, error) { return nil, refused }}.Refresh(t.Context(), r)
		if !errors.Is(err, refused) {
			t.Errorf("%s: %v", r.Name, err)
		}
	}
}
