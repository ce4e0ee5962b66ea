package gomod

import (
	"strings"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// sum is a go.sum file that is being read.
type sum struct{ *reader }

// ParseGoSum reads a go.sum or go.work.sum file (golang.org/ref/mod, "go.sum files"): lines
// of a module path, a version with or without "/go.mod", and a digest. The lines of one
// module version that stand together are one entry.
func ParseGoSum(data []byte, opt lockfile.Options) lockfile.File {
	r, ok := newReader(data, 120, true, opt)
	if !ok {
		return r.File
	}
	s := sum{r}
	for {
		line, ok := s.next()
		if !ok {
			break
		}
		s.entry(line)
	}
	return s.finish()
}

// GoSumSample is a go.sum file that lists one module version.
func GoSumSample(name, version string) string {
	const digest = "h1:" + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	return name + " " + version + " " + digest + "\n" + name + " " + version + "/go.mod " + digest + "\n"
}

// hashLen is the length of " h1:" and a digest of 32 bytes in base64.
const hashLen = len(" h1:") + 44

func (s sum) entry(line string) {
	if at := len(line) - hashLen; at > 0 && strings.HasPrefix(line[at:], " h1:") {
		if path, version, ok := strings.Cut(line[:at], " "); ok && path != "" && version != "" && plain(version) {
			s.put(path, version, line[at+1:])
			return
		}
	}
	s.oddEntry(line)
}

// plain reports whether s holds no spaces.
func plain(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' {
			return false
		}
	}
	return true
}

// oddEntry reads a line that is not three words with one space between them, the last one
// as long as a digest is.
func (s sum) oddEntry(line string) {
	fields := strings.Fields(line)
	switch {
	case len(fields) == 0 || s.conflict(line):
	case len(fields) == 3: // the go command takes any spaces
		s.put(fields[0], fields[1], fields[2])
	default:
		code := lockfile.CodeEntry
		if s.rest == "" && len(fields) < 3 {
			code = lockfile.CodeTruncated
		}
		s.problem(code, "%d words, want a module path, a version and a digest: %.100q", len(fields), line)
		if len(fields) >= 2 && looksLikeVersion(fields[1]) {
			s.put(fields[0], fields[1], "")
		}
	}
}

// looksLikeVersion is a quick look at the second word of a damaged line.
func looksLikeVersion(s string) bool { return len(s) > 1 && s[0] == 'v' && '0' <= s[1] && s[1] <= '9' }

// put adds a line to the entry before it, or as a new one.
func (s sum) put(path, version, hash string) {
	version, goMod := strings.CutSuffix(version, "/go.mod")
	n := len(s.Packages)
	if n == 0 || s.Packages[n-1].Name != path || s.Packages[n-1].Version != version {
		s.add(&lockfile.Package{Name: path, Version: version, Source: lockfile.Source{Kind: lockfile.Listed}})
		n++
	}
	if hash == "" {
		return // said already
	}
	text, ok := strings.CutPrefix(hash, "h1:")
	digest := lockfile.Digest{Algorithm: lockfile.H1, Text: text}
	if !ok || !digest.Valid() {
		s.problem(lockfile.CodeDigest, "%.100q: damaged or unknown digest %.100q", path, hash)
		return
	}
	if goMod {
		return
	}
	s.digests = append(s.digests, digest)
	p := &s.Packages[n-1]
	end := len(s.digests)
	p.Digests = s.digests[end-1-len(p.Digests) : end : end]
}
