package gomodule

import (
	"fmt"
	"path"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

// layout is where a module lies in its repository, as the go command finds it
// (cmd/go/internal/modfetch, newCodeRepo and findDir).
type layout struct {
	module, version string
	dir             string // folder in the repository, without a major version: "" for the root
	exact           bool   // its go.mod must name the module, and not just the major version
	major           string // "/v2", ".v3" at gopkg.in, or ""
	whole           bool   // the module's path is that of the repository's root
	tag             string // name of the version's tag
	rev             string // commit of a pseudo-version, 12 hex digits
}

// hosted are the hosts whose repositories have names of two parts.
var hosted = []string{"github.com/", "gitlab.com/", "bitbucket.org/"}

// rootOf gives the import path of the repository that a module's path names by itself, "" where
// it names none.
func rootOf(modulePath string) string {
	for _, h := range hosted {
		if parts := strings.SplitN(modulePath, "/", 4); strings.HasPrefix(modulePath, h) && len(parts) >= 3 {
			return strings.Join(parts[:3], "/")
		}
	}
	return ""
}

// newLayouts finds the places where a module may lie. The root is the import path of the
// repository, "" to take it from the module's path. Where that does not tell, the folder of the
// tag does, "DIR/VERSION"; and where that does not either, it is any of several folders, and the
// right one has a go.mod that names the module. The deepest comes first.
func newLayouts(modulePath, version, root, tag string) ([]*layout, error) {
	if err := module.Check(modulePath, version); err != nil {
		return nil, err
	}
	if module.CanonicalVersion(version) != version {
		return nil, fmt.Errorf("%q is not a canonical version", version)
	}
	prefix, major, ok := module.SplitPathVersion(modulePath)
	if !ok {
		return nil, fmt.Errorf("%q is not a module path", modulePath)
	}
	l := layout{module: modulePath, version: version, major: major}
	if module.IsPseudoVersion(version) {
		var err error
		if l.rev, err = module.PseudoVersionRev(version); err != nil {
			return nil, err
		}
	}
	if root == "" {
		root = rootOf(modulePath)
	}
	switch {
	case root == modulePath, strings.HasPrefix(major, "."):
		l.whole = true
		return []*layout{l.in("", tag)}, nil
	case root != "" && (prefix == root || strings.HasPrefix(prefix, root+"/")):
		return []*layout{l.in(strings.Trim(prefix[len(root):], "/"), tag)}, nil
	case root != "":
		return nil, fmt.Errorf("a repository %q cannot hold the module %q", root, modulePath)
	case strings.Contains(tag, "/"):
		return []*layout{l.in(path.Dir(tag), tag)}, nil
	}
	var all []*layout
	_, dir, _ := strings.Cut(prefix, "/")
	for {
		l.exact = true
		all = append(all, l.in(dir, tag))
		if dir == "" {
			return all, nil
		}
		_, dir, _ = strings.Cut(dir, "/")
	}
}

// in is the layout with the module in a folder.
func (l layout) in(dir, tag string) *layout {
	l.dir, l.tag = dir, tag
	if tag == "" && l.rev == "" {
		l.tag = path.Join(dir, strings.TrimSuffix(l.version, "+incompatible"))
	}
	return &l
}

// isMajor reports whether the path of a go.mod is one of the module's major version. Without a
// suffix it may be any of gopkg.in (golang.org/issue/34254).
func (l *layout) isMajor(modPath string) bool {
	if modPath == "" {
		return false
	}
	_, major, ok := module.SplitPathVersion(modPath)
	if !ok {
		return false
	}
	if l.major == "" {
		prefix := module.PathMajorPrefix(major)
		return prefix == "" || prefix == "v0" || prefix == "v1" || strings.HasPrefix(modPath, "gopkg.in/")
	}
	return major != "" && l.major[1:] == major[1:]
}

// folder finds the folder whose files make the module. read gives a file of the tree, and
// whether it is there.
func (l *layout) folder(read func(name string) ([]byte, bool, error)) (string, error) {
	folder, content, err := l.find(read)
	if named := modfile.ModulePath(content); err == nil && l.exact && named != l.module && (content != nil || l.dir != "") {
		err = &noModuleError{fmt.Sprintf("%s is of the module %.200q", path.Join(folder, "go.mod"), named)}
	}
	return folder, err
}

// find finds the folder and its go.mod, which is nil in a repository from before modules.
func (l *layout) find(read func(name string) ([]byte, bool, error)) (folder string, content []byte, err error) {
	none := func(format string, args ...any) (string, []byte, error) {
		return "", nil, &noModuleError{fmt.Sprintf(format, args...)}
	}
	first, there, err := read(path.Join(l.dir, "go.mod"))
	if err != nil {
		return "", nil, err
	}
	if strings.HasPrefix(l.major, "/") && !l.whole {
		below := path.Join(l.dir, l.major[1:])
		second, also, err := read(path.Join(below, "go.mod"))
		switch {
		case err != nil:
			return "", nil, err
		case also && !l.isMajor(modfile.ModulePath(second)):
			return none("%s is not of the major version %s", path.Join(below, "go.mod"), l.major[1:])
		case also && there && l.isMajor(modfile.ModulePath(first)):
			return none("two go.mod files are of the major version %s", l.major[1:])
		case also:
			return below, second, nil
		}
	}
	switch {
	case there && l.isMajor(modfile.ModulePath(first)):
		return l.dir, first, nil
	case there:
		return none("%s is of the module %.200q", path.Join(l.dir, "go.mod"), modfile.ModulePath(first))
	case l.dir == "" && !strings.HasPrefix(l.major, "/"):
		return "", nil, nil
	}
	return none("there is no go.mod in %s", path.Join(".", l.dir))
}

// noModuleError says that a tree does not hold the module.
type noModuleError struct{ why string }

func (e *noModuleError) Error() string { return e.why }
