// Package watch looks at what an organisation publishes minute by minute, since no event of GitHub
// tells of a version that was published with a stolen token.
//
// It decides which artifacts of a policy are due, claims them, has them looked at (package
// published, narrowed to them), and hands on what is new: findings, what is settled, and what
// could not be asked for a while. What is due, and what was handed on, is kept in records, so that
// a restart forgets nothing and several processes do not look at one artifact at once.
//
// A registry that tells what it told before costs one conditional request, and nothing else is
// asked. What could not be asked is unknown, and is asked again, later each time up to a bound;
// it is never taken for good.
package watch

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/internal/published"
	"github.com/wormsweep/wormsweep/internal/triage"
)

// The defaults of Options.
const (
	DefaultEvery    = 3 * time.Minute
	DefaultSettle   = 10 * time.Minute
	DefaultParallel = 8
	DefaultRate     = 60
	DefaultHold     = time.Minute
)

const (
	longest   = 165 * time.Second // time of a look
	hasty     = 30 * time.Second  // between two looks at what is expected to change, or is too young
	firstSoon = time.Minute       // until what could not be asked is asked for the first time again
	mostBack  = 4                 // intervals between two looks at what cannot be asked
	unknownAt = 3                 // looks in a row that leave something unknown before it is handed on
	recent    = 30 * time.Minute  // what changed so lately is judged together
	together  = 3                 // from so many on
)

// Options are the settings of a Watcher. Run and Records are needed.
type Options struct {
	// Run has artifacts looked at: published.Run with the readers, checkers and records of the
	// daily verification. quiet is its Options.Quiet.
	Run func(ctx context.Context, only []*policy.Artifact, quiet func(*policy.Artifact) bool, emit func(finding.Event) error) (*finding.Summary, error)
	// Records keep when an artifact is due.
	Records published.Records
	// Take is handed what is new. Where it fails the same is handed to it again, soon: it is
	// called at least once for each news. nil takes nothing.
	Take func(ctx context.Context, n News) error

	Every    time.Duration // between two looks at an artifact, give or take a tenth; 0: DefaultEvery
	Settle   time.Duration // how old a version is before what is not there yet counts; 0: DefaultSettle
	Parallel int           // artifacts of one registry that are looked at together; 0: DefaultParallel
	Rate     int           // looks at one registry in a minute; 0: DefaultRate
	Hold     time.Duration // how long a claim outlives its process; 0: DefaultHold
	Holder   string        // of claims; "" is made up
	Log      *slog.Logger
	Now      func() time.Time
}

// News is what a look at some artifacts has shown that was not handed on before.
type News struct {
	// Events are the stream of the look, framed by its Run and Summary, for incidents. All
	// artifacts that were looked at are in it.
	Events []finding.Event
	// Signals are of versions with a bad verdict that were not handed on before.
	Signals []triage.Signal
	// Unknown are the artifacts, by purl, that could not be asked for some time, with why.
	Unknown map[string]string
}

// Watcher watches. It is safe for concurrent use, and several of one set of records do no harm.
type Watcher struct {
	opt Options
}

// New makes a Watcher.
func New(o Options) *Watcher {
	o.Every, o.Settle = cmp.Or(o.Every, DefaultEvery), cmp.Or(o.Settle, DefaultSettle)
	o.Parallel, o.Rate = cmp.Or(o.Parallel, DefaultParallel), cmp.Or(o.Rate, DefaultRate)
	o.Hold = cmp.Or(o.Hold, DefaultHold)
	if o.Holder == "" {
		o.Holder = fmt.Sprintf("%x", rand.Uint64())
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Take == nil {
		o.Take = func(context.Context, News) error { return nil }
	}
	return &Watcher{opt: o}
}

// Count is what a turn did.
type Count struct {
	Looked  int // artifacts
	Bad     int // of them, with a version that makes an incident
	Unknown int // of them, that could not be asked, or not in full
	Held    int // that were due, and another process looked at
}

func (c *Count) add(more Count) {
	c.Looked, c.Bad, c.Unknown, c.Held = c.Looked+more.Looked, c.Bad+more.Bad, c.Unknown+more.Unknown, c.Held+more.Held
}
