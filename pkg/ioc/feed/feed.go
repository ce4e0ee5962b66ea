// Package feed reads indicators from the forms in which others publish them, and writes them
// in the forms that others read.
//
// Read: OSV records (a file, JSON Lines, a folder, a zip), our own packs (JSON or YAML),
// "name:version" text, CSV and TSV with whatever header, the JSON lists of the public
// detectors, JSON Lines, lists of digests, bumblebee catalogues and reports of the Go
// vulnerability database. Import finds out which it is.
//
// Nothing is dropped and nothing is mended in silence. A row that cannot be an indicator is
// a RowError with its file, line and rule; a row that was changed on the way is an
// ioc.Repair with the name of the rule that did it. What stands in an Entry has passed the
// checks of package ioc: a name that its registry can hold, a version of its ecosystem's
// grammar, a digest that something hashes to.
//
// Written: OSV (a record for each package), CSV and TSV. What a form cannot hold is counted
// in the Left that each writer returns.
package feed

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// Form is the form of an input.
type Form string

// The forms.
const (
	FormPack       Form = "ioc-pack"       // our own
	FormOSV        Form = "osv"            // OSV schema, 1.7 and older
	FormText       Form = "name-version"   // "name:version" a line
	FormCSV        Form = "csv"            // with a header; tabs or commas
	FormList       Form = "package-list"   // JSON: {"packages": [{"name", "versions"}]}
	FormByName     Form = "by-name"        // JSON: {"name": {"versions": []}}
	FormSignatures Form = "signature-pack" // JSON: {"signatures": [{"indicators": [{"type", "value"}]}]}
	FormLines      Form = "json-lines"     // an object a line: packages, digests or kinds of indicators
	FormDigests    Form = "digest-list"    // a digest a line
	FormBumblebee  Form = "bumblebee"      // bumblebee exposure catalogue 0.2
	FormVulnDB     Form = "go-vulndb"      // golang/vulndb report, YAML
	FormFolder     Form = "folder"         // of any of these, or a zip of them
)

// Feed is what an input says.
type Feed struct {
	Name       string // as Import was given it
	Form       Form
	SHA256     string // of the file's bytes, "" for a folder
	Entries    []Entry
	Errors     []RowError   // rows that are no indicator
	Repairs    []ioc.Repair // rows that were changed; Source is the file
	Duplicates int          // rows that say again what an earlier row said
	Modified   time.Time    // latest date of change that OSV records and packs of it give; zero where none does
	Passed     []string     // files of a folder or zip that were not opened: no list has their extension

	packs []ioc.Pack // of inputs that are packs
	seen  map[string]bool
	read  int64 // bytes, of all files

	moreEntries, moreErrors, moreRepairs int // beyond the limits
}

// Entry is one statement of an input: an indicator without id and sources.
type Entry struct {
	Indicator ioc.Indicator
	File      string // for folders and zips the path inside, else the Feed's name
	Line      int
	Section   string   // heading that it stands under: often the only word about the campaign
	Campaign  string   // what the row itself says of its campaign, in its own words
	Vendors   []string // others that the row says have seen it

	packed bool // stands in a pack of the input
}

// RowError is a row that is no indicator.
type RowError struct {
	File     string
	Line     int // 0 when the whole file is meant
	Rule     ioc.Rule
	Detail   string
	Campaign string // what the row says of its campaign, "" where it does not
}

func (e RowError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%q: %s: %s", e.File, e.Rule, e.Detail)
	}
	return fmt.Sprintf("%q:%d: %s: %s", e.File, e.Line, e.Rule, e.Detail)
}

// The rules by which rows are refused or mended, besides those of package ioc.
const (
	BadRow           ioc.Rule = "bad-row"            // not a row of its form
	UnknownKind      ioc.Rule = "unknown-kind"       // a kind of indicator that packs do not hold
	FreeKey          ioc.Rule = "free-key"           // a value under a key of the author's own: a person must read it
	DoubleAt         ioc.Rule = "double-at"          // "@@scope/name" is "@scope/name"
	GoPath           ioc.Rule = "go-path"            // a Go module path in a list without ecosystems is Go's
	DefaultEcosystem ioc.Rule = "default-ecosystem"  // a list without ecosystems is of the default one
	TooMany          ioc.Rule = "too-many"           // beyond a limit of ours: counted, not kept
	OpenRange        ioc.Rule = "open-range"         // a range without end beside versions or a range that ends asserts nothing
	LastKnown        ioc.Rule = "last-known-version" // GitHub's last_known_affected_version_range ends a range
	JSRegex          ioc.Rule = "js-regex"           // "/x/g" is the expression x
	EmptyList        ioc.Rule = "empty-list"         // no versions stands for all, by Options.EmptyIsAll
)

// Options guide an import. The zero value is that of a user who knows nothing of the input.
type Options struct {
	// Ecosystem is that of rows which name none, in forms that leave it out; "" is npm.
	Ecosystem ecosystem.Ecosystem
	// EmptyIsAll takes an empty list of versions for every version. Without it such a row is
	// a RowError: most tools write it where they lost a range, some where they know nothing.
	EmptyIsAll bool
}

// Limits of an import, which bound its memory and time.
const (
	MaxFile    = 64 << 20  // bytes of one file
	MaxYAML    = 4 << 20   // bytes of one file of YAML, which is slow to read
	MaxTotal   = 1 << 30   // bytes of a folder or zip, unpacked
	MaxFiles   = 1_000_000 // files of a folder or zip
	MaxEntries = 1_000_000 // of one Feed; more is ErrTooLarge
	MaxErrors  = 20_000    // that a Feed keeps, and repairs; more are counted in a last one
	maxDepth   = 100       // JSON or YAML in itself
	maxNodes   = 5_000_000 // values of one JSON document
	maxIDs     = 100       // ids and aliases of one record
	maxShown   = 120       // bytes of a row that an error repeats
)

// The errors of Import.
var (
	ErrForm     = errors.New("no form of indicators that is known here")
	ErrNothing  = errors.New("holds no indicator")
	ErrTooLarge = errors.New("too large")
)

// reader is one file on its way into a Feed.
type reader struct {
	feed    *Feed
	opt     Options
	file    string
	section string
	// campaign is that of the row being read, for its errors.
	campaign string
	implied  bool // the default ecosystem was used, and recorded
}

func (r *reader) fail(line int, rule ioc.Rule, format string, args ...any) {
	if len(r.feed.Errors) >= MaxErrors {
		r.feed.moreErrors++
		return
	}
	r.feed.Errors = append(r.feed.Errors, RowError{r.file, line, rule, fmt.Sprintf(format, args...), r.campaign})
}

// failed records the error of a check of package ioc.
func (r *reader) failed(line int, err error) {
	var value *ioc.ValueError
	if errors.As(err, &value) {
		r.fail(line, value.Rule, "%s", value.Detail())
		return
	}
	r.fail(line, ioc.BadValue, "%v", err)
}

func (r *reader) repair(line int, rule ioc.Rule, found, made string) {
	if len(r.feed.Repairs) >= MaxErrors {
		r.feed.moreRepairs++
		return
	}
	r.feed.Repairs = append(r.feed.Repairs, ioc.Repair{Source: r.file, Line: line, Rule: string(rule), Found: clip(found), Made: clip(made)})
}

// modified takes note of the date at which a record was changed.
func (f *Feed) modified(at time.Time) {
	if at.After(f.Modified) {
		f.Modified = at
	}
}

func clip(s string) string {
	if len(s) <= maxShown {
		return s
	}
	return strings.ToValidUTF8(s[:maxShown], "") + "..."
}

// add takes an entry in, or counts it when the same file said the same under the same heading.
// An entry that package ioc would complain of is an error.
func (r *reader) add(e Entry) {
	if len(r.feed.Entries) >= MaxEntries {
		r.feed.moreEntries++
		return
	}
	if complaints := ioc.Check(e.Indicator); len(complaints) > 0 {
		r.fail(e.Line, complaints[0].Rule, "%s", complaints[0].Detail)
		return
	}
	e.File = r.file
	if e.Section == "" {
		e.Section = r.section
	}
	key := ioc.IndicatorID(e.Indicator, r.file+"\x00"+e.Section+"\x00"+e.Campaign+"\x00"+string(e.Indicator.Status))
	if r.feed.seen[key] {
		r.feed.Duplicates++
		return
	}
	r.feed.seen[key] = true
	r.feed.Entries = append(r.feed.Entries, e)
}
