package app

import (
	"time"

	"github.com/wormsweep/wormsweep/internal/app/hint"
	"github.com/wormsweep/wormsweep/internal/app/notice"
	"github.com/wormsweep/wormsweep/internal/handler"
	"github.com/wormsweep/wormsweep/internal/jobs"
)

// table says who acts on which event. An event that is not in it is kept and done.
func (a *App) table() map[string][]handler.Handler {
	changes := a.changes.Table()
	table := map[string][]handler.Handler{
		"installation": {handler.Func(a.installations.handle)},
		"push":         {handler.Func(a.settingsPushed), changes["push"]},
		"pull_request": {changes["pull_request"]},
		"merge_group":  {changes["merge_group"]},
		"check_run":    {changes["check_run"]},
		"check_suite":  {changes["check_suite"]},

		"security_advisory": {handler.Func(a.advisory)},
		"issue_comment":     {handler.Func(a.commented)},
		"issues":            {handler.Func(a.issueChanged)},
	}
	for _, event := range hint.Events {
		table[event] = append(table[event], handler.Func(a.hinted))
	}
	for _, event := range notice.Events {
		table[event] = append(table[event], notice.Handler(a))
	}
	return table
}

// signalTakers says who takes signals to triage and on, whatever noticed them.
func (a *App) signalTakers() []handler.Taker {
	return []handler.Taker{handler.TakerFunc(a.triageSignal)}
}

// The kinds of jobs.
const (
	kindDelivery  = "delivery"
	kindSignal    = "signal"
	kindJanitor   = "janitor"
	kindSettings  = "settings"
	kindWatch     = "watch"
	kindSweep     = "sweep"
	kindVerify    = "verify"
	kindRematch   = "rematch"
	kindRedeliver = "redeliver"
	kindWatchdog  = "watchdog"
	kindIncidents = "incidents"
	kindPlan      = "plan"
)

// kinds says what is done as a job.
func (a *App) kinds() []jobs.Kind {
	return []jobs.Kind{
		{Name: kindDelivery, Timeout: jobs.DefaultTimeout, Run: a.deliver, Dead: a.deadLetter},
		{Name: kindSignal, Lane: jobs.Asking, Timeout: jobs.MaxTimeout, Run: a.take, Dead: a.notTaken},
		{Name: kindJanitor, Timeout: jobs.MaxTimeout, Run: a.janitor},
		{Name: kindSettings, Timeout: jobs.DefaultTimeout, Run: a.readSettings},
		{Name: kindWatch, Timeout: watchTimeout, Run: a.watch},
		{Name: kindSweep, Lane: jobs.Long, Run: a.sweepAll},
		{Name: kindVerify, Lane: jobs.Long, Run: a.verifyAll},
		{Name: kindRematch, Lane: jobs.Long, Run: a.rematch},
		{Name: kindRedeliver, Timeout: jobs.MaxTimeout, Cut: true, Run: a.reconcile},
		{Name: kindWatchdog, Timeout: jobs.DefaultTimeout, Run: a.watchdog},
		{Name: kindIncidents, Timeout: jobs.MaxTimeout, Run: a.tick},
		{Name: kindPlan, Lane: jobs.Asking, Timeout: jobs.MaxTimeout, Run: a.makePlan},
	}
}

// watchTimeout bounds a turn of the watch: what it does not come to is due in the next.
const watchTimeout = 4 * time.Minute

// schedules says what is done when.
func (a *App) schedules() []jobs.Schedule {
	return []jobs.Schedule{
		{Name: "janitor", Every: 5 * time.Minute, AtStart: true, Kind: kindJanitor},
		{Name: "settings", Every: settingsEvery, AtStart: true, Kind: kindSettings},
		{Name: "watch", Every: 15 * time.Second, Kind: kindWatch},
		// The two daily runs are apart, and at no hour at which everybody's are.
		{Name: "sweep", Every: 24 * time.Hour, Offset: 2*time.Hour + 17*time.Minute, Kind: kindSweep},
		{Name: "verify", Every: 24 * time.Hour, Offset: 4*time.Hour + 41*time.Minute, Kind: kindVerify},
		{Name: "redeliver", Every: 10 * time.Minute, AtStart: true, Kind: kindRedeliver},
		{Name: "incidents", Every: time.Minute, Kind: kindIncidents},
		{Name: "watchdog", Every: 10 * time.Minute, AtStart: true, Kind: kindWatchdog},
	}
}
