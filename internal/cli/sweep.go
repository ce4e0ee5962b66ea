package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wormsweep/wormsweep/internal/exclusion"
	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/orgsweep"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/local"
	"github.com/wormsweep/wormsweep/internal/sweep"
)

// sweepFlags are the flags of sweep, and of what judges as a sweep does.
type sweepFlags struct {
	outputFlags
	ioc       []string
	campaigns []string
	failOn    []string
	jobs      jobs
	refs      string
	remote    remoteFlags
	issues    issueFlags
}

func sweepCommand() *cobra.Command {
	var f sweepFlags
	cmd := &cobra.Command{
		Use:   "sweep PATH...",
		Short: "Look for indicators in repositories",
		Long: `Sweep looks for the packages and files of known campaigns at each PATH: a git
repository (a checkout, a bare one, a mirror), a folder, or a folder of any
number of these. A checkout is swept as it lies, with ignored files, and at
HEAD. With --org or --repo it looks at repositories on GitHub instead. Nothing
in a repository is executed, followed out of it or believed.

Exit codes: 0 nothing found, and all of it read; 1 an indicator was found;
2 wrong use; 3 nothing found, but not all of it read, or not all written.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.remote.check(cmd, args, &f); err != nil {
				return usage(err)
			}
			if f.remote.asked() {
				return runRemoteSweep(cmd, f)
			}
			if err := wants("PATH", true)(cmd, args); err != nil {
				return err
			}
			return runSweep(cmd, args, f)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	f.outputFlags.add(flags)
	flags.StringVar(&f.propose, "propose-exclusions", "", "write what was not read to `FILE`, to fill in")
	flags.StringVar(&f.refs, "refs", "head", "also sweep `REFS`: head, branches, tags, prs, all or a glob of their names")
	f.addJudgement(flags)
	f.remote.add(flags)
	f.issues.add(flags)
	return cmd
}

// addJudgement defines the flags that say what is looked for, and what counts.
func (f *sweepFlags) addJudgement(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.ioc, "ioc", nil, "also look for the list or lists at `PATH`; repeatable")
	flags.StringArrayVar(&f.campaigns, "campaign", nil, "look for the campaign `ID` alone; repeatable")
	flags.StringVar(&f.exclusions, "exclusions", "", "`FILE` of what to live with, and until when")
	flags.BoolVar(&f.explain, "explain", false, "say why a listed name was no finding")
	flags.StringSliceVar(&f.failOn, "fail-on", nil, "exit 1 only from severity `LEVEL` up (low, medium, high, critical), and with confirmed only for confirmed indicators; repeatable")
	flags.Var(&f.jobs, "jobs", "`N` files read at once; 0 is one a processor")
}

// jobs is the value of --jobs.
type jobs int

// maxJobs is far more than any disk answers at once.
const maxJobs = 1024

func (j *jobs) String() string { return strconv.Itoa(int(*j)) }
func (j *jobs) Type() string   { return "int" }

func (j *jobs) Set(s string) error {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > maxJobs {
		return fmt.Errorf("want a number from 0 to %d", maxJobs)
	}
	*j = jobs(n)
	return nil
}

// options are those of a sweep, by the flags that addJudgement defines. Every error is wrong use.
func (f *sweepFlags) options(cmd *cobra.Command) (sweep.Options, error) {
	opt := sweep.Options{Jobs: int(f.jobs), Explain: f.explain, Version: Version(), Shown: orgsweep.ShownByGit}
	var err error
	if opt.FailsOn, err = parseFailOn(f.failOn); err != nil {
		return opt, err
	}
	if cmd.Flags().Changed("exclusions") {
		set, err := loadExclusions(f.exclusions)
		if err != nil {
			return opt, err
		}
		opt.Exclusions = set
	}
	opt.Only = f.campaigns
	opt.Set, opt.Problems, err = catalogue(cmd.ErrOrStderr(), f.ioc, f.campaigns)
	return opt, err
}

func runSweep(cmd *cobra.Command, paths []string, f sweepFlags) error {
	ctx := cmd.Context()
	if err := checkPaths(paths); err != nil {
		return usage(err)
	}
	if cmd.Flags().Changed("propose-exclusions") && f.propose == "" {
		return usage(errors.New("--propose-exclusions \"\": want a FILE"))
	}
	refs, err := source.ParseRefs(f.refs)
	if err != nil {
		return usage(fmt.Errorf("--%w", err))
	}
	opt, err := f.options(cmd)
	if err != nil {
		return usage(err)
	}
	opt.Paths = paths
	out, err := openOutputs(cmd, f.outputFlags)
	if err != nil {
		return usage(err)
	}
	defer out.discard()

	progress := newProgress(cmd.ErrOrStderr(), cmd.OutOrStdout(), f.format)
	summary, err := sweep.Run(ctx, local.Repositories(ctx, paths, sweep.Reads, local.WithRefs(refs)), opt, func(e finding.Event) error {
		progress.event(e)
		out.event(e)
		return nil
	})
	progress.end()
	if err != nil {
		return usage(err)
	}
	return sweepExit(summary.Exit, out.commit())
}

// sweepExit is the end of a sweep whose outputs failed with err: what was found counts, whatever
// else happened, and an answer that was not given whole is never 0.
func sweepExit(code int, err error) error {
	switch {
	case err != nil && code == exitClean:
		code = exitUnknown
	case err == nil && code == exitClean:
		return nil
	}
	return exitError{code, err}
}

// checkPaths refuses a path that does not exist before anything is written: a mistyped name
// leaves no half of an answer behind.
func checkPaths(paths []string) error {
	for _, path := range paths {
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
			return fmt.Errorf("%q: no such file or folder", path)
		}
	}
	return nil
}

// severities in rising order.
var severities = []string{"low", "medium", "high", "critical"}

// parseFailOn reads --fail-on; nil for no value.
func parseFailOn(values []string) (func(*finding.Finding) bool, error) {
	if len(values) == 0 {
		return nil, nil
	}
	least, confirmed := "", false
	for _, v := range values {
		switch {
		case v == "confirmed":
			confirmed = true
		case !slices.Contains(severities, v):
			return nil, fmt.Errorf("--fail-on %q: want low, medium, high, critical or confirmed", v)
		case least != "" && least != v:
			return nil, fmt.Errorf("--fail-on %q and %q: want one severity; those above it count as well", least, v)
		default:
			least = v
		}
	}
	return func(f *finding.Finding) bool {
		severity := slices.Index(severities, f.Severity)
		known := severity >= 0 // one that is not counts
		return (!known || severity >= slices.Index(severities, least)) && (!confirmed || f.Confidence == "confirmed")
	}, nil
}

func loadExclusions(name string) (*exclusion.Set, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("--exclusions %q: %w", name, bare(err))
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, exclusion.MaxBytes+1)) // a byte too many is a fault
	if err != nil {
		return nil, fmt.Errorf("--exclusions %q: %w", name, bare(err))
	}
	return exclusion.Load(name, data, time.Now())
}
