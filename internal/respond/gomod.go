package respond

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/module"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/host"
	"github.com/wormsweep/wormsweep/pkg/version"
)

// module plans for a Go module. Nothing of one can be taken back: the proxy keeps what it has seen,
// and the checksum database for ever. What there is is a higher version that says so.
func (b *withdrawal) module(a *Ours) []string {
	next := a.nextPatch()
	proxy := ""
	if escaped, err := module.EscapePath(a.Name); err == nil && a.address(host.GoProxy) != "" {
		proxy = a.address(host.GoProxy) + "/" + escaped
	}
	list := func(rest string) *Command {
		if proxy == "" {
			return nil
		}
		return fetch(proxy + rest).ref()
	}
	s := Step{
		ID: a.slug() + "-retract", Title: "Retract the bad versions of " + a.Name + " in its go.mod", Class: Automatic, Repository: a.Source,
		Why: "The go command warns of a retracted version and does not pick it. It reads that in the go.mod of the highest version alone.",
		Edits: []Edit{{
			File: "go.mod", What: "manifest", How: "by the command, in a pull request",
			Add: "retract ( ... ) // Compromised: see the advisory",
		}},
		Probe: Probe{Text: "The pull request is reviewed by two people, and changes go.mod and the change log alone."},
		Notes: []string{"Modules of other major versions and nested modules have a go.mod each: a bad version of one is retracted there."},
	}
	words := []any{"go", "mod", "edit"}
	for _, v := range a.Bad {
		if version.Check(ecosystem.Go, v.Version) == nil {
			words = append(words, "-retract="+v.Version)
		} else {
			words = append(words, Word{Text: "-retract=", Blank: "version"})
		}
	}
	s.Commands = []Command{command(words...)}
	retract := b.add(s)

	tag := Step{
		ID: a.slug() + "-tag", Title: "Publish a higher version of " + a.Name + " with the retraction", Class: Human, After: append(b.frozenFor(a), retract),
		Irreversible: "A version of a module that a proxy has seen can never be changed or taken back.",
		Link:         githubLink(a.Source, "/tags"),
		Why:          "Until it is published nobody learns of the retraction. It may retract itself.",
		Probe:        Probe{Text: "The proxy lists the version, and its go.mod has the retraction.", Command: list("/@v/list")},
	}
	if next == "" {
		tag.Gates = []Gate{{ID: "next-version", Question: "Is it known which versions are taken?", Detail: "the versions of the module are not known"}}
	} else {
		tag.Title = "Publish " + a.Name + " " + next + ", a higher version with the retraction"
		tag.Gates = []Gate{{ID: "next-version", Question: "Is it known which versions are taken?", Answer: Yes, Detail: next + " is above all that the proxy lists"}}
		if c := list("/@v/" + next + ".mod"); c != nil {
			tag.Probe.Command = c
		}
	}
	ids := []string{retract, b.add(tag)}
	ids = append(ids, b.add(Step{
		ID: a.slug() + "-report", Title: "Tell the Go team of the bad versions", Class: Human, Link: "mailto:security@golang.org",
		Why:   "They can keep the proxy from serving what is malicious.",
		Probe: Probe{Text: "They answered, or the proxy no longer serves the version.", Command: list("/@latest")},
	}))
	return append(ids, b.add(Step{
		ID: a.slug() + "-tags", Title: "Do not delete or move a tag", Class: Human, Repository: a.Source,
		Refused: "The proxy serves the version all the same, the checksum database holds its digest for ever, and a moved tag looks like a second attack. It only destroys evidence.",
		Probe:   Probe{Text: "The tags point where they did."},
	}))
}

// nextPatch is the patch version above all that are published or bad; "" where that is not known.
func (a *Ours) nextPatch() string { return a.next(func(n [3]int) [3]int { n[2]++; return n }) }

// nextMinor is the minor version above all of them.
func (a *Ours) nextMinor() string {
	return a.next(func(n [3]int) [3]int { n[1]++; n[2] = 0; return n })
}

// next counts up from the highest version that is taken, pre-releases among them.
func (a *Ours) next(up func([3]int) [3]int) string {
	e := a.ecosystem()
	if a.Listing == nil || len(a.Listing.Faults) > 0 || e == "" {
		return ""
	}
	top, found := [3]int{}, false
	see := func(v string) {
		if n, ok := numbers(e, v); ok && (!found || less(top, n)) {
			top, found = n, true
		}
	}
	for _, v := range a.taken() {
		see(v)
	}
	if !found {
		return ""
	}
	n := up(top)
	out := fmt.Sprintf("%d.%d.%d", n[0], n[1], n[2])
	if e == ecosystem.Go {
		out = "v" + out
	}
	return out
}

// taken are the versions that nobody may use again, in the order of the listing.
func (a *Ours) taken() []string {
	var out []string
	seen := map[string]bool{}
	add := func(v string) {
		if !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	if a.Listing != nil {
		for i := range a.Listing.Releases {
			add(a.Listing.Releases[i].Version) // unpublished and yanked ones are among them
		}
	}
	for _, v := range a.Bad {
		add(v.Version)
	}
	return out
}

// numbers are the first three of a version.
func numbers(e ecosystem.Ecosystem, v string) (n [3]int, ok bool) {
	canonical, err := version.Canonical(e, v)
	if err != nil || e == ecosystem.PyPI && strings.Contains(canonical, "!") { // an epoch is above them all
		return n, false
	}
	text := strings.TrimPrefix(canonical, "v")
	if i := strings.IndexAny(text, "-+"); i >= 0 {
		text = text[:i]
	}
	for i, part := range strings.SplitN(text, ".", 4) {
		if i == 3 {
			break
		}
		end := strings.IndexFunc(part, func(r rune) bool { return r < '0' || r > '9' })
		if end >= 0 {
			part = part[:end]
		}
		if n[i], err = strconv.Atoi(part); err != nil || n[i] > 1<<30 {
			return n, false
		}
	}
	return n, true
}

func less(x, y [3]int) bool {
	for i := range x {
		if x[i] != y[i] {
			return x[i] < y[i]
		}
	}
	return false
}

// release plans for a GitHub release.
func (b *withdrawal) release(a *Ours) (ids []string) {
	repo := repositoryWord(a.Name)
	for _, v := range a.Bad {
		tag := word(okTag(v.Version), v.Version, "tag")
		link := githubLink(a.Name, "/releases")
		if tag.Blank == "" && link != "" {
			link += "/tag/" + v.Version
		}
		id := func(what string) string { return a.slug() + "-" + what + "-" + slug(v.Version) }
		immutable := registry.Unknown
		if a.Listing != nil {
			for i := range a.Listing.Releases {
				if r := &a.Listing.Releases[i]; r.Version == v.Version {
					immutable = r.Immutable.Knowledge
					if immutable == registry.Present && !r.Immutable.Value {
						immutable = registry.Absent
					}
				}
			}
		}
		warned := b.add(Step{
			ID: id("warn"), Title: "Mark the release " + v.Version + " as withdrawn", Class: Workflow, Repository: a.Name, Link: link,
			Why:      "Title and text can be changed of every release, of an immutable one too. It can be undone.",
			Commands: []Command{command("gh", "release", "edit", tag, "--repo", repo, "--title", Word{Text: "WITHDRAWN, do not use: " + tag.Text, Blank: tag.Blank})},
			Probe:    Probe{Text: "The release says that it is withdrawn.", Command: command("gh", "release", "view", tag, "--repo", repo).ref()},
		})
		kept := b.add(Step{
			ID: id("evidence"), Title: "Keep the files and attestations of the release " + v.Version, Class: Automatic, Repository: a.Name,
			Commands: []Command{
				command("gh", "release", "download", tag, "--repo", repo, "--dir", "evidence"),
				command("gh", "api", Word{Text: "/repos/" + repo.Text + "/releases/tags/" + tag.Text, Blank: orBlank(repo.Blank, tag.Blank)}),
			},
			Probe: Probe{Text: "The digest of each file is that of the release, and is written down with the time."},
		})
		gone := Step{
			ID: id("delete"), Title: "Delete the release " + v.Version + " and its files, not its tag", Class: Workflow, Repository: a.Name, Link: link,
			Irreversible: "Its files are gone.", After: append(b.frozenFor(a), warned, kept),
			Commands: []Command{command("gh", "release", "delete", tag, "--repo", repo, "--yes")},
			Probe:    Probe{Text: "The release answers 404.", Command: command("gh", "release", "view", tag, "--repo", repo).ref()},
		}
		switch immutable {
		case registry.Present:
			gone.Irreversible += " It is immutable: its tag can never be used again."
		case registry.Unknown:
			gone.Irreversible += " If it is immutable, its tag can never be used again."
		}
		ids = append(ids, warned, kept, b.add(gone))
		ids = append(ids, b.attestations(a, &v, id("attestations"), kept)...)
		ids = append(ids, b.add(Step{
			ID: id("tag"), Title: "Do not move or delete the tag " + v.Version, Class: Human, Repository: a.Name,
			Refused: "A tag that moves looks like a second attack, and it destroys evidence. The next version has a new tag.",
			Probe:   Probe{Text: "The tag points where it did."},
		}))
	}
	return ids
}

// attestations takes away what vouches for the bytes of a bad version on GitHub.
func (b *withdrawal) attestations(a *Ours, v *BadVersion, id string, kept string) []string {
	owner, _, _ := strings.Cut(a.Source, "/")
	if a.Kind == registry.Release {
		owner, _, _ = strings.Cut(a.Name, "/")
	}
	if owner == "" {
		return nil
	}
	path := Word{Text: "/orgs/" + owner + "/attestations/digest/" + v.Digest}
	if !okOwner(owner) {
		path = Word{Text: "/orgs/", Blank: "organisation"}
	} else if !okDigest(v.Digest) {
		path = Word{Text: "/orgs/" + owner + "/attestations/digest/", Blank: "digest"}
	}
	return []string{b.add(Step{
		ID: id, Title: "Delete GitHub's attestations of " + v.Version, Class: Workflow, After: []string{kept},
		Irreversible: "An attestation that is deleted cannot be put back.",
		Why:          "Until then gh attestation verify passes for the bad bytes. A signature in the public transparency log cannot be taken out of it.",
		Commands:     []Command{command("gh", "api", "--method", "DELETE", path)},
		Probe:        Probe{Text: "GitHub has no attestation for the digest."},
	})}
}

func okOwner(s string) bool {
	return ecosystem.Actions.CheckName(s+"/x") == nil && !strings.HasPrefix(s, "-")
}

// okDigest reports whether a text is a SHA-256 as registries write it.
func okDigest(s string) bool {
	hex, ok := strings.CutPrefix(s, "sha256:")
	return ok && len(hex) == 64 && strings.Trim(hex, "0123456789abcdef") == ""
}
