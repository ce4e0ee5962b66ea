package appcli

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/wormsweep/wormsweep/internal/app"
	"github.com/wormsweep/wormsweep/internal/journal"
	"github.com/wormsweep/wormsweep/internal/report"
)

func deadLettersCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "dead-letters --config FILE",
		Short: "List the deliveries that were given up or dropped, and why",
		Long:  "Each line is one delivery: its number, when it came, its event and GitHub's number for it, and the reason.",
		Args:  nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := readConfig(file)
			if err != nil {
				return err
			}
			err = app.DeadLetters(cmd.Context(), config, func(d journal.Delivery) error {
				event := d.Event
				if d.Action != "" {
					event += "." + d.Action
				}
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "%d\t%s\t%s\t%s\t%s\n", d.Number, d.Received.Format(time.RFC3339), event, d.ID, report.EscapeText(d.Reason))
				return err
			})
			if err != nil {
				return exitError{exitNot, err}
			}
			return nil
		},
	}
	configFlag(cmd, &file)
	return cmd
}

func retryCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "retry NUMBER... --config FILE",
		Short: "Act again on deliveries that \"dead-letters\" lists",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fmt.Errorf("%q wants the number of a dead letter and got none", cmd.CommandPath())
			}
			for _, arg := range args {
				if n, err := strconv.ParseInt(arg, 10, 64); err != nil || n <= 0 {
					return fmt.Errorf("%q is no number of a dead letter", arg)
				}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			config, err := readConfig(file)
			if err != nil {
				return err
			}
			var errs []error
			for _, arg := range args {
				n, err := strconv.ParseInt(arg, 10, 64)
				if err == nil {
					err = app.Retry(cmd.Context(), config, n)
				}
				errs = append(errs, err)
			}
			if err := errors.Join(errs...); err != nil {
				return exitError{exitNot, err}
			}
			return nil
		},
	}
	configFlag(cmd, &file)
	return cmd
}
