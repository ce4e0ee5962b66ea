package github

import (
	"context"
	"errors"
	"net/url"
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
		_, err := r.client.Get(ctx, "orgs/"+url.PathEscape(r.sel.Org)+"/actions/runners", query, &list)
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

// membersQuery asks for the ten public repositories of each member that were made last.
const membersQuery = `query($org:String!,$after:String){organization(login:$org){membersWithRole(first:100,after:$after){` +
	`pageInfo{hasNextPage endCursor} nodes{login repositories(first:10,privacy:PUBLIC,ownerAffiliations:OWNER,` +
	`orderBy:{field:CREATED_AT,direction:DESC}){nodes{nameWithOwner description}}}}}}`

// members takes the names and descriptions of the newest public repositories of the
// organisation's members: a worm publishes what it stole there.
func (r *run) members(ctx context.Context) {
	if r.withoutGraphQL.Load() { // as is said of the server
		return
	}
	vars := map[string]any{"org": r.sel.Org}
	for n, got := 1, 0; n <= maxPages; n++ {
		var data struct {
			Organization struct {
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
		}
		err := r.client.GraphQL(ctx, membersQuery, vars, &data)
		page := &data.Organization.Members
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
		vars["after"] = page.Info.End
	}
}

var errNoMembers = errors.New("no member is shown")
