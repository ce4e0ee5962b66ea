package pypi

import (
	"strings"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/internal/tomlscan"
)

// ParsePylock reads a pylock.toml or pylock.NAME.toml of lock-version 1 (PEP 751,
// https://packaging.python.org/en/latest/specifications/pylock-toml/). An entry that names
// no version is of kind NoVersion; what its files are named for is in Address.
func ParsePylock(data []byte, opt lockfile.Options) lockfile.File {
	l := newPDMLock(data, opt, pylockPackage)
	l.read()
	major, _, _ := strings.Cut(l.pylockVersion, ".")
	switch major {
	case "1":
	case "":
		l.AddProblem(0, lockfile.CodeHeader, "no lock-version")
	default:
		l.AddProblem(0, lockfile.CodeUnsupported, "lock-version %.100q", l.pylockVersion)
	}
	return l.finish()
}

// PylockSample is a pylock.toml that locks one package.
func PylockSample(name, version string) string {
	wheel := wheelOf(name, version)
	return "lock-version = \"1.0\"\ncreated-by = \"pdm\"\n\n[[packages]]\nname = \"" + name + "\"\nversion = \"" + version + "\"\n" +
		"wheels = [\n    {name = \"" + wheel + "\", url = \"https://pypi.example/packages/" + wheel +
		"\", hashes = {sha256 = \"" + strings.Repeat("0", 64) + "\"}},\n]\n"
}

// The places of a pylock.toml.
const (
	pylockVersion tomlscan.Node = pdmEnd + iota
	pylockPackage
	pylockName
	pylockPackageVersion
	pylockIndex
	pylockVCS
	pylockVCSAddress // "url" or "path"
	pylockVCSCommit  // "commit-id" or "requested-revision"
	pylockDirectory
	pylockDirectoryPath
	pylockArchive
	pylockArchiveURL
	pylockArchivePath
	pylockFile
	pylockFileName // "name", "url" or "path"
	pylockHashes
	pylockHash
	pylockDependency
	pylockDependencyName
	pylockDependencyVersion
)

func pylockSchema(parent tomlscan.Node, key string) tomlscan.Node {
	switch parent {
	case tomlscan.Root:
		switch key {
		case "lock-version":
			return pylockVersion
		case "packages":
			return pylockPackage
		}
	case pylockPackage:
		switch key {
		case "name":
			return pylockName
		case "version":
			return pylockPackageVersion
		case "index":
			return pylockIndex
		case "vcs":
			return pylockVCS
		case "directory":
			return pylockDirectory
		case "archive":
			return pylockArchive
		case "sdist", "wheels":
			return pylockFile
		case "dependencies":
			return pylockDependency
		}
	case pylockVCS:
		switch key {
		case "url", "path":
			return pylockVCSAddress
		case "commit-id", "requested-revision":
			return pylockVCSCommit
		}
	case pylockDirectory:
		if key == "path" {
			return pylockDirectoryPath
		}
	case pylockArchive:
		switch key {
		case "url":
			return pylockArchiveURL
		case "path":
			return pylockArchivePath
		case "hashes":
			return pylockHashes
		}
	case pylockFile:
		switch key {
		case "name", "url", "path":
			return pylockFileName
		case "hashes":
			return pylockHashes
		}
	case pylockHashes:
		return pylockHash
	case pylockDependency:
		switch key {
		case "name":
			return pylockDependencyName
		case "version":
			return pylockDependencyVersion
		}
	}
	return tomlscan.Ignored
}

// pylock takes an event of a pylock.toml.
func (l *pdmLock) pylock() {
	t := l.toml
	e := &l.entry
	switch t.Node {
	case pylockVersion:
		l.pylockVersion, _ = l.text()
		if l.format != pylockPackage {
			l.checkFormat()
		}
	case pylockName:
		l.set(&e.name)
	case pylockPackageVersion:
		l.set(&e.version)
	case pylockIndex:
		if index, ok := l.text(); ok && e.source.URL == "" {
			e.source.URL = index
		}
	case pylockVCS:
		l.sourceIs("vcs", lockfile.Git)
	case pylockDirectory:
		l.sourceIs("directory", lockfile.Path)
	case pylockArchive:
		l.sourceIs("archive", lockfile.URL)
	case pylockFile:
		l.sourceIs("wheels or sdist", lockfile.Registry)
	case pylockVCSAddress, pylockDirectoryPath:
		e.source.URL, _ = l.text()
	case pylockArchiveURL, pylockArchivePath:
		l.archive()
	case pylockVCSCommit:
		if ref, ok := l.text(); ok && (t.Key == "commit-id" || e.source.Commit == "") {
			e.source.Commit = commitID(ref)
		}
	case pylockFileName:
		l.file()
	case pylockHash:
		if hex, ok := l.text(); ok && !l.digestOf(t.Key, hex) {
			l.AddProblem(t.Line, lockfile.CodeDigest, "%.200q is no digest", t.Key+":"+hex)
		}
	case pylockDependency, pylockDependencyName, pylockDependencyVersion:
		l.pylockDependency()
	}
}

// archive takes an address or path of an entry's archive. It may have both.
func (l *pdmLock) archive() {
	s := &l.entry.source
	switch at, ok := l.text(); {
	case !ok || l.entry.from != "archive":
	case l.toml.Node == pylockArchiveURL:
		s.Kind, s.URL = lockfile.URL, at
	case s.URL == "":
		s.Kind, s.URL = lockfile.Path, at
	}
}

func (l *pdmLock) pylockDependency() {
	if !l.opt.Edges || !l.entry.open {
		return
	}
	t := l.toml
	wishes := l.edges.wishes
	switch {
	case t.Kind == tomlscan.Item:
		l.edges.wishes = append(wishes, wish{from: int32(len(l.Packages))})
	case t.Kind != tomlscan.String || len(wishes) == l.entry.wishes:
	case t.Node == pylockDependencyName:
		wishes[len(wishes)-1].name = t.Text
	case t.Node == pylockDependencyVersion:
		wishes[len(wishes)-1].version = t.Text
	}
}
