package githubtest

import (
	"math/rand/v2"
	"path"
	"strings"
)

// Rule switches a fault on for some requests.
type Rule struct {
	Kind   Kind   // "" is every kind
	Method string // "" is every method
	// Path is matched with the path below BASE, as path.Match does, and also with its
	// first parts: "/api/v3/repos/acme/*" is for all that is below a repository.
	Path        string
	Query       string  // a part of the query or of the body
	Skip        int     // the first so many matches are served
	Times       int     // so many matches fail; 0 is all
	Probability float64 // of each match; 0 is 1
	Fault       Fault
}

// Fault answers a request in another way. It calls e.Serve for the true answer, which then
// stands in e, and changes it.
type Fault func(e *Exchange)

type rule struct {
	Rule
	matches, failed int
}

// Break adds a rule. Of the rules that match a request the first is taken. The function
// that it gives takes the rule away again.
func (s *Server) Break(r Rule) (mend func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	added := &rule{Rule: r}
	s.rules = append(s.rules, added)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for i, r := range s.rules {
			if r == added {
				s.rules = append(s.rules[:i:i], s.rules[i+1:]...)
				return
			}
		}
	}
}

// due gives the fault that a request meets, or nil.
func (s *Server) due(e *Exchange) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.rules {
		if !r.match(e) {
			continue
		}
		r.matches++
		if r.matches <= r.Skip || r.Times > 0 && r.failed >= r.Times || !chance(s.random, r.Probability) {
			continue
		}
		r.failed++
		e.Number = r.failed
		return r.Fault
	}
	return nil
}

func chance(random *rand.Rand, probability float64) bool {
	return probability == 0 || random.Float64() < probability
}

func (r *Rule) match(e *Exchange) bool {
	if r.Kind != "" && r.Kind != e.Kind || r.Method != "" && r.Method != e.Request.Method {
		return false
	}
	if r.Query != "" && !strings.Contains(e.Request.URL.RawQuery, r.Query) && !strings.Contains(string(e.Body), r.Query) {
		return false
	}
	return r.Path == "" || matchPath(r.Path, e.Request.URL.Path)
}

func matchPath(pattern, name string) bool {
	parts := strings.Split(name, "/")
	n := min(len(parts), strings.Count(pattern, "/")+1)
	ok, err := path.Match(pattern, strings.Join(parts[:n], "/"))
	if err != nil {
		panic(err) // the test that wrote it is wrong
	}
	return ok
}
