package discover

import (
	"bytes"
	"cmp"
	"errors"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// workflow is what a workflow of GitHub Actions says of how it publishes.
type workflow struct {
	path   string
	events []event
	env    map[string]string
	jobs   []job
}

// event is a trigger.
type event struct {
	name     string
	line     int
	tags     []string // of push: patterns
	branches []string // of push
	filtered bool     // it has tags or branches
}

type job struct {
	name        string
	line        int
	uses        string // the reusable workflow that it calls
	idToken     bool   // it may ask for an identity token
	unsaid      bool   // nothing says what it may: where its workflow is called, what the job that calls may
	environment string
	hosted      bool // it surely runs on GitHub's own runners
	steps       []step
}

type step struct {
	line   int
	id     string
	uses   string // the action, without its ref
	dir    string // working-directory
	run    []runLine
	with   map[string]string
	env    map[string]string
	jobEnv map[string]string
}

// variable is the value of an environment variable in a step.
func (s *step) variable(name string) string { return cmp.Or(s.env[name], s.jobEnv[name]) }

// runLine is a command of a step.
type runLine struct {
	line  int
	words []string
}

// With aliases a small file can stand for a very large one.
var errAlias = errors.New("YAML aliases: what they stand for is not read")

// parseWorkflow reads a workflow. What is of another form than GitHub's is passed over, since
// GitHub does not run it.
func parseWorkflow(path string, content []byte) (*workflow, error) {
	var doc yaml.Node
	if err := yaml.NewDecoder(bytes.NewReader(content)).Decode(&doc); err != nil {
		return nil, err
	}
	if hasAlias(&doc) {
		return nil, errAlias
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, errors.New("no mapping")
	}
	w := &workflow{path: path, events: parseEvents(get(root, "on")), env: texts(get(root, "env"))}
	top := get(root, "permissions")
	for name, n := range pairs(get(root, "jobs")) {
		j := job{name: name.Value, line: name.Line, uses: text(get(n, "uses")), environment: text(get(n, "environment"))}
		if j.environment == "" {
			j.environment = text(get(get(n, "environment"), "name"))
		}
		permissions := top
		if own := get(n, "permissions"); own != nil {
			permissions = own
		}
		j.idToken = text(get(permissions, "id-token")) == "write" || text(permissions) == "write-all"
		j.unsaid = permissions == nil
		j.hosted = hosted(get(n, "runs-on"))
		dir := text(get(get(get(n, "defaults"), "run"), "working-directory"))
		env := texts(get(n, "env"))
		for _, s := range items(get(n, "steps")) {
			j.steps = append(j.steps, parseStep(s, dir, env))
		}
		w.jobs = append(w.jobs, j)
	}
	return w, nil
}

func parseEvents(on *yaml.Node) []event {
	if on == nil {
		return nil
	}
	var out []event
	switch on.Kind {
	case yaml.ScalarNode:
		out = append(out, event{name: on.Value, line: on.Line})
	case yaml.SequenceNode:
		for _, n := range items(on) {
			out = append(out, event{name: n.Value, line: n.Line})
		}
	case yaml.MappingNode:
		for name, n := range pairs(on) {
			e := event{name: name.Value, line: name.Line}
			for _, t := range items(get(n, "tags")) {
				e.tags = append(e.tags, t.Value)
			}
			for _, b := range items(get(n, "branches")) {
				e.branches = append(e.branches, b.Value)
			}
			e.filtered = len(e.tags)+len(e.branches) > 0
			out = append(out, e)
		}
	}
	return out
}

func parseStep(n *yaml.Node, dir string, jobEnv map[string]string) step {
	s := step{line: n.Line, id: text(get(n, "id")), dir: dir, with: texts(get(n, "with")), env: texts(get(n, "env")), jobEnv: jobEnv}
	s.uses, _, _ = strings.Cut(text(get(n, "uses")), "@")
	if own := text(get(n, "working-directory")); own != "" {
		s.dir = own
	}
	run := get(n, "run")
	if run == nil || run.Kind != yaml.ScalarNode {
		return s
	}
	first := run.Line
	if run.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		first++
	}
	s.run = commands(run.Value, first)
	return s
}

// commands splits a script into commands, as far as is needed to see which of them publish.
// Lines that a backslash ends go on.
func commands(script string, line int) []runLine {
	var out []runLine
	var words []string
	begin := line
	for l := range strings.Lines(script) {
		if len(words) == 0 {
			begin = line
		}
		line++
		l = strings.TrimSpace(l)
		l, more := strings.CutSuffix(l, `\`)
		for _, word := range strings.Fields(l) {
			switch {
			case strings.HasPrefix(word, "#"):
			case slices.Contains([]string{"&&", "||", "|", ";", "then", "do", "else"}, word):
				out = append(out, runLine{begin, words})
				words = nil
				continue
			default:
				words = append(words, strings.Trim(strings.TrimSuffix(word, ";"), `"'`))
				if strings.HasSuffix(word, ";") {
					out = append(out, runLine{begin, words})
					words = nil
				}
				continue
			}
			break // the rest is a comment
		}
		if !more {
			out = append(out, runLine{begin, words})
			words = nil
		}
	}
	out = append(out, runLine{begin, words})
	return slices.DeleteFunc(out, func(r runLine) bool { return len(r.words) == 0 })
}

// hosted reports whether runs-on is one label of GitHub's own runners.
func hosted(n *yaml.Node) bool {
	label := text(n)
	if list := items(n); len(list) == 1 {
		label = text(list[0])
	}
	for _, prefix := range []string{"ubuntu-", "windows-", "macos-"} {
		if strings.HasPrefix(label, prefix) {
			return true
		}
	}
	return false
}

func hasAlias(n *yaml.Node) bool {
	return n.Kind == yaml.AliasNode || slices.ContainsFunc(n.Content, hasAlias)
}

// get is the value of a key of a mapping, nil where there is none.
func get(n *yaml.Node, key string) *yaml.Node {
	for k, v := range pairs(n) {
		if k.Value == key {
			return v
		}
	}
	return nil
}

// pairs yields the keys and values of a mapping.
func pairs(n *yaml.Node) func(yield func(k, v *yaml.Node) bool) {
	return func(yield func(k, v *yaml.Node) bool) {
		if n == nil || n.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i], n.Content[i+1]) {
				return
			}
		}
	}
}

// items are those of a list; a scalar is a list of itself.
func items(n *yaml.Node) []*yaml.Node {
	switch {
	case n == nil:
		return nil
	case n.Kind == yaml.ScalarNode && n.Tag != "!!null":
		return []*yaml.Node{n}
	case n.Kind != yaml.SequenceNode:
		return nil
	}
	return n.Content
}

// text is the value of a scalar, "" for what is none.
func text(n *yaml.Node) string {
	if n == nil || n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		return ""
	}
	return n.Value
}

// texts are the scalars of a mapping.
func texts(n *yaml.Node) map[string]string {
	out := map[string]string{}
	for k, v := range pairs(n) {
		if v.Kind == yaml.ScalarNode {
			out[k.Value] = text(v)
		}
	}
	return out
}
