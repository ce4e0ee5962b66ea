package ghread

import (
	"encoding/json"
	"math"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/wormsweep/wormsweep/internal/ghclient"
)

// Memory keeps what GitHub answered to its Readers, so that who asks about the same runs again and again
// does not spend on it the requests that an installation has in an hour. An answer that cannot change, since
// the id of a commit or the attempt of a run that is over names it, stands while there is room; how old any
// other may be, each Reader says, and one that is too old is asked for on condition that it changed, which is
// free. What failed is not kept. It is safe for concurrent use, and for one GitHub and one installation.
type Memory struct {
	room int
	now  func() time.Time

	mu   sync.Mutex
	held int // bytes of what is kept
	kept *simplelru.LRU[string, kept]
}

// kept is one answer.
type kept struct {
	value any // answer[T]; nobody changes it
	at    time.Time
	size  int
}

// NewMemory makes a Memory of so many bytes, as JSON would have them. now is the clock.
func NewMemory(room int, now func() time.Time) *Memory {
	m := &Memory{room: room, now: now}
	// The error is for a size that is none; what bounds it is room.
	m.kept, _ = simplelru.NewLRU(math.MaxInt, func(_ string, k kept) { m.held -= k.size })
	return m
}

// Reader makes a Reader that believes answers since a time, and keeps what it is answered.
func (m *Memory) Reader(client *ghclient.Client, since time.Time) *Reader {
	r := New(client)
	r.memory, r.since, r.oldest = m, since, m.now()
	return r
}

func (m *Memory) get(key string) (kept, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.kept.Get(key)
}

func (m *Memory) add(key string, value any, size int, at time.Time) {
	size += len(key)
	if size > m.room {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kept.Remove(key)
	m.held += size
	m.kept.Add(key, kept{value, at, size})
	for m.held > m.room {
		m.kept.RemoveOldest()
	}
}

// answer is what GitHub said, with the ETag by which it can be asked whether it still says so; "" is none.
type answer[T any] struct {
	value T
	etag  string
}

// recall gives what the memory holds and the Reader believes, or asks, and keeps the answer. ask is told what
// was answered before, and gives that back where it still holds.
func recall[T any](r *Reader, key string, lasts Lasting, ask func(before answer[T]) (answer[T], error)) (T, error) {
	var known kept
	if r.memory != nil {
		known, _ = r.memory.get(key)
	}
	before, there := known.value.(answer[T])
	if there && (lasts == ForGood || !known.at.Before(r.since)) {
		if lasts != ForGood {
			r.mu.Lock()
			r.oldest = earlier(r.oldest, known.at)
			r.mu.Unlock()
		}
		return before.value, nil
	}
	var at time.Time // before it is asked: what happens meanwhile may not be in the answer
	if r.memory != nil {
		at = r.memory.now()
	}
	a, err := ask(before)
	switch {
	case err != nil:
		r.failed(err)
	case r.memory != nil:
		r.memory.add(key, a, sizeOf(a.value), at)
	}
	return a.value, err
}

// sizeOf is about how many bytes a value takes.
func sizeOf(value any) int {
	if data, ok := value.([]byte); ok {
		return len(data)
	}
	data, err := json.Marshal(value)
	if err != nil {
		return math.MaxInt / 2 // it is not kept
	}
	return len(data)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
