package pypi

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/wormsweep/wormsweep/pkg/registry"
)

// Whatever a page holds, it is read the same way twice, every file of it is in a release or a
// fault, and at a mirror no field is absent that was not told.
func FuzzPage(f *testing.F) {
	for _, seed := range []string{
		`{"meta":{"api-version":"1.4"},"name":"acme-sdk","versions":["1.0"],"project-status":{"status":"archived"},"files":[{"filename":"acme_sdk-1.0-py3-none-any.whl","url":"a","hashes":{"sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},"size":7,"upload-time":"2026-01-02T03:04:05.000001Z","yanked":"x","provenance":"/p"}]}`,
		`{"meta":{"api-version":"1.0"},"name":"Acme.SDK","files":[{"filename":"acme-sdk-1.0-beta.tar.gz","url":"https://x/y#z","hashes":{"md5":"x"},"yanked":true}]}`,
		`{"name":"acme-sdk","files":[5,null,{}]}`,
		`{"name":"acme-sdk","files":[],"versions":["not a version","1","1.0",""]}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := parse(text, registry.Origin)
		again, againErr := parse(text, registry.Origin)
		if !reflect.DeepEqual(l, again) || (err == nil) != (againErr == nil) {
			t.Fatalf("read twice: %+v, %v; %+v, %v", l, err, again, againErr)
		}
		if err != nil {
			return
		}
		var page struct {
			Files []json.RawMessage `json:"files"`
		}
		files := 0
		for _, r := range l.Releases {
			files += len(r.Files)
			if r.Version == "" {
				t.Errorf("a release without a version: %+v", r)
			}
		}
		if json.Unmarshal([]byte(text), &page) == nil && len(l.Faults) == 0 && files != len(page.Files) {
			t.Errorf("%d files of %d, and no fault", files, len(page.Files))
		}
		mirror, err := parse(text, registry.Mirror)
		if err != nil {
			t.Fatalf("at a mirror: %v", err)
		}
		for _, r := range mirror.Releases {
			if !r.Time.IsZero() || r.Provenance.Knowledge == registry.Absent {
				t.Errorf("at a mirror: %+v", r)
			}
		}
	})
}

// Whatever a provenance object holds, what comes of it is JSON with the attestation's own
// statement in it.
func FuzzProvenance(f *testing.F) {
	f.Add([]byte(`{"version":1,"attestation_bundles":[{"publisher":{"kind":"GitHub","repository":"a/b","workflow":"r.yml","environment":null},"attestations":[{"version":1,"verification_material":{"certificate":"Yw==","transparency_entries":[{"logIndex":"1"}],"timestamps":["dA=="]},"envelope":{"statement":"e30=","signature":"cw=="}}]}]}`))
	f.Add([]byte(`{"version":1,"attestation_bundles":[{"publisher":{"kind":"Google","email":5},"attestations":[{"version":1}]}]}`))
	f.Add([]byte(`{"version":1.0}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		read, err := readProvenance("file", body)
		if err != nil {
			if read != nil {
				t.Errorf("%v beside %v", read, err)
			}
			return
		}
		if len(read) == 0 {
			t.Error("no attestation, and no error")
		}
		for _, a := range read {
			var b bundle
			if err := json.Unmarshal(a.Bundle, &b); err != nil || b.MediaType != bundleType || b.Envelope.Payload == "" || len(b.Envelope.Signatures) != 1 {
				t.Errorf("%s: %v", a.Bundle, err)
			}
			if a.File != "file" || a.TrustedPublisher.Value == "" {
				t.Errorf("%+v", a)
			}
		}
	})
}
