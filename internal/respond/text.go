package respond

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/report"
	"github.com/wormsweep/wormsweep/pkg/registry/host"
)

// Text writes a plan for a terminal or a mail: plain lines, nothing in colour. Strings of outside
// are inert in it. now says which deadlines have passed.
func Text(w io.Writer, p *Plan, ticks Ticks, now time.Time) error {
	var b strings.Builder
	line := func(indent, s string) { b.WriteString(indent + inertLine(s) + "\n") }
	line("", p.Title)
	line("", "plan "+p.Digest())
	section := func(title string, n int) bool {
		if n > 0 {
			b.WriteString("\n" + title + "\n")
		}
		return n > 0
	}
	if section("ABOUT", len(p.About)) {
		for i := range p.About {
			line("  ", subject(&p.About[i]))
			for _, why := range p.About[i].Why {
				line("    ", why)
			}
		}
	}
	if section("NOT KNOWN", len(p.Missing)) {
		for _, m := range p.Missing {
			line("  ", missing(&m))
		}
	}
	if section("RESTS ON", len(p.Basis)) {
		for _, f := range p.Basis {
			line("  ", f.What+": "+f.Source)
		}
	}
	standing := p.Stand(now, ticks)
	if section("STEPS", len(p.Steps)) {
		seen := shown{}
		for i := range p.Steps {
			textStep(&b, i, &p.Steps[i], standing[i], details(i, &p.Steps[i], ticks, seen))
		}
	}
	if section("A CLEAN VERSION", len(p.Checks)) {
		for _, c := range p.Checks {
			line("  ", box(c.Answer == Yes)+" "+checkLine(&c))
		}
	}
	for _, d := range p.Drafts {
		section("DRAFT "+inertLine(d.ID)+": "+inertLine(d.Title), 1)
		line("  ", "to: "+d.Where+"; sent by: "+classes[d.Send])
		for _, blank := range d.Blanks {
			line("  ", "to be filled in: "+blank)
		}
		if d.Refused != "" {
			line("  ", d.Refused)
		}
		for text := range strings.Lines(d.Text) {
			b.WriteString("  | " + inertDraft(text) + "\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

var classes = map[Class]string{Automatic: "automatic after its gates", Workflow: "the yank workflow", Human: "a person"}

func textStep(b *strings.Builder, i int, s *Step, at Standing, lines []labelled) {
	line := func(indent, s string) { b.WriteString(indent + inertLine(s) + "\n") }
	fmt.Fprintf(b, "\n %2d. %s %s %s\n", i+1, box(at.State == Done), s.Class, inertLine(s.Title))
	fmt.Fprintf(b, "     %s (%s)\n", strings.ToUpper(string(at.State)), inertLine(s.ID))
	for _, why := range at.Why {
		line("       ", why)
	}
	for _, l := range lines {
		line("     ", l.label+": "+l.text)
	}
	if okLink(s.Link) {
		b.WriteString("     link: " + s.Link + "\n")
	}
	for _, e := range s.Edits {
		line("     ", "edit: "+editLine(&e))
	}
	for _, c := range s.Commands {
		textCommand(b, "     run", &c)
	}
	line("     ", "probe: "+s.Probe.Text)
	if c := s.Probe.Command; c != nil {
		textCommand(b, "     ask", c)
	}
	for _, note := range s.Notes {
		line("     ", "note: "+note)
	}
}

// textCommand writes a command as it is typed. It is printable ASCII, as Command.Shell has it; where
// that withholds it, what is shown is no command.
func textCommand(b *strings.Builder, label string, c *Command) {
	if c.When != "" {
		label += " (" + inertLine(c.When) + ")"
	}
	if text, ok := c.Shell(); ok {
		b.WriteString(label + ": " + text + "\n")
		return
	}
	b.WriteString(label + ": WITHHELD, it lacks " + inertLine(strings.Join(c.Blanks(), ", ")) + ": " + c.Template() + "\n")
}

// labelled is a line of a step with what it is.
type labelled struct{ label, text string }

// shown are the choices whose checks were written already, with the step that they stand at: in six
// hundred repositories the answer is the same.
type shown map[string]int

// details are what a step says in a line each, in a fixed order.
func details(n int, s *Step, ticks Ticks, seen shown) (out []labelled) {
	add := func(label, text string) {
		if text != "" {
			out = append(out, labelled{label, text})
		}
	}
	add("in", s.Repository)
	add("why", s.Why)
	if s.Irreversible != "" {
		add("CANNOT BE UNDONE, two people", s.Irreversible)
	}
	if s.Deadline != nil {
		add("until", stamp(s.Deadline.At)+", "+s.Deadline.Why)
	}
	for i := range s.Gates {
		add("gate", s.Gates[i].Answer.String()+": "+gateLine(&s.Gates[i]))
	}
	if c := s.Choice; c != nil {
		add("to", c.Version+", published "+stamp(c.Published)+", "+strings.Join(c.Digests[:min(len(c.Digests), 3)], " "))
		key := digestOf(c.Checks) + c.PURL
		first, again := seen[key]
		if again {
			add("check", fmt.Sprintf("yes: all of them, as at step %d", first+1))
		} else {
			seen[key] = n
			for i := range c.Checks {
				add("check", checkLine(&c.Checks[i]))
			}
		}
		for _, p := range c.Passed {
			add("passed over", p.Version+": "+p.Why)
		}
	}
	for _, t := range ticks {
		if t.Step == s.ID {
			text := t.By + ", " + stamp(t.At)
			if t.Digest != s.Digest() {
				text += ", of the step as it was: it does not count"
			}
			if t.Note != "" {
				text += ", " + t.Note
			}
			add("tick", text)
		}
	}
	return out
}

func subject(s *Subject) string {
	name := s.PURL
	if s.Kind != "" {
		name = s.Kind + ":" + s.Name + " " + s.Version
	}
	if s.Digest != "" {
		name += " " + s.Digest
	}
	if s.Campaign != "" {
		name += ", of the campaign " + s.Campaign
	}
	return name
}

func missing(m *Missing) string {
	where := ""
	if m.Repository != "" {
		where = m.Repository
		if m.File != "" {
			where += " " + m.File
		}
		where += ": "
	}
	return where + m.What + ": " + m.Why
}

func checkLine(c *Check) string {
	out := c.Answer.String() + ": " + c.Text
	if c.Detail != "" {
		out += " (" + c.Detail + ")"
	}
	if n := len(c.Values); n > 0 {
		out += " Taken: " + strings.Join(c.Values[:min(n, 20)], " ")
		if n > 20 {
			out += fmt.Sprintf(" and %d more", n-20)
		}
	}
	return out
}

func editLine(e *Edit) string {
	out := e.File
	if e.Line > 0 {
		out += fmt.Sprintf(" line %d", e.Line)
	}
	out += " (" + e.What + ")"
	switch {
	case e.Add != "":
		out += ": put in " + e.Add
	case e.To != "":
		out += ": " + e.From + " becomes " + e.To
	case e.From != "":
		out += ": " + e.From
	}
	if e.How != "" {
		out += "; " + e.How
	}
	return out
}

func box(done bool) string {
	if done {
		return "[x]"
	}
	return "[ ]"
}

// inertLine makes one inert line of a text of ours with names of outside in it.
func inertLine(s string) string { return report.EscapeText(s) }

// inertDraft makes one inert line of a line of a draft, in which addresses of our own making stand as
// they are: below GitHub, of names that were checked.
func inertDraft(line string) string {
	const scheme = "https://" + host.GitHub + "/"
	parts := strings.Split(strings.TrimSuffix(line, "\n"), scheme)
	for i, part := range parts {
		parts[i] = report.EscapeText(part)
	}
	return strings.Join(parts, scheme)
}

// okLink reports whether an address may stand as one: https or a mail address of our own, of plain
// letters.
func okLink(link string) bool {
	rest, web := strings.CutPrefix(link, "https://")
	if strings.Contains(strings.ToLower(strings.TrimPrefix(rest, host.NPMWeb)), "www.") {
		return false
	}
	mail := ""
	if !web {
		mail, _ = strings.CutPrefix(link, "mailto:")
		rest = mail
	}
	return rest != "" && rest != link && len(link) < 2048 && strings.Trim(rest, plainLetters+"?=&~") == ""
}
