package ioc

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
)

// Name is a name that a Set lists, in its canonical spelling: a package, or for Namespace every
// package of an npm scope.
type Name struct {
	Ecosystem ecosystem.Ecosystem
	Name      string
	Namespace bool
}

// Names yields every name that s lists, in no order, some more than once: a name is in each
// layer, and one is both a name and a scope. With Only also names of other campaigns may come.
// An entry that meets s by name has one of these names, but for letter case in Go.
func (s *Set) Names() iter.Seq[Name] {
	return func(yield func(Name) bool) {
		for _, x := range s.layers {
			for _, e := range ecosystem.All {
				section, ok := nameSection(e)
				if !ok {
					continue
				}
				for key, values := range table(x.sections[section]).all() {
					if !yieldName(yield, e, key, values) {
						return
					}
				}
			}
		}
	}
}

// yieldName yields a name as what its values make of it.
func yieldName(yield func(Name) bool, e ecosystem.Ecosystem, key string, values cursor) bool {
	name, scope := false, false
	for v, ok := values.next(); ok; v, ok = values.next() {
		scope = scope || v.kind == kindNamespace
		name = name || v.kind != kindNamespace
	}
	return (!name || yield(Name{e, key, false})) && (!scope || yield(Name{e, key, true}))
}

// DigestPrefixes yields digest.Digest.Prefix of every digest that s lists, as Names does.
func (s *Set) DigestPrefixes() iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		for _, x := range s.layers {
			for key := range table(x.sections[secDigests]).all() {
				if !yield(binary.BigEndian.Uint64([]byte(key))) {
					return
				}
			}
		}
	}
}

// CommitKeys yields the first CommitKey hex digits, in lower case, of every commit of a git
// dependency that s lists, as Names does.
func (s *Set) CommitKeys() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, x := range s.layers {
			for key := range table(x.sections[secRefs]).all() {
				if !yield(key) {
					return
				}
			}
		}
	}
}

// CommitKey is the number of hex digits of a commit by which a git dependency is looked up: no
// shorter one meets anything.
const CommitKey = refKey

// Digests yields the listed digests with a prefix, as digest.Digest.Prefix gives it. One that is
// not listed costs one look-up and no allocation.
func (s *Set) Digests(prefix uint64) iter.Seq[digest.Digest] {
	return func(yield func(digest.Digest) bool) {
		for _, x := range s.layers {
			values := table(x.sections[secDigests]).findUint(prefix)
			for v, ok := values.next(); ok; v, ok = values.next() {
				algorithm, text, _ := strings.Cut(v.extra, ":")
				if !yield(digest.Digest{Algorithm: digest.ParseAlgorithm(algorithm), Text: text}) {
					return
				}
			}
		}
	}
}

// Known identifies an indicator: by an id that counts within its campaign.
type Known struct{ Campaign, Indicator string }

// Indicators yields every indicator that s has, in no order; one that several layers have more than
// once.
func (s *Set) Indicators() iter.Seq[Known] {
	return func(yield func(Known) bool) {
		for _, x := range s.layers {
			for n := range x.indicators {
				ind := x.indicator(uint32(n))
				p := x.campaign(ind.Campaign)
				if s.only != nil && !s.only[p.ID] {
					continue
				}
				if !yield(Known{p.ID, ind.ID}) {
					return
				}
			}
		}
	}
}

// FilesRevision identifies what s selects files by (File): their paths, names and sizes, the
// blob ids, and whether a digest decides. Sets of equal revision have the same files of a tree in
// scope; which of them are met may differ by their digests.
func (s *Set) FilesRevision() string {
	var all []string
	for _, x := range s.layers {
		for _, n := range x.selectors() {
			ind := x.indicator(n)
			if s.only != nil && !s.only[x.campaign(ind.Campaign).ID] {
				continue
			}
			byDigest := ind.SHA256 != "" || ind.SHA1 != "" || ind.MD5 != ""
			all = append(all, fmt.Sprintf("%q %q %d %d %d %q %t", ind.Path, ind.Name, ind.Size, ind.SizeMin, ind.SizeMax, ind.GitBlob, byDigest))
		}
	}
	return revisionOf(all)
}

// PropertiesRevision identifies what s asks of the values that a repository shows (Property). Sets
// of equal revision meet the same values.
func (s *Set) PropertiesRevision() string {
	var all []string
	for _, x := range s.layers {
		for at := 0; at < len(x.sections[secProperties]); at += 4 {
			ind := x.indicator(table(x.sections[secProperties]).u32(at))
			if s.only == nil || s.only[x.campaign(ind.Campaign).ID] {
				all = append(all, fmt.Sprintf("%q %q", ind.Kind, ind.Value))
			}
		}
	}
	return revisionOf(all)
}

// revisionOf is a digest of lines, whatever their order and however often each is there.
func revisionOf(lines []string) string {
	slices.Sort(lines)
	h := sha256.New()
	for _, line := range slices.Compact(lines) {
		fmt.Fprintln(h, line)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// selectors are the indicators that File and Blob ask for.
func (x *index) selectors() []uint32 {
	var out []uint32
	for _, section := range []int{secBases, secBlobs, secSizes} {
		for _, values := range table(x.sections[section]).all() {
			for v, ok := values.next(); ok; v, ok = values.next() {
				out = append(out, v.indicator)
			}
		}
	}
	for i := range x.globs {
		out = append(out, x.globs[i].indicator)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
