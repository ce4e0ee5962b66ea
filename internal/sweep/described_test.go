package sweep_test

import (
	"testing"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/sweep"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// Some lockfiles tell only by their edges that an entry is direct, or for development: a finding
// says it all the same, whether a memory had the file read with them or not.
func TestEntriesAsTheirEdgesTell(t *testing.T) {
	catalogue := set(t, ioc.Indicator{ID: "bad", Type: ioc.TypePackage, Ecosystem: ecosystem.NPM, Name: "bad", Versions: []string{"1.0.0"}})
	lock := "# yarn lockfile v1\n\n\nasks@^1.0.0:\n  version \"1.0.0\"\n  dependencies:\n    other \"^1.0.0\"\n\n" +
		"bad@^1.0.0:\n  version \"1.0.0\"\n\nother@^1.0.0:\n  version \"1.0.0\"\n"
	for _, memory := range []sweep.Memory{nil, newMemory(catalogue)} {
		repo := &source.Repository{Name: "r", Path: "r", Trees: []source.Tree{&memTree{ref: "HEAD", files: map[string]string{"yarn.lock": lock}}}}
		var direct string
		_, err := sweep.Run(t.Context(), each(repo), sweep.Options{Set: catalogue, Memory: memory}, func(e finding.Event) error {
			if f, ok := e.(*finding.Finding); ok {
				direct = f.Package.Direct
			}
			return nil
		})
		if err != nil || direct != "yes" {
			t.Errorf("with memory %t: direct %q, %v; want yes", memory != nil, direct, err)
		}
	}
}
