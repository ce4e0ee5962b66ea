package incident

import (
	"fmt"
	"slices"
	"time"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/source"
)

// SweepOptions say what a sweep was asked for.
type SweepOptions struct {
	// Interest are the repositories that earlier sweeps found something in: the ledger rows of
	// these are kept, as they may prove something.
	Interest []Swept
	// LooksFor says whether the sweep looked for an indicator of a campaign; nil: for all of the
	// campaigns that the Filer has, and no others.
	LooksFor func(campaign, indicator string) bool
	// Listed says whether the catalogue still has what a place was found by: a list may have lost a
	// row of a campaign that it still has. nil: it has.
	Listed func(campaign string, p *Place) bool
	// Gone says that a repository has no ref of that name any more: that all names of its
	// branches and tags were listed, and it was not among them. nil knows none.
	Gone func(r Swept, ref string) bool
	// Partial says that the sweep was asked for a part of the organisation, or some campaigns
	// alone: what it did not look at is then as it was before. A share of the work is partial by
	// itself, and all shares joined are not.
	Partial bool
}

// Sweep is what incidents need to know of one sweep. It takes the events of the sweep as a
// report.Renderer does; those of several shards may follow each other.
//
// It holds the active findings, the problems of the repositories of interest, and one row for
// each ref of these; not the rows of every file.
type Sweep struct {
	opt      SweepOptions
	interest interests

	started         time.Time
	revision        string     // of the catalogue
	only            [][]string // the campaigns that each run was narrowed to, where it was
	runs, summaries int
	interrupted     bool
	fallback        bool // something was read in the second-best way
	swept, verified bool // repositories were swept; what was published was verified

	findings map[string][]*finding.Finding   // active ones, by campaign
	dropped  map[string]int                  // beyond MaxPlaces, by campaign
	aside    map[asideKey][]*finding.Finding // of other states
	trees    map[treeKey]tree
	read     map[Swept]bool               // those of interest, by key, that the sweep said anything of
	problems map[Swept][]*finding.Problem // of those
	shown    map[string]int               // sweeps that looked at a property, whatever it showed
	shows    int                          // sweeps, by their summaries
	lacking  bool                         // a permission, so that something that repositories show was not looked at
	general  map[string]bool              // codes of problems of the whole run
	gaps     gapCounter
	ours     gapCounter // of artifacts
}

type treeKey struct {
	repository Swept // by its key
	ref        string
}

// asideKey is a repository of interest, by its key, and the fingerprint of a finding under the name that
// it had.
type asideKey struct {
	repository  Swept
	fingerprint string
}

type tree struct {
	commit string
	whole  bool
	reason string
}

// NewSweep returns a Sweep that has seen nothing yet.
func NewSweep(opt SweepOptions) *Sweep {
	s := &Sweep{
		opt: opt, interest: newInterests(opt.Interest), findings: map[string][]*finding.Finding{}, dropped: map[string]int{},
		aside: map[asideKey][]*finding.Finding{}, trees: map[treeKey]tree{}, read: map[Swept]bool{}, problems: map[Swept][]*finding.Problem{},
		general: map[string]bool{}, shown: map[string]int{},
	}
	return s
}

// Event takes an event and keeps what it points to. It never fails.
func (s *Sweep) Event(e finding.Event) error {
	switch e := e.(type) {
	case *finding.Run:
		s.verified = s.verified || e.Published
		s.swept = s.swept || !e.Published
		if s.runs++; s.started.IsZero() || e.Started.Before(s.started) {
			s.started, s.revision = e.Started.UTC(), e.Catalogue.Revision
		}
		s.opt.Partial = s.opt.Partial || e.Shard != "" || e.Partial
		if len(e.Only) > 0 {
			s.only = append(s.only, e.Only)
		}
	case *finding.Finding:
		e = named(e)
		switch {
		case e.State != finding.Active:
			s.setAside(e)
		case len(s.findings[e.Campaign]) < MaxPlaces:
			s.findings[e.Campaign] = append(s.findings[e.Campaign], e)
		default:
			s.dropped[e.Campaign]++
		}
	case *finding.Problem:
		switch {
		case e.Exclusion != nil:
		case artifact(e.Repository):
			s.ours.problem(e)
		default:
			s.gaps.problem(e)
		}
		name := utf8(e.Repository)
		if name == "" && e.Exclusion == nil {
			s.general[e.Code] = true
		}
		for _, r := range s.interest.keys(name, e.Number) {
			s.problems[r] = append(s.problems[r], &finding.Problem{Code: e.Code, File: utf8(e.File), Refs: utf8s(e.Refs), Exclusion: e.Exclusion})
			s.read[r] = true
		}
	case *finding.Coverage:
		if e.File != "" {
			return nil
		}
		s.fallback = s.fallback || e.OutOfScope[string(source.CodeFallback)] > 0
		s.lacking = s.lacking || e.OutOfScope[string(source.CodePermission)] > 0
		for _, r := range s.interest.keys(utf8(e.Repository), e.Number) {
			s.tree(treeKey{r, utf8(e.Ref)}, tree{e.Commit, e.Status == finding.Parsed, e.Reason})
			s.read[r] = true
		}
	case *finding.Summary:
		s.summaries++
		if n := e.Repositories; e.Published == nil || n.Hit+n.Clean+n.Unknown > 0 {
			s.shows++
		}
		for property := range e.Shown {
			s.shown[property]++
		}
		s.interrupted = s.interrupted || e.Interrupted
		n := e.Repositories
		s.verified = s.verified || e.Published != nil
		s.swept = s.swept || n.Hit+n.Clean+n.Unknown > 0
		s.gaps.summary(e)
	}
	return nil
}

// setAside keeps a finding that does not count under each name that its repository had.
func (s *Sweep) setAside(f *finding.Finding) {
	var keys []asideKey
	for _, r := range s.interest.of(f.Repository, f.Number) {
		for _, name := range []string{f.Repository, r.Name} {
			if key := (asideKey{r.key(), calledBefore(f, name)}); !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
	}
	for _, key := range keys {
		s.aside[key] = append(s.aside[key], f)
	}
}

// tree keeps a row. Two of one name, which differ in bytes that are no UTF-8, prove something
// only together.
func (s *Sweep) tree(key treeKey, t tree) {
	if old, there := s.trees[key]; there && !old.whole {
		t = old
	}
	s.trees[key] = t
}

// refsOf are the refs of a finding; of what the repository itself shows, ItselfRef.
func refsOf(f *finding.Finding) []string {
	if len(f.Refs) == 0 {
		return []string{ItselfRef}
	}
	return f.Refs
}

// utf8 is a name as a record gives it back: JSON has no bytes that are no UTF-8.
func utf8(s string) string { return string([]rune(s)) }

func utf8s(names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = utf8(name)
	}
	return out
}

// named is f with the names of its repository and refs as a record gives them back.
func named(f *finding.Finding) *finding.Finding {
	if utf8(f.Repository) == f.Repository && slices.Equal(utf8s(f.Refs), f.Refs) {
		return f
	}
	c := *f
	c.Repository, c.Refs = utf8(f.Repository), utf8s(f.Refs)
	return &c
}

// Campaigns are those with an active finding, sorted.
func (s *Sweep) Campaigns() []string { return sortedKeys(s.findings) }

// looksFor reports whether every run looked for an indicator of a campaign.
func (s *Sweep) looksFor(campaign, indicator string) bool {
	for _, only := range s.only {
		if !slices.Contains(only, campaign) {
			return false
		}
	}
	return s.opt.LooksFor == nil || s.opt.LooksFor(campaign, indicator)
}

// ended reports whether every run of the stream came to its end.
func (s *Sweep) ended() bool { return s.runs > 0 && s.summaries >= s.runs && !s.interrupted }

// thingOf names what was found and says what is known of it.
func thingOf(f *finding.Finding) (string, Thing) {
	t := Thing{Confidence: f.Confidence, Safe: f.Safe, Window: f.Window, Action: f.Action, Advisory: f.Advisory, Evidence: f.Evidence[:min(len(f.Evidence), maxEvidence)]}
	switch {
	case f.Package != nil:
		return f.Package.PURL, t
	case f.Digest != "":
		return f.Type + " " + f.Digest, t
	case f.Observable != "":
		return f.Type + ": " + f.Observable, t
	}
	return fmt.Sprintf("%s of indicator %s", f.Type, f.Indicator), t
}
