package slack_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/incident"
	"github.com/wormsweep/wormsweep/internal/incident/slack"
	"github.com/wormsweep/wormsweep/internal/xtest"
)

const (
	secretPath = "/services/T00CANARY/B00CANARY/canarycanarycanary"
	secret     = "xoxb-canary-canary-canary"
)

var notice = incident.Notice{
	Kind: incident.NoticeFirst, Organisation: "acme", Campaign: incident.Campaign{ID: "keyv", Title: "Shai-Hulud, keyv wave", Severity: "critical"},
	Repositories: 3, Places: 5, Settled: 1, Gaps: 2, URL: "https://github.example/acme/incidents/issues/7",
}

// sent is what Slack got.
type sent struct {
	Text   string `json:"text"`
	Blocks []struct {
		Text struct {
			Type, Text string
			Verbatim   bool
		}
	} `json:"blocks"`
	UnfurlLinks *bool  `json:"unfurl_links"`
	UnfurlMedia *bool  `json:"unfurl_media"`
	Parse       string `json:"parse"`
	LinkNames   any    `json:"link_names"`
}

// inbox is what came. One connection that was cut may come again while the first is looked at.
type inbox struct {
	mu   sync.Mutex
	sent []sent
}

func (i *inbox) add(m sent) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.sent = append(i.sent, m)
}

// take gives what came, and empties the inbox.
func (i *inbox) take() []sent {
	i.mu.Lock()
	defer i.mu.Unlock()
	out := i.sent
	i.sent = nil
	return out
}

// serve answers as do says, and gives the requests.
func serve(t *testing.T, do http.HandlerFunc) (address string, got *inbox) {
	t.Helper()
	got = &inbox{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var m sent
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		if r.Header.Get("Content-Type") == "application/json" {
			err = json.Unmarshal(body, &m)
		} else {
			form, e := url.ParseQuery(string(body))
			if e != nil {
				t.Error(e)
			}
			m.Text = form.Get("text")
			no := form.Get("unfurl_links") != "false"
			m.UnfurlLinks, m.UnfurlMedia = &no, &no
			err = json.Unmarshal([]byte(form.Get("blocks")), &m.Blocks)
		}
		if err != nil {
			t.Errorf("%v: %s", err, body)
		}
		got.add(m)
		do(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL, got
}

func ok(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == secretPath {
		fmt.Fprint(w, "ok")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprint(w, `{"ok":true,"channel":"C1","ts":"1.2"}`)
}

// both gives a notifier for each way to Slack.
func both(t *testing.T, address string) map[string]*slack.Notifier {
	t.Helper()
	out := map[string]*slack.Notifier{}
	for name, opt := range map[string]slack.Options{
		"webhook": {Webhook: address + secretPath}, "bot": {Token: secret, Channel: "C1", API: address + "/api"},
	} {
		n, err := slack.New(opt)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = n
	}
	return out
}

func TestNotify(t *testing.T) {
	address, got := serve(t, ok)
	for name, n := range both(t, address) {
		got.take()
		for _, kind := range []incident.NoticeKind{incident.NoticeFirst, incident.NoticeChanged, incident.NoticeCured} {
			c := notice
			c.Kind = kind
			if err := n.Notify(context.Background(), c); err != nil {
				t.Errorf("%s: %s: %v", name, kind, err)
			}
		}
		messages := got.take()
		if len(messages) != 3 {
			t.Fatalf("%s: %d messages", name, len(messages))
		}
		for i, want := range []string{
			"Supply-chain incident: keyv (critical). Shai-Hulud, keyv wave. It is in 3 repositories of acme, at 5 places. 1 repository is settled since. Not all of it was looked at: 2 problems.",
			"Supply-chain incident changed: keyv (critical). Shai-Hulud, keyv wave. It is in 3 repositories of acme, at 5 places. 1 repository is settled since. Not all of it was looked at: 2 problems.",
			"Supply-chain incident found clean: keyv (critical). Shai-Hulud, keyv wave. Nothing is left of it in 1 repository of acme. Not all of it was looked at: 2 problems.",
		} {
			m := messages[i]
			if m.Text != want {
				t.Errorf("%s: text %q; want %q", name, m.Text, want)
			}
			block := m.Blocks[0].Text
			if len(m.Blocks) != 1 || block.Type != "mrkdwn" || !block.Verbatim || !strings.HasSuffix(block.Text, "\n<https://github.example/acme/incidents/issues/7|The issue, with what to do first>") {
				t.Errorf("%s: block %+v", name, m.Blocks)
			}
			if m.UnfurlLinks == nil || *m.UnfurlLinks || m.UnfurlMedia == nil || *m.UnfurlMedia || m.Parse != "" || m.LinkNames != nil {
				t.Errorf("%s: links are unfolded, or names made links: %+v", name, m)
			}
		}
	}
}

// TestNotifyResponse: what people and the clock do.
func TestNotifyResponse(t *testing.T) {
	address, got := serve(t, ok)
	n := both(t, address)["webhook"]
	for _, tt := range []struct {
		change func(n *incident.Notice)
		want   string
	}{
		{func(n *incident.Notice) { n.Kind, n.Who, n.Text = incident.NoticeAcknowledged, "jane", "looking" }, "Supply-chain incident acknowledged: keyv. It is in 3 repositories of acme, at 5 places. By jane. It was said: looking"},
		{func(n *incident.Notice) { n.Kind, n.Text = incident.NoticeContained, "the token is revoked" }, "Supply-chain incident contained: keyv. It is in 3 repositories of acme, at 5 places. It was said: the token is revoked"},
		{func(n *incident.Notice) { n.Kind, n.Role, n.Team = incident.NoticeEscalated, "founders", "founders" }, "Supply-chain incident NOT acknowledged: keyv. It is in 3 repositories of acme, at 5 places. For: founders."},
		{func(n *incident.Notice) { n.Kind, n.Role = incident.NoticeOverdue, "on-call" }, "Supply-chain incident not declared over: keyv. It is one of acme. For: on-call."},
		{func(n *incident.Notice) { n.Kind, n.Who = incident.NoticeOver, "olga" }, "Supply-chain incident over: keyv. It is one of acme. By olga."},
		{func(n *incident.Notice) { n.Kind, n.State, n.Settled = incident.NoticeCured, incident.Cured, 3 }, "Supply-chain incident found clean: keyv. Nothing is left of it in 3 repositories of acme. Whoever is on call has to declare it over."},
		{func(n *incident.Notice) { n.Repositories, n.Places = 0, 0 }, "Supply-chain incident: keyv. It is one of acme."},
	} {
		got.take()
		c := incident.Notice{Kind: incident.NoticeFirst, Organisation: "acme", Campaign: incident.Campaign{ID: "keyv"}, Repositories: 3, Places: 5}
		tt.change(&c)
		if err := n.Notify(context.Background(), c); err != nil {
			t.Fatal(err)
		}
		if m := got.take(); len(m) != 1 || m[0].Text != tt.want {
			t.Errorf("%s: %+v; want %q", c.Kind, m, tt.want)
		}
	}
}

// acts is what Slack makes a mention, a link or a format of.
var acts = regexp.MustCompile("[<>&@#*_~`|!\n\x00-\x1f]|://|(?i:www\\.)")

func TestHostile(t *testing.T) {
	address, got := serve(t, ok)
	n := both(t, address)["webhook"]
	for _, s := range append([]string{"@here", "<!channel>", "<@U123>", "<https://evil.example|x>", "&lt;!here&gt;", "@channel @everyone", "*b* _i_ ~s~"}, xtest.Hostile...) {
		got.take()
		c := notice
		c.Organisation, c.Campaign, c.URL = s, incident.Campaign{ID: s, Title: "x" + s, Severity: "x" + s}, "javascript:"+s
		c.Who, c.Role, c.Text = "x"+s, "x"+s, "x"+s
		if err := n.Notify(context.Background(), c); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		m := got.take()[0]
		if at := acts.FindString(m.Text); at != "" {
			t.Errorf("%q: the text has %q: %q", s, at, m.Text)
		}
		lines := strings.Split(m.Blocks[0].Text.Text, "\n")
		if len(lines) != 7 {
			t.Errorf("%q: %d lines: %q", s, len(lines), lines)
		}
		lines[0] = strings.Trim(lines[0], "*")
		for _, line := range lines {
			if at := acts.FindString(line); at != "" {
				t.Errorf("%q: a line has %q: %q", s, at, line)
			}
		}
		if len(m.Text) > 3_000 {
			t.Errorf("%q: %d bytes", s, len(m.Text))
		}
	}
}

// TestFailures: each is an error of one line, sent once, without the secret.
func TestFailures(t *testing.T) {
	for name, do := range map[string]http.HandlerFunc{
		"no_service": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no_service", http.StatusNotFound) },
		"limited": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "30")
			w.WriteHeader(http.StatusTooManyRequests)
		},
		"broken": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "<html>"+secretPath, http.StatusServiceUnavailable)
		},
		"redirected": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere"+secretPath, http.StatusTemporaryRedirect)
		},
		"cut": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		address, got := serve(t, do)
		for way, n := range both(t, address) {
			got.take()
			err := n.Notify(context.Background(), notice)
			if err == nil {
				t.Errorf("%s, %s: no error", name, way)
				continue
			}
			if text := err.Error(); strings.Contains(text, "anary") || strings.Contains(text, "\n") || !strings.HasPrefix(text, "slack: ") {
				t.Errorf("%s, %s: %q", name, way, text)
			}
			if n := len(got.take()); n > 2 || name != "cut" && n != 1 { // net/http may ask again where a kept connection was cut
				t.Errorf("%s, %s: sent %d times", name, way, n)
			}
		}
	}
	address, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"ok":false,"error":"channel_not_found"}`)
	})
	if err := both(t, address)["bot"].Notify(context.Background(), notice); err == nil || err.Error() != `slack: "channel_not_found"` {
		t.Errorf("a refusal: %v", err)
	}
	gone := httptest.NewServer(nil)
	gone.Close()
	for way, n := range both(t, gone.URL) {
		if err := n.Notify(context.Background(), notice); err == nil || strings.Contains(err.Error(), "anary") {
			t.Errorf("%s: nobody listens: %v", way, err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	slow, _ := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	if err := both(t, slow)["webhook"].Notify(ctx, notice); err == nil || err.Error() != "slack: no answer in time" {
		t.Errorf("a slow answer: %v", err)
	}
}

func TestNew(t *testing.T) {
	for _, tt := range []struct {
		opt  slack.Options
		want string // part of the error, "" for none
	}{
		{slack.Options{Webhook: "https://hooks.slack.com" + secretPath}, ""},
		{slack.Options{Webhook: " https://hooks.slack-gov.com" + secretPath + "\n"}, ""},
		{slack.Options{Webhook: "http://127.0.0.1:9" + secretPath}, ""},
		{slack.Options{Webhook: "http://[::1]:9" + secretPath}, ""},
		{slack.Options{Token: secret, Channel: "#x"}, ""},
		{slack.Options{}, "neither"},
		{slack.Options{Webhook: "https://hooks.slack.com" + secretPath, Token: secret}, "both"},
		{slack.Options{Token: secret}, "no channel"},
		{slack.Options{Token: "canary canary", Channel: "#x"}, "not one of a bot"},
		{slack.Options{Token: secret, Channel: "#x", API: "https://evil.example/"}, "loopback"},
		{slack.Options{Webhook: "http://hooks.slack.com" + secretPath}, "has to begin"},
		{slack.Options{Webhook: "https://hooks.slack.com:8443" + secretPath}, "has to begin"},
		{slack.Options{Webhook: "https://hooks.slack.com.evil.example" + secretPath}, "has to begin"},
		{slack.Options{Webhook: "https://evil.example" + secretPath}, "has to begin"},
		{slack.Options{Webhook: "http://localhost:9" + secretPath}, "has to begin"},
		{slack.Options{Webhook: "https://127.0.0.1.evil.example" + secretPath}, "has to begin"},
		{slack.Options{Webhook: "https://u:p@hooks.slack.com" + secretPath}, "no address"},
		{slack.Options{Webhook: "https://hooks.slack.com" + secretPath + "?canary"}, "no address"},
		{slack.Options{Webhook: "%zz" + secretPath}, "no address"},
	} {
		_, err := slack.New(tt.opt)
		switch {
		case tt.want == "" && err != nil, tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%+v: %v; want %q", tt.opt, err, tt.want)
		case err != nil && strings.Contains(err.Error(), "anary"):
			t.Errorf("the error has the secret: %v", err)
		}
	}
}
