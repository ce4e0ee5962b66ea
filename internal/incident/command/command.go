// Package command reads commands from comments on issues.
//
// A command begins at the first byte of a comment, and further ones at the first byte of the lines
// that follow it at once. The first line that is none ends them. So nothing in a quote, a list, a
// code block, an HTML comment or below other words is a command, and none is hidden: a line that
// opens a block or an HTML comment, or holds what cannot be seen, is refused, and ends them.
//
// Parse is a pure function of the text. It does not know who wrote it: whether they may is the
// caller's question.
package command

import (
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Name names a command, as it is written after the slash.
type Name string

// The commands.
const (
	Ack           Name = "ack"
	Assign        Name = "assign"
	WhoHas        Name = "who-has"
	Exposure      Name = "exposure"
	Plan          Name = "plan"
	Done          Name = "done"
	Undone        Name = "undone"
	Contained     Name = "contained"
	Answer        Name = "answer"
	FalsePositive Name = "false-positive"
	Resolve       Name = "resolve"
)

// Question reports whether a command asks, and changes nothing.
func (n Name) Question() bool { return n == WhoHas || n == Exposure || n == Plan }

// usage are the commands, each as it is written.
var usage = []struct {
	name Name
	text string
}{
	{Ack, "/ack"},
	{Assign, "/assign @login"},
	{WhoHas, "/who-has NAME@VERSION"},
	{Exposure, "/exposure"},
	{Plan, "/plan"},
	{Done, "/done STEP what was seen"},
	{Undone, "/undone STEP why"},
	{Contained, "/contained what was done"},
	{Answer, "/answer ci-installed no REASON"},
	{FalsePositive, "/false-positive REASON until 2026-12-31"},
	{Resolve, "/resolve REASON"},
}

// Usage says how a command is written; "" for none.
func (n Name) Usage() string {
	for _, u := range usage {
		if u.name == n {
			return u.text
		}
	}
	return ""
}

// Names gives the commands in a fixed order.
func Names() []Name {
	names := make([]Name, len(usage))
	for i, u := range usage {
		names[i] = u.name
	}
	return names
}

// Command is a line of a comment.
type Command struct {
	Name  Name
	Text  string    // what is asked about, what was done, or the reason; may be empty where that is allowed
	Login string    // of Assign, without "@"
	Step  string    // of Done and Undone: the id of a step of the plan
	Until time.Time // of FalsePositive: the last day, at 00:00 UTC
	// Of Answer: the id of a question of the triage, which thing of the incident it is about (from 1 on; 0
	// is all that ask it), and "yes", "no", "unknown" or "withdraw".
	Question string
	Thing    int
	Truth    string
	// Fault is "", or why the line is not to be carried out, in words that hold nothing of it. Name
	// is "" where it is no command that there is.
	Fault string
}

// Limits of a comment.
const (
	MaxCommands = 5
	MaxLine     = 1_000 // bytes
	maxSubject  = 300   // bytes of what is asked about
)

// Parse gives the commands of a comment, in their order; nil for most comments.
func Parse(body string) []Command {
	var out []Command
	for body != "" {
		var line string
		line, body, _ = strings.Cut(body, "\n")
		word, rest, ok := head(strings.TrimSuffix(line, "\r"))
		if !ok {
			break
		}
		if len(out) == MaxCommands {
			out[MaxCommands-1] = Command{Name: out[MaxCommands-1].Name, Fault: "too many commands in one comment"}
			break
		}
		c := read(word, rest)
		if out = append(out, c); c.Fault != "" {
			break // what follows may have been meant to depend on it
		}
	}
	return out
}

var wordForm = regexp.MustCompile(`^/([a-z][a-z-]*)(?:[ \t]+(.*))?$`)

// head cuts a line into a command's word and the rest.
func head(line string) (word, rest string, ok bool) {
	if !strings.HasPrefix(line, "/") {
		return "", "", false
	}
	if len(line) > MaxLine {
		line = line[:MaxLine+1] // longer than is read
	}
	m := wordForm.FindStringSubmatch(line)
	if m == nil {
		// A known word with something stuck to it is no path or pattern, but a slip.
		for _, u := range usage {
			if strings.HasPrefix(line, "/"+string(u.name)) {
				return string(u.name), line, true
			}
		}
		return "", "", false
	}
	return m[1], strings.Trim(m[2], " \t"), true
}

// read makes a command of a word and what stands behind it.
func read(word, rest string) Command {
	c := Command{Name: Name(word), Text: rest}
	switch {
	case c.Name.Usage() == "":
		return Command{Fault: "there is no such command"}
	case len(rest) > MaxLine-len(word)-2:
		return Command{Name: c.Name, Fault: "the line is too long"}
	case hidden(rest):
		return Command{Name: c.Name, Fault: "it holds characters or marks that hide something from a reader"}
	case strings.HasPrefix(rest, "/"+word): // of head: stuck together
		return c.wrong()
	}
	switch c.Name {
	case Exposure, Plan:
		if strings.ContainsAny(rest, " \t") || len(rest) > maxSubject {
			return c.wrong()
		}
	case WhoHas:
		if rest == "" || strings.ContainsAny(rest, " \t") || strings.HasPrefix(rest, "/") || len(rest) > maxSubject {
			return c.wrong()
		}
	case Contained:
		if rest == "" {
			return c.wrong()
		}
	case Assign:
		return c.assign()
	case Answer:
		return c.answer()
	case Done, Undone:
		return c.step()
	case FalsePositive:
		return c.falsePositive()
	case Ack, Resolve:
	}
	return c
}

func (c Command) wrong() Command {
	return Command{Name: c.Name, Fault: "it is written otherwise"}
}

// A login has at most 39 characters, and that of a managed user an underscore and a short code behind
// them.
var loginForm = regexp.MustCompile(`^@([A-Za-z0-9](?:[A-Za-z0-9_-]{0,58}))$`)

func (c Command) assign() Command {
	m := loginForm.FindStringSubmatch(c.Text)
	if m == nil {
		return c.wrong()
	}
	return Command{Name: c.Name, Login: m[1]}
}

var answerForm = regexp.MustCompile(`^([a-z0-9][a-z0-9-]{0,59})(?:#([1-9][0-9]{0,2}))?[ \t]+(yes|no|unknown|withdraw)[ \t]+(\S.*)$`)

func (c Command) answer() Command {
	m := answerForm.FindStringSubmatch(c.Text)
	if m == nil {
		return c.wrong()
	}
	thing, _ := strconv.Atoi(m[2]) // "" is 0, and the form has no other
	return Command{Name: c.Name, Question: m[1], Thing: thing, Truth: m[3], Text: m[4]}
}

// The ids of steps are made of these characters, and are shorter.
var stepForm = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9.-]{0,149})(?:[ \t]+(.*))?$`)

func (c Command) step() Command {
	m := stepForm.FindStringSubmatch(c.Text)
	if m == nil {
		return c.wrong()
	}
	return Command{Name: c.Name, Step: strings.ToLower(m[1]), Text: m[2]}
}

var untilForm = regexp.MustCompile(`^(.*\S)[ \t]+until[ \t]+([0-9]{4}-[0-9]{2}-[0-9]{2})$`)

func (c Command) falsePositive() Command {
	m := untilForm.FindStringSubmatch(c.Text)
	if m == nil {
		return c.wrong()
	}
	day, err := time.Parse(time.DateOnly, m[2])
	if err != nil {
		return Command{Name: c.Name, Fault: "there is no such day"}
	}
	return Command{Name: c.Name, Text: m[1], Until: day}
}

// hidden reports whether text has what a reader does not see, or sees otherwise: characters that
// show nothing or change the order, and marks that hide what follows them.
func hidden(text string) bool {
	if !utf8.ValidString(text) || strings.Contains(text, "<!--") || strings.Contains(text, "```") || strings.Contains(text, "~~~") {
		return true
	}
	return strings.ContainsFunc(text, func(r rune) bool {
		switch {
		case r == '\t':
			return false
		case unicode.Is(unicode.Cc, r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r), unicode.Is(unicode.Co, r):
			return true
		case unicode.Is(unicode.Zs, r) && r != ' ':
			return true
		case unicode.Is(unicode.Variation_Selector, r), r == 0x115f, r == 0x1160, r == 0x3164, r == 0xffa0: // letters that show nothing
			return true
		}
		return false
	})
}
