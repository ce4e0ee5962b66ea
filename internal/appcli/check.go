package appcli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/wormsweep/wormsweep/internal/app/check"
	"github.com/wormsweep/wormsweep/internal/app/manifest"
)

func checkCommand() *cobra.Command {
	var file string
	tier := string(manifest.Detect)
	within := 2 * time.Minute
	cmd := &cobra.Command{
		Use:   "check --config FILE",
		Short: "Say what works and what is missing, part by part",
		Long: "Asks GitHub as the App, opens the database, and reads what the configuration names. Nothing\n" +
			"is changed on GitHub, and nobody is told anything.\n\n" +
			"Exit codes: 0 all works; 1 something is missing; 2 the configuration cannot be used;\n" +
			"3 nothing is missing, but something could not be asked.",
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := readConfig(file)
			if err != nil {
				return err
			}
			opt := check.Options{Config: config, Getenv: os.Getenv}
			if opt.Tier, err = manifest.ParseTier(tier); err != nil {
				return fmt.Errorf("--tier: %w", err)
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), within)
			defer cancel()
			result := check.Run(ctx, opt)
			if _, err := result.WriteTo(cmd.OutOrStdout()); err != nil {
				return exitError{exitNot, fmt.Errorf("standard output: not written: %w", err)}
			}
			switch result.Exit() {
			case check.ExitMissing:
				return exitError{exitMissing, errors.New("something is missing")}
			case check.ExitUnknown:
				return exitError{exitNot, errors.New("nothing is known to be missing, but something could not be asked")}
			}
			return nil
		},
	}
	configFlag(cmd, &file)
	cmd.Flags().StringVar(&tier, "tier", tier, "miss the permissions of `TIER`: sweep, detect or blast-radius")
	cmd.Flags().DurationVar(&within, "within", within, "ask for so `LONG` at most")
	return cmd
}
