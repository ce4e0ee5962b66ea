package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/lookup"
	"github.com/wormsweep/wormsweep/internal/report"
)

func diffCommand() *cobra.Command {
	var name, format string
	cmd := &cobra.Command{
		Use:   "diff",
		Short: "Say what changed between the last two sweeps, from the inventory",
		Long: `Diff compares the last finished sweep with the one of the same scope before it:
findings that are new or cured, and what became unreadable. A finding is cured
only where what held it was read again. It asks GitHub nothing.

Exit codes: 0 nothing new and nothing newly unreadable; 1 something was found
that was not there, or did not count, before; 2 wrong use; 3 something became
unreadable or is gone without proof, or the inventory could not be read.`,
		Args: wantsNothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if format != "text" && format != "json" {
				return usage(fmt.Errorf("--format %q is no format: want text or json", format))
			}
			return runDiff(cmd, name, format)
		},
	}
	addInventory(cmd.Flags(), &name)
	cmd.Flags().StringVar(&format, "format", "text", "`FORMAT`: text, json")
	return cmd
}

func runDiff(cmd *cobra.Command, name, format string) error {
	ctx := cmd.Context()
	st, err := openToRead(ctx, name)
	if err != nil {
		return err
	}
	defer st.Close()
	older, newer, err := lookup.LastTwo(ctx, st)
	if errors.Is(err, lookup.ErrNoRuns) {
		return usage(err)
	}
	var d *lookup.Difference
	if err == nil {
		d, err = lookup.Diff(ctx, st, older, newer)
	}
	if err != nil {
		return exitError{exitUnknown, err}
	}
	err = toStdout(cmd, func(w io.Writer) error {
		if format == "json" {
			return writeJSONLine(w, newDiffReport(d))
		}
		return writeDiff(w, d)
	})
	switch {
	case err != nil:
		return err
	case len(activeOf(d.New)) > 0 || slices.ContainsFunc(d.Changed, func(c lookup.Change) bool { return c.After.State == finding.Active }):
		return exitError{code: exitFound}
	case len(d.Unreadable) > 0 || len(activeOf(d.Unproven)) > 0:
		return exitError{code: exitUnknown}
	}
	return nil
}

func activeOf(all []*finding.Finding) []*finding.Finding {
	var out []*finding.Finding
	for _, f := range all {
		if f.State == finding.Active {
			out = append(out, f)
		}
	}
	return out
}

// diffReport is the JSON form of a difference.
type diffReport struct {
	Older      time.Time          `json:"older"` // when the run began
	Newer      time.Time          `json:"newer"`
	Catalogues []string           `json:"catalogues,omitempty"` // revisions of the older and the newer, where they differ
	New        []*finding.Finding `json:"new"`
	Changed    []*finding.Finding `json:"changed"` // as they are now
	Cured      []*finding.Finding `json:"cured"`
	Unproven   []*finding.Finding `json:"unproven"` // gone, and not proved to be
	Unreadable []*finding.Problem `json:"unreadable"`
	Readable   []*finding.Problem `json:"readable"`
	Added      []string           `json:"added"` // repositories
	Missing    []string           `json:"missing"`
}

func newDiffReport(d *lookup.Difference) diffReport {
	r := diffReport{
		Older: d.Older.Started, Newer: d.Newer.Started, New: orEmpty(d.New), Changed: []*finding.Finding{}, Cured: orEmpty(d.Cured),
		Unproven: orEmpty(d.Unproven), Unreadable: orEmpty(d.Unreadable), Readable: orEmpty(d.Readable),
		Added: repositoryNames(d.Added), Missing: repositoryNames(d.Missing),
	}
	if d.Older.Catalogue != d.Newer.Catalogue {
		r.Catalogues = []string{d.Older.Catalogue, d.Newer.Catalogue}
	}
	for _, c := range d.Changed {
		r.Changed = append(r.Changed, c.After)
	}
	return r
}

func orEmpty[T any](all []T) []T {
	if all == nil {
		return []T{}
	}
	return all
}

func repositoryNames(all []inventory.Repository) []string {
	out := []string{}
	for _, r := range all {
		out = append(out, r.Name)
	}
	return out
}

// writeDiff is the text of a difference: what counts first.
func writeDiff(w io.Writer, d *lookup.Difference) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%d new, %d changed, %d cured, %d gone without proof; %d newly unreadable, %d readable again.\n",
		len(d.New), len(d.Changed), len(d.Cured), len(d.Unproven), len(d.Unreadable), len(d.Readable))
	fmt.Fprintf(&b, "Compared: the sweep of %s with that of %s.\n", d.Newer.Started.UTC().Format(time.RFC3339), d.Older.Started.UTC().Format(time.RFC3339))
	if d.Older.Catalogue != d.Newer.Catalogue {
		b.WriteString("They looked for different catalogues: what is new may have been there before, and what is cured may be listed no more.\n")
		fmt.Fprintf(&b, "Catalogues: %s, and %s before.\n", report.EscapeText(d.Newer.Catalogue), report.EscapeText(d.Older.Catalogue))
	}
	section := func(title string, n int, line func(i int) string) {
		if n == 0 {
			return
		}
		fmt.Fprintf(&b, "\n%s\n", title)
		for i := range n {
			fmt.Fprintf(&b, "  %s\n", report.EscapeText(line(i)))
		}
	}
	section("NEW", len(d.New), func(i int) string { return findingLine(d.New[i]) })
	section("CHANGED", len(d.Changed), func(i int) string {
		return findingLine(d.Changed[i].After) + ", was " + string(d.Changed[i].Before.State)
	})
	section("CURED", len(d.Cured), func(i int) string { return findingLine(d.Cured[i]) })
	section("GONE WITHOUT PROOF", len(d.Unproven), func(i int) string { return findingLine(d.Unproven[i]) })
	section("NEWLY UNREADABLE", len(d.Unreadable), func(i int) string { return problemLine(d.Unreadable[i]) })
	section("READABLE AGAIN", len(d.Readable), func(i int) string { return problemLine(d.Readable[i]) })
	section("REPOSITORIES OF THE NEWER SWEEP ALONE", len(d.Added), func(i int) string { return strconv.Quote(d.Added[i].Name) })
	section("REPOSITORIES OF THE OLDER SWEEP ALONE", len(d.Missing), func(i int) string { return strconv.Quote(d.Missing[i].Name) })
	_, err := io.WriteString(w, b.String())
	return err
}

func findingLine(f *finding.Finding) string {
	what := cmp.Or(f.Observable, f.Indicator)
	if f.Package != nil {
		what = f.Package.PURL
	}
	return fmt.Sprintf("%s %q %q: %s (%s)", f.Campaign, f.Repository, f.File, what, f.State)
}

func problemLine(p *finding.Problem) string {
	return fmt.Sprintf("%q %q: %s: %s", p.Repository, p.File, p.Code, p.Detail)
}
