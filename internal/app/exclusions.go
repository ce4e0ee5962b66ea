package app

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/wormsweep/wormsweep/internal/exclusion"
	"github.com/wormsweep/wormsweep/internal/incident"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/internal/sweep"
)

// exclusionRecords is the kind of records in which people's false positives are kept: the sweeper
// reads the same.
const exclusionRecords = "exclusion"

// exclusions are what the App lives with: the file of its configuration, and what people declared in
// comments on incidents.
type exclusions struct {
	file    string // "" is none
	records *store.Records
	log     *slog.Logger

	mu    sync.Mutex
	good  []byte // of the file, when it was last read without a fault
	fault string // of what is there now; "" is none
}

// openExclusions reads the file for the first time: with one that cannot be used nothing begins.
func openExclusions(file string, records *store.Records, log *slog.Logger) (*exclusions, error) {
	x := &exclusions{file: file, records: records, log: log}
	if file == "" {
		return x, nil
	}
	if _, err := x.read(time.Now()); err != nil {
		return nil, &ConfigError{fmt.Errorf("exclusions: %w", err)}
	}
	return x, nil
}

// read reads the file; what is good is kept.
func (x *exclusions) read(now time.Time) (*exclusion.Set, error) {
	set, data, err := readExclusions(x.file, now)
	if err == nil {
		x.good = data
	}
	return set, err
}

// Exclusions reads the file of exclusions of a configuration.
func Exclusions(file string, now time.Time) (*exclusion.Set, error) {
	set, _, err := readExclusions(file, now)
	return set, err
}

func readExclusions(file string, now time.Time) (*exclusion.Set, []byte, error) {
	data, err := readFile(file, exclusion.MaxBytes)
	if err != nil {
		return nil, nil, fmt.Errorf("%q: %w", file, err)
	}
	set, err := exclusion.Load(file, data, now)
	return set, data, err
}

// now is what holds at this moment for an organisation, for all where it is "": an exclusion that has
// ended does not. The file is read each time; after a fault, which is logged once, what it said
// before holds. nil is nothing.
func (x *exclusions) now(ctx context.Context, organisation string) (*exclusion.Set, error) {
	now := time.Now()
	declared, err := incident.Exclusions(ctx, x.records, organisation, now)
	if err != nil || x.file == "" {
		return declared, err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	set, err := x.read(now)
	fault := ""
	if err != nil {
		fault = strings.Join(strings.Fields(err.Error()), " ")
		if set, err = exclusion.Load(x.file, x.good, now); err != nil {
			return nil, err
		}
	}
	if fault != "" && fault != x.fault {
		x.log.LogAttrs(ctx, slog.LevelError, "the exclusions cannot be used, and the last good ones hold", slog.String("error", fault))
	}
	x.fault = fault
	if declared == nil {
		return set, nil
	}
	return exclusion.Join(set, declared), nil
}

// excluded is what sweeps live with, of an organisation, of all for ""; nil is nothing.
func (a *App) excluded(ctx context.Context, organisation string) (sweep.Exclusions, error) {
	set, err := a.exclusions.now(ctx, organisation)
	if err != nil || set == nil {
		return nil, err
	}
	return set, nil
}
