package respond

import (
	"cmp"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/host"
)

// rotations are the kinds of credentials, in the order in which they are replaced: what can publish
// first, then what can reach further. The kinds of the runbook's table.
var rotations = []struct {
	kind  string
	of    []registry.Kind // the kinds of artifacts whose publishing needs it; nil: always
	title string
	link  string
	probe string
	note  string
}{
	{
		"npm",
		[]registry.Kind{registry.NPM},
		"npm tokens and trusted publishers", "https://" + host.NPMWeb + "/settings/~/tokens",
		"The old token is refused by npm whoami, and the new one was made after the incident.",
		"A person with a second factor does it. Look at the trusted publisher of each package: it may name another workflow now.",
	},
	{
		"pypi",
		[]registry.Kind{registry.PyPI},
		"PyPI tokens and trusted publishers", "https://" + host.PyPI + "/manage/account/",
		"No token and no publisher is left that was there before.", "Look at the roles of the project, too: there is no way for a program to ask for them.",
	},
	{
		"harbor",
		[]registry.Kind{registry.OCI},
		"robots and users of the container registry", "",
		"The robot's secret was made after the incident, and the old one is refused.", "Harbor's robots can be replaced by its API.",
	},
	{
		"github", nil, "GitHub tokens, keys of apps, deploy keys and secrets of workflows", "https://" + host.GitHub + "/settings/tokens",
		"Every secret of the repositories and of the organisation was written after the incident.",
		"Fine-grained tokens can be revoked by the organisation, classic ones by their owner. Look for keys, runners and repositories that are new.",
	},
	{
		"aws", nil, "cloud credentials", "",
		"No long-lived key is left, and each role trusts one repository and ref.", "A role that trusts a token's subject by a pattern is open to every repository that fits.",
	},
	{
		"other", nil, "webhooks of chats and all else that the job could read", "", "Each is replaced, or written down with who does it.", "",
	},
}

// rotation plans the credentials. They are listed before one is replaced, and none is replaced
// while what stole it still runs: a new one would be stolen as well, and some of these worms delete
// the home folder of whoever revokes the token that they watch.
func (b *withdrawal) rotation() {
	contained := b.add(Step{
		ID: "contain", Title: "Take the machine or runner of the bad publish off the network, and what watches tokens off it", Class: Human,
		Why:   "Do not revoke a token before that. Some of these worms leave a service, gh-token-monitor, that deletes the home folder when the stolen token is revoked.",
		Probe: Probe{Text: "The machine is off the network, or is a hosted runner whose job has ended, and no such service is on it."},
		Notes: append([]string{"Memory and disk are evidence: keep them before it is built anew."}, b.exposedRunners()...),
	})
	list := Step{
		ID: "list-credentials", Title: "List every credential that the job or machine could read", Class: Human,
		Why:   "First list, then replace: what is replaced before the list is whole is what is forgotten.",
		Probe: Probe{Text: "Two people looked at the list."},
	}
	known, _ := b.in.Credentials.Get()
	for _, c := range known {
		list.Notes = append(list.Notes, c.Kind+": "+c.Name+", of "+c.Holder)
	}
	if b.in.Credentials.Knowledge != registry.Present {
		list.Notes = append(list.Notes, "Nobody found out what the job could read: until then every kind below is taken to be read.")
	}
	list.Notes = append(list.Notes, b.exposedLines()...)
	if b.in.Exposed.Knowledge != registry.Present {
		list.Notes = append(list.Notes, "Nobody looked which CI runs installed a bad version, and what those could read.")
	}
	listed := b.add(list)
	whole := b.in.Credentials.Knowledge == registry.Present && b.exposedWhole()
	for _, r := range rotations {
		var names []string
		for _, c := range known {
			if kindOfCredential(c.Kind) == r.kind {
				names = append(names, c.Name+", of "+c.Holder)
			}
		}
		names = append(names, b.exposedOf(r.kind)...)
		if whole && len(names) == 0 {
			continue
		}
		if len(names) == 0 && r.of != nil && !slices.ContainsFunc(b.in.Artifacts, func(a Ours) bool { return slices.Contains(r.of, a.Kind) }) {
			continue
		}
		s := Step{
			ID: "rotate-" + r.kind, Title: "Replace " + r.title, Class: Human, Link: r.link, After: append(slices.Clone(b.frozen), contained, listed),
			Probe: Probe{Text: r.probe}, Notes: names,
		}
		if r.note != "" {
			s.Notes = append(s.Notes, r.note)
		}
		if r.kind == "github" && okOwner(b.in.Organisation) {
			s.Link = "https://" + host.GitHub + "/organizations/" + b.in.Organisation + "/settings/secrets/actions"
		}
		b.rotated = append(b.rotated, b.add(s))
	}
}

// kindOfCredential is one of rotations; what has no row of its own is of the last.
func kindOfCredential(kind string) string {
	for _, r := range rotations {
		if r.kind == kind {
			return kind
		}
	}
	return rotations[len(rotations)-1].kind
}

// aftermath plans what follows: consumers, the advisory, the lists, a clean version, the report.
func (b *withdrawal) aftermath() {
	b.consumers()
	var drafted []string
	for _, source := range b.sources() {
		d := b.advisory(source)
		b.plan.Drafts = append(b.plan.Drafts, d)
		draft := b.add(Step{
			ID: "advisory-draft-" + slug(source), Title: "Open the draft of the advisory in " + source, Class: Automatic, Repository: source,
			Link:     githubLink(source, "/security/advisories/new"),
			Why:      "It names each bad version by itself. A range would warn of versions that are good, and be silent of one that comes.",
			Commands: []Command{command("gh", "api", "--method", "POST", advisoryPath(source), "--input", d.ID)},
			Probe:    Probe{Text: "The draft is there, and nobody outside can read it."},
		})
		drafted = append(drafted, b.add(Step{
			ID: "advisory-publish-" + slug(source), Title: "Publish the advisory of " + source, Class: Human, Repository: source, After: []string{draft},
			Link:         githubLink(source, "/security/advisories"),
			Irreversible: "What was published and mailed to consumers cannot be taken back.",
			Why:          "GitHub's review takes it into its database, and then every consumer with Dependabot is told: the widest notice that there is.",
			Probe:        Probe{Text: "The advisory can be read without signing in."},
			Notes:        []string{"A CVE can be asked for; whoever gives them may decline for what is malicious from the start."},
		}))
	}
	for i := range b.in.Artifacts {
		a := &b.in.Artifacts[i]
		if d, ok := a.osv(); ok {
			b.plan.Drafts = append(b.plan.Drafts, d)
			b.add(Step{
				ID: "osv-" + a.slug(), Title: "Hand the record of " + a.id() + " to the list of malicious packages", Class: Human, After: drafted,
				Link:  "https://" + host.GitHub + "/ossf/malicious-packages",
				Why:   "Scanners read it. Releases of an account that was taken over belong there.",
				Probe: Probe{Text: "The record is merged, and has a MAL- id."},
				Notes: []string{"The draft is " + d.ID + ". The id is given there."},
			})
		}
	}
	b.plan.Drafts = append(b.plan.Drafts, b.ownList())
	b.add(Step{
		ID: "own-list", Title: "Put the bad versions on our own list of indicators", Class: Automatic,
		Why:   "The next sweep then finds who still has one.",
		Probe: Probe{Text: "A sweep with the list finds a planted entry of it."},
		Notes: []string{"The draft is " + listName + ". Entries are never taken off it: they are withdrawn."},
	})
	b.plan.Drafts = append(b.plan.Drafts, b.notices()...)
	b.add(Step{
		ID: "notify", Title: "Tell the consumers, each of the list, by mail and chat", Class: Human, After: drafted,
		Why:   "A tick for each, with the time.",
		Probe: Probe{Text: "Each consumer of the list has a tick."},
		Notes: []string{"The drafts are " + mailName + " and " + chatName + ". Nobody sends them but a person."},
	})
	b.add(Step{
		ID: "republish", Title: "Publish a clean version", Class: Workflow, After: slices.Concat(b.frozen, b.rotated),
		Irreversible: "A version that was published is there for good.",
		Gates:        []Gate{{ID: "checks", Question: "Is every check of a clean version answered with yes?", Detail: "they stand below"}},
		Why:          "Consumers need a version above the bad one. It is built from a commit that was reviewed, and not from what the worm touched.",
		Probe:        Probe{Text: "The version is verified by the policy, and its tag or latest points to it."},
	})
	b.add(Step{
		ID: "post-mortem", Title: "Write the post-mortem", Class: Human, After: []string{"republish"},
		Why:   "It is owed whenever a credential that publishes was replaced. Time line, cause, what was slow, what was missing.",
		Probe: Probe{Text: "Publisher, on-call and lead have read it."},
	})
}

// sources are the repositories of the artifacts, each once.
func (b *withdrawal) sources() []string {
	var out []string
	for i := range b.in.Artifacts {
		a := &b.in.Artifacts[i]
		source := cmp.Or(a.Source, "")
		if a.Kind == registry.Release {
			source = a.Name
		}
		if source != "" && !slices.Contains(out, source) {
			out = append(out, source)
		}
	}
	slices.Sort(out)
	return out
}

// consumers plans for the repositories of the organisation that hold a bad version.
func (b *withdrawal) consumers() {
	all, known := b.in.Consumers.Get()
	// The places are in a plan of their own (PinInput.OfOurs), which has the versions and commands.
	s := Step{
		ID: "pin-consumers", Title: "Put our own repositories back to a good version", Class: Automatic,
		Why:   "Ours are consumers too, and are known exactly.",
		Probe: Probe{Text: "A sweep of the same refs finds no bad version."},
		Notes: []string{"The plan for them has each place, the version to go back to, and the commands."},
	}
	if !known {
		s.Class = Human
		s.Gates = []Gate{{ID: "inventory", Question: "Is it known who has it?", Detail: "no inventory was asked"}}
	} else if len(all) == 0 {
		s.Title, s.Class = "See that none of our own repositories has a bad version", Human
		s.Notes = []string{"By the inventory none has."}
	}
	byRepository := map[string][]string{}
	var names []string
	for _, c := range all {
		if byRepository[c.Repository] == nil {
			names = append(names, c.Repository)
		}
		byRepository[c.Repository] = append(byRepository[c.Repository], c.File+" ("+c.Package+")")
	}
	slices.Sort(names)
	for _, name := range names {
		files := byRepository[name]
		slices.Sort(files)
		s.Notes = append(s.Notes, name+": "+strings.Join(slices.Compact(files), ", "))
	}
	b.add(s)
}

func advisoryPath(source string) Word {
	if !okRepository(source) {
		return Word{Text: "/repos/", Blank: "repository", Rest: "/security-advisories"}
	}
	return Word{Text: "/repos/" + source + "/security-advisories"}
}
