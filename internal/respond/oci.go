package respond

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/registry/host"
)

// rekor is what the runbook gets wrong.
const rekor = "A signature cannot be revoked in the transparency log: what counts is that the digest is gone, and listed as bad."

// image is a repository of a container registry.
type image struct {
	host, path string // "registry.example", "team/app"
	ok         bool
}

func imageOf(a *Ours) image {
	h, path, _ := strings.Cut(a.Name, "/")
	ok := h != "" && path != "" && h[0] != '-' && strings.Trim(h, "abcdefghijklmnopqrstuvwxyz0123456789.:-") == "" &&
		strings.Trim(path, "abcdefghijklmnopqrstuvwxyz0123456789._/-") == "" && insideFolder(path)
	return image{h, path, ok}
}

// at is the image by digest, as a word: never by tag, which may have moved.
func (i image) at(v *BadVersion) Word {
	switch {
	case !i.ok:
		return Word{Blank: "image"}
	case !okDigest(v.Digest):
		return Word{Text: i.host + "/" + i.path + "@", Blank: "digest"}
	}
	return Word{Text: i.host + "/" + i.path + "@" + v.Digest}
}

// imageEvidence keeps an image and all that refers to it, by digest.
func (b *withdrawal) imageEvidence(a *Ours, v *BadVersion, i image) string {
	folder := Word{Text: "evidence-" + strings.TrimPrefix(v.Digest, "sha256:") + ":image"}
	if !okDigest(v.Digest) {
		folder = Word{Text: "evidence-", Blank: "digest", Rest: ":image"}
	}
	return b.add(Step{
		ID: a.slug() + "-evidence-" + slug(v.Version), Title: "Keep the image " + v.Version + " of " + a.Name + " with its signatures and attestations", Class: Automatic,
		Why: "What refers to an image goes with it. Nothing of it is run.",
		Commands: []Command{
			command("oras", "discover", "--format", "json", i.at(v)),
			command("oras", "copy", "--recursive", "--to-oci-layout", i.at(v), folder),
		},
		Probe: Probe{Text: "The layout has the digest, and what referred to it."},
		Notes: []string{rekor, "Signatures of the old form lie under a tag made of the digest, which ends in .sig, .att or .sbom: keep those as well."},
	})
}

func (i image) probe(v *BadVersion) Probe {
	return Probe{
		Text:    "The registry answers 404 for the digest; so do each target of replication and each cache.",
		Command: command("oras", "manifest", "fetch", "--descriptor", i.at(v)).ref(),
	}
}

// pulled is what no registry can take back.
var pulled = []string{"Machines and clusters that pulled it keep its layers: see who runs the digest.", "Of an index, each image that it names is deleted as well."}

// oci plans for any registry that speaks the protocol.
func (b *withdrawal) oci(a *Ours) (ids []string) {
	i := imageOf(a)
	for _, v := range a.Bad {
		kept := b.imageEvidence(a, &v, i)
		ids = append(ids, kept, b.add(Step{
			ID: a.slug() + "-delete-" + slug(v.Version), Title: "Delete the image " + v.Version + " of " + a.Name + " by its digest", Class: Workflow,
			Irreversible: "The manifest is gone; its bytes go with the registry's next clean-up.", After: append(b.frozenFor(a), kept),
			Commands: []Command{command("oras", "manifest", "delete", "--force", i.at(&v))},
			Probe:    i.probe(&v),
			Notes:    append([]string{"By a tag only the tag goes. A registry that answers 405 has no deletion: its administrator does it."}, pulled...),
		}))
		ids = append(ids, b.attestations(a, &v, a.slug()+"-attestations-"+slug(v.Version), kept)...)
	}
	return ids
}

// harbor plans for Harbor, whose API has more: copies with all that refers to an image, and rules
// that keep tags.
func (b *withdrawal) harbor(a *Ours) (ids []string) {
	i := imageOf(a)
	project, repository, _ := strings.Cut(i.path, "/")
	api := "https://" + i.host + "/api/v2.0/projects/"
	artifacts := "/repositories/" + url.PathEscape(url.PathEscape(repository)) + "/artifacts" // encoded twice, as Harbor wants it
	sound := i.ok && repository != ""
	call := func(method string, path Word) Command {
		if !sound {
			path = Word{Text: "https://", Blank: "image"}
		}
		return fetch("--netrc", "--request", method, path)
	}
	for _, v := range a.Bad {
		id := func(what string) string { return a.slug() + "-" + what + "-" + slug(v.Version) }
		digest := Word{Text: api + project + artifacts + "/" + v.Digest}
		if !okDigest(v.Digest) {
			digest = Word{Text: api + project + artifacts + "/", Blank: "digest"}
		}
		quarantine := Word{Text: api, Blank: "quarantine project", Rest: artifacts + "?from=" + i.path + "@" + v.Digest}
		if !okDigest(v.Digest) {
			quarantine.Rest = artifacts
		}
		kept := b.imageEvidence(a, &v, i)
		copied := b.add(Step{
			ID: id("copy"), Title: "Copy the image " + v.Version + " into a project that nobody pulls from", Class: Workflow, After: []string{kept},
			Why:      "Deleting an image deletes the signatures and the list of contents that hang on it. The copy takes them along.",
			Commands: []Command{call("POST", quarantine)},
			Probe:    Probe{Text: "The project has the digest with its accessories."},
			Notes:    []string{"The project's name is the operator's to give. The credentials are those of curl's netrc file."},
		})
		rule := b.add(Step{
			ID: id("rule"), Title: "Find out whether an immutable rule keeps the tags of " + v.Version, Class: Human,
			Why:   "Then Harbor answers 412, and the rule has to be switched off first and on again after: a change that two people look at.",
			Probe: Probe{Text: "The rule is known, and is on again at the end.", Command: call("GET", Word{Text: api + project + "/immutabletagrules"}).ref()},
		})
		ids = append(ids, kept, copied, rule, b.add(Step{
			ID: id("delete"), Title: "Delete the image " + v.Version + " of " + a.Name + " by its digest", Class: Workflow,
			Irreversible: "The image and its accessories are gone from the project; its bytes go with the next clean-up.",
			After:        append(b.frozenFor(a), copied, rule),
			Commands:     []Command{call("DELETE", digest)},
			Probe:        i.probe(&v),
			Notes:        append([]string{"A label blocks nothing, and without a tag the digest can still be pulled. To block at once, let the project demand signatures.", "The audit log says who pushed it."}, pulled...),
		}))
		ids = append(ids, b.attestations(a, &v, id("attestations"), kept)...)
	}
	return ids
}

// publicDownloads is how many downloads of a public version of GitHub's packages keep it from being
// deleted.
const publicDownloads = 5000

// restoreDays is how long GitHub lets a deleted version be restored.
const restoreDays = 30

// ghpackages plans for GitHub's container registry: what is deleted there can be restored for a
// while, so that it is the least risky of all.
func (b *withdrawal) ghpackages(a *Ours) (ids []string) {
	i := imageOf(a)
	owner, name, _ := strings.Cut(i.path, "/")
	page, versions := "", "/orgs/"+owner+"/packages/container/"+url.PathEscape(name)+"/versions"
	sound := i.ok && i.host == host.GHCR && name != "" && okOwner(owner)
	if sound {
		page = "https://" + host.GitHub + "/orgs/" + owner + "/packages/container/package/" + url.PathEscape(name)
	}
	at := func(v *BadVersion, rest string) Word {
		switch {
		case !sound:
			return Word{Text: "/orgs/", Blank: "package"}
		case v.ID == "" || strings.Trim(v.ID, "0123456789") != "":
			return Word{Text: versions + "/", Blank: "number of the version", Rest: rest}
		}
		return Word{Text: versions + "/" + v.ID + rest}
	}
	for _, v := range a.Bad {
		id := func(what string) string { return a.slug() + "-" + what + "-" + slug(v.Version) }
		kept := b.imageEvidence(a, &v, i)
		ids = append(ids, kept)
		s := Step{
			ID: id("delete"), Title: "Delete the version " + v.Version + " of " + a.Name, Class: Workflow, Link: page, After: append(b.frozenFor(a), kept),
			Why:      fmt.Sprintf("It can be restored for %d days, as long as nobody takes the name.", restoreDays),
			Commands: []Command{command("gh", "api", "--method", "DELETE", at(&v, ""))},
			Probe:    i.probe(&v),
			Notes: append([]string{
				"To restore: POST to the same address with /restore at its end.",
				"The last version with a tag is refused, too: make the package private first, or delete the package.",
			}, pulled...),
		}
		g := Gate{ID: "downloads", Question: "Has the version at most 5,000 downloads, or is the package private?"}
		if n, known := v.Downloads.Get(); known && n > publicDownloads {
			s.Refused, s.Commands = fmt.Sprintf("It will be refused: the version has %d downloads, and of a public package none with more than 5,000 can be deleted. Make the package private, which stops every pull, and ask GitHub's support.", n), nil
		} else if known {
			g.Answer, g.Detail = Yes, count(n, "download")
			s.Gates = []Gate{g}
		} else {
			g.Detail = "nobody looked: the page of the package says it"
			s.Gates = []Gate{g}
			s.Notes = append(s.Notes, "More than 5,000 and public: make the package private, which stops every pull, and ask GitHub's support.")
		}
		ids = append(ids, b.add(s))
		if s.Refused != "" {
			ids = append(ids, b.add(Step{
				ID: id("private"), Title: "Make the package " + a.Name + " private", Class: Human, Link: page,
				Why: "It stops every pull of every version, which can be undone.", Probe: i.probe(&v),
			}))
		}
		ids = append(ids, b.attestations(a, &v, id("attestations"), kept)...)
	}
	return ids
}
