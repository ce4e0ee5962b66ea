package hook_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/hook"
)

const secret = "a-secret-of-a-webhook"

// memory is a store in memory.
type memory struct {
	mu     sync.Mutex
	kept   map[string]hook.Delivery
	groups []int
	err    error
	block  chan struct{} // where not nil, Accept waits for it
}

func (m *memory) Accept(ctx context.Context, deliveries []hook.Delivery) error {
	if m.block != nil {
		select {
		case <-m.block:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	m.groups = append(m.groups, len(deliveries))
	for _, d := range deliveries {
		key := fmt.Sprintf("%d/%s", d.Hook, d.ID)
		if _, has := m.kept[key]; !has {
			m.kept[key] = d
		}
	}
	return nil
}

func (m *memory) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.kept)
}

// receiver is a Handler on a memory, and what it counted.
type receiver struct {
	*hook.Handler
	*memory
	counted map[string]int
}

func newReceiver(t *testing.T, opt hook.Options) *receiver {
	t.Helper()
	r := &receiver{memory: &memory{kept: map[string]hook.Delivery{}}, counted: map[string]int{}}
	if opt.Secrets == nil {
		opt.Secrets = [][]byte{[]byte(secret)}
	}
	var mu sync.Mutex
	opt.Count = func(outcome string) {
		mu.Lock()
		defer mu.Unlock()
		r.counted[outcome]++
	}
	var err error
	if r.Handler, err = hook.New(r.memory, opt); err != nil {
		t.Fatal(err)
	}
	return r
}

func sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

var ping = []byte(`{"zen": "Design for failure.", "hook_id": 7, "hook": {"id": 7}}`)

// delivery is the request of a sound ping.
func delivery(body []byte) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/webhook", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-GitHub-Event", "ping")
	r.Header.Set("X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958")
	r.Header.Set("X-GitHub-Hook-ID", "7")
	r.Header.Set("X-Hub-Signature-256", sign(secret, body))
	return r
}

func (r *receiver) send(req *http.Request) int {
	w := httptest.NewRecorder()
	r.ServeHTTP(w, req)
	return w.Code
}

// TestSound: a sound delivery is kept as it was sent, and its headers with it.
func TestSound(t *testing.T) {
	r := newReceiver(t, hook.Options{})
	body := []byte(`{"action": "created", "installation": {"id": 12, "account": {}, "app_id": 3}, "sender": {}}` + "\n")
	req := delivery(body)
	req.Header.Set("X-GitHub-Event", "installation")
	if status := r.send(req); status != http.StatusAccepted {
		t.Fatalf("status %d", status)
	}
	got := r.kept["7/72d3162e-cc78-11e3-81ab-4c9367dc0958"]
	if got.Received.IsZero() {
		t.Error("it was received at no time")
	}
	want := hook.Delivery{
		ID: "72d3162e-cc78-11e3-81ab-4c9367dc0958", Hook: 7, Event: "installation", Action: "created", Installation: 12,
		Received: got.Received, Body: body,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestAbuse1: row 1 of the threat model. Without a signature, or with an empty, a wrong or a
// SHA-1 one, nothing is stored but a counter.
func TestAbuse1(t *testing.T) {
	one := hmac.New(sha1.New, []byte(secret))
	one.Write(ping)
	sha1Only := "sha1=" + hex.EncodeToString(one.Sum(nil))
	for _, tt := range []struct {
		about  string
		change func(http.Header)
	}{
		{"none", func(h http.Header) { h.Del("X-Hub-Signature-256") }},
		{"empty", func(h http.Header) { h.Set("X-Hub-Signature-256", "") }},
		{"no digest", func(h http.Header) { h.Set("X-Hub-Signature-256", "sha256=") }},
		{"SHA-1 alone", func(h http.Header) { h.Del("X-Hub-Signature-256"); h.Set("X-Hub-Signature", sha1Only) }},
		{"SHA-1 under the other name", func(h http.Header) { h.Set("X-Hub-Signature-256", sha1Only) }},
		{"SHA-1, called SHA-256", func(h http.Header) {
			h.Set("X-Hub-Signature-256", "sha256="+strings.TrimPrefix(sha1Only, "sha1="))
		}},
		{"of the empty secret", func(h http.Header) { h.Set("X-Hub-Signature-256", sign("", ping)) }},
		{"of another secret", func(h http.Header) { h.Set("X-Hub-Signature-256", sign(secret+"x", ping)) }},
		{"cut", func(h http.Header) { h.Set("X-Hub-Signature-256", sign(secret, ping)[:60]) }},
		{"longer", func(h http.Header) { h.Set("X-Hub-Signature-256", sign(secret, ping)+"00") }},
		{"no hexadecimal", func(h http.Header) { h.Set("X-Hub-Signature-256", "sha256="+strings.Repeat("zz", 32)) }},
		{"without its name", func(h http.Header) {
			h.Set("X-Hub-Signature-256", strings.TrimPrefix(sign(secret, ping), "sha256="))
		}},
		{"two", func(h http.Header) { h.Add("X-Hub-Signature-256", sign("x", ping)) }},
	} {
		r := newReceiver(t, hook.Options{})
		req := delivery(ping)
		tt.change(req.Header)
		if status := r.send(req); status != http.StatusUnauthorized {
			t.Errorf("%s: %d, want 401", tt.about, status)
		}
		if r.count() != 0 || r.counted[hook.OutcomeUnsigned] != 1 {
			t.Errorf("%s: %d kept, counted %v", tt.about, r.count(), r.counted)
		}
	}
}

// TestEmptySecret: a receiver that would believe anybody is not made.
func TestEmptySecret(t *testing.T) {
	for _, secrets := range [][][]byte{nil, {}, {nil}, {[]byte("")}, {[]byte("a"), []byte("")}} {
		if _, err := hook.New(&memory{}, hook.Options{Secrets: secrets}); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v", secrets, err)
		}
	}
}

// TestRotation: while a secret is replaced both are taken, and no third.
func TestRotation(t *testing.T) {
	r := newReceiver(t, hook.Options{Secrets: [][]byte{[]byte("new"), []byte("old")}})
	for with, want := range map[string]int{"new": 202, "old": 202, "older": 401} {
		req := delivery(ping)
		req.Header.Set("X-Hub-Signature-256", sign(with, ping))
		if status := r.send(req); status != want {
			t.Errorf("signed with %q: %d, want %d", with, status, want)
		}
	}
}

// TestAbuse2: row 2. The signature is that of the raw bytes: of the same JSON written otherwise,
// or in a form, it is none.
func TestAbuse2(t *testing.T) {
	form := []byte("payload=" + url.QueryEscape(string(ping)))
	for _, tt := range []struct {
		about  string
		body   []byte
		signed []byte
		media  string
		want   int
	}{
		{"written without spaces", bytes.ReplaceAll(ping, []byte(" "), nil), ping, "application/json", 401},
		{"with a line end", append(bytes.Clone(ping), '\n'), ping, "application/json", 401},
		{"a form, signed as its payload", form, ping, "application/json", 401},
		{"a form, signed as such", form, form, "application/x-www-form-urlencoded", 415},
		{"a form that says it is JSON", form, form, "application/json", 400},
		{"of no type", ping, ping, "", 415},
		{"text", ping, ping, "text/plain", 415},
		{"of two types", ping, ping, "application/json, text/plain", 415},
		{"with a character set", ping, ping, "application/json; charset=utf-8", 202},
	} {
		r := newReceiver(t, hook.Options{})
		req := delivery(tt.body)
		req.Header.Set("X-Hub-Signature-256", sign(secret, tt.signed))
		req.Header.Set("Content-Type", tt.media)
		if status := r.send(req); status != tt.want {
			t.Errorf("%s: %d, want %d", tt.about, status, tt.want)
		}
		if kept := r.count(); kept != 0 && tt.want != 202 {
			t.Errorf("%s: it is kept", tt.about)
		}
	}
}

// TestHeaders: what GitHub always sends must be there, once and in its form.
func TestHeaders(t *testing.T) {
	for _, tt := range []struct{ name, value string }{
		{"X-GitHub-Event", ""},
		{"X-GitHub-Event", "pu sh"},
		{"X-GitHub-Event", strings.Repeat("a", 65)},
		{"X-GitHub-Delivery", ""},
		{"X-GitHub-Delivery", "../../etc/passwd"},
		{"X-GitHub-Delivery", "a\x00b"},
		{"X-GitHub-Hook-ID", ""},
		{"X-GitHub-Hook-ID", "-1"},
		{"X-GitHub-Hook-ID", "0"},
		{"X-GitHub-Hook-ID", "99999999999999999999"},
	} {
		r := newReceiver(t, hook.Options{})
		req := delivery(ping)
		req.Header.Set(tt.name, tt.value)
		if status := r.send(req); status != http.StatusBadRequest || r.count() != 0 {
			t.Errorf("%s: %q: %d, %d kept", tt.name, tt.value, status, r.count())
		}
		req = delivery(ping)
		req.Header.Add(tt.name, req.Header.Get(tt.name))
		if status := r.send(req); status != http.StatusBadRequest {
			t.Errorf("%s twice: %d", tt.name, status)
		}
	}
	r := newReceiver(t, hook.Options{})
	without := delivery(ping)
	without.Header.Del("X-GitHub-Hook-ID")
	if status := r.send(without); status != http.StatusAccepted || r.kept["0/72d3162e-cc78-11e3-81ab-4c9367dc0958"].Event != "ping" {
		t.Errorf("without the number of a hook: %d", status)
	}
	for _, method := range []string{"GET", "PUT", "HEAD", "DELETE", "OPTIONS"} {
		req := delivery(ping)
		req.Method = method
		if status := r.send(req); status != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d", method, status)
		}
	}
}

// TestAbuse4: row 4. What was delivered before is answered with 2xx, and kept once.
func TestAbuse4(t *testing.T) {
	r := newReceiver(t, hook.Options{})
	for range 5 {
		if status := r.send(delivery(ping)); status != http.StatusAccepted {
			t.Errorf("status %d", status)
		}
	}
	other := delivery(ping)
	other.Header.Set("X-GitHub-Hook-ID", "8") // another hook is told of the same event
	if status := r.send(other); status != http.StatusAccepted {
		t.Errorf("another hook: %d", status)
	}
	if r.count() != 2 {
		t.Errorf("%d kept, want 2", r.count())
	}
}

// TestNotStored: what is not on the disk is not answered with 2xx, whatever kept it from there.
func TestNotStored(t *testing.T) {
	r := newReceiver(t, hook.Options{Bound: 50 * 1000 * 1000})
	r.err = errors.New("the disk is full")
	if status := r.send(delivery(ping)); status != http.StatusServiceUnavailable {
		t.Errorf("a store that fails: %d", status)
	}
	r.err, r.block = nil, make(chan struct{})
	if status := r.send(delivery(ping)); status != http.StatusServiceUnavailable {
		t.Errorf("a store that does not answer: %d", status)
	}
	close(r.block)
	if status := r.send(delivery(ping)); status != http.StatusAccepted {
		t.Errorf("a store that has recovered: %d", status)
	}
}

// TestGroups: what comes at a time is stored together, and each is answered for itself.
func TestGroups(t *testing.T) {
	r := newReceiver(t, hook.Options{})
	r.block = make(chan struct{})
	var senders sync.WaitGroup
	for i := range 200 {
		senders.Go(func() {
			req := delivery(ping)
			req.Header.Set("X-GitHub-Delivery", fmt.Sprintf("d-%d", i))
			if status := r.send(req); status != http.StatusAccepted {
				t.Errorf("status %d", status)
			}
		})
	}
	close(r.block)
	senders.Wait()
	if r.count() != 200 || len(r.groups) > 100 {
		t.Errorf("%d kept in %d groups", r.count(), len(r.groups))
	}
}
