package cli

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/shard"
)

func reportCommand() *cobra.Command {
	var f outputFlags
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
	f.add(cmd.Flags())
	cmd.Flags().BoolVar(&f.explain, "explain", false, "render the explanations that the streams hold")
	return cmd
}

func runReport(cmd *cobra.Command, names []string, f outputFlags) error {
	var streams []shard.Stream
	for _, name := range names {
		file, err := os.Open(name)
		if err != nil {
			return usage(fmt.Errorf("%q: %w", name, bare(err)))
		}
		defer file.Close()
		streams = append(streams, shard.Stream{Name: name, Reader: file})
	}
	out, err := openOutputs(cmd, f)
	if err != nil {
		return usage(err)
	}
	defer out.discard()
	summary, err := shard.Join(streams, func(e finding.Event) error {
		out.event(e)
		return nil
	})
	if err != nil {
		return exitError{exitUnknown, err}
	}
	return sweepExit(summary.Exit, out.commit())
}
