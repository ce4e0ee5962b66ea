package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/wormsweep/wormsweep/internal/journal"
)

// soak is a long time under load.
type soak struct {
	world     *world
	during    time.Duration
	rate      int
	killEvery time.Duration // 0 kills nobody; else the last process is killed, and the first is watched

	samples                        []sample
	rows                           []map[string]int // of tables, with samples at quarters
	kills                          int
	accepted, refused, again, lost int
}

// sample is what a process held at a moment.
type sample struct {
	at            time.Duration
	resident, own float64 // MiB; own is without pages of files
	open          int
}

// sampleEvery is how often a process is looked at.
const sampleEvery = 5 * time.Second

// keepBodies is how long bodies are kept while it soaks: three days would be longer than it takes, and
// that tables do not grow once old rows go is what is to be seen.
const keepBodies = 5 * time.Minute

// connections is how many there are to a receiver: each costs memory, and when many are needed because
// the machine is busy, that is not growth.
const connections = 16

// run soaks.
func (s *soak) run(ctx context.Context) error {
	w := s.world
	m, err := newMail(w.github, w.issues)
	if err != nil {
		return err
	}
	loadClient = newLoadClient(connections)
	soaking, stop := context.WithTimeout(ctx, s.during)
	defer stop()
	var around sync.WaitGroup
	var errWatch, errKill error
	around.Go(func() { w.people(soaking, 2*time.Second) })
	around.Go(func() { errWatch = s.watch(soaking, w.processes[0]) })
	if s.killEvery > 0 {
		around.Go(func() { errKill = s.kill(soaking) })
	}
	// In pieces, so that what was answered need not be kept for hours.
	for soaking.Err() == nil {
		if err := s.piece(ctx, soaking, m); err != nil {
			return err
		}
	}
	around.Wait()
	return errors.Join(errWatch, errKill)
}

// piece is a minute of load, and what became of it.
func (s *soak) piece(ctx, soaking context.Context, m *mail) error {
	const long = time.Minute
	out := s.world.load(soaking, m, s.rate, long, 30)
	s.accepted += len(out.accepted)
	s.refused += out.refused
	s.again += out.again
	if err := s.world.settled(ctx, 5*time.Minute); err != nil {
		return err
	}
	lost, err := s.world.lost(ctx, out.accepted)
	s.lost += lost
	return err
}

// watch looks at a process again and again, and drops what is old in its database.
func (s *soak) watch(ctx context.Context, p *process) error {
	began, quarter := time.Now(), 0
	for pause(ctx, sampleEvery) == nil {
		resident, own, open, err := p.memory()
		if err != nil {
			return fmt.Errorf("the process that is watched: %w", err)
		}
		at := time.Since(began)
		s.samples = append(s.samples, sample{at, resident, own, open})
		if err := s.world.journal.Prune(ctx, journal.Retention{Bodies: keepBodies}); err != nil && ctx.Err() == nil {
			return err
		}
		if int(4*at/s.during) > quarter {
			quarter++
			if err := s.count(ctx); err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
	return s.count(context.WithoutCancel(ctx))
}

// count counts the rows of the tables.
func (s *soak) count(ctx context.Context) error {
	rows := map[string]int{}
	for _, table := range []string{"app_delivery", "app_body", "app_effect", "app_signal", "app_process", "river_job"} {
		var n int
		if _, err := s.world.db.One(ctx, "SELECT count(*) FROM "+table, nil, &n); err != nil {
			return err
		}
		rows[table] = n
	}
	s.rows = append(s.rows, rows)
	return nil
}

// kill kills the last process again and again, and starts another.
func (s *soak) kill(ctx context.Context) error {
	for pause(ctx, s.killEvery) == nil {
		s.world.end(s.world.processes[len(s.world.processes)-1])
		s.kills++
		if _, err := s.world.start(ctx); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// slope is how much memory grows in an hour, in MiB, without the pages of the program that are read as they are
// first needed: the median of the slopes between any two samples after the first quarter, which a few odd ones do
// not move.
func (s *soak) slope() float64 {
	settled := s.samples[len(s.samples)/4:]
	var slopes []float64
	for i, a := range settled {
		for _, b := range settled[i+1:] {
			slopes = append(slopes, (b.own-a.own)/(b.at-a.at).Hours())
		}
	}
	if len(slopes) == 0 {
		return 0
	}
	slices.Sort(slopes)
	return slopes[len(slopes)/2]
}

// print prints what was seen on the way, also where it ended early.
func (s *soak) print(w io.Writer) {
	fmt.Fprint(w, "| quarter | resident memory, MiB, median (least - most) | of that not of files | open files, most |\n|---|---|---|---|\n")
	for q := range 4 {
		part := s.samples[q*len(s.samples)/4 : (q+1)*len(s.samples)/4]
		if len(part) == 0 {
			continue
		}
		var resident, own []float64
		open := 0
		for _, s := range part {
			resident, own, open = append(resident, s.resident), append(own, s.own), max(open, s.open)
		}
		all, anon := spreadOf(resident), spreadOf(own)
		fmt.Fprintf(w, "| %d | %.1f (%.1f - %.1f) | %.1f (%.1f - %.1f) | %d |\n", q+1, all.median, all.least, all.most, anon.median, anon.least, anon.most, open)
	}
	fmt.Fprint(w, "\n| rows of | at the quarters |\n|---|---|\n")
	if len(s.rows) == 0 {
		return
	}
	for _, table := range slices.Sorted(maps.Keys(s.rows[0])) {
		fmt.Fprintf(w, "| `%s` |", table)
		for _, rows := range s.rows {
			fmt.Fprintf(w, " %d", rows[table])
		}
		fmt.Fprintln(w, " |")
	}
}
