package shard

import (
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/report"
	"github.com/wormsweep/wormsweep/internal/verify"
)

// Stream is what one machine put out: the JSON stream of its sweep.
type Stream struct {
	Name string // in problems: the file's name
	io.Reader
}

// The codes of problems that only joining can have.
const (
	CodeStream  = "stream"        // a stream that is cut short, unreadable or none of ours
	CodeMissing = "missing-shard" // a share that no stream covers
	CodeDiffers = "shards-differ" // shares of different runs: another catalogue, another division, one share twice
)

// Join emits the events of the streams as those of one run: its Run, what is wrong with the
// streams, the events in the order of their repositories, and the Summary, which it returns. An
// error is that of emit; the summary then holds what was counted so far.
func Join(streams []Stream, emit func(finding.Event) error) (*finding.Summary, error) {
	j := joint{emit: emit, summary: finding.Summary{
		Findings: map[finding.State]int{}, Unmatched: map[string]int{}, Shown: map[string]int{}, NotLookedAt: map[string]int{},
	}}
	for _, s := range streams {
		next, stop := iter.Pull2(report.ReadStream(s))
		defer stop()
		j.parts = append(j.parts, &part{name: s.Name, next: next})
	}
	err := j.run()
	j.finish()
	if err == nil {
		err = emit(&j.summary)
	}
	return &j.summary, err
}

// part is a stream that is being read.
type part struct {
	name    string
	next    func() (finding.Event, error, bool)
	run     *finding.Run
	head    finding.Event // the event that is due, nil at the end
	summary *finding.Summary
	broken  string // why it cannot be read on

	// seen counts what was read, for a stream that ends without a summary: what it found was
	// found all the same.
	seen struct {
		findings map[finding.State]int
		problems int
		hit, not map[string]bool // repositories with an active finding, and all others
	}
}

type joint struct {
	parts   []*part
	emit    func(finding.Event) error
	summary finding.Summary
	fails   bool
	unsound bool // a stream is not whole: nothing is clean
}

func (j *joint) run() error {
	run := &finding.Run{Stream: finding.StreamVersion, Tool: "wormsweep"}
	for _, p := range j.parts {
		p.begin()
		if p.run == nil {
			continue
		}
		if run.Version == "" {
			*run = *p.run
			run.Shard, run.Paths = "", nil
		}
		run.Published = run.Published && p.run.Published // of both a sweep and a verification the summary tells
		run.Partial = run.Partial || p.run.Partial
		if p.run.Started.Before(run.Started) {
			run.Started = p.run.Started
		}
		for _, path := range p.run.Paths {
			if !slices.Contains(run.Paths, path) {
				run.Paths = append(run.Paths, path)
			}
		}
	}
	if err := j.emit(run); err != nil {
		return err
	}
	for _, problem := range j.wrong() {
		if err := j.out(problem); err != nil {
			return err
		}
	}
	for p := j.first(); p != nil; p = j.first() {
		e := p.head
		p.step()
		if err := j.out(e); err != nil {
			return err
		}
	}
	for _, p := range j.parts {
		why := p.broken
		switch {
		case why != "":
		case p.summary == nil:
			why = "it ends without a summary: the sweep was not finished"
		default:
			why = p.differs()
		}
		if why != "" {
			if err := j.out(unsound(CodeStream, "%q: %s", p.name, why)); err != nil {
				return err
			}
		}
	}
	return nil
}

// begin reads the run of a stream and the event after it.
func (p *part) begin() {
	p.step()
	run, ok := p.head.(*finding.Run)
	if !ok {
		if p.broken == "" {
			p.broken = "it does not begin with a run"
		}
		p.head, p.summary = nil, nil
		return
	}
	p.run = run
	p.step()
}

// step goes to the next event. A summary ends the stream: what stands behind it, another sweep in
// the same file for one, was not read.
func (p *part) step() {
	p.head = nil
	if p.summary != nil || p.broken != "" {
		return
	}
	e, err, ok := p.next()
	switch {
	case !ok:
	case err != nil:
		p.broken = err.Error()
	default:
		if s, is := e.(*finding.Summary); is {
			p.summary = s
			if _, _, more := p.next(); more {
				p.broken = "more stands behind its summary: want one sweep in a file"
			}
			return
		}
		p.head = e
		p.count(e)
	}
}

func (p *part) count(e finding.Event) {
	seen := &p.seen
	if seen.findings == nil {
		seen.findings, seen.hit, seen.not = map[finding.State]int{}, map[string]bool{}, map[string]bool{}
	}
	switch e := e.(type) {
	case *finding.Finding:
		seen.findings[e.State]++
		if e.State == finding.Active {
			seen.hit[e.Repository] = true
		}
	case *finding.Problem:
		if e.Exclusion == nil {
			seen.problems++
		}
	}
	if name := repository(e); name != "" {
		seen.not[name] = true
	}
}

// sum is the summary of the stream, or what was seen of it. How much a sweep that did not end
// would have let pass by --fail-on it does not say, so that each active finding counts.
func (p *part) sum() *finding.Summary {
	if p.summary != nil {
		s := *p.summary
		if p.seen.findings[finding.Active] > s.Findings[finding.Active] { // which it does not know of
			s.Exit = 1
		}
		return &s
	}
	s := &finding.Summary{Findings: p.seen.findings, Problems: p.seen.problems, Interrupted: true}
	hit, not := len(p.seen.hit), len(p.seen.not)-len(p.seen.hit)
	if p.run != nil && p.run.Published {
		s.Published = &finding.Published{Hit: hit, Unknown: not}
	} else {
		s.Repositories.Hit, s.Repositories.Unknown = hit, not
	}
	if s.Findings[finding.Active] > 0 {
		s.Exit = 1
	}
	return s
}

// differs says how a summary does not fit what stands before it, of which some was lost then; "" where
// it does.
func (p *part) differs() string {
	for _, state := range []finding.State{finding.Active, finding.Weak, finding.Latent, finding.LookAlike, finding.Withdrawn, finding.Excluded} {
		if a, b := p.summary.Findings[state], p.seen.findings[state]; a != b {
			return fmt.Sprintf("its summary counts %d findings that are %s, and %d stand before it", a, state, b)
		}
	}
	if a, b := p.summary.Problems, p.seen.problems; a != b {
		return fmt.Sprintf("its summary counts %d problems, and %d stand before it", a, b)
	}
	return ""
}

// first is the stream whose event is next: one that belongs to no repository, or the first
// repository by name.
func (j *joint) first() *part {
	var out *part
	for _, p := range j.parts {
		if p.head != nil && (out == nil || repository(p.head) < repository(out.head)) {
			out = p
		}
	}
	return out
}

func repository(e finding.Event) string {
	switch e := e.(type) {
	case *finding.Finding:
		return e.Repository
	case *finding.Problem:
		return e.Repository
	case *finding.NonMatch:
		return e.Repository
	case *finding.Coverage:
		return e.Repository
	case *finding.Verification:
		return e.Artifact
	}
	return ""
}

func unsound(code, format string, args ...any) *finding.Problem {
	return &finding.Problem{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// wrong says what keeps the streams from being the parts of one run.
func (j *joint) wrong() []*finding.Problem {
	var out []*finding.Problem
	seen := map[Shard]string{}
	var first, swept *part // of all streams, and of those of sweeps
	for _, p := range j.parts {
		if p.run == nil {
			continue
		}
		if first == nil {
			first = p
		}
		if a, b := first.run.Catalogue.Revision, p.run.Catalogue.Revision; a != b {
			out = append(out, unsound(CodeDiffers, "%q and %q looked for different catalogues, %s and %s", first.name, p.name, a, b))
		}
		if p.run.Published {
			continue // it is beside the shares of the sweep, and none of them
		}
		if swept == nil {
			swept = p
		}
		share := Shard{}
		if p.run.Shard != "" {
			var err error
			if share, err = Parse(p.run.Shard); err != nil {
				out = append(out, unsound(CodeStream, "%q: shard %v", p.name, err))
				continue
			}
		}
		if why := apart(swept.run, p.run); share.Count > 0 && why != "" {
			out = append(out, unsound(CodeDiffers, "%q and %q are of different runs: %s", swept.name, p.name, why))
		}
		if other, twice := seen[share]; twice && share.Count > 0 {
			out = append(out, unsound(CodeDiffers, "%q and %q are both shard %s", other, p.name, share))
		}
		seen[share] = p.name
	}
	return append(out, missing(seen)...)
}

// oneRun is how far apart the shares of one run may begin; some wait for a machine.
const oneRun = 24 * time.Hour

// apart says why two shares are not of one run; "" where they may be.
func apart(a, b *finding.Run) string {
	switch between := a.Started.Sub(b.Started).Abs(); {
	case !slices.Equal(a.Paths, b.Paths):
		return fmt.Sprintf("of %q and of %q", a.Paths, b.Paths)
	case a.Partial != b.Partial:
		return "one is of a choice of repositories or campaigns"
	case between > oneRun:
		return fmt.Sprintf("begun %s apart", between.Round(time.Minute))
	}
	return ""
}

// missing names the shares that no stream covers.
func missing(seen map[Shard]string) []*finding.Problem {
	var out []*finding.Problem
	counts := map[int]bool{}
	for share := range seen {
		if share.Count > 0 {
			counts[share.Count] = true
		}
	}
	if len(counts) > 1 {
		all := slices.Sorted(maps.Keys(counts))
		out = append(out, unsound(CodeDiffers, "the streams divide the organisation in different ways, by %d and by %d", all[0], all[1]))
	}
	for _, count := range slices.Sorted(maps.Keys(counts)) {
		for i := 1; i <= count; i++ {
			if share := (Shard{i, count}); seen[share] == "" {
				out = append(out, unsound(CodeMissing, "shard %s: no stream of it: its repositories were not looked at", share))
			}
		}
	}
	return out
}

// out counts a problem of the joint itself and emits e.
func (j *joint) out(e finding.Event) error {
	if p, ok := e.(*finding.Problem); ok && p.Exclusion == nil && p.Repository == "" {
		j.unsound = true
		switch p.Code {
		case CodeStream, CodeMissing, CodeDiffers:
			j.summary.Problems++
		}
	}
	return j.emit(e)
}

// finish adds up the summaries.
func (j *joint) finish() {
	s := &j.summary
	for _, p := range j.parts {
		j.add(p.sum())
	}
	if j.unsound {
		s.Repositories.Unknown += s.Repositories.Clean
		s.Repositories.Clean = 0
		if p := s.Published; p != nil {
			p.Good, p.Unknown = 0, p.Unknown+p.Good
		}
	}
	switch {
	case j.fails:
		s.Exit = 1
	case s.Problems > 0:
		s.Exit = 3
	}
}

func (j *joint) add(part *finding.Summary) {
	s := &j.summary
	j.fails = j.fails || part.Exit == 1
	s.Repositories.Hit += part.Repositories.Hit
	s.Repositories.Clean += part.Repositories.Clean
	s.Repositories.Unknown += part.Repositories.Unknown
	for state, n := range part.Findings {
		s.Findings[state] += n
	}
	s.Problems += part.Problems
	s.Excluded += part.Excluded
	s.Files.Parsed += part.Files.Parsed
	s.Files.Unparsed += part.Files.Unparsed
	s.Files.Total += part.Files.Total
	s.Files.Distinct += part.Files.Distinct
	s.Packages += part.Packages
	for kind, n := range part.Unmatched {
		s.Unmatched[kind] += n
	}
	for property, n := range part.Shown {
		s.Shown[property] += n
	}
	for kind, n := range part.NotLookedAt { // each looked for the same, so this is no sum
		s.NotLookedAt[kind] = max(s.NotLookedAt[kind], n)
	}
	if p := part.Published; p != nil {
		if s.Published == nil {
			s.Published = &finding.Published{Versions: map[verify.Verdict]int{}}
		}
		addPublished(s.Published, p)
	}
	s.Canaries.Planted = max(s.Canaries.Planted, part.Canaries.Planted)
	for _, missed := range part.Canaries.Missed {
		if !slices.Contains(s.Canaries.Missed, missed) {
			s.Canaries.Missed = append(s.Canaries.Missed, missed)
		}
	}
	for _, expired := range part.Expired {
		if !slices.Contains(s.Expired, expired) {
			s.Expired = append(s.Expired, expired)
		}
	}
	s.Interrupted = s.Interrupted || part.Interrupted
	s.Elapsed = max(s.Elapsed, part.Elapsed)
}

func addPublished(s, part *finding.Published) {
	s.Hit += part.Hit
	s.Good += part.Good
	s.Unknown += part.Unknown
	for v, n := range part.Versions {
		s.Versions[v] += n
	}
	s.Checked += part.Checked
	s.Requests += part.Requests
	s.Unchanged += part.Unchanged
}
