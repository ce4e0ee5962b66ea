package githubtest_test

import (
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

	"github.com/wormsweep/wormsweep/internal/githubtest"
)

// receiver is the other side of a webhook.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	got    []string // event and signature
	bodies [][]byte
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{status: http.StatusAccepted}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			t.Error(err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, request.Header.Get("X-GitHub-Event")+" "+request.Header.Get("X-Hub-Signature-256"))
		r.bodies = append(r.bodies, body)
		w.WriteHeader(r.status)
		fmt.Fprint(w, "said")
	}))
	t.Cleanup(r.Close)
	return r
}

// TestDeliveries: events reach the App, signed; what failed is listed, and delivered again when
// somebody asks.
func TestDeliveries(t *testing.T) {
	now := newClock()
	s := githubtest.Start(t, githubtest.Options{Now: now.Now})
	to := newReceiver(t)
	repo := s.AddFiles("web", map[string]string{"README.md": "x", "lib/a.txt": "a"})
	s.SetWebhook(s.App(), githubtest.Webhook{URL: to.URL, Secret: "s3cret", Events: []string{"push", "pull_request"}})
	if got := s.Ping(t.Context(), s.App()); len(got) != 1 || got[0].Status != 202 {
		t.Fatalf("%+v", got)
	}
	if got := s.Deliver(t.Context(), "release", map[string]any{"action": "published"}); got != nil {
		t.Errorf("an event that the App did not subscribe to: %+v", got)
	}
	commit, sent := repo.PushFile(t.Context(), "main", "package-lock.json", "{}")
	if len(sent) != 1 || sent[0].Event != "push" {
		t.Fatalf("%+v", sent)
	}
	if to.got[1] != "push "+githubtest.Signature("s3cret", to.bodies[1]) {
		t.Errorf("%q is not signed", to.got[1])
	}
	var push struct {
		Ref, After   string
		Commits      []struct{ Added, Removed, Modified []string }
		Installation struct{ ID int64 }
	}
	if err := json.Unmarshal(to.bodies[1], &push); err != nil {
		t.Fatal(err)
	}
	if push.Ref != "refs/heads/main" || push.After != commit.String() || push.Installation.ID != s.Installation().ID ||
		len(push.Commits) != 1 || strings.Join(push.Commits[0].Added, " ") != "package-lock.json" || len(push.Commits[0].Removed) > 0 {
		t.Errorf("%+v", push)
	}

	to.status = http.StatusServiceUnavailable
	if number, sent := repo.OpenPullFile(t.Context(), "more", "lib/a.txt", "b"); number != 1 || sent[0].Status != 503 {
		t.Errorf("%d %+v", number, sent)
	}
	app := jwt(t, s.App(), now.Now().Add(-time.Minute), now.Now().Add(time.Minute))
	deliveries := func(query string) (items []struct {
		ID         int64
		GUID       string
		Event      string
		StatusCode int `json:"status_code"`
		Redelivery bool
	}, next string,
	) {
		t.Helper()
		a := ask(t, "GET", s.URL()+"/api/v3/app/hook/deliveries"+query, "Bearer "+app, nil)
		if a.status != 200 || json.Unmarshal(a.body, &items) != nil {
			t.Fatalf("%s: %d %s", query, a.status, a.body)
		}
		return items, a.header.Get("Link")
	}
	failed, _ := deliveries("?status=failure")
	if len(failed) != 1 || failed[0].Event != "pull_request" || failed[0].StatusCode != 503 {
		t.Fatalf("%+v", failed)
	}
	if one := ask(t, "GET", s.URL()+fmt.Sprintf("/api/v3/app/hook/deliveries/%d", failed[0].ID), "Bearer "+app, nil); one.status != 200 || !strings.Contains(string(one.body), `"payload":"said"`) {
		t.Errorf("%d %s", one.status, one.body)
	}
	to.status = http.StatusAccepted
	if a := ask(t, "POST", s.URL()+fmt.Sprintf("/api/v3/app/hook/deliveries/%d/attempts", failed[0].ID), "Bearer "+app, nil); a.status != 202 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if all, _ := deliveries(""); len(all) == 4 {
			if all[0].GUID != failed[0].GUID || !all[0].Redelivery || all[0].StatusCode != 202 {
				t.Errorf("%+v", all[0])
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("it was not delivered again")
		}
	}
	first, link := deliveries("?per_page=3")
	next := regexp.MustCompile(`\?([^>]*)>; rel="next"`).FindStringSubmatch(link)
	if len(first) != 3 || next == nil {
		t.Fatalf("%d %q", len(first), link)
	}
	if rest, link := deliveries("?" + next[1]); len(rest) != 1 || link != "" || rest[0].Event != "ping" {
		t.Errorf("%+v %q", rest, link)
	}
	if a := ask(t, "GET", s.URL()+"/api/v3/app/hook/config", "Bearer "+app, nil); a.status != 200 || strings.Contains(string(a.body), "s3cret") || !strings.Contains(string(a.body), to.URL) {
		t.Errorf("%d %s", a.status, a.body)
	}
	now.Add(73 * time.Hour)
	app = jwt(t, s.App(), now.Now().Add(-time.Minute), now.Now().Add(time.Minute))
	if old, _ := deliveries(""); len(old) != 0 {
		t.Errorf("after three days: %+v", old)
	}
}

// TestDeliveryWithoutAnswer: nobody listens, and the attempt says so.
func TestDeliveryWithoutAnswer(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	to := newReceiver(t)
	s.SetWebhook(s.App(), githubtest.Webhook{URL: to.URL})
	to.Close()
	if got := s.Ping(t.Context(), s.App()); len(got) != 1 || got[0].Status != 0 || got[0].Err == nil {
		t.Errorf("%+v", got)
	}
}

// form posts what a browser's form does, and follows nothing.
func form(t *testing.T, address string, values url.Values) (status int, location, body string) {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	request, err := http.NewRequestWithContext(t.Context(), "POST", address, strings.NewReader(values.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header.Get("Location"), string(text)
}

const manifest = `{"name":"Acme's sweep","url":"https://example.com","hook_attributes":{"url":"https://hooks.example.com/"},
"redirect_url":"http://127.0.0.1:9/callback","public":false,"default_permissions":{"contents":"read"},"default_events":["push"]}`

// TestManifest: a manifest, agreed to, becomes a code, and the code an App, once.
func TestManifest(t *testing.T) {
	now := newClock()
	s := githubtest.Start(t, githubtest.Options{Now: now.Now})
	register := func() string {
		t.Helper()
		status, _, page := form(t, s.URL()+"/organizations/acme/settings/apps/new?state=abc", url.Values{"manifest": {manifest}})
		code := regexp.MustCompile(`name="code" value="([a-z0-9]+)"`).FindStringSubmatch(page)
		if status != 200 || code == nil || !strings.Contains(page, "Create GitHub App for acme") {
			t.Fatalf("%d %s", status, page)
		}
		status, location, _ := form(t, s.URL()+"/settings/apps/create", url.Values{"code": code[1:], "state": {"abc"}})
		if status != 302 || location != "http://127.0.0.1:9/callback?code="+code[1]+"&state=abc" {
			t.Fatalf("%d %s", status, location)
		}
		return code[1]
	}
	code := register()
	a := ask(t, "POST", s.URL()+"/api/v3/app-manifests/"+code+"/conversions", "", nil)
	var app struct {
		ID            int64
		PEM           string
		WebhookSecret string `json:"webhook_secret"`
		Permissions   map[string]string
		Events        []string
	}
	if err := json.Unmarshal(a.body, &app); err != nil || a.status != 201 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	made := s.Registered()
	if len(made) != 1 || made[0].ID != app.ID || string(made[0].Key) != app.PEM || app.WebhookSecret == "" || app.Permissions["contents"] != "read" || app.Events[0] != "push" {
		t.Errorf("%+v, of %s", made, a.body)
	}
	if again := ask(t, "POST", s.URL()+"/api/v3/app-manifests/"+code+"/conversions", "", nil); again.status != 404 {
		t.Errorf("a second time: %d", again.status)
	}
	code = register()
	now.Add(time.Hour)
	if late := ask(t, "POST", s.URL()+"/api/v3/app-manifests/"+code+"/conversions", "", nil); late.status != 404 {
		t.Errorf("after an hour: %d", late.status)
	}
	for _, tt := range []struct{ old, now, says string }{
		{`"push"`, `"pull_request"`, "Default events unsupported: pull_request"},
		{`"https://hooks.example.com/"`, `"http://localhost/"`, "reachable over the public Internet"},
		{`"contents":"read"`, `"contents":"all"`, "no level all"},
		{`"name"`, `"title"`, "unknown field"},
		{`"https://hooks.example.com/"`, `""`, "Hook url cannot be blank"},
	} {
		status, _, page := form(t, s.URL()+"/settings/apps/new", url.Values{"manifest": {strings.Replace(manifest, tt.old, tt.now, 1)}})
		if status != 200 || !strings.Contains(page, tt.says) || strings.Contains(page, "<button") {
			t.Errorf("%s: %d %s", tt.now, status, page)
		}
	}
}
