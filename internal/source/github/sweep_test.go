package github_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/source/github"
	"github.com/wormsweep/wormsweep/internal/sweep"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// A sweep of an organisation finds what lies in its repositories, and knows what it could
// not look at.
func TestSweep(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	for name, version := range map[string]string{"api": "6.6.6", "web": "1.0.0"} {
		s.AddFiles(name, map[string]string{"sized.js": strings.Repeat("x", map[string]int{"api": 500, "web": 501}[name]), "app/package-lock.json": `{"name":"a","version":"1.0.0","lockfileVersion":3,"packages":{"":{"name":"a","version":"1.0.0"},` +
			`"node_modules/evil":{"version":"` + version + `","resolved":"https://registry.npmjs.org/evil/-/evil-` + version + `.tgz"}}}`})
	}
	s.Add(githubtest.Repository{Name: "blocked", Disabled: true})
	data, err := ioc.Compile([]ioc.Pack{{
		Schema: ioc.Schema, ID: "test", Title: "test", Status: ioc.PackTest,
		Indicators: []ioc.Indicator{{
			ID: "sized", Type: ioc.TypeFile, Confidence: ioc.Confirmed, Name: "sized.js", Size: 500,
		}, {ID: "i", Type: ioc.TypePackage, Confidence: ioc.Confirmed, Ecosystem: ecosystem.NPM, Name: "evil", Versions: []string{"6.6.6"}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	set, err := ioc.Open(string(data))
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	repos := github.Repositories(t.Context(), installed(t, s, readPermissions), acme, github.Options{Dir: t.TempDir()})
	sum, err := sweep.Run(t.Context(), repos, sweep.Options{Set: set}, func(e finding.Event) error {
		if f, ok := e.(*finding.Finding); ok {
			found = append(found, f.Repository+" "+f.File)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(found, []string{"acme/api app/package-lock.json", "acme/api sized.js"}) || sum.Exit != 1 {
		t.Errorf("found %q, exit %d", found, sum.Exit)
	}
	if want := (finding.Repositories{Hit: 1, Unknown: 1, Clean: 1}); sum.Repositories != want {
		t.Errorf("repositories %+v; want %+v", sum.Repositories, want)
	}
}

// Sizes that came count, whatever became of the others.
func TestSizesOfSome(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	files := map[string]string{"a/sized.js": strings.Repeat("a", 500), "b/sized.js": strings.Repeat("b", 500), "c/sized.js": "c"}
	s.AddFiles("api", files)
	s.Break(githubtest.Rule{Kind: githubtest.GraphQL, Query: "byteSize", Fault: githubtest.GraphQLLacks("o1")})
	data, err := ioc.Compile([]ioc.Pack{{
		Schema: ioc.Schema, ID: "test", Title: "test", Status: ioc.PackTest,
		Indicators: []ioc.Indicator{{ID: "sized", Type: ioc.TypeFile, Confidence: ioc.Confirmed, Name: "sized.js", Size: 500}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	set, err := ioc.Open(string(data))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	repos := github.Repositories(t.Context(), installed(t, s, readPermissions), acme, github.Options{Dir: t.TempDir()})
	_, err = sweep.Run(t.Context(), repos, sweep.Options{Set: set}, func(e finding.Event) error {
		switch e := e.(type) {
		case *finding.Finding:
			got = append(got, "found "+e.File)
		case *finding.Problem:
			got = append(got, e.Code+" "+e.File)
		}
		return nil
	})
	if want := []string{"found a/sized.js", "fetch b/sized.js"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
}
