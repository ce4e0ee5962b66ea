//go:build e2e

package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/githubtest/emulate"
	"github.com/wormsweep/wormsweep/internal/incident"
	"github.com/wormsweep/wormsweep/internal/incident/slack"
)

// asApp makes the commands of a test sign as an App of the emulated GitHub.
func (e *emulated) asApp(t *testing.T, id int) {
	t.Helper()
	t.Setenv("WORMSWEEP_APP_ID", strconv.Itoa(id))
	t.Setenv("WORMSWEEP_APP_KEY", e.Keys[strconv.Itoa(id)])
	t.Setenv("WORMSWEEP_INCIDENT_KEY", "the key of the marks")
	t.Setenv("XDG_CACHE_HOME", t.TempDir()) // records of incidents, where no inventory has them
}

// sweep sweeps repositories of the emulated GitHub.
func (e *emulated) sweep(t *testing.T, wantExit int, args ...string) (stdout, stderr string) {
	t.Helper()
	args = append([]string{"sweep", "--github-url", e.URL}, args...)
	stdout, stderr, exit := run(t, args...)
	if exit != wantExit {
		t.Fatalf("%q exits %d, want %d\n%s%s", args, exit, wantExit, stdout, stderr)
	}
	return stdout, stderr
}

// emulatedIssue is an issue as the emulated GitHub shows it to an owner.
type emulatedIssue struct {
	Title, Body, State string
	User               struct{ Login string }
	Labels             []struct{ Name string }
	Reason             string `json:"state_reason"`
}

func (e *emulated) issues(t *testing.T) []emulatedIssue {
	t.Helper()
	var out []emulatedIssue
	emulate.Ask(t, http.MethodGet, e.GitHub+"/repos/acme/incidents/issues?state=all&direction=asc", emulatedToken, nil, &out)
	return out
}

// channel is the id of the channel of the emulated Slack.
func (e *emulated) channel(t *testing.T) string {
	t.Helper()
	var list struct {
		Channels []struct{ ID, Name string }
	}
	emulate.Ask(t, http.MethodPost, e.Slack+"/api/conversations.list", emulatedBot, nil, &list)
	at := slices.IndexFunc(list.Channels, func(c struct{ ID, Name string }) bool { return c.Name == "general" })
	if at < 0 {
		t.Fatalf("no channel: %v", list)
	}
	return list.Channels[at].ID
}

// messages are the texts that were posted there.
func (e *emulated) messages(t *testing.T) []string {
	t.Helper()
	var history struct {
		OK       bool
		Error    string
		Messages []struct{ Text string }
	}
	emulate.Ask(t, http.MethodPost, e.Slack+"/api/conversations.history", emulatedBot, map[string]string{"channel": e.channel(t)}, &history)
	if !history.OK {
		t.Fatalf("Slack: %q", history.Error)
	}
	var out []string
	for _, m := range history.Messages {
		out = append(out, m.Text)
	}
	return out
}

// TestEmulatedIncident goes from the first sweep to the end of an incident.
func TestEmulatedIncident(t *testing.T) {
	e := startEmulated(t)
	e.putFolder(t, "webshop", "../../examples/org/webshop")
	e.putFolder(t, "handbook", "../../examples/org/handbook")
	e.asApp(t, emulatedApp)
	t.Setenv("WORMSWEEP_SLACK_WEBHOOK", e.Slack+"/services/T000000001/B000000001/emulatedwebhook")
	inventory := filepath.Join(t.TempDir(), "inventory.db")
	sweep := []string{
		"--repo", "acme/webshop", "--repo", "acme/handbook", "--via", "rest", "--refs", "branches",
		"--campaign", "shai-hulud-keyv-2026-08", "--inventory", inventory, "--issues", "acme/incidents",
	}

	stdout, stderr := e.sweep(t, 1, append(sweep, "--dry-run")...)
	for _, want := range []string{"HIT: 1 repository hit, 1 clean, 0 not fully looked at.", "pkg:npm/keyv@6.0.0", "package-lock.json:26  refs/heads/main"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("the sweep does not say %q:\n%s", want, stdout)
		}
	}
	if want := "sweeper: dry run: incident \"shai-hulud-keyv-2026-08\": create in acme/incidents\n"; stderr != want || len(e.issues(t)) != 0 {
		t.Errorf("dry run: %q, want %q, and %d issues", stderr, want, len(e.issues(t)))
	}

	before := len(e.messages(t))
	e.sweep(t, 1, sweep...)
	issues := e.issues(t)
	if len(issues) != 1 {
		t.Fatalf("%d issues, want 1", len(issues))
	}
	first := issues[0]
	if first.User.Login != "wormsweep[bot]" || first.State != "open" || len(first.Labels) != 1 || first.Labels[0].Name != "wormsweep" || !strings.Contains(first.Body, "keyv") {
		t.Errorf("the issue: %+v", first)
	}
	if got := e.messages(t); len(got) != before+1 || !slices.ContainsFunc(got, func(m string) bool { return strings.Contains(m, "shai-hulud-keyv-2026-08") }) {
		t.Errorf("Slack has %q", got)
	}

	// It is left alone while nothing changes, with the record of it and without.
	_, stderr = e.sweep(t, 1, sweep...)
	if !strings.Contains(stderr, "issue 1: nothing to write") {
		t.Errorf("second sweep: %q", stderr)
	}
	forgotten := slices.Clone(sweep)
	forgotten[slices.Index(forgotten, inventory)] = filepath.Join(t.TempDir(), "other.db")
	e.sweep(t, 1, forgotten...)
	if issues := e.issues(t); len(issues) != 1 || issues[0].State != "open" {
		t.Errorf("found again by its mark, and there are %d issues", len(issues))
	}

	// A repository that is clean again closes it.
	e.put(t, "webshop", "package-lock.json", []byte(`{"lockfileVersion":3,"packages":{"":{},"node_modules/keyv":{"version":"5.5.0"}}}`))
	e.sweep(t, 0, sweep...)
	if last := e.issues(t); len(last) != 1 || last[0].State != "closed" {
		t.Errorf("after the cure: %+v", last)
	}
}

// TestEmulatedRefusals: what this GitHub refuses is told in one line, and is never clean.
func TestEmulatedRefusals(t *testing.T) {
	e := startEmulated(t)
	e.put(t, "handbook", "package-lock.json", []byte(`{"lockfileVersion":3,"packages":{"":{}}}`))
	e.asApp(t, emulatedApp)
	for _, tt := range []struct {
		name   string
		set    map[string]string
		args   []string
		exit   int
		stderr string // part of the one line
	}{
		{"no such repository", nil, []string{"--repo", "acme/none"}, 2, `not installed on "acme/none"`},
		{"another App's key", map[string]string{"WORMSWEEP_APP_KEY": e.Keys[strconv.Itoa(emulatedReader)]}, []string{"--repo", "acme/handbook"}, 2, "bad credentials"},
		{"no such App", map[string]string{"WORMSWEEP_APP_ID": "999"}, []string{"--repo", "acme/handbook"}, 2, "bad credentials"},
		{"not installed there", nil, []string{"--repo", "octocat/own"}, 2, "not installed"},
		{"no permission for issues", map[string]string{
			"WORMSWEEP_APP_ID": strconv.Itoa(emulatedReader), "WORMSWEEP_APP_KEY": e.Keys[strconv.Itoa(emulatedReader)],
		}, []string{"--repo", "beta/handbook", "--issues", "beta/incidents"}, 3, `permission "issues=write"`},
		{"a public repository for issues", nil, []string{"--repo", "acme/handbook", "--issues", "acme/website"}, 2, "public"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for name, value := range tt.set {
				t.Setenv(name, value)
			}
			stdout, stderr := e.sweep(t, tt.exit, append(tt.args, "--via", "rest")...)
			if stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, tt.stderr) {
				t.Errorf("stdout %q, stderr %q; want one line with %q", stdout, stderr, tt.stderr)
			}
		})
	}
}

// TestEmulatedStream: without GraphQL and git the sweep is whole, by whichever way.
func TestEmulatedStream(t *testing.T) {
	e := startEmulated(t)
	e.putFolder(t, "handbook", "../../examples/org/handbook")
	e.asApp(t, emulatedApp)
	for _, via := range []string{"rest", "auto"} {
		file := filepath.Join(t.TempDir(), "sweep.jsonl")
		e.sweep(t, 0, "--repo", "acme/handbook", "--via", via, "--report", "json="+file)
		stream, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var summary struct{ Type string }
		lines := strings.Split(strings.TrimSpace(string(stream)), "\n")
		if err := json.Unmarshal([]byte(lines[len(lines)-1]), &summary); err != nil || summary.Type != "summary" {
			t.Errorf("--via %s: the stream ends with %q", via, lines[len(lines)-1])
		}
	}
}

// tokenInHeader puts the token that the library sends in the body, as Slack allows, where the
// emulated Slack looks for it.
type tokenInHeader struct{}

func (tokenInHeader) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	req = req.Clone(req.Context())
	req.Body = io.NopCloser(bytes.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+form.Get("token"))
	return http.DefaultTransport.RoundTrip(req)
}

// TestEmulatedBot: Slack as a bot.
func TestEmulatedBot(t *testing.T) {
	e := startEmulated(t)
	n, err := slack.New(slack.Options{Token: emulatedBot, Channel: e.channel(t), API: e.Slack + "/api/", Transport: tokenInHeader{}})
	if err != nil {
		t.Fatal(err)
	}
	before := len(e.messages(t))
	notice := incident.Notice{Kind: incident.NoticeFirst, Organisation: "acme", Campaign: incident.Campaign{ID: "wormsweep-test", Title: "a test"}, Repositories: 1, Places: 2}
	if err := n.Notify(t.Context(), notice); err != nil {
		t.Error(err)
	}
	if got := e.messages(t); len(got) != before+1 {
		t.Errorf("Slack has %q", got)
	}
}
