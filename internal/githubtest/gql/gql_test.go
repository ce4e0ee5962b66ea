package gql_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/githubtest/gql"
)

// schema has numbers that have smaller numbers.
func schema() gql.Schema {
	number := gql.Field{
		Type: "Number", Args: map[string]gql.Arg{"of": {Required: true}},
		Resolve: func(_ any, args gql.Args) (any, error) {
			n, _ := args.Int("of")
			if n < 0 {
				return nil, gql.Errorf("NOT_FOUND", "%d is no number", n)
			}
			return gql.Typed{Type: kind(n), Value: n}, nil
		},
	}
	smaller := gql.Field{
		Type: "Number", Args: map[string]gql.Arg{"first": {}}, Connection: true,
		Resolve: func(parent any, args gql.Args) (any, error) {
			first, _ := args.Int("first")
			list := []any{}
			for i := range min(first, parent.(int)) {
				list = append(list, gql.Typed{Type: kind(i), Value: i})
			}
			return append(list, gql.Errorf("NOT_FOUND", "no more")), nil
		},
	}
	value := gql.Field{Resolve: func(parent any, _ gql.Args) (any, error) { return parent, nil }}
	fields := map[string]gql.Field{"value": value, "smaller": smaller}
	return gql.Schema{
		"Query":  {Fields: map[string]gql.Field{"number": number}},
		"Number": {Of: []string{"Even", "Odd"}, Fields: fields},
		"Even": {Fields: map[string]gql.Field{"value": value, "smaller": smaller, "sure": {
			NonNull: true, Resolve: func(any, gql.Args) (any, error) { return nil, gql.Errorf("FORBIDDEN", "no") },
		}, "half": {Resolve: func(p any, _ gql.Args) (any, error) { return p.(int) / 2, nil }}}},
		"Odd": {Fields: fields},
	}
}

func kind(n int) string {
	if n%2 == 0 {
		return "Even"
	}
	return "Odd"
}

// run answers a query as JSON.
func run(query string, variables map[string]any) string {
	var answer gql.Answer
	q, errs := gql.Prepare(schema(), query, "", variables)
	if answer.Errors = errs; errs == nil {
		answer = q.Run()
	}
	raw, err := json.Marshal(answer)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

func TestQueries(t *testing.T) {
	for _, tt := range []struct{ query, want string }{
		{`{number(of:4){value}}`, `{"data":{"number":{"value":4}}}`},
		{`query Q{b:number(of:3){value} a:number(of:2){value}}`, `{"data":{"b":{"value":3},"a":{"value":2}}}`},
		{`query($n:Int=6){number(of:$n){__typename ... on Even{half} ... on Odd{v:value}}}`, `{"data":{"number":{"__typename":"Even","half":3}}}`},
		{"# a comment, with ( and {\n{number(of:5){...F}} # and\nfragment F on Number{... on Odd{value} ...{value}}", `{"data":{"number":{"value":5}}}`},
		{`{number(of:4){value @skip(if:true) ... on Even @include(if:false){half}}}`, `{"data":{"number":{}}}`},
		{`{number(of:4){value ... @include(if:true){value}}}`, `{"data":{"number":{"value":4}}}`},
		{
			`{number(of:-1){value}}`,
			`{"data":{"number":null},"errors":[{"type":"NOT_FOUND","path":["number"],"locations":[{"line":1,"column":2}],"message":"-1 is no number"}]}`,
		},
		{
			"{number(of:2){smaller(first:1)\n{value}}}",
			`{"data":{"number":{"smaller":[{"value":0},null]}},"errors":[{"type":"NOT_FOUND","path":["number","smaller",1],"locations":[{"line":1,"column":15}],"message":"no more"}]}`,
		},
		{
			`{number(of:4){value ... on Even{sure}}}`,
			`{"data":{"number":null},"errors":[{"type":"FORBIDDEN","path":["number","sure"],"locations":[{"line":1,"column":33}],"message":"no"}]}`,
		},
		{`{number(of:4){value} number(of:4){__typename}}`, `{"data":{"number":{"value":4,"__typename":"Even"}}}`},
		{`mutation{number(of:4){value}}`, `{"errors":[{"message":"Schema is not configured for mutations"}]}`},
	} {
		if got := run(tt.query, nil); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.query, got, tt.want)
		}
	}
	if got := run(`query($n:Int!){number(of:$n){value}}`, map[string]any{"n": 7.0}); got != `{"data":{"number":{"value":7}}}` {
		t.Error(got)
	}
	if got := run(`query($n:Int!){number(of:$n){value}}`, map[string]any{"n": "7"}); !strings.Contains(got, "provided invalid value") {
		t.Error(got)
	}
}

func TestLimits(t *testing.T) {
	nested := func(n int) string {
		return "{number(of:1)" + strings.Repeat("{smaller(first:100)", n) + "{value}" + strings.Repeat("}", n) + "}"
	}
	for n, want := range map[int]struct{ cost, nodes int }{1: {1, 100}, 2: {1, 10_100}} {
		q, errs := gql.Prepare(schema(), nested(n), "", nil)
		if errs != nil || q.Cost != want.cost || q.Nodes != want.nodes {
			t.Errorf("%d: %+v, %v", n, q, errs)
		}
	}
	if got := run(nested(3), nil); !strings.Contains(got, "MAX_NODE_LIMIT_EXCEEDED") || !strings.Contains(got, "1010100") {
		t.Error(got)
	}
	for _, query := range []string{
		strings.Repeat("{a", 200), `{number(of:` + strings.Repeat("[", 200), `query($a:` + strings.Repeat("[", 200),
		`{number(of:1){...F}} fragment F on Number{...F}`,
	} {
		if got := run(query, nil); !strings.HasPrefix(got, `{"errors"`) {
			t.Errorf("%.40s: %s", query, got)
		}
	}
}

// FuzzPrepare holds that a query is refused or answered, the same way twice.
func FuzzPrepare(f *testing.F) {
	for _, seed := range []string{
		`{number(of:4){value}}`, `query Q($n:Int=1){number(of:$n){...F @skip(if:false)}} fragment F on Number{value}`,
		`{number(of:"\u0041\n"){... on Even{half}}}`, `mutation{x}`, "{a(b:[1,-2.5e3,null,true,E,{c:$d}])}", "#", "\"",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		if strings.Count(query, "...") > 8 || strings.Count(query, "smaller") > 2 {
			t.Skip("many fragments or lists are an answer of any size")
		}
		once, twice := run(query, nil), run(query, nil)
		if len(once) == 0 || !json.Valid([]byte(once)) {
			t.Errorf("%q: %s", query, once)
		}
		if fmt.Sprint(len(once)) != fmt.Sprint(len(twice)) {
			t.Errorf("%q: %s, then %s", query, once, twice)
		}
	})
}
