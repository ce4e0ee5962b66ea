package sumdb

import (
	"bytes"
	"context"
	"errors"
	"sync"

	xsumdb "golang.org/x/mod/sumdb"
)

// Heads remembers the signed tree head of each log between runs. It is safe for concurrent use,
// of several processes too.
type Heads interface {
	// Head gives what SetHead kept last for a log, and nothing where it kept nothing.
	Head(ctx context.Context, log string) ([]byte, error)
	// SetHead replaces the head that Head gave. The error is ErrConflict where another one is
	// kept by now.
	SetHead(ctx context.Context, log string, old, new []byte) error
}

// ErrConflict says that another head is kept than was to be replaced.
var ErrConflict = errors.New("another tree head was kept meanwhile")

// conflict is ErrConflict in x/mod's words.
func conflict(err error) error {
	if errors.Is(err, ErrConflict) {
		return xsumdb.ErrWriteConflict
	}
	return err
}

// Cache keeps records and tiles that were proved. It may lose any of them. It is safe for
// concurrent use.
type Cache interface {
	Cached(ctx context.Context, name string) ([]byte, bool)
	Keep(ctx context.Context, name string, data []byte)
}

// maxMemory is how many bytes a Memory holds as a Cache; beyond, it begins anew.
const maxMemory = 32 << 20

// Memory is Heads and a Cache that end with the process.
type Memory struct {
	mu    sync.Mutex
	heads map[string][]byte
	cache map[string][]byte
	held  int
}

// NewMemory makes an empty one.
func NewMemory() *Memory {
	return &Memory{heads: map[string][]byte{}, cache: map[string][]byte{}}
}

// Head is Heads.Head.
func (m *Memory) Head(_ context.Context, log string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.heads[log], nil
}

// SetHead is Heads.SetHead.
func (m *Memory) SetHead(_ context.Context, log string, old, new []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !bytes.Equal(m.heads[log], old) {
		return ErrConflict
	}
	m.heads[log] = bytes.Clone(new)
	return nil
}

// Cached is Cache.Cached.
func (m *Memory) Cached(_ context.Context, name string) ([]byte, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.cache[name]
	return data, ok
}

// Keep is Cache.Keep.
func (m *Memory) Keep(_ context.Context, name string, data []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.held += len(name) + len(data); m.held > maxMemory {
		m.cache, m.held = map[string][]byte{}, len(name)+len(data)
	}
	m.cache[name] = bytes.Clone(data)
}
