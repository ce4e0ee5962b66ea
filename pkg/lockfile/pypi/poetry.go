package pypi

import (
	"strings"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/internal/tomlscan"
)

// ParsePoetryLock reads a poetry.lock of lock-version 1 or 2, with the files of each release
// in its entry, in [metadata.files] or, in the oldest, as [metadata.hashes]. See
// https://github.com/python-poetry/poetry, src/poetry/packages/locker.py.
//
// Groups other than "main" are scope Dev.
func ParsePoetryLock(data []byte, opt lockfile.Options) lockfile.File {
	l := &poetryLock{lock: newLock(data, opt, "[[package]]", poetrySchema)}
	for l.toml.Next() {
		l.read()
	}
	l.checkHeader()
	return l.finish()
}

// PoetryLockSample is a poetry.lock that locks one package.
func PoetryLockSample(name, version string) string {
	return "[[package]]\nname = \"" + name + "\"\nversion = \"" + version + "\"\ndescription = \"\"\noptional = false\n" +
		"python-versions = \"*\"\ngroups = [\"main\"]\nfiles = [\n" +
		"    {file = \"" + wheelOf(name, version) + "\", hash = \"sha256:" + strings.Repeat("0", 64) + "\"},\n]\n\n" +
		"[metadata]\nlock-version = \"2.1\"\npython-versions = \"*\"\ncontent-hash = \"" + strings.Repeat("0", 64) + "\"\n"
}

// The places of a poetry.lock.
const (
	poetryPackage tomlscan.Node = tomlscan.Root + 1 + iota
	poetryName
	poetryVersion
	poetryCategory
	poetryGroups
	poetryOptional
	poetryFiles
	poetryFileName
	poetryFileHash
	poetrySource
	poetrySourceType
	poetrySourceURL
	poetrySourceReference
	poetrySourceResolved
	poetryDependencies
	poetryDependency
	poetryMetadata
	poetryLockVersion
	poetryMetadataFiles
	poetryMetadataFilesOf
	poetryMetadataFileName
	poetryMetadataFileHash
	poetryMetadataHashes
	poetryMetadataHashesOf
)

func poetrySchema(parent tomlscan.Node, key string) tomlscan.Node {
	switch parent {
	case tomlscan.Root:
		switch key {
		case "package":
			return poetryPackage
		case "metadata":
			return poetryMetadata
		}
	case poetryPackage:
		switch key {
		case "name":
			return poetryName
		case "version":
			return poetryVersion
		case "category":
			return poetryCategory
		case "groups":
			return poetryGroups
		case "optional":
			return poetryOptional
		case "files":
			return poetryFiles
		case "source":
			return poetrySource
		case "dependencies":
			return poetryDependencies
		}
	case poetryFiles:
		switch key {
		case "file":
			return poetryFileName
		case "hash":
			return poetryFileHash
		}
	case poetrySource:
		switch key {
		case "type":
			return poetrySourceType
		case "url":
			return poetrySourceURL
		case "reference":
			return poetrySourceReference
		case "resolved_reference":
			return poetrySourceResolved
		}
	case poetryDependencies:
		return poetryDependency
	case poetryMetadata:
		switch key {
		case "lock-version":
			return poetryLockVersion
		case "files":
			return poetryMetadataFiles
		case "hashes":
			return poetryMetadataHashes
		}
	case poetryMetadataFiles:
		return poetryMetadataFilesOf
	case poetryMetadataFilesOf:
		switch key {
		case "file":
			return poetryMetadataFileName
		case "hash":
			return poetryMetadataFileHash
		}
	case poetryMetadataHashes:
		return poetryMetadataHashesOf
	}
	return tomlscan.Ignored
}

type poetryLock struct {
	*lock
	from poetryFrom // of the entry being read
	main bool       // one of its groups is "main"

	metadata    bool
	lockVersion string
}

// poetryFrom is the table "source" of an entry.
type poetryFrom struct{ kind, url, reference, resolved string }

func (l *poetryLock) read() {
	t := l.toml
	e := &l.entry
	switch t.Node {
	case poetryPackage:
		if l.at() {
			l.from, l.main = poetryFrom{}, false
		}
	case poetryName:
		l.set(&e.name)
	case poetryVersion:
		l.set(&e.version)
	case poetryCategory:
		if category, ok := l.text(); ok && category == "dev" {
			e.scope |= lockfile.Dev
		}
	case poetryGroups:
		l.group()
	case poetryOptional:
		if t.Kind == tomlscan.Bool && t.Text == "true" {
			e.scope |= lockfile.Optional
		}
	case poetryFileName:
		l.file()
	case poetryFileHash:
		l.hash()
	case poetrySource:
		if t.Kind != tomlscan.Table {
			l.wrongKind("a table")
		}
	case poetrySourceType:
		l.source(&l.from.kind)
	case poetrySourceURL:
		l.source(&l.from.url)
	case poetrySourceReference:
		l.source(&l.from.reference)
	case poetrySourceResolved:
		l.source(&l.from.resolved)
	case poetryDependency:
		if l.opt.Edges && e.open && t.Kind != tomlscan.Item {
			l.edges.wishes = append(l.edges.wishes, wish{from: int32(len(l.Packages)), name: t.Key})
		}
	case poetryMetadata:
		l.metadata = true
	case poetryLockVersion:
		l.lockVersion, _ = l.text()
	case poetryMetadataFilesOf:
		l.releaseFile()
	case poetryMetadataFileName:
		l.releaseFileName()
	case poetryMetadataFileHash:
		l.releaseFileHash()
	case poetryMetadataHashesOf:
		l.releaseHash()
	}
}

// group takes what an event tells of an entry's groups.
func (l *poetryLock) group() {
	if l.toml.Kind == tomlscan.Array {
		l.main = false
		return
	}
	if group, ok := l.text(); ok {
		l.main = l.main || group == "main"
		l.entry.scope |= lockfile.Dev
		if l.main {
			l.entry.scope &^= lockfile.Dev
		}
	}
}

// source takes the string that an event tells for a field of an entry's source. A type that
// poetry does not know leaves the entry to a registry.
func (l *poetryLock) source(field *string) {
	var ok bool
	if *field, ok = l.text(); !ok {
		return
	}
	s := &l.entry.source
	s.URL = l.from.url
	switch l.from.kind {
	case "git":
		s.Kind, s.Commit = lockfile.Git, firstOf(commitID(l.from.resolved), commitID(l.from.reference))
	case "url":
		s.Kind = lockfile.URL
	case "file", "directory":
		s.Kind = lockfile.Path
	case "", "legacy", "pypi":
	default:
		if field == &l.from.kind {
			l.AddProblem(l.toml.Line, lockfile.CodeEntry, "a source of type %.100q", l.from.kind)
		}
	}
}

// checkHeader adds the problems of a file that poetry would not read.
func (l *poetryLock) checkHeader() {
	major, _, _ := strings.Cut(l.lockVersion, ".")
	switch {
	case !l.metadata:
		l.AddProblem(0, lockfile.CodeHeader, "no [metadata]")
	case major != "1" && major != "2" && l.lockVersion != "": // a file without one is of version 1
		l.AddProblem(0, lockfile.CodeUnsupported, "lock-version %.100q", l.lockVersion)
	}
}
