package exclusion

import (
	"regexp"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/wormsweep/wormsweep/internal/strictyaml"
)

// Error is a fault of the file. Line is 0 where it is about no line.
type Error = strictyaml.Error

// maxErrors is how many faults one Load tells.
const maxErrors = 20

// Load reads a file. name is what errors and Set.Expired call it; now decides what has
// ended. The error joins one *Error for each fault, in the order of the file; no part of a
// file with a fault is used.
func Load(name string, data []byte, now time.Time) (*Set, error) {
	file, root := strictyaml.Open(name, data, MaxBytes)
	l := loader{
		File:  file,
		name:  name,
		set:   &Set{index: map[string][]int{}},
		today: now.UTC().Truncate(24 * time.Hour),
	}
	if root != nil {
		l.file(root)
	}
	if err := l.Err(maxErrors); err != nil {
		return nil, err
	}
	return l.set, nil
}

type loader struct {
	*strictyaml.File
	name  string
	set   *Set
	today time.Time // 00:00 UTC
}

func (l *loader) file(root *yaml.Node) {
	keys := l.Mapping(root, "the file", "schema", "exclusions")
	if keys == nil {
		return
	}
	if n := keys["schema"]; n == nil {
		l.Fault(root.Line, "no schema: write \"schema: %s\"", Schema)
	} else if v, ok := l.Text(n, "schema"); ok && v != Schema {
		l.Fault(n.Line, "schema %q is not %q, which this version reads", v, Schema)
	}
	list := keys["exclusions"]
	switch {
	case list == nil:
		l.Fault(root.Line, "no exclusions: an empty list is \"exclusions: []\"")
	case !l.Plain(list, "exclusions"):
	case list.Kind != yaml.SequenceNode:
		l.Fault(list.Line, "exclusions is not a list")
	default:
		for _, n := range list.Content {
			l.entry(n)
		}
	}
}

// entry reads one exclusion and adds it to the set, if it has no fault.
func (l *loader) entry(n *yaml.Node) {
	before := l.Faults()
	keys := l.Mapping(n, "an exclusion", "owner", "reason", "expires", "problem", "finding")
	if keys == nil {
		return
	}
	e := entry{file: l.name, line: n.Line}
	e.shown.Owner = l.filled(n, keys, "owner", "who answers for it?")
	e.shown.Reason = l.filled(n, keys, "reason", "why need nobody look there?")
	e.shown.Expires = l.filled(n, keys, "expires", "the last day on which it applies, as 2006-01-02")
	if e.shown.Expires != "" {
		e.expires = l.day(keys["expires"], e.shown.Expires)
	}
	switch p, f := keys["problem"], keys["finding"]; {
	case (p == nil) == (f == nil):
		l.Fault(n.Line, "covers either one problem or one finding: write one of the keys \"problem\" and \"finding\"")
	case p != nil:
		e.target = l.problem(p)
	default:
		e.target = l.finding(f)
	}
	if l.Faults() > before {
		return
	}
	s := l.set
	i := len(s.entries)
	s.entries = append(s.entries, e)
	if e.expires.Before(l.today) {
		s.expired = append(s.expired, i)
		return
	}
	s.index[e.target.key()] = append(s.index[e.target.key()], i)
}

// filled is the text of a key that no exclusion goes without, "" after a fault.
func (l *loader) filled(n *yaml.Node, keys map[string]*yaml.Node, key, hint string) string {
	v := keys[key]
	if v == nil {
		l.Fault(n.Line, "an exclusion without %s (%s)", key, hint)
		return ""
	}
	text, ok := l.Text(v, key)
	text = strings.TrimSpace(text)
	if ok && text == "" {
		l.Fault(v.Line, "%s is empty (%s)", key, hint)
	}
	return text
}

// day reads the last day of an exclusion.
func (l *loader) day(n *yaml.Node, s string) time.Time {
	d, err := time.Parse(time.DateOnly, s)
	switch {
	case err != nil:
		l.Fault(n.Line, "expires %q is not a date of the form 2006-01-02", s)
	case d.After(l.today.AddDate(0, 0, MaxDays)):
		l.Fault(n.Line, "expires %s is more than %d days ahead: look again within a year", s, MaxDays)
	}
	return d
}

// What single values look like.
var (
	blobForm        = regexp.MustCompile(`^[0-9a-f]{40}$`)
	fingerprintForm = regexp.MustCompile(`^[0-9a-f]{32}$`)
	codeForm        = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)
)

// problem reads the target of an exclusion of problems.
func (l *loader) problem(n *yaml.Node) target {
	t := target{kind: problems}
	keys := l.Mapping(n, "problem", "repository", "path", "glob", "blob", "code")
	if keys == nil {
		return t
	}
	l.place(&t, n, keys)
	if t.code = l.value(keys, "code"); t.code != "" && !codeForm.MatchString(t.code) {
		l.Fault(keys["code"].Line, "code %q is not a code of docs/problems.md", t.code)
	}
	if t.path == "" && t.glob == "" && t.blob == "" && t.code == "" {
		l.Fault(n.Line, "a problem of a repository itself is named by its code")
	}
	return t
}

// finding reads the target of an exclusion of findings.
func (l *loader) finding(n *yaml.Node) target {
	t := target{kind: findings}
	keys := l.Mapping(n, "finding", "fingerprint", "campaign", "repository", "path", "glob", "blob")
	if keys == nil {
		return t
	}
	if t.fingerprint = l.value(keys, "fingerprint"); t.fingerprint != "" {
		if !fingerprintForm.MatchString(t.fingerprint) {
			l.Fault(keys["fingerprint"].Line, "fingerprint %q is not 32 hex digits in lower case", t.fingerprint)
		}
		if len(keys) > 1 {
			l.Fault(n.Line, "a fingerprint names one finding: no other key stands beside it")
		}
		return t
	}
	if t.campaign = l.value(keys, "campaign"); t.campaign == "" {
		l.Fault(n.Line, "a finding is named by its fingerprint, or by its campaign and place")
	}
	l.place(&t, n, keys)
	if t.path == "" && t.glob == "" && t.blob == "" {
		l.Fault(n.Line, "a finding of a campaign is named by path, glob or blob")
	}
	return t
}

// place reads repository, path, glob and blob. What a target asks for must be narrow
// enough to be meant.
func (l *loader) place(t *target, n *yaml.Node, keys map[string]*yaml.Node) {
	t.repository = l.value(keys, "repository")
	t.path = l.value(keys, "path")
	t.glob = l.value(keys, "glob")
	t.blob = l.value(keys, "blob")
	if t.blob != "" && !blobForm.MatchString(t.blob) {
		l.Fault(keys["blob"].Line, "blob %q is not a git blob id of 40 hex digits in lower case", t.blob)
	}
	if t.path != "" && t.glob != "" {
		l.Fault(n.Line, "path is compared whole and glob is a pattern: write one of them")
	}
	for _, p := range []struct{ key, value string }{{"path", t.path}, {"glob", t.glob}} {
		if p.value != "" && !cleanPath(p.value) {
			l.Fault(keys[p.key].Line, "%s %q is not relative to the repository: no leading \"/\" or \"./\", no \"..\", no \"/\" at the end", p.key, p.value)
		}
	}
	if t.glob != "" && strings.Trim(t.glob, "*?/.") == "" {
		l.Fault(keys["glob"].Line, "glob %q covers everything", t.glob)
	}
	if t.repository == "" && t.blob == "" {
		l.Fault(n.Line, "no repository: only a blob is the same everywhere")
	}
}

// cleanPath reports whether p is written as a sweep writes the paths of files.
func cleanPath(p string) bool {
	for s := range strings.SplitSeq(p, "/") {
		if s == "" || s == "." || s == ".." {
			return false
		}
	}
	return true
}

// value is the text of a key that may be missing; one that is there and empty is a fault.
func (l *loader) value(keys map[string]*yaml.Node, key string) string {
	n := keys[key]
	if n == nil {
		return ""
	}
	v, ok := l.Text(n, key)
	if ok && v == "" {
		l.Fault(n.Line, "%s is empty: fill it in or leave it out", key)
	}
	return v
}
