package registrytest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// put sends a body by a method, and gives the status.
func put(t *testing.T, method, url, body string, header ...string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// A write that does not know the newest revision is refused: a worm that publishes in between
// must not be lost, and neither must the other's change.
func TestStaleRevisions(t *testing.T) {
	srv := New(t)
	n := srv.NPM()
	n.Publish("a", NPMVersion{Version: "1.0.0"})
	n.Publish("a", NPMVersion{Version: "1.1.0"})
	read := func() (body, rev string) {
		t.Helper()
		_, body, err := get(t, n.URL+"/a?write=true")
		if err != nil {
			t.Fatal(err)
		}
		var doc struct {
			Rev string `json:"_rev"`
		}
		if err := json.Unmarshal([]byte(body), &doc); err != nil || doc.Rev == "" {
			t.Fatalf("%v: %s", err, body)
		}
		return body, doc.Rev
	}
	stale, staleRev := read()
	n.Publish("a", NPMVersion{Version: "1.2.0"}) // somebody else
	for _, tt := range []struct {
		name, method, path, body string
		want                     int
	}{
		{"deprecate, stale", http.MethodPut, "/a", stale, 409},
		{"deprecate, made up", http.MethodPut, "/a", `{"_rev":"1-deadbeef","versions":{}}`, 409},
		{"deprecate, without", http.MethodPut, "/a", `{"versions":{}}`, 409},
		{"unpublish, stale", http.MethodPut, "/a/-rev/" + staleRev, stale, 409},
		{"delete a tarball, stale", http.MethodDelete, "/a/-/a-1.0.0.tgz/-rev/" + staleRev, "", 409},
		{"delete all, stale", http.MethodDelete, "/a/-rev/" + staleRev, "", 409},
		{"no document", http.MethodPut, "/a", `[`, 400},
		{"of no package", http.MethodPut, "/b", `{"_rev":"1-x","versions":{}}`, 404},
		{"another method", http.MethodDelete, "/a", "", 405},
	} {
		if got := put(t, tt.method, n.URL+tt.path, tt.body); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
	body, rev := read()
	for _, v := range []string{"1.0.0", "1.1.0", "1.2.0"} {
		if !strings.Contains(body, `"a@`+v+`"`) {
			t.Errorf("%s is lost", v)
		}
	}
	if got := put(t, http.MethodPut, n.URL+"/a", strings.ReplaceAll(body, `"version":"1.0.0"`, `"version":"1.0.0","deprecated":"old"`)); got != 201 {
		t.Errorf("deprecate, fresh: %d", got)
	}
	if got := put(t, http.MethodDelete, n.URL+"/a/-rev/"+rev, ""); got != 409 {
		t.Errorf("delete with the revision before: %d", got)
	}
	body, rev = read()
	if !strings.Contains(body, `"deprecated":"old"`) {
		t.Errorf("not deprecated: %s", body)
	}
	if got := put(t, http.MethodDelete, n.URL+"/a/-rev/"+rev, ""); got != 201 {
		t.Errorf("delete all: %d", got)
	}
	if body, _ = read(); !strings.Contains(body, `"unpublished":`) || strings.Contains(body, "a@1.0.0") {
		t.Errorf("after that: %s", body)
	}
	// A number that was given is burnt.
	if got := put(t, http.MethodPut, n.URL+"/a", `{"versions":{"1.0.0":{}},"_attachments":{"a-1.0.0.tgz":{"data":"eA=="}}}`); got != 403 {
		t.Errorf("publishing a number again: %d", got)
	}
}

func TestNPMTokens(t *testing.T) {
	srv := New(t)
	n := srv.NPM()
	n.Publish("a", NPMVersion{Version: "1.0.0"})
	n.RequireToken("t")
	for token, want := range map[string]int{"": 401, "Bearer x": 401, "Bearer t": 200} {
		if resp, _, _ := get(t, n.URL+"/a", "Authorization", token); resp.StatusCode != want {
			t.Errorf("%q: %d, want %d", token, resp.StatusCode, want)
		}
	}
}

// A mirror has less than its origin, and nothing that its origin has not.
func TestNPMMirror(t *testing.T) {
	srv := New(t)
	n := srv.NPM()
	n.Publish("@a/b", NPMVersion{
		Version: "1.0.0", User: "x", TrustedPublisher: "github", Signatures: []NPMSignature{{"k", "s"}},
		Attestations: []NPMAttestation{{"p", json.RawMessage(`{}`)}},
	})
	n.SetKeys(NPMKey{KeyID: "k"})
	has := func() (found []string) {
		t.Helper()
		_, body, err := get(t, n.URL+"/@a%2fb")
		if err != nil {
			t.Fatal(err)
		}
		for _, field := range []string{"_npmUser", "trustedPublisher", "signatures", "attestations", "maintainers"} {
			if strings.Contains(body, field) {
				found = append(found, field)
			}
		}
		return found
	}
	paths := []string{"/-/npm/v1/keys", "/-/npm/v1/attestations/@a%2fb@1.0.0"}
	if got := has(); len(got) != 5 {
		t.Errorf("the origin has %q", got)
	}
	for _, path := range paths {
		if resp, _, _ := get(t, n.URL+path); resp.StatusCode != 200 {
			t.Errorf("%s of the origin: %d", path, resp.StatusCode)
		}
	}
	n.SetMirror(true, 0)
	if got := has(); len(got) != 0 {
		t.Errorf("the mirror has %q", got)
	}
	for _, path := range paths {
		if resp, _, _ := get(t, n.URL+path); resp.StatusCode != 404 {
			t.Errorf("%s of the mirror: %d", path, resp.StatusCode)
		}
	}
	if kinds := fmt.Sprint(len(srv.Counts())); kinds != "3" {
		t.Errorf("%v", srv.Counts())
	}
}
