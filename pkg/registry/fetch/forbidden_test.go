package fetch_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
)

// forbidden are addresses that lead nowhere for a client that may ask "registry.example" and the
// host PRIVATE. PORT is a port of this machine that listens.
var forbidden = []string{
	"http://registry.example/",  // not by plain http
	"https://other.example/",    // not listed
	"https://registry.example.", // not its spelling
	"https://registry.example:8443/",
	"https://registry.example:80/",    // listed for plain http alone, if at all
	"https://user@registry.example/",  // userinfo
	"https://a:b@registry.example/",   //
	"https://registry.example@evil/",  // userinfo that looks like the host
	"https://registry.example%2eevil", // escaped
	"https://xn--registry.example/",
	"https://registry.example%00/",
	"https:///etc/passwd",
	"https:registry.example",
	"//registry.example/",
	"registry.example",
	"",
	"file:///etc/passwd",
	"file://registry.example/etc/passwd",
	"ftp://registry.example/",
	"gopher://registry.example/",
	"unix:///run/docker.sock",
	"data:text/plain,x",
	"http://169.254.169.254/latest/meta-data/", // metadata services
	"https://169.254.169.254/",
	"http://metadata.google.internal/",
	"http://[fd00:ec2::254]/",
	"http://127.0.0.1:PORT/", // this machine, in its spellings
	"https://127.0.0.1:PORT/",
	"http://localhost:PORT/",
	"http://LOCALHOST:PORT/",
	"http://localhost.:PORT/",
	"http://127.1:PORT/",
	"http://2130706433:PORT/",
	"http://0x7f000001:PORT/",
	"http://0x7f.0.0.1:PORT/",
	"http://0177.0.0.1:PORT/",
	"http://017700000001:PORT/",
	"http://127.000.000.001:PORT/",
	"http://0.0.0.0:PORT/",
	"http://0:PORT/",
	"http://[::1]:PORT/",
	"http://[::]:PORT/",
	"http://[0:0:0:0:0:0:0:1]:PORT/",
	"http://[::ffff:127.0.0.1]:PORT/",
	"http://[::ffff:7f00:1]:PORT/",
	"http://[::127.0.0.1]:PORT/",
	"http://[64:ff9b::7f00:1]:PORT/",
	"http://[::1%25lo]:PORT/",
	"http://①②⑦.⓪.⓪.①:PORT/",
	"http://127。0。0。1:PORT/",
	"https://10.0.0.1/",
	"https://192.168.0.1/",
	"http://PRIVATE@127.0.0.1:PORT/",
	"http://user:canary@PRIVATE/",
	"ftp://PRIVATE/",
}

// No request leaves for an address of the table, neither at once nor as a redirect from a host
// that may be asked, by each of the ways to ask.
func TestForbidden(t *testing.T) {
	target, asked := serve(t, func(http.ResponseWriter, *http.Request) {})
	_, port, _ := net.SplitHostPort(target)
	var to string
	private, redirected := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	o := local(private)
	o.Hosts = append(o.Hosts, "registry.example")
	o.Resolver = names(t, "127.0.0.1") // were a name asked for, it would lead to this machine
	c := client(t, o)
	for _, address := range forbidden {
		address = strings.NewReplacer("PORT", port, "PRIVATE", private).Replace(address)
		asks := map[string]func(url string) error{
			"Get":  func(url string) error { _, err := c.Get(t.Context(), fetch.Request{URL: url}); return err },
			"Head": func(url string) error { _, err := c.Head(t.Context(), fetch.Request{URL: url}); return err },
			"Open": func(url string) error { _, err := c.Open(t.Context(), fetch.Request{URL: url}); return err },
			"RoundTripper": func(url string) error {
				req, err := http.NewRequest(http.MethodGet, url, nil)
				if err != nil {
					return registry.ErrForbidden // cannot be asked so
				}
				_, err = c.RoundTripper().RoundTrip(req)
				return err
			},
		}
		for name, ask := range asks {
			if err := ask(address); !errors.Is(err, registry.ErrForbidden) {
				t.Errorf("%s %q: %v; want ErrForbidden", name, address, err)
			}
			if name == "RoundTripper" {
				continue // it follows nothing
			}
			if to = address; to == "" || strings.HasPrefix(to, "//") || !strings.Contains(to, ":") {
				continue // no redirect, or one to a place on the same host
			}
			if err := ask("http://" + private + "/"); !errors.Is(err, registry.ErrForbidden) && !errors.Is(err, registry.ErrMalformed) {
				t.Errorf("%s, redirected to %q: %v; want ErrForbidden", name, address, err)
			}
		}
		to = address
		if resp, err := (&http.Client{Transport: c.RoundTripper()}).Get("http://" + private + "/"); err == nil && resp.StatusCode == http.StatusOK {
			t.Errorf("http.Client with the RoundTripper, redirected to %q: followed", address)
		}
	}
	if asked.Load() != 0 {
		t.Errorf("%d requests came to an address that is not listed", asked.Load())
	}
	if redirected.Load() == 0 {
		t.Error("no redirect was tried")
	}
}

// A name that may be asked and that leads to an address of this machine, of its network or of a
// metadata service is not asked, and neither is one that does so when it is looked up again.
func TestNamesLeadNowherePrivate(t *testing.T) {
	_, asked := serve(t, func(http.ResponseWriter, *http.Request) {})
	for _, addr := range []string{"127.0.0.1", "10.0.0.1", "169.254.169.254", "0.0.0.0", "192.168.7.7", "100.100.100.200", "224.0.0.1"} {
		c := client(t, fetch.Options{Hosts: []string{"registry.example"}, Resolver: names(t, addr)})
		_, err := c.Get(t.Context(), fetch.Request{URL: "https://registry.example/"})
		if !errors.Is(err, registry.ErrForbidden) || !strings.Contains(err.Error(), addr) {
			t.Errorf("a name that leads to %s: %v; want ErrForbidden", addr, err)
		}
	}
	// One that may be private may have an address of a network, and none of these.
	for _, addr := range []string{"169.254.169.254", "224.0.0.1", "168.63.129.16"} {
		c := client(t, fetch.Options{
			Hosts: []string{"registry.example"}, PrivateHosts: []string{"registry.example"}, Resolver: names(t, addr),
		})
		if _, err := c.Get(t.Context(), fetch.Request{URL: "https://registry.example/"}); !errors.Is(err, registry.ErrForbidden) {
			t.Errorf("a private name that leads to %s: %v; want ErrForbidden", addr, err)
		}
	}
	if asked.Load() != 0 {
		t.Errorf("%d requests came", asked.Load())
	}
}

// A name is looked up for each connection, and judged each time: one that answers with an
// allowed address first is not trusted with the next.
func TestRebinding(t *testing.T) {
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
	}))
	t.Cleanup(srv.Close)
	_, port, _ := net.SplitHostPort(srv.Listener.Addr().String())
	roots := srv.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	host := "example.com:" + port // which the certificate of httptest is for
	c := client(t, fetch.Options{
		Hosts: []string{host}, PrivateHosts: []string{host}, Roots: roots, Attempts: 1,
		Resolver: names(t, "127.0.0.1", "169.254.169.254"),
	})
	if _, err := c.Get(t.Context(), fetch.Request{URL: "https://" + host + "/"}); err != nil {
		t.Fatalf("at its first address: %v", err)
	}
	if _, err := c.Get(t.Context(), fetch.Request{URL: "https://" + host + "/"}); !errors.Is(err, registry.ErrForbidden) {
		t.Errorf("at its second address: %v; want ErrForbidden", err)
	}
}

func TestCertificatesAreChecked(t *testing.T) {
	srv := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	srv.Config.ErrorLog = nil
	t.Cleanup(srv.Close)
	host := srv.Listener.Addr().String()
	o := local(host)
	if _, err := client(t, o).Get(t.Context(), fetch.Request{URL: srv.URL}); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("with the system's roots: %v; want a certificate that is not believed", err)
	}
	o.Roots = srv.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	if _, err := client(t, o).Get(t.Context(), fetch.Request{URL: srv.URL}); err != nil {
		t.Errorf("with its root: %v", err)
	}
}

// What came by https goes on by https.
func TestNoWayDownFromHTTPS(t *testing.T) {
	plain, asked := serve(t, func(http.ResponseWriter, *http.Request) {})
	srv := httptest.NewTLSServer(http.RedirectHandler("http://"+plain+"/", http.StatusFound))
	t.Cleanup(srv.Close)
	o := local(plain, srv.Listener.Addr().String())
	o.Roots = srv.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	c := client(t, o)
	if _, err := c.Get(t.Context(), fetch.Request{URL: srv.URL}); !errors.Is(err, registry.ErrForbidden) {
		t.Errorf("from https to http: %v; want ErrForbidden", err)
	}
	if resp, err := (&http.Client{Transport: c.RoundTripper()}).Get(srv.URL); !errors.Is(err, registry.ErrForbidden) {
		t.Errorf("from https to http by a library: %v, %v; want ErrForbidden", resp, err)
	}
	if asked.Load() != 0 {
		t.Errorf("%d requests went by plain http", asked.Load())
	}
}

func TestOptionsThatDoNotFit(t *testing.T) {
	for _, o := range []fetch.Options{
		{Hosts: []string{""}},
		{Hosts: []string{"https://registry.example"}},
		{Hosts: []string{"registry.example/"}},
		{Hosts: []string{"registry.example:"}},
		{Hosts: []string{"registry.example:https"}},
		{Hosts: []string{"*.example"}},
		{Hosts: []string{"0x7f.1"}},
		{Hosts: []string{"2130706433"}},
		{Hosts: []string{"[::0001]:80"}},
		{Hosts: []string{"::1"}},
		{Hosts: []string{"user@registry.example"}},
		{Hosts: []string{"a.example"}, PrivateHosts: []string{"b.example"}},
		{Hosts: []string{"a.example"}, Tokens: map[string]fetch.Auth{"b.example": fetch.Bearer("x")}},
		{Hosts: []string{"a.example"}, Tokens: map[string]fetch.Auth{"a.example": fetch.Bearer("canary\r\nX: y")}},
	} {
		if _, err := fetch.New(o); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("New(%v) = %v; want an error without the token", o, err)
		}
	}
}

// Readers ask, and a library under them may not do else.
func TestRoundTripperDoesNotWrite(t *testing.T) {
	host, asked := serve(t, func(http.ResponseWriter, *http.Request) {})
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodConnect} {
		req, err := http.NewRequest(method, "http://"+host+"/", strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client(t, local(host)).RoundTripper().RoundTrip(req); !errors.Is(err, registry.ErrForbidden) {
			t.Errorf("%s: %v; want ErrForbidden", method, err)
		}
		if n, err := req.Body.Read(make([]byte, 1)); n > 0 && err == nil {
			_, _ = io.Copy(io.Discard, req.Body)
		}
	}
	if asked.Load() != 0 {
		t.Errorf("%d requests were sent", asked.Load())
	}
}
