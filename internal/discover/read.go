package discover

import (
	"context"
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/source"
)

// Limits of what is read of a repository.
const (
	maxFile  = 1 << 20 // bytes of one file
	maxFiles = 2_000   // files that say what is published
)

// project is what was read of a repository.
type project struct {
	source    string // "owner/repository"
	number    string // GitHub's number of it, "" where it is not known
	branch    string // its default branch; main where it is not known
	guessed   bool   // the branch
	manifests []manifest
	workflows map[string]*workflow // by path
	releaser  *releaser            // nil where it has none
}

const workflowFolder = ".github/workflows/"

// Reads reports whether the file at a path says something of what its repository publishes. It
// is what the paths of local.Repositories are chosen by.
func Reads(file string) bool {
	name := path.Base(file)
	switch {
	case strings.HasPrefix(file, workflowFolder):
		return path.Dir(file)+"/" == workflowFolder && isYAML(name)
	case aside(path.Dir(file)):
		return false
	}
	switch name {
	case "package.json", "pyproject.toml", "setup.cfg", "go.mod":
		return true
	}
	return file == name && isReleaser(name)
}

func isYAML(name string) bool {
	ext := path.Ext(name)
	return ext == ".yml" || ext == ".yaml"
}

func isReleaser(name string) bool {
	base, ok := strings.CutSuffix(strings.TrimPrefix(name, "."), path.Ext(name))
	return ok && base == "goreleaser" && isYAML(name)
}

// asideFolders hold manifests that nobody publishes: of others, and of tests.
var asideFolders = []string{"node_modules", "vendor", "testdata", "test", "tests", "fixtures", "__fixtures__", "example", "examples", ".git"}

func aside(dir string) bool {
	for part := range strings.SplitSeq(dir, "/") {
		if slices.Contains(asideFolders, part) {
			return true
		}
	}
	return false
}

// project reads a repository at HEAD, or as it lies where it has none. It is nil for one that
// there is nothing to read of.
func (d *discovery) project(ctx context.Context, repo *source.Repository) *project {
	for _, p := range repo.Problems {
		d.unreadf("%q: %q: %s: %s", repo.Name, p.File, p.Code, p.Detail)
	}
	tree := releasedFrom(repo)
	if tree == nil {
		return nil
	}
	p := &project{source: repo.Name, branch: "main", guessed: true, workflows: map[string]*workflow{}}
	if !d.opt.FullNames {
		p.source = d.opt.Organisation + "/" + strings.TrimSuffix(path.Base(repo.Name), ".git")
	}
	if repo.Number > 0 {
		p.number = decimal(repo.Number)
	}
	if branch, ok := strings.CutPrefix(tree.Ref(), source.Branches); ok {
		p.branch, p.guessed = branch, false
	}
	files := d.files(ctx, p, tree)
	if fetcher, ok := tree.(source.Fetcher); ok {
		// Each file that did not come has its reason when it is read.
		_ = fetcher.Fetch(ctx, files)
	}
	var buf []byte
	for _, f := range files {
		text, err := tree.Read(ctx, f, maxFile, buf)
		if err != nil {
			d.unreadf("%q: %q: %v", p.source, f.Path, err)
			continue
		}
		buf = text
		if err := p.add(f.Path, text); err != nil {
			d.unreadf("%q: %q: %v", p.source, f.Path, err)
		}
	}
	return p
}

// releasedFrom is the state of a repository that its releases come from: HEAD, which on GitHub
// is the default branch, and the checkout where there is no other.
func releasedFrom(repo *source.Repository) source.Tree {
	for _, t := range repo.Trees {
		if t.Ref() != "worktree" {
			return t
		}
	}
	if len(repo.Trees) > 0 {
		return repo.Trees[0]
	}
	return nil
}

// files lists what is to be read.
func (d *discovery) files(ctx context.Context, p *project, tree source.Tree) []source.File {
	var files []source.File
	for f, err := range tree.Files(ctx) {
		var of *source.PathError
		switch {
		case errors.As(err, &of) && of.Code.Note():
		case err != nil:
			d.unreadf("%q: %v", p.source, err)
		case !Reads(f.Path):
		case len(files) == maxFiles:
			d.unreadf("%q: more than %d manifests and workflows: the rest is not read", p.source, maxFiles)
			return files
		default:
			if err := source.Openable(f); err != nil {
				d.unreadf("%q: %v", p.source, err)
				continue
			}
			files = append(files, f)
		}
	}
	return files
}

// add reads one file of the repository.
func (p *project) add(file string, text []byte) error {
	switch {
	case strings.HasPrefix(file, workflowFolder):
		w, err := parseWorkflow(file, text)
		if err == nil {
			p.workflows[file] = w
		}
		return err
	case isReleaser(path.Base(file)):
		r, err := parseReleaser(file, text)
		p.releaser = r
		return err
	}
	m, err := parseManifest(file, text)
	if err == nil && m.name != "" {
		p.manifests = append(p.manifests, m)
	}
	return err
}
