package ghclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// GetOption changes one request of Client.Get.
type GetOption func(*getOptions)

type getOptions struct {
	etag, accept string
	limit        int64
}

// IfNoneMatch makes the request conditional: GitHub answers 304, for free, while the ETag
// of an earlier Response still holds. "" asks as usual.
func IfNoneMatch(etag string) GetOption { return func(o *getOptions) { o.etag = etag } }

// Accept asks for another media type than JSON, "application/vnd.github.raw+json".
func Accept(mediaType string) GetOption { return func(o *getOptions) { o.accept = mediaType } }

// Limit is the size, in bytes, over which the answer is an error; without it, MaxBody.
func Limit(bytes int64) GetOption { return func(o *getOptions) { o.limit = bytes } }

// MaxBody is the largest answer that is read, in bytes.
const MaxBody = 64 << 20

// What every request says of the API's form.
const (
	acceptJSON = "application/vnd.github+json"
	apiVersion = "2022-11-28"
)

// Response is what came beside the body.
type Response struct {
	Status      int
	NotModified bool      // 304: nothing was decoded
	ETag        string    // for IfNoneMatch; "" where there is none
	Next        string    // the next page, for Get; "" on the last
	Date        time.Time // by GitHub's clock; zero where it does not tell
	Header      http.Header
}

// Get asks REST for what go-github is too old for. path is relative to the API's root, its
// parts escaped by the caller, or Response.Next of an earlier answer. into is nil, a *[]byte
// for the body as it came, or what JSON is decoded into. Any status but 2xx and 304 is an
// error.
func (c *Client) Get(ctx context.Context, path string, query url.Values, into any, opts ...GetOption) (*Response, error) {
	o := getOptions{accept: acceptJSON, limit: MaxBody}
	for _, opt := range opts {
		opt(&o)
	}
	u, err := c.core.place.rest.Parse(strings.TrimPrefix(path, "/"))
	if err != nil {
		return nil, fmt.Errorf("GET %q: not a path", c.core.redact(path))
	}
	if len(query) > 0 {
		values := u.Query()
		for key, list := range query {
			values[key] = list
		}
		u.RawQuery = values.Encode()
	}
	header := http.Header{"Accept": {o.accept}}
	if o.etag != "" {
		header.Set("If-None-Match", o.etag)
	}
	a, err := c.ask(context.WithValue(ctx, ctxLimit, o.limit), http.MethodGet, u, nil, header)
	if err != nil {
		return nil, err
	}
	resp := &Response{
		Status: a.resp.StatusCode, NotModified: a.resp.StatusCode == http.StatusNotModified,
		ETag: a.resp.Header.Get("ETag"), Header: a.resp.Header,
	}
	resp.Date, _ = http.ParseTime(a.resp.Header.Get("Date"))
	if resp.NotModified && o.etag == "" {
		return resp, fmt.Errorf("%s: status 304 to a request that set no condition", c.name(http.MethodGet, u))
	}
	if resp.Next, err = c.next(a.resp.Header); err != nil {
		return resp, fmt.Errorf("%s: %w", c.name(http.MethodGet, u), err)
	}
	if resp.NotModified {
		return resp, nil
	}
	return resp, c.decode(http.MethodGet, u, a.body, into)
}

// name is a request in errors.
func (c *Client) name(method string, u *url.URL) string {
	path, _, _ := c.core.place.api(u)
	return fmt.Sprintf("%s %q", method, c.core.redact(path))
}

func (c *Client) decode(method string, u *url.URL, body []byte, into any) error {
	switch into := into.(type) {
	case nil:
		return nil
	case *[]byte:
		*into = body
		return nil
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("%s: %s", c.name(method, u), oneLine(c.core.redact(err.Error())))
	}
	return nil
}

// ask sends one request through the client that follows redirects, and gives an answer of
// status 2xx or 304.
func (c *Client) ask(ctx context.Context, method string, u *url.URL, body io.Reader, header http.Header) (*answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return nil, fmt.Errorf("%s: %s", c.name(method, u), oneLine(c.core.redact(err.Error())))
	}
	req.Header = header
	req.Header.Set("X-GitHub-Api-Version", apiVersion)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err // which names the request itself
		}
		return nil, err
	}
	defer resp.Body.Close()
	a := &answer{resp: resp}
	if a.body, err = io.ReadAll(resp.Body); err != nil { // of memory: transport has read it
		return nil, err
	}
	if status := resp.StatusCode; (status < 200 || status > 299) && status != http.StatusNotModified {
		return nil, &StatusError{c.name(method, u), status, c.core.readFault(kindREST, status, a.body).Message}
	}
	return a, nil
}

// links are the targets and parameters of a header Link.
var links = regexp.MustCompile(`<([^<>]*)>((?:\s*;[^;,<>]*)*)`)

// next reads the header Link (RFC 8288) for the next page, which must be of this API.
func (c *Client) next(header http.Header) (string, error) {
	for _, link := range links.FindAllStringSubmatch(strings.Join(header.Values("Link"), ","), -1) {
		if !strings.Contains(link[2], `rel="next"`) {
			continue
		}
		u, err := url.Parse(link[1])
		if err != nil {
			return "", errors.New("a next page whose address cannot be read")
		}
		if _, graphql, ok := c.core.place.api(u); !ok || graphql {
			return "", fmt.Errorf("a next page at %q, which is not of this API", u.Host)
		}
		return u.String(), nil
	}
	return "", nil
}

// withoutRate hides from go-github what remains of a limit. It would refuse requests by its
// own clock where our transport waits.
type withoutRate struct{ next http.RoundTripper }

func (t *withoutRate) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if err == nil {
		for _, name := range []string{"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"} {
			resp.Header.Del(name)
		}
	}
	return resp, err
}
