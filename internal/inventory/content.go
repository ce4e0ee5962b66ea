package inventory

import (
	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// Content is what one reader made of one content: all of a lockfile.File but the edges, of
// which one way from the project to each package is kept, and of each digest its first bytes.
type Content struct {
	Key
	Problems []lockfile.Problem
	Includes []lockfile.Include

	// packages are those of the file without Digests and RequiredBy: see File.
	packages []lockfile.Package
	ways     Ways
	digests  [][]cut // of each package; nil where no package has one
}

// cutSize is how much of a digest is kept, in bytes. Its only use is to be found again by a
// listed digest, which a finding then shows whole; and nobody can make bytes whose digest
// agrees with a given one so far.
const cutSize = 16

// cut is the beginning of a digest.
type cut struct {
	algorithm digest.Algorithm
	bytes     [cutSize]byte
}

// NewContent takes what a reader made of a content with Options.Edges; the edges may be left
// out, and then no package has a Chain. It shares the strings of file.
func NewContent(key Key, file *lockfile.File) *Content {
	c := &Content{Key: key, Problems: file.Problems, Includes: file.Includes, ways: NewWays(file)}
	c.packages = make([]lockfile.Package, len(file.Packages))
	copy(c.packages, file.Packages)
	for i := range c.packages {
		p := &c.packages[i]
		for _, d := range p.Digests {
			if b, ok := d.Bytes(); ok {
				if c.digests == nil {
					c.digests = make([][]cut, len(c.packages))
				}
				c.digests[i] = append(c.digests[i], cut{d.Algorithm, [cutSize]byte(b)})
			}
		}
		p.Digests, p.RequiredBy = nil, nil
	}
	return c
}

// File is the content as its reader gave it, ready to be matched against set: without the
// edges, and with those digests alone that set lists.
func (c *Content) File(set *ioc.Set) lockfile.File {
	file := lockfile.File{Packages: c.packages, Problems: c.Problems, Includes: c.Includes}
	copied := false
	for i, cuts := range c.digests {
		for _, d := range cuts {
			for listed := range set.Digests(d.prefix()) {
				if !d.begins(listed) {
					continue
				}
				if !copied { // c itself stays as it is
					file.Packages, copied = append([]lockfile.Package(nil), c.packages...), true
				}
				p := &file.Packages[i]
				p.Digests = append(p.Digests, listed)
			}
		}
	}
	return file
}

// Len is the number of packages.
func (c *Content) Len() int { return len(c.packages) }

// Package is package i without its digests; it is not to be written to.
func (c *Content) Package(i int) *lockfile.Package { return &c.packages[i] }

// HasDigest reports whether package i has the digest d.
func (c *Content) HasDigest(i int, d digest.Digest) bool {
	if c.digests == nil {
		return false
	}
	for _, own := range c.digests[i] {
		if own.begins(d) {
			return true
		}
	}
	return false
}

// HasAlgorithm reports whether package i has a digest of that algorithm.
func (c *Content) HasAlgorithm(i int, a digest.Algorithm) bool {
	if c.digests == nil {
		return false
	}
	for _, own := range c.digests[i] {
		if own.algorithm == a {
			return true
		}
	}
	return false
}

// Chain is the way from the project to package i, as Ways.To gives it.
func (c *Content) Chain(i int) []string { return c.ways.To(c.packages, i) }

// Summary counts what the content holds.
func (c *Content) Summary() Summary {
	s := Summary{Packages: len(c.packages), Problems: len(c.Problems), Includes: len(c.Includes)}
	for i := range c.packages {
		s.Kinds[c.packages[i].Source.Kind]++
	}
	return s
}

// prefix is digest.Digest.Prefix of the whole.
func (d cut) prefix() uint64 {
	p, _ := digest.PrefixOf(d.algorithm, d.bytes[:])
	return p
}

// begins reports whether d is the beginning of whole.
func (d cut) begins(whole digest.Digest) bool {
	b, ok := whole.Bytes()
	return ok && whole.Algorithm == d.algorithm && [cutSize]byte(b) == d.bytes
}
