package npm

import (
	"strings"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/version"
)

// pnpmKey is what the key of an entry of pnpm-lock.yaml says. The forms, which differ by
// lockfileVersion but do not overlap, so that a file that lies about it changes nothing:
//
//	/name/1.2.3_peer@4.5.6             5, with a suffix of peers or of their hash
//	registry.example/name/1.2.3        5, from a registry that is not the default one
//	/name@1.2.3(peer@4.5.6)            6
//	name@1.2.3(peer@4.5.6)             9; in "packages" without the suffix
//	name@prefix:1.2.3                  9, from a registry that the settings name
//	name@https://host/x.tgz            9, an archive; git+https://..., file:... alike
//	host/owner/repo/COMMIT             5 and 6, a git repository
//	@host/x.tgz, file:x.tgz            5 and 6, an archive
//
// Sources: pnpm's packages/dependency-path and spec.pnpm.io/lockfile.
type pnpmKey struct {
	name    string // "" where only the entry itself names the package
	version string // "" where the key names a place and no version
	place   string // "https://...", "file:...", "host/owner/repo/COMMIT"
	host    string // of the registry, in the form that has one
}

func parsePnpmKey(key string) pnpmKey {
	key = cutPeers(key)
	if strings.HasPrefix(key, "file:") || strings.HasPrefix(key, "link:") {
		return pnpmKey{place: key}
	}
	path, relative := strings.CutPrefix(key, "/")
	name, separator, rest := cutPnpmName(path)
	switch {
	case separator == '@':
		k := pnpmKey{name: name}
		if v := afterPrefix(rest); startsWithDigit(v) {
			k.version = v
		} else {
			k.place = rest
		}
		return k
	case relative && separator == '/':
		if v, _, _ := strings.Cut(rest, "_"); startsWithDigit(v) {
			return pnpmKey{name: name, version: v}
		}
	case !relative:
		host, path, _ := strings.Cut(path, "/")
		name, separator, rest := cutPnpmName(path)
		if separator == '/' {
			rest, _, _ = strings.Cut(rest, "_")
		}
		if version.Check(ecosystem.NPM, rest) == nil {
			return pnpmKey{name: name, version: rest, host: host}
		}
	}
	return pnpmKey{place: key}
}

// cutPnpmName cuts a package's name off path, up to the "@" or "/" behind it; separator is 0
// where neither comes.
func cutPnpmName(path string) (name string, separator byte, rest string) {
	begin := 0
	if strings.HasPrefix(path, "@") {
		begin = strings.IndexByte(path, '/') + 1
		if begin == 0 {
			return path, 0, ""
		}
	}
	i := strings.IndexAny(path[begin:], "@/")
	if i < 0 {
		return path, 0, ""
	}
	i += begin
	return path[:i], path[i], path[i+1:]
}

// afterPrefix cuts the prefix of a registry that the settings name off "prefix:1.2.3". What
// stands behind a protocol is no version, even where it begins with a digit.
func afterPrefix(rest string) string {
	prefix, v, ok := strings.Cut(rest, ":")
	if !ok {
		return rest
	}
	switch prefix {
	case "file", "link", "workspace", "portal", "http", "https", "git", "ssh", "github", "gitlab", "bitbucket", "gist":
		return ""
	}
	if strings.Contains(prefix, "+") || strings.Contains(prefix, "@") {
		return "" // git+https:..., git@host:...
	}
	return v
}

// cutPeers cuts the groups in parentheses off the end of a key or reference: peers, and the
// hash of a patch. They may be nested: "1.0.0(react-dom@18.2.0(react@18.2.0))(react@18.2.0)".
func cutPeers(key string) string {
	for end := len(key); end > 0 && key[end-1] == ')'; {
		depth := 0
		for end--; end >= 0; end-- {
			if key[end] == ')' {
				depth++
			} else if key[end] == '(' {
				if depth--; depth == 0 {
					break
				}
			}
		}
		if end < 0 {
			break
		}
		key = key[:end]
	}
	return key
}
