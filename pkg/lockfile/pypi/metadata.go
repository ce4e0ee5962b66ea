package pypi

import (
	"strings"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// ParseMetadata reads METADATA in the *.dist-info folder of an installed package, or PKG-INFO
// in an *.egg-info folder, which older tools wrote: the header
// of a message with the fields Name and Version
// (https://packaging.python.org/en/latest/specifications/core-metadata/). The entry is of
// kind Installed.
func ParseMetadata(data []byte, opt lockfile.Options) lockfile.File {
	r := newReader(1, 0, opt)
	var names, versions []field
	var last *field // for lines that go on with the field before
	for number, rest := 1, strings.TrimPrefix(string(data), "\ufeff"); rest != ""; number++ {
		var line string
		line, rest = cutNewline(rest)
		if line == "" {
			break // the description follows
		}
		if line[0] == ' ' || line[0] == '\t' {
			if last != nil && len(last.value) < maxFolded {
				last.value = trimSpace(last.value + " " + trimSpace(line))
			}
			continue
		}
		key, value, _ := strings.Cut(line, ":")
		switch last = nil; {
		case strings.EqualFold(key, "Name"):
			names = append(names, field{trimSpace(value), number})
			last = &names[len(names)-1]
		case strings.EqualFold(key, "Version"):
			versions = append(versions, field{trimSpace(value), number})
			last = &versions[len(versions)-1]
		}
	}
	if len(names) == 0 || len(versions) == 0 {
		r.AddProblem(0, lockfile.CodeHeader, "no Name and Version before the first empty line")
	}
	for i, name := range names {
		r.installed(name, first(versions))
		if i > 0 {
			r.AddProblem(name.line, lockfile.CodeRepeatedKey, "a second Name, %.200q", name.value)
		}
	}
	for i, version := range versions {
		if i > 0 && len(names) > 0 {
			r.AddProblem(version.line, lockfile.CodeRepeatedKey, "a second Version, %.200q", version.value)
			r.installed(names[0], version)
		}
	}
	return r.finish()
}

// maxFolded bounds how much of a folded field is put together. A name or version is far
// shorter, and with a space in it is none.
const maxFolded = 200

// field is a field of the header.
type field struct {
	value string
	line  int
}

// first is the first of some fields, empty where there are none.
func first(fields []field) field {
	if len(fields) == 0 {
		return field{}
	}
	return fields[0]
}

func (r *reader) installed(name, version field) {
	p := lockfile.Package{Ecosystem: ecosystem.PyPI, Source: lockfile.Source{Kind: lockfile.Installed}, Line: name.line}
	p.Name = r.name(name.line, name.value)
	if version.line > 0 {
		p.Version = r.version(version.line, p.Name, version.value)
	}
	r.Packages = append(r.Packages, p)
}

// MetadataSample is the METADATA of one package.
func MetadataSample(name, version string) string {
	return "Metadata-Version: 2.4\nName: " + name + "\nVersion: " + version + "\nSummary: a sample\n\nA description.\n"
}
