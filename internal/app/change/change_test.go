package change_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/app/change"
	"github.com/wormsweep/wormsweep/internal/appdb"
	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
	"github.com/wormsweep/wormsweep/internal/hook"
	"github.com/wormsweep/wormsweep/internal/incident"
	"github.com/wormsweep/wormsweep/internal/jobs"
	"github.com/wormsweep/wormsweep/internal/journal"
	"github.com/wormsweep/wormsweep/internal/lookup"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/internal/triage"
	"github.com/wormsweep/wormsweep/iocs"
)

const planted = "wormsweep-test-indicator@6.6.6"

// lock is a package-lock.json that locks packages, "name@version".
func lock(packages ...string) string {
	var b strings.Builder
	b.WriteString("{\n  \"name\": \"web\",\n  \"lockfileVersion\": 3,\n  \"packages\": {\n    \"\": {\"name\": \"web\"}")
	for _, p := range packages {
		name, version, _ := strings.Cut(p, "@")
		fmt.Fprintf(&b, ",\n    \"node_modules/%s\": {\n      \"version\": %q\n    }", name, version)
	}
	return b.String() + "\n  }\n}\n"
}

// filed is an incident.Filer that notes what it was given.
type filed struct {
	mu       sync.Mutex
	interest []incident.Swept
	sweeps   []*incident.Sweep
}

func (f *filed) Interest(context.Context) ([]incident.Swept, error) { return f.interest, nil }
func (f *filed) File(_ context.Context, s *incident.Sweep) incident.Outcome {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sweeps = append(f.sweeps, s)
	return incident.Outcome{}
}

func (f *filed) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.sweeps)
}

// world is the handlers over a simulator.
type world struct {
	t        *testing.T
	github   *githubtest.Server
	handlers *change.Handlers
	store    *store.Store
	effects  *journal.Effects
	filed    *filed
	log      *strings.Builder

	mu        sync.Mutex
	signals   []triage.Signal
	delivered int
	file      string        // of the inventory
	ahead     time.Duration // the clock that all processes have in common, of this machine's
}

func start(t *testing.T, opts githubtest.Options) *world {
	t.Helper()
	w := &world{t: t, github: githubtest.Start(t, opts), filed: &filed{}, log: &strings.Builder{}}
	w.open(t.TempDir())
	return w
}

// open makes the handlers, on the databases in a folder.
func (w *world) open(dir string) {
	t := w.t
	t.Helper()
	db, err := appdb.Open(t.Context(), dir, appdb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	j, err := journal.Open(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	w.effects = j.Effects("test", journal.EffectOptions{})
	w.file = filepath.Join(dir, "inventory.db")
	if w.store, err = store.Open(t.Context(), w.file, store.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.store.Close() })
	app := w.github.App()
	client, err := ghclient.New(ghclient.Options{BaseURL: w.github.URL(), Auth: ghclient.Auth{AppID: app.ID, AppKey: app.Key}})
	if err != nil {
		t.Fatal(err)
	}
	w.handlers = change.New(change.Options{
		GitHub: client, AppID: app.ID, Inventory: w.store, Catalogue: iocs.Set, Dir: t.TempDir(),
		Incidents: func(context.Context, string) (change.Incidents, error) { return w.filed, nil },
		Raise: func(_ context.Context, s triage.Signal) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.signals = append(w.signals, s)
			return nil
		},
		Log: slog.New(slog.NewTextHandler(w.log, nil)),
		Now: func() time.Time { return time.Now().Add(w.ahead) },
	})
}

// handle has a delivery acted on once.
func (w *world) handle(event string, payload map[string]any, received time.Time) error {
	w.t.Helper()
	w.mu.Lock()
	w.delivered++
	id := fmt.Sprintf("delivery-%d", w.delivered)
	w.mu.Unlock()
	return w.again(w.delivery(id, event, payload, received))
}

func (w *world) again(d hook.Delivery) error {
	return w.handlers.Table()[d.Event].Handle(w.t.Context(), d, w.effects)
}

func (w *world) delivery(id, event string, payload map[string]any, received time.Time) hook.Delivery {
	w.t.Helper()
	in := w.github.Installation()
	payload["installation"] = map[string]any{"id": in.ID}
	body, err := json.Marshal(payload)
	if err != nil {
		w.t.Fatal(err)
	}
	action, _ := payload["action"].(string)
	return hook.Delivery{ID: id, Hook: 1, Event: event, Action: action, Installation: in.ID, Received: received, Body: body}
}

// done has a delivery acted on until it is done with.
func (w *world) done(event string, payload map[string]any) {
	w.t.Helper()
	w.mu.Lock()
	w.delivered++
	d := w.delivery(fmt.Sprintf("delivery-%d", w.delivered), event, payload, time.Now())
	w.mu.Unlock()
	for range 30 {
		err := w.again(d)
		var snooze *jobs.SnoozeError
		if errors.As(err, &snooze) {
			time.Sleep(100 * time.Millisecond)
			continue
		}
		if err != nil {
			w.t.Fatalf("%s: %v", event, err)
		}
		return
	}
	w.t.Fatalf("%s: put off again and again", event)
}

// whoHas are the refs that hold the planted package now, by repository.
func (w *world) whoHas() []string {
	w.t.Helper()
	q, err := lookup.ParseQuery("npm:" + planted)
	if err != nil {
		w.t.Fatal(err)
	}
	holdings, err := lookup.WhoHas(w.t.Context(), w.store, q, false)
	if err != nil {
		w.t.Fatal(err)
	}
	out := []string{}
	for _, h := range holdings {
		out = append(out, h.Repository.Name+" "+h.Ref+" "+h.File)
	}
	return out
}

// push moves a branch to hold files and gives the payload that tells of it.
func push(repo *githubtest.Repo, branch string, files map[string]string) map[string]any {
	ref := "refs/heads/" + branch
	before, _ := gitstore.Lookup(repo.Content, ref)
	return repo.PushPayload(ref, before, repo.Push(branch, files))
}

// TestInventory: who-has knows what a push told, and that a branch is gone.
func TestInventory(t *testing.T) {
	w := start(t, githubtest.Options{})
	repo := w.github.AddFiles("web", map[string]string{"package-lock.json": lock("left-pad@1.3.0")})
	want := func(places ...string) {
		t.Helper()
		if got := w.whoHas(); !slices.Equal(got, places) {
			t.Errorf("who has it: %q, want %q", got, places)
		}
	}
	w.done("push", push(repo, "main", map[string]string{"package-lock.json": lock("left-pad@1.3.0", planted), "go.sum": ""}))
	want("acme/web refs/heads/main package-lock.json")
	if len(w.signals) != 1 || w.signals[0].Subject.Part("purl") == "" || w.signals[0].Subject.Part("ref") != "refs/heads/main" || w.signals[0].Severity == triage.NoSeverity {
		t.Errorf("signals %+v", w.signals)
	}
	if w.filed.count() != 1 {
		t.Errorf("filed %d times", w.filed.count())
	}
	repo.Memory().SetRef("refs/heads/dev", lookupRef(t, repo, "refs/heads/main"))
	w.done("push", repo.PushPayload("refs/heads/dev", gitstore.ID{}, lookupRef(t, repo, "refs/heads/main")))
	repo.Memory().Tag("v1", lookupRef(t, repo, "refs/heads/main"))
	w.done("push", repo.PushPayload("refs/tags/v1", gitstore.ID{}, lookupRef(t, repo, "refs/tags/v1")))
	want("acme/web refs/heads/dev package-lock.json", "acme/web refs/heads/main package-lock.json", "acme/web refs/tags/v1 package-lock.json")

	// A force push back, and a branch that goes.
	w.done("push", push(repo, "main", map[string]string{"package-lock.json": lock("left-pad@1.3.0")}))
	was := lookupRef(t, repo, "refs/heads/dev")
	repo.Memory().SetRef("refs/heads/dev", gitstore.ID{})
	w.done("push", repo.PushPayload("refs/heads/dev", was, gitstore.ID{}))
	want("acme/web refs/tags/v1 package-lock.json")
}

// TestLate: a delivery of a state that is over leads to the one that there is, and who-has knows what
// that holds.
func TestLate(t *testing.T) {
	w := start(t, githubtest.Options{})
	repo := w.github.AddFiles("web", map[string]string{"package-lock.json": lock("left-pad@1.3.0")})
	late := push(repo, "main", map[string]string{"package-lock.json": lock("left-pad@1.3.1")})
	push(repo, "main", map[string]string{"package-lock.json": lock(planted)})
	w.done("push", late)
	if got, want := w.whoHas(), []string{"acme/web refs/heads/main package-lock.json"}; !slices.Equal(got, want) {
		t.Errorf("who has it: %q, want %q", got, want)
	}
}

func lookupRef(t *testing.T, repo *githubtest.Repo, name string) gitstore.ID {
	t.Helper()
	id, ok := gitstore.Lookup(repo.Content, name)
	if !ok {
		t.Fatalf("there is no %s", name)
	}
	return id
}

// TestOnlyWhatDiffers: of a second push the changed lockfile is fetched, and no other.
func TestOnlyWhatDiffers(t *testing.T) {
	w := start(t, githubtest.Options{})
	files := map[string]string{}
	for i := range 20 {
		files[fmt.Sprintf("p%d/package-lock.json", i)] = lock(fmt.Sprintf("pad-%d@1.0.0", i))
	}
	repo := w.github.AddFiles("web", files)
	w.done("push", push(repo, "main", files))
	before := len(w.github.Log())
	files["p3/package-lock.json"] = lock("pad-3@1.0.1")
	payload := push(repo, "main", files)
	w.done("push", payload)
	asked := 0
	for _, e := range w.github.Log()[before:] {
		if strings.HasSuffix(e.Path, "git-upload-pack") {
			asked++
		}
	}
	if asked != 3 { // refs, the trees of one commit, one blob
		t.Errorf("git was asked %d times", asked)
	}
	// Another delivery of the same asks what the ref names, and no more.
	before = len(w.github.Log())
	time.Sleep(1100 * time.Millisecond)
	w.done("push", payload)
	if asked := len(w.github.Log()) - before; asked != 1 {
		t.Errorf("GitHub was asked %d times of what is known", asked)
	}
	if len(w.github.Violations()) > 0 {
		t.Errorf("%q", w.github.Violations())
	}
}

// TestAbuse41: row 41 of the threat model. Whether a delivery came just now, and what is newer, goes by
// the clock that all processes have in common; how long it is put off by this machine's.
func TestAbuse41(t *testing.T) {
	for _, ahead := range []time.Duration{time.Hour, -time.Hour} {
		w := start(t, githubtest.Options{})
		w.ahead = ahead
		repo := w.github.AddFiles("web", map[string]string{"package-lock.json": lock("left-pad@1.3.0")})
		pushed := push(repo, "main", map[string]string{"package-lock.json": lock(planted)})
		if err := w.handle("push", pushed, time.Now().Add(ahead)); err != nil {
			t.Fatal(err)
		}
		inventory, err := sql.Open("sqlite", w.file)
		if err != nil {
			t.Fatal(err)
		}
		defer inventory.Close()
		var told int64
		if err := inventory.QueryRowContext(t.Context(), "SELECT max(told) FROM inv_ref").Scan(&told); err != nil {
			t.Fatal(err)
		}
		if off := time.Until(time.UnixMilli(told)) - ahead; off.Abs() > time.Minute {
			t.Errorf("%v ahead: what the ref names is %v off", ahead, off)
		}
		time.Sleep(1100 * time.Millisecond)
		pushed["before"], pushed["after"] = pushed["after"], strings.Repeat("1", 40)
		var snooze *jobs.SnoozeError
		if err := w.handle("push", pushed, time.Now().Add(ahead)); !errors.As(err, &snooze) || time.Until(snooze.Until).Abs() > time.Minute {
			t.Errorf("%v ahead: a push that GitHub does not show yet: %v", ahead, err)
		}
		time.Sleep(1100 * time.Millisecond)
		if err := w.handle("push", pushed, time.Now().Add(ahead-5*time.Minute)); err != nil {
			t.Errorf("%v ahead: an old push of a commit that is not there: %v", ahead, err)
		}
	}
}

// TestTruth: what a ref names is asked of GitHub, and a delivery that comes late or in another
// order does not bring back what is over.
func TestTruth(t *testing.T) {
	w := start(t, githubtest.Options{})
	repo := w.github.AddFiles("web", map[string]string{"package-lock.json": lock("left-pad@1.3.0")})
	first := push(repo, "main", map[string]string{"package-lock.json": lock(planted)})
	second := push(repo, "main", map[string]string{"package-lock.json": lock("left-pad@1.3.0")})
	w.done("push", second)
	time.Sleep(1100 * time.Millisecond)
	w.done("push", first)
	if got := w.whoHas(); len(got) != 0 || len(w.signals) != 0 || w.filed.count() != 0 {
		t.Errorf("an old push has come back: %q, %d signals, filed %d times", got, len(w.signals), w.filed.count())
	}
	// GitHub shows the state before a push for a moment: the push waits.
	ahead := second
	ahead["before"], ahead["after"] = second["after"], strings.Repeat("1", 40)
	var snooze *jobs.SnoozeError
	time.Sleep(1100 * time.Millisecond)
	if err := w.handle("push", ahead, time.Now()); !errors.As(err, &snooze) {
		t.Errorf("a push that GitHub does not show yet: %v", err)
	}
	time.Sleep(1100 * time.Millisecond)
	if err := w.handle("push", ahead, time.Now().Add(-time.Hour)); err != nil {
		t.Errorf("an old push of a commit that is not there: %v", err)
	}
}
