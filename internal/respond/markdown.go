package respond

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/report"
)

// Markdown writes a plan for GitHub: an issue, a comment, the summary of a job. Strings of outside
// stand in code spans, so that none mentions, links, closes or hides anything. It is cut at no
// size: an issue takes 65,536 characters, and the caller looks.
func Markdown(w io.Writer, p *Plan, ticks Ticks, now time.Time) error {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\nPlan `%s`, form %d.\n", prose(p.Title), p.Digest(), p.Form)
	section := func(title string, n int, item func(i int) string) {
		if n == 0 {
			return
		}
		fmt.Fprintf(&b, "\n### %s\n\n", title)
		for i := range n {
			fmt.Fprintf(&b, "- %s\n", item(i))
		}
	}
	section("About", len(p.About), func(i int) string {
		out := prose(subject(&p.About[i]))
		for _, why := range p.About[i].Why {
			out += "\n  - " + prose(why)
		}
		return out
	})
	section("Not known", len(p.Missing), func(i int) string { return prose(missing(&p.Missing[i])) })
	section("Rests on", len(p.Basis), func(i int) string { return prose(p.Basis[i].What + ": " + p.Basis[i].Source) })
	if len(p.Steps) > 0 {
		b.WriteString("\n### Steps\n")
	}
	standing, seen := p.Stand(now, ticks), shown{}
	for i := range p.Steps {
		markdownStep(&b, i, &p.Steps[i], standing[i], details(i, &p.Steps[i], ticks, seen))
	}
	section("A clean version", len(p.Checks), func(i int) string {
		return box(p.Checks[i].Answer == Yes) + " " + prose(checkLine(&p.Checks[i]))
	})
	for i := range p.Drafts {
		markdownDraft(&b, &p.Drafts[i])
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func markdownStep(b *strings.Builder, i int, s *Step, at Standing, lines []labelled) {
	fmt.Fprintf(b, "\n#### %d. %s\n\n- %s %s, class %s: %s\n", i+1, prose(s.Title), box(at.State == Done), strings.ToUpper(string(at.State)), prose(string(s.Class)), prose(s.ID))
	for _, why := range at.Why {
		fmt.Fprintf(b, "  - %s\n", prose(why))
	}
	for _, l := range lines {
		fmt.Fprintf(b, "- **%s:** %s\n", l.label, prose(l.text))
	}
	if okLink(s.Link) {
		fmt.Fprintf(b, "- **link:** <%s>\n", s.Link)
	}
	for _, e := range s.Edits {
		fmt.Fprintf(b, "- **edit:** %s\n", prose(editLine(&e)))
	}
	for _, note := range s.Notes {
		fmt.Fprintf(b, "- **note:** %s\n", prose(note))
	}
	fmt.Fprintf(b, "- **probe:** %s\n", prose(s.Probe.Text))
	for _, c := range s.Commands {
		markdownCommand(b, "Run", &c)
	}
	if c := s.Probe.Command; c != nil {
		markdownCommand(b, "Ask", c)
	}
}

// markdownCommand writes a command in a block of code: it is one line, and begins with a program,
// so that nothing in it ends the block.
func markdownCommand(b *strings.Builder, label string, c *Command) {
	if c.When != "" {
		label += " " + prose(c.When)
	}
	if text, ok := c.Shell(); ok {
		fmt.Fprintf(b, "\n%s:\n\n```sh\n%s\n```\n", label, text)
		return
	}
	fmt.Fprintf(b, "\n%s: **withheld**, it lacks %s.\n\n```text\n%s\n```\n", label, prose(strings.Join(c.Blanks(), ", ")), c.Template())
}

func markdownDraft(b *strings.Builder, d *Document) {
	fmt.Fprintf(b, "\n<details><summary>Draft %s</summary>\n\n%s To: %s. Sent by: %s.\n", summaryText(d.ID), prose(d.Title+"."), prose(d.Where), classes[d.Send])
	for _, blank := range d.Blanks {
		fmt.Fprintf(b, "\n- to be filled in: %s", prose(blank))
	}
	if d.Refused != "" {
		fmt.Fprintf(b, "\n%s\n", prose(d.Refused))
	}
	fence := "```"
	for strings.Contains(d.Text, fence) {
		fence += "`" // longer than any in the text, so that no line of it is anything but code
	}
	b.WriteString("\n\n" + fence + "text\n")
	for line := range strings.Lines(d.Text) {
		b.WriteString(inertDraft(line) + "\n")
	}
	b.WriteString(fence + "\n\n</details>\n")
}

// summaryText is a draft's name as the text of an HTML element.
func summaryText(id string) string {
	if strings.Trim(id, plainLetters) != "" || strings.Contains(id, "@") || strings.Contains(id, "_") {
		return "of an odd name"
	}
	return id
}

// maxProse bounds what is shown of one text.
const maxProse = 2000

// prose makes Markdown of a text of ours with names of outside in it: words that are nothing but
// words stand as they are, and runs of anything else in code spans.
func prose(s string) string {
	if s == "" {
		return report.EscapeMarkdown(s, maxProse)
	}
	var out, odd []string
	flush := func() {
		if len(odd) > 0 {
			out = append(out, span(strings.Join(odd, " ")))
			odd = nil
		}
	}
	for word := range strings.SplitSeq(s, " ") {
		if isWord(word) {
			flush()
			out = append(out, word)
			continue
		}
		odd = append(odd, word)
	}
	flush()
	return strings.Join(out, " ")
}

// span makes a code span of a text, with the signs of our sentence around it left outside.
func span(s string) string {
	lead, trail := "", ""
	if rest, ok := strings.CutPrefix(s, "("); ok && rest != "" {
		lead, s = "(", rest
	}
	for len(s) > 1 {
		last := s[len(s)-1]
		if !strings.ContainsRune(".,:;", rune(last)) && (last != ')' || strings.Count(s, ")") <= strings.Count(s, "(")) {
			break
		}
		s, trail = s[:len(s)-1], string(last)+trail
	}
	return lead + report.EscapeMarkdown(s, maxProse) + trail
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// isWord reports whether a text is a word or a small number with the signs around it that a
// sentence has. What GitHub could take for the id of a commit is none.
func isWord(s string) bool {
	core := strings.TrimRight(strings.TrimPrefix(s, "("), ".,:;?)")
	if core == "" || len(core) > 30 || strings.Count(s, ":") > 1 {
		return false
	}
	if strings.Trim(core, "0123456789") == "" {
		return len(core) < 7
	}
	if len(core) >= 7 && strings.Trim(strings.ToLower(core), "0123456789abcdef") == "" {
		return false
	}
	for part := range strings.SplitSeq(strings.ReplaceAll(core, "'", "-"), "-") {
		if part == "" || strings.Trim(part, letters) != "" {
			return false
		}
	}
	return true
}
