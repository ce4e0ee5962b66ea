package published

import (
	"path"
	"strings"

	"github.com/package-url/packageurl-go"

	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// PURL names an artifact, or with a version one of its versions, as the package-url
// specification does: types npm, pypi, golang, oci (with repository_url), and github for
// releases.
func PURL(a *policy.Artifact, version string) string {
	p := packageurl.PackageURL{Version: version}
	switch a.Kind {
	case registry.NPM:
		p.Type = packageurl.TypeNPM
	case registry.PyPI:
		p.Type = packageurl.TypePyPi
	case registry.Go:
		p.Type = packageurl.TypeGolang
	case registry.OCI:
		p.Type = packageurl.TypeOCI
		p.Name = strings.ToLower(path.Base(a.Name))
		p.Qualifiers = packageurl.Qualifiers{{Key: "repository_url", Value: a.Name}}
		return p.ToString()
	case registry.Release:
		p.Type = packageurl.TypeGithub
	}
	if i := strings.LastIndexByte(a.Name, '/'); i >= 0 {
		p.Namespace, p.Name = a.Name[:i], a.Name[i+1:]
	} else {
		p.Name = a.Name
	}
	return p.ToString()
}
