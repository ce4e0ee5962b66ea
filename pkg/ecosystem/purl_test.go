package ecosystem_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/package-url/packageurl-go"

	"github.com/wormsweep/wormsweep/internal/xtest"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
)

func TestPURL(t *testing.T) {
	for _, tt := range []struct {
		e                   ecosystem.Ecosystem
		name, version, want string
	}{
		{ecosystem.NPM, "lodash", "4.17.21", "pkg:npm/lodash@4.17.21"},
		{ecosystem.NPM, "@scope/name", "1.2.3", "pkg:npm/%40scope/name@1.2.3"},
		{ecosystem.NPM, "JSONStream", "", "pkg:npm/JSONStream"},
		{ecosystem.NPM, "a", "1.0.0+b", "pkg:npm/a@1.0.0%2Bb"},
		{ecosystem.NPM, "a/b", "1", "pkg:npm/a%2Fb@1"}, // no scope, so no namespace
		{ecosystem.NPM, "<script>", "1@2#3?4", "pkg:npm/%3Cscript%3E@1%402%233%3F4"},
		{ecosystem.PyPI, "Zope.Interface", "5.0", "pkg:pypi/zope-interface@5.0"},
		{ecosystem.PyPI, "torch", "2.0+cpu", "pkg:pypi/torch@2.0%2Bcpu"},
		{ecosystem.Go, "github.com/BurntSushi/toml", "v1.2.3", "pkg:golang/github.com/burntsushi/toml@v1.2.3"},
		{ecosystem.Go, "k8s.io/api", "v2.0.0+incompatible", "pkg:golang/k8s.io/api@v2.0.0%2Bincompatible"},
		{ecosystem.Go, "example", "", "pkg:golang/example"},
		{ecosystem.Actions, "Actions/Checkout", "v4", "pkg:github/actions/checkout@v4"},
		{ecosystem.Actions, "github/codeql-action/Init", "main", "pkg:github/github/codeql-action@main#Init"},
		{"crates.io", "serde", "1.0.0", ""},
	} {
		if got := tt.e.PURL(tt.name, tt.version); got != tt.want {
			t.Errorf("%s: PURL(%q, %q) = %q, want %q", tt.e, tt.name, tt.version, got, tt.want)
		}
	}
}

func TestParsePURL(t *testing.T) {
	for _, tt := range []struct {
		in            string
		e             ecosystem.Ecosystem
		name, version string
		err           error
	}{
		{"pkg:npm/%40scope/name@1.2.3?vcs_url=x#sub", ecosystem.NPM, "@scope/name", "1.2.3", nil},
		{"PKG://NPM/lodash", ecosystem.NPM, "lodash", "", nil},
		{"pkg:pypi/Zope.Interface@5.0%2Bcpu", ecosystem.PyPI, "zope-interface", "5.0+cpu", nil},
		{"pkg:golang/github.com/BurntSushi/toml@v1.2.3", ecosystem.Go, "github.com/burntsushi/toml", "v1.2.3", nil},
		{"pkg:github/github/codeql-action@main#Init", ecosystem.Actions, "github/codeql-action/Init", "main", nil},
		{"pkg:cargo/serde@1.0.0", "", "", "", ecosystem.ErrUnknown},
		{"lodash@1.2.3", "", "", "", ecosystem.ErrPURL},
		{"pkg:npm/", "", "", "", ecosystem.ErrPURL},
		{"pkg:npm/a%zz", "", "", "", ecosystem.ErrPURL},
		{"", "", "", "", ecosystem.ErrPURL},
	} {
		e, name, version, err := ecosystem.ParsePURL(tt.in)
		if e != tt.e || name != tt.name || version != tt.version || !errors.Is(err, tt.err) {
			t.Errorf("ParsePURL(%q) = %q, %q, %q, %v; want %q, %q, %q, %v",
				tt.in, e, name, version, err, tt.e, tt.name, tt.version, tt.err)
		}
	}
}

// purlCase is a case of purl-spec: parse reads a text into fields, build writes fields as a
// text, validate reads a text and writes it in canonical form.
type purlCase struct {
	Description string
	Type        string          `json:"test_type"`
	Input       json.RawMessage // a text, or purlFields to build from
	Expected    json.RawMessage `json:"expected_output"`
	Failure     bool            `json:"expected_failure"`
}

type purlFields struct {
	Type, Namespace, Name, Version, Subpath string
	Qualifiers                              map[string]string
}

// name is the name as an ecosystem writes it.
func (f purlFields) name() string {
	parts := []string{f.Namespace, f.Name}
	if f.Namespace == "" {
		parts = parts[1:]
	}
	if f.Type == "github" && f.Subpath != "" {
		parts = append(parts, f.Subpath)
	}
	return strings.Join(parts, "/")
}

// plain takes the qualifiers off a canonical purl, and off those that are no action's the
// subpath: what PURL never writes.
func plain(purl string) string {
	purl, subpath, ok := strings.Cut(purl, "#")
	purl, _, _ = strings.Cut(purl, "?")
	if ok && strings.HasPrefix(purl, "pkg:github/") {
		purl += "#" + subpath
	}
	return purl
}

// The rows go through PURL and ParsePURL, and, since those leave qualifiers out, through
// the library too.
func TestPURLConformance(t *testing.T) {
	dir := xtest.Data(t, "conformance/purl")
	for _, kind := range []string{"npm", "pypi", "golang", "github", "specification"} {
		data, err := os.ReadFile(filepath.Join(dir, kind+"-test.json"))
		if err != nil {
			t.Fatal(err)
		}
		var file struct{ Cases []purlCase }
		if err := json.Unmarshal(data, &file); err != nil || len(file.Cases) == 0 {
			t.Fatalf("%s: %d cases: %v", kind, len(file.Cases), err)
		}
		for _, c := range file.Cases {
			t.Run(kind+"/"+c.Type+"/"+c.Description, func(t *testing.T) { c.run(t) })
		}
	}
}

func (c purlCase) run(t *testing.T) {
	decode := func(data json.RawMessage, into any) {
		t.Helper()
		if err := json.Unmarshal(data, into); err != nil {
			t.Fatalf("%s: %v", data, err)
		}
	}
	if c.Type == "build" {
		var in purlFields
		decode(c.Input, &in)
		c.build(t, in)
		return
	}
	var in string
	decode(c.Input, &in)
	e, name, version, err := ecosystem.ParsePURL(in)
	if c.Failure {
		if err == nil {
			t.Errorf("ParsePURL(%q) = %q, %q, %q, want an error", in, e, name, version)
		}
		return
	}
	if errors.Is(err, ecosystem.ErrUnknown) {
		err = nil // a row about another ecosystem
	} else if c.Type == "validate" {
		var want string
		decode(c.Expected, &want)
		if got := e.PURL(name, version); got != plain(want) {
			t.Errorf("%q, read and written, is %q; want %q", in, got, plain(want))
		}
	} else {
		var want purlFields
		decode(c.Expected, &want)
		if e.PURLType() != want.Type || name != want.name() || version != want.Version {
			t.Errorf("ParsePURL(%q) = %q, %q, %q; want %+v", in, e, name, version, want)
		}
	}
	if err != nil {
		t.Errorf("ParsePURL(%q): %v", in, err)
	}
	if c.Type == "validate" {
		var want string
		decode(c.Expected, &want)
		if p, err := packageurl.FromString(in); p.String() != want || err != nil {
			t.Errorf("packageurl reads %q as %q, %v; want %q", in, p, err, want)
		}
	}
}

func (c purlCase) build(t *testing.T, in purlFields) {
	p := packageurl.NewPackageURL(in.Type, in.Namespace, in.Name, in.Version, packageurl.QualifiersFromMap(in.Qualifiers), in.Subpath)
	err := p.Normalize()
	if c.Failure {
		if err == nil {
			t.Errorf("packageurl builds %q of %+v, want an error", p, in)
		}
		return
	}
	var want string
	if err := json.Unmarshal(c.Expected, &want); err != nil {
		t.Fatal(err)
	}
	if p.String() != want || err != nil {
		t.Errorf("packageurl builds %q of %+v, %v; want %q", p, in, err, want)
	}
	e, err := ecosystem.Parse(in.Type)
	if err != nil {
		return // a row about another ecosystem
	}
	if got := e.PURL(in.name(), in.Version); got != plain(want) {
		t.Errorf("PURL(%q, %q) = %q, want %q", in.name(), in.Version, got, plain(want))
	}
}

// FuzzPURL checks that what PURL writes is canonical, and that ParsePURL reads it back.
func FuzzPURL(f *testing.F) {
	f.Add("@scope/name", "1.2.3")
	f.Add("github.com/BurntSushi/toml", "v2.0.0+incompatible")
	f.Add("Owner/repo/./path", "a/b@c")
	f.Add("%40x?y#z", "\x00\xff")
	f.Fuzz(func(t *testing.T, name, version string) {
		for _, e := range ecosystem.All {
			purl := e.PURL(name, version)
			if strings.ContainsAny(purl, "<>\"'`\x00\n ") {
				t.Errorf("%s: PURL(%q, %q) = %q is not inert", e, name, version, purl)
			}
			if e.CheckName(name) != nil || strings.TrimSpace(version) == "" {
				continue
			}
			gotE, gotName, gotVersion, err := ecosystem.ParsePURL(purl)
			if err != nil || gotE != e || gotVersion != version || gotE.PURL(gotName, gotVersion) != purl {
				t.Errorf("%s: PURL(%q, %q) = %q, which reads as %q, %q, %q, %v", e, name, version, purl, gotE, gotName, gotVersion, err)
			}
		}
	})
}
