package buildrun

import (
	"context"
	"strings"

	"github.com/wormsweep/wormsweep/internal/ghread"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/workflow"
)

// flow is what the workflow files of a run hold.
type flow struct {
	jobs []workflow.Job
	gap  verify.Gap // why it is not known, or not whole
}

// workflow reads the workflow of the run at its commit, and that of the job that signed where it
// is another one.
func (a *about) workflow(ctx context.Context) flow {
	id := &a.q.Identity
	ref := a.run.HeadSHA
	switch {
	case ghread.IsCommit(strings.ToLower(id.BuildConfigDigest)):
		ref = id.BuildConfigDigest
	case ghread.IsCommit(strings.ToLower(id.SourceDigest)):
		ref = id.SourceDigest
	}
	f := a.parsed(ctx, a.in.repo, a.run.Workflow(), ref)
	if f.gap.Code != "" {
		return f
	}
	for i := range f.jobs {
		if f.jobs[i].Uses == "" {
			continue
		}
		// GitHub shows the jobs of a called workflow as "caller / job".
		called := a.called(ctx, f.jobs[i].Uses, ref)
		if called.gap.Code != "" {
			f.gap = called.gap
			continue
		}
		for _, inner := range called.jobs {
			inner.Name = f.jobs[i].Name + " / " + inner.Name
			f.jobs = append(f.jobs, inner)
		}
	}
	return f
}

// called reads a reusable workflow: "./.github/workflows/x.yml", "$/.github/workflows/x.yml" or "owner/name/path@ref".
func (a *about) called(ctx context.Context, uses, ref string) flow {
	if local, ok := workflow.Local(uses); ok {
		return a.parsed(ctx, a.in.repo, local, ref)
	}
	id := &a.q.Identity
	path, at, _ := strings.Cut(uses, "@")
	owner, rest, _ := strings.Cut(path, "/")
	name, file, _ := strings.Cut(rest, "/")
	// The certificate names the commit of the workflow that signed.
	if signer, _, _ := strings.Cut(id.BuildSignerURI, "@"); strings.HasSuffix(strings.ToLower(signer), "/"+strings.ToLower(path)) && ghread.IsCommit(strings.ToLower(id.BuildSignerDigest)) {
		at = id.BuildSignerDigest
	}
	return a.parsed(ctx, owner+"/"+name, file, at)
}

func (r *Reader) parsed(ctx context.Context, repo, file, ref string) flow {
	f, gap := r.Workflow(ctx, repo, file, ref)
	if f == nil {
		return flow{gap: gap}
	}
	return flow{jobs: f.Jobs}
}
