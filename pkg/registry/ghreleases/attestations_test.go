package ghreleases_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/s2"

	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
	"github.com/wormsweep/wormsweep/pkg/registry/ghreleases"
	"github.com/wormsweep/wormsweep/pkg/registry/host"
)

func digestOf(content string) string { return sum(content).String() }

func bundle(predicate, about string) []byte {
	payload := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, `{"predicateType":%q,"about":%q}`, predicate, about))
	return fmt.Appendf(nil, `{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","dsseEnvelope":{"payload":%q}}`, payload)
}

const (
	provenance = "https://slsa.dev/provenance/v1"
	release    = "https://in-toto.io/attestation/release/v0.2"
)

func TestAttestations(t *testing.T) {
	s, repo, token := world(t)
	repo.Publish(githubtest.Release{Tag: "v1.0.0", At: day(1), Assets: []githubtest.Asset{
		{Name: "one", Data: []byte("one")},
		{Name: "two", Data: []byte("two")},
		{Name: "again", Data: []byte("one")},
		{Name: "old", Data: []byte("old"), Digest: "-"},
		{Name: "plain", Data: []byte("plain")},
	}})
	repo.Publish(githubtest.Release{Tag: "v1.1.0", At: day(2)})
	repo.Publish(githubtest.Release{Tag: "v1.2.0", At: day(3), Assets: []githubtest.Asset{{Name: "old", Digest: "-"}}})
	repo.Publish(githubtest.Release{Tag: "v1.3.0", At: day(4), Assets: []githubtest.Asset{{Name: "plain", Data: []byte("plain")}}})
	repo.Attest(githubtest.Attestation{Subject: digestOf("one"), Predicate: provenance, Bundle: bundle(provenance, "one"), Inline: true})
	repo.Attest(githubtest.Attestation{Subject: digestOf("two"), Predicate: release, Bundle: bundle(release, "two")})
	for i := range 40 { // two pages
		about := fmt.Sprint("two ", i)
		repo.Attest(githubtest.Attestation{Subject: digestOf("two"), Predicate: provenance, Bundle: bundle(provenance, about), Inline: i%2 == 0})
	}
	tag, _ := gitstore.Lookup(repo.Content, "refs/tags/v1.1.0")
	repo.Attest(githubtest.Attestation{Subject: "sha1:" + tag.String(), Predicate: release, Bundle: bundle(release, "tag")})

	r := hosted(t, s, token)
	l, err := r.List(t.Context(), tool, registry.Validator{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.Attestations(t.Context(), tool, &l.Releases[0])
	if err != nil || len(got) != 43 {
		t.Fatalf("%d attestations, %v", len(got), err)
	}
	if diff := cmp.Diff([]registry.Attestation{
		{PredicateType: provenance, File: "one", Bundle: bundle(provenance, "one")},
		{PredicateType: release, File: "two", Bundle: bundle(release, "two")},
		{PredicateType: provenance, File: "again", Bundle: bundle(provenance, "one")},
	}, []registry.Attestation{got[0], got[1], got[42]}); diff != "" {
		t.Errorf("attestations (-want +got)\n%s", diff)
	}
	if _, asked := s.Storage(); asked != 21 {
		t.Errorf("the storage was asked %d times", asked)
	}
	tags, err := r.Attestations(t.Context(), tool, &l.Releases[1])
	if diff := cmp.Diff([]registry.Attestation{{PredicateType: release, Bundle: bundle(release, "tag")}}, tags); err != nil || diff != "" {
		t.Errorf("of a release without files: %v (-want +got)\n%s", err, diff)
	}
	if _, err := r.Attestations(t.Context(), tool, &l.Releases[2]); !errors.Is(err, registry.ErrNotServed) {
		t.Errorf("of a file without digest: %v", err)
	}
	if _, err := r.Attestations(t.Context(), tool, &l.Releases[3]); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("of a file without attestation: %v", err)
	}
	server := reader(t, options(t, s, token), ghreleases.Options{Address: s.URL()})
	if _, err := server.Attestations(t.Context(), tool, &l.Releases[3]); !errors.Is(err, registry.ErrNotServed) || errors.Is(err, registry.ErrNotFound) {
		t.Errorf("of a server, which has none: %v", err)
	}
}

func TestBulk(t *testing.T) {
	s, repo, token := world(t)
	var digests []digest.Digest
	for i := range 150 {
		content := fmt.Sprint("file ", i)
		digests = append(digests, sum(content))
		if i%3 != 0 {
			repo.Attest(githubtest.Attestation{Subject: digestOf(content), Predicate: provenance, Bundle: bundle(provenance, content), Inline: true})
			repo.Attest(githubtest.Attestation{Subject: digestOf(content), Predicate: release, Bundle: bundle(release, content)})
		}
	}
	r := hosted(t, s, token)
	s.ForgetLog()
	got, err := r.Bulk(t.Context(), "acme", digests, "")
	if err != nil || len(got) != 100 {
		t.Fatalf("%d digests, %v", len(got), err)
	}
	if diff := cmp.Diff([]registry.Attestation{
		{PredicateType: provenance, Bundle: bundle(provenance, "file 4")}, {PredicateType: release, Bundle: bundle(release, "file 4")},
	}, got[digestOf("file 4")]); diff != "" {
		t.Errorf("attestations (-want +got)\n%s", diff)
	}
	if n := s.Totals().Routes["POST /orgs/{org}/attestations/bulk-list"]; n != 2 {
		t.Errorf("%d requests for two pages", n)
	}
	if got, err := r.Bulk(t.Context(), "acme", digests[:2], "release"); err != nil || len(got) != 1 || len(got[digestOf("file 1")]) != 1 {
		t.Errorf("of one predicate: %v, %v", got, err)
	}
	if _, err := r.Bulk(t.Context(), "acme", slices.Repeat(digests[:1], 1025), ""); !errors.Is(err, registry.ErrForbidden) {
		t.Errorf("too many: %v", err)
	}
}

// An answer that is not whole is an error, and nothing is left out.
func TestFaults(t *testing.T) {
	s, repo, token := world(t)
	repo.Publish(githubtest.Release{Tag: "v1.0.0", At: day(1), Assets: []githubtest.Asset{{Name: "one", Data: []byte("one")}}})
	repo.Attest(githubtest.Attestation{Subject: digestOf("one"), Predicate: provenance, Bundle: bundle(provenance, "one"), Inline: true})
	r := hosted(t, s, token)
	l, err := r.List(t.Context(), tool, registry.Validator{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		what  string
		fault githubtest.Fault
		want  error // nil: any
	}{
		{"pages in a circle", githubtest.LoopPages(), registry.ErrMalformed},
		{"half of the JSON", githubtest.CutJSON(), registry.ErrMalformed},
		{"a page of a website", githubtest.HTMLPage(), nil},
		{"cut", githubtest.CutBody(true), nil},
		{"dropped", githubtest.Dropped(), nil},
		{"a failure", githubtest.BadGateway(), nil},
		{"another kind of answer", githubtest.Fails(http.StatusOK, "application/json", `"x"`), registry.ErrMalformed},
	} {
		for _, ask := range map[string]func() error{
			"releases": func() error { _, err := r.List(t.Context(), tool, registry.Validator{}); return err },
			"of one":   func() error { _, err := r.Attestations(t.Context(), tool, &l.Releases[0]); return err },
			"of many": func() error {
				if tt.what == "pages in a circle" {
					return registry.ErrMalformed // it has no Link
				}
				_, err := r.Bulk(t.Context(), "acme", []digest.Digest{sum("one")}, "")
				return err
			},
		} {
			mend := s.Break(githubtest.Rule{Fault: tt.fault})
			err := ask()
			mend()
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) || errors.Is(err, registry.ErrNotFound) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: %v, want %v", tt.what, err, tt.want)
			}
		}
	}
}

func TestCursorsInACircle(t *testing.T) {
	s, repo, token := world(t)
	repo.Attest(githubtest.Attestation{Subject: digestOf("one"), Predicate: provenance, Bundle: bundle(provenance, "one"), Inline: true})
	r := hosted(t, s, token)
	p := registry.Published{Version: "v1.0.0", Files: []registry.File{{Name: "one", Digests: []digest.Digest{sum("one")}}}}
	for _, cursor := range []string{"x", ""} {
		mend := s.Break(githubtest.Rule{Fault: func(e *githubtest.Exchange) {
			e.Serve()
			e.Header.Set("Link", `<`+s.URL()+`/api/v3/repos/acme/tool/attestations/x?after=`+cursor+`>; rel="next"`)
			e.Answer = *bytes.NewBuffer(bytes.Replace(e.Answer.Bytes(), []byte(`"has_next":false`), fmt.Appendf(nil, `"has_next":true,"next":%q`, cursor), 1))
		}})
		if got, err := r.Attestations(t.Context(), tool, &p); !errors.Is(err, registry.ErrMalformed) {
			t.Errorf("of one, %q: %d, %v", cursor, len(got), err)
		}
		if got, err := r.Bulk(t.Context(), "acme", p.Files[0].Digests, ""); !errors.Is(err, registry.ErrMalformed) {
			t.Errorf("of many, %q: %d, %v", cursor, len(got), err)
		}
		mend()
	}
}

// What the storage holds is a bundle of at most so many bytes, or an error.
func TestBadBundles(t *testing.T) {
	s, repo, token := world(t)
	big := append([]byte(`{"a":"`), append(slices.Repeat([]byte("x"), 16<<20), `"}`...)...)
	for i, tt := range []struct {
		what   string
		stored []byte
		want   error
	}{
		{"no snappy", []byte("\xff\xff\xff\xff\xff\xff"), registry.ErrMalformed},
		{"nothing", []byte{}, registry.ErrMalformed},
		{"a length that is a lie", []byte{0xff, 0xff, 0xff, 0x7f, 0}, registry.ErrTooLarge},
		{"a bomb", s2.EncodeSnappy(nil, big), registry.ErrTooLarge},
		{"cut", s2.EncodeSnappy(nil, bundle(provenance, "x"))[:20], registry.ErrMalformed},
		{"no JSON", s2.EncodeSnappy(nil, []byte("<html>")), registry.ErrMalformed},
		{"a key twice", s2.EncodeSnappy(nil, []byte(`{"a":1,"a":2}`)), registry.ErrMalformed},
		{"plain JSON", bundle(provenance, "x"), nil},
	} {
		content := fmt.Sprint("bad ", i)
		repo.Attest(githubtest.Attestation{Subject: digestOf(content), Stored: tt.stored})
		p := registry.Published{Version: "v1.0.0", Files: []registry.File{{Name: "f", Digests: []digest.Digest{sum(content)}}}}
		if got, err := hosted(t, s, token).Attestations(t.Context(), tool, &p); !errors.Is(err, tt.want) || tt.want == nil && len(got) != 1 {
			t.Errorf("%s: %d, %v; want %v", tt.what, len(got), err, tt.want)
		}
	}
	// A host that nobody allowed is not asked.
	repo.Attest(githubtest.Attestation{Subject: digestOf("elsewhere"), Bundle: []byte(`{}`)})
	o := options(t, s, "")
	o.Hosts, o.PrivateHosts = []string{host.GitHubAPI}, nil
	o.Tokens = map[string]fetch.Auth{host.GitHubAPI: fetch.Bearer(token)}
	o.Transport = asGitHub{s.URL()}
	p := registry.Published{Version: "v1.0.0", Files: []registry.File{{Name: "f", Digests: []digest.Digest{sum("elsewhere")}}}}
	if _, err := reader(t, o, ghreleases.Options{}).Attestations(t.Context(), tool, &p); !errors.Is(err, registry.ErrForbidden) {
		t.Errorf("a bundle elsewhere: %v", err)
	}
}
