//go:build chaos && linux

package chaos_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/app"
	"github.com/wormsweep/wormsweep/internal/appdb"
	"github.com/wormsweep/wormsweep/internal/apptest"
	"github.com/wormsweep/wormsweep/internal/chaos"
	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/journal"
	"github.com/wormsweep/wormsweep/internal/lookup"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/internal/xtest/pgtest"
)

func TestMain(m *testing.M) { apptest.Main(m) }

// world is GitHub with an organisation in which something happens all the time, and the processes
// of the App that are told of it.
type world struct {
	*testing.T
	github    *githubtest.Server
	incidents *githubtest.Repo
	authors   []*author
	front     *front
	server    *pgtest.Server // nil on SQLite
	database  string
	config    string
	env       []string // of the processes

	mu      sync.Mutex
	sent    []chaos.Attempt
	all     []*apptest.Process // ever started
	serving []*apptest.Process
	metrics strings.Builder
	kills   int
	skew    atomic.Int64 // of GitHub's clock
}

// newWorld makes a world on a kind of database.
func newWorld(t *testing.T, seed uint64, kind int) *world {
	t.Helper()
	w := &world{T: t, front: newFront(t)}
	w.github = githubtest.New(githubtest.Options{
		Seed: seed, Limits: githubtest.Limits{Queued: 20 * time.Millisecond},
		Now: func() time.Time { return time.Now().Add(time.Duration(w.skew.Load())) },
	})
	w.database = w.fresh(kind)
	if !*long {
		w.env = []string{"WORMSWEEP_LEASE=15s"}
	}
	t.Cleanup(w.github.Close)
	w.incidents = w.github.AddFiles("incidents", map[string]string{"README.md": "issues"})
	w.github.AddTeam(w.github.Installation().Account, "responders", "jane")
	for i, name := range []string{"web", "api", "tools"} {
		w.authors = append(w.authors, w.newAuthor(name, seed+uint64(i)))
	}
	w.github.SetWebhook(w.github.App(), githubtest.Webhook{ID: hookNumber, URL: w.front.url(), Secret: apptest.Secret})
	w.config = apptest.Config(t, w.github, w.database, "organisation: acme", "issues: acme/incidents", "responders: responders")
	return w
}

// start starts a process. It reports false where the process died before it served.
func (w *world) start(env ...string) (*apptest.Process, bool) {
	w.Helper()
	p := apptest.Start(w, w.config, append(w.env, env...)...)
	w.all = append(w.all, p)
	if !p.Serving() {
		return p, false
	}
	w.serving = append(w.serving, p)
	w.lead()
	return p, true
}

// must is start for a process that has no reason to die.
func (w *world) must() *apptest.Process {
	w.Helper()
	p, served := w.start()
	if !served {
		w.Fatalf("the App does not serve:\n%s", p.Stderr())
	}
	return p
}

// lead leads deliveries to those that serve.
func (w *world) lead() {
	var addresses []string
	for _, p := range w.serving {
		addresses = append(addresses, strings.TrimSuffix(strings.TrimPrefix(p.URL, "http://"), "/webhook"))
	}
	w.front.serve(addresses...)
}

func (w *world) gone(p *apptest.Process) {
	for i, other := range w.serving {
		if other == p {
			w.serving = append(w.serving[:i:i], w.serving[i+1:]...)
			break
		}
	}
	w.lead()
}

// kill kills a process as kill -9 does, and only then stops to lead deliveries to it.
func (w *world) kill(p *apptest.Process) {
	p.Kill()
	w.kills++
	w.gone(p)
}

// stop stops a process as systemd does.
func (w *world) stop(p *apptest.Process) {
	w.Helper()
	w.scrape(p)
	code, took := p.Stop()
	if code != 0 || took > 25*time.Second {
		w.Errorf("exit code %d after %v", code, took)
	}
	if line, bad := p.Logged("a job failed, and is tried again"); bad && strings.Contains(fmt.Sprint(line["error"]), context.Canceled.Error()) {
		w.Errorf("a stop counted as a failure: %v", line)
	}
	w.gone(p)
}

// scrape keeps what the metrics of a process say.
func (w *world) scrape(p *apptest.Process) {
	response, err := http.Get(p.Admin + "/metrics")
	if err != nil {
		return // it is dead, or stands still
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	w.metrics.Write(text)
}

// load has things happen until f returns.
func (w *world) load(pause time.Duration, f func()) {
	ctx, stop := context.WithCancel(context.Background())
	var all sync.WaitGroup
	defer all.Wait()
	defer stop()
	for _, a := range w.authors {
		all.Go(func() { a.work(ctx, pause) })
	}
	f()
}

// settle ends a run: the processes are stopped, the package is planted while nobody is told of it,
// one process starts, and all has to come to rest in time.
func (w *world) settle() {
	w.Helper()
	bound := 60 * time.Second
	if *long {
		bound = 4 * time.Minute
	}
	for len(w.serving) > 0 {
		w.stop(w.serving[0])
	}
	a := w.authors[0]
	a.plant("main")
	p := w.must()
	began := time.Now()
	var violations []chaos.Violation
	var evidence *chaos.Evidence
	for {
		var err error
		evidence, err = w.evidence()
		if err == nil {
			if violations = chaos.Check(evidence); len(violations) == 0 {
				break
			}
		}
		if time.Since(began) > bound {
			for _, v := range violations[:min(len(violations), 20)] {
				w.Error(v)
			}
			if more := len(violations) - 20; more > 0 {
				w.Errorf("and %d violations more", more)
			}
			if err != nil {
				w.Error(err)
			}
			break
		}
		time.Sleep(500 * time.Millisecond)
	}
	w.report(evidence, time.Since(began))
	for _, name := range []string{"table app_delivery", "table app_effect", "table river_job", "metrics", "issues", "check runs", "log of process 0"} {
		if evidence != nil && evidence.Outputs[name] == "" {
			w.Errorf("%s was not looked through", name)
		}
	}
	if w.Failed() {
		w.keep(evidence)
	}
	if code, _ := p.Stop(); code != 0 {
		w.Errorf("exit code %d", code)
	}
}

// report logs the line of a run.
func (w *world) report(e *chaos.Evidence, took time.Duration) {
	w.Helper()
	if e == nil {
		return
	}
	answered, failed := 0, 0
	for _, a := range e.Attempts {
		if a.Status >= 200 && a.Status <= 299 {
			answered++
		} else {
			failed++
		}
	}
	checks := 0
	for _, runs := range e.CheckRuns {
		checks += len(runs)
	}
	dead := 0
	for _, d := range e.Stored {
		if d.State == journal.Dead {
			dead++
		}
	}
	w.Logf("%d processes, %d kills; %d deliveries answered, %d not; %d stored, %d dead; %d answers kept back; %d check runs, %d issues, %d questions; %d calls of GitHub; at rest after %v",
		len(w.all), w.kills, answered, failed, len(e.Stored), dead, w.front.wasCut.Load(), checks, len(e.Issues), e.Truth.Asked, len(w.github.Log()), took.Round(100*time.Millisecond))
}

// keep writes what is left of a run that failed into a folder, where CHAOS_KEEP names one.
func (w *world) keep(e *chaos.Evidence) {
	dir := os.Getenv("CHAOS_KEEP")
	if dir == "" || e == nil {
		return
	}
	dir = filepath.Join(dir, strings.ReplaceAll(w.Name(), "/", "-"))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		w.Error(err)
		return
	}
	for name, text := range e.Outputs {
		if err := os.WriteFile(filepath.Join(dir, strings.ReplaceAll(name, "/", "-")), []byte(text), 0o600); err != nil {
			w.Error(err)
		}
	}
	var calls strings.Builder
	for _, entry := range w.github.Log() {
		fmt.Fprintf(&calls, "%s %s %s %d fault=%t\n", entry.Time.Format(time.StampMicro), entry.Method, entry.Path, entry.Status, entry.Fault)
	}
	if err := os.WriteFile(filepath.Join(dir, "calls"), []byte(calls.String()), 0o600); err != nil {
		w.Error(err)
	}
}

// evidence collects what is left.
func (w *world) evidence() (*chaos.Evidence, error) {
	ctx := context.Background()
	e := &chaos.Evidence{CheckRuns: map[string][]githubtest.CheckRun{}, Outputs: map[string]string{}, Violations: w.github.Violations()}
	w.mu.Lock()
	e.Attempts = append(e.Attempts, w.sent...)
	w.mu.Unlock()
	all := w.github.Deliveries()
	for i := len(all) - 1; i >= 0; i-- {
		d := all[i]
		e.Attempts = append(e.Attempts, chaos.Attempt{Hook: hookNumber, ID: d.GUID, Status: d.Status, At: d.At, Listed: true})
	}
	e.Issues = w.incidents.Issues()
	e.Truth = chaos.Truth{Campaign: campaign, Planted: map[string]bool{}, Secrets: map[string]string{
		"the webhook's secret": apptest.Secret, "a credential in a body or a lockfile": canary,
		"the App's key": strings.Split(string(w.github.App().Key), "\n")[3],
	}}
	for i, token := range w.github.Tokens() {
		e.Truth.Secrets[fmt.Sprintf("token %d of the installation", i)] = token
	}
	for _, a := range w.authors {
		name := "acme/" + a.name
		e.CheckRuns[name] = a.repo.CheckRuns()
		e.Truth.Heads = append(append(e.Truth.Heads, a.pulls...), a.past...)
		e.Truth.Planted[name] = false
		e.Truth.Asked += a.asked
		for _, b := range a.branches {
			if b.head != nil {
				e.Truth.Heads = append(e.Truth.Heads, *b.head)
			}
			e.Truth.Planted[name] = e.Truth.Planted[name] || len(b.planted) > 0
		}
		for _, run := range e.CheckRuns[name] {
			e.Outputs["check runs"] += fmt.Sprintf("%+v\n", run)
		}
	}
	for _, issue := range e.Issues {
		e.Outputs["issues"] += fmt.Sprintf("%+v\n", issue)
	}
	for i, p := range w.all {
		e.Outputs[fmt.Sprintf("log of process %d", i)] = p.Stderr()
	}
	for _, p := range w.serving {
		w.scrape(p)
	}
	e.Outputs["metrics"] = w.metrics.String()
	if err := w.journal(ctx, e); err != nil {
		return nil, err
	}
	return e, w.inventory(ctx, e)
}

// journal reads the App's tables.
func (w *world) journal(ctx context.Context, e *chaos.Evidence) error {
	db, err := appdb.Open(ctx, w.database, appdb.Options{Connections: 2})
	if err != nil {
		return err
	}
	defer db.Close()
	j, err := journal.Open(ctx, db)
	if err != nil {
		return err
	}
	for _, state := range []journal.State{journal.Accepted, journal.Done, journal.Dead} {
		for after := int64(0); ; {
			some, err := j.Deliveries(ctx, state, after, 1000)
			if err != nil {
				return err
			}
			if len(some) == 0 {
				break
			}
			e.Stored, after = append(e.Stored, some...), some[len(some)-1].Number
		}
	}
	args := "json(args)" // which SQLite keeps as JSONB
	if db.Postgres() != nil {
		args = "args::text"
	}
	triaged := map[string]bool{}
	err = db.Query(ctx, "SELECT id FROM app_signal WHERE taken > 0", nil, func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		triaged[id] = true
		return err
	})
	if err != nil {
		return err
	}
	err = db.Query(ctx, "SELECT CAST(state AS TEXT), "+args+" FROM river_job WHERE state IN ('available', 'running', 'retryable', 'scheduled', 'pending')", nil, func(scan func(...any) error) error {
		var state, args string
		if err := scan(&state, &args); err != nil {
			return err
		}
		var of struct {
			Kind string
			Args struct{ Signal string }
		}
		if err := json.Unmarshal([]byte(args), &of); err != nil {
			return err
		}
		switch {
		case of.Kind == "signal" && state == "scheduled" && triaged[of.Args.Signal]: // it is looked at again later
		case slices.Contains([]string{"delivery", "signal", "sweep", "rematch"}, of.Kind):
			e.Waiting = append(e.Waiting, state+" "+args)
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = db.Query(ctx, "SELECT key FROM app_effect WHERE state = 'claimed' AND lease > {now}", nil, func(scan func(...any) error) error {
		var key string
		err := scan(&key)
		e.Claims = append(e.Claims, key)
		return err
	})
	if err != nil {
		return err
	}
	return dump(ctx, db, e.Outputs)
}

// dump writes the tables of a database as text, but for the bodies of deliveries, which are kept as
// they came for as long as GitHub has them.
func dump(ctx context.Context, db *appdb.DB, outputs map[string]string) error {
	columns := "SELECT m.name, p.name, p.type FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE m.type = 'table'"
	if db.Postgres() != nil {
		columns = "SELECT table_name::text, column_name::text, data_type::text FROM information_schema.columns WHERE table_schema = 'public'"
	}
	tables := map[string][]string{}
	err := db.Query(ctx, columns, nil, func(scan func(...any) error) error {
		var table, column, kind string
		if err := scan(&table, &column, &kind); err != nil || table == "app_body" {
			return err
		}
		value := fmt.Sprintf("CAST(%q AS TEXT)", column)
		if kind == "bytea" {
			value = fmt.Sprintf("encode(%q, 'escape')", column)
		}
		tables[table] = append(tables[table], "coalesce("+value+", '')")
		return nil
	})
	if err != nil {
		return err
	}
	for table, values := range tables {
		var text strings.Builder
		err := db.Query(ctx, fmt.Sprintf("SELECT %s FROM %q", strings.Join(values, " || ' ' || "), table), nil, func(scan func(...any) error) error {
			var row string
			err := scan(&row)
			text.WriteString(row + "\n")
			return err
		})
		if err != nil {
			return err
		}
		outputs["table "+table] = text.String()
	}
	return nil
}

// inventory reads what the sweeps left.
func (w *world) inventory(ctx context.Context, e *chaos.Evidence) error {
	st, err := store.Open(ctx, app.InventoryOf(w.database), store.Options{})
	if err != nil {
		return err
	}
	defer st.Close()
	body, version, err := st.Records("daily").Load(ctx, "sweep")
	if err != nil {
		return err
	}
	if version > 0 {
		run := chaos.Run{Name: "sweep"}
		if err := json.Unmarshal(body, &run); err != nil {
			return err
		}
		e.Runs = append(e.Runs, run)
	}
	problems, unknown := lookup.Lacking(ctx, st)
	if unknown != nil {
		e.Lacking = append(e.Lacking, unknown.Error())
	}
	for _, p := range problems {
		e.Lacking = append(e.Lacking, string(p.Code)+": "+p.Detail)
	}
	query, err := lookup.ParseQuery("npm:" + planted)
	if err != nil {
		return err
	}
	held, err := lookup.WhoHas(ctx, st, query, false)
	for i := range held {
		e.Holds = append(e.Holds, held[i].Repository.Name)
	}
	if err != nil || appdb.IsPostgres(w.database) {
		return err
	}
	for _, name := range []string{"inventory.db", "inventory.db-wal"} {
		data, err := os.ReadFile(filepath.Join(w.database, name))
		if err == nil {
			e.Outputs["file "+name] = string(data)
		}
	}
	return nil
}
