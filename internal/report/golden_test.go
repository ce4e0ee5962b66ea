package report_test

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/report"
)

var update = flag.Bool("update", false, "rewrite the golden files of testdata; read them in review")

// render shows events to a renderer and gives what it wrote.
func render(t testing.TB, make func(io.Writer) report.Renderer, events []finding.Event) []byte {
	t.Helper()
	var b bytes.Buffer
	r := make(&b)
	for _, e := range events {
		if err := r.Event(e); err != nil {
			t.Fatalf("%T: %v", e, err)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func text(opt report.TextOptions) func(io.Writer) report.Renderer {
	return func(w io.Writer) report.Renderer { return report.NewText(w, opt) }
}

func jsonLines(w io.Writer) report.Renderer { return report.NewJSON(w) }

func sarif(w io.Writer) report.Renderer { return report.NewSARIF(w) }

func markdown(w io.Writer) report.Renderer { return report.NewMarkdown(w, report.MarkdownOptions{}) }

var renderers = map[string]func(io.Writer) report.Renderer{
	"text": text(report.TextOptions{}), "JSON": jsonLines, "SARIF": sarif, "Markdown": markdown,
}

func TestGolden(t *testing.T) {
	type golden struct {
		file   string
		make   func(io.Writer) report.Renderer
		events []finding.Event
	}
	plain, explain := text(report.TextOptions{}), text(report.TextOptions{Explain: true})
	goldens := []golden{
		{"six-hundred.txt", plain, sixHundred()},
		{"three-campaigns.explain.txt", explain, threeCampaigns()},
		{"clean-with-problems.explain.txt", explain, cleanWithProblems()},
		{"three-campaigns.color.txt", text(report.TextOptions{Color: true, Width: 120}), threeCampaigns()},
	}
	for _, s := range scenarios {
		goldens = append(goldens, golden{s.name + ".txt", plain, s.events}, golden{s.name + ".jsonl", jsonLines, s.events}, golden{s.name + ".sarif", sarif, s.events}, golden{s.name + ".md", markdown, s.events})
	}
	written := map[string]bool{}
	for _, g := range goldens {
		name := filepath.Join("testdata", g.file)
		written[name] = true
		got := render(t, g.make, g.events)
		if *update {
			if err := os.WriteFile(name, got, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Errorf("%v (go test -update writes it)", err)
			continue
		}
		if d := cmp.Diff(string(want), string(got)); d != "" {
			t.Errorf("%s: -want +got (go test -update rewrites it):\n%s", name, d)
		}
	}
	there, err := filepath.Glob("testdata/*.*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range there {
		if !written[name] {
			t.Errorf("%s belongs to no golden", name)
		}
	}
}
