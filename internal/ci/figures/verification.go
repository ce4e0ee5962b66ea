package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/wormsweep/wormsweep/internal/registrytest"
)

// verification measures the daily verification of what an organisation published.
type verification struct {
	figures
	artifacts, versions int
	benchtime           string
}

// verify prints the figures of verification.
func verify(ctx context.Context, args []string) error {
	var v verification
	flags := flag.NewFlagSet("figures verify", flag.ExitOnError)
	flags.IntVar(&v.runs, "runs", 5, "runs with nothing new; medians are printed")
	flags.IntVar(&v.artifacts, "artifacts", 1000, "artifacts of the organisation")
	flags.IntVar(&v.versions, "versions", 20, "versions of each")
	flags.StringVar(&v.benchtime, "benchtime", "3s", "of verifications of bundles")
	_ = flags.Parse(args) // which ends the program
	return v.print(ctx, os.Stdout, v.daily, v.cold, v.evil)
}

// daily verifies everything once, and then again and again with nothing new.
func (v *verification) daily(ctx context.Context, w io.Writer) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, publishersRole, v.scratch, strconv.Itoa(v.artifacts), strconv.Itoa(v.versions))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		return fmt.Errorf("the registries did not begin: %w", cmd.Wait())
	}
	begun := strings.SplitN(lines.Text(), " ", 3)
	if len(begun) < 3 {
		return fmt.Errorf("the registries began with %q", lines.Text())
	}
	if err := os.Setenv("GOSUMDB", begun[2]); err != nil {
		return err
	}
	asked := func() (map[string]registrytest.Count, error) {
		if _, err := io.WriteString(in, "asked\n"); err != nil || !lines.Scan() {
			return nil, errors.Join(err, errors.New("the registries ended"))
		}
		var counts map[string]registrytest.Count
		return counts, json.Unmarshal(lines.Bytes(), &counts)
	}
	command := []string{
		v.sweeper, "verify", "published", "--policy", filepath.Join(v.scratch, "wormsweep.yaml"), "--trusted-root", filepath.Join(v.scratch, "root.json"),
		"--inventory", filepath.Join(v.scratch, "inventory.db"), "--github-url", begun[0], "--app-id", begun[1], "--app-key", filepath.Join(v.scratch, "app.pem"), "--format", "json",
	}
	fmt.Fprintf(w, "%d artifacts with %d versions each, at registries, a GitHub and a Sigstore that are a process of their own on the same processors.\n\n", v.artifacts, v.versions)
	first, err := v.day(ctx, command)
	if err != nil {
		return err
	}
	if _, err := asked(); err != nil {
		return err
	}
	var warm []usage
	var day verified
	var counts map[string]registrytest.Count
	for range v.runs {
		if day, err = v.day(ctx, command); err != nil {
			return err
		}
		warm = append(warm, day.usage)
		if counts, err = asked(); err != nil {
			return err
		}
	}
	if err := errors.Join(in.Close(), cmd.Wait()); err != nil {
		return err
	}
	info, err := os.Stat(filepath.Join(v.scratch, "inventory.db"))
	if err != nil {
		return err
	}
	cpu, wall, peak := summarize(warm)
	fmt.Fprint(w, "| `verify published` | CPU s | wall s (least - most) | peak MiB | signatures verified | registries asked | of that unchanged |\n|---|---|---|---|---|---|---|\n")
	fmt.Fprintf(w, "| the first time | %.1f | %.1f | %.0f | %d | %d | %d |\n", first.CPU.Seconds(), first.Wall.Seconds(), first.Peak, first.Checked, first.Requests, first.Unchanged)
	fmt.Fprintf(w, "| nothing new, median of %d | %.2f | %.2f (%.2f - %.2f) | %.0f | %d | %d | %d |\n\n", v.runs, cpu.median, wall.median, wall.least, wall.most, peak.median, day.Checked, day.Requests, day.Unchanged)
	fmt.Fprint(w, "| asked with nothing new, by the servers' count | requests | conditional | not changed (304) |\n|---|---|---|---|\n")
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		if c := counts[kind]; c.Requests > 0 {
			fmt.Fprintf(w, "| %s | %d | %d | %d |\n", kind, c.Requests, c.Conditional, c.NotModified)
		}
	}
	fmt.Fprintln(w)
	t := table{w}
	t.head()
	t.least("the first time: versions verified", float64(first.good), "%.0f", float64(len(artifactsOf(v.artifacts))*v.versions))
	t.least("nothing new: versions verified", float64(day.good), "%.0f", float64(len(artifactsOf(v.artifacts))*v.versions))
	t.most("nothing new: s", wall.median, "%.2f", 10)
	t.most("nothing new: peak memory, MiB", peak.most, "%.0f", 128)
	t.most("nothing new: signatures verified", float64(day.Checked), "%.0f", 0)
	t.most("nothing new: requests for each artifact of npm, PyPI and Go", v.each(counts), "%.2f", 1)
	t.most("nothing new: of these not answered 304", v.changed(counts), "%.0f", 0)
	t.most("nothing new: requests to GitHub for each repository", float64(counts[ofGitHub].Requests)/float64(len(artifactsOf(v.artifacts))), "%.2f", 3)
	fmt.Fprintf(w, "\nThe inventory is %.1f MB.\n", float64(info.Size())/1e6)
	return nil
}

// each is how often a registry is asked for each artifact, but for images, of which each tag is
// resolved, and for releases, where GitHub is asked for its tags as well.
func (v *verification) each(counts map[string]registrytest.Count) float64 {
	asked, n := 0, 0
	for kind, c := range counts {
		if !strings.HasPrefix(kind, "oci ") && !strings.HasPrefix(kind, ofGitHub) {
			asked += c.Requests
		}
	}
	for _, a := range artifactsOf(v.artifacts) {
		if a.kind != "image" && a.kind != "release" {
			n++
		}
	}
	return float64(asked) / float64(n)
}

// changed counts the answers of those registries that were not 304.
func (v *verification) changed(counts map[string]registrytest.Count) float64 {
	n := 0
	for kind, c := range counts {
		if !strings.HasPrefix(kind, "oci ") && !strings.HasPrefix(kind, ofGitHub) {
			n += c.Requests - c.NotModified
		}
	}
	return float64(n)
}

// verified is one run of verify published.
type verified struct {
	usage
	Checked, Requests, Unchanged int
	good                         int // versions
}

func (v *verification) day(ctx context.Context, command []string) (d verified, err error) {
	if d.usage, err = v.measure(ctx, command); err != nil {
		return d, err
	}
	stream, err := os.ReadFile(v.stdout())
	if err != nil {
		return d, err
	}
	last := stream[max(0, strings.LastIndex(strings.TrimSpace(string(stream)), "\n")):]
	var summary struct {
		Type      string
		Published struct {
			Checked, Requests, Unchanged int
			Versions                     map[string]int
		}
	}
	if err := json.Unmarshal(last, &summary); err != nil || summary.Type != "summary" {
		return d, fmt.Errorf("the stream has no end: %.200q, %w", last, err)
	}
	p := summary.Published
	d.Checked, d.Requests, d.Unchanged, d.good = p.Checked, p.Requests, p.Unchanged, p.Versions["verified"]
	return d, nil
}

// cold compares verifications of bundles with the library by itself, on two cores.
func (v *verification) cold(ctx context.Context, w io.Writer) error {
	results, err := benchmark(ctx, "./internal/verify/bundle", "^BenchmarkVerify$", 2, v.benchtime)
	if err != nil {
		return err
	}
	rates := map[string]float64{}
	for _, r := range results {
		_, what, _ := strings.Cut(r.name, "/")
		rates[what] = r.unit["bundles/s"]
	}
	fmt.Fprint(w, "| bundles verified, on two processors | a second | sigstore-go by itself |\n|---|---|---|\n")
	least, asked := 0.0, 0.0
	for _, b := range []struct{ name, what string }{{"real", "npm's provenance of sigstore 2.0.0"}, {"v1", "ours, in a log of Rekor v1"}, {"v2", "ours, in one of Rekor v2"}} {
		ours, library := rates[b.name+"/ours"], rates[b.name+"/sigstore-go"]
		fmt.Fprintf(w, "| %s | %.0f | %.0f |\n", b.what, ours, library)
		if least == 0 || ours < least {
			least, asked = ours, min(200, math.Round(library))
		}
	}
	fmt.Fprintln(w)
	t := table{w}
	t.head()
	t.least("bundles verified a second, the slowest kind; 200, or as many as sigstore-go by itself", least, "%.0f", asked)
	return nil
}

// evilTests are what has the evil set of each package that verifies.
var evilTests = []struct{ pkg, tests string }{
	{"./internal/verify/bundle", "^(TestEvil|TestKeys)$"},
	{"./internal/verify/image", "^(TestOutcomes|TestHostileSignatures|TestLyingRegistry|TestTagMoves)$"},
}

// evil counts what is presented and wrong: each is refused with a reason in one line.
func (v *verification) evil(ctx context.Context, w io.Writer) error {
	fmt.Fprint(w, "| presented and wrong | cases | refused as they should be | crashes |\n|---|---|---|---|\n")
	failed := 0
	for _, e := range evilTests {
		out, err := exec.CommandContext(ctx, "go", "test", "-count=1", "-v", "-run", e.tests, e.pkg).CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			return err
		}
		text := string(out)
		passed, wrong, crashed := strings.Count(text, "\n    --- PASS: "), strings.Count(text, "\n    --- FAIL: "), strings.Count(text, "panic: ")
		if passed+wrong == 0 {
			return fmt.Errorf("%s has no tests %s:\n%s", e.pkg, e.tests, text)
		}
		fmt.Fprintf(w, "| `%s`, %s | %d | %d | %d |\n", strings.TrimPrefix(e.pkg, "./"), strings.Trim(strings.ReplaceAll(e.tests, "|", ", "), "^$()"), passed+wrong, passed, crashed)
		failed += wrong + crashed
	}
	fmt.Fprintln(w)
	t := table{w}
	t.head()
	t.most("cases that are not refused, or crash", float64(failed), "%.0f", 0)
	return nil
}
