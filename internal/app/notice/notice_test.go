package notice_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/app/notice"
	"github.com/wormsweep/wormsweep/internal/hook"
	"github.com/wormsweep/wormsweep/internal/jobs"
	"github.com/wormsweep/wormsweep/internal/triage"
	"github.com/wormsweep/wormsweep/internal/xtest"
)

func repository(name, visibility string) map[string]any {
	return map[string]any{"id": 7, "name": name, "full_name": "acme/" + name, "visibility": visibility, "private": visibility != "public", "owner": map[string]any{"login": "acme", "id": 1}}
}

func described(name, description string) map[string]any {
	r := repository(name, "public")
	r["description"] = description
	return r
}

func dependabot(action, summary, severity string) map[string]any {
	return map[string]any{"action": action, "repository": repository("web", "private"), "alert": map[string]any{
		"number": 5, "state": "open", "dependency": map[string]any{"package": map[string]any{"ecosystem": "npm", "name": "@scope/left"}, "manifest_path": "package-lock.json"},
		"security_advisory":      map[string]any{"ghsa_id": "GHSA-abcd-efgh-jkmn", "summary": summary, "severity": severity},
		"security_vulnerability": map[string]any{"package": map[string]any{"ecosystem": "npm", "name": "@scope/left"}, "vulnerable_version_range": "= 1.2.3"},
		"html_url":               "https://github.com/acme/web/security/dependabot/5",
	}}
}

func secret(action, validity string, leaked bool) map[string]any {
	return map[string]any{"action": action, "repository": repository("web", "private"), "alert": map[string]any{
		"number": 9, "secret_type": "npm_access_token", "validity": validity, "publicly_leaked": leaked, "secret": "npm_THISMUSTNOTSHOW",
	}}
}

func TestSignal(t *testing.T) {
	for _, tt := range []struct {
		event    string
		body     map[string]any
		alert    string // "" for no signal
		severity triage.Severity
		subject  string // a part that the key has
	}{
		{"dependabot_alert", dependabot("created", "Malware in @scope/left", "critical"), triage.AlertMalware, triage.Critical, "npm:@scope/left@"},
		{"dependabot_alert", dependabot("reintroduced", "Prototype pollution", "high"), triage.AlertAdvisory, triage.High, "npm:@scope/left@"},
		{"dependabot_alert", dependabot("fixed", "Malware in @scope/left", "critical"), "", 0, ""},
		{"secret_scanning_alert", secret("created", "unknown", false), triage.AlertSecret, triage.High, "acme/web"},
		{"secret_scanning_alert", secret("publicly_leaked", "unknown", true), triage.AlertSecret, triage.Critical, "acme/web"},
		{"secret_scanning_alert", secret("validated", "active", false), triage.AlertSecret, triage.Critical, "acme/web"},
		{"secret_scanning_alert", secret("resolved", "inactive", false), "", 0, ""},
		{"repository", map[string]any{"action": "created", "repository": repository("Shai-Hulud Migration", "public")}, triage.AlertPublicity, triage.Critical, "shai-hulud"},
		{"repository", map[string]any{"action": "created", "repository": repository("tool", "public")}, triage.AlertPublicity, triage.Low, "acme/tool"},
		{"repository", map[string]any{"action": "created", "repository": repository("tool", "private")}, "", 0, ""},
		{"repository", map[string]any{"action": "publicized", "repository": repository("tool", "public")}, triage.AlertPublicity, triage.High, "acme/tool"},
		{"repository", map[string]any{"action": "created", "repository": described("x8f3kq0", "Sha1-Hulud: The Second Coming.")}, triage.AlertPublicity, triage.Critical, "acme/x8f3kq0"},
		{"repository", map[string]any{"action": "edited", "repository": described("x8f3kq0", "shai_hulud migration")}, triage.AlertPublicity, triage.Critical, "acme/x8f3kq0"},
		{"repository", map[string]any{"action": "edited", "repository": described("tool", "a tool")}, "", 0, ""},
		{"public", map[string]any{"repository": described("x8f3kq0", "Shai-Hulud Migration")}, triage.AlertPublicity, triage.Critical, "acme/x8f3kq0"},
		{"repository", map[string]any{"action": "archived", "repository": repository("tool", "public")}, "", 0, ""},
		{"public", map[string]any{"repository": repository("tool", "public")}, triage.AlertPublicity, triage.High, "acme/tool"},
		{"member", map[string]any{"action": "added", "repository": repository("web", "private"), "member": map[string]any{"login": "mallory", "id": 4}, "changes": map[string]any{"role_name": map[string]any{"to": "admin"}}}, triage.AlertMember, triage.Medium, "mallory"},
		{"member", map[string]any{"action": "added", "repository": repository("web", "private"), "member": map[string]any{"login": "mallory", "id": 4}, "changes": map[string]any{"role_name": map[string]any{"to": "write"}}}, triage.AlertMember, triage.Low, "mallory"},
		{"member", map[string]any{"action": "added", "repository": repository("web", "private"), "member": map[string]any{"login": "mallory", "id": 4}}, triage.AlertMember, triage.Medium, "mallory"}, // nobody says with which role
		{"member", map[string]any{"action": "removed", "repository": repository("web", "private"), "member": map[string]any{"login": "mallory", "id": 4}}, "", 0, ""},
		{"deploy_key", map[string]any{"action": "created", "repository": repository("web", "private"), "key": map[string]any{"id": 3, "title": "ci", "read_only": false, "added_by": "mallory"}}, triage.AlertMember, triage.Medium, "mallory"},
	} {
		if strings.Contains(tt.body["repository"].(map[string]any)["name"].(string), " ") {
			tt.body["repository"] = repository("Shai-Hulud-Migration", "public")
		}
		body, err := json.Marshal(tt.body)
		if err != nil {
			t.Fatal(err)
		}
		d := hook.Delivery{ID: "one", Event: tt.event, Received: time.Unix(1.8e9, 0), Body: body}
		s, noticed, err := notice.Signal(d)
		if err != nil || noticed != (tt.alert != "") {
			t.Errorf("%s %s: noticed %t, %v", tt.event, body, noticed, err)
			continue
		}
		if !noticed {
			continue
		}
		if s.AlertID != tt.alert || s.Severity != tt.severity || !strings.Contains(s.Subject.Key(), tt.subject) {
			t.Errorf("%s %s: %s %s %q", tt.event, body, s.AlertID, s.Severity, s.Subject.Key())
		}
		if text, err := json.Marshal(s); err != nil || strings.Contains(string(text), "MUSTNOTSHOW") {
			t.Errorf("a secret is in %s, %v", text, err)
		}
		// Delivered again under another id: the same signal.
		d.ID, d.Received = "two", d.Received.Add(time.Minute)
		if again, _, err := notice.Signal(d); err != nil || again.Fingerprint != s.Fingerprint || again.SourceRef != s.SourceRef {
			t.Errorf("%s again: %q %q, %v", tt.event, again.Fingerprint, again.SourceRef, err)
		}
	}
}

// TestAlertAgain: what becomes of an alert later is news of the same signal.
func TestAlertAgain(t *testing.T) {
	for event, bodies := range map[string][]map[string]any{
		"secret_scanning_alert": {secret("created", "unknown", false), secret("publicly_leaked", "unknown", true), secret("validated", "active", true), secret("reopened", "active", true), secret("reopened", "active", true)},
		"dependabot_alert":      {dependabot("created", "Malware in x", "critical"), dependabot("reintroduced", "Malware in x", "critical"), dependabot("reintroduced", "Malware in x", "critical")},
	} {
		var last triage.Signal
		refs := map[string]bool{}
		for _, body := range bodies {
			body["alert"].(map[string]any)["updated_at"] = fmt.Sprintf("2026-11-0%dT06:00:00Z", len(refs)+1)
			text, err := json.Marshal(body)
			if err != nil {
				t.Fatal(err)
			}
			s, _, err := notice.Signal(hook.Delivery{Event: event, Received: time.Unix(1.8e9, 0), Body: text})
			if err != nil || last.Fingerprint != "" && s.Fingerprint != last.Fingerprint || refs[s.SourceRef] {
				t.Errorf("%s: %q is known already, or of another fingerprint: %v", text, s.SourceRef, err)
			}
			last, refs[s.SourceRef] = s, true
		}
	}
}

// TestEvents: GitHub's own examples read, and those that are for somebody else are no signal here.
func TestEvents(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(xtest.Data(t, "conformance/github-webhooks"), "*", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	read := 0
	for _, file := range files {
		event := filepath.Base(filepath.Dir(file))
		if !slices.Contains(notice.Events, event) {
			continue
		}
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := notice.Signal(hook.Delivery{Event: event, Body: body}); err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
		}
		read++
	}
	if read == 0 {
		t.Error("no example was read")
	}
}

type refusing struct{}

func (refusing) Signal(context.Context, triage.Signal) error { return errors.New("full") }

// TestHandler: a body that does not read is dead, and a signal that is not kept is tried again.
func TestHandler(t *testing.T) {
	h := notice.Handler(refusing{})
	var dead *jobs.DeadError
	if err := h.Handle(t.Context(), hook.Delivery{Event: "member", Body: []byte(`{"action":1}`)}, nil); !errors.As(err, &dead) {
		t.Errorf("%v; want that it is given up", err)
	}
	body, _ := json.Marshal(secret("created", "active", true))
	if err := h.Handle(t.Context(), hook.Delivery{Event: "secret_scanning_alert", Body: body}, nil); err == nil || errors.As(err, &dead) {
		t.Errorf("%v; want that it is tried again", err)
	}
}

// FuzzSignal: no body makes it panic, and one answer is given twice.
func FuzzSignal(f *testing.F) {
	for _, body := range []map[string]any{dependabot("created", "Malware in x", "low"), secret("created", "", false)} {
		text, _ := json.Marshal(body)
		f.Add("dependabot_alert", text)
		f.Add("secret_scanning_alert", text)
	}
	f.Add("public", []byte(`{"repository":{"id":1,"name":"a","full_name":"b/a","owner":{"login":"b","id":2}}}`))
	f.Add("public", []byte(`{"repository":null}`))
	f.Add("repository", []byte(`{"action":"created"}`))
	f.Fuzz(func(t *testing.T, event string, body []byte) {
		d := hook.Delivery{Event: event, Body: body}
		one, noticed, err := notice.Signal(d)
		two, again, err2 := notice.Signal(d)
		if noticed != again || (err == nil) != (err2 == nil) || one.ID != two.ID {
			t.Errorf("%v %v, then %v %v", one, err, two, err2)
		}
	})
}
