package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"syscall"
	"time"

	"github.com/wormsweep/wormsweep/pkg/registry"
)

const (
	connectTimeout = 15 * time.Second
	headerTimeout  = 60 * time.Second // a registry may think before it answers
	maxHeaders     = 256 << 10
	connections    = 8 // kept for each host
)

// newTransport makes the connections, and checks where they lead.
func (c *Client) newTransport(roots *x509.CertPool, resolver *net.Resolver) *http.Transport {
	var proxies sync.Map // "host:port" of those that the environment names
	return &http.Transport{
		Proxy: func(req *http.Request) (*url.URL, error) {
			proxy, err := http.ProxyFromEnvironment(req)
			if proxy != nil {
				proxies.Store(proxyAddress(proxy), true)
			}
			return proxy, err
		},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			d := net.Dialer{Timeout: connectTimeout, Resolver: resolver}
			if _, proxy := proxies.Load(address); !proxy {
				d.ControlContext = c.control(address)
			}
			return d.DialContext(ctx, network, address)
		},
		TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:      true,
		DisableCompression:     true, // bodies are unpacked where they are bounded
		TLSHandshakeTimeout:    connectTimeout,
		ResponseHeaderTimeout:  headerTimeout,
		MaxResponseHeaderBytes: maxHeaders,
		MaxIdleConnsPerHost:    connections,
		IdleConnTimeout:        time.Minute,
	}
}

// proxyAddress is where net/http connects to for a proxy.
func proxyAddress(proxy *url.URL) string {
	port := proxy.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}[proxy.Scheme]
	}
	return net.JoinHostPort(proxy.Hostname(), port)
}

// control is called with each address that a connection to the named one would have, behind the
// look-up of its name and before the first packet.
func (c *Client) control(named string) func(context.Context, string, string, syscall.RawConn) error {
	name, port, _ := net.SplitHostPort(named)
	r := c.hosts[hostKey(name, port)]
	return func(_ context.Context, _, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("%q: %w", address, registry.ErrForbidden)
		}
		what := kindOf(to.Addr())
		switch {
		case loopbackName(name) && what != loopback:
			return fmt.Errorf("%q leads to %s, which is not this machine: %w", name, to.Addr(), registry.ErrForbidden)
		case what == public, r.private && (what == private || what == loopback):
			return nil
		}
		return fmt.Errorf("%q leads to the %s address %s: %w", name, what, to.Addr(), registry.ErrForbidden)
	}
}

// An address is one of these kinds.
const (
	public   = "public"
	private  = "private"
	loopback = "loopback"
	special  = "special" // for nobody: link-local, metadata, multicast, tunnels
)

// The blocks of the IANA registries of special-purpose addresses (RFC 6890) that are not public,
// and the addresses of clouds' metadata services that stand outside of them. The first that holds
// an address decides.
var blocks = []struct {
	kind   string
	prefix netip.Prefix
}{
	{special, netip.MustParsePrefix("168.63.129.16/32")},   // metadata of Azure's hosts
	{special, netip.MustParsePrefix("100.100.100.200/32")}, // metadata of Alibaba Cloud
	{special, netip.MustParsePrefix("fd00:ec2::/32")},      // metadata of AWS
	{special, netip.MustParsePrefix("fd20:ce::254/128")},   // metadata of Google Cloud
	{loopback, netip.MustParsePrefix("127.0.0.0/8")},
	{private, netip.MustParsePrefix("10.0.0.0/8")},
	{private, netip.MustParsePrefix("172.16.0.0/12")},
	{private, netip.MustParsePrefix("192.168.0.0/16")},
	{private, netip.MustParsePrefix("100.64.0.0/10")}, // shared by carriers, RFC 6598
	{private, netip.MustParsePrefix("198.18.0.0/15")}, // benchmarks and documentation: some networks use them inside
	{private, netip.MustParsePrefix("192.0.2.0/24")},
	{private, netip.MustParsePrefix("198.51.100.0/24")},
	{private, netip.MustParsePrefix("203.0.113.0/24")},
	{special, netip.MustParsePrefix("0.0.0.0/8")},
	{special, netip.MustParsePrefix("169.254.0.0/16")}, // link-local, and most metadata services
	{special, netip.MustParsePrefix("192.0.0.0/24")},
	{special, netip.MustParsePrefix("192.88.99.0/24")},
	{special, netip.MustParsePrefix("224.0.0.0/3")}, // multicast, reserved, broadcast
	{public, netip.MustParsePrefix("0.0.0.0/0")},

	{loopback, netip.MustParsePrefix("::1/128")},
	{private, netip.MustParsePrefix("fc00::/7")},
	{special, netip.MustParsePrefix("2001::/23")}, // Teredo and other protocols
	{special, netip.MustParsePrefix("2001:db8::/32")},
	{special, netip.MustParsePrefix("2002::/16")}, // 6to4
	{special, netip.MustParsePrefix("3fff::/20")},
	{public, netip.MustParsePrefix("2000::/3")},
	{special, netip.MustParsePrefix("::/0")},
}

// nat64 is where a network without IPv4 has the addresses of IPv4, in the last four bytes
// (RFC 6052).
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

func kindOf(addr netip.Addr) string {
	addr = addr.WithZone("").Unmap()
	if nat64.Contains(addr) {
		b := addr.As16()
		addr = netip.AddrFrom4([4]byte(b[12:]))
	}
	for _, b := range blocks {
		if b.prefix.Contains(addr) {
			return b.kind
		}
	}
	return special
}
