package registrytest

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"testing"
	"time"
)

// simple are the rules of the Simple API for a project's page in JSON: PEP 691, 700, 740 and 792,
// by the packaging user guide's "Simple repository API". They are written for this test, apart
// from what the reader has.
type simple struct {
	Meta struct {
		Version string `json:"api-version"`
	} `json:"meta"`
	Name     string                       `json:"name"`
	Versions []string                     `json:"versions"`
	Status   map[string]string            `json:"project-status"`
	Files    []map[string]json.RawMessage `json:"files"`
}

var (
	apiVersions = regexp.MustCompile(`^1\.[0-9]+$`)
	normalNames = regexp.MustCompile(`^[a-z0-9](-?[a-z0-9])*$`)
	uploadTimes = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z$`)
	hashNames   = regexp.MustCompile(`^[a-z0-9_]+$`)
	hashValues  = regexp.MustCompile(`^[0-9a-f]+$`)
	statuses    = []string{"active", "archived", "quarantined", "deprecated"}
)

// breaches are the rules that a page breaks.
func breaches(body string) (found []string) {
	breach := func(ok bool, what string) {
		if !ok && !slices.Contains(found, what) {
			found = append(found, what)
		}
	}
	var page simple
	if err := json.Unmarshal([]byte(body), &page); err != nil {
		return []string{err.Error()}
	}
	breach(apiVersions.MatchString(page.Meta.Version), "meta.api-version")
	breach(normalNames.MatchString(page.Name), "name")
	breach(page.Files != nil, "files")
	minor := page.Meta.Version
	breach(minor < "1.1" || page.Versions != nil, "versions")
	if page.Status != nil {
		breach(slices.Contains(statuses, page.Status["status"]), "project-status")
	}
	sorted := slices.Sorted(slices.Values(page.Versions))
	breach(len(slices.Compact(sorted)) == len(page.Versions), "versions")
	for _, f := range page.Files {
		var name, address, uploaded, provenance string
		var hashes map[string]string
		var size int64
		breach(json.Unmarshal(f["filename"], &name) == nil && name != "", "filename")
		breach(json.Unmarshal(f["url"], &address) == nil && isURL(address, false), "url")
		breach(json.Unmarshal(f["hashes"], &hashes) == nil && hashes != nil, "hashes")
		for name, value := range hashes {
			breach(hashNames.MatchString(name) && hashValues.MatchString(value), "hashes")
		}
		if raw, ok := f["yanked"]; ok {
			var reason string
			var yanked bool
			breach(json.Unmarshal(raw, &yanked) == nil || json.Unmarshal(raw, &reason) == nil && reason != "", "yanked")
		}
		if minor >= "1.1" {
			breach(json.Unmarshal(f["size"], &size) == nil && size >= 0, "size")
		}
		if raw, ok := f["upload-time"]; ok {
			breach(json.Unmarshal(raw, &uploaded) == nil && uploadTimes.MatchString(uploaded), "upload-time")
		}
		if raw, ok := f["provenance"]; ok && string(raw) != "null" {
			breach(json.Unmarshal(raw, &provenance) == nil && isURL(provenance, true), "provenance")
		}
	}
	return found
}

func isURL(text string, absolute bool) bool {
	u, err := url.Parse(text)
	return err == nil && text != "" && (u.IsAbs() || !absolute)
}

func TestSimpleAPI(t *testing.T) {
	srv := New(t)
	p := srv.PyPI()
	p.Upload("Acme.SDK", PyPIFile{Name: "acme_sdk-1.0-py3-none-any.whl", Version: "1.0", Provenance: json.RawMessage(`{"version":1}`)})
	p.Upload("acme_sdk", PyPIFile{Name: "acme_sdk-1.0.tar.gz", Version: "1.0", Time: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.FixedZone("x", 3600))})
	p.Upload("acme-sdk", PyPIFile{Name: "acme_sdk-1.1.tar.gz", Version: "1.1"})
	p.Yank("acme-sdk", "1.1", true, "broken")
	p.Yank("acme-sdk", "1.0", true, "")
	p.SetStatus("acme-sdk", "quarantined", "malware")
	accept := []string{"Accept", simpleJSON}
	page := func() string {
		t.Helper()
		resp, body, err := get(t, p.URL+"/acme-sdk/", accept...)
		if err != nil || resp.StatusCode != 200 || resp.Header.Get("Content-Type") != simpleJSON {
			t.Fatalf("%v, %v", resp, err)
		}
		return body
	}
	for _, mirror := range []bool{false, true} {
		p.SetMirror(mirror)
		if found := breaches(page()); len(found) > 0 {
			t.Errorf("mirror %v: %q are not by the specification: %s", mirror, found, page())
		}
	}
	p.SetMirror(false)
	// The rules do find what breaks them.
	for _, body := range []string{
		`{"meta":{"api-version":"2.0"},"name":"a","versions":[],"files":[]}`, `{"meta":{"api-version":"1.0"},"name":"A","files":[]}`,
		`{"meta":{"api-version":"1.1"},"name":"a","files":[]}`, `{"meta":{"api-version":"1.0"},"name":"a"}`,
		`{"meta":{"api-version":"1.0"},"name":"a","files":[{"filename":"x","url":"y"}]}`,
		`{"meta":{"api-version":"1.0"},"name":"a","files":[{"filename":"x","url":"y","hashes":{"SHA256":"z"}}]}`,
		`{"meta":{"api-version":"1.0"},"name":"a","files":[{"filename":"x","url":"y","hashes":{},"yanked":""}]}`,
		`{"meta":{"api-version":"1.0"},"name":"a","files":[{"filename":"x","url":"y","hashes":{},"upload-time":"2026-01-02T03:04:05+00:00"}]}`,
		`{"meta":{"api-version":"1.1"},"name":"a","versions":[],"files":[{"filename":"x","url":"y","hashes":{}}]}`,
		`{"meta":{"api-version":"1.3"},"name":"a","versions":[],"files":[{"filename":"x","url":"y","hashes":{},"size":1,"provenance":"z"}]}`,
	} {
		if len(breaches(body)) != 1 {
			t.Errorf("%s: %q", body, breaches(body))
		}
	}
	// "Repositories SHOULD redirect the URLs without a / to add a /", and those that are not
	// normalised.
	for _, path := range []string{"/acme-sdk", "/Acme.SDK/"} {
		if resp, _, _ := get(t, p.URL+path, accept...); resp.StatusCode != 301 || resp.Header.Get("Location") != "/pypi/simple/acme-sdk/" {
			t.Errorf("%s: %d, %q", path, resp.StatusCode, resp.Header.Get("Location"))
		}
	}
	for _, tt := range []struct {
		path, accept string
		status       int
		contentType  string
	}{
		{"/pypi/simple/acme-sdk/", "text/html", 406, "application/json"},
		{"/pypi/simple/other/", simpleJSON, 404, "application/json"},
		{"/pypi/integrity/acme-sdk/1.0/acme_sdk-1.0-py3-none-any.whl/provenance", integrityJSON, 200, integrityJSON},
		{"/pypi/integrity/acme-sdk/1.0/acme_sdk-1.0.tar.gz/provenance", integrityJSON, 404, "application/json"},
		{"/pypi/x", "", 404, "application/json"},
	} {
		if resp, _, _ := get(t, srv.URL+tt.path, "Accept", tt.accept); resp.StatusCode != tt.status || resp.Header.Get("Content-Type") != tt.contentType {
			t.Errorf("%s: %d, %q; want %d, %q", tt.path, resp.StatusCode, resp.Header.Get("Content-Type"), tt.status, tt.contentType)
		}
	}
	p.Delete("acme-sdk", "1.0")
	var left simple
	if err := json.Unmarshal([]byte(page()), &left); err != nil || len(left.Files) != 1 || !slices.Equal(left.Versions, []string{"1.1"}) {
		t.Errorf("after a release was deleted: %+v, %v", left, err)
	}
	p.SetVersion("2.0")
	if found := breaches(page()); !slices.Equal(found, []string{"meta.api-version"}) {
		t.Errorf("version 2.0: %q", found)
	}
}
