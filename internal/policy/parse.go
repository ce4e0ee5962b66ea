package policy

import (
	"errors"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/wormsweep/wormsweep/internal/strictyaml"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// formVersion is the version of the file's form that this package reads and writes.
const formVersion = 1

// maxErrors is how many faults one Parse tells.
const maxErrors = 50

// The keys of each mapping, in the order in which they are written.
var (
	fileKeys     = []string{"version", "organisation", "registries", "artifacts"}
	registryKeys = []string{"name", "protocol", "address", "role", "token-env", "private"}
	artifactKeys = []string{
		"artifact", "registry", "source", "tag", "identities", "keys", "signed-from", "unsigned", "attestations",
		"maintainers", "token-until", "tokens-allowed", "branch", "release", "run", "scripts", "versions",
	}
	identityKeys = []string{
		"issuer", "san", "repository-id", "owner-id", "workflow", "signer", "ref", "triggers", "runner", "visibility", "from", "until",
	}
	keyKeys = []string{"file", "pem"}
)

// errNoFiles is the fault of a key in a file, where none are read.
var errNoFiles = errors.New("no files are read beside this policy")

// Parse reads a policy file. name is what errors call it. The error joins an *Error for each
// fault, in the order of the file; no part of a file with a fault is used. A key in a file is
// a fault: see ParseWithKeys.
func Parse(name string, b []byte) (*Policy, error) {
	return ParseWithKeys(name, b, func(string) ([]byte, error) { return nil, errNoFiles })
}

// ParseWithKeys is Parse, with a function that reads the files of keys. Their paths have
// slashes, are relative, and lead to no folder above.
func ParseWithKeys(name string, b []byte, keyFile func(path string) ([]byte, error)) (*Policy, error) {
	file, root := strictyaml.Open(name, b, MaxBytes)
	r := reader{File: file, policy: &Policy{}, keyFile: keyFile, seen: map[string]bool{}}
	if root != nil {
		r.file(root)
	}
	if err := r.Err(maxErrors); err != nil {
		return nil, err
	}
	return r.policy, nil
}

type reader struct {
	*strictyaml.File
	policy  *Policy
	keyFile func(path string) ([]byte, error)
	seen    map[string]bool // registries by name, artifacts by ID
}

// loginForm is the name of an organisation or user of GitHub.
var loginForm = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9_])?$`)

func (r *reader) file(root *yaml.Node) {
	f, ok := r.fields(root, "the policy", fileKeys)
	if !ok {
		return
	}
	if n := f.keys["version"]; n == nil {
		f.fault("", "no version: write \"version: %d\"", formVersion)
	} else if v, ok := r.Text(n, "version"); ok && (v != "1" || n.Tag != "!!int") {
		f.fault("version", "version %q is not %d, which this program reads", v, formVersion)
	}
	r.policy.Version = formVersion
	r.policy.Organisation = f.text("organisation")
	if o := r.policy.Organisation; o != "" && !loginForm.MatchString(o) {
		f.fault("organisation", "organisation %q is no name of one on GitHub", o)
	}
	if f.has("registries") {
		for _, n := range f.list("registries") {
			r.registry(n)
		}
	}
	if !f.has("artifacts") {
		f.fault("", "no artifacts: nothing would be looked at")
	}
	for _, n := range f.list("artifacts") {
		r.artifact(n)
	}
}

// protocols are those of registries, and the kinds of artifacts that each serves.
var protocols = []struct {
	name  string
	kinds []registry.Kind
}{
	{"npm", []registry.Kind{registry.NPM}},
	{"pypi", []registry.Kind{registry.PyPI}},
	{"goproxy", []registry.Kind{registry.Go}},
	{"oci", []registry.Kind{registry.OCI}},
	{"harbor", []registry.Kind{registry.OCI}},
	{"ghpackages", []registry.Kind{registry.NPM, registry.OCI}},
	{"ghreleases", []registry.Kind{registry.Release}},
}

// serves reports whether a protocol, if there is one of that name, serves a kind.
func serves(protocol string, kind registry.Kind) (known, serves bool) {
	for _, p := range protocols {
		if p.name == protocol {
			return true, slices.Contains(p.kinds, kind)
		}
	}
	return false, false
}

var (
	// registryName is what artifacts call a registry.
	registryName = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9.-]{0,62}[a-z0-9])?$`)
	// environmentName is upper case alone, so that no token written in its place passes.
	environmentName = regexp.MustCompile(`^[A-Z_][A-Z0-9_]{0,63}$`)
)

func (r *reader) registry(n *yaml.Node) {
	f, ok := r.fields(n, "a registry", registryKeys)
	if !ok {
		return
	}
	g := Registry{
		Name:     f.needed("name", "what artifacts call it"),
		Protocol: f.needed("protocol", "npm, pypi, goproxy, oci, harbor, ghpackages or ghreleases"),
		Address:  strings.TrimSuffix(f.needed("address", "where it is asked, as https://registry.example"), "/"),
		TokenEnv: f.text("token-env"),
		Private:  f.yes("private"),
	}
	switch {
	case g.Name == "":
	case !registryName.MatchString(g.Name):
		f.fault("name", "name %q of a registry is not of lower-case letters, digits, \".\" and \"-\"", g.Name)
	case r.seen["registry "+g.Name]:
		f.fault("name", "two registries are called %q", g.Name)
	}
	r.seen["registry "+g.Name] = true
	if known, _ := serves(g.Protocol, ""); g.Protocol != "" && !known {
		f.fault("protocol", "protocol %q is none of npm, pypi, goproxy, oci, harbor, ghpackages, ghreleases", g.Protocol)
	}
	if g.Address != "" {
		if why := AddressFault(g.Address, g.Private); why != "" {
			f.fault("address", "address %q %s", g.Address, why)
		}
	}
	switch role := f.text("role"); role {
	case "", "origin":
	case string(registry.Mirror):
		g.Role = registry.Mirror
	default:
		f.fault("role", "role %q is neither origin nor mirror", role)
	}
	if g.TokenEnv != "" && !environmentName.MatchString(g.TokenEnv) {
		f.fault("token-env", "token-env is no name of an environment variable in upper case; a token itself never stands here")
	}
	r.policy.Registries = append(r.policy.Registries, g)
}

// AddressFault says what is wrong with the address of a registry, "" for nothing. A name is
// looked at again when it is connected to.
func AddressFault(address string, private bool) string {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return "does not read as a URL"
	case u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.Opaque != "":
		return "is no https:// address"
	case u.User != nil:
		return "holds a user or a password: name the environment variable of a token"
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(address, "#"):
		return "holds a query or a fragment"
	case checkMarks(address) != "":
		return "holds braces: nothing stands for anything here"
	}
	ip, err := netip.ParseAddr(u.Hostname())
	isIP := err == nil
	loopback := isIP && ip.Unmap().IsLoopback() || u.Hostname() == "localhost"
	switch {
	case u.Scheme == "http" && !loopback:
		return "is http, which is for loopback alone: write https"
	case isIP && !loopback && !private && (!ip.IsGlobalUnicast() || ip.IsPrivate()):
		return "is not a public one: write \"private: true\" if it is meant"
	}
	return ""
}
