package cli

import (
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/lookup"
)

// A difference says whether the two sweeps looked for the same.
func TestDiffOfCatalogues(t *testing.T) {
	for _, newer := range []string{"aa", "aa+bb"} {
		d := &lookup.Difference{Older: inventory.Run{Catalogue: "aa"}, Newer: inventory.Run{Catalogue: newer}}
		var b strings.Builder
		if err := writeDiff(&b, d); err != nil {
			t.Fatal(err)
		}
		differ := newer != "aa"
		if got := strings.Contains(b.String(), "Catalogues: aa+bb, and aa before."); got != differ {
			t.Errorf("%s:\n%s", newer, b.String())
		}
		if got := newDiffReport(d).Catalogues; len(got) == 2 != differ {
			t.Errorf("%s: %q", newer, got)
		}
	}
}
