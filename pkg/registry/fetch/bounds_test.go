package fetch_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
)

// read asks for a whole answer by each of the ways.
var read = map[string]func(ctx context.Context, c *fetch.Client, r fetch.Request) ([]byte, error){
	"Get": func(ctx context.Context, c *fetch.Client, r fetch.Request) ([]byte, error) {
		a, err := c.Get(ctx, r)
		if err != nil {
			return nil, err
		}
		return a.Body, nil
	},
	"Open": func(ctx context.Context, c *fetch.Client, r fetch.Request) ([]byte, error) {
		s, err := c.Open(ctx, r)
		if err != nil {
			return nil, err
		}
		defer s.Close()
		return io.ReadAll(s)
	},
	"RoundTripper": func(ctx context.Context, c *fetch.Client, r fetch.Request) ([]byte, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL, nil)
		if err != nil {
			return nil, err
		}
		resp, err := (&http.Client{Transport: c.RoundTripper()}).Do(req)
		if err != nil {
			return nil, err
		}
		defer resp.Body.Close()
		return io.ReadAll(resp.Body)
	},
}

func endless(w io.Writer) {
	piece := bytes.Repeat([]byte{'x'}, 32<<10)
	for {
		if _, err := w.Write(piece); err != nil {
			return
		}
	}
}

func packed(n int) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(make([]byte, n))
	w.Close()
	return b.Bytes()
}

// An answer that does not end well is an error of the kind that the table says, by each way to
// read it, and never a part of a body without one.
func TestBadBodies(t *testing.T) {
	const limit = 64 << 10
	for _, tt := range []struct {
		name   string
		answer http.HandlerFunc
		want   error  // nil: any
		text   string // in the error
		not    string // a way for which this is no fault
	}{
		{"endless", func(w http.ResponseWriter, _ *http.Request) { endless(w) }, registry.ErrTooLarge, "over 65536 bytes", ""},
		{"one byte too long", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, limit+1)) }, registry.ErrTooLarge, "limit", ""},
		{"says that it is long", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000000000000")
			w.WriteHeader(http.StatusOK)
		}, registry.ErrTooLarge, "1000000000000 bytes", ""},
		{"gzip bomb", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(packed(8 << 20))
		}, nil, "", "RoundTripper"}, // which unpacks nothing
		{"gzip that is damaged", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			b := packed(1000)
			b[len(b)-6] ^= 1
			_, _ = w.Write(b)
		}, registry.ErrMalformed, "", "RoundTripper"},
		{"no gzip", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write([]byte("plain text that is no gzip"))
		}, registry.ErrMalformed, "", "RoundTripper"},
		{"gzip without an end", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			b := packed(1000)
			_, _ = w.Write(b[:len(b)-10])
		}, nil, "", "RoundTripper"},
		{"packed otherwise", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "br")
			_, _ = w.Write([]byte("x"))
		}, registry.ErrMalformed, `"br"`, "RoundTripper"},
		{"shorter than it says", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte("{}"))
		}, io.ErrUnexpectedEOF, "", ""},
		{"cut between chunks", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("{}"))
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, nil, "", ""},
		{"cut before headers", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, nil, "", ""},
		{"a byte a second", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				_, _ = w.Write([]byte("x"))
				w.(http.Flusher).Flush()
				time.Sleep(20 * time.Millisecond)
			}
		}, nil, "too slowly", ""},
		{"silent in its body", func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte("x"))
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, nil, "too slowly", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			host, _ := serve(t, tt.answer)
			o := local(host)
			o.MaxBytes, o.Grace, o.MinRate = limit, 100*time.Millisecond, 10_000
			c := client(t, o)
			for way, ask := range read {
				if way == tt.not {
					continue
				}
				began := time.Now()
				_, err := ask(t.Context(), c, fetch.Request{URL: "http://" + host + "/", Packed: true})
				if err == nil || tt.want != nil && !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
					t.Errorf("%s: %v; want %v, %q", way, err, tt.want, tt.text)
				}
				if spent := time.Since(began); spent > 5*time.Second {
					t.Errorf("%s: %v", way, spent)
				}
			}
		})
	}
}

// A bomb is unpacked no further than to its limit.
func TestGzipBomb(t *testing.T) {
	bomb := packed(64 << 20) // 64 kB
	host, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb)
	})
	c := client(t, local(host))
	_, err := c.Get(t.Context(), fetch.Request{URL: "http://" + host + "/", MaxBytes: 1 << 20})
	if !errors.Is(err, registry.ErrTooLarge) || !strings.Contains(err.Error(), "1048576 bytes") {
		t.Errorf("%v; want ErrTooLarge", err)
	}
}

// An answer of exactly the limit is whole.
func TestBodyOfTheLimit(t *testing.T) {
	host, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") == "gzip" {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(packed(1000))
			return
		}
		_, _ = w.Write(make([]byte, 1000))
	})
	o := local(host)
	o.MaxBytes = 1000
	c := client(t, o)
	for way, ask := range read {
		for _, packed := range []bool{false, true} {
			if b, err := ask(t.Context(), c, fetch.Request{URL: "http://" + host + "/", Packed: packed && way != "RoundTripper"}); err != nil || len(b) != 1000 && way != "RoundTripper" {
				t.Errorf("%s: %d bytes, %v; want 1000", way, len(b), err)
			}
		}
	}
}

func TestRedirects(t *testing.T) {
	host, asked := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var n int
		if _, err := fmt.Sscanf(r.URL.Path, "/%d", &n); err != nil || n == 0 {
			_, _ = w.Write([]byte("there"))
			return
		}
		http.Redirect(w, r, fmt.Sprintf("/%d?token=canary", n-1), http.StatusFound)
	})
	c := client(t, local(host))
	for _, tt := range []struct {
		n    int
		good bool
	}{{0, true}, {1, true}, {5, true}, {6, false}, {100_000, false}} {
		for way, ask := range read {
			asked.Store(0)
			b, err := ask(t.Context(), c, fetch.Request{URL: fmt.Sprintf("http://%s/%d", host, tt.n)})
			if tt.good != (err == nil) || tt.good && string(b) != "there" {
				t.Errorf("%s over %d redirects: %q, %v", way, tt.n, b, err)
			}
			if err != nil && (!errors.Is(err, registry.ErrMalformed) || way != "RoundTripper" && strings.Contains(err.Error(), "canary")) {
				t.Errorf("%s over %d redirects: %v; want ErrMalformed, without the query", way, tt.n, err)
			}
			if asked.Load() > 6 {
				t.Errorf("%s over %d redirects: asked %d times", way, tt.n, asked.Load())
			}
		}
	}
}

// Where nothing is said at all the timeout ends it, and the caller's context does at once.
func TestSilence(t *testing.T) {
	host, _ := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	o := local(host)
	o.Timeout, o.Attempts = 100*time.Millisecond, 2
	began := time.Now()
	if _, err := client(t, o).Get(t.Context(), fetch.Request{URL: "http://" + host + "/"}); err == nil || !strings.Contains(err.Error(), "not answered in time") {
		t.Errorf("%v", err)
	}
	if spent := time.Since(began); spent < 200*time.Millisecond || spent > 5*time.Second {
		t.Errorf("two tries of 100 ms took %v", spent)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := client(t, local(host)).Get(ctx, fetch.Request{URL: "http://" + host + "/"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("with a deadline: %v", err)
	}
}

// A reader that takes its time is not a registry that does.
func TestSlowReader(t *testing.T) {
	host, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1000)) })
	o := local(host)
	o.Grace, o.MinRate, o.Timeout = 50*time.Millisecond, 1<<20, 50*time.Millisecond
	s, err := client(t, o).Open(t.Context(), fetch.Request{URL: "http://" + host + "/"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	time.Sleep(150 * time.Millisecond)
	if b, err := io.ReadAll(s); err != nil || len(b) != 1000 {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}

func TestBigHeaders(t *testing.T) {
	host, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Big", strings.Repeat("x", 1<<20))
	})
	if _, err := client(t, local(host)).Get(t.Context(), fetch.Request{URL: "http://" + host + "/"}); err == nil {
		t.Error("headers of 1 MB were read")
	}
}

// An answer with more bytes behind its length is cut there by the protocol; what a reader sees is
// the length that was told.
func TestBytesBehindTheLength(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 4096))
			fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
			time.Sleep(20 * time.Millisecond)
			conn.Close()
		}
	}()
	c := client(t, local(l.Addr().String()))
	for range 3 {
		a, err := c.Get(t.Context(), fetch.Request{URL: "http://" + l.Addr().String() + "/"})
		if err != nil || string(a.Body) != "{}" {
			t.Errorf("%v, %v", a, err)
		}
	}
}
