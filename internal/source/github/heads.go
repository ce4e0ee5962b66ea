package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/source"
)

// How many repositories are asked about in one request. GitHub gives up on a query after ten
// seconds, and then a smaller one is tried, at last one for a single repository.
const (
	maxBatch  = 100 // GitHub's limit of nodes by id
	withRefs  = 25  // to begin with, where the trees of more refs than one are wanted
	leastSure = 10  // below it, one by one
	growAfter = 3   // answers in a row, until more are asked for again
)

// heads sends the repositories, with their heads, in the order of all and in batches. The
// channel closes after the last; wait returns when nothing runs any more.
func (r *run) heads(ctx context.Context, all []*listed) (batches <-chan []*source.Repository, wait func()) {
	out, done := make(chan []*source.Repository, 1), make(chan struct{})
	go func() {
		defer close(done)
		defer close(out)
		size, good := maxBatch, 0
		if r.opt.Refs != (source.Refs{}) { // and not for names alone: most repositories have few
			size = withRefs
		}
		for len(all) > 0 && ctx.Err() == nil {
			chunk := all[:min(size, len(all))]
			asked := r.opt.Now()
			heads, err := r.ask(ctx, chunk)
			if tooMuch(err) && len(chunk) > 1 {
				size, good = smaller(len(chunk)), 0
				continue
			}
			if good++; good == growAfter && size < maxBatch {
				size, good = min(2*size, maxBatch), 0
			}
			all = all[len(chunk):]
			batch := make([]*source.Repository, len(chunk))
			each(len(chunk), r.opt.Jobs, func(i int) {
				h := &head{err: err}
				if err == nil {
					h = heads[i]
				}
				batch[i] = r.build(ctx, chunk[i], h)
				batch[i].Asked = asked
			})
			select {
			case out <- batch:
			case <-ctx.Done():
			}
		}
	}()
	return out, func() {
		for range out { // what was made and not taken holds nothing open
		}
		<-done
	}
}

func smaller(n int) int {
	switch {
	case n/2 >= leastSure:
		return n / 2
	case n > leastSure:
		return leastSure
	}
	return 1
}

// errPartial wraps the errors of answers that lack parts without saying which.
var errPartial = errors.New("GitHub's answer is not whole")

// tooMuch reports whether a query that asks for less may have an answer.
func tooMuch(err error) bool {
	return errors.Is(err, ghclient.ErrTimeout) || errors.Is(err, ghclient.ErrTooLong) || errors.Is(err, errPartial)
}

// head is what GraphQL says of one repository.
type head struct {
	ID       int64  `json:"databaseId"`
	Name     string `json:"nameWithOwner"`
	Disabled bool   `json:"isDisabled"`
	Locked   bool   `json:"isLocked"`
	Empty    bool   `json:"isEmpty"`
	Default  *struct {
		Name   string
		Target *object
	} `json:"defaultBranchRef"`
	Branches, Tags *refPage
	Pulls          *pullPage    `json:"pullRequests"`
	Releases       *releasePage `json:"releases"`

	err     error            // why nothing is known
	lacking map[string]error // by field: what of it could not be had
}

// object is a git object: a commit with its tree, a tag with what it is of, or another.
type object struct {
	Type   string `json:"__typename"`
	OID    string
	Tree   *struct{ OID string }
	Target *object

	Message           string
	Author, Committer *person
}

// person is who wrote or committed a commit.
type person struct{ Name, Email string }

// shows is what a commit shows beside its files; nil for what is no commit.
func (o *object) shows() *source.Commit {
	if o == nil || o.Type != "Commit" {
		return nil
	}
	c := &source.Commit{Message: o.Message}
	if o.Tree != nil {
		c.Tree = o.Tree.OID
	}
	for _, p := range []*person{o.Author, o.Committer} {
		if p == nil {
			continue
		}
		if text := fmt.Sprintf("%s <%s>", p.Name, p.Email); !slices.Contains(c.People, text) {
			c.People = append(c.People, text)
		}
	}
	return c
}

// peeled is what a chain of tags names in the end.
func (o *object) peeled() *object {
	for o != nil && o.Type == "Tag" && o.Target != nil {
		o = o.Target
	}
	return o
}

type pageInfo struct {
	More bool   `json:"hasNextPage"`
	End  string `json:"endCursor"`
}

type refPage struct {
	Info  pageInfo `json:"pageInfo"`
	Nodes []*struct {
		Name   string
		Target *object
	}
}

type pullPage struct {
	Info  pageInfo `json:"pageInfo"`
	Nodes []*struct {
		Number  int
		HeadOID string                    `json:"headRefOid"`
		Head    *struct{ Target *object } `json:"headRef"`
	}
}

type releasePage struct {
	Info  pageInfo `json:"pageInfo"`
	Nodes []*struct{ Name, TagName string }
}

// The fragments of queries.
const (
	objectFragment = ` fragment O on GitObject{__typename oid ...C` +
		` ...on Tag{target{__typename oid ...C ...on Tag{target{__typename oid ...C}}}}}` +
		` fragment C on Commit{tree{oid} message author{name email} committer{name email}}`
	refFragment = ` fragment R on RefConnection{pageInfo{hasNextPage endCursor} nodes{name target{...O}}}`
)

// part is a list of a repository that is read in pages.
type part struct {
	field string // of head, as JSON has it
	what  string // for people
	needs string // the permission
	query string // with "%s" for arguments of the page
	refs  bool   // it takes refFragment
}

// The parts of a repository that are lists.
var (
	branchPart  = part{"branches", "branches", "contents=read", `branches:refs(refPrefix:"refs/heads/",%s){...R}`, true}
	tagPart     = part{"tags", "tags", "contents=read", `tags:refs(refPrefix:"refs/tags/",%s){...R}`, true}
	pullPart    = part{"pullRequests", "pull requests", "pull_requests=read", `pullRequests(states:OPEN,%s){pageInfo{hasNextPage endCursor} nodes{number headRefOid headRef{target{...O}}}}`, false}
	releasePart = part{"releases", "releases", "contents=read", `releases(%s){pageInfo{hasNextPage endCursor} nodes{name tagName}}`, false}
)

// parts are the lists that the options ask for.
func (r *run) parts() []part {
	var out []part
	for _, p := range []struct {
		part
		prefix string
	}{{branchPart, source.Branches}, {tagPart, source.Tags}} {
		if r.opt.Observe || r.opt.Refs.MayMatch(p.prefix) {
			out = append(out, p.part)
		}
	}
	if r.opt.Refs.MayMatch(source.Pulls) {
		out = append(out, pullPart)
	}
	if r.opt.Observe {
		out = append(out, releasePart)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(out, func(p part) bool { return r.refused[p.field] })
}

// refuse reports whether an answer lacks repositories for a part of them that the token may not
// see. GitHub then leaves out the whole of each (of a field that is never null), so that the part
// is not asked for again; that it was not looked at is said.
func (r *run) refuse(fault *ghclient.GraphQLError, nodes []*head) bool {
	if fault == nil {
		return false
	}
	again := false
	for _, f := range fault.Errors {
		if f.Type != "FORBIDDEN" || len(f.Path) < 3 || f.Path[0] != "nodes" {
			continue
		}
		n, _ := f.Path[1].(float64)
		if n < 0 || int(n) >= len(nodes) || nodes[int(n)] != nil {
			continue
		}
		for _, p := range r.parts() {
			if f.Path[2] != p.field {
				continue
			}
			r.mu.Lock()
			if r.refused == nil {
				r.refused = map[string]bool{}
			}
			r.refused[p.field], again = true, true
			r.mu.Unlock()
			r.lack(p.what, p.needs, p.field != releasePart.field, &ghclient.GraphQLError{Partial: true, Errors: []ghclient.GraphQLFault{f}})
		}
	}
	return again
}

// query asks for heads by their ids; with also, for what that names beside them.
func (r *run) query(also string) string {
	var lists strings.Builder
	refs := false
	for _, p := range r.parts() {
		fmt.Fprintf(&lists, " "+p.query, fmt.Sprintf("first:%d", perPage))
		refs = refs || p.refs
	}
	parameters := `$ids:[ID!]!`
	if also != "" {
		parameters += `,$org:String!,$after:String`
	}
	q := `query(` + parameters + `){nodes(ids:$ids){...on Repository{databaseId nameWithOwner isDisabled isLocked isEmpty` +
		` defaultBranchRef{name target{...O}}` + lists.String() + `}}` + also + `}` + objectFragment
	if refs {
		q += refFragment
	}
	return q
}

// ask asks for the heads of repositories. The result has one for each of them, with an error
// in it where that one alone could not be had; the error is for all.
func (r *run) ask(ctx context.Context, chunk []*listed) ([]*head, error) {
	heads := make([]*head, len(chunk))
	var ids []string
	var at []int // in chunk, of each id
	for i, l := range chunk {
		if l.gone != nil || l.Disabled || l.NodeID == "" {
			heads[i] = &head{err: errNoNode}
			continue
		}
		ids, at = append(ids, l.NodeID), append(at, i)
	}
	if len(ids) == 0 || r.withoutGraphQL.Load() {
		return heads, nil
	}
	var data struct {
		Nodes        []*head
		Organization membersOf
	}
	also, vars := "", map[string]any{"ids": ids}
	if r.sel.Org != "" && r.opt.Observe && !r.folded { // the members with the first, and by themselves where that has no answer
		r.folded, also, vars["org"] = true, membersField, r.sel.Org
	}
	err := r.client.GraphQL(ctx, r.query(also), vars, &data)
	if also != "" {
		err = r.foldMembers(err, &data.Organization)
	}
	var fault *ghclient.GraphQLError
	switch {
	case ghclient.Status(err) == http.StatusNotFound && !errors.As(err, &fault):
		r.withoutGraphQL.Store(true)
		r.note(source.CodeFallback, "the server has no GraphQL: refs are listed in another way; messages and authors of commits, and public repositories of members, were not looked at: %v", err)
		return heads, nil
	case errors.As(err, &fault) && (fault.Partial || len(data.Nodes) > 0):
	case err != nil:
		return nil, err
	}
	if r.refuse(fault, data.Nodes) {
		return r.ask(ctx, chunk)
	}
	if len(data.Nodes) != len(ids) {
		return nil, fmt.Errorf("%w: %d nodes for %d repositories", errPartial, len(data.Nodes), len(ids))
	}
	for i, h := range data.Nodes {
		if want := chunk[at[i]].ID; h != nil && h.ID != want {
			return nil, fmt.Errorf("GitHub's answer has the repository %d in the place of %d", h.ID, want)
		}
		heads[at[i]] = h
	}
	if fault != nil {
		if err := spread(fault, heads, at); err != nil {
			return nil, err
		}
	}
	for _, i := range at {
		if heads[i] == nil {
			heads[i] = &head{err: errors.New("GitHub's answer leaves it out")}
		}
	}
	return heads, nil
}

// errNoNode: the list says enough about a repository, or nothing.
var errNoNode = errors.New("no answer is needed")

// spread gives each error of an answer to the repository that it is of. The error is that
// one is of none: of what is null then nobody knows why.
func spread(fault *ghclient.GraphQLError, heads []*head, at []int) error {
	for _, f := range fault.Errors {
		i := -1
		if len(f.Path) >= 2 && f.Path[0] == "nodes" {
			if n, ok := f.Path[1].(float64); ok && n >= 0 && int(n) < len(at) {
				i = at[int(n)]
			}
		}
		if i < 0 || f.Type == "RESOURCE_LIMITS_EXCEEDED" {
			return fmt.Errorf("%w: %w", errPartial, fault)
		}
		err := error(&ghclient.GraphQLError{Partial: true, Errors: []ghclient.GraphQLFault{f}})
		field := ""
		if len(f.Path) > 2 {
			field, _ = f.Path[2].(string)
		}
		switch h := heads[i]; {
		case h == nil:
			heads[i] = &head{err: err}
		case h.err == nil:
			if h.lacking == nil {
				h.lacking = map[string]error{}
			}
			h.lacking[field] = err
		}
	}
	return nil
}
