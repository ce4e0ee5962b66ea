package appcli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/wormsweep/wormsweep/internal/app/manifest"
	"github.com/wormsweep/wormsweep/internal/app/setup"
)

func setupCommand() *cobra.Command {
	opt := setup.Options{Files: setup.Files{Dir: "wormsweep-app"}}
	tier := string(manifest.Detect)
	cmd := &cobra.Command{
		Use:   "setup --org NAME --webhook-url URL",
		Short: "Register the App on GitHub, from a page of this machine",
		Long: "Prints the address of a page on this machine. From there a browser goes to GitHub, where an\n" +
			"owner of the organisation agrees to the App. Its key, the webhook's secret and a configuration\n" +
			"for \"app serve\" are written into a folder, and shown nowhere. An hour is the time for it.",
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if opt.Tier, err = manifest.ParseTier(tier); err != nil {
				return fmt.Errorf("--tier: %w", err)
			}
			if opt.Organisation == "" {
				return errors.New("--org is missing: the organisation that the App is for")
			}
			if opt.Tier != manifest.Sweep && opt.Webhook == "" {
				return errors.New("--webhook-url is missing: the address at which GitHub reaches \"app serve\"")
			}
			done, err := setup.Run(cmd.Context(), opt, cmd.OutOrStdout())
			var refused *setup.UsageError
			switch {
			case errors.As(err, &refused):
				return exitError{exitUsage, err}
			case errors.Is(err, context.Canceled):
				return exitError{exitNot, errors.New("stopped: nothing was registered")}
			case err != nil:
				return exitError{exitNot, err}
			}
			tellSetup(cmd.OutOrStdout(), opt.Organisation, done)
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&opt.Organisation, "org", "", "the organisation `NAME` that the App is for")
	flags.StringVar(&opt.Webhook, "webhook-url", "", "the `URL` at which GitHub reaches \"app serve\": https://HOST/webhook")
	flags.StringVar(&opt.GitHub, "github-url", "", "the GitHub Enterprise Server at `URL`")
	flags.StringVar(&opt.Name, "name", "", "the `NAME` of the App; \"Wormsweep of\" the organisation otherwise")
	flags.StringVar(&tier, "tier", tier, "which permissions it asks for: `TIER` sweep (no webhook), detect or blast-radius")
	flags.StringVar(&opt.Files.Dir, "dir", opt.Files.Dir, "write key, secret and configuration into the `FOLDER`")
	flags.StringVar(&opt.Files.Issues, "issues", "", "file incidents in the private repository `OWNER/NAME`")
	flags.StringVar(&opt.Files.Responders, "responders", "", "obey commands of the members of the team `SLUG`")
	flags.StringVar(&opt.Files.Settings, "settings", "", "read the organisation's own settings from the repository `OWNER/NAME`")
	flags.StringVar(&opt.Files.Database, "database", "", "keep the state in the `FOLDER`; \"data\" beside the configuration otherwise")
	flags.StringVar(&opt.Listen, "page", "", "show the page at `ADDRESS`, 127.0.0.1:8321; a free port otherwise")
	flags.DurationVar(&opt.Within, "within", time.Hour, "wait so `LONG` for the browser")
	return cmd
}

// tellSetup says what was made and how it goes on.
func tellSetup(out io.Writer, organisation string, done setup.Done) {
	fmt.Fprintf(out, "The App %q (%d) is registered.\n", done.Name, done.ID)
	for _, name := range done.Lacking {
		fmt.Fprintf(out, "GitHub did not give it the permission %s.\n", name)
	}
	fmt.Fprintf(out, "\nNext:\n  1. Install it on all repositories: %s\n", done.Install)
	if done.Config == "" {
		fmt.Fprintf(out, "  2. sweeper sweep --org %s --app-id %d --app-key %s\n", organisation, done.ID, done.Key)
		return
	}
	fmt.Fprintf(out, "  2. app check --config %s\n  3. app serve --config %s\n", done.Config, done.Config)
}
