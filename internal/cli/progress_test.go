package cli

import (
	"bytes"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/finding"
)

// The line is gone before the answer is printed on the same terminal.
func TestProgressEndsBeforeTheAnswer(t *testing.T) {
	var terminal bytes.Buffer
	p := &progress{w: &terminal}
	p.event(&finding.Run{})
	p.event(&finding.Coverage{Repository: "a", File: "go.sum"})
	p.event(&finding.Coverage{Repository: "a"})
	if got, want := terminal.String(), "\r\x1b[Krepositories: 1"; got != want {
		t.Errorf("it shows %q, want %q", got, want)
	}
	p.event(&finding.Summary{})
	if got := terminal.String(); !strings.HasSuffix(got, "1\r\x1b[K") {
		t.Errorf("after the summary it shows %q", got)
	}
	shown := terminal.Len()
	p.end()
	if terminal.Len() != shown {
		t.Errorf("it is taken away twice: %q", terminal.String())
	}
	(&progress{}).event(&finding.Coverage{Repository: "a"})
}
