package cli

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wormsweep/wormsweep/internal/match"
	"github.com/wormsweep/wormsweep/internal/report"
	"github.com/wormsweep/wormsweep/internal/source/local"
	"github.com/wormsweep/wormsweep/internal/sweep"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

func inventoryCommand() *cobra.Command {
	var format string
	var all bool
	cmd := &cobra.Command{
		Use:   "inventory PATH",
		Short: "List the packages that the lockfiles below a path lock",
		Long: `Inventory prints a row for each package that a lockfile below PATH locks to an exact version
of a registry: file, ecosystem, name, version, scope, source. With --all also what is no such
package, with the reason in the column source. What could not be read is said on standard
error, and the exit code is then 3.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runInventory(cmd, args[0], format, all) },
	}
	cmd.Flags().StringVar(&format, "format", "tsv", "`format` of the rows: tsv, json")
	cmd.Flags().BoolVar(&all, "all", false, "also list workspaces, links, git, file and URL entries, ranges, manifests, replaced modules")
	return cmd
}

// inventoryRow is one row; its JSON form is one line of --format json.
type inventoryRow struct {
	File      string `json:"file"` // relative to PATH, with slashes
	Ecosystem string `json:"ecosystem"`
	Name      string `json:"name"`
	Version   string `json:"version"` // the range, for an entry that is not locked
	Scope     string `json:"scope"`
	Source    string `json:"source"` // registry, the registry's host, or the reason code
}

func runInventory(cmd *cobra.Command, root, format string, all bool) error {
	out := bufio.NewWriterSize(cmd.OutOrStdout(), 64<<10)
	var write func(inventoryRow) error
	switch format {
	case "tsv":
		fmt.Fprintln(out, "file\tecosystem\tname\tversion\tscope\tsource")
		write = func(r inventoryRow) error { return writeTSV(out, r) }
	case "json":
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		write = func(r inventoryRow) error { return encoder.Encode(r) }
	default:
		return usage(fmt.Errorf("--format %q: want tsv or json", format))
	}
	problems := 0
	ctx := cmd.Context()
	for e, err := range sweep.Inventory(ctx, local.Repositories(ctx, []string{root}, sweep.Reads)) {
		if err != nil {
			return usage(err)
		}
		name := path.Join(below(root, e.Repository.Path), e.Path)
		if e.Err != nil {
			problems++
			fmt.Fprintf(cmd.ErrOrStderr(), "sweeper: %q: %v\n", name, e.Err)
			continue
		}
		for _, p := range e.File.Problems {
			problems++
			fmt.Fprintf(cmd.ErrOrStderr(), "sweeper: %q: %v\n", name, p)
		}
		seen := map[inventoryRow]bool{}
		for i := range e.File.Packages {
			p := &e.File.Packages[i]
			if !all && !(p.Source.Kind.Exact() && p.Version != "") {
				continue
			}
			row := newRow(name, p)
			if seen[row] {
				continue
			}
			seen[row] = true
			if err := write(row); err != nil {
				return exitError{exitUnknown, err}
			}
		}
	}
	if err := out.Flush(); err != nil {
		return exitError{exitUnknown, err}
	}
	if ctx.Err() != nil {
		return exitError{exitUnknown, ctx.Err()}
	}
	if problems > 0 {
		return exitError{exitUnknown, fmt.Errorf("%d problems: the inventory is not complete", problems)}
	}
	return nil
}

// below is the path of a repository relative to the path that was named, "" when they are
// one.
func below(root, repository string) string {
	rel, err := filepath.Rel(root, repository)
	if err != nil || rel == "." {
		return ""
	}
	return filepath.ToSlash(rel)
}

func newRow(file string, p *lockfile.Package) inventoryRow {
	row := inventoryRow{
		File: file, Ecosystem: string(p.Ecosystem), Name: p.Name, Version: p.Version,
		Scope: p.Scope.String(), Source: p.Source.Kind.String(),
	}
	if row.Version == "" {
		row.Version = p.Range
	}
	if p.Source.Kind == lockfile.Registry {
		if p.Version == "" {
			row.Source = lockfile.NoVersion.String()
		} else if h := match.Host(p); h != "" {
			row.Source = h
		}
	}
	return row
}

func writeTSV(w io.Writer, r inventoryRow) error {
	cells := []string{r.File, r.Ecosystem, r.Name, r.Version, r.Scope, r.Source}
	for i, c := range cells {
		cells[i] = report.EscapeTSV(c)
	}
	_, err := io.WriteString(w, strings.Join(cells, "\t")+"\n")
	return err
}
