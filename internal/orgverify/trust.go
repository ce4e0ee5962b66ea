package orgverify

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/verify/trust"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
	"github.com/wormsweep/wormsweep/pkg/registry/host"
)

// Trust is what verification starts from.
type Trust struct {
	Roots []*trust.Root
	Keys  []trust.Key // of the public npm registry
	Notes []string    // what a person should know of them
}

// BuiltIn is what this program was built with: the public Sigstore's root and GitHub's.
func BuiltIn() (*Trust, error) {
	t := &Trust{}
	var err error
	if t.Keys, err = trust.NPMKeys(); err != nil {
		return nil, err
	}
	for _, open := range []func() (*trust.Root, error){trust.Public, trust.GitHub} {
		root, err := open()
		if err != nil {
			return nil, err
		}
		t.Roots = append(t.Roots, root)
	}
	return t, nil
}

// refreshTime is how long newer roots are waited for: there are good ones without them.
const refreshTime = 20 * time.Second

// Refresh replaces the roots of BuiltIn by newer ones, where there are any to be had. cache is the
// folder where they are kept, "" for none.
func (t *Trust) Refresh(ctx context.Context, cache string) {
	ctx, cancel := context.WithTimeout(ctx, refreshTime)
	defer cancel()
	client, err := fetch.New(fetch.Options{Hosts: []string{host.SigstoreTUF, host.GitHubTUF}, Attempts: 1})
	if err != nil {
		t.Notes = append(t.Notes, err.Error())
		return
	}
	refresher := trust.Refresher{Cache: cache, Get: func(ctx context.Context, address string, limit int64) ([]byte, error) {
		answer, err := client.Get(ctx, fetch.Request{URL: address, MaxBytes: limit})
		if err != nil {
			return nil, err
		}
		return answer.Body, nil
	}}
	for i, repository := range []trust.Repository{trust.PublicRepository(), trust.GitHubRepository()} {
		fresh, err := refresher.Refresh(ctx, repository)
		if err != nil {
			t.Notes = append(t.Notes, fmt.Sprintf("no newer trusted root of %s could be had (%s): the built-in one of %s is used", repository.Name, lastWords(err), t.Roots[i].Date().Format(time.DateOnly)))
			continue
		}
		t.Roots[i] = fresh.Root
		if len(fresh.Keys) > 0 {
			t.Keys = fresh.Keys
		}
	}
}

// Stale adds a note for each root that is old.
func (t *Trust) Stale(now time.Time) {
	for _, root := range t.Roots {
		if gap := root.Stale(now); gap != nil {
			t.Notes = append(t.Notes, gap.Detail)
		}
	}
}

// lastWords are the last two parts of an error's text: what went wrong, without where in a
// library.
func lastWords(err error) string {
	parts := strings.Split(err.Error(), ": ")
	return strings.Join(parts[max(0, len(parts)-2):], ": ")
}

// Digest identifies the roots.
func (t *Trust) Digest() string {
	var all []string
	for _, root := range t.Roots {
		all = append(all, root.Digest())
	}
	for _, key := range t.Keys {
		all = append(all, key.ID)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}
