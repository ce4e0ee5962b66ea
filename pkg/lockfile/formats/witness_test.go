package formats_test

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"go.yaml.in/yaml/v3"
	"golang.org/x/mod/modfile"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
)

// witness says whether a text still holds the planted package, as the format's own tool would
// read it. It is written apart from the readers, over general parsers, and says no to a text
// that those refuse: then the tool installs nothing.
type witness func(text, name, version string) bool

var witnesses = map[string]witness{
	"package-lock":           jsonWitness(inPackageLock),
	"package.json":           jsonWitness(inManifest),
	"installed-npm":          jsonWitness(isInstalled),
	"bun.lock":               bunWitness,
	"deno.lock":              jsonWitness(inDeno),
	"yarn.lock":              yarnClassicWitness,
	"yarn.lock-berry":        yamlWitness(inBerry),
	"pnpm-lock":              yamlWitness(inPnpm),
	"pnpm-lock-installed":    yamlWitness(inPnpm),
	"requirements":           requirementsWitness,
	"requirements-folder":    requirementsWitness,
	"requirements.in":        requirementsWitness,
	"requirements.in-folder": requirementsWitness,
	"Pipfile.lock":           jsonWitness(inPipfileLock),
	"Pipfile":                tomlWitness(inTables("packages", "dev-packages")),
	"poetry.lock":            tomlWitness(inArray("package")),
	"pdm.lock":               tomlWitness(inArray("package")),
	"uv.lock":                tomlWitness(inArray("package")),
	"pylock":                 tomlWitness(inArray("packages")),
	"pyproject.toml":         tomlWitness(inPyproject),
	"installed-pypi":         metadataWitness,
	"go.mod":                 goModWitness,
	"go.sum":                 goSumWitness,
	"go.work":                goWorkWitness,
	"go.work.sum":            goSumWitness,
	"vendor-modules":         vendorWitness,
	"actions-workflow":       yamlWitness(inWorkflow),
	"actions-action":         yamlWitness(inAction),
}

type object = map[string]any

// field is v[key], nil where v is no object.
func field(v any, key string) any {
	m, _ := v.(object)
	return m[key]
}

func is(v any, want string) bool { s, ok := v.(string); return ok && s == want }

// jsonWitness reads as JSON.parse does: the last of repeated keys counts.
func jsonWitness(holds func(root any, name, version string) bool) witness {
	return func(text, name, version string) bool {
		var root any
		if json.Unmarshal([]byte(strings.TrimPrefix(text, "\ufeff")), &root) != nil {
			return false
		}
		return holds(root, name, version)
	}
}

func inPackageLock(root any, name, version string) bool {
	packages, _ := field(root, "packages").(object)
	for key, entry := range packages {
		called := strings.HasSuffix(key, "node_modules/"+name) && field(entry, "name") == nil || is(field(entry, "name"), name)
		if called && strings.Contains(key, "node_modules/") && is(field(entry, "version"), version) && field(entry, "link") != true {
			return true
		}
	}
	if packages != nil {
		return false
	}
	return is(field(field(field(root, "dependencies"), name), "version"), version)
}

func inManifest(root any, name, version string) bool {
	for _, section := range []string{"dependencies", "devDependencies", "optionalDependencies", "peerDependencies"} {
		if s, ok := field(field(root, section), name).(string); ok && strings.Contains(s, version) {
			return true
		}
	}
	return false
}

func isInstalled(root any, name, version string) bool {
	return is(field(root, "name"), name) && is(field(root, "version"), version)
}

func inPipfileLock(root any, name, version string) bool {
	for _, section := range []string{"default", "develop"} {
		if is(field(field(field(root, section), name), "version"), "=="+version) {
			return true
		}
	}
	return false
}

func inDeno(root any, name, version string) bool {
	npm, _ := field(root, "npm").(object)
	for key := range npm {
		if key == name+"@"+version {
			return true
		}
	}
	packages, _ := field(npm, "packages").(object)
	for key := range packages {
		if key == name+"@"+version {
			return true
		}
	}
	return false
}

var trailingComma = regexp.MustCompile(`,(\s*[}\]])`)

func bunWitness(text, name, version string) bool {
	return jsonWitness(func(root any, name, version string) bool {
		packages, _ := field(root, "packages").(object)
		for _, entry := range packages {
			if list, ok := entry.([]any); ok && len(list) > 0 && is(list[0], name+"@"+version) {
				return true
			}
		}
		return false
	})(trailingComma.ReplaceAllString(text, "$1"), name, version)
}

// yamlWitness reads the first document, as the tools do.
func yamlWitness(holds func(root any, name, version string) bool) witness {
	return func(text, name, version string) bool {
		var root any
		if yaml.Unmarshal([]byte(text), &root) != nil {
			return false
		}
		return holds(root, name, version)
	}
}

func inBerry(root any, name, version string) bool {
	entries, _ := root.(object)
	for _, entry := range entries {
		if is(field(entry, "resolution"), name+"@npm:"+version) {
			return true
		}
	}
	return false
}

func inPnpm(root any, name, version string) bool {
	packages, _ := field(root, "packages").(object)
	for key := range packages {
		for _, shape := range []string{name + "@" + version, "/" + name + "@" + version, "/" + name + "/" + version} {
			if key == shape || strings.HasPrefix(key, shape+"(") {
				return true
			}
		}
	}
	return false
}

func inWorkflow(root any, name, version string) bool {
	jobs, _ := field(root, "jobs").(object)
	for _, job := range jobs {
		if is(field(job, "uses"), name+"@"+version) || inSteps(field(job, "steps"), name, version) {
			return true
		}
	}
	return false
}

func inAction(root any, name, version string) bool {
	runs := field(root, "runs")
	return is(field(runs, "using"), "composite") && inSteps(field(runs, "steps"), name, version)
}

func inSteps(steps any, name, version string) bool {
	list, _ := steps.([]any)
	for _, step := range list {
		if is(field(step, "uses"), name+"@"+version) {
			return true
		}
	}
	return false
}

var yarnEntry = regexp.MustCompile(`(?m)^"?planted-worm@[^\n]*:\r?\n  version "?6\.6\.6"?\r?$`)

func yarnClassicWitness(text, _, _ string) bool { return yarnEntry.MatchString(text) }

func tomlWitness(holds func(root any, name, version string) bool) witness {
	return func(text, name, version string) bool {
		var root object
		if toml.Unmarshal([]byte(text), &root) != nil {
			return false
		}
		return holds(root, name, version)
	}
}

func samePyPI(v any, name string) bool {
	s, ok := v.(string)
	return ok && ecosystem.PyPI.CanonicalName(s) == name
}

func inArray(key string) func(any, string, string) bool {
	return func(root any, name, version string) bool {
		entries, _ := field(root, key).([]any)
		for _, entry := range entries {
			if samePyPI(field(entry, "name"), name) && is(field(entry, "version"), version) {
				return true
			}
		}
		return false
	}
}

func inTables(keys ...string) func(any, string, string) bool {
	return func(root any, name, version string) bool {
		for _, key := range keys {
			table, _ := field(root, key).(object)
			for k, v := range table {
				if s, ok := v.(string); ok && samePyPI(k, name) && strings.Contains(s, version) {
					return true
				}
			}
		}
		return false
	}
}

func inPyproject(root any, name, version string) bool {
	list, _ := field(field(root, "project"), "dependencies").([]any)
	for _, v := range list {
		if s, ok := v.(string); ok && requirementsWitness(s, name, version) {
			return true
		}
	}
	return false
}

var pin = regexp.MustCompile(`(?i)^\s*planted[-_.]+worm\s*(\[[^\]]*\])?\s*={2,3}\s*v?6\.6\.6(\.0)*\s*(;|\s#|\s--hash|$)`)

func requirementsWitness(text, _, _ string) bool {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\v", "\n", "\f", "\n", "\u0085", "\n", "\u2028", "\n").Replace(text)
	text = strings.ReplaceAll(text, "\\\n", "")
	for line := range strings.SplitSeq(text, "\n") {
		if pin.MatchString(line) {
			return true
		}
	}
	return false
}

func metadataWitness(text, name, version string) bool {
	head, _, _ := strings.Cut(strings.ReplaceAll(text, "\r\n", "\n"), "\n\n")
	gotName, gotVersion := "", ""
	for line := range strings.SplitSeq(head, "\n") {
		if v, ok := strings.CutPrefix(line, "Name: "); ok && gotName == "" {
			gotName = v
		}
		if v, ok := strings.CutPrefix(line, "Version: "); ok && gotVersion == "" {
			gotVersion = v
		}
	}
	return samePyPI(gotName, name) && gotVersion == version
}

func goModWitness(text, name, version string) bool {
	f, err := modfile.Parse("go.mod", []byte(text), nil)
	if err != nil {
		return false
	}
	for _, r := range f.Require {
		if r.Mod.Path == name && r.Mod.Version == version {
			return true
		}
	}
	return false
}

func goWorkWitness(text, name, version string) bool {
	f, err := modfile.ParseWork("go.work", []byte(text), nil)
	if err != nil {
		return false
	}
	for _, r := range f.Replace {
		if r.New.Path == name && r.New.Version == version {
			return true
		}
	}
	return false
}

func goSumWitness(text, name, version string) bool {
	for line := range strings.SplitSeq(text, "\n") {
		f := strings.Fields(line)
		if len(f) != 0 && len(f) != 3 {
			return false // the go command refuses the file
		}
		if len(f) == 3 && f[0] == name && f[1] == version {
			return true
		}
	}
	return false
}

func vendorWitness(text, name, version string) bool {
	for line := range strings.SplitSeq(text, "\n") {
		if f := strings.Fields(line); strings.HasPrefix(line, "# ") && len(f) == 3 && f[1] == name && f[2] == version {
			return true
		}
	}
	return false
}
