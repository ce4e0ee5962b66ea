package buildrun

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/wormsweep/wormsweep/internal/ghread"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/workflow"
)

// place is a repository and the commit at which its files are read, or else a branch or tag.
type place struct{ repo, ref string }

// fixed reports whether the files there are those that ran, whatever was pushed since.
func (p place) fixed() bool { return ghread.IsCommit(p.ref) }

// job is a job and where its file is.
type job struct {
	workflow.Job
	at place
}

// flow is what the workflow files of a run hold.
type flow struct {
	jobs      []job
	workspace place      // what the run checks out
	gap       verify.Gap // why it is not known, or not whole
}

// miss says that the flow is not whole. The first reason is kept.
func (f *flow) miss(gap verify.Gap) {
	if f.gap.Code == "" {
		f.gap = gap
	}
}

const (
	maxCalls = 10  // of one workflow by another, as GitHub has it
	maxJobs  = 500 // of one run, with those that call
)

// workflow reads the workflow of the run at its commit, and those that it calls.
func (a *about) workflow(ctx context.Context) flow {
	id := &a.q.Identity
	source := commit(id.SourceDigest, a.run.HeadSHA)
	at := place{a.in.repo, commit(id.BuildConfigDigest, source)}
	return a.flow(ctx, a.run, at, place{a.in.repo, source}, id)
}

// commit is the first of the texts that is a commit's id, or else the last.
func commit(texts ...string) string {
	for _, text := range texts {
		if id := strings.ToLower(text); ghread.IsCommit(id) {
			return id
		}
	}
	return texts[len(texts)-1]
}

// flow reads the workflow of a run at a place, and those that it calls. signer is the identity that
// was signed with in it, the zero value where none is known.
func (r *Reader) flow(ctx context.Context, run *ghread.Run, at, workspace place, signer *verify.Identity) flow {
	f := calls{Reader: r, run: run, signer: signer, flow: &flow{workspace: workspace}}
	f.read(ctx, at, run.Workflow(), "", 0)
	return *f.flow
}

// calls follows workflows that call each other.
type calls struct {
	*Reader
	run    *ghread.Run
	signer *verify.Identity
	flow   *flow
}

// read adds the jobs of a workflow, and of those that it calls. GitHub shows them as "caller / job".
func (c *calls) read(ctx context.Context, at place, path, caller string, depth int) {
	if depth >= maxCalls {
		c.flow.miss(verify.Gap{Code: verify.GapUnsupported, Detail: fmt.Sprintf("workflows call each other more than %d deep", maxCalls)})
		return
	}
	file, gap := c.Workflow(ctx, at.repo, path, at.ref)
	switch {
	case file == nil:
		c.flow.miss(gap)
		return
	case file.Action:
		c.flow.miss(verify.Gap{Code: verify.GapUnsupported, Detail: fmt.Sprintf("%.200q of %.200q is no workflow", path, at.repo)})
		return
	case !at.fixed():
		c.flow.miss(verify.Gap{Code: verify.GapUnsupported, Detail: fmt.Sprintf("at which commit %.100q of %.200q was when %.200q of it ran is not known", at.ref, at.repo, path)})
	}
	for _, j := range file.Jobs {
		if len(c.flow.jobs) >= maxJobs {
			c.flow.miss(verify.Gap{Code: verify.GapUnsupported, Detail: fmt.Sprintf("more than %d jobs", maxJobs)})
			return
		}
		j.Name = caller + j.Name
		c.flow.jobs = append(c.flow.jobs, job{j, at})
		if j.Uses != "" {
			c.call(ctx, &j, at, depth)
		}
	}
}

// call reads a workflow that a job calls: "./.github/workflows/x.yml" or "$/.github/workflows/x.yml",
// which are of the job's own repository at its commit, or "owner/name/path@ref".
func (c *calls) call(ctx context.Context, j *workflow.Job, at place, depth int) {
	path, own := workflow.Local(j.Uses)
	if !own {
		address, ref, _ := strings.Cut(j.Uses, "@")
		parts := strings.SplitN(address, "/", 3)
		if len(parts) < 3 {
			c.flow.miss(verify.Gap{Code: verify.GapUnsupported, Detail: fmt.Sprintf("%.200q is no workflow", j.Uses)})
			return
		}
		path, at = parts[2], place{parts[0] + "/" + parts[1], c.then(address, commit(ref))}
	}
	c.read(ctx, at, path, j.Name+" / ", depth+1)
}

// then is the commit that the ref of a called workflow was when the run called it: as the
// certificate has it of the workflow that signed, or else GitHub of the run. It is the ref itself
// where that is a commit, or neither tells.
func (c *calls) then(address, ref string) string {
	if ghread.IsCommit(ref) {
		return ref
	}
	signed, at, _ := strings.Cut(c.signer.BuildSignerURI, "@")
	digest := strings.ToLower(c.signer.BuildSignerDigest)
	if strings.HasSuffix(strings.ToLower(signed), "/"+strings.ToLower(address)) && ghread.ShortRef(at) == ghread.ShortRef(ref) && ghread.IsCommit(digest) {
		return digest
	}
	return cmp.Or(c.run.Called(address, ref), ref)
}
