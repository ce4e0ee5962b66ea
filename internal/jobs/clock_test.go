package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/jobs"
	"github.com/wormsweep/wormsweep/internal/xtest/pgtest"
)

// TestAbuse41Skew is row 41: this machine's clock is an hour behind or ahead of the database's. What it
// puts off is put off by the database's, and what others put off runs when it is due and no sooner.
func TestAbuse41Skew(t *testing.T) {
	for _, ahead := range []time.Duration{time.Hour, -time.Hour} { // the database's
		t.Run(ahead.String(), func(t *testing.T) {
			t.Parallel()
			s := &suite{T: t, setting: pgtest.Start(t).Database(t)}
			s.db = s.open()
			if err := jobs.Migrate(t.Context(), s.db); err != nil {
				t.Fatal(err)
			}
			for _, statement := range []string{
				fmt.Sprintf("CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE SQL AS $$ SELECT pg_catalog.clock_timestamp() + interval '%d seconds' $$", int(ahead.Seconds())),
				fmt.Sprintf("CREATE FUNCTION public.now() RETURNS timestamptz LANGUAGE SQL AS $$ SELECT pg_catalog.now() + interval '%d seconds' $$", int(ahead.Seconds())),
				"DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = public, pg_catalog', current_database()); END $$",
			} {
				if _, err := s.db.Exec(t.Context(), statement); err != nil {
					t.Fatal(err)
				}
			}
			s.db = s.open() // its connections have that clock
			var due, later atomic.Bool
			ran := func(b *atomic.Bool) func(context.Context, jobs.Job) error {
				return func(context.Context, jobs.Job) error {
					b.Store(true)
					return nil
				}
			}
			r := s.runner(s.db, jobs.Options{Kinds: []jobs.Kind{
				{Name: "fails", Run: func(context.Context, jobs.Job) error { return errors.New("not now") }},
				{Name: "waits", Run: func(context.Context, jobs.Job) error { return jobs.Snooze(time.Now().Add(time.Minute)) }},
				{Name: "due", Run: ran(&due)},
				{Name: "later", Run: ran(&later)},
			}})
			s.start(r)
			if off := time.Until(r.Now()) - ahead; off.Abs() > 5*time.Second {
				t.Errorf("Now is %v off", off)
			}
			ids := s.insert(r, jobs.New{Kind: "fails"}, jobs.New{Kind: "waits"}, jobs.New{Kind: "due", At: r.Now().Add(time.Hour)}, jobs.New{Kind: "later", At: r.Now().Add(time.Minute)})
			// As another process puts it off.
			if _, err := s.db.Exec(t.Context(), "UPDATE river_job SET scheduled_at = now() + interval '1 second' WHERE id = $1", ids[2]); err != nil {
				t.Fatal(err)
			}
			left := func(id int64) (state string, d time.Duration) {
				var seconds float64
				if _, err := s.db.One(t.Context(), "SELECT state::text, extract(epoch FROM scheduled_at - now())::float8 FROM river_job WHERE id = $1", []any{id}, &state, &seconds); err != nil {
					t.Fatal(err)
				}
				return state, time.Duration(seconds * float64(time.Second))
			}
			for i, want := range []time.Duration{5 * time.Second, time.Minute} {
				s.wait("it is put off", 10*time.Second, func() bool {
					_, d := left(ids[i])
					return (d - want).Abs() < 4*time.Second
				})
			}
			s.wait("it is due", 15*time.Second, due.Load)
			time.Sleep(6 * time.Second) // River looks every 5 seconds what is due
			if state, d := left(ids[3]); later.Load() || d < 20*time.Second {
				t.Errorf("a job for later: ran %v, %s, in %v", later.Load(), state, d)
			}
		})
	}
}
