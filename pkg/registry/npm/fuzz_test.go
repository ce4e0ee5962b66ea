package npm

import (
	"reflect"
	"testing"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/version"
)

// Whatever a packument holds, it is read the same way twice, every version in it is a release or
// a fault, and at a mirror nothing is absent that only an origin could deny.
func FuzzPackument(f *testing.F) {
	for _, seed := range []string{
		`{"name":"a","dist-tags":{"latest":"1.0.0"},"time":{"created":"2026-01-01T00:00:00.000Z","1.0.0":"2026-01-02T03:04:05.678Z","0.9.0":"2025-01-01T00:00:00Z"},"maintainers":[{"name":"x","email":"y"},"z <w>"],"versions":{"1.0.0":{"name":"a","version":"1.0.0","_npmUser":{"name":"GitHub Actions","trustedPublisher":{"id":"github"}},"scripts":{"install":"x"},"gypfile":true,"dependencies":{"b":"c/d"},"gitHead":"e","deprecated":"f","dist":{"tarball":"https://x.example/a.tgz","integrity":"sha512-RtTi90xIdzFmQAAKb9+Ki1nx4IR2Z5c+mFn3dN0xuPHgk3gTt3f7ZqKsZ9UFQP40ZAlm7un8LMyjhwgrTIXNPA==","shasum":"dbef27b7040fa8d0351fa9aacc48e63adbf030b2","signatures":[{"keyid":"k","sig":"s"}],"attestations":{"url":"https://x.example"}}}}}`,
		`{"name":"a","time":{"unpublished":{"versions":["1.0.0"]}}}`,
		`{"name":"a","versions":{"1.0.0":5,"x":{},"2.0.0":{"dist":{}}}}`,
		`{"name":"a","versions":{"1.0.0":{"scripts":["\ud800"],"dependencies":[],"deprecated":false}}}`,
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
		if l.Maintainers.Knowledge > registry.Present {
			t.Errorf("maintainers: %d", l.Maintainers.Knowledge)
		}
		seen := map[string]bool{}
		for _, r := range l.Releases {
			if version.Check(ecosystem.NPM, r.Version) != nil || seen[r.Version] {
				t.Errorf("version %q, twice: %v", r.Version, seen[r.Version])
			}
			seen[r.Version] = true
			if len(l.Faults) == 0 && r.Unpublished.Knowledge != registry.Present && len(r.Files) != 1 {
				t.Errorf("version %q without file and fault", r.Version)
			}
			for _, k := range []registry.Knowledge{
				r.Time.Knowledge, r.Publisher.Knowledge, r.TrustedPublisher.Knowledge, r.Scripts.Knowledge, r.Git.Knowledge, r.Head.Knowledge,
				r.Signatures.Knowledge, r.Provenance.Knowledge, r.Deprecated.Knowledge, r.Unpublished.Knowledge,
			} {
				if k > registry.Present {
					t.Errorf("version %q: a field that was left unsettled: %+v", r.Version, r)
				}
			}
			for _, file := range r.Files {
				for _, d := range file.Digests {
					if !d.Valid() {
						t.Errorf("version %q: digest %v", r.Version, d)
					}
				}
			}
		}
		mirror, err := parse(text, registry.Mirror)
		if err != nil {
			t.Fatalf("at a mirror: %v", err)
		}
		if mirror.Maintainers.Knowledge == registry.Absent {
			t.Errorf("at a mirror: %+v", mirror.Maintainers)
		}
		for _, r := range mirror.Releases {
			for _, k := range []registry.Knowledge{
				r.Time.Knowledge, r.Publisher.Knowledge, r.Head.Knowledge, r.Signatures.Knowledge, r.Provenance.Knowledge, r.Unpublished.Knowledge,
			} {
				if k == registry.Absent {
					t.Errorf("at a mirror: %+v", r)
				}
			}
		}
	})
}

func FuzzAttestations(f *testing.F) {
	f.Add([]byte(`{"attestations":[{"predicateType":"https://slsa.dev/provenance/v1","bundle":{"mediaType":"x"}}]}`))
	f.Add([]byte(`{"attestations":[{"bundle":null}]}`))
	f.Add([]byte(`{"keys":[{"keyid":"k","key":"v","expires":"2025-01-29T00:00:00.000Z"},{"keyid":"l","key":"w","expires":null}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		read, err := readAttestations(body)
		if (err == nil) != (len(read) > 0) {
			t.Errorf("%v, %v", read, err)
		}
		for _, a := range read {
			if len(a.Bundle) == 0 || a.Bundle[0] != '{' {
				t.Errorf("%q", a.Bundle)
			}
		}
		keys, err := readKeys(body)
		if (err == nil) != (len(keys) > 0) {
			t.Errorf("%v, %v", keys, err)
		}
	})
}
