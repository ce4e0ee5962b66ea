package ioc

import (
	"net/netip"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/version"
)

// commonFields may be set on an indicator of any type.
var commonFields = []string{"ID", "Type", "Confidence", "Requires", "Window", "Status", "Withdrawal", "Sources", "Note", "Action"}

// fieldsOf are the further fields of each type.
var fieldsOf = map[Type][]string{
	TypePackage:       {"Ecosystem", "Name", "Versions", "Ranges", "AllVersions", "Namespace", "SafeVersion", "Integrity", "OSV"},
	TypeDependencyRef: {"GitURL", "Commit"},
	TypeNPMScript:     {"Hook", "Literal", "Regex"},
	TypeFile:          {"Name", "Path", "Size", "SizeMin", "SizeMax", "SHA256", "SHA1", "MD5", "GitBlob", "Generated"},
	TypeContent:       {"Literal", "Regex", "PathGlobs"},
	TypeGit:           {"Kind", "Value"},
	TypeWorkflow:      {"Path", "Name", "Literal", "Regex"},
	TypeGitHub:        {"Kind", "Value"},
	TypeNetwork:       {"Kind", "Value", "BenignHost"},
	TypeHost:          {"Kind", "Value"},
	TypeAccount:       {"Kind", "Value", "Role"},
}

// foreign names the fields that are set and do not belong to the type.
func (l *linter) foreign(ind Indicator) {
	v := reflect.ValueOf(ind)
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		if !v.Field(i).IsZero() && !slices.Contains(commonFields, name) && !slices.Contains(fieldsOf[ind.Type], name) {
			tag, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			l.say(ForeignField, "%s does not belong to type %s", tag, ind.Type)
		}
	}
}

func (l *linter) byType(ind Indicator) {
	switch ind.Type {
	case TypePackage:
		l.packageIndicator(ind)
	case TypeDependencyRef:
		if GitRepository(ind.GitURL) != strings.ToLower(ind.GitURL) || !strings.Contains(ind.GitURL, "/") {
			l.say(BadValue, "git_url %.200q is not host and path", ind.GitURL)
		}
		l.sayError("commit", CheckCommit(ind.Commit))
	case TypeFile:
		l.file(ind)
	case TypeWorkflow:
		if ind.Path == "" && ind.Name == "" && ind.Literal == "" && ind.Regex == "" {
			l.say(MissingField, "a workflow has a path, a name, a literal or a regex")
		}
		l.glob("path", ind.Path)
		l.text(ind)
	case TypeContent, TypeNPMScript:
		if (ind.Literal == "") == (ind.Regex == "") {
			l.say(MissingField, "either a literal or a regex")
		}
		if ind.Type == TypeNPMScript && ind.Hook == "" {
			l.say(MissingField, "no hook")
		}
		for _, g := range ind.PathGlobs {
			l.glob("path_globs", g)
		}
		l.text(ind)
	default:
		l.kind(ind)
	}
}

func (l *linter) packageIndicator(ind Indicator) {
	e := ind.Ecosystem
	if known, err := ParseEcosystem(string(e)); err != nil || known != e {
		l.say(NoEcosystem, "ecosystem %.50q", e)
		return
	}
	switch {
	case ind.Namespace && (e != ecosystem.NPM || !ind.AllVersions || CheckPackage(e, ind.Name+"/x") != nil || strings.Contains(ind.Name, "/")):
		l.say(BadName, "a namespace is an npm scope %q with all_versions, not %.100q", "@scope", ind.Name)
	case ind.Name == "" && len(ind.Integrity) > 0 && len(ind.Versions)+len(ind.Ranges) == 0 && !ind.AllVersions:
		// a digest holds under any name
	case !ind.Namespace:
		l.sayError("name", CheckPackage(e, ind.Name))
	}
	if canonical := e.CanonicalName(ind.Name); canonical != ind.Name {
		l.say(BadName, "name %.100q is not in its canonical spelling %.100q", ind.Name, canonical)
	}
	if len(ind.Versions) == 0 && len(ind.Ranges) == 0 && !ind.AllVersions && len(ind.Integrity) == 0 {
		l.say(MissingField, "it names no version, range or digest, and does not say all_versions")
	}
	if ind.AllVersions && (len(ind.Versions) > 0 || len(ind.Ranges) > 0) {
		l.say(ForeignField, "all_versions beside versions or ranges")
	}
	l.versions("versions", e, ind.Versions)
	l.versions("safe_versions", e, ind.SafeVersion)
	for _, v := range ind.SafeVersion {
		if slices.Contains(ind.Versions, v) {
			l.say(BadVersion, "%.100q is listed as bad and as safe", v)
		}
	}
	for _, r := range ind.Ranges {
		l.versionRange(e, r)
	}
	for _, text := range ind.Integrity {
		d, ok := ParseIntegrity(text)
		if !ok {
			l.say(BadDigest, "integrity %.200q", text)
			continue
		}
		_, hex, _ := strings.Cut(d.String(), ":")
		l.sayError("integrity", CheckDigest(d.Algorithm, hex))
	}
	for _, id := range ind.OSV {
		if !osvID.MatchString(id) {
			l.say(BadValue, "osv id %.100q", id)
		}
	}
}

var osvID = regexp.MustCompile(`^[A-Za-z_]+-[A-Za-z0-9_:.-]+$`)

// versions checks each version, and that they stand in version order without repeats.
func (l *linter) versions(field string, e ecosystem.Ecosystem, versions []string) {
	sound := true
	for _, v := range versions {
		if err := CheckVersion(e, v); err != nil {
			l.sayError(field, err)
			sound = false
		}
	}
	if sound && !slices.IsSortedFunc(versions, func(a, b string) int { return CompareVersions(e, a, b) }) {
		l.say(Unsorted, "%s: not in version order", field)
	}
	if len(slices.Compact(slices.Clone(versions))) != len(versions) {
		l.say(Duplicate, "%s: a version stands twice", field)
	}
}

// CompareVersions orders two versions of e: by the ecosystem's order where it has one, then
// by their text, so that only equal texts are equal.
func CompareVersions(e ecosystem.Ecosystem, a, b string) int {
	if e == ecosystem.NPM || e == ecosystem.PyPI || e == ecosystem.Go {
		if c, err := version.Compare(e, a, b); err == nil && c != 0 {
			return c
		}
	}
	return strings.Compare(a, b)
}

// versionRange checks the shape of a range: OSV's rules for events, in the spelling of packs.
func (l *linter) versionRange(e ecosystem.Ecosystem, r Range) {
	if r.Type != "SEMVER" && r.Type != "ECOSYSTEM" {
		l.say(BadRange, "type %.50q", r.Type)
	}
	introduced, open := false, false
	for _, event := range r.Events {
		set := 0
		for _, v := range []string{event.Introduced, event.Fixed, event.LastAffected, event.Limit} {
			if v == "" {
				continue
			}
			set++
			if v != "0" {
				l.sayError("range", CheckVersion(e, v))
			}
		}
		if set != 1 {
			l.say(BadRange, "an event with %d versions", set)
		}
		if event.Introduced != "" {
			introduced, open = true, true
		} else {
			open = false
		}
	}
	if !introduced {
		l.say(BadRange, "nothing is introduced")
	}
	if r.Unbounded && !open {
		l.say(BadRange, "unbounded_not_asserted on a range that ends")
	}
}

func (l *linter) file(ind Indicator) {
	digests := ind.SHA256 + ind.SHA1 + ind.MD5 + ind.GitBlob
	if ind.Path == "" && ind.Name == "" && digests == "" && ind.Size == 0 {
		l.say(MissingField, "a file has a path, a name, a size or a digest")
	}
	if strings.ContainsAny(ind.Name, "/*?") {
		l.say(BadValue, "name %.200q is not a base name", ind.Name)
	}
	if ind.Size < 0 || ind.SizeMin < 0 || ind.SizeMax < 0 || ind.SizeMax != 0 && ind.SizeMax < ind.SizeMin {
		l.say(BadValue, "size bounds %d, %d, %d", ind.Size, ind.SizeMin, ind.SizeMax)
	}
	l.glob("path", ind.Path)
	for _, d := range []struct {
		algorithm digest.Algorithm
		name, hex string
	}{
		{digest.SHA256, "sha256", ind.SHA256},
		{digest.SHA1, "sha1", ind.SHA1},
		{digest.MD5, "md5", ind.MD5},
		{digest.SHA1, "git_blob_sha1", ind.GitBlob},
	} {
		if d.hex != "" {
			l.sayError(d.name, CheckDigest(d.algorithm, d.hex))
		}
	}
}

func (l *linter) glob(field, glob string) {
	if strings.HasPrefix(glob, "/") || strings.HasPrefix(glob, "~") || strings.Contains(glob, "\\") ||
		strings.HasSuffix(glob, "/") || strings.ContainsAny(glob, "[]{}$%") || strings.Count(glob, "**") > 2 {
		l.say(BadValue, "%s %.200q is not a glob over paths in a repository", field, glob)
	}
}

func (l *linter) text(ind Indicator) {
	if ind.Literal != "" && len(ind.Literal) < minLiteral {
		l.say(CommonName, "literal %.20q is under %d bytes", ind.Literal, minLiteral)
	}
	if _, err := regexp.Compile(ind.Regex); err != nil {
		l.say(BadValue, "regex %.200q: %v", ind.Regex, err)
	}
}

// minLiteral is the length in bytes of the shortest literal that is not met by chance.
const minLiteral = 6

// kind checks the types that hold a kind and a value.
func (l *linter) kind(ind Indicator) {
	if !slices.Contains(Kinds[ind.Type], ind.Kind) {
		l.say(UnknownValue, "kind %.50q of type %s", ind.Kind, ind.Type)
		return
	}
	if ind.Value == "" {
		l.say(MissingField, "no value")
		return
	}
	switch ind.Kind {
	case "commit_sha", "tree_sha":
		l.sayError("value", CheckCommit(ind.Value))
	case "repo_name_regex":
		if _, err := regexp.Compile(ind.Value); err != nil {
			l.say(BadValue, "regex %.200q: %v", ind.Value, err)
		}
	case "domain", "url", "ip":
		l.sayError("value", CheckNetwork(ind.Kind, ind.Value))
	}
	if ind.Type == TypeAccount {
		oneOf(l, "role", ind.Role, "", "attacker", "victim")
	}
}

// domain is a host name of at least two labels.
var domain = regexp.MustCompile(`^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$`)

// CheckNetwork returns an error when value is no domain, url or ip; Defanged when it is
// written so that nobody follows it by accident ("example[.]com", "hxxp://"): packs hold
// what is compared, and show it defanged.
func CheckNetwork(kind, value string) error {
	if strings.Contains(value, "[.]") || strings.HasPrefix(value, "hxxp") {
		return &ValueError{Defanged, value, ""}
	}
	ok := false
	switch kind {
	case "domain":
		ok = domain.MatchString(value)
	case "ip":
		_, addressErr := netip.ParseAddr(value)
		_, prefixErr := netip.ParsePrefix(value)
		ok = addressErr == nil || prefixErr == nil
	case "url":
		if !strings.Contains(value, "://") {
			value = "http://" + value // lists leave the scheme out where they do not know it
		}
		u, err := url.Parse(value)
		ok = err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != ""
	}
	if !ok {
		return &ValueError{BadValue, value, "not a " + kind}
	}
	return nil
}
