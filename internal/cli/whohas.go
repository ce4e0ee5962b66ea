package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/lookup"
	"github.com/wormsweep/wormsweep/internal/match"
	"github.com/wormsweep/wormsweep/internal/report"
	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

func whoHasCommand() *cobra.Command {
	var name, format string
	var history bool
	cmd := &cobra.Command{
		Use:   "who-has QUERY",
		Short: "Say which repositories hold a package, from the inventory",
		Long: `Who-has looks in an inventory for a package, a digest or a git repository and
prints each place that holds it. It asks GitHub nothing.

QUERY is npm:axios@1.14.1, a range ("npm:axios@>=1.14 <2"), npm:axios, a purl, a
digest (sha512-..., sha256:HEX, h1:...) or the address of a git repository.

Exit codes: 0 nobody has it; 1 somebody has; 2 wrong use; 3 nobody is known to
have it, but not all was read, or the inventory could not be.`,
		Args: wants("QUERY", false),
		RunE: func(cmd *cobra.Command, args []string) error {
			rows, err := holdingFormat(format)
			if err != nil {
				return usage(err)
			}
			q, err := lookup.ParseQuery(args[0])
			if err != nil {
				return usage(fmt.Errorf("%q: %w", args[0], err))
			}
			st, err := openToRead(cmd.Context(), name)
			if err != nil {
				return err
			}
			defer st.Close()
			var lacking []*finding.Problem
			var unknown error
			var wait sync.WaitGroup
			wait.Go(func() { lacking, unknown = lookup.Lacking(cmd.Context(), st) })
			held, err := lookup.WhoHas(cmd.Context(), st, q, history)
			wait.Wait()
			if err != nil {
				return exitError{exitUnknown, err}
			}
			if err := toStdout(cmd, func(w io.Writer) error { return rows(w, held) }); err != nil {
				return err
			}
			if q.Digest.Algorithm != digest.NoAlgorithm {
				tell(cmd.ErrOrStderr(), errors.New("digests that lockfiles give of packages were looked at, and not those of files: a sweep with a list that has it (--ioc) looks at these"))
			}
			for _, p := range lacking {
				tell(cmd.ErrOrStderr(), fmt.Errorf("%s: %s", p.Code, p.Detail))
			}
			switch {
			case len(held) > 0:
				return exitError{code: exitFound}
			case unknown != nil:
				return exitError{exitUnknown, unknown}
			case len(lacking) > 0:
				return exitError{code: exitUnknown}
			}
			return nil
		},
	}
	addInventory(cmd.Flags(), &name)
	cmd.Flags().BoolVar(&history, "history", false, "also what held it once, as long as the inventory remembers")
	cmd.Flags().StringVar(&format, "format", "tsv", "`FORMAT` of the rows: tsv, json")
	return cmd
}

// holdingRow is one row of who-has; its JSON form is one line of --format json.
type holdingRow struct {
	Repository string   `json:"repository"`
	Ref        string   `json:"ref"`
	Commit     string   `json:"commit"`
	File       string   `json:"file"`
	Line       int      `json:"line,omitempty"`
	Ecosystem  string   `json:"ecosystem"`
	Name       string   `json:"name"`
	Version    string   `json:"version"` // the range, for an entry that is not locked
	Source     string   `json:"source"`
	Chain      []string `json:"chain,omitempty"`
	FirstSeen  string   `json:"first_seen"`
	LastSeen   string   `json:"last_seen"`
	Current    bool     `json:"current"`
}

func newHoldingRow(h *lookup.Holding) holdingRow {
	src := h.Package.Source.Kind.String()
	if h.Package.Source.Kind == lockfile.Registry {
		src = cmp.Or(match.Host(&h.Package), src)
	}
	return holdingRow{
		Repository: h.Repository.Name, Ref: h.Ref, Commit: h.Commit, File: h.File, Line: h.Line,
		Ecosystem: string(h.Package.Ecosystem), Name: h.Package.Name, Version: cmp.Or(h.Package.Version, h.Package.Range), Source: src,
		Chain: h.Chain, FirstSeen: h.FirstSeen.UTC().Format(time.RFC3339), LastSeen: h.LastSeen.UTC().Format(time.RFC3339), Current: h.Current,
	}
}

func holdingFormat(format string) (func(io.Writer, []lookup.Holding) error, error) {
	switch format {
	case "tsv":
		return writeHoldings, nil
	case "json":
		return func(w io.Writer, held []lookup.Holding) error {
			for i := range held {
				if err := writeJSONLine(w, newHoldingRow(&held[i])); err != nil {
					return err
				}
			}
			return nil
		}, nil
	}
	return nil, fmt.Errorf("--format %q is no format: want tsv or json", format)
}

func writeHoldings(w io.Writer, held []lookup.Holding) error {
	if _, err := io.WriteString(w, "repository\tref\tfile\tline\tpackage\tsource\tvia\tfirst_seen\tlast_seen\tcurrent\n"); err != nil {
		return err
	}
	for i := range held {
		r := newHoldingRow(&held[i])
		name := r.Name
		if r.Version != "" {
			name += "@" + r.Version
		}
		cells := []string{
			r.Repository, r.Ref, r.File, strconv.Itoa(r.Line), r.Ecosystem + ":" + name, r.Source,
			strings.Join(r.Chain, " > "), r.FirstSeen, r.LastSeen, strconv.FormatBool(r.Current),
		}
		for j, c := range cells {
			cells[j] = report.EscapeTSV(c)
		}
		if _, err := io.WriteString(w, strings.Join(cells, "\t")+"\n"); err != nil {
			return err
		}
	}
	return nil
}
