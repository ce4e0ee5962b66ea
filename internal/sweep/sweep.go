// Package sweep turns repositories into findings, problems and a coverage ledger.
//
// Every file of every tree is held against the file indicators; those that formats.For
// knows are read and their entries matched. Each distinct content is read and parsed once
// in a run, whatever repositories, refs and paths hold it. Nothing in scope is passed over
// in silence: what was not read is a finding.Problem, and its repository is not clean.
package sweep

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"time"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// Options are the settings of a run. The zero value of each but Set is ready for use.
type Options struct {
	Set        *ioc.Set   // what is looked for; nil looks for nothing
	Exclusions Exclusions // nil excludes nothing
	Jobs       int        // files read at once; 0 is one for each processor
	InFlight   int        // repositories that are looked at together; 0 is twice Jobs
	Memory     Memory     // of other runs; nil remembers nothing
	Selection  string     // which refs were asked for, for Memory
	// Problems are what was wrong before the run, with the catalogue for one: they are emitted
	// first, and nothing is clean with them.
	Problems []*finding.Problem
	// Shown are the properties that the source tells of its repositories (source.Seen), for the
	// count of indicators that were not looked at.
	Shown   []ioc.Property
	NoSizes bool // the source tells the size of a file only where an indicator of its path asks
	Explain bool // also tell, by finding.NonMatch, why a listed name was not a finding

	// FailsOn says whether an active finding makes the exit code 1; nil: each does.
	FailsOn func(*finding.Finding) bool

	Version string   // of the program, for finding.Run
	Paths   []string // as named by the user, for finding.Run
	Shard   string   // of what they name, as well
	Partial bool     // a choice of what they name, or of campaigns; for finding.Run too
	Only    []string // the campaigns that Set was narrowed to; for finding.Run too
	Now     func() time.Time
}

// Exclusions says what an organisation has decided to live with. Both methods return nil
// for what is not excluded; they are called from one goroutine.
type Exclusions interface {
	Finding(*finding.Finding) *finding.Exclusion
	Problem(*finding.Problem) *finding.Exclusion
	Expired() []string
}

// ErrOutput wraps the error of an emit function: the output is incomplete.
var ErrOutput = errors.New("output")

// Run sweeps the repositories and emits the events of the run, in the order that
// finding.Event gives. It returns the summary that it emitted last.
//
// When ctx is done it stops reading, and what was not looked at is emitted as problems. An
// error from emit ends the run (ErrOutput), and so does an error of repos that comes
// without a repository: the paths were wrong. The summary then holds what was counted so
// far, for the exit code.
func Run(ctx context.Context, repos iter.Seq2[*source.Repository, error], opt Options, emit func(finding.Event) error) (*finding.Summary, error) {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Jobs <= 0 {
		opt.Jobs = runtime.GOMAXPROCS(0)
	}
	if opt.InFlight <= 0 {
		opt.InFlight = 2 * opt.Jobs
	}
	if opt.Set == nil {
		opt.Set = &ioc.Set{}
	}
	started := opt.Now()
	t := newTally(opt)
	out := func(e finding.Event) error {
		t.count(e)
		if err := emit(e); err != nil {
			return fmt.Errorf("%w: %w", ErrOutput, err)
		}
		return nil
	}
	err := run(ctx, repos, opt, t, started, out)
	t.finish(opt.Now().Sub(started), ctx.Err() != nil)
	if err != nil {
		return &t.summary, err
	}
	return &t.summary, out(&t.summary)
}

func run(ctx context.Context, repos iter.Seq2[*source.Repository, error], opt Options, t *tally, started time.Time, out func(finding.Event) error) error {
	if err := out(describe(opt, started)); err != nil {
		return err
	}
	planted, missed := Canaries()
	t.summary.Canaries = finding.Canaries{Planted: planted, Missed: missed}
	for _, p := range opt.Problems {
		if err := out(p); err != nil {
			return err
		}
	}
	for _, id := range missed {
		p := &finding.Problem{Format: id, Code: CodeCanary, Detail: "the reader of this format did not show a package that was planted in memory: nothing it says can be trusted"}
		if err := out(p); err != nil {
			return err
		}
	}

	stop, cancel := context.WithCancel(ctx)
	defer cancel()
	_, known := opt.Memory.(Briefer)
	p := newPool(opt)
	results, wait := p.start(stop, repos)
	defer wait()
	defer cancel() // before wait, so that an early return does not read on
	for next := range results {
		r := <-next
		if r.err != nil {
			return r.err
		}
		events := r.events(opt)
		for _, e := range events {
			if err := out(e); err != nil {
				return err
			}
		}
		t.repository(r)
		if opt.Memory != nil && !known { // what is done stays done when the run is stopped
			if err := opt.Memory.Keep(context.WithoutCancel(ctx), r.kept(opt.Selection, events)); err != nil {
				p.memory.failed(err)
			}
		}
	}
	if problem := p.memory.problem(); problem != nil {
		if err := out(problem); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return out(&finding.Problem{Code: CodeInterrupted, Detail: "the sweep was stopped; repositories that are not listed were not looked at"})
	}
	if t.summary.Repositories == (finding.Repositories{}) {
		return out(&finding.Problem{Code: CodeNothing, Detail: "no repository lies at the named paths"})
	}
	return nil
}

// The codes of problems that only a sweep can have.
const (
	CodeCanary      = "canary"
	CodeCatalogue   = "catalogue" // a row of a list of indicators that is none: it was not looked for
	CodeInterrupted = "interrupted"
	CodeInventory   = "inventory" // it could not be read or written: what it knew was read again
	CodeReader      = "reader"    // a reader broke off at a file, by a fault of ours
	CodeNothing     = "nothing"   // no repository was looked at: the paths are not what they were meant to be
)

func describe(opt Options, started time.Time) *finding.Run {
	st := opt.Set.Stats()
	return &finding.Run{
		Stream: finding.StreamVersion, Tool: "wormsweep", Version: opt.Version, Started: started.UTC(), Paths: opt.Paths, Shard: opt.Shard, Partial: opt.Partial, Only: opt.Only,
		Catalogue: finding.Catalogue{
			Revision: opt.Set.Revision(), Campaigns: st.Campaigns, Indicators: st.Indicators,
			Packages: st.Packages, Versions: st.Versions,
		},
	}
}

// start sweeps the repositories side by side and sends their results in the order in which
// repos yields them; each result is a channel of one. The channel closes after the last; wait
// returns when every goroutine has ended.
func (p *pool) start(ctx context.Context, repos iter.Seq2[*source.Repository, error]) (results <-chan chan *result, wait func()) {
	ordered := make(chan chan *result, p.opt.InFlight) // bounds the repositories held at once
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer p.close()
		defer close(ordered)
		for repo, err := range repos {
			next := make(chan *result, 1)
			select {
			case <-ctx.Done():
				return
			case ordered <- next:
			}
			if err != nil {
				next <- &result{err: err}
				return
			}
			p.repositories.Add(1)
			go func() {
				defer p.repositories.Done()
				next <- p.sweep(ctx, repo)
			}()
		}
	}()
	return ordered, func() { <-done }
}
