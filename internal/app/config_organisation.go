package app

import (
	"regexp"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/wormsweep/wormsweep/internal/triage"
)

// The forms of names on GitHub. What they leave out has no meaning in an address.
var (
	accountName    = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,99})$`)
	repositoryName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)
)

func (r *reader) organisation(n *yaml.Node) {
	text, line, ok := r.text(n, "organisation", "")
	if ok && text != "" && !accountName.MatchString(text) {
		r.Fault(line, "organisation: %q is no name of an account", text)
		return
	}
	r.config.Organisation = text
}

func (r *reader) team(n *yaml.Node, what string, into *string) {
	text, line, ok := r.text(n, what, "")
	switch {
	case !ok || text == "":
	case !accountName.MatchString(text):
		r.Fault(line, "%s: %q is no slug of a team, such as \"incident-response\"", what, text)
	case r.config.Organisation == "":
		r.Fault(line, "%s: a team is one of the organisation, and no organisation is named", what)
	default:
		*into = text
	}
}

func (r *reader) onCall(n *yaml.Node) {
	r.team(n, "on-call", &r.config.OnCall)
	if r.config.OnCall != "" && r.config.Responders == "" {
		r.Fault(n.Line, "on-call: without responders nobody is called")
	}
}

// falsePositives are the signals that are known to be false, from a file.
func (r *reader) falsePositives(n *yaml.Node) {
	text, line, ok := r.text(n, "false-positives", "")
	if !ok || text == "" {
		return
	}
	name := r.path(text)
	data, err := readFile(name, maxConfig)
	if err == nil {
		r.config.Known, err = triage.ParseKnown(name, data, time.Now())
	}
	if err != nil {
		r.Fault(line, "false-positives: %v", err)
	}
}

// repository is OWNER/NAME. Where an organisation is named it is one of its own.
func (r *reader) repository(n *yaml.Node, what string, into *string) {
	text, line, ok := r.text(n, what, "")
	if !ok || text == "" {
		return
	}
	owner, name, _ := strings.Cut(text, "/")
	switch {
	case !accountName.MatchString(owner) || !repositoryName.MatchString(name) || strings.Trim(name, ".") == "":
		r.Fault(line, "%s: %q is not OWNER/NAME", what, text)
	case r.config.Organisation != "" && !strings.EqualFold(owner, r.config.Organisation):
		r.Fault(line, "%s: %q is not of the organisation %q", what, text, r.config.Organisation)
	default:
		*into = text
	}
}

// The variables of a chat that is told of incidents. They are those of the sweeper.
const (
	EnvSlackWebhook = "WORMSWEEP_SLACK_WEBHOOK"
	EnvSlackToken   = "WORMSWEEP_SLACK_TOKEN"
	EnvSlackChannel = "WORMSWEEP_SLACK_CHANNEL"
)
