package actions

import (
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// ParseWorkflow reads a workflow file (docs.github.com, "Workflow syntax for GitHub
// Actions"): jobs.*.uses and jobs.*.steps[].uses.
func ParseWorkflow(data []byte, opt lockfile.Options) lockfile.File {
	return parse(data, opt, layout{root: "jobs", jobs: true}, (*reader).workflow)
}

func (r *reader) workflow(root *yaml.Node) {
	jobs := r.values(root, "jobs")
	if len(jobs) == 0 {
		r.AddProblem(0, lockfile.CodeHeader, "no jobs: is this a workflow?")
	}
	for _, jobs := range jobs {
		if !r.is(jobs, yaml.MappingNode, "jobs") {
			continue
		}
		for i := 1; i < len(jobs.Content); i += 2 {
			if job := follow(jobs.Content[i]); r.enter(job) && r.is(job, yaml.MappingNode, "a job") {
				r.job(job)
			}
		}
	}
}

// WorkflowSample is a workflow with one step that uses the action.
func WorkflowSample(name, version string) string {
	return "on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: " + name + "@" + version + "\n"
}

// ParseAction reads an action's own metadata (docs.github.com, "Metadata syntax for GitHub
// Actions"): the steps of a composite action, and the image of a container action.
func ParseAction(data []byte, opt lockfile.Options) lockfile.File {
	return parse(data, opt, layout{root: "runs"}, (*reader).metadata)
}

func (r *reader) metadata(root *yaml.Node) {
	runs := r.values(root, "runs")
	if len(runs) == 0 {
		r.AddProblem(0, lockfile.CodeHeader, "no runs: is this an action?")
	}
	for _, runs := range runs {
		if !r.is(runs, yaml.MappingNode, "runs") {
			continue
		}
		composite := slices.ContainsFunc(r.values(runs, "using"), func(n *yaml.Node) bool { return n.Value == "composite" })
		steps := r.values(runs, "steps")
		if composite && len(steps) == 0 {
			r.AddProblem(runs.Line, lockfile.CodeEntry, "a composite action without steps")
		}
		r.steps(steps)
		for _, image := range r.values(runs, "image") {
			if image.Kind == yaml.ScalarNode && isImage(image.Value) {
				r.uses(image.Value, image.Line)
			}
		}
	}
}

// ActionSample is a composite action with one step that uses the action.
func ActionSample(name, version string) string {
	return "name: canary\nruns:\n  using: composite\n  steps:\n    - uses: " + name + "@" + version + "\n"
}

// job reads a job, which has steps or is a call of a reusable workflow.
func (r *reader) job(job *yaml.Node) {
	steps, uses := r.values(job, "steps"), r.values(job, "uses")
	if len(steps)+len(uses) == 0 {
		r.AddProblem(job.Line, lockfile.CodeEntry, "a job without steps or uses")
	}
	r.steps(steps)
	for _, n := range uses {
		r.usesNode(n)
	}
}

func (r *reader) steps(lists []*yaml.Node) {
	for _, list := range lists {
		if !r.enter(list) || !r.is(list, yaml.SequenceNode, "steps") {
			continue
		}
		for _, step := range list.Content {
			if step = follow(step); !r.enter(step) || !r.is(step, yaml.MappingNode, "a step") {
				continue
			}
			uses := r.values(step, "uses")
			if len(uses) == 0 && len(r.values(step, "run")) == 0 {
				r.AddProblem(step.Line, lockfile.CodeEntry, "a step without run or uses")
			}
			for _, n := range uses {
				r.usesNode(n)
			}
		}
	}
}

func (r *reader) usesNode(n *yaml.Node) {
	if r.is(n, yaml.ScalarNode, "uses") {
		r.uses(n.Value, n.Line)
	}
}
