package ghclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// Bounds of trying again.
const (
	maxAttempts  = 4 // sends of a request that meets faults: at once, after 1 s, 2 s and 4 s
	firstBackoff = time.Second
	maxLimited   = 6 // answers of one request that tell of a limit
	maxRequest   = MaxBody
	maxFault     = 1 << 20 // bytes of an answer that is an error

	// A query that takes GitHub too long costs points each time.
	maxSlowQueries = 2
)

// principal is somebody who signs requests.
type principal struct {
	kind         Kind
	account      string // of the installation
	installation int64

	lim     *limiter
	network http.RoundTripper
	// token gives what goes into the header Authorization; nil where network signs. refused says
	// that GitHub did not take it, and with which answer: true where another may do. nil is that
	// there is no other.
	token   func(ctx context.Context) (string, error)
	refused func(token string, resp *http.Response) bool
	// explain makes the error of a 401.
	explain func(request, message string) error
}

// transport carries requests to the API, as core and who allow.
type transport struct {
	core *core
	who  *principal
}

// call is one request, however often it is sent.
type call struct {
	req    *http.Request
	body   []byte
	kind   requestKind
	path   string // below the API's root
	name   string // for errors: method and path
	bucket string
	safe   bool // may be sent again
	json   bool // JSON is what the answer must be
	limit  int64
}

// answer is what came back, read to its end.
type answer struct {
	resp  *http.Response
	body  []byte
	fault answerBody
	token string // that the request was signed with
}

// How a request differs from what its method and address say.
type ctxKey uint8

const (
	ctxSafe    ctxKey = iota // a POST that reads
	ctxKind                  // requestKind: kindToken, kindRevoke
	ctxLimit                 // int64: the largest answer
	ctxUrgent                // a write that goes before others
	ctxPatient               // what leaves the last of a window to others
)

// RoundTrip sends the request, as often as that is safe and useful. Its errors are those of
// the package; an answer that it returns is whole.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	c, err := t.newCall(req)
	if err != nil {
		return nil, err
	}
	a, err := t.send(req.Context(), c)
	if err != nil {
		return nil, err
	}
	if a.resp.StatusCode >= 400 {
		a.body = []byte(t.core.redact(string(a.body)))
	} else if why := t.core.stays(req, a.resp); why != "" {
		if a.body, err = json.Marshal(map[string]string{"message": why}); err != nil {
			return nil, err
		}
	}
	a.resp.Body = io.NopCloser(bytes.NewReader(a.body))
	a.resp.ContentLength = int64(len(a.body))
	a.resp.Request = req
	return a.resp, nil
}

func (t *transport) newCall(req *http.Request) (*call, error) {
	body, err := readRequest(req)
	if err != nil {
		return nil, err
	}
	path, graphql, ok := t.core.place.api(req.URL)
	if !ok {
		return nil, fmt.Errorf("%s %q: not of GitHub's API at %q: not sent", req.Method, t.core.redact(req.URL.Redacted()), t.core.place.rest.Host)
	}
	ctx := req.Context()
	c := &call{
		req: req, body: body, path: path, limit: MaxBody,
		name: fmt.Sprintf("%s %q", req.Method, t.core.redact(path)),
		safe: req.Method == http.MethodGet || req.Method == http.MethodHead || ctx.Value(ctxSafe) != nil,
		json: req.Method != http.MethodHead && wantsJSON(req.Header.Get("Accept")),
	}
	if graphql {
		c.kind = kindGraphQL
	}
	if kind, ok := ctx.Value(ctxKind).(requestKind); ok {
		c.kind = kind
	}
	if limit, ok := ctx.Value(ctxLimit).(int64); ok {
		c.limit = limit
	}
	c.bucket = bucketOf(c.kind, path)
	return c, nil
}

func readRequest(req *http.Request) ([]byte, error) {
	if req.Body == nil || req.Body == http.NoBody {
		return nil, nil
	}
	defer req.Body.Close()
	body, err := io.ReadAll(io.LimitReader(req.Body, maxRequest+1))
	if err == nil && len(body) > maxRequest {
		err = fmt.Errorf("request of more than %d bytes", maxRequest)
	}
	return body, err
}

// wantsJSON reports whether an answer in the media types of an Accept header is JSON.
func wantsJSON(accept string) bool {
	if accept == "" {
		return true
	}
	for _, other := range []string{".raw", ".diff", ".patch", ".sha", ".html", ".text"} {
		if strings.Contains(accept, other) {
			return false
		}
	}
	return strings.Contains(accept, "json")
}

// send repeats what may be repeated.
func (t *transport) send(ctx context.Context, c *call) (*answer, error) {
	for faults, limited, renewed := 0, 0, false; ; {
		a, block, err := t.once(ctx, c)
		switch {
		case err != nil && a == nil: // nothing was sent, or nothing came
		case block != nil:
			limited++
			if !c.safe || limited == maxLimited {
				return nil, block
			}
			t.core.retrying(ctx, c.name, block)
			continue
		case err == nil:
			err = t.judge(c, a)
		}
		if err == nil {
			return a, nil
		}
		var again *againError
		if !errors.As(err, &again) {
			return nil, err
		}
		if again.renew {
			if renewed || !c.safe {
				return nil, again.err
			}
			renewed = true
			t.core.retrying(ctx, c.name, again.err)
			continue
		}
		faults++
		if again.sent && !c.safe {
			return nil, fmt.Errorf("%w: %w", again.err, ErrUnknownOutcome)
		}
		if !c.safe || faults >= min(maxAttempts, again.most) {
			return nil, again.err
		}
		t.core.retrying(ctx, c.name, again.err)
		if err := t.core.sleep(ctx, firstBackoff<<(faults-1)); err != nil {
			return nil, fmt.Errorf("%w: %w", again.err, err)
		}
	}
}

// againError is a fault that may pass.
type againError struct {
	err   error
	sent  bool // GitHub may have carried it out
	renew bool // with another token
	most  int  // attempts
}

func (e *againError) Error() string { return e.err.Error() }

// once sends the request one time and reads the answer to its end. An answer comes with the
// block that it put on, if it did. An error without an answer that is no *againError is
// final.
func (t *transport) once(ctx context.Context, c *call) (*answer, *RateLimitedError, error) {
	p, err := t.who.lim.acquire(ctx, c.name, c.bucket, !c.safe)
	if err != nil {
		return nil, nil, err
	}
	var news *limits
	var a *answer
	if err = t.core.spend(c.name, c.kind); err == nil {
		a, news, err = t.exchange(ctx, c)
	}
	block := t.who.lim.release(p, c.name, news)
	return a, block, err
}

func (t *transport) exchange(ctx context.Context, c *call) (*answer, *limits, error) {
	a := &answer{}
	if t.who.token != nil {
		token, err := t.who.token(ctx)
		if err != nil {
			return nil, nil, err
		}
		a.token = token
	}
	attempt, cancel := context.WithTimeout(ctx, t.core.attempt)
	defer cancel()
	resp, err := t.who.network.RoundTrip(c.signed(attempt, a.token))
	if err != nil {
		return nil, nil, t.broken(ctx, c, err)
	}
	came := t.core.now()
	defer resp.Body.Close()
	a.resp = resp
	if resp.StatusCode >= 400 { // its status and headers will do, where it is cut or long
		a.body, _ = io.ReadAll(io.LimitReader(resp.Body, maxFault))
	} else if a.body, err = io.ReadAll(io.LimitReader(resp.Body, c.limit+1)); err != nil {
		return nil, readLimits(resp, answerBody{}, c.bucket, came), t.broken(ctx, c, err)
	} else if int64(len(a.body)) > c.limit {
		return nil, readLimits(resp, answerBody{}, c.bucket, came), fmt.Errorf("%s: %w: more than %d bytes", c.name, ErrTooLong, c.limit)
	}
	a.fault = t.core.readFault(c.kind, resp.StatusCode, a.body)
	if resp.StatusCode == http.StatusNotModified {
		t.core.count(func(s *Stats) { s.NotModified++ })
	}
	return a, readLimits(resp, a.fault, c.bucket, came), nil
}

// signed is the request as it goes out.
func (c *call) signed(ctx context.Context, token string) *http.Request {
	req := c.req.Clone(ctx)
	req.Body, req.GetBody = nil, nil
	if c.body != nil {
		req.Body = io.NopCloser(bytes.NewReader(c.body))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(c.body)), nil }
	}
	req.ContentLength = int64(len(c.body))
	req.Header.Del("Authorization")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	req.Header.Set("User-Agent", userAgent)
	return req
}

const userAgent = "wormsweep"

// broken makes the error of a request without a whole answer.
func (t *transport) broken(ctx context.Context, c *call, err error) error {
	if cause := ctx.Err(); cause != nil {
		// The caller's own end, and not a fault that may pass.
		if !c.safe {
			return fmt.Errorf("%s: %w: %w", c.name, cause, ErrUnknownOutcome)
		}
		return fmt.Errorf("%s: %w", c.name, cause)
	}
	text := oneLine(t.core.redact(err.Error()))
	var op *net.OpError
	dial, most := errors.As(err, &op) && op.Op == "dial", maxAttempts
	var timeout net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
		err = fmt.Errorf("%w: %w", ErrTimeout, err)
		text = ErrTimeout.Error() + ": " + text
		if c.kind == kindGraphQL {
			most = maxSlowQueries
		}
	}
	return &againError{err: &redactedError{c.name + ": " + text, err}, sent: !dial, most: most}
}
