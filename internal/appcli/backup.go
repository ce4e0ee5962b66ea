package appcli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/wormsweep/wormsweep/internal/appdb"
)

func backupCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "backup --config FILE FOLDER",
		Short: "Copy the database's files, while the App serves or not",
		Long: "Copies each SQLite file of the configuration's database into FOLDER, as it is at one moment,\n" +
			"and reads it back. Nothing is written over. To restore: stop the App, put the copies in the\n" +
			"place of the database's folder, and start it. PostgreSQL has pg_dump: docs/app.md.",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("%q wants one folder and got %d", cmd.CommandPath(), len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			config, err := readConfig(file)
			if err != nil {
				return err
			}
			names, err := appdb.Backup(cmd.Context(), config.Database, args[0])
			for _, name := range names {
				fmt.Fprintln(cmd.OutOrStdout(), name)
			}
			switch {
			case errors.Is(err, appdb.ErrNotAFolder):
				return exitError{exitUsage, err}
			case err != nil:
				return exitError{exitNot, err}
			}
			return nil
		},
	}
	configFlag(cmd, &file)
	return cmd
}
