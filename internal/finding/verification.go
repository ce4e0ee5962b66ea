package finding

import (
	"time"

	"github.com/wormsweep/wormsweep/internal/verify"
)

// PublishedByUs is the campaign of what verification finds: versions that the organisation
// published, or that somebody published in its name. It is an incident of Scenario C of the
// runbook, whatever campaign of the catalogue it belongs to.
const (
	PublishedByUs      = "published-by-us"
	PublishedByUsTitle = "Published by us, and not as it should be"
	TypePublished      = "published" // Finding.Type of it
)

// Verification is the answer for one published version of one artifact. A version whose verdict
// makes an incident is a Finding as well, one that is unknown a Problem, and each has a Coverage
// row: in these Repository is the artifact and the ref is the version.
type Verification struct {
	Artifact string     `json:"artifact"`         // purl without version
	Source   string     `json:"source,omitempty"` // "owner/repository" that the policy names
	Time     *time.Time `json:"time,omitempty"`   // of its publishing, where the registry tells it
	verify.Result
}

func (*Verification) event() {}

// Published counts what a verification looked at. Each artifact is in exactly one of Hit, Good
// and Unknown.
type Published struct {
	Hit      int                    `json:"hit"`     // artifacts with a version that makes an incident
	Good     int                    `json:"good"`    // every version verified, or unsigned as the policy lets it be
	Unknown  int                    `json:"unknown"` // none of the first, and not all could be asked
	Versions map[verify.Verdict]int `json:"versions"`
	// Checked counts the signatures that were verified in this run; those of versions that did
	// not change were before.
	Checked int `json:"checked"`
	// Requests counts what the registries were asked, and Unchanged the answers among them that
	// nothing had changed.
	Requests  int `json:"requests"`
	Unchanged int `json:"unchanged"`
}
