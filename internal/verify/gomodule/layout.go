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
	major           string // "/v2", ".v3" at gopkg.in, or ""
	whole           bool   // the module's path is that of the repository's root
	tag             string // name of the version's tag; "" for a pseudo-version
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

// newLayout finds the place of a module. The root is the import path of the repository, "" to
// take it from the module's path; where that does not tell, the folder of the tag does: a tag is
// "DIR/VERSION".
func newLayout(modulePath, version, root, tag string) (*layout, error) {
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
	l := &layout{module: modulePath, version: version, major: major}
	if root == "" {
		root = rootOf(modulePath)
	}
	switch {
	case root == modulePath:
		l.whole = true
	case root != "" && (prefix == root || strings.HasPrefix(prefix, root+"/")):
		l.dir = strings.Trim(prefix[len(root):], "/")
	case root != "":
		return nil, fmt.Errorf("a repository %q cannot hold the module %q", root, modulePath)
	case strings.Contains(tag, "/"):
		l.dir = path.Dir(tag)
	}
	if module.IsPseudoVersion(version) {
		rev, err := module.PseudoVersionRev(version)
		l.rev = rev
		return l, err
	}
	if l.tag = tag; tag == "" {
		l.tag = path.Join(l.dir, strings.TrimSuffix(version, "+incompatible"))
	}
	return l, nil
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
	first, there, err := read(path.Join(l.dir, "go.mod"))
	if err != nil {
		return "", err
	}
	if strings.HasPrefix(l.major, "/") && !l.whole {
		below := path.Join(l.dir, l.major[1:])
		second, also, err := read(path.Join(below, "go.mod"))
		switch {
		case err != nil:
			return "", err
		case also && !l.isMajor(modfile.ModulePath(second)):
			return "", &noModuleError{fmt.Sprintf("%s is not of the major version %s", path.Join(below, "go.mod"), l.major[1:])}
		case also && there && l.isMajor(modfile.ModulePath(first)):
			return "", &noModuleError{"two go.mod files are of the major version " + l.major[1:]}
		case also:
			return below, nil
		}
	}
	switch {
	case there && l.isMajor(modfile.ModulePath(first)):
		return l.dir, nil
	case there:
		return "", &noModuleError{fmt.Sprintf("%s is of the module %.200q", path.Join(l.dir, "go.mod"), modfile.ModulePath(first))}
	case l.dir == "" && !strings.HasPrefix(l.major, "/"):
		return "", nil // a repository from before modules
	}
	return "", &noModuleError{"there is no go.mod in " + path.Join(".", l.dir)}
}

// noModuleError says that a tree does not hold the module.
type noModuleError struct{ why string }

func (e *noModuleError) Error() string { return e.why }
