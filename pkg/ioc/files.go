package ioc

import (
	"path"
	"strings"
)

// File asks for a file by what its tree tells: path with slashes, size in bytes or
// -1, git blob id or "". It returns the matches that are certain, and whether an indicator selects the
// file but is decided by a digest of its content, so that the caller hashes the file and
// asks Digest and, where it gave no blob id, Blob.
func (s *Set) File(p string, size int64, blob string) (matches []Match, hash bool) {
	for _, x := range s.layers {
		q := fileQuery{set: s, index: x, path: p, size: size, blob: blob}
		q.all(table(x.sections[secBases]).find(path.Base(p)))
		q.all(table(x.sections[secSizes]).findUint(uint64(size)))
		q.out = s.blob(q.out, x, blob)
		for i := range x.globs {
			g := &x.globs[i]
			if inSize(size, g.sizeMin, g.sizeMax) && (g.path == "" || matchGlob(g.path, p)) {
				q.one(g.indicator)
			}
		}
		matches = append(matches, q.out...)
		hash = hash || q.hash
	}
	return matches, hash
}

// AsksSize reports whether an indicator that the path meets asks for a size besides, so that File
// cannot tell without one.
func (s *Set) AsksSize(p string) bool {
	for _, x := range s.layers {
		values := table(x.sections[secBases]).find(path.Base(p))
		for v, ok := values.next(); ok; v, ok = values.next() {
			if x.indicator(v.indicator).asksSizeOf(p) {
				return true
			}
		}
		for i := range x.globs {
			if ind := x.indicator(x.globs[i].indicator); ind.Path != "" && ind.asksSizeOf(p) {
				return true
			}
		}
	}
	return false
}

func (ind *indexed) asksSizeOf(p string) bool {
	return (ind.Size != 0 || ind.SizeMin != 0 || ind.SizeMax != 0) &&
		(ind.Path == "" || matchGlob(ind.Path, p)) && (ind.Name == "" || ind.Name == path.Base(p))
}

// Blob asks for a git blob id, for a file whose tree did not tell it.
func (s *Set) Blob(id string) []Match {
	var out []Match
	for _, x := range s.layers {
		out = s.blob(out, x, id)
	}
	return out
}

func (s *Set) blob(out []Match, x *index, id string) []Match {
	if id == "" {
		return out
	}
	values := table(x.sections[secBlobs]).find(strings.ToLower(id))
	for v, ok := values.next(); ok; v, ok = values.next() {
		out = s.match(out, x, v.indicator, GitBlob)
	}
	return out
}

type fileQuery struct {
	set   *Set
	index *index
	path  string
	size  int64
	blob  string
	out   []Match
	hash  bool
}

func (q *fileQuery) all(values cursor) {
	for v, ok := values.next(); ok; v, ok = values.next() {
		q.one(v.indicator)
	}
}

// one tests all that indicator n asks of a file, but for digests.
func (q *fileQuery) one(n uint32) {
	ind := q.index.indicator(n)
	switch {
	case ind.Path != "" && !matchGlob(ind.Path, q.path),
		ind.Name != "" && ind.Name != path.Base(q.path),
		ind.Size != 0 && ind.Size != q.size,
		!inSize(q.size, ind.SizeMin, ind.SizeMax):
		return
	case ind.SHA256 != "" || ind.SHA1 != "" || ind.MD5 != "":
		q.hash = true
		return
	case ind.GitBlob != "": // decided by the blob id alone
		q.hash = q.hash || q.blob == ""
		return
	}
	why := FilePath
	if ind.Path == "" && ind.Name == "" {
		why = FileSize
	}
	q.out = q.set.match(q.out, q.index, n, why)
}

// inSize reports whether size is between the bounds, of which 0 is none. A size that is not
// known, -1, is between no others.
func inSize(size, least, most int64) bool {
	return (least == 0 || size >= least) && (most == 0 || 0 <= size && size <= most)
}
