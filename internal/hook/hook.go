// Package hook receives the deliveries of GitHub's webhooks: it looks whether GitHub signed them,
// has them stored, and answers. What they mean is for others.
//
// A delivery is answered with 202 once it is stored, and never before: GitHub does not deliver
// again by itself, and is told by any other answer that this one failed. One that was stored
// before is answered the same.
//
// Only the body is signed (https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries).
// Whoever has seen one delivery can send it again under another number and as another event; a
// body that has not the shape of the event that a header names is refused where the event is
// known, and effects go by content (package journal).
package hook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/groupcommit"
)

// MaxBody is the size in bytes of the largest body: GitHub caps payloads at 25 MB.
const MaxBody = 25 << 20

// Store keeps deliveries.
type Store interface {
	// Accept keeps deliveries, with what is needed to act on them, or none of them. One that it
	// has is no error. It returns once they are on the disk.
	Accept(ctx context.Context, deliveries []Delivery) error
}

// Options are the settings of a Handler. The zero value but for Secrets is ready for production.
type Options struct {
	// Secrets are the webhook's secrets, all of which are taken: two while one is replaced. One
	// is needed, and none may be empty.
	Secrets [][]byte
	// Bound is how long a request may take from its headers to its answer; 0 is 9 seconds, since
	// GitHub waits for 10.
	Bound time.Duration
	// Large is how many bodies over smallBody may be read at a time; 0 is 4.
	Large  int
	Now    func() time.Time // nil is time.Now
	Logger *slog.Logger     // nil is silent
	// Count is told what became of each request, by a word of a fixed set; nil is nobody.
	Count func(outcome string)
}

// Handler answers deliveries. It is safe for concurrent use.
type Handler struct {
	secrets [][]byte
	bound   time.Duration
	large   chan struct{}
	group   *groupcommit.Group[Delivery]
	now     func() time.Time
	log     *slog.Logger
	count   func(outcome string)
}

// New makes a Handler that keeps deliveries in a store. Without a secret, or with an empty one,
// it would believe anybody, and is not made.
func New(store Store, opt Options) (*Handler, error) {
	if len(opt.Secrets) == 0 {
		return nil, errors.New("webhook: there is no secret")
	}
	for i, secret := range opt.Secrets {
		if len(secret) == 0 {
			return nil, fmt.Errorf("webhook: secret %d of %d is empty", i+1, len(opt.Secrets))
		}
	}
	h := &Handler{
		secrets: opt.Secrets, bound: opt.Bound, group: groupcommit.New(store.Accept),
		now: opt.Now, log: opt.Logger, count: opt.Count,
	}
	if h.bound <= 0 {
		h.bound = 9 * time.Second
	}
	if opt.Large <= 0 {
		opt.Large = 4
	}
	h.large = make(chan struct{}, opt.Large)
	if h.now == nil {
		h.now = time.Now
	}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	if h.count == nil {
		h.count = func(string) {}
	}
	return h, nil
}

// refusal is an answer other than 202.
type refusal struct {
	status  int
	outcome string // for Count
	why     string // for the sender
}

func (r *refusal) Error() string { return r.why }

// The outcomes that Count is told. What was refused before its signature was seen to be right is
// counted and nothing else.
const (
	OutcomeAccepted    = "accepted"
	OutcomeUnsigned    = "signature"     // 401
	OutcomeHeaders     = "headers"       // 400
	OutcomeShape       = "shape"         // 400
	OutcomeMethod      = "method"        // 405
	OutcomeMediaType   = "content-type"  // 415
	OutcomeTooLarge    = "too-large"     // 413
	OutcomeTooSlow     = "too-slow"      // 408
	OutcomeUnavailable = "not-available" // 503
)

// Outcomes are all of them.
var Outcomes = []string{
	OutcomeAccepted, OutcomeUnsigned, OutcomeHeaders, OutcomeShape, OutcomeMethod, OutcomeMediaType,
	OutcomeTooLarge, OutcomeTooSlow, OutcomeUnavailable,
}

// ServeHTTP answers one delivery.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), h.bound)
	defer cancel()
	err := h.serve(ctx, w, r)
	if err == nil {
		h.count(OutcomeAccepted)
		w.WriteHeader(http.StatusAccepted)
		return
	}
	var no *refusal
	if !errors.As(err, &no) {
		no = &refusal{http.StatusServiceUnavailable, OutcomeUnavailable, "not stored: deliver again later"}
		h.log.LogAttrs(ctx, slog.LevelError, "a delivery was not stored", slog.String("error", err.Error()))
	}
	h.count(no.outcome)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Connection", "close") // what is left of the body is not read
	if no.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", http.MethodPost)
	}
	w.WriteHeader(no.status)
	fmt.Fprintln(w, no.why)
}

func (h *Handler) serve(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
	d, signature, err := h.headers(r)
	if err != nil {
		return err
	}
	if d.Body, err = h.read(ctx, w, r); err != nil {
		return err
	}
	if !h.signed(d.Body, signature) {
		return &refusal{http.StatusUnauthorized, OutcomeUnsigned, "the signature is not that of the body"}
	}
	defer vouch(ctx)()
	if d.Action, d.Installation, err = shape(d.Event, d.Body); err != nil {
		h.log.LogAttrs(ctx, slog.LevelWarn, "a signed delivery has not the shape of its event", slog.String("delivery", d.ID), slog.String("event", d.Event), slog.String("error", err.Error()))
		return &refusal{http.StatusBadRequest, OutcomeShape, err.Error()}
	}
	d.Received = h.now().UTC()
	return h.group.Do(ctx, d)
}

// signature256 is what X-Hub-Signature-256 begins with.
const signature256 = "sha256="

// headers reads and checks what comes before the body, the signature in bytes among it.
func (h *Handler) headers(r *http.Request) (d Delivery, signature []byte, err error) {
	if r.Method != http.MethodPost {
		return d, nil, &refusal{http.StatusMethodNotAllowed, OutcomeMethod, "deliveries are POSTed"}
	}
	// X-Hub-Signature, with SHA-1, is not looked at.
	given, found := strings.CutPrefix(one(r, "X-Hub-Signature-256"), signature256)
	signature, err = hex.DecodeString(given)
	if !found || err != nil || len(signature) != sha256.Size {
		return d, nil, &refusal{http.StatusUnauthorized, OutcomeUnsigned, "there is no signature in X-Hub-Signature-256"}
	}
	media, _, err := mime.ParseMediaType(one(r, "Content-Type"))
	if err != nil || media != "application/json" {
		return d, nil, &refusal{http.StatusUnsupportedMediaType, OutcomeMediaType, "the content type of the webhook is application/json"}
	}
	d.ID, d.Event = one(r, "X-GitHub-Delivery"), one(r, "X-GitHub-Event")
	if !word(d.ID) || !word(d.Event) {
		return d, nil, &refusal{http.StatusBadRequest, OutcomeHeaders, "X-GitHub-Delivery or X-GitHub-Event is missing, or odd"}
	}
	// What stands in for GitHub (emulate, relays) may leave it out. It is not signed either way.
	if len(r.Header.Values("X-GitHub-Hook-ID")) > 0 {
		d.Hook, err = strconv.ParseInt(one(r, "X-GitHub-Hook-ID"), 10, 64)
		if err != nil || d.Hook <= 0 {
			return d, nil, &refusal{http.StatusBadRequest, OutcomeHeaders, "X-GitHub-Hook-ID is odd"}
		}
	}
	if r.ContentLength > MaxBody {
		return d, nil, tooLarge()
	}
	return d, signature, nil
}

// one is the value of a header that stands once, "" otherwise.
func one(r *http.Request, name string) string {
	if values := r.Header.Values(name); len(values) == 1 {
		return values[0]
	}
	return ""
}

// word reports whether s may be the number of a delivery or the name of an event.
func word(s string) bool {
	if len(s) == 0 || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}

// signed reports whether a signature is that of the body by one of the secrets. It takes as long
// whichever it is.
func (h *Handler) signed(body, signature []byte) bool {
	ok := false
	for _, secret := range h.secrets {
		mac := hmac.New(sha256.New, secret)
		mac.Write(body)
		ok = hmac.Equal(mac.Sum(nil), signature) || ok
	}
	return ok
}
