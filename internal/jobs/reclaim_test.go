package jobs_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/jobs"
)

// testReclaim: what a process held that died runs again: at once where it worked alone, and after
// its last sign of life elsewhere. What it held in its last attempt is given up.
func testReclaim(t *testing.T, s *suite) {
	never := jobs.Kind{Name: "k", Attempts: 2, Run: func(context.Context, jobs.Job) error { return errors.New("never runs") }}
	idle := s.runner(s.db, jobs.Options{Kinds: []jobs.Kind{never}})
	ids := s.insert(idle, jobs.New{Kind: "k", Args: "once"}, jobs.New{Kind: "k", Args: "last"}, jobs.New{Kind: "k", Args: "alive"})
	// As a process leaves them that is killed while it runs them.
	held := func(id int64, attempt int, by string) {
		t.Helper()
		statement := "UPDATE river_job SET state = 'running', attempt = $1, attempted_at = CURRENT_TIMESTAMP, attempted_by = jsonb_array($2) WHERE id = $3"
		if s.db.Postgres() != nil {
			statement = "UPDATE river_job SET state = 'running', attempt = $1, attempted_at = now(), attempted_by = ARRAY[$2] WHERE id = $3"
		}
		if _, err := s.db.Exec(t.Context(), statement, attempt, by, id); err != nil {
			t.Fatal(err)
		}
	}
	beat := func(id string, ago time.Duration) {
		t.Helper()
		if _, err := s.db.Exec(t.Context(), "INSERT INTO app_process (id, started, beat) VALUES ($1, 1, {now} - $2)", id, ago.Milliseconds()); err != nil {
			t.Fatal(err)
		}
	}
	held(ids[0], 1, "dead")
	held(ids[1], 2, "dead")
	held(ids[2], 1, "alive")
	beat("dead", jobs.Lost+time.Second)
	beat("alive", jobs.Lost/2)
	var ran atomic.Int64
	r := s.runner(s.db, jobs.Options{Kinds: []jobs.Kind{{Name: "k", Attempts: 2, Run: func(_ context.Context, j jobs.Job) error {
		ran.Add(1)
		if j.Attempt != 2 {
			t.Errorf("attempt %d: the one that died is one", j.Attempt)
		}
		return nil
	}}}})
	s.start(r)
	s.wait("what a dead process held", 5*time.Second, func() bool { return s.state(r, ids[0]) == jobs.Ended })
	if state := s.state(r, ids[1]); state != jobs.Failed {
		t.Errorf("the last attempt: %v", state)
	}
	want := jobs.Waiting // somebody else runs it
	if s.db.Postgres() == nil {
		s.wait("all that a file holds", 5*time.Second, func() bool { return s.state(r, ids[2]) == jobs.Ended })
		want = jobs.Ended
	}
	if state := s.state(r, ids[2]); state != want {
		t.Errorf("what a living process holds: %v", state)
	}
}

// testPutOff: what many processes died with runs again later each time, and what failed as often at once.
func testPutOff(t *testing.T, s *suite) {
	r := s.runner(s.db, jobs.Options{Kinds: []jobs.Kind{{Name: "k", Run: func(context.Context, jobs.Job) error { return nil }}}})
	ids := s.insert(r, jobs.New{Kind: "k", Args: "5 died"}, jobs.New{Kind: "k", Args: "9 died"}, jobs.New{Kind: "k", Args: "4 failed, 5 died"})
	for i, attempt := range []int{5, 9, 9} {
		errs := "NULL"
		if i == 2 {
			errs = `jsonb('[{},{},{},{}]')`
		}
		statement := "UPDATE river_job SET state = 'running', attempt = $1, attempted_at = CURRENT_TIMESTAMP, attempted_by = jsonb_array('dead'), errors = " + errs + " WHERE id = $2"
		if s.db.Postgres() != nil {
			if i == 2 {
				errs = `ARRAY['{}', '{}', '{}', '{}']::jsonb[]`
			}
			statement = "UPDATE river_job SET state = 'running', attempt = $1, attempted_at = now(), attempted_by = ARRAY['dead'], errors = " + errs + " WHERE id = $2"
		}
		if _, err := s.db.Exec(t.Context(), statement, attempt, ids[i]); err != nil {
			t.Fatal(err)
		}
	}
	s.start(r)
	for _, i := range []int{0, 2} {
		s.wait("it runs at once", 5*time.Second, func() bool { return s.state(r, ids[i]) == jobs.Ended })
	}
	left := "SELECT CAST(state AS TEXT), CAST((julianday(scheduled_at) - julianday('now')) * 86400 AS INTEGER) FROM river_job WHERE id = $1"
	if s.db.Postgres() != nil {
		left = "SELECT state::text, extract(epoch FROM scheduled_at - now())::int FROM river_job WHERE id = $1"
	}
	var state string
	var seconds int
	if _, err := s.db.One(t.Context(), left, []any{ids[1]}, &state, &seconds); err != nil {
		t.Fatal(err)
	}
	if state != "retryable" || seconds < 30 || seconds > 40 {
		t.Errorf("what died 9 times is %s, and due in %d seconds; want 40 less what passed", state, seconds)
	}
}

// TestAbuse41 is row 41: a clock that was an hour ahead, and has been set back since, keeps no
// job from running.
func TestAbuse41(t *testing.T) {
	both(t, func(t *testing.T, s *suite) {
		r := s.runner(s.db, jobs.Options{Kinds: []jobs.Kind{{Name: "k", Run: func(context.Context, jobs.Job) error { return nil }}}})
		ids := s.insert(r, jobs.New{Kind: "k"}, jobs.New{Kind: "k", At: time.Now().Add(time.Hour)})
		ahead := "UPDATE river_job SET scheduled_at = strftime('%Y-%m-%d %H:%M:%f', 'now', '+1 hour') WHERE id = $1"
		if s.db.Postgres() != nil {
			ahead = "UPDATE river_job SET scheduled_at = now() + interval '1 hour' WHERE id = $1"
		}
		if _, err := s.db.Exec(t.Context(), ahead, ids[0]); err != nil {
			t.Fatal(err)
		}
		s.start(r)
		s.wait("it runs", 15*time.Second, func() bool { return s.state(r, ids[0]) == jobs.Ended })
		if state := s.state(r, ids[1]); state != jobs.Waiting {
			t.Errorf("a job that is for later: %v", state)
		}
	})
}
