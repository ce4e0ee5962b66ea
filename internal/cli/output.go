package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/wormsweep/wormsweep/internal/exclusion"
	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/report"
)

// formats are the renderers by the name of --format, in the order of the help text.
var formats = []struct {
	name string
	make func(w io.Writer, look look) report.Renderer
}{
	{"text", func(w io.Writer, l look) report.Renderer {
		return report.NewText(w, report.TextOptions{Color: l.color, Explain: l.explain, Proofs: l.proofs, Width: l.width})
	}},
	{"json", func(w io.Writer, _ look) report.Renderer { return report.NewJSON(w) }},
	{"sarif", func(w io.Writer, _ look) report.Renderer { return report.NewSARIF(w) }},
	{"markdown", func(w io.Writer, _ look) report.Renderer { return report.NewMarkdown(w, report.MarkdownOptions{}) }},
}

// look is how text is set.
type look struct {
	color   bool
	explain bool
	proofs  bool // of what was published, say what was proved
	width   int  // columns, 0 for a default
}

func rendererOf(format string) (func(io.Writer, look) report.Renderer, error) {
	for _, f := range formats {
		if f.name == format {
			return f.make, nil
		}
	}
	return nil, fmt.Errorf("%q is no format: want %s", format, formatNames())
}

// formatNames lists the formats as a sentence does.
func formatNames() string {
	var names []string
	for _, f := range formats {
		names = append(names, f.name)
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// outputFlags say what is put out, and how.
type outputFlags struct {
	format     string
	reports    []string
	exclusions string // a file that is read, and so not written over
	propose    string
	explain    bool
	proofs     bool
}

// add defines the flags that every command with outputs has.
func (f *outputFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.format, "format", "text", "print `FORMAT`: "+formatNames())
	flags.StringArrayVar(&f.reports, "report", nil, "also write a report, as `FORMAT=FILE`; repeatable")
}

// target is a file that a flag asks for.
type target struct {
	flag, name string
	make       func(io.Writer, look) report.Renderer
}

// targets are the files that the flags ask for. Two flags that name one file are wrong use.
func (f outputFlags) targets() ([]target, error) {
	var all []target
	for _, spec := range f.reports {
		format, name, _ := strings.Cut(spec, "=")
		if name == "" {
			return nil, fmt.Errorf("--report %q: want FORMAT=FILE", spec)
		}
		renderer, err := rendererOf(format)
		if err != nil {
			return nil, fmt.Errorf("--report %q: %w", spec, err)
		}
		all = append(all, target{"--report", name, renderer})
	}
	if f.propose != "" {
		all = append(all, target{"--propose-exclusions", f.propose, newProposal})
	}
	taken := map[string]bool{}
	if f.exclusions != "" {
		taken[place(f.exclusions)] = true // what a person wrote is not written over
	}
	for _, t := range all {
		if taken[place(t.name)] {
			return nil, fmt.Errorf("%s %q: another flag names this file: give each a file of its own", t.flag, t.name)
		}
		taken[place(t.name)] = true
	}
	return all, nil
}

// outputs are standard output and the files of a run. Each takes every event; one that fails
// takes no more, and the others and the sweep go on: the exit code is an answer, too.
type outputs []*output

type output struct {
	name     string // in the error for it
	renderer report.Renderer
	buffer   *bufio.Writer
	file     *outFile // nil for standard output
	err      error    // of what could not be written
}

func openOutputs(cmd *cobra.Command, f outputFlags) (outputs, error) {
	renderer, err := rendererOf(f.format)
	if err != nil {
		return nil, fmt.Errorf("--format %w", err)
	}
	targets, err := f.targets()
	if err != nil {
		return nil, err
	}
	var out outputs
	add := func(name string, w io.Writer, file *outFile, make func(io.Writer, look) report.Renderer, l look) {
		buffer := bufio.NewWriterSize(w, 64<<10)
		out = append(out, &output{name: name, renderer: make(buffer, l), buffer: buffer, file: file})
	}
	add("standard output", cmd.OutOrStdout(), nil, renderer, terminalLook(cmd.OutOrStdout(), look{explain: f.explain, proofs: f.proofs}))
	for _, t := range targets {
		file, err := createFile(t.name)
		if err != nil {
			out.discard()
			return nil, fmt.Errorf("%s %w", t.flag, err)
		}
		add(fmt.Sprintf("%s %q", t.flag, t.name), file, file, t.make, look{explain: f.explain, proofs: f.proofs})
	}
	return out, nil
}

// place is the absolute path of a file without links, as far as it exists: equal for two names
// of one file.
func place(name string) string {
	abs, err := filepath.Abs(name)
	if err != nil {
		return name
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		return real
	}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(abs)); err == nil {
		return filepath.Join(dir, filepath.Base(abs))
	}
	return abs
}

// take is event for those who ask whether it was taken: what could not be written comes up at
// commit.
func (o outputs) take(e finding.Event) error {
	o.event(e)
	return nil
}

// event gives e to every output. Standard output is flushed at once when something was found,
// so that whoever reads along sees it.
func (o outputs) event(e finding.Event) {
	for _, out := range o {
		if out.err != nil {
			continue
		}
		out.err = out.renderer.Event(e)
		if _, ok := e.(*finding.Finding); ok && out.err == nil && out.file == nil {
			out.err = out.buffer.Flush()
		}
	}
}

// commit ends every output and puts the files in their places. The error names each output that
// is not whole.
func (o outputs) commit() error {
	var failed error
	for _, out := range o {
		if out.err == nil {
			out.err = out.renderer.Close()
		}
		if out.err == nil {
			out.err = out.buffer.Flush()
		}
		if out.err == nil && out.file != nil {
			out.err = out.file.commit()
		}
		if out.err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: not written: %w", out.name, bare(out.err)))
		}
	}
	o.discard()
	return failed
}

// discard removes what was not committed.
func (o outputs) discard() {
	for _, out := range o {
		if out.file != nil {
			out.file.discard()
		}
	}
}

// proposal renders a run as exclusions for its problems, to be filled in by a person.
type proposal struct {
	w        io.Writer
	problems []*finding.Problem
}

func newProposal(w io.Writer, _ look) report.Renderer { return &proposal{w: w} }

func (p *proposal) Event(e finding.Event) error {
	if problem, ok := e.(*finding.Problem); ok {
		p.problems = append(p.problems, problem)
	}
	return nil
}

func (p *proposal) Close() error { return exclusion.Propose(p.w, p.problems, time.Now()) }

// terminalLook decides how text is set: colour only on a terminal, and not where NO_COLOR is
// set (no-color.org).
func terminalLook(w io.Writer, l look) look {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return l
	}
	l.color = os.Getenv("NO_COLOR") == ""
	if width, _, err := term.GetSize(int(f.Fd())); err == nil {
		l.width = width
	}
	return l
}
