package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/ioc/feed"
)

func iocLintCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "lint PATH...",
		Short: "Check packs and lists of indicators",
		Long: `Lint reads each PATH, a pack or any list that "ioc import" reads, and says what is wrong with
it, with file and line. The exit code is 1 when something is, 0 when nothing is.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			faults := 0
			for _, path := range args {
				f, err := importFeed(path, feed.Options{})
				if errors.Is(err, os.ErrNotExist) {
					return usage(err)
				}
				if err != nil {
					faults++
					fmt.Fprintln(cmd.OutOrStdout(), err)
				}
				for _, e := range f.Errors {
					faults++
					fmt.Fprintln(cmd.OutOrStdout(), e)
				}
				for _, p := range f.Packs(slug(path), time.Now()) {
					for _, c := range ioc.Lint(p) {
						faults++
						fmt.Fprintf(cmd.OutOrStdout(), "%q: %s: %v\n", path, p.ID, c)
					}
				}
			}
			if faults > 0 {
				return exitError{exitFound, fmt.Errorf("%d faults", faults)}
			}
			return nil
		},
	}
}

func iocImportCommand() *cobra.Command {
	var id, out string
	var opt feed.Options
	var eco string
	cmd := &cobra.Command{
		Use:   "import PATH",
		Short: "Make a pack of a list of indicators",
		Long: `Import reads a file or folder at PATH in any of the forms that docs/catalogue.md lists, and
writes a pack. Rows that are no indicators are left out and told, with file, line and rule, on
standard error; the exit code is then 3. What was repaired stands in the pack.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if eco != "" {
				e, err := ecosystem.Parse(eco)
				if err != nil {
					return usage(fmt.Errorf("--ecosystem %w", err))
				}
				opt.Ecosystem = e
			}
			f, err := importFeed(args[0], opt)
			if err != nil {
				return usage(err)
			}
			if id == "" {
				id = slug(args[0])
			}
			made := f.Packs(id, time.Now().UTC().Truncate(time.Second))
			refused := tellErrors(cmd.ErrOrStderr(), f)
			err = toFile(cmd, out, func(w io.Writer) error {
				for _, p := range made {
					if err := ioc.WritePack(w, p); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return exitError{exitUnknown, err}
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "sweeper: %q is %s: %d entries, %d repaired, %d repeated, %d refused\n",
				args[0], f.Form, len(f.Entries), len(f.Repairs), f.Duplicates, refused)
			return incomplete(refused)
		},
	}
	cmd.Flags().StringVar(&id, "campaign", "", "`ID` of the campaign; the file's name where it is not given")
	cmd.Flags().StringVar(&eco, "ecosystem", "", "`ecosystem` of rows that name none: npm, PyPI, Go")
	cmd.Flags().BoolVar(&opt.EmptyIsAll, "empty-is-all", false, "take an empty list of versions for every version")
	cmd.Flags().StringVarP(&out, "output", "o", "", "write to `FILE` instead of standard output")
	return cmd
}
