package ghclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// maxRepositories is how many repositories GitHub narrows one token to.
const maxRepositories = 500

// renewBefore is how long before its end a token is replaced; one that lives for minutes
// only, in its last quarter.
const renewBefore = 5 * time.Minute

// installation makes the tokens of one installation, with one set of permissions.
type installation struct {
	app     *app
	who     *principal
	id      int64
	perms   Permissions
	granted Permissions // to the installation, as it was looked up; nil where not known
	body    []byte      // of the request for a token

	turn chan struct{} // who can send on it may ask for a token

	mu    sync.Mutex
	token string    // "" for none
	renew time.Time // when it is replaced
}

func (a *app) installation(ctx context.Context, account string, perms Permissions, repoIDs []int64) (*installation, error) {
	switch {
	case len(perms) == 0:
		return nil, fmt.Errorf("a token for %q with no permissions named", account)
	case len(repoIDs) > maxRepositories:
		return nil, fmt.Errorf("a token for %d repositories of %q: GitHub allows %d", len(repoIDs), account, maxRepositories)
	}
	found, err := a.lookUp(ctx, account)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(struct {
		Permissions Permissions `json:"permissions"`
		IDs         []int64     `json:"repository_ids,omitempty"`
	}{perms, repoIDs})
	if err != nil {
		return nil, err
	}
	in := &installation{
		app: a, id: found.ID, perms: maps.Clone(perms), granted: found.Granted,
		body: body, turn: make(chan struct{}, 1),
	}
	core := a.client.core
	in.who = &principal{
		kind: KindInstallation, account: account, installation: in.id,
		lim: core.limiter(in.id), network: core.network, explain: badToken,
		token: in.current, refused: in.refused,
	}
	_, err = in.current(ctx)
	return in, err
}

func (in *installation) path() string {
	return "app/installations/" + strconv.FormatInt(in.id, 10) + "/access_tokens"
}

// current gives a token that is good for a while.
func (in *installation) current(ctx context.Context) (string, error) {
	if token := in.held(); token != "" {
		return token, nil
	}
	select {
	case in.turn <- struct{}{}:
		defer func() { <-in.turn }()
	case <-ctx.Done():
		return "", fmt.Errorf("token of the installation on %q: %w", in.who.account, ctx.Err())
	}
	if token := in.held(); token != "" { // somebody else asked meanwhile
		return token, nil
	}
	var got struct {
		Token   string    `json:"token"`
		Expires time.Time `json:"expires_at"`
	}
	resp, err := in.app.post(ctx, in.path(), in.body, &got)
	if err != nil {
		return "", in.explain(ctx, err)
	}
	if got.Token == "" || strings.ContainsFunc(got.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", fmt.Errorf("POST %q: the answer holds no token", "/"+in.path())
	}
	in.app.client.core.keep(got.Token)
	now := in.app.client.core.now()
	life := byOurClock(got.Expires, resp, now).Sub(now)
	if life <= 0 {
		return "", fmt.Errorf("POST %q: the new token ended at %s by the clock of this machine: is that right?",
			"/"+in.path(), got.Expires.UTC().Format(time.RFC3339))
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.token, in.renew = got.Token, now.Add(life-min(renewBefore, life/4))
	return in.token, nil
}

// held gives the token that is there, "" if it is none or ends soon.
func (in *installation) held() string {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.app.client.core.now().Before(in.renew) {
		return in.token
	}
	return ""
}

// explain says why no token was made.
func (in *installation) explain(ctx context.Context, err error) error {
	var suspended *SuspendedError
	var status *StatusError
	switch {
	case noSuchApp(err):
		return in.app.noSuchApp()
	case errors.As(err, &suspended):
		return &SuspendedError{in.who.account, in.id}
	case errors.Is(err, ErrNotFound):
		return fmt.Errorf("the GitHub App %d has no installation %d on %q: %w", in.app.id, in.id, in.who.account, err)
	case errors.As(err, &status) && status.Status == http.StatusUnprocessableEntity && strings.Contains(status.Message, "permission"):
		return in.app.notGranted(ctx, in)
	}
	return err
}

// refused forgets a token that GitHub did not take.
func (in *installation) refused(token string, _ *http.Response) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.token == token {
		in.token = ""
	}
	return true
}

// revoke ends the token, if there is one.
func (in *installation) revoke(ctx context.Context) error {
	in.mu.Lock()
	token := in.token
	in.token = ""
	in.mu.Unlock()
	if token == "" {
		return nil
	}
	who := *in.who
	who.token = func(context.Context) (string, error) { return token, nil }
	who.refused = nil
	core := in.app.client.core
	c := newClient(core, &who, in.app, nil)
	ctx = context.WithValue(context.WithValue(ctx, ctxKind, kindRevoke), ctxSafe, true)
	_, err := c.ask(ctx, http.MethodDelete, core.place.rest.JoinPath("installation/token"), nil, http.Header{"Accept": {acceptJSON}})
	if errors.Is(err, ErrBadCredentials) {
		return nil // it has ended already
	}
	return err
}

// rank orders what a permission may say.
var rank = map[string]int{"": 0, "read": 1, "write": 2, "admin": 3}

// beyond lists what of p is more than was granted: "contents=read, issues=write".
func (p Permissions) beyond(granted Permissions) string {
	var missing []string
	for _, name := range slices.Sorted(maps.Keys(p)) {
		if rank[p[name]] > rank[granted[name]] {
			missing = append(missing, name+"="+p[name])
		}
	}
	return strings.Join(missing, ", ")
}
