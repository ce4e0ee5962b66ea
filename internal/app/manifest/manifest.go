// Package manifest says what the GitHub App asks of GitHub: which permissions and which events,
// and why. Documents, "app setup" and "app check" all have it from here.
//
// It is pure. Permissions come in tiers, each with all of the one before. Nothing asks for more
// than the program uses: nothing writes but issues and check runs, and what names secrets or reads
// settings of administrators is in the last tier alone.
package manifest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/wormsweep/wormsweep/pkg/registry/host"
)

// Tier is a set of permissions that belong together, by what the App does with them.
type Tier string

// The tiers, the smallest first.
const (
	Sweep  Tier = "sweep"        // repositories are swept by a schedule, and an incident is filed: docs/github.md
	Detect Tier = "detect"       // and GitHub's deliveries are answered: docs/app.md
	Blast  Tier = "blast-radius" // and what a job could read is named, once one has run what is bad
)

// Tiers are all of them, the smallest first.
var Tiers = []Tier{Sweep, Detect, Blast}

// Permission is one permission, the tier that asks for it first, and the reason. Name and level are
// those of default_permissions.
type Permission struct {
	Name, Level  string
	Tier         Tier
	Organisation bool   // of the organisation, and not of its repositories
	Why          string // a sentence of Markdown
	Without      string // what does not work where it was not granted; a sentence of Markdown
}

// Permissions are all that any tier asks for, in the order in which people are told of them.
var Permissions = []Permission{
	{"metadata", "read", Sweep, false, "Names, states, default branches and their protection.", "Nothing works."},
	{"contents", "read", Sweep, false, "Lockfiles, workflow files and the trees that name all others; pushes, tags and releases as events.", "Nothing works."},
	{"issues", "write", Sweep, false, "The incident issue, and the commands in its comments. A token for it is made for the incident repository alone.", "No incident is filed."},
	{"pull_requests", "read", Sweep, false, "What a pull request is about to bring in.", "Pull requests are not looked at."},
	{"organization_self_hosted_runners", "read", Sweep, true, "Names of self-hosted runners: worms registered their own.", "Runners are not looked at."},
	{"members", "read", Sweep, true, "Who is in the responders' team, at the moment of a command; newest public repositories of members, where worms publish what they stole.", "No command in a comment is obeyed."},
	{"actions", "read", Sweep, false, "Which run built what we published, and which run installed a bad version inside its window.", "Those questions are answered with unknown, and go to a person."},
	{"packages", "read", Sweep, false, "Versions and tags in GitHub Packages that the policy names; the event of a new one.", "They are asked for where the registry itself answers, and seen minutes later."},
	{"attestations", "read", Sweep, false, "What was attested of our own artifacts.", "What has no other proof is not verified."},
	{"checks", "write", Detect, false, "The check run that fails where a change brings an indicator in, with a note on the line.", "A finding in a pull request is seen in the incident alone."},
	{"merge_queues", "read", Detect, false, "What a merge queue is about to merge.", "A required check holds the merge queue up."},
	{"vulnerability_alerts", "read", Detect, false, "Dependabot's alerts, malware among them, as a second opinion.", "They are not heard."},
	{"secret_scanning_alerts", "read", Detect, false, "That a secret leaked, and where; never the secret.", "It is not heard."},
	{"deployments", "read", Detect, false, "The event of a deploy key, which GitHub tells with it: a way to push that is no person's.", "It is not heard."},
	{"secrets", "read", Blast, false, "Names of the secrets that a job could read, and when each was changed last; GitHub shows no value of one.", "What is to be rotated is read from the workflow's text alone."},
	{"dependabot_secrets", "read", Blast, false, "The same of Dependabot's.", "Those are not named."},
	{"environments", "read", Blast, false, "The same of environments.", "Those are not named."},
	{"administration", "read", Blast, false, "What the token of a workflow may do where its text does not say.", "It is taken for one that may write."},
}

// Event is an event that the App subscribes to, the tier that does first, the permission that
// GitHub wants for it ("" is none), and what it is heard for.
type Event struct {
	Name  string
	Tier  Tier
	Needs string
	Why   string // a sentence of Markdown
}

// Events are all of them. Those that GitHub sends to every App (installation,
// installation_repositories, ping) are not subscribed to.
var Events = []Event{
	{"push", Detect, "contents", "The changed lockfiles of the ref are swept at once."},
	{"pull_request", Detect, "pull_requests", "A check run says what the change brings in."},
	{"merge_group", Detect, "merge_queues", "The same of a merge queue."},
	{"create", Detect, "contents", "A tag is a hint of a publish."},
	{"delete", Detect, "contents", "A tag that goes is a hint of one that is covered up."},
	{"release", Detect, "contents", "A hint of a publish."},
	{"registry_package", Detect, "packages", "A hint of a publish."},
	{"workflow_run", Detect, "actions", "A hint of a publish, and of who ran it."},
	{"security_advisory", Detect, "", "The catalogue is refreshed, and the inventory matched again."},
	{"dependabot_alert", Detect, "vulnerability_alerts", "A signal."},
	{"secret_scanning_alert", Detect, "secret_scanning_alerts", "A signal."},
	{"secret_scanning_alert_location", Detect, "secret_scanning_alerts", "Where it is."},
	{"repository", Detect, "metadata", "Worms make repositories, and make them public."},
	{"public", Detect, "metadata", "A private repository that is made public is a signal."},
	{"member", Detect, "members", "A collaborator who is added is a signal."},
	{"deploy_key", Detect, "deployments", "A key that may push and is added is a signal."},
	{"issue_comment", Detect, "issues", "Commands of the responders."},
	{"issues", Detect, "issues", "An incident that a person closed or opened again."},
}

// has reports whether a tier has what another one brought.
func (t Tier) has(brought Tier) bool {
	return slices.Index(Tiers, brought) <= slices.Index(Tiers, t)
}

// ParseTier finds a tier by its name.
func ParseTier(name string) (Tier, error) {
	if !slices.Contains(Tiers, Tier(name)) {
		return "", fmt.Errorf("%q is no tier: there are %v", name, Tiers)
	}
	return Tier(name), nil
}

// Permissions are those of the tier, in the order of the table.
func (t Tier) Permissions() []Permission {
	return slices.DeleteFunc(slices.Clone(Permissions), func(p Permission) bool { return !t.has(p.Tier) })
}

// Events are those of the tier, in the order of the table.
func (t Tier) Events() []Event {
	return slices.DeleteFunc(slices.Clone(Events), func(e Event) bool { return !t.has(e.Tier) })
}

// Manifest is what GitHub reads of an App that is to be made, in its own words.
type Manifest struct {
	Name        string            `json:"name"`
	URL         string            `json:"url"`
	Description string            `json:"description,omitempty"`
	Public      bool              `json:"public"`
	Hook        Hook              `json:"hook_attributes"`
	RedirectURL string            `json:"redirect_url,omitempty"`
	Permissions map[string]string `json:"default_permissions"`
	Events      []string          `json:"default_events"`
}

// Hook is the webhook of an App. GitHub wants an address of one that is not active too.
type Hook struct {
	URL    string `json:"url"`
	Active bool   `json:"active"`
}

// NoHook is the address of a webhook that nothing is sent to.
const NoHook = "https://example.com/not-used"

// maxName is the length of the longest name that GitHub takes for an App.
const maxName = 34

// New is the manifest of a tier. hook is where deliveries go, "" where the App is to have none, and
// events with it; redirect is where GitHub leads the browser with the code.
func New(t Tier, name, hook, redirect string) (Manifest, error) {
	if name == "" || len(name) > maxName {
		return Manifest{}, fmt.Errorf("the name of the App %q: GitHub wants 1 to %d characters", name, maxName)
	}
	m := Manifest{
		Name: name, URL: "https://" + host.GitHub + "/wormsweep/wormsweep",
		Description: "Sweeps for the traces of supply-chain worms.",
		Hook:        Hook{hook, hook != ""}, RedirectURL: redirect,
		Permissions: map[string]string{}, Events: []string{},
	}
	if hook == "" {
		m.Hook.URL = NoHook
	}
	for _, p := range t.Permissions() {
		m.Permissions[p.Name] = p.Level
	}
	if hook != "" {
		for _, e := range t.Events() {
			m.Events = append(m.Events, e.Name)
		}
	}
	return m, nil
}

// JSON is the manifest as it is sent.
func (m Manifest) JSON() []byte {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		panic(err) // it holds nothing that JSON does not
	}
	return append(text, '\n')
}

// levels of a permission, in rising order.
var levels = []string{"", "read", "write", "admin"}

// Lacking are the permissions of the tier that are not among those that were granted.
func (t Tier) Lacking(granted map[string]string) []Permission {
	return slices.DeleteFunc(t.Permissions(), func(p Permission) bool {
		return slices.Index(levels, granted[p.Name]) >= slices.Index(levels, p.Level)
	})
}

// Beyond are the names of permissions that were granted and that no tier up to t asks for, or not
// at that level, in order.
func (t Tier) Beyond(granted map[string]string) []string {
	asked := map[string]string{}
	for _, p := range t.Permissions() {
		asked[p.Name] = p.Level
	}
	var beyond []string
	for _, name := range slices.Sorted(maps.Keys(granted)) {
		if slices.Index(levels, granted[name]) > slices.Index(levels, asked[name]) {
			beyond = append(beyond, name+": "+granted[name])
		}
	}
	return beyond
}
