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
	"actions/checkout", "actions/upload-artifact", "actions/download-artifact", "actions/github-script", "actions/cache/save",
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

// restores says what caches the jobs of a flow restore; ref is the commit of their files.
func (r *Reader) restores(ctx context.Context, repo, ref string, f flow) restored {
	w := walker{Reader: r, repo: repo, ref: ref, out: &restored{gap: f.gap}}
	for i := range f.jobs {
		w.steps(ctx, f.jobs[i].Steps, 0)
	}
	for _, list := range []*[]string{&w.out.prefixes, &w.out.unsure} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return *w.out
}

type walker struct {
	*Reader
	repo, ref string
	files     int
	out       *restored
}

func (w *walker) steps(ctx context.Context, steps []workflow.Step, depth int) {
	for i := range steps {
		s := &steps[i]
		name := workflow.Action(s.Uses)
		switch known, isCacher := cachers[name]; {
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
			w.composite(ctx, s, depth)
		}
	}
}

// literal is what stands before the first expression of a key.
func literal(key string) string {
	before, _, _ := strings.Cut(key, "${{")
	return before
}

// composite looks into an action that is made of steps.
func (w *walker) composite(ctx context.Context, s *workflow.Step, depth int) {
	w.files++
	if depth >= maxActionDepth || w.files > maxActionFiles {
		w.out.unsure = append(w.out.unsure, s.Uses)
		return
	}
	repo, folder, ref := w.repo, "", w.ref
	if local, ok := workflow.Local(s.Uses); ok {
		folder = strings.Trim(local, "/")
	} else {
		path, at, _ := strings.Cut(s.Uses, "@")
		parts := strings.SplitN(path, "/", 3)
		if len(parts) < 2 {
			w.out.unsure = append(w.out.unsure, s.Uses)
			return
		}
		repo, ref = parts[0]+"/"+parts[1], at
		if len(parts) == 3 {
			folder = strings.Trim(parts[2], "/")
		}
	}
	for _, file := range []string{"action.yml", "action.yaml"} {
		f := w.parsed(ctx, repo, strings.TrimPrefix(folder+"/"+file, "/"), ref)
		if f.gap.Code != "" {
			continue
		}
		inner := walker{Reader: w.Reader, repo: repo, ref: ref, files: w.files, out: w.out}
		for i := range f.jobs {
			if f.jobs[i].Steps == nil { // of JavaScript or an image: what it does, its file does not say
				w.out.unsure = append(w.out.unsure, s.Uses)
			}
			inner.steps(ctx, f.jobs[i].Steps, depth+1)
		}
		w.files = inner.files
		return
	}
	w.out.unsure = append(w.out.unsure, s.Uses)
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
