package fetch

import (
	"compress/flate"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/wormsweep/wormsweep/pkg/registry"
)

// stream makes the Stream of an answer of status 200.
func (c *Client) stream(resp *http.Response, method string, r Request, u *url.URL, broken func(error) error, cancel context.CancelCauseFunc) (*Stream, error) {
	limit := orDefault(r.MaxBytes, c.maxBytes)
	s := &Stream{
		Header: resp.Header, URL: address(u), Length: resp.ContentLength, raw: resp.Body, broken: broken, cancel: cancel,
		Validator: registry.Validator{ETag: resp.Header.Get("ETag"), LastModified: resp.Header.Get("Last-Modified")},
	}
	fail := func(err error) (*Stream, error) {
		resp.Body.Close()
		return nil, err
	}
	if method == http.MethodHead {
		return s, nil
	}
	if resp.ContentLength > limit {
		return fail(broken(fmt.Errorf("%d bytes, over the limit of %d: %w", resp.ContentLength, limit, registry.ErrTooLarge)))
	}
	packed := newBounded(c.paced(resp.Body, cancel), limit)
	s.body = packed
	switch encoding := resp.Header.Get("Content-Encoding"); {
	case encoding == "" || encoding == "identity":
	case encoding == "gzip" && r.Packed:
		unpacked, err := gzip.NewReader(packed)
		if err != nil {
			return fail(broken(damaged(err)))
		}
		s.body, s.Length = newBounded(unzipped{unpacked}, limit), -1
	default:
		return fail(broken(fmt.Errorf("packed by %.50q, which nobody asked for: %w", encoding, registry.ErrMalformed)))
	}
	return s, nil
}

// unzipped tells of damage in a packed body by the word of package registry.
type unzipped struct{ r io.Reader }

func (u unzipped) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	return n, damaged(err)
}

func damaged(err error) error {
	var corrupt flate.CorruptInputError
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.As(err, &corrupt) {
		return fmt.Errorf("%w: %w", registry.ErrMalformed, err)
	}
	return err
}

// bounded reads up to a limit, and errs where there is more.
type bounded struct {
	r           io.Reader
	left, limit int64
}

func newBounded(r io.Reader, limit int64) *bounded { return &bounded{r, limit, limit} }

func (b *bounded) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, b.over()
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return n - 1, b.over()
	}
	return n, err
}

func (b *bounded) over() error {
	return fmt.Errorf("over %d bytes: %w", b.limit, registry.ErrTooLarge)
}

// pacedBody gives a body up once the time that was spent reading it is over what its bytes have
// earned. Time that the reader spends elsewhere does not count, and no more than the grace is
// ever kept.
type pacedBody struct {
	r           io.Reader
	left, grace time.Duration
	rate        int64
	cancel      context.CancelCauseFunc
}

func (c *Client) paced(r io.Reader, cancel context.CancelCauseFunc) io.Reader {
	return &pacedBody{r, c.grace, c.grace, c.minRate, cancel}
}

func (b *pacedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		b.cancel(errSlow)
		return 0, errSlow
	}
	began := time.Now()
	timer := time.AfterFunc(b.left, func() { b.cancel(errSlow) })
	n, err := b.r.Read(p)
	timer.Stop()
	b.left = min(b.grace, b.left-time.Since(began)+time.Duration(n)*time.Second/time.Duration(b.rate))
	return n, err
}

// untrusted reports whether a certificate was not believed: asking again leads to the same one.
func untrusted(err error) bool {
	var certificate *tls.CertificateVerificationError
	return errors.As(err, &certificate)
}
