package hook

import (
	"container/list"
	"context"
	"net"
	"sync"
)

// Connections is how many connections a Limit keeps at a time where it is not told otherwise.
const Connections = 512

// Limit bounds the connections of a listener. At the bound a new one closes the oldest of those
// over which no rightly signed delivery is being worked on: whoever opens connections by the
// thousand closes his own.
func Limit(l net.Listener, most int) net.Listener {
	if most <= 0 {
		most = Connections
	}
	return &limited{Listener: l, most: most, strangers: list.New()}
}

type limited struct {
	net.Listener
	most int

	mu        sync.Mutex
	open      int
	strangers *list.List // of *conn, the oldest first
}

// Accept implements net.Listener.
func (l *limited) Accept() (net.Conn, error) {
	inner, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: inner, of: l}
	l.mu.Lock()
	l.open++
	c.place = l.strangers.PushBack(c)
	var oldest *conn
	if l.open > l.most {
		oldest = l.strangers.Front().Value.(*conn) // c itself where all others are known
	}
	l.mu.Unlock()
	if oldest != nil {
		oldest.Close()
	}
	return c, nil
}

// conn is a connection of a limited listener.
type conn struct {
	net.Conn
	of     *limited
	place  *list.Element // among the strangers; nil once it is none or closed
	closed bool
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.of.mu.Lock()
	if !c.closed {
		c.closed = true
		c.of.open--
		c.leave()
	}
	c.of.mu.Unlock()
	return c.Conn.Close()
}

func (c *conn) leave() {
	if c.place != nil {
		c.of.strangers.Remove(c.place)
		c.place = nil
	}
}

type connKey struct{}

// withConn is http.Server's ConnContext.
func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// vouch says that a rightly signed delivery came over the connection of a request, and keeps it
// open until done is called.
func vouch(ctx context.Context) (done func()) {
	c, ok := ctx.Value(connKey{}).(*conn)
	if !ok {
		return func() {}
	}
	c.of.mu.Lock()
	c.leave()
	c.of.mu.Unlock()
	return func() {
		c.of.mu.Lock()
		defer c.of.mu.Unlock()
		if !c.closed && c.place == nil {
			c.place = c.of.strangers.PushBack(c) // as the newest
		}
	}
}
