package incident

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wormsweep/wormsweep/internal/finding"
)

// Options are the settings of a Filer.
type Options struct {
	Organisation string
	Tracker      Tracker
	Store        Store
	Key          Key
	Campaigns    []Campaign // that the sweep looked for
	Owners       Owners     // nil knows no owners
	Notifier     Notifier   // nil tells no chat
	Commands     bool       // the App listens to comments: issues name the commands
	// Gate is asked before each write to the tracker; an error keeps it from being sent. nil is
	// always open.
	Gate func(ctx context.Context) error

	// Holder begins the name by which claims are told from those of others (Orphans).
	Holder string

	AllowPublic bool // write to a public repository as well
	DryRun      bool // write nothing: say what would be written
	Report      string

	Now   func() time.Time
	Sleep func(ctx context.Context, d time.Duration) error // nil sleeps
	Lease time.Duration                                    // of a claim; 0 is DefaultLease
	Pause time.Duration                                    // between two writes; 0 is a second
}

// DefaultLease is how long a claim holds that is not renewed: its process is dead.
const DefaultLease = 90 * time.Second

// Owners reads the CODEOWNERS files of repositories.
type Owners interface {
	// CodeOwners gives the content of the file that counts for a repository, nil where there is
	// none. It reads no more than codeowners.MaxBytes and a byte.
	CodeOwners(ctx context.Context, repository string) ([]byte, error)
}

// Notifier tells a chat. An error says that it was not told.
type Notifier interface {
	Notify(ctx context.Context, n Notice) error
}

// Filer keeps the issues of an organisation's incidents. It is safe for concurrent use: it files
// one sweep after the other, as GitHub wants writes.
type Filer struct {
	opt    Options
	filing sync.Mutex
	holder string // of claims
	owners ownerCache
	writes int
}

// CodeIncident is the code of a problem with an issue, its record or its notice.
const CodeIncident = "incident"

// New returns a Filer. It asks nobody yet.
func New(opt Options) (*Filer, error) {
	switch {
	case opt.Organisation == "" || strings.Contains(opt.Organisation, "/"):
		return nil, fmt.Errorf("incidents: %q is no name of an organisation", opt.Organisation)
	case opt.Tracker == nil || opt.Store == nil:
		return nil, errors.New("incidents: no tracker, or no store")
	case !opt.Key.valid():
		return nil, errors.New("incidents: no key for the marks of issues")
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Sleep == nil {
		opt.Sleep = sleep
	}
	opt.Lease = cmp.Or(opt.Lease, DefaultLease)
	opt.Pause = cmp.Or(opt.Pause, time.Second)
	return &Filer{opt: opt, holder: opt.Holder + rand.Text()}, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Ready asks whether the tracker can and may be written to; it is for the time before a sweep.
// The error wraps ErrPublic, ErrArchived or ErrIssuesOff where that is the reason.
func (f *Filer) Ready(ctx context.Context) error {
	repo, err := f.opt.Tracker.Repository(ctx)
	if err == nil {
		err = repo.usable(f.opt.AllowPublic)
	}
	if err != nil {
		return fmt.Errorf("repository for issues: %w", err)
	}
	return nil
}

// Interest gives the repositories that the records name, for SweepOptions. A record that cannot
// be read names none, and is a problem of File.
func (f *Filer) Interest(ctx context.Context) ([]Swept, error) {
	keys, err := f.opt.Store.Keys(ctx, storePrefix(f.opt.Organisation))
	if err != nil {
		return nil, fmt.Errorf("records of incidents: %w", err)
	}
	all := map[Swept]bool{}
	for _, key := range keys {
		data, _, err := f.opt.Store.Load(ctx, key)
		if err != nil {
			return nil, fmt.Errorf("record of the incident %q: %w", strings.TrimPrefix(key, storePrefix(f.opt.Organisation)), err)
		}
		rec, err := decode(data, f.opt.Organisation, strings.TrimPrefix(key, storePrefix(f.opt.Organisation)))
		if err != nil {
			continue
		}
		for _, p := range rec.Places {
			all[p.repository()] = true
		}
	}
	return slices.SortedFunc(maps.Keys(all), Swept.compare), nil
}

// Outcome is what came of filing.
type Outcome struct {
	Done     []Done             // what was written, or would be, by campaign
	Problems []*finding.Problem // what could not be
	Err      error              // why, as errors: of what may be tried again, and when
}

// Done is what was done for one incident.
type Done struct {
	Campaign string
	Issue    int    // 0 where there is none yet
	URL      string // "" where it is not known
	Actions  []Action
}

// String says it in one line, which names nothing from outside but the campaign.
func (d Done) String() string {
	var words []string
	for _, kind := range []ActionKind{Create, Reopen, Update, PostComment, WritePart, Close, Dismiss, closeDuplicate} {
		n := 0
		for _, a := range d.Actions {
			if a.Kind == kind {
				n++
			}
		}
		switch {
		case n == 1:
			words = append(words, string(kind))
		case n > 1:
			words = append(words, fmt.Sprintf("%s (%d)", kind, n))
		}
	}
	what := "nothing to write"
	if len(words) > 0 {
		what = strings.Join(words, ", ")
	}
	if d.Issue > 0 {
		return fmt.Sprintf("%q: issue %d: %s", d.Campaign, d.Issue, what)
	}
	return fmt.Sprintf("%q: %s", d.Campaign, what)
}

// File writes the issues that follow from a sweep. A failure with one incident is a problem,
// and the others go on.
func (f *Filer) File(ctx context.Context, s *Sweep) Outcome {
	f.filing.Lock()
	defer f.filing.Unlock()
	f.owners = ownerCache{from: f.opt.Owners} // what one sweep could not read, the next may
	var out Outcome
	failed := func(err error) {
		out.Problems = append(out.Problems, &finding.Problem{Code: CodeIncident, Detail: err.Error()})
		if out.Err != nil {
			err = fmt.Errorf("%w; %w", out.Err, err) // in one line
		}
		out.Err = err
	}
	fail := func(campaign string, err error) { failed(fmt.Errorf("incident %q: %w", campaign, err)) }
	if s.opt.LooksFor == nil { // a campaign that the catalogue lacks was not looked for
		s.opt.LooksFor = func(campaign, _ string) bool {
			return slices.ContainsFunc(f.opt.Campaigns, func(c Campaign) bool { return c.ID == campaign })
		}
	}
	campaigns, err := f.campaigns(ctx, s)
	if err != nil {
		failed(fmt.Errorf("no issue was written: %w", err))
		return out
	}
	for _, c := range campaigns {
		done, err := f.incident(ctx, c, s)
		if err != nil {
			fail(c.ID, err)
		}
		if done.Issue > 0 || len(done.Actions) > 0 {
			out.Done = append(out.Done, done)
		}
		if err := f.notify(ctx, c.ID, done.URL); err != nil {
			fail(c.ID, err)
		}
	}
	if err := f.owners.failed(); err != nil {
		failed(err)
	}
	return out
}

// campaigns are those with a finding, a record or an issue, sorted.
func (f *Filer) campaigns(ctx context.Context, s *Sweep) ([]Campaign, error) {
	ids := map[string]bool{}
	for _, id := range s.Campaigns() {
		ids[id] = true
	}
	keys, err := f.opt.Store.Keys(ctx, storePrefix(f.opt.Organisation))
	if err != nil {
		return nil, fmt.Errorf("records: %w", err)
	}
	for _, key := range keys {
		ids[strings.TrimPrefix(key, storePrefix(f.opt.Organisation))] = true
	}
	issues, err := f.opt.Tracker.ListOwn(ctx)
	if err != nil {
		return nil, fmt.Errorf("list of our issues: %w", err)
	}
	known := map[string]Campaign{}
	for _, c := range f.opt.Campaigns {
		known[c.ID] = c
		if !ids[c.ID] && slices.ContainsFunc(issues, func(i Issue) bool {
			h, ok := f.opt.Key.readHead(f.opt.Organisation, c.ID, i.Body)
			return ok && i.Open && h.state != markDuplicate
		}) {
			ids[c.ID] = true
		}
	}
	var out []Campaign
	for _, id := range sortedKeys(ids) {
		c, ok := known[id]
		if !ok {
			c = campaignIn(s, id)
		}
		out = append(out, c)
	}
	return out, nil
}

// campaignIn is what findings say of a campaign that the catalogue was not asked for.
func campaignIn(s *Sweep, id string) Campaign {
	c := Campaign{ID: id}
	for _, f := range s.findings[id] {
		c.Title, c.Severity = f.Title, f.Severity
	}
	return c
}

// load reads a record; where there is none it is empty, and the version 0.
func (f *Filer) load(ctx context.Context, campaign string) (*Record, int64, error) {
	return load(ctx, f.opt.Store, f.opt.Organisation, campaign)
}

func load(ctx context.Context, store Store, organisation, campaign string) (*Record, int64, error) {
	data, version, err := store.Load(ctx, storeKey(organisation, campaign))
	if err != nil {
		return nil, 0, fmt.Errorf("record of the incident %q: %w", campaign, err)
	}
	if version == 0 {
		return &Record{}, 0, nil
	}
	rec, err := decode(data, organisation, campaign)
	return rec, version, err
}

// errElsewhere says that another process changed the record.
var errElsewhere = errors.New("another run changed the record")

// save swaps a record in. The error is errElsewhere where another version is there.
func (f *Filer) save(ctx context.Context, rec *Record, version int64) (int64, error) {
	data, err := rec.encode()
	if err != nil {
		return 0, err
	}
	next, swapped, err := f.opt.Store.Swap(ctx, storeKey(f.opt.Organisation, rec.Campaign.ID), version, data)
	switch {
	case err != nil:
		return 0, fmt.Errorf("the record was not written: %w", err)
	case !swapped:
		return 0, errElsewhere
	}
	return next, nil
}
