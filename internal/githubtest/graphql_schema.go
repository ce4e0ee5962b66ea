package githubtest

import (
	"encoding/base64"
	"fmt"
	"sort"
	"strconv"
	"strings"

	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
	"github.com/wormsweep/wormsweep/internal/githubtest/gql"
)

// ref is a ref of a repository in GraphQL.
type ref struct {
	repo   Repository
	name   string // complete
	prefix string // that the query named
	id     gitstore.ID
}

// object is a git object in GraphQL.
type object struct {
	repo Repository
	id   gitstore.ID
	gitstore.Object
}

// connection arguments that pages take.
func paged(more ...string) map[string]gql.Arg {
	args := map[string]gql.Arg{"first": {}, "last": {}, "after": {}, "before": {}}
	for _, name := range more {
		args[name] = gql.Arg{}
	}
	return args
}

// list is a page of a connection.
type list struct {
	total       int
	nodes       []any
	cursors     []string
	hasNext     bool
	hasPrevious bool
}

// cursor makes the opaque mark of a place in a list.
func cursor(key string) string {
	return base64.StdEncoding.EncodeToString([]byte("cursor:v2:" + key))
}

// pageOfKeys cuts a page out of a list of n items by the keys that cursors hold. Keys stay
// what they are when the list changes, so that a walk of its pages goes on.
func pageOfKeys(args gql.Args, n int, key func(i int) string, node func(i int) any) (list, error) {
	from, to := 0, n
	for _, bound := range []string{"after", "before"} {
		mark := args.String(bound)
		if mark == "" {
			continue
		}
		raw, err := base64.StdEncoding.DecodeString(mark)
		wanted, ok := strings.CutPrefix(string(raw), "cursor:v2:")
		if err != nil || !ok {
			return list{}, gql.Errorf("INVALID_CURSOR_ARGUMENTS", "`%s` does not appear to be a valid cursor.", mark)
		}
		at := sort.Search(n, func(i int) bool { return key(i) >= wanted })
		found := at < n && key(at) == wanted
		switch {
		case bound == "before":
			to = at
		case found:
			from = at + 1
		default:
			from = at
		}
	}
	from = min(from, to)
	if first, ok := args.Int("first"); ok {
		to = min(to, from+first)
	} else if last, ok := args.Int("last"); ok {
		from = max(from, to-last)
	}
	l := list{total: n, hasNext: to < n, hasPrevious: from > 0}
	for i := from; i < to; i++ {
		l.nodes = append(l.nodes, node(i))
		l.cursors = append(l.cursors, cursor(key(i)))
	}
	if l.nodes == nil {
		l.nodes = []any{}
	}
	return l, nil
}

// number makes a key of a number that sorts as the number does.
func number(n int64) string { return fmt.Sprintf("%020d", n) }

// connectionType makes the type of a connection of a type.
func connectionType(of string) *gql.Type {
	return &gql.Type{Fields: map[string]gql.Field{
		"totalCount": field("", func(l list) any { return l.total }),
		"pageInfo":   field("PageInfo", func(l list) any { return l }),
		"nodes":      field(of, func(l list) any { return l.nodes }),
	}}
}

// schema is the part of GitHub's schema that the server has.
func (g *graph) schema() gql.Schema {
	return gql.Schema{
		"Query": {Fields: map[string]gql.Field{
			"rateLimit":    {Type: "RateLimit", Args: map[string]gql.Arg{"dryRun": {}}, Resolve: g.rateLimit},
			"organization": {Type: "Organization", Args: map[string]gql.Arg{"login": {Required: true}}, Resolve: g.organization},
			"repository": {
				Type: "Repository", Args: map[string]gql.Arg{"owner": {Required: true}, "name": {Required: true}, "followRenames": {}},
				Resolve: g.repository,
			},
			"node":  {Type: "Node", Args: map[string]gql.Arg{"id": {Required: true}}, Resolve: g.node},
			"nodes": {Type: "Node", Args: map[string]gql.Arg{"ids": {Required: true}}, Resolve: g.nodes},
		}},
		"RateLimit": {Fields: map[string]gql.Field{
			"cost":      {Resolve: func(any, gql.Args) (any, error) { return g.query.Cost, nil }},
			"nodeCount": {Resolve: func(any, gql.Args) (any, error) { return g.query.Nodes, nil }},
			"limit":     field("", func(b bucket) any { return b.limit }),
			"remaining": field("", func(b bucket) any { return b.remaining() }),
			"used":      field("", func(b bucket) any { return min(b.used, b.limit) }),
			"resetAt":   field("", func(b bucket) any { return date(b.reset) }),
		}},
		"PageInfo": {Fields: map[string]gql.Field{
			"hasNextPage":     field("", func(l list) any { return l.hasNext }),
			"hasPreviousPage": field("", func(l list) any { return l.hasPrevious }),
			"startCursor":     field("", func(l list) any { return at(l.cursors, 0) }),
			"endCursor":       field("", func(l list) any { return at(l.cursors, len(l.cursors)-1) }),
		}},
		"Node":                 {Of: []string{"Repository", "Organization", "User"}, Fields: map[string]gql.Field{"id": {}}},
		"RepositoryOwner":      {Of: []string{"Organization", "User"}, Fields: map[string]gql.Field{"id": {}, "login": {}}},
		"Organization":         {Fields: g.organizationFields()},
		"UserConnection":       connectionType("User"),
		"User":                 {Fields: g.accountFields()},
		"RepositoryConnection": connectionType("Repository"),
		"Repository":           {Fields: g.repositoryFields()},

		"RefConnection": connectionType("Ref"),
		"Ref": {Fields: map[string]gql.Field{
			"name":   field("", func(r ref) any { return strings.TrimPrefix(r.name, r.prefix) }),
			"prefix": field("", func(r ref) any { return r.prefix }),
			"target": field("GitObject", func(r ref) any { return g.gitObject(r.repo, r.id) }),
		}},
		"GitObject": {Of: []string{"Commit", "Tree", "Blob", "Tag"}, Fields: g.objectFields(nil)},
		"Commit": {Fields: g.objectFields(map[string]gql.Field{
			"tree":          field("Tree", func(o object) any { return object{repo: o.repo, id: o.commit().Tree} }),
			"committedDate": field("", func(o object) any { return date(o.commit().When) }),
			"message":       field("", func(o object) any { return o.commit().Message }),
			"author":        field("GitActor", func(o object) any { return o.person("author ") }),
			"committer":     field("GitActor", func(o object) any { return o.person("committer ") }),
		})},
		"GitActor": {Fields: map[string]gql.Field{
			"name":  field("", func(a actor) any { return a.name }),
			"email": field("", func(a actor) any { return a.email }),
		}},
		"Tree": {Fields: g.objectFields(map[string]gql.Field{
			"entries": field("TreeEntry", func(o object) any { return o.entries() }),
		})},
		"TreeEntry": {Fields: map[string]gql.Field{
			"name": field("", func(e treeEntry) any { return e.Name }),
			"type": field("", func(e treeEntry) any { return e.Kind().String() }),
			"mode": field("", func(e treeEntry) any { return int(e.Mode) }),
			"oid":  field("", func(e treeEntry) any { return e.ID.String() }),
		}},
		"Blob": {Fields: g.objectFields(map[string]gql.Field{
			"byteSize":    field("", func(o object) any { return len(o.Data) }),
			"isBinary":    field("", func(o object) any { return o.binary() }),
			"isTruncated": field("", func(o object) any { return len(o.Data) > maxText }),
			"text":        field("", func(o object) any { return o.text() }),
		})},
		"Tag": {Fields: g.objectFields(map[string]gql.Field{
			"name":    field("", func(o object) any { return o.tag().Name }),
			"message": field("", func(o object) any { return o.tag().Message }),
			"target":  field("GitObject", func(o object) any { return g.gitObject(o.repo, o.tag().Target) }),
		})},

		"ReleaseConnection": connectionType("Release"),
		"Release": {Fields: map[string]gql.Field{
			"name":    field("", func(r Release) any { return r.Name }),
			"tagName": field("", func(r Release) any { return r.Tag }),
		}},

		"PullRequestConnection": connectionType("PullRequest"),
		"PullRequest": {Fields: map[string]gql.Field{
			"id":          field("", func(p pull) any { return node("PR", p.ID) }),
			"number":      field("", func(p pull) any { return p.Number }),
			"title":       field("", func(p pull) any { return p.Title }),
			"state":       field("", func(p pull) any { return p.state() }),
			"isDraft":     field("", func(p pull) any { return p.Draft }),
			"headRefName": field("", func(p pull) any { return p.Branch }),
			"headRefOid":  field("", func(p pull) any { return p.head().String() }),
			"headRef":     {Type: "Ref", Resolve: g.headRef},
			"baseRefName": field("", func(p pull) any { return p.base() }),
		}},
	}
}

func at(cursors []string, i int) any {
	if i < 0 || i >= len(cursors) {
		return nil
	}
	return cursors[i]
}

// organizationFields are those of accounts, and the members.
func (g *graph) organizationFields() map[string]gql.Field {
	fields := g.accountFields()
	fields["membersWithRole"] = gql.Field{Type: "UserConnection", Connection: true, Resolve: g.members, Args: paged()}
	return fields
}

// accountFields are the fields of Organization and User.
func (g *graph) accountFields() map[string]gql.Field {
	return map[string]gql.Field{
		"id":         field("", func(a *Account) any { return node(a.Kind[:1], a.ID) }),
		"databaseId": field("", func(a *Account) any { return a.ID }),
		"login":      field("", func(a *Account) any { return a.Login }),
		"repositories": {
			Type: "RepositoryConnection", Connection: true, NonNull: true,
			Args:    paged("orderBy", "privacy", "isFork", "isArchived", "visibility", "affiliations", "ownerAffiliations"),
			Resolve: g.repositories,
		},
	}
}

func (g *graph) repositoryFields() map[string]gql.Field {
	return map[string]gql.Field{
		"id":            field("", func(r Repository) any { return node("R", r.ID) }),
		"databaseId":    field("", func(r Repository) any { return r.ID }),
		"name":          field("", func(r Repository) any { return r.Name }),
		"nameWithOwner": field("", func(r Repository) any { return r.FullName() }),
		"owner":         {Type: "RepositoryOwner", Resolve: g.owner},
		"description": field("", func(r Repository) any {
			if r.Description == "" {
				return nil
			}
			return r.Description
		}),
		"isArchived":       field("", func(r Repository) any { return r.Archived }),
		"isFork":           field("", func(r Repository) any { return r.Fork }),
		"isDisabled":       field("", func(r Repository) any { return r.Disabled }),
		"isLocked":         field("", func(r Repository) any { return r.Locked }),
		"isEmpty":          field("", func(r Repository) any { return r.empty() }),
		"isPrivate":        field("", func(r Repository) any { return r.isPrivate() }),
		"visibility":       field("", func(r Repository) any { return strings.ToUpper(r.Visibility) }),
		"hasIssuesEnabled": field("", func(r Repository) any { return !r.IssuesOff }),
		"pushedAt":         field("", func(r Repository) any { return date(r.PushedAt) }),
		"createdAt":        field("", func(r Repository) any { return date(r.CreatedAt) }),
		"diskUsage":        field("", func(r Repository) any { return r.Kilobytes }),
		"url":              field("", func(r Repository) any { return g.s.base + "/" + r.FullName() }),
		"defaultBranchRef": {Type: "Ref", Resolve: g.defaultBranch},
		"ref":              {Type: "Ref", Args: map[string]gql.Arg{"qualifiedName": {Required: true}}, Resolve: g.ref},
		"refs": {
			Type: "RefConnection", Connection: true, Resolve: g.refs,
			Args: func() map[string]gql.Arg {
				args := paged("orderBy", "direction", "query")
				args["refPrefix"] = gql.Arg{Required: true}
				return args
			}(),
		},
		"object":   {Type: "GitObject", Args: map[string]gql.Arg{"oid": {}, "expression": {}}, Resolve: g.object},
		"releases": {Type: "ReleaseConnection", Connection: true, NonNull: true, Resolve: g.releases, Args: paged("orderBy")},
		"pullRequests": {
			Type: "PullRequestConnection", Connection: true, NonNull: true, Resolve: g.pulls,
			Args: paged("states", "orderBy", "headRefName", "baseRefName", "labels"),
		},
	}
}

// objectFields are what all git objects have, and what one kind has besides.
func (g *graph) objectFields(more map[string]gql.Field) map[string]gql.Field {
	fields := map[string]gql.Field{
		"oid":            field("", func(o object) any { return o.id.String() }),
		"abbreviatedOid": field("", func(o object) any { return o.id.String()[:7] }),
	}
	for name, f := range more {
		fields[name] = f
	}
	return fields
}

// named are the ids of nodes.
func nodeID(id string) (kind string, n int64) {
	kind, rest, _ := strings.Cut(id, "_")
	raw, err := base64.RawURLEncoding.DecodeString(rest)
	if err != nil {
		return "", 0
	}
	_, digits, _ := strings.Cut(string(raw), ":"+kind)
	n, err = strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return "", 0
	}
	return kind, n
}
