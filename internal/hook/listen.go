package hook

import (
	"container/list"
	"context"
	"net"
	"sync"
	"time"
)

// Connections is how many connections a Limit keeps at a time where it is not told otherwise.
const Connections = 1024

// grace is how long a connection may be there until it makes room for another: long enough for a
// delivery to come over it, and so short that thousands that say nothing go quickly.
const grace = 500 * time.Millisecond

// Limit bounds the connections of a listener. At the bound a new one waits, and takes the place of
// the oldest of those over which no rightly signed delivery is being worked on: whoever opens
// connections by the thousand closes his own.
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
	for !l.room() {
		time.Sleep(5 * time.Millisecond)
	}
	c := &conn{Conn: inner, of: l, since: time.Now()}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open++
	c.place = l.strangers.PushBack(c)
	return c, nil
}

// room reports whether there is room for a connection, for which it may close one.
func (l *limited) room() bool {
	l.mu.Lock()
	if l.open < l.most {
		l.mu.Unlock()
		return true
	}
	var oldest *conn
	if front := l.strangers.Front(); front != nil && time.Since(front.Value.(*conn).since) >= grace {
		oldest = front.Value.(*conn)
	}
	l.mu.Unlock()
	if oldest == nil {
		return false
	}
	oldest.Close()
	return true
}

// conn is a connection of a limited listener.
type conn struct {
	net.Conn
	of     *limited
	since  time.Time     // it was opened, or worked on last
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
			c.since, c.place = time.Now(), c.of.strangers.PushBack(c) // as the newest
		}
	}
}
