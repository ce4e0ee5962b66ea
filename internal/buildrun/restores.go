package buildrun

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/workflow"
)

// restored is what of caches a workflow restores.
type restored struct {
	// prefixes are how the keys of the caches begin, as far as they are written out; "" may be
	// any key.
	prefixes []string
	// unsure are actions of which it is not known whether they restore one.
	unsure []string
	gap    verify.Gap // why the rest is not known
}

func (r *restored) none() bool { return len(r.prefixes)+len(r.unsure) == 0 && r.gap.Code == "" }

// may reports whether a cache with the key could be one of them.
func (r *restored) may(key string) bool {
	return slices.ContainsFunc(r.prefixes, func(p string) bool { return strings.HasPrefix(key, p) })
}

// shares reports whether two workflows may use one key.
func (r *restored) shares(other *restored) bool {
	return slices.ContainsFunc(r.prefixes, func(a string) bool {
		return slices.ContainsFunc(other.prefixes, func(b string) bool { return strings.HasPrefix(a, b) || strings.HasPrefix(b, a) })
	})
}

// cachers are actions that restore caches, with what their keys begin with.
var cachers = map[string]struct {
	prefix string
	when   func(with map[string]string) bool
}{
	"actions/setup-node":            {"node-cache-", func(w map[string]string) bool { return w["cache"] != "" || w["package-manager-cache"] != "false" }},
	"actions/setup-python":          {"setup-python-", given("cache")},
	"actions/setup-java":            {"setup-java-", given("cache")},
	"actions/setup-go":              {"setup-go-", unless("cache")},
	"actions/setup-dotnet":          {"dotnet-cache-", isTrue("cache")},
	"ruby/setup-ruby":               {"setup-ruby-bundler-cache-", isTrue("bundler-cache")},
	"astral-sh/setup-uv":            {"setup-uv-", unless("enable-cache")},
	"pnpm/action-setup":             {"", isTrue("cache")},
	"swatinem/rust-cache":           {"", always},
	"gradle/actions/setup-gradle":   {"", unless("cache-disabled")},
	"golangci/golangci-lint-action": {"golangci-lint.cache-", always},
	"docker/build-push-action":      {"", fromActions},
	"docker/bake-action":            {"", fromActions},
	"docker/setup-buildx-action":    {"", never},
	"sigstore/cosign-installer":     {"", never},
}

func always(map[string]string) bool { return true }
func never(map[string]string) bool  { return false }

func given(name string) func(map[string]string) bool {
	return func(w map[string]string) bool { return w[name] != "" && w[name] != "false" }
}

func isTrue(name string) func(map[string]string) bool {
	return func(w map[string]string) bool { return w[name] != "" && w[name] != "false" }
}

func unless(name string) func(map[string]string) bool {
	return func(w map[string]string) bool { return w[name] != "false" }
}

func fromActions(w map[string]string) bool {
	return strings.Contains(w["cache-from"], "type=gha") || strings.Contains(w["cache-from"], "${{") || w["set"] != ""
}

// cacheless are actions that are known to restore none. Of every other one that is not in
// cachers and is no composite action that can be read, it is not known.
var cacheless = set(
	"actions/upload-artifact", "actions/download-artifact", "actions/github-script", "actions/cache/save",
	"actions/attest", "actions/attest-build-provenance", "actions/attest-sbom", "actions/create-github-app-token", "actions/configure-pages",
	"actions/labeler", "actions/create-release",
	"docker/login-action", "docker/metadata-action", "docker/setup-qemu-action",
	"pypa/gh-action-pypi-publish", "js-devtools/npm-publish", "changesets/action", "softprops/action-gh-release", "ncipollo/release-action",
	"step-security/harden-runner", "sigstore/gh-action-sigstore-python", "github/codeql-action/upload-sarif",
	"goreleaser/goreleaser-action", "googleapis/release-please-action",
)

const (
	maxActionDepth = 3
	maxActionFiles = 30
)

// restores says what caches the jobs of a flow restore.
func (r *Reader) restores(ctx context.Context, f flow) restored {
	w := walker{Reader: r, workspace: f.workspace, out: &restored{gap: f.gap}}
	for i := range f.jobs {
		w.elsewhere = false
		w.steps(ctx, f.jobs[i].Steps, f.jobs[i].at, 0)
	}
	for _, list := range []*[]string{&w.out.prefixes, &w.out.unsure} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return *w.out
}

type walker struct {
	*Reader
	workspace place
	elsewhere bool // the job has checked out something else there
	files     int
	out       *restored
}

// steps looks at those of a file that is at a place.
func (w *walker) steps(ctx context.Context, steps []workflow.Step, at place, depth int) {
	for i := range steps {
		s := &steps[i]
		name := workflow.Action(s.Uses)
		switch known, isCacher := cachers[name]; {
		case name == "actions/checkout":
			w.elsewhere = w.elsewhere || s.Elsewhere()
		case s.Uses == "", cacheless[name], strings.HasPrefix(name, "docker://"):
		case name == "actions/cache", name == "actions/cache/restore":
			w.out.prefixes = append(w.out.prefixes, literal(s.With["key"]))
			for line := range strings.Lines(s.With["restore-keys"]) {
				if line = strings.TrimSpace(line); line != "" {
					w.out.prefixes = append(w.out.prefixes, literal(line))
				}
			}
		case isCacher:
			if known.when(s.With) {
				w.out.prefixes = append(w.out.prefixes, known.prefix)
			}
		default:
			w.action(ctx, s, at, depth)
		}
	}
}

// literal is what stands before the first expression of a key.
func literal(key string) string {
	before, _, _ := strings.Cut(key, "${{")
	return before
}

// action looks into an action that a file at a place names, for it may be made of steps.
func (w *walker) action(ctx context.Context, s *workflow.Step, at place, depth int) {
	w.files++
	folder, at, ok := w.find(s.Uses, at)
	if !ok || depth >= maxActionDepth || w.files > maxActionFiles {
		w.out.unsure = append(w.out.unsure, s.Uses)
		return
	}
	for _, name := range []string{"action.yml", "action.yaml"} {
		f, _ := w.Workflow(ctx, at.repo, strings.TrimPrefix(folder+"/"+name, "/"), at.ref)
		if f == nil {
			continue
		}
		// Of JavaScript or an image, the file does not say what it does; and one at a branch or
		// tag may not be what ran, nor one of the workspace where something else lies there.
		_, there := workflow.InWorkspace(s.Uses)
		if !f.Action || f.Jobs[0].Steps == nil || !at.fixed() || there && w.elsewhere {
			w.out.unsure = append(w.out.unsure, s.Uses)
		}
		for i := range f.Jobs {
			w.steps(ctx, f.Jobs[i].Steps, at, depth+1)
		}
		return
	}
	w.out.unsure = append(w.out.unsure, s.Uses)
}

// find gives the folder of an action that a file at a place names, and where that is.
func (w *walker) find(uses string, own place) (folder string, at place, ok bool) {
	if folder, ok := workflow.InWorkspace(uses); ok {
		return strings.Trim(folder, "/"), w.workspace, true
	}
	if folder, ok := workflow.InOwn(uses); ok {
		return strings.Trim(folder, "/"), own, true
	}
	address, ref, _ := strings.Cut(uses, "@")
	parts := append(strings.SplitN(address, "/", 3), "")
	if len(parts) < 3 {
		return "", place{}, false
	}
	return strings.Trim(parts[2], "/"), place{parts[0] + "/" + parts[1], commit(ref)}, true
}

// words say in one line what is not known.
func (r *restored) words() string {
	if r.gap.Code != "" {
		return r.gap.Detail
	}
	if len(r.unsure) == 0 {
		return ""
	}
	return fmt.Sprintf("it is not known whether %.100q and %d others restore a cache", r.unsure[0], len(r.unsure)-1)
}
