package ghclient

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// core is what a client shares with all that Installation makes of it.
type core struct {
	place   *place
	network http.RoundTripper
	now     func() time.Time
	sleep   func(context.Context, time.Duration) error
	log     *slog.Logger
	attempt time.Duration // one request, to the end of its answer

	mu       sync.Mutex
	budget   int // 0 is no bound
	spent    int
	said     bool // that it is spent
	stats    Stats
	waitMark time.Time // waiting up to here is counted
	secrets  []string  // the tokens themselves, for what Redact does not know the format of
	limiters map[int64]*limiter
}

func newCore(opts Options) (*core, error) {
	place, err := newPlace(opts.BaseURL)
	if err != nil {
		return nil, err
	}
	if opts.MaxRequests < 0 {
		return nil, fmt.Errorf("a budget of %d API requests", opts.MaxRequests)
	}
	c := &core{
		place: place, network: opts.Transport, now: opts.Now, sleep: opts.Sleep, log: opts.Log,
		attempt: 2 * time.Minute, budget: opts.MaxRequests, limiters: map[int64]*limiter{},
	}
	if c.network == nil {
		c.network = defaultTransport()
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.sleep == nil {
		c.sleep = sleep
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

// defaultTransport waits for nothing for ever. The proxy is of the process's environment:
// no configuration of a repository gets here.
func defaultTransport() http.RoundTripper {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  time.Minute,
		IdleConnTimeout:        90 * time.Second,
		MaxIdleConnsPerHost:    maxAtOnce,
		MaxResponseHeaderBytes: 1 << 20,
		ForceAttemptHTTP2:      true,
	}
}

// sleep returns early when ctx is done, and at once when its deadline is nearer.
func sleep(ctx context.Context, d time.Duration) error {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < d {
		return context.DeadlineExceeded
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// limiter gives the one limiter of an installation; 0 is the App or token itself.
func (c *core) limiter(installation int64) *limiter {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.limiters[installation]
	if l == nil {
		l = newLimiter(c)
		c.limiters[installation] = l
	}
	return l
}

// waiting counts time that a limit takes, and no time twice.
func (c *core) waiting(request string, from time.Time, d time.Duration) {
	c.mu.Lock()
	start, end := latest(from, c.waitMark), from.Add(d)
	longer := end.After(start)
	if longer {
		c.stats.Waited += end.Sub(start)
		c.waitMark = end
	}
	c.mu.Unlock()
	if longer {
		c.log.LogAttrs(context.Background(), slog.LevelInfo, "waiting for a limit of GitHub",
			slog.String("request", request), slog.Duration("for", d))
	}
}

// spend counts a request before it is sent, and refuses it where the budget is spent.
func (c *core) spend(request string, kind requestKind) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.budget > 0 && c.spent >= c.budget && kind != kindRevoke {
		c.stats.Refused++
		if !c.said {
			c.said = true
			c.log.LogAttrs(context.Background(), slog.LevelWarn, "the budget of API requests is spent",
				slog.Int("budget", c.budget), slog.String("request", request))
		}
		return fmt.Errorf("%s: %w: %d were allowed, and this one was needed next", request, ErrBudget, c.budget)
	}
	c.spent++
	switch kind {
	case kindGraphQL:
		c.stats.GraphQL++
	case kindToken, kindRevoke:
		c.stats.Token++
	default:
		c.stats.REST++
	}
	return nil
}

// count changes the numbers.
func (c *core) count(change func(*Stats)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.stats)
}

// retrying counts and logs that a request is sent again.
func (c *core) retrying(ctx context.Context, request string, why error) {
	c.count(func(s *Stats) { s.Retries++ })
	c.log.LogAttrs(ctx, slog.LevelDebug, "asking GitHub again",
		slog.String("request", request), slog.String("after", c.redact(why.Error())))
}

// keep remembers a secret, so that it leaves in no text.
func (c *core) keep(secret string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.secrets) >= maxSecrets {
		c.secrets = c.secrets[1:]
	}
	c.secrets = append(c.secrets, secret)
}

// maxSecrets is more than the tokens that one run has alive.
const maxSecrets = 64

// redact is Redact that also knows this client's own tokens.
func (c *core) redact(s string) string {
	c.mu.Lock()
	for _, secret := range c.secrets {
		s = strings.ReplaceAll(s, secret, Redacted)
	}
	c.mu.Unlock()
	return Redact(s)
}
