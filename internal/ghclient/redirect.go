package ghclient

import (
	"fmt"
	"net/http"
)

// maxRedirects is how many moves of a repository one request follows.
const maxRedirects = 5

// stays says why the redirect that answers req is not followed, "" if it is, or is none.
// Followed is what stays within the API and remains the request that it was: a POST would
// turn into a GET. A refused answer reaches the caller as it is, and not as an error of
// http.Client, which would repeat an address with whatever is in it.
func (c *core) stays(req *http.Request, resp *http.Response) string {
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther:
		if req.Method != http.MethodGet && req.Method != http.MethodHead {
			return "redirected, which a request that writes does not follow"
		}
	case http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return ""
	}
	// Relative to where it came from.
	to, err := req.URL.Parse(resp.Header.Get("Location"))
	if err != nil || resp.Header.Get("Location") == "" {
		return "redirected to no address"
	}
	if _, _, ok := c.place.api(to); !ok {
		return fmt.Sprintf("redirected to %s, which is not of this API: not followed", oneLine(c.redact(to.Host)))
	}
	if text := to.String(); c.redact(text) != text {
		return "redirected to an address with a secret in it: not followed"
	}
	moves := 1
	for ; req.Response != nil && req.Response.Request != nil; req = req.Response.Request {
		moves++
	}
	if moves >= maxRedirects {
		return fmt.Sprintf("redirected more than %d times", maxRedirects)
	}
	return ""
}

// followed is http.Client.CheckRedirect.
func (c *core) followed(req *http.Request, via []*http.Request) error {
	if c.stays(via[len(via)-1], req.Response) != "" {
		return http.ErrUseLastResponse
	}
	return nil
}
