package published

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/wormsweep/wormsweep/internal/buildrun"
	"github.com/wormsweep/wormsweep/internal/drift"
	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// ask gets today's listing of an artifact and a subject for each of its versions, and lets go of
// what its record has as well: an organisation has more versions than fit into memory.
func (r *run) ask(ctx context.Context, a *artifact) {
	r.look(ctx, a)
	switch {
	case a.quiet:
		a.brief, a.record = briefOf(a.policy, a.record), nil
		return
	case a.fault == nil:
		a.brief = drift.BriefOf(&a.today)
	}
	if r.opt.Records != nil && a.record != nil && !a.fresh && a.told.At.Equal(a.record.Told.At) {
		a.put, a.record, a.keys, a.again = true, nil, nil, nil
		a.today = drift.Artifact{Policy: a.today.Policy, Source: a.today.Source}
	}
}

// restore reads back what ask let go of.
func (r *run) restore(ctx context.Context, a *artifact) {
	if !a.put {
		return
	}
	var err error
	var version int64
	a.record, version, err = load(ctx, r.opt.Records, a.key)
	if err == nil && version != a.version {
		err = errors.New("another run wrote its record meanwhile")
	}
	if err != nil {
		a.fault = err
	}
	if a.fault != nil {
		return
	}
	a.today.Listing, a.today.Yesterday = *a.record.Listing, a.record.Seen
	a.today.Subjects = make([]drift.Subject, len(a.today.Listing.Releases))
	for i := range a.today.Listing.Releases {
		kept := a.record.Checks[a.today.Listing.Releases[i].Version]
		a.today.Subjects[i] = kept.subject()
	}
}

// look is ask, and holds all of it.
func (r *run) look(ctx context.Context, a *artifact) {
	a.digest = r.opt.Policy.Digest(a.policy)
	a.key = recordKey(a.policy)
	var err error
	if a.record, a.version, err = load(ctx, r.opt.Records, a.key); err != nil {
		a.record, a.fault = nil, err
		return
	}
	reader, err := r.opt.Reader(a.policy)
	if err != nil {
		a.fault = err
		return
	}
	listing, err := r.list(ctx, a, reader)
	if err != nil {
		a.fault = err
		return
	}
	a.today = drift.Artifact{Policy: *a.policy, Listing: *listing, Yesterday: a.record.Seen}
	a.accept(r.opt.Accepted)
	if a.quiet = r.opt.Quiet != nil && !a.fresh && a.unchanged && r.held(a) && r.opt.Quiet(a.policy); a.quiet {
		return
	}
	releases := a.today.Listing.Releases
	a.today.Subjects, a.keys, a.again = make([]drift.Subject, len(releases)), make([]string, len(releases)), make([]string, len(releases))
	a.today.Source = r.source(ctx, a)
	for i := range releases {
		release := &releases[i]
		a.keys[i] = keyOf(a.policy, a.digest, r.opt.Roots, release)
		kept, there := a.record.Checks[release.Version]
		holds := there && kept.holds(a.keys[i], a.policy, release.Version)
		if a.again[i] = kept.Again; holds && (kept.Again == "" || r.opt.Sources == nil) {
			a.today.Subjects[i] = kept.subject()
			continue
		}
		a.fresh = true
		if holds && kept.Again == againRun {
			a.today.Subjects[i] = kept.subject()
			r.askRun(ctx, a, &a.today.Subjects[i])
		} else {
			a.today.Subjects[i] = r.check(ctx, a, reader, release)
		}
		a.again[i] = again(a.policy, release.Version, &a.today.Subjects[i])
	}
}

// held reports whether every check of the record holds today, and nothing is to be asked again.
func (r *run) held(a *artifact) bool {
	releases := a.today.Listing.Releases
	for i := range releases {
		kept, there := a.record.Checks[releases[i].Version]
		if !there || !kept.holds(keyOf(a.policy, a.digest, r.opt.Roots, &releases[i]), a.policy, releases[i].Version) || kept.Again != "" && r.opt.Sources != nil {
			return false
		}
	}
	return true
}

// list gives today's listing: as the registry tells it, or as it was where it says that nothing
// has changed.
func (r *run) list(ctx context.Context, a *artifact, reader registry.Reader) (*registry.Listing, error) {
	var since registry.Validator
	if a.record.Listing != nil && a.record.Policy == a.digest {
		since = a.record.Listing.Validator
	}
	listing, err := reader.List(ctx, a.policy.Name, since)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts.Requests++
	switch {
	case errors.Is(err, registry.ErrNotModified) && a.record.Listing != nil:
		r.counts.Unchanged++
		a.unchanged = true
		return a.record.Listing, nil
	case err != nil:
		return nil, err
	}
	a.fresh = true
	// Of a version that was taken back the registry has its number alone: it is gone.
	listing.Releases = slices.DeleteFunc(listing.Releases, func(p registry.Published) bool { return p.Unpublished.Value })
	if len(a.policy.Versions) > 0 {
		listing.Releases = slices.DeleteFunc(listing.Releases, func(p registry.Published) bool { return !slices.Contains(a.policy.Versions, p.Version) })
	}
	return listing, nil
}

// check has one version checked, and asks its repository about it.
func (r *run) check(ctx context.Context, a *artifact, reader registry.Reader, release *registry.Published) drift.Subject {
	s, signatures := r.opt.Checker.Check(ctx, Request{Artifact: a.policy, Reader: reader, Listing: &a.today.Listing, Release: release})
	r.mu.Lock()
	r.counts.Checked += signatures
	r.mu.Unlock()
	if r.opt.Sources == nil || a.policy.Source == "" {
		return s
	}
	id := r.askRun(ctx, a, &s)
	if commit := r.commitOf(a, release, id); commit != "" && len(s.Archives) > 0 {
		s.Tree = r.opt.Sources.Tree(ctx, a.policy.Source, commit)
	}
	return s
}

// askRun asks about the run of a version's certificate, and gives who signed.
func (r *run) askRun(ctx context.Context, a *artifact, s *drift.Subject) *verify.Identity {
	id, signed := signerOf(s.Proofs)
	if id != nil && id.RunURI != "" {
		s.Run = r.opt.Sources.Run(ctx, buildrun.Question{Identity: *id, Signed: signed, Kind: a.policy.Kind, Branch: a.policy.Branch})
	}
	return id
}

// again says what of a version is asked for again: its run, where the policy wants it and
// something about it is not known for a reason that passes, and the tree of its commit.
func again(a *policy.Artifact, version string, s *drift.Subject) string {
	passes := func(g verify.Gap) bool { return !slices.Contains(lasting, g.Code) }
	if id, _ := signerOf(s.Proofs); a.Run && a.Required(version) && id != nil && id.RunURI != "" {
		if !s.Run.Known && passes(s.Run.Gap) || slices.ContainsFunc(s.Run.Value.Gaps(), passes) {
			return againRun
		}
	}
	if s.Tree.Gap.Code == verify.GapNoAnswer {
		return againTree
	}
	return ""
}

// commitOf is the commit that a version was made of: that of its certificate, of its tag, or
// what the registry was told, in this order.
func (r *run) commitOf(a *artifact, release *registry.Published, id *verify.Identity) string {
	if id != nil && id.SourceDigest != "" {
		return id.SourceDigest
	}
	if tag, ok := a.policy.GitTag(release.Version); ok {
		if t, there := a.today.Source.Tags.Value[tag]; there {
			return t.Commit
		}
	}
	head, _ := release.Head.Get()
	return head
}

// signerOf is who signed a version without a key, and when: of its provenance, where there is one.
func signerOf(proofs []verify.Proof) (id *verify.Identity, signed time.Time) {
	for i := range proofs {
		if p := &proofs[i]; p.Identity != nil && (id == nil || p.Kind == verify.KindProvenance) {
			id, signed = p.Identity, p.Time
		}
	}
	return id, signed
}

// save writes what the next run needs of an artifact, where anything changed.
func (r *run) save(ctx context.Context, a *artifact, judged drift.Judged) error {
	if r.opt.Records == nil || a.fault != nil || !a.fresh && a.told.At.Equal(a.record.Told.At) {
		return nil
	}
	rec := record{Schema: schema, Listing: &a.today.Listing, Policy: a.digest, Checks: map[string]check{}, Seen: &judged.Seen, Gone: a.gone(), Told: a.told}
	maps.Copy(rec.Checks, a.record.Checks) // also of a version that is gone, and may come back
	for i := range a.today.Listing.Releases {
		rec.Checks[a.today.Listing.Releases[i].Version] = checkOf(a.keys[i], &a.today.Subjects[i], a.again[i])
	}
	body, err := json.Marshal(&rec)
	if err != nil {
		return err
	}
	_, swapped, err := r.opt.Records.Swap(ctx, a.key, a.version, body)
	if err == nil && !swapped {
		err = fmt.Errorf("another run wrote it meanwhile, which counts")
	}
	return err
}

// unlisted are the versions that were known of an artifact whose listing could not be had.
func unlisted(a *artifact) []string {
	if a.record == nil || a.record.Seen == nil {
		return nil
	}
	var out []string
	for _, v := range a.record.Seen.Versions {
		out = append(out, v.Version)
	}
	return out
}

// accept forgets what was known of versions whose change a person takes for good.
func (a *artifact) accept(accepted func(*policy.Artifact, string) bool) {
	if accepted == nil || a.today.Yesterday == nil {
		return
	}
	seen := *a.today.Yesterday
	for _, v := range a.today.Yesterday.Versions {
		if accepted(a.policy, v.Version) {
			seen.Accept(v.Version)
			a.fresh = true
		}
	}
	a.today.Yesterday = &seen
}

// gone are the versions that were published once and are no longer, sorted.
func (a *artifact) gone() []string {
	known := append(unlisted(a), a.record.Gone...)
	slices.Sort(known)
	return slices.DeleteFunc(slices.Compact(known), func(version string) bool {
		return slices.ContainsFunc(a.today.Listing.Releases, func(p registry.Published) bool { return p.Version == version })
	})
}

// gapOf says why a registry's answer could not be had.
func gapOf(err error) verify.Gap {
	g := verify.Gap{Code: verify.GapNoAnswer, Detail: err.Error()}
	switch {
	case errors.Is(err, registry.ErrDenied), errors.Is(err, registry.ErrForbidden):
		g.Code = verify.GapDenied
	case errors.Is(err, registry.ErrNotServed):
		g.Code = verify.GapNotServed
	}
	return g
}
