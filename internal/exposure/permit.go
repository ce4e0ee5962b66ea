package exposure

import (
	"context"
	"errors"
	"maps"
	"strings"

	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/ghread"
)

// Permissions are what a token needs so that no question stays open for want of one. Each of
// them may lack.
func Permissions() ghclient.Permissions {
	return ghclient.Permissions{
		"actions": "read", "contents": "read", "metadata": "read",
		"secrets": "read", "dependabot_secrets": "read", "environments": "read",
		"administration": "read", "organization_self_hosted_runners": "read",
	}
}

// Reader makes a reader for an owner's repositories, of a client of an App, with as many of
// Permissions as its installation has: GitHub refuses a token with one that it lacks. It is as
// Asker.GitHub wants it.
func Reader(app *ghclient.Client) func(ctx context.Context, owner string) (*ghread.Reader, error) {
	return func(ctx context.Context, owner string) (*ghread.Reader, error) {
		permissions := maps.Clone(Permissions())
		for {
			c, err := app.Installation(ctx, owner, permissions)
			if err == nil {
				return ghread.New(c), nil
			}
			var denied *ghclient.NotPermittedError
			if !errors.As(err, &denied) {
				return nil, err
			}
			before := len(permissions)
			for _, lacking := range strings.Split(denied.Permission, ",") {
				name, _, _ := strings.Cut(strings.TrimSpace(lacking), "=")
				delete(permissions, name)
			}
			if len(permissions) == before || len(permissions) == 0 {
				return nil, err
			}
		}
	}
}
