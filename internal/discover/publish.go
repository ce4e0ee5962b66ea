package discover

import (
	"path"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/host"
)

// publication is a step of a workflow that publishes.
type publication struct {
	kind registry.Kind
	how  string // "npm publish"
	path string // of the workflow that holds the step
	line int

	image string // OCI: the repository that is pushed, "" where it is not known
	tag   string // OCI: the git tag of an image's tag as a policy has it, "" where it is not known
	dir   string // npm, PyPI: the folder that is published; "" for all of the repository
	all   bool   // every package of the repository

	signed      string   // why it is signed without a key: "" where it is not
	line2       int      // of what signs it, where that is another step
	byKey       bool     // it is signed with a key
	predicates  []string // that its attestations have
	environment string   // of its job, "" for none
	hosted      bool     // it surely runs on GitHub's own runners
	idToken     bool     // its job may ask for an identity token
	token       string   // the token that it publishes with, "" for none that is seen
}

// The predicate types of attestations.
const (
	provenanceType  = "https://slsa.dev/provenance/v1"
	pypiPublishType = "https://docs." + host.PyPI + "/attestations/publish/v1"
)

// publications are the steps of a workflow that publish from a project, in its order.
func (w *workflow) publications(of *project) []publication {
	source := of.source
	var out []publication
	for i := range w.jobs {
		j := &w.jobs[i]
		from := len(out)
		for k := range j.steps {
			for _, p := range published(j, &j.steps[k]) {
				p.path, p.hosted, p.idToken, p.environment = w.path, j.hosted, j.idToken, j.environment
				if p.kind == registry.OCI {
					p.image = w.image(p.image, source)
				}
				out = append(out, p)
			}
		}
		j.sign(w, source, out[from:])
	}
	if of.releaser == nil {
		return out
	}
	var all []publication
	for _, p := range out {
		if strings.HasPrefix(p.how, "goreleaser") {
			all = append(all, of.releaser.publications(p)...)
		} else {
			all = append(all, p)
		}
	}
	return all
}

// actions are those that publish, by name; each gives the publications of a step.
var actions = map[string]func(*job, *step) []publication{
	"pypa/gh-action-pypi-publish":      pypiAction,
	"JS-DevTools/npm-publish":          npmAction,
	"changesets/action":                npmAction,
	"cycjimmy/semantic-release-action": npmAction,
	"docker/build-push-action":         dockerAction,
	"goreleaser/goreleaser-action":     releaseAction,
	"softprops/action-gh-release":      releaseAction,
	"ncipollo/release-action":          releaseAction,
	"actions/create-release":           releaseAction,
}

// published are what a step publishes.
func published(j *job, s *step) []publication {
	if of, ok := actions[s.uses]; ok {
		return of(j, s)
	}
	var out []publication
	for _, r := range s.run {
		if p, ok := command(j, s, r); ok {
			p.line = r.line
			out = append(out, p)
		}
	}
	return out
}

func npmAction(j *job, s *step) []publication {
	p := publication{kind: registry.NPM, how: s.uses, line: s.line, all: s.uses != "JS-DevTools/npm-publish", dir: "."}
	if pkg := s.with["package"]; pkg != "" {
		p.dir = path.Dir(path.Join(pkg, "x"))
		if strings.HasSuffix(pkg, "package.json") {
			p.dir = path.Dir(pkg)
		}
	}
	p.npm(j, s, s.with["provenance"] == "true")
	return []publication{p}
}

// npm says how npm signs. It makes provenance where it is told to, and by itself where it
// publishes with an identity token alone (trusted publishing).
func (p *publication) npm(j *job, s *step, told bool) {
	p.token = s.variable("NODE_AUTH_TOKEN")
	if p.token == "" {
		p.token = s.variable("NPM_TOKEN")
	}
	if p.token == "" {
		p.token = s.with["token"]
	}
	told = told || s.variable("NPM_CONFIG_PROVENANCE") == "true" || s.variable("npm_config_provenance") == "true"
	switch {
	case !j.idToken:
	case told:
		p.signed, p.predicates = "with provenance", []string{provenanceType}
	case p.token == "":
		p.signed, p.predicates = "with provenance, as npm makes it where no token publishes", []string{provenanceType}
	}
}

func pypiAction(j *job, s *step) []publication {
	p := publication{kind: registry.PyPI, how: s.uses, line: s.line, token: s.with["password"], all: true}
	if j.idToken && p.token == "" && s.with["attestations"] != "false" {
		p.signed, p.predicates = "with attestations, as it makes them where no token publishes", []string{pypiPublishType}
	}
	return []publication{p}
}

func dockerAction(j *job, s *step) []publication {
	if s.with["push"] != "true" && !strings.Contains(s.with["outputs"], "push=true") && !strings.Contains(s.with["outputs"], "type=registry") {
		return nil
	}
	tags, gitTag := s.with["tags"], ""
	for i := range j.steps {
		// The usual way: another step makes the tags of a list of images.
		if m := &j.steps[i]; m.uses == "docker/metadata-action" && m.id != "" && strings.Contains(tags, "steps."+m.id+".outputs.tags") {
			tags = m.with["images"]
			if strings.Contains(m.with["tags"], "{{version}}") {
				gitTag = "v{version}"
			}
		}
	}
	return imagesOf(s.uses, s.line, tags, gitTag)
}

func releaseAction(_ *job, s *step) []publication {
	return []publication{{kind: registry.Release, how: s.uses, line: s.line}}
}

// commandForms are the commands that publish: words that stand in this order, the first of them
// first, and words that must not stand with them.
var commandForms = []struct {
	kind  registry.Kind
	words []string
	all   bool
}{
	{registry.NPM, []string{"npm", "publish"}, false},
	{registry.NPM, []string{"pnpm", "publish"}, false},
	{registry.NPM, []string{"yarn", "npm", "publish"}, false},
	{registry.NPM, []string{"yarn", "publish"}, false},
	{registry.NPM, []string{"bun", "publish"}, false},
	{registry.NPM, []string{"lerna", "publish"}, true},
	{registry.NPM, []string{"changeset", "publish"}, true},
	{registry.NPM, []string{"semantic-release"}, true},
	{registry.PyPI, []string{"twine", "upload"}, true},
	{registry.PyPI, []string{"uv", "publish"}, false},
	{registry.PyPI, []string{"poetry", "publish"}, false},
	{registry.PyPI, []string{"flit", "publish"}, false},
	{registry.PyPI, []string{"hatch", "publish"}, false},
	{registry.PyPI, []string{"pdm", "publish"}, false},
	{registry.OCI, []string{"docker", "push"}, false},
	{registry.OCI, []string{"docker", "buildx", "build", "--push"}, false},
	{registry.OCI, []string{"podman", "push"}, false},
	{registry.OCI, []string{"ko", "build"}, false},
	{registry.OCI, []string{"ko", "publish"}, false},
	{registry.Release, []string{"gh", "release", "create"}, false},
	{registry.Release, []string{"gh", "release", "upload"}, false},
	{registry.Release, []string{"goreleaser", "release"}, false},
}

// launchers run the command that follows.
var launchers = []string{"npx", "bunx", "uvx", "sudo", "exec", "time"}

// command is what a command of a script publishes, false for nothing.
func command(j *job, s *step, r runLine) (publication, bool) {
	words := r.words
	for len(words) > 1 && (slices.Contains(launchers, words[0]) || strings.Contains(words[0], "=") || words[0] == "-y" || words[0] == "--yes") {
		words = words[1:]
	}
	if len(words) > 2 && strings.HasPrefix(words[0], "python") && words[1] == "-m" {
		words = words[2:]
	}
	for _, form := range commandForms {
		if !inOrder(words, form.words) || slices.Contains(words, "--dry-run") {
			continue
		}
		p := publication{kind: form.kind, how: strings.Join(form.words, " "), all: form.all, dir: path.Join(".", s.dir)}
		switch form.kind {
		case registry.NPM:
			p.all = p.all || slices.ContainsFunc(words, func(w string) bool { return w == "-r" || w == "--recursive" || w == "--workspaces" || w == "-ws" })
			p.npm(j, s, slices.Contains(words, "--provenance") || slices.Contains(words, "--provenance=true"))
		case registry.PyPI:
			p.token = s.variable("TWINE_PASSWORD") + s.variable("UV_PUBLISH_TOKEN") + s.variable("POETRY_PYPI_TOKEN_PYPI")
		case registry.OCI:
			if words[0] != "ko" {
				ref := compact(pushed(words))
				p.image, p.tag = imageName(ref), gitTagOf(ref)
			}
		}
		return p, true
	}
	return publication{}, false
}

// inOrder reports whether words begin with the first of form, and hold the others after it.
func inOrder(words, form []string) bool {
	if len(words) == 0 || words[0] != form[0] {
		return false
	}
	for _, w := range form {
		at := slices.Index(words, w)
		if at < 0 {
			return false
		}
		words = words[at+1:]
	}
	return true
}

// pushed is the image that a command of docker pushes: what follows its tag option, or else
// the last word.
func pushed(words []string) string {
	for i, w := range words[:len(words)-1] {
		if w == "-t" || w == "--tag" {
			return words[i+1]
		}
	}
	return words[len(words)-1]
}
