package report

import "github.com/wormsweep/wormsweep/internal/finding"

// What a person is told in our own words. A test holds the tables against the constants of
// the packages that make the codes; docs/problems.md says of each problem what to do.

// severities in the order of reports, with the score that SARIF consumers sort by: GitHub
// takes over 9.0 as critical, 7.0 to 8.9 as high, 4.0 to 6.9 as medium.
var severities = []struct{ name, score string }{
	{"critical", "9.8"}, {"high", "8.2"}, {"medium", "5.5"}, {"low", "2.5"},
}

// severityRank orders severities; one that is not ours comes first, since nobody knows how
// bad it is.
func severityRank(name string) int {
	for i, s := range severities {
		if s.name == name {
			return i
		}
	}
	return -1
}

// stateWords say why findings of a state are set apart.
var stateWords = map[string]string{
	string(finding.Latent):    "could resolve to a listed version at the next install",
	string(finding.Weak):      "met in innocent projects too, and nothing else of the campaign was met here",
	string(finding.LookAlike): "a listed name but for letter case",
	string(finding.Withdrawn): "listed once, and withdrawn by those who listed it",
	string(finding.Excluded):  "covered by an exclusion of the organisation",
}

// reasonWords say how an indicator was met, or why it was not.
var reasonWords = map[string]string{
	"exact-version": "this version is listed",
	"local-version": "listed without the local part (+...) that this version has",
	"version-range": "the version lies in a listed range",
	"all-versions":  "every version of this name is listed",
	"namespace":     "every package of this scope is listed",
	"case-only":     "the name is listed in another letter case",
	"latent-range":  "the range admits a listed version",
	"integrity":     "the digest is listed, whatever the name",
	"git-commit":    "the commit is listed",
	"file-path":     "the path or name of the file is listed",
	"file-size":     "the size is listed, together with what else the indicator asks for",
	"git-blob":      "the git blob id of the file is listed",
	"file-digest":   "the digest of the content is listed",

	"branch-name":            "the name of the branch is listed",
	"tag-name":               "the name of the tag is listed",
	"commit-id":              "the commit is listed",
	"tree-id":                "the tree of the commit is listed",
	"commit-message":         "the message of the commit is listed",
	"commit-author":          "the author of the commit is listed",
	"repository-name":        "the name of the repository is listed",
	"repository-description": "the description of the repository is listed",
	"repository-topic":       "a topic of the repository is listed",
	"release-name":           "the title of the release is listed",
	"runner-name":            "the name of the runner is listed",

	"mirror-host":    "the address is not the public registry's: a mirror, as far as anyone can tell",
	"alias":          "installed under another name",
	"address":        "the entry's address names the listed package, its name another",
	"moved-tag":      "a tag that was moved for a time: what counts is when a run resolved it",
	"requires-unmet": "counts only together with others of its campaign, which were not met here",
	"installed":      "found unpacked: it was installed here",
	"vendored":       "vendored with the sources",

	"other-version":    "the name is listed, this version is not",
	"safe-version":     "this version is known to be good",
	"version-unread":   "no version that its ecosystem knows, so it equals none that is listed",
	"other-content":    "the path or size is listed with a digest that this content does not have",
	"other-commit":     "the repository is listed with another commit",
	"name-not-listed":  "the name is not listed",
	"range-not-latent": "the range admits no listed version",
	"locked-beside":    "a lockfile beside it decides the version",
	"pinned-commit":    "only tags were moved, and this is pinned by commit",

	"listed-not-built": "go.sum has it, which does not say that it is built",
	"git":              "from a git repository, not from the registry",
	"url":              "from an address that is no registry's",
	"file":             "a file or folder beside the project",
	"link":             "a link to a folder of the project",
	"workspace":        "a member of the project itself",
	"range":            "asked for by range, not locked",
	"manifest":         "asked for by a manifest, locked elsewhere",
	"replaced":         "a replace directive overrides it",
	"excluded":         "an exclude directive bars it",
	"retracted":        "its author withdrew it",
	"no-version":       "the entry names no version",
	"not-locked":       "asked for as this one version, and not locked",
}

// problemWords say what a problem code means.
var problemWords = map[string]string{
	"syntax":       "the file does not follow its format",
	"truncated":    "the file ends in the middle of an entry",
	"encoding":     "the file is not UTF-8, or holds a NUL byte",
	"repeated-key": "one key stands twice, and tools differ in which counts",
	"documents":    "a second document stands in the file, and tools differ in whether they read it",
	"reference":    "YAML anchors, aliases, tags or merge keys, which no lockfile needs",
	"unsupported":  "a format, or a version of one, that is not read",
	"header":       "the mark of its format is missing",
	"depth":        "nested too deep",
	"limit":        "larger, longer or deeper than a limit",
	"name":         "a name that the ecosystem cannot have",
	"version":      "a version that the ecosystem cannot have",
	"digest":       "a damaged digest: it could not be compared",
	"entry":        "an entry of a shape that the format does not have",
	"include":      "the file includes another one that was not read",

	"unreadable":   "the operating system refused to let it be read",
	"not-a-repo":   "looks like a git repository and cannot be opened as one",
	"sha256-repo":  "a git repository of object format SHA-256, which is not read",
	"reftable":     "a git repository that keeps its refs as reftable, which is not read",
	"missing":      "a git object is missing: a partial or shallow clone",
	"corrupt":      "a git object is damaged, or is not what its id says",
	"outside":      "leads out of the folders that were named, and is not followed",
	"no-head":      "HEAD names no commit: the repository is empty",
	"link":         "a symbolic link: not followed",
	"special-file": "a device, socket or pipe: not opened",
	"unknown-name": "a named file that no format has the name of: not read",
	"submodule":    "a repository of its own, swept where it is named",
	"bare-repo":    "a bare repository in a work tree: listed as files, not opened",

	"reader":        "the reader of this format broke off at the file, by a fault of its own",
	"canary":        "a planted package was not found: the reader of this format fell silent",
	"catalogue":     "a row of a list of indicators could not be used: it was not looked for",
	"inventory":     "what is remembered between runs could not be read or written",
	"stream":        "the stream of a sweep that is not whole",
	"missing-shard": "a share of the work whose stream is not there",
	"shards-differ": "streams that are not the parts of one run",
	"incident":      "an issue, its record or its notice was not written",
	"not-verified":  "a published version, or all of an artifact, could not be verified",
	"interrupted":   "the sweep was stopped before its end",
	"nothing":       "no repository was looked at",
	"fetch":         "a server did not give what it was asked for",
	"ref":           "a branch, tag or pull request whose commit could not be found out",
	"not-a-commit":  "a tag of something else than a commit: there are no files to sweep",
	"partial-view":  "the organisation has repositories that were not shown",
	"not-visible":   "no such repository, or one that the credentials do not show",
	"permission":    "the credentials lack a permission",
	"disabled":      "GitHub has blocked the repository",
	"locked":        "the repository is being moved, and cannot be read",
	"renamed":       "a repository that has another name than it was asked for by",
	"archived":      "a repository that is read-only: swept all the same",
	"fork":          "a fork: swept all the same",
	"not-selected":  "a repository that the selection leaves out",
	"fallback":      "read in the second-best way",
	"not-kept":      "the inventory lacks it, or has it as another version or catalogue read it",
}
