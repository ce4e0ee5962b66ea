package discover

import (
	"cmp"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// outsiders are events that somebody without rights in the repository can cause, and that run
// with its rights.
var outsiders = []string{"pull_request_target", "issue_comment", "issues", "discussion", "discussion_comment", "fork", "watch", "workflow_run"}

// tagged reports whether a push of tags triggers a workflow, or a release.
func (w *workflow) tagged() bool {
	return slices.ContainsFunc(w.events, func(e event) bool { return len(e.tags) > 0 || e.name == "release" })
}

// origin is the ref that an identity is proposed for, and the triggers.
type origin struct {
	ref      string
	event    *event
	triggers []string
	guess    string // why it is a guess, "" where it is none
}

// origin chooses one: a tag before a branch, and what a push triggers before what a person does.
func (w *workflow) origin(p *project) origin {
	var tag, branch, manual *event
	for i := range w.events {
		switch e := &w.events[i]; {
		case e.name == "push" && len(e.tags) > 0, e.name == "release" && tag == nil:
			tag = e
		case e.name == "push":
			branch = e
		case slices.Contains([]string{"workflow_dispatch", "schedule", "repository_dispatch", "workflow_run"}, e.name) && manual == nil:
			manual = e
		}
	}
	on := origin{event: tag, ref: "refs/tags/{tag}"}
	if tag == nil {
		on = origin{event: branch, ref: branchRef(p.branch)}
		if branch == nil {
			on.event = manual
		}
		if p.guessed {
			on.guess = "the default branch could not be asked"
		}
		if branch != nil && len(branch.branches) > 0 {
			on.guess = "one of the branches of that trigger"
			for _, b := range branch.branches {
				if !strings.ContainsAny(b, "*?+[!") {
					on.ref, on.guess = branchRef(b), ""
					break
				}
			}
		}
	}
	if on.event != nil {
		on.triggers = []string{on.event.name}
	}
	return on
}

func branchRef(branch string) string { return "refs/heads/" + branch }

// trigger proposes tag and identity from the workflow that begins the run.
func (c *candidate) trigger(e *entry, issuer, manifest string) {
	on := e.caller.origin(c.project)
	c.tag(e, on, manifest)
	switch {
	case e.signed != "":
		c.identity(e, issuer, on)
	case e.byKey:
		c.note("keys", "%s:%d signs it with a key: write its public key here, as \"- file: cosign.pub\"", e.path, e.line2)
	default:
		c.Unsigned = true
		c.note("unsigned", "nothing at %s:%d signs it: whoever has its token publishes what they like", e.path, e.line)
	}
	for _, event := range e.caller.events {
		if slices.Contains(outsiders, event.name) {
			c.note("", "%s:%d: %s triggers it too, which others can cause: not believed", e.caller.path, event.line, event.name)
		}
	}
}

// tag proposes the form of the tags.
func (c *candidate) tag(e *entry, on origin, manifest string) {
	if e.kind == registry.OCI {
		c.Tag = cmp.Or(e.tag, "v{version}")
		if e.tag == "" {
			c.note("tag", "a guess: %s:%d does not say how a tag of the image is made from one of git", e.path, e.line)
		} else {
			c.note("tag", "the tags of the image are made from those of git at %s:%d", e.path, e.line)
		}
		return
	}
	if on.event != nil && len(on.event.tags) > 0 {
		forms := tagForms(on.event.tags)
		if len(forms) > 0 {
			c.Tag = c.nearest(forms, manifest)
			c.note("tag", "from %s:%d: %s", e.caller.path, on.event.line, strings.Join(on.event.tags, ", "))
			return
		}
	}
	if c.Tag = "v{version}"; c.Kind == registry.Release {
		c.Tag = ""
		return
	}
	c.note("tag", "a guess: no trigger says how tags are named")
}

var (
	globCharacters = "*?+[]"
	endOfPrefix    = regexp.MustCompile(`[0-9.]+$`)
)

// tagForms are the forms of tags that patterns of a trigger stand for: "v*" and "v1.*" are
// "v{version}".
func tagForms(patterns []string) []string {
	var out []string
	for _, p := range patterns {
		if strings.HasPrefix(p, "!") {
			continue
		}
		prefix := p
		if at := strings.IndexAny(p, globCharacters); at >= 0 {
			prefix = p[:at]
		}
		form := endOfPrefix.ReplaceAllString(prefix, "") + "{version}"
		if !slices.Contains(out, form) {
			out = append(out, form)
		}
	}
	return out
}

// nearest is the form that names the package, or the first.
func (c *candidate) nearest(forms []string, manifest string) string {
	base := path.Base(c.Name)
	for _, form := range forms {
		if strings.Contains(form, base) || manifest != "" && path.Dir(manifest) != "." && strings.Contains(form, path.Base(path.Dir(manifest))) {
			return form
		}
	}
	return forms[0]
}

// identity proposes the signer of what a run publishes.
func (c *candidate) identity(e *entry, issuer string, on origin) {
	i := policy.Identity{Issuer: issuer, Workflow: e.caller.path, Triggers: on.triggers}
	if e.ref == "" {
		i.SAN = e.signer + "@" + on.ref
	} else {
		i.SAN, i.Ref = e.signer+"@"+calledRef(e.ref), on.ref
		c.noteAt(1, "san", "a reusable workflow at %q: is it a branch or a tag? A commit id cannot be moved", e.ref)
	}
	if e.hosted {
		i.Runner = "github-hosted"
	} else {
		c.noteAt(1, "runner", "%s does not run on GitHub's own runners alone, as far as it says", e.path)
	}
	line := e.line
	if e.line2 > 0 {
		line = e.line2
	}
	c.note("identities", "from %s:%d: %s", e.path, line, e.signed)
	if e.environment != "" {
		c.note("identities", "its job runs in the environment %q: who must approve that?", e.environment)
	}
	if on.guess != "" {
		c.noteAt(1, "san", "the branch is a guess: %s", on.guess)
	}
	if on.event != nil {
		c.noteAt(1, "triggers", "from %s:%d", e.caller.path, on.event.line)
	}
	for _, event := range e.caller.events {
		if event.name != "workflow_call" && !slices.Contains(on.triggers, event.name) {
			c.noteAt(1, "triggers", "%s:%d: %s is a trigger too: not proposed", e.caller.path, event.line, event.name)
		}
	}
	c.Identities = []policy.Identity{i}
	slices.Sort(e.predicates)
	c.Attestations = slices.Compact(slices.Clone(e.predicates))
}

var commitID = regexp.MustCompile(`^[0-9a-f]{40}$`)

// calledRef is the ref of a workflow that is called: what certificates have of "v1" or "main".
func calledRef(ref string) string {
	switch {
	case strings.HasPrefix(ref, "refs/"), commitID.MatchString(ref):
		return ref
	case len(ref) > 1 && ref[0] == 'v' && strings.Trim(ref[1:], "0123456789.") == "":
		return "refs/tags/" + ref
	}
	return "refs/heads/" + ref
}
