package schematest_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/wormsweep/wormsweep/internal/githubtest/schematest"
)

// Where scripts/schema-check.sh put things.
const (
	npmVariable       = "SCHEMATEST_NPM"        // the folder node_modules
	recordingVariable = "SCHEMATEST_RECORDINGS" // a folder of recordings, and the file "routes"
)

// routes gives the simulator's own table.
func routes(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder(t, recordingVariable), "routes"))
	if err != nil {
		t.Fatal(err)
	}
	list := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(list) < 2 {
		t.Fatalf("routes %q: a check of them would pass in silence", text)
	}
	return list
}

func folder(t *testing.T, variable string) string {
	t.Helper()
	dir := os.Getenv(variable)
	if dir == "" {
		t.Skipf("%s is not set: scripts/schema-check.sh sets it", variable)
	}
	return dir
}

// descriptions are loaded once: GitHub's are 13 MB.
var descriptions struct {
	once    sync.Once
	rest    *schematest.REST
	graphQL *schematest.GraphQL
	err     error
}

func load(t *testing.T) (*schematest.REST, *schematest.GraphQL) {
	t.Helper()
	npm := folder(t, npmVariable)
	d := &descriptions
	d.once.Do(func() {
		if d.rest, d.err = schematest.LoadREST(filepath.Join(npm, "@octokit/openapi/generated/api.github.com.json")); d.err == nil {
			d.graphQL, d.err = schematest.LoadGraphQL(filepath.Join(npm, "@octokit/graphql-schema/schema.graphql"))
		}
	})
	if d.err != nil {
		t.Fatal(d.err)
	}
	return d.rest, d.graphQL
}

// TestRecordings checks every exchange that was recorded, and that every route was.
func TestRecordings(t *testing.T) {
	rest, graphQL := load(t)
	exchanges, err := schematest.Read(folder(t, recordingVariable))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, e := range exchanges {
		seen[e.Route]++
		switch {
		case e.Route == "POST /graphql":
			err = graphQL.Check(e)
		case strings.HasPrefix(e.Route, "webhook "):
			err = rest.CheckWebhook(e)
		case strings.Contains(e.Route, " /settings/apps/"):
			continue // pages for a browser
		case strings.Contains(e.Route, " /repositories/"):
			continue // where old names lead; GitHub does not describe it
		default:
			err = rest.Check(e)
		}
		if err != nil {
			t.Errorf("%s %s, %d: %v", e.Method, e.URL, e.Status, err)
		}
	}
	for _, route := range append(routes(t), "POST /graphql") {
		if seen[route] == 0 {
			t.Errorf("nothing recorded of %s", route)
		}
	}
	t.Logf("%d exchanges of %d routes", len(exchanges), len(seen))
}

// TestRoutesAreGitHubs holds the simulator's own table against the description.
func TestRoutesAreGitHubs(t *testing.T) {
	rest, _ := load(t)
	for _, route := range routes(t) {
		if !rest.Has(route) {
			t.Errorf("GitHub has no %s", route)
		}
	}
}

// TestDriftIsFound changes sound exchanges, one thing at a time: each must be found.
func TestDriftIsFound(t *testing.T) {
	rest, graphQL := load(t)
	label := `{"id":1,"node_id":"L","url":"http://x/y","name":"a","color":"ededed","description":null,"default":false}`
	get := func(url, answer string) schematest.Exchange {
		return schematest.Exchange{
			Method: "GET", URL: "/api/v3/repos/o/r/labels" + url, Route: "GET /repos/{owner}/{repo}/labels", Status: 200, Answer: answer,
			AnswerHeader: map[string][]string{"Content-Type": {"application/json; charset=utf-8"}},
		}
	}
	query := func(query, answer string) schematest.Exchange {
		body, err := json.Marshal(map[string]any{"query": query})
		if err != nil {
			t.Fatal(err)
		}
		return schematest.Exchange{Method: "POST", URL: "/api/graphql", Route: "POST /graphql", Status: 200, Body: string(body), Answer: answer}
	}
	const sound = `{repository(owner:"o",name:"r"){isFork visibility defaultBranchRef{name}}}`
	for _, tt := range []struct {
		what  string
		e     schematest.Exchange
		found bool
	}{
		{"sound", get("?per_page=5", "["+label+"]"), false},
		{"a parameter", get("?perpage=5", "["+label+"]"), true},
		{"a missing field", get("", "["+strings.Replace(label, `"color":"ededed",`, "", 1)+"]"), true},
		{"another type", get("", "["+strings.Replace(label, `"id":1`, `"id":"1"`, 1)+"]"), true},
		{"an unknown field", get("", "["+strings.Replace(label, `{`, `{"colour":"x",`, 1)+"]"), true},
		{"sound", query(sound, `{"data":{"repository":{"isFork":true,"visibility":"PUBLIC","defaultBranchRef":null}}}`), false},
		{"an unknown field", query(strings.Replace(sound, "isFork", "isSpoon", 1), `{"data":{"repository":{"isSpoon":true,"visibility":"PUBLIC","defaultBranchRef":null}}}`), true},
		{"a null", query(sound, `{"data":{"repository":{"isFork":null,"visibility":"PUBLIC","defaultBranchRef":null}}}`), true},
		{"an enum", query(sound, `{"data":{"repository":{"isFork":true,"visibility":"public","defaultBranchRef":null}}}`), true},
		{"a missing field", query(sound, `{"data":{"repository":{"isFork":true,"visibility":"PUBLIC"}}}`), true},
		{"a type", query(sound, `{"data":{"repository":{"isFork":"true","visibility":"PUBLIC","defaultBranchRef":null}}}`), true},
		{"a refusal", query(sound, `{"errors":[{"message":"no"}]}`), true},
	} {
		check := rest.Check
		if tt.e.Route == "POST /graphql" {
			check = graphQL.Check
		}
		if err := check(tt.e); (err != nil) != tt.found {
			t.Errorf("%s: %v", tt.what, err)
		}
	}
}
