package ghclient

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Bounds of waiting. GitHub allows 100 requests at once and an hour's window.
const (
	maxAtOnce   = 20               // requests of one set of credentials at once
	maxWait     = 90 * time.Minute // a told time further off is not waited for
	maxStrikes  = 6                // secondary limits without a time in a row: 60 s, then twice that, ... 32 minutes
	firstStrike = time.Minute
	writePause  = time.Second // between two writes, as GitHub asks
	leftShare   = 4           // a fourth of a window's requests is left to what cannot wait
)

// limiter holds what GitHub told one set of credentials about its limits: a token, the App
// itself or one installation, whatever tokens it has. Every request passes it.
type limiter struct {
	now    func() time.Time
	sleep  func(context.Context, time.Duration) error
	waited func(request string, from time.Time, d time.Duration)

	mu       sync.Mutex
	change   chan struct{} // closed, and made anew, when a request ends or a write's turn comes
	inFlight int
	until    time.Time // nothing is sent before; of secondary limits
	strikes  int       // secondary limits without a time, in a row
	blocks   int       // blocks of any kind so far: tells old news from new
	message  string    // GitHub's words on the last block
	buckets  map[string]*bucket
	writing  bool           // a write is under way: they go one after the other
	line     line           // of writes
	nextSlot time.Time      // the next write may be sent
	paces    map[bool]*pace // of GraphQL or REST; nil where no minute is counted
}

// bucket is one primary limit: "core", "graphql", "search", ...
type bucket struct {
	known     bool // what follows is of the window that ends at reset
	remaining int
	most      int // of a whole window; 0 is not known
	reset     time.Time
	open      bool // GitHub told of no such limit
	inFlight  int
	until     time.Time // nothing is sent before
	message   string
}

// full reports whether another request could be one too many. Before an answer told what
// remains, one goes ahead alone.
func (b *bucket) full() bool {
	switch {
	case b.known:
		return b.remaining <= b.inFlight
	case b.open:
		return false
	}
	return b.inFlight > 0
}

// left reports whether so little remains that it is left to requests that cannot wait.
func (b *bucket) left() bool {
	return b.known && b.remaining-b.inFlight <= b.most/leftShare
}

// newLimiter makes a limiter that nothing is known to yet.
func newLimiter(c *core) *limiter {
	l := &limiter{
		now: c.now, sleep: c.sleep, waited: c.waiting,
		change: make(chan struct{}), buckets: map[string]*bucket{},
	}
	if c.place.hosted {
		l.paces = newPaces()
	}
	return l
}

// pass is leave to send one request.
type pass struct {
	bucket string
	write  bool
	blocks int // as they were when it was given
}

func (l *limiter) bucket(name string) *bucket {
	b := l.buckets[name]
	if b == nil {
		b = &bucket{}
		l.buckets[name] = b
	}
	return b
}

// acquire waits until a request to the bucket may be sent. It gives up with a
// *RateLimitedError where that is too far off or past the deadline of ctx.
func (l *limiter) acquire(ctx context.Context, request, bucketName string, write bool) (pass, error) {
	var mine *turn // nil of what reads
	if write {
		l.mu.Lock()
		mine = l.line.join(ctx.Value(ctxUrgent) != nil, bucketName)
		l.mu.Unlock()
		defer l.leave(mine)
	}
	for {
		if err := over(ctx); err != nil {
			return pass{}, fmt.Errorf("%s: %w", request, err)
		}
		l.mu.Lock()
		now := l.now()
		b := l.bucket(bucketName)
		if b.known && !now.Before(b.reset) {
			b.known = false
		}
		until, block := l.blocked(b, now)
		polite := l.polite(bucketName, now, write)
		switch {
		case ctx.Value(ctxPatient) != nil && b.left():
			defer l.mu.Unlock()
			return pass{}, &RateLimitedError{Request: request, Until: b.reset, Message: "what remains is left to what cannot wait"}
		case !until.IsZero():
			l.mu.Unlock()
			if err := l.wait(ctx, request, now, until, block); err != nil {
				return pass{}, err
			}
		case l.inFlight >= maxAtOnce, b.full(), write && (l.writing || l.turn(now) != mine):
			change := l.change
			l.mu.Unlock()
			select {
			case <-change:
			case <-ctx.Done():
			}
		case polite > 0:
			l.mu.Unlock()
			if err := l.sleep(ctx, polite); err != nil {
				return pass{}, fmt.Errorf("%s: %w", request, err)
			}
		default:
			l.inFlight++
			b.inFlight++
			if write {
				l.writing = true
				l.line.sent(mine)
			}
			if pace := l.paces[bucketName == graphQLBucket]; pace != nil {
				pace.take(now, write)
			}
			p := pass{bucketName, write, l.blocks}
			l.mu.Unlock()
			return p, nil
		}
	}
}

// changed has everybody look again who waits for something other than a time. l.mu is held.
func (l *limiter) changed() {
	close(l.change)
	l.change = make(chan struct{})
}

// turn gives which write may be sent next. l.mu is held.
func (l *limiter) turn(now time.Time) *turn {
	return l.line.next(func(bucket string) bool {
		until, _ := l.blocked(l.bucket(bucket), now)
		return !until.IsZero()
	})
}

// leave ends the turn of a write that may not have been sent.
func (l *limiter) leave(t *turn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.line.leave(t)
	l.changed()
}

// over is the error of a context that is over. A process that was stopped, and goes on, comes here before
// the timer of its deadline has run: the time is asked, and what was allowed before the stop is not sent.
func over(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return ctx.Err()
}

// blocked gives the time before which a request to b must not be sent, zero if it may be,
// and as what GitHub said so.
func (l *limiter) blocked(b *bucket, now time.Time) (time.Time, RateLimitedError) {
	switch {
	case now.Before(l.until):
		return l.until, RateLimitedError{Secondary: true, Message: l.message}
	case now.Before(b.until):
		return b.until, RateLimitedError{Message: b.message}
	case b.known && b.remaining <= 0 && b.inFlight == 0 && now.Before(b.reset):
		return b.reset, RateLimitedError{Message: "no request remains in this window"}
	}
	return time.Time{}, RateLimitedError{}
}

// polite gives how long to wait for what GitHub asks of everybody: writes a second apart,
// and no more in a minute than it allows.
func (l *limiter) polite(bucketName string, now time.Time, write bool) time.Duration {
	free := now
	if write {
		free = latest(free, l.nextSlot)
	}
	if pace := l.paces[bucketName == graphQLBucket]; pace != nil {
		free = latest(free, pace.free(now, write))
	}
	return free.Sub(now)
}

func (l *limiter) wait(ctx context.Context, request string, now, until time.Time, block RateLimitedError) error {
	block.Request, block.Until = request, until
	d := until.Sub(now)
	if d > maxWait {
		return &block
	}
	l.waited(request, now, d)
	if err := l.sleep(ctx, d); err != nil {
		return fmt.Errorf("%w: %w", &block, err)
	}
	return nil
}

// release ends a request. news is what its answer said of limits, nil where none came; the
// result is the block that it put on, nil if it put on none.
func (l *limiter) release(p pass, request string, news *limits) *RateLimitedError {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inFlight--
	b := l.bucket(p.bucket)
	b.inFlight--
	now := l.now()
	if p.write {
		l.writing, l.nextSlot = false, now.Add(writePause)
	}
	defer l.changed()
	if news == nil {
		return nil
	}
	l.learn(b, now, news)
	switch news.kind {
	case limitPrimary:
		return l.blockBucket(b, p, now, request, news)
	case limitSecondary:
		return l.blockAll(p, now, request, news)
	}
	if p.blocks == l.blocks {
		l.strikes = 0
	}
	return nil
}

// learn keeps the smallest number of requests that GitHub says remain in the window. Answers
// come in another order than they were made in.
func (l *limiter) learn(b *bucket, now time.Time, news *limits) {
	if !news.told || !now.Before(news.reset) {
		b.open = b.open || !b.known
		return
	}
	switch apart := news.reset.Sub(b.reset); {
	case !b.known, apart > sameWindow:
		b.known, b.open, b.remaining, b.most, b.reset = true, false, news.remaining, news.most, news.reset
	case apart >= -sameWindow:
		b.remaining, b.reset = min(b.remaining, news.remaining), latest(b.reset, news.reset)
	}
}

// sameWindow is how far apart two answers may put the end of one window.
const sameWindow = 5 * time.Second

// blockBucket keeps one primary limit until its time.
func (l *limiter) blockBucket(b *bucket, p pass, now time.Time, request string, news *limits) *RateLimitedError {
	until := latest(news.until, news.reset)
	if !now.Before(until) { // no time told, or one that is over
		until = now.Add(l.strike(p))
	}
	l.blocks++
	b.until, b.message = latest(b.until, until), news.message
	return &RateLimitedError{Request: request, Until: b.until, Message: news.message}
}

// blockAll keeps everything that these credentials send.
func (l *limiter) blockAll(p pass, now time.Time, request string, news *limits) *RateLimitedError {
	until := news.until
	if !now.Before(until) {
		until = now.Add(l.strike(p))
	}
	l.blocks++
	l.until, l.message = latest(l.until, until), news.message
	return &RateLimitedError{Request: request, Until: l.until, Secondary: true, Message: news.message}
}

// strike gives how long to wait where GitHub named no time: a minute at least, twice as long
// each time that it says so again. Answers to requests that were under way when it was
// said first are the same strike.
func (l *limiter) strike(p pass) time.Duration {
	if p.blocks == l.blocks || l.strikes == 0 {
		l.strikes++
	}
	return firstStrike << min(l.strikes-1, maxStrikes-1)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
