package githubtest

import (
	"net/http"
	"slices"
	"strings"
)

func listRepoSecrets(c *call) { c.secrets(func() []Secret { return c.home.Actions.Secrets }) }
func listDependabotSecrets(c *call) {
	c.secrets(func() []Secret { return c.home.Actions.DependabotSecrets })
}

// listOrgSecretsOfRepo lists the secrets of the organisation that the repository sees.
func listOrgSecretsOfRepo(c *call) {
	c.secrets(func() []Secret {
		owner := c.s.accounts[strings.ToLower(c.repo.Owner)]
		return slices.DeleteFunc(slices.Clone(owner.Secrets), func(s Secret) bool {
			switch s.Visibility {
			case "selected":
				return !slices.Contains(s.Selected, c.repo.Name)
			case "private":
				return !c.repo.isPrivate()
			}
			return false
		})
	})
}

func (c *call) secrets(of func() []Secret) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	all := of()
	c.json(map[string]any{"total_count": len(all), "secrets": pageOf(c, all, func(s Secret) any {
		updated := s.Updated
		if updated.IsZero() {
			updated = founded
		}
		return map[string]any{"name": s.Name, "created_at": stamp(founded), "updated_at": stamp(updated)}
	})})
}

func listEnvironments(c *call) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	all := c.home.Actions.Environments
	c.json(map[string]any{"total_count": len(all), "environments": pageOf(c, all, func(e Environment) any {
		api := c.s.api("/repos/%s/environments/%s", c.repo.FullName(), escape(e.Name))
		return map[string]any{
			"id": 1, "node_id": node("EN", 1), "name": e.Name, "url": api, "html_url": c.s.base + "/" + c.repo.FullName() + "/deployments",
			"created_at": stamp(founded), "updated_at": stamp(founded), "protection_rules": []any{}, "deployment_branch_policy": nil,
		}
	})})
}

func listEnvironmentSecrets(c *call) {
	c.s.mu.Lock()
	i := slices.IndexFunc(c.home.Actions.Environments, func(e Environment) bool { return strings.EqualFold(e.Name, c.path("environment_name")) })
	c.s.mu.Unlock()
	if i < 0 {
		c.fail(http.StatusNotFound, "Not Found")
		return
	}
	c.secrets(func() []Secret { return c.home.Actions.Environments[i].Secrets })
}

// getWorkflowPermissions gives what a job's token may, where the workflow does not say.
func getWorkflowPermissions(c *call) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	level := "write"
	if c.home.Actions.ReadToken {
		level = "read"
	}
	c.json(map[string]any{"default_workflow_permissions": level, "can_approve_pull_request_reviews": false})
}
