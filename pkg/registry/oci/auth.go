package oci

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
)

const (
	maxChallenge  = 4 << 10
	maxToken      = 64 << 10
	tokenLifetime = time.Minute // where the service does not tell: it is what the protocol assumes
	tokenLongest  = time.Hour
	tokenMargin   = 10 * time.Second
)

// tokens are those of this registry, by repository.
type tokens struct {
	mu sync.Mutex
	by map[string]*token
}

// token lets us read one repository. Its lock is held while it is renewed.
type token struct {
	mu    sync.Mutex
	value string // "" for none
	until time.Time
}

func (t *tokens) of(repo string) *token {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.by == nil {
		t.by = map[string]*token{}
	}
	if t.by[repo] == nil {
		t.by[repo] = &token{}
	}
	return t.by[repo]
}

func (t *token) current(now time.Time) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !now.Before(t.until) {
		return ""
	}
	return t.value
}

// ask sends a request about a repository, with a token where the registry wants one: that of
// an earlier request, or one that its token service gives for reading this repository.
func (r *Reader) ask(ctx context.Context, repo string, q fetch.Request, send func(fetch.Request) error) error {
	t := r.tokens.of(repo)
	used := t.current(r.now())
	err := send(bearing(q, used))
	var status *fetch.StatusError
	if !errors.As(err, &status) || status.Status != http.StatusUnauthorized {
		return err
	}
	c, ok := findBearer(status.Header.Values("WWW-Authenticate"))
	if !ok {
		return err
	}
	fresh, tokenErr := r.renew(ctx, repo, t, used, c)
	if tokenErr != nil {
		return fmt.Errorf("token for %q: %w", repo, tokenErr)
	}
	return send(bearing(q, fresh))
}

// bearing is a request with a token of the registry's, which goes to the registry's host alone.
func bearing(q fetch.Request, token string) fetch.Request {
	if token == "" {
		return q
	}
	if q.Header = q.Header.Clone(); q.Header == nil {
		q.Header = http.Header{}
	}
	q.Header.Set("Authorization", "Bearer "+token)
	return q
}

// renew asks the token service, unless somebody else did since the token that was used.
func (r *Reader) renew(ctx context.Context, repo string, t *token, used string, c challenge) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.value != "" && t.value != used && r.now().Before(t.until) {
		return t.value, nil
	}
	realm, err := url.Parse(c.realm)
	if err != nil || realm.Host == "" || realm.User != nil {
		return "", fmt.Errorf("the registry's challenge names no address: %w", registry.ErrMalformed)
	}
	if !slices.ContainsFunc(r.tokenHosts, func(h string) bool { return strings.EqualFold(h, realm.Host) }) {
		return "", fmt.Errorf("the registry's challenge leads to %.100q, which may not give tokens for it: %w", realm.Host, registry.ErrForbidden)
	}
	query := realm.Query()
	if c.service != "" {
		query.Set("service", c.service)
	}
	query.Set("scope", "repository:"+repo+":pull") // ours, whatever the challenge proposes
	realm.RawQuery, realm.Fragment = query.Encode(), ""
	a, err := r.client.Get(ctx, fetch.Request{URL: realm.String(), Accept: "application/json", MaxBytes: maxToken})
	if err != nil {
		return "", err
	}
	value, lifetime, err := parseToken(a.Body)
	if err != nil {
		return "", err
	}
	t.value, t.until = value, r.now().Add(lifetime-tokenMargin)
	return value, nil
}

// parseToken reads the answer of a token service.
func parseToken(body []byte) (value string, lifetime time.Duration, err error) {
	var answer struct {
		Token       string  `json:"token"`
		AccessToken string  `json:"access_token"` // the same, by its OAuth 2 name
		ExpiresIn   float64 `json:"expires_in"`   // seconds
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return "", 0, fmt.Errorf("answer of the token service: %w", registry.ErrMalformed) // the cause may show the token
	}
	value = answer.Token
	if value == "" {
		value = answer.AccessToken
	}
	if value == "" || strings.ContainsFunc(value, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return "", 0, fmt.Errorf("the token service gave no token: %w", registry.ErrMalformed)
	}
	lifetime = tokenLifetime
	if s := answer.ExpiresIn; s > 0 {
		lifetime = time.Duration(min(s, tokenLongest.Seconds()) * float64(time.Second))
	}
	return value, lifetime, nil
}

// challenge is what a registry says of its token service.
type challenge struct{ realm, service string }

// findBearer finds the challenge of the scheme Bearer that names a realm (RFC 9110, section
// 11.6.1, and "Token Authentication" of the distribution project).
func findBearer(headers []string) (c challenge, ok bool) {
	for _, header := range headers {
		scheme, rest, _ := strings.Cut(strings.TrimLeft(header, " \t"), " ")
		if !strings.EqualFold(scheme, "Bearer") || len(header) > maxChallenge {
			continue
		}
		parameters := parseParameters(rest)
		if realm := parameters["realm"]; realm != "" {
			return challenge{realm, parameters["service"]}, true
		}
	}
	return challenge{}, false
}

// parseParameters reads name=token and name="text" between commas, up to what is neither. The
// first of a name counts.
func parseParameters(s string) map[string]string {
	found := map[string]string{}
	for {
		s = strings.TrimLeft(s, " \t,")
		name, rest, ok := strings.Cut(s, "=")
		if !ok || name == "" || strings.ContainsAny(name, " \t,\"") {
			return found
		}
		var value string
		if quoted, isQuoted := strings.CutPrefix(rest, `"`); isQuoted {
			if value, s, ok = cutQuoted(quoted); !ok {
				return found
			}
		} else {
			end := strings.IndexAny(rest, ", \t")
			if end < 0 {
				end = len(rest)
			}
			value, s = rest[:end], rest[end:]
		}
		name = strings.ToLower(name)
		if _, again := found[name]; !again {
			found[name] = value
		}
	}
}

// cutQuoted reads up to the quote that ends a quoted-string, and takes its backslashes away.
func cutQuoted(s string) (value, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], true
		case '\\':
			if i++; i == len(s) {
				return "", "", false
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", false
}
