package hook_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/hook"
)

// listening serves a receiver with the bounds of Server and Limit.
func listening(t *testing.T, r *receiver, connections int) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := hook.Server(r)
	server.ReadHeaderTimeout = 2 * time.Second
	go func() { _ = server.Serve(hook.Limit(l, connections)) }()
	t.Cleanup(func() { server.Close() })
	return l.Addr().String()
}

// over sends a request over a connection of its own and gives the status of the answer.
func over(address string, req *http.Request) (int, error) {
	req.URL.Scheme, req.URL.Host, req.RequestURI = "http", address, ""
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode, nil
}

// endless is a body without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// TestAbuse3 is row 3: bodies that are too large, come in chunks without end or drop by drop,
// headers that do not end, and thousands of connections. Memory stays bounded, and a sound
// delivery is answered in the bound all the while.
func TestAbuse3(t *testing.T) {
	t.Run("26 MB", func(t *testing.T) {
		address := listening(t, newReceiver(t, hook.Options{}), 0)
		body := bytes.Repeat([]byte(" "), 26<<20)
		req := delivery(ping)
		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		// The answer comes before the body is sent: either it is read, or the connection is reset.
		if status, err := over(address, req); err == nil && status != http.StatusRequestEntityTooLarge {
			t.Errorf("status %d", status)
		}
	})
	t.Run("chunks without end", func(t *testing.T) {
		r := newReceiver(t, hook.Options{})
		address := listening(t, r, 0)
		req := delivery(ping)
		req.Body, req.ContentLength = io.NopCloser(endless{}), -1
		if status, err := over(address, req); err == nil && status != http.StatusRequestEntityTooLarge {
			t.Errorf("status %d", status)
		}
		if r.count() != 0 {
			t.Error("it is kept")
		}
	})
	t.Run("the largest", func(t *testing.T) {
		address := listening(t, newReceiver(t, hook.Options{}), 0)
		body := append(bytes.Repeat([]byte(" "), hook.MaxBody-len(ping)), ping...)
		if status, err := over(address, delivery(body)); err != nil || status != http.StatusAccepted {
			t.Errorf("%d, %v", status, err)
		}
	})
	t.Run("drop by drop", func(t *testing.T) {
		address := listening(t, newReceiver(t, hook.Options{Bound: 300 * time.Millisecond}), 0)
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n")
		for name, values := range delivery(ping).Header {
			fmt.Fprintf(conn, "%s: %s\r\n", name, values[0])
		}
		fmt.Fprintf(conn, "\r\n{")
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusRequestTimeout {
			t.Errorf("status %d, want 408", response.StatusCode)
		}
	})
	t.Run("headers that are too large", func(t *testing.T) {
		address := listening(t, newReceiver(t, hook.Options{}), 0)
		req := delivery(ping)
		req.Header.Set("X-Large", strings.Repeat("x", 64<<10))
		if status, err := over(address, req); err == nil && status != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("status %d", status)
		}
	})
	t.Run("headers that do not end", func(t *testing.T) {
		address := listening(t, newReceiver(t, hook.Options{}), 0)
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "POST /webhook HTTP/1.1\r\nHost: x\r\nX-A: ")
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.Copy(io.Discard, conn); err != nil { // until it is closed
			t.Errorf("still open: %v", err)
		}
	})
	t.Run("10,000 connections", testManyConnections)
}

func testManyConnections(t *testing.T) {
	address := listening(t, newReceiver(t, hook.Options{}), 0)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	done := make(chan struct{})
	go func() { // each begins a request and says no more
		defer close(done)
		for range 10_000 {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				continue
			}
			fmt.Fprintf(conn, "POST /webhook HTTP/1.1\r\nX-Drip: ")
			defer conn.Close()
		}
	}()
	slowest := time.Duration(0)
	for sent, ended := 0, false; !ended; sent++ {
		select {
		case <-done:
			ended = true
		case <-time.After(20 * time.Millisecond):
		}
		began := time.Now()
		req := delivery(ping)
		req.Header.Set("X-GitHub-Delivery", fmt.Sprintf("d-%d", sent))
		if status, err := over(address, req); err != nil || status != http.StatusAccepted {
			t.Fatalf("a sound delivery among many connections: %d, %v", status, err)
		}
		slowest = max(slowest, time.Since(began))
	}
	runtime.ReadMemStats(&after)
	if slowest > 9*time.Second {
		t.Errorf("a sound delivery took %v", slowest)
	}
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 100<<20 {
		t.Errorf("memory grew by %d MB", grown>>20)
	}
}
