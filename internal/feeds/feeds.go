// Package feeds keeps a copy of the lists of indicators that others publish, and brings it up
// to date.
//
// Update asks each feed of a configuration, compares what it gives with the copy, and takes it
// over when no guard objects. Where one does, or the feed cannot be had, the last good copy
// stays, and the Row of the feed says by which rule and since when it is stale. A person who
// has looked can accept exactly the bytes that were held, by their digest.
//
// One guard holds half: where a list grew and lost much on the way, what is new is taken, and what
// is gone stays as it was until a person has looked.
//
// Nothing that a feed once said is lost in silence. An indicator that is gone from it, or that
// it withdrew, stays in the copy with the status withdrawn, date and reason: what it finds is
// shown as withdrawn, and no more as a hit.
//
// The copy is a folder: a state file, and for each feed packs of package ioc and one compiled
// index. Files are named by their digest and never changed; the state file names those that
// count, and is put in its place whole. A crash at any moment leaves the copy as it was.
// Copy reads it. Only Update and what it calls ask the network.
package feeds

import "time"

// Rule names why a feed was not taken, in one word that docs/feeds.md explains. The rules are a
// contract.
type Rule string

// The rules of feeds that could not be had.
const (
	Unreachable Rule = "unreachable" // no whole answer: network, status, time, a cut body
	Gone        Rule = "gone"        // the source says that there is no such list, or the folder lacks it
	OtherHost   Rule = "other-host"  // a redirect leads where the configuration does not allow
	TooLarge    Rule = "too-large"   // beyond the feed's limit of bytes, packed or unpacked
	NotAList    Rule = "not-a-list"  // HTML, prose, or a form that is not known
	Empty       Rule = "empty"       // a list without a single indicator
	OtherDigest Rule = "digest"      // not the bytes that the configuration or the manifest names
	BadManifest Rule = "manifest"    // the signed manifest is not one, or of another feed
	BadSigner   Rule = "signature"   // not signed, or by another key
	RolledBack  Rule = "rolled-back" // older than the copy, or bytes that stood there before
	Expired     Rule = "expired"     // the signed manifest ended
	PackTaken   Rule = "pack-taken"  // a pack's id is another feed's
	Damaged     Rule = "damaged"     // a file of the copy is not what was written
	Unsound     Rule = "unsound"     // what was made of it would not be read back: a fault of ours
)

// The rules of feeds that are held: a person can accept them.
const (
	FormChanged   Rule = "form-changed"   // another form, or other keys
	HeaderChanged Rule = "header-changed" // a table with other columns
	RowsRefused   Rule = "rows-refused"   // more rows are no indicators than are
	Shrinks       Rule = "shrinks"        // too large a share of the indicators is gone
	Sweeping      Rule = "sweeping"       // all versions, a scope or a wide range of a popular package
	ManyPopular   Rule = "many-popular"   // too many popular packages at once
)

// acceptable are the rules that --accept overrides. The others have nothing to take, or are what
// the configuration itself demands.
var acceptable = map[Rule]bool{
	FormChanged: true, HeaderChanged: true, RowsRefused: true, Shrinks: true, Sweeping: true, ManyPopular: true,
	RolledBack: true,
}

// Reason is one objection to what a feed gave.
type Reason struct {
	Rule   Rule   `json:"rule"`
	Detail string `json:"detail"` // one line
}

func (r *Reason) Error() string { return string(r.Rule) + ": " + r.Detail }

// Outcome is what an update made of a feed.
type Outcome string

// The outcomes.
const (
	Fetched   Outcome = "fetched"   // taken over
	Unchanged Outcome = "unchanged" // the copy is what the feed gives
	Held      Outcome = "held"      // a guard objects; the copy stays, and may gain what is new
	Failed    Outcome = "failed"    // could not be had; the copy stays
	Unlisted  Outcome = "unlisted"  // in the copy and not in the configuration: not asked, and kept
)

// Row is what an update says of one feed. Its JSON form is that of "sweeper ioc update".
type Row struct {
	Feed    string   `json:"feed"`
	Kind    Kind     `json:"kind"`
	Outcome Outcome  `json:"outcome"`
	Reasons []Reason `json:"reasons,omitempty"` // of Held and Failed
	From    string   `json:"from,omitempty"`    // address or path
	// Digest is that of the copy; Offered that of what is held, as --accept wants it.
	Digest  string `json:"digest,omitempty"`
	Offered string `json:"offered,omitempty"`
	Review  string `json:"review,omitempty"` // file that lists what taking it would change
	Commit  string `json:"commit,omitempty"`
	Serial  int64  `json:"serial,omitempty"`

	Added     int `json:"added"` // counts of this update: single versions, digests, files and so on
	Withdrawn int `json:"withdrawn"`
	Changed   int `json:"changed"` // other confidence or status
	Active    int `json:"active"`  // counts of the copy
	Ended     int `json:"ended"`   // withdrawn, of the copy
	Refused   int `json:"refused"` // rows of the feed that are no indicators

	Fetched time.Time `json:"fetched,omitzero"` // when the copy was taken
	Checked time.Time `json:"checked,omitzero"` // when the source last confirmed it: stale since then
}

// Current reports whether the copy is what the source gives.
func (r *Row) Current() bool { return r.Outcome == Fetched || r.Outcome == Unchanged }
