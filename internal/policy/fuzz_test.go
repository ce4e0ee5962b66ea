package policy_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/internal/verify"
)

// FuzzParse: no panic, the same answer twice; a policy that validates is the same after it was
// printed and read again, its artifacts accept no stranger, and the schema takes it.
func FuzzParse(f *testing.F) {
	full, err := os.ReadFile("testdata/full.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(full)
	for _, seed := range []string{
		signed(base), signed(strict), signed(gitlab), sdk("keys: [{file: ed25519.pub}]"), file(`artifact: "npm:a", unsigned: true`),
		"version: 1\nartifacts: &a [*a]\n", "{}", strings.Repeat("[", 5000),
	} {
		f.Add([]byte(seed))
	}
	stranger := verify.Identity{
		Issuer: github, SAN: "https://github.com/stranger/x/.github/workflows/x.yml@refs/heads/main", SourceRepositoryID: "31337", OwnerID: "31338",
	}
	key := func(string) ([]byte, error) { return os.ReadFile("testdata/ed25519.pub") }
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := policy.ParseWithKeys("x.yaml", b, key)
		again, errAgain := policy.ParseWithKeys("x.yaml", b, key)
		if d := cmp.Diff(p, again); d != "" || (err == nil) != (errAgain == nil) || err != nil && err.Error() != errAgain.Error() {
			t.Fatalf("two answers: %s, %v and %v", d, err, errAgain)
		}
		if err != nil {
			return
		}
		printed := policy.Print(p, nil)
		back, err := policy.ParseWithKeys("x.yaml", printed, key)
		if d := cmp.Diff(p, back); err != nil || d != "" {
			t.Fatalf("printed: %v\n%s\n%s", err, d, printed)
		}
		if err := validates(t, string(printed)); err != nil {
			t.Errorf("the schema refuses what Parse accepts: %v\n%s", err, printed)
		}
		for i := range p.Artifacts {
			a := &p.Artifacts[i]
			if !strings.Contains(string(b), "31337") && a.Accept("1.2.3", stranger) == nil {
				t.Errorf("%s accepts a stranger", a.ID())
			}
			if p.Digest(a) != back.Digest(&back.Artifacts[i]) {
				t.Errorf("%s has another digest after it was printed", a.ID())
			}
		}
	})
}
