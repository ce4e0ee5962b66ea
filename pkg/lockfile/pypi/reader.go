package pypi

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/version"
)

// reader is what the readers of all formats share: the file that is being made, and the
// rules of names, versions and digests.
type reader struct {
	lockfile.File
	opt lockfile.Options

	digests []lockfile.Digest // of all packages, one after the other
	exact   []string          // memory of parseSpecifier
}

// newReader makes a reader of a file that has about packages entries, and digests.
func newReader(packages, digests int, opt lockfile.Options) reader {
	r := reader{opt: opt}
	r.expect(packages, digests)
	return r
}

// expect makes room for packages and digests.
func (r *reader) expect(packages, digests int) {
	r.Packages, r.digests = r.opt.Memory.Take(packages, digests)
}

// How much text real files have: for a digest, 90 bytes in a requirements file, 160 in a
// poetry.lock, 200 in a uv.lock; for an entry of a manifest, 60 and more.
const (
	bytesPerDigest = 160
	bytesPerWish   = 150
)

// name gives the normal form of a name. One that PyPI cannot have is a problem.
func (r *reader) name(line int, s string) string {
	if validName(s) {
		return ecosystem.PyPI.CanonicalName(s)
	}
	r.AddProblem(line, lockfile.CodeName, "%.200q is no name of a package", s)
	// Tools that do not check a name fold it with Python's str.lower, which knows letters
	// beyond ASCII whose lower case is within: the Kelvin sign is a k.
	return ecosystem.PyPI.CanonicalName(strings.ToLower(trimSpace(s)))
}

// validName reports whether s is a name by PEP 508: "^([A-Z0-9]|[A-Z0-9][A-Z0-9._-]*[A-Z0-9])$"
// in either letter case.
func validName(s string) bool {
	if s == "" || bytesAre[s[0]]&inName == 0 || bytesAre[s[len(s)-1]]&inName == 0 {
		return false
	}
	for i := 0; i < len(s); i++ {
		if bytesAre[s[i]]&(inName|punctuates) == 0 {
			return false
		}
	}
	return true
}

// version gives a version without the space around it, which PEP 440 ignores. One outside
// of PEP 440 is a problem.
func (r *reader) version(line int, name, v string) string {
	v = trimSpace(v)
	if version.Check(ecosystem.PyPI, v) != nil {
		r.AddProblem(line, lockfile.CodeVersion, "%.200q of %.200q is no version", v, name)
	}
	return v
}

// add appends what a requirement asks for to the packages, as p with what q tells. A
// manifest's requirement is a wish even where it pins.
func (r *reader) add(p lockfile.Package, q *requirement, manifest bool) {
	r.exact = q.spec.exact // memory for the next
	switch {
	case q.name != "":
		p.Name = r.name(p.Line, q.name)
	case !q.located:
		if q.wrong == "" { // else that is said already
			r.AddProblem(p.Line, lockfile.CodeEntry, "a requirement without a name")
		}
		return
	}
	switch {
	case q.located:
		p.Source = q.source
		r.locate(&p, q.release, manifest)
		r.Packages = append(r.Packages, p)
	case manifest:
		p.Source.Kind, p.Range = lockfile.Manifest, q.spec.text
		r.Packages = append(r.Packages, p)
	case len(q.spec.exact) == 0:
		p.Source.Kind, p.Range = lockfile.Range, q.spec.text
		r.Packages = append(r.Packages, p)
	default:
		for _, v := range q.spec.exact {
			p.Version = r.version(p.Line, p.Name, v)
			r.Packages = append(r.Packages, p)
		}
	}
}

// locate fills in what the address in p.Source tells, which names release.
func (r *reader) locate(p *lockfile.Package, release lockfile.Identity, manifest bool) {
	if p.Source.Kind != lockfile.Path && dependsOnEnvironment(p.Source.URL) {
		r.AddProblem(p.Line, lockfile.CodeEntry, "%.200q depends on the environment", p.Source.URL)
	}
	if p.Source.Kind == lockfile.Registry && manifest {
		p.Source.Kind = lockfile.URL
	}
	switch {
	case release.Name == "":
	case release.Name == p.Name && p.Source.Kind != lockfile.URL:
		p.Version = release.Version
	default:
		p.Address = &lockfile.Identity{Name: release.Name, Version: release.Version}
	}
}

// variable is what pip replaces by a variable of the environment where there is one.
var variable = regexp.MustCompile(`\$\{[A-Z0-9_]+\}`)

// digest adds a digest written as "algorithm:hex" to those of the entry being read. A
// damaged one is a problem.
func (r *reader) digest(line int, s string) {
	algorithm, hex, _ := strings.Cut(s, ":")
	if !r.digestOf(algorithm, hex) {
		r.AddProblem(line, lockfile.CodeDigest, "%.200q is no digest", s)
	}
}

func (r *reader) digestOf(algorithm, hex string) bool {
	d := lockfile.Digest{Algorithm: lockfile.ParseAlgorithm(algorithm), Text: hex}
	if len(hex) != 2*d.Algorithm.Size() || !d.Valid() {
		return false
	}
	r.digests = append(r.digests, d)
	return true
}

// takeDigests are the digests that were added since there were from of them.
func (r *reader) takeDigests(from int) []lockfile.Digest {
	if from == len(r.digests) {
		return nil
	}
	return r.digests[from:len(r.digests):len(r.digests)]
}

// finish gives the file, with its problems in the order of its lines; those of the whole
// file and the note that there are more stay last.
func (r *reader) finish() lockfile.File {
	listed := r.Problems
	if len(listed) == lockfile.MaxProblems {
		listed = listed[:len(listed)-1]
	}
	slices.SortStableFunc(listed, func(a, b lockfile.Problem) int {
		if a.Line == 0 || b.Line == 0 {
			return cmp.Compare(b.Line, a.Line)
		}
		return cmp.Compare(a.Line, b.Line)
	})
	r.opt.Memory.Keep(r.Packages, r.digests)
	return r.File
}
