package feeds

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
)

// Limits of requests, besides those of a feed.
const (
	maxRedirects  = 5
	maxHeaders    = 64 << 10
	headerTimeout = 30 * time.Second
	userAgent     = "wormsweep (+https://github.com/wormsweep/wormsweep)"
)

// newTransport makes what all requests of an update go through. It asks the environment for
// nothing.
func newTransport(proxy string) *http.Transport {
	t := &http.Transport{
		TLSHandshakeTimeout: headerTimeout, ResponseHeaderTimeout: headerTimeout, MaxResponseHeaderBytes: maxHeaders,
		DisableCompression: true, ForceAttemptHTTP2: true, MaxIdleConns: 10, IdleConnTimeout: time.Minute,
	}
	if u, err := url.Parse(proxy); err == nil && proxy != "" {
		t.Proxy = http.ProxyURL(u)
	}
	return t
}

// condition is what the last answer said of itself: a source that still has the same says 304.
type condition struct {
	etag, lastModified string
}

// answer is a body that was received whole, in a file of its own.
type answer struct {
	file         *os.File
	size         int64
	digest       string // SHA-256 in hex
	from         string // the address that it came from in the end
	etag         string
	lastModified string
	link         string
	html         bool // the source calls it HTML
	unchanged    bool // 304: there is no file
}

// close removes the file.
func (a *answer) close() {
	if a.file != nil {
		a.file.Close()
		os.Remove(a.file.Name())
	}
}

// bytes reads the body.
func (a *answer) bytes() ([]byte, error) {
	data := make([]byte, a.size)
	if _, err := a.file.ReadAt(data, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return data, nil
}

// fetch gets an address of the feed into a file below dir. Errors are Reasons, but for those of
// the file.
func (u *updater) fetch(ctx context.Context, f *Feed, address string, since condition, maxBytes int64) (*answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, &Reason{Unreachable, fmt.Sprintf("%.200q: not an address", address)}
	}
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("Accept-Encoding", "gzip")
	if since.etag != "" {
		req.Header.Set("If-None-Match", since.etag)
	}
	if since.lastModified != "" {
		req.Header.Set("If-Modified-Since", since.lastModified)
	}
	client := http.Client{Transport: u.transport, CheckRedirect: f.checkRedirect}
	res, err := client.Do(req)
	if err != nil {
		return nil, unreachable(ctx, f, address, err)
	}
	defer res.Body.Close()
	a := &answer{
		from: res.Request.URL.Redacted(), etag: res.Header.Get("ETag"), lastModified: res.Header.Get("Last-Modified"),
		link: res.Header.Get("Link"), html: strings.HasPrefix(strings.ToLower(res.Header.Get("Content-Type")), "text/html"),
	}
	switch code := res.StatusCode; {
	case code == http.StatusNotModified && since != condition{}:
		a.unchanged = true
		return a, nil
	case code == http.StatusNotFound || code == http.StatusGone:
		return nil, &Reason{Gone, fmt.Sprintf("%q: %s", address, res.Status)}
	case code != http.StatusOK:
		return nil, &Reason{Unreachable, fmt.Sprintf("%q: %.100q", address, res.Status)}
	}
	if err := u.spool(a, res, maxBytes); err != nil {
		a.close()
		var reason *Reason
		if errors.As(err, &reason) {
			reason.Detail = fmt.Sprintf("%q: %s", address, reason.Detail)
			return nil, reason
		}
		return nil, unreachable(ctx, f, address, err)
	}
	return a, nil
}

// spool writes the body to a file and its digest to a.
func (u *updater) spool(a *answer, res *http.Response, maxBytes int64) error {
	packed := &bounded{r: res.Body, left: maxBytes, limit: maxBytes}
	var body io.Reader = packed
	switch encoding := res.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
	case "gzip":
		unpacked, err := gzip.NewReader(packed)
		if err != nil {
			return err
		}
		body = &bounded{r: unpacked, left: maxBytes, limit: maxBytes}
	default:
		return &Reason{Unreachable, fmt.Sprintf("packed by %.50q, which nobody asked for", encoding)}
	}
	var err error
	if a.file, err = os.CreateTemp(u.dir, ".fetch-"); err != nil {
		return err
	}
	sum := sha256.New()
	if a.size, err = io.Copy(io.MultiWriter(a.file, sum), body); err != nil {
		return err
	}
	a.digest = hex.EncodeToString(sum.Sum(nil))
	return nil
}

// bounded reads up to a limit; more is a Reason.
type bounded struct {
	r           io.Reader
	left, limit int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, &Reason{TooLarge, fmt.Sprintf("over %d bytes, the feed's max_bytes", b.limit)}
	}
	return n, err
}

// checkRedirect lets a request be sent on only to hosts that the configuration names, over what
// cannot be read on the way.
func (f *Feed) checkRedirect(req *http.Request, via []*http.Request) error {
	switch {
	case len(via) > maxRedirects:
		return &Reason{Unreachable, fmt.Sprintf("more than %d redirects", maxRedirects)}
	case !f.allows(req.URL):
		return &Reason{OtherHost, fmt.Sprintf("redirected to %q: %q is not one of the feed's hosts", req.URL.Redacted(), req.URL.Host)}
	}
	return nil
}

// allows reports whether the feed may ask u: its own host or one that it lists.
func (f *Feed) allows(u *url.URL) bool {
	if !secure(u) {
		return false
	}
	hosts := f.Hosts
	for _, own := range []string{f.address(), f.manifestAddress()} {
		if o, err := url.Parse(own); err == nil && o.Host != "" {
			hosts = append(slices.Clip(hosts), o.Host)
		}
	}
	return slices.ContainsFunc(hosts, func(h string) bool { return strings.EqualFold(h, u.Host) })
}

// unreachable is the Reason for an error of a request.
func unreachable(ctx context.Context, f *Feed, address string, err error) error {
	var reason *Reason
	if errors.As(err, &reason) {
		return &Reason{reason.Rule, fmt.Sprintf("%q: %s", address, reason.Detail)}
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &Reason{Unreachable, fmt.Sprintf("%q: not done in %s", address, f.timeout)}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &Reason{Unreachable, fmt.Sprintf("%q: the answer was cut off", address)}
	}
	return &Reason{Unreachable, fmt.Sprintf("%q: %v", address, err)}
}
