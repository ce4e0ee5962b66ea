package ghclient

import (
	"net/url"
	"testing"
)

func TestPlace(t *testing.T) {
	for _, tt := range []struct{ base, rest, graphql, git string }{
		{"", "https://api.github.com/", "https://api.github.com/graphql", "https://github.com/"},
		{"https://github.com", "https://api.github.com/", "https://api.github.com/graphql", "https://github.com/"},
		{"https://GitHub.com/", "https://api.github.com/", "https://api.github.com/graphql", "https://github.com/"},
		{"https://api.github.com", "https://api.github.com/", "https://api.github.com/graphql", "https://github.com/"},
		{"https://acme.ghe.com", "https://api.acme.ghe.com/", "https://api.acme.ghe.com/graphql", "https://acme.ghe.com/"},
		{"https://api.acme.ghe.com/", "https://api.acme.ghe.com/", "https://api.acme.ghe.com/graphql", "https://acme.ghe.com/"},
		{"https://git.acme.example", "https://git.acme.example/api/v3/", "https://git.acme.example/api/graphql", "https://git.acme.example/"},
		{"https://git.acme.example/api/v3/", "https://git.acme.example/api/v3/", "https://git.acme.example/api/graphql", "https://git.acme.example/"},
		{"https://acme.example:8443/git/", "https://acme.example:8443/git/api/v3/", "https://acme.example:8443/git/api/graphql", "https://acme.example:8443/git/"},
		{"http://127.0.0.1:8080", "http://127.0.0.1:8080/api/v3/", "http://127.0.0.1:8080/api/graphql", "http://127.0.0.1:8080/"},
		{"http://[::1]:8080", "http://[::1]:8080/api/v3/", "http://[::1]:8080/api/graphql", "http://[::1]:8080/"},
		{"http://localhost", "http://localhost/api/v3/", "http://localhost/api/graphql", "http://localhost/"},
		{base: "http://git.acme.example"},
		{base: "http://github.com"},
		{base: "http://127.0.0.1.evil.example"},
		{base: "http://localhost.evil.example"},
		{base: "git.acme.example"},
		{base: "https://"},
		{base: "https://user:secret@git.acme.example"},
		{base: "https://git.acme.example?x=y"},
		{base: "https://git.acme.example#x"},
		{base: "file:///etc"},
		{base: "https://%zz"},
	} {
		p, err := newPlace(tt.base)
		if tt.rest == "" {
			if err == nil {
				t.Errorf("%q: accepted, REST at %q", tt.base, p.rest)
			}
			continue
		}
		if err != nil || p.rest.String() != tt.rest || p.graphql.String() != tt.graphql || p.git.String() != tt.git {
			t.Errorf("%q: %v; want %+v; error %v", tt.base, p, tt, err)
		}
	}
}

func TestPlaceOf(t *testing.T) {
	p, err := newPlace("https://git.acme.example")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		url, path   string
		graphql, ok bool
	}{
		{"https://git.acme.example/api/v3/repos/a/b%2Fc?x=y", "/repos/a/b%2Fc", false, true},
		{"https://GIT.acme.example/api/v3/", "/", false, true},
		{"https://git.acme.example/api/graphql", "/graphql", true, true},
		{"https://git.acme.example/api/uploads/repos/a/b/releases/1/assets", "/repos/a/b/releases/1/assets", false, true},
		{"https://git.acme.example/api/graphql/x", "", false, false},
		{"https://git.acme.example/api/v3", "", false, false},
		{"https://git.acme.example/login", "", false, false},
		{"https://git.acme.example/api/v3/../../login", "", false, false},
		{"https://git.acme.example/api/v3/a/..", "", false, false},
		{"https://git.acme.example/api/v3/%2e%2e/login", "", false, false},
		{"http://git.acme.example/api/v3/x", "", false, false},
		{"https://git.acme.example:444/api/v3/x", "", false, false},
		{"https://u:p@git.acme.example/api/v3/x", "", false, false},
		{"https://evil.example/api/v3/x", "", false, false},
		{"https://git.acme.example.evil.example/api/v3/x", "", false, false},
	} {
		u, err := url.Parse(tt.url)
		if err != nil {
			t.Fatal(err)
		}
		path, graphql, ok := p.api(u)
		if path != tt.path || graphql != tt.graphql || ok != tt.ok {
			t.Errorf("%q: %q, %v, %v; want %+v", tt.url, path, graphql, ok, tt)
		}
	}
}
