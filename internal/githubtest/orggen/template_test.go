package orggen

import (
	"testing"

	"github.com/wormsweep/wormsweep/internal/xtest"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/formats"
)

// TestVariantsAreSound compares what the product reads of templates and of what is made
// from them: as many packages, and no new problem.
func TestVariantsAreSound(t *testing.T) {
	templates, err := loadTemplates(xtest.Corpus(t), 256<<10)
	if err != nil {
		t.Fatal(err)
	}
	changed, all := 0, 0
	for _, group := range templates {
		for _, tmpl := range group {
			format := formats.For(tmpl.base)
			want := format.Parse(tmpl.data, lockfile.Options{})
			for key := range uint64(3) {
				data := tmpl.variant(mix(key, 5))
				got := format.Parse(data, lockfile.Options{})
				if len(got.Packages) != len(want.Packages) || len(got.Problems) != len(want.Problems) {
					t.Errorf("%s of %d bytes, key %d: %d packages and %d problems, want %d and %d", tmpl.base, len(data), key,
						len(got.Packages), len(got.Problems), len(want.Packages), len(want.Problems))
				}
			}
			all++
			if len(tmpl.letters) > 0 {
				changed++
			}
		}
	}
	if changed < all*3/4 {
		t.Errorf("%d of %d templates change by their names", changed, all)
	}
	t.Logf("%d of %d templates change by their names", changed, all)
}
