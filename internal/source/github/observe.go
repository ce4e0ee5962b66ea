package github

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strconv"

	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/source"
)

// runners takes the names of the organisation's self-hosted runners.
func (r *run) runners(ctx context.Context) {
	for n, got := 1, 0; n <= maxPages; n++ {
		var list struct {
			Total   int `json:"total_count"`
			Runners []struct{ Name string }
		}
		query := url.Values{"per_page": {strconv.Itoa(perPage)}, "page": {strconv.Itoa(n)}}
		var body []byte
		err := r.remembered(ctx, "orgs/"+url.PathEscape(r.sel.Org)+"/actions/runners", query, &body)
		if err == nil {
			err = json.Unmarshal(body, &list)
		}
		var permitted *ghclient.NotPermittedError
		switch {
		case errors.As(err, &permitted), errors.Is(err, ghclient.ErrNotFound):
			r.lack("self-hosted runners of the organisation", "organization_self_hosted_runners=read", false, err)
			return
		case err != nil:
			r.problem(source.CodeFetch, "the self-hosted runners of the organisation: %v", err)
			return
		}
		for _, runner := range list.Runners {
			r.saw(source.SeenRunner, runner.Name, "")
		}
		if got += len(list.Runners); len(list.Runners) == 0 || got >= list.Total {
			return
		}
	}
}

// membersField asks for the ten public repositories of each member that were made last.
const membersField = ` organization(login:$org){membersWithRole(first:100,after:$after){` +
	`pageInfo{hasNextPage endCursor} nodes{login repositories(first:10,privacy:PUBLIC,ownerAffiliations:OWNER,` +
	`orderBy:{field:CREATED_AT,direction:DESC}){nodes{nameWithOwner description}}}}}`

// membersOf is a page of the members of an organisation.
type membersOf struct {
	Members struct {
		Info  pageInfo `json:"pageInfo"`
		Nodes []struct {
			Login        string
			Repositories struct {
				Nodes []struct {
					Name        string `json:"nameWithOwner"`
					Description string
				}
			}
		}
	} `json:"membersWithRole"`
}

// firstMembers is the first page of members, where it was asked for with heads, or why it lacks.
type firstMembers struct {
	page membersOf
	err  error
}

// foldMembers takes the members out of an answer that has heads as well, and gives what is left of its
// error. Where there was no answer, they are asked for again.
func (r *run) foldMembers(err error, page *membersOf) error {
	var fault *ghclient.GraphQLError
	if err != nil && (!errors.As(err, &fault) || !fault.Partial) {
		return err
	}
	r.first = &firstMembers{page: *page}
	if fault == nil {
		return nil
	}
	heads, members := *fault, *fault
	of := func(f ghclient.GraphQLFault) bool { return len(f.Path) > 0 && f.Path[0] == "organization" }
	heads.Errors = slices.DeleteFunc(slices.Clone(fault.Errors), of)
	members.Errors = slices.DeleteFunc(slices.Clone(fault.Errors), func(f ghclient.GraphQLFault) bool { return !of(f) })
	vague := func(f ghclient.GraphQLFault) bool { return len(f.Path) == 0 || f.Type == "RESOURCE_LIMITS_EXCEEDED" }
	switch {
	case slices.ContainsFunc(fault.Errors, vague): // what it cost, it does not say
		r.first = nil
	case len(members.Errors) > 0:
		r.first.err = &members
	}
	if len(heads.Errors) == 0 {
		return nil
	}
	return &heads
}

// membersAfter asks for a page of members.
func (r *run) membersAfter(ctx context.Context, after string) (*membersOf, error) {
	if first := r.first; first != nil && after == "" {
		return &first.page, first.err
	}
	vars := map[string]any{"org": r.sel.Org}
	if after != "" {
		vars["after"] = after
	}
	var data struct{ Organization membersOf }
	err := r.client.GraphQL(ctx, `query($org:String!,$after:String){`+membersField+`}`, vars, &data)
	return &data.Organization, err
}

// members takes the names and descriptions of the newest public repositories of the
// organisation's members: a worm publishes what it stole there.
func (r *run) members(ctx context.Context) {
	if r.withoutGraphQL.Load() { // as is said of the server
		return
	}
	after := ""
	for n, got := 1, 0; n <= maxPages; n++ {
		data, err := r.membersAfter(ctx, after)
		page := &data.Members
		if got += len(page.Nodes); err == nil && got == 0 {
			err = errNoMembers
		}
		var fault *ghclient.GraphQLError
		var permitted *ghclient.NotPermittedError
		switch {
		case errors.Is(err, errNoMembers), errors.As(err, &fault) && fault.Has("FORBIDDEN"), errors.As(err, &permitted):
			r.lack("public repositories of the organisation's members", "members=read", false, err)
			return
		case err != nil:
			r.problem(source.CodeFetch, "the public repositories of the organisation's members after the first %d: %v", got, err)
			return
		}
		for _, member := range page.Nodes {
			for _, repo := range member.Repositories.Nodes {
				l := listed{FullName: repo.Name}
				r.saw(source.SeenName, l.name(), repo.Name)
				r.saw(source.SeenDescription, repo.Description, repo.Name)
			}
		}
		if !page.Info.More || page.Info.End == "" {
			return
		}
		after = page.Info.End
	}
}

var errNoMembers = errors.New("no member is shown")
