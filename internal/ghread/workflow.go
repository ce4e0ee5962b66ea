package ghread

import (
	"context"
	"fmt"

	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/workflow"
)

// Workflow reads a workflow's or an action's file of a repository at a commit, branch or tag. It
// is nil with the gap that says why.
func (r *Reader) Workflow(ctx context.Context, repo, file, ref string) (*workflow.File, verify.Gap) {
	what := fmt.Sprintf("the workflow %.200q of %.200q at %.100q", file, repo, ref)
	if !IsRepo(repo) || !IsRef(ref) {
		return nil, verify.Gap{Code: verify.GapUnsupported, Detail: what}
	}
	data, err := r.File(ctx, repo, file, ref)
	if err != nil {
		return nil, GapOf(what, err)
	}
	f, err := workflow.Parse(data)
	if err != nil {
		return nil, verify.Gap{Code: verify.GapUnsupported, Detail: fmt.Sprintf("%s: %v", what, err)}
	}
	return f, verify.Gap{}
}
