package sumdb

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/module"

	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
)

// At is the log that is served below an address: "https://HOST", or that of a module proxy with
// "/sumdb/NAME" behind it.
func At(client *fetch.Client, address string) Remote {
	return &remote{client, strings.TrimRight(address, "/")}
}

// Proxied is the log of a name below the address of a module proxy. Many networks reach no
// other. The error wraps registry.ErrNotServed where the proxy says that it does not pass that
// log on (go.dev/ref/mod, "Checksum database"): then the log's own host is to be asked.
func Proxied(ctx context.Context, client *fetch.Client, proxy, name string) (Remote, error) {
	if err := module.CheckImportPath(name); err != nil {
		return nil, fmt.Errorf("the name of a checksum database: %w", err)
	}
	r := &remote{client, strings.TrimRight(proxy, "/") + "/sumdb/" + name}
	_, err := r.Get(ctx, "/supported", maxHead)
	if errors.Is(err, registry.ErrNotFound) {
		return nil, fmt.Errorf("checksum database %s: %w: %w", name, registry.ErrNotServed, err)
	}
	if err != nil {
		return nil, fmt.Errorf("checksum database %s: %w", name, err)
	}
	return r, nil
}

type remote struct {
	client *fetch.Client
	base   string
}

// Get is Remote's.
func (r *remote) Get(ctx context.Context, path string, max int64) ([]byte, error) {
	answer, err := r.client.Get(ctx, fetch.Request{URL: r.base + path, MaxBytes: max})
	if err != nil {
		return nil, err
	}
	return answer.Body, nil
}
