package appcli

import (
	"context"
	"errors"
	"fmt"
	"os/user"
	"time"

	"github.com/spf13/cobra"

	"github.com/wormsweep/wormsweep/internal/app"
	"github.com/wormsweep/wormsweep/internal/appdb"
	"github.com/wormsweep/wormsweep/internal/journal"
)

func killSwitchCommand() *cobra.Command {
	var file, reason string
	cmd := &cobra.Command{
		Use:   "kill-switch [on|off] --config FILE",
		Short: "Stop all effects on the outside within a second, or let them go on",
		Long: "With \"on\" no process of the App writes anything outside any more; what it receives is kept.\n" +
			"With \"off\" it goes on. Without either, the position is shown.",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 || len(args) == 1 && args[0] != "on" && args[0] != "off" {
				return fmt.Errorf("%q wants on, off or nothing", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			config, err := readConfig(file)
			if err != nil {
				return err
			}
			if len(args) == 1 && reason == "" {
				return errors.New("--reason is missing: it is kept with the switch")
			}
			kill, err := killSwitch(cmd.Context(), config, args, reason)
			if err != nil {
				return exitError{exitNot, err}
			}
			position := "off"
			if kill.On {
				position = "on"
			}
			fmt.Fprintf(cmd.OutOrStdout(), "kill switch: %s", position)
			if !kill.At.IsZero() {
				fmt.Fprintf(cmd.OutOrStdout(), ", since %s, by %s: %s", kill.At.Format(time.RFC3339), kill.By, kill.Reason)
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout())
			return err
		},
	}
	configFlag(cmd, &file)
	cmd.Flags().StringVar(&reason, "reason", "", "why, for whoever finds the switch; needed to set it")
	return cmd
}

func killSwitch(ctx context.Context, config app.Config, args []string, reason string) (journal.Switch, error) {
	db, err := appdb.Open(ctx, config.Database, appdb.Options{Connections: 2})
	if err != nil {
		return journal.Switch{}, err
	}
	defer db.Close()
	j, err := journal.Open(ctx, db)
	if err != nil {
		return journal.Switch{}, err
	}
	if len(args) == 1 {
		who := "unknown"
		if u, err := user.Current(); err == nil {
			who = u.Username
		}
		if err := j.Set(ctx, journal.Kill, args[0] == "on", who, reason); err != nil {
			return journal.Switch{}, err
		}
	}
	return j.Switch(ctx, journal.Kill)
}
