package pypi

import (
	"strings"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/internal/jsonscan"
)

// ParsePipfileLock reads a Pipfile.lock of pipfile-spec 6: "default", "develop" and
// categories of the project's own.
//
// pipenv makes a line of a requirements file of each entry, from the entry's name and its
// strings as they stand (https://github.com/pypa/pipenv, pipenv/utils/requirements.py), and
// so does this reader. A string that would break out of its place in that line is a problem.
func ParsePipfileLock(data []byte, opt lockfile.Options) lockfile.File {
	text := string(data)
	r := pipfileLock{reader: newReader(strings.Count(text, `"version"`), len(text)/bytesPerDigest, opt)}
	r.scan = jsonscan.New(text, &r.File, jsonscan.Options{})
	spec := 0
	for r.scan.Document() {
		if !r.scan.Expect(jsonscan.Object, "the file") {
			continue
		}
		for key := range r.scan.Salvage(nextObject) {
			if key == "_meta" {
				spec = r.meta()
				continue
			}
			r.category(key)
		}
	}
	switch spec {
	case 6:
	case 0:
		r.AddProblem(0, lockfile.CodeHeader, "no pipfile-spec in _meta")
	default:
		r.AddProblem(0, lockfile.CodeUnsupported, "pipfile-spec %d", spec)
	}
	return r.finish()
}

// PipfileLockSample is a Pipfile.lock that locks one package.
func PipfileLockSample(name, version string) string {
	return "{\n    \"_meta\": {\n        \"pipfile-spec\": 6\n    },\n    \"default\": {\n        \"" + name + "\": {\n" +
		"            \"hashes\": [\n                \"sha256:" + strings.Repeat("0", 64) + "\"\n            ],\n" +
		"            \"index\": \"pypi\",\n            \"version\": \"==" + version + "\"\n        }\n    },\n    \"develop\": {}\n}\n"
}

// nextObject finds the next member that is an object, for reading on after a fault.
func nextObject(text string, from int) int { return jsonscan.NextMember(text, from, '{') }

type pipfileLock struct {
	reader
	scan *jsonscan.Scanner
}

// meta reads _meta and gives the pipfile-spec.
func (r *pipfileLock) meta() (spec int) {
	if !r.scan.Expect(jsonscan.Object, "_meta") {
		return 0
	}
	for key := range r.scan.Object() {
		if key == "pipfile-spec" {
			spec, _ = r.scan.Int()
		}
	}
	return spec
}

func (r *pipfileLock) category(category string) {
	if !r.scan.Expect(jsonscan.Object, "a category") {
		return
	}
	for name := range r.scan.Salvage(nextObject) {
		p := lockfile.Package{Ecosystem: ecosystem.PyPI, Line: r.scan.Line()}
		if category == "develop" {
			p.Scope = lockfile.Dev
		}
		e := pipfileEntry{name: name}
		digests := len(r.digests)
		if r.scan.Kind() == jsonscan.String {
			// "name": "1.0" is name==1.0.
			if e.version = r.string(&p); e.version != "" && e.version != "*" {
				e.version = "==" + e.version
			}
		} else if r.scan.Expect(jsonscan.Object, "an entry") {
			for key := range r.scan.Object() {
				r.field(&p, &e, key)
			}
		}
		p.Digests = r.takeDigests(digests)
		r.entry(p, &e)
	}
}

// pipfileEntry is an entry as far as it has been read.
type pipfileEntry struct {
	name       string
	version    string
	extras     []string
	repository string // of a version control system
	ref        string
	file, path string
}

func (r *pipfileLock) field(p *lockfile.Package, e *pipfileEntry, key string) {
	switch key {
	case "version":
		if e.version != "" { // a repeated key: both count
			r.entry(*p, &pipfileEntry{name: e.name, version: e.version})
		}
		e.version = r.string(p)
	case "git", "hg", "svn", "bzr":
		e.repository = r.string(p)
	case "ref":
		e.ref = r.string(p)
	case "file":
		e.file = r.string(p)
	case "path":
		e.path = r.string(p)
	case "markers", "os_markers", "subdirectory":
		r.string(p)
	case "hashes":
		if !r.scan.Expect(jsonscan.Array, "hashes") {
			return
		}
		for range r.scan.Array() {
			r.digest(r.scan.Line(), r.string(p))
		}
	case "extras":
		if !r.scan.Expect(jsonscan.Array, "extras") {
			return
		}
		for range r.scan.Array() {
			e.extras = append(e.extras, r.string(p))
		}
	}
}

// string reads the string that is due. Where it has a line break, what follows it is a
// requirement of its own in the line that pipenv makes.
func (r *pipfileLock) string(p *lockfile.Package) string {
	line := r.scan.Line()
	if !r.scan.Expect(jsonscan.String, "a value of an entry") {
		return ""
	}
	s, _ := r.scan.Text()
	first, rest := cutLine(s)
	if len(first) == len(s) {
		return s
	}
	r.AddProblem(line, lockfile.CodeEntry, "a line break in %.200q", s)
	for rest != "" {
		var next string
		if next, rest = cutLine(rest); trimSpace(next) != "" {
			q := parseRequirement(next, r.exact[:0])
			r.add(lockfile.Package{Ecosystem: ecosystem.PyPI, Line: line, Scope: p.Scope}, &q, false)
		}
	}
	return first
}

// entry gives the package, or packages, of an entry.
func (r *pipfileLock) entry(p lockfile.Package, e *pipfileEntry) {
	switch {
	case e.repository != "":
		q := parseRepository(e.name, e.repository)
		q.source.Commit = firstOf(commitID(e.ref), q.source.Commit)
		r.add(p, &q, false)
		return
	case e.file != "" || e.path != "":
		q := parseAddress(e.name, firstOf(e.file, e.path))
		r.add(p, &q, false)
		return
	}
	v := trimSpace(e.version)
	if v == "*" {
		v = ""
	}
	if v != "" && !strings.ContainsAny(v[:1], "=<>!~@(") {
		// Older pipenvs put "==" before a bare version; newer ones make it a part of the name.
		r.AddProblem(p.Line, lockfile.CodeEntry, "%.200q of %.200q has no operator", v, e.name)
		q := parseRequirement(e.name+v, r.exact[:0])
		r.add(p, &q, false)
		v = "==" + v
	}
	q := requirement{name: e.name}
	switch {
	case !validName(e.name) || !validNames(e.extras) || strings.HasPrefix(v, "@"):
		q = parseRequirement(e.name+"["+strings.Join(e.extras, ",")+"]"+v, r.exact[:0])
		if q.wrong == "" {
			q.wrong = e.name
		}
	case v != "":
		q.spec = parseSpecifier(v, r.exact[:0])
		q.wrong = q.spec.wrong
	}
	if q.wrong != "" {
		r.AddProblem(p.Line, lockfile.CodeEntry, "%.200q with the version %.200q: not understood from %.200q on", e.name, e.version, q.wrong)
	}
	r.add(p, &q, false)
}

func validNames(names []string) bool {
	for _, name := range names {
		if !validName(name) {
			return false
		}
	}
	return true
}
