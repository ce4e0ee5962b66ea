package githubtest

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/wormsweep/wormsweep/internal/githubtest/gql"
)

// serveGraphQL answers a request to GraphQL.
func (e *Exchange) serveGraphQL() {
	e.route = "POST /graphql"
	e.Header.Set("X-Github-Media-Type", "github.v4; format=json")
	if e.Request.Method != http.MethodPost {
		e.unexpected()
		return
	}
	if e.who.token == nil {
		e.fail(http.StatusForbidden, "API rate limit exceeded for anonymous.")
		return
	}
	var request struct {
		Query         string
		OperationName string
		Variables     map[string]any
	}
	if err := json.Unmarshal(e.Body, &request); err != nil {
		e.fail(http.StatusBadRequest, "Problems parsing JSON")
		return
	}
	g := &graph{Exchange: e, s: e.server}
	query, errs := gql.Prepare(g.schema(), request.Query, request.OperationName, request.Variables)
	if errs != nil {
		e.cost = 1
		e.json(gql.Answer{Errors: errs})
		e.server.violation("GraphQL: %v in %s", errs[0], request.Query)
		return
	}
	e.cost, e.nodes = query.Cost, query.Nodes
	g.query = query
	e.json(query.Run())
}

// graph answers one request to GraphQL.
type graph struct {
	*Exchange
	s     *Server
	query *gql.Query
}

// rateLimit gives the state of the limit after this request.
func (g *graph) rateLimit(any, gql.Args) (any, error) {
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	b := *g.s.bucket(g.who, graphQLResource)
	b.used += g.query.Cost
	return b, nil
}

// field makes a field that a value of type T answers.
func field[T any](typ string, get func(T) any) gql.Field {
	return gql.Field{Type: typ, Resolve: func(parent any, _ gql.Args) (any, error) { return get(parent.(T)), nil }}
}

// date is how GraphQL writes a time.
func date(t time.Time) any { return stamp(t) }
