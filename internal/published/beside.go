package published

import (
	"context"
	"slices"

	"github.com/wormsweep/wormsweep/internal/drift"
	"github.com/wormsweep/wormsweep/internal/policy"
)

// beside gives the artifacts of the policy that are not looked at in this run, as they were last
// known: what is judged of many together is judged beside them, so that a narrow look does not
// take back what a wide one found. What is not known of them adds nothing.
func (r *run) beside(ctx context.Context) (out []*drift.Brief) {
	if r.opt.Records == nil {
		return nil
	}
	for i := range r.opt.Policy.Artifacts {
		a := &r.opt.Policy.Artifacts[i]
		if slices.ContainsFunc(r.artifacts, func(of *artifact) bool { return of.policy == a && of.fault == nil }) {
			continue
		}
		rec, _, err := load(ctx, r.opt.Records, recordKey(a))
		if err != nil || rec.Listing == nil || rec.Seen == nil {
			continue
		}
		out = append(out, briefOf(a, rec))
	}
	return out
}

// briefOf sums up an artifact as its record has it.
func briefOf(a *policy.Artifact, rec *record) *drift.Brief {
	known := drift.Artifact{Policy: *a, Listing: *rec.Listing, Yesterday: rec.Seen, Source: drift.Source{Repository: a.Source}}
	for i := range rec.Listing.Releases {
		kept := rec.Checks[rec.Listing.Releases[i].Version]
		known.Subjects = append(known.Subjects, kept.subject())
	}
	return drift.BriefOf(&known)
}

// recordKey is the key of an artifact's record.
func recordKey(a *policy.Artifact) string { return a.ID() + "@" + a.Registry }
