package pypi

import (
	"strings"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/internal/tomlscan"
)

// ParseUVLock reads a uv.lock of version 1, or the lock of a script (NAME.py.lock). See
// https://github.com/astral-sh/uv, crates/uv-resolver/src/lock.
//
// The members of the workspace are of kind Workspace, and what they ask for is direct. uv
// checks that wheels are of an entry's version, and leaves their names unchecked.
func ParseUVLock(data []byte, opt lockfile.Options) lockfile.File {
	l := &uvLock{lock: newLock(data, opt, "[[package]]", uvSchema), members: map[string]bool{}}
	l.needSource = true
	for l.toml.Next() {
		l.read()
	}
	l.end()
	l.workspace()
	switch l.lockVersion {
	case "1":
	case "":
		l.AddProblem(0, lockfile.CodeHeader, "no version of the format")
	default:
		l.AddProblem(0, lockfile.CodeUnsupported, "version %.100q", l.lockVersion)
	}
	return l.finish()
}

// UVLockSample is a uv.lock that locks one package.
func UVLockSample(name, version string) string {
	return "version = 1\nrevision = 3\nrequires-python = \">=3.12\"\n\n" +
		"[[package]]\nname = \"" + name + "\"\nversion = \"" + version + "\"\nsource = { registry = \"https://pypi.example/simple\" }\n" +
		"wheels = [\n    { url = \"https://pypi.example/packages/" + wheelOf(name, version) + "\", hash = \"sha256:" + strings.Repeat("0", 64) + "\", size = 1 },\n]\n"
}

// The places of a uv.lock.
const (
	uvVersion tomlscan.Node = tomlscan.Root + 1 + iota
	uvPackage
	uvPackageName
	uvPackageVersion
	uvSource
	uvSourceRegistry
	uvSourceGit
	uvSourceURL
	uvSourcePath
	uvSourceDirectory
	uvSourceEditable
	uvSourceVirtual
	uvSourceOther
	uvFile
	uvFileName // its name, path or address
	uvFileHash
	uvDependency
	uvDependencyName
	uvDependencyVersion
	uvGroups // tables of lists of dependencies
	uvDevGroups
	uvDevDependency
	uvDevDependencyName
	uvDevDependencyVersion
	uvManifest
	uvMember
	uvRequirement
	uvRequirementName
	uvRequirementGroups
)

func uvSchema(parent tomlscan.Node, key string) tomlscan.Node {
	switch parent {
	case tomlscan.Root:
		switch key {
		case "version":
			return uvVersion
		case "package", "distribution": // the first releases called it that, and it is still read
			return uvPackage
		case "manifest":
			return uvManifest
		}
	case uvPackage:
		switch key {
		case "name":
			return uvPackageName
		case "version":
			return uvPackageVersion
		case "source":
			return uvSource
		case "sdist", "wheels":
			return uvFile
		case "dependencies":
			return uvDependency
		case "optional-dependencies":
			return uvGroups
		case "dev-dependencies", "dependency-groups":
			return uvDevGroups
		}
	case uvSource:
		switch key {
		case "registry":
			return uvSourceRegistry
		case "git":
			return uvSourceGit
		case "url":
			return uvSourceURL
		case "path":
			return uvSourcePath
		case "directory":
			return uvSourceDirectory
		case "editable":
			return uvSourceEditable
		case "virtual":
			return uvSourceVirtual
		case "subdirectory":
			return tomlscan.Ignored
		}
		return uvSourceOther
	case uvFile:
		switch key {
		case "url", "path", "filename":
			return uvFileName
		case "hash":
			return uvFileHash
		}
	case uvGroups:
		return uvDependency
	case uvDevGroups:
		return uvDevDependency
	case uvDependency, uvDevDependency, uvRequirement:
		switch key {
		case "name":
			return parent + 1
		case "version":
			if parent != uvRequirement {
				return parent + 2
			}
		}
	case uvManifest:
		switch key {
		case "members":
			return uvMember
		case "requirements":
			return uvRequirement
		case "dependency-groups":
			return uvRequirementGroups
		}
	case uvRequirementGroups:
		return uvRequirement
	}
	return tomlscan.Ignored
}

type uvLock struct {
	*lock
	lockVersion string
	members     map[string]bool // of the workspace, in normal form
}

func (l *uvLock) read() {
	t := l.toml
	e := &l.entry
	switch t.Node {
	case uvVersion:
		l.lockVersion = t.Text
	case uvPackage:
		l.at()
	case uvPackageName:
		l.set(&e.name)
	case uvPackageVersion:
		l.set(&e.version)
	case uvSourceRegistry:
		l.setSource(lockfile.Registry)
	case uvSourceGit:
		l.setSource(lockfile.Git)
		_, commit, _ := strings.Cut(t.Text, "#")
		e.source.Commit = commitID(commit)
	case uvSourceURL:
		l.setSource(lockfile.URL)
	case uvSourcePath, uvSourceDirectory:
		l.setSource(lockfile.Path)
	case uvSourceEditable, uvSourceVirtual:
		l.setSource(lockfile.Workspace)
	case uvSourceOther:
		l.AddProblem(t.Line, lockfile.CodeEntry, "a source of kind %.100q", t.Key)
	case uvFileName:
		l.file()
	case uvFileHash:
		l.hash()
	case uvDependency, uvDevDependency:
		if t.Kind == tomlscan.Item {
			l.edges.wishes = append(l.edges.wishes, wish{from: int32(len(l.Packages)), dev: t.Node == uvDevDependency})
		}
	case uvDependencyName, uvDevDependencyName:
		if n := len(l.edges.wishes); n > e.wishes {
			l.edges.wishes[n-1].name = t.Text
		}
	case uvDependencyVersion, uvDevDependencyVersion:
		if n := len(l.edges.wishes); n > e.wishes {
			l.edges.wishes[n-1].version = t.Text
		}
	case uvMember:
		if name, ok := t.Text, t.Kind == tomlscan.String; ok {
			l.members[ecosystem.PyPI.CanonicalName(name)] = true
		}
	case uvRequirementName:
		l.edges.direct = append(l.edges.direct, wish{name: t.Text})
	}
}

// workspace tells the members of the workspace from other folders that it uses, and makes
// what they ask for direct. A project alone is no list of members, and lies at ".".
func (l *uvLock) workspace() {
	roots := map[int32]bool{}
	for i := range l.Packages {
		p := &l.Packages[i]
		switch {
		case p.Source.Kind != lockfile.Workspace:
		case l.members[p.Name] || len(l.members) == 0 && p.Source.URL == ".":
			roots[int32(i)] = true
		default:
			p.Source.Kind = lockfile.Path
		}
	}
	for _, w := range l.edges.wishes {
		if roots[w.from] {
			l.edges.direct = append(l.edges.direct, w)
		}
	}
}
