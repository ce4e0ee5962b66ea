package respond

import (
	"encoding/json"
	"strings"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/version"
)

// manager is a package manager.
type manager string

const (
	noManager manager = ""
	npm       manager = "npm"
	pnpm      manager = "pnpm"
	yarn1     manager = "yarn" // classic
	yarn2     manager = "yarn berry"
	yarnAny   manager = "yarn, whichever"
	bun       manager = "bun"
	deno      manager = "deno"
	pip       manager = "pip" // and pip-tools
	pipTools  manager = "pip-tools"
	poetry    manager = "poetry"
	uv        manager = "uv"
	pdm       manager = "pdm"
	pipenv    manager = "pipenv"
	gotool    manager = "go"
)

// managers say whose file a format is. What is not here is nobody's, or of another table's.
var managers = map[string]manager{
	"package-lock": npm, "installed-npm": npm, "pnpm-lock": pnpm, "pnpm-lock-installed": pnpm, "bun.lock": bun, "bun.lockb": bun, "deno.lock": deno,
	"requirements": pip, "requirements-folder": pip, "requirements.in": pipTools, "requirements.in-folder": pipTools,
	"poetry.lock": poetry, "uv.lock": uv, "pdm.lock": pdm, "Pipfile.lock": pipenv, "Pipfile": pipenv,
	"go.mod": gotool, "go.sum": gotool, "go.work": gotool, "go.work.sum": gotool, "vendor-modules": gotool,
}

func managerOf(f *finding.Finding) manager {
	switch f.Format {
	case "yarn.lock", "yarn.lock-berry":
		// The two write one name of file. A classic lock names the host of each tarball.
		if strings.Contains(f.Package.Source, ".") {
			return yarn1
		}
		return yarnAny
	}
	return managers[f.Format]
}

// override is what keeps a package that others ask for at a version, in the project's manifest.
func (g *place) override(to string) (Edit, bool) {
	if g.direct() == Yes || !g.named() {
		return Edit{}, false
	}
	file := func(name string) string {
		if g.dir == "" {
			return name
		}
		return g.dir + "/" + name
	}
	in := func(name, add string) (Edit, bool) {
		return Edit{File: file(name), What: "manifest", To: to, Add: add, How: "by hand, before the command"}, true
	}
	// Of the major version alone: others of the package may be in the project, and are good.
	key := g.name
	if m := major(g.ecosystem, g.version); m != "" {
		key += "@" + m
	}
	switch g.manager {
	case npm:
		return in("package.json", jsonPair("overrides", key, to))
	case pnpm:
		return in("package.json", `"pnpm": {`+jsonPair("overrides", key, to)+`}`)
	case bun:
		return in("package.json", jsonPair("overrides", g.name, to))
	case yarn1, yarn2, yarnAny:
		return in("package.json", jsonPair("resolutions", g.name, to))
	case uv:
		return in("pyproject.toml", `[tool.uv] constraint-dependencies = ["`+pinned(ecosystem.PyPI, g.name, to)+`"]`)
	case pdm:
		return in("pyproject.toml", `[tool.pdm.resolution.overrides] `+g.name+` = "`+to+`"`)
	}
	return Edit{}, false
}

// named reports whether the name can stand in a command or a manifest.
func (g *place) named() bool {
	return g.ecosystem.CheckName(g.name) == nil && !strings.HasPrefix(g.name, "-")
}

func jsonPair(key, name, to string) string {
	text, err := json.Marshal(map[string]string{name: to})
	if err != nil {
		return "" // a map of two texts always has a form
	}
	return `"` + key + `": ` + string(text)
}

// noBuild keeps Python's tools from building an archive, which runs its code.
const noBuild = "An archive that has to be built runs its own code: the commands take wheels alone, and fail where there is none."

// everyMajor is what an override without a range does.
const everyMajor = "The override is for every version of the package in the project: where somebody needs another major version, name the ranges that it is for."

// commands are what the manager is told, and what a person should know. None of them runs an
// installation script, and none runs here.
func (g *place) commands(to string) (out []Command, notes []string) {
	if version.Check(g.ecosystem, to) != nil || !g.named() {
		return nil, []string{"A command is withheld: the name or version is none that a registry can have."}
	}
	spec := pinned(g.ecosystem, g.name, to)
	if g.alias != "" && g.ecosystem == ecosystem.NPM {
		if ecosystem.NPM.CheckName(g.alias) != nil || strings.HasPrefix(g.alias, "-") {
			return nil, []string{"A command is withheld: the package is installed under another name, and that is none that npm takes."}
		}
		spec = g.alias + "@npm:" + spec
		if g.direct() != Yes {
			notes = append(notes, "It is installed under another name by a package in between: see who asks for it, and override it there.")
		}
	}
	add := func(words ...any) { out = append(out, command(words...).in(g.dir)) }
	direct := g.direct() == Yes
	switch g.manager {
	case npm:
		if direct {
			add("npm", "install", "--package-lock-only", "--ignore-scripts", "--save-exact", spec)
		} else {
			add("npm", "install", "--package-lock-only", "--ignore-scripts")
		}
	case pnpm:
		if direct {
			add("pnpm", "add", "--lockfile-only", "--ignore-scripts", "--save-exact", spec)
		} else {
			add("pnpm", "install", "--lockfile-only", "--ignore-scripts")
			notes = append(notes, "From pnpm 10 on overrides may stand in pnpm-workspace.yaml: put it where the project has the others.")
		}
	case yarn1, yarn2, yarnAny:
		out, notes = g.yarn(spec, direct, notes)
	case bun:
		if direct {
			add("bun", "add", "--lockfile-only", "--ignore-scripts", "--exact", spec)
		} else {
			add("bun", "install", "--lockfile-only", "--ignore-scripts")
			notes = append(notes, everyMajor)
		}
	case deno:
		notes = append(notes, "Change the version in deno.json, take the entry out of deno.lock, and lock again without running anything.")
	case pip, pipTools:
		out, notes = g.pip(spec, notes)
	case poetry:
		add("env", "POETRY_INSTALLER_ONLY_BINARY=:all:", "poetry", "add", "--lock", spec)
		notes = append(notes, noBuild)
		if !direct {
			notes = append(notes, "poetry has no overrides: the project asks for the package itself until those who bring it in have moved on.")
		}
	case uv:
		if direct {
			add("uv", "add", "--no-sync", "--no-build", spec)
		} else {
			add("uv", "lock", "--no-build", "--upgrade-package", spec)
		}
		notes = append(notes, noBuild)
	case pdm:
		if direct {
			add("pdm", "add", "--no-sync", "--update-reuse", spec)
		} else {
			add("pdm", "lock", "--update-reuse")
		}
		notes = append(notes, "pdm may build an archive to read it, which runs its code: run it where there are no credentials.")
	case pipenv:
		add("pipenv", "upgrade", spec)
		notes = append(notes, "pipenv may build an archive to read it, which runs its code: run it where there are no credentials.")
	case gotool:
		out, notes = g.golang(to, notes)
	default:
		notes = append(notes, "Which tool keeps these files is not known: change the lines by hand, and lock again with scripts off.")
	}
	return out, notes
}

// yarn has two tools of one name. Where the lockfile does not tell, both are given.
func (g *place) yarn(spec string, direct bool, notes []string) ([]Command, []string) {
	classic := command("yarn", "install", "--ignore-scripts", "--non-interactive")
	berry := command("env", "YARN_ENABLE_SCRIPTS=false", "yarn", "install", "--mode=update-lockfile")
	if direct {
		classic = command("yarn", "add", "--exact", "--ignore-scripts", "--non-interactive", spec)
		berry = command("env", "YARN_ENABLE_SCRIPTS=false", "yarn", "add", "--exact", "--mode=update-lockfile", spec)
	}
	if !direct {
		notes = append(notes, everyMajor)
	}
	classic, berry = classic.in(g.dir), berry.in(g.dir)
	if g.manager == yarn1 {
		return []Command{classic}, append(notes, "yarn 1 has no way to write the lockfile alone: it installs, with scripts off.")
	}
	return []Command{classic.when("with yarn 1"), berry.when("with yarn 2 and later")},
		append(notes, "yarn --version says which of the two it is. yarn 1 installs, with scripts off.")
}

func (g *place) pip(spec string, notes []string) ([]Command, []string) {
	var out []Command
	for _, f := range g.findings {
		if f.Format != "requirements.in" && f.Format != "requirements.in-folder" {
			continue
		}
		base := f.File[strings.LastIndexByte(f.File, '/')+1:]
		if strings.HasPrefix(base, "-") {
			base = "./" + base
		}
		out = append(out, command("pip-compile", "--generate-hashes", "--pip-args", "--only-binary=:all:", "--upgrade-package", spec, base).in(g.dir))
	}
	if len(out) == 0 {
		notes = append(notes, "Where pip-compile wrote the file, let it write it anew from its .in file instead, with --upgrade-package and --generate-hashes.")
	} else {
		notes = append(notes, noBuild)
	}
	return out, append(notes, "A file with hashes needs those of the new version: they stand above.")
}

// golang pins a module. The go command takes the highest version that anybody asks for, so that a
// module that others ask for comes back unless it is replaced.
func (g *place) golang(to string, notes []string) ([]Command, []string) {
	var out []Command
	add := func(words ...any) { out = append(out, command(words...).in(g.dir)) }
	vendored, listed := false, true
	for _, f := range g.findings {
		vendored = vendored || f.Format == "vendor-modules"
		listed = listed && (f.Format == "go.sum" || f.Format == "go.work.sum")
	}
	switch {
	case listed:
		notes = append(notes, "Only the checksum list names it: it was not necessarily built. If it is still there after the command, somebody asks for it; the module graph says who.")
	case g.direct() == Yes || g.version == "" || version.Check(ecosystem.Go, g.version) != nil:
		add("go", "get", g.name+"@"+to)
	default:
		add("go", "mod", "edit", "-replace="+g.name+"@"+g.version+"="+g.name+"@"+to)
		notes = append(notes, "Others ask for it, so that it is replaced. Take the replacement out when they no longer do.")
	}
	add("go", "mod", "tidy")
	if listed {
		add("go", "mod", "graph")
	}
	if vendored {
		add("go", "mod", "vendor")
	}
	return out, notes
}
