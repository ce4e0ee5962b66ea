package github

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/gitobject"
)

// One is one repository that is looked at in states of which the caller was told, as by a webhook:
// nothing is listed that nobody asked for. It keeps what it fetched until Close. It is safe for
// concurrent use.
type One struct {
	run     *run
	from    *listed
	url     string
	content content
}

// Named says which repository One is of.
type Named struct {
	Number   int64  // the server's own
	Node     string // the id by which GraphQL knows it; without it no sizes are asked for
	FullName string // "OWNER/NAME"
}

// NewOne gives a repository. Nothing is asked yet. Of the options, Refs, Observe and Pages have no
// meaning here.
func NewOne(client *ghclient.Client, repo Named, opt Options) (*One, error) {
	sel := Selection{Repositories: []string{repo.FullName}}
	if err := sel.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSelection, err)
	}
	if opt.Jobs <= 0 {
		opt.Jobs = 4
	}
	r := &run{client: client, sel: sel, opt: opt, slots: make(chan struct{}, opt.Jobs), told: &told{sleep: opt.Sleep}}
	if opt.Sleep == nil {
		r.told.sleep = sleep
	}
	o := &One{run: r, from: &listed{ID: repo.Number, NodeID: repo.Node, FullName: repo.FullName}}
	o.url = client.GitURL(o.from.owner(), o.from.name())
	o.content = r.content(o.from, o.url)
	return o, nil
}

// Close lets go of what was fetched.
func (o *One) Close() error { return o.content.Close() }

// Refs asks what refs name now: of each full name that is there its commit, an annotated tag's the
// one that it leads to. It takes one request of git's protocol, whatever the names.
func (o *One) Refs(ctx context.Context, names ...string) (map[string]string, error) {
	remote := o.wire()
	if remote == nil {
		return nil, errors.New("refs are listed by git's protocol alone")
	}
	refs, err := remote.remote.Refs(ctx, names...)
	if err != nil && !errors.Is(err, gitobject.ErrLimit) { // those that were asked for come among the first
		return nil, fmt.Errorf("%q: %w", o.from.FullName, err)
	}
	out := map[string]string{}
	for _, ref := range refs {
		if slices.Contains(names, ref.Name) { // a prefix is all that can be asked for
			out[ref.Name] = ref.Peeled.String()
		}
	}
	if err != nil && len(out) < len(names) {
		return nil, fmt.Errorf("%q: %w", o.from.FullName, err)
	}
	return out, nil
}

func (o *One) wire() *gitContent { return wireOf(o.content) }

// wireOf is the part of a content that git's protocol gives, nil where there is none.
func wireOf(c content) *gitContent {
	switch c := c.(type) {
	case *gitContent:
		return c
	case *autoContent:
		return c.git
	}
	return nil
}

// State is a commit that a ref names. Root is the id of its tree, "" where nobody told: one that is
// told and is another's makes the tree unreadable.
type State struct {
	source.Ref
	Root string
}

// Repository is the repository in those states, to sweep. To close it closes nothing: others of
// One share what was fetched.
func (o *One) Repository(states ...State) (*source.Repository, error) {
	repo := &source.Repository{
		Name: o.from.FullName, Path: strings.TrimSuffix(o.url, ".git"), Server: o.run.client.Host(), Number: o.from.ID,
	}
	trees := map[commit]*tree{}
	for _, s := range states {
		var at commit
		var ok bool
		if at.id, ok = gitobject.ParseID(s.Commit); !ok {
			return nil, fmt.Errorf("%q: the ref %q names %.60q, which is no id of SHA-1", o.from.FullName, s.Name, s.Commit)
		}
		if s.Root != "" {
			if at.root, ok = gitobject.ParseID(s.Root); !ok {
				return nil, fmt.Errorf("%q: the tree of %q is %.60q, which is no id of SHA-1", o.from.FullName, s.Name, s.Root)
			}
		}
		t := trees[at]
		if t == nil {
			t = &tree{run: o.run, node: o.from.NodeID, content: o.content, at: at, shared: true}
			trees[at] = t
			repo.Trees = append(repo.Trees, t)
		}
		t.refs = append(t.refs, s.Ref)
	}
	return repo, nil
}
