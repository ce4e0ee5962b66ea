package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/ioc/feed"
)

func iocExportCommand() *cobra.Command {
	var format, out string
	var lists, campaigns []string
	var all bool
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write the catalogue in a form that others read",
		Long: `Export writes the catalogue. As tsv it is a header and the columns ecosystem,
name, version and campaign, and a row for each exact version of npm, PyPI and
Go. As osv it is a record a line, as pack a file for each campaign. What a form
cannot hold is counted on standard error.`,
		Args: wantsNothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			i := slices.IndexFunc(exporters, func(e exporter) bool { return e.name == format })
			if i < 0 && format != formPack {
				return usage(fmt.Errorf("--format %q is no format: want tsv, csv, osv or pack", format))
			}
			chosen, refused, err := packs(cmd, lists, campaigns)
			if err != nil {
				return usage(err)
			}
			if format == formPack {
				err = writePacks(cmd, out, chosen)
			} else {
				err = exporters[i].export(cmd, out, chosen, all)
			}
			if err != nil {
				return err
			}
			return incomplete(refused)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&format, "format", "tsv", "`FORMAT` to write: tsv, csv, osv, pack")
	flags.BoolVar(&all, "all", false, "tsv: also open entries (every version, ranges, scopes) and other ecosystems")
	flags.StringArrayVar(&campaigns, "campaign", nil, "export the campaign `ID` alone; repeatable")
	addListFlag(cmd, &lists)
	flags.StringVarP(&out, "output", "o", "", "write to `FILE` instead of standard output; packs of several campaigns to a folder")
	return cmd
}

// formPack is the form of "ioc export" that is a file a campaign.
const formPack = "pack"

// exporter writes packs in a form that holds all of them in one file.
type exporter struct {
	name  string
	write func(w io.Writer, packs []ioc.Pack, all bool) (feed.Left, error)
}

var exporters = []exporter{
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
}

func (e exporter) export(cmd *cobra.Command, out string, packs []ioc.Pack, all bool) error {
	var left feed.Left
	err := toFile(cmd, out, func(w io.Writer) (err error) {
		left, err = e.write(w, packs, all)
		return err
	})
	if err == nil && len(left) > 0 {
		tell(cmd.ErrOrStderr(), fmt.Errorf("not in this form: %v", left))
	}
	return err
}

// writePacks writes one pack to the named file, or to standard output for "". Several go to a
// folder of that name, each to the file of its id: a file holds one pack.
func writePacks(cmd *cobra.Command, out string, packs []ioc.Pack) error {
	info, err := os.Stat(out)
	file := err == nil && !info.IsDir()
	folder := err == nil && info.IsDir() || strings.HasSuffix(out, "/")
	if len(packs) == 1 && !folder {
		return toFile(cmd, out, func(w io.Writer) error { return ioc.WritePack(w, packs[0]) })
	}
	if out == "" || file {
		return usage(fmt.Errorf("%d packs are a file each: name a folder with --output", len(packs)))
	}
	if err := os.MkdirAll(out, 0o777); err != nil {
		return usage(fmt.Errorf("--output %q: %w", out, bare(err)))
	}
	for _, p := range packs {
		if err := toFile(cmd, filepath.Join(out, p.ID+".json"), func(w io.Writer) error { return ioc.WritePack(w, p) }); err != nil {
			return err
		}
	}
	return nil
}
