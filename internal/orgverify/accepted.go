package orgverify

import (
	"fmt"
	"strings"

	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// ArtifactOf gives the artifact of the policy that KIND:NAME stands for; nil is none.
func ArtifactOf(p *policy.Policy, id string) *policy.Artifact {
	kind, name, _ := strings.Cut(id, ":")
	return p.Artifact(registry.Kind(kind), name)
}

// Accepted says which changes a person takes for good, each KIND:NAME@VERSION; nil for none. The
// error begins with the one that is of no artifact of the policy.
func Accepted(p *policy.Policy, names []string) (func(*policy.Artifact, string) bool, error) {
	taken := map[[2]string]bool{}
	for _, name := range names {
		i := strings.LastIndexByte(name, '@')
		if i <= 0 || ArtifactOf(p, name[:i]) == nil {
			return nil, fmt.Errorf("%q: want KIND:NAME@VERSION of an artifact of the policy", name)
		}
		taken[[2]string{ArtifactOf(p, name[:i]).ID(), name[i+1:]}] = true
	}
	if len(taken) == 0 {
		return nil, nil
	}
	return func(a *policy.Artifact, version string) bool { return taken[[2]string{a.ID(), version}] }, nil
}
