package lookup

import (
	"errors"
	"fmt"
	"strings"

	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/match"
	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/version"
)

// Query is what WhoHas looks for: a package, a digest, or a git repository.
type Query struct {
	Ecosystem ecosystem.Ecosystem
	Name      string // canonical; Go's without regard to letter case, as purls have it
	// Version is the one version that is asked for, Range the text of a range; both are "" for
	// whatever version.
	Version, Range string
	Digest         digest.Digest
	Repository     string // as ioc.GitRepository spells it
	Commit         string // or its first digits, in lower case; "" for any

	admits func(version string) bool
}

// ErrQuery is wrapped by the errors of ParseQuery.
var ErrQuery = errors.New("want ECOSYSTEM:NAME@VERSION or @RANGE, a purl, a digest (sha512-BASE64, sha256:HEX, h1:BASE64) or the address of a git repository, #COMMIT with it")

// ParseQuery reads a query as a person writes it:
//
//	npm:axios@1.14.1           one version; of "@", the last counts
//	npm:axios@>=1.14 <2        a range as the ecosystem's manifests have it; Go's are comparisons
//	npm:axios                  any version
//	pkg:npm/axios@1.14.1       a purl
//	sha512-BASE64, sha256:HEX  a digest
//	https://github.com/o/r     a git dependency; with "#" a commit, or at least 7 digits of one
func ParseQuery(text string) (Query, error) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "pkg:") {
		e, name, ver, err := ecosystem.ParsePURL(text)
		if err != nil {
			return Query{}, err
		}
		return packageQuery(e, name, ver)
	}
	if d, ok := ioc.ParseIntegrity(text); ok {
		return Query{Digest: d}, nil
	}
	prefix, rest, ok := strings.Cut(text, ":")
	if e, err := ecosystem.Parse(prefix); ok && err == nil && !strings.HasPrefix(rest, "//") && !(e == ecosystem.Actions && strings.Contains(rest, "#")) {
		name, ver := rest, ""
		if i := strings.LastIndexByte(rest, '@'); i > 0 {
			name, ver = rest[:i], strings.TrimSpace(rest[i+1:])
		}
		return packageQuery(e, name, ver)
	}
	if ok && digest.ParseAlgorithm(prefix) != digest.NoAlgorithm {
		return Query{}, fmt.Errorf("%.200q: not a whole digest: %w", text, ErrQuery)
	}
	return gitQuery(text)
}

func packageQuery(e ecosystem.Ecosystem, name, ver string) (Query, error) {
	q := Query{Ecosystem: e, Name: e.CanonicalName(strings.TrimSpace(name))}
	if parts := strings.SplitN(q.Name, "/", 3); e == ecosystem.Actions && len(parts) == 3 {
		q.Name = parts[0] + "/" + parts[1] // an action in a folder has the version of its repository
	}
	if err := e.CheckEntry(q.Name); err != nil {
		return Query{}, fmt.Errorf("%.200q: %w", name, err)
	}
	if ver == "" {
		return q, nil
	}
	if canonical, err := version.Canonical(e, ver); err == nil {
		q.Version = ver
		public := version.Public(e, canonical) == canonical // then "1.0" is also "1.0+cpu", as in a catalogue
		q.admits = func(v string) bool {
			own, err := version.Canonical(e, v)
			return err == nil && (own == canonical || public && version.Public(e, own) == canonical)
		}
		return q, nil
	}
	q.Range = ver
	if e == ecosystem.Go {
		tests, err := comparisons(e, ver)
		q.admits = tests
		return q, err
	}
	r, err := version.ParseRange(e, ver)
	if err != nil {
		return Query{}, fmt.Errorf("%.200q is neither a version nor a range of %s: %w", ver, e, err)
	}
	q.admits = r.Contains
	return q, nil
}

// comparisons reads ">=v1.2.0 <v1.4.0" for an ecosystem that has an order and no ranges.
func comparisons(e ecosystem.Ecosystem, text string) (func(string) bool, error) {
	type comparison struct{ op, bound string }
	var all []comparison
	for _, part := range strings.Fields(strings.ReplaceAll(text, ",", " ")) {
		bound := strings.TrimLeft(part, "<>=")
		op := part[:len(part)-len(bound)]
		if _, err := version.Canonical(e, bound); err != nil || !strings.Contains(" < <= > >= = ", " "+op+" ") {
			return nil, fmt.Errorf("%.200q is neither a version nor comparisons of %s (\">=v1.2.0 <v1.4.0\"): %w", text, e, ErrQuery)
		}
		all = append(all, comparison{op, bound})
	}
	return func(v string) bool {
		for _, c := range all {
			n, err := version.Compare(e, v, c.bound)
			if err != nil || n < 0 && !strings.Contains(c.op, "<") || n > 0 && !strings.Contains(c.op, ">") || n == 0 && !strings.Contains(c.op, "=") {
				return false
			}
		}
		return true
	}, nil
}

func gitQuery(text string) (Query, error) {
	address, commit, _ := strings.Cut(text, "#")
	repo := ioc.GitRepository(address)
	host, path, ok := strings.Cut(repo, "/")
	if !ok || path == "" || !strings.Contains(host, ".") || strings.ContainsAny(repo, " \t\n") {
		return Query{}, fmt.Errorf("%.200q: %w", text, ErrQuery)
	}
	commit = strings.ToLower(commit)
	if strings.Trim(commit, "0123456789abcdef") != "" || commit != "" && len(commit) < ioc.CommitKey {
		return Query{}, fmt.Errorf("%.200q: a commit has at least %d hex digits: %w", text, ioc.CommitKey, ErrQuery)
	}
	return Query{Repository: repo, Commit: commit}, nil
}

// key is that under which the store finds candidates.
func (q *Query) key() uint64 {
	switch {
	case q.Name != "":
		return inventory.NameKey(q.Ecosystem, q.Name)
	case q.Repository != "":
		return inventory.RepositoryKey(q.Repository)
	}
	prefix, _ := q.Digest.Prefix()
	return inventory.DigestKey(prefix)
}

// mayMeet reports whether a content with that spec under the key may hold what is looked for.
func (q *Query) mayMeet(spec inventory.Spec) bool {
	switch {
	case q.Name != "":
		p, whole, ok := spec.Entry(q.Ecosystem, q.Name)
		return ok && (!whole || q.meets(nil, 0, &p))
	case q.Repository != "":
		commit, ok := spec.Commit()
		return ok && q.meetsCommit(commit)
	}
	return true
}

// meets reports whether entry i of the content c is what is looked for. For a package, an entry is
// met by its name and by the identity that its address names; one that asks for a range is met only
// where any version is, or the range admits a single one. c is asked for digests alone.
func (q *Query) meets(c *inventory.Content, i int, p *lockfile.Package) bool {
	switch {
	case q.Name != "":
		if p.Ecosystem != q.Ecosystem {
			return false
		}
		ver := p.Version
		if ver == "" && p.Range != "" {
			if pinned, ok := match.Pinned(p.Ecosystem, p.Range); ok {
				ver = pinned
			}
		}
		return q.named(p.Name, ver) || p.Address != nil && q.named(p.Address.Name, p.Address.Version)
	case q.Repository != "":
		return inventory.GitRepository(p) == q.Repository && q.meetsCommit(strings.ToLower(p.Source.Commit))
	}
	return c.HasDigest(i, q.Digest)
}

func (q *Query) named(name, ver string) bool {
	same := name == q.Name
	if q.Ecosystem == ecosystem.Go {
		same = strings.EqualFold(name, q.Name)
	}
	return same && (q.admits == nil || ver != "" && q.admits(ver))
}

// meetsCommit compares commits of which either may be given by its first digits.
func (q *Query) meetsCommit(commit string) bool {
	return q.Commit == "" || len(commit) >= ioc.CommitKey && (strings.HasPrefix(commit, q.Commit) || strings.HasPrefix(q.Commit, commit))
}

// Holds reports whether an entry of a lockfile is what q looks for, as WhoHas does. q is of a
// package or a git repository.
func (q *Query) Holds(p *lockfile.Package) bool {
	return (q.Name != "" || q.Repository != "") && q.meets(nil, 0, p)
}
