package fetch

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/wormsweep/wormsweep/pkg/registry"
)

// RoundTripper is the client for libraries that send for themselves, go-containerregistry among
// them: the same hosts, addresses, bounds and tokens, for one exchange. It sends GET and HEAD
// alone. It tries nothing again and follows no redirect: the library does, and every step comes
// here. A request that has an Authorization keeps it; one that a redirect led to another host
// gets no token of ours. A body has the limit of Options.MaxBytes, and is not unpacked.
func (c *Client) RoundTripper() http.RoundTripper { return roundTripper{c} }

type roundTripper struct{ c *Client }

// RoundTrip is http.RoundTripper's. It changes no request that it is given.
func (t roundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer req.Body.Close()
	}
	name := fmt.Sprintf("%s %q", req.Method, shown(req.URL))
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		return nil, fmt.Errorf("%s: a reader does not write: %w", name, registry.ErrForbidden)
	}
	rule, key, err := t.c.may(req.URL)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	home, err := t.c.came(req, key)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	ctx, cancel := context.WithCancelCause(req.Context())
	if err := t.c.admitted(ctx, key); err != nil {
		cancel(err)
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	sent := req.Clone(ctx)
	sent.Body, sent.ContentLength = nil, 0
	if home {
		rule.auth.set(sent.Header)
	}
	if sent.Header.Get("User-Agent") == "" {
		sent.Header.Set("User-Agent", t.c.userAgent)
	}
	resp, err := t.c.carrier(rule).RoundTrip(sent)
	if err != nil {
		cancel(err)
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= http.StatusInternalServerError {
		_ = t.c.refused(name, key, resp, Request{}) // which remembers what it tells
	}
	if resp.ContentLength > t.c.maxBytes && req.Method != http.MethodHead {
		resp.Body.Close()
		cancel(nil)
		return nil, fmt.Errorf("%s: %d bytes, over the limit of %d: %w", name, resp.ContentLength, t.c.maxBytes, registry.ErrTooLarge)
	}
	resp.Request = req
	resp.Body = &trippedBody{newBounded(t.c.paced(resp.Body, cancel), t.c.maxBytes), resp.Body, func() error { return context.Cause(ctx) }, cancel}
	return resp, nil
}

// came judges the redirects that led to a request, which net/http keeps in it, and says whether
// they stayed at the host that was asked first.
func (c *Client) came(req *http.Request, key string) (home bool, err error) {
	home = true
	at := req
	for moves := 0; at.Response != nil && at.Response.Request != nil; moves++ {
		if moves == maxRedirects {
			return false, errLoop
		}
		from := at.Response.Request
		if from.URL.Scheme == "https" && at.URL.Scheme != "https" {
			return false, fmt.Errorf("redirected from https: %w", registry.ErrForbidden)
		}
		_, fromKey, err := c.may(from.URL)
		home = home && err == nil && fromKey == key
		at = from
	}
	return home, nil
}

type trippedBody struct {
	body   io.Reader
	raw    io.Closer
	cause  func() error // why the exchange was ended
	cancel context.CancelCauseFunc
}

func (b *trippedBody) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	if cause := b.cause(); err != nil && err != io.EOF && cause != nil {
		err = cause
	}
	return n, err
}

func (b *trippedBody) Close() error {
	err := b.raw.Close()
	b.cancel(nil)
	return err
}
