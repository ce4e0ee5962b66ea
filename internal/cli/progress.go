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
	last         string // repository of the event before
	shown        time.Time
}

// newProgress writes to stderr when it is a terminal and stdout is one too: text that goes to
// a file or a pipe needs no bar.
func newProgress(stderr, stdout io.Writer) *progress {
	p := &progress{}
	if isTerminal(stderr) && isTerminal(stdout) {
		p.w = stderr
	}
	return p
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func (p *progress) event(e finding.Event) {
	c, ok := e.(*finding.Coverage)
	if p.w == nil || !ok || c.Repository == p.last {
		return
	}
	p.last = c.Repository
	p.repositories++
	if now := time.Now(); now.Sub(p.shown) > 100*time.Millisecond {
		p.shown = now
		fmt.Fprintf(p.w, "\r\x1b[K%d repositories", p.repositories)
	}
}

func (p *progress) end() {
	if p.w != nil && !p.shown.IsZero() {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
