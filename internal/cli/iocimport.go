package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
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
		Long: `Lint reads each PATH, a pack or any list that "sweeper ioc import" reads, and
prints what is wrong with it, with file and line.

Exit codes: 0 nothing is; 1 something is; 2 wrong use; 3 a PATH was not read.`,
		Args: wants("PATH", true),
		RunE: func(cmd *cobra.Command, args []string) error {
			var faults []error
			for _, path := range args {
				found, err := lint(cmd.ErrOrStderr(), path)
				if err != nil {
					return err
				}
				faults = append(faults, found...)
			}
			err := toStdout(cmd, func(w io.Writer) error {
				for _, fault := range faults {
					if _, err := fmt.Fprintln(w, fault); err != nil {
						return err
					}
				}
				return nil
			})
			switch {
			case len(faults) > 0 && err != nil:
				return exitError{exitFound, err}
			case len(faults) > 0:
				return exitError{exitFound, fmt.Errorf("faults: %d", len(faults))}
			}
			return err
		},
	}
}

// lint gives what is wrong with the list at path. The error is an exitError: it could not be
// read.
func lint(stderr io.Writer, path string) (faults []error, err error) {
	f, err := importFeed(path, feed.Options{})
	var input *ioc.InputError
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, usage(err)
	case errors.As(err, &input):
		faults = append(faults, input)
	case errors.Is(err, feed.ErrNothing):
		faults = append(faults, fmt.Errorf("%q: %w", path, feed.ErrNothing))
	case err != nil:
		return nil, exitError{exitUnknown, err}
	}
	tellPassed(stderr, path, f)
	for _, e := range f.Errors {
		faults = append(faults, e)
	}
	for _, p := range f.Packs(slug(path), time.Now()) {
		for _, c := range ioc.Lint(p) {
			faults = append(faults, fmt.Errorf("%q: %v", path, c))
		}
	}
	return faults, nil
}

func iocImportCommand() *cobra.Command {
	var id, out, eco string
	var opt feed.Options
	cmd := &cobra.Command{
		Use:   "import PATH",
		Short: "Make a pack of a list of indicators",
		Long: `Import reads the file or folder at PATH in any of the forms that
docs/catalogue.md lists, and writes a pack. Rows that are no indicators are left
out and told on standard error, with file, line and rule; the exit code is then
3. What was repaired on the way stands in the pack.`,
		Args: wants("PATH", false),
		RunE: func(cmd *cobra.Command, args []string) error {
			if eco != "" {
				e, err := ecosystem.Parse(eco)
				if err != nil {
					return usage(fmt.Errorf("--ecosystem %w: want npm, PyPI, Go or GitHub Actions", err))
				}
				opt.Ecosystem = e
			}
			if id != "" && !campaignID.MatchString(id) {
				return usage(fmt.Errorf("--campaign %q: want lower-case words joined by \"-\"", id))
			}
			f, err := importFeed(args[0], opt)
			if err != nil {
				return usage(err)
			}
			if id == "" {
				id = slug(args[0])
			}
			tellPassed(cmd.ErrOrStderr(), args[0], f)
			refused := tellErrors(cmd.ErrOrStderr(), f)
			if err := writePacks(cmd, out, f.Packs(id, time.Now().UTC().Truncate(time.Second))); err != nil {
				return err
			}
			tell(cmd.ErrOrStderr(), fmt.Errorf("%q is a list of form %s: %d entries, %d repaired, %d repeated, %d refused",
				args[0], f.Form, len(f.Entries), len(f.Repairs), f.Duplicates, refused))
			return incomplete(refused)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&id, "campaign", "", "`ID` of the campaign; without it the file's name")
	flags.StringVar(&eco, "ecosystem", "", "`ECOSYSTEM` of rows that name none: npm, PyPI, Go")
	flags.BoolVar(&opt.EmptyIsAll, "empty-is-all", false, "take an empty list of versions for every version")
	flags.StringVarP(&out, "output", "o", "", "write to `FILE` instead of standard output; several packs to a folder")
	return cmd
}

// campaignID is what the id of a campaign looks like.
var campaignID = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
