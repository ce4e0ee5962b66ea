package watch_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/buildrun"
	"github.com/wormsweep/wormsweep/internal/drift"
	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/internal/published"
	"github.com/wormsweep/wormsweep/internal/registries"
	"github.com/wormsweep/wormsweep/internal/registrytest"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/internal/triage"
	"github.com/wormsweep/wormsweep/internal/watch"
	"github.com/wormsweep/wormsweep/internal/xtest/pgtest"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// unsigned checks nothing: what is judged here is how versions were published.
type unsigned struct{}

func (unsigned) Check(context.Context, published.Request) (drift.Subject, int) {
	return drift.Subject{Attested: registry.Absent}, 0
}

// world is a registry, a policy of some of its packages, and what was handed on.
type world struct {
	t        *testing.T
	registry *registrytest.Server
	policy   *policy.Policy
	store    *store.Store
	sources  published.Sources

	mu   sync.Mutex
	now  time.Time
	news []watch.News
	fail error // of Take
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) take(_ context.Context, n watch.News) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fail != nil {
		return w.fail
	}
	w.news = append(w.news, n)
	return nil
}

// taken gives what was handed on since the last call.
func (w *world) taken() []watch.News {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.news
	w.news = nil
	return n
}

func newWorld(t *testing.T, packages ...string) *world {
	t.Helper()
	w := &world{t: t, registry: registrytest.New(t), now: time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)}
	w.registry.SetClock(w.clock)
	w.policy = &policy.Policy{Version: 1, Registries: []policy.Registry{{
		Name: "ours", Protocol: "npm", Address: w.registry.NPM().URL, Role: registry.Origin, Private: true,
	}}}
	for i, name := range packages {
		w.policy.Artifacts = append(w.policy.Artifacts, policy.Artifact{Kind: registry.NPM, Name: name, Registry: "ours", Unsigned: true})
		age := time.Duration(72+i) * time.Hour // one after the other, and not all at once
		w.pass(-age)
		w.publish(name, "1.0.0", "github")
		w.pass(24 * time.Hour)
		w.publish(name, "1.1.0", "github")
		w.pass(age - 24*time.Hour)
	}
	st, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "inventory.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	w.store = st
	return w
}

func (w *world) publish(name, version, by string) {
	w.registry.NPM().Publish(name, registrytest.NPMVersion{Version: version, User: "ci", Email: "ci@acme.example", TrustedPublisher: by})
}

func (w *world) artifacts() (all []*policy.Artifact) {
	for i := range w.policy.Artifacts {
		all = append(all, &w.policy.Artifacts[i])
	}
	return all
}

// watcher makes a process that watches.
func (w *world) watcher(st *store.Store, change ...func(*watch.Options)) *watch.Watcher {
	set := registries.New(registries.Options{Policy: w.policy, Now: w.clock})
	o := watch.Options{Records: st.Records("watch"), Take: w.take, Now: w.clock, Run: func(ctx context.Context, only []*policy.Artifact, quiet func(*policy.Artifact) bool, emit func(finding.Event) error) (*finding.Summary, error) {
		return published.Run(ctx, published.Options{
			Policy: w.policy, Only: only, Quiet: quiet, Reader: set.Reader, Checker: unsigned{}, Sources: w.sources, Records: st.Records("published"), Now: w.clock,
		}, emit)
	}}
	for _, f := range change {
		f(&o)
	}
	return watch.New(o)
}

// turn lets a turn pass, and says in short what it did.
func (w *world) turn(watcher *watch.Watcher) string {
	w.t.Helper()
	n, err := watcher.Turn(w.t.Context(), w.artifacts())
	if err != nil {
		w.t.Fatal(err)
	}
	return fmt.Sprintf("looked %d, bad %d, unknown %d", n.Looked, n.Bad, n.Unknown)
}

func (w *world) wantTurn(watcher *watch.Watcher, want string) {
	w.t.Helper()
	if got := w.turn(watcher); got != want {
		w.t.Errorf("%s; want %s", got, want)
	}
}

// TestTokenPublish: a version that was published with a stolen token at minute 0 is handed on
// within one interval, once, and costs no more than one conditional request a look before.
func TestTokenPublish(t *testing.T) {
	w := newWorld(t, "@acme/sdk", "@acme/ui")
	watcher := w.watcher(w.store)
	w.wantTurn(watcher, "looked 2, bad 0, unknown 0")
	w.registry.Forget()
	for range 20 { // an hour
		w.pass(w.interval())
		w.wantTurn(watcher, "looked 2, bad 0, unknown 0")
		w.wantTurn(watcher, "looked 0, bad 0, unknown 0") // nothing is due
	}
	for kind, n := range w.registry.Counts() {
		if n.NotModified != n.Requests || n.Requests != 40 {
			t.Errorf("%s was asked %d times, and answered %d with 304; want 40 of 40", kind, n.Requests, n.NotModified)
		}
	}
	if n := w.taken(); len(n) > 0 {
		t.Fatalf("handed on before anything happened: %+v", n)
	}

	minute0 := w.clock()
	w.publish("@acme/sdk", "1.1.1", "")
	w.pass(w.interval())
	w.wantTurn(watcher, "looked 2, bad 1, unknown 0")
	if after := w.clock().Sub(minute0); after > watch.DefaultEvery*11/10 {
		t.Errorf("seen after %v", after)
	}
	news := w.taken()
	if len(news) != 1 || len(news[0].Signals) != 1 {
		t.Fatalf("%+v", news)
	}
	s := news[0].Signals[0]
	if s.AlertID != triage.AlertPublish || s.Source != triage.FromWatch || s.Subject.Part("purl") != "pkg:npm/%40acme/sdk@1.1.1" ||
		!s.FirstSeen.Equal(minute0) || !slices.ContainsFunc(s.Evidence, func(e triage.Evidence) bool { return e.Label == drift.TokenPublish }) {
		t.Errorf("%+v", s)
	}
	found := 0
	for _, e := range news[0].Events {
		if f, ok := e.(*finding.Finding); ok && f.Campaign == finding.PublishedByUs {
			found++
		}
	}
	if _, run := news[0].Events[0].(*finding.Run); found != 1 || !run {
		t.Errorf("%d findings in the events, run first: %t", found, run)
	}
	// It is handed on once, and stays bad, also in another process after a restart.
	again := w.watcher(w.store)
	for range 3 {
		w.pass(w.interval())
		w.wantTurn(again, "looked 2, bad 1, unknown 0")
	}
	if n := w.taken(); len(n) > 0 {
		t.Errorf("handed on again: %+v", n)
	}
	// It is gone from the registry: that is news, without a signal.
	w.registry.NPM().Unpublish("@acme/sdk", "1.1.1")
	w.pass(w.interval())
	w.wantTurn(again, "looked 2, bad 0, unknown 0")
	if n := w.taken(); len(n) != 1 || len(n[0].Signals) != 0 {
		t.Errorf("after it was unpublished: %+v", n)
	}
}

// interval is an interval with all of its jitter.
func (w *world) interval() time.Duration { return watch.DefaultEvery * 11 / 10 }

// TestRegistryDown: a registry that does not answer makes its artifacts unknown; that is said once
// it has lasted, tried again later and later, and is over when it answers.
func TestRegistryDown(t *testing.T) {
	w := newWorld(t, "@acme/sdk")
	watcher := w.watcher(w.store)
	w.wantTurn(watcher, "looked 1, bad 0, unknown 0")
	mend := w.registry.Break(registrytest.Rule{Path: "/npm/*", Fault: registrytest.Fails(http.StatusBadGateway, "text/html", "<html>")})
	w.pass(w.interval())
	w.wantTurn(watcher, "looked 1, bad 0, unknown 1")
	if n := w.taken(); len(n) > 0 {
		t.Errorf("handed on at the first failure: %+v", n)
	}
	w.wantTurn(watcher, "looked 0, bad 0, unknown 0") // later
	w.pass(70 * time.Second)
	w.wantTurn(watcher, "looked 1, bad 0, unknown 1")
	w.pass(140 * time.Second)
	w.wantTurn(watcher, "looked 1, bad 0, unknown 1")
	news := w.taken()
	if len(news) != 1 || !strings.Contains(news[0].Unknown["pkg:npm/%40acme/sdk"], "502") || len(news[0].Signals) > 0 {
		t.Fatalf("%+v", news)
	}
	states, err := watcher.States(t.Context(), w.artifacts())
	if err != nil || states[0].Failing != 3 || states[0].Good.IsZero() {
		t.Errorf("%+v, %v", states, err)
	}
	// A rogue version came in the dark.
	w.publish("@acme/sdk", "1.1.1", "")
	mend()
	w.pass(5 * time.Minute)
	w.wantTurn(watcher, "looked 1, bad 1, unknown 0")
	if news := w.taken(); len(news) != 1 || len(news[0].Signals) != 1 || len(news[0].Unknown) > 0 {
		t.Errorf("%+v", news)
	}
}

// TestRate: a registry is asked so often in a turn; what is left waits for the next.
func TestRate(t *testing.T) {
	var names []string
	for i := range 7 {
		names = append(names, fmt.Sprintf("p%d", i))
	}
	w := newWorld(t, names...)
	watcher := w.watcher(w.store, func(o *watch.Options) { o.Rate, o.Parallel = 3, 2 })
	for _, want := range []int{3, 3, 1, 0} {
		w.wantTurn(watcher, fmt.Sprintf("looked %d, bad 0, unknown 0", want))
		w.pass(time.Second)
	}
}

// TestNotTaken: what could not be handed on is handed on again, and not forgotten.
func TestNotTaken(t *testing.T) {
	w := newWorld(t, "@acme/sdk")
	watcher := w.watcher(w.store)
	w.turn(watcher)
	w.publish("@acme/sdk", "1.1.1", "")
	w.fail = errors.New("the database is full")
	w.pass(w.interval())
	if _, err := watcher.Turn(t.Context(), w.artifacts()); !errors.Is(err, w.fail) {
		t.Errorf("%v; want that it could not be handed on", err)
	}
	w.fail = nil
	w.pass(time.Minute)
	w.wantTurn(watcher, "looked 1, bad 1, unknown 0")
	if news := w.taken(); len(news) != 1 || len(news[0].Signals) != 1 {
		t.Errorf("%+v", news)
	}
}

// TestBurst: what is published one after the other within minutes is judged together.
func TestBurst(t *testing.T) {
	w := newWorld(t, "a", "b", "c", "d")
	watcher := w.watcher(w.store)
	w.turn(watcher)
	var rules []string
	for _, name := range []string{"a", "b", "c"} {
		w.publish(name, "1.1.1", "github")
		w.pass(w.interval())
		w.turn(watcher)
	}
	for _, n := range w.taken() {
		for _, s := range n.Signals {
			for _, e := range s.Evidence {
				rules = append(rules, s.Subject.Part("name")+" "+e.Label)
			}
		}
	}
	// A narrow look takes nothing back of what was seen together.
	w.pass(2 * time.Hour)
	w.publish("a", "1.2.0", "github")
	if _, err := watcher.Look(t.Context(), w.artifacts()[:1]); err != nil {
		t.Fatal(err)
	}
	states, err := watcher.States(t.Context(), w.artifacts())
	if err != nil || len(states[0].Bad) != 1 || len(states[3].Bad) != 0 {
		t.Errorf("%+v, %v", states, err)
	}
	slices.Sort(rules)
	if want := []string{"a burst", "b burst", "c burst"}; !slices.Equal(rules, want) {
		t.Errorf("%q; want %q", rules, want)
	}
}

// TestReplicas: two processes on one PostgreSQL look at each artifact once, and hand on once.
func TestReplicas(t *testing.T) {
	w := newWorld(t, "a", "b", "c", "d", "e", "f")
	url := pgtest.Start(t).Database(t)
	var watchers []*watch.Watcher
	for range 2 {
		st, err := store.Open(t.Context(), url, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { st.Close() })
		watchers = append(watchers, w.watcher(st))
	}
	both := func() (total watch.Count) {
		t.Helper()
		var wg sync.WaitGroup
		var mu sync.Mutex
		for _, watcher := range watchers {
			wg.Go(func() {
				n, err := watcher.Turn(t.Context(), w.artifacts())
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				total.Looked += n.Looked
			})
		}
		wg.Wait()
		return total
	}
	for range 5 {
		w.registry.Forget()
		if n := both(); n.Looked != 6 {
			t.Errorf("%d artifacts were looked at by two processes; want 6", n.Looked)
		}
		if n := w.registry.Counts()["npm packument"].Requests; n != 6 {
			t.Errorf("%d packuments were asked for; want 6", n)
		}
		w.pass(w.interval())
	}
	w.publish("c", "6.6.6", "")
	both()
	if news := w.taken(); len(news) != 1 || len(news[0].Signals) != 1 {
		t.Errorf("%+v", news)
	}
}

// deaf are records that hear no more of their process once it is dead.
type deaf struct {
	published.Records
	dead atomic.Bool
}

func (d *deaf) Swap(ctx context.Context, key string, version int64, record []byte) (int64, bool, error) {
	if d.dead.Load() {
		return 0, false, errors.New("dead")
	}
	return d.Records.Swap(ctx, key, version, record)
}

// TestLongLook: nobody else takes an artifact while a look at it goes on, however long that is and
// whoever hurries it; a minute after its process died somebody does, and at once where the next
// process is alone.
func TestLongLook(t *testing.T) {
	w := newWorld(t, "a")
	const hold = 300 * time.Millisecond
	records := &deaf{Records: w.store.Records("watch")}
	began, end := make(chan struct{}), make(chan struct{})
	long := w.watcher(w.store, func(o *watch.Options) {
		run := o.Run
		o.Records, o.Hold, o.Now = records, hold, time.Now
		o.Run = func(ctx context.Context, only []*policy.Artifact, quiet func(*policy.Artifact) bool, emit func(finding.Event) error) (*finding.Summary, error) {
			began <- struct{}{}
			<-end
			return run(ctx, only, quiet, emit)
		}
	})
	other := w.watcher(w.store, func(o *watch.Options) { o.Hold, o.Now = hold, time.Now })
	turn := func(watcher *watch.Watcher) watch.Count {
		t.Helper()
		n, err := watcher.Turn(t.Context(), w.artifacts())
		if err != nil {
			t.Error(err)
		}
		return n
	}
	done := make(chan watch.Count)
	look := func() {
		go func() {
			n, err := long.Turn(t.Context(), w.artifacts())
			if err != nil && !records.dead.Load() {
				t.Error(err)
			}
			done <- n
		}()
		<-began
	}

	look()
	for began := time.Now(); time.Since(began) < 3*hold; time.Sleep(hold / 6) {
		if n := turn(other); n.Held != 1 || n.Looked != 0 {
			t.Fatalf("%v after the look began another process looked: %+v", time.Since(began), n)
		}
	}
	if err := other.Hurry(t.Context(), w.artifacts(), 0, true); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * hold)
	if n := turn(other); n.Held != 1 {
		t.Errorf("one that was hurried while it was looked at: %+v", n)
	}
	end <- struct{}{}
	if n := <-done; n.Looked != 1 {
		t.Errorf("%+v", n)
	}
	if n := turn(other); n.Looked != 1 { // for whoever hurried it
		t.Errorf("after the look: %+v", n)
	}

	for _, alone := range []bool{false, true} {
		if err := other.Hurry(t.Context(), w.artifacts(), 0, true); err != nil {
			t.Fatal(err)
		}
		look()
		records.dead.Store(true)
		if alone {
			if err := other.Orphans(t.Context(), w.artifacts()); err != nil {
				t.Fatal(err)
			}
		} else {
			time.Sleep(hold + hold/6)
		}
		if n := turn(other); n.Looked != 1 {
			t.Errorf("the look of a dead process, alone %t: %+v", alone, n)
		}
		end <- struct{}{}
		<-done
		records.dead.Store(false)
	}
}

// TestHurry: what is expected to change is looked at at once, and more often for a while.
func TestHurry(t *testing.T) {
	w := newWorld(t, "a", "b")
	watcher := w.watcher(w.store)
	w.turn(watcher)
	if err := watcher.Hurry(t.Context(), w.artifacts()[:1], 5*time.Minute, false); err != nil {
		t.Fatal(err)
	}
	w.wantTurn(watcher, "looked 1, bad 0, unknown 0")
	w.pass(31 * time.Second)
	w.wantTurn(watcher, "looked 1, bad 0, unknown 0")
	w.pass(10 * time.Minute)
	w.wantTurn(watcher, "looked 2, bad 0, unknown 0")
	w.pass(31 * time.Second)
	w.wantTurn(watcher, "looked 0, bad 0, unknown 0")
	if n, err := watcher.Look(t.Context(), w.artifacts()); err != nil || n.Looked != 2 {
		t.Errorf("%+v, %v", n, err)
	}
}

// repository is what a repository knows: nothing but its tags.
type repository struct {
	mu    sync.Mutex
	tags  map[string]drift.Tag
	asked int
}

func (r *repository) tag(name string, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tags[name] = drift.Tag{Commit: strings.Repeat("a", 40), Time: registry.Known(at)}
}

func (r *repository) Source(context.Context, buildrun.Wanted) drift.Source {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	return drift.Source{Repository: "acme/sdk", Tags: drift.Asked[map[string]drift.Tag]{Known: true, Value: maps.Clone(r.tags)}}
}

func (r *repository) Run(context.Context, buildrun.Question) drift.Asked[drift.Run] {
	return drift.Asked[drift.Run]{}
}

func (r *repository) Tree(context.Context, string, string) drift.Asked[map[string]string] {
	return drift.Asked[map[string]string]{}
}

// TestSettle: what a version lacks that was published a moment ago may come yet: it is unknown,
// and looked at again soon. Where it does not come it counts.
func TestSettle(t *testing.T) {
	for _, comes := range []bool{true, false} {
		w := newWorld(t, "@acme/sdk")
		r := &repository{tags: map[string]drift.Tag{}}
		r.tag("v1.0.0", w.now)
		r.tag("v1.1.0", w.now)
		w.sources = r
		w.policy.Artifacts[0].Source, w.policy.Artifacts[0].Tag = "acme/sdk", "v{version}"
		watcher := w.watcher(w.store)
		for range 3 { // nothing changes, and the repository is not asked again
			w.wantTurn(watcher, "looked 1, bad 0, unknown 0")
			w.pass(w.interval())
		}
		if r.asked != 1 {
			t.Errorf("the repository was asked %d times; want once", r.asked)
		}
		w.publish("@acme/sdk", "1.2.0", "github")
		w.pass(10 * time.Second)
		w.wantTurn(watcher, "looked 1, bad 0, unknown 1")
		if comes {
			r.tag("v1.2.0", w.now)
			w.pass(40 * time.Second)
			w.wantTurn(watcher, "looked 1, bad 0, unknown 0")
			continue
		}
		for i := range 21 {
			w.pass(33 * time.Second)
			got := w.turn(watcher)
			if i < 17 && got != "looked 1, bad 0, unknown 1" || i > 18 && got == "looked 1, bad 0, unknown 1" {
				t.Errorf("after %v: %s", time.Duration(i+1)*33*time.Second, got)
			}
		}
		signals := 0
		for _, n := range w.taken() {
			for _, s := range n.Signals {
				if signals++; s.Evidence[0].Label != drift.TagMissing {
					t.Errorf("%+v", s)
				}
			}
		}
		if signals != 1 {
			t.Errorf("%d signals; want 1", signals)
		}
	}
}
