package incident

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/finding"
)

// RecordSchema is the version of the form in which a Store keeps a Record.
const RecordSchema = "incident/1"

// Limits of a record.
const (
	MaxPlaces      = 50_000   // places of one incident; more are counted, and keep it open
	MaxRecordBytes = 64 << 20 // of a record as JSON
)

// Record is what is known of one incident between two sweeps.
type Record struct {
	Schema       string   `json:"schema"`
	Organisation string   `json:"organisation"`
	Campaign     Campaign `json:"campaign"`        // as the catalogue last had it
	State        State    `json:"state,omitempty"` // of records of earlier releases, Status
	Status       State    `json:"status"`          // for these: open, closed or dismissed, whatever State adds

	Issue    int `json:"issue,omitempty"` // its number, 0 for none yet
	Sequence int `json:"sequence"`        // counts the comments that told of a change

	FirstSeen time.Time        `json:"first_seen"`
	Things    map[string]Thing `json:"things,omitempty"` // what was found, by name
	Places    []*Place         `json:"places,omitempty"` // in order of repository, file and fingerprint
	Dropped   int              `json:"dropped,omitempty"`
	Gaps      Gaps             `json:"gaps"` // of the last sweep that was a whole one

	// Lost says that the issue was found by its mark when there was no record: what had been
	// found before is not known, so that nothing can prove it clean.
	Lost bool `json:"lost,omitempty"`
	// Insisted says that a person opened the issue again after it was closed with proof.
	Insisted bool `json:"insisted,omitempty"`

	Response Response `json:"response,omitzero"`

	// Owed is what the chat has not been told yet of what sweeps saw.
	Owed  *Notice `json:"owed,omitempty"`
	Claim *Claim  `json:"claim,omitempty"`
}

// Claim says who is writing the issue, and until when nobody else does.
type Claim struct {
	Holder string    `json:"holder"`
	Until  time.Time `json:"until"`
}

// Orphans gives back the claims of holders whose name begins so, in all organisations. It is for a
// process that alone has that name and has claimed nothing yet: whoever holds one is dead.
func Orphans(ctx context.Context, store Store, holder string) error {
	keys, err := store.Keys(ctx, "")
	if err != nil {
		return fmt.Errorf("list of incidents: %w", err)
	}
	for _, key := range keys {
		data, version, err := store.Load(ctx, key)
		if err != nil {
			return fmt.Errorf("record of the incident %q: %w", key, err)
		}
		organisation, campaign, _ := strings.Cut(key, "/")
		rec, err := decode(data, organisation, campaign)
		if err != nil || rec.Claim == nil || !strings.HasPrefix(rec.Claim.Holder, holder) {
			continue // a record that does not read back is told of where it is needed
		}
		rec.Claim = nil
		if data, err = rec.encode(); err != nil {
			return err
		}
		if _, _, err := store.Swap(ctx, key, version, data); err != nil { // who was first has taken it
			return fmt.Errorf("record of the incident %q: %w", key, err)
		}
	}
	return nil
}

// Thing is what was found, wherever it was.
type Thing struct {
	Confidence string          `json:"confidence,omitempty"`
	Safe       []string        `json:"safe,omitempty"`
	Window     *finding.Window `json:"window,omitempty"`
	Action     string          `json:"action,omitempty"`
	Advisory   []string        `json:"advisory,omitempty"`
	Evidence   []string        `json:"evidence,omitempty"` // at most maxEvidence
}

// Place is a file of a repository with one thing of the campaign in it.
type Place struct {
	Fingerprint string    `json:"fingerprint"`
	Repository  string    `json:"repository"`              // as it was last called
	Number      int64     `json:"repository_id,omitempty"` // by which it is known through renames; 0 where nobody told
	File        string    `json:"file"`
	Line        int       `json:"line,omitempty"`
	Thing       string    `json:"thing"` // key of Record.Things
	Indicator   string    `json:"indicator"`
	Reason      string    `json:"reason,omitempty"` // the most telling code of how it was met
	Chain       []string  `json:"chain,omitempty"`
	Owners      []string  `json:"owners,omitempty"` // by the repository's CODEOWNERS
	FirstSeen   time.Time `json:"first_seen"`
	LastFound   time.Time `json:"last_found,omitzero"` // the last sweep that found it; one that began before proves nothing
	Refs        []*Ref    `json:"refs"`                // in order of their names
	// Told is the state of the place that a person could read of last.
	Told Told `json:"told,omitempty"`
}

// Told is what was said of a place.
type Told string

// What was said.
const (
	ToldNothing Told = ""
	ToldFound   Told = "found"
	ToldSettled Told = "settled"
)

// Ref is a state of a repository that holds a place, or held it.
type Ref struct {
	Name    string    `json:"name"` // ItselfRef for what the repository itself shows
	Settled Settled   `json:"settled,omitempty"`
	Commit  string    `json:"commit,omitempty"` // that was found clean, where there is one
	At      time.Time `json:"at,omitzero"`      // of the sweep that settled it
	// Missing says why the last sweep neither found the place there nor proved it clean.
	Missing string `json:"missing,omitempty"`
}

// ItselfRef stands for the repository itself, as the place of its name or description.
const ItselfRef = ""

// Settled says why a place at a ref does not count any more.
type Settled string

// The ways to settle.
const (
	Unsettled   Settled = ""
	FoundClean  Settled = "clean"
	IsExcluded  Settled = "excluded"  // an exclusion with owner, reason and expiry covers it
	IsWithdrawn Settled = "withdrawn" // the indicator was withdrawn by its sources
	IsGone      Settled = "gone"      // the ref was deleted
)

// settled reports whether the place counts nowhere any more.
func (p *Place) settled() bool {
	return !slices.ContainsFunc(p.Refs, func(r *Ref) bool { return r.Settled == Unsettled })
}

// state is what there is to be told of the place.
func (p *Place) state() Told {
	if p.settled() {
		return ToldSettled
	}
	return ToldFound
}

// open gives the places that are not settled.
func (r *Record) open() (places []*Place) {
	for _, p := range r.Places {
		if !p.settled() {
			places = append(places, p)
		}
	}
	return places
}

// clone is a deep copy: a plan changes no record that it was given.
func (r *Record) clone() *Record {
	data, err := json.Marshal(r)
	if err != nil {
		panic(err) // a Record is plain data
	}
	out := &Record{}
	if err := json.Unmarshal(data, out); err != nil {
		panic(err)
	}
	return out
}

// encode gives the record as a Store keeps it.
func (r *Record) encode() ([]byte, error) {
	data, err := json.Marshal(r)
	if err == nil && len(data) > MaxRecordBytes {
		err = fmt.Errorf("%d bytes, over the limit of %d", len(data), MaxRecordBytes)
	}
	if err != nil {
		return nil, fmt.Errorf("record of the incident %q in %q: %w", r.Campaign.ID, r.Organisation, err)
	}
	return data, nil
}

// decode reads a record of an incident. A record of another schema, incident or size is
// refused: what it says must not be taken for nothing.
func decode(data []byte, organisation, campaign string) (*Record, error) {
	r := &Record{}
	err := error(nil)
	if len(data) > MaxRecordBytes {
		err = fmt.Errorf("%d bytes, over the limit of %d", len(data), MaxRecordBytes)
	} else {
		err = json.Unmarshal(data, r)
	}
	switch {
	case err != nil:
	case r.Schema != RecordSchema:
		err = fmt.Errorf("schema %q is not %q", r.Schema, RecordSchema)
	case !sameName(r.Organisation, organisation) || r.Campaign.ID != campaign:
		err = fmt.Errorf("it is of the incident %q in %q", r.Campaign.ID, r.Organisation)
	case r.State == "" && !slices.Contains([]State{Open, Closed, Dismissed}, r.Status) || r.State != "" && (!slices.Contains(States, r.State) || r.Status != r.State.status()):
		err = fmt.Errorf("there is no state %q with status %q", r.State, r.Status)
	case slices.Contains(r.Places, nil) || slices.ContainsFunc(r.Places, func(p *Place) bool { return slices.Contains(p.Refs, nil) }):
		err = fmt.Errorf("a place or ref is null")
	}
	if err != nil {
		return nil, fmt.Errorf("record of the incident %q in %q: %w", campaign, organisation, err)
	}
	r.State = cmp.Or(r.State, r.Status)
	return r, nil
}
