package sweep

import (
	"time"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// tally counts the events of a run and makes its summary and exit code.
type tally struct {
	opt     Options
	summary finding.Summary
	fails   bool // an active finding that FailsOn counts
	general bool // a problem of the run itself
	// of the repository whose events are being counted:
	hit, unknown bool
}

func newTally(opt Options) *tally {
	t := &tally{opt: opt}
	t.summary.Findings = map[finding.State]int{}
	t.summary.Unmatched = map[string]int{}
	t.summary.NotLookedAt = map[string]int{}
	t.summary.Shown = make(map[string]int, len(opt.Shown))
	for _, property := range opt.Shown {
		t.summary.Shown[string(property)] = 0
	}
	st := opt.Set.Stats()
	for of, n := range st.Unmatched {
		for kind, shown := range st.Shown[of] {
			if ioc.Meets(kind, opt.Shown) {
				n -= shown
			}
		}
		if n > 0 {
			t.summary.NotLookedAt[string(of)] = n
		}
	}
	if opt.NoSizes {
		for of, n := range st.BySize {
			t.summary.NotLookedAt[string(of)] += n
		}
	}
	if opt.Exclusions != nil {
		t.summary.Expired = opt.Exclusions.Expired()
	}
	return t
}

// count takes an event before it is emitted.
func (t *tally) count(e finding.Event) {
	switch e := e.(type) {
	case *finding.Finding:
		t.summary.Findings[e.State]++
		if e.State == finding.Active {
			t.hit = true
			if t.opt.FailsOn == nil || t.opt.FailsOn(e) {
				t.fails = true
			}
		}
	case *finding.Problem:
		if e.Exclusion != nil {
			t.summary.Excluded++
			return
		}
		t.summary.Problems++
		t.unknown = true
		if e.Repository == "" {
			t.general = true
		}
	}
}

// repository closes the count of a repository, after its events.
func (t *tally) repository(r *result) {
	switch {
	case t.hit:
		t.summary.Repositories.Hit++
	case t.unknown:
		t.summary.Repositories.Unknown++
	case !r.loose:
		t.summary.Repositories.Clean++
	}
	t.hit, t.unknown = false, false
	for _, seen := range r.seen {
		t.summary.Shown[seen.Property]++
	}
	for property, n := range r.counted {
		t.summary.Shown[property] += n
	}
	for _, tree := range r.trees {
		t.summary.Files.Total += tree.files
		for _, fr := range tree.inScope {
			if fr.content == nil {
				if fr.err != nil {
					t.summary.Files.Unparsed++
				}
				continue
			}
			if len(fr.content.tell().problems) > 0 {
				t.summary.Files.Unparsed++
			} else {
				t.summary.Files.Parsed++
			}
			t.summary.Packages += fr.content.packages
			for kind, n := range fr.content.unmatched {
				if n > 0 {
					t.summary.Unmatched[lockfile.SourceKind(kind).String()] += int(n)
				}
			}
			if fr.content.first() {
				t.summary.Files.Distinct++
			}
		}
	}
}

// finish sets what only the end of the run tells.
func (t *tally) finish(elapsed time.Duration, interrupted bool) {
	s := &t.summary
	s.Elapsed = elapsed.Seconds()
	s.Interrupted = interrupted
	if t.general { // a reader fell silent, or the catalogue is not whole: nothing is clean
		s.Repositories.Unknown += s.Repositories.Clean
		s.Repositories.Clean = 0
	}
	switch {
	case t.fails:
		s.Exit = 1
	case s.Problems > 0:
		s.Exit = 3
	}
}
