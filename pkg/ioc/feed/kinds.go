package feed

import (
	"strings"

	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// kind says which indicator a labelled value of a mixed list is.
type kind struct {
	typ    ioc.Type
	kind   string           // Indicator.Kind, or the field of a type that has several
	digest digest.Algorithm // of type file, where the value is a digest
	blob   bool             // the digest is a git blob id
}

// kinds are the labels of mixed lists: Datadog's, Microsoft Defender's, dragnet's, gunta's and
// those of non-package-indicators.tsv, in lower case with "_" for spaces and hyphens.
var kinds = map[string]kind{
	"domain": {typ: ioc.TypeNetwork, kind: "domain"}, "domainname": {typ: ioc.TypeNetwork, kind: "domain"},
	"ip": {typ: ioc.TypeNetwork, kind: "ip"}, "ipv4": {typ: ioc.TypeNetwork, kind: "ip"}, "ipv6": {typ: ioc.TypeNetwork, kind: "ip"},
	"ipaddress": {typ: ioc.TypeNetwork, kind: "ip"}, "url": {typ: ioc.TypeNetwork, kind: "url"},
	"user_agent": {typ: ioc.TypeNetwork, kind: "user_agent"}, "wallet": {typ: ioc.TypeNetwork, kind: "wallet"},

	"sha256": {typ: ioc.TypeFile, digest: digest.SHA256}, "filesha256": {typ: ioc.TypeFile, digest: digest.SHA256},
	"sha1": {typ: ioc.TypeFile, digest: digest.SHA1}, "filesha1": {typ: ioc.TypeFile, digest: digest.SHA1},
	"md5": {typ: ioc.TypeFile, digest: digest.MD5}, "filemd5": {typ: ioc.TypeFile, digest: digest.MD5},
	"git_blob_sha1": {typ: ioc.TypeFile, digest: digest.SHA1, blob: true},
	"file_name":     {typ: ioc.TypeFile}, "npm_file": {typ: ioc.TypeFile}, "file_glob": {typ: ioc.TypeFile},
	"file_path": {typ: ioc.TypeFile}, "filepath": {typ: ioc.TypeFile}, "glob": {typ: ioc.TypeFile},

	"content_string": {typ: ioc.TypeContent, kind: "literal"}, "string": {typ: ioc.TypeContent, kind: "literal"},
	"crypto_salt":   {typ: ioc.TypeContent, kind: "literal"},
	"content_regex": {typ: ioc.TypeContent, kind: "regex"}, "regex": {typ: ioc.TypeContent, kind: "regex"},
	"npm_script":    {typ: ioc.TypeNPMScript},
	"workflow_file": {typ: ioc.TypeWorkflow, kind: "path"}, "workflow_name": {typ: ioc.TypeWorkflow, kind: "name"},

	"branch": {typ: ioc.TypeGit, kind: "branch_glob"}, "branch_glob": {typ: ioc.TypeGit, kind: "branch_glob"},
	"git_branch": {typ: ioc.TypeGit, kind: "branch_glob"}, "git_commit_sha": {typ: ioc.TypeGit, kind: "commit_sha"},
	"git_commit_sha_prefix": {typ: ioc.TypeGit, kind: "commit_sha"}, "git_tree_sha1": {typ: ioc.TypeGit, kind: "tree_sha"},
	"commit_message": {typ: ioc.TypeGit, kind: "message_glob"}, "commit_message_glob": {typ: ioc.TypeGit, kind: "message_glob"},
	"commit_author": {typ: ioc.TypeGit, kind: "author"}, "author_email": {typ: ioc.TypeGit, kind: "author"},

	"repo_name": {typ: ioc.TypeGitHub, kind: "repo_name_glob"}, "repo_name_glob": {typ: ioc.TypeGitHub, kind: "repo_name_glob"},
	"repo_name_regex":  {typ: ioc.TypeGitHub, kind: "repo_name_regex"},
	"repo_description": {typ: ioc.TypeGitHub, kind: "repo_description"}, "runner_name": {typ: ioc.TypeGitHub, kind: "runner_name"},

	"registry_key": {typ: ioc.TypeHost, kind: "registry_key"}, "registry": {typ: ioc.TypeHost, kind: "registry_key"},
	"process_name": {typ: ioc.TypeHost, kind: "process"}, "service_unit": {typ: ioc.TypeHost, kind: "service_unit"},
	"host_path": {typ: ioc.TypeHost, kind: "path"}, "env_var": {typ: ioc.TypeHost, kind: "env_var"},

	"npm_account": {typ: ioc.TypeAccount, kind: "npm"}, "pypi_account": {typ: ioc.TypeAccount, kind: "pypi"},
	"github_account": {typ: ioc.TypeAccount, kind: "github"}, "account_email": {typ: ioc.TypeAccount, kind: "email"},
	"npm_account_email_glob": {typ: ioc.TypeAccount, kind: "email_glob"},

	"dependency_ref": {typ: ioc.TypeDependencyRef}, "action_ref": {typ: ioc.TypePackage},
	"package_name": {typ: ioc.TypePackage}, "npm_integrity": {typ: ioc.TypePackage}, "npm_shasum": {typ: ioc.TypePackage},
}

// label is the key of kinds for a label as a list writes it.
func label(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return '_'
		}
		return r
	}, s)
}

// value adds the indicator of a labelled value to what base says of confidence and status; e
// gives campaign and vendors.
func (r *reader) value(base ioc.Indicator, line int, name, value string, e Entry) {
	name = label(name)
	value = strings.TrimSpace(value)
	if pkg, ok := strings.CutSuffix(name, "_package"); ok {
		r.packageValue(base, line, pkg, value, e)
		return
	}
	k, ok := kinds[name]
	if !ok {
		r.fail(line, UnknownKind, "%.*q: %.*q", maxShown, name, maxShown, value)
		return
	}
	if value == "" {
		r.fail(line, ioc.BadValue, "%s without a value", name)
		return
	}
	base.Type = k.typ
	ind, err := r.build(base, k, name, line, value)
	if err != nil {
		r.failed(line, err)
		return
	}
	if ind.Confidence == "" {
		ind.Confidence = ioc.Probable
	}
	if rule, _ := ioc.CommonAlone(ind); rule != "" && ind.Confidence != ioc.Weak {
		r.repair(line, rule, value, "weak: "+value)
		ind.Confidence = ioc.Weak
	}
	e.Indicator, e.Line = ind, line
	r.add(e)
}

// packageValue reads "name@version" under a label such as "npm package".
func (r *reader) packageValue(base ioc.Indicator, line int, ecosystemName, value string, e Entry) {
	eco, err := ioc.ParseEcosystem(ecosystemName)
	if err != nil {
		r.failed(line, err)
		return
	}
	name, version := value, ""
	if i := strings.LastIndexByte(value, '@'); i > 0 {
		name, version = value[:i], value[i+1:]
	}
	r.packageRow(row{
		line: line, ecosystem: eco, name: name, versions: splitVersions(version),
		confidence: base.Confidence, campaign: e.Campaign, vendors: e.Vendors,
	})
}

// build makes the indicator of a value of kind k.
func (r *reader) build(ind ioc.Indicator, k kind, name string, line int, value string) (ioc.Indicator, error) {
	switch k.typ {
	case ioc.TypeFile:
		return fileValue(ind, k, value)
	case ioc.TypeContent:
		if k.kind == "regex" {
			return r.regexValue(ind, line, value)
		}
		ind.Literal = value
	case ioc.TypeWorkflow:
		ind.Path = value
		if k.kind == "name" {
			ind.Path, ind.Name = "", value
		}
	case ioc.TypeNPMScript:
		hook, command, ok := strings.Cut(value, ":")
		if !ok || strings.ContainsAny(hook, " \t") {
			return ind, &ioc.ValueError{Rule: ioc.BadValue, Value: value, Why: "not HOOK: COMMAND"}
		}
		ind.Hook, ind.Literal = hook, strings.TrimSpace(command)
	case ioc.TypeDependencyRef:
		return refValue(ind, value)
	case ioc.TypePackage:
		return packageKind(ind, name, value)
	case ioc.TypeNetwork:
		return r.networkValue(ind, k, line, value)
	default:
		ind.Kind, ind.Value = k.kind, value
		if k.kind == "commit_sha" || k.kind == "tree_sha" {
			return ind, ioc.CheckCommit(value)
		}
	}
	return ind, nil
}

// networkValue undoes the defanging of an address, and checks it.
func (r *reader) networkValue(ind ioc.Indicator, k kind, line int, value string) (ioc.Indicator, error) {
	if plain := refang(value); plain != value {
		r.repair(line, ioc.Defanged, value, plain)
		value = plain
	}
	ind.Kind, ind.Value = k.kind, value
	switch k.kind {
	case "domain":
		ind.Value = strings.ToLower(value)
		fallthrough
	case "ip", "url":
		if err := ioc.CheckNetwork(k.kind, ind.Value); err != nil {
			return ind, err
		}
	}
	return ind, nil
}

// refang undoes the ways in which lists keep addresses from being followed.
func refang(s string) string {
	s = strings.NewReplacer("[.]", ".", "(.)", ".", "[:]", ":", "[://]", "://").Replace(s)
	if rest, ok := strings.CutPrefix(s, "hxxp"); ok {
		s = "http" + rest
	}
	return s
}

// packageKind reads the labels that are about a package and not "name@version".
func packageKind(ind ioc.Indicator, name, value string) (ioc.Indicator, error) {
	ind.Ecosystem = ecosystem.NPM
	switch name {
	case "npm_integrity", "npm_shasum":
		if name == "npm_shasum" {
			value = "sha1:" + value
		}
		d, ok := ioc.ParseIntegrity(value)
		if !ok {
			return ind, &ioc.ValueError{Rule: ioc.BadDigest, Value: value}
		}
		ind.Integrity = []string{value}
		return ind, ioc.CheckDigest(d.Algorithm, hexOf(d))
	case "action_ref":
		action, ref, _ := strings.Cut(value, "@")
		ind.Ecosystem = ecosystem.Actions
		ind.Name, ind.Versions = ecosystem.Actions.CanonicalName(action), []string{ref}
		if err := ioc.CheckPackage(ind.Ecosystem, ind.Name); err != nil {
			return ind, err
		}
		return ind, ioc.CheckVersion(ind.Ecosystem, ref)
	}
	ind.Name, ind.AllVersions = value, true
	return ind, ioc.CheckPackage(ind.Ecosystem, value)
}
