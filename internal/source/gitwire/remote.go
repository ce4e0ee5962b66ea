package gitwire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wormsweep/wormsweep/internal/source/gitobject"
)

// Options are the settings of a Remote; the zero value of each is ready for use.
type Options struct {
	Transport http.RoundTripper // http.DefaultTransport if nil; it adds what the server wants to know of us
	Agent     string            // of this program, as servers log it; "wormsweep" if ""
	Dir       string            // of temporary files; os.TempDir() if ""
	MaxPack   int64             // bytes of one pack; 2 GiB if 0
	Stall     time.Duration     // an answer from which nothing comes for so long is given up; 2 minutes if 0
	// Sleep is the clock before a request is sent again; nil is the real one. It returns the
	// context's error when that is done first.
	Sleep func(context.Context, time.Duration) error
}

// Remote is a repository behind an address. It keeps what it fetched, until Close, in
// temporary files. It is safe for concurrent use.
type Remote struct {
	url  string
	opt  Options
	work *gitobject.Work

	requests atomic.Int64

	mu      sync.RWMutex
	packs   []*held
	commits []gitobject.ID // those that were fetched with their trees
	failed  map[gitobject.ID]error
	closed  bool
}

// held is a pack with the file that it lies in.
type held struct {
	*indexed
	spool *spool
}

// New makes the remote of an address without "/git-upload-pack", https://HOST/OWNER/REPO.git.
// Nothing is asked yet.
func New(url string, opt Options) *Remote {
	if opt.Transport == nil {
		opt.Transport = http.DefaultTransport
	}
	if opt.Agent == "" {
		opt.Agent = "wormsweep"
	}
	if opt.MaxPack <= 0 {
		opt.MaxPack = 2 << 30
	}
	if opt.Stall <= 0 {
		opt.Stall = 2 * time.Minute
	}
	if opt.Sleep == nil {
		opt.Sleep = sleep
	}
	return &Remote{url: strings.TrimSuffix(url, "/"), opt: opt, work: gitobject.NewWork(), failed: map[gitobject.ID]error{}}
}

// Requests is how many requests were sent.
func (r *Remote) Requests() int { return int(r.requests.Load()) }

// Close lets go of the packs. Objects that are open must be closed before.
func (r *Remote) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for _, p := range r.packs {
		errs = append(errs, p.spool.Close())
	}
	r.packs, r.commits, r.closed = nil, nil, true
	return errors.Join(errs...)
}

// Refs lists the refs whose names begin with one of the prefixes; with none, all. It is for
// servers of which nobody else tells the commits. The error wraps gitobject.ErrLimit where
// there are more than 250,000, beside those.
func (r *Remote) Refs(ctx context.Context, prefixes ...string) ([]Ref, error) {
	ctx, body, err := r.post(ctx, lsRefs(r.opt.Agent, prefixes))
	if err != nil {
		return nil, fmt.Errorf("listing refs: %w", err)
	}
	defer body.Close()
	refs, err := parseRefs(newLines(body))
	if err != nil {
		return refs, fmt.Errorf("listing refs: %w", reason(ctx, err))
	}
	return refs, nil
}

// StatusError is an answer that is no success. A server that does not know a repository and
// one that may not show it answer alike, 401 or 404.
type StatusError struct {
	Status   int
	Location string        // where the repository is said to be, with a redirect; it is not followed
	After    time.Duration // until the server wants to be asked again; 0 where it does not say
}

func (e *StatusError) Error() string {
	if e.Location != "" {
		return fmt.Sprintf("the server answers %d, with the place %.200q: not followed", e.Status, e.Location)
	}
	return fmt.Sprintf("the server answers %d %s", e.Status, http.StatusText(e.Status))
}

const resultType = "application/x-git-upload-pack-result"

// post sends a request and gives the body of the answer, and the context that ends when
// the answer stalls.
func (r *Remote) post(ctx context.Context, body []byte) (context.Context, io.ReadCloser, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	stall := time.AfterFunc(r.opt.Stall, func() {
		cancel(fmt.Errorf("%w: nothing came for %v", errCut, r.opt.Stall))
	})
	answer := &answer{stall: stall, after: r.opt.Stall, cancel: cancel}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url+"/git-upload-pack", bytes.NewReader(body))
	if err != nil {
		answer.Close()
		return ctx, nil, err
	}
	req.Header.Set("Git-Protocol", "version=2")
	req.Header.Set("Content-Type", "application/x-git-upload-pack-request")
	req.Header.Set("Accept", resultType)
	req.Header.Set("Accept-Encoding", "identity") // a pack is deflated, and its bytes are counted as they come
	req.Header.Set("User-Agent", "git/2 "+r.opt.Agent)
	r.requests.Add(1)
	res, err := r.opt.Transport.RoundTrip(req)
	if err != nil {
		answer.Close()
		return ctx, nil, reason(ctx, err)
	}
	answer.body = res.Body
	if res.StatusCode != http.StatusOK {
		answer.Close()
		return ctx, nil, &StatusError{Status: res.StatusCode, Location: res.Header.Get("Location"), After: retryAfter(res.Header)}
	}
	kind, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if err != nil || kind != resultType {
		answer.Close()
		return ctx, nil, fmt.Errorf("the server answers with the content type %.100q: %w", res.Header.Get("Content-Type"), errForeign)
	}
	return ctx, answer, nil
}

// answer is the body of an answer, which may not stall.
type answer struct {
	body   io.ReadCloser
	stall  *time.Timer
	after  time.Duration
	cancel context.CancelCauseFunc
}

func (a *answer) Read(p []byte) (int, error) {
	n, err := a.body.Read(p)
	if n > 0 {
		a.stall.Reset(a.after)
	}
	return n, err
}

func (a *answer) Close() error {
	a.stall.Stop()
	a.cancel(nil)
	if a.body == nil {
		return nil
	}
	return a.body.Close()
}

// reason is why a request ended: the cause of its context before what was made of that.
func reason(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
