package pypi

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/pkg/registry"
)

// parse reads a page of the project "acme-sdk" in memory.
func parse(text string, role registry.Role) (*registry.Listing, error) {
	p := page{name: "acme-sdk", role: role, base: &url.URL{Scheme: "https", Host: "index.example", Path: "/simple/acme-sdk/"}}
	if err := p.read([]byte(text)); err != nil {
		return nil, err
	}
	l := &registry.Listing{}
	p.list(l)
	return l, nil
}

func TestVersionOf(t *testing.T) {
	for _, tt := range []struct{ file, want string }{
		{"acme_sdk-1.0-py3-none-any.whl", "1.0"},
		{"Acme.SDK-1.0-py3-none-any.whl", "1.0"},
		{"acme_sdk-1.0-1-cp310-cp310-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", "1.0"},
		{"acme_sdk-1.0+cu118-py3-none-any.whl", "1.0+cu118"},
		{"acme_sdk-1.0_1-py3-none-any.whl", "1.0-1"}, // the post-release of the short spelling
		{"acme_sdk-1!2.0rc1-py3-none-any.whl", "1!2.0rc1"},
		{"other-1.0-py3-none-any.whl", ""},
		{"acme_sdk-1.0.whl", ""},
		{"acme_sdk-x-py3-none-any.whl", ""},
		{"acme_sdk-1.0-py3-none-any-x-y.whl", ""},
		{"acme-sdk-1.0.tar.gz", "1.0"},
		{"acme_sdk-1.0.zip", "1.0"},
		{"acme.sdk-1.0.dev3.tar.bz2", "1.0.dev3"},
		{"acme-sdk-1.0-beta.tar.gz", "1.0-beta"},
		{"acme-sdk-extra-1.0.tar.gz", ""}, // another project
		{"acme-1.0.tar.gz", ""},
		{"acme-sdk-.tar.gz", ""},
		{"acme-sdk.tar.gz", ""},
		{"acme_sdk-1.0-py2.7.egg", "1.0"},
		{"acme_sdk-1.0-py2.7-linux-x86_64.egg", "1.0"},
		{"acme_sdk-1.0.win32-py2.7.exe", "1.0"},
		{"acme-sdk-1.0-1.noarch.rpm", "1.0-1"},
		{"acme-sdk-1.0.tar.gz.asc", ""},
		{"", ""},
	} {
		got, ok := versionOf("acme-sdk", tt.file, nil)
		if got != tt.want || ok != (tt.want != "") {
			t.Errorf("versionOf(%q) = %q, %v; want %q", tt.file, got, ok, tt.want)
		}
	}
	// The index's spelling counts.
	if got, _ := versionOf("acme-sdk", "acme_sdk-1.0.0-py3-none-any.whl", []string{"0.9", "1.0"}); got != "1.0" {
		t.Errorf("got %q, want that of the index", got)
	}
}

func TestOddPages(t *testing.T) {
	const hash = `"hashes":{"sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}`
	for _, tt := range []struct {
		name, text string
		releases   []string
		faults     []string // a part of each
		check      func(l *registry.Listing) bool
	}{
		{"no version of the API", `{"name":"acme-sdk","files":[{"filename":"acme_sdk-1.0.zip","url":"/f/a.zip",` + hash + `}]}`, []string{"1.0"}, nil, func(l *registry.Listing) bool {
			f := l.Releases[0].Files[0]
			return f.URL == "https://index.example/f/a.zip" && f.Size.IsZero() && f.Time.IsZero() && f.Provenance.IsZero() && l.Status.IsZero() && f.Yanked.Knowledge == registry.Absent
		}},
		{"1.1 without what it must have", `{"meta":{"api-version":"1.1"},"name":"acme-sdk","files":[{"filename":"acme_sdk-1.0.zip","url":"../a.zip#sha256=x",` + hash + `}]}`, []string{"1.0"}, nil, func(l *registry.Listing) bool {
			f := l.Releases[0].Files[0]
			return f.URL == "https://index.example/simple/a.zip" && f.Size.Knowledge == registry.Absent && f.Time.Knowledge == registry.Absent && f.Provenance.IsZero()
		}},
		{"1.99", `{"meta":{"api-version":"1.99"},"name":"Acme.SDK","files":[],"versions":["1.0"],"new-thing":{}}`, []string{"1.0"}, nil, func(l *registry.Listing) bool {
			return l.Status == registry.Known("active") && l.Releases[0].Files == nil
		}},
		{
			"yanked in all forms", `{"name":"acme-sdk","files":[
			{"filename":"acme_sdk-1.zip","url":"a",` + hash + `,"yanked":true},{"filename":"acme_sdk-2.zip","url":"a",` + hash + `,"yanked":"why"},
			{"filename":"acme_sdk-3.zip","url":"a",` + hash + `,"yanked":false},{"filename":"acme_sdk-4.zip","url":"a",` + hash + `,"yanked":null},
			{"filename":"acme_sdk-5.zip","url":"a",` + hash + `,"yanked":5},
			{"filename":"acme_sdk-6.zip","url":"a",` + hash + `,"yanked":"x"},{"filename":"acme_sdk-6.tar.gz","url":"a",` + hash + `}]}`,
			[]string{"1", "2", "3", "4", "5", "6"},
			[]string{"yanked"},
			func(l *registry.Listing) bool {
				r := l.Releases
				return r[0].Yanked == registry.Known("") && r[1].Yanked == registry.Known("why") && r[2].Yanked.Knowledge == registry.Absent &&
					r[3].Yanked.Knowledge == registry.Absent && r[4].Yanked.IsZero() && r[5].Yanked.Knowledge == registry.Absent
			},
		},
		{"a file of another project", `{"name":"acme-sdk","files":[{"filename":"evil-1.0.zip","url":"a",` + hash + `}]}`, nil, []string{"evil-1.0.zip"}, nil},
		{"a file of another type", `{"name":"acme-sdk","files":[5,{"filename":"acme_sdk-1.zip","size":"big"},{"filename":"acme_sdk-1.zip","url":"a",` + hash + `}]}`, []string{"1"}, []string{"file 1", "file 2"}, nil},
		{"a version that is not listed", `{"meta":{"api-version":"1.1"},"name":"acme-sdk","versions":["1.0"],"files":[{"filename":"acme_sdk-2.zip","url":"a",` + hash + `}]}`, []string{"1.0", "2"}, []string{"not one of those"}, nil},
		{"two spellings of a version", `{"name":"acme-sdk","files":[{"filename":"acme_sdk-1.0.zip","url":"a",` + hash + `},{"filename":"acme_sdk-1.0.0.tar.gz","url":"a",` + hash + `}]}`, []string{"1.0"}, nil, func(l *registry.Listing) bool {
			return len(l.Releases[0].Files) == 2
		}},
		{
			"digests", `{"name":"acme-sdk","files":[{"filename":"acme_sdk-1.zip","url":"a","hashes":{"md5":"d41d8cd98f00b204e9800998ecf8427e","blake2b_256":"0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8","sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","sha3_256":"x"}},
			{"filename":"acme_sdk-2.zip","url":"a","hashes":{"sha256":"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}},{"filename":"acme_sdk-3.zip","url":"a","hashes":{}}]}`,
			[]string{"1", "2", "3"},
			[]string{"not one in hex", "no digest", "no digest"},
			func(l *registry.Listing) bool {
				d := l.Releases[0].Files[0].Digests
				return len(d) == 3 && d[0].Algorithm.String() == "sha256" && d[2].Algorithm.String() == "md5"
			},
		},
		{
			"times", `{"meta":{"api-version":"1.4"},"name":"acme-sdk","files":[{"filename":"acme_sdk-1.zip","url":"a",` + hash + `,"upload-time":"2026-01-02T03:04:05Z","size":-1},
			{"filename":"acme_sdk-2.zip","url":"a",` + hash + `,"upload-time":"2026-01-02T03:04:05+01:00","provenance":""}]}`,
			[]string{"1", "2"},
			[]string{"size", "upload-time", "provenance"},
			func(l *registry.Listing) bool {
				return l.Releases[0].Time.Knowledge == registry.Present && l.Releases[1].Time.IsZero() && l.Releases[1].Provenance.IsZero() && l.Releases[0].Files[0].Size.IsZero()
			},
		},
		{"no address", `{"name":"acme-sdk","files":[{"filename":"acme_sdk-1.zip","url":"",` + hash + `}]}`, []string{"1"}, []string{"url"}, nil},
	} {
		l, err := parse(tt.text, registry.Origin)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		var versions []string
		for _, r := range l.Releases {
			versions = append(versions, r.Version)
		}
		if !slices.Equal(versions, tt.releases) || len(l.Faults) != len(tt.faults) || !slices.EqualFunc(l.Faults, tt.faults, strings.Contains) {
			t.Errorf("%s: %q, %q; want %q, %q", tt.name, versions, l.Faults, tt.releases, tt.faults)
		} else if tt.check != nil && !tt.check(l) {
			t.Errorf("%s: %+v", tt.name, l)
		}
	}
}

func TestBadProvenance(t *testing.T) {
	const good = `{"version":1,"verification_material":{"certificate":"Yw==","transparency_entries":[{}],"timestamps":["dHM="]},"envelope":{"statement":"e30=","signature":"cw=="}}`
	wrap := func(attestation string) string {
		return `{"version":1,"attestation_bundles":[{"publisher":{"kind":"Google","email":"ci@acme.example"},"attestations":[` + attestation + `]}]}`
	}
	read, err := readProvenance("f", []byte(wrap(good)))
	if err != nil || len(read) != 1 || !strings.Contains(string(read[0].Bundle), `"timestampVerificationData":{"rfc3161Timestamps":[{"signedTimestamp":"dHM="}]}`) {
		t.Fatalf("%v, %v", read, err)
	}
	if read[0].Publisher.Value != (registry.Person{Name: "ci@acme.example", Email: "ci@acme.example"}) || read[0].TrustedPublisher.Value != "google" {
		t.Errorf("%+v", read[0])
	}
	for _, tt := range []struct {
		text string
		want error
	}{
		{``, registry.ErrMalformed},
		{`null`, registry.ErrMalformed},
		{`[]`, registry.ErrMalformed},
		{`{"version":1}`, registry.ErrMalformed},
		{`{"version":1,"attestation_bundles":[]}`, registry.ErrMalformed},
		{`{"version":1,"attestation_bundles":[{"publisher":{"kind":"GitHub"},"attestations":[]}]}`, registry.ErrMalformed},
		{`{"version":1,"attestation_bundles":[{"attestations":[` + good + `]}]}`, registry.ErrMalformed},
		{strings.Replace(wrap(good), `{"version":1,"att`, `{"version":2,"att`, 1), registry.ErrMalformed},
		{strings.Replace(wrap(good), `{"version":1,"att`, `{"version":"1","att`, 1), registry.ErrMalformed},
		{wrap(strings.Replace(good, `"version":1`, `"version":2`, 1)), registry.ErrMalformed},
		{wrap(strings.Replace(good, `"version":1`, `"version":true`, 1)), registry.ErrMalformed},
		{wrap(strings.Replace(good, `"Yw=="`, `"-"`, 1)), registry.ErrMalformed},
		{wrap(strings.Replace(good, `"Yw=="`, `""`, 1)), registry.ErrMalformed},
		{wrap(strings.Replace(good, `"e30="`, `"{}"`, 1)), registry.ErrMalformed},
		{wrap(strings.Replace(good, `"cw=="`, `5`, 1)), registry.ErrMalformed},
		{wrap(strings.Replace(good, `[{}]`, `[5]`, 1)), registry.ErrMalformed},
		{wrap(good + `,` + strings.Replace(good, `"version":1`, `"version":1,"version":2`, 1)), registry.ErrMalformed},
		{wrap(good + strings.Repeat(`,`+good, maxAttestations)), registry.ErrTooLarge},
	} {
		if read, err := readProvenance("f", []byte(tt.text)); read != nil || !errors.Is(err, tt.want) {
			t.Errorf("%.200s: %v, %v; want %v", tt.text, read, err, tt.want)
		}
	}
}
