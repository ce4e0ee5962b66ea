package exclusion_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/exclusion"
	"github.com/wormsweep/wormsweep/internal/finding"
)

func propose(t *testing.T, problems ...*finding.Problem) string {
	t.Helper()
	var b bytes.Buffer
	if err := exclusion.Propose(&b, problems, now); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// fill does what a person does with a proposed file.
func fill(s string) string {
	s = strings.ReplaceAll(s, `owner: ""`, `owner: "o"`)
	return strings.ReplaceAll(s, `reason: ""`, `reason: "r"`)
}

func TestPropose(t *testing.T) {
	got := propose(t,
		&finding.Problem{Repository: "web", File: "yarn.lock", Line: 14, Blob: blobA, Code: "truncated", Detail: "ends inside an entry"},
		&finding.Problem{Repository: "web", File: "yarn.lock", Line: 15, Blob: blobA, Code: "syntax", Detail: "the same file"},
		&finding.Problem{Repository: "web", File: "go.sum", Code: "unreadable", Detail: "permission denied"},
		&finding.Problem{Repository: "old", Code: "sha256-repo", Detail: "object format sha256"},
		&finding.Problem{Repository: "old", File: "covered", Code: "syntax", Exclusion: &finding.Exclusion{Owner: "o"}},
		&finding.Problem{Code: "canary", Detail: "no repository"},
	)
	const want = `# Proposed by wormsweep on 2026-11-22. Nothing here counts before a person wrote an owner and a
# reason for it; delete what you would rather repair. docs/problems.md says what each code means.
schema: exclusions/1
exclusions:
  # "truncated": "ends inside an entry"
  - owner: ""
    reason: ""
    expires: 2027-02-20
    problem:
      repository: "web"
      path: "yarn.lock"
      blob: "0123456789abcdef0123456789abcdef01234567"

  # "unreadable": "permission denied"
  - owner: ""
    reason: ""
    expires: 2027-02-20
    problem:
      repository: "web"
      path: "go.sum"
      code: "unreadable"

  # "sha256-repo": "object format sha256"
  - owner: ""
    reason: ""
    expires: 2027-02-20
    problem:
      repository: "old"
      code: "sha256-repo"

# not to be excluded, repair it: "canary" in "" ""
`
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if _, err := exclusion.Load("x.yaml", []byte(got), now); err == nil || !strings.Contains(err.Error(), "line 6: owner is empty") ||
		!strings.Contains(err.Error(), "line 7: reason is empty") {
		t.Errorf("a proposal that nobody filled in: %v", err)
	}
	if !validates(t, fill(got)) {
		t.Error("docs/schemas/exclusions.json refuses a proposal that was filled in")
	}
}

func TestProposeNothing(t *testing.T) {
	if _, err := exclusion.Load("x.yaml", []byte(propose(t)), now); err != nil {
		t.Errorf("a proposal of nothing: %v", err)
	}
}

// TestProposeCovers: a proposal that was filled in covers the problem that it was made of,
// whatever stands in its names, and the same place with another content it does not.
func TestProposeCovers(t *testing.T) {
	for _, p := range []*finding.Problem{
		{Repository: "a", File: "b/c", Blob: blobA, Code: "syntax"},
		{Repository: "a", File: "b/c", Code: "syntax"},
		{Repository: "a", File: "\"quoted\"\\\n- evil: {", Blob: blobA, Code: "syntax"},
		{Repository: "a: b # c", File: "*/[x]/?", Blob: blobA, Code: "syntax", Detail: "line\nbreak \x1b[2J\u202e"},
		{Repository: "a", File: "日本/\U0001f600/yarn.lock", Code: "syntax"},
		{Repository: "a", File: "\u2028\u0085\ufeff", Code: "syntax"},
		{Repository: "a", File: "\xff/yarn.lock", Blob: blobA, Code: "syntax"}, // by its content alone
		{Repository: "a", File: "../../etc/passwd", Blob: blobA, Code: "syntax"},
		{Repository: "true", File: "null", Blob: blobA, Code: "syntax"},
	} {
		text := fill(propose(t, p))
		s, err := exclusion.Load("x.yaml", []byte(text), now)
		if err != nil {
			t.Errorf("%+v: %v\n%s", *p, err, text)
			continue
		}
		if s.Problem(p) == nil {
			t.Errorf("%+v is not covered by\n%s", *p, text)
		}
		changed := *p
		changed.Blob, changed.Code = blobB, "other"
		if s.Problem(&changed) != nil {
			t.Errorf("%+v is covered by\n%s", changed, text)
		}
	}
}

// TestProposeCannot: what no entry can name is said aloud, and nothing broader stands in.
func TestProposeCannot(t *testing.T) {
	for _, p := range []*finding.Problem{
		{Repository: "a", File: "\xff/yarn.lock", Code: "syntax"},
		{Repository: "\xff", File: "yarn.lock", Code: "syntax"},
		{Repository: "a", File: "/etc/passwd", Code: "syntax"},
		{File: "yarn.lock", Blob: blobA, Code: "syntax"},
	} {
		text := propose(t, p)
		if !strings.Contains(text, "exclusions: []") || !strings.Contains(text, "# not to be excluded") {
			t.Errorf("%+v:\n%s", *p, text)
		}
		if _, err := exclusion.Load("x.yaml", []byte(text), now); err != nil {
			t.Errorf("%+v: %v", *p, err)
		}
	}
}
