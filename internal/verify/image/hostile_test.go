package image_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"

	"github.com/wormsweep/wormsweep/internal/sigtest"
	"github.com/wormsweep/wormsweep/internal/sigtest/images"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/verify/image"
	"github.com/wormsweep/wormsweep/internal/verify/trust"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

const typeImage = "application/vnd.oci.image.manifest.v1+json"

// good is a keyless signature of an image as a layer.
func good(ctx context.Context, w *world, digest string) (images.Layer, error) {
	var l images.Layer
	err := copied(ctx, w, digest, digest, ours(), func(made *images.Layer) { l = *made })
	return l, err
}

// hostile are layers that were changed in a way that no signer makes. Each is a refusal with that
// code, and the good signature beside it stays a proof.
var hostile = []struct {
	name   string
	change func(l *images.Layer)
	code   string
}{
	{"no signature", func(l *images.Layer) { delete(l.Annotations, "dev.cosignproject.cosign/signature") }, verify.Malformed},
	{"a signature that is not base64", set("dev.cosignproject.cosign/signature", "%%%"), verify.Malformed},
	{"a signature of 64 kB", set("dev.cosignproject.cosign/signature", strings.Repeat("A", 64<<10)), verify.TooLarge},
	{"a certificate that is none", set("dev.sigstore.cosign/certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), verify.Malformed},
	{"a certificate without PEM", set("dev.sigstore.cosign/certificate", "x"), verify.Malformed},
	{"two certificates", func(l *images.Layer) {
		l.Annotations["dev.sigstore.cosign/certificate"] += l.Annotations["dev.sigstore.cosign/certificate"]
	}, verify.Malformed},
	{"a log's body that is an object", body(map[string]any{}), verify.Malformed},
	{"a log's body that is a number", body(7), verify.Malformed},
	{"a log's body that is null", body(nil), verify.Malformed},
	{"a log's body that is a list", body([]string{"a"}), verify.Malformed},
	{"a log's body that is not base64", body("%"), verify.Malformed},
	{"a log's body that is empty", body(""), verify.Malformed},
	{"a log's body without an entry", body(base64.StdEncoding.EncodeToString([]byte(`{"kind":"hashedrekord","apiVersion":"0.0.1"}`))), verify.Malformed},
	{"a log's body without a signature", body(base64.StdEncoding.EncodeToString([]byte(`{"kind":"hashedrekord","apiVersion":"0.0.1","spec":{}}`))), verify.Malformed},
	{"a log's body with null in it", body(base64.StdEncoding.EncodeToString([]byte(`{"kind":"dsse","apiVersion":"0.0.1","spec":{"signatures":[null],"envelopeHash":null}}`))), verify.Malformed},
	// cosign v2.6.5 panics on this one, too: base64 lets a line break be no byte at all.
	{"a log's body with a line break for a key", func(l *images.Layer) {
		body(base64.StdEncoding.EncodeToString(fmt.Appendf(nil,
			`{"kind":"dsse","apiVersion":"0.0.1","spec":{"signatures":[{"signature":%q,"verifier":"\n"}],"envelopeHash":{"algorithm":"sha256","value":"%[2]s"},"payloadHash":{"algorithm":"sha256","value":"%[2]s"}}}`,
			l.Annotations["dev.cosignproject.cosign/signature"], strings.Repeat("0", 64))))(l)
	}, verify.Malformed},
	{"a log's body of an unknown kind", body(base64.StdEncoding.EncodeToString([]byte(`{"kind":"rpm","apiVersion":"0.0.1","spec":{}}`))), verify.Malformed},
	{"a log entry that is not JSON", set(annotationBundle, "{"), verify.Malformed},
	{"a log entry with a key twice", set(annotationBundle, `{"SignedEntryTimestamp":"AAAA","SignedEntryTimestamp":"AAAA"}`), verify.Malformed},
	{"a log entry of 1 MB", set(annotationBundle, strings.Repeat(" ", 1<<20)), verify.TooLarge},
	{"a log entry that is nested deep", set(annotationBundle, strings.Repeat("[", 100_000)), verify.Malformed},
	{"a timestamp that is none", set(annotationTimestamp, `{"SignedRFC3161Timestamp":"AAAA"}`), verify.NoTimestamp},
	{"a timestamp that is a list", set(annotationTimestamp, `{"SignedRFC3161Timestamp":[1]}`), verify.Malformed},
	{"a payload that is not JSON", func(l *images.Layer) { l.Content = []byte("x") }, verify.Malformed},
	{"a payload with a digest twice", func(l *images.Layer) {
		l.Content = []byte(strings.Replace(string(l.Content), `"image":{`, `"image":{"docker-manifest-digest":"sha256:0",`, 1))
	}, verify.Malformed},
	{"a payload of another digest", func(l *images.Layer) {
		l.Content = []byte(strings.Replace(string(l.Content), "sha256:", "sha256:0", 1))
	}, verify.WrongDigest},
	{"a payload over the limit", func(l *images.Layer) { l.Content = bytes.Repeat([]byte(" "), 2<<20) }, verify.TooLarge},
	{"a layer of another type", func(l *images.Layer) { l.Media = "application/octet-stream" }, verify.Malformed},
}

func set(annotation, value string) func(*images.Layer) {
	return func(l *images.Layer) { l.Annotations[annotation] = value }
}

// body puts another body into the entry of the log.
func body(v any) func(*images.Layer) {
	return func(l *images.Layer) {
		var entry map[string]any
		_ = json.Unmarshal([]byte(l.Annotations[annotationBundle]), &entry)
		entry["Payload"].(map[string]any)["body"] = v
		written, _ := json.Marshal(entry)
		l.Annotations[annotationBundle] = string(written)
	}
}

func TestHostileSignatures(t *testing.T) {
	w := newWorld(t, inMemory(t))
	for _, tt := range hostile {
		t.Run(tt.name, func(t *testing.T) {
			digest, err := w.repo.Push(t.Context(), "1.0.0", tt.name)
			if err != nil {
				t.Fatal(err)
			}
			beside, err := good(t.Context(), w, digest)
			if err != nil {
				t.Fatal(err)
			}
			bad, err := good(t.Context(), w, digest)
			if err != nil {
				t.Fatal(err)
			}
			tt.change(&bad)
			if err := w.repo.PutLayers(t.Context(), images.Attached(digest, "sig"), bad, beside); err != nil {
				t.Fatal(err)
			}
			r := w.request(w.repo.Reference(digest))
			r.Limits.Payload = 1 << 20
			answer, err := image.Verify(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			said(t, answer)
			if diff := cmp.Diff([]string{tt.code}, codes(answer)); diff != "" {
				t.Errorf("refusals (-want +got)\n%s", diff)
			}
			if diff := cmp.Diff([]string{verify.KindImageSignature}, kinds(answer)); diff != "" {
				t.Errorf("proofs (-want +got)\n%s", diff)
			}
		})
	}
}

func (w *world) request(reference string) image.Request {
	return image.Request{Reference: reference, Accept: believes, Keys: []trust.Key{w.public}, Roots: []*trust.Root{w.root}, Transport: w.transport}
}

// Ten thousand signatures are too many, and it is said: whether they are layers of one manifest
// or referrers.
func TestTooManySignatures(t *testing.T) {
	w := newWorld(t, inMemory(t))
	digest, err := w.repo.Push(t.Context(), "1.0.0", "many")
	if err != nil {
		t.Fatal(err)
	}
	payload, err := w.repo.Payload(digest)
	if err != nil {
		t.Fatal(err)
	}
	blob, err := w.repo.PutBlob(t.Context(), payload)
	if err != nil {
		t.Fatal(err)
	}
	layer := fmt.Sprintf(`{"mediaType":%q,"size":%d,"digest":%q,"annotations":{"dev.cosignproject.cosign/signature":"MEUCIQ=="}}`, typeSimpleSigning, len(payload), blob)
	manifest := func(n int) []byte {
		return fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","size":2,"digest":"sha256:%x"},"layers":[%s]}`,
			typeImage, sha256.Sum256([]byte("{}")), strings.TrimSuffix(strings.Repeat(layer+",", n), ","))
	}
	for _, tt := range []struct {
		n     int
		codes int
		line  string
	}{
		{10_000, 1001, "over 1000 signatures"},
		{20_000, 1, "more than 4194304 bytes"}, // the manifest
	} {
		if err := w.repo.PutManifest(t.Context(), images.Attached(digest, "sig"), typeImage, manifest(tt.n)); err != nil {
			t.Fatal(err)
		}
		answer, err := image.Verify(t.Context(), w.request(w.repo.Reference(digest)))
		if err != nil {
			t.Fatal(err)
		}
		last := verify.Refusal{}
		if len(answer.Refusals) > 0 {
			last = answer.Refusals[len(answer.Refusals)-1]
		}
		if len(answer.Refusals) != tt.codes || last.Code != verify.TooLarge || !strings.Contains(last.Detail, tt.line) || len(answer.Proofs) != 0 {
			t.Errorf("%d layers: %d refusals, %d proofs, the last %v", tt.n, len(answer.Refusals), len(answer.Proofs), last)
		}
	}

	other, err := w.repo.Push(t.Context(), "1.0.1", "many referrers")
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for i := range 10_000 {
		listed = append(listed, fmt.Sprintf(`{"mediaType":%q,"size":2,"digest":"sha256:%064x","artifactType":"application/vnd.dev.sigstore.bundle.v0.3+json"}`, typeImage, i))
	}
	const typeIndex = "application/vnd.oci.image.index.v1+json"
	index := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"manifests":[%s]}`, typeIndex, strings.Join(listed, ","))
	r := w.request(w.repo.Reference(other))
	r.Transport = lying{w.transport, func(req *http.Request, resp *http.Response) *http.Response {
		if strings.Contains(req.URL.Path, "/referrers/") {
			resp.Header.Set("Content-Type", typeIndex)
			return answering(resp, http.StatusOK, index)
		}
		return resp
	}}
	answer, err := image.Verify(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if len(answer.Proofs) != 0 || len(answer.Refusals) != 1 || answer.Refusals[0].Code != verify.TooLarge || len(answer.Gaps) != 1000 {
		t.Errorf("10,000 referrers: %d proofs, %d refusals, %d gaps", len(answer.Proofs), len(answer.Refusals), len(answer.Gaps))
	}
}

// A list of referrers that has pages is read to its end, which comes, and at no other place.
func TestPages(t *testing.T) {
	w := newWorld(t, inMemoryWithReferrers(t))
	digest, err := w.repo.Push(t.Context(), "1.0.0", "pages")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.repo.Bundle(t.Context(), digest, slsa, []byte(`{}`), w.ours, ours()); err != nil {
		t.Fatal(err)
	}
	const empty = `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}`
	path := "/v2/acme/app/referrers/" + digest
	for _, tt := range []struct {
		name, link string
		proofs     int
		gaps       int
		code       string
	}{
		{"no more", "", 0, 0, ""},
		{"a page more", "<" + path + `?last=1>; rel="next"`, 1, 0, ""},
		{"a page more, by its whole address", "<http://" + w.address + path + "?last=1>; rel=next", 1, 0, ""},
		{"another relation", "<" + path + `?last=1>; rel="prev"`, 0, 0, ""},
		{"the same for ever", "<" + path + `>; rel="next"`, 0, 0, verify.TooLarge},
		{"another host", "<http://evil.example" + path + `>; rel="next"`, 0, 1, ""},
		{"another repository", "</v2/acme/app-evil/referrers/" + digest + `>; rel="next"`, 0, 1, ""},
		{"no address", `<http://%zz>; rel="next"`, 0, 1, ""},
	} {
		r := w.request(w.repo.Reference(digest))
		r.Transport = lying{w.transport, func(req *http.Request, resp *http.Response) *http.Response {
			if req.URL.Path != path || req.URL.RawQuery != "" {
				return resp
			}
			resp.Header.Set("Link", tt.link)
			return answering(resp, http.StatusOK, empty)
		}}
		answer, err := image.Verify(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		if tt.code != "" {
			want = []string{tt.code}
		}
		if len(answer.Proofs) != tt.proofs || len(answer.Gaps) != tt.gaps || !cmp.Equal(codes(answer), want) {
			t.Errorf("%s: %d proofs, gaps %v, refusals %v", tt.name, len(answer.Proofs), answer.Gaps, answer.Refusals)
		}
	}
}

// Who must be let in is, by name and password or by a token that another place gives, and a
// registry that sends us elsewhere for it is not followed there.
func TestLetIn(t *testing.T) {
	inner := inMemory(t)
	w := newWorld(t, inner)
	digest, err := w.repo.Push(t.Context(), "1.0.0", "private")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.repo.Sign(t.Context(), digest, w.ours, ours()); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, challenge string
		keys            authn.Keychain
		err             error
	}{
		{"by name", `Basic realm="registry"`, keychain{inner, authn.AuthConfig{Username: "reader", Password: "secret"}}, nil},
		{"by a token", `Bearer realm="http://` + inner + `/token",service="registry"`, keychain{inner, authn.AuthConfig{Username: "reader", Password: "secret"}}, nil},
		{"by nobody's name", `Basic realm="registry"`, nil, registry.ErrDenied},
		{"by another's name", `Basic realm="registry"`, keychain{inner, authn.AuthConfig{Username: "x", Password: "y"}}, registry.ErrDenied},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := w.request(w.repo.Reference(digest))
			r.Keychain = tt.keys
			r.Transport = guarded{w.transport, tt.challenge}
			answer, err := image.Verify(t.Context(), r)
			if !errors.Is(err, tt.err) || err == nil && len(answer.Proofs) != 1 {
				t.Fatalf("%v, %+v; want %v", err, answer, tt.err)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("%v has the password in it", err)
			}
		})
	}

	asked := false
	r := w.request(w.repo.Reference(digest))
	r.Keychain = keychain{inner, authn.AuthConfig{Username: "reader", Password: "secret"}}
	r.Transport = elsewhere{guarded{w.transport, `Bearer realm="http://evil.example/token",service="registry"`}, &asked}
	if answer, err := image.Verify(t.Context(), r); err == nil || !asked {
		t.Errorf("%+v; want an error for the place that gives tokens, which the transport refused", answer)
	}
}

// keychain has one name for one host.
type keychain struct {
	host string
	auth authn.AuthConfig
}

func (k keychain) Resolve(at authn.Resource) (authn.Authenticator, error) {
	if at.RegistryStr() != k.host {
		return authn.Anonymous, nil
	}
	return authn.FromConfig(k.auth), nil
}

// guarded lets in whom the challenge asks for.
type guarded struct {
	then      http.RoundTripper
	challenge string
}

func (g guarded) RoundTrip(req *http.Request) (*http.Response, error) {
	said := func(status int, text string) (*http.Response, error) {
		return &http.Response{
			StatusCode: status, Status: http.StatusText(status), Request: req, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: http.Header{"Www-Authenticate": {g.challenge}}, Body: io.NopCloser(strings.NewReader(text)), ContentLength: int64(len(text)),
		}, nil
	}
	if req.URL.Scheme != "http" || req.URL.Host == "evil.example" {
		return g.then.RoundTrip(req)
	}
	user, password, basic := req.BasicAuth()
	known := basic && user == "reader" && password == "secret"
	switch {
	case req.URL.Path == "/token" && known:
		return said(http.StatusOK, `{"token":"once"}`)
	case known && strings.HasPrefix(g.challenge, "Basic"), req.Header.Get("Authorization") == "Bearer once":
		return g.then.RoundTrip(req)
	}
	return said(http.StatusUnauthorized, "")
}

// elsewhere refuses a host, as package fetch does for one that is not listed.
type elsewhere struct {
	then  http.RoundTripper
	asked *bool
}

func (e elsewhere) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host == "evil.example" {
		*e.asked = true
		if req.Header.Get("Authorization") != "" {
			return nil, fmt.Errorf("%w, and would have got a password", registry.ErrForbidden)
		}
		return nil, registry.ErrForbidden
	}
	return e.then.RoundTrip(req)
}

// lying answers some requests with other bytes, or with a fault.
type lying struct {
	then http.RoundTripper
	lie  func(req *http.Request, resp *http.Response) *http.Response
}

func (l lying) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := l.then.RoundTrip(req)
	if err == nil {
		resp = l.lie(req, resp)
	}
	return resp, err
}

func answering(resp *http.Response, status int, text string) *http.Response {
	resp.Body.Close()
	resp.StatusCode, resp.Status = status, http.StatusText(status)
	resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
	return resp
}

// What a registry does not say, or says wrong, is never a proof: an error for the image itself, a
// gap or a refusal for what lies beside it.
func TestLyingRegistry(t *testing.T) {
	w := newWorld(t, inMemory(t))
	digest, err := w.repo.Push(t.Context(), "1.0.0", "lies")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.repo.Sign(t.Context(), digest, w.ours, ours()); err != nil {
		t.Fatal(err)
	}
	at := func(part string, status int, text string) func(*http.Request, *http.Response) *http.Response {
		return func(req *http.Request, resp *http.Response) *http.Response {
			if strings.Contains(req.URL.Path, part) {
				return answering(resp, status, text)
			}
			return resp
		}
	}
	for _, tt := range []struct {
		name    string
		lie     func(*http.Request, *http.Response) *http.Response
		err     error
		refused string
		gap     string
	}{
		{name: "no image", lie: at("/manifests/"+digest, 404, ""), err: registry.ErrNotFound},
		{name: "not let in", lie: at("/manifests/"+digest, 403, ""), err: registry.ErrDenied},
		{name: "another image", lie: at("/manifests/"+digest, 200, "{}"), err: &verify.Refusal{}},
		{name: "an image without end", lie: at("/manifests/"+digest, 200, strings.Repeat(" ", 5<<20)), err: registry.ErrTooLarge},
		{name: "a signature's manifest that is not there", lie: at(".sig", 404, "")},
		{name: "not let in to signatures", lie: at(".sig", 401, ""), gap: verify.GapDenied},
		{name: "a fault at signatures", lie: at(".sig", 500, ""), gap: verify.GapNoAnswer},
		{name: "a signature's manifest that is a page", lie: at(".sig", 200, "<html>"), refused: verify.Malformed},
		{name: "a signature's manifest without end", lie: at(".sig", 200, strings.Repeat(" ", 5<<20)), refused: verify.TooLarge},
		{name: "a signature's blob that is not there", lie: at("/blobs/", 404, ""), gap: verify.GapNotServed},
		{name: "a signature's blob with other bytes", lie: func(req *http.Request, resp *http.Response) *http.Response {
			if !strings.Contains(req.URL.Path, "/blobs/") {
				return resp
			}
			b, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Error(err)
			}
			return answering(resp, 200, strings.Replace(string(b), "cosign", "Cosign", 1))
		}, refused: verify.WrongDigest},
		{name: "a signature's blob without end", lie: at("/blobs/", 200, strings.Repeat(" ", 1<<20)), refused: verify.WrongDigest},
		{name: "a fault at referrers", lie: at("/referrers/", 500, ""), gap: verify.GapNoAnswer},
		{name: "not let in to referrers", lie: at("/referrers/", 403, ""), gap: verify.GapDenied},
		{name: "referrers that are a page", lie: at("/referrers/", 200, "<html>")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := w.request(w.repo.Reference(digest))
			r.Transport = lying{w.transport, tt.lie}
			answer, err := image.Verify(t.Context(), r)
			refusal := (*verify.Refusal)(nil)
			switch {
			case errors.As(tt.err, &refusal):
				if !errors.As(err, &refusal) || refusal.Code != verify.WrongDigest {
					t.Fatalf("%v; want a refusal", err)
				}
				return
			case tt.err != nil:
				if !errors.Is(err, tt.err) {
					t.Fatalf("%v; want %v", err, tt.err)
				}
				return
			case err != nil:
				t.Fatal(err)
			}
			said(t, answer)
			var gaps, refused []string
			for _, g := range answer.Gaps {
				gaps = append(gaps, g.Code)
				t.Log(g)
			}
			refused = codes(answer)
			want := func(code string) (all []string) {
				if code != "" {
					all = append(all, code)
				}
				return all
			}
			if diff := cmp.Diff([2][]string{want(tt.gap), want(tt.refused)}, [2][]string{gaps, refused}); diff != "" {
				t.Errorf("gaps and refusals (-want +got)\n%s", diff)
			}
			if strings.Contains(tt.name, "signature") && len(answer.Proofs) != 0 {
				t.Errorf("it is proved: %v", answer.Proofs)
			}
		})
	}
}

// A tag that is moved between the look at the image and the look at its signatures changes
// nothing: what is said is said of the digest that the tag had at first.
func TestTagMoves(t *testing.T) {
	w := newWorld(t, inMemory(t))
	signed, err := w.repo.Push(t.Context(), "signed", "signed")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.repo.Sign(t.Context(), signed, w.ours, ours()); err != nil {
		t.Fatal(err)
	}
	evil, err := w.repo.Push(t.Context(), "latest", "evil")
	if err != nil {
		t.Fatal(err)
	}
	moved := false
	r := w.request(w.repo.Tagged("latest"))
	r.Transport = lying{w.transport, func(req *http.Request, resp *http.Response) *http.Response {
		if !moved && strings.HasSuffix(req.URL.Path, "/manifests/latest") {
			moved = true
			if err := w.repo.Move(context.Background(), "latest", signed); err != nil {
				t.Error(err)
			}
		}
		return resp
	}}
	answer, err := image.Verify(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if !moved || answer.Digest != evil || !answer.Unsigned() {
		t.Errorf("it is %s with %d proofs; want %s, unsigned", answer.Digest, len(answer.Proofs), evil)
	}
}

func TestIndex(t *testing.T) {
	for _, reg := range registries {
		t.Run(reg.name, func(t *testing.T) {
			w := newWorld(t, reg.start(t))
			digest, children, err := w.repo.PushIndex(t.Context(), "1.0.0", "index")
			if err != nil {
				t.Fatal(err)
			}
			if err := w.repo.Sign(t.Context(), digest, w.ours, ours()); err != nil {
				t.Fatal(err)
			}
			if err := w.repo.Sign(t.Context(), children[1], w.ours, ours()); err != nil {
				t.Fatal(err)
			}
			r := w.request(w.repo.Tagged("1.0.0"))
			for _, tt := range []struct {
				ask          bool
				first, other registry.Knowledge
			}{{false, registry.Unknown, registry.Unknown}, {true, registry.Absent, registry.Present}} {
				r.Children = tt.ask
				answer, err := image.Verify(t.Context(), r)
				if err != nil {
					t.Fatal(err)
				}
				want := []image.Child{
					{Digest: children[0], Platform: "linux/amd64", Signed: tt.first},
					{Digest: children[1], Platform: "linux/arm64", Signed: tt.other},
				}
				if diff := cmp.Diff(want, answer.Children); diff != "" {
					t.Errorf("children (-want +got)\n%s", diff)
				}
				if answer.Digest != digest || len(answer.Proofs) != 1 || answer.Proofs[0].Subject != digest {
					t.Errorf("%+v; want one proof about %s", answer, digest)
				}
			}
		})
	}
}

// The proof says all that the certificate and the log say.
func TestProof(t *testing.T) {
	w := newWorld(t, inMemory(t))
	digest, err := w.repo.Push(t.Context(), "1.0.0", "proof")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.repo.Sign(t.Context(), digest, w.ours, ours()); err != nil {
		t.Fatal(err)
	}
	if err := w.repo.Attest(t.Context(), digest, slsa, []byte(`{"buildType":"x"}`), w.ours, sigtest.Signing{Key: w.key}); err != nil {
		t.Fatal(err)
	}
	answer, err := image.Verify(t.Context(), w.request(w.repo.Reference(digest)))
	if err != nil || len(answer.Proofs) != 2 {
		t.Fatalf("%v, %+v", err, answer)
	}
	p := answer.Proofs[0]
	if p.Identity == nil || *p.Identity != release || p.Key != "" {
		t.Errorf("it is by %+v; want %+v", p.Identity, release)
	}
	if p.Time.IsZero() || p.TimeBy != "transparency log" || len(p.Log) != 1 || p.Log[0].Log != "https://rekor.sim.example" || p.Root == "" {
		t.Errorf("%+v: not all that is known", p)
	}
	p = answer.Proofs[1]
	if p.Identity != nil || p.Key != w.public.ID || p.Predicate != slsa || string(p.Statement) != `{"buildType":"x"}` || len(p.Log) != 1 {
		t.Errorf("%+v: not all that is known", p)
	}
}

func TestReferences(t *testing.T) {
	for _, reference := range []string{"", "app", "acme/app:1.0.0", "registry.example/app", "registry.example/app@sha256:abc", "registry.example/App:1", "https://registry.example/app:1"} {
		if _, err := image.Verify(t.Context(), image.Request{Reference: reference, Transport: only{t, "", nil}}); !errors.Is(err, image.ErrReference) {
			t.Errorf("%q: %v; want %v", reference, err, image.ErrReference)
		}
	}
}
