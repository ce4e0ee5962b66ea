// Package jobs runs work that is kept in the database until it ended: a job that was inserted in a
// transaction is there if the transaction is, and is run at least once, whatever happens to the
// processes that run it. River (riverqueue.com) keeps the jobs; nobody else imports it.
//
// At least once is all that is promised. A job runs again when its process dies, when its time is
// over, and in rare cases after it ended well: what it writes must be keyed by what it is about.
//
// What a run answers says what becomes of the job. nil ends it. Snooze has it run again at a time,
// and uses up no attempt. Dead ends it for good. A run that this process's stop cut short is given
// back without an attempt. Any other error is an attempt: the job runs again, later each time,
// and is dead after the last one.
//
// A process that dies while it runs jobs gives them up: they run again when it is started anew
// where the database is a file, and after Lost by another process where it is PostgreSQL. Such a
// run was an attempt, so that a job that kills its process does not do so for ever; after a few it
// runs later each time, so that it does not take along to their end those that run beside it.
package jobs

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/wormsweep/wormsweep/internal/appdb"
)

// Attempts and times where nothing else is said. Lost is how long after its last sign of life a
// process of PostgreSQL's is dead.
const (
	DefaultTimeout  = 2 * time.Minute
	MaxTimeout      = 5 * time.Minute // of what is not in the lane Long
	LongTimeout     = 6 * time.Hour   // of what is
	DefaultAttempts = 30              // over half a day, by the delays of retry
	Lost            = 45 * time.Second
	Drain           = 20 * time.Second
)

// Job is one run of a job.
type Job struct {
	ID      int64
	Kind    string
	Args    json.RawMessage
	Attempt int // from 1 on
	Last    bool
}

// Kind is a kind of job.
type Kind struct {
	Name     string
	Timeout  time.Duration // of one run; 0 is DefaultTimeout, or LongTimeout
	Attempts int           // 0 is DefaultAttempts
	Lane     Lane
	// Cut ends a run as soon as this process stops, and not only after Drain: it takes long, and the
	// next goes on where it was.
	Cut bool
	Run func(ctx context.Context, j Job) error
	// Dead is told of a job that was given up, before it is; nil is nobody. Where a job's process
	// died in its last attempt nobody is told: State finds it.
	Dead func(ctx context.Context, j Job, reason string) error
}

// Lane is where jobs wait for their turn. Those of one do not wait for those of another.
type Lane uint8

// The lanes.
const (
	Short  Lane = iota
	Asking      // jobs that ask others for minutes
	Long        // jobs that may run for hours
)

// New is a job to insert.
type New struct {
	Kind string
	Args any // as JSON
	// Key, where set, keeps the job from being inserted while one of its kind and key has not
	// ended. This saves work; it does not promise that two never run.
	Key string
	At  time.Time // not before, by Runner.Now; zero is now
	// Priority is from 1, which goes first of those that are due in a lane, to 4; 0 is 1.
	Priority int
}

// Schedule makes a job every so often: when Every divides the time by the database's clock, less
// Offset, without rest. However many processes run and however long none did, each turn makes one
// job at most, and the first turn of all is at once.
type Schedule struct {
	Name    string // unique; its last turn is kept under it
	Every   time.Duration
	Offset  time.Duration
	AtStart bool // makes a job whenever a process starts, too
	Kind    string
	Args    any
}

// Options are the settings of a Runner.
type Options struct {
	Kinds     []Kind
	Schedules []Schedule
	Workers   int           // short jobs at a time in this process; 0 is 16
	Asking    int           // jobs of the lane Asking at a time; 0 is 6
	Long      int           // long jobs at a time; 0 is 2
	Drain     time.Duration // how long Stop waits for runs before it ends them; 0 is Drain
	Lost      time.Duration // how long a process is silent until others take what it holds; 0 is Lost
	Logger    *slog.Logger
}

//go:embed migrations
var migrations embed.FS

// Migrate brings River's tables and those of this package up to date.
func Migrate(ctx context.Context, db *appdb.DB) error {
	ours, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	if err := db.Migrate(ctx, "jobs", ours); err != nil {
		return err
	}
	if err := db.Alone(ctx, func(ctx context.Context) error { return migrateRiver(ctx, db) }); err != nil {
		return fmt.Errorf("bring the tables of River up to date: %w", err)
	}
	return nil
}

// State is where a job stands.
type State uint8

// The states. Gone is a job that ended long ago and was deleted, or was never there.
const (
	Gone    State = iota
	Waiting       // runs now or will
	Ended         // well
	Failed        // given up
)
