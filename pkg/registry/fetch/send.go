package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/wormsweep/wormsweep/pkg/registry"
)

const (
	maxRedirects = 5
	firstPause   = time.Second // before the second try; twice as long before each further one
)

// What ends a try beside the caller's context.
var (
	errTimeout = errors.New("not answered in time")
	errSlow    = errors.New("the answer came too slowly")
	errCut     = errors.New("the answer was cut off")
	errLoop    = fmt.Errorf("more than %d redirects: %w", maxRedirects, registry.ErrMalformed)
)

// againError is a fault that may pass.
type againError struct{ err error }

func (e *againError) Error() string { return e.err.Error() }
func (e *againError) Unwrap() error { return e.err }

// try sends a request until it is answered, and use has taken the answer, or has failed for good.
// timed is whether the timeout of a try runs while use does.
func (c *Client) try(ctx context.Context, method string, r Request, timed bool, use func(*Stream) error) error {
	u, err := url.Parse(r.URL)
	if err != nil {
		return fmt.Errorf("%s: not an address: %w", method, registry.ErrForbidden)
	}
	name := fmt.Sprintf("%s %q", method, shown(u))
	for attempt := 1; ; attempt++ {
		err := c.once(ctx, method, name, u, r, timed, use)
		var again *againError
		if !errors.As(err, &again) {
			return err
		}
		if attempt >= c.attempts {
			return again.err
		}
		if err := c.sleep(ctx, firstPause<<(attempt-1)); err != nil {
			return fmt.Errorf("%w: %w", again.err, err)
		}
	}
}

// once is one try, with its redirects. The time that a registry told to wait is none of the
// try's own.
func (c *Client) once(ctx context.Context, method, name string, u *url.URL, r Request, timed bool, use func(*Stream) error) error {
	if _, key, err := c.may(u); err == nil {
		if err := c.admitted(ctx, key); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	trying, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(c.timeout, func() { cancel(errTimeout) })
	defer timer.Stop()
	s, err := c.follow(ctx, trying, cancel, method, name, u, r)
	if err != nil {
		cancel(err)
		return err
	}
	if !timed {
		timer.Stop()
	}
	return use(s)
}

// follow sends the request, and on where its answer leads.
func (c *Client) follow(ctx, trying context.Context, cancel context.CancelCauseFunc, method, name string, u *url.URL, r Request) (*Stream, error) {
	broken := func(err error) error { return faultOf(ctx, trying, name, err) }
	home := true // as yet at the host that was asked for
	first := ""
	for moves := 0; ; moves++ {
		rule, key, err := c.may(u)
		if err != nil {
			return nil, fmt.Errorf("%s%s: %w", name, moved(moves, u), err)
		}
		if first == "" {
			first = key
		}
		home = home && key == first
		if err := c.admitted(trying, key); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		req := c.request(trying, method, u, r, home, rule)
		resp, err := c.carrier(rule).RoundTrip(req)
		if err != nil {
			return nil, broken(err)
		}
		switch resp.StatusCode {
		case http.StatusOK:
			return c.stream(resp, method, r, u, broken, cancel)
		case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
			resp.Body.Close()
			if r.body != nil {
				return nil, fmt.Errorf("%s: redirected: %w", name, registry.ErrMalformed)
			}
			if moves == maxRedirects {
				return nil, fmt.Errorf("%s: %w", name, errLoop)
			}
			if u, err = c.next(u, resp); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		default:
			resp.Body.Close()
			return nil, c.refused(name, key, resp, r)
		}
	}
}

// moved tells of the address that is meant where it is not the first.
func moved(moves int, u *url.URL) string {
	if moves == 0 {
		return ""
	}
	return fmt.Sprintf(": redirected to %q", shown(u))
}

// next is where a redirect leads.
func (c *Client) next(u *url.URL, resp *http.Response) (*url.URL, error) {
	to, err := u.Parse(resp.Header.Get("Location"))
	switch {
	case err != nil || resp.Header.Get("Location") == "":
		return nil, fmt.Errorf("redirected to no address: %w", registry.ErrMalformed)
	case u.Scheme == "https" && to.Scheme != "https":
		return nil, fmt.Errorf("redirected from https to %q: %w", shown(to), registry.ErrForbidden)
	}
	return to, nil
}

// request makes what is sent. What belongs to the host that was asked for stays there.
func (c *Client) request(ctx context.Context, method string, u *url.URL, r Request, home bool, rule rule) *http.Request {
	req := (&http.Request{Method: method, URL: u, Header: http.Header{}, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Host: u.Host}).WithContext(ctx)
	if home {
		for name, values := range r.Header {
			req.Header[http.CanonicalHeaderKey(name)] = values
		}
		rule.auth.set(req.Header)
	}
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(r.body)), int64(len(r.body))
	}
	req.Header.Set("User-Agent", c.userAgent)
	if r.Accept != "" {
		req.Header.Set("Accept", r.Accept)
	}
	req.Header.Set("Accept-Encoding", "identity")
	if r.Packed {
		req.Header.Set("Accept-Encoding", "gzip")
	}
	if r.Validator.ETag != "" {
		req.Header.Set("If-None-Match", r.Validator.ETag)
	}
	if r.Validator.LastModified != "" {
		req.Header.Set("If-Modified-Since", r.Validator.LastModified)
	}
	return req
}

// refused makes the error of an answer that is no 200, and remembers when the host may be asked
// again.
func (c *Client) refused(name, key string, resp *http.Response, r Request) error {
	err := &StatusError{Request: name, Status: resp.StatusCode, Header: resp.Header}
	switch {
	case resp.StatusCode == http.StatusNotModified && r.Validator == (registry.Validator{}):
		return fmt.Errorf("%s: status 304 to a request without condition: %w", name, registry.ErrMalformed)
	case resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode < http.StatusInternalServerError:
		return err
	}
	err.After = c.told(resp.Header)
	if err.After > 0 {
		c.mu.Lock()
		if at := c.now().Add(err.After); at.After(c.until[key]) {
			c.until[key] = at
		}
		c.mu.Unlock()
	}
	if err.After > c.maxWait || resp.StatusCode == http.StatusNotImplemented {
		return err
	}
	return &againError{err}
}

// told reads Retry-After: seconds, or a date (RFC 9110, section 10.2.3).
func (c *Client) told(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if n, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(c.now()))
	}
	return 0
}

// admitted waits until the host may be asked, and errs where that is too long.
func (c *Client) admitted(ctx context.Context, key string) error {
	c.mu.Lock()
	wait := c.until[key].Sub(c.now())
	c.mu.Unlock()
	switch {
	case wait <= 0:
		return nil
	case wait > c.maxWait:
		return fmt.Errorf("not sent: %q is not to be asked for another %s", key, wait.Round(time.Second))
	}
	return c.sleep(ctx, wait)
}

// faultOf makes the error of an exchange that broke. It may pass, but for the caller's own end
// and for what our rules or a certificate forbid.
func faultOf(ctx, trying context.Context, name string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", name, ctx.Err())
	}
	if errors.Is(err, registry.ErrForbidden) || errors.Is(err, registry.ErrTooLarge) || errors.Is(err, registry.ErrMalformed) || untrusted(err) {
		return fmt.Errorf("%s: %w", name, err)
	}
	if cause := context.Cause(trying); cause != nil {
		err = cause
	} else if errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("%w: %w", errCut, err)
	}
	return &againError{fmt.Errorf("%s: %w", name, err)}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
