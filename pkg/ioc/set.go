package ioc

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/version"
)

// Set is a compiled catalogue, ready to be asked. The zero value holds nothing and matches
// nothing. A Set is safe for concurrent use and is never changed: With and Only make new
// ones.
type Set struct {
	layers []*index
	only   map[string]bool // campaigns, nil for all
}

// Match is an indicator met by a package, a digest or a file. Its pointers are shared and
// must not be written to.
type Match struct {
	Campaign  *Pack      // without Indicators and Repairs
	Indicator *Indicator // without Versions
	Reason    Reason
}

// Reason is a reason code: how an indicator was met, or why it was not. The codes are a
// contract; docs/reasons.md says what each means.
type Reason string

// The reasons of matches.
const (
	ExactVersion Reason = "exact-version"    // the version is listed
	LocalVersion Reason = "local-version"    // PyPI: listed without the local part that the entry has
	VersionRange Reason = "version-range"    // inside a listed range
	AllVersions  Reason = "all-versions"     // every version of the name is listed
	Namespace    Reason = "namespace"        // every package of the scope is listed
	CaseOnly     Reason = "case-only"        // Go: a listed path but for letter case
	LatentRange  Reason = "latent-range"     // a range that admits a listed version
	Integrity    Reason = "integrity"        // the digest is listed, whatever the name
	GitCommit    Reason = "git-commit"       // the locked commit is listed
	FilePath     Reason = "file-path"        // path or name of a file
	FileSize     Reason = "file-size"        // size of a file, with whatever else the indicator asks
	GitBlob      Reason = "git-blob"         // git blob id of a file
	FileDigest   Reason = "file-digest"      // digest of a file's content
	OtherVersion Reason = "other-version"    // no match: the name is listed, this version is not
	SafeVersion  Reason = "safe-version"     // no match: the version is known good
	OddVersion   Reason = "version-unread"   // no match: the version is outside the grammar, so it equals none
	OtherContent Reason = "other-content"    // no match: path or size is listed with a digest that the file lacks
	OtherName    Reason = "name-not-listed"  // no match: the ordinary case
	NoLatent     Reason = "range-not-latent" // no match: the range admits no listed version
)

// index is one compiled catalogue, read in place.
type index struct {
	data       string
	sections   [sections]string
	globs      []glob // decoded when opened: they are tried on every file
	campaigns  []once[Pack]
	indicators []once[indexed]
	tests      propertyTests
}

type glob struct {
	indicator        uint32
	path             string
	sizeMin, sizeMax int64
}

// once decodes a record the first time that it is asked for.
type once[T any] struct {
	sync.Once
	value *T
}

func (o *once[T]) get(record func() []byte) *T {
	o.Do(func() {
		o.value = new(T)
		mustDecode(record(), o.value)
	})
	return o.value
}

// ErrIndex is returned by Open for bytes that Compile did not make, or another version of it.
var ErrIndex = errors.New("not an index of this version")

// Open makes a Set of an index; it keeps data, and checks its frame but not each record.
func Open(data string) (*Set, error) {
	if len(data) < headerSize || data[:len(magic)] != magic {
		return nil, ErrIndex
	}
	x := &index{data: data}
	header := table(data)
	for i := range x.sections {
		at := headerSize - 8*sections + 8*i
		from, size := int(header.u32(at)), int(header.u32(at+4))
		if from < headerSize || from+size > len(data) {
			return nil, fmt.Errorf("section %d: %w", i, ErrIndex)
		}
		x.sections[i] = data[from : from+size]
	}
	x.campaigns = make([]once[Pack], table(x.sections[secCampaigns]).u32(0))
	x.indicators = make([]once[indexed], table(x.sections[secIndicators]).u32(0))
	for at := 0; at < len(x.sections[secGlobs]); at += 4 {
		n := table(x.sections[secGlobs]).u32(at)
		ind := x.indicator(n)
		x.globs = append(x.globs, glob{n, ind.Path, ind.SizeMin, ind.SizeMax})
	}
	return &Set{layers: []*index{x}}, nil
}

// With is a Set that holds what s holds and what more holds.
func (s *Set) With(more *Set) *Set {
	return &Set{layers: append(slices.Clone(s.layers), more.layers...), only: s.only}
}

// ErrNoCampaign is returned by Only for an id that no pack has.
var ErrNoCampaign = errors.New("no such campaign")

// Only is a Set that holds the named campaigns of s alone.
func (s *Set) Only(ids ...string) (*Set, error) {
	known := map[string]bool{}
	for _, p := range s.Campaigns() {
		known[p.ID] = true
	}
	only := map[string]bool{}
	for _, id := range ids {
		if !known[id] {
			return nil, fmt.Errorf("%q: %w", id, ErrNoCampaign)
		}
		only[id] = true
	}
	return &Set{layers: s.layers, only: only}, nil
}

// Campaigns lists the campaigns of s, without their indicators, in the order of the packs.
func (s *Set) Campaigns() []*Pack {
	var out []*Pack
	for _, x := range s.layers {
		for i := range x.campaigns {
			if p := x.campaign(i); s.only == nil || s.only[p.ID] {
				out = append(out, p)
			}
		}
	}
	return out
}

// Stats counts what s holds. What stands in several layers, or with Only in several
// campaigns, is counted in each.
func (s *Set) Stats() Stats {
	total := newStats()
	for _, x := range s.layers {
		if s.only == nil {
			total.add(x.stats(0))
			continue
		}
		for i := range x.campaigns {
			if s.only[x.campaign(i).ID] {
				total.add(x.stats(i + 1))
			}
		}
	}
	return total
}

func (st *Stats) add(more Stats) {
	st.Campaigns += more.Campaigns
	st.Indicators += more.Indicators
	st.Packages += more.Packages
	st.Versions += more.Versions
	addCounts(st.ByType, more.ByType)
	addCounts(st.Unmatched, more.Unmatched)
	addCounts(st.BySize, more.BySize)
	for t, kinds := range more.Shown {
		for kind, n := range kinds {
			st.show(t, kind, n)
		}
	}
}

func newStats() Stats {
	return Stats{ByType: map[Type]int{}, Unmatched: map[Type]int{}, Shown: map[Type]map[string]int{}, BySize: map[Type]int{}}
}

func (st *Stats) show(t Type, kind string, n int) {
	if st.Shown[t] == nil {
		st.Shown[t] = map[string]int{}
	}
	st.Shown[t][kind] += n
}

// stats are those of the whole index for 0, and of campaign n-1 else.
func (x *index) stats(n int) Stats {
	var st Stats
	mustDecode(x.record(secStats, n), &st)
	return st
}

func addCounts(to, from map[Type]int) {
	for _, k := range slices.Sorted(maps.Keys(from)) {
		to[k] += from[k]
	}
}

// Revision identifies the contents of s: equal revisions give equal answers.
func (s *Set) Revision() string {
	out := make([]string, len(s.layers))
	for i, x := range s.layers {
		out[i] = fmt.Sprintf("%x", x.data[len(magic):len(magic)+8])
	}
	return strings.Join(out, "+")
}

func (x *index) record(section int, n int) []byte {
	list := table(x.sections[section])
	count := int(list.u32(0))
	from := uint32(0)
	if n > 0 {
		from = list.u32(4 * n)
	}
	begin := 4 + 4*count
	return []byte(list[begin+int(from) : begin+int(list.u32(4*n+4))])
}

func (x *index) campaign(n int) *Pack {
	return x.campaigns[n].get(func() []byte { return x.record(secCampaigns, n) })
}

func (x *index) indicator(n uint32) *indexed {
	return x.indicators[n].get(func() []byte { return x.record(secIndicators, int(n)) })
}

// mustDecode reads a record that Compile wrote. A record that does not decode is a broken
// binary, and an indicator lost in silence would be a miss.
func mustDecode(text []byte, v any) {
	if err := json.Unmarshal(text, v); err != nil {
		panic(fmt.Sprintf("ioc: index is damaged: %v", err))
	}
}

// match makes the Match of indicator n, unless its campaign is not asked for.
func (s *Set) match(out []Match, x *index, n uint32, why Reason) []Match {
	ind := x.indicator(n)
	p := x.campaign(ind.Campaign)
	if s.only != nil && !s.only[p.ID] {
		return out
	}
	return append(out, Match{p, &ind.Indicator, why})
}

// Package asks for one version of a package by its canonical name. It returns the matches,
// and where there are none the reason: OtherName, OtherVersion, SafeVersion or OddVersion.
// A name that is not listed costs one look-up and no allocation.
func (s *Set) Package(e ecosystem.Ecosystem, name, ver string) ([]Match, Reason) {
	section, ok := nameSection(e)
	if !ok {
		return nil, OtherName
	}
	var out []Match
	why := OtherName
	for _, x := range s.layers {
		q := query{set: s, index: x, ecosystem: e, version: ver, why: OtherName}
		q.ask(table(x.sections[section]).find(name), "")
		if e == ecosystem.Go && q.why == OtherName && len(q.out) == 0 {
			folded := strings.ToLower(name)
			q.ask(table(x.sections[secGoFolded]).find(folded), CaseOnly)
			if folded != name {
				q.ask(table(x.sections[section]).find(folded), CaseOnly)
			}
		}
		if scope := scopeOf(e, name); scope != "" {
			q.ask(table(x.sections[section]).find(scope), Namespace)
		}
		out = append(out, q.out...)
		if q.why != OtherName {
			why = q.why
		}
	}
	if len(out) > 0 {
		return out, out[0].Reason
	}
	return nil, why
}

// scopeOf is the npm scope of a name, "" where it has none: no name is listed under that.
func scopeOf(e ecosystem.Ecosystem, name string) string {
	if e == ecosystem.NPM && strings.HasPrefix(name, "@") {
		if scope, _, ok := strings.Cut(name, "/"); ok {
			return scope
		}
	}
	return ""
}

// query is one question to one index.
type query struct {
	set       *Set
	index     *index
	ecosystem ecosystem.Ecosystem
	version   string

	canonical, public string // of version, once a name was met
	odd               bool   // version is outside the grammar
	out               []Match
	why               Reason // of no match
}

// ask goes through the values of a name. reason, where set, replaces that of the match: the
// name was met in another way than letter by letter.
func (q *query) ask(values cursor, reason Reason) {
	if values.left == 0 {
		return
	}
	if q.canonical == "" {
		if q.ecosystem == ecosystem.Actions {
			q.version = actionRef(q.version)
		}
		var err error
		if q.canonical, err = version.Canonical(q.ecosystem, q.version); err != nil {
			q.canonical, q.odd = q.version, true
		}
		q.public = version.Public(q.ecosystem, q.canonical)
	}
	for v, ok := values.next(); ok; v, ok = values.next() {
		why := q.test(v)
		switch {
		case v.kind == kindNamespace != (reason == Namespace):
			continue
		case why == OtherVersion || why == SafeVersion || why == OddVersion:
			if reason != Namespace {
				q.why = why
			}
		case reason != "":
			q.out = q.set.match(q.out, q.index, v.indicator, reason)
		default:
			q.out = q.set.match(q.out, q.index, v.indicator, why)
		}
	}
}

// actionRef is what an action is pinned to as lists write it: a tag or branch by its short
// name, a commit id in lower case. git takes the full name of a ref and parts
// of it, and either case of an id.
func actionRef(ref string) string {
	for _, prefix := range []string{"refs/tags/", "refs/heads/", "tags/", "heads/"} {
		if short, ok := strings.CutPrefix(ref, prefix); ok {
			return short
		}
	}
	if len(ref) == 40 && strings.Trim(ref, "0123456789abcdefABCDEF") == "" {
		return strings.ToLower(ref)
	}
	return ref
}

// test says how a value meets the version, or why it does not.
func (q *query) test(v value) Reason {
	switch v.kind {
	case kindExact:
		switch {
		case v.extra == q.canonical:
			return ExactVersion
		case v.extra == q.public:
			return LocalVersion
		case q.odd:
			return OddVersion
		}
		return OtherVersion
	case kindRanges, kindAll, kindNamespace:
		ind := q.index.indicator(v.indicator)
		for _, safe := range ind.SafeVersion {
			if canonical, err := version.Canonical(q.ecosystem, safe); err == nil && canonical == q.canonical {
				return SafeVersion
			}
		}
		if v.kind == kindAll {
			return AllVersions
		}
		if v.kind == kindNamespace {
			return Namespace
		}
		for _, r := range ind.Ranges {
			if in, err := r.contains(q.ecosystem, q.version); err == nil && in && !r.Unbounded {
				return VersionRange
			}
		}
		if q.odd {
			return OddVersion
		}
	}
	return OtherVersion
}

// Latent asks for a range that a manifest or a requirement gives, "" for none: does it admit
// a listed exact version, so that the next install could bring it in? One that is no range,
// the tag "latest" for one, may come to stand for any. A name of which every version is listed
// is met by any range, as AllVersions, and any name of a listed scope as Namespace. The reason
// of no match is OtherName or NoLatent.
func (s *Set) Latent(e ecosystem.Ecosystem, name, expr string) ([]Match, Reason) {
	section, ok := nameSection(e)
	if !ok {
		return nil, OtherName
	}
	var out []Match
	why := OtherName
	for _, x := range s.layers {
		scope := table(x.sections[section]).find(scopeOf(e, name))
		for v, ok := scope.next(); ok; v, ok = scope.next() {
			if v.kind == kindNamespace {
				out = s.match(out, x, v.indicator, Namespace)
			}
		}
		values := table(x.sections[section]).find(name)
		if values.left == 0 {
			continue
		}
		why = NoLatent
		asked, err := version.ParseRange(e, expr)
		admits := func(v string) bool { return err != nil || asked.Contains(v) }
		met := map[uint32]bool{}
		for v, ok := values.next(); ok; v, ok = values.next() {
			switch {
			case met[v.indicator]:
			case v.kind == kindAll:
				met[v.indicator] = true
				out = s.match(out, x, v.indicator, AllVersions)
			case v.kind == kindExact && admits(v.extra):
				met[v.indicator] = true
				out = s.match(out, x, v.indicator, LatentRange)
			}
		}
	}
	if len(out) > 0 {
		return out, out[0].Reason
	}
	return nil, why
}

// Digest asks for a digest, of a package's artifact or of a file. A digest that is not
// listed costs one look-up and no allocation.
func (s *Set) Digest(d digest.Digest) []Match {
	prefix, ok := d.Prefix()
	if !ok {
		return nil
	}
	var out []Match
	for _, x := range s.layers {
		values := table(x.sections[secDigests]).findUint(prefix)
		for v, ok := values.next(); ok; v, ok = values.next() {
			if v.extra != d.String() {
				continue
			}
			why := Integrity
			if x.indicator(v.indicator).Type != TypePackage {
				why = FileDigest
			}
			out = s.match(out, x, v.indicator, why)
		}
	}
	return out
}

// Commit asks for a git dependency: the address as the lockfile writes it, and the commit, of
// which a manifest may give the first digits alone.
func (s *Set) Commit(url, commit string) []Match {
	if len(commit) < refKey {
		return nil
	}
	commit = strings.ToLower(commit)
	var out []Match
	for _, x := range s.layers {
		values := table(x.sections[secRefs]).find(commit[:refKey])
		for v, ok := values.next(); ok; v, ok = values.next() {
			ind := x.indicator(v.indicator)
			listed := strings.ToLower(ind.Commit)
			if (strings.HasPrefix(commit, listed) || strings.HasPrefix(listed, commit)) && GitRepository(ind.GitURL) == GitRepository(url) {
				out = s.match(out, x, v.indicator, GitCommit)
			}
		}
	}
	return out
}

// GitRepository is the one spelling of a git address by which two are compared: host and
// path in lower case, without scheme, user, port, query, fragment or ".git".
// "github:owner/repo" and "owner/repo" are GitHub's, as npm reads them.
func GitRepository(url string) string {
	s := strings.ToLower(url)
	s, _, _ = strings.Cut(s, "#")
	s, _, _ = strings.Cut(s, "?")
	s = strings.TrimPrefix(s, "git+")
	if _, rest, ok := strings.Cut(s, "://"); ok {
		s = rest
		if host, path, ok := strings.Cut(s, "/"); ok {
			host = host[strings.LastIndexByte(host, '@')+1:]
			host, _, _ = strings.Cut(host, ":")
			s = host + "/" + path
		}
	} else if host, path, ok := strings.Cut(s, ":"); ok {
		host = host[strings.LastIndexByte(host, '@')+1:]
		switch {
		case host == "bitbucket":
			host = "bitbucket.org"
		case !strings.Contains(host, "."):
			host += ".com" // "github:", "gitlab:"
		}
		s = host + "/" + strings.TrimPrefix(path, "/")
	} else if host, _, ok := strings.Cut(s, "/"); ok && !strings.Contains(host, ".") {
		s = "github.com/" + s
	}
	return strings.TrimSuffix(strings.Trim(s, "/"), ".git")
}
