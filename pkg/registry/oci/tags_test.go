package oci

import (
	"errors"
	"net/http"
	"net/url"
	"testing"
)

func TestNextPage(t *testing.T) {
	list, err := url.Parse("https://registry.example/v2/team/app/tags/list?n=1000")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		link, query string
		err         error
	}{
		{`</v2/team/app/tags/list?n=2&last=a>; rel="next"`, "n=2&last=a", nil},
		{`<https://REGISTRY.example/v2/team/app/tags/list?last=a>;rel=next`, "last=a", nil},
		{`<?page=1>; rel="prev", <?page=3>; title="x"; REL="next"`, "page=3", nil},
		{`<?page=1>; rel="prev"`, "", nil},
		{"", "", nil},
		{`<https://registry.example/v2/team/other/tags/list?last=a>; rel="next"`, "", errElsewhere},
		{`<https://elsewhere.example/v2/team/app/tags/list>; rel="next"`, "", errElsewhere},
		{`<http://registry.example/v2/team/app/tags/list>; rel="next"`, "", errElsewhere},
		{`<//user@registry.example/v2/team/app/tags/list>; rel="next"`, "", errElsewhere},
		{`<%zz>; rel="next"`, "", errElsewhere},
	} {
		next, err := nextPage(list, http.Header{"Link": {tt.link}})
		if !errors.Is(err, tt.err) || (next == nil) != (tt.query == "") || next != nil && next.RawQuery != tt.query {
			t.Errorf("%s: %v, %v; want %q, %v", tt.link, next, err, tt.query, tt.err)
		}
	}
}
