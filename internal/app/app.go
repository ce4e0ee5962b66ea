// Package app is the GitHub App: it takes what GitHub delivers, keeps it, and has it acted on,
// each delivery at least once and each effect once.
//
// New wires the parts together, Serve runs them until its context ends and then drains them. What
// is done for which event is in one table, handlers.
package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wormsweep/wormsweep/internal/app/catalogue"
	"github.com/wormsweep/wormsweep/internal/app/change"
	"github.com/wormsweep/wormsweep/internal/app/redelivery"
	"github.com/wormsweep/wormsweep/internal/app/settings"
	"github.com/wormsweep/wormsweep/internal/appdb"
	"github.com/wormsweep/wormsweep/internal/exposure"
	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/ghread"
	"github.com/wormsweep/wormsweep/internal/groupcommit"
	"github.com/wormsweep/wormsweep/internal/handler"
	"github.com/wormsweep/wormsweep/internal/hook"
	"github.com/wormsweep/wormsweep/internal/incident"
	"github.com/wormsweep/wormsweep/internal/jobs"
	"github.com/wormsweep/wormsweep/internal/journal"
	"github.com/wormsweep/wormsweep/internal/store"
)

// How long the parts of a stop may take, which is 25 seconds in all.
const (
	drain     = 25 * time.Second
	drainHTTP = 12 * time.Second // more than the receiver's bound
)

// App is the App on an open database. It is safe for concurrent use.
type App struct {
	config  Config
	log     *slog.Logger
	db      *appdb.DB
	journal *journal.Journal
	effects *journal.Effects
	jobs    *jobs.Runner
	github  *ghclient.Client // signs as the App
	readers func(ctx context.Context, owner string, since time.Time) (*ghread.Reader, error)

	inventory     *store.Store
	incidents     *incidents
	changes       *change.Handlers
	installations *installations
	catalogue     *catalogue.Catalogue
	policies      *policies
	exclusions    *exclusions
	redeliveries  *redelivery.Reconciler
	settings      *settings.Keeper
	handlers      map[string][]handler.Handler
	takers        []handler.Taker
	ends          *groupcommit.Group[journal.End]
	receiver      *hook.Handler
	metrics       *metrics
	askWithin     time.Duration // of a signal, or for an answer; 0 is askWithin, or answerWithin
	planAtOnce    time.Duration // of an incident; 0 is planAtOnce

	ready atomic.Bool
}

// New opens the database, brings its tables up to date and wires the parts together. Nothing
// runs yet.
func New(ctx context.Context, config Config, log *slog.Logger) (*App, error) {
	a := &App{config: config, log: log}
	var err error
	a.github, err = ghclient.New(ghclient.Options{
		BaseURL: config.GitHub, Auth: ghclient.Auth{AppID: config.AppID, AppKey: config.AppKey}, Log: log,
	})
	if err != nil {
		return nil, &ConfigError{err}
	}
	a.readers = exposure.Reader(a.github, func() time.Time { return a.jobs.Now() })
	a.receiver, err = hook.New(a, hook.Options{Secrets: config.Secrets, Now: func() time.Time { return a.jobs.Now() }, Logger: log, Count: a.counted})
	if err != nil {
		return nil, &ConfigError{err}
	}
	if a.db, err = appdb.Open(ctx, config.Database, appdb.Options{Alone: true}); err != nil {
		return nil, err
	}
	if err := a.wire(ctx); err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

func (a *App) counted(outcome string) { a.metrics.requests.WithLabelValues(outcome).Inc() }

// ConfigError is a configuration that cannot be used.
type ConfigError struct{ Err error }

func (e *ConfigError) Error() string { return e.Err.Error() }
func (e *ConfigError) Unwrap() error { return e.Err }

func (a *App) wire(ctx context.Context) error {
	if err := jobs.Migrate(ctx, a.db); err != nil {
		return err
	}
	var err error
	if a.journal, err = journal.Open(ctx, a.db); err != nil {
		return err
	}
	if a.jobs, err = jobs.NewRunner(a.db, jobs.Options{Kinds: a.kinds(), Schedules: a.schedules(), Workers: a.config.Workers, Lost: lease(), Logger: a.log}); err != nil {
		return err
	}
	a.effects = a.journal.Effects(a.jobs.ID(), journal.EffectOptions{Lease: lease(), Logger: a.log, Crash: crash})
	if a.settings, err = settings.Open(ctx, a.db, a.config.Settings, a.log); err != nil {
		return err
	}
	if a.inventory, err = openInventory(ctx, a.config.Database); err != nil {
		return err
	}
	if a.catalogue, err = catalogue.Open(catalogue.Options{Config: a.config.Feeds, Dir: a.config.FeedsDir, Log: a.log}); err != nil {
		return err
	}
	if a.exclusions, err = openExclusions(a.config.Exclusions, a.inventory.Records(exclusionRecords), a.log); err != nil {
		return err
	}
	if a.policies, err = openPolicies(a); err != nil {
		return err
	}
	a.redeliveries = redelivery.New(redelivery.Options{GitHub: a.github, Store: a.journal, Effects: a.effects, Log: a.log, Now: a.jobs.Now})
	a.incidents = &incidents{github: a.github, key: bytes.TrimSpace(a.config.AppKey), repository: a.config.Issues, responders: a.config.Responders, onCall: a.config.OnCall, store: a.inventory, set: a.catalogue.Set, now: a.now, questions: answers{a}, replan: a.planSoon}
	if a.incidents.chat, err = chat(os.Getenv); err != nil {
		return err
	}
	a.changes = change.New(change.Options{
		GitHub: a.github, AppID: a.config.AppID, Inventory: a.inventory, Catalogue: a.catalogue.Set, Incidents: a.incidents.of, Scope: a.scope, Raise: a.Signal, Exclusions: a.excluded,
		Workers: a.config.Workers, Log: a.log, Now: a.jobs.Now,
	})
	a.installations = &installations{journal: a.journal, github: a.github, log: a.log, now: a.jobs.Now}
	a.ends = groupcommit.New(func(ctx context.Context, ends []journal.End) error { return a.journal.End(ctx, ends...) })
	a.metrics = newMetrics(a)
	a.handlers, a.takers = a.table(), a.signalTakers()
	if a.db.SQLite() != nil { // which this process has to itself
		return a.orphans(ctx)
	}
	return nil
}

// orphans gives back at once what a dead process had claimed. Jobs do that by themselves.
func (a *App) orphans(ctx context.Context) error {
	if err := a.journal.Orphans(ctx); err != nil {
		return err
	}
	if err := incident.Orphans(ctx, a.inventory.Records(incidentRecords), claimHolder); err != nil {
		return err
	}
	p := a.publishing()
	if p == nil {
		return nil
	}
	return p.watcher.Orphans(ctx, p.all)
}

// now is the time by the database's clock, by which goes what several processes agree on: who has
// claimed an incident or an artifact, and until when. While the database does not answer it goes on from
// what it said the last time, whatever becomes of this process's own.
func (a *App) now() time.Time {
	if a.db.Postgres() == nil { // nobody else works on it
		return time.Now()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	now, err := a.db.Now(ctx)
	if err != nil {
		return a.jobs.Now()
	}
	return now
}

// Close lets go of the databases.
func (a *App) Close() error {
	var err error
	if a.inventory != nil {
		err = a.inventory.Close()
	}
	return errors.Join(err, a.db.Close())
}

// Accept implements hook.Store: a delivery and its job are in the database together or not.
func (a *App) Accept(ctx context.Context, deliveries []hook.Delivery) error {
	crash("before insert")
	err := a.journal.Accept(ctx, deliveries, func(ctx context.Context, tx *appdb.Tx, numbers []int64) ([]int64, error) {
		news := make([]jobs.New, len(numbers))
		for i, number := range numbers {
			news[i] = jobs.New{Kind: kindDelivery, Args: deliveryArgs{number}}
		}
		return a.jobs.Insert(ctx, tx, news...)
	})
	crash("after insert")
	return err
}

// Serve receives and works until ctx ends, and then stops: it takes nothing more, finishes what
// runs or gives it back, and returns within 25 seconds. An error is of what could not be begun or
// came to an end by itself.
func (a *App) Serve(ctx context.Context) error {
	receiver, err := net.Listen("tcp", a.config.Listen)
	if err != nil {
		return fmt.Errorf("listen for deliveries: %w", err)
	}
	defer receiver.Close()
	var admin net.Listener
	if a.config.Admin != "" {
		if admin, err = net.Listen("tcp", a.config.Admin); err != nil {
			return fmt.Errorf("listen for the administrator: %w", err)
		}
		defer admin.Close()
	}

	ended := make(chan error, 3)
	watching, stopWatching := context.WithCancel(context.WithoutCancel(ctx))
	var background sync.WaitGroup
	defer background.Wait()
	defer stopWatching()
	background.Go(func() { a.effects.Watch(watching, a.tellKill) })
	background.Go(func() { a.keepLists(watching) })
	background.Go(func() { a.keepPolicy(watching) })

	if err := a.jobs.Start(ctx); err != nil {
		return err
	}
	server := hook.Server(a.receiverHandler())
	server.ErrorLog = slog.NewLogLogger(a.log.Handler(), slog.LevelDebug) // who connects and does not speak HTTP
	go func() { ended <- server.Serve(hook.Limit(receiver, 0)) }()
	var adminServer *http.Server
	if admin != nil {
		adminServer = newAdminServer(a)
		go func() { ended <- adminServer.Serve(admin) }()
	}
	a.ready.Store(true)
	a.log.LogAttrs(ctx, slog.LevelInfo, "serving", slog.String("address", receiver.Addr().String()), slog.String("path", a.config.Path),
		slog.String("admin", a.adminAddress(admin)), slog.String("process", a.jobs.ID()))

	select {
	case <-ctx.Done():
	case <-a.jobs.Stopped():
		err = errors.New("jobs are not run any more")
	case err = <-ended:
	}
	a.ready.Store(false)
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	return errors.Join(err, a.stop(stopping, server, adminServer))
}

// receiverHandler answers on the listener that everybody reaches: the webhook, and nothing else.
func (a *App) receiverHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle(a.config.Path, a.receiver)
	return mux
}

// stop takes no more and waits for what runs.
func (a *App) stop(ctx context.Context, server, admin *http.Server) error {
	began := time.Now()
	a.log.LogAttrs(ctx, slog.LevelInfo, "stopping", slog.Int("running", a.jobs.Running()))
	var receiving sync.WaitGroup
	var errHTTP error
	receiving.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, drainHTTP)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			errHTTP = errors.Join(fmt.Errorf("stop receiving: %w", err), server.Close())
		}
	})
	err := a.jobs.Stop(ctx)
	receiving.Wait()
	if admin != nil {
		err = errors.Join(err, admin.Close())
	}
	a.log.LogAttrs(ctx, slog.LevelInfo, "stopped", slog.Duration("after", time.Since(began)))
	return errors.Join(err, errHTTP)
}

func (a *App) adminAddress(l net.Listener) string {
	if l == nil {
		return "off"
	}
	return l.Addr().String()
}

func (a *App) tellKill(kill journal.Switch) {
	level, what := slog.LevelWarn, "the kill switch is on: nothing is written outside"
	if !kill.On {
		level, what = slog.LevelInfo, "the kill switch is off"
	}
	a.log.LogAttrs(context.Background(), level, what, slog.String("by", kill.By), slog.String("reason", kill.Reason))
}

// decode reads the arguments of a job.
func decode[T any](j jobs.Job) (T, error) {
	var args T
	if err := json.Unmarshal(j.Args, &args); err != nil {
		return args, jobs.Dead(fmt.Sprintf("the arguments of a job of kind %q do not read back", j.Kind))
	}
	return args, nil
}
