package exclusion_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/exclusion"
	"github.com/wormsweep/wormsweep/internal/finding"
)

// FuzzLoad: no panic, the same answer twice, and a file that loads never covers the
// problem or the finding of a place that it does not name.
func FuzzLoad(f *testing.F) {
	for _, target := range []string{
		"problem: {repository: a, path: b}", "problem: {blob: " + blobA + "}", "problem: {repository: a, glob: \"b/**\", code: c}",
		"finding: {campaign: c, repository: a, path: b}", "finding: {fingerprint: 0123456789abcdef0123456789abcdef}",
	} {
		f.Add([]byte(entry(target)))
	}
	f.Add([]byte("schema: exclusions/1\nexclusions: &a [*a]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := exclusion.Load("x.yaml", data, now)
		again, errAgain := exclusion.Load("x.yaml", data, now)
		if (err == nil) != (errAgain == nil) || err != nil && err.Error() != errAgain.Error() {
			t.Fatalf("two answers: %v and %v", err, errAgain)
		}
		if err != nil {
			return
		}
		if d := cmp.Diff(s.Expired(), again.Expired()); d != "" {
			t.Fatal(d)
		}
		place := string(data) // too long to be a value of its own file
		if s.Problem(&finding.Problem{Repository: place, File: place, Code: place}) != nil {
			t.Error("covers a problem of a place that is not named")
		}
		if s.Finding(&finding.Finding{Repository: place, File: place, Campaign: place, Fingerprint: place}) != nil {
			t.Error("covers a finding of a place that is not named")
		}
	})
}

// FuzzPropose: what Propose writes loads once it is filled in, and covers what it was made
// of; what it could not name is not covered.
func FuzzPropose(f *testing.F) {
	f.Add("a", "b/c", blobA, "syntax", "detail")
	f.Add("a", "", "", "missing", "")
	f.Add("a\n- x", "\x00\x1b\xff/..", "", "\"", "\u2028\n# x\nschema: y")
	f.Fuzz(func(t *testing.T, repository, file, blob, code, detail string) {
		p := &finding.Problem{Repository: repository, File: file, Blob: blob, Code: code, Detail: detail}
		var b bytes.Buffer
		if err := exclusion.Propose(&b, []*finding.Problem{p}, now); err != nil {
			t.Fatal(err)
		}
		s, err := exclusion.Load("x.yaml", []byte(fill(b.String())), now)
		if err != nil {
			t.Fatalf("%v\n%s", err, b.String())
		}
		if named := !bytes.Contains(b.Bytes(), []byte("\nexclusions: []\n")); named != (s.Problem(p) != nil) {
			t.Errorf("%+v: named %v, covered %v\n%s", *p, named, !named, b.String())
		}
	})
}
