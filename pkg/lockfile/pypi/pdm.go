package pypi

import (
	"strings"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/internal/tomlscan"
)

// ParsePDMLock reads a pdm.lock of lock_version 2 to 4, with the files of each release in
// its entry or in [metadata.files]. See https://github.com/pdm-project/pdm,
// src/pdm/models/repositories/lock.py.
//
// pdm tells this format from that of pylock.toml by a key of the file, and not by the
// file's name. An entry of the other format is a problem, and is read.
func ParsePDMLock(data []byte, opt lockfile.Options) lockfile.File {
	l := newPDMLock(data, opt, pdmPackage)
	l.read()
	major, _, _ := strings.Cut(l.lockVersion, ".")
	switch major {
	case "2", "3", "4":
	case "":
		l.AddProblem(0, lockfile.CodeHeader, "no lock_version")
	default:
		l.AddProblem(0, lockfile.CodeUnsupported, "lock_version %.100q", l.lockVersion)
	}
	return l.finish()
}

// PDMLockSample is a pdm.lock that locks one package.
func PDMLockSample(name, version string) string {
	return "[metadata]\ngroups = [\"default\"]\nstrategy = [\"inherit_metadata\"]\nlock_version = \"4.5.0\"\ncontent_hash = \"sha256:" +
		strings.Repeat("0", 64) + "\"\n\n[[package]]\nname = \"" + name + "\"\nversion = \"" + version + "\"\nsummary = \"\"\ngroups = [\"default\"]\n" +
		"files = [\n    {file = \"" + wheelOf(name, version) + "\", hash = \"sha256:" + strings.Repeat("0", 64) + "\"},\n]\n"
}

// wheelOf is the file name of a wheel.
func wheelOf(name, version string) string {
	return strings.ReplaceAll(name, "-", "_") + "-" + version + "-py3-none-any.whl"
}

// The places of a pdm.lock.
const (
	pdmPackage tomlscan.Node = tomlscan.Root + 1 + iota
	pdmName
	pdmVersion
	pdmGroups
	pdmRepository // under "git", "hg", "svn" or "bzr"
	pdmCommit     // "ref" or "revision"
	pdmPath
	pdmURL
	pdmDependency
	pdmFile
	pdmFileName
	pdmFileHash
	pdmMetadata
	pdmLockVersion
	pdmReleases
	pdmReleaseFile
	pdmReleaseFileName
	pdmReleaseFileHash
	pdmEnd // where the places of a pylock.toml begin
)

func pdmSchema(parent tomlscan.Node, key string) tomlscan.Node {
	if parent >= pdmEnd {
		return pylockSchema(parent, key)
	}
	switch parent {
	case tomlscan.Root:
		switch key {
		case "package":
			return pdmPackage
		case "metadata":
			return pdmMetadata
		}
		return pylockSchema(parent, key)
	case pdmPackage:
		switch key {
		case "name":
			return pdmName
		case "version":
			return pdmVersion
		case "groups":
			return pdmGroups
		case "git", "hg", "svn", "bzr":
			return pdmRepository
		case "ref", "revision":
			return pdmCommit
		case "path":
			return pdmPath
		case "url":
			return pdmURL
		case "dependencies":
			return pdmDependency
		case "files":
			return pdmFile
		}
	case pdmFile, pdmReleaseFile:
		switch key {
		case "file", "url":
			return parent + 1
		case "hash":
			return parent + 2
		}
	case pdmMetadata:
		switch key {
		case "lock_version":
			return pdmLockVersion
		case "files":
			return pdmReleases
		}
	case pdmReleases:
		return pdmReleaseFile
	}
	return tomlscan.Ignored
}

// pdmLock reads both of the formats that pdm reads.
type pdmLock struct {
	*lock
	format  tomlscan.Node // the array that the file's name promises: pdmPackage or pylockPackage
	foreign bool          // an entry of the other one was seen

	inDefault     bool // the entry is in the group "default"
	lockVersion   string
	pylockVersion string
}

func newPDMLock(data []byte, opt lockfile.Options, format tomlscan.Node) *pdmLock {
	header := "[[package]]"
	if format == pylockPackage {
		header = "[[packages]]"
	}
	return &pdmLock{lock: newLock(data, opt, header, pdmSchema), format: format}
}

func (l *pdmLock) read() {
	for l.toml.Next() {
		switch node := l.toml.Node; {
		case node == pdmPackage || node == pylockPackage:
			l.checkFormat()
			if l.at() {
				l.inDefault = false
			}
		case node < pdmEnd:
			l.pdm()
		default:
			l.pylock()
		}
	}
}

func (l *pdmLock) checkFormat() {
	if l.toml.Node != l.format && !l.foreign {
		l.foreign = true
		l.AddProblem(l.toml.Line, lockfile.CodeEntry, "%q is of another format, which pdm reads under this name", l.toml.Key)
	}
}

// pdm takes an event of a pdm.lock.
func (l *pdmLock) pdm() {
	t := l.toml
	e := &l.entry
	switch t.Node {
	case pdmName:
		l.set(&e.name)
	case pdmVersion:
		l.set(&e.version)
	case pdmGroups:
		l.group()
	case pdmRepository:
		l.setSource(lockfile.Git)
	case pdmCommit:
		if ref, ok := l.text(); ok && (t.Key == "revision" || e.source.Commit == "") {
			e.source.Commit = commitID(ref)
		}
	case pdmPath:
		l.setSource(lockfile.Path)
	case pdmURL:
		l.setSource(lockfile.URL)
	case pdmDependency:
		l.dependency()
	case pdmFileName:
		l.file()
	case pdmFileHash:
		l.hash()
	case pdmLockVersion:
		l.lockVersion, _ = l.text()
	case pdmReleaseFile:
		l.releaseFile()
	case pdmReleaseFileName:
		l.releaseFileName()
	case pdmReleaseFileHash:
		l.releaseFileHash()
	}
}

// group takes what an event tells of an entry's groups. The file does not tell groups for
// development from extras; what is not in the group "default" is left out somewhere.
func (l *pdmLock) group() {
	if l.toml.Kind == tomlscan.Array {
		return
	}
	group, ok := l.text()
	if !ok {
		return
	}
	scope := &l.entry.scope
	switch {
	case group == "default":
		l.inDefault = true
		*scope = 0
	case l.inDefault:
	case group == "dev":
		*scope |= lockfile.Dev
	default:
		*scope |= lockfile.Optional
	}
}

// dependency takes the requirement that an event tells.
func (l *pdmLock) dependency() {
	if l.toml.Kind == tomlscan.Array {
		return
	}
	if s, ok := l.text(); ok && l.opt.Edges && l.entry.open {
		q := parseRequirement(s, l.exact[:0])
		w := wish{from: int32(len(l.Packages)), name: q.name}
		if len(q.spec.exact) == 1 {
			w.version = q.spec.exact[0]
		}
		l.edges.wishes = append(l.edges.wishes, w)
	}
}
