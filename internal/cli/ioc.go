package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/wormsweep/wormsweep/internal/report"
	"github.com/wormsweep/wormsweep/iocs"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/ioc/feed"
)

func iocCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ioc",
		Short: "List, check and convert indicators of compromise",
	}
	group(cmd, iocListCommand(), iocShowCommand(), iocLintCommand(), iocImportCommand(), iocExportCommand(), iocUpdateCommand())
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
			return nil, 0, fmt.Errorf("--ioc %w", err)
		}
		tellPassed(cmd.ErrOrStderr(), path, f)
		refused += tellErrors(cmd.ErrOrStderr(), f)
		all = append(all, f.Packs(slug(path), time.Now().UTC().Truncate(time.Second))...)
	}
	if len(campaigns) == 0 {
		return all, refused, nil
	}
	for _, id := range campaigns {
		if !slices.ContainsFunc(all, func(p ioc.Pack) bool { return p.ID == id }) {
			return nil, 0, noCampaign(fmt.Errorf("%q: %w", id, ioc.ErrNoCampaign))
		}
	}
	return slices.DeleteFunc(all, func(p ioc.Pack) bool { return !slices.Contains(campaigns, p.ID) }), refused, nil
}

func tellErrors(stderr io.Writer, f feed.Feed) int {
	for _, e := range f.Errors {
		tell(stderr, e)
	}
	return len(f.Errors)
}

// incomplete is the end of a command that had to leave rows out.
func incomplete(refused int) error {
	if refused == 0 {
		return nil
	}
	return exitError{exitUnknown, fmt.Errorf("not complete: rows that are no indicators, and were left out: %d", refused)}
}

func addListFlag(cmd *cobra.Command, lists *[]string) {
	cmd.Flags().StringArrayVar(lists, "ioc", nil, "take the list or folder of lists at `PATH` as well; repeatable")
}

func iocListCommand() *cobra.Command {
	var format string
	var lists []string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the campaigns of the catalogue",
		Long: `List prints a row for each campaign of the catalogue. As json it is an object a
line; the counts are of distinct packages and of exact versions.`,
		Args: wantsNothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			write := listText
			switch format {
			case "text":
			case "json":
				write = listJSON
			default:
				return usage(fmt.Errorf("--format %q is no format: want text or json", format))
			}
			all, refused, err := packs(cmd, lists, nil)
			if err != nil {
				return usage(err)
			}
			if err := toStdout(cmd, func(w io.Writer) error { return write(w, all) }); err != nil {
				return err
			}
			return incomplete(refused)
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "`FORMAT` of the rows: text, json")
	addListFlag(cmd, &lists)
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
	for i := range all {
		if err := writeJSONLine(w, newCampaignRow(&all[i])); err != nil {
			return err
		}
	}
	return nil
}
