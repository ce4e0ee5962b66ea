package gitwire

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"
)

const (
	maxTries = 3               // of one fetch
	maxPause = 2 * time.Minute // between them
)

// pause says how long to wait before a request that had an error is sent again, and whether
// another answer may be better: after a cut one, a fault of the server, a limit of which it
// says when it ends, and a refused credential, once, since the transport may have another.
func pause(err error, try int) (wait time.Duration, better bool) {
	if err == nil || try == maxTries {
		return 0, false
	}
	var s *StatusError
	if !errors.As(err, &s) {
		return 0, errors.Is(err, errCut)
	}
	switch {
	case s.After > maxPause:
		return 0, false
	case s.After > 0:
		return s.After, s.Status != http.StatusUnauthorized
	case s.Status >= http.StatusInternalServerError, s.Status == http.StatusTooManyRequests:
		return time.Second << (2 * (try - 1)), true
	}
	return 0, s.Status == http.StatusUnauthorized && try == 1
}

// Refused reports whether an error says that a server does not give this by git's protocol,
// or not to these credentials: another way may do.
func Refused(err error) bool {
	var status *StatusError
	var refused *RefusedError
	if errors.As(err, &status) {
		return status.Status >= 400 && status.Status < http.StatusInternalServerError && status.Status != http.StatusTooManyRequests && status.After == 0
	}
	return errors.As(err, &refused) || errors.Is(err, errForeign)
}

// retryAfter reads the header of that name, in seconds; a date is 0.
func retryAfter(header http.Header) time.Duration {
	n, err := strconv.ParseUint(header.Get("Retry-After"), 10, 31)
	if err != nil {
		return 0
	}
	return time.Duration(n) * time.Second
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}
