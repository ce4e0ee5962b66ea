package triage

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/wormsweep/wormsweep/internal/strictyaml"
)

// Limits of the file.
const (
	maxTree   = 256 << 10 // its size
	maxNodes  = 300
	maxText   = 1000 // bytes of one text
	maxFaults = 50   // told of one file
)

// Error is a fault of a file. Line is 0 where it is about no line.
type Error = strictyaml.Error

// Parse reads a tree. The name is what errors call the file. The error joins an *Error for each
// fault, with its line. What it takes holds to every rule of docs/triage.md: each node is
// reached, each branch ends, and unknown leads to a person everywhere.
func Parse(name string, data []byte) (*Tree, error) {
	f, root := strictyaml.Open(name, data, maxTree)
	if root == nil {
		return nil, f.Err(maxFaults)
	}
	r := &reader{File: f, lines: map[string]int{}}
	sum := sha256.Sum256(data)
	t := r.tree(root)
	t.Digest = "sha256:" + hex.EncodeToString(sum[:])
	if f.Faults() == 0 {
		r.check(t)
	}
	if err := f.Err(maxFaults); err != nil {
		return nil, err
	}
	return t, nil
}

type reader struct {
	*strictyaml.File
	lines map[string]int // of nodes, by id
}

func (r *reader) tree(root *yaml.Node) *Tree {
	t := &Tree{at: map[string]*Node{}}
	keys := r.Mapping(root, "the tree", "version", "title", "roles", "start", "otherwise", "close", "nodes")
	for _, key := range []string{"version", "title", "roles", "start", "otherwise", "close", "nodes"} {
		if keys != nil && keys[key] == nil {
			r.Fault(root.Line, "the tree has no %s", key)
			keys = nil
		}
	}
	if keys == nil {
		return t
	}
	t.Version, _ = strconv.Atoi(r.text(keys["version"], "version"))
	if t.Version < 1 {
		r.Fault(keys["version"].Line, "version is not a number from 1 on")
	}
	t.Title = r.text(keys["title"], "title")
	t.Roles = r.roles(keys["roles"])
	t.Start = r.list(keys["start"], "start")
	t.Otherwise = r.text(keys["otherwise"], "otherwise")
	if closing := r.Mapping(keys["close"], "close", "ref", "roles", "action"); closing != nil {
		t.Close = CloseRule{Ref: r.text(closing["ref"], "ref"), Roles: r.named(closing["roles"], "roles"), Action: r.text(closing["action"], "action")}
	}
	nodes := keys["nodes"]
	if !r.Plain(nodes, "nodes") || nodes.Kind != yaml.SequenceNode || len(nodes.Content) > maxNodes {
		r.Fault(nodes.Line, "nodes is not a list of at most %d", maxNodes)
		return t
	}
	t.Nodes = make([]Node, len(nodes.Content))
	for i, n := range nodes.Content {
		t.Nodes[i] = r.node(n)
		id := t.Nodes[i].ID
		if t.at[id] != nil {
			r.Fault(n.Line, "the node %q stands twice", id)
		}
		t.at[id], r.lines[id] = &t.Nodes[i], n.Line
	}
	return t
}

var slug = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$`)

func (r *reader) roles(n *yaml.Node) []RoleText {
	if !r.Plain(n, "roles") || n.Kind != yaml.MappingNode {
		r.Fault(n.Line, "roles is not a mapping of names to who has them")
		return nil
	}
	var names []string
	for i := 0; i+1 < len(n.Content); i += 2 {
		names = append(names, n.Content[i].Value)
	}
	texts := r.Mapping(n, "roles", names...)
	var out []RoleText
	for _, name := range names {
		if text := texts[name]; text != nil {
			if !slug.MatchString(name) {
				r.Fault(text.Line, "%q is no name of a role", name)
			}
			out = append(out, RoleText{Role(name), r.text(text, name)})
		}
	}
	return out
}

func (r *reader) node(n *yaml.Node) Node {
	var out Node
	keys := r.Mapping(n, "a node", "id", "ref", "question", "auto", "ask", "deadline", "yes", "no", "unknown", "action", "scenario", "page", "post-mortem", "then")
	if keys == nil {
		return out
	}
	text := func(key string) string { return r.text(keys[key], key) }
	out.ID, out.Ref, out.Question, out.Action = text("id"), text("ref"), text("question"), text("action")
	if !slug.MatchString(out.ID) || out.ID == End {
		r.Fault(n.Line, "%q is no id of a node", out.ID)
	}
	if (out.Question == "") == (out.Action == "") {
		r.Fault(n.Line, "the node %q is either a question or an outcome, with an action", out.ID)
	}
	for _, key := range []string{"auto", "ask", "yes", "no", "unknown"} {
		if out.IsQuestion() != (keys[key] != nil) {
			r.Fault(n.Line, "the node %q: %q is of a question, and every question has it", out.ID, key)
		}
	}
	for _, key := range []string{"scenario", "page", "post-mortem", "then"} {
		if out.IsQuestion() && keys[key] != nil {
			r.Fault(n.Line, "the question %q: %q is of an outcome", out.ID, key)
		}
	}
	if v := keys["auto"]; v != nil {
		out.Auto = r.auto(v)
	}
	if v := keys["deadline"]; v != nil {
		d, err := time.ParseDuration(text("deadline"))
		if err != nil || d <= 0 || d > 30*24*time.Hour {
			r.Fault(v.Line, "deadline is not a time like 10m or 4h")
		}
		out.Deadline = d
	}
	out.Ask, out.Page = r.named(keys["ask"], "ask"), r.named(keys["page"], "page")
	out.Yes, out.No, out.Unknown, out.Then = r.list(keys["yes"], "yes"), r.list(keys["no"], "no"), r.list(keys["unknown"], "unknown"), r.list(keys["then"], "then")
	if v := keys["scenario"]; v != nil {
		if err := out.Scenario.UnmarshalText([]byte(text("scenario"))); err != nil || out.Scenario == Undecided {
			r.Fault(v.Line, "scenario is none of none, pin, A, B, C, D")
		}
	}
	if v := keys["post-mortem"]; v != nil {
		out.PostMortem = text("post-mortem") == "true"
		if !out.PostMortem {
			r.Fault(v.Line, "post-mortem is true, or left out")
		}
	}
	return out
}

func (r *reader) auto(n *yaml.Node) Auto {
	var a Auto
	keys := r.Mapping(n, "auto", "data", "alert", "source", "subject", "severity", "lacks")
	if v := keys["data"]; v != nil {
		if a.Data = r.text(v, "data") == "true"; !a.Data {
			r.Fault(v.Line, "data is true, or left out")
		}
	}
	a.Alert = r.predicate(keys["alert"], "alert", nil)
	a.Source = r.predicate(keys["source"], "source", words(Sources))
	a.Subject = r.predicate(keys["subject"], "subject", words(Kinds))
	if v := keys["severity"]; v != nil {
		if err := a.Severity.UnmarshalText([]byte(r.text(v, "severity"))); err != nil || a.Severity == NoSeverity {
			r.Fault(v.Line, "severity is none of low, medium, high, critical")
		}
	}
	a.Lacks = r.text(keys["lacks"], "lacks")
	return a
}

func words[T ~string](all []T) []string {
	out := make([]string, len(all))
	for i, v := range all {
		out[i] = string(v)
	}
	return out
}

func (r *reader) predicate(n *yaml.Node, what string, known []string) Predicate {
	var p Predicate
	if n == nil {
		return p
	}
	keys := r.Mapping(n, what, "yes", "no", "else")
	p.Yes, p.No = r.list(keys["yes"], what), r.list(keys["no"], what)
	if v := keys["else"]; v != nil {
		if p.ElseNo = r.text(v, "else") == "no"; !p.ElseNo {
			r.Fault(v.Line, "else is no, or left out: nothing is yes because it is not listed")
		}
	}
	if len(p.Yes)+len(p.No) == 0 {
		r.Fault(n.Line, "%s lists nothing", what)
	}
	for _, word := range slices.Concat(p.Yes, p.No) {
		if known != nil && !slices.Contains(known, word) {
			r.Fault(n.Line, "%s: %q is none of %s", what, word, strings.Join(known, ", "))
		}
		if slices.Contains(p.Yes, word) && slices.Contains(p.No, word) {
			r.Fault(n.Line, "%s: %q means yes and no", what, word)
		}
	}
	return p
}

// text is a text on one line, "" for a node that is not there.
func (r *reader) text(n *yaml.Node, what string) string {
	if n == nil {
		return ""
	}
	text, ok := r.Text(n, what)
	if !ok {
		return ""
	}
	if text == "" || len(text) > maxText || strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c == 0x7f || c == '\u2028' || c == '\u2029' }) {
		r.Fault(n.Line, "%s is empty, over %d bytes, or not on one line", what, maxText)
		return ""
	}
	return text
}

func (r *reader) list(n *yaml.Node, what string) []string {
	if n == nil {
		return nil
	}
	if !r.Plain(n, what) {
		return nil
	}
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 || len(n.Content) > maxNodes {
		r.Fault(n.Line, "%s is not a list that names something", what)
		return nil
	}
	var out []string
	for _, v := range n.Content {
		text := r.text(v, what)
		if slices.Contains(out, text) {
			r.Fault(v.Line, "%s: %q stands twice", what, text)
		}
		out = append(out, text)
	}
	return out
}

func (r *reader) named(n *yaml.Node, what string) []Role {
	var out []Role
	for _, name := range r.list(n, what) {
		out = append(out, Role(name))
	}
	return out
}

func (r *reader) nodeFault(id, format string, args ...any) {
	r.Fault(r.lines[id], "the node %q: %s", id, fmt.Sprintf(format, args...))
}
