package policy

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/pkg/registry"
)

// Describe writes what a policy holds for a person to look over, a line for each registry and
// each artifact.
func Describe(w io.Writer, p *Policy) error {
	var b strings.Builder
	for _, g := range p.Registries {
		fmt.Fprintf(&b, "registry %s: %s at %s", g.Name, g.Protocol, g.Address)
		if g.Role == registry.Mirror {
			b.WriteString(", a mirror: what it lacks is unknown")
		}
		b.WriteString("\n")
	}
	for i := range p.Artifacts {
		a := &p.Artifacts[i]
		fmt.Fprintf(&b, "%s: %s\n", a.ID(), strings.Join(a.describe(), "; "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (a *Artifact) describe() []string {
	var out []string
	add := func(when bool, format string, args ...any) {
		if when {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	from := "every version"
	if a.SignedFrom != "" {
		from = "from " + a.SignedFrom + " on"
	}
	switch {
	case a.Unsigned:
		add(true, "unsigned, so anybody who may publish there is believed")
	case a.Kind == registry.Go:
		add(true, "%s equals its tag", from)
	default:
		add(true, "%s signed by %s", from, a.believed())
	}
	add(a.Source != "", "made from %s", a.Source)
	add(a.Tag != "", "tag %s", a.Tag)
	add(a.Registry != "", "at registry %s", a.Registry)
	add(len(a.Attestations) > 0, "with %s", strings.Join(a.Attestations, ", "))
	add(len(a.Maintainers) > 0, "maintained by %s", strings.Join(a.Maintainers, ", "))
	add(a.TokensAllowed, "a token may publish it")
	add(!a.TokenUntil.IsZero(), "a token may publish it until %s", a.TokenUntil.Format(time.DateOnly))
	add(a.Branch != "", "on branch %s", a.Branch)
	add(a.Release, "with a release")
	add(a.Run, "by a run that published it")
	add(len(a.Scripts) > 0, "may run %s on installation", strings.Join(a.Scripts, ", "))
	add(len(a.Versions) > 0, "only %s", strings.Join(a.Versions, ", "))
	return out
}

// believed names the identities and counts the keys.
func (a *Artifact) believed() string {
	var names []string
	for _, i := range a.Identities {
		names = append(names, i.SAN)
	}
	if n := len(a.Keys); n == 1 {
		names = append(names, "1 key")
	} else if n > 1 {
		names = append(names, fmt.Sprintf("%d keys", n))
	}
	return strings.Join(names, " or ")
}
