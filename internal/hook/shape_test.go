package hook_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/hook"
	"github.com/wormsweep/wormsweep/internal/xtest"
)

// TestAbuse6: row 6. The header with the event's name is not signed. A body is taken as the event
// that it is of, and refused as any other that is known.
func TestAbuse6(t *testing.T) {
	var bodies []string
	for _, dir := range []string{xtest.Data(t, "conformance/github-webhooks"), "testdata/shapes"} {
		found, err := filepath.Glob(filepath.Join(dir, "*/*.json"))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: no bodies: %v", dir, err)
		}
		bodies = append(bodies, found...)
	}
	for _, file := range bodies {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		own := filepath.Base(filepath.Dir(file))
		for _, event := range append(hook.Known(), own) {
			r := newReceiver(t, hook.Options{})
			req := delivery(body)
			req.Header.Set("X-GitHub-Event", event)
			want := http.StatusBadRequest
			if event == own {
				want = http.StatusAccepted
			}
			if status := r.send(req); status != want {
				t.Errorf("%s as %q: %d, want %d", file, event, status, want)
			}
		}
	}
}

// TestShape: bodies that are of no event.
func TestShape(t *testing.T) {
	for _, tt := range []struct {
		event, body string
		want        int
	}{
		{"unheard_of", `{}`, 202},
		{"unheard_of", `{"zen": 1, "action": 7, "installation": null}`, 202},
		{"unheard_of", `{"a": "\ud800"}`, 202},
		{"unheard_of", `{"action": "\u0000"}`, 202},
		{"unheard_of", "{\"a\": \"\xff\"}", 202},
		{"unheard_of", ``, 400},
		{"unheard_of", `[]`, 400},
		{"unheard_of", `"push"`, 400},
		{"unheard_of", `{`, 400},
		{"unheard_of", `{} {}`, 400},
		{"unheard_of", `{"a": 1, "a": 2}`, 400},
		{"unheard_of", `{"installation": {"id": 1, "id": 2}}`, 400},
		{"unheard_of", `{"installation": {"id": 1.5}}`, 400},
		{"unheard_of", `{"installation": {"id": 99999999999999999999}}`, 400},
		{"unheard_of", `{"a": ` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`, 400},
		{"ping", `{"Zen": 1, "hook": 1, "hook_id": 1}`, 400},
		{"ping", `{"zen": 1, "hook": 1, "hook_id": 1}`, 202},
		{"repository", `{"action": "deleted", "repository": {}, "installation": {"id": 1}}`, 202},
		{"installation", `{"action": "deleted", "repository": {}, "installation": {"id": 1}}`, 400},
		{"installation", `{"action": "deleted", "repository": {}, "installation": {"id": 1, "account": {}, "app_id": 1}}`, 400},
	} {
		r := newReceiver(t, hook.Options{})
		req := delivery([]byte(tt.body))
		req.Header.Set("X-GitHub-Event", tt.event)
		if status := r.send(req); status != tt.want {
			t.Errorf("%s %.60s: %d, want %d", tt.event, tt.body, status, tt.want)
		}
	}
}

// FuzzBody: whatever the body and the event are, a signed delivery is taken or refused, and the
// same again; one that is taken is kept byte by byte.
func FuzzBody(f *testing.F) {
	for _, event := range hook.Known() {
		f.Add(event, []byte(`{"action": "created", "installation": {"id": 1}, "repository": {}}`))
	}
	f.Add("ping", ping)
	f.Add("push", []byte(`{"ref": "", "before": "", "after": "", "commits": [], "repository": {}, "installation": {"id": -9223372036854775808}}`))
	f.Add("alert", []byte(`{"alert": {"secret_type": [{}]}, "alert": 1}`))
	f.Add("x", []byte("{\"\xff\": 1e400}"))
	f.Fuzz(func(t *testing.T, event string, body []byte) {
		var statuses [2]int
		for i := range statuses {
			r := newReceiver(t, hook.Options{})
			req := delivery(body)
			req.Header.Set("X-GitHub-Event", event)
			statuses[i] = r.send(req)
			switch kept := r.kept["7/72d3162e-cc78-11e3-81ab-4c9367dc0958"]; statuses[i] {
			case http.StatusAccepted:
				if string(kept.Body) != string(body) || kept.Event != event {
					t.Errorf("%q %q is kept as %q %q", event, body, kept.Event, kept.Body)
				}
			case http.StatusBadRequest:
				if r.count() != 0 {
					t.Errorf("%q %q is refused and kept", event, body)
				}
			default:
				t.Errorf("%q %q: %d", event, body, statuses[i])
			}
		}
		if statuses[0] != statuses[1] {
			t.Errorf("%q %q: %v", event, body, statuses)
		}
	})
}
