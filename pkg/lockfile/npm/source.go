package npm

import (
	"encoding/hex"
	pathpkg "path"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/registry/host"
)

// classify says where the bytes behind an address come from: a package-lock's "resolved",
// or the specifier of a dependency that is neither a range nor an alias (npm-package-arg).
// Whatever it cannot tell apart is Registry, so that it is matched.
func classify(address string) lockfile.Source {
	source := lockfile.Source{Kind: lockfile.Registry, URL: address}
	scheme, rest, ok := strings.Cut(address, ":")
	switch {
	case !ok || strings.HasPrefix(address, "@"):
		if isPath(address) {
			source.Kind = lockfile.Path
		}
	case scheme == "https" || scheme == "http":
		source.Kind, source.Commit = classifyHTTP(rest)
	case strings.HasPrefix(scheme, "git+"), strings.HasPrefix(scheme, "git@"), isGitScheme(scheme):
		source.Kind, source.Commit = lockfile.Git, commitOf(address)
	case scheme == "file":
		source.Kind = lockfile.Path
	case scheme == "link", scheme == "portal":
		source.Kind = lockfile.Link
	case scheme == "workspace":
		source.Kind = lockfile.Workspace
	case isPath(address):
		source.Kind = lockfile.Path
	}
	return source
}

func isGitScheme(scheme string) bool {
	switch scheme {
	case "git", "ssh", "github", "gitlab", "bitbucket", "gist":
		return true
	}
	return false
}

// isPath reports whether npm reads s as a path: "./x", "../x", "/x", "~/x", "C:\x".
func isPath(s string) bool {
	for _, prefix := range [...]string{"./", "../", "/", "~/", `.\`, `..\`, `\`} {
		if strings.HasPrefix(s, prefix) {
			return true
		}
	}
	return s == "." || s == ".." || len(s) > 2 && s[1] == ':' && (s[2] == '/' || s[2] == '\\')
}

// classifyHTTP judges an address without its scheme. An archive that a git host makes of a
// commit is that commit; an address in the form of a registry's is a registry's, whatever
// its host, since mirrors rewrite it.
func classifyHTTP(rest string) (kind lockfile.SourceKind, commit string) {
	address, _, _ := strings.Cut(rest, "#")
	address, _, _ = strings.Cut(address, "?")
	plain := plainAddress(address)
	hostname, path, _ := strings.Cut(strings.TrimLeft(plain, "/"), "/")
	if strings.HasSuffix(path, ".git") {
		return lockfile.Git, commitOf(rest)
	}
	if host.IsGitHub(hostname) {
		if commit = archiveCommit(path); commit != "" {
			return lockfile.Git, commit
		}
	}
	if strings.Contains(plain, "/-/") || // ".." may have taken the host
		strings.Contains(path, "/download/") && !host.IsGitHub(hostname) {
		return lockfile.Registry, ""
	}
	return lockfile.URL, ""
}

// archiveCommit reads the commit out of GitHub's archive paths: OWNER/REPO/tar.gz/COMMIT,
// OWNER/REPO/archive/COMMIT.tar.gz, OWNER/REPO/tarball/COMMIT.
func archiveCommit(path string) string {
	parts := strings.SplitN(path, "/", 5)
	if len(parts) != 4 {
		return ""
	}
	switch parts[2] {
	case "tar.gz", "archive", "tarball":
		id, _, _ := strings.Cut(parts[3], ".")
		if isCommit(id) {
			return id
		}
	}
	return ""
}

// commitOf is the commit after "#" in a git address, "" where a branch, a tag or a range
// ("semver:^1.0.0") stands there.
func commitOf(address string) string {
	_, fragment, _ := strings.Cut(address, "#")
	for part := range strings.SplitSeq(fragment, "&") { // yarn berry: "commit=ID", pnpm: "ID&path:/x"
		if part = strings.TrimPrefix(part, "commit="); isCommit(part) {
			return part
		}
	}
	return ""
}

// isCommit reports whether s is a commit id, or a prefix that git would take for one.
func isCommit(s string) bool {
	return 7 <= len(s) && len(s) <= 64 && strings.Trim(s, "0123456789abcdef") == ""
}

// isTarballOf reports whether address is the usual one of a package's tarball, ending in
// /NAME/-/BASE-VERSION.tgz, so that there is nothing to read out of it.
func isTarballOf(address, name, version string) bool {
	base := name[strings.LastIndexByte(name, '/')+1:]
	v := len(address) - len(version) - len(".tgz") // where the parts begin
	b := v - len(base) - len("-")
	n := b - len(name) - len("/-/")
	if n < 1 || name == "" || address[n-1] != '/' || address[v-1] != '-' || address[b-3:b] != "/-/" ||
		address[v:len(address)-len(".tgz")] != version || address[b:v-1] != base || address[n:b-3] != name ||
		address[len(address)-len(".tgz"):] != ".tgz" {
		return false
	}
	// "/@evil/x/-/x-1.tgz" ends as the tarball of "x" does, and "@" may be escaped.
	// Behind "?" or "#" stands no path: "/evil/-/evil-1.tgz?/x/-/x-1.tgz" is not of "x".
	if strings.IndexByte(address[:n], '?') >= 0 || strings.IndexByte(address[:n], '#') >= 0 {
		return false
	}
	scope := address[strings.LastIndexByte(address[:n-1], '/')+1 : n-1]
	if scope == "" || scope == "." || scope == ".." || strings.ContainsAny(scope, "\\\t\r\n") {
		return false // "/@evil/./x/-/x-1.tgz" is the tarball of "@evil/x"
	}
	return name[0] == '@' || !strings.HasPrefix(scope, "@") && strings.IndexByte(address, '%') < 0
}

// tarballIdentity reads the package and version that a registry's address names. The
// forms, after any prefix that a mirror puts before them:
//
//	NAME/-/BASE-VERSION.tgz              npm, Nexus, Verdaccio, Azure, CodeArtifact, Cloudsmith
//	NAME/-/@SCOPE/BASE-VERSION.tgz       Artifactory, GitLab, Google Artifact Registry
//	NAME/-/VERSION/BASE-VERSION.tgz      Gitea, Forgejo
//	NAME/download/BASE-VERSION.tgz       cnpm, and with @SCOPE/ as above
//	download/NAME/VERSION/DIGEST         GitHub Packages
//
// NAME is "base" or "@scope/base", whose "@" and "/" some escape. It is not ok for an
// address of another form, or one that names no version.
func tarballIdentity(address string) (id lockfile.Identity, ok bool) {
	address, _, _ = strings.Cut(address, "#")
	address, _, _ = strings.Cut(address, "?")
	address = plainAddress(address)
	separator := "/-/"
	i := strings.LastIndex(address, separator)
	if i < 0 {
		separator = "/download/"
		i = strings.LastIndex(address, separator)
	}
	if i < 0 {
		return id, false
	}
	file := address[i+len(separator):]
	name, base := lastName(address[:i])
	stem, archive := strings.CutSuffix(file[strings.LastIndexByte(file, '/')+1:], ".tgz")
	if !archive {
		stem, archive = strings.CutSuffix(stem, ".tar.gz")
	}
	if separator == "/download/" && !archive {
		parent := strings.LastIndexByte(file, '/')
		if parent < 0 {
			return id, false
		}
		folder := strings.LastIndexByte(file[:parent], '/')
		if folder < 0 {
			return id, false
		}
		id = lockfile.Identity{Name: file[:folder], Version: file[folder+1 : parent]}
		return id, validName(id.Name) && startsWithDigit(id.Version)
	}
	version, found := cutBase(stem, base)
	if !found && separator == "/download/" {
		return id, false
	}
	for !found {
		_, version, found = strings.Cut(stem, "-")
		if !found {
			return id, false
		}
		stem, found = version, startsWithDigit(version)
	}
	id = lockfile.Identity{Name: name, Version: version}
	return id, archive && validName(name) && startsWithDigit(version)
}

// cutBase cuts "BASE-" off a tarball's file name.
func cutBase(stem, base string) (version string, found bool) {
	if version, found = strings.CutPrefix(stem, base); found {
		version, found = strings.CutPrefix(version, "-")
	}
	return version, found
}

// lastName is the package name at the end of a path, and its part after the scope.
func lastName(path string) (name, base string) {
	i := strings.LastIndexByte(path, '/')
	base = path[i+1:]
	if i >= 0 {
		if scope := strings.LastIndexByte(path[:i], '/') + 1; strings.HasPrefix(path[scope:], "@") {
			return path[scope:], base
		}
	}
	return base, base
}

func startsWithDigit(s string) bool { return s != "" && '0' <= s[0] && s[0] <= '9' }

// plainAddress gives an address without its query and fragment as it is fetched: by
// the URL Standard (url.spec.whatwg.org), which drops white space, takes a backslash for a
// slash and resolves "." and "..", and by the registry, which decodes the escapes. It
// allocates only where there is something to change.
func plainAddress(address string) string {
	address = strings.TrimFunc(address, func(c rune) bool { return c <= ' ' })
	if strings.ContainsAny(address, "%\\\t\r\n") {
		address = oddBytes.Replace(address)
	}
	if strings.Contains(address, "/.") {
		address = resolveDots(address)
	}
	address = unescapePath(address)
	afterScheme := address[strings.Index(address, "//")+1:]
	if strings.Contains(strings.TrimLeft(afterScheme, "/"), "//") {
		address = pathpkg.Clean(address) // some registries take several slashes for one
	}
	return address
}

var oddBytes = strings.NewReplacer("\\", "/", "\t", "", "\r", "", "\n", "", "%2e", ".", "%2E", ".")

// resolveDots takes "." and ".." out of a path. An empty part is one that ".." takes back,
// unlike in path.Clean.
func resolveDots(path string) string {
	var parts []string
	for part := range strings.SplitSeq(path, "/") {
		switch {
		case part == "..":
			parts = parts[:max(0, len(parts)-1)]
		case part != ".":
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, "/")
}

// unescapePath decodes the percent escapes of a path. What only looks like one stays.
func unescapePath(path string) string {
	if strings.IndexByte(path, '%') < 0 {
		return path
	}
	out := make([]byte, 0, len(path))
	for i := 0; i < len(path); i++ {
		if path[i] == '%' && i+2 < len(path) {
			if c, err := hex.DecodeString(path[i+1 : i+3]); err == nil {
				out = append(out, c[0])
				i += 2
				continue
			}
		}
		out = append(out, path[i])
	}
	return string(out)
}
