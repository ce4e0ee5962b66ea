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
//
// Where there is no more room, what nobody has asked for within an hour goes. Else what is new is not kept: who
// asks about more than there is room for is spared as much of it as there is, and not none.
type Memory struct {
	room int
	now  func() time.Time

	mu   sync.Mutex
	held int // bytes of what is kept
	kept *simplelru.LRU[string, *kept]
}

// kept is one answer.
type kept struct {
	value any // answer[T]; nobody changes it
	lasts Lasting
	at    time.Time // before it was asked for: what happened meanwhile may not be in it
	used  time.Time
	size  int
}

// usedFor is how long what is kept has its room to itself after it was asked for.
const usedFor = time.Hour

// NewMemory makes a Memory of so many bytes, as JSON would have them. now is the clock.
func NewMemory(room int, now func() time.Time) *Memory {
	m := &Memory{room: room, now: now}
	// The error is for a size that is none; what bounds it is room.
	m.kept, _ = simplelru.NewLRU(math.MaxInt, func(_ string, k *kept) { m.held -= k.size })
	return m
}

// Reader makes a Reader that believes answers since a time, and keeps what it is answered.
func (m *Memory) Reader(client *ghclient.Client, since time.Time) *Reader {
	r := New(client)
	r.memory, r.since, r.oldest = m, since, m.now()
	return r
}

// get gives what is kept, nil where nothing is.
func (m *Memory) get(key string) *kept {
	now := m.now()
	m.mu.Lock()
	defer m.mu.Unlock()
	k, there := m.kept.Get(key)
	if !there || k.at.After(now) { // of a clock that was put back since: how old it is, nobody knows
		return nil
	}
	k.used = now
	return k
}

func (m *Memory) add(key string, k *kept) {
	k.size += len(key)
	k.used = m.now()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kept.Remove(key)
	if k.size > m.room {
		return
	}
	for m.held+k.size > m.room { // so that something is kept
		_, oldest, _ := m.kept.GetOldest()
		if unused := k.used.Sub(oldest.used); unused >= 0 && unused < usedFor { // less than 0 of a clock that was put back
			return
		}
		m.kept.RemoveOldest()
	}
	m.held += k.size
	m.kept.Add(key, k)
}

// answer is what GitHub said.
type answer[T any] struct {
	value T
	lasts Lasting
	etag  string // by which it can be asked whether it still says so; "" is none
}

// recall gives what the memory holds and the Reader believes, or asks, and keeps the answer. ask is told what
// was answered before, and gives that back where it still holds.
func recall[T any](r *Reader, key string, ask func(before answer[T]) (answer[T], error)) (T, error) {
	if r.memory == nil {
		a, err := ask(answer[T]{})
		return a.value, r.failed(err)
	}
	var before answer[T]
	if known := r.memory.get(key); known != nil {
		before, _ = known.value.(answer[T])
		switch {
		case known.lasts == ForGood:
			return before.value, nil
		case !known.at.Before(r.since):
			r.mu.Lock()
			r.oldest = earlier(r.oldest, known.at)
			r.mu.Unlock()
			return before.value, nil
		}
	}
	at := r.memory.now()
	a, err := ask(before)
	if err == nil {
		r.memory.add(key, &kept{value: a, lasts: a.lasts, at: at, size: sizeOf(a.value)})
	}
	return a.value, r.failed(err)
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
