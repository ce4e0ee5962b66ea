package exposure

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/ghread"
	"github.com/wormsweep/wormsweep/internal/triage"
	"github.com/wormsweep/wormsweep/internal/workflow"
)

// part is a job of a workflow as a run has it: of the run's own workflow, or of one that it calls.
type part struct {
	workflow.Job
	shown   *regexp.Regexp
	likes   []*regexp.Regexp // of its steps
	repo    string           // where its file is
	ref     string
	told    bool             // ref is the commit that GitHub told of the run's last attempt
	secrets workflow.Secrets // that it could read
	// limits are what the token may, from the outermost workflow inwards: each may only lessen
	// what the one before gave. A nil one does not say.
	limits  []*workflow.Permissions
	unknown string // why it is not known, or not whole
}

const (
	maxCalls = 10  // of one workflow by another, as GitHub has it
	maxParts = 500 // of one run
)

// flow is the jobs of a workflow at one commit, with those of the workflows that it calls.
type flow struct {
	*asked
	*ghread.Reader
	repo  string // of the run, and what it has in its workspace, unless it checks out something else
	ref   string
	parts []part
	run   *ghread.Run
	calls int // of workflows, so far
	// unknown says why the jobs are not known, or not all of them.
	unknown string

	files int               // of actions that were looked into
	known map[string]effect // what those do
}

// effect is whether a step installs what the project locks, and how it is called.
type effect struct {
	truth triage.Truth
	how   string
}

// flow reads the workflow of a run, and those that it calls, at its commit, once for all runs of
// it.
func (a *asked) flow(ctx context.Context, r *ghread.Reader, repo string, run *ghread.Run) *flow {
	ref := strings.ToLower(run.HeadSHA)
	if run.Event == "pull_request_target" { // whose workflow is the base's
		ref = run.Repository.DefaultBranch
		if len(run.Pulls) > 0 {
			ref = cmp.Or(run.Pulls[0].Base.SHA, ref)
		}
	}
	key := fmt.Sprint(strings.ToLower(repo), "@", ref, ":", run.Workflow(), run.Referenced)
	if f := a.flows[key]; f != nil {
		return f
	}
	f := &flow{asked: a, Reader: r, repo: repo, ref: ref, run: run, known: map[string]effect{}}
	a.flows[key] = f
	file, gap := r.Workflow(ctx, repo, run.Workflow(), ref)
	if file == nil {
		f.unknown = gap.Detail
		return f
	}
	f.add(ctx, file, caller{repo: repo, ref: ref}, 0)
	return f
}

// caller is what a workflow is given by the one that calls it; the zero value, but for the place,
// is that of a workflow that nothing calls.
type caller struct {
	repo, ref string
	told      bool   // ref is the commit that GitHub told
	name      string // "caller / ", as GitHub shows its jobs
	called    bool
	inherits  bool
	passes    map[string]workflow.Secrets
	secrets   workflow.Secrets // that are given as inputs
	limits    []*workflow.Permissions
}

func (f *flow) add(ctx context.Context, file *workflow.File, by caller, depth int) {
	for _, j := range file.Jobs {
		if len(f.parts) >= maxParts {
			f.unknown = fmt.Sprintf("more than %d jobs", maxParts)
			return
		}
		own := by.resolve(j.Secrets)
		own.Add(by.resolve(file.Secrets))
		own.Add(by.secrets)
		permissions := j.Permissions
		if permissions == nil {
			permissions = file.Permissions
		}
		limits := append(slices.Clone(by.limits), permissions)
		j.Name = by.name + j.Name
		p := part{Job: j, shown: j.Shown(), repo: by.repo, ref: by.ref, told: by.told, secrets: own, limits: limits}
		if j.Uses == "" {
			for i := range j.Steps {
				p.likes = append(p.likes, j.Steps[i].Like())
			}
			f.parts = append(f.parts, p)
			continue
		}
		inner := caller{name: j.Name + " / ", called: true, secrets: own, limits: limits, passes: map[string]workflow.Secrets{}}
		inner.inherits = j.Inherits && (!by.called || by.inherits)
		for name, s := range j.Passes {
			inner.passes[name] = by.resolve(s)
		}
		if j.Inherits && by.called && !by.inherits { // what it was passed itself
			inner.passes = by.passes
		}
		f.call(ctx, &p, inner, depth)
	}
}

// resolve turns the names that a workflow has for secrets into those of the repository.
func (c *caller) resolve(s workflow.Secrets) workflow.Secrets {
	if !c.called || c.inherits {
		return s
	}
	out := workflow.Secrets{Token: s.Token}
	for name, passed := range c.passes {
		if s.All != "" || slices.Contains(s.Names, name) {
			out.Add(passed)
		}
	}
	return out
}

// call reads a workflow that a job calls: "./.github/workflows/x.yml", "$/.github/workflows/x.yml" or
// "owner/name/path@ref". One that cannot be read may use all that it is given.
func (f *flow) call(ctx context.Context, p *part, inner caller, depth int) {
	if file, why := f.calledFile(ctx, p, &inner, depth); file != nil {
		f.add(ctx, file, inner, depth+1)
	} else {
		p.unknown, p.Steps = why, nil
		if inner.inherits {
			p.secrets.Add(workflow.Secrets{All: "secrets: inherit, for a workflow that could not be read"})
		}
		for _, s := range inner.passes {
			p.secrets.Add(s)
		}
		p.shown = regexp.MustCompile(`(?s)^` + regexp.QuoteMeta(inner.name))
		f.parts = append(f.parts, *p)
	}
}

func (f *flow) calledFile(ctx context.Context, p *part, inner *caller, depth int) (*workflow.File, string) {
	if f.calls++; depth >= maxCalls || f.calls > maxParts {
		return nil, fmt.Sprintf("workflows call each other more than %d deep, or %d times", maxCalls, maxParts)
	}
	repo, path, ref, told := p.repo, "", p.ref, p.told
	if local, ok := workflow.Local(p.Uses); ok {
		path = local
	} else {
		address, at, _ := strings.Cut(p.Uses, "@")
		parts := strings.SplitN(address, "/", 3)
		if len(parts) < 3 {
			return nil, fmt.Sprintf("%.200q is no workflow", p.Uses)
		}
		repo, path, ref = parts[0]+"/"+parts[1], parts[2], at
		if then := f.run.Called(address, ref); then != "" {
			ref, told = then, true
		}
	}
	inner.repo, inner.ref, inner.told = repo, ref, told
	file, gap := f.Workflow(ctx, repo, path, ref)
	if file == nil {
		return nil, gap.Detail
	}
	return file, ""
}

// find gives the jobs of the workflow that a run shows by a name, several where names are alike.
func (f *flow) find(name string) []*part {
	var out, whole []*part
	for i := range f.parts {
		p := &f.parts[i]
		if !p.shown.MatchString(name) {
			continue
		}
		out = append(out, p)
		// "call / build" is not the job "build" beside the job "call".
		if strings.Count(p.Name, " / ") == strings.Count(name, " / ") || p.unknown != "" {
			whole = append(whole, p)
		}
	}
	if len(whole) > 0 {
		return whole
	}
	return out
}

// may answers whether the token could have a permission at "write". fallback is what it is
// where no workflow says: never for id-token.
func (p *part) may(permission string, fallback triage.Truth) triage.Truth {
	said := fallback
	if permission == "id-token" {
		said = triage.No
	}
	for _, limit := range p.limits {
		switch {
		case limit == nil:
		case !limit.May(permission):
			return triage.No
		default:
			said = triage.Yes
		}
	}
	return said
}

const (
	maxActionDepth = 4
	maxActionFiles = 50
)

// looksInto reports whether what a step does is in the file of an action. Where something else lies in the
// workspace than the run's commit, such a file may be another, or name another.
func (f *flow) looksInto(s *workflow.Step) bool {
	return s.Uses != "" && !strings.HasPrefix(s.Uses, "docker://") && f.installs(s) == triage.Unknown
}

// step answers whether a step, if it ran, installed what the project locks. It looks into actions
// that are made of steps.
func (f *flow) step(ctx context.Context, s *workflow.Step, repo, ref string, depth int) effect {
	out := effect{f.installs(s), s.Shown()}
	if !f.looksInto(s) {
		return out
	}
	folder := ""
	if local, ok := workflow.InWorkspace(s.Uses); ok {
		repo, ref, folder = f.repo, f.ref, strings.Trim(local, "/")
	} else if local, ok := workflow.InOwn(s.Uses); ok {
		folder = strings.Trim(local, "/")
	} else {
		address, at, _ := strings.Cut(s.Uses, "@")
		parts := strings.SplitN(address, "/", 3)
		if len(parts) < 2 {
			return out
		}
		repo, ref = parts[0]+"/"+parts[1], at
		if len(parts) == 3 {
			folder = strings.Trim(parts[2], "/")
		}
	}
	key := repo + "@" + ref + ":" + folder
	inner, ok := f.known[key]
	if !ok {
		if depth >= maxActionDepth || f.files >= maxActionFiles {
			return out
		}
		f.files++
		inner = f.action(ctx, repo, folder, ref, depth)
		f.known[key] = inner
	}
	if inner.how != "" {
		out.how += ": " + inner.how
	}
	if inner.truth == triage.No && !ghread.IsCommit(strings.ToLower(ref)) { // it may have been moved since
		return effect{triage.Unknown, out.how}
	}
	return effect{inner.truth, out.how}
}

// action answers for an action in a folder of a repository.
func (f *flow) action(ctx context.Context, repo, folder, ref string, depth int) effect {
	for _, name := range []string{"action.yml", "action.yaml"} {
		file, _ := f.Workflow(ctx, repo, strings.TrimPrefix(folder+"/"+name, "/"), ref)
		if file == nil {
			continue
		}
		if !file.Action || len(file.Jobs) == 0 || file.Jobs[0].Steps == nil { // what it does, its file does not say
			return effect{}
		}
		whole, elsewhere := triage.No, false
		for i := range file.Jobs[0].Steps {
			s := &file.Jobs[0].Steps[i]
			elsewhere = elsewhere || s.Elsewhere()
			switch inner := f.step(ctx, s, repo, ref, depth+1); {
			case inner.truth == triage.Yes:
				return inner
			case inner.truth == triage.Unknown, elsewhere && f.looksInto(s):
				whole = triage.Unknown
			}
		}
		return effect{truth: whole}
	}
	return effect{}
}
