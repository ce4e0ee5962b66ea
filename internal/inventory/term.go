package inventory

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// Term is a key under which a content is found again, with what the content says there. Keys are
// hashes and beginnings, and two things may share one: a term found makes a content a candidate,
// and a content without the term provably does not have the thing.
type Term struct {
	Key  uint64
	Spec Spec
}

// Spec is what an entry says beside its name, in a compact spelling: its kind, and version or
// range.
type Spec string

// The first byte of a Spec is a lockfile.SourceKind or one of these. A text over maxSpec is left
// out, and the kind marked.
const (
	specAddress = 0x20 // the identity that an entry's address names
	specScope   = 0x21 // the npm scope of some entry
	specDigest  = 0x22
	specCommit  = 0x23 // the first digits of a git dependency's commit
	specGit     = 0x24 // the repository of a git dependency; its commit follows
	specCut     = 0x80
	maxSpec     = 200
)

func newSpec(kind byte, text string) Spec {
	if len(text) > maxSpec {
		return Spec([]byte{kind | specCut})
	}
	return Spec(kind) + Spec(text)
}

// Entry is an entry of that name that says what the spec says; whole is false where a part of it
// was too long to keep. ok is false for a spec that is not of an entry's name.
func (s Spec) Entry(e ecosystem.Ecosystem, name string) (p lockfile.Package, whole, ok bool) {
	if s == "" {
		return p, false, false
	}
	kind := s[0] &^ specCut
	ver, rng, _ := strings.Cut(string(s[1:]), "\x00")
	switch {
	case kind <= byte(lockfile.NoVersion):
		p = lockfile.Package{Ecosystem: e, Name: name, Version: ver, Range: rng, Source: lockfile.Source{Kind: lockfile.SourceKind(kind)}}
	case kind == specAddress: // the entry is another, of which nothing is said here
		p = lockfile.Package{Ecosystem: e, Source: lockfile.Source{Kind: lockfile.Path}, Address: &lockfile.Identity{Name: name, Version: ver}}
	default:
		return p, false, false
	}
	return p, s[0]&specCut == 0, true
}

// Locks reports whether the spec is of an entry that is an exact version of the package of its
// name.
func (s Spec) Locks() bool { return s != "" && lockfile.SourceKind(s[0]&^specCut).Exact() }

// Commit is the commit of a term under RepositoryKey.
func (s Spec) Commit() (string, bool) {
	if s == "" || s[0] != specGit {
		return "", false
	}
	return string(s[1:]), true
}

// NameKey is the key of an entry's name, whatever its version. Names of Go that differ by letter
// case share one, as ioc.CaseOnly has it.
func NameKey(e ecosystem.Ecosystem, name string) uint64 {
	if e == ecosystem.Go {
		name = strings.ToLower(name)
	}
	return hashKey("name", string(e), name)
}

// ScopeKey is the key of an npm scope, "@scope", of some entry.
func ScopeKey(scope string) uint64 { return hashKey("scope", scope) }

// DigestKey is the key of a digest, by digest.Digest.Prefix.
func DigestKey(prefix uint64) uint64 { return prefix }

// CommitKey is the key of a git dependency's commit, by its first ioc.CommitKey digits in lower
// case.
func CommitKey(begin string) uint64 { return hashKey("commit", begin) }

// RepositoryKey is the key of a git dependency's repository, by ioc.GitRepository.
func RepositoryKey(repository string) uint64 { return hashKey("git", repository) }

func hashKey(parts ...string) uint64 {
	h := sha256.New()
	for _, s := range parts {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	return binary.BigEndian.Uint64(h.Sum(nil))
}

// Terms are the terms of the content, sorted and without repeats. A store keeps them: where they
// change, a migration of package store empties its index.
func (c *Content) Terms() []Term {
	out := make([]Term, 0, 2*len(c.packages))
	scopes := map[string]bool{}
	for i := range c.packages {
		p := &c.packages[i]
		text := p.Version
		if p.Range != "" {
			text += "\x00" + p.Range
		}
		out = append(out, Term{NameKey(p.Ecosystem, p.Name), newSpec(byte(p.Source.Kind), text)})
		name(scopes, p.Ecosystem, p.Name)
		if p.Address != nil {
			out = append(out, Term{NameKey(p.Ecosystem, p.Address.Name), newSpec(specAddress, p.Address.Version)})
			name(scopes, p.Ecosystem, p.Address.Name)
		}
		out = append(out, gitTerms(p)...)
		if c.digests != nil {
			for _, d := range c.digests[i] {
				out = append(out, Term{DigestKey(d.prefix()), newSpec(specDigest, "")})
			}
		}
	}
	for scope := range scopes {
		out = append(out, Term{ScopeKey(scope), newSpec(specScope, "")})
	}
	slices.SortFunc(out, func(a, b Term) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Spec, b.Spec))
	})
	return slices.Compact(out)
}

// name adds the scope of an npm name to scopes.
func name(scopes map[string]bool, e ecosystem.Ecosystem, name string) {
	if e == ecosystem.NPM && strings.HasPrefix(name, "@") {
		if scope, _, ok := strings.Cut(name, "/"); ok {
			scopes[scope] = true
		}
	}
}

func gitTerms(p *lockfile.Package) []Term {
	var out []Term
	commit := strings.ToLower(p.Source.Commit)
	if len(commit) >= ioc.CommitKey {
		out = append(out, Term{CommitKey(commit[:ioc.CommitKey]), newSpec(specCommit, "")})
	}
	if repo := GitRepository(p); repo != "" {
		out = append(out, Term{RepositoryKey(repo), newSpec(specGit, commit)})
	}
	return out
}

// GitRepository is the repository of an entry that is a git dependency, or an action, as
// ioc.GitRepository spells it; "" for other entries.
func GitRepository(p *lockfile.Package) string {
	switch {
	case p.Ecosystem == ecosystem.Actions:
		owner, rest, _ := strings.Cut(p.Name, "/")
		repo, _, _ := strings.Cut(rest, "/")
		return ioc.GitRepository("github.com/" + owner + "/" + repo)
	case p.Source.Kind == lockfile.Git || p.Source.Commit != "":
		return ioc.GitRepository(p.Source.URL)
	}
	return ""
}
