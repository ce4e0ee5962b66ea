package discover

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// answer is what GitHub said of a repository.
type answer struct {
	Repository
	err error
}

var errNotAsked = errors.New("GitHub was not asked")

// ask completes a candidate by what is known outside of its repository.
func (d *discovery) ask(ctx context.Context, c *candidate) {
	d.askSigners(ctx, c)
	d.askGitHub(ctx, c)
	d.askRegistry(ctx, c)
}

// repository asks GitHub for a repository, once.
func (d *discovery) repository(ctx context.Context, source string) answer {
	if d.opt.GitHub == nil {
		return answer{err: errNotAsked}
	}
	if a, ok := d.github[source]; ok {
		return a
	}
	r, err := d.opt.GitHub.Repository(ctx, source)
	if d.github == nil {
		d.github = map[string]answer{}
	}
	if err != nil {
		d.unreadf("%q: its numbers on GitHub: %v", source, err)
	}
	d.github[source] = answer{r, err}
	return d.github[source]
}

// askGitHub fills in the numbers of the source.
func (d *discovery) askGitHub(ctx context.Context, c *candidate) {
	if len(c.Identities) == 0 {
		return
	}
	a := d.repository(ctx, c.Source)
	i := &c.Identities[0]
	for _, id := range []struct {
		key          string
		to           *string
		asked, known string
	}{
		{"repository-id", &i.RepositoryID, a.ID, c.project.number},
		{"owner-id", &i.OwnerID, a.OwnerID, ""},
	} {
		number := id.asked
		if number == "" {
			number = id.known
		}
		switch {
		case number != "" && *id.to != "" && *id.to != number:
			c.noteAt(1, id.key, "GitHub says %s, and the certificate %s: another repository of that name signed it", number, *id.to)
			*id.to = ""
		case number != "":
			*id.to = number
			c.noteAt(1, id.key, "from GitHub")
		case *id.to == "" && a.err != nil:
			c.noteAt(1, id.key, "to be filled in: %v", a.err)
		case *id.to == "":
			c.noteAt(1, id.key, "to be filled in: GitHub did not say")
		}
	}
	if a.Visibility != "" {
		i.Visibility = a.Visibility
		c.noteAt(1, "visibility", "from GitHub")
	}
	if ref := branchRef(c.project.branch); a.DefaultBranch != "" && c.project.guessed && strings.HasSuffix(i.SAN, "@"+ref) {
		i.SAN = strings.TrimSuffix(i.SAN, ref) + branchRef(a.DefaultBranch)
		c.noteAt(1, "san", "the default branch, from GitHub")
	}
}

// askSigners compares the proposal with who signed what is published already.
func (d *discovery) askSigners(ctx context.Context, c *candidate) {
	if d.opt.Signers == nil || c.Registry != "" || c.Kind == registry.Go {
		return
	}
	signed, err := d.opt.Signers.Signers(ctx, c.Kind, c.Name)
	if err != nil {
		d.unreadf("%q: who signed it: %v", c.ID(), err)
		return
	}
	if len(signed) == 0 {
		return
	}
	last := signed[len(signed)-1]
	if len(c.Identities) == 0 {
		c.seen(last)
		return
	}
	i := &c.Identities[0]
	id := last.Identity
	probe := c.Artifact
	probe.Identities = []policy.Identity{*i}
	probe.Identities[0].RepositoryID, probe.Identities[0].OwnerID = id.SourceRepositoryID, id.OwnerID
	if err := probe.Accept(last.Version, id); err != nil {
		var refusal *verify.Refusal
		errors.As(err, &refusal)
		c.note("identities", "version %q is signed otherwise: %s", last.Version, refusal.Detail)
		return
	}
	i.RepositoryID, i.OwnerID = id.SourceRepositoryID, id.OwnerID
	for _, key := range []string{"repository-id", "owner-id"} {
		c.noteAt(1, key, "from the certificate of version %q", last.Version)
	}
}

// seen proposes the signer of a version where no workflow told of one.
func (c *candidate) seen(last Signed) {
	id := last.Identity
	i := policy.Identity{Issuer: id.Issuer, SAN: id.SAN, RepositoryID: id.SourceRepositoryID, OwnerID: id.OwnerID, Runner: id.RunnerEnvironment}
	if id.Trigger != "" {
		i.Triggers = []string{id.Trigger}
	}
	if tag, ok := c.GitTag(last.Version); ok {
		if before, ok := strings.CutSuffix(i.SAN, "@refs/tags/"+tag); ok {
			i.SAN = before + "@refs/tags/{tag}"
		}
	}
	if last.Predicate != "" {
		c.Attestations = []string{last.Predicate}
	}
	c.Identities, c.Unsigned = []policy.Identity{i}, false
	delete(c.notes, policy.Place{Item: c.ID(), Key: "unsigned"})
	c.note("identities", "a guess: version %q is signed so, and no workflow says why", last.Version)
}

// askRegistry looks at what is published.
func (d *discovery) askRegistry(ctx context.Context, c *candidate) {
	if d.opt.Registry == nil || c.Registry != "" {
		return
	}
	reader := d.opt.Registry(c.Kind)
	if reader == nil {
		return
	}
	listing, err := reader.List(ctx, c.Name, registry.Validator{})
	switch {
	case errors.Is(err, registry.ErrNotFound):
		c.note("", "its registry has none of that name: register it, before somebody else does")
		return
	case err != nil:
		d.unreadf("%q: its registry: %v", c.ID(), err)
		return
	}
	for _, fault := range listing.Faults {
		d.unreadf("%q: its registry: %s", c.ID(), fault)
	}
	if people, ok := listing.Maintainers.Get(); ok && (c.Kind == registry.NPM || c.Kind == registry.PyPI) {
		for _, p := range people {
			if !slices.Contains(c.Maintainers, p.Name) {
				c.Maintainers = append(c.Maintainers, p.Name)
			}
		}
		slices.Sort(c.Maintainers)
		c.note("maintainers", "those of today, from %s: is each of them one of yours?", listing.Registry)
	}
	if len(c.Identities) > 0 {
		c.signedFrom(listing)
	}
	scripts := map[string]bool{}
	for _, r := range listing.Releases {
		for name := range r.Scripts.Value {
			scripts[name] = true
		}
	}
	for _, name := range []string{"preinstall", "install", "postinstall"} {
		if scripts[name] {
			c.note("scripts", "a version has %q: name it here if it is meant", name)
		}
	}
}

// signedFrom proposes the first version that must be signed: that from which on every one has
// attestations.
func (c *candidate) signedFrom(listing *registry.Listing) {
	from := -1
	for i := len(listing.Releases) - 1; i >= 0; i-- {
		r := &listing.Releases[i]
		has := r.Provenance.Knowledge == registry.Present ||
			len(r.Files) > 0 && !slices.ContainsFunc(r.Files, func(f registry.File) bool { return f.Provenance.Knowledge != registry.Present })
		if !has {
			break
		}
		from = i
	}
	switch {
	case len(listing.Releases) == 0 || from == 0:
	case from < 0:
		c.note("signed-from", "the newest version, %q, is not known to have attestations: from which on must they?", listing.Releases[len(listing.Releases)-1].Version)
	default:
		c.SignedFrom = listing.Releases[from].Version
		c.note("signed-from", "%q, before it, is not known to have attestations", listing.Releases[from-1].Version)
	}
}
