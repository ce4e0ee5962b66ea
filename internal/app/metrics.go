package app

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/wormsweep/wormsweep/internal/hook"
	"github.com/wormsweep/wormsweep/internal/journal"
)

// metrics are what Prometheus reads of the App. Labels are of fixed sets: nothing that came from
// outside is in them.
type metrics struct {
	registry    *prometheus.Registry
	requests    *prometheus.CounterVec
	dead        prometheus.Counter
	redelivered prometheus.Counter
}

func newMetrics(a *App) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "wormsweep_webhook_requests_total", Help: "Requests to the receiver by what became of them.",
		}, []string{"outcome"}),
		dead: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "wormsweep_dead_letters_total", Help: "Deliveries that this process gave up or dropped.",
		}),
	}
	m.redelivered = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "wormsweep_redeliveries_asked_total", Help: "Deliveries that did not arrive and that this process asked for again.",
	})
	for _, outcome := range hook.Outcomes {
		m.requests.WithLabelValues(outcome)
	}
	m.registry.MustRegister(m.requests, m.dead, m.redelivered, &stock{a: a}, &looking{a: a},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// stock reads what the database holds whenever it is asked.
type stock struct{ a *App }

var (
	deliveriesDesc    = prometheus.NewDesc("wormsweep_deliveries", "Deliveries that are kept, by state.", []string{"state"}, nil)
	jobsDesc          = prometheus.NewDesc("wormsweep_jobs", "Jobs that are kept, by River's states.", []string{"state"}, nil)
	runningDesc       = prometheus.NewDesc("wormsweep_jobs_running_here", "Jobs that this process runs.", nil, nil)
	installationsDesc = prometheus.NewDesc("wormsweep_installations", "Installations of the App, by standing.", []string{"standing"}, nil)
	killDesc          = prometheus.NewDesc("wormsweep_kill_switch", "1 while the kill switch is on.", nil, nil)
	upDesc            = prometheus.NewDesc("wormsweep_database_up", "1 where the database answered this question.", nil, nil)
)

// Describe implements prometheus.Collector.
func (s *stock) Describe(to chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{deliveriesDesc, jobsDesc, runningDesc, installationsDesc, killDesc, upDesc} {
		to <- desc
	}
}

// Collect implements prometheus.Collector. Without an answer of the database its metrics are
// left out, and wormsweep_database_up is 0: what is not known is not told as nought.
func (s *stock) Collect(to chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	gauge(runningDesc, float64(s.a.jobs.Running()))
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	deliveries, err1 := s.a.journal.Counts(ctx)
	counts, err2 := s.a.jobs.Counts(ctx)
	installed, err3 := s.a.journal.Installations(ctx)
	kill, err4 := s.a.journal.Switch(ctx, journal.Kill)
	if err1 != nil || err2 != nil || err3 != nil || err4 != nil {
		gauge(upDesc, 0)
		return
	}
	gauge(upDesc, 1)
	for _, state := range []journal.State{journal.Accepted, journal.Done, journal.Dead} {
		gauge(deliveriesDesc, float64(deliveries[state]), string(state))
	}
	for state, n := range counts {
		gauge(jobsDesc, float64(n), state)
	}
	standings := map[journal.Standing]float64{journal.Active: 0, journal.Suspended: 0, journal.Gone: 0}
	for _, in := range installed {
		standings[in.Standing]++
	}
	for standing, n := range standings {
		gauge(installationsDesc, n, string(standing))
	}
	on := 0.0
	if kill.On {
		on = 1
	}
	gauge(killDesc, on)
}
