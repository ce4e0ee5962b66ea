package githubtest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// App is a GitHub App.
type App struct {
	ID   int64
	Slug string
	Key  []byte // the private key, PEM, as GitHub hands it out

	bot    *Account
	public *rsa.PublicKey
	hook   *Webhook
	made   *Manifest // nil of one that was not registered by a manifest
}

// ClientID is the App's other name, which a JWT may be issued by.
func (a *App) ClientID() string { return fmt.Sprintf("Iv23li%d", a.ID) }

// Installation is an App on an account.
type Installation struct {
	ID          int64
	App         *App
	Account     *Account
	Permissions map[string]string // "contents": "read"
	Selected    []string          // names of repositories; nil means all of the account's
	Suspended   bool
}

// DefaultPermissions are what the installation that a server starts with has.
func DefaultPermissions() map[string]string {
	return map[string]string{
		"metadata": "read", "contents": "read", "pull_requests": "read", "issues": "write", "checks": "write",
		"administration": "read", "members": "read",
		"organization_administration": "read", "organization_self_hosted_runners": "read",
	}
}

// appKey is made once a process: it takes a while, and tests need no two.
var appKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// AddApp adds an App.
func (s *Server) AddApp(slug string) *App {
	key := appKey()
	bot := s.addAccount(slug+"[bot]", "Bot")
	s.mu.Lock()
	defer s.mu.Unlock()
	app := &App{
		ID: s.newID(), Slug: slug, bot: bot, public: &key.PublicKey,
		Key: pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}),
	}
	s.apps = append(s.apps, app)
	return app
}

// App gives the App that the server started with.
func (s *Server) App() *App {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.apps[0]
}

// Installation gives the installation that the server started with.
func (s *Server) Installation() *Installation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.installs[0]
}

// Install installs an App on an account, for the named repositories or for all.
func (s *Server) Install(app *App, on *Account, permissions map[string]string, repos ...string) *Installation {
	s.mu.Lock()
	defer s.mu.Unlock()
	in := &Installation{ID: s.newID(), App: app, Account: on, Permissions: permissions, Selected: repos}
	s.installs = append(s.installs, in)
	return in
}

// The kinds of tokens.
const (
	installationToken = "installation"
	personalToken     = "personal access token"
	actionsToken      = "actions"
)

// token is a secret that a client may send.
type token struct {
	kind        string
	owner       *Account      // whose requests are counted, and who writes what it writes
	install     *Installation // of an installation token
	repos       map[int64]bool
	permissions map[string]string // nil: all
	expires     time.Time         // zero: never
}

// PersonalToken makes a personal access token of a user, who sees every repository of the
// organisations that he is a member of. With permissions it has no others.
func (s *Server) PersonalToken(user *Account, permissions map[string]string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addToken("github_pat_", &token{kind: personalToken, owner: user, permissions: permissions})
}

// ActionsToken makes the GITHUB_TOKEN of a workflow run of a repository.
func (s *Server) ActionsToken(r *Repo, permissions map[string]string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	bot := s.accounts["github-actions[bot]"]
	if bot == nil {
		bot = &Account{ID: 41898282, Login: "github-actions[bot]", Kind: "Bot"}
		s.accounts["github-actions[bot]"] = bot
	}
	return s.addToken("ghs_", &token{
		kind: actionsToken, owner: bot, permissions: permissions,
		repos: map[int64]bool{r.ID: true}, expires: s.opts.Now().Add(24 * time.Hour),
	})
}

// InstallationToken makes a token of an installation with all that it may, as a POST to
// access_tokens would.
func (s *Server) InstallationToken(in *Installation) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addInstallationToken(&token{kind: installationToken, owner: in.App.bot, install: in, permissions: in.Permissions})
}

// Revoke ends the validity of a token.
func (s *Server) Revoke(secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tokens, secret)
}

func (s *Server) addToken(prefix string, t *token) string {
	secret := prefix + rand.Text() + rand.Text()
	s.tokens[secret] = t
	return secret
}

// addInstallationToken makes a token in the form that GitHub gives them since 2026: the
// prefix, the App's id and a JWT, several hundred characters in all.
func (s *Server) addInstallationToken(t *token) string {
	t.expires = s.opts.Now().Add(time.Hour)
	header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"ES256","typ":"JWT"}`))
	claims := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"iid":%d,"exp":%d,"jti":%q}`, t.install.ID, t.expires.Unix(), rand.Text()))
	secret := fmt.Sprintf("ghs_%d_%s.%s.%s", t.install.App.ID, header, claims, strings.Repeat(rand.Text(), 4))
	s.tokens[secret] = t
	return secret
}

// principal is who sends a request: nobody, an App or the holder of a token.
type principal struct {
	app   *App
	token *token
}

// key names whose limits are spent.
func (p principal) key() string {
	switch {
	case p.app != nil:
		return "app " + strconv.FormatInt(p.app.ID, 10)
	case p.token == nil:
		return "anonymous"
	case p.token.install != nil:
		return "installation " + strconv.FormatInt(p.token.install.ID, 10)
	case p.token.kind == actionsToken:
		return "actions " + fmt.Sprint(slices.Sorted(maps.Keys(p.token.repos)))
	}
	return "user " + strconv.FormatInt(p.token.owner.ID, 10)
}

// refusal is the message of a 401, in GitHub's words.
type refusal string

// errSuspended is of an installation that does not work at present. It is a 403.
const errSuspended refusal = "This installation has been suspended"

func (r refusal) Error() string { return string(r) }

// authenticate tells who sends the request. An error is a refusal.
func (s *Server) authenticate(r *http.Request) (principal, error) {
	scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if _, password, basic := r.BasicAuth(); basic {
		secret = password
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case scheme == "":
		return principal{}, nil
	case strings.EqualFold(scheme, "bearer") && strings.Count(secret, ".") == 2 && !strings.HasPrefix(secret, "ghs_"):
		app, err := s.checkJWT(secret)
		return principal{app: app}, err
	}
	t := s.tokens[secret]
	if t == nil || !t.expires.IsZero() && !s.opts.Now().Before(t.expires) {
		return principal{}, refusal("Bad credentials")
	}
	if t.install != nil && t.install.Suspended {
		return principal{}, errSuspended
	}
	return principal{token: t}, nil
}

// checkJWT checks the signed claims of an App as GitHub's documentation describes them: an
// expiry of at most ten minutes ahead, an issue time that is not ahead.
func (s *Server) checkJWT(jwt string) (*App, error) {
	parts := strings.Split(jwt, ".")
	var header struct{ Alg string }
	var claims struct {
		Iss any
		Iat float64
		Exp float64
	}
	for i, into := range []any{&header, &claims} {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil || json.Unmarshal(raw, into) != nil {
			return nil, refusal("A JSON web token could not be decoded")
		}
	}
	var app *App
	for _, a := range s.apps {
		if claims.Iss == strconv.FormatInt(a.ID, 10) || claims.Iss == float64(a.ID) || claims.Iss == a.ClientID() {
			app = a
		}
	}
	if app == nil {
		return nil, refusal("'Issuer' claim ('iss') must be an Integer")
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if header.Alg != "RS256" || err != nil || rsa.VerifyPKCS1v15(app.public, crypto.SHA256, digest[:], signature) != nil {
		return nil, refusal("A JSON web token could not be decoded")
	}
	now := float64(s.opts.Now().Unix())
	switch {
	case claims.Exp > now+600:
		return nil, refusal("'Expiration time' claim ('exp') is too far in the future")
	case claims.Exp <= now:
		return nil, refusal("'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires")
	case claims.Iat > now:
		return nil, refusal("'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued")
	}
	return app, nil
}

// Tokens gives the tokens of installations that were given out so far.
func (s *Server) Tokens() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for secret, t := range s.tokens {
		if t.kind == installationToken {
			out = append(out, secret)
		}
	}
	return out
}

// redacted names a request's secret in the log without telling it.
func redacted(authorization string) string {
	if authorization == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(authorization))
	return hex.EncodeToString(sum[:4])
}
