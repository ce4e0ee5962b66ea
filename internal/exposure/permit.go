package exposure

import (
	"context"
	"errors"
	"maps"
	"strings"
	"sync"
	"time"

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

// permitted is how long an installation is believed to have the permissions that it had.
const permitted = 10 * time.Minute

// memoryRoom is how many bytes of answers are kept of one owner: of a thousand repositories that each had some
// twenty runs in the window.
const memoryRoom = 64 << 20

// Reader makes readers for an owner's repositories, of a client of an App, with as many of
// Permissions as its installation has: GitHub refuses a token with one that it lacks. It is as
// Asker.GitHub wants it, and safe for concurrent use. Which permissions there are is asked again
// after ten minutes. The readers of an owner share a memory. now is the clock; nil is the real one.
func Reader(app *ghclient.Client, now func() time.Time) func(ctx context.Context, owner string, since time.Time) (*ghread.Reader, error) {
	if now == nil {
		now = time.Now
	}
	type granted struct {
		client *ghclient.Client
		until  time.Time
		memory *ghread.Memory
	}
	var mu sync.Mutex
	owners := map[string]granted{}
	return func(ctx context.Context, owner string, since time.Time) (*ghread.Reader, error) {
		mu.Lock()
		defer mu.Unlock()
		g := owners[owner]
		if g.client == nil || now().After(g.until) {
			c, err := permit(ctx, app, owner)
			if err != nil {
				return nil, err
			}
			g.client, g.until = c, now().Add(permitted)
			if g.memory == nil {
				g.memory = ghread.NewMemory(memoryRoom, now)
			}
			owners[owner] = g
		}
		return g.memory.Reader(g.client, since), nil
	}
}

// permit makes a client with as many of Permissions as there are.
func permit(ctx context.Context, app *ghclient.Client, owner string) (*ghclient.Client, error) {
	permissions := maps.Clone(Permissions())
	for {
		c, err := app.Installation(ctx, owner, permissions)
		if err == nil {
			return c, nil
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
