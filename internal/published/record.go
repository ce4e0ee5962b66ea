package published

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/wormsweep/wormsweep/internal/drift"
	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// Records keep what is known of artifacts between two runs; *store.Records is one.
type Records interface {
	// Load gives the record under a key and its version, 0 where there is none.
	Load(ctx context.Context, key string) (record []byte, version int64, err error)
	// Swap puts a record in the place of the one of that version.
	Swap(ctx context.Context, key string, version int64, record []byte) (next int64, swapped bool, err error)
}

// schema is the version of the form of a record.
const schema = "published/1"

// record is what is kept of one artifact.
type record struct {
	Schema  string            `json:"schema"`
	Listing *registry.Listing `json:"listing"` // as the registry last told it, of the versions that were looked at
	Policy  string            `json:"policy"`  // digest of the policy that said which, and whom to ask
	Checks  map[string]check  `json:"checks"`  // by version
	Seen    *drift.Seen       `json:"seen"`
	Told    told              `json:"told,omitzero"`
	// Gone are the versions that were published once and are no longer, sorted.
	Gone []string `json:"gone,omitempty"`
}

// check is what the signatures and attestations of one version came to.
type check struct {
	// Key is a digest of all that the outcome hangs on: the version's files and what the registry
	// says is served beside them, the policy, and the trusted roots.
	Key      string             `json:"key"`
	Proofs   []verify.Proof     `json:"proofs,omitempty"`
	Refusals []verify.Refusal   `json:"refusals,omitempty"`
	Gaps     []verify.Gap       `json:"gaps,omitempty"`
	Attested registry.Knowledge `json:"attested,omitempty"`
	Notes    []verify.Signal    `json:"notes,omitempty"`
	// Again is what of its repository could not be had, and is asked for again: "run", or "tree",
	// which is compared with the files.
	Again string `json:"again,omitempty"`
}

// What Again may be.
const (
	againRun  = "run"
	againTree = "tree"
)

// keyOf is the key of a check today.
func keyOf(a *policy.Artifact, digest, roots string, r *registry.Published) string {
	h := sha256.New()
	enc := json.NewEncoder(h)
	// Of the release, what signatures are about and where they are; its tags, deprecation and
	// scripts are the rules' business.
	for _, part := range []any{schema, a.ID(), digest, roots, r.Version, r.Files, r.Signatures, r.Provenance, r.Head} {
		if err := enc.Encode(part); err != nil {
			panic(err) // texts, numbers and times
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// lasting are the gaps that stay until the registry says something else: asking again today
// would be answered as yesterday. Whatever else could not be had is asked for again.
var lasting = []string{verify.GapNotServed, verify.GapMirror, verify.GapUnsupported, verify.GapGone}

// settled are the refusals of what is signed: it stays as it is. Whatever else was wrong, as that
// something is missing or other bytes are served, may be mended.
var settled = []string{
	verify.WrongSubject, verify.WrongIdentity, verify.WrongIssuer, verify.WrongKey, verify.WrongRoot,
	verify.BadSignature, verify.Expired, verify.NoTimestamp, verify.NoLogEntry, verify.WrongPredicate,
}

// holds reports whether the outcome of a check counts under a key: asking again would be answered
// the same.
func (c *check) holds(key string, a *policy.Artifact, version string) bool {
	if c.Key != key || slices.ContainsFunc(c.Gaps, func(g verify.Gap) bool { return !slices.Contains(lasting, g.Code) }) {
		return false
	}
	if a.Kind == registry.OCI || a.Kind == registry.Release {
		// What signs these is put beside them afterwards, and the listing does not say so.
		return len(c.Refusals) == 0 && (len(c.Proofs) > 0 || !a.Required(version))
	}
	return !slices.ContainsFunc(c.Refusals, func(r verify.Refusal) bool { return !slices.Contains(settled, r.Code) })
}

func (c *check) subject() drift.Subject {
	return drift.Subject{Proofs: c.Proofs, Refusals: c.Refusals, Gaps: c.Gaps, Attested: c.Attested, Notes: c.Notes}
}

func checkOf(key string, s *drift.Subject, again string) check {
	return check{Key: key, Again: again, Proofs: s.Proofs, Refusals: s.Refusals, Gaps: s.Gaps, Attested: s.Attested, Notes: s.Notes}
}

// load reads the record of an artifact. One that does not read back is an error: to begin anew
// would make a baseline of what is published today.
func load(ctx context.Context, records Records, key string) (*record, int64, error) {
	if records == nil {
		return &record{}, 0, nil
	}
	body, version, err := records.Load(ctx, key)
	if err != nil || version == 0 {
		return &record{}, version, err
	}
	var r record
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, version, fmt.Errorf("the record of %q does not read back: %w", key, err)
	}
	if r.Schema != schema {
		return nil, version, fmt.Errorf("the record of %q has the form %q, this program reads %q", key, r.Schema, schema)
	}
	return &r, version, nil
}
