package buildrun

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/drift"
	"github.com/wormsweep/wormsweep/internal/ghread"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/workflow"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// publisher is how one kind of artifact is published: by commands, and by actions.
type publisher struct {
	run  *regexp.Regexp
	uses map[string]bool
}

func command(parts ...string) *regexp.Regexp {
	return regexp.MustCompile(`(?im)(^|[\s;&|"'(])(` + strings.Join(parts, "|") + `)`)
}

func set(names ...string) map[string]bool {
	m := map[string]bool{}
	for _, name := range names {
		m[name] = true
	}
	return m
}

// publishers are the known ways to publish. [^\n;&|]* is the rest of one command.
var publishers = map[registry.Kind]publisher{
	registry.NPM: {
		command(`(npm|pnpm|yarn|bun|lerna|turbo|rush|npx|pnpx|bunx|changeset)\b[^\n;&|]*\bpublish\b`, `(npm|npx)\b[^\n;&|]*\bstage\b`,
			`(npx\s+)?semantic-release\b`, `(npx\s+)?release-it\b`, `(npx\s+|pnpm\s+|yarn\s+)?nx\b[^\n;&|]*\brelease\b`),
		set("js-devtools/npm-publish", "changesets/action", "cycjimmy/semantic-release-action"),
	},
	registry.PyPI: {
		command(`(python\S*\s+-m\s+)?twine\b[^\n;&|]*\bupload\b`, `(uv|poetry|flit|hatch|pdm)\b[^\n;&|]*\bpublish\b`, `maturin\b[^\n;&|]*\b(upload|publish)\b`),
		set("pypa/gh-action-pypi-publish", "pyo3/maturin-action", "python-semantic-release/publish-action"),
	},
	registry.OCI: {
		command(`(docker|podman|buildah|nerdctl|helm|oras|crane)\b[^\n;&|]*\bpush\b`, `docker\b[^\n;&|]*--push\b`, `ko\b[^\n;&|]*\b(build|publish|apply|resolve)\b`,
			`(skopeo|crane)\b[^\n;&|]*\bcopy\b`, `goreleaser\b`),
		set("docker/build-push-action", "docker/bake-action", "goreleaser/goreleaser-action", "redhat-actions/push-to-registry"),
	},
	registry.Release: {
		command(`gh\b[^\n;&|]*\brelease\b[^\n;&|]*\b(create|upload|edit)\b`, `goreleaser\b`, `(npx\s+)?semantic-release\b`),
		set("softprops/action-gh-release", "ncipollo/release-action", "goreleaser/goreleaser-action", "actions/create-release",
			"svenstaro/upload-release-action", "googleapis/release-please-action"),
	},
}

// weak finds steps that publish by a script of the repository's own.
var weak = regexp.MustCompile(`(?i)(publish|release|deploy|upload)`)

// publishes gives the steps of the flow that publish the kind: known ways, or else what is
// called so.
func (f *flow) publishes(kind registry.Kind) (steps []placed) {
	p := publishers[kind]
	fits := []func(s *workflow.Step) bool{
		p.publishes,
		func(s *workflow.Step) bool {
			return s.Run != "" && (weak.MatchString(s.Run) || weak.MatchString(s.Name))
		},
	}
	for _, fit := range fits {
		for i := range f.jobs {
			for k := range f.jobs[i].Steps {
				if s := &f.jobs[i].Steps[k]; fit(s) {
					steps = append(steps, placed{&f.jobs[i], s})
				}
			}
		}
		if len(steps) > 0 {
			return steps
		}
	}
	return nil
}

// Publishes are the kinds of artifacts that a job publishes by a known way, sorted.
func Publishes(j *workflow.Job) []registry.Kind {
	var kinds []registry.Kind
	for kind, p := range publishers {
		if slices.ContainsFunc(j.Steps, func(s workflow.Step) bool { return p.publishes(&s) }) {
			kinds = append(kinds, kind)
		}
	}
	slices.Sort(kinds)
	return kinds
}

func (p *publisher) publishes(s *workflow.Step) bool {
	return p.run != nil && s.Run != "" && p.run.MatchString(s.Run) || p.uses[workflow.Action(s.Uses)]
}

type placed struct {
	job  *job
	step *workflow.Step
}

// published answers whether a step that publishes ran, and well.
func (a *about) published(ctx context.Context, f flow) drift.Answer {
	steps := f.publishes(a.q.Kind)
	if len(steps) == 0 {
		if f.gap.Code != "" {
			return drift.Unsaid(f.gap)
		}
		return drift.Unsaid(verify.Gap{Code: verify.GapUnsupported, Detail: fmt.Sprintf("no step of %.200q is one that is known to publish", a.run.Workflow())})
	}
	jobs, whole, err := a.Jobs(ctx, a.in.repo, a.in.id, a.in.attempt)
	if err != nil {
		return drift.Unsaid(ghread.GapOf(fmt.Sprintf("the jobs of run %d", a.in.id), err))
	}
	var seen []string
	for _, p := range steps {
		answer, yes := ran(p, jobs)
		if yes && p.job.at.fixed() { // else the step may have been another
			return drift.Said(true, "%s", answer)
		}
		if answer != "" {
			seen = append(seen, answer)
		}
	}
	switch {
	case len(seen) > 0 && whole && f.gap.Code == "":
		return drift.Said(false, "%s", strings.Join(seen, "; "))
	case f.gap.Code != "":
		return drift.Unsaid(f.gap)
	}
	return drift.Unsaid(verify.Gap{Code: verify.GapNoAnswer, Detail: fmt.Sprintf("the jobs of run %d do not show the step %.200q", a.in.id, steps[0].step.Shown())})
}

// ran looks a step up among the jobs, and says how it ended; "" where it is not shown.
func ran(p placed, jobs []ghread.Job) (said string, yes bool) {
	fitsJob, fitsStep := p.job.Shown(), p.step.Like()
	for i := range jobs {
		j := &jobs[i]
		if !fitsJob.MatchString(j.Name) {
			continue
		}
		for _, s := range j.Steps {
			if !fitsStep.MatchString(s.Name) {
				continue
			}
			said = fmt.Sprintf("the step %.100q of the job %.100q ended with %.40q", s.Name, j.Name, s.Conclusion)
			if s.Conclusion == "success" {
				return said, true
			}
		}
		if said == "" && j.Conclusion == "skipped" {
			said = fmt.Sprintf("the job %.100q with the step %.100q was skipped", j.Name, p.step.Shown())
		}
	}
	return said, false
}
