package githubtest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
	"github.com/wormsweep/wormsweep/internal/githubtest/gql"
)

func (g *graph) organization(_ any, args gql.Args) (any, error) {
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	a := g.s.accounts[strings.ToLower(args.String("login"))]
	if a == nil || a.Kind != "Organization" {
		return nil, gql.Errorf("NOT_FOUND", "Could not resolve to an Organization with the login of '%s'.", args.String("login"))
	}
	return a, nil
}

func (g *graph) owner(parent any, _ gql.Args) (any, error) {
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	a := g.s.accounts[strings.ToLower(parent.(Repository).Owner)]
	return gql.Typed{Type: a.Kind, Value: a}, nil
}

func (g *graph) repository(_ any, args gql.Args) (any, error) {
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	full := args.String("owner") + "/" + args.String("name")
	r := g.s.find(full)
	if r == nil && args["followRenames"] != false {
		r = g.s.byID[g.s.renamed[strings.ToLower(full)]]
	}
	if r == nil || !g.s.sees(g.who, &r.Repository) {
		return nil, gql.Errorf("NOT_FOUND", "Could not resolve to a Repository with the name '%s'.", full)
	}
	return r.Repository, nil
}

// resolveNode gives what a node id names, or nil.
func (g *graph) resolveNode(id string) any {
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	kind, n := nodeID(id)
	if r := g.s.byID[n]; kind == "R" && r != nil && g.s.sees(g.who, &r.Repository) {
		return gql.Typed{Type: "Repository", Value: r.Repository}
	}
	for _, a := range g.s.accounts {
		if a.ID == n && kind == a.Kind[:1] {
			return gql.Typed{Type: a.Kind, Value: a}
		}
	}
	return nil
}

func unresolved(id string) *gql.Error {
	return gql.Errorf("NOT_FOUND", "Could not resolve to a node with the global id of '%s'", id)
}

func (g *graph) node(_ any, args gql.Args) (any, error) {
	if v := g.resolveNode(args.String("id")); v != nil {
		return v, nil
	}
	return nil, unresolved(args.String("id"))
}

func (g *graph) nodes(_ any, args gql.Args) (any, error) {
	ids := args.Strings("ids")
	if len(ids) > 100 {
		return nil, gql.Errorf("ARGUMENT_LIMIT", "You may not provide more than 100 node ids; you provided %d.", len(ids))
	}
	found := make([]any, 0, len(ids))
	for _, id := range ids {
		v := g.resolveNode(id)
		if v == nil {
			v = unresolved(id)
		}
		found = append(found, v)
	}
	return found, nil
}

// members gives the members of an organisation that the client sees: those that nobody knows
// of need a permission, and here are all of them.
func (g *graph) members(parent any, args gql.Args) (any, error) {
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	org := parent.(*Account)
	var members []*Account
	if g.s.allowedInOrg(g.who, org, need("members:read")) {
		for _, login := range org.Members {
			members = append(members, g.s.accounts[strings.ToLower(login)])
		}
	}
	slices.SortFunc(members, func(a, b *Account) int { return strings.Compare(strings.ToLower(a.Login), strings.ToLower(b.Login)) })
	return pageOfKeys(args, len(members), func(i int) string { return strings.ToLower(members[i].Login) }, func(i int) any { return members[i] })
}

func (g *graph) repositories(parent any, args gql.Args) (any, error) {
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	owner := parent.(*Account)
	var repos []*Repo
	for _, r := range g.s.sorted() {
		if strings.EqualFold(r.Owner, owner.Login) && g.s.sees(g.who, &r.Repository) && selected(r, args) {
			repos = append(repos, r)
		}
	}
	key := func(i int) string { return strings.ToLower(repos[i].Name) }
	if order := args.Object("orderBy"); order.String("field") != "NAME" {
		slices.SortFunc(repos, func(a, b *Repo) int { return int(a.ID - b.ID) })
		key = func(i int) string { return number(repos[i].ID) }
	} else if order.String("direction") == "DESC" {
		return nil, fmt.Errorf("the simulator lists repositories in rising order only")
	}
	return pageOfKeys(args, len(repos), key, func(i int) any { return repos[i].Repository })
}

// selected reports whether the arguments of a list of repositories let r in.
func selected(r *Repo, args gql.Args) bool {
	if privacy := args.String("privacy"); privacy != "" && (privacy == "PUBLIC") == r.isPrivate() {
		return false
	}
	if visibility := args.String("visibility"); visibility != "" && !strings.EqualFold(visibility, r.Visibility) {
		return false
	}
	if fork, ok := args["isFork"].(bool); ok && fork != r.Fork {
		return false
	}
	archived, ok := args["isArchived"].(bool)
	return !ok || archived == r.Archived
}

// readable gives an error when the content of the repository may not be read.
func (g *graph) readable(r Repository) error {
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	if r.Disabled {
		return gql.Errorf("FORBIDDEN", "Repository access blocked")
	}
	if !g.s.allowed(g.who, &r, need("contents:read")) {
		return g.forbidden()
	}
	return nil
}

func (g *graph) forbidden() error {
	e := gql.Errorf("FORBIDDEN", "%s", g.notAccessible())
	e.Extensions = map[string]any{"saml_failure": false}
	return e
}

func (g *graph) defaultBranch(parent any, _ gql.Args) (any, error) {
	r := parent.(Repository)
	if err := g.readable(r); err != nil {
		return nil, err
	}
	id, ok := gitstore.Lookup(r.Content, r.Content.Head())
	if !ok {
		return nil, nil
	}
	return ref{r, r.Content.Head(), "refs/heads/", id}, nil
}

func (g *graph) ref(parent any, args gql.Args) (any, error) {
	r := parent.(Repository)
	if err := g.readable(r); err != nil {
		return nil, err
	}
	name := args.String("qualifiedName")
	for _, full := range []string{name, "refs/heads/" + name, "refs/tags/" + name} {
		if id, ok := gitstore.Lookup(r.Content, full); ok && strings.HasPrefix(full, "refs/") {
			prefix := "refs/" + strings.SplitN(full, "/", 3)[1] + "/"
			return ref{r, full, prefix, id}, nil
		}
	}
	return nil, nil
}

func (g *graph) refs(parent any, args gql.Args) (any, error) {
	r := parent.(Repository)
	if err := g.readable(r); err != nil {
		return nil, err
	}
	prefix := args.String("refPrefix")
	if !strings.HasSuffix(prefix, "/") {
		return list{nodes: []any{}}, nil
	}
	var refs []ref
	for _, at := range r.Content.Refs() {
		if strings.HasPrefix(at.Name, prefix) && strings.Contains(at.Name, args.String("query")) {
			refs = append(refs, ref{r, at.Name, prefix, at.ID})
		}
	}
	return pageOfKeys(args, len(refs), func(i int) string { return refs[i].name }, func(i int) any { return refs[i] })
}

// pull is a pull request in GraphQL.
type pull struct {
	repo Repository
	Pull
}

func pullOf(r Repository, p Pull) pull { return pull{r, p} }

func (p pull) state() string {
	if p.Closed {
		return "CLOSED"
	}
	return "OPEN"
}

func (p pull) head() gitstore.ID {
	id, _ := gitstore.Lookup(p.repo.Content, fmt.Sprintf("refs/pull/%d/head", p.Number))
	return id
}

func (p pull) base() string {
	if p.Base != "" {
		return p.Base
	}
	return p.repo.defaultBranch()
}

func (g *graph) pulls(parent any, args gql.Args) (any, error) {
	r := parent.(Repository)
	g.s.mu.Lock()
	allowed := g.s.allowed(g.who, &r, need("pull_requests:read"))
	g.s.mu.Unlock()
	if !allowed {
		return nil, g.forbidden()
	}
	states := args.Strings("states")
	var pulls []pull
	for _, p := range r.Pulls {
		if shown := pullOf(r, p); states == nil || slices.Contains(states, shown.state()) {
			pulls = append(pulls, shown)
		}
	}
	return pageOfKeys(args, len(pulls), func(i int) string { return number(int64(pulls[i].Number)) }, func(i int) any { return pulls[i] })
}

// headRef gives the branch of a pull request, or null where it was deleted.
func (g *graph) headRef(parent any, _ gql.Args) (any, error) {
	p := parent.(pull)
	name := "refs/heads/" + p.Branch
	id, ok := gitstore.Lookup(p.repo.Content, name)
	if !ok {
		return nil, nil // null is the answer
	}
	return ref{p.repo, name, "refs/heads/", id}, nil
}

func (g *graph) releases(parent any, args gql.Args) (any, error) {
	r := parent.(Repository)
	if err := g.readable(r); err != nil {
		return nil, err
	}
	return pageOfKeys(args, len(r.Releases), func(i int) string { return number(int64(i)) }, func(i int) any { return r.Releases[i] })
}
