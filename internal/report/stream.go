package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/wormsweep/wormsweep/internal/finding"
)

// MaxStreamLine is the length in bytes of the longest line of a stream that is read again. A
// finding has some thousand; the paths of a run may have more.
const MaxStreamLine = 16 << 20

// ErrStream is wrapped by the errors of ReadStream for bytes that are no stream of ours.
var ErrStream = errors.New("not a stream of a sweep")

// ReadStream yields the events of a stream that JSON wrote. An event of a type that it does not
// know, of a later program, is passed over, as docs/sweep-output.md asks of every reader. The
// sequence ends with the first error, which names the line; whether the stream is whole, with a
// run first and a summary last, is for the caller to see.
func ReadStream(r io.Reader) iter.Seq2[finding.Event, error] {
	return func(yield func(finding.Event, error) bool) {
		lines := bufio.NewScanner(r)
		lines.Buffer(make([]byte, 0, 64<<10), MaxStreamLine)
		n := 0
		for lines.Scan() {
			n++
			e, err := readEvent(lines.Bytes())
			if err != nil {
				yield(nil, fmt.Errorf("line %d: %w", n, err))
				return
			}
			if e != nil && !yield(e, nil) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(nil, fmt.Errorf("line %d: %w", n+1, err))
		}
	}
}

// readEvent is nil for an event of a type that is not known.
func readEvent(line []byte) (finding.Event, error) {
	var head struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(line, &head); err != nil || head.Type == "" {
		return nil, ErrStream
	}
	var e finding.Event
	switch head.Type {
	case "run":
		e = new(finding.Run)
	case "finding":
		e = new(finding.Finding)
	case "problem":
		e = new(finding.Problem)
	case "explain":
		e = new(finding.NonMatch)
	case "coverage":
		e = new(finding.Coverage)
	case "verification":
		e = new(finding.Verification)
	case "summary":
		e = new(finding.Summary)
	default:
		return nil, nil
	}
	if err := json.NewDecoder(bytes.NewReader(line)).Decode(e); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", head.Type, ErrStream, err)
	}
	if run, ok := e.(*finding.Run); ok && run.Stream != finding.StreamVersion {
		return nil, fmt.Errorf("stream version %q: this program reads %q: %w", run.Stream, finding.StreamVersion, ErrStream)
	}
	return e, nil
}
