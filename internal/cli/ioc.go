package cli

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/wormsweep/wormsweep/internal/report"
	"github.com/wormsweep/wormsweep/iocs"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/ioc/feed"
)

func iocCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ioc",
		Short: "List, check and convert indicators of compromise",
	}
	cmd.AddCommand(iocListCommand(), iocShowCommand(), iocLintCommand(), iocImportCommand())
	return cmd
}

// packs are the embedded packs and those of the lists at paths. Rows that are no indicators
// are told to stderr and counted.
func packs(cmd *cobra.Command, paths, campaigns []string) (all []ioc.Pack, refused int, err error) {
	if all, err = iocs.Packs(); err != nil {
		return nil, 0, err
	}
	for _, path := range paths {
		f, err := importFeed(path, feed.Options{})
		if err != nil {
			return nil, 0, fmt.Errorf("%q: %w", path, err)
		}
		refused += tellErrors(cmd.ErrOrStderr(), f)
		all = append(all, f.Packs(slug(path), time.Now().UTC().Truncate(time.Second))...)
	}
	if len(campaigns) == 0 {
		return all, refused, nil
	}
	for _, id := range campaigns {
		if !slices.ContainsFunc(all, func(p ioc.Pack) bool { return p.ID == id }) {
			return nil, 0, fmt.Errorf("%q: %w", id, ioc.ErrNoCampaign)
		}
	}
	return slices.DeleteFunc(all, func(p ioc.Pack) bool { return !slices.Contains(campaigns, p.ID) }), refused, nil
}

func tellErrors(stderr io.Writer, f feed.Feed) int {
	for _, e := range f.Errors {
		fmt.Fprintf(stderr, "sweeper: %v\n", e)
	}
	return len(f.Errors)
}

// incomplete is the end of a command that had to leave rows out.
func incomplete(refused int) error {
	if refused == 0 {
		return nil
	}
	return exitError{exitUnknown, fmt.Errorf("%d rows are no indicators and were left out", refused)}
}

func iocListCommand() *cobra.Command {
	var format string
	var lists []string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the campaigns of the catalogue",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, refused, err := packs(cmd, lists, nil)
			if err != nil {
				return usage(err)
			}
			switch format {
			case "text":
				err = listText(cmd.OutOrStdout(), all)
			case "json":
				err = listJSON(cmd.OutOrStdout(), all)
			default:
				return usage(fmt.Errorf("--format %q: want text or json", format))
			}
			if err != nil {
				return exitError{exitUnknown, err}
			}
			return incomplete(refused)
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "`format`: text, json")
	cmd.Flags().StringArrayVar(&lists, "ioc", nil, "also list the indicators of a file or folder at `PATH`; may be repeated")
	return cmd
}

// campaignRow is one campaign of "ioc list".
type campaignRow struct {
	ID         string         `json:"id"`
	Title      string         `json:"title"`
	Status     ioc.PackStatus `json:"status"`
	Severity   ioc.Severity   `json:"severity"`
	FirstSeen  string         `json:"first_seen,omitempty"`
	LastSeen   string         `json:"last_seen,omitempty"`
	Indicators int            `json:"indicators"`
	Packages   int            `json:"packages"`
	Versions   int            `json:"versions"`
}

func newCampaignRow(p *ioc.Pack) campaignRow {
	row := campaignRow{
		ID: p.ID, Title: p.Title, Status: p.Status, Severity: p.Severity,
		FirstSeen: p.FirstSeen, LastSeen: p.LastSeen, Indicators: len(p.Indicators),
	}
	names, versions := map[string]bool{}, map[string]bool{}
	for _, ind := range p.Indicators {
		if ind.Type != ioc.TypePackage {
			continue
		}
		key := string(ind.Ecosystem) + "\x00" + ind.Name
		names[key] = true
		for _, v := range ind.Versions {
			versions[key+"\x00"+v] = true
		}
	}
	row.Packages, row.Versions = len(names), len(versions)
	return row
}

func listText(w io.Writer, all []ioc.Pack) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "CAMPAIGN\tFROM\tSTATUS\tSEVERITY\tPACKAGES\tVERSIONS\tINDICATORS")
	for i := range all {
		r := newCampaignRow(&all[i])
		from, _, _ := strings.Cut(r.FirstSeen, "T")
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\t%d\t%d\n", report.EscapeTSV(r.ID), from, r.Status, r.Severity, r.Packages, r.Versions, r.Indicators)
	}
	return t.Flush()
}

func listJSON(w io.Writer, all []ioc.Pack) error {
	out := json.NewEncoder(w)
	for i := range all {
		if err := out.Encode(newCampaignRow(&all[i])); err != nil {
			return err
		}
	}
	return nil
}

func iocShowCommand() *cobra.Command {
	var lists []string
	cmd := &cobra.Command{
		Use:   "show CAMPAIGN | PURL | NAME",
		Short: "Show a campaign as a pack, or what the catalogue says of a package",
		Long: `Show prints a whole campaign as a pack, in JSON. Given a purl ("pkg:npm/axios@1.14.1") or a
package's name it prints, campaign by campaign, the indicators that are about it; with a
version only those that the version meets. The exit code is 1 when there is one, 0 when not.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			all, refused, err := packs(cmd, lists, nil)
			if err != nil {
				return usage(err)
			}
			for i := range all {
				if all[i].ID == args[0] {
					if err := ioc.WritePack(cmd.OutOrStdout(), all[i]); err != nil {
						return exitError{exitUnknown, err}
					}
					return incomplete(refused)
				}
			}
			shown, err := showPackage(cmd.OutOrStdout(), all, args[0])
			switch {
			case err != nil:
				return err
			case shown > 0:
				return exitError{exitFound, nil}
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "sweeper: %q: no campaign of this id, and no package that is listed\n", args[0])
			return incomplete(refused)
		},
	}
	cmd.Flags().StringArrayVar(&lists, "ioc", nil, "also look in the file or folder at `PATH`; may be repeated")
	return cmd
}

// shownIndicator is a line of "ioc show" for a package.
type shownIndicator struct {
	Campaign string `json:"campaign"`
	Title    string `json:"title"`
	ioc.Indicator
}

// showPackage prints the indicators about a package, a line of JSON each, and returns how many.
func showPackage(w io.Writer, all []ioc.Pack, what string) (int, error) {
	e, name, version := ecosystem.Ecosystem(""), what, ""
	if strings.HasPrefix(what, "pkg:") {
		var err error
		if e, name, version, err = ecosystem.ParsePURL(what); err != nil {
			return 0, usage(err)
		}
	}
	met, err := metBy(all, e, name, version)
	if err != nil {
		return 0, exitError{exitUnknown, err}
	}
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	shown := 0
	for _, p := range all {
		for _, ind := range p.Indicators {
			about := ind.Type == ioc.TypePackage && (e == "" || ind.Ecosystem == e) &&
				ind.Ecosystem.CanonicalName(ind.Name) == ind.Ecosystem.CanonicalName(name)
			if !about || version != "" && !met[ind.ID] {
				continue
			}
			shown++
			if err := out.Encode(shownIndicator{p.ID, p.Title, ind}); err != nil {
				return shown, exitError{exitUnknown, err}
			}
		}
	}
	return shown, nil
}

// metBy are the ids of the indicators that a version meets; nil when none is given.
func metBy(all []ioc.Pack, e ecosystem.Ecosystem, name, version string) (map[string]bool, error) {
	if version == "" {
		return nil, nil
	}
	index, err := ioc.Compile(all)
	if err != nil {
		return nil, err
	}
	set, err := ioc.Open(string(index))
	if err != nil {
		return nil, err
	}
	met := map[string]bool{}
	ms, _ := set.Package(e, e.CanonicalName(name), version)
	for _, m := range ms {
		met[m.Indicator.ID] = true
	}
	return met, nil
}

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

// toFile gives write the named file, which appears only when it is whole, or stdout for "".
func toFile(cmd *cobra.Command, name string, write func(io.Writer) error) error {
	if name == "" {
		w := bufio.NewWriter(cmd.OutOrStdout())
		if err := write(w); err != nil {
			return err
		}
		return w.Flush()
	}
	file, err := createReport(name)
	if err != nil {
		return err
	}
	defer file.discard()
	w := bufio.NewWriter(file)
	if err := write(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return file.commit()
}
