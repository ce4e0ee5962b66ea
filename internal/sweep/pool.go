package sweep

import (
	"crypto/sha1"
	"encoding/hex"
	"sync"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/formats"
)

// pool reads and parses files with a fixed number of goroutines, and remembers what each
// distinct content held.
type pool struct {
	opt          Options
	memory       memory
	jobs         chan job
	workers      sync.WaitGroup
	repositories sync.WaitGroup

	mu       sync.Mutex
	contents map[contentKey]*content
}

// job is a piece of work on a file.
type job func(w *worker)

// worker is what one goroutine of the pool uses again for each file.
type worker struct {
	buf    []byte // for reading into
	memory lockfile.Memory
}

// contentKey is what decides the outcome of reading a file.
type contentKey struct {
	blob   [sha1.Size]byte // git blob id
	format *formats.Format
}

// content is what a distinct content held, once somebody could read it.
type content struct {
	mu      sync.Mutex
	done    bool
	counted bool     // by the tally, which alone reads and writes it
	of      *content // the one that this one takes the place of in a tree
	outcome
}

// first reports whether the tally meets c for the first time in the run.
func (c *content) first() bool {
	if c.of != nil {
		c = c.of
	}
	was := c.counted
	c.counted = true
	return !was
}

// fill reads the content unless that was done. A failure is not kept: another repository
// may have the bytes that this one lacks.
func (c *content) fill(read func() (outcome, error)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done {
		return nil
	}
	var err error
	if c.outcome, err = read(); err != nil {
		return err
	}
	c.done = true
	return nil
}

// waiting is how many jobs may wait for a worker, so that none goes to sleep between two.
const waiting = 64

func newPool(opt Options) *pool {
	p := &pool{
		opt: opt, memory: memory{Memory: opt.Memory},
		jobs: make(chan job, waiting), contents: map[contentKey]*content{},
	}
	for range opt.Jobs {
		p.workers.Go(func() {
			var w worker
			for j := range p.jobs {
				j(&w)
			}
		})
	}
	return p
}

// close waits for the repositories and then for the workers.
func (p *pool) close() {
	p.repositories.Wait()
	close(p.jobs)
	p.workers.Wait()
}

// content gives the record of a content in a format, made on first use. The blob id is in hex.
func (p *pool) content(blob string, f *formats.Format) *content {
	key := contentKey{format: f}
	id, err := hex.DecodeString(blob)
	if err != nil || copy(key.blob[:], id) != len(id) {
		return &content{} // no id that a tree can give: nothing is shared
	}
	return p.contentAt(key)
}

func (p *pool) contentAt(key contentKey) *content {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.contents[key]
	if c == nil {
		c = &content{}
		p.contents[key] = c
	}
	return c
}
