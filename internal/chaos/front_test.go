//go:build chaos && linux

package chaos_test

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// front is the address to which GitHub delivers: each connection goes to the next of the processes
// that serve, and is closed where there is none. It may keep answers back.
type front struct {
	listener net.Listener
	cut      atomic.Int64 // so many answers are kept back: the connection is closed instead
	wasCut   atomic.Int64

	mu   sync.Mutex
	to   []string // addresses of the processes
	next int
	open map[net.Conn]struct{}
	all  sync.WaitGroup
}

func newFront(t *testing.T) *front {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &front{listener: listener, open: map[net.Conn]struct{}{}}
	f.all.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			f.all.Go(func() { f.pass(client) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		f.mu.Lock()
		for c := range f.open {
			c.Close()
		}
		f.mu.Unlock()
		f.all.Wait()
	})
	return f
}

func (f *front) url() string { return "http://" + f.listener.Addr().String() + "/webhook" }

// serve says which processes serve now.
func (f *front) serve(addresses ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.to = addresses
}

// pass passes a connection on until either side closes it.
func (f *front) pass(client net.Conn) {
	defer client.Close()
	f.mu.Lock()
	address := ""
	if len(f.to) > 0 {
		f.next++
		address = f.to[f.next%len(f.to)]
	}
	f.mu.Unlock()
	if address == "" {
		return
	}
	server, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer server.Close()
	f.mu.Lock()
	f.open[client], f.open[server] = struct{}{}, struct{}{}
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		delete(f.open, client)
		delete(f.open, server)
		f.mu.Unlock()
	}()
	var both sync.WaitGroup
	both.Go(func() {
		_, _ = io.Copy(server, client) // whoever closes first ends it
		server.Close()
	})
	answer := make([]byte, 32<<10)
	for {
		n, err := server.Read(answer)
		if n > 0 && f.cut.Add(-1) >= 0 {
			f.wasCut.Add(1)
			break
		}
		if _, failed := client.Write(answer[:n]); err != nil || failed != nil {
			break
		}
	}
	client.Close()
	both.Wait()
}
