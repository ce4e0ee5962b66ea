package npm_test

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/registrytest"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
	"github.com/wormsweep/wormsweep/pkg/registry/npm"
)

// writer sends what npm's client sends.
type writer struct {
	t     *testing.T
	base  string // address of the registry
	token string
}

// send sends JSON and gives the status and the body of the answer.
func (w writer) send(method, path string, body any) (int, []byte) {
	w.t.Helper()
	written, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.base+path, bytes.NewReader(written))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if w.token != "" {
		req.Header.Set("Authorization", "Bearer "+w.token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, answer
}

// must is send that has to succeed.
func (w writer) must(method, path string, body any) []byte {
	w.t.Helper()
	status, answer := w.send(method, path, body)
	if status/100 != 2 {
		w.t.Fatalf("%s %s: status %d: %s", method, path, status, answer)
	}
	return answer
}

// publish is "npm publish --tag TAG".
func (w writer) publish(name, version, tag string, scripts map[string]string) (status int) {
	w.t.Helper()
	tarball := registrytest.Tarball(name, version)
	sum := sha1.Sum(tarball)
	file := name + "-" + version + ".tgz"
	status, _ = w.send(http.MethodPut, "/"+url.PathEscape(name), map[string]any{
		"_id": name, "name": name, "dist-tags": map[string]string{tag: version}, "access": nil,
		"versions": map[string]any{version: map[string]any{
			"_id": name + "@" + version, "name": name, "version": version, "scripts": scripts, "gitHead": "c0ffee",
			"dist": map[string]any{
				"integrity": registrytest.Integrity(tarball), "shasum": hex.EncodeToString(sum[:]), "tarball": w.base + "/" + name + "/-/" + file,
			},
		}},
		"_attachments": map[string]any{file: map[string]any{
			"content_type": "application/octet-stream", "data": base64.StdEncoding.EncodeToString(tarball), "length": len(tarball),
		}},
	})
	return status
}

// document is what a client reads before it writes.
func (w writer) document(name string) map[string]any {
	w.t.Helper()
	var doc map[string]any
	if err := json.Unmarshal(w.must(http.MethodGet, "/"+url.PathEscape(name)+"?write=true", nil), &doc); err != nil {
		w.t.Fatal(err)
	}
	return doc
}

// deprecate is "npm deprecate NAME@VERSION MESSAGE".
func (w writer) deprecate(name, version, message string) {
	w.t.Helper()
	doc := w.document(name)
	doc["versions"].(map[string]any)[version].(map[string]any)["deprecated"] = message
	doc["_attachments"] = map[string]any{}
	w.must(http.MethodPut, "/"+url.PathEscape(name), doc)
}

// unpublish is "npm unpublish NAME@VERSION" of a version that is not the latest.
func (w writer) unpublish(name, version string) {
	w.t.Helper()
	doc := w.document(name)
	delete(doc["versions"].(map[string]any), version)
	for tag, tagged := range doc["dist-tags"].(map[string]any) {
		if tagged == version {
			delete(doc["dist-tags"].(map[string]any), tag)
		}
	}
	w.must(http.MethodPut, fmt.Sprintf("/%s/-rev/%s", url.PathEscape(name), doc["_rev"]), doc)
	rev := w.document(name)["_rev"]
	w.must(http.MethodDelete, fmt.Sprintf("/%s/-/%s/-rev/%s", name, name[strings.LastIndex(name, "/")+1:]+"-"+version+".tgz", rev), nil)
}

// readerAt gives a reader of a registry on loopback.
func readerAt(t *testing.T, base string) *npm.Reader {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	c, err := fetch.New(fetch.Options{Hosts: []string{u.Host}, PrivateHosts: []string{u.Host}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := npm.New(c, npm.Options{Address: base})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// testWire publishes, deprecates, tags and unpublishes by npm's protocol, and looks with a Reader
// at what comes of it.
func testWire(t *testing.T, base, token string) {
	w, r := writer{t, base, token}, readerAt(t, base)
	name := fmt.Sprintf("@acme/wire%d", time.Now().UnixNano())
	if _, err := r.List(t.Context(), name, registry.Validator{}); !errors.Is(err, registry.ErrNotFound) {
		t.Fatalf("before the first version: %v; want ErrNotFound", err)
	}
	for version, scripts := range map[string]map[string]string{"1.0.0": nil, "1.1.0": {"postinstall": "node x.js", "test": "y"}} {
		if status := w.publish(name, version, "next", scripts); status/100 != 2 {
			t.Fatalf("publishing %s: status %d", version, status)
		}
	}
	if status := w.publish(name, "1.0.0", "next", nil); status/100 != 4 {
		t.Errorf("publishing over a version: status %d", status)
	}
	w.must(http.MethodPut, "/-/package/"+url.PathEscape(name)+"/dist-tags/latest", "1.0.0")
	w.must(http.MethodPut, "/-/package/"+url.PathEscape(name)+"/dist-tags/next", "1.1.0")

	list := func() (*registry.Listing, map[string]registry.Published) {
		t.Helper()
		l, err := r.List(t.Context(), name, registry.Validator{})
		if err != nil {
			t.Fatal(err)
		}
		if len(l.Faults) > 0 {
			t.Errorf("faults: %q", l.Faults)
		}
		byVersion := map[string]registry.Published{}
		for _, p := range l.Releases {
			byVersion[p.Version] = p
		}
		return l, byVersion
	}
	l, versions := list()
	if diff := cmp.Diff(map[string]string{"latest": "1.0.0", "next": "1.1.0"}, l.Tags); diff != "" || len(versions) != 2 {
		t.Errorf("%d versions, tags (-want +got)\n%s", len(versions), diff)
	}
	for v, p := range versions {
		tarball := registrytest.Tarball(name, v)
		if p.Head.Value != "c0ffee" || p.Time.Knowledge != registry.Present || time.Since(p.Time.Value).Abs() > time.Hour || p.Deprecated.Knowledge != registry.Absent {
			t.Errorf("%s: %+v", v, p)
		}
		integrity := strings.TrimPrefix(registrytest.Integrity(tarball), "sha512-")
		if len(p.Files) != 1 || len(p.Files[0].Digests) != 2 || p.Files[0].Digests[0].Text != integrity {
			t.Fatalf("%s: %+v", v, p.Files)
		}
		body, err := r.Open(t.Context(), name, p.Files[0])
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(body)
		body.Close()
		if err != nil || !bytes.Equal(got, tarball) {
			t.Errorf("%s: a tarball of %d bytes, %v; want the %d that were published", v, len(got), err, len(tarball))
		}
		if _, err := r.Attestations(t.Context(), name, &registry.Published{Version: v}); !errors.Is(err, registry.ErrNotServed) {
			t.Errorf("%s: attestations: %v; want ErrNotServed", v, err)
		}
	}
	if diff := cmp.Diff(registry.Known(map[string]string{"postinstall": "node x.js"}), versions["1.1.0"].Scripts); diff != "" {
		t.Errorf("scripts (-want +got)\n%s", diff)
	}
	if _, err := r.List(t.Context(), name, l.Validator); !errors.Is(err, registry.ErrNotModified) {
		t.Errorf("nothing changed: %v; want ErrNotModified", err)
	}

	w.deprecate(name, "1.1.0", "compromised")
	if _, versions = list(); versions["1.1.0"].Deprecated.Value != "compromised" || versions["1.0.0"].Deprecated.Knowledge != registry.Absent {
		t.Errorf("deprecated: %+v", versions)
	}
	if _, err := r.List(t.Context(), name, l.Validator); err != nil {
		t.Errorf("after a change: %v", err)
	}
	w.unpublish(name, "1.1.0")
	l, versions = list()
	if gone := versions["1.1.0"]; gone.Files != nil || len(gone.Version) > 0 && gone.Unpublished != registry.Known(true) {
		t.Errorf("unpublished: %+v", gone)
	}
	if versions["1.0.0"].Files == nil || l.Tags["latest"] != "1.0.0" || l.Tags["next"] != "" {
		t.Errorf("what stays: %+v, tags %v", versions, l.Tags)
	}
	if _, err := r.Open(t.Context(), name, registry.File{URL: base + "/" + name + "/-/" + name[6:] + "-1.1.0.tgz"}); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("the tarball of an unpublished version: %v; want ErrNotFound", err)
	}
	if _, err := r.Keys(t.Context()); !errors.Is(err, registry.ErrNotServed) {
		t.Errorf("keys: %v; want ErrNotServed", err)
	}
}

func TestWire(t *testing.T) {
	srv := registrytest.New(t)
	srv.NPM().RequireToken("")
	testWire(t, srv.NPM().URL, "")
}
