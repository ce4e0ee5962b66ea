package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
)

// answer is what a sweep said.
type answer struct {
	said     []string // findings, problems and coverage, a line each, sorted
	distinct int      // contents
	exit     int
}

// readAnswer reads a stream that was kept in a file. One without a summary is an error.
func readAnswer(file string) (*answer, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 64<<20)
	a := &answer{}
	whole := false
	for lines.Scan() {
		line := lines.Text()
		kind, ok := strings.CutPrefix(line, `{"type":"`)
		if !ok {
			return nil, fmt.Errorf("%q is no event", line)
		}
		kind, _, _ = strings.Cut(kind, `"`)
		switch kind {
		case "finding", "problem", "coverage":
			a.said = append(a.said, line)
		case "summary":
			var summary struct {
				Exit  int
				Files struct{ Distinct int }
			}
			if err := json.Unmarshal([]byte(line), &summary); err != nil {
				return nil, err
			}
			a.distinct, a.exit, whole = summary.Files.Distinct, summary.Exit, true
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if !whole {
		return nil, fmt.Errorf("%q breaks off after %d events", file, len(a.said))
	}
	slices.Sort(a.said)
	return a, nil
}

// differ counts the lines that one of two sweeps said and the other did not, and an exit code that
// differs as one.
func (a *answer) differ(b *answer) int {
	n := 0
	if a.exit != b.exit {
		n++
	}
	x, y := a.said, b.said
	for len(x) > 0 && len(y) > 0 {
		switch order := strings.Compare(x[0], y[0]); {
		case order == 0:
			x, y = x[1:], y[1:]
		case order < 0:
			n, x = n+1, x[1:]
		default:
			n, y = n+1, y[1:]
		}
	}
	return n + len(x) + len(y)
}
