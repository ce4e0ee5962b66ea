package ioc

import (
	"time"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
)

// Schema is the version of the pack format that this package reads and writes.
const Schema = "ioc-pack/1"

// Pack is one campaign: what it was, when, and every indicator of it. It is the form in
// which the catalogue is kept (iocs/ID.json) and exchanged; docs/schemas/ioc-pack.json is
// its JSON Schema. A pack holds facts only: a package, a version, a digest, a path, a
// date, a reference, never the text of an advisory.
type Pack struct {
	Schema      string      `json:"schema"`
	ID          string      `json:"id"` // stable slug: "shai-hulud-keyv-2026-08"
	Aliases     []string    `json:"aliases,omitempty"`
	Title       string      `json:"title"`
	Actors      []string    `json:"actors,omitempty"`
	Description string      `json:"description,omitempty"` // our own words
	FirstSeen   string      `json:"first_seen,omitempty"`  // RFC 3339; a date or a month where no more is known
	LastSeen    string      `json:"last_seen,omitempty"`
	Status      PackStatus  `json:"status"`
	Severity    Severity    `json:"severity"`
	References  []Reference `json:"references,omitempty"`
	Related     []string    `json:"related,omitempty"` // ids of packs
	Revision    int         `json:"revision"`          // grows by one with each change
	Modified    time.Time   `json:"modified"`
	Sources     []Source    `json:"sources,omitempty"` // the inputs that indicators name by id
	Indicators  []Indicator `json:"indicators"`
	Repairs     []Repair    `json:"repairs,omitempty"` // how the inputs differ from the indicators
}

// PackStatus is what became of a campaign.
type PackStatus string

// The statuses. Test is the status of the harmless campaign of our own that users plant to
// see whether their set-up works, as EICAR is for virus scanners.
const (
	PackActive     PackStatus = "active"
	PackContained  PackStatus = "contained"
	PackHistorical PackStatus = "historical"
	PackWithdrawn  PackStatus = "withdrawn"
	PackTest       PackStatus = "test"
)

// Severity is how bad an indicator of the campaign is where it is met.
type Severity string

// The severities, as in SARIF consumers: each maps to one security-severity number.
const (
	Critical Severity = "critical"
	High     Severity = "high"
	Medium   Severity = "medium"
	Low      Severity = "low"
)

// Reference is a public document about the campaign.
type Reference struct {
	Type string `json:"type"` // advisory, report, article, fix, web: as in OSV, lower case
	URL  string `json:"url"`
}

// Source is an input that named indicators. Its attribution and digest stand in
// iocs/SOURCES.tsv under the same id.
type Source struct {
	ID string `json:"id"` // "cobenian"
}

// Repair records where a pack says something else than one of its inputs, and why.
type Repair struct {
	Source string `json:"source"`         // id of the input
	Line   int    `json:"line,omitempty"` // line or record of it, 0 when the whole input is meant
	Rule   string `json:"rule"`           // name of the rule: "double-at", "prose-version"
	Found  string `json:"found"`          // what the input says
	Made   string `json:"made,omitempty"` // what was made of it; "" when it was left out
}

// Indicator is one observable of a campaign. The fields that apply are those of its Type;
// Lint names any other that is set.
type Indicator struct {
	ID         string     `json:"id"` // IndicatorID, derived from type, value and campaign
	Type       Type       `json:"type"`
	Confidence Confidence `json:"confidence"`

	// Requires are ids or types of indicators of the same pack. The indicator counts only
	// where one of each is met in the same repository.
	Requires []string `json:"requires,omitempty"`
	// Window is when the fact was true: publish, tag move, run. Where it is nil, the pack's
	// FirstSeen and LastSeen say it as well as anybody knows.
	Window *Window `json:"window,omitempty"`
	Status Status  `json:"status,omitempty"` // "" is active
	// Withdrawal says why and when an indicator ceased to count; set with Status withdrawn.
	Withdrawal *Withdrawal `json:"withdrawal,omitempty"`
	Sources    []string    `json:"sources,omitempty"` // ids of Pack.Sources that name it
	Note       string      `json:"note,omitempty"`
	Action     string      `json:"action,omitempty"` // what to do first, where that is special

	// Type package.
	Ecosystem   ecosystem.Ecosystem `json:"ecosystem,omitempty"`
	Name        string              `json:"name,omitempty"`     // canonical; also the base name of type file, and a workflow's name
	Versions    []string            `json:"versions,omitempty"` // exact, in version order
	Ranges      []Range             `json:"ranges,omitempty"`
	AllVersions bool                `json:"all_versions,omitempty"`
	Namespace   bool                `json:"namespace,omitempty"`     // Name is "@scope": every package of it; with AllVersions
	SafeVersion []string            `json:"safe_versions,omitempty"` // known good
	Integrity   []string            `json:"integrity,omitempty"`     // "sha512-BASE64", "sha1:HEX", "sha256:HEX", "h1:BASE64"
	OSV         []string            `json:"osv,omitempty"`           // ids of OSV records: GHSA-, MAL-, CVE-

	// Type dependency_ref.
	GitURL string `json:"git_url,omitempty"` // "github.com/antvis/G2": host and path, no scheme, no ".git"
	Commit string `json:"commit,omitempty"`  // full id, or a prefix of at least 7 digits

	// Type file; Path is type workflow's as well. A file is met where all that is set holds.
	// A digest counts on every file that is hashed, whatever selected it; one without path,
	// name or size selects none itself.
	//
	// Path is a glob over the whole path: "**/" is any number of folders, none included, and
	// "*" and "?" stay in one.
	Path      string `json:"path,omitempty"`
	Size      int64  `json:"size,omitempty"` // bytes
	SizeMin   int64  `json:"size_min,omitempty"`
	SizeMax   int64  `json:"size_max,omitempty"`
	SHA256    string `json:"sha256,omitempty"` // lower-case hex, here and below
	SHA1      string `json:"sha1,omitempty"`
	MD5       string `json:"md5,omitempty"`
	GitBlob   string `json:"git_blob_sha1,omitempty"`
	Generated bool   `json:"generated,omitempty"` // made at run time: never on disk in a repository

	// Types content, npm_script and workflow.
	Literal   string   `json:"literal,omitempty"`
	Regex     string   `json:"regex,omitempty"` // RE2
	PathGlobs []string `json:"path_globs,omitempty"`
	Hook      string   `json:"hook,omitempty"` // npm life-cycle script: "preinstall"

	// Types git, github, network, host, account: what kind of value it is, and the value.
	Kind  string `json:"kind,omitempty"` // "branch_glob", "domain", "runner_name": see Kinds
	Value string `json:"value,omitempty"`
	// BenignHost marks a network value that many innocent programs use: shared infrastructure.
	// It needs Requires.
	BenignHost bool `json:"benign_host,omitempty"`
	// Role of an account: "attacker", or "victim" for one that was taken over; "" is unknown.
	Role string `json:"role,omitempty"`
}

// Type is the kind of observable.
type Type string

// The types. Sweep matches package, dependency_ref, file and the path of workflow; the
// others are listed, exported, and counted as not looked at.
const (
	TypePackage       Type = "package"
	TypeDependencyRef Type = "dependency_ref"
	TypeNPMScript     Type = "npm_script"
	TypeFile          Type = "file"
	TypeContent       Type = "content"
	TypeGit           Type = "git"
	TypeWorkflow      Type = "workflow"
	TypeGitHub        Type = "github"
	TypeNetwork       Type = "network"
	TypeHost          Type = "host"
	TypeAccount       Type = "account"
)

// Types lists every Type, in the order of reports.
var Types = []Type{
	TypePackage, TypeDependencyRef, TypeNPMScript, TypeFile, TypeContent, TypeGit,
	TypeWorkflow, TypeGitHub, TypeNetwork, TypeHost, TypeAccount,
}

// Kinds are the values that Indicator.Kind may take, by type.
var Kinds = map[Type][]string{
	TypeGit:     {"branch_glob", "commit_sha", "tree_sha", "message_glob", "author"},
	TypeGitHub:  {"repo_name_glob", "repo_name_regex", "repo_description", "topic", "release_glob", "runner_name"},
	TypeNetwork: {"domain", "url", "ip", "user_agent", "wallet"},
	TypeHost:    {"path", "process", "service_unit", "registry_key", "env_var"},
	TypeAccount: {"npm", "pypi", "github", "email", "email_glob"},
}

// Confidence is how far an indicator is believed on its own.
type Confidence string

// The confidences. A weak indicator never fires alone.
const (
	Confirmed Confidence = "confirmed" // several independent sources, or the registry itself
	Probable  Confidence = "probable"  // one source
	Weak      Confidence = "weak"      // met in innocent projects too
)

// Status is whether an indicator still counts.
type Status string

// The statuses; "" is Active.
const (
	Active    Status = "active"
	Disputed  Status = "disputed"
	Withdrawn Status = "withdrawn"
)

// Withdrawal is the end of an indicator.
type Withdrawal struct {
	At     string `json:"at,omitempty"`     // as Pack.FirstSeen
	Reason string `json:"reason,omitempty"` // a short code or our own words
	By     string `json:"by,omitempty"`     // source id
}

// Window is a span of time, each end as Pack.FirstSeen, "" where it is open.
type Window struct {
	From  string `json:"from,omitempty"`
	Until string `json:"until,omitempty"`
}

// Range is an OSV range (OSV schema 1.7, affected[].ranges[]). Its versions are spelled as
// the ecosystem spells them, so Go's have the "v" that OSV leaves out; "0" is before them all.
type Range struct {
	Type   string       `json:"type"` // SEMVER or ECOSYSTEM
	Events []RangeEvent `json:"events"`

	// Unbounded marks a range without an upper end that stands beside enumerated versions
	// in the same record. It is kept and shown but matches nothing: an importer that merged
	// where it should have replaced has marked every release of popular packages that way.
	Unbounded bool `json:"unbounded_not_asserted,omitempty"`
}

// RangeEvent is one event of an OSV range; exactly one field is set.
type RangeEvent struct {
	Introduced   string `json:"introduced,omitempty"`
	Fixed        string `json:"fixed,omitempty"`
	LastAffected string `json:"last_affected,omitempty"`
	Limit        string `json:"limit,omitempty"`
}
