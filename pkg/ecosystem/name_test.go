package ecosystem_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
)

func TestCheckName(t *testing.T) {
	for _, tt := range []struct {
		e       ecosystem.Ecosystem
		ok, bad string // names, space-separated
	}{
		{
			ecosystem.NPM,
			"keyv @ctrl/tinycolor @_wnpm/wnpm-cli JSONStream _ lodash.merge -x a~b @nebula.js/cli",
			"@@antv/g2 @scope @/x @scope/ a/b github.com/x/y @s/.x .x node_modules a%20b @a/b/c ä",
		},
		{
			ecosystem.PyPI,
			"litellm Flask py-x py_x zope.interface 3to2 a",
			"-x x- @a/b a/b a:b ä _x",
		},
		{
			ecosystem.Go,
			"github.com/BufferZoneCorp/go-stdlog gocommunity.io/orderedbtree github.com/juxtaposition1/v.a.p.e gopkg.in/yaml.v3",
			"keyv x/y github.com//y github.com/ github.com/.x github.com/x. @a/b github.com/x@v1 github.com/ä",
		},
		{
			ecosystem.Actions,
			"actions/checkout Checkmarx/kics-github-action a/b/c",
			"checkout a/ /a a/../b a/b@v1 a//b",
		},
		{"docker", "ghcr.io/aquasecurity/trivy aquasec/trivy", ""},
	} {
		for _, name := range strings.Fields(tt.ok) {
			if err := tt.e.CheckName(name); err != nil {
				t.Errorf("%s: CheckName(%q) = %v, want nil", tt.e, name, err)
			}
		}
		for _, name := range append(strings.Fields(tt.bad), "", "a b", "a\x00", "a\n", strings.Repeat("a", 500)) {
			if err := tt.e.CheckName(name); !errors.Is(err, ecosystem.ErrName) {
				t.Errorf("%s: CheckName(%q) = %v, want ErrName", tt.e, name, err)
			}
		}
	}
}

func TestLooksLikeGo(t *testing.T) {
	for name, want := range map[string]bool{
		"github.com/x/y": true, "gogets.dev/btreex": true, "lodash.merge": false, "@nebula.js/cli": false, "keyv": false,
		"github.com//y": false,
	} {
		if got := ecosystem.LooksLikeGo(name); got != want {
			t.Errorf("LooksLikeGo(%q) = %v, want %v", name, got, want)
		}
	}
}
