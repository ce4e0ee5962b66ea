package respond

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"path"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
)

// place is one thing to change: one version of a package in one project of one repository, by the
// package manager of that project.
type place struct {
	placeKey
	findings []*finding.Finding // lockfiles before manifests
}

type placeKey struct {
	repository string
	dir        string // of the project in the repository, "" for its top
	manager    manager
	packageKey
	version string // that is to go, "" where only a manifest asks for the package
	alias   string
}

// id is the same in every plan about the place. Names of outside are digested, so that the id is
// one inert word.
func (g *place) id() string {
	h := sha256.New()
	for _, s := range []string{g.repository, g.dir, string(g.manager), string(g.ecosystem), g.name, g.version, g.alias} {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	return "pin-" + hex.EncodeToString(h.Sum(nil)[:8])
}

func (g *place) file() string { return g.findings[0].File }

// group puts the findings of one place together. A manifest belongs to the lockfile of its folder,
// or of the nearest folder above it that has one, as a workspace's does.
func group(findings []*finding.Finding) []*place {
	locks := map[placeKey][]manager{} // by repository, folder and ecosystem
	at := map[placeKey]*place{}
	var out []*place
	add := func(key placeKey, f *finding.Finding) {
		g := at[key]
		if g == nil {
			g = &place{placeKey: key}
			at[key], out = g, append(out, g)
		}
		same := func(o *finding.Finding) bool { return o.File == f.File && o.Line == f.Line }
		if i := slices.IndexFunc(g.findings, same); i >= 0 && g.findings[i].Campaign == f.Campaign {
			return // of another ref
		}
		g.findings = append(g.findings, f)
	}
	var manifests []*finding.Finding
	for _, f := range findings {
		m := managerOf(f)
		if m == noManager || isManifest(f) {
			manifests = append(manifests, f)
			continue
		}
		e := keyOf(f).ecosystem
		folder := placeKey{repository: f.Repository, dir: folderOf(f), packageKey: packageKey{ecosystem: e}}
		if !slices.Contains(locks[folder], m) {
			locks[folder] = append(locks[folder], m)
		}
		add(placeKey{f.Repository, folder.dir, m, keyOf(f), f.Package.Version, f.Package.Alias}, f)
	}
	for _, f := range manifests {
		joined := false
		dir, m := nearest(locks, f)
		for _, g := range out {
			if g.repository == f.Repository && g.dir == dir && g.manager == m && g.packageKey == keyOf(f) && m != noManager && !joined {
				add(g.placeKey, f)
				joined = true
			}
		}
		if !joined {
			v := f.Package.Version
			add(placeKey{f.Repository, folderOf(f), cmp.Or(managerOf(f), m), keyOf(f), v, f.Package.Alias}, f)
		}
	}
	slices.SortStableFunc(out, func(x, y *place) int {
		return cmp.Or(strings.Compare(x.repository, y.repository), strings.Compare(x.dir, y.dir), strings.Compare(string(x.ecosystem), string(y.ecosystem)),
			strings.Compare(x.name, y.name), strings.Compare(x.version, y.version), strings.Compare(string(x.manager), string(y.manager)), strings.Compare(x.alias, y.alias))
	})
	return out
}

// nearest is the folder and manager of the lockfile that a manifest belongs to; noManager where
// there is none, or several lie side by side.
func nearest(locks map[placeKey][]manager, f *finding.Finding) (string, manager) {
	for dir := folderOf(f); ; dir = above(dir) {
		found := locks[placeKey{repository: f.Repository, dir: dir, packageKey: packageKey{ecosystem: keyOf(f).ecosystem}}]
		if len(found) == 1 {
			return dir, found[0]
		}
		if len(found) > 1 || dir == "" {
			return folderOf(f), noManager
		}
	}
}

func above(dir string) string {
	if d := path.Dir(dir); d != "." && d != "/" {
		return d
	}
	return ""
}

// folderOf is the folder of a project: that of the file, or the one that its vendor or installation
// folder lies in.
func folderOf(f *finding.Finding) string {
	dir := above(f.File)
	parts := strings.Split(dir, "/")
	for i, part := range parts {
		if part == "node_modules" || part == "vendor" && f.Format == "vendor-modules" {
			return strings.Join(parts[:i], "/")
		}
	}
	if f.Format == "requirements-folder" || f.Format == "requirements.in-folder" {
		return dir // its own, as pip is given the file
	}
	return dir
}

// isManifest reports whether the file of a finding asks for packages and locks none.
func isManifest(f *finding.Finding) bool {
	switch f.Format {
	case "package.json", "pyproject.toml", "Pipfile", "requirements.in", "requirements.in-folder":
		return true
	}
	return false
}

// what a file is, in one word.
func what(f *finding.Finding) string {
	switch {
	case isManifest(f), f.Format == "go.mod", f.Format == "go.work":
		return "manifest"
	case strings.HasPrefix(f.Format, "installed-"), f.Format == "pnpm-lock-installed":
		return "installed"
	case f.Format == "vendor-modules":
		return "vendored"
	case strings.HasPrefix(f.Format, "actions-"):
		return "workflow"
	}
	return "lockfile"
}

// edits are the lines that are wrong and what should stand there, and what to put into a manifest
// so that the package manager does not come back. to is "" where that is not known.
func (g *place) edits(to string) []Edit {
	var out []Edit
	for _, f := range g.findings {
		e := Edit{File: f.File, Line: f.Line, What: what(f), From: cmp.Or(f.Package.Version, f.Package.Range), To: to, How: "by the command"}
		switch {
		case to == "":
			e.How = ""
		case e.What == "installed":
			e.To, e.How = "", "by a clean installation from the lockfile: the folder is taken away whole"
		case e.What == "manifest" && f.Package.Range != "" && f.Package.Version == "":
			e.How = "by hand, where the command leaves the range"
		case g.manager == pip, g.manager == noManager:
			e.How = "by hand"
		}
		out = append(out, e)
	}
	if to != "" {
		if e, ok := g.override(to); ok {
			out = append(out, e)
		}
	}
	return out
}

// direct reports whether the project itself asks for the package, as far as the files tell.
func (g *place) direct() Answer {
	out := Unknown
	for _, f := range g.findings {
		switch {
		case f.Package.Direct == "yes", len(f.Chain) == 1, isManifest(f) && f.Package.Range != "":
			return Yes
		case f.Package.Direct == "no", len(f.Chain) > 1:
			out = No
		}
	}
	if out == Unknown && g.manager == gotool {
		for _, f := range g.findings {
			if f.Format == "go.mod" && !strings.Contains(f.Package.Scope, "indirect") {
				return Yes
			}
		}
	}
	return out
}

// pinned is the package with its version as the manager of the ecosystem writes it.
func pinned(e ecosystem.Ecosystem, name, v string) string {
	if e == ecosystem.PyPI {
		return name + "==" + v
	}
	return name + "@" + v
}
