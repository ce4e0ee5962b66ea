package githubtest

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Webhook is where the events of an App are delivered.
type Webhook struct {
	ID     int64 // given by the server when 0
	URL    string
	Secret string   // deliveries are not signed when empty
	Events []string // nil is all
}

// Delivery is one attempt to deliver an event.
type Delivery struct {
	ID                       int64
	GUID                     string // of the event: another attempt has the same
	Redelivery               bool
	At                       time.Time
	Took                     time.Duration
	Event, Action            string
	Installation, Repository int64
	Body                     []byte // as it was signed

	Status int   // of the answer; 0 when there was none
	Err    error // why there was none

	app          *App
	url          string
	header       http.Header
	answer       string
	answerHeader http.Header
}

// failed reports whether GitHub takes the attempt for a failure.
func (d *Delivery) failed() bool { return d.Status < 200 || d.Status > 299 }

// deliveryBound is how long GitHub waits for an answer.
const deliveryBound = 10 * time.Second

// SetWebhook says where the events of an App go. A ping is delivered only by Ping.
func (s *Server) SetWebhook(app *App, hook Webhook) {
	s.mu.Lock()
	defer s.mu.Unlock()
	hook.ID = cmp.Or(hook.ID, s.newID())
	app.hook = &hook
}

// Deliver delivers an event to every App with a webhook that subscribes to it, and gives the
// attempts once they were answered. What every payload has (installation, organization, sender)
// is added where it lacks. As GitHub does, it tries once.
func (s *Server) Deliver(ctx context.Context, event string, payload map[string]any) []Delivery {
	guid := newGUID()
	s.mu.Lock()
	var ready []Delivery
	for _, app := range s.apps {
		if app.hook == nil || app.hook.Events != nil && !slices.Contains(app.hook.Events, event) && event != "ping" {
			continue
		}
		full := s.complete(app, payload)
		body, err := json.Marshal(full)
		if err != nil {
			panic(err) // a test's payload that is no JSON
		}
		d := Delivery{GUID: guid, Event: event, Body: body, app: app}
		d.Action, _ = full["action"].(string)
		d.Installation, d.Repository = idOf(full, "installation"), idOf(full, "repository")
		ready = append(ready, d)
	}
	s.mu.Unlock()
	for i := range ready {
		s.attempt(ctx, &ready[i])
	}
	return ready
}

// Ping delivers what an App is told when its webhook is made.
func (s *Server) Ping(ctx context.Context, app *App) []Delivery {
	s.mu.Lock()
	if app.hook == nil {
		s.mu.Unlock()
		panic("githubtest: the App has no webhook")
	}
	payload := map[string]any{
		"zen": "Design for failure.", "hook_id": app.hook.ID,
		"hook": map[string]any{
			"type": "App", "id": app.hook.ID, "name": "web", "active": true, "events": append([]string{}, app.hook.Events...),
			"config":     map[string]any{"content_type": "json", "insecure_ssl": "0", "url": app.hook.URL},
			"updated_at": stamp(founded), "created_at": stamp(founded), "app_id": app.ID,
			"deliveries_url": s.api("/app/hook/deliveries"),
		},
	}
	s.mu.Unlock()
	return s.Deliver(ctx, "ping", payload)
}

// Redeliver tries a delivery again, by its number. It reports whether there is such a one.
func (s *Server) Redeliver(ctx context.Context, id int64) (Delivery, bool) {
	s.mu.Lock()
	i := slices.IndexFunc(s.deliveries, func(d *Delivery) bool { return d.ID == id })
	var again Delivery
	if i >= 0 {
		old := s.deliveries[i]
		again = Delivery{
			GUID: old.GUID, Redelivery: true, Event: old.Event, Action: old.Action,
			Installation: old.Installation, Repository: old.Repository, Body: old.Body, app: old.app,
		}
	}
	s.mu.Unlock()
	if i < 0 || again.app.hook == nil {
		return again, false
	}
	s.attempt(ctx, &again)
	return again, true
}

// Deliveries gives all attempts so far, the newest first.
func (s *Server) Deliveries() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Delivery
	for _, d := range slices.Backward(s.deliveries) {
		all = append(all, *d)
	}
	return all
}

// attempt sends a delivery once and notes how it went.
func (s *Server) attempt(ctx context.Context, d *Delivery) {
	s.mu.Lock()
	hook := *d.app.hook
	d.ID, d.At = s.newID(), s.opts.Now()
	s.mu.Unlock()
	began := time.Now()
	d.url = hook.URL
	ctx, cancel := context.WithTimeout(ctx, deliveryBound)
	defer cancel()
	if err := d.send(ctx, hook); err != nil {
		d.Err = err
	}
	d.Took = time.Since(began)
	kept := *d
	s.mu.Lock()
	s.deliveries = append(s.deliveries, &kept)
	s.mu.Unlock()
	s.recorder.webhook(s, d)
}

// send sends the request of a delivery.
func (d *Delivery) send(ctx context.Context, hook Webhook) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, hook.URL, bytes.NewReader(d.Body))
	if err != nil {
		return err
	}
	for name, value := range map[string]string{
		"Accept": "*/*", "Content-Type": "application/json", "User-Agent": "GitHub-Hookshot/5c1b0b4",
		"X-GitHub-Delivery": d.GUID, "X-GitHub-Event": d.Event, "X-GitHub-Hook-ID": strconv.FormatInt(hook.ID, 10),
		"X-GitHub-Hook-Installation-Target-ID": strconv.FormatInt(d.app.ID, 10), "X-GitHub-Hook-Installation-Target-Type": "integration",
	} {
		request.Header.Set(name, value)
	}
	if hook.Secret != "" {
		request.Header.Set("X-Hub-Signature-256", Signature(hook.Secret, d.Body))
	}
	d.header = request.Header.Clone()
	response, err := webhookClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	d.Status, d.answer, d.answerHeader = response.StatusCode, string(answer), response.Header
	return err
}

// webhookClient sends deliveries. GitHub follows no redirect.
var webhookClient = &http.Client{
	Transport:     &http.Transport{MaxIdleConnsPerHost: 64},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// Signature is the value of X-Hub-Signature-256.
func Signature(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// complete adds to a payload what every one has.
func (s *Server) complete(app *App, payload map[string]any) map[string]any {
	full := maps.Clone(payload)
	org := s.accounts[strings.ToLower(s.opts.Org)]
	if owner, ok := full["repository"].(map[string]any); ok {
		if login, ok := owner["full_name"].(string); ok {
			login, _, _ = strings.Cut(login, "/")
			org = s.accounts[strings.ToLower(login)]
		}
	}
	i := slices.IndexFunc(s.installs, func(in *Installation) bool { return in.App == app && in.Account == org })
	if i >= 0 && full["installation"] == nil && full["zen"] == nil {
		in := s.installs[i]
		full["installation"] = map[string]any{"id": in.ID, "node_id": node("MDIzOkludGVncmF0aW9uSW5zdGFsbGF0aW9u", in.ID)}
	}
	if full["organization"] == nil && org != nil && org.Kind == "Organization" && full["zen"] == nil {
		full["organization"] = s.organizationSimple(org)
	}
	if full["sender"] == nil && full["zen"] == nil {
		full["sender"] = s.user(s.ghost())
	}
	return full
}

// ghost is the user who did what a test does.
func (s *Server) ghost() *Account {
	a := s.accounts["monalisa"]
	if a == nil {
		a = &Account{ID: s.newID(), Login: "monalisa", Kind: "User"}
		s.accounts["monalisa"] = a
	}
	return a
}

// organizationSimple shows an organisation as "organization-simple-webhooks".
func (s *Server) organizationSimple(org *Account) map[string]any {
	api := s.api("/orgs/%s", org.Login)
	return map[string]any{
		"login": org.Login, "id": org.ID, "node_id": node("O", org.ID), "url": api, "repos_url": api + "/repos", "events_url": api + "/events",
		"hooks_url": api + "/hooks", "issues_url": api + "/issues", "members_url": api + "/members{/member}",
		"public_members_url": api + "/public_members{/member}", "avatar_url": s.base + "/avatars/o/" + strconv.FormatInt(org.ID, 10), "description": nil,
	}
}

// idOf is the id of a member of a payload, 0 where it has none.
func idOf(payload map[string]any, name string) int64 {
	member, _ := payload[name].(map[string]any)
	id, _ := member["id"].(int64)
	return id
}

// newGUID makes an id of the form of X-GitHub-Delivery.
func newGUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it does not fail
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
