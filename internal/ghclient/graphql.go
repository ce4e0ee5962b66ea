package ghclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
)

// mutates finds what is no query; a comment or text that holds the word costs a retry.
var mutates = regexp.MustCompile(`\b(?:mutation|subscription)\b`)

// GraphQL sends a query, or a mutation, and decodes its data into into, which may be nil.
// Beside the errors of the package it returns *GraphQLError. A query of which GitHub says
// that it took too long is sent once more, then is ErrTimeout: ask for less.
func (c *Client) GraphQL(ctx context.Context, query string, vars map[string]any, into any) error {
	body, err := json.Marshal(map[string]any{"query": query, "variables": vars})
	if err != nil {
		return fmt.Errorf("GraphQL variables: %w", err)
	}
	if !mutates.MatchString(query) {
		ctx = context.WithValue(ctx, ctxSafe, true)
	}
	u := c.core.place.graphql
	a, err := c.ask(ctx, http.MethodPost, u, bytes.NewReader(body), http.Header{"Accept": {acceptJSON}})
	if err != nil {
		return err
	}
	var result struct {
		Data   json.RawMessage `json:"data"`
		Errors json.RawMessage `json:"errors"`
	}
	if err := c.decode(http.MethodPost, u, a.body, &result); err != nil {
		return err
	}
	has := len(result.Data) > 0 && !bytes.Equal(result.Data, []byte("null"))
	if has && into != nil {
		if err := c.decode(http.MethodPost, u, result.Data, into); err != nil {
			return err
		}
	}
	if len(result.Errors) > 0 && !bytes.Equal(result.Errors, []byte("null")) {
		fault := &GraphQLError{Partial: has, Errors: c.core.readFault(kindGraphQL, a.resp.StatusCode, a.body).Errors}
		if len(fault.Errors) > 0 {
			return fault
		}
		return errors.New(`POST "/graphql": errors that cannot be read`)
	}
	if !has {
		return errors.New(`POST "/graphql": neither data nor errors`)
	}
	return nil
}
