package oci

import (
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

// What is read as a manifest says the same when it is read again, and no index is a manifest.
func FuzzParseManifest(f *testing.F) {
	digest := "sha256:" + strings.Repeat("ab", 32)
	for _, seed := range []string{
		`{"schemaVersion":2,"mediaType":"` + MediaTypeIndex + `","manifests":[{"mediaType":"` + MediaTypeManifest + `","digest":"` + digest + `","size":3,"platform":{"os":"linux","architecture":"arm64","variant":"v8"}}]}`,
		`{"schemaVersion":2,"config":{"digest":"` + digest + `","size":2},"layers":[{"digest":"` + digest + `","size":0,"annotations":{"a":"b"}}],"subject":{"digest":"` + digest + `"}}`,
		`{"schemaVersion":2,"config":{},"manifests":[]}`,
		`{"schemaVersion":1}`, `{"schemaVersion":2,"manifests":null}`, `[]`, `{"schemaVersion":2,"layers":{"0":1}}`,
	} {
		f.Add([]byte(seed), MediaTypeManifest)
		f.Add([]byte(seed), MediaTypeIndex)
		f.Add([]byte(seed), "")
	}
	f.Fuzz(func(t *testing.T, raw []byte, served string) {
		m, err := ParseManifest(raw, served)
		again, errAgain := ParseManifest(raw, served)
		if !reflect.DeepEqual(m, again) || (err == nil) != (errAgain == nil) {
			t.Fatalf("%+v, %v; and again %+v, %v", m, err, again, errAgain)
		}
		if err != nil {
			return
		}
		if !json.Valid(raw) {
			t.Fatal("read what is not JSON")
		}
		if m.IsIndex() == (m.Config != nil) || m.IsIndex() && m.Layers != nil || !m.IsIndex() && m.Manifests != nil {
			t.Fatalf("both a manifest and an index: %+v", m)
		}
		for _, d := range append(m.Layers, m.Manifests...) {
			if _, err := ParseDigest(d.Digest.String()); err != nil || d.Size < 0 {
				t.Fatalf("descriptor %+v", d)
			}
		}
	})
}

// A challenge that is found names a realm that stands in the header.
func FuzzFindBearer(f *testing.F) {
	for _, seed := range []string{
		`Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull"`,
		`bearer service=x , realm="https://a\"b/"`, `Basic realm="x"`, `Bearer realm="`, `Bearer realm=a,realm=b`, `Bearer`, `Bearer realm="a\`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		c, ok := findBearer([]string{"Basic realm=other", header})
		if !ok {
			return
		}
		if c.realm == "" || !strings.Contains(strings.ReplaceAll(header, `\`, ""), strings.ReplaceAll(c.realm, `\`, "")) {
			t.Fatalf("realm %q of %q", c.realm, header)
		}
	})
}

// A next page is the list itself, but for its query.
func FuzzNextPage(f *testing.F) {
	for _, seed := range []string{
		`</v2/team/app/tags/list?n=2&last=a>; rel="next"`, `<?n=2>;rel=next`, `<//elsewhere.example/v2/team/app/tags/list>; rel="next"`,
		`<https://registry.example/v2/team/app/tags/list?x>; rel="prev", <?y>; rel="next"`, `<../../x>; rel="next"`, `>;rel=next<`,
	} {
		f.Add(seed)
	}
	list, _ := url.Parse("https://registry.example/v2/team/app/tags/list?n=1000")
	f.Fuzz(func(t *testing.T, link string) {
		next, err := nextPage(list, http.Header{"Link": {link}})
		if err != nil || next == nil {
			return
		}
		if begin, _, _ := strings.Cut(next.String(), "?"); begin != "https://registry.example/v2/team/app/tags/list" {
			t.Fatalf("%q leads to %s", link, next)
		}
	})
}

func FuzzAnswers(f *testing.F) {
	f.Add([]byte(`{"name":"a","tags":["1.0","latest"]}`))
	f.Add([]byte(`{"token":"abc","expires_in":300}`))
	f.Add([]byte(`{"access_token":"abc","expires_in":1e300}`))
	f.Add([]byte(`{"tags":null}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		tags, err := parseTags(body)
		for _, tag := range tags {
			if err != nil || !ValidTag(tag) {
				t.Fatalf("tag %q, %v", tag, err)
			}
		}
		token, lifetime, err := parseToken(body)
		if err == nil && (token == "" || lifetime <= 0 || lifetime > tokenLongest) {
			t.Fatalf("token %q for %v", token, lifetime)
		}
	})
}

// A reference that is read prints as it was.
func FuzzParseReference(f *testing.F) {
	f.Add("registry.example/team/app:1.0@sha256:" + strings.Repeat("ab", 32))
	f.Add("localhost/a__b/c-d:x")
	f.Fuzz(func(t *testing.T, s string) {
		if ref, err := ParseReference(s); err == nil && ref.String() != s {
			t.Fatalf("%q prints as %q", s, ref)
		}
	})
}
