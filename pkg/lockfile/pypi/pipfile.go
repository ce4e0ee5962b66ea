package pypi

import (
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/internal/tomlscan"
)

// ParsePipfile reads the manifest of pipenv: [packages], [dev-packages] and categories of
// the project's own (https://pipenv.pypa.io/en/latest/pipfile.html). Its entries are of
// kind Manifest, and direct.
func ParsePipfile(data []byte, opt lockfile.Options) lockfile.File {
	m := newManifest(data, opt, pipfileSchema)
	for m.toml.Next() {
		switch node := m.toml.Node; {
		case node == pipfilePackage || node == pipfileDevPackage:
			scope := lockfile.Scope(0)
			if node == pipfileDevPackage {
				scope = lockfile.Dev
			}
			m.entry(scope)
		case node >= pipfileFields:
			m.field(fieldKind(node - pipfileFields))
		default:
			m.end() // another table begins
		}
	}
	m.end()
	return m.finish()
}

// PipfileSample is a Pipfile that asks for one package.
func PipfileSample(name, version string) string {
	return "[packages]\n" + name + " = \"==" + version + "\"\n\n[requires]\npython_version = \"3.12\"\n"
}

// The places of a Pipfile.
const (
	pipfileCategory tomlscan.Node = tomlscan.Root + 1 + iota
	pipfileDevCategory
	pipfilePackage
	pipfileDevPackage
	pipfileFields // and the kind of field
)

func pipfileSchema(parent tomlscan.Node, key string) tomlscan.Node {
	switch parent {
	case tomlscan.Root:
		switch key {
		case "source", "requires", "scripts", "pipenv", "pipfile":
			return tomlscan.Ignored
		case "dev-packages":
			return pipfileDevCategory
		}
		return pipfileCategory
	case pipfileCategory:
		return pipfilePackage
	case pipfileDevCategory:
		return pipfileDevPackage
	case pipfilePackage, pipfileDevPackage:
		if f := fieldOf(key); f != noField {
			return pipfileFields + tomlscan.Node(f)
		}
	}
	return tomlscan.Ignored
}
