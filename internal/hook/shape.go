package hook

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// shapes tell the bodies of the events that somebody acts on from each other, by members that
// each has. Two names with a dot are of a member of a member.
// From https://docs.github.com/webhooks/webhook-events-and-payloads.
var shapes = map[string][]string{
	"check_run":                      {"check_run", "repository"},
	"check_suite":                    {"check_suite", "repository"},
	"code_scanning_alert":            {"alert", "alert.rule", "ref", "repository"},
	"create":                         {"ref", "ref_type", "master_branch", "repository"},
	"delete":                         {"ref", "ref_type", "repository"},
	"dependabot_alert":               {"alert", "alert.dependency", "repository"},
	"installation":                   {"action", "installation", "installation.account", "installation.app_id"},
	"installation_repositories":      {"repositories_added", "repositories_removed", "installation"},
	"issue_comment":                  {"issue", "comment", "repository"},
	"issues":                         {"issue", "repository"},
	"member":                         {"member", "repository"},
	"merge_group":                    {"merge_group", "repository"},
	"meta":                           {"hook", "hook_id"},
	"package":                        {"package", "repository"},
	"ping":                           {"zen", "hook", "hook_id"},
	"pull_request":                   {"pull_request", "number", "repository"},
	"push":                           {"ref", "before", "after", "commits", "repository"},
	"registry_package":               {"registry_package"},
	"release":                        {"release", "repository"},
	"repository":                     {"action", "repository"},
	"repository_advisory":            {"repository_advisory", "repository"},
	"secret_scanning_alert":          {"alert", "alert.secret_type", "repository"},
	"secret_scanning_alert_location": {"alert", "location"},
	"security_advisory":              {"security_advisory"},
	"workflow_job":                   {"workflow_job", "repository"},
	"workflow_run":                   {"workflow_run", "repository"},
}

// subjects are members that say what a body is about. One that the shape of an event does not
// name makes a body that of another event.
var subjects = []string{
	"ref", "ref_type", "master_branch", "commits", "pull_request", "merge_group", "check_run", "check_suite", "issue", "comment",
	"member", "membership", "team", "release", "package", "registry_package", "workflow_run", "workflow_job", "alert", "location",
	"security_advisory", "repository_advisory", "repositories_added", "hook", "zen", "review", "thread", "discussion", "deployment",
}

// shape reads what every body has, and compares it with the event that a header named. A body
// that is no JSON object, or that names a member twice, is none of GitHub's.
func shape(event string, body []byte) (action string, installation int64, err error) {
	action, installation, members, err := members(body)
	if err != nil {
		return "", 0, fmt.Errorf("the body: %w", err)
	}
	shape, known := shapes[event]
	if !known {
		return action, installation, nil
	}
	for _, name := range shape {
		if !members[name] {
			return "", 0, fmt.Errorf("the body has no %q, as those of the event %q have", name, event)
		}
	}
	for _, name := range subjects {
		if members[name] && !slices.Contains(shape, name) {
			return "", 0, fmt.Errorf("the body has a %q, as those of the event %q have not", name, event)
		}
	}
	// Of bodies about a repository alone, and of those about an installation alone.
	if event == "installation" && members["repository"] {
		return "", 0, errors.New(`the body has a "repository", as those of the event "installation" have not`)
	}
	return action, installation, nil
}

// members reads the names of a body's members, and of those of the members that shapes look into.
func members(body []byte) (action string, installation int64, names map[string]bool, err error) {
	// GitHub may send text that is no UTF-8, as commits have it. Names are looked at here.
	dec := jsontext.NewDecoder(bytes.NewReader(body), jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	names = map[string]bool{}
	err = object(dec, func(name string) error {
		if names[name] {
			return fmt.Errorf("has %q twice", name)
		}
		names[name] = true
		switch {
		case name == "action" && dec.PeekKind() == '"':
			token, err := dec.ReadToken()
			if text := token.String(); err == nil && word(text) {
				action = text // GitHub's are words; nobody acts on another
			}
			return err
		case (name == "installation" || name == "alert") && dec.PeekKind() == '{':
			return object(dec, func(inner string) error {
				if names[name+"."+inner] {
					return fmt.Errorf("has %q twice", name+"."+inner)
				}
				names[name+"."+inner] = true
				if name != "installation" || inner != "id" || dec.PeekKind() != '0' {
					return dec.SkipValue()
				}
				token, err := dec.ReadToken()
				if err != nil {
					return err
				}
				installation, err = token.Int()
				return err
			})
		}
		return dec.SkipValue()
	})
	if err != nil {
		return "", 0, nil, err
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return "", 0, nil, errors.New("more than one JSON value")
	}
	return action, installation, names, nil
}

// object calls f at the value of each member of the object that comes next. f reads the value.
func object(dec *jsontext.Decoder, f func(name string) error) error {
	if dec.PeekKind() != '{' {
		return errors.New("not a JSON object")
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() == '"' {
		token, err := dec.ReadToken()
		if err != nil {
			return err
		}
		if err := f(token.String()); err != nil {
			return err
		}
	}
	_, err := dec.ReadToken()
	return err
}

// Known are the events whose bodies are told from each other, sorted.
func Known() []string { return slices.Sorted(maps.Keys(shapes)) }
