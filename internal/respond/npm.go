package respond

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/host"
)

// What npm lets its users take away (docs.npmjs.com/policies/unpublish).
const (
	unpublishWithin    = 72 * time.Hour
	unpublishDownloads = 300 // in a week: fewer than that
)

// npm plans for an npm package: the tags first, since they decide what everybody installs; then the
// warning; then, where the registry lets it be, the version itself.
func (b *withdrawal) npm(a *Ours) []string {
	at := a.address(host.NPM)
	from := Word{Text: "--registry=" + at}
	if at == "" {
		from = Word{Text: "--registry=", Blank: "registry"}
	}
	name := word(ecosystem.NPM.CheckName(a.Name) == nil, a.Name, "package")
	view := func(field string) *Command {
		return command("npm", "view", name, field, "--json", "--prefer-online", from).ref()
	}
	page := ""
	if name.Blank == "" && at == "https://"+host.NPM {
		page = "https://" + host.NPMWeb + "/package/" + a.Name
	}

	tags := b.tags(a, name, from, view("dist-tags"))
	ids := slices.Clone(tags)
	for _, v := range a.Bad {
		ids = append(ids, b.add(Step{
			ID: a.slug() + "-deprecate-" + slug(v.Version), Title: "Deprecate " + a.Name + "@" + v.Version, Class: Workflow,
			Why:      "Whoever installs it is warned. It can be undone, with an empty message.",
			Commands: []Command{command("npm", "deprecate", spec(ecosystem.NPM, a.Name, v.Version), a.warning(), from)},
			Probe:    Probe{Text: "The version shows the message.", Command: command("npm", "view", spec(ecosystem.NPM, a.Name, v.Version), "deprecated", "--prefer-online", from).ref()},
			Notes:    []string{"The registry takes the whole document: read it again and compare its revision, since a worm may publish at the same time."},
		}))
	}
	evidence := b.npmEvidence(a, name, at, from)
	before := append(append(slices.Clone(tags), ids[len(tags):]...), evidence)
	if a.Dependents.Knowledge != registry.Present {
		before = append(before, b.add(Step{
			ID: a.slug() + "-dependents", Title: "Find out who depends on " + a.Name, Class: Human, Link: withQuery(page, "?activeTab=dependents"),
			Why:   "The registry refuses to unpublish a version of a package that another public package depends on.",
			Probe: Probe{Text: "The number stands in the facts of this plan: make it again with that."},
		}))
	}
	for _, v := range a.Bad {
		s := Step{
			ID: a.slug() + "-unpublish-" + slug(v.Version), Title: "Unpublish " + a.Name + "@" + v.Version, Class: Workflow,
			Irreversible: "The number can never be published again, and mirrors keep the version.",
			After:        slices.Concat(b.frozenFor(a), before),
			Probe:        Probe{Text: "The version is gone from the packument of the origin, and its tarball answers 404.", Command: view("versions")},
			Notes:        []string{"A lockfile with address and integrity still installs it from a mirror or cache."},
		}
		s.Gates, s.Deadline, s.Refused = unpublish(a, &v)
		if s.Refused == "" {
			s.Commands = []Command{command("npm", "unpublish", spec(ecosystem.NPM, a.Name, v.Version), from)}
			if !passes(s.Gates) {
				s.Commands = nil
				s.Notes = append(s.Notes, "The command is withheld until every question is answered with yes.")
			}
		}
		ids = append(ids, b.add(s))
	}
	ids = append(ids, b.add(Step{
		ID: a.slug() + "-report", Title: "Report the versions to npm as malware", Class: Human, Link: "https://" + host.NPMWeb + "/support",
		Why:   "npm can take away what its users cannot, and puts a version in its place that does nothing.",
		Probe: Probe{Text: "The versions are gone, or npm answered.", Command: view("versions")},
		Notes: []string{"Look for versions that are staged and that nobody announced, and reject them: that needs a person with a second factor."},
	}))
	return append(ids, b.add(Step{
		ID: a.slug() + "-whole", Title: "Do not unpublish the package as a whole", Class: Human,
		Refused: "It takes every good version from every consumer, and the name is free for others after a day. This product never does it; npm and two people of yours in writing decide it.",
		Probe:   Probe{Text: "The package is there."},
	}))
}

// tags moves every tag that points to a bad version.
func (b *withdrawal) tags(a *Ours, name, from Word, probe *Command) (ids []string) {
	good := a.lastGood()
	target := Word{Text: a.Name + "@", Blank: "last good version"}
	if name.Blank != "" {
		target = name
	} else if good != "" {
		target = spec(ecosystem.NPM, a.Name, good)
	}
	step := func(tag string, c Command, title string) {
		s := Step{
			ID: a.slug() + "-dist-tag-" + slug(tag), Title: title, Class: Workflow, Commands: []Command{c},
			Why:   "The tag decides what everybody gets who asks for no version. It can be undone, and it comes first: unpublishing moves latest by itself, perhaps to another bad version.",
			Probe: Probe{Text: "No tag points to a bad version, asked of the origin.", Command: probe},
		}
		if good == "" && tag == "latest" {
			b.missing("the last good version of "+a.id(), "no version before the first bad one is known to be verified")
		}
		ids = append(ids, b.add(s))
	}
	move := func(tag string) Command {
		return command("npm", "dist-tag", "add", target, word(okTag(tag), tag, "tag"), from)
	}
	if a.Listing == nil || len(a.Listing.Tags) == 0 {
		step("latest", move("latest"), "Point the tag latest of "+a.Name+" to the last good version")
		b.missing("the tags of "+a.id(), "its registry was not asked: other tags may point to a bad version, too")
		return ids
	}
	names := slices.SortedFunc(maps.Keys(a.Listing.Tags), func(x, y string) int {
		if (x == "latest") != (y == "latest") { // it comes first
			if x == "latest" {
				return -1
			}
			return 1
		}
		return strings.Compare(x, y)
	})
	for _, tag := range names {
		switch {
		case !a.bad(a.Listing.Tags[tag]):
		case tag == "latest":
			step(tag, move(tag), fmt.Sprintf("Point the tag latest of %s from %s to %s", a.Name, a.Listing.Tags[tag], orBlank(good, "the last good version")))
		default:
			c := command("npm", "dist-tag", "rm", name, word(okTag(tag), tag, "tag"), from)
			step(tag, c, fmt.Sprintf("Take the tag %s of %s off %s", tag, a.Name, a.Listing.Tags[tag]))
		}
	}
	return ids
}

func orBlank(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// okTag reports whether a tag is plain enough to be typed.
func okTag(tag string) bool {
	return tag != "" && !strings.HasPrefix(tag, "-") && strings.Trim(tag, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == ""
}

// warning is what whoever installs a bad version reads.
func (a *Ours) warning() string {
	text := "Compromised: do not use this version, and treat a machine that installed it as compromised."
	if okRepository(a.Source) {
		text += " See https://" + host.GitHub + "/" + a.Source + "/security/advisories"
	}
	return text
}

func (b *withdrawal) npmEvidence(a *Ours, name Word, at string, from Word) string {
	s := Step{
		ID: a.slug() + "-evidence", Title: "Keep the bad versions of " + a.Name + " and what the registry says of them", Class: Automatic,
		Why:   "After they are unpublished nobody can look at them any more. Nothing of them is unpacked or run.",
		Probe: Probe{Text: "The digest of each file is that of this plan, and is written down with the time."},
	}
	for _, v := range a.Bad {
		s.Commands = append(s.Commands, command("npm", "pack", spec(ecosystem.NPM, a.Name, v.Version), "--ignore-scripts", from))
	}
	if name.Blank == "" && at != "" {
		s.Commands = append(s.Commands, fetch("--output", "packument.json", at+"/"+strings.ReplaceAll(a.Name, "/", "%2f")))
	}
	return b.add(s)
}

// unpublish says whether the registry lets a version be unpublished: the questions, until when, and
// why it will not. Within 72 hours of its publishing it does, where no other public package depends
// on the package; later only of a package with few downloads and one owner.
func unpublish(a *Ours, v *BadVersion) (gates []Gate, deadline *Deadline, refused string) {
	others := Gate{ID: "other-versions", Question: "Does the package have other versions?"}
	if a.Listing != nil {
		n := 0
		for i := range a.Listing.Releases {
			if r := &a.Listing.Releases[i]; r.Unpublished.Knowledge != registry.Present && !a.bad(r.Version) {
				n++
			}
		}
		if n == 0 {
			return nil, nil, "It is the last version, or all others are bad: to unpublish it takes away the whole package. Point the tags elsewhere, deprecate, and have npm do it."
		}
		others.Answer, others.Detail = Yes, count(n, "version")+" beside the bad ones"
	}
	dependents := Gate{ID: "dependents", Question: "Does no other public package depend on it?"}
	if n, known := a.Dependents.Get(); known {
		if n > 0 {
			return nil, nil, fmt.Sprintf("It will be refused: %s on it. The tags and the deprecation stand, and npm is asked to take it away.", dependOn(n))
		}
		dependents.Answer, dependents.Detail = Yes, "none is known"
	}
	window := Gate{ID: "window", Question: "Is it within 72 hours of its publishing, or does the package have fewer than 300 downloads a week and one owner?"}
	later := a.later()
	t, known := v.Time.Get()
	known = known && t.Year() < 9000 // a later one has no end that could be written
	switch {
	case later == Yes:
		window.Answer, window.Detail = Yes, "few downloads and one owner"
	case known:
		end := t.Add(unpublishWithin).UTC()
		window.Answer, window.Until, window.Detail = Yes, &end, "published "+stamp(t)
		deadline = &Deadline{At: end, Why: "72 hours after the origin's time of the version"}
		if later == No {
			deadline.Why += "; after that its downloads or owners are too many"
		} else {
			deadline.Why += "; after that only with fewer than 300 downloads a week and one owner, which is not known"
		}
	default:
		window.Detail = "the origin's time of the version is not known"
	}
	return []Gate{others, dependents, window}, deadline, ""
}

// later answers whether a version may be unpublished after 72 hours.
func (a *Ours) later() Answer {
	downloads, counted := a.Downloads.Get()
	if counted && downloads >= unpublishDownloads {
		return No
	}
	if a.Listing == nil {
		return Unknown
	}
	owners, told := a.Listing.Maintainers.Get()
	if told && len(owners) != 1 {
		return No
	}
	if !counted || !told {
		return Unknown
	}
	return Yes
}

func dependOn(n int) string {
	if n == 1 {
		return "1 public package depends"
	}
	return fmt.Sprintf("%d public packages depend", n)
}

// passes reports whether every gate is answered with yes, for some time at least.
func passes(gates []Gate) bool {
	return !slices.ContainsFunc(gates, func(g Gate) bool { return g.Answer != Yes })
}

func withQuery(page, query string) string {
	if page == "" {
		return ""
	}
	return page + query
}
