package ghrest

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
)

func client(t testing.TB) *fetch.Client {
	t.Helper()
	c, err := fetch.New(fetch.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestWhereTheAPIIs(t *testing.T) {
	for _, tt := range []struct {
		address, origin, api string
		hosted               bool
	}{
		{"", "https://github.com", "https://api.github.com/a%2Fb/c?x=1", true},
		{"https://GitHub.com/", "https://github.com", "https://api.github.com/a%2Fb/c?x=1", true},
		{"https://acme.ghe.com", "https://acme.ghe.com", "https://api.acme.ghe.com/a%2Fb/c?x=1", true},
		{"https://github.example", "https://github.example", "https://github.example/api/v3/a%2Fb/c?x=1", false},
		{"https://github.example/api/v3/", "https://github.example", "https://github.example/api/v3/a%2Fb/c?x=1", false},
		{"http://127.0.0.1:8080", "http://127.0.0.1:8080", "http://127.0.0.1:8080/api/v3/a%2Fb/c?x=1", false},
	} {
		a, err := New(client(t), tt.address)
		if err != nil {
			t.Errorf("%q: %v", tt.address, err)
			continue
		}
		if got := a.URL(url.Values{"x": {"1"}}, "a/b", "c"); got != tt.api || a.Origin() != tt.origin || a.Hosted() != tt.hosted {
			t.Errorf("%q: %s, %s, hosted %v", tt.address, a.Origin(), got, a.Hosted())
		}
	}
	for _, address := range []string{"github.com", "http://github.example", "https://u@github.example", "https://github.example?x", "ftp://github.example", "://"} {
		if _, err := New(client(t), address); err == nil {
			t.Errorf("%q is taken", address)
		}
	}
}

// Reading a Link gives a cursor without anything that it did not have, or an error.
func FuzzCursor(f *testing.F) {
	for _, seed := range []string{
		`<https://api.github.com/x?after=Y3Vyc29y&per_page=30>; rel="next"`, `<x>; rel="prev", <y?after=a%20b>; rel="next"`,
		`<%zz>; rel="next"`, `<>; rel="next"`, `>rel="next"<`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, link string) {
		after, err := Cursor(http.Header{"Link": {link}})
		if err == nil && after != "" && !strings.Contains(link, `rel="next"`) {
			t.Fatalf("%q: cursor %q", link, after)
		}
	})
}
