package buildrun

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/wormsweep/wormsweep/internal/verify"
)

// flow is what the workflow files of a run hold.
type flow struct {
	jobs []job
	gap  verify.Gap // why it is not known, or not whole
}

// job is a job of a workflow file.
type job struct {
	name  string // as GitHub shows it: its name, or its key
	uses  string // of a reusable workflow, "" for steps
	steps []step
}

// step is one step.
type step struct {
	name, uses, run string
	with            map[string]string
}

// shown is the name that GitHub shows a step by.
func (s *step) shown() string {
	switch {
	case s.name != "":
		return s.name
	case s.uses != "":
		return "Run " + s.uses
	}
	line, _, _ := strings.Cut(strings.TrimLeft(s.run, " \t\r\n"), "\n")
	return "Run " + strings.TrimRight(line, " \t\r")
}

// Limits of a workflow file. yaml.v3 takes up to 1 kB of memory for each mark.
const (
	maxMarks = 100_000
	maxSteps = 5000
)

// parseWorkflow reads the jobs and steps of a workflow file, or the steps of a composite action
// as one job. It is strict: one document, no repeated and no merge keys, no aliases where a text
// is wanted, so that nothing is read otherwise than GitHub reads it.
func parseWorkflow(data []byte) (jobs []job, err error) {
	defer func() {
		if v := recover(); v != nil { // of the library
			jobs, err = nil, fmt.Errorf("yaml: %.100q", fmt.Sprint(v))
		}
	}()
	root, err := decode(data)
	if err != nil {
		return nil, err
	}
	if runs := child(root, "runs"); runs != nil { // an action
		steps, err := readSteps(child(runs, "steps"))
		return []job{{name: text(child(root, "name")), steps: steps}}, err
	}
	list := child(root, "jobs")
	if list == nil || list.Kind != yaml.MappingNode {
		return nil, errors.New("no jobs")
	}
	total := 0
	for i := 0; i+1 < len(list.Content); i += 2 {
		body := follow(list.Content[i+1])
		j := job{name: list.Content[i].Value, uses: text(child(body, "uses"))}
		if name := text(child(body, "name")); name != "" {
			j.name = name
		}
		if j.steps, err = readSteps(child(body, "steps")); err != nil {
			return nil, err
		}
		if total += len(j.steps); total > maxSteps {
			return nil, fmt.Errorf("more than %d steps", maxSteps)
		}
		jobs = append(jobs, j)
	}
	return jobs, nil
}

func decode(data []byte) (*yaml.Node, error) {
	marks := 0
	for _, c := range data {
		if strings.IndexByte("\n,:-?#[{", c) >= 0 {
			marks++
		}
	}
	if len(data) > maxFile || marks > maxMarks {
		return nil, fmt.Errorf("%d bytes with %d marks: over the limit", len(data), marks)
	}
	var document, second yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	if err := decoder.Decode(&document); err != nil {
		return nil, fmt.Errorf("%.100q", err.Error())
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, errors.New("a second document")
	}
	root := follow(document.Content[0])
	if root.Kind != yaml.MappingNode {
		return nil, errors.New("not a mapping")
	}
	return root, unique(root)
}

// unique refuses repeated keys and merge keys, without recursion and not through aliases.
func unique(root *yaml.Node) error {
	for todo := []*yaml.Node{root}; len(todo) > 0; {
		n := todo[len(todo)-1]
		todo = append(todo[:len(todo)-1], n.Content...)
		if n.Kind != yaml.MappingNode {
			continue
		}
		seen := map[string]bool{}
		for i := 0; i < len(n.Content); i += 2 {
			key := follow(n.Content[i])
			if key.Kind != yaml.ScalarNode || key.Tag == "!!merge" || seen[key.Value] {
				return fmt.Errorf("line %d: the key %.100q is repeated, merged or no text", key.Line, key.Value)
			}
			seen[key.Value] = true
		}
	}
	return nil
}

func follow(n *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func child(n *yaml.Node, key string) *yaml.Node {
	if n = follow(n); n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if follow(n.Content[i]).Value == key {
			return follow(n.Content[i+1])
		}
	}
	return nil
}

func text(n *yaml.Node) string {
	if n == nil || n.Kind != yaml.ScalarNode {
		return ""
	}
	return n.Value
}

func readSteps(list *yaml.Node) ([]step, error) {
	if list == nil {
		return nil, nil
	}
	if list.Kind != yaml.SequenceNode {
		return nil, fmt.Errorf("line %d: steps are no list", list.Line)
	}
	var steps []step
	for _, n := range list.Content {
		n = follow(n)
		if n.Kind != yaml.MappingNode {
			return nil, fmt.Errorf("line %d: a step that is no mapping", n.Line)
		}
		s := step{name: text(child(n, "name")), uses: strings.TrimSpace(text(child(n, "uses"))), run: text(child(n, "run")), with: map[string]string{}}
		if with := child(n, "with"); with != nil && with.Kind == yaml.MappingNode {
			for i := 0; i+1 < len(with.Content); i += 2 {
				s.with[strings.ToLower(follow(with.Content[i]).Value)] = text(follow(with.Content[i+1]))
			}
		}
		steps = append(steps, s)
	}
	return steps, nil
}

// workflow reads the workflow of the run at its commit, and that of the job that signed where it
// is another one.
func (a *about) workflow(ctx context.Context) flow {
	id := &a.q.Identity
	ref := a.run.HeadSHA
	switch {
	case isCommit(strings.ToLower(id.BuildConfigDigest)):
		ref = id.BuildConfigDigest
	case isCommit(strings.ToLower(id.SourceDigest)):
		ref = id.SourceDigest
	}
	f := a.parsed(ctx, a.in.repo, a.run.workflow(), ref)
	if f.gap.Code != "" {
		return f
	}
	for i := range f.jobs {
		if f.jobs[i].uses == "" {
			continue
		}
		// GitHub shows the jobs of a called workflow as "caller / job".
		called := a.called(ctx, f.jobs[i].uses, ref)
		if called.gap.Code != "" {
			f.gap = called.gap
			continue
		}
		for _, inner := range called.jobs {
			inner.name = f.jobs[i].name + " / " + inner.name
			f.jobs = append(f.jobs, inner)
		}
	}
	return f
}

// called reads a reusable workflow: "./.github/workflows/x.yml", or "owner/name/path@ref".
func (a *about) called(ctx context.Context, uses, ref string) flow {
	if local, ok := strings.CutPrefix(uses, "./"); ok {
		return a.parsed(ctx, a.in.repo, local, ref)
	}
	id := &a.q.Identity
	path, at, _ := strings.Cut(uses, "@")
	owner, rest, _ := strings.Cut(path, "/")
	name, file, _ := strings.Cut(rest, "/")
	// The certificate names the commit of the workflow that signed.
	if signer, _, _ := strings.Cut(id.BuildSignerURI, "@"); strings.HasSuffix(strings.ToLower(signer), "/"+strings.ToLower(path)) && isCommit(strings.ToLower(id.BuildSignerDigest)) {
		at = id.BuildSignerDigest
	}
	return a.parsed(ctx, owner+"/"+name, file, at)
}

func (r *Reader) parsed(ctx context.Context, repo, file, ref string) flow {
	what := fmt.Sprintf("the workflow %.200q of %.200q at %.100q", file, repo, ref)
	if !isRepo(repo) || !branchForm(ref) {
		return flow{gap: verify.Gap{Code: verify.GapUnsupported, Detail: what}}
	}
	data, err := r.file(ctx, repo, file, ref)
	if err != nil {
		return flow{gap: gapOf(what, err)}
	}
	jobs, err := parseWorkflow(data)
	if err != nil {
		return flow{gap: verify.Gap{Code: verify.GapUnsupported, Detail: fmt.Sprintf("%s: %v", what, err)}}
	}
	return flow{jobs: jobs}
}
