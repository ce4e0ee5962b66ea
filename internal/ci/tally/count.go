package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// event is one line of `go test -json`.
type event struct {
	Action     string
	Package    string
	Test       string // "" for an event of the package itself
	Output     string
	ImportPath string // of build events, instead of Package
}

// test names a test within a run.
type test struct{ pkg, name string }

func (t test) String() string {
	pkg := strings.TrimPrefix(t.pkg, "github.com/wormsweep/wormsweep/")
	if t.name == "" {
		return pkg
	}
	return pkg + "." + t.name
}

// count is what became of the tests so far.
type count struct {
	out            io.Writer
	passed, failed int
	skipped        []string // "TEST: REASON", each once however often it ran
	seen           map[string]bool

	output map[test][]string // of tests that have not ended
	broken map[string]int    // tests that failed, by package
}

func newCount(out io.Writer) *count {
	return &count{out: out, seen: map[string]bool{}, output: map[test][]string{}, broken: map[string]int{}}
}

// read counts the events of one command. A line that is no event is printed as it stands.
func (c *count) read(r io.Reader) error {
	for lines := bufio.NewReader(r); ; {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) == nil {
				c.add(e)
			} else {
				fmt.Fprintf(c.out, "%s", line)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (c *count) add(e event) {
	this := test{e.Package, e.Test}
	switch e.Action {
	case "build-output":
		fmt.Fprint(c.out, e.Output)
	case "output":
		if e.Test == "" {
			if e.Output != "PASS\n" && !strings.Contains(e.Output, "[no test files]") {
				fmt.Fprint(c.out, e.Output)
			}
			return
		}
		c.output[this] = append(c.output[this], e.Output)
	case "pass":
		if e.Test != "" {
			c.passed++
		}
		delete(c.output, this)
	case "skip":
		if e.Test != "" {
			c.skip(this)
		}
		delete(c.output, this)
	case "fail":
		c.fail(this)
	}
}

func (c *count) skip(this test) {
	var reason []string
	for _, line := range c.output[this] {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "===") && !strings.HasPrefix(line, "---") {
			reason = append(reason, line)
		}
	}
	entry := this.String() + ": " + strings.Join(reason, " ")
	if !c.seen[entry] {
		c.seen[entry] = true
		c.skipped = append(c.skipped, entry)
	}
}

func (c *count) fail(this test) {
	if this.name != "" {
		c.failed++
		c.broken[this.pkg]++
		c.print(this)
		return
	}
	// A package that fails and none of whose tests did was not built, ran out of time or
	// exited: the tests that had not ended tell more.
	for unfinished := range c.output {
		if unfinished.pkg == this.pkg {
			c.print(unfinished)
		}
	}
	if c.broken[this.pkg] == 0 {
		c.failed++
	}
	delete(c.broken, this.pkg)
}

func (c *count) print(this test) {
	for _, line := range c.output[this] {
		fmt.Fprint(c.out, line)
	}
	delete(c.output, this)
}

// report names what was skipped and ends with the counts.
func (c *count) report() {
	for _, entry := range c.skipped {
		fmt.Fprintln(c.out, "skipped:", entry)
	}
	fmt.Fprintf(c.out, "%d passed, %d failed, %d skipped\n", c.passed, c.failed, len(c.skipped))
}
