package discover

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/policy"
	uses "github.com/wormsweep/wormsweep/internal/workflow"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/host"
)

// entry is a publication and how its run begins: by a workflow that holds it, or by one that
// calls that.
type entry struct {
	publication
	caller *workflow // that is triggered
	signer string    // the SAN without its ref
	ref    string    // of a called workflow of another repository: as its caller has it; else ""
}

// propose adds the artifacts that workflows of a project publish.
func (d *discovery) propose(p *project) {
	entries := d.entries(p)
	used := make([]bool, len(p.manifests))
	for i := range entries {
		e := &entries[i]
		switch e.kind {
		case registry.NPM, registry.PyPI:
			d.packages(p, e, used)
		case registry.OCI:
			d.image(p, e)
		case registry.Release:
			d.add(p, e, p.source, "")
		}
	}
	d.modules(p, entries, used)
	for i, m := range p.manifests {
		if !used[i] && !m.private {
			d.unpublished(p, m)
		}
	}
}

// entries are the publications of a project's workflows, each with the workflow that begins
// its run.
func (d *discovery) entries(p *project) []entry {
	var out []entry
	for _, file := range slices.Sorted(maps.Keys(p.workflows)) {
		w := p.workflows[file]
		if !w.triggered() {
			continue
		}
		for _, pub := range w.publications(p) {
			out = append(out, entry{publication: pub, caller: w, signer: d.opt.Server + "/" + p.source + "/" + w.path})
		}
		c := calls{discovery: d, project: p, begin: w}
		c.follow(caller{workflow: w, source: p.source, idToken: true}, 0)
		out = append(out, c.entries...)
	}
	return out
}

// Limits of what is followed from one workflow.
const (
	maxDepth   = 10    // of workflows that call each other, as GitHub has it
	maxCalls   = 500   // of one workflow by another
	maxEntries = 5_000 // that those publish
)

// calls follows the reusable workflows that are called where one begins a run.
type calls struct {
	*discovery
	project *project
	begin   *workflow
	count   int
	entries []entry // what they publish
}

// caller is a workflow and how its run came to it.
type caller struct {
	*workflow
	source  string // the repository that its file is in
	ref     string // of another repository: as its caller has it; else ""
	idToken bool   // the workflows before it let it ask for an identity token
}

// find says where the file of a workflow is that a job calls. "./path" and "$/path" are in the
// repository of the job's own file.
func (by *caller) find(job string) (source, file, ref string) {
	if own, ok := uses.Local(job); ok {
		return by.source, own, by.ref
	}
	address, ref, _ := strings.Cut(job, "@")
	parts := append(strings.SplitN(address, "/", 3), "", "")
	return parts[0] + "/" + parts[1], parts[2], ref
}

// follow adds what the workflows publish that a workflow calls, and what those call.
func (c *calls) follow(by caller, depth int) {
	for i := range by.jobs {
		j := &by.jobs[i]
		if j.uses == "" {
			continue
		}
		if c.count++; c.count > maxCalls || len(c.entries) > maxEntries {
			c.notef("%q: %s: more than %d calls of workflows, or %d steps that publish: what the rest publishes is not proposed", c.project.source, c.begin.path, maxCalls, maxEntries)
			return
		}
		source, file, ref := by.find(j.uses)
		of := c.projects[source]
		switch {
		case of == nil || of.workflows[file] == nil:
			c.notef("%q: %s:%d calls %q, which is not among what was read: what it publishes is not proposed", by.source, by.path, j.line, j.uses)
			continue
		case depth == maxDepth:
			c.notef("%q: %s:%d calls %q, more than %d deep: what it publishes is not proposed", by.source, by.path, j.line, j.uses, maxDepth)
			continue
		}
		called := caller{of.workflows[file], source, ref, by.idToken && (j.idToken || j.unsaid && depth > 0)}
		for _, pub := range called.publications(c.project) {
			if !called.idToken { // its permissions are at most those of its caller
				pub.idToken, pub.signed, pub.predicates = false, "", nil
			}
			c.entries = append(c.entries, entry{publication: pub, caller: c.begin, signer: c.opt.Server + "/" + source + "/" + file, ref: ref})
		}
		c.follow(called, depth+1)
	}
}

// triggered reports whether a workflow is more than a part of others.
func (w *workflow) triggered() bool {
	return slices.ContainsFunc(w.events, func(e event) bool { return e.name != "workflow_call" })
}

// packages adds the packages that a step of npm or PyPI publishes: that of its folder, or all
// of the repository.
func (d *discovery) packages(p *project, e *entry, used []bool) {
	found := false
	for i, m := range p.manifests {
		if m.kind != e.kind || !e.all && m.dir() != e.dir {
			continue
		}
		found = true
		if used[i] = true; !m.private {
			d.pkg(p, e, m)
		}
	}
	if !found {
		d.notef("%q: %s:%d: %s publishes something that no manifest in %q names", p.source, e.path, e.line, e.how, e.dir)
	}
}

func (d *discovery) pkg(p *project, e *entry, m manifest) {
	eco := ecosystem.NPM
	if m.kind == registry.PyPI {
		eco = ecosystem.PyPI
	}
	if err := eco.CheckName(m.name); err != nil {
		d.notef("%q: %s:%d: no package can have the name: %v", p.source, m.path, m.line, err)
		return
	}
	if m.kind == registry.NPM && m.provenance && e.signed == "" && e.idToken {
		e.signed, e.predicates = "with provenance, as publishConfig of "+m.path+" says", []string{provenanceType}
	}
	c := d.add(p, e, eco.CanonicalName(m.name), m.path)
	if c == nil {
		return
	}
	c.note("", "from %s:%d", m.path, m.line)
	if m.registry != "" {
		d.elsewhere(c, m)
	}
}

// image adds an image that is pushed.
func (d *discovery) image(p *project, e *entry) {
	if e.image == "" {
		d.notef("%q: %s:%d: %s pushes an image whose name is settled in the run: not proposed", p.source, e.path, e.line, e.how)
		return
	}
	name := e.image
	if first, _, ok := strings.Cut(name, "/"); !ok || !strings.ContainsAny(first, ".:") && first != "localhost" {
		d.notef("%q: %s:%d: %s pushes %q, which names no registry: not proposed", p.source, e.path, e.line, e.how, name)
		return
	}
	d.add(p, e, name, "")
}

// modules adds the Go modules of a project that is released by tags.
func (d *discovery) modules(p *project, entries []entry, used []bool) {
	var released *entry
	for i := range entries {
		if entries[i].caller.tagged() && released == nil {
			released = &entries[i]
		}
	}
	if released == nil {
		return
	}
	for i, m := range p.manifests {
		if m.kind != registry.Go || ecosystem.Go.CheckName(m.name) != nil {
			continue
		}
		if !strings.HasPrefix(strings.ToLower(m.name)+"/", strings.ToLower(strings.TrimPrefix(d.opt.Server, "https://")+"/"+p.source)+"/") {
			continue // of another repository, or under a name of its own: only a registry knows
		}
		used[i] = true
		c := &candidate{project: p, Artifact: policy.Artifact{Kind: registry.Go, Name: m.name, Source: p.source, Tag: "{version}"}}
		if dir := m.dir(); dir != "." {
			c.Tag = path.Join(moduleFolder(dir), "{version}")
		}
		c.note("", "from %s:%d; released by tags, as %s is", m.path, m.line, released.path)
		c.note("tag", "Go's own rule for tags")
		d.found = append(d.found, c)
	}
}

// moduleFolder is the folder that the tags of a module begin with: a folder that is its major
// version is no part of it (golang.org/ref/mod, "Mapping versions to commits").
func moduleFolder(dir string) string {
	if base := path.Base(dir); len(base) > 1 && base[0] == 'v' && strings.Trim(base[1:], "0123456789") == "" {
		return strings.TrimPrefix(path.Dir(dir), ".")
	}
	return dir
}

// add adds an artifact that a publication makes. It is nil where it is proposed already.
func (d *discovery) add(p *project, e *entry, name, manifest string) *candidate {
	for _, c := range d.found {
		if c.Kind == e.kind && c.Name == name && c.project == p {
			c.note("", "also published at %s:%d (%s): which of them is it?", e.path, e.line, e.how)
			return nil
		}
	}
	c := &candidate{project: p, Artifact: policy.Artifact{Kind: e.kind, Name: name, Source: p.source}}
	d.found = append(d.found, c)
	c.note("", "published at %s:%d (%s)", e.path, e.line, e.how)
	if e.token != "" {
		c.note("tokens-allowed", "%s:%d publishes with a token; token-until is the day when it stops, and tokens-allowed is for one that does not", e.path, e.line)
	}
	c.trigger(e, d.opt.Issuer, manifest)
	return c
}

// unpublished says of a manifest that nothing publishes it here.
func (d *discovery) unpublished(p *project, m manifest) {
	c := &candidate{project: p, Artifact: policy.Artifact{Kind: m.kind, Name: m.name, Source: p.source}}
	if m.kind == registry.PyPI {
		c.Name = ecosystem.PyPI.CanonicalName(m.name)
	}
	d.notef("%q: %s:%d: %q: no workflow publishes it: not proposed", p.source, m.path, m.line, c.ID())
}

// elsewhere has an artifact at the registry that its manifest names. The address is proposed,
// and never asked.
func (d *discovery) elsewhere(c *candidate, m manifest) {
	address := strings.TrimSuffix(m.registry, "/")
	at := strings.TrimPrefix(address, "https://")
	at, _, _ = strings.Cut(at, "/")
	if host.IsNPM(at) {
		return
	}
	name := strings.NewReplacer(":", "-", "_", "-").Replace(strings.ToLower(at))
	if !slices.ContainsFunc(d.registries, func(g policy.Registry) bool { return g.Address == address }) {
		d.registries = append(d.registries, policy.Registry{Name: name, Protocol: "npm", Address: address})
	}
	c.Registry = name
	c.note("registry", "publishConfig of %s; nobody asked there", m.path)
}

// byName compares registries.
func byName(a, b policy.Registry) int { return cmp.Compare(a.Name, b.Name) }
