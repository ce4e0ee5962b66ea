package workflow

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Secrets are the secrets that a text names.
type Secrets struct {
	Names []string // in upper case, as GitHub compares them; sorted, without GITHUB_TOKEN
	// All is where a text may name any secret, "env.KEY", since it does so by an expression; "" is
	// nowhere.
	All string
	// Token is where the job's own token is named.
	Token string
}

// Token is the name of the token of a job.
const Token = "GITHUB_TOKEN"

// None reports whether no secret but the job's token is named.
func (s *Secrets) None() bool { return len(s.Names) == 0 && s.All == "" }

// Add adds those of another text.
func (s *Secrets) Add(other Secrets) {
	s.Names = append(slices.Clone(s.Names), other.Names...)
	if s.All == "" {
		s.All = other.All
	}
	if s.Token == "" {
		s.Token = other.Token
	}
	s.sort()
}

func (s *Secrets) sort() {
	slices.Sort(s.Names)
	s.Names = slices.Compact(s.Names)
}

// budget is what of a file's texts is read, in bytes and nodes: many aliases of one text make a
// small file a long one.
type budget int

const maxRead = 16 << 20

// read adds what the texts below a node name. A node that is met through several aliases is read
// once. What the budget does not suffice for may name any.
func (b *budget) read(s *Secrets, n *yaml.Node, where string) {
	type place struct {
		n     *yaml.Node
		where string
	}
	seen := map[*yaml.Node]bool{}
	defer s.sort()
	for todo := []place{{n, where}}; len(todo) > 0; {
		p := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		n := follow(p.n)
		if n == nil || seen[n] {
			continue
		}
		seen[n] = true
		if *b += budget(len(n.Value) + 1); *b > maxRead {
			s.All = orWhere(s.All, p.where)
			return
		}
		if n.Kind == yaml.ScalarNode {
			s.text(n.Value, p.where)
			continue
		}
		for i, child := range n.Content {
			where := p.where
			if n.Kind == yaml.MappingNode && i%2 == 1 {
				where = strings.TrimPrefix(where+"."+follow(n.Content[i-1]).Value, ".")
			}
			todo = append(todo, place{child, where})
		}
	}
}

var (
	// context is where an expression names the context "secrets", or the token by its other name.
	// Names in expressions have no letter case.
	context = regexp.MustCompile(`(?i)(^|[^A-Za-z0-9_.\-'])(secrets|github\s*\.\s*token|github\s*\[\s*'token'\s*\]|toJSON\s*\(\s*github\s*\))($|[^A-Za-z0-9_\-])`)
	// one is how it goes on where it names one of them, and nothing but that.
	one = regexp.MustCompile(`^\s*(?:\.\s*([A-Za-z_][A-Za-z0-9_]*)|\[\s*'([A-Za-z_][A-Za-z0-9_]*)'\s*\])`)
)

// text adds what the expressions of a text name.
func (s *Secrets) text(text, where string) {
	for {
		_, rest, found := strings.Cut(text, "${{")
		if !found {
			return
		}
		inside, after, _ := strings.Cut(rest, "}}") // one that is not closed goes to the end
		if strings.Count(inside, "'")%2 == 1 {      // the end was in a string
			inside, after = rest, ""
		}
		s.expression(inside, where)
		text = after
	}
}

func (s *Secrets) expression(text, where string) {
	for {
		at := context.FindStringSubmatchIndex(text)
		if at == nil {
			return
		}
		word, rest := strings.ToLower(text[at[4]:at[5]]), text[at[5]:]
		m := one.FindStringSubmatch(rest)
		switch {
		case word != "secrets":
			s.Token = orWhere(s.Token, where)
		case m == nil:
			s.All = orWhere(s.All, where)
		default:
			name := strings.ToUpper(m[1] + m[2])
			if name == Token {
				s.Token = orWhere(s.Token, where)
			} else {
				s.Names = append(s.Names, name)
			}
		}
		text = rest
	}
}

// orWhere is the first place, "the workflow" for one that has no name.
func orWhere(old, where string) string {
	switch {
	case old != "":
		return old
	case where == "":
		return "the step"
	}
	return where
}
