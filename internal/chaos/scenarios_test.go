//go:build chaos && linux

package chaos_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"syscall"
	"time"

	"github.com/wormsweep/wormsweep/internal/appdb"
	"github.com/wormsweep/wormsweep/internal/githubtest"
)

// pace is the time between two things that happen in one repository.
const pace = 150 * time.Millisecond

// steps are the named steps at which a process may be killed.
var steps = []string{"before insert", "after insert", "before claim", "after claim", "before call", "after call", "after record", "before done"}

// killAtSteps kills the process at each step of a delivery and of an effect, again and again.
func killAtSteps(w *world, random *rand.Rand) {
	w.load(pace, func() {
		for range times(1, 5) {
			for _, step := range steps {
				p, _ := w.start(fmt.Sprintf("WORMSWEEP_CRASH=%s:%d", step, 1+random.IntN(5)))
				select {
				case <-p.Ended():
					w.kills++
				case <-time.After(45 * time.Second):
					w.Errorf("it did not come to the step %q", step)
					p.Kill()
				}
				w.gone(p)
			}
		}
	})
}

// killAtRandom kills it after 50 ms to 2 s of its life.
func killAtRandom(w *world, random *rand.Rand) {
	w.load(times(pace, 6*pace), func() {
		for range times(6, 100) {
			p, served := w.start()
			if !served {
				w.Fatalf("the App does not serve:\n%s", p.Stderr())
			}
			time.Sleep(50*time.Millisecond + time.Duration(random.Int64N(int64(1950*time.Millisecond))))
			w.kill(p)
		}
	})
}

// lostAnswers keeps answers back: the sender is not told what was stored.
func lostAnswers(w *world, random *rand.Rand) {
	w.must()
	w.load(pace, func() {
		for range times(6, 30) {
			time.Sleep(500 * time.Millisecond)
			w.front.cut.Store(1 + random.Int64N(3))
		}
	})
	if w.front.wasCut.Load() == 0 {
		w.Error("no answer was kept back")
	}
	w.front.cut.Store(0)
}

// wrongGitHub has GitHub fail in each of its ways, one after the other.
func wrongGitHub(w *world, random *rand.Rand) {
	w.must()
	told := githubtest.Told{RetryAfter: 2 * time.Second}
	faults := []githubtest.Fault{
		githubtest.BadGateway(), githubtest.Unavailable(), githubtest.HTMLPage(), githubtest.CutJSON(), githubtest.CutBody(true), githubtest.CutBody(false), githubtest.Dropped(),
		githubtest.SecondaryLimited(403, told, ""), githubtest.SecondaryLimited(429, told, ""), githubtest.PrimaryLimited(403, githubtest.Told{Reset: 2 * time.Second}),
	}
	if *long { // without a word the wait is a minute
		faults = append(faults, githubtest.SecondaryLimited(403, githubtest.Told{}, ""), githubtest.PrimaryLimited(429, githubtest.Told{}))
	}
	w.load(pace, func() {
		for range times(1, 5) {
			for _, i := range random.Perm(len(faults)) {
				limit := i >= 7
				rule := githubtest.Rule{Fault: faults[i], Probability: 0.5, Kind: githubtest.REST}
				if limit {
					rule.Probability, rule.Times = 0, 1
				}
				mend := w.github.Break(rule)
				time.Sleep(1500 * time.Millisecond)
				mend()
				if limit {
					time.Sleep(1500 * time.Millisecond)
				}
			}
		}
	})
}

// writtenAndDropped has GitHub do what is asked in writes, and not answer.
func writtenAndDropped(w *world, _ *rand.Rand) {
	w.must()
	for _, method := range []string{"POST", "PATCH"} {
		w.github.Break(githubtest.Rule{Fault: githubtest.Dropped(), Kind: githubtest.REST, Method: method, Probability: 0.3, Times: times(6, 40)})
	}
	w.load(pace, func() { time.Sleep(times(5*time.Second, 40*time.Second)) })
}

// term stops processes as a deployment does.
func term(w *world, _ *rand.Rand) {
	p := w.must()
	w.load(pace, func() {
		for range times(2, 5) {
			time.Sleep(1500 * time.Millisecond)
			next := p
			if appdb.IsPostgres(w.database) { // they overlap
				next = w.must()
			}
			w.stop(p)
			if next == p {
				next = w.must()
			}
			p = next
		}
	})
}

// locked has another process hold the file of the database.
func locked(w *world, _ *rand.Rand) {
	w.must()
	holder, err := appdb.Open(w.Context(), w.database, appdb.Options{})
	if err != nil {
		w.Fatal(err)
	}
	defer holder.Close()
	var held, let time.Time
	w.load(pace, func() {
		time.Sleep(2 * time.Second)
		err := holder.Tx(w.Context(), func(*appdb.Tx) error {
			held = time.Now()
			time.Sleep(times(13*time.Second, 30*time.Second))
			let = time.Now()
			return nil
		})
		if err != nil {
			w.Error(err)
		}
		time.Sleep(2 * time.Second)
	})
	w.refused()
	for _, d := range w.github.Deliveries() {
		if ended := d.At.Add(d.Took); d.At.After(held) && ended.Before(let) && d.Status == 202 {
			w.Errorf("delivery %s was answered while nothing could be stored", d.GUID)
		}
	}
}

// full has the disk of the database fill up, and be given more room.
func full(w *world, _ *rand.Rand) {
	if err := os.Mkdir(w.database, 0o755); err != nil {
		w.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", w.database, "tmpfs", 0, "size=16m"); err != nil {
		w.Skipf("a small disk cannot be had, which takes the right to mount one: %v", err)
	}
	w.Cleanup(func() {
		if err := syscall.Unmount(w.database, syscall.MNT_DETACH); err != nil {
			w.Error(err)
		}
	})
	w.must()
	filler := w.database + "/filler"
	w.load(pace, func() {
		time.Sleep(2 * time.Second)
		for n := 0; ; n++ { // what another program writes
			file, err := os.OpenFile(filler, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
			if err != nil {
				w.Fatal(err)
			}
			_, err = file.Write(make([]byte, 64<<10))
			file.Close()
			if err != nil {
				break
			}
		}
		time.Sleep(times(5*time.Second, 20*time.Second))
		if err := os.Remove(filler); err != nil {
			w.Error(err)
		}
		time.Sleep(2 * time.Second)
	})
	w.refused()
}

// crashedDatabase has PostgreSQL die under load, with several processes.
func crashedDatabase(w *world, _ *rand.Rand) {
	w.must()
	w.must()
	w.load(pace, func() {
		for range times(2, 12) {
			time.Sleep(2 * time.Second)
			w.server.Crash(w, time.Second)
		}
		time.Sleep(2 * time.Second)
	})
	w.refused()
}

// replicas has processes race for the same findings: each delivery is sent to all of them at once.
func replicas(n int) func(w *world, random *rand.Rand) {
	return func(w *world, _ *rand.Rand) {
		for range n {
			w.must()
		}
		w.load(pace, func() {
			for range times(10, 60) {
				time.Sleep(400 * time.Millisecond)
				w.authors[0].race(n)
			}
		})
	}
}

// paused has a process stand still for longer than its leases, and go on.
func paused(w *world, _ *rand.Rand) {
	first := w.must()
	w.must()
	w.load(pace, func() {
		for range times(1, 4) {
			time.Sleep(1500 * time.Millisecond)
			first.Signal(syscall.SIGSTOP)
			time.Sleep(times(18*time.Second, 100*time.Second))
			first.Signal(syscall.SIGCONT)
		}
		time.Sleep(time.Second)
	})
}

// cutSweep kills the process in the middle of its first sweep, again and again: nobody is told that
// all is clean while it was not read.
func cutSweep(w *world, _ *rand.Rand) {
	mend := w.github.Break(githubtest.Rule{Kind: githubtest.GraphQL, Fault: githubtest.SlowBody(100, 100*time.Millisecond)})
	w.authors[1].plant("main")
	for range times(2, 10) {
		p := w.must()
		for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
			if _, began := p.Logged("a daily run began"); began {
				break
			}
		}
		time.Sleep(300 * time.Millisecond)
		w.kill(p)
		e, err := w.evidence()
		if err != nil {
			w.Fatal(err)
		}
		if len(e.Runs) != 1 || !e.Runs[0].Finished.IsZero() || len(e.Lacking) == 0 {
			w.Errorf("after a sweep that was cut: %+v, lacking %q", e.Runs, e.Lacking)
		}
	}
	mend()
}

// refused fails where no delivery was refused: the fault was none.
func (w *world) refused() {
	w.Helper()
	for _, d := range w.github.Deliveries() {
		if d.Status == 503 {
			return
		}
	}
	w.Error("no delivery was answered with 503")
}

// skewed has the clock of GitHub, which the App's tokens are for, go otherwise than the App's: by so
// much at the start, and by more from then on.
func skewed(w *world, random *rand.Rand) {
	w.must()
	w.load(pace, func() {
		for range times(1, 3) {
			for _, skew := range []time.Duration{10 * time.Minute, -10 * time.Minute, time.Hour, -time.Hour} {
				w.skew.Store(int64(skew))
				time.Sleep(2 * time.Second)
			}
		}
	})
	w.skew.Store(0)
}
