package report_test

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/report"
)

func firstLine(b []byte) string { return string(lines(b)[0]) }

// TestAnswer: the first line, and what must never read as clean.
func TestAnswer(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(s *finding.Summary)
		want string
	}{
		{"clean", func(*finding.Summary) {}, "CLEAN: 0 repositories hit, 8 clean, 0 not fully looked at."},
		{"one hit", func(s *finding.Summary) { s.Repositories.Hit, s.Exit = 1, 1 }, "HIT: 1 repository hit, 8 clean, 0 not fully looked at."},
		{"a hit that --fail-on lets pass", func(s *finding.Summary) { s.Repositories.Hit = 1500 }, "HIT: 1,500 repositories hit, 8 clean, 0 not fully looked at."},
		{"an active finding alone", func(s *finding.Summary) { s.Findings[finding.Active] = 1 }, "HIT:"},
		{"not all read", func(s *finding.Summary) { s.Repositories.Unknown = 2 }, "NOT CLEAN: 0 repositories hit, 8 clean, 2 not fully looked at."},
		{"a problem of the run", func(s *finding.Summary) { s.Problems = 1 }, "NOT CLEAN:"},
		{"interrupted", func(s *finding.Summary) { s.Interrupted = true }, "NOT CLEAN:"},
		{"a canary missed", func(s *finding.Summary) { s.Canaries.Missed = []string{"yarn"} }, "NOT CLEAN:"},
		{"another exit code", func(s *finding.Summary) { s.Exit = 3 }, "NOT CLEAN:"},
		{"nothing there", func(s *finding.Summary) { s.Repositories.Clean = 0 }, "NOT CLEAN: no repository was looked at."},
		{"set apart alone", func(s *finding.Summary) { s.Findings[finding.Latent] = 3 }, "CLEAN:"},
		{"an excluded problem alone", func(s *finding.Summary) { s.Excluded = 3 }, "CLEAN:"},
	} {
		s := summary(0, 8, 0)
		tt.edit(s)
		if got := firstLine(render(t, text(report.TextOptions{}), []finding.Event{run(), s})); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: %q; want %q", tt.name, got, tt.want)
		}
	}
}

// TestEveryPlaceIsListed: six hundred hits take six hundred lines, each with its place.
func TestEveryPlaceIsListed(t *testing.T) {
	events := sixHundred()
	listed := lines(render(t, text(report.TextOptions{}), events))
	places := map[string]int{}
	for _, line := range listed {
		if columns := strings.Fields(string(line)); len(columns) == 4 {
			places[columns[0]+" "+columns[1]]++
		}
	}
	for _, e := range events {
		if f, ok := e.(*finding.Finding); ok {
			if n := places[fmt.Sprintf("%s %s:%d", f.Repository, f.File, f.Line)]; n != 1 {
				t.Errorf("%s %s:%d is listed %d times", f.Repository, f.File, f.Line, n)
			}
		}
	}
	if len(listed) > 640 {
		t.Errorf("%d lines for 600 places", len(listed))
	}
}

// TestWidth: no line of our own words is wider than the terminal.
func TestWidth(t *testing.T) {
	for _, width := range []int{80, 120} {
		for _, explain := range []bool{false, true} {
			for _, s := range scenarios {
				for _, line := range lines(render(t, text(report.TextOptions{Width: width, Explain: explain}), s.events)) {
					// Only a place is one line whatever its length.
					if n := len([]rune(string(line))); n > width && !bytes.Contains(line, []byte("worktree")) && !bytes.Contains(line, []byte("HEAD")) {
						t.Errorf("%s, width %d: %d columns: %s", s.name, width, n, line)
					}
				}
			}
		}
	}
}

// TestParts: more than a Text holds is listed in parts, every place of it once, and the
// memory does not grow with the number of findings.
func TestParts(t *testing.T) {
	const n = 120_000
	var count counter
	r := report.NewText(&count, report.TextOptions{})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range n {
		if err := r.Event(keyv(fmt.Sprintf("repository-%06d", i), "package-lock.json", 7)); err != nil {
			t.Fatal(err)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if mib := int64(after.HeapAlloc-before.HeapAlloc) >> 20; mib > 40 {
		t.Errorf("holds %d MiB after %d findings", mib, n)
	}
	s := summary(n, 0, 0)
	s.Findings[finding.Active] = n
	if err := r.Event(s); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if count.places != n {
		t.Errorf("%d of %d places are listed", count.places, n)
	}
	if !strings.HasPrefix(count.first, "HIT: ") || !strings.Contains(count.first, "in parts") {
		t.Errorf("the first line is %q", count.first)
	}
	if count.answers != 1 {
		t.Errorf("%d lines answer", count.answers)
	}
}

// counter counts lines of interest and keeps the first.
type counter struct {
	rest            []byte
	first           string
	places, answers int
}

func (c *counter) Write(p []byte) (int, error) {
	c.rest = append(c.rest, p...)
	for {
		line, rest, ok := bytes.Cut(c.rest, []byte("\n"))
		if !ok {
			return len(p), nil
		}
		if c.first == "" {
			c.first = string(line)
		}
		if bytes.HasPrefix(line, []byte("      repository-")) {
			c.places++
		}
		if bytes.HasSuffix(line, []byte("not fully looked at.")) {
			c.answers++
		}
		c.rest = rest
	}
}

func TestNothingBeforeTheAnswer(t *testing.T) {
	var b bytes.Buffer
	r := report.NewText(&b, report.TextOptions{})
	events := threeCampaigns()
	for _, e := range events[:len(events)-1] {
		if err := r.Event(e); err != nil {
			t.Fatal(err)
		}
	}
	if b.Len() > 0 {
		t.Errorf("wrote %q before the summary", b.String())
	}
}

// TestLongChain: a chain that a file makes absurdly long is shown by its ends.
func TestLongChain(t *testing.T) {
	f := keyv("a", "package-lock.json", 1)
	f.Package.Direct, f.Chain = "no", nil
	for i := range 5000 {
		f.Chain = append(f.Chain, fmt.Sprintf("step%d@1", i))
	}
	f.Chain = append(f.Chain, "keyv@5.6.1")
	for name, make := range map[string]func() []byte{
		"text":  func() []byte { return render(t, text(report.TextOptions{}), []finding.Event{f, summary(1, 0, 0)}) },
		"SARIF": func() []byte { return render(t, sarif, []finding.Event{f, summary(1, 0, 0)}) },
	} {
		out := string(make())
		for _, want := range []string{"step0@1", "step5@1", "(4,991 more)", "step4999@1"} {
			if !strings.Contains(out, want) {
				t.Errorf("%s has no %q", name, want)
			}
		}
		if len(out) > 10_000 {
			t.Errorf("%s has %d bytes", name, len(out))
		}
	}
}

// full refuses every byte, as a full disk does.
type full struct{}

var errFull = errors.New("no space left on device")

func (full) Write([]byte) (int, error) { return 0, errFull }

// TestWriteError: an output that could not be written is never a success.
func TestWriteError(t *testing.T) {
	for name, r := range map[string]report.Renderer{
		"text": report.NewText(full{}, report.TextOptions{}), "JSON": report.NewJSON(full{}), "SARIF": report.NewSARIF(full{}),
		"Markdown": report.NewMarkdown(full{}, report.MarkdownOptions{}),
	} {
		var err error
		for _, e := range threeCampaigns() {
			err = errors.Join(err, r.Event(e))
		}
		if err = errors.Join(err, r.Close()); !errors.Is(err, errFull) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestCloseTwice: a second Close adds nothing.
func TestCloseTwice(t *testing.T) {
	for name, make := range renderers {
		var b bytes.Buffer
		r := make(&b)
		for _, e := range interrupted() {
			if err := r.Event(e); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		n := b.Len()
		if err := r.Close(); err != nil || b.Len() != n {
			t.Errorf("%s: the second Close wrote %d bytes: %v", name, b.Len()-n, err)
		}
	}
}
