package source_test

import (
	"cmp"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/source"
)

// Names are in the order of the paths below them.
func FuzzCompareNames(f *testing.F) {
	f.Add("a", true, "a-b", false)
	f.Add("a", false, "a", true)
	f.Add("a", true, "a0", true)
	f.Add("", false, "\xff", true)
	f.Fuzz(func(t *testing.T, a string, aFolder bool, b string, bFolder bool) {
		if strings.ContainsAny(a+b, "/\x00") {
			t.Skip()
		}
		path := func(name string, folder bool) string {
			if folder {
				return name + "/"
			}
			return name
		}
		got, want := source.CompareNames(a, aFolder, b, bFolder), cmp.Compare(path(a, aFolder), path(b, bFolder))
		if got != want {
			t.Errorf("CompareNames(%q, %v, %q, %v) = %d; want %d", a, aFolder, b, bFolder, got, want)
		}
	})
}
