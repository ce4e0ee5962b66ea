package ghclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
)

// Registered is an App that was just made of a manifest. GitHub tells its secrets this once.
type Registered struct {
	ID          int64       `json:"id"`
	Slug        string      `json:"slug"`
	Name        string      `json:"name"`
	HTMLURL     string      `json:"html_url"`
	Permissions Permissions `json:"permissions"`
	Events      []string    `json:"events"`
	Owner       struct {
		Login string `json:"login"`
	} `json:"owner"`

	Key           string `json:"pem"`            // secret
	WebhookSecret string `json:"webhook_secret"` // secret; "" of an App without a webhook
}

// manifestCode is the form of the codes that GitHub gives.
var manifestCode = regexp.MustCompile(`^[A-Za-z0-9_-]{1,200}$`)

// ErrManifestCode is of a code that GitHub does not know: it is not one, was used already, or is
// older than an hour.
var ErrManifestCode = errors.New("GitHub does not know the code: it was used already, or is older than an hour")

// ConvertManifest gives the App that GitHub made of a manifest, by the code that it sent back
// (https://docs.github.com/apps/sharing-github-apps/registering-a-github-app-from-a-manifest).
// It is sent once, and signed by nobody; opts needs no Auth. The code is good for one answer: when
// that is lost, so are the secrets, and the App is to be deleted.
func ConvertManifest(ctx context.Context, opts Options, code string) (*Registered, error) {
	core, err := newCore(opts)
	switch {
	case err != nil:
		return nil, err
	case !manifestCode.MatchString(code):
		return nil, errors.New("a code for the manifest that is none of GitHub's")
	}
	core.keep(code)
	nobody := &principal{
		kind: KindOther, lim: core.limiter(0), network: core.network,
		explain: func(request, message string) error {
			return fmt.Errorf("%s: status 401%s: %w", request, inQuotes(message), ErrBadCredentials)
		},
	}
	c := newClient(core, nobody, nil, nil)
	u := core.place.rest.JoinPath("app-manifests", code, "conversions")
	a, err := c.ask(ctx, http.MethodPost, u, bytes.NewReader(nil), http.Header{"Accept": {acceptJSON}})
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, ErrManifestCode
	case err != nil:
		return nil, err
	}
	app := &Registered{}
	if err := c.decode(http.MethodPost, u, a.body, app); err != nil {
		return nil, err
	}
	switch {
	case app.ID <= 0 || app.Key == "":
		return nil, fmt.Errorf("%s: an App without an id or a key", c.name(http.MethodPost, u))
	case app.Owner.Login == "":
		return nil, fmt.Errorf("%s: an App without an owner", c.name(http.MethodPost, u))
	}
	if _, err := parseKey([]byte(app.Key)); err != nil {
		return nil, fmt.Errorf("%s: the key of the App: %w", c.name(http.MethodPost, u), err)
	}
	return app, nil
}

// WebURL is the root of GitHub's pages, which has its own host where the API has another.
func WebURL(base string) (string, error) {
	place, err := newPlace(base)
	if err != nil {
		return "", err
	}
	return place.git.String(), nil
}
