package triage

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
)

// Source is where a signal comes from.
type Source string

// The sources of signals.
const (
	FromSweep          Source = "ioc-sweep"       // a finding of a sweep, a push or a pull request
	FromWatch          Source = "watch"           // a registry: a version that we published
	FromGitHub         Source = "github"          // an event of GitHub that is none of the below
	FromDependabot     Source = "dependabot"      // an alert of Dependabot
	FromSecretScanning Source = "secret-scanning" // an alert of secret scanning
	FromAdvisory       Source = "advisory"        // an advisory, or a list that changed
	FromAlertmanager   Source = "alertmanager"
	FromFalco          Source = "falco"
	FromNative         Source = "native" // our own evaluation of audit logs
	FromManual         Source = "manual" // a person
)

// Sources lists all of them.
var Sources = []Source{
	FromSweep, FromWatch, FromGitHub, FromDependabot, FromSecretScanning, FromAdvisory, FromAlertmanager, FromFalco, FromNative, FromManual,
}

// Alerts that the tree knows by their id. A signal may have others: "K9", "FALCO:<rule>".
const (
	AlertIOC       = "IOC"       // a listed indicator was met
	AlertMalware   = "MALWARE"   // an advisory about malware, of a package that is locked
	AlertAdvisory  = "ADVISORY"  // an advisory about anything else
	AlertPublish   = "PUBLISH"   // a version of ours that no tag, run or provenance explains
	AlertVerify    = "VERIFY"    // a version of ours that was presented as ours, and is not
	AlertSecret    = "SECRET"    // a secret in a commit, log or leak
	AlertPublicity = "PUBLICITY" // a repository was made public, or created under a worm's name
	AlertMember    = "MEMBER"    // a person, key or App was given access
	AlertReport    = "REPORT"    // a person reports something
)

// Severity is how bad a source says that a signal is. The zero value is that it does not say.
type Severity uint8

// The severities, in rising order.
const (
	NoSeverity Severity = iota
	Low
	Medium
	High
	Critical
)

var severities = [...]string{"", "low", "medium", "high", "critical"}

// String is the severity's word, "" for NoSeverity.
func (s Severity) String() string { return severities[min(s, Critical)] }

// MarshalText gives the word of String.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the words of String.
func (s *Severity) UnmarshalText(text []byte) error {
	i := slices.Index(severities[:], string(text))
	if i < 0 {
		return fmt.Errorf("%.40q is no severity: low, medium, high, critical", text)
	}
	*s = Severity(i)
	return nil
}

// Kind is what a signal is about.
type Kind string

// The kinds of subjects, with the parts that tell one from another. Other parts describe it.
const (
	Package     Kind = "package"     // purl
	Repository  Kind = "repository"  // repository
	Workstation Kind = "workstation" // host
	Runner      Kind = "runner"      // runner, group
	Pod         Kind = "pod"         // cluster, namespace, workload
	Secret      Kind = "secret"      // repository, number, secret
	Identity    Kind = "identity"    // login
	Host        Kind = "host"        // host
)

// identifying are the parts of each kind that tell one subject from another.
var identifying = map[Kind][]string{
	Package: {"purl"}, Repository: {"repository"}, Workstation: {"host"}, Runner: {"runner", "group"}, Pod: {"cluster", "namespace", "workload"},
	Secret: {"repository", "number", "secret"}, Identity: {"login"}, Host: {"host"},
}

// Kinds lists all of them.
var Kinds = []Kind{Package, Repository, Workstation, Runner, Pod, Secret, Identity, Host}

// Subject is what a signal is about: a kind, and named parts of it. The text of parts is of
// others, attackers among them.
type Subject struct {
	Kind  Kind              `json:"kind,omitempty"`
	Parts map[string]string `json:"parts,omitempty"`
}

// Part is a part, "" where there is none.
func (s *Subject) Part(name string) string { return strings.TrimSpace(s.Parts[name]) }

// caseless are parts that GitHub and DNS compare without letter case.
var caseless = []string{"repository", "login", "host", "cluster", "namespace", "workload"}

// replica is what Kubernetes adds to the name of a workload for one pod of it.
var replica = regexp.MustCompile(`-[a-f0-9]{6,10}-[a-z0-9]{5}$`)

// Key is the subject in one spelling: equal for equal subjects, whatever describes them. It is
// "" for a subject without a kind, which is equal to none.
func (s *Subject) Key() string {
	if s.Kind == "" {
		return ""
	}
	names := slices.DeleteFunc(slices.Clone(identifying[s.Kind]), func(name string) bool { return s.normal(name) == "" })
	switch {
	case len(names) == 0: // all that there is tells it
		names = slices.Sorted(maps.Keys(s.Parts))
	case s.Part("pull_request") != "": // what somebody proposes is not what is there
		names = append(slices.DeleteFunc(names, func(name string) bool { return name == "repository" }), "repository", "pull_request")
	}
	var b strings.Builder
	b.WriteString(string(s.Kind))
	for _, name := range names {
		fmt.Fprintf(&b, "\n%q=%q", name, s.normal(name))
	}
	return b.String()
}

// Identity are the parts, as they are, that tell a subject from another of its kind: all, where there are
// none of these.
func (s *Subject) Identity() map[string]string {
	out := map[string]string{}
	for _, name := range identifying[s.Kind] {
		if s.Part(name) != "" {
			out[name] = s.Part(name)
		}
	}
	if len(out) == 0 {
		return maps.Clone(s.Parts)
	}
	return out
}

func (s *Subject) normal(name string) string {
	text := s.Part(name)
	switch {
	case name == "workload" && text == "":
		text = replica.ReplaceAllString(s.Part("pod"), "")
	case name == "purl":
		if e, pkg, version, err := ecosystem.ParsePURL(text); err == nil {
			return string(e) + ":" + pkg + "@" + version
		}
	}
	if slices.Contains(caseless, name) {
		text = strings.ToLower(text)
	}
	return text
}

// Evidence is one thing that a signal shows. A secret's value is never one.
type Evidence struct {
	Label    string `json:"label"`
	Value    string `json:"value,omitempty"`
	SHA256   string `json:"sha256,omitempty"`   // hex, of the raw body that it is from
	Redacted bool   `json:"redacted,omitempty"` // something was left out of Value
}

// Link leads to a query, dashboard, commit or page.
type Link struct {
	Label string `json:"label"`
	URL   string `json:"url"`
}

// Signal is something that somebody or something noticed. Whatever detected it, a signal is a
// signal.
type Signal struct {
	ID          string     `json:"id,omitempty"` // of this signal: fingerprint and episode
	Source      Source     `json:"source"`
	SourceRef   string     `json:"source_ref,omitempty"` // what the source knows it by: a delivery, a finding
	AlertID     string     `json:"alert_id"`
	Severity    Severity   `json:"severity,omitzero"`
	Subject     Subject    `json:"subject"`
	Evidence    []Evidence `json:"evidence,omitempty"`
	Links       []Link     `json:"links,omitempty"`
	Group       string     `json:"group,omitempty"` // the source's own key for what belongs together
	Fingerprint string     `json:"fingerprint,omitempty"`
	Episode     string     `json:"episode,omitempty"`
	FirstSeen   time.Time  `json:"first_seen,omitzero"`
	LastSeen    time.Time  `json:"last_seen,omitzero"`
	Count       int        `json:"count,omitempty"`
}

// Identified gives the signal with its Fingerprint, Episode and ID, for an episode that started
// when it was first seen. Times are in UTC, and a signal that was never counted counts once.
func (s Signal) Identified() Signal {
	s.FirstSeen, s.LastSeen = s.FirstSeen.UTC(), s.LastSeen.UTC()
	if s.LastSeen.Before(s.FirstSeen) {
		s.LastSeen = s.FirstSeen
	}
	s.Count = max(s.Count, 1)
	s.Fingerprint = Fingerprint(&s)
	s.Episode = Episode(s.Fingerprint, s.FirstSeen)
	s.ID = s.Episode[:16]
	return s
}

// Fingerprint is the hash of source, alert and subject: two deliveries of one thing have one.
func Fingerprint(s *Signal) string {
	return hash(string(s.Source), s.AlertID, s.Subject.Key())
}

// Episode is one time that something with the fingerprint went on, by when that started. The same
// fingerprint with a later start is a new episode.
func Episode(fingerprint string, started time.Time) string {
	return hash(fingerprint, started.UTC().Format(time.RFC3339Nano))
}

func hash(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// maxEvidence bounds what a signal that comes again and again collects.
const maxEvidence = 200

// Again is a signal and another of the same fingerprint, as one: seen from the first to the
// last, with the worse severity and the evidence of both, each piece once. Its subject is of the
// commit that was seen last, where one was.
func Again(old, now Signal) Signal {
	out := old
	out.Count = max(old.Count, 1) + max(now.Count, 1)
	out.Severity = max(old.Severity, now.Severity)
	if out.FirstSeen.IsZero() || !now.FirstSeen.IsZero() && now.FirstSeen.Before(out.FirstSeen) {
		out.FirstSeen = now.FirstSeen
	}
	if !now.LastSeen.Before(out.LastSeen) {
		out.LastSeen, out.SourceRef = now.LastSeen, cmp.Or(now.SourceRef, out.SourceRef)
		if now.Subject.Part("commit") != "" {
			out.Subject = now.Subject
		}
	}
	out.Evidence, out.Links = union(old.Evidence, now.Evidence), union(old.Links, now.Links)
	return out
}

func union[T comparable](a, b []T) []T {
	out := slices.Clone(a)
	for _, v := range b {
		if len(out) < maxEvidence && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}
