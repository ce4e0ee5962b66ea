package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wormsweep/wormsweep/internal/exclusion"
	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/source/local"
	"github.com/wormsweep/wormsweep/internal/sweep"
)

// sweepFlags are the flags of sweep.
type sweepFlags struct {
	format     string
	reports    []string
	ioc        []string
	campaigns  []string
	exclusions string
	propose    string
	explain    bool
	failOn     []string
	jobs       int
}

func sweepCommand() *cobra.Command {
	var f sweepFlags
	cmd := &cobra.Command{
		Use:   "sweep PATH...",
		Short: "Look for indicators in repositories on disk",
		Long: `Sweep looks through each PATH: a git repository (a checkout, a bare one, a mirror), a
folder, or a folder of any number of these. A checkout is swept as it lies, with untracked
and ignored files, and at HEAD. Nothing in it is executed, followed out of it or believed.

Exit codes: 0 nothing found and all of it read; 1 an indicator was found; 2 wrong use;
3 nothing found, but something in scope was not read.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runSweep(cmd, args, f) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.format, "format", "text", "`format` of standard output: "+strings.Join(formatNames(), ", "))
	flags.StringArrayVar(&f.reports, "report", nil, "also write a report, as `FORMAT=FILE`; may be repeated")
	flags.StringArrayVar(&f.ioc, "ioc", nil, "add the indicators of a file or folder at `PATH`, in any form that \"ioc import\" reads; may be repeated")
	flags.StringArrayVar(&f.campaigns, "campaign", nil, "look only for the campaign with this `ID`; may be repeated")
	flags.StringVar(&f.exclusions, "exclusions", "", "exclusions `FILE`: what has an owner, a reason and an expiry")
	flags.StringVar(&f.propose, "propose-exclusions", "", "write what could not be read as exclusions to be filled in to `FILE`")
	flags.BoolVar(&f.explain, "explain", false, "also say why a listed name was not a finding")
	flags.StringSliceVar(&f.failOn, "fail-on", nil, "exit 1 only for findings of this severity (low, medium, high, critical) or above, and with \"confirmed\" only for confirmed indicators")
	flags.IntVar(&f.jobs, "jobs", 0, "files read at once; 0 is one for each processor")
	return cmd
}

func runSweep(cmd *cobra.Command, paths []string, f sweepFlags) error {
	ctx := cmd.Context()
	opt := sweep.Options{Jobs: f.jobs, Explain: f.explain, Version: Version(), Paths: paths}
	if f.jobs < 0 {
		return usage(fmt.Errorf("--jobs %d: not a number of jobs", f.jobs))
	}
	var err error
	if opt.FailsOn, err = parseFailOn(f.failOn); err != nil {
		return usage(err)
	}
	if opt.Set, opt.Problems, err = catalogue(f.ioc, f.campaigns); err != nil {
		return usage(err)
	}
	if f.exclusions != "" {
		set, err := loadExclusions(f.exclusions)
		if err != nil {
			return usage(err)
		}
		opt.Exclusions = set
	}
	out, err := openOutputs(cmd, f)
	if err != nil {
		return usage(err)
	}
	defer out.discard()

	var problems []*finding.Problem // kept only to propose exclusions for
	progress := newProgress(cmd.ErrOrStderr(), cmd.OutOrStdout())
	summary, err := sweep.Run(ctx, local.Repositories(ctx, paths, sweep.Reads), opt, func(e finding.Event) error {
		if p, ok := e.(*finding.Problem); ok && f.propose != "" {
			problems = append(problems, p)
		}
		progress.event(e)
		return out.event(e)
	})
	progress.end()
	if err == nil {
		err = out.commit()
	}
	if err == nil && f.propose != "" {
		err = propose(f.propose, problems)
	}
	return sweepExit(summary, err)
}

// sweepExit is the exit code of a sweep that ended with err: what was found counts, whatever
// else happened, and an answer that could not be given whole is never 0.
func sweepExit(summary *finding.Summary, err error) error {
	switch {
	case err == nil && summary.Exit == exitClean:
		return nil
	case err == nil:
		return exitError{summary.Exit, nil}
	case summary.Exit == exitFound:
		return exitError{exitFound, err}
	case errors.Is(err, sweep.ErrOutput) || errors.Is(err, errReport):
		return exitError{exitUnknown, err}
	case errors.Is(err, context.Canceled):
		return exitError{exitUnknown, err}
	}
	return usage(err)
}

// severities in rising order.
var severities = []string{"low", "medium", "high", "critical"}

// parseFailOn reads --fail-on; nil for no value.
func parseFailOn(values []string) (func(*finding.Finding) bool, error) {
	if len(values) == 0 {
		return nil, nil
	}
	least, confirmed := 0, false
	for _, v := range values {
		switch i := slices.Index(severities, v); {
		case v == "confirmed":
			confirmed = true
		case i >= 0:
			least = i
		default:
			return nil, fmt.Errorf("--fail-on %q: want low, medium, high, critical or confirmed", v)
		}
	}
	return func(f *finding.Finding) bool {
		return slices.Index(severities, f.Severity) >= least && (!confirmed || f.Confidence == "confirmed")
	}, nil
}

func loadExclusions(name string) (*exclusion.Set, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return exclusion.Load(name, data, time.Now())
}

// propose writes exclusions for the problems, to be filled in by a person.
func propose(name string, problems []*finding.Problem) error {
	file, err := createReport(name)
	if err != nil {
		return err
	}
	defer file.discard()
	if err := exclusion.Propose(file, problems, time.Now()); err != nil {
		return fmt.Errorf("%w %q: %w", errReport, name, err)
	}
	return file.commit()
}
