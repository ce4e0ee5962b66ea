package workflow

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// File is a workflow, or an action.
type File struct {
	Jobs []Job // of an action, one that has its steps
	// Action says that it is an action. Steps of its one job are nil where it is made of none.
	Action bool
	// Permissions and Secrets are of the whole workflow, for every job.
	Permissions *Permissions // nil where it does not say
	Secrets     Secrets
}

// Job is a job.
type Job struct {
	Key   string
	Name  string // as GitHub shows it: its name, or its key
	Uses  string // of a reusable workflow, "" for steps
	Steps []Step

	RunsOn      []string // labels, as written; an expression is one
	Group       string   // of runners
	Environment string   // as written
	Permissions *Permissions
	Secrets     Secrets // of the whole job with its steps, but for what it passes on
	// Inherits says that a reusable workflow is given every secret, and Passes which of its
	// secrets it is given, by its names for them.
	Inherits bool
	Passes   map[string]Secrets
}

// Step is one step.
type Step struct {
	Name, Uses, Run string
	With            map[string]string
	Secrets         Secrets
}

// Permissions are those of a job's token. One that names some has no others.
type Permissions struct {
	All  string            // "read-all", "write-all", or "" where Each counts
	Each map[string]string // "contents": "read"
}

// May reports whether the token has the permission at "write". A nil p does not say.
func (p *Permissions) May(name string) bool {
	return p != nil && (p.All == "write-all" || p.All == "" && p.Each[name] == "write")
}

// Parse reads a workflow, or an action.
func Parse(data []byte) (f *File, err error) {
	defer func() {
		if v := recover(); v != nil { // of the library
			f, err = nil, fmt.Errorf("yaml: %.100q", fmt.Sprint(v))
		}
	}()
	root, err := decode(data)
	if err != nil {
		return nil, err
	}
	var b budget
	if runs := child(root, "runs"); runs != nil {
		steps, err := b.steps(child(runs, "steps"))
		return &File{Action: true, Jobs: []Job{{Name: text(child(root, "name")), Steps: steps}}}, err
	}
	list := child(root, "jobs")
	if list == nil || list.Kind != yaml.MappingNode {
		return nil, errors.New("no jobs")
	}
	f = &File{}
	if f.Permissions, err = readPermissions(child(root, "permissions")); err != nil {
		return nil, err
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		if name := follow(root.Content[i]).Value; name != "jobs" && name != "on" {
			b.read(&f.Secrets, root.Content[i+1], name)
		}
	}
	total := 0
	for i := 0; i+1 < len(list.Content); i += 2 {
		j, err := b.job(follow(list.Content[i]).Value, follow(list.Content[i+1]))
		if err != nil {
			return nil, err
		}
		if total += len(j.Steps); total > maxSteps {
			return nil, fmt.Errorf("more than %d steps", maxSteps)
		}
		f.Jobs = append(f.Jobs, j)
	}
	return f, nil
}

func (b *budget) job(key string, body *yaml.Node) (Job, error) {
	j := Job{Key: key, Name: key, Uses: strings.TrimSpace(text(child(body, "uses")))}
	if name := text(child(body, "name")); name != "" {
		j.Name = name
	}
	var err error
	if j.Steps, err = b.steps(child(body, "steps")); err != nil {
		return j, err
	}
	if j.Permissions, err = readPermissions(child(body, "permissions")); err != nil {
		return j, err
	}
	runsOn := child(body, "runs-on")
	if runsOn != nil && runsOn.Kind == yaml.MappingNode {
		j.Group = text(child(runsOn, "group"))
		runsOn = child(runsOn, "labels")
	}
	j.RunsOn = texts(runsOn)
	environment := child(body, "environment")
	if environment != nil && environment.Kind == yaml.MappingNode {
		environment = child(environment, "name")
	}
	j.Environment = text(environment)
	b.secrets(&j, body)
	return j, nil
}

// secrets reads what the job's text names, and apart from it what it passes on.
func (b *budget) secrets(j *Job, body *yaml.Node) {
	if body.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(body.Content); i += 2 {
		name, value := follow(body.Content[i]).Value, follow(body.Content[i+1])
		if name != "secrets" || j.Uses == "" {
			b.read(&j.Secrets, value, name)
			continue
		}
		if value.Kind != yaml.MappingNode {
			j.Inherits = true // or whatever else it may be
			continue
		}
		j.Passes = map[string]Secrets{}
		for k := 0; k+1 < len(value.Content); k += 2 {
			passed := follow(value.Content[k]).Value
			var s Secrets
			b.read(&s, value.Content[k+1], "secrets."+passed)
			j.Passes[strings.ToUpper(passed)] = s
		}
	}
}

func readPermissions(n *yaml.Node) (*Permissions, error) {
	switch {
	case n == nil:
		return nil, nil
	case n.Kind == yaml.MappingNode:
		p := &Permissions{Each: map[string]string{}}
		for i := 0; i+1 < len(n.Content); i += 2 {
			p.Each[follow(n.Content[i]).Value] = text(follow(n.Content[i+1]))
		}
		return p, nil
	case n.Kind == yaml.ScalarNode && (n.Value == "read-all" || n.Value == "write-all"):
		return &Permissions{All: n.Value}, nil
	}
	return nil, fmt.Errorf("line %d: permissions are no mapping, read-all or write-all", n.Line)
}

func (b *budget) steps(list *yaml.Node) ([]Step, error) {
	if list == nil {
		return nil, nil
	}
	if list.Kind != yaml.SequenceNode {
		return nil, fmt.Errorf("line %d: steps are no list", list.Line)
	}
	var steps []Step
	for _, n := range list.Content {
		n = follow(n)
		if n.Kind != yaml.MappingNode {
			return nil, fmt.Errorf("line %d: a step that is no mapping", n.Line)
		}
		s := Step{Name: text(child(n, "name")), Uses: strings.TrimSpace(text(child(n, "uses"))), Run: text(child(n, "run")), With: map[string]string{}}
		if with := child(n, "with"); with != nil && with.Kind == yaml.MappingNode {
			for i := 0; i+1 < len(with.Content); i += 2 {
				s.With[strings.ToLower(follow(with.Content[i]).Value)] = text(follow(with.Content[i+1]))
			}
		}
		b.read(&s.Secrets, n, "")
		s.Secrets.sort()
		steps = append(steps, s)
	}
	return steps, nil
}

// texts are a text, or a list of them.
func texts(n *yaml.Node) []string {
	switch {
	case n == nil:
		return nil
	case n.Kind == yaml.ScalarNode:
		return []string{n.Value}
	case n.Kind == yaml.SequenceNode:
		var out []string
		for _, v := range n.Content {
			out = append(out, text(follow(v)))
		}
		return out
	}
	return nil
}
