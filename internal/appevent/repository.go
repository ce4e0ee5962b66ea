package appevent

import (
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// RepositoryEvent is something that was done to a repository itself.
type RepositoryEvent struct {
	Common
	Changes struct {
		Repository struct {
			Name struct {
				From string `json:"from"`
			} `json:"name"`
		} `json:"repository"`
		Owner *struct {
			From struct {
				User         *Account `json:"user"`
				Organization *Account `json:"organization"`
			} `json:"from"`
		} `json:"owner"`
		DefaultBranch *struct {
			From string `json:"from"`
		} `json:"default_branch"`
	} `json:"changes"`
}

// repositoryActions are those of the event, which has no member of its own by which its bodies are
// told from those of others.
var repositoryActions = []string{"created", "deleted", "archived", "unarchived", "edited", "renamed", "transferred", "publicized", "privatized"}

func (e *RepositoryEvent) check(c *checker) {
	if !slices.Contains(repositoryActions, e.Action) {
		c.fail("action %.80q is none of a repository", e.Action)
	}
}

// Public is a repository that became public.
type Public struct {
	Common
	Changes jsontext.Value `json:"changes"` // there are none: with them it is another event
}

func (e *Public) check(c *checker) {
	if e.Changes != nil {
		c.fail("it has changes")
	}
	if e.Repository == nil {
		c.fail("no repository")
		return
	}
	if e.Repository.Private {
		c.fail("a private repository")
	}
}

// Member is somebody who was added to a repository, removed from it, or given other rights.
type Member struct {
	Common
	Member  *Account `json:"member"` // nil for an account that is gone
	Changes struct {
		Permission *struct {
			From string `json:"from"`
			To   string `json:"to"`
		} `json:"permission"`
		RoleName *struct {
			To string `json:"to"`
		} `json:"role_name"`
	} `json:"changes"`
}

func (e *Member) check(c *checker) {
	c.action(&e.Common)
	if e.Member != nil {
		c.account("member", e.Member)
	}
}

// DeployKey is a deploy key that was added or removed. The key itself is not read.
type DeployKey struct {
	Common
	Key *struct {
		ID       int64  `json:"id"`
		Title    string `json:"title"`
		ReadOnly bool   `json:"read_only"`
		AddedBy  string `json:"added_by"`
	} `json:"key"`
}

func (e *DeployKey) check(c *checker) {
	c.action(&e.Common)
	if e.Key == nil {
		c.fail("no key")
		return
	}
	c.id("key", e.Key.ID)
}

// RepositoryRuleset is a ruleset that was made, changed or deleted. Without a repository it is one
// of the organisation.
type RepositoryRuleset struct {
	Common
	Ruleset *struct {
		ID          int64  `json:"id"`
		Name        string `json:"name"`
		Target      string `json:"target"` // "branch", "tag", "push"
		SourceType  string `json:"source_type"`
		Source      string `json:"source"`
		Enforcement string `json:"enforcement"` // "active", "disabled", "evaluate"
	} `json:"repository_ruleset"`
}

func (e *RepositoryRuleset) check(c *checker) {
	c.action(&e.Common)
	if e.Ruleset == nil {
		c.fail("no repository_ruleset")
		return
	}
	c.id("repository_ruleset", e.Ruleset.ID)
}

// BranchProtectionRule is a rule of a branch that was made, changed or deleted.
type BranchProtectionRule struct {
	Common
	Rule *struct {
		ID           int64  `json:"id"`
		RepositoryID int64  `json:"repository_id"`
		Name         string `json:"name"` // pattern of branches
		ForcePushes  string `json:"allow_force_pushes_enforcement_level"`
		Deletions    string `json:"allow_deletions_enforcement_level"`
		AdminsToo    bool   `json:"admin_enforced"`
	} `json:"rule"`
}

func (e *BranchProtectionRule) check(c *checker) {
	c.action(&e.Common)
	if e.Rule == nil {
		c.fail("no rule")
		return
	}
	c.id("rule", e.Rule.ID)
	if e.Repository != nil && e.Rule.RepositoryID != e.Repository.ID {
		c.fail("a rule of repository %d in an event of %d", e.Rule.RepositoryID, e.Repository.ID)
	}
}
