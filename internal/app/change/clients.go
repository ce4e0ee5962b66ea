package change

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/wormsweep/wormsweep/internal/ghclient"
)

// clients keeps the clients of repositories: each has tokens for one repository and one purpose,
// and is renewed by itself.
type clients struct {
	github *ghclient.Client

	mu    sync.Mutex
	known map[clientKey]*ghclient.Client
}

type clientKey struct {
	repository int64
	writes     bool
}

// maxClients is how many are kept.
const maxClients = 512

func ownerOf(fullName string) string {
	owner, _, _ := strings.Cut(fullName, "/")
	return owner
}

func (c *clients) get(ctx context.Context, fullName string, repository int64, permissions ghclient.Permissions) (*ghclient.Client, error) {
	key := clientKey{repository, permissions["checks"] != ""}
	c.mu.Lock()
	client := c.known[key]
	c.mu.Unlock()
	if client != nil {
		return client, nil
	}
	client, err := c.github.Installation(ctx, ownerOf(fullName), permissions, repository)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.known) >= maxClients {
		for other := range c.known { // any: tokens are made again for a request
			delete(c.known, other)
			break
		}
	}
	if c.known == nil {
		c.known = map[clientKey]*ghclient.Client{}
	}
	c.known[key] = client
	return client, nil
}

// forget lets go of the clients of a repository.
func (c *clients) forget(repository int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.known, clientKey{repository, true})
	delete(c.known, clientKey{repository, false})
}

// told remembers what was said of late.
type told struct {
	mu sync.Mutex
	at map[string]time.Time
}

// tellAgain is how long something is not said again.
const tellAgain = 24 * time.Hour

// first reports whether something was not said of late, and takes it as said.
func (t *told) first(what string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if at, said := t.at[what]; said && now.Sub(at) < tellAgain {
		return false
	}
	if t.at == nil || len(t.at) > 10_000 {
		t.at = map[string]time.Time{}
	}
	t.at[what] = now
	return true
}
