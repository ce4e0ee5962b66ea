// Package setup registers the GitHub App by GitHub's manifest flow
// (https://docs.github.com/apps/sharing-github-apps/registering-a-github-app-from-a-manifest): a
// person opens a page on this machine, sends the manifest from there to GitHub with one button,
// agrees there, and GitHub leads the browser back with a code, for which it gives the App's key
// and the webhook's secret once.
//
// The page listens on loopback alone, at an address that only the terminal tells. No request
// changes anything but the one by which GitHub answers, and that only with the state that the page
// sent, once. Secrets go to files that their owner alone may read, and nowhere else: not to the
// page, the terminal, a log or an error.
package setup

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/app/manifest"
	"github.com/wormsweep/wormsweep/internal/ghclient"
)

// Options say which App is made, for whom, and where its files go.
type Options struct {
	Organisation string        // "" is the account of whoever is at the browser
	GitHub       string        // root of a GitHub Enterprise Server; "" is github.com
	Name         string        // of the App; "" is made of the organisation's
	Tier         manifest.Tier // "" is manifest.Detect
	// Webhook is the address that GitHub delivers to, https and reached from the Internet, or from
	// the Enterprise Server; "" makes an App that is told nothing.
	Webhook string
	Listen  string        // address of the page, of loopback; "" is a port that is free
	Within  time.Duration // how long to wait for the person; 0 is an hour, as long as GitHub keeps a code
	Files   Files
}

// Done is what was made.
type Done struct {
	ID      int64
	Name    string
	Install string   // the page on which the App is installed
	Key     string   // the file of the App's key
	Config  string   // the file for "app serve --config"; "" of an App without a webhook
	Lacking []string // permissions that GitHub did not give it
}

// Errors that a person mends.
var (
	ErrWrongOwner = errors.New("the App was made in another account")
	ErrTimeout    = errors.New("nobody agreed in time")
)

// UsageError is of options that cannot work. Nothing was begun.
type UsageError struct{ Err error }

func (e *UsageError) Error() string { return e.Err.Error() }
func (e *UsageError) Unwrap() error { return e.Err }

// Run serves the page, tells its address to say, and returns once the files are written, with an
// error, or when ctx ends.
func Run(ctx context.Context, opt Options, say io.Writer) (Done, error) {
	f, err := newFlow(opt)
	if err != nil {
		return Done{}, &UsageError{err}
	}
	if err := opt.Files.check(); err != nil { // before anything is made that cannot be kept
		return Done{}, &UsageError{err}
	}
	listener, err := f.listen(opt.Listen)
	if err != nil {
		return Done{}, &UsageError{err}
	}
	server := &http.Server{
		Handler: f, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: time.Minute,
		MaxHeaderBytes: 16 << 10,
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	defer func() {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		if server.Shutdown(stopping) != nil { // the last page may be on its way
			_ = server.Close() // nothing waits for its answer
		}
		<-ended
	}()
	fmt.Fprintf(say, "Open this page in a browser that is logged in to GitHub as an owner of %s:\n\n    %s\n\n", f.who(), f.page())
	waiting, cancel := context.WithTimeout(ctx, opt.Within)
	if opt.Within == 0 {
		cancel()
		waiting, cancel = context.WithTimeout(ctx, time.Hour)
	}
	defer cancel()
	var code string
	select {
	case code = <-f.codes:
	case err := <-ended:
		ended <- err
		return Done{}, fmt.Errorf("the page ended: %w", err)
	case <-waiting.Done():
		if ctx.Err() != nil {
			return Done{}, context.Cause(ctx)
		}
		return Done{}, ErrTimeout
	}
	done, err := f.finish(context.WithoutCancel(ctx), code) // it cannot be done twice
	f.answers <- outcome{done, err}
	return done, err
}

// outcome is what the browser is told.
type outcome struct {
	done Done
	err  error
}

// flow is one registration.
type flow struct {
	opt      Options
	manifest manifest.Manifest
	action   string // the page of GitHub's that the form is sent to
	origin   string // of action
	secret   string // the path of our page
	state    string
	host     string // of our page
	codes    chan string
	answers  chan outcome
	used     chan struct{} // holds one value until a code was taken
}

func newFlow(opt Options) (*flow, error) {
	if opt.Tier == "" {
		opt.Tier = manifest.Detect
	}
	if opt.Name == "" {
		opt.Name = defaultName(opt.Organisation)
	}
	if err := checkWebhook(opt.Webhook); err != nil {
		return nil, err
	}
	web, err := ghclient.WebURL(opt.GitHub)
	if err != nil {
		return nil, err
	}
	f := &flow{
		opt: opt, secret: "/" + rand.Text(), state: rand.Text() + rand.Text(),
		codes: make(chan string, 1), answers: make(chan outcome, 1), used: make(chan struct{}, 1),
	}
	f.used <- struct{}{}
	at, err := url.Parse(web)
	if err != nil {
		return nil, fmt.Errorf("address of GitHub: %w", err)
	}
	f.origin = at.Scheme + "://" + at.Host
	at = at.JoinPath("settings/apps/new")
	if opt.Organisation != "" {
		if !login(opt.Organisation) {
			return nil, fmt.Errorf("%q is no name of an organisation", opt.Organisation)
		}
		at, _ = url.Parse(web)
		at = at.JoinPath("organizations", opt.Organisation, "settings/apps/new")
	}
	at.RawQuery = url.Values{"state": {f.state}}.Encode()
	f.action = at.String()
	if f.manifest, err = manifest.New(opt.Tier, opt.Name, opt.Webhook, ""); err != nil {
		return nil, err
	}
	return f, nil
}

// defaultName is the name of the App where nobody gave one: GitHub has each once in the world.
func defaultName(organisation string) string {
	name := "Wormsweep"
	if organisation != "" {
		name += " of " + organisation
	}
	return name[:min(len(name), 34)]
}

// login reports whether s has the form of an account's name.
func login(s string) bool {
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' {
			return false
		}
	}
	return s != "" && len(s) <= 100
}

// checkWebhook refuses an address that GitHub cannot deliver to, or that would show deliveries to
// the network.
func checkWebhook(address string) error {
	if address == "" {
		return nil
	}
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Fragment != "":
		return fmt.Errorf("address of the webhook %q: not of the form https://HOST/PATH", address)
	case u.Scheme != "https":
		return fmt.Errorf("address of the webhook %q: deliveries name what is not mended yet, and go over https", address)
	case loopback(u.Hostname()):
		return fmt.Errorf("address of the webhook %q: GitHub does not reach this machine by it", address)
	}
	return nil
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && addr.IsLoopback()
}

// listen takes an address of loopback, and no other.
func (f *flow) listen(address string) (net.Listener, error) {
	if address == "" {
		address = "127.0.0.1:0"
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil || !loopback(host) {
		return nil, fmt.Errorf("address of the page %q: it is one of this machine alone, such as 127.0.0.1:8321", address)
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("the page on %s: %w", address, err)
	}
	f.host = listener.Addr().String()
	f.manifest.RedirectURL = "http://" + f.host + "/registered"
	return listener, nil
}

func (f *flow) page() string { return "http://" + f.host + f.secret }

// who owns the App that is to be made.
func (f *flow) who() string {
	if f.opt.Organisation == "" {
		return "your account"
	}
	return fmt.Sprintf("the organisation %q", f.opt.Organisation)
}

// finish turns the code into an App and its files.
func (f *flow) finish(ctx context.Context, code string) (done Done, err error) {
	app, err := ghclient.ConvertManifest(ctx, ghclient.Options{BaseURL: f.opt.GitHub}, code)
	if err != nil {
		return Done{}, fmt.Errorf("register the App: %w", err)
	}
	done = Done{ID: app.ID, Name: app.Name, Install: installPage(app.HTMLURL, f.origin)}
	switch {
	case f.opt.Organisation != "" && !strings.EqualFold(app.Owner.Login, f.opt.Organisation):
		return done, fmt.Errorf("%w: the App %d belongs to %q, not to %q: delete it there, and begin again; nothing was written",
			ErrWrongOwner, app.ID, app.Owner.Login, f.opt.Organisation)
	case f.manifest.Hook.Active && app.WebhookSecret == "":
		return done, fmt.Errorf("the App %d has no secret for its webhook, and no delivery would be believed: delete it, and begin again; nothing was written", app.ID)
	}
	for _, p := range f.opt.Tier.Lacking(app.Permissions) {
		done.Lacking = append(done.Lacking, p.Name+": "+p.Level)
	}
	err = f.opt.Files.write(app, f.opt, &done)
	return done, err
}

// installPage is where the App is installed, of the same GitHub.
func installPage(html, origin string) string {
	u, err := url.Parse(html)
	if err != nil || u.Scheme+"://"+u.Host != origin {
		return ""
	}
	return u.JoinPath("installations/new").String()
}
