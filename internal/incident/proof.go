package incident

import (
	"cmp"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/sweep"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// elsewhere are the codes of problems of a whole run that take nothing from what it did read:
// other repositories were not shown, or what was remembered was read again.
var elsewhere = []string{string(source.CodePartialView), string(source.CodeNotVisible), sweep.CodeInventory}

// listed are the reason codes of what the list of repositories itself tells, so that it was
// looked at wherever the repository was. Releases and runners take permissions of their own.
var listed = []string{string(ioc.RepoName.Reason()), string(ioc.RepoDescription.Reason()), string(ioc.RepoTopic.Reason())}

// asked are the reason codes of what is told of commits, and not where refs are listed in the
// second-best way.
var asked = []string{string(ioc.CommitMessage.Reason()), string(ioc.CommitAuthor.Reason()), string(ioc.TreeID.Reason())}

// unsound gives the codes of the problems of the run for which nothing that it read is proven
// clean. A missing permission leaves what files say as it is, and not what a repository shows.
func (s *Sweep) unsound(ref string) []string {
	return slices.DeleteFunc(sortedKeys(s.general), func(code string) bool {
		return slices.Contains(elsewhere, code) || code == string(source.CodePermission) && ref != ItselfRef
	})
}

// proof judges a place at a ref at which the sweep has no active finding of it. It is settled,
// with the commit that proves it; or missing says why nothing is proven.
func (s *Sweep) proof(campaign string, p *Place, ref string) (settled Settled, commit, missing string) {
	repository := p.repository().key()
	for _, f := range s.aside[asideKey{repository, p.Fingerprint}] {
		if f.Campaign != campaign || !slices.Contains(refsOf(f), ref) {
			continue
		}
		switch f.State {
		case finding.Excluded:
			return IsExcluded, f.Commit, ""
		case finding.Withdrawn:
			return IsWithdrawn, f.Commit, ""
		}
		return Unsettled, "", "still there, and met by indicators alone that do not count by themselves"
	}
	t, seen := s.trees[treeKey{repository, ref}]
	switch {
	case !s.ended():
		return Unsettled, "", "the sweep did not come to its end"
	case len(s.unsound(ref)) > 0:
		return Unsettled, "", "the sweep as a whole was not sound: " + strings.Join(s.unsound(ref), ", ")
	case !s.looksFor(campaign, p.Indicator):
		return Unsettled, "", "the sweep did not look for this indicator"
	case s.opt.Listed != nil && !s.opt.Listed(campaign, p):
		return Unsettled, "", "the catalogue does not list it any more"
	case !s.read[repository]:
		return Unsettled, "", "the repository was not in the sweep"
	case ref == ItselfRef && !s.looksAt(p.Reason):
		return Unsettled, "", "a sweep does not tell whether it looked there again"
	case ref == ItselfRef:
		if t, seen = s.anyTree(repository); !seen {
			return Unsettled, "", "nothing of the repository was read"
		}
	case slices.Contains(asked, p.Reason) && s.fallback:
		return Unsettled, "", "messages and authors of commits were not looked at everywhere"
	case !seen && s.opt.Gone != nil && s.opt.Gone(p.repository(), ref):
		return IsGone, "", ""
	case !seen:
		return Unsettled, "", "the ref was not in the sweep; was it deleted?"
	}
	if t.whole && t.reason == reasonGone && artifact(p.Repository) {
		return IsGone, "", ""
	}
	if !t.whole {
		return Unsettled, "", "the ref was not read whole: " + cmp.Or(t.reason, "unknown")
	}
	for _, e := range s.problems[repository] {
		if e.Exclusion != nil && !lies(utf8(p.File), e.File) { // what was decided to live with is elsewhere
			continue
		}
		if ref == ItselfRef || len(e.Refs) == 0 || slices.Contains(e.Refs, ref) {
			return Unsettled, "", "not all of it was read: " + e.Code
		}
	}
	return FoundClean, t.commit, ""
}

// looksAt reports whether the sweep looked at what repositories themselves show and a reason code is of,
// wherever it looked at the repository.
func (s *Sweep) looksAt(reason string) bool {
	if reason == string(ioc.ReleaseTitle.Reason()) {
		return s.shown[string(ioc.ReleaseTitle)] == s.shows && !s.lacking && !s.fallback
	}
	return slices.Contains(listed, reason)
}

// lies reports whether a file is the one at a path, or below it; "" is the whole repository.
func lies(file, path string) bool {
	return path == "" || file == path || strings.HasPrefix(file, path+"/")
}

// looked reports whether the sweep looked for the thing of a place at a ref, with whatever
// success; or knows that there is no such ref any more.
func (s *Sweep) looked(campaign string, p *Place, ref string) bool {
	repository := p.repository().key()
	_, seen := s.trees[treeKey{repository, ref}]
	gone := s.opt.Gone != nil && s.opt.Gone(p.repository(), ref)
	return s.read[repository] && (seen || gone || ref == ItselfRef) && s.looksFor(campaign, p.Indicator)
}

// anyTree gives a tree of a repository, one that is not whole if there is any.
func (s *Sweep) anyTree(repository Swept) (out tree, seen bool) {
	for key, t := range s.trees {
		if key.repository == repository && (!seen || out.whole) {
			out, seen = tree{"", t.whole, t.reason}, true
		}
	}
	return out, seen
}
