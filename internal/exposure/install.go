package exposure

import (
	"regexp"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/triage"
	"github.com/wormsweep/wormsweep/internal/workflow"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// command is a command at the beginning of a line, or after what ends another.
func command(parts ...string) *regexp.Regexp {
	return regexp.MustCompile(`(?m)(^|[\s;&|"'(])(` + strings.Join(parts, "|") + `)`)
}

// installers are the commands that install what a project locks. [^\n;&|]* is the rest of one
// command.
var installers = map[ecosystem.Ecosystem]*regexp.Regexp{
	ecosystem.NPM: command(
		`npm\s([^\n;&|]*\s)?(ci|clean-install|i|in|install|add|update|up|upgrade|it|install-test|cit|install-ci-test|dedupe|rebuild)\b`,
		`pnpm\s([^\n;&|]*\s)?(i|install|add|update|up|upgrade|fetch|install-test|it|dedupe|deploy)\b`,
		`yarn\s*(\n|$|[;&|])`, `yarn\s+--`, `yarn\s([^\n;&|]*\s)?(install|add|up|upgrade|workspaces\s+focus)\b`,
		`bun\s([^\n;&|]*\s)?(i|install|add|update|ci)\b`, `deno\s+(install|cache|run|test|task)\b`, `lerna\s+bootstrap\b`, `rush\s+(install|update)\b`,
	),
	ecosystem.PyPI: command(
		`(python[\d.]*\s+-m\s+)?pip[\d.]*\s([^\n;&|]*\s)?install\b`, `uv\s([^\n;&|]*\s)?(sync|run|add|pip\s+(install|sync))\b`,
		`poetry\s([^\n;&|]*\s)?(install|add|update|sync)\b`, `pdm\s([^\n;&|]*\s)?(install|sync|add|update)\b`, `pipenv\s([^\n;&|]*\s)?(install|sync|update)\b`, `pip-sync\b`,
	),
	ecosystem.Go: command(`go\s+(build|test|run|install|get|generate|vet|tool|mod\s+(download|tidy|vendor|verify))\b`),
}

// elsewhere are installations that are not of the project: of a tool, for the machine.
var elsewhere = regexp.MustCompile(`\s(-g|--global|--location=global)\b`)

// installing are actions that install what a project locks.
var installing = map[ecosystem.Ecosystem][]string{
	ecosystem.NPM: {"bahmutov/npm-install", "borales/actions-yarn", "cypress-io/github-action"},
	ecosystem.Go:  {"golangci/golangci-lint-action", "goreleaser/goreleaser-action"},
}

// idle are actions that are known to install nothing of a project. What every other does, its
// name does not say.
var idle = []string{
	"actions/checkout", "actions/setup-node", "actions/setup-python", "actions/setup-go", "actions/setup-java", "actions/cache", "actions/cache/save", "actions/cache/restore",
	"actions/upload-artifact", "actions/download-artifact", "actions/labeler", "actions/stale", "actions/create-github-app-token", "actions/attest", "actions/attest-sbom",
	"actions/attest-build-provenance", "actions/configure-pages", "actions/deploy-pages", "actions/upload-pages-artifact", "actions/dependency-review-action",
	"docker/login-action", "docker/metadata-action", "docker/setup-buildx-action", "docker/setup-qemu-action",
	"step-security/harden-runner", "github/codeql-action/upload-sarif", "softprops/action-gh-release", "aws-actions/configure-aws-credentials",
}

// harmless are commands that install nothing, each as the first word of a line.
var harmless = []string{
	"echo", "printf", "exit", "cd", "ls", "cat", "mkdir", "git", "gh", "date", "sleep", "true", "false", "pwd", "head", "tail", "sort", "wc", "test", "[", "grep", "touch",
}

// installs answers whether a step, if it ran, installed what the project locks.
func (a *asked) installs(s *workflow.Step) triage.Truth {
	e := a.query.Ecosystem
	name := workflow.Action(s.Uses)
	switch {
	case e == ecosystem.Actions:
		return a.uses(s)
	case s.Uses != "":
		switch {
		case slices.Contains(installing[e], name), name == "pnpm/action-setup" && e == ecosystem.NPM && s.With["run_install"] != "" && s.With["run_install"] != "false":
			return triage.Yes
		case slices.Contains(idle, name), name == "pnpm/action-setup":
			return triage.No
		}
		return triage.Unknown
	case s.Run == "":
		return triage.No
	}
	re := installers[e]
	for line := range strings.Lines(strings.ReplaceAll(s.Run, "\\\n", " ")) {
		if re != nil && re.MatchString(line) && !elsewhere.MatchString(line) {
			return triage.Yes
		}
	}
	return onlyHarmless(s.Run)
}

// onlyHarmless is No for a script that has nothing but harmless commands, and else Unknown: what a
// script of the repository's own does, nobody knows here.
func onlyHarmless(script string) triage.Truth {
	if strings.ContainsAny(script, "`") || strings.Contains(script, "$(") {
		return triage.Unknown
	}
	for _, part := range regexpSplit.Split(script, -1) {
		part = strings.TrimSpace(part)
		if part == "" || strings.HasPrefix(part, "#") {
			continue
		}
		if !slices.Contains(harmless, strings.Fields(part)[0]) {
			return triage.Unknown
		}
	}
	return triage.No
}

var regexpSplit = regexp.MustCompile(`[\n;&|]+`)

// uses answers for an action that is looked for: whether the step is a use of it.
func (a *asked) uses(s *workflow.Step) triage.Truth {
	if s.Uses == "" || strings.HasPrefix(s.Uses, "docker://") {
		return triage.No
	}
	path, ref, _ := strings.Cut(s.Uses, "@")
	parts := strings.SplitN(path, "/", 3)
	if _, local := workflow.Local(s.Uses); local || len(parts) < 2 {
		return triage.Unknown
	}
	name := a.query.Ecosystem.CanonicalName(parts[0] + "/" + parts[1])
	p := lockfile.Package{Ecosystem: ecosystem.Actions, Name: name, Version: ref}
	if a.query.Holds(&p) {
		return triage.Yes
	}
	if slices.Contains(idle, strings.ToLower(path)) || name == a.query.Name { // at another version
		return triage.No
	}
	return triage.Unknown
}
