// Package finding holds the values that a sweep, or a verification of what was published,
// puts out: findings, problems, coverage, verdicts for versions, and the run and summary that
// frame them. They are the events of one stream; each renderer (internal/report) reads the same
// stream.
//
// The JSON form of these types is a contract, versioned by StreamVersion, with a JSON
// Schema in docs/schemas/sweep-stream.json: fields are added and never change meaning.
package finding

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// StreamVersion is the version of the JSON stream, in Run.Stream.
const StreamVersion = "1"

// Event is one value of the stream: *Run first, then *Finding, *Problem, *Coverage and,
// where the run explains itself, *NonMatch, repository by repository in order of their
// names, and *Summary last. A verification has *Verification beside these, artifact by
// artifact.
type Event interface{ event() }

func (*Run) event()      {}
func (*Finding) event()  {}
func (*Problem) event()  {}
func (*Coverage) event() {}
func (*NonMatch) event() {}
func (*Summary) event()  {}

// Run says what is about to be looked at, and with what.
type Run struct {
	Stream    string    `json:"stream"` // StreamVersion
	Tool      string    `json:"tool"`   // "wormsweep"
	Version   string    `json:"version"`
	Started   time.Time `json:"started"`
	Paths     []string  `json:"paths"`
	Shard     string    `json:"shard,omitempty"`     // "2/4": share 2 of 4 of what was named
	Partial   bool      `json:"partial,omitempty"`   // some of it, or some campaigns, by choice
	Only      []string  `json:"only,omitempty"`      // ids of the campaigns that were looked for, where not all were
	Published bool      `json:"published,omitempty"` // a verification of what was published; Paths has the policy file
	Catalogue Catalogue `json:"catalogue"`
}

// Catalogue identifies the indicators of a run.
type Catalogue struct {
	Revision   string `json:"revision"` // digest of the packs; equal revisions, equal answers
	Campaigns  int    `json:"campaigns"`
	Indicators int    `json:"indicators"`
	Packages   int    `json:"packages"` // distinct names with an exact version, range or all versions
	Versions   int    `json:"versions"` // distinct exact versions
}

// State is whether a finding counts towards exit code 1.
type State string

// The states. Only Active ones change the exit code; the others are shown and counted
// apart.
const (
	Active    State = "active"
	Latent    State = "latent"    // a range or a moved tag that could resolve to a listed version
	Weak      State = "weak"      // weak indicators alone
	LookAlike State = "lookalike" // a name that differs from a listed one by letter case only
	Withdrawn State = "withdrawn" // the indicator was withdrawn by its sources
	Excluded  State = "excluded"  // an exclusion with owner, reason and expiry covers it
)

// States lists them in the order of reports.
var States = []State{Active, Latent, Weak, LookAlike, Withdrawn, Excluded}

// Finding is a match at a place.
type Finding struct {
	Fingerprint string   `json:"fingerprint"`
	State       State    `json:"state"`
	Campaign    string   `json:"campaign"` // pack id
	Title       string   `json:"title"`    // of the campaign
	Severity    string   `json:"severity"`
	Indicator   string   `json:"indicator"`      // indicator id
	Also        []string `json:"also,omitempty"` // ids of further indicators of the campaign that the package meets
	Type        string   `json:"indicator_type"`
	Observable  string   `json:"observable,omitempty"` // what an indicator that is no package says: "name bundle.js"
	Confidence  string   `json:"confidence"`
	Reasons     []string `json:"reasons"` // reason codes, the most telling first

	Repository string `json:"repository"` // of a published version, the artifact's purl
	// Number is the server's own number of the repository, by which it is known through renames; 0 for one
	// without, or that is not known.
	Number int64    `json:"repository_id,omitempty"`
	Refs   []string `json:"refs"`             // the states of the repository that hold it: "worktree", "HEAD"; none for the repository itself
	Commit string   `json:"commit,omitempty"` // of the first ref that has one
	File   string   `json:"file"`             // "" where the ref or the repository itself shows it
	Line   int      `json:"line,omitempty"`
	Blob   string   `json:"blob,omitempty"` // git blob id of the file
	Format string   `json:"format,omitempty"`

	Package  *Package `json:"package,omitempty"`
	Digest   string   `json:"digest,omitempty"`   // of the file, or the listed digest that the entry carries
	Chain    []string `json:"chain,omitempty"`    // "name@version" from a direct dependency down to the package
	Sources  []string `json:"sources,omitempty"`  // who named the indicator
	Window   *Window  `json:"window,omitempty"`   // when the indicator was live
	Safe     []string `json:"safe,omitempty"`     // known-good versions
	Action   string   `json:"action,omitempty"`   // what to do first, where that is special
	Advisory []string `json:"advisory,omitempty"` // OSV ids
	Evidence []string `json:"evidence,omitempty"` // of a published version: what is wrong with it, a line each

	Exclusion *Exclusion `json:"exclusion,omitempty"`
}

// Package is the package that a finding is about.
type Package struct {
	PURL      string `json:"purl"`
	Ecosystem string `json:"ecosystem"`
	Name      string `json:"name"`
	Version   string `json:"version,omitempty"`
	Range     string `json:"range,omitempty"`
	Alias     string `json:"alias,omitempty"`
	Scope     string `json:"scope,omitempty"`
	Source    string `json:"source"`           // kind of source, or the registry's host
	Direct    string `json:"direct,omitempty"` // "yes" or "no"; "" where the format does not tell
}

// Window is a span of time; an end that is not known is "".
type Window struct {
	From  string `json:"from,omitempty"`
	Until string `json:"until,omitempty"`
}

// Exclusion is the exclusion that covers a finding or a problem.
type Exclusion struct {
	Owner   string `json:"owner"`
	Reason  string `json:"reason"`
	Expires string `json:"expires"`
}

// Problem is something in scope that was not read or believed. A run with a problem is
// never clean.
type Problem struct {
	Repository string     `json:"repository,omitempty"`
	Number     int64      `json:"repository_id,omitempty"` // as Finding.Number
	Refs       []string   `json:"refs,omitempty"`
	File       string     `json:"file,omitempty"`
	Line       int        `json:"line,omitempty"`
	Blob       string     `json:"blob,omitempty"`
	Format     string     `json:"format,omitempty"`
	Code       string     `json:"code"` // docs/problems.md
	Detail     string     `json:"detail"`
	Exclusion  *Exclusion `json:"exclusion,omitempty"` // set: it does not change the exit code
}

// NonMatch is what a person would take for a match and is none: an entry whose name is
// listed, or a file whose path is, with the reason code. In JSON its type is "explain".
type NonMatch struct {
	Repository string   `json:"repository"`
	Refs       []string `json:"refs"`
	File       string   `json:"file"`
	Line       int      `json:"line,omitempty"`
	Blob       string   `json:"blob,omitempty"`
	Format     string   `json:"format,omitempty"`
	Package    *Package `json:"package,omitempty"` // nil for a file
	Reason     string   `json:"reason"`            // "other-version", "git", "other-content"
}

// Coverage is a row of the ledger: one for each file in scope, and one for each tree with
// File "" that counts what was out of scope.
type Coverage struct {
	Repository string         `json:"repository"`
	Number     int64          `json:"repository_id,omitempty"` // as Finding.Number; of a row without File
	Ref        string         `json:"ref"`
	Commit     string         `json:"commit,omitempty"`
	File       string         `json:"file,omitempty"`
	Status     CoverageStatus `json:"status"`
	Reason     string         `json:"reason,omitempty"`
	Format     string         `json:"format,omitempty"`
	Packages   int            `json:"packages,omitempty"` // entries read
	Files      int            `json:"files,omitempty"`    // of the tree, in all
	OutOfScope map[string]int `json:"out_of_scope,omitempty"`
	// Notes say, of the organisation, what was not looked at for want of a permission, which they
	// name, or was looked at in the second-best way.
	Notes []string `json:"notes,omitempty"`
}

// CoverageStatus says what became of a file or tree.
type CoverageStatus string

// The statuses.
const (
	Parsed     CoverageStatus = "parsed"
	Unparsed   CoverageStatus = "unparsed"
	OutOfScope CoverageStatus = "out-of-scope"
	Hashed     CoverageStatus = "hashed" // selected by a file indicator and compared by digest
	Met        CoverageStatus = "met"    // met by a file indicator without being opened
)

// Summary ends the stream.
type Summary struct {
	Exit         int           `json:"exit"` // the exit code
	Repositories Repositories  `json:"repositories"`
	Findings     map[State]int `json:"findings"`
	Problems     int           `json:"problems"`
	Excluded     int           `json:"problems_excluded,omitempty"`
	Files        Files         `json:"files"`
	Packages     int           `json:"packages"`
	// Unmatched counts the entries that are provably not the public package of their name,
	// by reason code: "git", "workspace", "link".
	Unmatched map[string]int `json:"unmatched,omitempty"`
	// Shown counts the values beside files that were compared, by property: "branch",
	// "description". A property that the command looks for and did not meet is 0; one that is
	// missing was not looked for.
	Shown map[string]int `json:"shown,omitempty"`
	// NotLookedAt counts the indicators of the catalogue that this command does not match,
	// by type.
	NotLookedAt map[string]int `json:"not_looked_at,omitempty"`
	Canaries    Canaries       `json:"canaries"`
	Published   *Published     `json:"published,omitempty"` // of a verification
	Expired     []string       `json:"expired_exclusions,omitempty"`
	Interrupted bool           `json:"interrupted,omitempty"`
	Elapsed     float64        `json:"elapsed_seconds"`
}

// Repositories counts repositories by answer; each is in exactly one of Hit, Clean and
// Unknown.
type Repositories struct {
	Hit     int `json:"hit"`
	Clean   int `json:"clean"`
	Unknown int `json:"unknown"` // nothing found, but not all of it was read
}

// Files counts files, once for each tree that holds them: a checkout and its HEAD are two.
type Files struct {
	Parsed   int `json:"parsed"`
	Unparsed int `json:"unparsed"`
	Total    int `json:"total"`    // all files of all trees
	Distinct int `json:"distinct"` // distinct contents read
}

// Canaries are the planted packages of this run, by format.
type Canaries struct {
	Planted int      `json:"planted"`
	Missed  []string `json:"missed,omitempty"` // formats whose reader did not show its canary
}

// Fingerprint identifies a finding across runs: it is equal for the same campaign at the same
// file of the same repository, for a package version, or else for the same indicator; whatever
// the line, ref, commit or revision of the catalogue.
func Fingerprint(f *Finding) string {
	what := f.Indicator
	if f.Package != nil {
		what = f.Package.PURL
	}
	h := sha256.New()
	for _, s := range []string{"wormsweep/1", f.Campaign, f.Repository, f.File, what} {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
