package exposure

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/wormsweep/wormsweep/internal/ghread"
	"github.com/wormsweep/wormsweep/internal/lookup"
	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/internal/triage"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// Asker has the data. What of it is nil is not known: the questions that need it stay unknown.
type Asker struct {
	Set    *ioc.Set
	Policy *policy.Policy
	Store  *store.Store
	// GitHub gives a reader for the repositories of an owner, which believes what GitHub said since
	// a time: see Reader.
	GitHub func(ctx context.Context, owner string, since time.Time) (*ghread.Reader, error)
	// Published answers whether we publish a package, from more than the policy: manifests, the
	// maintainers at the registry. nil has no more.
	Published func(ctx context.Context, e ecosystem.Ecosystem, name string) triage.Answer
	Now       func() time.Time // nil is the real clock
	Limits    Limits
	Log       *slog.Logger // faults of this package; nil is silent
}

// Limits bound what is asked of GitHub for one signal. 0 is the default.
type Limits struct {
	Repositories int // 500
	Runs         int // of one repository: 5,000
	Commits      int // 1,000
	Contents     int // lockfiles that the inventory does not know: 500
	Jobs         int // runs whose jobs are listed: 500
}

func (l Limits) filled() Limits {
	return Limits{cmp.Or(l.Repositories, 500), cmp.Or(l.Runs, 5000), cmp.Or(l.Commits, 1000), cmp.Or(l.Contents, 500), cmp.Or(l.Jobs, 500)}
}

// Commit is a commit of a repository, "owner/name", that is known to hold the package.
type Commit struct{ Repository, ID string }

// Question is what is asked.
type Question struct {
	Signal triage.Signal
	// Window is the time in which runs are looked at. Without From, it begins when the catalogue
	// says that the package went bad, or else 90 days before the signal; without Until it ends
	// now.
	Window Window
	// Commits are known from elsewhere to hold it: the head of a push or pull request.
	Commits []Commit
	// Patient leaves the last of what GitHub allows in an hour to others, but for the repositories of Commits:
	// see ghclient.Patient. The report says when to ask on.
	Patient bool
}

// Ask answers the questions of the signal. An error is one of the store or of ctx: with GitHub,
// what fails is a gap. The report has what was answered until then, and is never nil.
func (a *Asker) Ask(ctx context.Context, q Question) (*Report, error) {
	asked := &asked{Asker: a, limits: a.Limits.filled(), spent: &spent{}, now: a.now(), question: &q, report: &Report{Facts: triage.Facts{}}}
	purl := q.Signal.Subject.Part("purl")
	if purl == "" {
		return asked.report, nil // no question is about anything else than a package
	}
	asked.listed(purl)
	asked.published(ctx, purl)
	query, err := lookup.ParseQuery(purl)
	if err != nil {
		for _, id := range []string{triage.Locked, triage.CIInstalled} {
			asked.gap(id, verify.Gap{Code: verify.GapUnsupported, Detail: fmt.Sprintf("%.200q: %v", purl, err)})
			asked.say(id, triage.Unsaid(SourceInventory, "%.200q is no package of a lockfile: %v", purl, err))
		}
		return asked.report, nil
	}
	asked.query = query
	if err := asked.locked(ctx); err != nil {
		return asked.report, err
	}
	if err := asked.ran(ctx); err != nil {
		return asked.report, err
	}
	return asked.report, ctx.Err()
}

func (a *Asker) now() time.Time {
	if a.Now != nil {
		return a.Now().UTC()
	}
	return time.Now().UTC()
}

// asked is one question while it is being answered.
type asked struct {
	*Asker
	limits   Limits
	spent    *spent // of the limits
	now      time.Time
	question *Question
	query    lookup.Query
	report   *Report
	others   []lookup.Holding // of any version of the package
	flows    map[string]*flow // by repository, commit and workflow
}

// spent counts what was asked of GitHub, and not what was remembered.
type spent struct {
	commits, contents, jobs atomic.Int64
	looked                  atomic.Int64 // commits, however that was known
	over                    atomic.Bool  // something was not asked for a limit
}

// within counts one more, and reports whether it is within the limit.
func (s *spent) within(n *atomic.Int64, limit int) bool {
	ok := n.Add(1) <= int64(limit)
	if !ok {
		s.over.Store(true)
	}
	return ok
}

func (a *asked) say(id string, answer triage.Answer) {
	answer.At = a.now
	a.report.Facts = a.report.Facts.With(id, answer)
}

// told is say of what GitHub said, which may be older than the question.
func (a *asked) told(id string, answer triage.Answer) {
	answer.At = a.now
	if at := a.report.Window.Until; a.question.Window.Until.IsZero() && at.Before(a.now) {
		answer.At = at
	}
	a.report.Facts = a.report.Facts.With(id, answer)
}

func (a *asked) gap(id string, gap verify.Gap) {
	g := Gap{id, gap}
	if !slices.Contains(a.report.Gaps, g) {
		a.report.Gaps = append(a.report.Gaps, g)
	}
}

// gaps are the details of the gaps of a question, in one line.
func (a *asked) gaps(id string) string {
	const shown = 5
	var all []string
	n := 0
	for _, g := range a.report.Gaps {
		if g.Question != id {
			continue
		}
		if n++; n <= shown {
			all = append(all, g.Detail)
		}
	}
	if n > shown {
		all = append(all, fmt.Sprintf("%d more", n-shown))
	}
	return strings.Join(all, "; ")
}
