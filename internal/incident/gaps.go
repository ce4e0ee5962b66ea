package incident

import (
	"cmp"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/finding"
)

// maxGaps is how many gaps a text lists one by one.
const maxGaps = 20

// Gaps are what a sweep did not look at. They have no details, which may differ from day to
// day where nothing else does.
type Gaps struct {
	Problems     int            `json:"problems,omitempty"`
	Repositories int            `json:"repositories,omitempty"` // that were not read whole
	General      []string       `json:"general,omitempty"`      // codes of problems of the whole run
	First        []Gap          `json:"first,omitempty"`        // at most maxGaps, sorted
	NotLookedAt  map[string]int `json:"not_looked_at,omitempty"`
	Incomplete   bool           `json:"incomplete,omitempty"` // the sweep did not come to its end
}

// Gap is something that was not read.
type Gap struct {
	Repository string `json:"repository"`
	File       string `json:"file,omitempty"`
	Code       string `json:"code"`
}

func (g Gap) compare(other Gap) int {
	return cmp.Or(strings.Compare(g.Repository, other.Repository), strings.Compare(g.File, other.File), strings.Compare(g.Code, other.Code))
}

type gapCounter struct {
	problems     int
	repositories map[string]bool
	first        []Gap // the least of them, sorted
	notLookedAt  map[string]int
}

func (c *gapCounter) problem(e *finding.Problem) {
	c.problems++
	if e.Repository == "" {
		return
	}
	if c.repositories == nil {
		c.repositories = map[string]bool{}
	}
	c.repositories[e.Repository] = true
	g := Gap{e.Repository, e.File, e.Code}
	at, there := slices.BinarySearchFunc(c.first, g, Gap.compare)
	if there || at == maxGaps {
		return
	}
	c.first = slices.Insert(c.first, at, g)
	c.first = c.first[:min(len(c.first), maxGaps)]
}

func (c *gapCounter) summary(e *finding.Summary) {
	for kind, n := range e.NotLookedAt { // each shard has the same catalogue
		if c.notLookedAt == nil {
			c.notLookedAt = map[string]int{}
		}
		c.notLookedAt[kind] = max(c.notLookedAt[kind], n)
	}
}

// Gaps gives what the sweep did not look at.
func (s *Sweep) Gaps() Gaps {
	return Gaps{
		Problems: s.gaps.problems, Repositories: len(s.gaps.repositories), General: sortedKeys(s.general),
		First: slices.Clone(s.gaps.first), NotLookedAt: s.gaps.notLookedAt, Incomplete: !s.ended(),
	}
}

// gapsOf are the gaps that a campaign's issue tells of: of what was published, those of artifacts.
func (s *Sweep) gapsOf(campaign string) Gaps {
	g := s.Gaps()
	if campaign == finding.PublishedByUs {
		g.Problems, g.Repositories, g.First, g.NotLookedAt = s.ours.problems, len(s.ours.repositories), slices.Clone(s.ours.first), nil
	}
	return g
}
