package pypi

import (
	"strings"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/internal/tomlscan"
)

// releaseFile is a file that the metadata of an older lockfile gives for a package: in
// pdm.lock for one version of it, in poetry.lock for its name alone, since "the lockfile
// doesn't keep track which files belong to which" version.
type releaseFile struct {
	pkg    string // as written: the name, or the name and the version with a space between
	name   string // of the file, "" where the format has none
	digest lockfile.Digest
}

// releaseFile takes an event of the array that [metadata.files] gives for a package.
func (l *lock) releaseFile() {
	if l.toml.Kind == tomlscan.Item {
		l.files = append(l.files, releaseFile{pkg: l.toml.Key})
	}
}

// releaseFileName and releaseFileHash take the strings that an event tells of a file of it.
func (l *lock) releaseFileName() {
	if name, ok := l.text(); ok && len(l.files) > 0 {
		l.files[len(l.files)-1].name = name
	}
}

func (l *lock) releaseFileHash() {
	if hash, ok := l.text(); ok && len(l.files) > 0 {
		l.files[len(l.files)-1].digest = l.looseDigest(hash)
	}
}

// releaseHash takes an event of the array of digests that [metadata.hashes] gives.
func (l *lock) releaseHash() {
	if l.toml.Kind == tomlscan.Array {
		return
	}
	if hash, ok := l.text(); ok {
		l.files = append(l.files, releaseFile{pkg: l.toml.Key, digest: l.looseDigest("sha256:" + hash)})
	}
}

// looseDigest reads a digest that belongs to no entry yet.
func (l *lock) looseDigest(s string) lockfile.Digest {
	n := len(l.digests)
	l.digest(l.toml.Line, s)
	if len(l.digests) == n {
		return lockfile.Digest{}
	}
	d := l.digests[n]
	l.digests = l.digests[:n]
	return d
}

// filesOfMetadata gives the files of the metadata to the packages that they are of: to all
// locked versions of the name where a file's own name does not tell which.
func (l *lock) filesOfMetadata() {
	if len(l.files) == 0 {
		return
	}
	byName := newNameIndex(l.Packages)
	for begin, end := 0, 0; begin < len(l.files); begin = end {
		for end < len(l.files) && l.files[end].pkg == l.files[begin].pkg {
			end++
		}
		l.filesOf(byName, l.files[begin:end])
	}
}

// filesOf gives the files of one package to the entries of it.
func (l *lock) filesOf(byName *nameIndex, files []releaseFile) {
	claimed := make([]bool, len(files))
	first := -1
	name, version, _ := strings.Cut(files[0].pkg, " ")
	for i := range byName.find(wish{name: name, version: version}) {
		if first < 0 {
			first = int(i)
		}
		p := &l.Packages[i]
		own := lockfile.Identity{Name: p.Name, Version: p.Version}
		for j, file := range files {
			if named, ok := identify(file.name, own); ok && named != own {
				continue
			}
			claimed[j] = true
			if file.digest != (lockfile.Digest{}) {
				p.Digests = append(p.Digests, file.digest)
			}
		}
	}
	if first < 0 {
		return
	}
	p := &l.Packages[first]
	for j, file := range files {
		if !claimed[j] {
			l.otherFiles(first, lockfile.Identity{Name: p.Name, Version: p.Version}, []string{file.name})
		}
	}
}
