package cli

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/planner"
	"github.com/wormsweep/wormsweep/internal/report"
)

// verification reads the stream of a verification.
func (p *planning) verification(ours *planner.Ours) error {
	in := p.cmd.InOrStdin()
	if p.verified != "-" {
		f, err := os.Open(p.verified)
		if err != nil {
			return usage(fmt.Errorf("--verified %q: %w", p.verified, bare(err)))
		}
		defer f.Close()
		in = f
	}
	run, whole := false, false
	for e, err := range report.ReadStream(in) {
		if err != nil {
			return p.unread(err)
		}
		switch e := e.(type) {
		case *finding.Run:
			if !e.Published {
				return usage(fmt.Errorf("--verified %q: a stream of a sweep: want that of \"verify published --format json\"", p.verified))
			}
			run = true
		case *finding.Verification:
			ours.Verified(e)
		case *finding.Problem:
			if e.Exclusion == nil {
				p.lacking = append(p.lacking, e)
			}
		case *finding.Summary:
			whole = true
		}
	}
	if !run || !whole {
		return p.unread(io.ErrUnexpectedEOF)
	}
	return nil
}

// unread is the end of a stream that is not whole: of what it lacks nothing is known.
func (p *planning) unread(err error) error {
	if errors.Is(err, report.ErrStream) {
		return usage(fmt.Errorf("--verified %q: %w", p.verified, err))
	}
	p.lacking = append(p.lacking, &finding.Problem{Code: "stream", Detail: fmt.Sprintf("--verified %q: not whole: %v", p.verified, err)})
	return nil
}
