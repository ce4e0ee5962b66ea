package cli

import (
	"github.com/spf13/cobra"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/lookup"
	"github.com/wormsweep/wormsweep/internal/orgsweep"
)

func rematchCommand() *cobra.Command {
	var name string
	var f sweepFlags
	cmd := &cobra.Command{
		Use:   "rematch",
		Short: "Match the inventory with a new catalogue, without asking GitHub",
		Long: `Rematch holds what the last sweeps read against the catalogue as it is now, and
answers as a sweep of the same refs would. It asks GitHub nothing; a tree that
only its server could answer for is a problem, and never clean.

Exit codes: those of sweep.`,
		Args: wantsNothing,
		RunE: func(cmd *cobra.Command, _ []string) error { return runRematch(cmd, name, f) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	addInventory(flags, &name)
	f.outputFlags.add(flags)
	f.addJudgement(flags)
	return cmd
}

func runRematch(cmd *cobra.Command, name string, f sweepFlags) error {
	ctx := cmd.Context()
	opt, err := f.options(cmd)
	if err != nil {
		return usage(err)
	}
	opt.Shown, opt.NoSizes = orgsweep.Shown, true // by the sweeps that made the inventory
	st, err := openToRead(ctx, name)
	if err != nil {
		return err
	}
	defer st.Close()
	if err := exclude(ctx, st, "", &opt); err != nil {
		return refused(err)
	}
	out, err := openOutputs(cmd, f.outputFlags)
	if err != nil {
		return usage(err)
	}
	defer out.discard()
	summary, err := lookup.Rematch(ctx, st, opt, func(e finding.Event) error {
		out.event(e)
		return nil
	})
	if err != nil {
		return exitError{exitUnknown, err}
	}
	return sweepExit(summary.Exit, out.commit())
}
