package cli

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/wormsweep/wormsweep/internal/finding"
)

// progress counts aloud on a terminal while a sweep runs. The zero value is silent.
type progress struct {
	w            io.Writer
	repositories int
	last         string    // repository of the event before
	shown        time.Time // when the line was written that stands there; zero for none
}

// newProgress writes to stderr when it is a terminal and stdout is one too: text that goes to
// a file or a pipe needs no bar. Nor does a format that is printed while the sweep runs.
func newProgress(stderr, stdout io.Writer, format string) *progress {
	p := &progress{}
	if format == "text" && isTerminal(stderr) && isTerminal(stdout) {
		p.w = stderr
	}
	return p
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// event takes an event before it is printed.
func (p *progress) event(e finding.Event) {
	if p.w == nil {
		return
	}
	switch e := e.(type) {
	case *finding.Summary: // the answer is next on the terminal
		p.end()
	case *finding.Coverage:
		if e.Repository == p.last {
			return
		}
		p.last = e.Repository
		p.repositories++
		if now := time.Now(); now.Sub(p.shown) > 100*time.Millisecond {
			p.shown = now
			fmt.Fprintf(p.w, "\r\x1b[Krepositories: %d", p.repositories)
		}
	}
}

// end takes the line away.
func (p *progress) end() {
	if p.w != nil && !p.shown.IsZero() {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.shown = time.Time{}
	}
}
