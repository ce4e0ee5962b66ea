package app

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wormsweep/wormsweep/internal/appdb"
	"github.com/wormsweep/wormsweep/internal/jobs"
)

// overdueAfter is how long after the last daily run that came to its end it is overdue.
const overdueAfter = 26 * time.Hour

// runs are the daily runs that this App makes.
func (a *App) runs() []string {
	var names []string
	if a.config.Organisation != "" {
		names = append(names, runSweep)
	}
	if a.publishing() != nil {
		names = append(names, runVerify)
	}
	return names
}

// overdue says of the daily runs since when each is overdue; zero is that it is not.
func (a *App) overdue(ctx context.Context) (map[string]time.Time, error) {
	out, now := map[string]time.Time{}, a.jobs.Now()
	for _, name := range a.runs() {
		r, _, err := a.dailyRun(ctx, name)
		if err != nil {
			return nil, err
		}
		last := r.Finished
		if last.IsZero() {
			last = r.Since
		}
		out[name] = time.Time{}
		if due := last.Add(overdueAfter); !last.IsZero() && now.After(due) {
			out[name] = due
		}
	}
	return out, nil
}

// watchdog says when a daily run is overdue. That a run never began counts from when the App was
// first started.
func (a *App) watchdog(ctx context.Context, _ jobs.Job) error {
	for _, name := range a.runs() {
		r, _, err := a.dailyRun(ctx, name)
		if err != nil {
			return err
		}
		if r.Since.IsZero() {
			if err := a.setDailyRun(ctx, name, func(*dailyRun) {}); err != nil {
				return err
			}
		}
	}
	overdue, err := a.overdue(ctx)
	if err != nil {
		return err
	}
	for name, since := range overdue {
		if since.IsZero() {
			continue
		}
		r, _, err := a.dailyRun(ctx, name)
		if err != nil {
			return err
		}
		a.log.LogAttrs(ctx, slog.LevelError, "a daily run is overdue: nothing is known to be clean since",
			slog.String("run", name), slog.Time("finished", r.Finished), slog.Time("started", r.Started), slog.Time("overdue", since))
	}
	return nil
}

// reconcile is the job that asks for deliveries that did not arrive. It goes on until none is left
// that was not asked for, and lets others have a turn in between.
func (a *App) reconcile(ctx context.Context, _ jobs.Job) error {
	result, err := a.redeliveries.Run(ctx)
	a.metrics.redelivered.Add(float64(result.Asked))
	if err == nil && result.Left {
		return jobs.Snooze(time.Now().Add(time.Second))
	}
	return limited(err)
}

// rematchSoon has the inventory held against the catalogue of this process where that was not done.
func (a *App) rematchSoon(ctx context.Context) error {
	revision := a.catalogue.Set().Revision()
	done, _, err := a.inventory.Records("rematch").Load(ctx, "done")
	if err != nil || string(done) == revision || a.config.Organisation == "" {
		return err
	}
	return a.db.Tx(ctx, func(tx *appdb.Tx) error {
		_, err := a.jobs.Insert(ctx, tx, jobs.New{Kind: kindRematch, Args: rematchArgs{revision}, Key: "rematch " + revision})
		return err
	})
}

// waitingAfter is how long a signal may wait for its triage until somebody should look why: the issues cannot be
// written, as a rule.
const waitingAfter = 10 * time.Minute

// looking reads how what is looked after stands, whenever it is asked.
type looking struct{ a *App }

var (
	overdueDesc  = prometheus.NewDesc("wormsweep_daily_overdue", "1 where the daily run did not come to its end for 26 hours.", []string{"run"}, nil)
	finishedDesc = prometheus.NewDesc("wormsweep_daily_finished_seconds", "When the last daily run came to its end, by Unix time; 0 for never.", []string{"run"}, nil)
	watchDesc    = prometheus.NewDesc("wormsweep_watched_artifacts", "Artifacts of the policy by how their last look ended.", []string{"standing"}, nil)
	policyDesc   = prometheus.NewDesc("wormsweep_policy_fault", "1 while the policy's file cannot be used, and the one before it holds.", nil, nil)
	waitingDesc  = prometheus.NewDesc("wormsweep_signals_waiting", "Signals that were not triaged within 10 minutes, at most 500.", nil, nil)
	feedDesc     = prometheus.NewDesc("wormsweep_feed_stale", "1 where a list is held or could not be had.", []string{"feed"}, nil)
)

// Describe implements prometheus.Collector.
func (l *looking) Describe(to chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{overdueDesc, finishedDesc, waitingDesc, watchDesc, policyDesc, feedDesc} {
		to <- desc
	}
}

// Collect implements prometheus.Collector. What the database does not tell is left out.
func (l *looking) Collect(to chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, value float64, label string) {
		to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, label)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	if overdue, err := l.a.overdue(ctx); err == nil {
		for name, since := range overdue {
			late, finished := 0.0, 0.0
			if !since.IsZero() {
				late = 1
			}
			if r, _, err := l.a.dailyRun(ctx, name); err == nil && !r.Finished.IsZero() {
				finished = float64(r.Finished.Unix())
			}
			gauge(overdueDesc, late, name)
			gauge(finishedDesc, finished, name)
		}
	}
	if ids, err := l.a.journal.Untaken(ctx, waitingAfter, lostPage); err == nil {
		to <- prometheus.MustNewConstMetric(waitingDesc, prometheus.GaugeValue, float64(len(ids)))
	}
	for _, row := range l.a.catalogue.Rows() {
		stale := 0.0
		if !row.Current() {
			stale = 1
		}
		gauge(feedDesc, stale, row.Feed)
	}
	p := l.a.publishing()
	if p == nil {
		return
	}
	fault := 0.0
	if l.a.policyFault() != "" {
		fault = 1
	}
	to <- prometheus.MustNewConstMetric(policyDesc, prometheus.GaugeValue, fault)
	states, err := p.watcher.States(ctx, p.all)
	if err != nil {
		return
	}
	counts := map[string]float64{"good": 0, "bad": 0, "unknown": 0}
	for _, s := range states {
		switch {
		case len(s.Bad) > 0:
			counts["bad"]++
		case s.Failing > 0 || s.Looked.IsZero():
			counts["unknown"]++
		default:
			counts["good"]++
		}
	}
	for standing, n := range counts {
		gauge(watchDesc, n, standing)
	}
}
