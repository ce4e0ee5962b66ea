package app

import (
	"time"

	"github.com/wormsweep/wormsweep/internal/handler"
	"github.com/wormsweep/wormsweep/internal/jobs"
)

// table says who acts on which event. An event that is not in it is kept and done.
func (a *App) table() map[string][]handler.Handler {
	return map[string][]handler.Handler{
		"installation": {handler.Func(a.installations.handle)},
	}
}

// signalTakers says who takes signals to triage and on, whatever noticed them.
func (a *App) signalTakers() []handler.Taker {
	return nil
}

// The kinds of jobs.
const (
	kindDelivery = "delivery"
	kindSignal   = "signal"
	kindJanitor  = "janitor"
)

// kinds says what is done as a job.
func (a *App) kinds() []jobs.Kind {
	return []jobs.Kind{
		{Name: kindDelivery, Timeout: jobs.DefaultTimeout, Run: a.deliver, Dead: a.deadLetter},
		{Name: kindSignal, Timeout: jobs.MaxTimeout, Run: a.take},
		{Name: kindJanitor, Timeout: jobs.MaxTimeout, Run: a.janitor},
	}
}

// schedules says what is done when.
func (a *App) schedules() []jobs.Schedule {
	return []jobs.Schedule{
		{Name: "janitor", Every: 5 * time.Minute, AtStart: true, Kind: kindJanitor},
	}
}
