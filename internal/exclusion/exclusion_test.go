package exclusion_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/exclusion"
	"github.com/wormsweep/wormsweep/internal/finding"
)

func load(t *testing.T, in string) *exclusion.Set {
	t.Helper()
	s, err := exclusion.Load("x.yaml", []byte(in), now)
	if err != nil {
		t.Fatalf("Load(%q): %v", in, err)
	}
	return s
}

func TestProblem(t *testing.T) {
	for _, tt := range []struct {
		target                       string
		repository, file, blob, code string
		want                         bool
	}{
		{"repository: a, path: b/c", "a", "b/c", blobA, "syntax", true},
		{"repository: a, path: b/c", "a", "b/c", "", "syntax", true},
		{"repository: a, path: b/c", "a", "b/cd", "", "syntax", false},
		{"repository: a, path: b/c", "a", "x/b/c", "", "syntax", false},
		{"repository: a, path: b/c", "A", "b/c", "", "syntax", false},
		{"repository: a, path: b/c", "a/sub", "b/c", "", "syntax", false},
		{"repository: a, path: b/c", "", "b/c", "", "syntax", false},
		{"repository: a, path: b/c, code: syntax", "a", "b/c", "", "syntax", true},
		{"repository: a, path: b/c, code: syntax", "a", "b/c", "", "syntax-2", false},
		{"repository: a, path: b/c, blob: " + blobA, "a", "b/c", blobA, "syntax", true},
		{"repository: a, path: b/c, blob: " + blobA, "a", "b/c", blobB, "syntax", false}, // another content: looked at again
		{"repository: a, path: b/c, blob: " + blobA, "a", "b/c", "", "syntax", false},
		{"repository: a, path: b/c, blob: " + blobA, "a", "b/d", blobA, "syntax", false},
		{"blob: " + blobA, "any", "where", blobA, "syntax", true},
		{"blob: " + blobA, "any", "where", blobB, "syntax", false},
		{"repository: a, blob: " + blobA, "a", "where", blobA, "syntax", true},
		{"repository: a, blob: " + blobA, "b", "where", blobA, "syntax", false},
		{"repository: a, path: \"b/*\"", "a", "b/c", "", "syntax", false}, // a path is no pattern
		{"repository: a, path: \"b/*\"", "a", "b/*", "", "syntax", true},
		{"repository: a, glob: \"b/*\"", "a", "b/c", "", "syntax", true},
		{"repository: a, glob: \"b/*\"", "a", "b/c/d", "", "syntax", false},
		{"repository: a, glob: \"b/**\"", "a", "b/c/d", "", "syntax", true},
		{"repository: a, glob: \"b/**\"", "b", "b/c/d", "", "syntax", false},
		{"repository: a, glob: \"b/**\"", "a", "", "", "missing", false}, // the repository itself is no file
		{"repository: a, code: missing", "a", "", "", "missing", true},
		{"repository: a, code: missing", "a", "", "", "corrupt", false},
		{"repository: a, code: missing", "a", "b/c", "", "missing", false}, // nor are its files the repository
	} {
		s := load(t, entry("problem: {"+tt.target+"}"))
		p := &finding.Problem{Repository: tt.repository, File: tt.file, Blob: tt.blob, Code: tt.code}
		if got := s.Problem(p) != nil; got != tt.want {
			t.Errorf("{%s} covers %+v: %v; want %v", tt.target, *p, got, tt.want)
		}
		f := &finding.Finding{Repository: tt.repository, File: tt.file, Blob: tt.blob, Campaign: tt.code}
		if s.Finding(f) != nil {
			t.Errorf("problem {%s} covers the finding %+v", tt.target, *f)
		}
	}
}

func TestFinding(t *testing.T) {
	const print1, print2 = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"
	for _, tt := range []struct {
		target                              string
		campaign, repository, file, blob, f string
		want                                bool
	}{
		{"fingerprint: " + print1, "c", "a", "b", "", print1, true},
		{"fingerprint: " + print1, "c", "a", "b", "", print2, false},
		{"fingerprint: " + print1, "c", "a", "b", "", "", false},
		{"campaign: c, repository: a, path: b", "c", "a", "b", blobA, print1, true},
		{"campaign: c, repository: a, path: b", "d", "a", "b", blobA, print1, false},
		{"campaign: c, repository: a, path: b", "c", "x", "b", blobA, print1, false},
		{"campaign: c, repository: a, path: b", "c", "a", "bb", blobA, print1, false},
		{"campaign: c, repository: a, glob: \"b*\"", "c", "a", "bb", blobA, print1, true},
		{"campaign: c, repository: a, glob: \"b*\", blob: " + blobB, "c", "a", "bb", blobA, print1, false},
		{"campaign: c, blob: " + blobA, "c", "x", "y", blobA, print1, true},
		{"campaign: c, blob: " + blobA, "c", "x", "y", blobB, print1, false},
		{"campaign: c, blob: " + blobA, "c", "x", "y", "", print1, false},
	} {
		s := load(t, entry("finding: {"+tt.target+"}"))
		f := &finding.Finding{Campaign: tt.campaign, Repository: tt.repository, File: tt.file, Blob: tt.blob, Fingerprint: tt.f}
		if got := s.Finding(f) != nil; got != tt.want {
			t.Errorf("{%s} covers %+v: %v; want %v", tt.target, *f, got, tt.want)
		}
		p := &finding.Problem{Repository: tt.repository, File: tt.file, Blob: tt.blob, Code: tt.campaign}
		if s.Problem(p) != nil {
			t.Errorf("finding {%s} covers the problem %+v", tt.target, *p)
		}
	}
}

// TestFirst: of several entries that cover, the first of the file is shown, whichever part
// of the problem selected it.
func TestFirst(t *testing.T) {
	const head = "schema: exclusions/1\nexclusions:\n"
	byBlob := "  - {owner: blob, reason: r, expires: 2027-01-31, problem: {blob: " + blobA + "}}\n"
	byPath := "  - {owner: path, reason: r, expires: 2027-01-31, problem: {repository: a, path: b}}\n"
	other := "  - {owner: other, reason: r, expires: 2027-01-31, problem: {repository: a, path: z}}\n"
	for _, tt := range []struct{ in, want string }{
		{head + byBlob + byPath, "blob"},
		{head + byPath + byBlob, "path"},
		{head + other + byBlob + byPath, "blob"},
		{head + other + byPath + byPath + byBlob, "path"},
	} {
		got := load(t, tt.in).Problem(&finding.Problem{Repository: "a", File: "b", Blob: blobA, Code: "syntax"})
		if got == nil || got.Owner != tt.want {
			t.Errorf("%s: got %+v; want the one of %s", tt.in, got, tt.want)
		}
	}
}

func TestShown(t *testing.T) {
	s := load(t, "schema: exclusions/1\nexclusions:\n  - owner: \" web@example.org \"\n    reason: |\n      cut short\n    expires: \"2027-01-31\"\n    problem: {repository: a, path: b}\n")
	got := s.Problem(&finding.Problem{Repository: "a", File: "b"})
	want := &finding.Exclusion{Owner: "web@example.org", Reason: "cut short", Expires: "2027-01-31"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

// TestExpired: the last day counts whole, in UTC; from the next on the entry is listed and
// covers nothing.
func TestExpired(t *testing.T) {
	in := entry("problem: {repository: a, path: b}")
	in += strings.ReplaceAll(in[strings.Index(in, "  - "):], "2027-01-31", "2027-06-30")
	for _, tt := range []struct {
		now     time.Time
		expired int
		covers  string
	}{
		{time.Date(2027, 1, 31, 23, 59, 59, 0, time.UTC), 0, "2027-01-31"},
		{time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC), 1, "2027-06-30"},
		{time.Date(2027, 1, 31, 20, 0, 0, 0, time.FixedZone("", -5*3600)), 1, "2027-06-30"},
		{time.Date(2028, 1, 1, 0, 0, 0, 0, time.UTC), 2, ""},
	} {
		s, err := exclusion.Load("x.yaml", []byte(in), tt.now)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Expired(); len(got) != tt.expired {
			t.Errorf("on %v: %d expired; want %d: %q", tt.now, len(got), tt.expired, got)
		}
		covers := ""
		if e := s.Problem(&finding.Problem{Repository: "a", File: "b"}); e != nil {
			covers = e.Expires
		}
		if covers != tt.covers {
			t.Errorf("on %v: covered until %q; want %q", tt.now, covers, tt.covers)
		}
	}
	s, err := exclusion.Load("x.yaml", []byte(in), now.AddDate(1, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	const want = `"x.yaml": line 3: ended 2027-01-31, owner "o": problem repository "a" path "b"`
	if got := s.Expired()[0]; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestNilSet(t *testing.T) {
	var s *exclusion.Set
	if s.Problem(&finding.Problem{}) != nil || s.Finding(&finding.Finding{}) != nil || s.Expired() != nil {
		t.Error("a nil Set covers something")
	}
}
