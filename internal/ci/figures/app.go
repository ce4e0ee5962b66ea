package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
	"github.com/wormsweep/wormsweep/internal/journal"
	"github.com/wormsweep/wormsweep/internal/xtest/pgtest"
)

// application measures the App: real processes, a database on a disk, a simulator of GitHub.
type application struct {
	figures
	minutes       time.Duration // of the steady loads
	burst, kills  int
	equal, rounds int
	soak          time.Duration

	postgres *pgtest.Server
}

// app prints the figures of the App.
func app(ctx context.Context, args []string) (err error) {
	var a application
	flags := flag.NewFlagSet("figures app", flag.ExitOnError)
	flags.DurationVar(&a.minutes, "for", 2*time.Minute, "how long a steady load lasts")
	flags.IntVar(&a.burst, "burst", 10_000, "deliveries of the burst")
	flags.IntVar(&a.kills, "kills", 20, "kills during and after it")
	flags.IntVar(&a.equal, "equal", 1000, "equal findings")
	flags.IntVar(&a.rounds, "rounds", 5, "rounds of them")
	flags.DurationVar(&a.soak, "soak", 20*time.Minute, "how long memory is watched")
	all := []struct {
		name string
		section
	}{{"steady", a.steady}, {"killed", a.killed}, {"dead", a.dead}, {"soon", a.soon}, {"race", a.race}, {"flat", a.flat}}
	only := flags.String("only", "", "`SECTION` to measure: steady, killed, dead, soon, race or flat; all of them when empty")
	_ = flags.Parse(args) // which ends the program
	sections := []section{a.begin}
	for _, s := range all {
		if *only == "" || *only == s.name {
			sections = append(sections, s.section)
		}
	}
	if a.postgres, err = pgtest.New(pgtest.Options{Durable: true}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.postgres.Close()) }()
	return a.print(ctx, os.Stdout, sections...)
}

// begin builds the App.
func (a *application) begin(ctx context.Context, w io.Writer) error {
	_, err := a.build(ctx, ".", "./cmd/app")
	fmt.Fprintf(w, "The App's processes, PostgreSQL with what is committed on the disk, the simulator of GitHub and whoever sends are on the same processors. The database is in %s.\n", os.TempDir())
	return err
}

// in has something measured in a world of its own, with so many processes.
func (a *application) in(ctx context.Context, postgres bool, processes int, measure func(*world) error) (err error) {
	database := ""
	if postgres {
		if database, err = a.postgres.NewDatabase(); err != nil {
			return err
		}
	}
	w, err := a.newWorld(ctx, database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	for range processes {
		if _, err := w.start(ctx); err != nil {
			return err
		}
	}
	if err := measure(w); err != nil {
		return err
	}
	if bad := w.github.Violations(); len(bad) > 0 {
		return fmt.Errorf("the simulator saw what must not be: %q", bad)
	}
	return nil
}

// steady measures how soon deliveries are answered that come at a steady rate.
func (a *application) steady(ctx context.Context, w io.Writer) error {
	t := table{w}
	t.head()
	for _, s := range []struct {
		what                  string
		postgres              bool
		processes, rate, most int
	}{
		{"SQLite", false, 1, 100, 250},
		{"PostgreSQL, two processes", true, 2, 300, 150},
	} {
		err := a.in(ctx, s.postgres, s.processes, func(w *world) error {
			m, err := newMail(w.github, w.issues)
			if err != nil {
				return err
			}
			working, stop := context.WithCancel(ctx)
			var people sync.WaitGroup
			people.Go(func() { w.people(working, time.Second) })
			out := w.load(ctx, m, s.rate, a.minutes, 1)
			stop()
			people.Wait()
			if err := w.settled(ctx, 5*time.Minute); err != nil {
				return err
			}
			lost, err := w.lost(ctx, out.accepted)
			if err != nil {
				return err
			}
			title := fmt.Sprintf("%s, %d deliveries of 20 kB a second for %v", s.what, s.rate, a.minutes)
			t.most(title+": answered in, ms, p99", percentile(out.took, 99), "%.0f", float64(s.most))
			t.most(title+": not answered with 202", float64(out.refused), "%.0f", 0)
			t.most(fmt.Sprintf("%s: of %d answered with 202 not done", title, len(out.accepted)), float64(lost), "%.0f", 0)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// killed sends a burst while the process is killed again and again. Whoever sends does as GitHub does
// when it is asked: what was not answered is sent again.
func (a *application) killed(ctx context.Context, w io.Writer) error {
	t := table{w}
	t.head()
	return a.in(ctx, false, 1, func(w *world) error {
		m, err := newMail(w.github, w.issues)
		if err != nil {
			return err
		}
		const pulls = 10
		var heads []string
		var repos []*githubtest.Repo
		numbers := make(chan int)
		accepted := make([]string, a.burst)
		senders, sending := errgroup.WithContext(ctx)
		senders.Go(func() error {
			defer close(numbers)
			for i := range a.burst {
				if i%(a.burst/pulls) == 0 {
					repo, head := w.badPull(ctx, fmt.Sprintf("burst-%d", len(repos)))
					repos, heads = append(repos, repo), append(heads, head)
				}
				select {
				case numbers <- i:
				case <-sending.Done():
					return sending.Err()
				}
			}
			return nil
		})
		for range 32 {
			senders.Go(func() error {
				for i := range numbers {
					accepted[i] = fmt.Sprintf("burst-%d", i)
					for deliver(sending, w.receiver(), accepted[i], m.body(i)) != 202 {
						if err := pause(sending, 20*time.Millisecond); err != nil {
							return err
						}
					}
				}
				return nil
			})
		}
		moments := rand.New(rand.NewPCG(1, 2))
		var first []time.Duration
		for range a.kills {
			if err := pause(ctx, time.Duration(50+moments.IntN(1500))*time.Millisecond); err != nil {
				return err
			}
			w.end(w.processes[0])
			before, err := w.journal.Counts(ctx)
			if err != nil {
				return err
			}
			p, err := w.start(ctx)
			if err != nil {
				return err
			}
			took, err := w.firstDone(ctx, p, before[journal.Done])
			if err != nil {
				return err
			}
			if before[journal.Accepted] > 0 { // else there was nothing to be claimed
				first = append(first, took)
			}
		}
		if err := senders.Wait(); err != nil {
			return err
		}
		if err := w.checked(ctx, repos, heads, 5*time.Minute); err != nil {
			return err
		}
		if err := w.settled(ctx, 5*time.Minute); err != nil {
			return err
		}
		lost, err := w.lost(ctx, accepted)
		if err != nil {
			return err
		}
		twice := 0
		for _, repo := range repos {
			twice += len(repo.CheckRuns()) - 1
		}
		title := fmt.Sprintf("SQLite, %d deliveries at once, %d kills (kill -9)", a.burst, a.kills)
		t.most(title+": answered with 202 and not done, or kept twice", float64(lost), "%.0f", 0)
		t.most(fmt.Sprintf("%s: check runs beside the first of %d pull requests", title, len(repos)), float64(twice), "%.0f", 0)
		t.most(fmt.Sprintf("from such a restart to the first delivery that is done, s, the longest of %d", len(first)), slices.Max(append(first, 0)).Seconds(), "%.1f", 5)
		return nil
	})
}

// badPull opens a pull request with an indicator in a repository of its own, and delivers it; where
// nobody takes it, the App asks for it later. It gives the head.
func (w *world) badPull(ctx context.Context, name string) (*githubtest.Repo, string) {
	repo := w.github.AddFiles(name, map[string]string{"package-lock.json": lockOf("left-pad@1.0.0")})
	number, _ := repo.OpenPullFile(ctx, "a change", "package-lock.json", lockOf("left-pad@1.0.0", appPlanted))
	head, _ := gitstore.Lookup(repo.Content, fmt.Sprintf("refs/pull/%d/head", number))
	return repo, head.String()
}

// firstDone is how long after its start a process has had the first delivery done.
func (w *world) firstDone(ctx context.Context, p *process, before int64) (time.Duration, error) {
	for {
		counts, err := w.journal.Counts(ctx)
		if err != nil || counts[journal.Done] > before || counts[journal.Accepted] == 0 {
			return time.Since(p.began), err
		}
		if time.Since(p.began) > time.Minute {
			return 0, errors.New("nothing was done for a minute after a restart")
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return 0, err
		}
	}
}

// checked waits until each head has a check run that failed.
func (w *world) checked(ctx context.Context, repos []*githubtest.Repo, heads []string, within time.Duration) error {
	for deadline := time.Now().Add(within); ; {
		n := 0
		for i, repo := range repos {
			if slices.ContainsFunc(repo.CheckRuns(), func(run githubtest.CheckRun) bool { return run.HeadSHA == heads[i] && run.Conclusion == "failure" }) {
				n++
			}
		}
		if n == len(repos) {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("after %v %d of %d heads have a check run that failed", within, n, len(repos))
		}
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return err
		}
	}
}

// dead kills one of two processes while it works, and measures until the other has done what it held.
func (a *application) dead(ctx context.Context, w io.Writer) error {
	t := table{w}
	t.head()
	return a.in(ctx, true, 2, func(w *world) error {
		mend := w.github.Break(githubtest.Rule{Kind: githubtest.Git, Fault: func(e *githubtest.Exchange) {
			time.Sleep(time.Second) // so that there is something to be held
			e.Serve()
		}})
		defer mend()
		var pushes sync.WaitGroup
		for i := range 40 {
			pushes.Go(func() {
				repo := w.github.AddFiles(fmt.Sprintf("slow-%d", i), map[string]string{"package-lock.json": lockOf("left-pad@1.0.0")})
				_, _ = repo.PushFile(ctx, "main", "package-lock.json", lockOf("left-pad@1.0.1"))
			})
		}
		pushes.Wait()
		victim, held := w.processes[0], 0
		for deadline := time.Now().Add(30 * time.Second); held == 0; {
			var err error
			if held, err = w.holds(ctx, victim); err != nil {
				return err
			}
			if time.Now().After(deadline) {
				return errors.New("the process that is to be killed works on nothing")
			}
			if err := pause(ctx, 100*time.Millisecond); err != nil {
				return err
			}
		}
		w.end(victim)
		began := time.Now()
		if err := w.settled(ctx, 5*time.Minute); err != nil {
			return err
		}
		t.most(fmt.Sprintf("PostgreSQL, one of two processes killed with %d jobs: until the other has done them all, s", held), time.Since(began).Seconds(), "%.0f", 120)
		return nil
	})
}

// holds counts the deliveries that a process works on.
func (w *world) holds(ctx context.Context, p *process) (n int, err error) {
	_, err = w.db.One(ctx, `SELECT count(*) FROM river_job WHERE state = 'running' AND attempted_by[array_upper(attempted_by, 1)] = $1
		AND id IN (SELECT job FROM app_delivery WHERE state = 'accepted')`, []any{p.id}, &n)
	return n, err
}

// soon measures from the delivery of a pull request to its check run, one after the other and twenty
// at once.
func (a *application) soon(ctx context.Context, out io.Writer) error {
	t := table{out}
	t.head()
	return a.in(ctx, false, 1, func(w *world) error {
		if err := w.settled(ctx, time.Minute); err != nil {
			return err
		}
		var alone, together []time.Duration
		for i := range 15 {
			began := time.Now()
			repo, head := w.badPull(ctx, fmt.Sprintf("alone-%d", i))
			if err := w.checked(ctx, []*githubtest.Repo{repo}, []string{head}, time.Minute); err != nil {
				return err
			}
			alone = append(alone, time.Since(began))
			if err := w.settled(ctx, time.Minute); err != nil {
				return err
			}
		}
		t.most("from the delivery of a pull request to its check run, one at a time, ms, p50", percentile(alone, 50), "%.0f", 2000)

		var mu sync.Mutex
		waiting, wait := errgroup.WithContext(ctx)
		for i := range 20 {
			waiting.Go(func() error {
				began := time.Now()
				repo := w.github.AddFiles(fmt.Sprintf("together-%d", i), map[string]string{"package-lock.json": lockOf("left-pad@1.0.0")})
				head, _ := repo.PushFile(wait, "main", "package-lock.json", lockOf("left-pad@1.0.0", appPlanted))
				err := w.checked(wait, []*githubtest.Repo{repo}, []string{head.String()}, 2*time.Minute)
				mu.Lock()
				defer mu.Unlock()
				together = append(together, time.Since(began))
				return err
			})
		}
		err := waiting.Wait()
		fmt.Fprintf(out, "\n20 pushes at once, each with a finding of the same incident: half of the check runs within %.1f s, the last after %.1f s. Writes of one installation are a second apart, as GitHub asks, and check runs go first.\n",
			percentile(together, 50)/1000, percentile(together, 100)/1000)
		return err
	})
}

// race delivers equal findings to four processes at once.
func (a *application) race(ctx context.Context, w io.Writer) error {
	t := table{w}
	t.head()
	second, checks := 0, 0
	for range a.rounds {
		err := a.in(ctx, true, 4, func(w *world) error {
			const repositories = 10
			var repos []*githubtest.Repo
			var heads []string
			var bodies [][]byte
			for i := range repositories {
				repo := w.github.AddFiles(fmt.Sprintf("equal-%d", i), map[string]string{"package-lock.json": lockOf("left-pad@1.0.0")})
				head, sent := repo.PushFile(ctx, "main", "package-lock.json", lockOf("left-pad@1.0.0", appPlanted))
				if len(sent) == 0 {
					return errors.New("nothing was delivered")
				}
				repos, heads, bodies = append(repos, repo), append(heads, head.String()), append(bodies, sent[0].Body)
			}
			numbers := make(chan int)
			var senders sync.WaitGroup
			out := &sent{}
			for range 64 {
				senders.Go(func() {
					for i := range numbers {
						id := fmt.Sprintf("equal-%d", i)
						out.note(id, deliver(ctx, w.receiver(), id, bodies[i%repositories]), 0)
					}
				})
			}
			for i := range a.equal {
				numbers <- i
			}
			close(numbers)
			senders.Wait()
			if out.refused > 0 {
				return fmt.Errorf("%d deliveries were not answered with 202", out.refused)
			}
			if err := w.checked(ctx, repos, heads, 3*time.Minute); err != nil {
				return err
			}
			if err := w.settled(ctx, 5*time.Minute); err != nil {
				return err
			}
			campaign := 0
			for _, issue := range w.issues.Issues() {
				if strings.Contains(issue.Body, "wormsweep-test-indicator") {
					campaign++
				}
			}
			if campaign == 0 {
				return errors.New("there is no issue")
			}
			second += campaign - 1
			for _, repo := range repos {
				checks += len(repo.CheckRuns()) - 1
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	title := fmt.Sprintf("PostgreSQL, four processes, %d deliveries of equal findings in 10 repositories, %d rounds", a.equal, a.rounds)
	t.most(title+": second issues", float64(second), "%.0f", 0)
	t.most(title+": second check runs", float64(checks), "%.0f", 0)
	return nil
}

// flat watches the memory of a process under half of the load.
func (a *application) flat(ctx context.Context, w io.Writer) error {
	return a.in(ctx, false, 1, func(world *world) error {
		s := &soak{world: world, during: a.soak, rate: 50}
		if err := s.run(ctx); err != nil {
			s.print(w)
			return err
		}
		t := table{w}
		t.head()
		t.most(fmt.Sprintf("SQLite, 50 deliveries a second for %v: memory grows by, MiB an hour (slope of the last three quarters)", a.soak), s.slope(), "%.2f", 1)
		t.most("of these not answered with 202", float64(s.refused), "%.0f", 0)
		t.most(fmt.Sprintf("of %d answered with 202 not done", s.accepted), float64(s.lost), "%.0f", 0)
		fmt.Fprintln(w)
		s.print(w)
		return nil
	})
}

// soakAlone is the long form of flat: two processes on PostgreSQL, one of which is killed each minute,
// and the memory of the other.
func soakAlone(ctx context.Context, args []string) (err error) {
	var a application
	flags := flag.NewFlagSet("figures soak", flag.ExitOnError)
	flags.DurationVar(&a.soak, "for", 2*time.Hour, "how long it lasts")
	killEvery := flags.Duration("kill-every", time.Minute, "how often one of the two is killed")
	_ = flags.Parse(args) // which ends the program
	if a.postgres, err = pgtest.New(pgtest.Options{Durable: true}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.postgres.Close()) }()
	return a.print(ctx, os.Stdout, a.begin, func(ctx context.Context, w io.Writer) error {
		return a.in(ctx, true, 2, func(world *world) error {
			s := &soak{world: world, during: a.soak, rate: 50, killEvery: *killEvery}
			if err := s.run(ctx); err != nil {
				s.print(w)
				return err
			}
			t := table{w}
			t.head()
			title := fmt.Sprintf("PostgreSQL, two processes, 50 deliveries a second for %v, %d kills of the other", a.soak, s.kills)
			t.most(title+": memory grows by, MiB an hour (slope of the last three quarters)", s.slope(), "%.2f", 1)
			t.most("open files more at the end than after the first quarter", float64(s.samples[len(s.samples)-1].open-s.samples[len(s.samples)/4].open), "%.0f", 0)
			t.most(fmt.Sprintf("not answered with 202 in 30 attempts, after %d that were not in the first", s.again), float64(s.refused), "%.0f", 0)
			t.most(fmt.Sprintf("of %d answered with 202 not done", s.accepted), float64(s.lost), "%.0f", 0)
			fmt.Fprintln(w)
			s.print(w)
			return nil
		})
	})
}
