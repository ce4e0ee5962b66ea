package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/report"
)

// formats are the renderers by the name of --format, in the order of the help text.
var formats = []struct {
	name string
	make func(w io.Writer, look look) report.Renderer
}{
	{"text", func(w io.Writer, l look) report.Renderer {
		return report.NewText(w, report.TextOptions{Color: l.color, Explain: l.explain, Width: l.width})
	}},
	{"json", func(w io.Writer, _ look) report.Renderer { return report.NewJSON(w) }},
	{"sarif", func(w io.Writer, _ look) report.Renderer { return report.NewSARIF(w) }},
}

// look is how text is set.
type look struct {
	color   bool
	explain bool
	width   int // columns, 0 for a default
}

func formatNames() (names []string) {
	for _, f := range formats {
		names = append(names, f.name)
	}
	return names
}

func newRenderer(format string, w io.Writer, l look) (report.Renderer, error) {
	for _, f := range formats {
		if f.name == format {
			return f.make(w, l), nil
		}
	}
	return nil, fmt.Errorf("format %q: want one of %s", format, strings.Join(formatNames(), ", "))
}

// errReport marks an output that could not be written: the answer was not given whole.
var errReport = errors.New("report")

// outputs are standard output and the report files of a run. Each takes every event.
type outputs struct {
	outputs []*output
}

type output struct {
	name     string
	renderer report.Renderer
	buffer   *bufio.Writer
	file     *reportFile // nil for standard output
}

// openOutputs opens what the flags ask for. Two reports of one file are wrong use.
func openOutputs(cmd *cobra.Command, f sweepFlags) (*outputs, error) {
	o := &outputs{}
	seen := map[string]bool{}
	for _, spec := range f.reports {
		format, name, ok := strings.Cut(spec, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("--report %q: want FORMAT=FILE", spec)
		}
		if seen[name] {
			return nil, fmt.Errorf("--report %q: the file is named twice", spec)
		}
		seen[name] = true
		if _, err := newRenderer(format, io.Discard, look{}); err != nil {
			return nil, fmt.Errorf("--report %q: %w", spec, err)
		}
	}
	if err := o.add("standard output", f.format, cmd.OutOrStdout(), nil, terminalLook(cmd.OutOrStdout(), f.explain)); err != nil {
		return nil, fmt.Errorf("--format: %w", err)
	}
	for _, spec := range f.reports {
		format, name, _ := strings.Cut(spec, "=")
		file, err := createReport(name)
		if err != nil {
			o.discard()
			return nil, err
		}
		if err := o.add(name, format, file, file, look{explain: f.explain}); err != nil {
			return nil, err
		}
	}
	return o, nil
}

func (o *outputs) add(name, format string, w io.Writer, file *reportFile, l look) error {
	buffer := bufio.NewWriterSize(w, 64<<10)
	r, err := newRenderer(format, buffer, l)
	if err != nil {
		return err
	}
	o.outputs = append(o.outputs, &output{name, r, buffer, file})
	return nil
}

// event gives e to every output. Standard output is flushed at once when a repository was hit,
// so that whoever reads along sees it.
func (o *outputs) event(e finding.Event) error {
	for _, out := range o.outputs {
		err := out.renderer.Event(e)
		if _, ok := e.(*finding.Finding); ok && err == nil && out.file == nil {
			err = out.buffer.Flush()
		}
		if err != nil {
			return fmt.Errorf("%q: %w", out.name, err)
		}
	}
	return nil
}

// commit ends every output and puts the report files in their places.
func (o *outputs) commit() error {
	var failed error
	for _, out := range o.outputs {
		err := out.renderer.Close()
		if err == nil {
			err = out.buffer.Flush()
		}
		if err == nil && out.file != nil {
			err = out.file.commit()
		}
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%w %q: %w", errReport, out.name, err))
		}
	}
	return failed
}

// discard removes what was not committed.
func (o *outputs) discard() {
	for _, out := range o.outputs {
		if out.file != nil {
			out.file.discard()
		}
	}
}

// reportFile is a file that appears under its name only when it is whole.
type reportFile struct {
	*os.File
	name string
	done bool
}

func createReport(name string) (*reportFile, error) {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(name, os.O_WRONLY, 0) // a pipe or device is written to as it is
		if err != nil {
			return nil, err
		}
		return &reportFile{File: f}, nil
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return nil, fmt.Errorf("%q: %w", name, err)
	}
	return &reportFile{File: f, name: name}, nil
}

func (f *reportFile) commit() error {
	f.done = true
	if f.name == "" {
		return f.Close()
	}
	err := f.Chmod(0o644)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.File.Name(), f.name)
	}
	if err != nil {
		os.Remove(f.File.Name())
	}
	return err
}

func (f *reportFile) discard() {
	if f.done {
		return
	}
	f.done = true
	f.Close()
	if f.name != "" {
		os.Remove(f.File.Name())
	}
}

// terminalLook decides how text is set: colour only on a terminal, and not where NO_COLOR is
// set (no-color.org).
func terminalLook(w io.Writer, explain bool) look {
	l := look{explain: explain}
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

// toFile gives write the named file, which appears only when it is whole, or stdout for "".
func toFile(cmd *cobra.Command, name string, write func(io.Writer) error) error {
	if name == "" {
		w := bufio.NewWriter(cmd.OutOrStdout())
		if err := write(w); err != nil {
			return err
		}
		return w.Flush()
	}
	file, err := createReport(name)
	if err != nil {
		return err
	}
	defer file.discard()
	w := bufio.NewWriter(file)
	if err := write(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return file.commit()
}
