package discover

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/wormsweep/wormsweep/internal/policy"
)

// write composes the proposal.
func (d *discovery) write(existing *policy.Policy) (*Proposal, error) {
	p := &policy.Policy{Version: 1, Organisation: d.opt.Organisation}
	notes := map[policy.Place][]string{}
	out := &Proposal{Notes: d.notes, Unread: d.unread}
	for _, c := range d.found {
		if existing != nil && d.isThere(existing, c, out) {
			continue
		}
		p.Artifacts = append(p.Artifacts, c.Artifact)
		out.Added = append(out.Added, c.ID())
		maps.Copy(notes, c.notes)
	}
	if existing == nil {
		p.Registries = slices.SortedFunc(slices.Values(d.registries), byName)
		for _, g := range p.Registries {
			notes[policy.Place{Item: "registry " + g.Name}] = []string{"a manifest names it: is it one of yours?"}
		}
		notes[policy.Place{}] = []string{
			"Proposed by wormsweep from what repositories, registries and GitHub say. Whoever can write there",
			"could have written it: look at each line, fill in what is missing, and tighten it. See docs/policy.md.",
		}
		notes[policy.Place{Key: "artifacts"}] = notProposed(d)
		out.Text = policy.Print(p, notes)
		_, out.Missing = d.opt.Parse(d.opt.Name, out.Text)
		return out, nil
	}
	out.Text = d.opt.Existing
	if len(p.Artifacts) == 0 {
		return out, nil
	}
	text, err := insert(d.opt.Existing, artifactLines(policy.Print(p, notes)))
	if err != nil {
		out.Added = nil
		out.Notes = append(out.Notes, err.Error())
		for line := range strings.Lines(string(artifactLines(policy.Print(p, notes)))) {
			out.Notes = append(out.Notes, strings.TrimSuffix(line, "\n"))
		}
		return out, nil
	}
	merged, err := d.opt.Parse(d.opt.Name, text)
	if err == nil && !keeps(existing, merged) {
		return nil, errors.New("the policy with the added artifacts would read as another one: nothing is added")
	}
	out.Text, out.Missing = text, err
	return out, nil
}

// notProposed are the comments about what is not in the proposal.
func notProposed(d *discovery) []string {
	out := slices.Clone(d.notes)
	for _, unread := range d.unread {
		out = append(out, "not read: "+unread)
	}
	return out
}

// isThere reports whether the policy has the artifact, or has no place for it, and notes what
// would be proposed otherwise. The policy stays as it is.
func (d *discovery) isThere(existing *policy.Policy, c *candidate, out *Proposal) bool {
	at := slices.IndexFunc(existing.Artifacts, func(a policy.Artifact) bool { return strings.EqualFold(a.ID(), c.ID()) })
	if at >= 0 {
		was := existing.Artifacts[at]
		for _, line := range differences(&was, &c.Artifact) {
			out.Notes = append(out.Notes, fmt.Sprintf("%q: %s", c.ID(), line))
		}
		return true
	}
	if c.Registry != "" && !slices.ContainsFunc(existing.Registries, func(g policy.Registry) bool { return g.Name == c.Registry }) {
		out.Notes = append(out.Notes, fmt.Sprintf("%q: published at %q, which is none of the registries of the policy: not added", c.ID(), c.Registry))
		return true
	}
	return false
}

// differences are the lines of an artifact of the policy that would be proposed otherwise: as
// "-" it stands, "+" is proposed. What a person added is not listed.
func differences(was, proposed *policy.Artifact) []string {
	var out []string
	print := func(a *policy.Artifact) []string {
		text := policy.Print(&policy.Policy{Version: 1, Artifacts: []policy.Artifact{*a}}, nil)
		var lines []string
		for l := range strings.Lines(string(artifactLines(text))) {
			lines = append(lines, strings.TrimPrefix(strings.TrimSpace(l), "- "))
		}
		return lines
	}
	before := print(was)
	for _, line := range print(proposed) {
		key, _, _ := strings.Cut(line, ":")
		if slices.Contains(before, line) {
			continue
		}
		for _, b := range before {
			if strings.HasPrefix(b, key+":") {
				out = append(out, "- "+b)
			}
		}
		out = append(out, "+ "+line)
	}
	return out
}

// artifactLines are the lines of a printed policy after "artifacts:".
func artifactLines(text []byte) []byte {
	_, after, _ := bytes.Cut(append([]byte("\n"), text...), []byte("\nartifacts:\n"))
	return after
}

// insert adds lines, which are indented by two, to the end of the list of artifacts. Not a
// byte of what is there changes.
func insert(text, lines []byte) ([]byte, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	root := doc.Content[0]
	var list *yaml.Node
	end := 0 // the line of the key that follows the list, 0 for none
	for i := 0; i+1 < len(root.Content); i += 2 {
		switch key := root.Content[i]; {
		case list != nil:
			end = key.Line
		case key.Value == "artifacts":
			list = root.Content[i+1]
			continue
		}
		if end > 0 {
			break
		}
	}
	if root.Style&yaml.FlowStyle != 0 || list == nil || list.Style&yaml.FlowStyle != 0 || list.Kind != yaml.SequenceNode {
		return nil, errors.New("artifacts is written as [...]: add these by hand")
	}
	all := slices.Collect(strings.Lines(string(text)))
	at := len(all)
	if end > 0 {
		at = end - 1
	}
	for at > 0 && (strings.TrimSpace(all[at-1]) == "" || strings.HasPrefix(all[at-1], "#") || strings.HasPrefix(all[at-1], "...")) {
		at-- // what stands before the next key, or at the end of the file, belongs to that
	}
	before := strings.Join(all[:at], "")
	if !strings.HasSuffix(before, "\n") {
		before += "\n"
	}
	indent := strings.Repeat(" ", list.Column-1)
	var b strings.Builder
	b.WriteString(before)
	for l := range strings.Lines(string(lines)) {
		b.WriteString(indent + strings.TrimPrefix(l, "  "))
	}
	b.WriteString(strings.Join(all[at:], ""))
	return []byte(b.String()), nil
}

// keeps reports whether what a policy had is in another one as it was.
func keeps(was, is *policy.Policy) bool {
	if len(is.Artifacts) < len(was.Artifacts) || len(is.Registries) != len(was.Registries) {
		return false
	}
	for i := range was.Artifacts {
		if was.Artifacts[i].ID() != is.Artifacts[i].ID() || was.Digest(&was.Artifacts[i]) != is.Digest(&is.Artifacts[i]) {
			return false
		}
	}
	return true
}
