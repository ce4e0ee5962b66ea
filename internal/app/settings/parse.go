package settings

import (
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/wormsweep/wormsweep/internal/strictyaml"
)

// Parse reads the organisation's file. A file with a fault is not used at all; the error has a
// line for each.
func Parse(name string, data []byte) (Settings, error) {
	var s Settings
	p := open(name, data)
	if keys := p.root("version", "branches", "checks", "exclude"); keys != nil {
		s.Branches = p.globs(keys["branches"], "branches")
		s.NoChecks = !p.flag(keys["checks"], "checks", true)
		p.each(keys["exclude"], "exclude", func(n *yaml.Node) { s.Excluded = append(s.Excluded, p.exclude(n)) })
	}
	if err := p.Err(maxFaults); err != nil {
		return Settings{}, err
	}
	return s, nil
}

// ParseRepository reads a repository's own file. What is good in it counts whatever else is wrong,
// for it can only add; the error has a line for each fault. Of a key that would take something
// away it says so.
func ParseRepository(name string, data []byte) (Addition, error) {
	var a Addition
	p := open(name, data)
	if keys := p.root("version", "branches", "checks"); keys != nil {
		a.Branches = p.globs(keys["branches"], "branches")
		if n := keys["checks"]; n != nil {
			if a.Checks = p.flag(n, "checks", true); !a.Checks {
				p.Fault(n.Line, "checks: a repository adds to what is looked at, and takes nothing away: this has no effect")
			}
		}
	}
	return a, p.Err(maxFaults)
}

type parser struct {
	*strictyaml.File
	node *yaml.Node
}

func open(name string, data []byte) *parser {
	file, node := strictyaml.Open(name, data, MaxBytes)
	return &parser{file, node}
}

// root gives the values of the file by key; nil after a fault of the whole.
func (p *parser) root(known ...string) map[string]*yaml.Node {
	if p.node == nil {
		return nil
	}
	keys := p.Mapping(p.node, "the file", known...)
	if keys == nil {
		return nil
	}
	if n := keys["version"]; n == nil {
		p.Fault(p.node.Line, "there is no version: write \"version: 1\"")
	} else if text, ok := p.Text(n, "version"); ok && text != "1" {
		p.Fault(n.Line, "version %q: this program reads version 1", text)
	}
	return keys
}

// each calls f for each item of a list that may be left out.
func (p *parser) each(n *yaml.Node, what string, f func(*yaml.Node)) {
	switch {
	case n == nil:
	case !p.Plain(n, what):
	case n.Kind != yaml.SequenceNode:
		p.Fault(n.Line, "%s is not a list", what)
	case len(n.Content) > maxList:
		p.Fault(n.Line, "%s has %d items, and %d at most are read", what, len(n.Content), maxList)
	default:
		for _, item := range n.Content {
			f(item)
		}
	}
}

func (p *parser) globs(n *yaml.Node, what string) []string {
	var out []string
	p.each(n, what, func(n *yaml.Node) {
		if text, ok := p.glob(n, what); ok {
			out = append(out, text)
		}
	})
	return out
}

func (p *parser) glob(n *yaml.Node, what string) (string, bool) {
	text, ok := p.Text(n, what)
	switch {
	case !ok:
		return "", false
	case text == "" || len(text) > maxGlob || !utf8.ValidString(text):
		p.Fault(n.Line, "%s: a pattern has 1 to %d characters", what, maxGlob)
	case strings.HasPrefix(text, "/") || strings.HasPrefix(text, "!"):
		p.Fault(n.Line, "%s: %q begins with %q: patterns are of whole paths, and take nothing away", what, text, text[:1])
	default:
		return text, true
	}
	return "", false
}

// flag is true or false, and without where it is left out or wrong.
func (p *parser) flag(n *yaml.Node, what string, without bool) bool {
	if n == nil {
		return without
	}
	switch text, ok := p.Text(n, what); {
	case ok && text == "true":
		return true
	case ok && text == "false":
		return false
	case ok:
		p.Fault(n.Line, "%s: %q is neither true nor false", what, text)
	}
	return without
}

func (p *parser) exclude(n *yaml.Node) Exclude {
	var e Exclude
	keys := p.Mapping(n, "an exclusion", "repositories", "owner", "reason", "expires")
	if keys == nil {
		return e
	}
	line := n.Line
	text := func(key, why string) (string, int) {
		n := keys[key]
		if n == nil {
			p.Fault(line, "an exclusion without %s: %s", key, why)
			return "", 0
		}
		text, ok := p.Text(n, key)
		if ok && strings.TrimSpace(text) == "" {
			p.Fault(n.Line, "%s is empty: %s", key, why)
		}
		return text, n.Line
	}
	if n := keys["repositories"]; n == nil {
		p.Fault(line, "an exclusion without repositories: which?")
	} else {
		e.Repositories, _ = p.glob(n, "repositories")
	}
	e.Owner, _ = text("owner", "who answers for it?")
	e.Reason, _ = text("reason", "why need nobody look there?")
	day, at := text("expires", "until when? Nothing is left out for ever")
	if day != "" {
		var err error
		if e.Expires, err = time.Parse(time.DateOnly, day); err != nil {
			p.Fault(at, "expires: %q is no day such as 2026-12-31", day)
		}
	}
	return e
}
