package app

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/internal/policy/policyfile"
)

// policyEvery is how often the file of the policy is looked at.
const policyEvery = time.Minute

// policies has what the policy's file said when it was last read without a fault. Each process
// reads its own.
type policies struct {
	app *App

	mu    sync.Mutex
	holds *publishing // nil without a file
	fault string      // why what is there now is not what holds, in one line; "" where it is
}

// openPolicies reads the file for the first time: without a policy that can be used nothing begins.
func openPolicies(a *App) (*policies, error) {
	p := &policies{app: a}
	if a.config.Policy == "" {
		return p, nil
	}
	read, err := p.read()
	if err != nil {
		return nil, &ConfigError{fmt.Errorf("policy: %w", err)}
	}
	if p.holds, err = newPublishing(a, read); err != nil {
		return nil, &ConfigError{err}
	}
	return p, nil
}

func (p *policies) read() (*policy.Policy, error) {
	read, err := policyfile.Load(p.app.config.Policy)
	if err != nil {
		return nil, err
	}
	if read.Organisation == "" {
		read.Organisation = p.app.config.Organisation
	}
	return read, nil
}

// publishing looks after what is published, by the policy that holds now; nil without one. Who asks
// more than once for one thing asks for it once.
func (a *App) publishing() *publishing {
	a.policies.mu.Lock()
	defer a.policies.mu.Unlock()
	return a.policies.holds
}

// policyFault says why what is in the policy's file now is not what holds, "" where it is.
func (a *App) policyFault() string {
	a.policies.mu.Lock()
	defer a.policies.mu.Unlock()
	return a.policies.fault
}

// refresh reads the file again. After a fault, which is logged once, what held goes on to hold.
func (p *policies) refresh(ctx context.Context) {
	var next *publishing
	read, err := p.read()
	if err == nil {
		next, err = newPublishing(p.app, read)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	log := p.app.log
	if err != nil {
		fault := strings.Join(strings.Fields(err.Error()), " ")
		if fault != p.fault {
			log.LogAttrs(ctx, slog.LevelError, "the policy cannot be used, and the last good one holds", slog.String("error", fault))
		}
		p.fault = fault
		return
	}
	if p.fault != "" {
		log.LogAttrs(ctx, slog.LevelInfo, "the policy can be used again")
	}
	p.fault = ""
	if reflect.DeepEqual(read, p.holds.policy) {
		return
	}
	p.holds = next
	log.LogAttrs(ctx, slog.LevelInfo, "the policy has changed", slog.Int("artifacts", len(p.holds.all)))
}

// keepPolicy reads the policy again and again until ctx ends.
func (a *App) keepPolicy(ctx context.Context) {
	if a.config.Policy == "" {
		return
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(policyEvery):
			a.policies.refresh(ctx)
		}
	}
}
