package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// listed is how many indicators a new list has.
const listed = 2000

// lookups measures what the inventory answers without GitHub.
func (o *organisation) lookups(ctx context.Context, w io.Writer) error {
	names, err := o.names(ctx)
	if err != nil {
		return err
	}
	list := func(file string, row func(i int) string) (string, error) {
		var b strings.Builder
		for i := range listed {
			b.WriteString(row(i) + "\n")
		}
		file = filepath.Join(o.scratch, file)
		return file, os.WriteFile(file, []byte(b.String()), 0o600)
	}
	rare, err := list("rare.txt", func(i int) string { return fmt.Sprintf("npm:wormsweep-figure-%d@6.6.%d", i, i) })
	if err != nil {
		return err
	}
	known, err := list("known.txt", func(i int) string { return fmt.Sprintf("npm:%s@666.0.%d", names[i%len(names)], i) })
	if err != nil {
		return err
	}
	ask := func(command string, args ...string) []string {
		return append([]string{o.sweeper, command, "--inventory", o.inventory}, args...)
	}
	fmt.Fprintf(w, "| of the inventory, median of %d | CPU s | wall s (least - most) | peak MiB | lines |\n|---|---|---|---|---|\n", o.runs)
	walls, worst := map[string]float64{}, map[string]float64{}
	for _, c := range []struct {
		title, goal string
		command     []string
	}{
		{fmt.Sprintf("`rematch` with a list of %d packages that nobody has", listed), "rematch", ask("rematch", "--ioc", rare)},
		{fmt.Sprintf("`rematch` with a list of other versions of %d packages that are locked", min(listed, len(names))), "rematch", ask("rematch", "--ioc", known)},
		{"`who-has npm:" + plantedPackage + "`", "who-has", ask("who-has", "npm:"+plantedPackage)},
		{"`who-has npm:axios`, of which there are many", "who-has", ask("who-has", "npm:axios")},
		{"`who-has npm:wormsweep-figure`, which nobody has", "who-has", ask("who-has", "npm:wormsweep-figure")},
	} {
		var all []usage
		for range o.runs {
			u, err := o.measure(ctx, c.command)
			if err != nil {
				return err
			}
			all = append(all, u)
		}
		lines, err := countLines(o.stdout())
		if err != nil {
			return err
		}
		cpu, wall, peak := summarize(all)
		fmt.Fprintf(w, "| %s | %.3f | %.3f (%.3f - %.3f) | %.0f | %d |\n", c.title, cpu.median, wall.median, wall.least, wall.most, peak.median, lines)
		walls[c.goal], worst[c.goal] = max(walls[c.goal], wall.median), max(worst[c.goal], wall.most)
	}
	asked, err := o.sim.asked()
	if err != nil {
		return err
	}
	fmt.Fprintln(w)
	t := table{w}
	t.head()
	t.most("`rematch`, the slower, s", walls["rematch"], "%.3f", 0.3)
	t.most("`rematch`, the slowest run, s", worst["rematch"], "%.3f", 1)
	t.most("`who-has`, the slowest, s", walls["who-has"], "%.3f", 0.05)
	t.most("requests to GitHub for all of these", float64(asked.all()), "%.0f", 0)
	return nil
}

// all counts the requests.
func (t *totals) all() int {
	n := 0
	for _, requests := range t.Requests {
		n += requests
	}
	return n
}

// names are npm packages that the corpus locks.
func (o *organisation) names(ctx context.Context) ([]string, error) {
	cmd := exec.CommandContext(ctx, o.sweeper, "inventory", o.corpus)
	out, err := cmd.Output()
	if exit, ok := err.(*exec.ExitError); err != nil && (!ok || exit.ExitCode() != 3) {
		return nil, fmt.Errorf("inventory of the corpus: %w", err)
	}
	var names []string
	seen := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		columns := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(columns) > 3 && columns[1] == "npm" && !seen[columns[2]] {
			seen[columns[2]] = true
			names = append(names, columns[2])
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%q locks no package of npm", o.corpus)
	}
	return names, nil
}

func countLines(file string) (int, error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	n := 0
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		n++
	}
	return n, lines.Err()
}
