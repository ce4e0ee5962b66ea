// Package fetch is how registries are asked: one HTTP client with bounds, which every reader
// uses.
//
// A Client asks the hosts that its Options list and nothing else, over https; plain http is for
// a loopback address that may be private. The rules hold for every redirect as for the first
// address, and the address that a name leads to is checked when the connection is made, so that
// a name that changes its address between check and use leads nowhere. What is not allowed is
// not sent, and its error wraps registry.ErrForbidden.
//
// An answer has an end: in bytes, packed and unpacked, and in time. One that is too long, cut
// off or too slow is an error, and never a part that looks like a whole. What may pass (no
// connection, a cut answer, 429, 5xx) is asked again a few times, and never before the time that
// the registry told.
//
// A token goes to its own host, and is dropped once a redirect leads to another. No error and no
// String of this package has a token or the query of an address in it.
//
// A proxy is taken from the environment of this process (HTTPS_PROXY, NO_PROXY), which a swept
// repository cannot set. Behind one it is the proxy that looks up names: which address they lead
// to is then its business, and is not checked here.
package fetch

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/wormsweep/wormsweep/pkg/registry"
)

// The defaults of Options.
const (
	DefaultMaxBytes = 16 << 20
	DefaultTimeout  = 2 * time.Minute
	DefaultMinRate  = 8 << 10
	DefaultGrace    = 20 * time.Second
	DefaultMaxWait  = time.Minute
	DefaultAttempts = 3
)

// Options say what may be asked, and how. The zero value may ask nobody.
type Options struct {
	// Hosts may be asked: "registry.example", which is port 443 (80 for plain http), or
	// "registry.example:8443"; an IPv6 address stands in brackets.
	Hosts []string
	// PrivateHosts, spelled as Hosts and listed there too, may have a private or loopback
	// address. The addresses of link-local networks and of clouds' metadata services are for
	// none.
	PrivateHosts []string
	// Tokens by host, spelled as Hosts and listed there too.
	Tokens map[string]Auth

	MaxBytes  int64         // of an answer, unless its Request says otherwise; 0: DefaultMaxBytes
	Timeout   time.Duration // of one try: until the whole answer of Get and Head, the headers of Open and Read; 0: DefaultTimeout
	MinRate   int64         // bytes a second of a body; 0: DefaultMinRate
	Grace     time.Duration // of a body, over what MinRate grants; 0: DefaultGrace
	MaxWait   time.Duration // the longest wait that a registry may ask for; 0: DefaultMaxWait
	Attempts  int           // tries of one request; 0: DefaultAttempts
	UserAgent string        // "": the product's

	// Roots that certificates lead to, nil: the system's.
	Roots *x509.CertPool
	// Transport sends the requests, one exchange a call. Hosts, redirects, tokens and bounds
	// are kept all the same, but which addresses it connects to is its own business. nil: one
	// that checks them.
	Transport http.RoundTripper
	// Transports carry the requests to some hosts, spelled as Hosts and listed there too, instead
	// of Transport: an API whose limits a client of its own keeps. What it leads to elsewhere
	// goes by Transport.
	Transports map[string]http.RoundTripper
	// Resolver looks names up, nil: the system's.
	Resolver *net.Resolver
	// Now is the clock, nil: time.Now. Sleep waits, nil: a timer that ends with the context.
	Now   func() time.Time
	Sleep func(ctx context.Context, d time.Duration) error
}

// Client asks. It is safe for concurrent use.
type Client struct {
	hosts   map[string]rule
	network http.RoundTripper

	maxBytes  int64
	timeout   time.Duration
	minRate   int64
	grace     time.Duration
	maxWait   time.Duration
	attempts  int
	userAgent string
	now       func() time.Time
	sleep     func(ctx context.Context, d time.Duration) error

	mu    sync.Mutex
	until map[string]time.Time // by host: not to be asked before
}

const userAgent = "wormsweep (+https://github.com/wormsweep/wormsweep)"

// New makes a client. It errs for a host that is not spelled as Options says, and for a private
// host or token of one that is not listed.
func New(o Options) (*Client, error) {
	c := &Client{
		hosts: map[string]rule{}, network: o.Transport, until: map[string]time.Time{},
		maxBytes: orDefault(o.MaxBytes, DefaultMaxBytes), timeout: orDefault(o.Timeout, DefaultTimeout),
		minRate: orDefault(o.MinRate, DefaultMinRate), grace: orDefault(o.Grace, DefaultGrace),
		maxWait: orDefault(o.MaxWait, DefaultMaxWait), attempts: orDefault(o.Attempts, DefaultAttempts),
		userAgent: orDefault(o.UserAgent, userAgent), now: o.Now, sleep: o.Sleep,
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.sleep == nil {
		c.sleep = sleep
	}
	if err := c.allow(o); err != nil {
		return nil, err
	}
	if c.network == nil {
		c.network = c.newTransport(o.Roots, o.Resolver)
	}
	return c, nil
}

// orDefault is v, or d for what is not set.
func orDefault[T int | int64 | time.Duration | string](v, d T) T {
	var zero T
	if v <= zero {
		return d
	}
	return v
}

// String tells nothing: a client holds tokens.
func (*Client) String() string { return "fetch.Client" }

// Request is one question.
type Request struct {
	URL       string
	Accept    string             // header
	Header    http.Header        // more of them; they go to the host of URL alone, as tokens do
	Validator registry.Validator // of an earlier answer: ErrNotModified where it is still true
	MaxBytes  int64              // of the answer, unpacked; 0: that of Options
	// Packed lets Open have the answer packed on its way, for texts: its bytes are unpacked,
	// and are not those of a file whose digest is known. Get always does.
	Packed bool

	body []byte // of Query
}

// Answer is a whole answer, of status 200.
type Answer struct {
	Status    int
	Header    http.Header
	Body      []byte // nil for Head
	Validator registry.Validator
	URL       string // that answered in the end, after redirects, without query
}

// Get asks for the answer as a whole. Errors are those that the package says, and *StatusError
// for a status that is not 200.
func (c *Client) Get(ctx context.Context, r Request) (*Answer, error) {
	return c.get(ctx, http.MethodGet, r)
}

func (c *Client) get(ctx context.Context, method string, r Request) (*Answer, error) {
	r.Packed = true
	var a *Answer
	err := c.try(ctx, method, r, true, func(s *Stream) error {
		defer s.Close()
		body, err := io.ReadAll(s)
		if err != nil {
			return err
		}
		a = &Answer{Status: http.StatusOK, Header: s.Header, Body: body, Validator: s.Validator, URL: s.URL}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// Query is Get for a question that is too long for an address, which is sent as JSON by POST. It
// must be one that changes nothing: it is tried again as Get is. It is not redirected.
func (c *Client) Query(ctx context.Context, r Request, question []byte) (*Answer, error) {
	if r.body = question; question == nil {
		r.body = []byte{}
	}
	return c.get(ctx, http.MethodPost, r)
}

// Head asks for the headers of the answer that Get would have.
func (c *Client) Head(ctx context.Context, r Request) (*Answer, error) {
	var a *Answer
	err := c.try(ctx, http.MethodHead, r, true, func(s *Stream) error {
		s.Close()
		a = &Answer{Status: http.StatusOK, Header: s.Header, Validator: s.Validator, URL: s.URL}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// Stream is an answer of status 200 whose body is still to be read. Read gives an error that
// wraps registry.ErrTooLarge where the body goes on behind the limit, and one for a body that is
// cut off or too slow; io.EOF means that it is whole. Close ends it at any time.
type Stream struct {
	Header    http.Header
	Validator registry.Validator
	URL       string // as in Answer
	Length    int64  // by its own word, -1: not told

	body   io.Reader
	raw    io.Closer
	broken func(error) error
	cancel context.CancelCauseFunc
}

// Read reads the body as the type says.
func (s *Stream) Read(p []byte) (int, error) {
	n, err := s.body.Read(p)
	if err != nil && err != io.EOF {
		err = s.broken(err)
	}
	return n, err
}

// Close gives the connection back, or cuts it where the body was not read to its end.
func (s *Stream) Close() error {
	err := s.raw.Close()
	s.cancel(context.Canceled)
	return err
}

// Open asks for an answer that is read in pieces. The caller closes it. What is tried again is
// all that goes wrong before the body begins.
func (c *Client) Open(ctx context.Context, r Request) (*Stream, error) {
	var stream *Stream
	err := c.try(ctx, http.MethodGet, r, false, func(s *Stream) error {
		stream = s
		return nil
	})
	if err != nil {
		return nil, err
	}
	return stream, nil
}

// Read asks for an answer that use reads in pieces, and closes it. Where the answer breaks on its
// way it is asked for again, and use is called anew: an error of Stream.Read is to be given back
// as it is, or wrapped.
func (c *Client) Read(ctx context.Context, r Request, use func(*Stream) error) error {
	return c.try(ctx, http.MethodGet, r, false, func(s *Stream) error {
		defer s.Close()
		return use(s)
	})
}

// StatusError is an answer that is not a 200. It wraps ErrNotFound for 404 and 410,
// ErrNotModified for 304, and ErrDenied for 401 and 403, all of package registry.
type StatusError struct {
	Request string // method and address without query
	Status  int
	Header  http.Header
	After   time.Duration // of Retry-After: not to be asked before; 0: not told
}

func (e *StatusError) Error() string {
	text := fmt.Sprintf("%s: status %d", e.Request, e.Status)
	if cause := e.Unwrap(); cause != nil {
		text += ": " + cause.Error()
	}
	if e.After > 0 {
		text += fmt.Sprintf(", and to be asked again after %s", e.After)
	}
	return text
}

func (e *StatusError) Unwrap() error {
	switch e.Status {
	case http.StatusNotFound, http.StatusGone:
		return registry.ErrNotFound
	case http.StatusNotModified:
		return registry.ErrNotModified
	case http.StatusUnauthorized, http.StatusForbidden:
		return registry.ErrDenied
	}
	return nil
}

// Status is the status of the answer that err stands for, 0 where there was none.
func Status(err error) int {
	var s *StatusError
	if errors.As(err, &s) {
		return s.Status
	}
	return 0
}
