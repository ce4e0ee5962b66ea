package pypi

import (
	"net/url"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// requirement is what one requirement asks for, by PEP 508 or as pip takes it beyond that:
// an address or a path alone.
type requirement struct {
	name string // as written; "" where nothing tells it
	spec specifier

	// Of one that names where its bytes are.
	located bool
	source  lockfile.Source
	release lockfile.Identity // that the name of its archive tells

	wrong string // what is not understood, "" for nothing
}

// parseRequirement reads a requirement without its options. Extras and the marker are
// passed over: what is wanted somewhere is wanted. exact is memory for the versions.
func parseRequirement(s string, exact []string) (r requirement) {
	s = trimSpace(s)
	if hasScheme(s) {
		return parseAddress("", s)
	}
	name, rest := cutName(s)
	if strings.HasPrefix(rest, "[") {
		end := strings.IndexByte(rest, ']')
		if end < 0 {
			return requirement{name: name, spec: specifier{text: rest}, wrong: rest}
		}
		rest = trimSpace(rest[end+1:])
	}
	if address, ok := strings.CutPrefix(rest, "@"); ok && name != "" {
		return parseAddress(name, trimSpace(address))
	}
	if end := strings.IndexByte(rest, ';'); end >= 0 {
		rest = rest[:end]
	}
	if strings.HasPrefix(name, ".") || classes(name)&inPath != 0 || rest == "" && isArchive(name) {
		r = parsePath(name)
		r.wrong = trimSpace(rest)
		return r
	}
	r.name = name
	r.spec = parseSpecifier(rest, exact)
	r.wrong = r.spec.wrong
	if name == "" || isArchive(rest) { // a file to pip, whatever is before its suffix
		r.wrong = s
	}
	return r
}

// cutName cuts a name, or a path, off the beginning of a requirement.
func cutName(s string) (name, rest string) {
	end := until(s, endsName)
	return s[:end], trimSpace(s[end:])
}

// parseAddress reads the address of an archive, a repository or a file, with the marker
// after it. It ends at the first space (PEP 508, "URI_reference").
func parseAddress(name, s string) requirement {
	address, rest := s, ""
	if i := strings.IndexFunc(s, isSpace); i >= 0 {
		address, rest = s[:i], trimSpace(s[i:])
	}
	r := requirement{name: name}
	switch scheme := schemeOf(address); {
	case scheme == "":
		r = parsePath(address)
		r.name = firstOf(name, r.name)
	case scheme == "file":
		r = parsePath(address)
		r.name = firstOf(name, eggName(address), r.name)
	case scheme == "http" || scheme == "https" || scheme == "ftp":
		r = parseArchive(name, address)
	default:
		r = parseRepository(name, address)
	}
	switch {
	case schemeOf(address) == "" && strings.Contains(address, "://"):
		r.wrong = address
	case rest != "" && rest[0] != ';':
		r.wrong = rest
	}
	return r
}

// parseArchive reads the address of an archive.
func parseArchive(name, address string) requirement {
	r := requirement{name: name, located: true, source: lockfile.Source{Kind: lockfile.URL, URL: address}}
	release, ok := identify(address, lockfile.Identity{Name: ecosystem.PyPI.CanonicalName(name)})
	if ok {
		r.release = release
		if fromIndex(address) {
			r.source.Kind = lockfile.Registry
		}
	}
	r.name = firstOf(name, eggName(address), release.Name, lastPart(address))
	return r
}

// parseRepository reads the address of a repository as pip writes it:
// git+https://host/path@ref#egg=name. The commit is the ref where it can be one.
func parseRepository(name, address string) requirement {
	remote, _, _ := strings.Cut(address, "#")
	commit := ""
	if path := pathStart(remote); path >= 0 {
		if at := strings.LastIndexByte(remote[path:], '@'); at >= 0 {
			commit = commitID(remote[path+at+1:])
			remote = remote[:path+at]
		}
	}
	return requirement{
		name:    firstOf(name, eggName(address), lastPart(strings.TrimSuffix(remote, ".git"))),
		located: true,
		source:  lockfile.Source{Kind: lockfile.Git, URL: remote, Commit: commit},
	}
}

// parsePath reads the path of a folder or an archive.
func parsePath(path string) requirement {
	r := requirement{located: true, source: lockfile.Source{Kind: lockfile.Path, URL: path}}
	r.release, _ = identify(path, lockfile.Identity{})
	r.name = firstOf(r.release.Name, lastPart(path))
	return r
}

// repositorySchemes are those that name a version control system before a "+", or, for
// editable requirements, without one.
var repositorySchemes = []string{"git", "hg", "svn", "bzr", "ssh"}

// schemeOf is the scheme of an address in lower case, "" for what is no address of a kind
// that installers take.
func schemeOf(s string) string {
	scheme, _, ok := strings.Cut(s, ":")
	if !ok || len(scheme) > len("svn+https")+8 {
		return ""
	}
	scheme = strings.ToLower(scheme)
	switch scheme {
	case "http", "https", "file", "ftp":
		return scheme
	}
	system, _, _ := strings.Cut(scheme, "+")
	for _, known := range repositorySchemes {
		if system == known {
			return scheme
		}
	}
	return ""
}

func hasScheme(s string) bool { return schemeOf(s) != "" }

// eggName is the name that an address's fragment gives: "#egg=name", "#egg=name[extra]".
func eggName(address string) string {
	_, fragment, _ := strings.Cut(address, "#")
	for fragment != "" {
		var pair string
		pair, fragment, _ = strings.Cut(fragment, "&")
		if egg, ok := strings.CutPrefix(pair, "egg="); ok {
			if decoded, err := url.PathUnescape(egg); err == nil {
				egg = decoded
			}
			name, _ := cutName(egg)
			return name
		}
	}
	return ""
}

// hostOf is the host of an address, in lower case.
func hostOf(address string) string {
	_, rest, ok := strings.Cut(address, "://")
	if !ok {
		return ""
	}
	if end := strings.IndexAny(rest, `/\?#`); end >= 0 {
		rest = rest[:end]
	}
	rest = rest[strings.LastIndexByte(rest, '@')+1:]
	rest, _, _ = strings.Cut(rest, ":")
	return strings.ToLower(strings.TrimSuffix(rest, "."))
}

// pathStart is the offset at which the path of an address begins, -1 where it has none.
func pathStart(address string) int {
	begin := strings.Index(address, "://")
	if begin < 0 {
		return -1
	}
	begin += len("://")
	slash := strings.IndexByte(address[begin:], '/')
	if slash < 0 {
		return -1
	}
	return begin + slash
}

// lastPart is the last part of a path or address where it can be a name.
func lastPart(address string) string {
	if base := fileName(address); validName(base) {
		return base
	}
	return ""
}

// dependsOnEnvironment reports whether an address holds a variable elsewhere than in the
// user and password before its host, where people keep tokens.
func dependsOnEnvironment(address string) bool {
	if !strings.Contains(address, "${") {
		return false
	}
	if scheme, rest, ok := strings.Cut(address, "://"); ok {
		end := strings.IndexAny(rest, `/\?#`)
		if end < 0 {
			end = len(rest)
		}
		address = scheme + rest[strings.LastIndexByte(rest[:end], '@')+1:]
	}
	return variable.MatchString(address)
}

// commitID is ref where it can be a commit id, "" otherwise.
func commitID(ref string) string {
	if len(ref) < 7 || len(ref) > 64 {
		return ""
	}
	for i := 0; i < len(ref); i++ {
		if c := ref[i]; (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f') {
			return ""
		}
	}
	return ref
}

// firstOf is the first of its arguments that is not empty.
func firstOf(names ...string) string {
	for _, name := range names {
		if name != "" {
			return name
		}
	}
	return ""
}
