package fetch_test

import (
	"context"
	"encoding/binary"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
)

// serve starts a server on loopback and gives its "host:port".
func serve(t *testing.T, h http.HandlerFunc) (host string, asked *atomic.Int64) {
	t.Helper()
	asked = new(atomic.Int64)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		h(w, r)
	}))
	t.Cleanup(srv.Close)
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host, asked
}

// local are options to ask hosts of loopback, with a clock that sleeping moves.
func local(hosts ...string) fetch.Options {
	var mu sync.Mutex
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	return fetch.Options{
		Hosts: hosts, PrivateHosts: hosts,
		Now: func() time.Time {
			mu.Lock()
			defer mu.Unlock()
			return now
		},
		Sleep: func(ctx context.Context, d time.Duration) error {
			mu.Lock()
			defer mu.Unlock()
			now = now.Add(d)
			return ctx.Err()
		},
	}
}

func client(t *testing.T, o fetch.Options) *fetch.Client {
	t.Helper()
	c, err := fetch.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// names starts a server of names: each question for an address of IPv4 gets the next of the
// answers, and the last of them for ever.
func names(t *testing.T, answers ...string) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		packet := make([]byte, 512)
		for asked := 0; ; {
			n, from, err := conn.ReadFrom(packet)
			if err != nil {
				return
			}
			end := 12
			for end < n && packet[end] != 0 {
				end += int(packet[end]) + 1
			}
			if end += 5; end > n {
				continue
			}
			reply := append([]byte{}, packet[:end]...) // RFC 1035, section 4.1: header and question
			reply[2], reply[3] = 0x84, 0               // an answer, with authority
			binary.BigEndian.PutUint64(reply[4:], 0x0001_0000_0000_0000)
			if binary.BigEndian.Uint16(packet[end-4:]) == 1 { // type A
				reply[7] = 1
				ip := netip.MustParseAddr(answers[min(asked, len(answers)-1)]).As4()
				asked++
				reply = append(reply, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
				reply = append(reply, ip[:]...)
			}
			if _, err := conn.WriteTo(reply, from); err != nil {
				return
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}
