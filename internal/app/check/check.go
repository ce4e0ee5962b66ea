// Package check looks whether all that the App needs is there, and says of each part whether it
// works, what is missing and what that costs. It changes nothing on GitHub, and sends nothing to
// anybody.
package check

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/app"
	"github.com/wormsweep/wormsweep/internal/app/manifest"
	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/report"
)

// Outcome is how a part stands.
type Outcome string

// The outcomes.
const (
	OK      Outcome = "ok"
	Off     Outcome = "off"     // not set up, and nobody asked for it
	Note    Outcome = "note"    // works, and somebody should know
	Missing Outcome = "missing" // does not work
	Unknown Outcome = "unknown" // could not be asked
)

// Line is what is said of one part.
type Line struct {
	Outcome Outcome
	Part    string // what was looked at: "database", "permission checks: write"
	Detail  string // one line; it may hold words from outside
}

// Result are all lines, in the order in which they were looked at.
type Result []Line

// The exit codes of a result, in the order of their weight.
const (
	ExitOK      = 0
	ExitMissing = 1
	ExitUnknown = 3
)

// Exit is 1 where something does not work, 3 where nothing does not and something could not be
// asked, and 0 otherwise.
func (r Result) Exit() int {
	exit := ExitOK
	for _, line := range r {
		switch line.Outcome {
		case Missing:
			return ExitMissing
		case Unknown:
			exit = ExitUnknown
		}
	}
	return exit
}

// WriteTo writes the lines for a person.
func (r Result) WriteTo(w io.Writer) (int64, error) {
	widest := 0
	for _, line := range r {
		widest = max(widest, len(line.Part))
	}
	var total int64
	for _, line := range r {
		n, err := fmt.Fprintf(w, "%-8s %-*s  %s\n", line.Outcome, widest, line.Part, report.EscapeText(line.Detail))
		total += int64(n)
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// Options are what is looked at.
type Options struct {
	Config app.Config
	Tier   manifest.Tier // whose permissions are missed; "" is manifest.Detect
	Getenv func(string) string
	Now    func() time.Time // nil is time.Now
}

// checker looks at one part after the other.
type checker struct {
	Options
	lines Result

	github  *ghclient.Client // nil after a key that is none
	granted map[string]string
	asked   map[string]string // by the App itself

	lackingEvents []string
}

func (c *checker) say(outcome Outcome, part, format string, args ...any) {
	c.lines = append(c.lines, Line{outcome, part, strings.Join(strings.Fields(fmt.Sprintf(format, args...)), " ")})
}

// Run looks at everything. What cannot be asked does not end it, but ctx does: the rest is
// unknown then.
func Run(ctx context.Context, opt Options) Result {
	if opt.Tier == "" {
		opt.Tier = manifest.Detect
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	c := &checker{Options: opt}
	for _, part := range []struct {
		name string
		look func(*checker, context.Context)
	}{
		{"App", (*checker).app},
		{"installation", (*checker).installation},
		{"permissions", (*checker).permissions},
		{"events", (*checker).events},
		{"webhook", (*checker).webhook},
		{"database", (*checker).database},
		{"inventory", (*checker).inventory},
		{"issues", (*checker).issues},
		{"responders", (*checker).responders},
		{"settings", (*checker).settings},
		{"policy", (*checker).policy},
		{"exclusions", (*checker).exclusions},
		{"Slack", (*checker).slack},
		{"trusted roots", (*checker).roots},
	} {
		if ctx.Err() != nil {
			c.say(Unknown, part.name, "stopped before it was looked at")
			continue
		}
		part.look(c, ctx)
	}
	return c.lines
}

// get asks as the App itself.
func (c *checker) get(ctx context.Context, path string, query url.Values, into any) error {
	_, err := c.github.Get(ctx, path, query, into)
	return err
}
