package pypi

import (
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/internal/tomlscan"
)

// ParsePyproject reads what a pyproject.toml asks for, to run, to develop and to build:
//
//   - [project] dependencies and optional-dependencies (PEP 621)
//   - [dependency-groups] (PEP 735) and [build-system] requires (PEP 518)
//   - [tool.poetry]: dependencies, dev-dependencies, those of groups, and plugins
//   - [tool.pdm]: dev-dependencies, overrides and plugins
//   - [tool.uv]: dev-dependencies, constraints, overrides and sources
//
// Its entries are of kind Manifest, and direct. poetry's own operators are written as
// specifiers of PEP 440 in Package.Range.
func ParsePyproject(data []byte, opt lockfile.Options) lockfile.File {
	m := newManifest(data, opt, pyprojectSchema)
	for m.toml.Next() {
		switch node := m.toml.Node; {
		case node >= pyprojectFields:
			m.field(fieldKind(node - pyprojectFields))
		case node == pyprojectRequirement:
			m.require(0)
		case node == pyprojectDevRequirement:
			if m.toml.Kind != tomlscan.Item { // {include-group = "other"}
				m.require(lockfile.Dev)
			}
		case node == pyprojectExtraRequirement:
			m.require(lockfile.Optional)
		case (node == poetryEntry || node == poetryDevEntry) && m.toml.Key == "python":
			m.end() // of the interpreter
		case node == poetryEntry:
			m.entry(0)
		case node == poetryDevEntry:
			m.entry(lockfile.Dev)
		case node == uvSourceEntry:
			m.entry(0)
			m.asked.source = true
		default:
			m.end() // another table begins
		}
	}
	m.end()
	return m.finish()
}

// PyprojectSample is a pyproject.toml that asks for one package.
func PyprojectSample(name, version string) string {
	return "[project]\nname = \"sample\"\nversion = \"1.0\"\ndependencies = [\n    \"" + name + "==" + version + "\",\n]\n"
}

// The places of a pyproject.toml.
const (
	pyprojectProject tomlscan.Node = tomlscan.Root + 1 + iota
	pyprojectRequirement
	pyprojectExtras
	pyprojectExtraRequirement
	pyprojectGroups
	pyprojectDevRequirement
	pyprojectBuild
	pyprojectTool
	poetryTool
	poetryEntries
	poetryEntry
	poetryDevEntries
	poetryDevEntry
	poetryGroupTables
	poetryGroupTable
	pdmTool
	pdmResolution
	uvToolTable
	uvSourceTable
	uvSourceEntry
	pyprojectFields // and the kind of field
)

// pyprojectTables are the tables with keys of their own, by place.
var pyprojectTables = map[tomlscan.Node]map[string]tomlscan.Node{
	tomlscan.Root: {
		"project": pyprojectProject, "dependency-groups": pyprojectGroups, "build-system": pyprojectBuild, "tool": pyprojectTool,
	},
	pyprojectProject: {"dependencies": pyprojectRequirement, "optional-dependencies": pyprojectExtras},
	pyprojectBuild:   {"requires": pyprojectRequirement},
	pyprojectTool:    {"poetry": poetryTool, "pdm": pdmTool, "uv": uvToolTable},
	poetryTool: {
		"dependencies": poetryEntries, "dev-dependencies": poetryDevEntries, "group": poetryGroupTables, "requires-plugins": poetryDevEntries,
	},
	poetryGroupTable: {"dependencies": poetryDevEntries},
	pdmTool:          {"dev-dependencies": pyprojectGroups, "plugins": pyprojectDevRequirement, "resolution": pdmResolution},
	pdmResolution:    {"overrides": poetryEntries},
	uvToolTable: {
		"dev-dependencies": pyprojectDevRequirement, "constraint-dependencies": pyprojectRequirement,
		"override-dependencies": pyprojectRequirement, "build-constraint-dependencies": pyprojectRequirement,
		"sources": uvSourceTable,
	},
}

// pyprojectLists are the tables whose keys are names that the project gives, and where what
// stands under them belongs.
var pyprojectLists = map[tomlscan.Node]tomlscan.Node{
	pyprojectExtras: pyprojectExtraRequirement, pyprojectGroups: pyprojectDevRequirement,
	poetryEntries: poetryEntry, poetryDevEntries: poetryDevEntry, poetryGroupTables: poetryGroupTable,
	uvSourceTable: uvSourceEntry,
}

func pyprojectSchema(parent tomlscan.Node, key string) tomlscan.Node {
	if parent == poetryEntry || parent == poetryDevEntry || parent == uvSourceEntry {
		if f := fieldOf(key); f != noField {
			return pyprojectFields + tomlscan.Node(f)
		}
		return tomlscan.Ignored
	}
	if node, ok := pyprojectLists[parent]; ok {
		return node
	}
	return pyprojectTables[parent][key]
}
