package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/wormsweep/wormsweep/internal/feeds"
	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/report"
	"github.com/wormsweep/wormsweep/internal/sweep"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// updateFlags are the flags of "ioc update".
type updateFlags struct {
	config string
	dir    string
	format string
	accept []string
	forget []string
}

func iocUpdateCommand() *cobra.Command {
	var f updateFlags
	cmd := &cobra.Command{
		Use:   "update",
		Short: "Bring a copy of public lists of indicators up to date",
		Long: `Update asks feeds for their indicators and keeps a copy of them in a folder,
which --ioc of the other commands reads. A feed that shrinks, is rolled back,
changes its form or says something sweeping is held: the last good copy stays.

Exit codes: 0 the copy is what the feeds give; 2 wrong use; 3 a feed is held or
could not be had.`,
		Args: wantsNothing,
		RunE: func(cmd *cobra.Command, _ []string) error { return runUpdate(cmd, f) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.config, "config", "", "`FILE` that names the feeds; without it OSV and GitHub")
	flags.StringVar(&f.dir, "dir", "", "`FOLDER` of the copy; without it wormsweep/feeds in the user's cache")
	flags.StringVar(&f.format, "format", "text", "`FORMAT` of the rows: text, json")
	flags.StringArrayVar(&f.accept, "accept", nil, "take what is held, as `FEED@DIGEST`; repeatable")
	flags.StringArrayVar(&f.forget, "forget", nil, "throw away the copy of `FEED`; repeatable")
	return cmd
}

func runUpdate(cmd *cobra.Command, f updateFlags) error {
	write := writeRows
	switch f.format {
	case "text":
	case "json":
		write = writeRowsJSON
	default:
		return usage(fmt.Errorf("--format %q is no format: want text or json", f.format))
	}
	config, err := feedConfig(cmd, f.config)
	if err != nil {
		return usage(err)
	}
	opt := feeds.Options{Dir: f.dir, Forget: f.forget, Accept: map[string]string{}}
	for _, text := range f.accept {
		name, digest, ok := strings.Cut(text, "@")
		if !ok {
			return usage(fmt.Errorf("--accept %q: want FEED@DIGEST", text))
		}
		opt.Accept[name] = digest
	}
	if opt.Dir, err = copyFolder(cmd, f.dir); err != nil {
		return usage(err)
	}
	result, err := feeds.Update(cmd.Context(), config, opt)
	if errors.Is(err, feeds.ErrUse) {
		return usage(err)
	}
	if err != nil {
		return exitError{exitUnknown, fmt.Errorf("the copy in %q was not written: %w", opt.Dir, err)}
	}
	now := time.Now()
	if err := toStdout(cmd, func(w io.Writer) error { return write(w, result.Rows, now) }); err != nil {
		return err
	}
	for i := range result.Rows {
		tellRow(cmd.ErrOrStderr(), &result.Rows[i])
	}
	if !result.Current() {
		return exitError{exitUnknown, fmt.Errorf("the copy in %q is not all up to date", result.Dir)}
	}
	return nil
}

// feedConfig is the configuration at path, or that of the program where none is named.
func feedConfig(cmd *cobra.Command, path string) (feeds.Config, error) {
	if !cmd.Flags().Changed("config") {
		return feeds.Default(), nil
	}
	file, err := os.Open(path)
	if err != nil {
		return feeds.Config{}, fmt.Errorf("--config %q: %w", path, bare(err))
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, feeds.MaxConfig+1))
	if err != nil {
		return feeds.Config{}, fmt.Errorf("--config %q: %w", path, bare(err))
	}
	c, err := feeds.ReadConfig(path, filepath.Dir(path), data)
	if err != nil {
		return feeds.Config{}, fmt.Errorf("--config %w", err)
	}
	return c, nil
}

// copyFolder is the folder of the copy.
func copyFolder(cmd *cobra.Command, dir string) (string, error) {
	if cmd.Flags().Changed("dir") {
		if dir == "" {
			return "", errors.New("--dir \"\": want a folder")
		}
		return dir, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no folder for the copy, name one with --dir: %w", err)
	}
	return filepath.Join(cache, "wormsweep", "feeds"), nil
}

func writeRows(w io.Writer, rows []feeds.Row, now time.Time) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "FEED\tOUTCOME\tADDED\tWITHDRAWN\tCHANGED\tINDICATORS\tAGE\tDIGEST")
	for i := range rows {
		r := &rows[i]
		age, digest := "never", "-"
		if !r.Checked.IsZero() {
			age = ageText(now.Sub(r.Checked))
		}
		if len(r.Digest) > 12 {
			digest = r.Digest[:12]
		}
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%d\t%s\t%s\n", report.EscapeTSV(r.Feed), r.Outcome, r.Added, r.Withdrawn, r.Changed, r.Active, age, digest)
	}
	return t.Flush()
}

// ageText is a time since, in its largest unit.
func ageText(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "now"
	case d < time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return fmt.Sprintf("%dd", d/(24*time.Hour))
}

// updateRow is a row as JSON: what the update says, and how old the copy is.
type updateRow struct {
	feeds.Row
	AgeSeconds *int64 `json:"age_seconds,omitempty"`
}

func writeRowsJSON(w io.Writer, rows []feeds.Row, now time.Time) error {
	for _, r := range rows {
		row := updateRow{Row: r}
		if !r.Checked.IsZero() {
			age := int64(max(0, now.Sub(r.Checked)) / time.Second)
			row.AgeSeconds = &age
		}
		if err := writeJSONLine(w, row); err != nil {
			return err
		}
	}
	return nil
}

// tellRow says why the copy of a feed is not what its source gives, and what can be done.
func tellRow(stderr io.Writer, r *feeds.Row) {
	if r.Current() {
		return
	}
	since := "nothing was ever taken of it"
	if !r.Checked.IsZero() {
		since = "stale since " + r.Checked.Format(time.RFC3339)
	}
	if r.Outcome == feeds.Unlisted {
		tell(stderr, fmt.Errorf("feed %q: not in the configuration, and kept as it is; %s; \"--forget %s\" throws it away", r.Feed, since, r.Feed))
	}
	for i := range r.Reasons {
		tell(stderr, fmt.Errorf("feed %q: %s: %w; %s", r.Feed, r.Outcome, &r.Reasons[i], since))
	}
	if r.Offered == "" {
		return
	}
	hint := fmt.Sprintf("feed %q: to take it all the same: --accept %s@%s", r.Feed, r.Feed, r.Offered)
	if r.Review != "" {
		hint += fmt.Sprintf("; what that changes stands in %q", r.Review)
	}
	tell(stderr, errors.New(hint))
}

// copySet is the catalogue of a folder that "ioc update" wrote. Feeds of which it has nothing are
// problems of the run; those that are stale are told.
func copySet(stderr io.Writer, path string) (*ioc.Set, []*finding.Problem, error) {
	c, err := feeds.OpenCopy(path)
	if err != nil {
		return nil, nil, err
	}
	set, err := c.Set()
	if err != nil {
		return nil, nil, err
	}
	var problems []*finding.Problem
	for _, note := range c.Notes() {
		if note.Missing {
			problems = append(problems, &finding.Problem{Code: sweep.CodeCatalogue, Detail: note.Text})
			continue
		}
		tell(stderr, fmt.Errorf("%q: %s", path, note.Text))
	}
	return set, problems, nil
}
