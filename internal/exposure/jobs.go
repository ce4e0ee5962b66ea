package exposure

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/buildrun"
	"github.com/wormsweep/wormsweep/internal/ghread"
	"github.com/wormsweep/wormsweep/internal/triage"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/workflow"
)

// jobs looks at the jobs of a run whose commit had the package, or may have had it.
func (a *asked) jobs(ctx context.Context, r *ghread.Reader, repo string, run *ghread.Run, out *Run) {
	const id = triage.CIInstalled
	what := fmt.Sprintf("the jobs of run %d of %q", run.ID, repo)
	list, whole, err := r.AllJobs(ctx, repo, run, func() error {
		if !a.spent.within(&a.spent.jobs, a.limits.Jobs) {
			return fmt.Errorf("over the %d runs whose jobs may be looked at", a.limits.Jobs)
		}
		return nil
	})
	switch {
	case err != nil:
		a.gap(id, ghread.GapOf(what, err))
	case !whole:
		a.gap(id, verify.Gap{Code: verify.GapNoAnswer, Detail: what + ": more than GitHub lists"})
	}
	if len(list) == 0 {
		return
	}
	f := a.flow(ctx, r, repo, run)
	for i := range list {
		j := &list[i]
		job := Job{
			Name: j.Name, Attempt: j.Attempt, Started: j.Started.UTC(), Ended: j.Conclusion,
			RunnerName: j.RunnerName, RunnerGroup: j.RunnerGroup, Labels: j.Labels,
		}
		job.Runner = a.runner(ctx, r, repo, j)
		parts := f.find(j.Name)
		job.Installed = f.installed(ctx, parts, run, j, out.Had)
		if job.Installed.Truth != triage.No {
			a.given(ctx, r, repo, run, f, parts, &job)
		}
		out.Jobs = append(out.Jobs, job)
	}
}

// installed answers whether a job installed the package.
func (f *flow) installed(ctx context.Context, parts []*part, run *ghread.Run, j *ghread.Job, had triage.Answer) triage.Answer {
	if j.Conclusion == "skipped" || j.Runner == 0 && j.Conclusion != "" && len(j.Steps) == 0 {
		return triage.Said(SourceGitHub, false, "it did not run: %.40q", j.Conclusion)
	}
	if len(parts) == 0 {
		why := f.unknown
		if why == "" {
			why = "its workflow has no job of that name"
		}
		return triage.Unsaid(SourceGitHub, "what it did is not known: %s", why)
	}
	unsure := ""
	for _, p := range parts {
		if p.unknown != "" {
			unsure = p.unknown
		}
		elsewhere := false
		for i := range p.Steps {
			s := &p.Steps[i]
			elsewhere = elsewhere || s.Elsewhere()
			step := f.step(ctx, s, p.repo, p.ref, 0)
			truth, how := step.truth, step.how
			if elsewhere && truth == triage.No && f.looksInto(s) {
				truth = triage.Unknown
			}
			ran, said := stepRan(p.likes[i], j)
			switch {
			case truth == triage.No || ran == triage.No:
			case truth == triage.Yes && ran == triage.Yes && had.Truth == triage.Yes:
				return triage.Said(SourceGitHub, true, "the step %.100q ran (%.40s)", how, said)
			case truth == triage.Yes && ran == triage.Yes:
				return triage.Unsaid(SourceGitHub, "the step %.100q installed, and whether with the package is not known: %s", how, had.Detail)
			default:
				unsure = fmt.Sprintf("whether the step %.100q installed it is not known", how)
			}
		}
	}
	if unsure == "" {
		unsure = otherThen(parts, run, j)
	}
	if unsure != "" {
		return triage.Unsaid(SourceGitHub, "%s", unsure)
	}
	return triage.Said(SourceGitHub, false, "no step that ran installs what is locked")
}

// otherThen says why the workflow that was read may not be the one that ran, "" where it is.
func otherThen(parts []*part, run *ghread.Run, j *ghread.Job) string {
	for _, p := range parts {
		switch {
		case !ghread.IsCommit(strings.ToLower(p.ref)):
			return fmt.Sprintf("its workflow was read as %.100q is now, and may have been another when it ran", p.ref)
		case p.told && j.Attempt < run.Attempt:
			return "its attempt may have called another workflow than the last one did"
		}
	}
	for i := range j.Steps {
		name := j.Steps[i].Name
		if !githubs.MatchString(name) && !slices.ContainsFunc(parts, func(p *part) bool {
			return slices.ContainsFunc(p.likes, func(like *regexp.Regexp) bool { return like.MatchString(name) })
		}) {
			return fmt.Sprintf("its workflow, as it was read, has no step %.100q", name)
		}
	}
	return ""
}

// githubs are the steps that GitHub adds to those of a workflow. It builds and pulls what has an address, so that
// "Build app" is a step of somebody's own.
var githubs = regexp.MustCompile(`^(Set up (job|runner)|Complete (job|runner)|Initialize containers|Stop containers|(Pre|Post) .*|(Build|Pull) \S*[/:@]\S*)$`)

// stepRan answers whether a step of a workflow ran in a job, by its name. One that failed did.
func stepRan(like *regexp.Regexp, j *ghread.Job) (triage.Truth, string) {
	truth, said := triage.Unknown, ""
	for _, shown := range j.Steps {
		if !like.MatchString(shown.Name) {
			continue
		}
		switch shown.Conclusion {
		case "skipped":
			if truth == triage.Unknown {
				truth = triage.No
			}
		case "":
			return triage.Unknown, ""
		default:
			truth, said = triage.Yes, shown.Conclusion
		}
	}
	return truth, said
}

// hosted is how GitHub calls its own runners.
var hosted = regexp.MustCompile(`^(GitHub Actions \d+|Hosted Agent)$`)

// runner tells GitHub's runners from our own. A runner of our own that was made for one job is
// gone from the organisation's list, and its labels need not say what it was.
func (a *asked) runner(ctx context.Context, r *ghread.Reader, repo string, j *ghread.Job) RunnerKind {
	switch {
	case j.RunnerName == "" && j.Runner == 0:
		return NoRunner
	case slices.ContainsFunc(j.Labels, func(label string) bool { return strings.EqualFold(label, "self-hosted") }):
		return SelfHosted
	case hosted.MatchString(j.RunnerName) && j.RunnerGroup == "GitHub Actions":
		return Hosted
	}
	owner, _, _ := strings.Cut(repo, "/")
	type runnerJSON struct {
		ID   int64  `json:"id"`
		Name string `json:"name"`
	}
	list, _, err := ghread.Pages(ctx, r, "orgs/"+url.PathEscape(owner)+"/actions/runners", url.Values{}, func(page []byte) ([]runnerJSON, int, error) {
		return ghread.Counted[runnerJSON](page, "runners")
	})
	if slices.ContainsFunc(list, func(known runnerJSON) bool { return known.ID == j.Runner && known.Name == j.RunnerName }) {
		return SelfHosted
	}
	if err != nil {
		a.gap(triage.CISelfHosted, ghread.GapOf(fmt.Sprintf("whose the runner %.100q is", j.RunnerName), err))
	} else {
		a.gap(triage.CISelfHosted, verify.Gap{Code: verify.GapNotServed, Detail: fmt.Sprintf("whose the runner %.100q of the group %.100q is: it is not in the list of our own", j.RunnerName, j.RunnerGroup)})
	}
	return ""
}

// given says what a job could read and do: its secrets, its token, its identity.
func (a *asked) given(ctx context.Context, r *ghread.Reader, repo string, run *ghread.Run, f *flow, parts []*part, job *Job) {
	if len(parts) == 0 {
		job.Unknown = f.unknown
		if job.Unknown == "" {
			job.Unknown = "its workflow has no job of that name"
		}
		return
	}
	var named workflow.Secrets
	environments := map[string]bool{}
	untrusted := ofFork(repo, run) && run.Event == "pull_request" || byDependabot(run)
	for _, p := range parts {
		named.Add(p.secrets)
		if p.unknown != "" {
			job.Unknown = p.unknown
		}
		if p.Environment != "" {
			environments[p.Environment] = true
			job.Environment = p.Environment
		}
		for _, kind := range buildrun.Publishes(&p.Job) {
			if !slices.Contains(job.Publishes, kind) {
				job.Publishes = append(job.Publishes, kind)
			}
		}
		if !untrusted {
			job.token(p, a.fallback(ctx, r, repo, p))
		}
	}
	a.secrets(ctx, r, repo, run, named, environments, job)
}

// writes are the permissions with which a job can publish, or change what is published from.
var writes = []string{"contents", "packages", "actions", "pull-requests", "attestations", "pages"}

func (job *Job) token(p *part, fallback triage.Truth) {
	for _, name := range writes {
		said := name
		switch p.may(name, fallback) {
		case triage.No:
			continue
		case triage.Unknown:
			said = "default"
		}
		if !slices.Contains(job.Token, said) {
			job.Token = append(job.Token, said)
		}
	}
	job.IDToken = job.IDToken || p.may("id-token", fallback) == triage.Yes
}

// fallback answers whether a job's token may write where no workflow says.
func (a *asked) fallback(ctx context.Context, r *ghread.Reader, repo string, p *part) triage.Truth {
	if slices.ContainsFunc(p.limits, func(limit *workflow.Permissions) bool { return limit != nil }) {
		return triage.Unknown // which is not asked for
	}
	type settings struct {
		Default string `json:"default_workflow_permissions"`
	}
	s, err := ghread.Get[settings](ctx, r, ghread.RepoPath(repo)+"/actions/permissions/workflow", nil)
	switch {
	case err != nil:
		a.gap(triage.CIPublishes, ghread.GapOf(fmt.Sprintf("what tokens of jobs of %q may by default", repo), err))
	case s.Default == "read":
		return triage.No
	case s.Default == "write":
		return triage.Yes
	}
	return triage.Unknown
}

// byDependabot reports whether a run is given Dependabot's secrets instead of the repository's.
func byDependabot(run *ghread.Run) bool {
	return actor(run) == "dependabot[bot]" && run.Event != "pull_request_target" && run.Event != "workflow_run"
}
