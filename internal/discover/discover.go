// Package discover proposes a policy file: what the repositories of an organisation publish,
// by which workflow, and so who signs it.
//
// It reads manifests and workflows, and where it may ask, what registries list, who signed what
// is published already, and GitHub's numbers. Each line of the proposal says where it comes
// from, and which is only a guess. Nothing of a repository is executed or followed, and no
// address is asked that one of them names. What a repository says is not believed either:
// whoever can push there could have written it, and so a person looks the proposal over and
// tightens it. What is not known is left out, and the policy does not validate before it is
// filled in.
//
// Beside a policy that is there already, it adds artifacts and changes nothing.
package discover

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/strictyaml"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/host"
)

// Options are the settings of a run. Whoever is nil is not asked.
type Options struct {
	// Organisation is that of the policy. It owns the repositories, each by the last part of its
	// name, unless FullNames says that they are called "owner/name", as on GitHub.
	Organisation string
	FullNames    bool
	// Server and Issuer are GitHub's, and who issues its identity tokens; those of github.com if
	// "".
	Server, Issuer string
	// Existing is the text of the policy that is added to, nil for none, and Name what faults
	// call it.
	Existing []byte
	Name     string
	// Parse reads a policy at Name; policy.Parse if nil.
	Parse func(name string, b []byte) (*policy.Policy, error)

	GitHub GitHub
	// Registry gives the reader of a kind's public registry; nil for one that is not asked.
	Registry func(registry.Kind) registry.Reader
	Signers  Signers
}

// GitHub tells what GitHub knows of a repository.
type GitHub interface {
	Repository(ctx context.Context, fullName string) (Repository, error)
}

// Repository is what GitHub knows of one. What is not known is "".
type Repository struct {
	ID, OwnerID   string // numbers
	Visibility    string // "public", "private", "internal"
	DefaultBranch string // "main"
}

// Signers tells who signed what is published already.
type Signers interface {
	// Signers gives the identities that were verified, of the oldest version first.
	Signers(ctx context.Context, kind registry.Kind, name string) ([]Signed, error)
}

// Signed is a version and who signed it.
type Signed struct {
	Version   string
	Predicate string // predicate type of the attestation; "" for a plain signature
	Identity  verify.Identity
}

// Proposal is what a run proposes.
type Proposal struct {
	Text  []byte   // of the policy file: what was there, as it was, and what is added
	Added []string // the IDs of the artifacts that are added
	// Notes are what is not in Text, a line each: artifacts that are in the policy and would be
	// proposed otherwise, what was not proposed and why.
	Notes []string
	// Unread is what could not be read or asked: it may publish more.
	Unread []string
	// Missing is why Text does not validate yet; nil where it does.
	Missing error
}

// Run reads the repositories, closes each, and proposes a policy. The error is that of the
// sequence, of ctx, of a policy that is there and does not validate, or that there is no
// organisation.
func Run(ctx context.Context, repositories iter.Seq2[*source.Repository, error], opt Options) (*Proposal, error) {
	if opt.Parse == nil {
		opt.Parse = policy.Parse
	}
	opt.Server, opt.Issuer = cmp.Or(opt.Server, "https://"+host.GitHub), cmp.Or(opt.Issuer, "https://"+host.GitHubTokens)
	var existing *policy.Policy
	if opt.Existing != nil {
		p, err := opt.Parse(opt.Name, opt.Existing)
		if err != nil {
			return nil, err
		}
		if existing = p; opt.Organisation == "" {
			opt.Organisation = p.Organisation
		}
	}
	if opt.Organisation == "" && !opt.FullNames {
		return nil, errNobody
	}
	d := discovery{opt: opt, projects: map[string]*project{}, noted: map[string]bool{}}
	for repo, err := range repositories {
		if err != nil {
			return nil, err
		}
		p := d.project(ctx, repo)
		if err := errors.Join(repo.Close(), ctx.Err()); err != nil {
			return nil, err
		}
		if p == nil {
			continue
		}
		if d.projects[p.source] != nil {
			d.unreadf("%q: two repositories are called so: the second is not read", p.source)
			continue
		}
		d.projects[p.source] = p
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for _, p := range sortedBySource(d.projects) {
		d.propose(p)
	}
	slices.SortStableFunc(d.found, func(a, b *candidate) int {
		return cmp.Or(cmp.Compare(slices.Index(registry.Kinds, a.Kind), slices.Index(registry.Kinds, b.Kind)), strings.Compare(a.Name, b.Name))
	})
	d.unique()
	for _, c := range d.found {
		d.ask(ctx, c)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return d.write(existing)
}

var errNobody = errors.New("no organisation: whose are the repositories?")

// discovery is a run.
type discovery struct {
	opt        Options
	projects   map[string]*project // by source
	found      []*candidate
	registries []policy.Registry // that found ones need
	notes      []string          // each once
	noted      map[string]bool
	unread     []string
	github     map[string]answer // by source
}

// candidate is an artifact that is proposed, with what is said beside its keys.
type candidate struct {
	policy.Artifact
	project *project
	notes   map[policy.Place][]string
}

// note adds a comment at a key of the artifact.
func (c *candidate) note(key, format string, args ...any) { c.noteAt(0, key, format, args...) }

// noteAt adds a comment at a key of one of its identities, counted from 1.
func (c *candidate) noteAt(identity int, key, format string, args ...any) {
	if c.notes == nil {
		c.notes = map[policy.Place][]string{}
	}
	at := policy.Place{Item: c.ID(), Identity: identity, Key: key}
	c.notes[at] = append(c.notes[at], fmt.Sprintf(format, args...))
}

func (d *discovery) notef(format string, args ...any) {
	if note := strictyaml.OneLine(fmt.Sprintf(format, args...)); !d.noted[note] {
		d.noted[note] = true
		d.notes = append(d.notes, note)
	}
}

func (d *discovery) unreadf(format string, args ...any) {
	d.unread = append(d.unread, strictyaml.OneLine(fmt.Sprintf(format, args...)))
}

func sortedBySource(projects map[string]*project) []*project {
	var out []*project
	for _, p := range projects {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b *project) int { return strings.Compare(a.source, b.source) })
	return out
}

// unique leaves the first of several candidates for one artifact, and says so: a name that two
// repositories claim belongs to one of them.
func (d *discovery) unique() {
	seen := map[string]*candidate{}
	d.found = slices.DeleteFunc(d.found, func(c *candidate) bool {
		first := seen[strings.ToLower(c.ID())]
		if first == nil {
			seen[strings.ToLower(c.ID())] = c
			return false
		}
		if first.Source != c.Source {
			first.note("", "%q claims it too: whose is it?", c.Source)
			d.notef("%q: claimed by %q and by %q, proposed for the first", c.ID(), first.Source, c.Source)
		}
		return true
	})
}
