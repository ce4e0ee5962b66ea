package fetch

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/registry"
)

// rule is what is allowed with one host and port.
type rule struct {
	private bool
	auth    Auth
	via     http.RoundTripper // nil: Client.network
}

// carrier sends a request to a host of that rule.
func (c *Client) carrier(r rule) http.RoundTripper {
	if r.via != nil {
		return r.via
	}
	return c.network
}

// allow takes the hosts of the options.
func (c *Client) allow(o Options) error {
	for _, h := range o.Hosts {
		keys, err := hostKeys(h)
		if err != nil {
			return err
		}
		for _, key := range keys {
			c.hosts[key] = rule{}
		}
	}
	edit := func(what, h string, change func(*rule)) error {
		keys, err := hostKeys(h)
		if err != nil {
			return err
		}
		for _, key := range keys {
			r, listed := c.hosts[key]
			if !listed {
				return fmt.Errorf("%s of %q, which is not one of the hosts", what, h)
			}
			change(&r)
			c.hosts[key] = r
		}
		return nil
	}
	for _, h := range o.PrivateHosts {
		if err := edit("a private address", h, func(r *rule) { r.private = true }); err != nil {
			return err
		}
	}
	for h, via := range o.Transports {
		if err := edit("a transport", h, func(r *rule) { r.via = via }); err != nil {
			return err
		}
	}
	for h, auth := range o.Tokens {
		if err := auth.check(); err != nil {
			return fmt.Errorf("%q: %w", h, err)
		}
		if err := edit("a token", h, func(r *rule) { r.auth = auth }); err != nil {
			return err
		}
	}
	return nil
}

// hostKeys are the entries of Client.hosts for "host" or "host:port".
func hostKeys(h string) ([]string, error) {
	u := &url.URL{Scheme: "https", Host: h}
	name, port := u.Hostname(), u.Port()
	switch {
	case !sayable(name) || h != bracketed(name) && (port == "" || h != bracketed(name)+":"+port):
		return nil, fmt.Errorf("%q is not a host, or a host and a port", h)
	case port != "":
		return []string{hostKey(name, port)}, nil
	}
	return []string{hostKey(name, "443"), hostKey(name, "80")}, nil
}

func hostKey(name, port string) string { return net.JoinHostPort(strings.ToLower(name), port) }

func bracketed(name string) string {
	if strings.Contains(name, ":") {
		return "[" + name + "]"
	}
	return name
}

// sayable reports whether a name is that of a host in its one spelling: an address as it is
// printed, or letters, digits and hyphens whose last part is not a number ("0x7f.1" and
// "2130706433" are addresses to some resolvers).
func sayable(name string) bool {
	if addr, err := netip.ParseAddr(name); err == nil {
		return addr.Zone() == "" && addr.String() == name
	}
	labels := strings.Split(name, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 {
			return false
		}
		for i := range len(label) {
			switch b := label[i]; {
			case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9', b == '-', b == '_':
			default:
				return false
			}
		}
	}
	last := labels[len(labels)-1]
	return len(name) <= 253 && (last[0] < '0' || last[0] > '9')
}

// loopbackName reports whether a name says of itself that it is this machine.
func loopbackName(name string) bool {
	addr, err := netip.ParseAddr(name)
	return err == nil && addr.IsLoopback() || strings.EqualFold(name, "localhost")
}

// may gives the rule for an address, or the reason why nothing is sent there.
func (c *Client) may(u *url.URL) (rule, string, error) {
	forbidden := func(why string) (rule, string, error) {
		return rule{}, "", fmt.Errorf("%s: %w", why, registry.ErrForbidden)
	}
	port := u.Port()
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return forbidden(fmt.Sprintf("scheme %.20q", u.Scheme))
	case u.User != nil:
		return forbidden("an address with a user in it")
	case u.Opaque != "" || !sayable(u.Hostname()) || strings.HasSuffix(u.Host, ":"):
		return forbidden("an address without a host")
	case port == "" && u.Scheme == "https":
		port = "443"
	case port == "":
		port = "80"
	}
	key := hostKey(u.Hostname(), port)
	r, listed := c.hosts[key]
	switch {
	case !listed:
		return forbidden(fmt.Sprintf("host %.100q is not listed", u.Host))
	case u.Scheme == "http" && !(r.private && loopbackName(u.Hostname())):
		return forbidden("plain http")
	}
	return r, key, nil
}

// address is u without user, query and fragment, which may hold secrets.
func address(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}).String()
}

// shown is an address in messages.
func shown(u *url.URL) string {
	const most = 200
	text := address(u)
	if len(text) > most {
		return text[:most] + "..."
	}
	return text
}
