package triage

import (
	"encoding/json"
	"regexp"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/wormsweep/wormsweep/internal/strictyaml"
)

// KnownSchema is the version of the form of a list of known false positives.
const KnownSchema = "false-positives/1"

// Limits of a list of known false positives.
const (
	MaxKnown     = 1000    // entries
	MaxKnownDays = 366     // that an entry may still count
	maxKnownSize = 1 << 20 // bytes
	day          = 24 * time.Hour
)

// ParseKnown reads a list of known false positives, as of a time. It is YAML, or the JSON that is YAML
// too; docs/triage.md shows one. The name is what errors call the file. The error joins an *Error for each
// fault, with its line; an entry that has run out is none.
func ParseKnown(name string, data []byte, now time.Time) ([]FalsePositive, error) {
	f, root := strictyaml.Open(name, data, maxKnownSize)
	if root == nil {
		return nil, f.Err(maxFaults)
	}
	r := &reader{File: f}
	list := r.known(root, now)
	if err := f.Err(maxFaults); err != nil {
		return nil, err
	}
	return list, nil
}

func (r *reader) known(root *yaml.Node, now time.Time) (list []FalsePositive) {
	keys := r.Mapping(root, "the list", "schema", "false-positives")
	switch {
	case keys == nil:
		return nil
	case keys["schema"] == nil || keys["schema"].Value != KnownSchema:
		r.Fault(root.Line, "schema is not %q", KnownSchema)
		return nil
	}
	entries := keys["false-positives"]
	if entries == nil || !r.Plain(entries, "false-positives") || entries.Kind != yaml.SequenceNode || len(entries.Content) > MaxKnown {
		r.Fault(root.Line, "false-positives is not a list of at most %d", MaxKnown)
		return nil
	}
	for _, n := range entries.Content {
		list = append(list, r.falsePositive(n, now))
	}
	return list
}

var partName = regexp.MustCompile(`^[a-z][a-z_]{0,39}$`)

func (r *reader) falsePositive(n *yaml.Node, now time.Time) (p FalsePositive) {
	keys := r.Mapping(n, "an entry", "alert", "subject", "parts", "owner", "reason", "until")
	if keys == nil {
		return p
	}
	for key, into := range map[string]*string{"alert": &p.Alert, "owner": &p.Owner, "reason": &p.Reason} {
		if keys[key] != nil {
			*into = r.text(keys[key], key)
		}
	}
	if n := keys["subject"]; n != nil {
		p.Subject = Kind(r.text(n, "subject"))
		if _, known := identifying[p.Subject]; !known {
			r.Fault(n.Line, "there is no subject %q", p.Subject)
		}
	}
	if parts := keys["parts"]; parts != nil && r.Plain(parts, "parts") && parts.Kind == yaml.MappingNode {
		p.Parts = r.parts(parts)
	}
	if n := keys["until"]; n != nil {
		last, err := time.Parse(time.DateOnly, r.text(n, "until"))
		switch p.Until = last.Add(day); {
		case err != nil:
			r.Fault(n.Line, "until is no day such as 2026-12-31")
		case p.Until.After(now.Add(MaxKnownDays * day)):
			r.Fault(n.Line, "until is more than %d days ahead", MaxKnownDays)
		}
	}
	if err := p.Check(); err != nil {
		r.Fault(n.Line, "%v", err)
	}
	return p
}

func (r *reader) parts(n *yaml.Node) map[string]string {
	var names []string
	for i := 0; i+1 < len(n.Content); i += 2 {
		names = append(names, n.Content[i].Value)
	}
	out := map[string]string{}
	for name, value := range r.Mapping(n, "parts", names...) {
		if !partName.MatchString(name) {
			r.Fault(value.Line, "%q is no name of a part", name)
		}
		out[name] = r.text(value, name) // none is empty: it would be of every subject without it
	}
	return out
}

// FormatKnown writes a list as ParseKnown reads it.
func FormatKnown(list []FalsePositive) ([]byte, error) {
	type entry struct {
		Alert   string            `json:"alert"`
		Subject Kind              `json:"subject,omitempty"`
		Parts   map[string]string `json:"parts"`
		Owner   string            `json:"owner"`
		Reason  string            `json:"reason"`
		Until   string            `json:"until"`
	}
	out := struct {
		Schema  string  `json:"schema"`
		Entries []entry `json:"false-positives"`
	}{KnownSchema, []entry{}}
	for _, p := range list {
		out.Entries = append(out.Entries, entry{p.Alert, p.Subject, p.Parts, p.Owner, p.Reason, p.Until.UTC().Add(-day).Format(time.DateOnly)})
	}
	return json.MarshalIndent(out, "", " ")
}
