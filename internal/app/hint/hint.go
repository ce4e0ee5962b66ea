// Package hint says which artifacts of a policy an event of GitHub is about: a package that was
// published, a release, a tag that was made or deleted, a run that ended. Such events are hints
// that something was published, and no proof: what is looked at then is the registry.
package hint

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/appevent"
	"github.com/wormsweep/wormsweep/internal/hook"
	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/internal/triage"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// Events are the events that this package reads.
var Events = []string{"registry_package", "release", "create", "delete", "workflow_run"}

// soon is how long artifacts are looked at more often after a tag or release was made: their
// workflow publishes within that.
const soon = 20 * time.Minute

// Hint is what follows from an event.
type Hint struct {
	Artifacts []*policy.Artifact // to be looked at now
	Expect    time.Duration      // and more often for so long
	// Signal is of a package that was published and is not in the policy; nil where none was.
	Signal *triage.Signal
}

// Of reads a delivery beside a policy. An error is of a body that does not read.
func Of(d hook.Delivery, p *policy.Policy) (Hint, error) {
	e, err := appevent.Parse(d.Event, d.Body)
	if err != nil {
		return Hint{}, err
	}
	var h Hint
	switch e := e.(type) {
	case *appevent.RegistryPackage:
		h.published(d, p, e)
	case *appevent.ReleaseEvent:
		if e.Release != nil && !e.Release.Draft || e.Action == "deleted" || e.Action == "unpublished" {
			h.Artifacts, h.Expect = of(p, e.Repository), soon
		}
	case *appevent.Create:
		if e.RefType == "tag" {
			h.Artifacts, h.Expect = of(p, e.Repository), soon
		}
	case *appevent.Delete:
		if e.RefType == "tag" {
			h.Artifacts = of(p, e.Repository)
		}
	case *appevent.WorkflowRun:
		h.ran(p, e)
	}
	return h, nil
}

// of are the artifacts that are made from a repository.
func of(p *policy.Policy, r *appevent.Repository) []*policy.Artifact {
	if r == nil {
		return nil
	}
	var out []*policy.Artifact
	for i := range p.Artifacts {
		a := &p.Artifacts[i]
		if strings.EqualFold(a.Source, r.FullName) || a.Kind == registry.Release && strings.EqualFold(a.Name, r.FullName) {
			out = append(out, a)
		}
	}
	return out
}

// ran is a run that ended. It may have published where the policy names its workflow, or no
// workflow at all. One of a pull request may not, since it has no secrets of ours when it is of a fork; one of
// pull_request_target has them all.
func (h *Hint) ran(p *policy.Policy, e *appevent.WorkflowRun) {
	if e.Action != "completed" || e.Run.Event == "pull_request" {
		return
	}
	path, _, _ := strings.Cut(e.Run.Path, "@")
	for _, a := range of(p, e.Repository) {
		names := workflows(a)
		if path == "" || len(names) == 0 || slices.Contains(names, path) {
			h.Artifacts = append(h.Artifacts, a)
		}
	}
}

// workflows are the workflows that an artifact's signers name.
func workflows(a *policy.Artifact) (paths []string) {
	for i := range a.Identities {
		id := &a.Identities[i]
		if id.Workflow != "" {
			paths = append(paths, id.Workflow)
			continue
		}
		if _, rest, ok := strings.Cut(id.SAN, "/.github/workflows/"); ok {
			file, _, _ := strings.Cut(rest, "@")
			paths = append(paths, ".github/workflows/"+file)
		}
	}
	return paths
}

// published is a version that GitHub Packages tells of.
func (h *Hint) published(d hook.Delivery, p *policy.Policy, e *appevent.RegistryPackage) {
	owner := e.Owner()
	if e.Package == nil || owner == nil || e.Action != "published" && e.Action != "updated" {
		return
	}
	kind := kindOf(e.Package)
	for i := range p.Artifacts {
		if a := &p.Artifacts[i]; a.Kind == kind && isPackage(a, owner.Login, e.Package.Name) {
			h.Artifacts = append(h.Artifacts, a)
		}
	}
	if len(h.Artifacts) > 0 || e.Action != "published" {
		return
	}
	version := ""
	if v := e.Package.Version; v != nil {
		if version = v.Version; v.Container != nil && v.Container.Tag != nil && v.Container.Tag.Digest != "" {
			version = v.Container.Tag.Digest
		}
	}
	s := triage.Signal{
		Source: triage.FromGitHub, AlertID: triage.AlertPublish, Severity: triage.Medium,
		SourceRef: fmt.Sprintf("package %d %s", e.Package.ID, version), FirstSeen: d.Received, LastSeen: d.Received,
		Subject: triage.Subject{Kind: triage.Package, Parts: map[string]string{
			"ecosystem": strings.ToLower(e.Package.Ecosystem), "name": e.Package.Name, "owner": owner.Login, "version": version,
		}},
		Evidence: []triage.Evidence{{Label: "unannounced", Value: fmt.Sprintf(
			"%q published the package %q (%s) to GitHub Packages, and the policy does not name it", owner.Login, e.Package.Name, strings.ToLower(e.Package.Type),
		)}},
	}
	if e.Repository != nil {
		s.Subject.Parts["repository"] = e.Repository.FullName
	}
	s = s.Identified()
	h.Signal = &s
}

func kindOf(p *appevent.Published) registry.Kind {
	kind := strings.ToLower(p.Type)
	if kind == "" {
		kind = strings.ToLower(p.Ecosystem)
	}
	switch kind {
	case "container", "docker":
		return registry.OCI
	case "npm":
		return registry.NPM
	}
	return ""
}

// isPackage reports whether an artifact is the package of an owner: "@owner/name" of npm, which
// GitHub shows with its scope or without, and "registry/owner/name" of an image.
func isPackage(a *policy.Artifact, owner, name string) bool {
	name = strings.TrimPrefix(strings.ToLower(name), "@")
	if !strings.HasPrefix(name, strings.ToLower(owner)+"/") {
		name = strings.ToLower(owner) + "/" + name
	}
	have := strings.ToLower(a.Name)
	if a.Kind == registry.OCI {
		_, have, _ = strings.Cut(have, "/")
		return have == name
	}
	return have == "@"+name
}
