package githubtest_test

import (
	"fmt"
	"testing"

	"github.com/wormsweep/wormsweep/internal/githubtest"
)

const headsQuery = `query($org:String!,$after:String,$n:Int=100){ rateLimit{cost remaining resetAt}
	organization(login:$org){ repositories(first:$n,after:$after,orderBy:{field:NAME,direction:ASC}){
		totalCount pageInfo{hasNextPage endCursor} nodes{...R} } } }
fragment R on Repository{ id databaseId nameWithOwner isArchived isFork isDisabled isLocked isEmpty isPrivate visibility pushedAt diskUsage
	defaultBranchRef{ name target{ __typename oid ... on Commit{ tree{ oid } } } } }`

func TestGraphQLPages(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	for i := range 25 {
		s.AddFiles(fmt.Sprintf("r%02d", i), map[string]string{"a": fmt.Sprint(i)})
	}
	token := s.InstallationToken(s.Installation())
	var names []string
	var ids []any
	var after any
	for page := 0; ; page++ {
		got := graphQL(t, s, token, headsQuery, map[string]any{"org": "acme", "after": after, "n": 10})
		connection := got.json(t, "data", "organization", "repositories").(map[string]any)
		for _, node := range connection["nodes"].([]any) {
			names = append(names, node.(map[string]any)["nameWithOwner"].(string))
			ids = append(ids, node.(map[string]any)["id"])
		}
		if page == 0 {
			s.AddFiles("r00-new", nil) // before the cursor: the walk goes on where it was
		}
		info := connection["pageInfo"].(map[string]any)
		if after = info["endCursor"]; info["hasNextPage"] != true {
			break
		}
	}
	if len(names) != 25 || names[24] != "acme/r24" || names[0] != "acme/r00" {
		t.Errorf("%d repositories: %q", len(names), names)
	}

	got := graphQL(t, s, token, `query($ids:[ID!]!){nodes(ids:$ids){... on Repository{nameWithOwner defaultBranchRef{target{oid}}}}}`,
		map[string]any{"ids": []any{ids[3], "R_nothing", ids[4]}})
	if got.json(t, "data", "nodes", 0, "nameWithOwner") != "acme/r03" || got.json(t, "data", "nodes", 1) != nil ||
		got.json(t, "data", "nodes", 2, "nameWithOwner") != "acme/r04" || got.json(t, "errors", 0, "type") != "NOT_FOUND" ||
		fmt.Sprint(got.json(t, "errors", 0, "path")) != "[nodes 1]" {
		t.Errorf("%s", got.body)
	}
}

func TestGraphQLRefs(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	history(s)
	token := s.InstallationToken(s.Installation())
	got := graphQL(t, s, token, `{repository(owner:"acme",name:"history"){
		branches:refs(refPrefix:"refs/heads/",first:2){totalCount pageInfo{hasNextPage endCursor} nodes{name target{oid ... on Commit{tree{oid}}}}}
		tags:refs(refPrefix:"refs/tags/",first:100){nodes{name target{__typename oid ... on Tag{target{__typename oid ... on Commit{tree{oid}}}}}}}
		pulls:pullRequests(states:OPEN,first:10){nodes{number headRefName headRefOid baseRefName}}
		lock:object(expression:"HEAD:package-lock.json"){oid ... on Blob{byteSize isTruncated isBinary}}
		none:object(expression:"HEAD:nothing"){oid}
		head:defaultBranchRef{target{... on Commit{tree{entries{name type}}}}}
	}}`, nil)
	for _, tt := range []struct {
		want any
		path []any
	}{
		{3.0, []any{"branches", "totalCount"}},
		{true, []any{"branches", "pageInfo", "hasNextPage"}},
		{"change-1", []any{"branches", "nodes", 0, "name"}},
		{"v3", []any{"tags", "nodes", 2, "name"}},
		{"Tag", []any{"tags", "nodes", 0, "target", "__typename"}},
		{"Commit", []any{"tags", "nodes", 0, "target", "target", "__typename"}},
		{1.0, []any{"pulls", "nodes", 0, "number"}},
		{"main", []any{"pulls", "nodes", 0, "baseRefName"}},
		{1203.0, []any{"lock", "byteSize"}},
		{false, []any{"lock", "isTruncated"}},
		{nil, []any{"none"}},
		{"tree", []any{"head", "target", "tree", "entries", 0, "type"}},
	} {
		if v := got.json(t, append([]any{"data", "repository"}, tt.path...)...); v != tt.want {
			t.Errorf("%v: %v, want %v", tt.path, v, tt.want)
		}
	}
}

// TestGraphQLErrors are what GitHub says to queries that it does not take. Such a query of
// the product is a violation.
func TestGraphQLErrors(t *testing.T) {
	s := githubtest.New(githubtest.Options{})
	defer s.Close()
	s.AddFiles("one", map[string]string{"a": "1"})
	token := s.InstallationToken(s.Installation())
	for _, tt := range []struct {
		query, message string
		noViolation    bool
	}{
		{`{viewers{login}}`, "Field 'viewers' doesn't exist on type 'Query'", false},
		{`{organization(login:"acme"){repositories(first:1){nodes{stars}}}}`, "Field 'stars' doesn't exist on type 'Repository'", false},
		{`{organization(login:"acme"){repositories{totalCount}}}`, "You must provide a `first` or `last` value to properly paginate the `repositories` connection.", false},
		{`{organization(login:"acme"){repositories(first:101){totalCount}}}`, "Requesting 101 records on the `repositories` connection exceeds the `first` limit of 100 records.", false},
		{`{organization{login}}`, "Field 'organization' is missing required arguments: login", false},
		{`{organization(login:"acme",x:1){login}}`, "Field 'organization' doesn't accept argument 'x'", false},
		{`query($a:String!){organization(login:$a){login}}`, "Variable $a of type String! was provided invalid value", false},
		{`query($a:String){organization(login:"acme"){login}}`, "Variable $a is declared by anonymous query but not used", false},
		{`{organization(login:$a){login}}`, "Variable $a is used by anonymous query but not declared", false},
		{`{organization(login:"acme")}`, "Field must have selections (field 'organization' returns Organization but has no selections. Did you mean 'organization { ... }'?)", false},
		{`{organization(login:"acme"){...F}}`, "Fragment F was used, but not defined", false},
		{`{organization(login:"acme"){... on Blob{oid}}}`, "Fragment on Blob can't be spread inside Organization", false},
		{`{organization(login:"nobody"){login}}`, "Could not resolve to an Organization with the login of 'nobody'.", true},
		{`{repository(owner:"acme",name:"none"){name}}`, "Could not resolve to a Repository with the name 'acme/none'.", true},
		{`{organization(login:"acme"){login}`, `Parse error on "" (end of query) at [1, 35]`, false},
	} {
		s.ForgetViolations()
		got := graphQL(t, s, token, tt.query, nil)
		if got.status != 200 {
			t.Errorf("%s: %d", tt.query, got.status)
		}
		if got.json(t, "errors", 0, "message") != tt.message {
			t.Errorf("%s: %s, want %q", tt.query, got.body, tt.message)
		}
		if v := s.Violations(); (len(v) > 0) == tt.noViolation {
			t.Errorf("%s: violations %q", tt.query, v)
		}
	}
}

func TestGraphQLCost(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	token := s.InstallationToken(s.Installation())
	for query, cost := range map[string]float64{
		`{rateLimit{cost}}`: 1,
		`{rateLimit{cost} organization(login:"acme"){repositories(first:100){nodes{name}}}}`:                                                                                     1,
		`{rateLimit{cost} organization(login:"acme"){repositories(first:100){nodes{refs(refPrefix:"refs/heads/",first:10){nodes{name}} pullRequests(first:1){nodes{number}}}}}}`: 2,
	} {
		if got := graphQL(t, s, token, query, nil); got.json(t, "data", "rateLimit", "cost") != cost {
			t.Errorf("%s: %s, want %v", query, got.body, cost)
		}
	}
	if got := s.Totals().Points[githubtest.GraphQL]; got != 4 {
		t.Errorf("%d points", got)
	}
}

func TestGraphQLPermissions(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	one := s.AddFiles("one", map[string]string{"a": "1"})
	token := s.ActionsToken(one, map[string]string{"metadata": "read"})
	got := graphQL(t, s, token, `{repository(owner:"acme",name:"one"){name defaultBranchRef{name}}}`, nil)
	if got.json(t, "data", "repository", "name") != "one" || got.json(t, "data", "repository", "defaultBranchRef") != nil ||
		got.json(t, "errors", 0, "type") != "FORBIDDEN" {
		t.Errorf("%s", got.body)
	}
	if got := graphQL(t, s, "wrong", `{rateLimit{cost}}`, nil); got.status != 401 {
		t.Errorf("%d", got.status)
	}
}
