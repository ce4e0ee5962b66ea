package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/verify"
)

// JSON renders the stream as JSON Lines: one object a line, each with "type" first. Its
// schema is docs/schemas/sweep-stream.json, its page docs/sweep-output.md.
//
// Names, paths and versions are whole, but for bytes that are no UTF-8, which JSON cannot
// hold: each stands as U+FFFD, and the file's blob id tells such paths apart.
type JSON struct {
	out  *bufio.Writer
	line bytes.Buffer  // the event as encoded
	enc  *json.Encoder // to line
	safe []byte        // the event as written
}

// NewJSON returns a renderer that writes to w, and flushes at once what a reader waits for:
// all but coverage and explanations.
func NewJSON(w io.Writer) *JSON {
	r := &JSON{out: bufio.NewWriterSize(w, 64<<10)}
	r.enc = json.NewEncoder(&r.line)
	return r
}

// Event writes one line.
func (r *JSON) Event(e finding.Event) error {
	kind, flush := "", true
	switch v := e.(type) {
	case *finding.Run:
		c := *v
		c.Paths = notNil(c.Paths)
		kind, e = "run", &c
	case *finding.Finding:
		c := *v
		c.Reasons, c.Refs = notNil(c.Reasons), notNil(c.Refs)
		kind, e = "finding", &c
	case *finding.Problem:
		kind = "problem"
	case *finding.NonMatch:
		c := *v
		c.Refs = notNil(c.Refs)
		kind, e, flush = "explain", &c, false
	case *finding.Coverage:
		kind, flush = "coverage", false
	case *finding.Verification:
		kind, flush = "verification", false
	case *finding.Summary:
		c := *v
		if c.Findings == nil {
			c.Findings = map[finding.State]int{}
		}
		if c.Published != nil && c.Published.Versions == nil {
			p := *c.Published
			p.Versions, c.Published = map[verify.Verdict]int{}, &p
		}
		kind, e = "summary", &c
	default:
		return fmt.Errorf("event of type %T has no form in JSON", e)
	}
	r.line.Reset()
	if err := r.enc.Encode(e); err != nil {
		return fmt.Errorf("%s as JSON: %w", kind, err)
	}
	r.safe = append(r.safe[:0], `{"type":"`...)
	r.safe = append(r.safe, kind...)
	r.safe = append(r.safe, `",`...)
	r.safe = appendJSON(r.safe, r.line.Bytes()[1:]) // after the brace; no event is an empty object
	if _, err := r.out.Write(r.safe); err != nil {
		return err
	}
	if !flush {
		return nil
	}
	return r.out.Flush()
}

// Close writes what is still held back.
func (r *JSON) Close() error { return r.out.Flush() }

// notNil is s, or an empty slice: a list in the stream is never null.
func notNil(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
