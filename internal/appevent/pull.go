package appevent

// PullRequest is something that was done to a pull request.
type PullRequest struct {
	Common
	Number int64  `json:"number"`
	Pull   *Pull  `json:"pull_request"`
	Before string `json:"before"` // of "synchronize": the head before and after
	After  string `json:"after"`
}

// Pull is a pull request.
type Pull struct {
	ID     int64    `json:"id"`
	Number int64    `json:"number"`
	State  string   `json:"state"` // "open" or "closed"
	Title  string   `json:"title"`
	Draft  bool     `json:"draft"`
	Merged bool     `json:"merged"`
	User   *Account `json:"user"`
	Head   Side     `json:"head"`
	Base   Side     `json:"base"`
	URL    string   `json:"html_url"`
}

// Side is one side of a pull request.
type Side struct {
	Label string `json:"label"` // "OWNER:BRANCH"
	Ref   string `json:"ref"`   // branch, without prefix
	SHA   string `json:"sha"`   // the commit that it is at
	// Repository is where the branch is; nil for a fork that was deleted.
	Repository *Repository `json:"repo"`
}

func (e *PullRequest) check(c *checker) {
	c.id("number", e.Number)
	if e.Pull == nil {
		c.fail("no pull_request")
		return
	}
	p := e.Pull
	c.id("pull_request", p.ID)
	if p.Number != e.Number {
		c.fail("the numbers %d and %d of one pull request", e.Number, p.Number)
	}
	if p.State != "open" && p.State != "closed" {
		c.fail("pull_request: state %.40q", p.State)
	}
	c.side("head", &p.Head)
	c.side("base", &p.Base)
	switch {
	case p.Base.Repository == nil:
		c.fail("base: no repository")
	case e.Repository != nil && p.Base.Repository.ID != e.Repository.ID:
		c.fail("base: its repository %d is not %d", p.Base.Repository.ID, e.Repository.ID)
	}
	if e.After != "" {
		c.commit("after", e.After)
	}
	if e.Before != "" && !IsZero(e.Before) {
		c.commit("before", e.Before)
	}
}

func (c *checker) side(what string, s *Side) {
	c.commit(what, s.SHA)
	c.short(what, s.Ref)
	if s.Repository != nil {
		c.repository(what, s.Repository)
	}
}

// FromFork reports whether the head lies in another repository than the base, or in none any more.
func (p *Pull) FromFork() bool {
	return p.Head.Repository == nil || p.Base.Repository == nil || p.Head.Repository.ID != p.Base.Repository.ID
}

// MergeGroup is a group of pull requests that a merge queue made a commit of.
type MergeGroup struct {
	Common
	Group  *Group `json:"merge_group"`
	Reason string `json:"reason"` // of "destroyed": merged, invalidated, dequeued
}

// Group is the commit of a merge queue: Base with pull requests on top.
type Group struct {
	HeadSHA string `json:"head_sha"`
	HeadRef string `json:"head_ref"` // full name: "refs/heads/gh-readonly-queue/main/pr-1-..."
	BaseSHA string `json:"base_sha"`
	BaseRef string `json:"base_ref"` // full name of the branch
}

func (e *MergeGroup) check(c *checker) {
	if e.Group == nil {
		c.fail("no merge_group")
		return
	}
	c.commit("head_sha", e.Group.HeadSHA)
	c.commit("base_sha", e.Group.BaseSHA)
	c.ref("head_ref", e.Group.HeadRef)
	c.ref("base_ref", e.Group.BaseRef)
}

// CheckRun is something that was done to a check run, such as that somebody asked for it again.
type CheckRun struct {
	Common
	Run             *Run `json:"check_run"`
	RequestedAction *struct {
		Identifier string `json:"identifier"`
	} `json:"requested_action"`
}

// Run is a check run.
type Run struct {
	ID         int64         `json:"id"`
	Name       string        `json:"name"`
	HeadSHA    string        `json:"head_sha"`
	ExternalID string        `json:"external_id"` // of whoever made it
	Status     string        `json:"status"`
	Conclusion string        `json:"conclusion"` // "" while there is none
	App        *NumberedSlug `json:"app"`        // that made it
	Suite      *Suite        `json:"check_suite"`
	Pulls      []PullOf      `json:"pull_requests"` // none of forks
}

// PullOf is a pull request as check runs and workflow runs name it.
type PullOf struct {
	ID     int64  `json:"id"`
	Number int64  `json:"number"`
	Head   SideOf `json:"head"`
	Base   SideOf `json:"base"`
}

// SideOf is one side of it.
type SideOf struct {
	Ref string `json:"ref"`
	SHA string `json:"sha"`
}

func (e *CheckRun) check(c *checker) {
	if e.Run == nil {
		c.fail("no check_run")
		return
	}
	c.id("check_run", e.Run.ID)
	c.commit("check_run", e.Run.HeadSHA)
	c.pulls(e.Run.Pulls)
	if e.Run.Suite != nil {
		c.suite(e.Run.Suite)
	}
}

// CheckSuite is something that was done to the check runs of one App and commit together.
type CheckSuite struct {
	Common
	Suite *Suite `json:"check_suite"`
}

// Suite is the check runs of one App and commit.
type Suite struct {
	ID         int64         `json:"id"`
	HeadBranch string        `json:"head_branch"`
	HeadSHA    string        `json:"head_sha"`
	Before     string        `json:"before"`
	After      string        `json:"after"`
	Status     string        `json:"status"`
	Conclusion string        `json:"conclusion"`
	App        *NumberedSlug `json:"app"`
	Pulls      []PullOf      `json:"pull_requests"`
}

func (e *CheckSuite) check(c *checker) {
	c.action(&e.Common)
	if e.Suite == nil {
		c.fail("no check_suite")
		return
	}
	c.id("check_suite", e.Suite.ID)
	c.suite(e.Suite)
}

// suite checks what is there of a suite: a check run need not tell all of its own.
func (c *checker) suite(s *Suite) {
	if s.HeadSHA != "" {
		c.commit("check_suite", s.HeadSHA)
	}
	c.pulls(s.Pulls)
}

func (c *checker) pulls(pulls []PullOf) {
	for i := range pulls {
		p := &pulls[i]
		c.id("pull request", p.Number)
		c.commit("head", p.Head.SHA)
		c.commit("base", p.Base.SHA)
		c.short("head", p.Head.Ref)
		c.short("base", p.Base.Ref)
	}
}
