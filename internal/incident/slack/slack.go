// Package slack tells a channel of Slack of incidents, by an incoming webhook or as a bot: it
// is an incident.Notifier.
//
// A notice counts as told when Slack answered that it took it. It is sent once, to Slack's own
// hosts or to loopback, for tests, and no redirect is followed. The address of a webhook is a
// secret, and so is a token: neither leaves in an error.
//
// Text from outside is escaped: it mentions nobody, is no link and is not formatted. Links are
// not unfolded.
package slack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/wormsweep/wormsweep/internal/incident"
	"github.com/wormsweep/wormsweep/pkg/registry/host"
)

// Options say where notices go: to a webhook, or as a bot to a channel.
type Options struct {
	Webhook string // address of an incoming webhook
	Token   string // of a bot that may write to the channel
	Channel string // its id, or its name with "#"
	// API is the root of the Web API; "" is Slack's. Another is for tests, on loopback.
	API string
	// Transport carries the requests; nil is one with timeouts that honours the proxy of the
	// process's environment.
	Transport http.RoundTripper
}

// timeout is for one notice, to the end of the answer.
const timeout = 20 * time.Second

// maxAnswer is how much of an answer is read, in bytes.
const maxAnswer = 1 << 20

// Notifier tells one channel.
type Notifier struct {
	webhook string
	api     *slack.Client
	channel string
	http    *http.Client
	secrets []string
}

var tokenForm = regexp.MustCompile(`^xox[a-z]-[A-Za-z0-9-]+$`)

// isToken reports whether text may be the token of a bot. Its length is no part of the form, whose
// compilation each start of the program would pay for.
func isToken(text string) bool {
	const shortest, longest = 13, 505
	return len(text) >= shortest && len(text) <= longest && tokenForm.MatchString(text)
}

// New makes a Notifier and sends nothing. An error names no secret.
func New(opt Options) (*Notifier, error) {
	transport := opt.Transport
	if transport == nil {
		transport = &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: 10 * time.Second,
			DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		}
	}
	n := &Notifier{channel: opt.Channel, http: &http.Client{
		Transport: bounded{transport}, Timeout: timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	switch {
	case opt.Webhook != "" && opt.Token != "":
		return nil, errors.New("slack: both a webhook and a token are given: give one of them")
	case opt.Webhook != "":
		return n, n.useWebhook(opt.Webhook)
	case opt.Token == "":
		return nil, errors.New("slack: neither a webhook nor a token is given")
	case !isToken(opt.Token):
		return nil, errors.New("slack: the token is not one of a bot (xoxb-...)")
	case opt.Channel == "":
		return nil, errors.New("slack: a token is given, and no channel")
	}
	root := "https://" + host.Slack + "/api/"
	if opt.API != "" {
		u, err := url.Parse(opt.API)
		if err != nil || !loopback(u) {
			return nil, errors.New("slack: another API than Slack's is for tests, on loopback")
		}
		root = strings.TrimSuffix(opt.API, "/") + "/"
	}
	n.secrets = []string{opt.Token}
	n.api = slack.New(opt.Token, slack.OptionHTTPClient(n.http), slack.OptionAPIURL(root))
	return n, nil
}

// useWebhook takes an address that is Slack's.
func (n *Notifier) useWebhook(address string) error {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("slack: the webhook is no address of one")
	}
	ours := u.Scheme == "https" && u.Port() == "" && (u.Hostname() == host.SlackHooks || u.Hostname() == host.SlackGovHooks)
	if !ours && !loopback(u) {
		return fmt.Errorf("slack: the webhook has to begin with https://%s/ or https://%s/", host.SlackHooks, host.SlackGovHooks)
	}
	n.webhook = u.String()
	n.secrets = []string{n.webhook, u.RequestURI(), strings.TrimPrefix(u.Path, "/services/"), u.Path}
	return nil
}

// loopback reports whether u is on this machine, by a literal address.
func loopback(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "http" && ip != nil && ip.IsLoopback()
}

// bounded reads no more of an answer than maxAnswer.
type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(r)
	if err == nil {
		resp.Body = limited{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	}
	return resp, err
}

type limited struct {
	io.Reader
	io.Closer
}

// Notify sends one notice. An error says why Slack did not take it.
func (n *Notifier) Notify(ctx context.Context, notice incident.Notice) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	plain, blocks := message(notice)
	var err error
	if n.api != nil {
		_, _, err = n.api.PostMessageContext(ctx, n.channel, slack.MsgOptionText(plain, false), slack.MsgOptionBlocks(blocks...),
			slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl())
	} else {
		no := false
		err = slack.PostWebhookCustomHTTPContext(ctx, n.webhook, n.http, &slack.WebhookMessage{
			Text: plain, Blocks: &slack.Blocks{BlockSet: blocks}, UnfurlLinks: &no, UnfurlMedia: &no,
		})
	}
	if err == nil {
		return nil
	}
	return n.told(err)
}

// told is an error of the library without what is secret in it.
func (n *Notifier) told(err error) error {
	var (
		status  slack.StatusCodeError
		limit   *slack.RateLimitedError
		refusal slack.SlackErrorResponse
		sending *url.Error
	)
	text := ""
	switch {
	case errors.As(err, &status):
		text = fmt.Sprintf("status %d", status.Code)
	case errors.As(err, &limit):
		text = fmt.Sprintf("its rate limit, for %s", limit.RetryAfter)
	case errors.As(err, &refusal):
		text = fmt.Sprintf("%q", refusal.Err)
	case errors.Is(err, context.DeadlineExceeded):
		text = "no answer in time"
	case errors.As(err, &sending): // its text has the address
		text = sending.Err.Error()
	default:
		text = err.Error()
	}
	for _, secret := range n.secrets {
		if len(secret) > 1 {
			text = strings.ReplaceAll(text, secret, "[secret]")
		}
	}
	return fmt.Errorf("slack: %s", text)
}
