package githubtest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// label is a label of a repository.
type label struct {
	id                 int64
	name, color, about string
}

// makeLabels makes the labels that are not there yet, as GitHub does when an issue gets them.
func (r *Repo) makeLabels(names []string) {
	for _, name := range names {
		if !slices.ContainsFunc(r.labels, func(l label) bool { return strings.EqualFold(l.name, name) }) {
			r.labels = append(r.labels, label{r.server.newID(), name, "ededed", ""})
		}
	}
}

// labelNamed gives the label of the name, or nil.
func (r *Repo) labelNamed(name string) *label {
	i := slices.IndexFunc(r.labels, func(l label) bool { return strings.EqualFold(l.name, name) })
	if i < 0 {
		return nil
	}
	return &r.labels[i]
}

func (c *call) labelJSON(l label) map[string]any {
	return map[string]any{
		"id": l.id, "node_id": node("LA", l.id), "url": c.s.api("/repos/%s/labels/%s", c.repo.FullName(), escape(l.name)),
		"name": l.name, "color": l.color, "description": l.about, "default": false,
	}
}

func listLabels(c *call) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.json(pageOf(c, c.home.labels, func(l label) any { return c.labelJSON(l) }))
}

func getLabel(c *call) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	l := c.home.labelNamed(c.path("name"))
	if l == nil {
		c.fail(http.StatusNotFound, "Not Found")
		return
	}
	c.json(c.labelJSON(*l))
}

func createLabel(c *call) {
	var asked struct{ Name, Color, Description string }
	if !c.body(&asked) {
		return
	}
	if asked.Name == "" {
		c.invalid("Label", "name", "missing_field", "name is missing")
		return
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if c.home.labelNamed(asked.Name) != nil {
		c.invalid("Label", "name", "already_exists", "name already exists")
		return
	}
	if asked.Color == "" {
		asked.Color = "ededed"
	}
	l := label{c.s.newID(), asked.Name, asked.Color, asked.Description}
	c.home.labels = append(c.home.labels, l)
	c.Status = http.StatusCreated
	c.json(c.labelJSON(l))
}

// addLabels gives an issue more labels.
func addLabels(c *call) {
	var asked struct{ Labels []string }
	if json.Unmarshal(c.Body, &asked) != nil && !c.body(&asked.Labels) { // the list may stand alone
		return
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	i := c.issueOf()
	if i == nil {
		return
	}
	c.home.makeLabels(asked.Labels)
	for _, name := range asked.Labels {
		if !slices.ContainsFunc(i.labels, func(has string) bool { return strings.EqualFold(has, name) }) {
			i.labels = append(i.labels, name)
		}
	}
	shown := []any{}
	for _, name := range i.labels {
		shown = append(shown, c.labelJSON(*c.home.labelNamed(name)))
	}
	c.json(shown)
}

func lockIssue(c *call) { c.setLock(true) }

func unlockIssue(c *call) { c.setLock(false) }

func (c *call) setLock(locked bool) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if i := c.issueOf(); i != nil {
		i.locked = locked
		c.Status = http.StatusNoContent
	}
}
