package orggen

import (
	"errors"
	"io/fs"
	"path/filepath"
	"regexp"
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

// TestChanges looks at what is changed in a file: whole names and versions, everywhere.
func TestChanges(t *testing.T) {
	tmpl := &template{
		data:  []byte("axios@1.12.30 axios/axios-1.12.30.tgz xaxios axiosx axios-mock 11.12.30 1.12.30.4 axios"),
		names: []packageName{{"axios", "1.12.30"}},
	}
	shape := regexp.MustCompile(`^ax([a-z]{3})@1\.12\.([5-9]\d) ax([a-z]{3})/ax([a-z]{3})-1\.12\.(\d\d)\.tgz xaxios axiosx ax([a-z]{3})-mock 11\.12\.30 1\.12\.30\.4 ax([a-z]{3})$`)
	seen := map[string]bool{}
	for key := range uint64(50) {
		got := string(tmpl.variant(key + 1))
		parts := shape.FindStringSubmatch(got)
		if parts == nil || parts[1] != parts[3] || parts[1] != parts[4] || parts[1] != parts[6] || parts[1] != parts[7] || parts[2] != parts[5] {
			t.Errorf("key %d: %q", key+1, got)
		}
		seen[got] = true
	}
	if len(seen) != 50 {
		t.Errorf("%d of 50 differ", len(seen))
	}
	if got := string(tmpl.variant(0)); got != string(tmpl.data) {
		t.Errorf("key 0: %q", got)
	}
}

// TestFolderAbove: of lockfiles without an oracle beside them no distinct ones can be made.
func TestFolderAbove(t *testing.T) {
	above := filepath.Dir(xtest.Corpus(t))
	if _, err := New(Options{Corpus: above}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%q was taken: %v", above, err)
	}
}
