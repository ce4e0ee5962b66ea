// Package published answers of every published version of every artifact of a policy whether it
// is really ours. It asks the registries what is published, has what is new or changed checked,
// has package drift judge it beside yesterday, and puts the answers out as the events of package
// finding.
//
// What a registry says has not changed is not asked for again, and a signature that was checked
// with the same policy and trusted roots about the same digest is not checked again. What could
// not be had yesterday is asked for anew.
//
// A registry that does not answer makes its artifact's versions unknown, and not the run fail.
package published

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wormsweep/wormsweep/internal/drift"
	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// Options are the settings of a run. Policy, Reader and Checker are needed.
type Options struct {
	Policy *policy.Policy
	File   string // name of the policy, for the stream
	// Only are the artifacts to look at; nil: all of the policy.
	Only []*policy.Artifact

	// Quiet says of an artifact that it is left out of the answer where nothing has changed: its
	// registry tells what it told before, and every check of it holds. Its repository is not asked
	// then, and nothing is emitted of it. nil: no artifact is.
	Quiet func(a *policy.Artifact) bool

	// Reader gives the reader of the registry that an artifact is published at.
	Reader  func(a *policy.Artifact) (registry.Reader, error)
	Checker Checker
	// Sources tell what the artifact's repository knows; nil: it is not asked, and each rule that
	// wants it says so.
	Sources Sources
	// Records remember between runs; nil: nothing is remembered, and every signature is checked.
	Records Records
	// Listed says of a version whether the catalogue lists it, and why; nil: nothing is listed.
	Listed func(a *policy.Artifact, version string) (evidence string, listed bool)
	// Accepted reports whether a person took a change of a version for good. nil: none was.
	Accepted func(a *policy.Artifact, version string) bool
	// Excluded gives the exclusion that covers a finding or problem; nil: none does.
	Excluded func(e finding.Event) *finding.Exclusion

	Roots     string // digest of the trusted roots
	Catalogue finding.Catalogue
	Program   string // version of this program
	Workers   int    // artifacts that are asked for at once; 0: 16
	Now       func() time.Time
}

// Checker checks what is served beside one version. It is safe for concurrent use. What goes
// wrong is in the Subject: it has no error of its own.
type Checker interface {
	// Check gives the subject, and how many signatures were verified for it.
	Check(ctx context.Context, r Request) (s drift.Subject, signatures int)
}

// Request is one version to be checked.
type Request struct {
	Artifact *policy.Artifact
	Reader   registry.Reader
	Listing  *registry.Listing
	Release  *registry.Published
}

// CodeNotVerified is the code of the problem of a version that could not be verified, and of an
// artifact that could not be asked for.
const CodeNotVerified = "not-verified"

// ErrEmpty is returned for a policy without an artifact: nothing to verify is not everything
// verified.
var ErrEmpty = errors.New("the policy names no artifact")

// Run verifies and emits: a Run, then artifact by artifact in the order of their purls a
// Verification, Coverage and where it is due a Finding or Problem for each version, and the
// Summary, which it returns. An error is ErrEmpty, or of emit.
func Run(ctx context.Context, opt Options, emit func(finding.Event) error) (*finding.Summary, error) {
	r := &run{opt: opt, emit: emit}
	if r.opt.Now == nil {
		r.opt.Now = time.Now
	}
	r.started = r.opt.Now()
	only := opt.Only
	if only == nil {
		for i := range opt.Policy.Artifacts {
			only = append(only, &opt.Policy.Artifacts[i])
		}
	}
	if len(only) == 0 {
		return nil, ErrEmpty
	}
	for _, a := range only {
		r.artifacts = append(r.artifacts, &artifact{policy: a, purl: PURL(a, "")})
	}
	slices.SortFunc(r.artifacts, func(a, b *artifact) int { return strings.Compare(a.purl, b.purl) })
	if err := emit(&finding.Run{
		Stream: finding.StreamVersion, Tool: "wormsweep", Version: opt.Program, Started: r.started.UTC(), Paths: []string{opt.File},
		Partial: opt.Only != nil || opt.Quiet != nil, Published: true, Catalogue: opt.Catalogue,
	}); err != nil {
		return nil, err
	}
	r.askAll(ctx)
	return r.answer(ctx)
}

type run struct {
	opt     Options
	emit    func(finding.Event) error
	started time.Time

	artifacts []*artifact
	mu        sync.Mutex
	counts    finding.Published
	problems  []*finding.Problem // of the run
}

// artifact is what is known of one artifact in this run.
type artifact struct {
	policy  *policy.Artifact
	purl    string
	digest  string // of the policy
	key     string // of its record
	record  *record
	version int64 // of the record
	fault   error // why today's listing could not be had

	quiet     bool // there is nothing to say of it
	told      told // of its repository
	brief     *drift.Brief
	today     drift.Artifact
	keys      []string // of the checks, one for each release
	again     []string // what of each is asked for again
	unchanged bool     // the registry says that nothing is new
	fresh     bool     // something was told or checked in this run: the record is written
	put       bool     // it is as its record has it, and was let go of until it is told of
}

// askAll asks for every artifact, so many at once.
func (r *run) askAll(ctx context.Context) {
	workers := r.opt.Workers
	if workers <= 0 {
		workers = 16
	}
	queue := make(chan *artifact)
	var wg sync.WaitGroup
	for range min(workers, len(r.artifacts)) {
		wg.Go(func() {
			for a := range queue {
				r.ask(ctx, a)
			}
		})
	}
	for _, a := range r.artifacts {
		queue <- a
	}
	close(queue)
	wg.Wait()
}

// problem notes a problem of the run.
func (r *run) problem(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.problems = append(r.problems, &finding.Problem{Code: CodeNotVerified, Detail: fmt.Sprintf(format, args...)})
}
