package jobs

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"

	"github.com/wormsweep/wormsweep/internal/appdb"
)

// queues are River's queues of the lanes.
var queues = [...]string{Short: "short", Asking: "asking", Long: "long"}

// args are the arguments of the one kind of job that River knows.
type args struct {
	Name string          `json:"kind" river:"unique"`
	Key  string          `json:"key,omitempty" river:"unique"`
	Args json.RawMessage `json:"args"`
}

func (args) Kind() string { return "wormsweep" }

// engine is a River client of either kind of database.
type engine interface {
	insert(ctx context.Context, tx *appdb.Tx, jobs []river.InsertManyParams) ([]*rivertype.JobInsertResult, error)
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
	Stopped() <-chan struct{}
}

type client[T any] struct {
	*river.Client[T]
	of func(*appdb.Tx) T
}

func (c *client[T]) insert(ctx context.Context, tx *appdb.Tx, jobs []river.InsertManyParams) ([]*rivertype.JobInsertResult, error) {
	return c.InsertManyTx(ctx, c.of(tx), jobs)
}

func newEngine(db *appdb.DB, config *river.Config) (engine, error) {
	if db.Postgres() != nil {
		c, err := river.NewClient(riverpgxv5.New(db.Postgres()), config)
		return &client[pgx.Tx]{c, (*appdb.Tx).Postgres}, err
	}
	c, err := river.NewClient(riversqlite.New(db.SQLite()), config)
	return &client[*sql.Tx]{c, (*appdb.Tx).SQLite}, err
}

func migrateRiver(ctx context.Context, db *appdb.DB) error {
	if db.Postgres() != nil {
		return migrateWith(ctx, riverpgxv5.New(db.Postgres()))
	}
	return migrateWith(ctx, riversqlite.New(db.SQLite()))
}

func migrateWith[T any](ctx context.Context, driver riverdriver.Driver[T]) error {
	m, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

func (r *Runner) config(opt Options) *river.Config {
	workers := river.NewWorkers()
	river.AddWorker(workers, &worker{runner: r})
	return &river.Config{
		ID:      r.id,
		Workers: workers,
		Queues: map[string]river.QueueConfig{
			queues[Short]:  {MaxWorkers: opt.Workers},
			queues[Asking]: {MaxWorkers: opt.Asking},
			queues[Long]:   {MaxWorkers: opt.Long},
		},
		FetchCooldown:     50 * time.Millisecond,
		FetchPollInterval: time.Second,
		JobTimeout:        LongTimeout,
		// Processes that die are this package's business (reclaim). River would give a job that
		// has run for as long as this to another, whether it still runs or not.
		RescueStuckJobsAfter:        LongTimeout + time.Minute,
		CompletedJobRetentionPeriod: time.Hour,
		CancelledJobRetentionPeriod: 7 * 24 * time.Hour,
		DiscardedJobRetentionPeriod: 7 * 24 * time.Hour,
		MaxAttempts:                 DefaultAttempts,
		SoftStopTimeout:             cmp.Or(opt.Drain, Drain),
		Logger:                      slog.New(quiet{opt.Logger.Handler()}),
		// The one way to give River a clock. By this machine's, one that leads and is an hour behind
		// would have the others' jobs wait for an hour.
		Test: river.TestConfig{Time: &r.clock},
	}
}

// quiet passes on what River says of itself, and not what it says of a job: this package says
// that, without the text of errors that may come from outside.
type quiet struct{ slog.Handler }

func (q quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && q.Handler.Enabled(ctx, level)
}

func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	ofJob := false
	r.Attrs(func(a slog.Attr) bool {
		ofJob = a.Key == "job_id" || a.Key == "job_kind"
		return !ofJob
	})
	if ofJob {
		return nil
	}
	return q.Handler.Handle(ctx, r)
}

func (q quiet) WithAttrs(attrs []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(attrs)} }
func (q quiet) WithGroup(name string) slog.Handler       { return quiet{q.Handler.WithGroup(name)} }
