package triage

import (
	"fmt"
	"strings"
	"time"
)

// width is that of a phone held upright, and of most chats.
const width = 60

// Print gives the tree as plain text: every node with what it asks, who answers it and where each
// answer leads. It has no tabs and no line of over 60 characters, unless a word is longer.
func Print(t *Tree) string {
	p := &printer{}
	p.line("", "", fmt.Sprintf("%s, version %d", t.Title, t.Version))
	p.line("", "", t.Digest)
	p.line("", "", "")
	p.line("", "  ", "Begin with "+t.way(t.Start)+".")
	p.line("", "  ", "Ask everything that an answer leads to. Unknown is not no.")
	p.line("", "  ", "If no outcome is reached: "+t.way([]string{t.Otherwise})+".")
	for i := range t.Nodes {
		n := &t.Nodes[i]
		p.line("", "", "")
		p.line("", "  ", n.label())
		if n.IsQuestion() {
			p.question(t, n)
		} else {
			p.outcome(t, n)
		}
	}
	p.line("", "", "")
	p.line("", "  ", t.Close.Ref+" To close, by "+or(t.Close.Roles))
	p.line("  ", "  ", t.Close.Action)
	p.line("", "", "")
	p.line("", "  ", "Who is who")
	for _, role := range t.Roles {
		p.line("  ", "    ", string(role.ID)+": "+role.Text)
	}
	return p.String()
}

type printer struct{ strings.Builder }

// line writes a text, its first line after one indent and the others after another.
func (p *printer) line(first, rest, text string) {
	at := first
	for _, word := range strings.Fields(text) {
		if len(at)+1+len(word) > width && strings.TrimSpace(at) != "" {
			p.WriteString(strings.TrimRight(at, " ") + "\n")
			at = rest
		}
		if strings.TrimSpace(at) != "" {
			at += " "
		}
		at += word
	}
	p.WriteString(strings.TrimRight(at, " ") + "\n")
}

// label is how a node is called: by its place in the runbook and its id.
func (n *Node) label() string { return strings.TrimSpace(n.Ref + " " + n.ID) }

// way names the nodes of a branch.
func (t *Tree) way(branch []string) string {
	var names []string
	for _, id := range branch {
		name := id
		if n := t.at[id]; n != nil {
			name = n.label()
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

func (p *printer) question(t *Tree, n *Node) {
	p.line("  ", "  ", n.Question)
	by := "Answered by " + or(n.Ask)
	if words := n.Auto.words(); len(words) > 0 {
		by = "Answered by " + strings.Join(words, "; ") + "; else by " + or(n.Ask)
	}
	p.line("  ", "  ", by+", in "+short(n.Deadline)+".")
	for _, truth := range []Truth{Yes, No, Unknown} {
		p.line("  ", "    ", truth.String()+" -> "+t.way(n.Branch(truth)))
	}
}

func (p *printer) outcome(t *Tree, n *Node) {
	p.line("  ", "  ", n.Action)
	var facts []string
	if n.Scenario != Undecided {
		facts = append(facts, "Scenario: "+n.Scenario.String()+".")
	}
	if len(n.Page) > 0 {
		facts = append(facts, "Page "+and(n.Page)+".")
	}
	if n.Deadline > 0 {
		facts = append(facts, "Begin in "+short(n.Deadline)+".")
	}
	if n.PostMortem {
		facts = append(facts, "A post-mortem follows.")
	}
	if len(facts) > 0 {
		p.line("  ", "  ", strings.Join(facts, " "))
	}
	if len(n.Then) > 0 {
		p.line("  ", "    ", "then -> "+t.way(n.Then))
	}
}

// words say in which ways a question is answered without a person, in their order.
func (a *Auto) words() []string {
	var out []string
	if a.Data {
		out = append(out, "data")
	}
	for _, p := range []struct {
		what string
		*Predicate
	}{{"alert", &a.Alert}, {"source", &a.Source}, {"subject", &a.Subject}} {
		if len(p.Yes) > 0 {
			out = append(out, "yes for the "+p.what+" "+strings.Join(p.Yes, ", "))
		}
		switch {
		case p.ElseNo:
			out = append(out, "no for any other "+p.what)
		case len(p.No) > 0:
			out = append(out, "no for the "+p.what+" "+strings.Join(p.No, ", "))
		}
	}
	if a.Severity != NoSeverity {
		out = append(out, "yes from the severity "+a.Severity.String()+" on, no below")
	}
	if a.Lacks != "" {
		out = append(out, "no for a subject without a "+a.Lacks)
	}
	return out
}

func or(roles []Role) string  { return joined(roles, " or ") }
func and(roles []Role) string { return joined(roles, " and ") }

func joined(roles []Role, last string) string {
	all := words(roles)
	if len(all) < 2 {
		return strings.Join(all, "")
	}
	return strings.Join(all[:len(all)-1], ", ") + last + all[len(all)-1]
}

// short is a duration in its largest whole unit: "5 min", "4 h".
func short(d time.Duration) string {
	switch {
	case d%(24*time.Hour) == 0:
		return fmt.Sprintf("%d d", d/(24*time.Hour))
	case d%time.Hour == 0:
		return fmt.Sprintf("%d h", d/time.Hour)
	case d%time.Minute == 0:
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return d.String()
}
