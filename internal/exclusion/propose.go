package exclusion

import (
	"bufio"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/strictyaml"
)

// ProposedDays is how far ahead proposed entries end.
const ProposedDays = 90

// Propose writes a file with one entry for each place of problems, in their order, for a
// person to judge: owner and reason are empty, and the file does not load before both are
// filled in. An entry is as narrow as the problem allows: it has the path and the blob, so
// that another content is looked at again; without a blob, the path and the code.
//
// Left out are the problems that an exclusion covers already. One that no entry can name,
// because it belongs to no repository or its path is no UTF-8, stands as a comment.
func Propose(w io.Writer, problems []*finding.Problem, now time.Time) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "# Proposed by wormsweep on %s. Nothing here counts before a person wrote an owner and a\n", now.UTC().Format(time.DateOnly))
	fmt.Fprint(b, "# reason for it; delete what you would rather repair. docs/problems.md says what each code means.\n")
	fmt.Fprintf(b, "schema: %s\nexclusions:", Schema)
	expires := now.UTC().AddDate(0, 0, ProposedDays).Format(time.DateOnly)
	seen := map[target]bool{}
	var unnamed []*finding.Problem
	for _, p := range problems {
		t, ok := propose(p)
		switch {
		case p.Exclusion != nil || ok && seen[t]:
		case !ok:
			unnamed = append(unnamed, p)
		default:
			seen[t] = true
			writeEntry(b, &t, p, expires)
		}
	}
	if len(seen) == 0 {
		fmt.Fprint(b, " []")
	}
	fmt.Fprint(b, "\n")
	for _, p := range unnamed {
		fmt.Fprintf(b, "# not to be excluded, repair it: %s in %s %s\n", strictyaml.Quote(p.Code), strictyaml.Quote(p.Repository), strictyaml.Quote(p.File))
	}
	return b.Flush()
}

// propose gives the narrowest target that covers p and whatever else is wrong with the
// same content there, false when there is none.
func propose(p *finding.Problem) (target, bool) {
	t := target{kind: problems, repository: p.Repository}
	if utf8.ValidString(p.File) && cleanPath(p.File) {
		t.path = p.File
	}
	if blobForm.MatchString(p.Blob) {
		t.blob = p.Blob
	}
	if t.blob == "" {
		t.code = p.Code
	}
	named := t.blob != "" || codeForm.MatchString(t.code) && (t.path != "" || p.File == "")
	return t, named && p.Repository != "" && utf8.ValidString(p.Repository)
}

func writeEntry(w io.Writer, t *target, p *finding.Problem, expires string) {
	fmt.Fprintf(w, "\n  # %s: %s\n", strictyaml.Quote(p.Code), strictyaml.Quote(p.Detail))
	fmt.Fprintf(w, "  - owner: \"\"\n    reason: \"\"\n    expires: %s\n    problem:\n", expires)
	for _, part := range []struct{ key, value string }{
		{"repository", t.repository}, {"path", t.path}, {"blob", t.blob}, {"code", t.code},
	} {
		if part.value != "" {
			fmt.Fprintf(w, "      %s: %s\n", part.key, strictyaml.Quote(part.value))
		}
	}
}
