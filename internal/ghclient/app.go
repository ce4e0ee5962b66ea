package ghclient

import (
	"bytes"
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/golang-jwt/jwt/v4"
)

// app is the GitHub App: it signs as itself to find installations and to make tokens of
// them.
type app struct {
	client *Client // signs as the App
	who    *principal
	id     int64
	fixed  int64 // Auth.InstallationID

	mu    sync.Mutex
	found map[string]installationAnswer // installations by account, looked up
}

func newApp(core *core, auth Auth) (*app, error) {
	switch {
	case auth.AppID <= 0:
		return nil, fmt.Errorf("the GitHub App has a key and no id")
	case len(auth.AppKey) == 0:
		return nil, fmt.Errorf("the GitHub App %d has no private key", auth.AppID)
	case auth.InstallationID < 0:
		return nil, fmt.Errorf("installation id %d", auth.InstallationID)
	}
	key, err := parseKey(auth.AppKey)
	if err != nil {
		return nil, fmt.Errorf("private key of the GitHub App %d: %w", auth.AppID, err)
	}
	signs := &signer{key: key, id: auth.AppID, now: core.now, log: core.log}
	network, err := ghinstallation.NewAppsTransportWithOptions(core.network, auth.AppID, ghinstallation.WithSigner(signs))
	if err != nil {
		return nil, fmt.Errorf("GitHub App %d: %w", auth.AppID, err)
	}
	who := &principal{kind: KindApp, lim: core.limiter(0), network: network, refused: signs.refused, explain: badKey(auth.AppID)}
	a := &app{who: who, id: auth.AppID, fixed: auth.InstallationID, found: map[string]installationAnswer{}}
	a.client = newClient(core, who, a, nil)
	return a, nil
}

// parseKey reads a PEM private key. One that came through an environment variable may have
// its line ends as \n.
func parseKey(pem []byte) (*rsa.PrivateKey, error) {
	if !bytes.Contains(bytes.TrimSpace(pem), []byte("\n")) {
		pem = bytes.ReplaceAll(pem, []byte(`\n`), []byte("\n"))
	}
	key, err := jwt.ParseRSAPrivateKeyFromPEM(pem)
	switch {
	case errors.Is(err, jwt.ErrKeyMustBePEMEncoded):
		return nil, errors.New("not a PEM file")
	case errors.Is(err, jwt.ErrNotRSAPrivateKey):
		return nil, errors.New("not an RSA key, as GitHub makes them")
	case err != nil:
		return nil, errors.New("not a private key, or a damaged one")
	}
	return key, nil
}

// installationAnswer is an installation as GitHub describes it.
type installationAnswer struct {
	ID        int64       `json:"id"`
	Suspended *time.Time  `json:"suspended_at"`
	Granted   Permissions `json:"permissions"`
}

// lookUp finds the App's installation on an account; of one that was named from the start,
// only its id.
func (a *app) lookUp(ctx context.Context, account string) (installationAnswer, error) {
	none := installationAnswer{}
	if a.fixed != 0 {
		return installationAnswer{ID: a.fixed}, nil
	}
	a.mu.Lock()
	known, ok := a.found[strings.ToLower(account)]
	a.mu.Unlock()
	if ok {
		return known, nil
	}
	var paths []string
	if owner, repo, ok := strings.Cut(account, "/"); ok {
		paths = []string{"repos/" + url.PathEscape(owner) + "/" + url.PathEscape(repo) + "/installation"}
	} else {
		name := url.PathEscape(account)
		paths = []string{"orgs/" + name + "/installation", "users/" + name + "/installation"}
	}
	for _, path := range paths {
		var in installationAnswer
		_, err := a.client.Get(context.WithValue(ctx, ctxKind, kindToken), path, nil, &in)
		switch {
		case noSuchApp(err):
			return none, a.noSuchApp()
		case errors.Is(err, ErrNotFound):
			continue
		case err != nil:
			return none, err
		case in.ID <= 0:
			return none, fmt.Errorf("GET %q: an installation without an id", "/"+path)
		case in.Suspended != nil:
			return none, &SuspendedError{account, in.ID}
		}
		a.mu.Lock()
		a.found[strings.ToLower(account)] = in
		a.mu.Unlock()
		return in, nil
	}
	what := "account"
	if strings.Contains(account, "/") {
		what = "repository"
	}
	return none, fmt.Errorf("the GitHub App %d is not installed on %q, or there is no such %s: %w", a.id, account, what, ErrNotFound)
}

// noSuchApp reports whether GitHub knows no App of the id that signed.
func noSuchApp(err error) bool {
	var status *StatusError
	return errors.As(err, &status) && status.Status == http.StatusNotFound && strings.Contains(status.Message, "Integration not found")
}

func (a *app) noSuchApp() error {
	return fmt.Errorf("there is no GitHub App with id %d: %w", a.id, ErrBadCredentials)
}

// notGranted says which permissions the installation lacks, once GitHub refused to make a
// token with them: all that were asked for, where GitHub does not tell what it has.
func (a *app) notGranted(ctx context.Context, in *installation) error {
	missing := in.perms.beyond(in.granted)
	if in.granted == nil || missing == "" {
		var now installationAnswer
		path := "app/installations/" + strconv.FormatInt(in.id, 10)
		if _, err := a.client.Get(context.WithValue(ctx, ctxKind, kindToken), path, nil, &now); err == nil {
			missing = in.perms.beyond(now.Granted)
		}
	}
	if missing == "" {
		missing = in.perms.beyond(nil)
	}
	return &NotPermittedError{
		Request: "POST " + strconv.Quote("/"+in.path()), Permission: missing,
		Message: fmt.Sprintf("the installation of the GitHub App %d on %s was not granted it", a.id, in.who.account),
	}
}

// post sends what makes or ends a token. Making one twice does no harm.
func (a *app) post(ctx context.Context, path string, body []byte, into any) (*http.Response, error) {
	ctx = context.WithValue(context.WithValue(ctx, ctxKind, kindToken), ctxSafe, true)
	u := a.client.core.place.rest.JoinPath(path)
	got, err := a.client.ask(ctx, http.MethodPost, u, bytes.NewReader(body), http.Header{"Accept": {acceptJSON}})
	if err != nil {
		return nil, err
	}
	return got.resp, a.client.decode(http.MethodPost, u, got.body, into)
}
