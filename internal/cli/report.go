package cli

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/orgsweep"
	"github.com/wormsweep/wormsweep/internal/shard"
)

// reportFlags are the flags of report.
type reportFlags struct {
	outputFlags
	org       string
	ioc       []string
	inventory string
	account   accountFlags
	issues    issueFlags
}

func reportCommand() *cobra.Command {
	var f reportFlags
	cmd := &cobra.Command{
		Use:   "report STREAM...",
		Short: "Join the streams of sweeps and render them again",
		Long: `Report reads what "sweep --format json" wrote, one STREAM a shard, and renders
it as the answer of one sweep. A shard that is missing, cut short or swept with
another catalogue is a problem of the whole, and nothing is clean with it.

Exit codes: those of the sweep that the streams are of: 0 nothing found, and all
of it read; 1 an indicator was found; 2 wrong use; 3 nothing found, but not all
of it read, or not all written.`,
		Args: wants("STREAM", true),
		RunE: func(cmd *cobra.Command, args []string) error { return runReport(cmd, args, f) },
	}
	cmd.Flags().SortFlags = false
	flags := cmd.Flags()
	f.outputFlags.add(flags)
	flags.BoolVar(&f.explain, "explain", false, "render the explanations that the streams hold")
	f.issues.add(flags)
	flags.StringArrayVar(&f.ioc, "ioc", nil, "for --issues: the `PATH` of their --ioc; repeatable")
	flags.StringVar(&f.org, "org", "", "for --issues: the organisation `NAME` of the sweeps")
	addInventory(flags, &f.inventory)
	f.account.add(flags)
	return cmd
}

func runReport(cmd *cobra.Command, names []string, f reportFlags) error {
	var streams []shard.Stream
	for _, name := range names {
		file, err := os.Open(name)
		if err != nil {
			return usage(fmt.Errorf("%q: %w", name, bare(err)))
		}
		defer file.Close()
		streams = append(streams, shard.Stream{Name: name, Reader: file})
	}
	filer, closed, err := f.filer(cmd)
	if err != nil {
		return refused(err)
	}
	defer closed()
	out, err := openOutputs(cmd, f.outputFlags)
	if err != nil {
		return usage(err)
	}
	defer out.discard()
	last := &orgsweep.Held{Next: out.take}
	summary, err := shard.Join(streams, func(e finding.Event) error {
		filer.event(e)
		return last.Event(e)
	})
	if err != nil {
		return exitError{exitUnknown, err}
	}
	for _, p := range filer.file(cmd) {
		_ = last.Problem(summary, p) // out.take has no error
	}
	_ = last.Release()
	return sweepExit(summary.Exit, out.commit())
}

// filer makes ready to file, where that is asked for; closed lets go of what it holds.
func (f *reportFlags) filer(cmd *cobra.Command) (filer *filing, closed func(), err error) {
	ctx, closed := cmd.Context(), func() {}
	if f.issues.repository == "" {
		if len(f.ioc) > 0 {
			err = fmt.Errorf("--ioc is for --issues: %w", errWrongUse)
		}
		return nil, closed, err
	}
	set, _, err := catalogue(cmd.ErrOrStderr(), f.ioc, nil) // what is no indicator there was a problem of the sweeps
	if err != nil {
		return nil, closed, fmt.Errorf("%w: %w", err, errWrongUse)
	}
	if f.org == "" {
		return nil, closed, fmt.Errorf("--issues: --org names the organisation: %w", errWrongUse)
	}
	client, err := f.account.client()
	if err != nil {
		return nil, closed, fmt.Errorf("%w: %w", err, errWrongUse)
	}
	reader, err := client.Installation(ctx, f.org, orgsweep.Reading)
	if err != nil {
		return nil, closed, err
	}
	st, err := openToWrite(ctx, f.inventory)
	if err != nil {
		return nil, closed, err
	}
	if st != nil {
		closed = func() { _ = st.Close() } // nothing that was written is lost without it
	}
	filer, err = f.issues.filer(ctx, &f.account, client, reader, f.org, st, set)
	return filer, closed, err
}
