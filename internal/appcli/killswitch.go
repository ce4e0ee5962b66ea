package appcli

import (
	"errors"
	"fmt"
	"os/user"
	"time"

	"github.com/spf13/cobra"

	"github.com/wormsweep/wormsweep/internal/app"
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
			var set *journal.Switch
			if len(args) == 1 {
				set = &journal.Switch{On: args[0] == "on", By: me(), Reason: reason}
			}
			kill, err := app.KillSwitch(cmd.Context(), config, set)
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

// me is who sets a switch.
func me() string {
	u, err := user.Current()
	if err != nil {
		return "unknown"
	}
	return u.Username
}
