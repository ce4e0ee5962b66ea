package planner

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/internal/registries"
	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/sumdb"
	"github.com/wormsweep/wormsweep/pkg/version"
)

// Registries say what is published under a name. bad are the versions that the plan is about.
type Registries interface {
	// Theirs is asked of a package that is not ours, by its canonical name.
	Theirs(ctx context.Context, e ecosystem.Ecosystem, name string, bad []string) (Answer, error)
	// Ours is asked of an artifact of the policy, or of what a verification says is one.
	Ours(ctx context.Context, artifact *policy.Artifact, bad []string) (Answer, error)
}

// Answer is what a registry says of a name.
type Answer struct {
	Listing *registry.Listing `json:"listing,omitempty"` // nil where it did not say, and Gap says why
	Gap     string            `json:"gap,omitempty"`
	// Sums are the digests of a Go module's versions next below the bad ones, by the checksum
	// database. One that it did not answer for is not among them.
	Sums map[string][]digest.Digest `json:"sums,omitempty"`
	// Open says that to ask again may bring more: something did not answer.
	Open bool `json:"open,omitempty"`
}

// noRegistry is the gap of a package of an ecosystem that has none.
const noRegistry = "no registry says what versions it had"

// Nobody is registries that are not asked; it says why not.
type Nobody string

// Theirs is Registries.Theirs.
func (n Nobody) Theirs(context.Context, ecosystem.Ecosystem, string, []string) (Answer, error) {
	return Answer{Gap: string(n)}, nil
}

// Ours is Registries.Ours.
func (n Nobody) Ours(context.Context, *policy.Artifact, []string) (Answer, error) {
	return Answer{Gap: string(n)}, nil
}

// protocols are those of the kinds whose public registry can be replaced.
var protocols = map[registry.Kind]string{registry.NPM: "npm", registry.PyPI: "pypi", registry.Go: "goproxy"}

// Replaceable reports whether a kind has a public registry for which another can be asked.
func Replaceable(kind registry.Kind) bool { return protocols[kind] != "" }

// AskerOptions are the settings of an Asker.
type AskerOptions struct {
	// Addresses are those of registries that are asked instead of the public ones, by Replaceable
	// kinds. They are believed as those would be, and may be in a private network.
	Addresses map[registry.Kind]string
	// Own gives the reader for an artifact of ours whose registry Addresses does not replace; nil
	// asks the public ones.
	Own func(*policy.Artifact) (registry.Reader, error)
	Sum *sumdb.Client // nil asks no checksum database
	// Failed is told of what a registry did not answer; nil is nobody.
	Failed func(artifact string, err error)
}

// Asker is Registries that are asked, each once about a name: it is for one run.
type Asker struct {
	opt    AskerOptions
	theirs *registries.Set
	asked  map[string]Answer // without Sums
}

// NewAsker makes an Asker. It asks nobody yet.
func NewAsker(o AskerOptions) *Asker {
	theirs := &policy.Policy{}
	for kind, address := range o.Addresses {
		theirs.Registries = append(theirs.Registries, policy.Registry{Name: string(kind), Protocol: protocols[kind], Address: strings.TrimSuffix(address, "/"), Private: true})
	}
	a := &Asker{opt: o, theirs: registries.New(registries.Options{Policy: theirs}), asked: map[string]Answer{}}
	if o.Own == nil {
		a.opt.Own = a.theirs.Reader
	}
	return a
}

// Address is the one that is asked instead of the public registry of a kind; "" for none.
func (a *Asker) Address(kind registry.Kind) string {
	return strings.TrimSuffix(a.opt.Addresses[kind], "/")
}

// Theirs is Registries.Theirs.
func (a *Asker) Theirs(ctx context.Context, e ecosystem.Ecosystem, name string, bad []string) (Answer, error) {
	kind := kindOf(e)
	if kind == "" {
		return Answer{Gap: noRegistry}, nil
	}
	artifact := &policy.Artifact{Kind: kind, Name: name}
	if a.opt.Addresses[kind] != "" {
		artifact.Registry = string(kind)
	}
	return a.ask(ctx, a.theirs.Reader, artifact, bad)
}

// Ours is Registries.Ours. The registry that the policy gives the artifact is asked, or else the one
// that is asked instead of the public one.
func (a *Asker) Ours(ctx context.Context, artifact *policy.Artifact, bad []string) (Answer, error) {
	if a.opt.Addresses[artifact.Kind] != "" && artifact.Registry == "" {
		named := *artifact
		named.Registry = string(artifact.Kind)
		return a.ask(ctx, a.theirs.Reader, &named, bad)
	}
	return a.ask(ctx, a.opt.Own, artifact, bad)
}

func (a *Asker) ask(ctx context.Context, reader func(*policy.Artifact) (registry.Reader, error), artifact *policy.Artifact, bad []string) (Answer, error) {
	key := artifact.ID() + " " + artifact.Registry
	answer, asked := a.asked[key]
	if !asked {
		r, err := reader(artifact)
		if err == nil {
			answer.Listing, err = r.List(ctx, artifact.Name, registry.Validator{})
		}
		if err != nil {
			answer = Answer{}
			answer.Gap, answer.Open = gapOf(err)
			a.failed(artifact.ID(), err)
		}
		a.asked[key] = answer
	}
	if artifact.Kind == registry.Go && answer.Listing != nil {
		a.sums(ctx, &answer, bad)
	}
	return answer, context.Cause(ctx)
}

func (a *Asker) failed(artifact string, err error) {
	if a.opt.Failed != nil {
		a.opt.Failed(artifact, err)
	}
}

// gapOf says why a registry did not say, and whether to ask again soon may help. What the network
// says differs from time to time, and is in no plan.
func gapOf(err error) (gap string, again bool) {
	for _, known := range []error{registry.ErrDenied, registry.ErrNotServed, registry.ErrForbidden, registry.ErrTooLarge, registries.ErrNoToken} {
		if errors.Is(err, known) {
			return "its registry did not say: " + known.Error(), false
		}
	}
	switch {
	case errors.Is(err, registry.ErrNotFound):
		return "its registry has none of that name", false
	case errors.Is(err, registry.ErrMalformed):
		return "its registry did not say: " + registry.ErrMalformed.Error(), true
	}
	return "its registry did not say: it did not answer", true
}

// sumsBelow is how many versions below a bad one the checksum database is asked about.
const sumsBelow = 5

// sums asks the checksum database about the versions of a module that come next below the bad ones.
func (a *Asker) sums(ctx context.Context, answer *Answer, bad []string) {
	if a.opt.Sum == nil {
		return
	}
	l := answer.Listing
	var all []string
	for i := range l.Releases {
		if v := l.Releases[i].Version; version.Check(ecosystem.Go, v) == nil && !strings.Contains(v, "-") {
			all = append(all, v)
		}
	}
	slices.SortFunc(all, func(x, y string) int {
		n, _ := version.Compare(ecosystem.Go, y, x) // both were checked
		return n
	})
	answer.Sums = map[string][]digest.Digest{}
	asked := map[string]bool{}
	for _, b := range bad {
		below := 0
		for _, v := range all {
			if n, err := version.Compare(ecosystem.Go, v, b); b != "" && (err != nil || n >= 0) || slices.Contains(bad, v) {
				continue
			}
			if below++; below > sumsBelow {
				break
			}
			if asked[v] {
				continue
			}
			asked[v] = true
			record, err := a.opt.Sum.Lookup(ctx, l.Name, v)
			switch {
			case err == nil:
				answer.Sums[v] = []digest.Digest{record.Zip}
			case !errors.Is(err, registry.ErrNotFound):
				answer.Open = true
				a.failed(l.Name+"@"+v, err)
			}
		}
	}
}

// kindOf is the kind of the public registry of an ecosystem, "" for none.
func kindOf(e ecosystem.Ecosystem) registry.Kind {
	for kind, of := range ecosystems {
		if of == e {
			return kind
		}
	}
	return ""
}

// ecosystems are those of the kinds that have one.
var ecosystems = map[registry.Kind]ecosystem.Ecosystem{registry.NPM: ecosystem.NPM, registry.PyPI: ecosystem.PyPI, registry.Go: ecosystem.Go}
