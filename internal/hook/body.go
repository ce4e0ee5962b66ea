package hook

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

// smallBody is what any request may have read of its body. For more it needs one of a few places,
// so that memory is bounded by connections times smallBody, and places times MaxBody.
const smallBody = 128 << 10

func tooLarge() error {
	return &refusal{http.StatusRequestEntityTooLarge, OutcomeTooLarge, "the body is larger than GitHub's"}
}

// read reads a body up to the bound of its size and until ctx ends.
func (h *Handler) read(ctx context.Context, w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if deadline, ok := ctx.Deadline(); ok {
		if err := http.NewResponseController(w).SetReadDeadline(deadline); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return nil, err
		}
	}
	var body bytes.Buffer
	n, err := io.Copy(&body, io.LimitReader(r.Body, smallBody+1))
	if err != nil {
		return nil, slow(err)
	}
	if n <= smallBody {
		return body.Bytes(), nil
	}
	select {
	case h.large <- struct{}{}:
		defer func() { <-h.large }()
	case <-ctx.Done():
		return nil, &refusal{http.StatusServiceUnavailable, OutcomeUnavailable, "too many large bodies at a time: deliver again later"}
	}
	if _, err := io.Copy(&body, io.LimitReader(r.Body, MaxBody+1-n)); err != nil {
		return nil, slow(err)
	}
	if body.Len() > MaxBody {
		return nil, tooLarge()
	}
	return body.Bytes(), nil
}

// slow says of an error of reading that the time was over, or that the body ended early.
func slow(err error) error {
	var timeout net.Error
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
		return &refusal{http.StatusRequestTimeout, OutcomeTooSlow, "the body did not come in time"}
	}
	return &refusal{http.StatusBadRequest, OutcomeHeaders, "the body ended early"}
}

// Server answers on a listener with the bounds that a server on the Internet needs: on the time
// and the size of headers, and on connections, of which the oldest that has not shown a right
// signature makes room for a new one.
func Server(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      20 * time.Second,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ConnContext:       withConn,
	}
}
