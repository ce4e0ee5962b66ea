package ghclient_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v4"

	"github.com/wormsweep/wormsweep/internal/ghclient"
)

// installationToken is a canary of the long form.
const installationToken = "ghs_12345_eyJhbGciOiJSUzI1NiJ9.CanaryCanary.CanaryCanarySignature"

const (
	lookUp = "GET /api/v3/orgs/acme/installation"
	mint   = "POST /api/v3/app/installations/7/access_tokens"
)

var reading = ghclient.Permissions{"contents": "read", "metadata": "read"}

func asApp(o *ghclient.Options) {
	o.Auth = ghclient.Auth{AppID: 5, AppKey: pemOf(keys()[0])}
}

// asInstalled saves the look-up.
func asInstalled(o *ghclient.Options) {
	asApp(o)
	o.Auth.InstallationID = 7
}

// found answers the look-up of an installation.
func found(more string) step {
	return step{want: lookUp, body: `{"id":7,"permissions":{"contents":"read","metadata":"read"}` + more + `}`}
}

// minted answers with a token that lives for an hour from now on.
func minted(now time.Time, n string) step {
	return step{want: mint, status: 201, body: fmt.Sprintf(`{"token":%q,"expires_at":%q,"repository_selection":"all"}`,
		installationToken+n, now.Add(time.Hour).Format(time.RFC3339))}
}

// signedWith checks that a request carries the token, and answers it.
func signedWith(t *testing.T, token string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != "Bearer "+token {
			t.Errorf("%s: Authorization %q; want %q", r.URL, got, token)
		}
		io.WriteString(w, "{}")
	}
}

// The App signs as itself, by our clock, to find the installation and to make a token with
// no more than was asked for.
func TestInstallation(t *testing.T) {
	var b *bench
	asked := func(next step, body string) step {
		return step{want: next.want, do: func(w http.ResponseWriter, r *http.Request) {
			signed, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
			claims := &jwt.RegisteredClaims{}
			parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithoutClaimsValidation())
			if _, err := parser.ParseWithClaims(signed, claims, func(*jwt.Token) (any, error) { return &keys()[0].PublicKey, nil }); err != nil {
				t.Errorf("%s: %v", r.URL, err)
			}
			now := b.clock.Now()
			if claims.Issuer != "5" || !claims.IssuedAt.Equal(now.Add(-time.Minute)) || !claims.ExpiresAt.Equal(now.Add(8*time.Minute)) {
				t.Errorf("%s: claims %+v at %v", r.URL, claims, now)
			}
			if got, _ := io.ReadAll(r.Body); string(got) != body {
				t.Errorf("%s: body %s; want %s", r.URL, got, body)
			}
			answer(w, next)
		}}
	}
	start := newClock().Now()
	f := serve(t,
		asked(found(""), ""),
		asked(minted(start, "1"), `{"permissions":{"contents":"read","metadata":"read"}}`),
		step{want: getPath, do: signedWith(t, installationToken+"1")},
		asked(minted(start, "2"), `{"permissions":{"issues":"write"},"repository_ids":[3,4]}`), // the look-up is remembered
		step{want: getPath, do: signedWith(t, installationToken+"2")},
		// 56 minutes later.
		asked(minted(start.Add(56*time.Minute), "3"), `{"permissions":{"contents":"read","metadata":"read"}}`),
		step{want: getPath, do: signedWith(t, installationToken+"3")},
		step{want: "DELETE /api/v3/installation/token", do: signedWith(t, installationToken+"3")},
	)
	b = connect(t, f.URL, asApp)
	reader, err := b.Installation(t.Context(), "acme", reading)
	if err != nil {
		t.Fatal(err)
	}
	get := func(c *ghclient.Client) {
		t.Helper()
		if _, err := c.Get(t.Context(), "orgs/acme", nil, nil); err != nil {
			t.Error(err)
		}
	}
	get(reader)
	writer, err := reader.Installation(t.Context(), "ACME", ghclient.Permissions{"issues": "write"}, 3, 4)
	if err != nil {
		t.Fatal(err)
	}
	get(writer)
	b.clock.Sleep(t.Context(), 56*time.Minute)
	get(reader)
	if !b.App() || !reader.App() || b.Kind() != ghclient.KindApp || reader.Kind() != ghclient.KindInstallation {
		t.Errorf("App %v, %v; kinds %q, %q", b.App(), reader.App(), b.Kind(), reader.Kind())
	}
	for range 2 { // the second has nothing to revoke
		if err := reader.Revoke(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if got, want := writer.Stats(), (ghclient.Stats{REST: 3, Token: 5}); got != want {
		t.Errorf("%+v; want %+v", got, want)
	}
}

// Many at once make one token.
func TestOneToken(t *testing.T) {
	var b *bench
	var mu sync.Mutex
	tokens, requests := 0, 0
	f := serve(t)
	f.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.Method == http.MethodPost {
			tokens++
			answer(w, minted(b.clock.Now(), ""))
			return
		}
		requests++
		io.WriteString(w, "{}")
	})
	b = connect(t, f.URL, asInstalled)
	c, err := b.Installation(t.Context(), "acme", reading)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		var done sync.WaitGroup
		for range 30 {
			done.Go(func() {
				if _, err := c.Get(t.Context(), "orgs/acme", nil, nil); err != nil {
					t.Error(err)
				}
			})
		}
		done.Wait()
		b.clock.Sleep(t.Context(), time.Hour)
	}
	if tokens != 2 || requests != 60 {
		t.Errorf("%d tokens for %d requests", tokens, requests)
	}
}

// A token that ended early is replaced, once.
func TestTokenEndsEarly(t *testing.T) {
	now := newClock().Now()
	ended := step{want: getPath, status: 401, body: `{"message":"Bad credentials"}`}
	f := serve(t, minted(now, "1"), ended, minted(now, "2"), step{want: getPath, do: signedWith(t, installationToken+"2")},
		ended, minted(now, "3"), ended)
	b := connect(t, f.URL, asInstalled)
	c, err := b.Installation(t.Context(), "acme", reading)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Get(t.Context(), "orgs/acme", nil, nil); err != nil {
		t.Error(err)
	}
	if _, err := c.Get(t.Context(), "orgs/acme", nil, nil); !errors.Is(err, ghclient.ErrBadCredentials) {
		t.Errorf("error %v", err)
	}
}

// What is wrong with an App is one line.
func TestInstallationErrors(t *testing.T) {
	now := newClock().Now()
	jwt401 := func(message string) step {
		return step{want: lookUp, status: 401, body: `{"message":"` + message + `"}`}
	}
	missing := step{want: lookUp, status: 404, body: `{"message":"Not Found"}`}
	refused := step{want: mint, status: 422, body: `{"message":"The permissions requested are not granted to this installation."}`}
	for _, tt := range []struct {
		name  string
		steps []step
		want  string
		as    func(error) bool
	}{
		{"wrong key", []step{jwt401("A JSON web token could not be decoded")}, `GitHub refused the App's key: bad credentials: the private key is not of the App with id 5`, is(ghclient.ErrBadCredentials)},
		{"wrong clock", []step{jwt401("'Expiration time' claim ('exp') is too far in the future")}, "the clock of this machine is wrong", is(ghclient.ErrBadCredentials)},
		{"no such App", []step{{want: lookUp, status: 404, body: `{"message":"Integration not found"}`}}, "there is no GitHub App with id 5", is(ghclient.ErrBadCredentials)},
		{"not installed", []step{missing, {want: "GET /api/v3/users/acme/installation", status: 404}}, `the GitHub App 5 is not installed on "acme", or there is no such account`, is(ghclient.ErrNotFound)},
		{"suspended, seen early", []step{found(`,"suspended_at":"2026-01-01T00:00:00Z"`)}, `the App's installation 7 on "acme" is suspended`, as[*ghclient.SuspendedError]},
		{"suspended", []step{found(""), {want: mint, status: 403, body: `{"message":"This installation has been suspended"}`}}, `the App's installation 7 on "acme" is suspended`, as[*ghclient.SuspendedError]},
		{"not granted", []step{found(""), refused}, `not permitted: it needs the permission "issues=write"`, as[*ghclient.NotPermittedError]},
		{"not granted any more", []step{{want: lookUp, body: `{"id":7,"permissions":{"contents":"read","issues":"write","metadata":"read"}}`}, refused, {want: "GET /api/v3/app/installations/7", body: `{"id":7,"permissions":{"contents":"read","issues":"read"}}`}}, `not permitted: it needs the permission "issues=write, metadata=read"`, as[*ghclient.NotPermittedError]},
		{"not granted, and nobody says what", []step{{want: lookUp, body: `{"id":7}`}, refused, {want: "GET /api/v3/app/installations/7", status: 404}}, `not permitted: it needs the permission "contents=read, issues=write, metadata=read"`, as[*ghclient.NotPermittedError]},
		{"not its repository", []step{found(""), {want: mint, status: 422, body: `{"message":"There is at least one repository that does not exist or is not accessible to the parent installation."}`}}, `status 422 ("There is at least one repository`, as[*ghclient.StatusError]},
		{"uninstalled meanwhile", []step{found(""), {want: mint, status: 404, body: `{}`}}, `the GitHub App 5 has no installation 7 on "acme"`, is(ghclient.ErrNotFound)},
		{"no token", []step{found(""), {want: mint, status: 201, body: `{}`}}, "the answer holds no token", nil},
		{"a token with a line end", []step{found(""), {want: mint, status: 201, body: `{"token":"CanaryCanary\nX: y"}`}}, "the answer holds no token", nil},
		{"an old token", []step{found(""), minted(now.Add(-2*time.Hour), "")}, "the new token ended at 2033-05-18T02:33:20Z by the clock of this machine", nil},
		{"no id", []step{{want: lookUp, body: `{}`}}, "an installation without an id", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := connect(t, serve(t, tt.steps...).URL, asApp)
			perms := ghclient.Permissions{"contents": "read", "issues": "write", "metadata": "read"}
			_, err := b.Installation(t.Context(), "acme", perms)
			oneClearLine(t, err, tt.want)
			if tt.as != nil && !tt.as(err) {
				t.Errorf("error %T %v", err, err)
			}
		})
	}
	b := connect(t, serve(t).URL, asApp)
	_, err := b.Installation(t.Context(), "acme", nil)
	oneClearLine(t, err, "no permissions named")
	_, err = b.Installation(t.Context(), "acme", reading, make([]int64, 501)...)
	oneClearLine(t, err, "501 repositories")
}

// The installation of a repository, and a user's.
func TestOtherAccounts(t *testing.T) {
	now := newClock().Now()
	b := connect(t, serve(t,
		step{want: "GET /api/v3/repos/acme/web%2Fx/installation", body: `{"id":7}`}, minted(now, ""),
		step{want: "GET /api/v3/orgs/ann/installation", status: 404, body: "{}"},
		step{want: "GET /api/v3/users/ann/installation", body: `{"id":7}`}, minted(now, ""),
	).URL, asApp)
	for _, account := range []string{"acme/web/x", "ann"} {
		if _, err := b.Installation(t.Context(), account, reading); err != nil {
			t.Error(err)
		}
	}
}

// A token that makes tokens counts to the budget, ending one does not.
func TestRevokeIsBeyondTheBudget(t *testing.T) {
	b := connect(t, serve(t, minted(newClock().Now(), ""), step{want: "DELETE /api/v3/installation/token", status: 204}).URL,
		asInstalled, func(o *ghclient.Options) { o.MaxRequests = 1 })
	c, err := b.Installation(t.Context(), "acme", reading)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Get(t.Context(), "orgs/acme", nil, nil); !errors.Is(err, ghclient.ErrBudget) {
		t.Errorf("error %v", err)
	}
	if err := c.Revoke(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestPlainToken(t *testing.T) {
	b := connect(t, serve(t).URL)
	c, err := b.Installation(t.Context(), "acme", nil)
	if err != nil || c != b.Client || c.App() || c.Kind() != ghclient.KindPersonal {
		t.Errorf("%v, error %v, App %v, kind %q", c, err, c.App(), c.Kind())
	}
	if err := c.Revoke(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestSeesOneRepository(t *testing.T) {
	const list = "GET /api/v3/installation/repositories?per_page=1"
	given := func(o *ghclient.Options) { o.Auth.Token = installationToken }
	for _, tt := range []struct {
		body string
		name string
		one  bool
	}{
		{`{"total_count":1,"repositories":[{"full_name":"acme/web"}]}`, "acme/web", true},
		{`{"total_count":40,"repositories":[{"full_name":"acme/web"}]}`, "", false},
	} {
		b := connect(t, serve(t, step{want: list, body: tt.body}).URL, given)
		name, one, err := b.SeesOneRepository(t.Context())
		if name != tt.name || one != tt.one || err != nil || b.Kind() != ghclient.KindGivenToken {
			t.Errorf("%s: %q, %v, %v", tt.body, name, one, err)
		}
	}
	b := connect(t, serve(t).URL) // a person's token: nobody is asked
	if _, one, err := b.SeesOneRepository(t.Context()); one || err != nil {
		t.Errorf("%v, %v", one, err)
	}
	b = connect(t, serve(t, step{want: list, status: 404, body: "{}"}).URL, given)
	if _, _, err := b.SeesOneRepository(t.Context()); !errors.Is(err, ghclient.ErrNotFound) {
		t.Errorf("error %v", err)
	}
}

func TestNew(t *testing.T) {
	key := pemOf(keys()[0])
	oneLine := []byte(strings.ReplaceAll(strings.TrimSpace(string(key)), "\n", `\n`))
	pkcs8, err := x509.MarshalPKCS8PrivateKey(keys()[0])
	if err != nil {
		t.Fatal(err)
	}
	elliptical, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ec, err := x509.MarshalPKCS8PrivateKey(elliptical)
	if err != nil {
		t.Fatal(err)
	}
	private := func(der []byte) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&keys()[0].PublicKey)})
	for _, tt := range []struct {
		name string
		opts ghclient.Options
		want string // of the error
	}{
		{"token", ghclient.Options{Auth: ghclient.Auth{Token: " " + token + "\n"}}, ""},
		{"App", ghclient.Options{Auth: ghclient.Auth{AppID: 5, AppKey: key}}, ""},
		{"App, key in one line", ghclient.Options{Auth: ghclient.Auth{AppID: 5, AppKey: oneLine}}, ""},
		{"App, PKCS 8", ghclient.Options{Auth: ghclient.Auth{AppID: 5, AppKey: private(pkcs8)}}, ""},
		{"nothing", ghclient.Options{}, "neither a token nor a GitHub App is given"},
		{"both", ghclient.Options{Auth: ghclient.Auth{Token: token, AppID: 5}}, "both a token and a GitHub App"},
		{"token of two lines", ghclient.Options{Auth: ghclient.Auth{Token: token + "\n" + token}}, "the token holds characters that no token has"},
		{"no id", ghclient.Options{Auth: ghclient.Auth{AppKey: key}}, "has a key and no id"},
		{"no key", ghclient.Options{Auth: ghclient.Auth{AppID: 5}}, "the GitHub App 5 has no private key"},
		{"no PEM", ghclient.Options{Auth: ghclient.Auth{AppID: 5, AppKey: []byte("CanaryCanary")}}, "private key of the GitHub App 5: not a PEM file"},
		{"cut PEM", ghclient.Options{Auth: ghclient.Auth{AppID: 5, AppKey: key[:len(key)/2]}}, "private key of the GitHub App 5: not a PEM file"},
		{"damaged", ghclient.Options{Auth: ghclient.Auth{AppID: 5, AppKey: private(pkcs8[:100])}}, "not a private key, or a damaged one"},
		{"public", ghclient.Options{Auth: ghclient.Auth{AppID: 5, AppKey: public}}, "not a private key, or a damaged one"},
		{"not RSA", ghclient.Options{Auth: ghclient.Auth{AppID: 5, AppKey: private(ec)}}, "not an RSA key"},
		{"budget", ghclient.Options{Auth: ghclient.Auth{Token: token}, MaxRequests: -1}, "a budget of -1"},
		{"address", ghclient.Options{Auth: ghclient.Auth{Token: token}, BaseURL: "ftp://x"}, `"ftp://x"`},
	} {
		_, err := ghclient.New(tt.opts)
		if tt.want == "" && err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if tt.want != "" {
			oneClearLine(t, err, tt.want)
		}
	}
}

// With another App's key, GitHub's own check of the signature is what fails.
func TestWrongKeyIsTold(t *testing.T) {
	f := serve(t, step{want: lookUp, do: func(w http.ResponseWriter, r *http.Request) {
		signed, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		_, err := jwt.Parse(signed, func(*jwt.Token) (any, error) { return &keys()[1].PublicKey, nil })
		if err == nil {
			t.Error("the signature is of the other key")
		}
		answer(w, step{status: 401, body: `{"message":"A JSON web token could not be decoded"}`})
	}})
	b := connect(t, f.URL, asApp)
	_, err := b.Installation(t.Context(), "acme", reading)
	oneClearLine(t, err, "the private key is not of the App with id 5")
}

// Two clients of one installation share what GitHub says of its limit, and the App itself
// has its own.
func TestLimitsByInstallation(t *testing.T) {
	now := newClock().Now()
	f := serve(t, minted(now, "1"), minted(now, "2"),
		step{want: getPath, header: map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": newClock().in(10 * time.Minute)}, body: "{}"},
		step{want: "GET /api/v3/app", body: "{}"}, step{want: getPath, body: "{}"})
	b := connect(t, f.URL, asInstalled)
	var two [2]*ghclient.Client
	for i := range two {
		var err error
		if two[i], err = b.Installation(t.Context(), "acme", reading); err != nil {
			t.Fatal(err)
		}
	}
	two[0].Get(t.Context(), "orgs/acme", nil, nil)
	b.Get(t.Context(), "app", nil, nil)
	if len(b.clock.slept) > 0 {
		t.Errorf("the App waited %v for its installation", b.clock.slept)
	}
	two[1].Get(t.Context(), "orgs/acme", nil, nil)
	if want := []time.Duration{10*time.Minute + time.Second}; !slices.Equal(b.clock.slept, want) {
		t.Errorf("waited %v; want %v", b.clock.slept, want)
	}
}
