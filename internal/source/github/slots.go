package github

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// slotted is a transport of which only so many answers are open at once, and that sends nothing
// before the time that an answer to any repository told.
type slotted struct {
	next  http.RoundTripper
	slots chan struct{}
	told  *told
}

func (s *slotted) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := s.told.wait(req.Context()); err != nil {
		return nil, err
	}
	select {
	case s.slots <- struct{}{}:
	case <-req.Context().Done():
		return nil, context.Cause(req.Context())
	}
	release := sync.OnceFunc(func() { <-s.slots })
	res, err := s.next.RoundTrip(req)
	if err != nil {
		release()
		return nil, err
	}
	s.told.take(res)
	res.Body = &slottedBody{res.Body, release}
	return res, nil
}

type slottedBody struct {
	io.ReadCloser
	release func()
}

func (b *slottedBody) Close() error {
	defer b.release()
	return b.ReadCloser.Close()
}

// told is the time before which a server wants to be asked nothing more.
type told struct {
	sleep func(context.Context, time.Duration) error

	mu    sync.Mutex
	until time.Time
}

// take takes what an answer that is none says of it, in seconds or as a date.
func (t *told) take(res *http.Response) {
	value := strings.TrimSpace(res.Header.Get("Retry-After"))
	if res.StatusCode < http.StatusBadRequest || value == "" {
		return
	}
	until, err := http.ParseTime(value)
	if seconds, failed := strconv.ParseUint(value, 10, 31); failed == nil {
		until, err = time.Now().Add(time.Duration(seconds)*time.Second), nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil && until.After(t.until) {
		t.until = until
	}
}

// wait returns when the time has come. The error is of ctx.
func (t *told) wait(ctx context.Context) error {
	t.mu.Lock()
	left := time.Until(t.until)
	t.mu.Unlock()
	if left <= 0 {
		return nil
	}
	return t.sleep(ctx, left)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
