// Package formats is the table of the lockfile formats that Wormsweep reads.
package formats

import (
	"path"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/actions"
	"github.com/wormsweep/wormsweep/pkg/lockfile/gomod"
	"github.com/wormsweep/wormsweep/pkg/lockfile/npm"
	"github.com/wormsweep/wormsweep/pkg/lockfile/pypi"
)

// Revision grows by one whenever a reader shows other packages, problems or includes of the same
// bytes, or For or a sweep picks other files: what was read before is then read again. A test holds
// it to the answers of the readers.
const Revision = 1

// Format is one format of lockfile.
type Format struct {
	// ID names the format in reports and in the ledger: "package-lock".
	ID        string
	Ecosystem ecosystem.Ecosystem

	// Names are the base names that select the format, as path.Match reads them.
	Names []string

	// Dirs, where set, are the folders that the file must lie in: the last folders of its
	// path, segment for segment as path.Match reads them ("node_modules/@*/*").
	Dirs []string

	// Outside, where set, is the name of a folder that the file must not lie in, at any
	// depth.
	Outside string

	// Parse reads a file of the format. It is pure and safe for concurrent use, and it
	// keeps nothing of data.
	Parse func(data []byte, opt lockfile.Options) lockfile.File

	// Sample writes a small sound file that locks one package. Every sweep reads one of
	// each format and must find the package in it: a reader that fell silent is found
	// out on the run on which it did. It is nil for a format that is only ever refused.
	Sample func(name, version string) string
}

// All lists the formats, in the order in which a path is tried against them.
var All = []Format{
	{
		ID: "package-lock", Ecosystem: ecosystem.NPM, Names: []string{"package-lock.json", ".package-lock.json", "npm-shrinkwrap.json"},
		Parse: npm.ParsePackageLock, Sample: npm.PackageLockSample,
	},
	{ID: "bun.lock", Ecosystem: ecosystem.NPM, Names: []string{"bun.lock"}, Parse: npm.ParseBunLock, Sample: npm.BunLockSample},
	{ID: "bun.lockb", Ecosystem: ecosystem.NPM, Names: []string{"bun.lockb"}, Parse: npm.ParseBunBinary},
	{ID: "yarn.lock", Ecosystem: ecosystem.NPM, Names: []string{"yarn.lock"}, Parse: npm.ParseYarn, Sample: npm.YarnClassicSample},
	// The same reader once more, for the sample in the other of the two formats of that name.
	{ID: "yarn.lock-berry", Ecosystem: ecosystem.NPM, Names: []string{"yarn.lock"}, Parse: npm.ParseYarn, Sample: npm.YarnBerrySample},
	// pnpm's setting gitBranchLockfile makes one file a branch: pnpm-lock.BRANCH.yaml.
	{ID: "pnpm-lock", Ecosystem: ecosystem.NPM, Names: []string{"pnpm-lock.yaml", "pnpm-lock.*.yaml"}, Parse: npm.ParsePnpm, Sample: npm.PnpmSample},
	// What pnpm installed, when pnpm-lock.yaml may be gone or another since, and the packages are links.
	{
		ID: "pnpm-lock-installed", Ecosystem: ecosystem.NPM, Names: []string{"lock.yaml"}, Dirs: []string{"node_modules/.pnpm"},
		Parse: npm.ParsePnpm, Sample: npm.PnpmSample,
	},
	{ID: "deno.lock", Ecosystem: ecosystem.NPM, Names: []string{"deno.lock"}, Parse: npm.ParseDenoLock, Sample: npm.DenoLockSample},
	// The root of an installed package alone: a package.json further in says which of its
	// files are modules, or belongs to its tests.
	{
		ID: "installed-npm", Ecosystem: ecosystem.NPM, Names: []string{"package.json"}, Dirs: []string{"node_modules/[^.@]*", "node_modules/@*/*"},
		Parse: npm.ParseInstalled, Sample: npm.InstalledSample,
	},
	{
		ID: "package.json", Ecosystem: ecosystem.NPM, Names: []string{"package.json"}, Outside: "node_modules",
		Parse: npm.ParseManifest, Sample: npm.ManifestSample,
	},

	{
		ID: "requirements", Ecosystem: ecosystem.PyPI, Names: []string{"*requirements*.txt", "*Requirements*.txt", "*constraints*.txt"},
		Parse: pypi.ParseRequirements, Sample: pypi.RequirementsSample,
	},
	{
		ID: "requirements-folder", Ecosystem: ecosystem.PyPI, Names: []string{"*.txt"}, Dirs: []string{"requirements"},
		Parse: pypi.ParseRequirements, Sample: pypi.RequirementsSample,
	},
	{
		ID: "requirements.in", Ecosystem: ecosystem.PyPI, Names: []string{"*requirements*.in"},
		Parse: pypi.ParseRequirementsIn, Sample: pypi.RequirementsInSample,
	},
	{
		ID: "requirements.in-folder", Ecosystem: ecosystem.PyPI, Names: []string{"*.in"}, Dirs: []string{"requirements"},
		Parse: pypi.ParseRequirementsIn, Sample: pypi.RequirementsInSample,
	},
	{ID: "poetry.lock", Ecosystem: ecosystem.PyPI, Names: []string{"poetry.lock"}, Parse: pypi.ParsePoetryLock, Sample: pypi.PoetryLockSample},
	{ID: "uv.lock", Ecosystem: ecosystem.PyPI, Names: []string{"uv.lock", "*.py.lock"}, Parse: pypi.ParseUVLock, Sample: pypi.UVLockSample},
	{ID: "pdm.lock", Ecosystem: ecosystem.PyPI, Names: []string{"pdm.lock"}, Parse: pypi.ParsePDMLock, Sample: pypi.PDMLockSample},
	{ID: "pylock", Ecosystem: ecosystem.PyPI, Names: []string{"pylock.toml", "pylock.*.toml"}, Parse: pypi.ParsePylock, Sample: pypi.PylockSample},
	{ID: "Pipfile.lock", Ecosystem: ecosystem.PyPI, Names: []string{"Pipfile.lock"}, Parse: pypi.ParsePipfileLock, Sample: pypi.PipfileLockSample},
	{ID: "Pipfile", Ecosystem: ecosystem.PyPI, Names: []string{"Pipfile"}, Parse: pypi.ParsePipfile, Sample: pypi.PipfileSample},
	{ID: "pyproject.toml", Ecosystem: ecosystem.PyPI, Names: []string{"pyproject.toml"}, Parse: pypi.ParsePyproject, Sample: pypi.PyprojectSample},
	// PKG-INFO is what setuptools and pip before 23.1 wrote, in the same form.
	{
		ID: "installed-pypi", Ecosystem: ecosystem.PyPI, Names: []string{"METADATA", "PKG-INFO"}, Dirs: []string{"*.dist-info", "*.egg-info", "EGG-INFO"},
		Parse: pypi.ParseMetadata, Sample: pypi.MetadataSample,
	},

	{ID: "go.mod", Ecosystem: ecosystem.Go, Names: []string{"go.mod"}, Parse: gomod.ParseGoMod, Sample: gomod.GoModSample},
	{ID: "go.sum", Ecosystem: ecosystem.Go, Names: []string{"go.sum"}, Parse: gomod.ParseGoSum, Sample: gomod.GoSumSample},
	{ID: "go.work", Ecosystem: ecosystem.Go, Names: []string{"go.work"}, Parse: gomod.ParseGoWork, Sample: gomod.GoWorkSample},
	{ID: "go.work.sum", Ecosystem: ecosystem.Go, Names: []string{"go.work.sum"}, Parse: gomod.ParseGoSum, Sample: gomod.GoSumSample},
	{
		ID: "vendor-modules", Ecosystem: ecosystem.Go, Names: []string{"modules.txt"}, Dirs: []string{"vendor"},
		Parse: gomod.ParseVendorModules, Sample: gomod.VendorModulesSample,
	},

	{
		ID: "actions-workflow", Ecosystem: ecosystem.Actions, Names: []string{"*.yml", "*.yaml"}, Dirs: []string{".github/workflows"},
		Parse: actions.ParseWorkflow, Sample: actions.WorkflowSample,
	},
	{
		ID: "actions-action", Ecosystem: ecosystem.Actions, Names: []string{"action.yml", "action.yaml"},
		Parse: actions.ParseAction, Sample: actions.ActionSample,
	},
}

// For gives the format of the file at p (a path with slashes), nil when it is no file
// that Wormsweep reads as a lockfile. It is asked for every file of a tree.
func For(p string) *Format {
	dir, base := "", p
	if i := strings.LastIndexByte(p, '/'); i >= 0 {
		dir, base = p[:i], p[i+1:]
	}
	for _, f := range byName[base] {
		if f.in(dir) {
			return f
		}
	}
	for _, f := range byPattern[path.Ext(base)] {
		if f.called(base) && f.in(dir) {
			return f
		}
	}
	return nil
}

// byName and byPattern hold All by whole base name, and by the extension of a pattern: few
// files of a tree have either.
var byName, byPattern = func() (names, patterns map[string][]*Format) {
	names, patterns = map[string][]*Format{}, map[string][]*Format{}
	for i := range All {
		for _, name := range All[i].Names {
			if strings.ContainsAny(name, `*?[\`) {
				patterns[path.Ext(name)] = append(patterns[path.Ext(name)], &All[i])
			} else {
				names[name] = append(names[name], &All[i])
			}
		}
	}
	return names, patterns
}()

func (f *Format) called(base string) bool {
	for _, name := range f.Names {
		if ok, _ := path.Match(name, base); ok {
			return true
		}
	}
	return false
}

// in reports whether a file in dir, "" for the tree's root, lies where f wants it.
func (f *Format) in(dir string) bool {
	if f.Outside != "" && strings.Contains("/"+dir+"/", "/"+f.Outside+"/") {
		return false
	}
	for _, want := range f.Dirs {
		if endsIn(dir, want) {
			return true
		}
	}
	return len(f.Dirs) == 0
}

// endsIn reports whether the last segments of dir match those of want.
func endsIn(dir, want string) bool {
	for {
		w, segment := path.Base(want), path.Base(dir)
		if ok, _ := path.Match(w, segment); !ok || dir == "" {
			return false
		}
		i, j := strings.LastIndexByte(want, '/'), strings.LastIndexByte(dir, '/')
		if i < 0 {
			return true
		}
		if j < 0 {
			return false
		}
		want, dir = want[:i], dir[:j]
	}
}

// ByID finds a format by its ID; nil for none.
func ByID(id string) *Format {
	for i := range All {
		if All[i].ID == id {
			return &All[i]
		}
	}
	return nil
}
