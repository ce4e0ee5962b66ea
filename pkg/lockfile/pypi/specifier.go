package pypi

import "strings"

// clause is one part of a version specifier: an operator and a version.
type clause struct {
	op      string // "==", ">=", ... ; "" for a version that stands without one
	version string
}

// exact reports whether the clause admits one release alone. "==1.*" admits many; "==1.0"
// may take in local versions of it ("1.0+cpu"), which count as the same release.
func (c clause) exact() bool {
	return c.op == "===" || c.op == "==" && !strings.HasSuffix(c.version, ".*")
}

// operators in an order in which none is the beginning of a later one.
var operators = [...]string{"===", "==", "~=", "!=", "<=", ">=", "<", ">"}

// cutClause cuts the first clause off a version specifier that does not begin with space.
func cutClause(s string) (c clause, rest string) {
	for _, op := range operators {
		if strings.HasPrefix(s, op) {
			c.op = op
			s = strings.TrimLeftFunc(s[len(op):], isSpace)
			break
		}
	}
	end := until(s, endsVersion)
	c.version = s[:end]
	return c, trimSpace(s[end:])
}

// specifier is what a requirement's version specifier says.
type specifier struct {
	text  string   // as it stands, without the parentheses around it
	exact []string // the versions of its exact clauses, as written
	wrong string   // from here on it is no specifier; "" when it is one
}

// parseSpecifier reads a version specifier: clauses between commas, which all hold
// (PEP 440, "Version specifiers"), in parentheses or not. exact is memory to use again.
//
// One exact clause is enough to pin a requirement: the others can only leave it without a
// release. Where exact clauses contradict each other nothing is installed, and all of them
// are given.
func parseSpecifier(s string, exact []string) specifier {
	spec := specifier{text: trimSpace(s), exact: exact[:0]}
	if inner, ok := strings.CutPrefix(spec.text, "("); ok {
		inner, ok = strings.CutSuffix(inner, ")")
		if !ok {
			spec.wrong = spec.text
		}
		spec.text = trimSpace(inner)
	}
	for rest := spec.text; rest != ""; {
		here := rest
		var c clause
		c, rest = cutClause(rest)
		after, comma := strings.CutPrefix(rest, ",")
		if (c.op == "" || c.version == "" || rest != "" && !comma) && spec.wrong == "" {
			spec.wrong = here
		}
		if c.op == "" && c.version == "" {
			break
		}
		if c.exact() {
			spec.exact = append(spec.exact, c.version)
		}
		rest = trimSpace(after)
	}
	return spec
}
