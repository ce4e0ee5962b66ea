package setup_test

import (
	"bytes"
	"context"
	"errors"
	"html"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/app"
	"github.com/wormsweep/wormsweep/internal/app/manifest"
	"github.com/wormsweep/wormsweep/internal/app/setup"
	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/githubtest"
)

// terminal is where setup says its address.
type terminal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (w *terminal) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(b)
}

func (w *terminal) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// run is a setup that waits for its browser.
type run struct {
	page     string
	terminal *terminal
	done     chan struct{}
	made     setup.Done
	err      error
}

func begin(t *testing.T, opt setup.Options) *run {
	t.Helper()
	r := &run{terminal: &terminal{}, done: make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(func() { cancel(); <-r.done })
	go func() {
		defer close(r.done)
		r.made, r.err = setup.Run(ctx, opt, r.terminal)
	}()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if r.page = regexp.MustCompile(`http://127\.\S+`).FindString(r.terminal.String()); r.page != "" {
			return r
		}
		select {
		case <-r.done:
			t.Fatalf("setup ended: %v", r.err)
		default:
		}
		if time.Now().After(deadline) {
			t.Fatal("no address of the page")
		}
	}
}

// answer is what a browser got.
type answer struct {
	status int
	header http.Header
	body   string
}

// ask sends a request as a browser does, and follows nothing.
func ask(t *testing.T, method, address string, form url.Values, change ...func(*http.Request)) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, f := range change {
		f(request)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(body)}
}

var (
	formAction = regexp.MustCompile(`<form method="post" action="([^"]*)">`)
	formInput  = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
)

// press sends the form of a page, as its policy allows.
func press(t *testing.T, at string, page answer) answer {
	t.Helper()
	action := formAction.FindStringSubmatch(page.body)
	if page.status != 200 || action == nil {
		t.Fatalf("no form: %d %s", page.status, page.body)
	}
	base, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	to, err := base.Parse(html.UnescapeString(action[1]))
	if err != nil {
		t.Fatal(err)
	}
	if policy := page.header.Get("Content-Security-Policy"); policy != "" && !strings.Contains(policy, "form-action "+to.Scheme+"://"+to.Host+";") {
		t.Fatalf("the policy %q keeps the browser from %s", policy, to)
	}
	form := url.Values{}
	for _, input := range formInput.FindAllStringSubmatch(page.body, -1) {
		form.Set(input[1], html.UnescapeString(input[2]))
	}
	return ask(t, "POST", to.String(), form)
}

// agree goes from our page to GitHub's and back to the address that GitHub leads to.
func agree(t *testing.T, s *githubtest.Server, page string) string {
	t.Helper()
	github := press(t, page, ask(t, "GET", page, nil))
	back := press(t, s.URL(), github)
	if back.status != http.StatusFound {
		t.Fatalf("GitHub says %d %s", back.status, github.body+back.body)
	}
	return back.header.Get("Location")
}

func options(t *testing.T, s *githubtest.Server) setup.Options {
	t.Helper()
	return setup.Options{
		Organisation: "acme", GitHub: s.URL(), Webhook: "https://wormsweep.example.com/webhook", Within: 30 * time.Second,
		Files: setup.Files{Dir: filepath.Join(t.TempDir(), "app"), Issues: "acme/incidents", Responders: "security"},
	}
}

// TestRegisters plays both sides: a person at a browser, and GitHub.
func TestRegisters(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	opt := options(t, s)
	r := begin(t, opt)
	last := ask(t, "GET", agree(t, s, r.page), nil)
	<-r.done
	if r.err != nil || last.status != 200 || len(r.made.Lacking) > 0 {
		t.Fatalf("%v, %d %s, lacking %q", r.err, last.status, last.body, r.made.Lacking)
	}
	made := s.Registered()
	if len(made) != 1 || made[0].ID != r.made.ID {
		t.Fatalf("GitHub made %+v, and we %+v", made, r.made)
	}
	if r.made.Install != s.URL()+"/apps/"+made[0].Slug+"/installations/new" {
		t.Errorf("to be installed at %q", r.made.Install)
	}
	dir := opt.Files.Dir
	for _, name := range []string{"", setup.ConfigFile, setup.KeyFile, setup.SecretFile} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%q is %s", name, info.Mode())
		}
	}
	config, err := app.Read(r.made.Config, func(string) string { return "" })
	if err != nil {
		t.Fatalf("the configuration that was written: %v", err)
	}
	if config.AppID != made[0].ID || string(config.AppKey) != strings.TrimRight(string(made[0].Key), "\n") || len(config.Secrets) != 1 || config.GitHub != s.URL() {
		t.Errorf("%+v", config)
	}
	client, err := ghclient.New(ghclient.Options{BaseURL: config.GitHub, Auth: ghclient.Auth{AppID: config.AppID, AppKey: config.AppKey}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Get(t.Context(), "app", nil, nil); err != nil {
		t.Errorf("GitHub does not know the App by its key: %v", err)
	}
	// Nothing secret went elsewhere.
	text, err := os.ReadFile(r.made.Config)
	if err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{r.terminal.String(), last.body, string(text)} {
		if strings.Contains(out, string(config.Secrets[0])) || strings.Contains(out, "PRIVATE KEY") {
			t.Errorf("a secret in %s", out)
		}
	}
	// A second run writes over nothing.
	if _, err := setup.Run(t.Context(), opt, io.Discard); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("a second run: %v", err)
	}
}

// TestChangesNothingElse: what is not GitHub's answer to what we asked has no effect.
func TestChangesNothingElse(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	opt := options(t, s)
	r := begin(t, opt)
	back := agree(t, s, r.page)
	at, err := url.Parse(back)
	if err != nil {
		t.Fatal(err)
	}
	with := func(change func(url.Values)) string {
		other := *at
		query := at.Query()
		change(query)
		other.RawQuery = query.Encode()
		return other.String()
	}
	for _, tt := range []struct {
		what, method, address string
		change                func(*http.Request)
		status                int
	}{
		{"another state", "GET", with(func(q url.Values) { q.Set("state", strings.Repeat("A", len(q.Get("state")))) }), nil, 403},
		{"no state", "GET", with(func(q url.Values) { q.Del("state") }), nil, 403},
		{"no code", "GET", with(func(q url.Values) { q.Del("code") }), nil, 400},
		{"a POST", "POST", back, nil, 405},
		{"another host", "GET", back, func(r *http.Request) { r.Host = "rebound.example.com" }, 421},
		{"the page without its secret", "GET", "http://" + at.Host + "/", nil, 404},
		{"another page", "GET", "http://" + at.Host + "/registered/x", nil, 404},
	} {
		var change []func(*http.Request)
		if tt.change != nil {
			change = append(change, tt.change)
		}
		got := ask(t, tt.method, tt.address, nil, change...)
		if got.status != tt.status {
			t.Errorf("%s: %d %s", tt.what, got.status, got.body)
		}
		for _, name := range []string{"Content-Security-Policy", "X-Content-Type-Options", "Cache-Control"} {
			if got.header.Get(name) == "" {
				t.Errorf("%s: no %s", tt.what, name)
			}
		}
	}
	if left, err := os.ReadDir(opt.Files.Dir); err != nil || len(left) > 0 || len(s.Registered()) > 0 {
		t.Fatalf("%v %v", left, err)
	}
	if last := ask(t, "GET", back, nil); last.status != 200 {
		t.Errorf("the right answer after all that: %d %s", last.status, last.body)
	}
	<-r.done
	if r.err != nil {
		t.Error(r.err)
	}
}

// TestFails: what goes wrong is said, on the page and as an error, and leaves no half of an App.
func TestFails(t *testing.T) {
	for _, tt := range []struct {
		what    string
		prepare func(t *testing.T, s *githubtest.Server, opt *setup.Options)
		answer  func(t *testing.T, s *githubtest.Server, r *run) string
		says    string
		is      error
	}{
		{
			what: "a code of somebody's own",
			answer: func(t *testing.T, s *githubtest.Server, r *run) string {
				return regexp.MustCompile(`code=[^&]*`).ReplaceAllString(agree(t, s, r.page), "code=0123456789abcdef")
			},
			says: "does not know the code", is: ghclient.ErrManifestCode,
		},
		{
			what: "a code that is an address",
			answer: func(t *testing.T, s *githubtest.Server, r *run) string {
				return regexp.MustCompile(`code=[^&]*`).ReplaceAllString(agree(t, s, r.page), "code="+url.QueryEscape("../../user"))
			},
			says: "none of GitHub's",
		},
		{
			what: "GitHub is out of order",
			answer: func(t *testing.T, s *githubtest.Server, r *run) string {
				back := agree(t, s, r.page)
				s.Break(githubtest.Rule{Method: "POST", Fault: githubtest.BadGateway()})
				return back
			},
			says: "502",
		},
	} {
		t.Run(tt.what, func(t *testing.T) {
			s := githubtest.Start(t, githubtest.Options{})
			opt := options(t, s)
			r := begin(t, opt)
			got := ask(t, "GET", tt.answer(t, s, r), nil)
			<-r.done
			if r.err == nil || !strings.Contains(r.err.Error(), tt.says) || tt.is != nil && !errors.Is(r.err, tt.is) {
				t.Errorf("%v, want %q", r.err, tt.says)
			}
			if got.status != 502 || !strings.Contains(html.UnescapeString(got.body), tt.says) {
				t.Errorf("%d %s", got.status, got.body)
			}
			if left, err := os.ReadDir(opt.Files.Dir); err != nil || len(left) > 0 {
				t.Errorf("%v %v", left, err)
			}
		})
	}
}

// TestWrongOwner: the person agreed in an account of his own.
func TestWrongOwner(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	opt := options(t, s)
	r := begin(t, opt)
	page := ask(t, "GET", r.page, nil)
	page.body = strings.Replace(page.body, "/organizations/acme/settings", "/settings", 1)
	back := press(t, s.URL(), press(t, r.page, page))
	ask(t, "GET", back.header.Get("Location"), nil)
	<-r.done
	if !errors.Is(r.err, setup.ErrWrongOwner) || !strings.Contains(r.err.Error(), "monalisa") {
		t.Error(r.err)
	}
}

func TestRefuses(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	for says, change := range map[string]func(*setup.Options){
		"over https":            func(o *setup.Options) { o.Webhook = "http://wormsweep.example.com/webhook" },
		"does not reach":        func(o *setup.Options) { o.Webhook = "https://127.0.0.1/webhook" },
		"not of the form":       func(o *setup.Options) { o.Webhook = "https://user@example.com/" },
		"no name of an":         func(o *setup.Options) { o.Organisation = "../settings" },
		"of this machine alone": func(o *setup.Options) { o.Listen = "0.0.0.0:0" },
		"1 to 34 characters":    func(o *setup.Options) { o.Name = strings.Repeat("x", 35) },
		"no folder":             func(o *setup.Options) { o.Files.Dir = "" },
		"plain http would show": func(o *setup.Options) { o.GitHub = "http://github.example.com" },
		"nobody agreed in time": func(o *setup.Options) { o.Within = time.Millisecond },
		"app.pem\" is there already": func(o *setup.Options) {
			if err := os.MkdirAll(o.Files.Dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink("nowhere", filepath.Join(o.Files.Dir, setup.KeyFile)); err != nil {
				t.Fatal(err)
			}
		},
	} {
		opt := options(t, s)
		change(&opt)
		if _, err := setup.Run(t.Context(), opt, io.Discard); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
}

// TestTiers: GitHub takes the manifest of each tier, with a webhook and without.
func TestTiers(t *testing.T) {
	for _, tier := range manifest.Tiers {
		for _, hook := range []string{"", "https://wormsweep.example.com/webhook"} {
			t.Run(string(tier)+strconv.FormatBool(hook != ""), func(t *testing.T) {
				s := githubtest.Start(t, githubtest.Options{})
				opt := options(t, s)
				opt.Tier, opt.Webhook, opt.Organisation = tier, hook, ""
				r := begin(t, opt)
				ask(t, "GET", agree(t, s, r.page), nil)
				<-r.done
				if r.err != nil {
					t.Error(r.err)
				}
			})
		}
	}
}
