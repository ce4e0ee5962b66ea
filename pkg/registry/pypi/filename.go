package pypi

import (
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/version"
)

// versionOf reads the version that a file is of. Where the index lists versions it is spelled as
// there. A file of another project, or of none that can be read, is not ok.
func versionOf(project, file string, listed []string) (v string, ok bool) {
	if v, ok = versionIn(project, file); !ok {
		return "", false
	}
	for _, l := range listed {
		if l == v {
			return l, true
		}
	}
	canonical, err := version.Canonical(ecosystem.PyPI, v)
	if err != nil {
		return v, true
	}
	i := slices.IndexFunc(listed, func(l string) bool {
		c, err := version.Canonical(ecosystem.PyPI, l)
		return err == nil && c == canonical
	})
	if i >= 0 {
		return listed[i], true
	}
	return v, true
}

// sdists are the endings of files whose name is project, hyphen and version.
var sdists = []string{".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar.xz", ".tar.Z", ".tar"}

func versionIn(project, file string) (string, bool) {
	if stem, ok := strings.CutSuffix(file, ".whl"); ok {
		// The binary distribution format: name-version(-build)-python-abi-platform.whl, where
		// each part has "_" for "-".
		parts := strings.Split(stem, "-")
		if len(parts) != 5 && len(parts) != 6 || !isProject(parts[0], project) {
			return "", false
		}
		v := strings.ReplaceAll(parts[1], "_", "-")
		return v, version.Check(ecosystem.PyPI, v) == nil
	}
	for _, ending := range sdists {
		if stem, ok := strings.CutSuffix(file, ending); ok {
			return afterProject(project, stem, false)
		}
	}
	for _, ending := range []string{".egg", ".exe", ".msi", ".rpm", ".deb", ".dmg"} {
		if stem, ok := strings.CutSuffix(file, ending); ok {
			return afterProject(project, stem, true)
		}
	}
	return "", false
}

// afterProject finds the hyphen behind the project's name, which may have hyphens itself. In old
// binary files more follows behind the version.
func afterProject(project, stem string, more bool) (string, bool) {
	for i := range len(stem) {
		if stem[i] != '-' || !isProject(stem[:i], project) {
			continue
		}
		v := stem[i+1:]
		if version.Check(ecosystem.PyPI, v) == nil {
			return v, true
		}
		for cut := len(v) - 1; more && cut > 0; cut-- {
			if (v[cut] == '-' || v[cut] == '.' || v[cut] == '_') && version.Check(ecosystem.PyPI, v[:cut]) == nil {
				return v[:cut], true
			}
		}
	}
	return "", false
}

func isProject(name, project string) bool {
	return ecosystem.PyPI.CanonicalName(name) == project
}
