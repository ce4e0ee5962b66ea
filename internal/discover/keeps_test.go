package discover

import (
	"slices"
	"testing"

	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// TestKeeps: a policy that something was added to holds all that it held, as it was.
func TestKeeps(t *testing.T) {
	was := &policy.Policy{Organisation: "acme", Artifacts: []policy.Artifact{{Kind: registry.NPM, Name: "a"}, {Kind: registry.NPM, Name: "b", Unsigned: true}}}
	for _, tt := range []struct {
		name   string
		change func(p *policy.Policy)
		want   bool
	}{
		{"nothing", func(*policy.Policy) {}, true},
		{"one more", func(p *policy.Policy) { p.Artifacts = append(p.Artifacts, policy.Artifact{Name: "c"}) }, true},
		{"one less", func(p *policy.Policy) { p.Artifacts = p.Artifacts[:1] }, false},
		{"one before", func(p *policy.Policy) { p.Artifacts = slices.Insert(p.Artifacts, 0, policy.Artifact{Name: "c"}) }, false},
		{"wider", func(p *policy.Policy) { p.Artifacts[0].Unsigned = true }, false},
		{"another organisation", func(p *policy.Policy) { p.Organisation = "evil" }, false},
		{"another registry", func(p *policy.Policy) { p.Registries = []policy.Registry{{Name: "r"}} }, false},
	} {
		is := *was
		is.Artifacts = slices.Clone(was.Artifacts)
		tt.change(&is)
		if keeps(was, &is) != tt.want {
			t.Errorf("%s: want %v", tt.name, tt.want)
		}
	}
}
