package incident_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/incident"
)

// tracker is a repository of issues in memory, with the faults that GitHub has.
type tracker struct {
	mu       sync.Mutex
	repo     incident.Repository
	issues   []*issue
	comments int64

	drop  map[string]int    // by method: the answer of so many calls is lost after the effect
	fail  map[string]int    // by method: so many calls fail without effect
	err   error             // of these; nil is a plain one
	lag   int               // calls of ListOwn for which a new issue is not listed
	calls []string          // writes, in order
	step  func(call string) // before and after each call
}

type issue struct {
	incident.Issue
	title    string
	state    incident.IssueState
	hidden   int // calls of ListOwn that do not show it yet
	foreign  bool
	gone     bool
	comments []*incident.Comment
}

func newTracker() *tracker {
	return &tracker{repo: incident.Repository{Name: "acme/incidents", Private: true, Issues: true}, drop: map[string]int{}, fail: map[string]int{}}
}

var errCut = errors.New("connection reset by peer")

// do runs the effect of a call under the faults.
func (t *tracker) do(method string, effect func()) error {
	if step := t.step; step != nil {
		step("before " + method)
		defer step("after " + method)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.fail[method] > 0 {
		t.fail[method]--
		if t.err != nil {
			return t.err
		}
		return errCut
	}
	effect()
	if t.drop[method] > 0 {
		t.drop[method]--
		return errCut
	}
	return nil
}

func (t *tracker) write(method string, effect func()) error {
	return t.do(method, func() { t.calls = append(t.calls, method); effect() })
}

func (t *tracker) Repository(context.Context) (incident.Repository, error) {
	return t.repo, t.do("Repository", func() {})
}

func (t *tracker) ListOwn(context.Context) (out []incident.Issue, err error) {
	err = t.do("ListOwn", func() {
		for _, i := range t.issues {
			switch {
			case i.hidden > 0:
				i.hidden--
			case !i.foreign && !i.gone:
				out = append(out, i.Issue)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (t *tracker) Issue(_ context.Context, number int) (out incident.Issue, err error) {
	found := false
	err = t.do("Issue", func() {
		if i := t.issue(number); i != nil && !i.foreign && !i.gone {
			out, found = i.Issue, true
		}
	})
	if err == nil && !found {
		err = incident.ErrNotFound
	}
	return out, err
}

func (t *tracker) issue(number int) *issue {
	for _, i := range t.issues {
		if i.Number == number {
			return i
		}
	}
	return nil
}

func (t *tracker) Create(_ context.Context, title, body string) (out incident.Issue, err error) {
	err = t.write("Create", func() {
		i := &issue{title: title, hidden: t.lag, state: incident.StateOpen}
		i.Issue = incident.Issue{Number: len(t.issues) + 1, URL: fmt.Sprintf("https://github.example/acme/incidents/issues/%d", len(t.issues)+1), Open: true, Body: body}
		t.issues = append(t.issues, i)
		out = i.Issue
	})
	return out, err
}

func (t *tracker) Edit(_ context.Context, number int, body string, state incident.IssueState) error {
	return t.write("Edit", func() {
		i := t.issue(number)
		i.Body, i.Open, i.state = body, state == incident.StateOpen, state
	})
}

func (t *tracker) ListComments(_ context.Context, number int) (out []incident.Comment, err error) {
	err = t.do("ListComments", func() {
		for _, c := range t.issue(number).comments {
			out = append(out, *c)
		}
	})
	return out, err
}

func (t *tracker) Comment(_ context.Context, number int, body string) (out incident.Comment, err error) {
	err = t.write("Comment", func() {
		t.comments++
		out = incident.Comment{ID: t.comments, Body: body}
		i := t.issue(number)
		i.comments = append(i.comments, &incident.Comment{ID: t.comments, Body: body})
	})
	return out, err
}

func (t *tracker) EditComment(_ context.Context, id int64, body string) error {
	return t.write("EditComment", func() {
		for _, i := range t.issues {
			for _, c := range i.comments {
				if c.ID == id {
					c.Body = body
				}
			}
		}
	})
}

// open counts the open issues of our own.
func (t *tracker) open() (n int) {
	for _, i := range t.issues {
		if i.Open && !i.foreign && !i.gone {
			n++
		}
	}
	return n
}

// took gives the writes since the last time.
func (t *tracker) took() string {
	calls := strings.Join(t.calls, " ")
	t.calls = nil
	return calls
}

// memory is a Store.
type memory struct {
	mu      sync.Mutex
	records map[string][]byte
	version map[string]int64
	fail    error
	step    func(call string)
}

func newMemory() *memory { return &memory{records: map[string][]byte{}, version: map[string]int64{}} }

func (m *memory) Load(_ context.Context, key string) ([]byte, int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.records[key]), m.version[key], m.fail
}

func (m *memory) Swap(_ context.Context, key string, version int64, record []byte) (int64, bool, error) {
	if step := m.step; step != nil {
		step("before Swap")
		defer step("after Swap")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil || m.version[key] != version {
		return 0, false, m.fail
	}
	m.version[key]++
	m.records[key] = slices.Clone(record)
	return m.version[key], true, nil
}

func (m *memory) Keys(_ context.Context, prefix string) (keys []string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key := range m.records {
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys, m.fail
}

func testKey(t testing.TB) incident.Key {
	t.Helper()
	key, err := incident.NewKey([]byte("a secret of the tests, long enough"))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

const campaignID = "shai-hulud-keyv-2026-08"

var keyvCampaign = incident.Campaign{
	ID: campaignID, Title: "Shai-Hulud, keyv wave", Severity: "critical", FirstSeen: "2026-08-04", LastSeen: "2026-08-06",
	References: []string{"https://example.org/keyv"},
}

// called takes the number from a name that is "name#number".
func called(text string) (name string, number int64) {
	name, digits, _ := strings.Cut(text, "#")
	number, _ = strconv.ParseInt(digits, 10, 64) // 0 for none
	return name, number
}

// looks is what a sweep saw, with "name#number" for a repository of which the number is told: "repository@ref" of what it read whole, "repository@ref:file"
// of what it found, "repository:code" and "repository@ref:code" of problems, with "!FILE" of excluded ones.
type looks struct {
	read, unread, found, problems, excluded, withdrawn, gone, shard, only, fallback, lacking, shown string // separated by spaces
	partial, killed, unlisted                                                                       bool
	looksFor                                                                                        func(campaign, indicator string) bool
}

func date(day int) time.Time { return time.Date(2026, 11, day, 3, 0, 0, 0, time.UTC) }

func keyvAt(place string) *finding.Finding {
	repository, rest, _ := strings.Cut(place, "@")
	ref, file, _ := strings.Cut(rest, ":")
	f := &finding.Finding{
		State: finding.Active, Campaign: campaignID, Title: keyvCampaign.Title, Severity: "critical",
		Indicator: "package-5b1f0c9a2d3e", Type: "package", Confidence: "confirmed", Reasons: []string{"exact-version"},
		Refs: []string{ref}, Commit: strings.Repeat("9a", 20), File: file, Line: 1207,
		Package: &finding.Package{PURL: "pkg:npm/keyv@5.6.1", Ecosystem: "npm", Name: "keyv", Version: "5.6.1", Source: "registry"},
		Chain:   []string{"cacheable@2.1.0", "keyv@5.6.1"},
		Window:  &finding.Window{From: "2026-08-04T09:35:00Z", Until: "2026-08-06"}, Safe: []string{"5.6.0"},
	}
	f.Repository, f.Number = called(repository)
	if ref == "" { // what the repository itself shows; "file" is how
		f.Refs, f.Reasons, file = nil, []string{file}, ""
		f.File = ""
	}
	if file == "" {
		f.Line = 0
		if ref != "" {
			f.Reasons = []string{"commit-message"}
		}
	}
	f.Fingerprint = finding.Fingerprint(f)
	return f
}

// sweepOf makes the sweep of a day.
func sweepOf(day int, l looks, interest []incident.Swept) *incident.Sweep {
	s := incident.NewSweep(incident.SweepOptions{Interest: interest, Partial: l.partial, LooksFor: l.looksFor, Listed: func(string, *incident.Place) bool { return !l.unlisted }, Gone: func(r incident.Swept, ref string) bool {
		return slices.Contains(strings.Fields(l.gone), r.Name+"@"+ref)
	}})
	must := func(e finding.Event) {
		if err := s.Event(e); err != nil {
			panic(err)
		}
	}
	must(&finding.Run{Started: date(day), Shard: l.shard, Only: strings.Fields(l.only), Catalogue: finding.Catalogue{Revision: "3f2a9c11d0b4"}})
	for place := range strings.FieldsSeq(l.found) {
		must(keyvAt(place))
	}
	for place := range strings.FieldsSeq(l.excluded) {
		f := keyvAt(place)
		f.State, f.Exclusion = finding.Excluded, &finding.Exclusion{Owner: "x"}
		must(f)
	}
	for place := range strings.FieldsSeq(l.withdrawn) {
		f := keyvAt(place)
		f.State = finding.Withdrawn
		must(f)
	}
	for p := range strings.FieldsSeq(l.problems) {
		at, code, _ := strings.Cut(p, ":")
		repository, ref, one := strings.Cut(at, "@")
		e := &finding.Problem{Code: code, Detail: "of day " + fmt.Sprint(day)}
		e.Repository, e.Number = called(repository)
		if one {
			e.Refs = []string{ref}
		}
		if e.Code, e.File, one = strings.Cut(code, "!"); one {
			e.Exclusion = &finding.Exclusion{Owner: "x"}
		}
		must(e)
	}
	for name := range strings.FieldsSeq(l.lacking) {
		must(&finding.Coverage{Repository: name, Status: finding.OutOfScope, OutOfScope: map[string]int{"permission": 1}})
	}
	for name := range strings.FieldsSeq(l.fallback) {
		must(&finding.Coverage{Repository: name, Status: finding.OutOfScope, OutOfScope: map[string]int{"fallback": 1}})
	}
	for at := range strings.FieldsSeq(l.unread) {
		repository, ref, _ := strings.Cut(at, "@")
		must(&finding.Coverage{Repository: repository, Ref: ref, Status: finding.Unparsed, Reason: "limit"})
	}
	for at := range strings.FieldsSeq(l.read) {
		repository, ref, _ := strings.Cut(at, "@")
		e := &finding.Coverage{Ref: ref, Commit: fmt.Sprintf("%040d", day), Status: finding.Parsed, Files: 3}
		e.Repository, e.Number = called(repository)
		must(e)
	}
	if !l.killed {
		e := &finding.Summary{NotLookedAt: map[string]int{"network": 201}}
		for property := range strings.FieldsSeq(l.shown) {
			e.Shown = map[string]int{property: 0}
		}
		must(e)
	}
	return s
}

// world is an organisation with its issues.
type world struct {
	t       *testing.T
	tracker *tracker
	store   *memory
	now     time.Time
	slept   time.Duration
	opt     incident.Options
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, tracker: newTracker(), store: newMemory(), now: date(1)}
	w.opt = incident.Options{
		Organisation: "acme", Tracker: w.tracker, Store: w.store, Key: testKey(t), Campaigns: []incident.Campaign{keyvCampaign},
		Now: func() time.Time { return w.now },
		Sleep: func(ctx context.Context, d time.Duration) error {
			w.now, w.slept = w.now.Add(d), w.slept+d
			return ctx.Err()
		},
	}
	return w
}

// day files the sweep of a day by a process of its own.
func (w *world) day(day int, l looks) incident.Outcome {
	w.t.Helper()
	if w.now.Before(date(day)) {
		w.now = date(day)
	}
	f, err := incident.New(w.opt)
	if err != nil {
		w.t.Fatal(err)
	}
	interest, err := f.Interest(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	return f.File(context.Background(), sweepOf(day, l, interest))
}

// expect files a day and holds its writes, and the number of open issues after it.
func (w *world) expect(day int, l looks, writes string, open int) {
	w.t.Helper()
	out := w.day(day, l)
	for _, p := range out.Problems {
		w.t.Errorf("day %d: problem: %s", day, p.Detail)
	}
	if got := w.tracker.took(); got != writes {
		w.t.Errorf("day %d: wrote %q; want %q", day, got, writes)
	}
	if got := w.tracker.open(); got != open {
		w.t.Errorf("day %d: %d open issues; want %d", day, got, open)
	}
}

// body is the text of an issue.
func (w *world) body(number int) string { return w.tracker.issue(number).Body }

// has holds the text of an issue, or of its last comment, to have all of some strings.
func (w *world) has(text string, all ...string) {
	w.t.Helper()
	for _, want := range all {
		if !strings.Contains(text, want) {
			w.t.Errorf("no %q in:\n%s", want, text)
		}
	}
}

func (w *world) lastComment(number int) string {
	w.t.Helper()
	all := w.tracker.issue(number).comments
	if len(all) == 0 {
		w.t.Fatalf("issue %d has no comments", number)
	}
	return all[len(all)-1].Body
}
