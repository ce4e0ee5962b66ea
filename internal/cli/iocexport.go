package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/ioc/feed"
)

// exporters are the forms of "ioc export", in the order of the help text.
var exporters = []struct {
	name  string
	write func(w io.Writer, packs []ioc.Pack, all bool) (feed.Left, error)
}{
	{"tsv", feed.WriteTSV},
	{"csv", func(w io.Writer, packs []ioc.Pack, _ bool) (feed.Left, error) { return feed.WriteCSV(w, packs) }},
	{"osv", func(w io.Writer, packs []ioc.Pack, _ bool) (feed.Left, error) {
		records, left, err := feed.OSV(packs)
		for _, r := range records { // a line each
			if err == nil {
				_, err = fmt.Fprintf(w, "%s\n", r.JSON)
			}
		}
		return left, err
	}},
	{"pack", func(w io.Writer, packs []ioc.Pack, _ bool) (feed.Left, error) {
		for _, p := range packs {
			if err := ioc.WritePack(w, p); err != nil {
				return nil, err
			}
		}
		return nil, nil
	}},
}

func iocExportCommand() *cobra.Command {
	var format, out string
	var lists, campaigns []string
	var all bool
	names := make([]string, len(exporters))
	for i, e := range exporters {
		names[i] = e.name
	}
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write the catalogue in a form that others read",
		Long: `Export writes the catalogue. As tsv it is a header and the columns ecosystem, name, version and
campaign, a row for each exact version of npm, PyPI and Go. What a form cannot hold is counted
on standard error.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			i := slices.Index(names, format)
			if i < 0 {
				return usage(fmt.Errorf("--format %q: want one of %s", format, strings.Join(names, ", ")))
			}
			chosen, refused, err := packs(cmd, lists, campaigns)
			if err != nil {
				return usage(err)
			}
			var left feed.Left
			err = toFile(cmd, out, func(w io.Writer) error {
				left, err = exporters[i].write(w, chosen, all)
				return err
			})
			if err != nil {
				return exitError{exitUnknown, err}
			}
			if len(left) > 0 {
				fmt.Fprintf(cmd.ErrOrStderr(), "sweeper: not in this form: %v\n", left)
			}
			return incomplete(refused)
		},
	}
	cmd.Flags().StringVar(&format, "format", "tsv", "`format`: "+strings.Join(names, ", "))
	cmd.Flags().StringArrayVar(&lists, "ioc", nil, "also export the indicators of a file or folder at `PATH`; may be repeated")
	cmd.Flags().StringArrayVar(&campaigns, "campaign", nil, "export only the campaign with this `ID`; may be repeated")
	cmd.Flags().BoolVar(&all, "all", false, "tsv: also open entries (every version, ranges, namespaces) and other ecosystems")
	cmd.Flags().StringVarP(&out, "output", "o", "", "write to `FILE` instead of standard output")
	return cmd
}
