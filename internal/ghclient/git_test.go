package ghclient_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/ghclient"
)

const (
	pack    = "POST /acme/web.git/git-upload-pack"
	packURL = "/acme/web.git/git-upload-pack"
)

func TestGit(t *testing.T) {
	f := serve(t, step{want: pack, do: func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		body, _ := io.ReadAll(r.Body)
		if user != "x-access-token" || password != token || string(body) != "0000" || r.Header.Get("User-Agent") != "git/wormsweep" {
			t.Errorf("%q %q, body %q, agent %q", user, password, body, r.Header.Get("User-Agent"))
		}
		io.WriteString(w, "PACK")
	}})
	b := connect(t, f.URL)
	if got, want := b.GitURL("acme", "web"), f.URL+"/acme/web.git"; got != want {
		t.Errorf("GitURL %q; want %q", got, want)
	}
	resp, err := (&http.Client{Transport: b.GitTransport()}).Post(b.GitURL("acme", "web")+"/git-upload-pack", "", strings.NewReader("0000"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); string(body) != "PACK" || err != nil {
		t.Errorf("%q, %v", body, err)
	}
	if resp.Request.Header.Get("Authorization") != "" {
		t.Error("the answer's request holds the token")
	}
	if got, want := b.Stats(), (ghclient.Stats{Git: 1}); got != want {
		t.Errorf("%+v; want %+v", got, want)
	}
}

// Git's answers are handed on as they are; after 401 there is another token.
func TestGitRenews(t *testing.T) {
	now := newClock().Now()
	signed := func(token string, status int) step {
		return step{want: pack, do: func(w http.ResponseWriter, r *http.Request) {
			if _, got, _ := r.BasicAuth(); got != token {
				t.Errorf("signed with %q; want %q", got, token)
			}
			w.WriteHeader(status)
		}}
	}
	f := serve(t, minted(now, "1"), signed(installationToken+"1", 401), minted(now, "2"), signed(installationToken+"2", 429))
	b := connect(t, f.URL, asInstalled)
	c, err := b.Installation(t.Context(), "acme", reading)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{401, 429} {
		resp, err := (&http.Client{Transport: c.GitTransport()}).Post(f.URL+packURL, "", strings.NewReader("0000"))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("status %d; want %d", resp.StatusCode, want)
		}
	}
}

func TestGitErrors(t *testing.T) {
	evil := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("a request reached the other host: %s, %q", r.URL, r.Header)
	}))
	defer evil.Close()
	f := serve(t, step{want: pack, status: 307, header: map[string]string{"Location": evil.URL + packURL}}, step{want: pack, do: reset})
	post := func(b *bench, url, want string) {
		t.Helper()
		_, err := (&http.Client{Transport: b.GitTransport()}).Post(url, "", strings.NewReader("0000"))
		oneClearLine(t, err, want)
	}
	b := connect(t, f.URL)
	post(b, f.URL+packURL, "redirected to another place than this GitHub's repositories: not followed")
	post(b, evil.URL+packURL, "is not where this GitHub's repositories are: not sent")
	post(b, f.URL+packURL, `git POST "/acme/web.git/git-upload-pack": `)
	post(connect(t, f.URL, asApp), f.URL+packURL, "an App reads repositories with the token of an installation")
}
