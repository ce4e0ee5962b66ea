package ghclient_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/ghclient"
)

// canaries are secrets of every format, and the part of each that must not be seen.
var canaries = []struct{ text, secret string }{
	{"ghp_" + strings.Repeat("C0", 18), "C0C0"},
	{"gho_" + strings.Repeat("C0", 18), "C0C0"},
	{"ghu_" + strings.Repeat("C0", 18), "C0C0"},
	{"ghr_" + strings.Repeat("C0", 38), "C0C0"},
	{"ghs_" + strings.Repeat("C0", 18), "C0C0"},
	{"ghs_1234567_eyJhbGciOiJSUzI1NiJ9.C0C0C0C0-C0C0_C0.C0C0-C0C0", "C0C0"},
	{"github_pat_11ABCDEFG0" + strings.Repeat("C0", 6) + "_" + strings.Repeat("C0", 29), "C0C0"},
	{"eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.C0C0C0C0.C0C0C0_C0-C0", "C0C0"},
	{"Authorization: Basic QzBDMEMwQzBDMEMwQzA=", "QzBDM"},
	{"authorization: bearer C0C0C0C0C0C0", "C0C0"},
	{`"Authorization":"token C0C0C0C0C0C0"`, "C0C0"},
	{"https://x-access-token:C0C0C0C0@github.com/acme/web.git", "C0C0"},
	{"https://C0C0C0C0@github.com/acme/web.git", "C0C0"},
	{"x-access-token:C0C0C0C0", "C0C0"},
	{"-----BEGIN RSA PRIVATE KEY-----\nMIIC0C0C0\nC0C0\n-----END RSA PRIVATE KEY-----", "C0C0"},
	{`-----BEGIN PRIVATE KEY-----\nMIIC0C0C0\nC0C0`, "C0C0"},
	{"-----BEGIN ENCRYPTED PRIVATE KEY-----\r\nC0C0\r\n-----END ENCRYPTED PRIVATE KEY-----", "C0C0"},
	{"xoxb-123456789012-123456789012-C0C0C0C0C0C0", "C0C0"},
	{"xoxp-1-2-3-C0C0C0C0", "C0C0"},
	{"xoxe.xoxp-1-C0C0C0C0", "C0C0"},
	{"xapp-1-A0-1-C0C0C0C0", "C0C0"},
	{"https://hooks.slack.com/services/T00000000/B00000000/C0C0C0C0C0C0", "C0C0"},
	{"https://hooks.slack.com/workflows/T0/A0/1/C0C0C0C0C0C0", "C0C0"},
}

func TestRedact(t *testing.T) {
	for _, c := range canaries {
		for _, around := range []string{"%s", "a %s b", "%s\n", `{"message":"%s"}`, "token=%s&x=y", "ghp_%s", "Basic %s", "xoxb-1-%s", "(%s)", "x%s", "https://h/%s", "eyJ%s", "-----BEGIN PRIVATE KEY-----%s"} {
			text := fmt.Sprintf(around, c.text)
			got := ghclient.Redact(text)
			if strings.Contains(got, c.secret) || !strings.Contains(got, ghclient.Redacted) {
				t.Errorf("Redact(%q) = %q", text, got)
			}
		}
	}
	for _, text := range []string{
		"", "GET \"/repos/acme/web\": status 502", "https://github.com/acme/web.git", "high_level", "ghs_", "github_pat_",
		"basic auth", "the bearer of news", "commit 0123456789abcdef0123456789abcdef01234567", "xoxo", "eyJ", "user@example.com",
		"https://example.com/@scope/name?x=a@b", "-----BEGIN PUBLIC KEY-----", "https://hooks.slack.com", "pkg:npm/%40scope/x@1.2.3",
		"git+ssh://git/acme", "authorization: required",
	} {
		if got := ghclient.Redact(text); got != text {
			t.Errorf("Redact(%q) = %q; nothing in it is secret", text, got)
		}
	}
	if got, want := ghclient.Redact(`Get "https://u:p@host/x?t=ghp_0123456789a&y": no`), `Get "https[redacted]host/x?t=[redacted]&y": no`; got != want {
		t.Errorf("%q; want %q", got, want)
	}
}

// Whatever stands before and behind a secret, it does not come through; and what is redacted
// stays as it is.
func FuzzRedact(f *testing.F) {
	for i, c := range canaries {
		f.Add(uint8(i), "a ", " b")
		f.Add(uint8(i), c.text, c.text)
	}
	f.Add(uint8(8), "Basic AAAAABasic ", "")
	f.Add(uint8(0), "xoxb-0123456789", "@x")
	f.Add(uint8(21), "https://user:", "@github.com")
	f.Fuzz(func(t *testing.T, n uint8, before, after string) {
		c := canaries[int(n)%len(canaries)]
		if strings.Contains(before+after, c.secret) || strings.Contains(ghclient.Redacted, c.secret) {
			return
		}
		text := before + c.text + after
		got := ghclient.Redact(text)
		if strings.Contains(got, c.secret) {
			t.Errorf("Redact(%q) = %q", text, got)
		}
		if again := ghclient.Redact(got); again != got {
			t.Errorf("Redact(%q) = %q, and that redacted %q", text, got, again)
		}
	})
}

// GitHub, or what stands between, repeats in every part of an answer what it was sent.
// No error and no line of the log lets it through.
func TestNothingSecretLeaves(t *testing.T) {
	echo := func(status int, contentType string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, r *http.Request) {
			auth := r.Header.Get("Authorization")
			secret := strings.TrimPrefix(auth, "Bearer ")
			if basic, ok := strings.CutPrefix(auth, "Basic "); ok {
				decoded, _ := base64.StdEncoding.DecodeString(basic)
				secret = string(decoded)
			}
			w.Header().Set("Content-Type", contentType)
			w.Header().Set("X-Accepted-GitHub-Permissions", secret)
			if status == 301 {
				w.Header().Set("Location", "https://"+secret+"@evil.example/"+secret)
			}
			if status == 200 {
				w.Header().Set("Link", `<https://evil.example/`+secret+`>; rel="next"`)
			}
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"message":"%s","documentation_url":"%s","errors":[{"type":"%[1]s","message":"%[1]s","path":["%[1]s"],"code":"%[1]s"}],"data":"%[1]s"}`, auth, secret)
		}
	}
	for _, odd := range []string{token, installationToken, "CanaryCanary", "0123456789abcdefCanaryCanary0123456789ab"} {
		for _, status := range []int{200, 301, 400, 401, 403, 404, 422, 429, 451, 500, 504} {
			for _, contentType := range []string{"application/json", "text/html"} {
				f := serve(t)
				f.Config.Handler = http.HandlerFunc(echo(status, contentType))
				b := connect(t, f.URL, func(o *ghclient.Options) { o.Auth.Token = odd })
				var into struct{ Data int }
				_, err := b.Get(t.Context(), "orgs/"+odd, nil, &into)
				if err == nil {
					t.Errorf("%d: no error", status)
					continue
				}
				noSecrets(t, err.Error())
				if err := b.GraphQL(t.Context(), "{a}", nil, &into); err != nil {
					noSecrets(t, err.Error())
				}
				if _, _, err := b.REST().Organizations.Get(t.Context(), "acme"); err != nil {
					noSecrets(t, err.Error())
				}
				if _, _, err := b.REST().Issues.Create(t.Context(), "acme", "x", nil); err != nil {
					noSecrets(t, err.Error())
				}
				resp, err := (&http.Client{Transport: b.GitTransport()}).Get(f.URL + "/acme/web.git")
				if err != nil {
					noSecrets(t, err.Error())
				} else {
					io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
			}
		}
	}
}
