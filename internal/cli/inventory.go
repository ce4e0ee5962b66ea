package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wormsweep/wormsweep/internal/match"
	"github.com/wormsweep/wormsweep/internal/report"
	"github.com/wormsweep/wormsweep/internal/source"
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
		Long: `Inventory prints a row for each package that a lockfile below PATH locks to an
exact version of a registry: file, ecosystem, name, version, scope, source. With
--all also what is no such package, with the reason in the column source. Of a
checkout it reads what lies there, of a bare repository HEAD.

Exit codes: 0 all of it was read; 2 wrong use; 3 something was not read, and is
told on standard error.`,
		Args: wants("PATH", false),
		RunE: func(cmd *cobra.Command, args []string) error {
			rows, err := rowFormatOf(format)
			if err == nil {
				err = checkPaths(args)
			}
			if err != nil {
				return usage(err)
			}
			inv := &inventoryRun{root: args[0], all: all, format: rows, stderr: cmd.ErrOrStderr()}
			return inv.run(cmd)
		},
	}
	cmd.Flags().StringVar(&format, "format", "tsv", "`FORMAT` of the rows: tsv, json")
	cmd.Flags().BoolVar(&all, "all", false, "also list workspaces, links, git, file and URL entries, ranges, manifests and replaced modules")
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

// rowFormat is a form of the rows.
type rowFormat struct {
	header string
	write  func(io.Writer, inventoryRow) error
}

func rowFormatOf(format string) (rowFormat, error) {
	switch format {
	case "tsv":
		return rowFormat{"file\tecosystem\tname\tversion\tscope\tsource\n", writeTSV}, nil
	case "json":
		return rowFormat{"", func(w io.Writer, r inventoryRow) error { return writeJSONLine(w, r) }}, nil
	}
	return rowFormat{}, fmt.Errorf("--format %q is no format: want tsv or json", format)
}

// inventoryRun is one run of the command.
type inventoryRun struct {
	root     string
	all      bool
	format   rowFormat
	stderr   io.Writer
	problems int
}

func (inv *inventoryRun) run(cmd *cobra.Command) error {
	ctx := cmd.Context()
	var wrong error // the path went away since it was checked
	err := toStdout(cmd, func(w io.Writer) error {
		if _, err := io.WriteString(w, inv.format.header); err != nil {
			return err
		}
		for e, err := range sweep.Inventory(ctx, local.Repositories(ctx, []string{inv.root}, sweep.Reads)) {
			if err != nil {
				wrong = usage(err)
				return nil
			}
			if err := inv.entries(w, e); err != nil {
				return err
			}
		}
		return nil
	})
	if empty(inv.root) {
		inv.problem(inv.root, 0, sweep.CodeNothing, "an empty folder: was the checkout made?")
	}
	switch {
	case err != nil:
		return err
	case wrong != nil:
		return wrong
	case ctx.Err() != nil:
		return exitError{exitUnknown, errors.New("not complete: interrupted")}
	case inv.problems > 0:
		return exitError{exitUnknown, fmt.Errorf("not complete: problems: %d", inv.problems)}
	}
	return nil
}

// empty reports whether path is a folder that holds nothing.
func empty(path string) bool {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	_, err = f.Readdirnames(1)
	return errors.Is(err, io.EOF)
}

// entries writes the rows of one file, and tells its problems.
func (inv *inventoryRun) entries(w io.Writer, e sweep.Entries) error {
	if e.Err != nil {
		inv.failed(e)
		return nil
	}
	name := inv.name(e.Repository, e.Path)
	for _, p := range e.File.Problems {
		inv.problem(name, p.Line, string(p.Code), p.Detail)
	}
	seen := map[inventoryRow]bool{}
	for i := range e.File.Packages {
		p := &e.File.Packages[i]
		if !inv.all && !locked(p) {
			continue
		}
		row := newRow(name, p)
		if seen[row] {
			continue
		}
		seen[row] = true
		if err := inv.format.write(w, row); err != nil {
			return err
		}
	}
	return nil
}

// failed tells why a file or folder was not read, where it was not left out on purpose.
func (inv *inventoryRun) failed(e sweep.Entries) {
	file, code, err := e.Path, source.CodeUnreadable, e.Err
	var pe *source.PathError
	if errors.As(err, &pe) {
		file, code, err = cmp.Or(file, pe.Path), pe.Code, pe.Err
	}
	if code.Note() || errors.Is(err, context.Canceled) { // an interruption is told at the end
		return
	}
	inv.problem(inv.name(e.Repository, file), 0, string(code), err.Error())
}

func (inv *inventoryRun) problem(name string, line int, code, detail string) {
	inv.problems++
	where := strconv.Quote(name)
	if line > 0 {
		where += fmt.Sprintf(":%d", line)
	}
	tell(inv.stderr, fmt.Errorf("%s: %s: %s", where, code, detail))
}

// name is the path of a file relative to the path that was named.
func (inv *inventoryRun) name(repo *source.Repository, file string) string {
	return path.Join(below(inv.root, repo.Path), file)
}

// locked reports whether an entry is an exact version that comes from a registry. What lies
// installed in a tree is no entry of a lockfile.
func locked(p *lockfile.Package) bool {
	return p.Source.Kind.Exact() && p.Source.Kind != lockfile.Installed && p.Version != ""
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
