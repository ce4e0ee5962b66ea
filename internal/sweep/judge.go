package sweep

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/match"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// RequiresUnmet is the reason code of a match whose indicator counts only together with
// others that were not met in the repository.
const RequiresUnmet ioc.Reason = "requires-unmet"

// LockedBeside is the reason code of a range that admits a listed version and is locked: a
// lockfile in the same folder or above it decides what the next install brings.
const LockedBeside ioc.Reason = "locked-beside"

// lockedBeside reports whether h is such a range.
func (t *treeResult) lockedBeside(fr *fileResult, h *hit) bool {
	if h.found.Reason != ioc.LatentRange {
		return false
	}
	if t.locked == nil {
		t.locked = map[lockedIn]bool{}
		for _, other := range t.inScope {
			if other.content == nil {
				continue
			}
			for _, name := range other.content.tell().locked {
				t.locked[lockedIn{path.Dir(other.file.Path), name}] = true
			}
		}
	}
	name := lockedName{ecosystem.Ecosystem(h.pkg.Ecosystem), h.pkg.Name}
	for dir := path.Dir(fr.file.Path); ; dir = path.Dir(dir) {
		if t.locked[lockedIn{dir, name}] {
			return true
		}
		if dir == "." || dir == "/" {
			return false
		}
	}
}

// anyLatent reports whether a range of the tree admits a listed version.
func (t *treeResult) anyLatent() bool {
	for _, fr := range t.inScope {
		if fr.content == nil {
			continue
		}
		for i := range fr.content.tell().hits {
			if fr.content.tell().hits[i].found.Reason == ioc.LatentRange {
				return true
			}
		}
	}
	return false
}

// events are the findings, problems and ledger rows of a repository, sorted.
func (r *result) events(opt Options) []finding.Event {
	var out []finding.Event
	for _, f := range r.findings(opt) {
		out = append(out, f)
	}
	for _, m := range r.nonMatches(opt) {
		out = append(out, m)
	}
	for _, p := range r.allProblems(opt) {
		out = append(out, p)
	}
	for _, t := range r.trees {
		for _, c := range r.ledger(t) {
			out = append(out, c)
		}
	}
	if len(r.trees) == 0 && len(r.notes) > 0 {
		out = append(out, r.without())
	}
	return out
}

// candidate is a match at a place, before the whole repository is known.
type candidate struct {
	match ioc.Match
	blobs []string // of the contents of the file that hold it, one in each state of the repository
	*finding.Finding
}

// findings judges the matches of all trees together: a weak indicator needs company, and one
// that requires others counts only with them, wherever in the repository they are.
func (r *result) findings(opt Options) []*finding.Finding {
	candidates := r.candidates()
	company := companies(candidates)
	var out []*finding.Finding
	for _, c := range candidates {
		c.State = company.state(c)
		if opt.Exclusions != nil {
			if c.Exclusion = c.exclusion(opt.Exclusions); c.Exclusion != nil {
				c.State = finding.Excluded
			}
		}
		out = append(out, c.Finding)
	}
	out = merged(out)
	slices.SortStableFunc(out, func(a, b *finding.Finding) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line),
			strings.Compare(a.Campaign, b.Campaign), strings.Compare(a.Indicator, b.Indicator))
	})
	return out
}

// exclusion is the one that covers the finding in each content that holds it, if any does.
func (c candidate) exclusion(by Exclusions) *finding.Exclusion {
	var out *finding.Exclusion
	for _, blob := range c.blobs {
		f := *c.Finding
		f.Blob = blob
		e := by.Finding(&f)
		if e == nil {
			return nil
		}
		out = cmp.Or(out, e)
	}
	return out
}

// placeKey is what makes two matches one finding: the refs that hold it are then listed. One
// that was withdrawn is none with its like in another list, where it was not.
type placeKey struct {
	repository string // which is another's for what a member of the organisation shows
	file       string
	line       int
	indicator  string
	campaign   string
	pkg        string // name, version and range as they stand: a purl folds letter case
	withdrawn  bool
}

func packageKey(p *finding.Package) string { return p.Name + "\x00" + p.Version + "\x00" + p.Range }

func (r *result) candidates() []candidate {
	var out []candidate
	at := map[placeKey]int{}
	add := func(ref, commit string, c candidate) {
		f := c.Finding
		if f.Repository == "" {
			f.Repository, f.Number = r.name, r.number
		}
		key := placeKey{repository: f.Repository, file: f.File, line: f.Line, indicator: f.Indicator, campaign: f.Campaign, withdrawn: withdrawn(c.match)}
		if f.Package != nil {
			key.pkg = packageKey(f.Package)
		}
		i, seen := at[key]
		if !seen {
			f.Fingerprint = finding.Fingerprint(f)
			at[key] = len(out)
			f.Refs, f.Commit, c.blobs = []string{}, commit, []string{f.Blob}
			if ref != "" {
				f.Refs = []string{ref}
			}
			out = append(out, c)
			return
		}
		f = out[i].Finding
		if !slices.Contains(out[i].blobs, c.Blob) {
			out[i].blobs = append(out[i].blobs, c.Blob)
		}
		if ref != "" && !slices.Contains(f.Refs, ref) {
			f.Refs = append(f.Refs, ref)
			f.Commit = cmp.Or(f.Commit, commit)
		}
		for _, why := range c.Reasons {
			if !slices.Contains(f.Reasons, why) {
				f.Reasons = append(f.Reasons, why)
			}
		}
		f.Digest = cmp.Or(f.Digest, c.Digest)
	}
	for _, s := range r.shown {
		c := newCandidate(s.match)
		c.Reasons = []string{string(s.match.Reason)}
		c.Observable, c.Repository = s.Property+" "+s.Value, s.Where
		add(s.Ref, s.Commit, c)
	}
	inFile := func(t *treeResult, fr *fileResult, c candidate) {
		c.File, c.Blob = fr.file.Path, fr.blob
		if fr.format != nil {
			c.Format = fr.format.ID
		}
		add(t.ref, t.commit, c)
		for _, ref := range t.also {
			also := *c.Finding
			add(ref.Name, ref.Commit, candidate{match: c.match, Finding: &also})
		}
	}
	for _, t := range r.trees {
		for _, fr := range t.inScope {
			for _, m := range fr.matches {
				c := newCandidate(m)
				c.Reasons = []string{string(m.Reason)}
				if m.Reason == ioc.FileDigest || m.Reason == ioc.Integrity {
					c.Digest = fr.digest
				}
				inFile(t, fr, c)
			}
			if fr.content == nil {
				continue
			}
			for i := range fr.content.tell().hits {
				h := &fr.content.tell().hits[i]
				if t.lockedBeside(fr, h) {
					continue
				}
				c := newCandidate(h.found.Match)
				for _, why := range h.found.Reasons {
					c.Reasons = append(c.Reasons, string(why))
				}
				pkg := h.pkg
				c.Package, c.Line, c.Chain, c.Digest = &pkg, h.line, h.chain, h.found.Digest
				inFile(t, fr, c)
			}
		}
	}
	return out
}

// newCandidate fills in what the indicator and its campaign say.
func newCandidate(m ioc.Match) candidate {
	f := &finding.Finding{
		Campaign: m.Campaign.ID, Title: m.Campaign.Title, Severity: string(m.Campaign.Severity),
		Indicator: m.Indicator.ID, Type: string(m.Indicator.Type), Confidence: string(m.Indicator.Confidence),
		Observable: observable(m.Indicator),
		Sources:    m.Indicator.Sources, Safe: m.Indicator.SafeVersion, Action: m.Indicator.Action, Advisory: m.Indicator.OSV,
	}
	if w := m.Indicator.Window; w != nil {
		f.Window = &finding.Window{From: w.From, Until: w.Until}
	} else if m.Campaign.FirstSeen != "" {
		f.Window = &finding.Window{From: m.Campaign.FirstSeen, Until: m.Campaign.LastSeen}
	}
	return candidate{match: m, Finding: f}
}

// observable is what an indicator that is no package says of a file, in a few words.
func observable(ind *ioc.Indicator) string {
	switch {
	case ind.Path != "":
		return "path " + ind.Path
	case ind.Name != "" && ind.Type != ioc.TypePackage:
		return "name " + ind.Name
	case ind.SHA256 != "":
		return "sha256 " + ind.SHA256
	case ind.SHA1 != "":
		return "sha1 " + ind.SHA1
	case ind.MD5 != "":
		return "md5 " + ind.MD5
	case ind.GitBlob != "":
		return "git blob " + ind.GitBlob
	case ind.Size != 0:
		return fmt.Sprintf("size %d", ind.Size)
	case ind.GitURL != "":
		return "commit " + ind.GitURL + "#" + ind.Commit
	}
	return ""
}

// company knows, for each campaign, what was met in the repository.
type company struct {
	indicators map[string]bool // "campaign\x00indicator id"
	types      map[string]int  // "campaign\x00type": distinct indicators
	strong     map[string]bool // campaigns with a match that counts on its own
}

func companies(cs []candidate) company {
	c := company{map[string]bool{}, map[string]int{}, map[string]bool{}}
	for _, x := range cs {
		if withdrawn(x.match) {
			continue
		}
		key := x.Campaign + "\x00" + x.Indicator
		if !c.indicators[key] {
			c.indicators[key] = true
			c.types[x.Campaign+"\x00"+x.Type]++
		}
	}
	for _, x := range cs {
		if x.match.Indicator.Confidence != ioc.Weak && c.state(x) == finding.Active {
			c.strong[x.Campaign] = true
		}
	}
	return c
}

func (c company) state(x candidate) finding.State {
	has := func(why ioc.Reason) bool { return slices.Contains(x.Reasons, string(why)) }
	requires := x.match.Indicator.Requires
	switch {
	case withdrawn(x.match):
		return finding.Withdrawn
	case has(ioc.CaseOnly):
		return finding.LookAlike
	case has(ioc.LatentRange) || has(match.MovedTag):
		return finding.Latent
	case !c.met(x, requires):
		if !has(RequiresUnmet) {
			x.Reasons = append(x.Reasons, string(RequiresUnmet))
		}
		return finding.Weak
	case x.match.Indicator.Confidence == ioc.Weak && len(requires) == 0 && !c.strong[x.Campaign]:
		return finding.Weak
	}
	return finding.Active
}

// met reports whether one of each required indicator or type was met beside x itself.
func (c company) met(x candidate, requires []string) bool {
	for _, want := range requires {
		others := c.types[x.Campaign+"\x00"+want]
		if want == x.Type {
			others--
		}
		if others <= 0 && !c.indicators[x.Campaign+"\x00"+want] {
			return false
		}
	}
	return true
}

func withdrawn(m ioc.Match) bool {
	return m.Indicator.Status == ioc.Withdrawn || m.Campaign.Status == ioc.PackWithdrawn
}

// addRefs appends the refs of t that refs lacks.
func (t *treeResult) addRefs(refs []string) []string {
	if !slices.Contains(refs, t.ref) {
		refs = append(refs, t.ref)
	}
	for _, ref := range t.also {
		if !slices.Contains(refs, ref.Name) {
			refs = append(refs, ref.Name)
		}
	}
	return refs
}

// nonMatches are the listed names that were no finding, and the files that an indicator
// selected and whose content is another; only where they were asked for.
func (r *result) nonMatches(opt Options) []*finding.NonMatch {
	if !opt.Explain {
		return nil
	}
	var out []*finding.NonMatch
	at := map[placeKey]*finding.NonMatch{}
	add := func(t *treeResult, fr *fileResult, line int, pkg *finding.Package, why string) {
		key := placeKey{file: fr.file.Path, line: line}
		if pkg != nil {
			key.pkg = pkg.PURL
		}
		m := at[key]
		if m == nil {
			m = &finding.NonMatch{Repository: r.name, File: fr.file.Path, Line: line, Blob: fr.blob, Package: pkg, Reason: why}
			if fr.format != nil {
				m.Format = fr.format.ID
			}
			at[key] = m
			out = append(out, m)
		}
		m.Refs = t.addRefs(m.Refs)
	}
	for _, t := range r.trees {
		for _, fr := range t.inScope {
			if fr.hash && fr.digest == "" && fr.err == nil {
				add(t, fr, 0, nil, string(ioc.OtherContent))
			}
			if fr.content == nil {
				continue
			}
			for i := range fr.content.tell().misses {
				m := &fr.content.tell().misses[i]
				add(t, fr, m.line, &m.pkg, string(m.reason))
			}
			for i := range fr.content.tell().hits {
				if h := &fr.content.tell().hits[i]; t.lockedBeside(fr, h) {
					add(t, fr, h.line, &h.pkg, string(LockedBeside))
				}
			}
		}
	}
	return out
}

// allProblems are the problems of the repository, its trees and its files; one that several
// trees share is given once.
func (r *result) allProblems(opt Options) []*finding.Problem {
	var out []*finding.Problem
	type key struct {
		file, blob, code, detail string
		line                     int
	}
	at := map[key]*finding.Problem{}
	add := func(t *treeResult, p finding.Problem) {
		k := key{p.File, p.Blob, p.Code, p.Detail, p.Line}
		old := at[k]
		if old == nil {
			p.Repository, p.Number = r.name, r.number
			old = &p
			at[k] = old
			out = append(out, old)
		}
		if t != nil {
			old.Refs = t.addRefs(old.Refs)
		}
	}
	for _, p := range r.problems {
		add(nil, finding.Problem{File: p.file, Code: p.code, Detail: p.text})
	}
	for _, t := range r.trees {
		for _, p := range t.problems {
			add(t, finding.Problem{File: p.file, Code: p.code, Detail: p.text})
		}
		for _, fr := range t.inScope {
			id := ""
			if fr.format != nil {
				id = fr.format.ID
			}
			if fr.err != nil {
				add(t, finding.Problem{File: fr.file.Path, Blob: fr.blob, Format: id, Code: fr.err.code, Detail: fr.err.text})
			}
			if fr.content == nil {
				continue
			}
			for _, p := range fr.content.tell().problems {
				add(t, finding.Problem{File: fr.file.Path, Line: p.Line, Blob: fr.blob, Format: id, Code: string(p.Code), Detail: p.Detail})
			}
		}
	}
	for _, p := range out {
		if opt.Exclusions != nil {
			p.Exclusion = opt.Exclusions.Problem(p)
		}
	}
	slices.SortStableFunc(out, func(a, b *finding.Problem) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return out
}
